//! Where the time of a task goes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The steps of a task with what each took. Where one runs inside another, its time is its own and not the outer's:
/// the sum is the time that passed.
#[derive(Debug)]
pub(crate) struct Steps {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// in the order in which they began for the first time
    rows: Vec<(&'static str, Duration)>,
    /// those that run, each inside the one before
    running: Vec<usize>,
    /// until when all is charged
    charged: Instant,
}

/// What belongs to no step.
const OTHER: &str = "other";

impl Steps {
    /// Begins now.
    pub(crate) fn new() -> Self {
        let state = State { rows: vec![(OTHER, Duration::ZERO)], running: vec![0], charged: Instant::now() };
        Self { state: Mutex::new(state) }
    }

    /// Runs a part of a step.
    pub(crate) fn during<T>(&self, name: &'static str, part: impl FnOnce() -> T) -> T {
        self.change(|state| {
            let place = state.rows.iter().position(|(known, _)| *known == name);
            let place = place.unwrap_or_else(|| {
                state.rows.push((name, Duration::ZERO));
                state.rows.len() - 1
            });
            state.running.push(place);
        });
        let made = part();
        self.change(|state| {
            state.running.pop();
        });
        made
    }

    /// All steps until now; what belongs to none as the last.
    pub(crate) fn so_far(&self) -> Vec<(&'static str, Duration)> {
        let mut rows = Vec::new();
        self.change(|state| rows.clone_from(&state.rows));
        rows.rotate_left(1);
        rows
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        let passed = now - state.charged;
        if let Some(place) = state.running.last().copied() {
            state.rows[place].1 += passed;
        }
        state.charged = now;
        change(&mut state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;

    #[test]
    fn time_is_charged_once() {
        const SOME: Duration = Duration::from_millis(20);
        let start = Instant::now();
        let steps = Steps::new();
        steps.during("lock", || {
            sleep(SOME);
            steps.during("fetch", || sleep(3 * SOME));
        });
        let given = steps.during("write", || 7);
        steps.during("fetch", || sleep(SOME));
        let rows = steps.so_far();
        assert_eq!(rows.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["lock", "fetch", "write", "other"]);
        assert_eq!(given, 7);
        assert!(rows[0].1 >= SOME && rows[1].1 >= 4 * SOME, "{rows:?}");
        assert!(rows.iter().map(|(_, took)| *took).sum::<Duration>() <= start.elapsed(), "{rows:?}");
    }
}
