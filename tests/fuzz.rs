//! No text and no archive makes a parser panic, hang, or take memory out of proportion.
//!
//! Inputs are made from samples by a generator with a fixed seed: single characters, whole pieces moved and
//! repeated, brackets nested, two samples crossed; for two formats also from their grammar. A failure names
//! what comes again with `FUZZ_SEED`; `FUZZ_ROUNDS` asks for more than CI has time for.

use memory::peak_of;
use mutations::{changed, changed_bytes};
use packaging::comparison::Lcg;
use readers::{Reader, readers};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

#[path = "hostile/boxes.rs"]
#[allow(dead_code, reason = "shared with the hostile wheels")]
mod boxes;
#[path = "packaging/comparison.rs"]
#[allow(dead_code, reason = "shared with the test against `packaging`")]
mod comparison;
#[path = "pip_files/grammar.rs"]
#[allow(dead_code, reason = "shared with the test against pip")]
mod grammar;
#[path = "pip_files/locks.rs"]
mod locks;
#[path = "fuzz/memory.rs"]
#[allow(unsafe_code, reason = "an allocator that counts")]
mod memory;
#[path = "fuzz/mutations.rs"]
mod mutations;
mod packaging {
    pub(crate) use crate::comparison;
}
#[path = "fuzz/readers.rs"]
mod readers;
#[path = "fuzz/rpms.rs"]
mod rpms;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "shared with the hostile archives")]
mod zip;

/// Bytes that reading a text may take beside what is in proportion: messages, tables.
const BASE: usize = 512 << 10;
/// Bytes of memory for each byte of the text: a line of four bytes is a pin with its place.
const EACH: usize = 400;
/// A text that takes longer than this takes too long.
const LONGEST: Duration = Duration::from_secs(2);
/// After this a parser hangs, and the process ends.
const HANGS: Duration = Duration::from_secs(60);

/// What is being read, for the watch.
static READING: Mutex<Option<(Instant, String)>> = Mutex::new(None);

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn shown(input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let end = text.char_indices().nth(2000).map_or(text.len(), |(end, _)| end);
    format!("{:?} ({} bytes)", &text[..end], input.len())
}

/// The worst that a parser did.
#[derive(Default)]
struct Worst {
    bytes: usize,
    memory_each: usize,
    took: Duration,
}

/// Reads one input, and says what is wrong with how that went.
fn fault_of(reader: &Reader, input: &[u8], worst: &mut Worst) -> Option<String> {
    *READING.lock().unwrap() = Some((Instant::now(), format!("`{}` reads {}", reader.name, shown(input))));
    let start = Instant::now();
    let (read, peak) = peak_of(|| catch_unwind(AssertUnwindSafe(|| (reader.read)(input))));
    let took = start.elapsed();
    let most = reader.base + EACH * input.len();
    *READING.lock().unwrap() = None;
    worst.bytes = worst.bytes.max(input.len());
    worst.memory_each = worst.memory_each.max(peak.saturating_sub(reader.base) / input.len().max(1));
    worst.took = worst.took.max(took);
    if read.is_err() {
        Some("it panicked".to_owned())
    } else if took > LONGEST {
        Some(format!("it took {took:?}"))
    } else if peak > most {
        Some(format!("it took {peak} bytes of memory, and {most} are in proportion"))
    } else {
        None
    }
}

/// Ends the process when a parser hangs: nothing else can stop it.
fn watch() {
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            if let Some((start, what)) = &*READING.lock().unwrap()
                && start.elapsed() > HANGS
            {
                eprintln!("it hangs: {what}");
                std::process::abort();
            }
        }
    });
}

/// All readers in one test: the watch sees one input at a time.
#[test]
fn no_input_makes_a_parser_panic_or_hang_or_eat_memory() {
    watch();
    let seed = number("FUZZ_SEED", 1);
    let rounds = number("FUZZ_ROUNDS", 1500);
    let mut faults = Vec::new();
    for reader in readers().into_iter().chain([rpms::reader()]) {
        let mut taste = Lcg(seed);
        let mut worst = Worst::default();
        assert!(!reader.samples.is_empty(), "`{}` has no sample", reader.name);
        for sample in &reader.samples {
            faults.extend(
                fault_of(&reader, sample, &mut worst).map(|fault| format!("`{}`: a sample: {fault}", reader.name)),
            );
        }
        for round in 0..rounds {
            let made = reader.made.filter(|_| taste.one_in(3)).map(|make| make(&mut taste));
            let input = match (made, std::str::from_utf8(&reader.samples[taste.below(reader.samples.len())])) {
                (Some(made), _) => made,
                (None, Ok(sample)) => {
                    let other = &reader.samples[taste.below(reader.samples.len())];
                    changed(sample, &String::from_utf8_lossy(other), &mut taste).into_bytes()
                }
                (None, Err(_)) => changed_bytes(&reader.samples[0], &mut taste),
            };
            if let Some(fault) = fault_of(&reader, &input, &mut worst) {
                let name = reader.name;
                faults.push(format!("`{name}`, seed {seed}, round {round}: {fault}\n  {}", shown(&input)));
            }
            if faults.len() > 5 {
                break;
            }
        }
        println!(
            "{}: {rounds} inputs; the longest of {} bytes, {} bytes of memory a byte, {:?}",
            reader.name, worst.bytes, worst.memory_each, worst.took
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The measure itself: memory that was freed again counts.
#[test]
fn the_peak_is_what_was_held_at_once() {
    let (_, peak) = peak_of(|| {
        drop(vec![0_u8; 1 << 20]);
        vec![0_u8; 1 << 18]
    });
    assert!((1 << 20..(1 << 20) + 4096).contains(&peak), "{peak}");
    let (_, peak) = peak_of(|| vec![0_u8; 1000]);
    assert!((1000..3000).contains(&peak), "{peak}");
}
