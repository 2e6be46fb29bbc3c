//! Pieces made side by side on all cores, and taken in order, with a bound on what waits in memory.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;

/// What may wait to be taken, in bytes, with a chunk more for the piece that is taken next.
const MOST_WAITING: usize = 8 << 20;
const CHUNK: usize = 128 << 10;

struct State {
    /// chunks of each piece, and whether it is complete
    pieces: Vec<(VecDeque<Vec<u8>>, bool)>,
    taken: usize,
    waiting: usize,
    failure: Option<anyhow::Error>,
    stopped: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn push(&self, piece: usize, chunk: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        loop {
            // The piece that is taken next goes on once nothing of it waits, or nothing would go on at all.
            let is_next = piece == state.taken && state.pieces[piece].0.is_empty();
            if state.stopped || is_next || state.waiting + chunk.len() <= MOST_WAITING {
                break;
            }
            state = self.wait(state);
        }
        if state.stopped {
            return Err(io::Error::other("stopped, since another piece failed"));
        }
        state.waiting += chunk.len();
        state.pieces[piece].0.push_back(chunk);
        self.changed.notify_all();
        Ok(())
    }

    fn complete(&self, piece: usize, result: anyhow::Result<()>) {
        let mut state = self.lock();
        state.pieces[piece].1 = true;
        if let Err(error) = result {
            // What comes after the first failure is its consequence.
            state.failure.get_or_insert(error);
            state.stopped = true;
        }
        self.changed.notify_all();
    }

    /// The next chunk in order; `None` when all are taken, or on a failure.
    fn next(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        loop {
            let taken = state.taken;
            if state.stopped || taken == state.pieces.len() {
                return None;
            }
            if let Some(chunk) = state.pieces[taken].0.pop_front() {
                state.waiting -= chunk.len();
                self.changed.notify_all();
                return Some(chunk);
            }
            if state.pieces[taken].1 {
                state.taken += 1;
                self.changed.notify_all();
            } else {
                state = self.wait(state);
            }
        }
    }
}

struct PieceWriter<'a> {
    shared: &'a Shared,
    piece: usize,
    chunk: Vec<u8>,
}

impl Write for PieceWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK {
            self.shared.push(self.piece, std::mem::take(&mut self.chunk))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.chunk) {
            empty if empty.is_empty() => Ok(()),
            chunk => self.shared.push(self.piece, chunk),
        }
    }
}

/// Makes `count` pieces with `make`, on as many threads as there are cores, and gives their bytes to
/// `take` in the order of the pieces: the result does not depend on the number of cores. `W` is what a thread works with
/// and keeps from piece to piece.
///
/// # Errors
/// With the first failure of `make` or `take`; the other pieces are given up.
pub fn in_order<W: Default>(
    count: usize,
    make: impl Fn(&mut W, usize, &mut dyn Write) -> anyhow::Result<()> + Sync,
    mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let pieces = (0..count).map(|_| (VecDeque::new(), false)).collect();
    let state = State { pieces, taken: 0, waiting: 0, failure: None, stopped: false };
    let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut with = W::default();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= count || shared.lock().stopped {
                return;
            }
            let mut writer = PieceWriter { shared: &shared, piece, chunk: Vec::new() };
            let result = make(&mut with, piece, &mut writer).and_then(|()| Ok(writer.flush()?));
            shared.complete(piece, result);
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores.min(count) {
            scope.spawn(work);
        }
        while let Some(chunk) = shared.next() {
            if let Err(error) = take(&chunk) {
                let mut state = shared.lock();
                state.failure.get_or_insert(error);
                state.stopped = true;
                shared.changed.notify_all();
            }
        }
    });
    let state = shared.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    state.failure.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_in_the_order_of_the_pieces_whatever_their_speed() {
        let mut got = Vec::new();
        let make = |_: &mut (), piece: usize, out: &mut dyn Write| {
            if piece.is_multiple_of(3) {
                thread::sleep(std::time::Duration::from_millis(2));
            }
            // Far more than may wait, so that pieces have to be held back.
            for _ in 0..200 {
                out.write_all(&vec![piece as u8; 20_000])?;
            }
            Ok(())
        };
        in_order(40, make, |chunk| {
            got.extend(chunk.iter().step_by(1000).copied());
            Ok(())
        })
        .unwrap();
        assert!(got.is_sorted());
        assert_eq!(got.last(), Some(&39));
    }

    #[test]
    fn a_slow_taker_holds_the_pieces_back() {
        let made = AtomicUsize::new(0);
        let mut taken = 0;
        let mut most_waiting = 0;
        let make = |_: &mut (), _: usize, out: &mut dyn Write| {
            for _ in 0..64 {
                out.write_all(&[0; 1 << 20])?;
                made.fetch_add(1 << 20, Ordering::Relaxed);
            }
            Ok(())
        };
        in_order(2, make, |chunk| {
            if taken == 0 {
                thread::sleep(std::time::Duration::from_millis(300));
            }
            taken += chunk.len();
            most_waiting = most_waiting.max(made.load(Ordering::Relaxed).saturating_sub(taken));
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, 128 << 20);
        assert!(most_waiting < 2 * MOST_WAITING, "{most_waiting} bytes waited");
    }

    #[test]
    fn a_failure_ends_all_and_is_the_one_that_is_told() {
        let make = |_: &mut (), piece: usize, out: &mut dyn Write| {
            out.write_all(&vec![0; 1 << 20])?;
            anyhow::ensure!(piece != 7, "piece 7 is bad");
            Ok(())
        };
        assert_eq!(in_order(1000, make, |_| Ok(())).unwrap_err().to_string(), "piece 7 is bad");
        let error =
            in_order(1000, |_: &mut (), _, out| Ok(out.write_all(b"x")?), |_| anyhow::bail!("disk full")).unwrap_err();
        assert_eq!(error.to_string(), "disk full");
        in_order(0, |_: &mut (), _, _| Ok(()), |_| Ok(())).unwrap();
    }
}
