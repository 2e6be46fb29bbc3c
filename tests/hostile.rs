//! Hostile input: wheels, locks, configurations and RPMs with one fault each, made in memory. Each table
//! starts from a base that is fine, so that a row is refused for its fault and for nothing else.

#[path = "hostile/advisories.rs"]
mod advisories;
#[path = "hostile/archives.rs"]
mod archives;
#[path = "hostile/boxes.rs"]
mod boxes;
#[path = "hostile/byte_code.rs"]
mod byte_code;
#[cfg(target_os = "linux")]
#[path = "hostile/commands.rs"]
mod commands;
#[path = "hostile/layouts.rs"]
mod layouts;
#[path = "hostile/locks.rs"]
mod locks;
#[path = "hostile/rpms.rs"]
mod rpms;
#[path = "hostile/texts.rs"]
mod texts;
#[path = "hostile/wheels.rs"]
mod wheels;
#[path = "hostile/zip.rs"]
mod zip;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a row expects.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// it is taken
    Fine,
    /// it is refused, and the error says this
    Refused(&'static str),
}

use Expected::{Fine, Refused};

/// Gathers the rows that did not come out as expected, and names all of them at once.
#[derive(Default)]
struct Rows {
    faults: Vec<String>,
    count: usize,
}

impl Rows {
    /// Runs a row; a panic is a fault of the row.
    fn check<T>(&mut self, row: &str, expected: Expected, run: impl FnOnce() -> anyhow::Result<T>) {
        self.count += 1;
        let fault = match (catch_unwind(AssertUnwindSafe(run)), expected) {
            (Err(_), _) => "it panicked".to_owned(),
            (Ok(Ok(_)), Fine) => return,
            (Ok(Ok(_)), Refused(part)) => format!("it was taken instead of refused with `{part}`"),
            (Ok(Err(error)), Refused(part)) if format!("{error:#}").contains(part) => return,
            (Ok(Err(error)), expected) => format!("{expected:?}, and it says: {error:#}"),
        };
        self.faults.push(format!("{row}: {fault}"));
    }

    fn finish(self) {
        assert!(self.count > 0, "no row was run");
        assert!(self.faults.is_empty(), "{} of {} rows:\n{}", self.faults.len(), self.count, self.faults.join("\n"));
    }
}

/// A small generator with a fixed seed: the same mutations on every host.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}
