//! Where the time and the bytes of packages went: the table at the end of `dist`, and of `rpm -v`.

use std::time::Duration;
use wheelhaul_engine::report::{count, size};
use wheelhaul_engine::rpm::{Share, Summary};

/// So many packages have a row of their own.
const MOST_PACKAGES: usize = 4;
/// What takes less has none.
const LEAST_SHOWN: Duration = Duration::from_millis(5);
/// Characters of a name; the table is 48 wide, which fits half a terminal.
const NAME: usize = 24;

/// For people: 48 columns, and fifteen lines or so.
pub(super) fn table(summary: &Summary) -> String {
    let total = summary.steps.iter().map(|step| step.took).sum();
    let line = |name: &str, took: Duration| format!("{name:<26} {:>7.2} s\n", took.as_secs_f64());
    let mut text = line("time", total);
    for step in summary.steps.iter().filter(|step| step.took >= LEAST_SHOWN) {
        text.push_str(&line(&format!("  {}", step.name), step.took));
    }
    let all = &summary.pieces;
    if all.made + all.reused == 0 {
        return text;
    }
    text.push_str(&format!("{:<26} {:>9}\n", "payload", size(all.bytes)));
    let pieces = [("made", all.made, all.bytes - all.reused_bytes), ("reused", all.reused, all.reused_bytes)];
    for (what, number, bytes) in pieces.into_iter().filter(|(_, number, _)| *number > 0) {
        text.push_str(&format!("  {:<24} {:>9}\n", format!("{} {what}", count(number, "piece")), size(bytes)));
    }
    text.push_str(&format!("{:<36} {:>6}\n", "largest", "reused"));
    for share in summary.packages.iter().take(MOST_PACKAGES) {
        text.push_str(&row(share, share.name.as_deref().unwrap_or("of the RPM itself")));
    }
    let others = summary.packages.get(MOST_PACKAGES..).unwrap_or_default();
    if !others.is_empty() {
        text.push_str(&row(&Share::sum(others), &count(others.len(), "other")));
    }
    text
}

fn row(share: &Share, name: &str) -> String {
    let reused = match share.bytes {
        0 => 100,
        bytes => u128::from(share.reused_bytes) * 100 / u128::from(bytes),
    };
    format!("  {:<NAME$} {:>9} {reused:>4} %\n", shortened(name), size(share.bytes))
}

fn shortened(name: &str) -> String {
    match name.chars().count() > NAME {
        true => name.chars().take(NAME - 1).chain(['…']).collect(),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn share(name: &str, pieces: usize, bytes: u64, reused: usize, reused_bytes: u64) -> Share {
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Share { name, pieces, reused, bytes, reused_bytes, archive_bytes: bytes * 3 }
    }

    fn summary() -> Summary {
        let steps = [("lock", 21), ("fetch", 4), ("write", 12_345), ("other", 30)];
        let steps = steps.map(|(name, took)| (name, Duration::from_millis(took))).to_vec();
        let one = [
            share("", 2, 30_000, 0, 0),
            share("numpy", 7, 18_200_000, 7, 18_200_000),
            share("a-name-that-is-longer-than-any-that-one-would-type", 1, 2_000_000_000, 0, 0),
            share("empty", 0, 0, 0, 0),
            share("half", 2, 300, 1, 100),
        ];
        let other = [share("numpy", 7, 18_200_000, 0, 0), share("flask", 1, 100_000, 1, 100_000)];
        Summary::new(steps, one.iter().chain(&other))
    }

    #[test]
    fn the_table_is_narrow_and_adds_up() {
        let text = table(&summary());
        assert!(text.lines().all(|line| line.chars().count() <= 48), "{text}");
        let expected = "\
time                         12.40 s
  lock                        0.02 s
  write                      12.35 s
  other                       0.03 s
payload                       2.0 GB
  11 pieces made              2.0 GB
  9 pieces reused            18.3 MB
largest                              reused
  a-name-that-is-longer-t…    2.0 GB    0 %
  numpy                      36.4 MB   50 %
  flask                     100.0 kB  100 %
  of the RPM itself          30.0 kB    0 %
  2 others                     300 B   33 %
";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_another_builder_wrote_has_no_pieces() {
        let summary = Summary::new(vec![("lock", Duration::from_secs(1))], []);
        assert_eq!(table(&summary), "time                          1.00 s\n  lock                        1.00 s\n");
    }
}
