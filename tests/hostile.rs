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
#[path = "chance/mod.rs"]
mod chance;
#[cfg(target_os = "linux")]
#[path = "hostile/commands.rs"]
mod commands;
#[path = "hostile/elf_loops.rs"]
mod elf_loops;
#[path = "hostile/gzip.rs"]
mod gzip;
#[path = "hostile/installed.rs"]
mod installed;
#[cfg(target_os = "linux")]
#[path = "hostile/large_files.rs"]
mod large_files;
#[path = "hostile/large_rpms.rs"]
mod large_rpms;
#[path = "hostile/layouts.rs"]
mod layouts;
#[path = "hostile/locks.rs"]
mod locks;
#[path = "hostile/rpms.rs"]
mod rpms;
#[cfg(target_os = "linux")]
#[path = "hostile/special_files.rs"]
mod special_files;
#[cfg(target_os = "linux")]
#[path = "hostile/terminal.rs"]
mod terminal;
#[path = "hostile/texts.rs"]
mod texts;
#[path = "hostile/wheels.rs"]
mod wheels;
#[path = "hostile/zip.rs"]
mod zip;

use chance::Random;
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

/// How long this thread had a processor, which does not grow with what else the machine does.
#[cfg(target_os = "linux")]
fn cpu_time() -> std::time::Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// The same by the clock on the wall, where the system tells it otherwise.
#[cfg(not(target_os = "linux"))]
fn cpu_time() -> std::time::Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}
