//! Where the time and the bytes of packages went: the table at the end of `dist`, and the same as JSON.

use crate::report::{count, size};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// So many packages have a row of their own.
const MOST_PACKAGES: usize = 4;
/// What takes less has none.
const LEAST_SHOWN: Duration = Duration::from_millis(5);
/// Characters of a name; the table is 48 wide, which fits half a terminal.
const NAME: usize = 24;

/// What one wheel is in the payload of an RPM. Bytes are those after compression.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// of its distribution, normalized; none for what comes with the package itself
    pub name: Option<String>,
    /// in pieces of the payload
    pub pieces: usize,
    /// so many of them were taken as an earlier run left them
    pub reused: usize,
    /// of all pieces
    pub bytes: u64,
    /// of those that were reused
    pub reused_bytes: u64,
    /// of all pieces before compression
    pub archive_bytes: u64,
}

impl Share {
    /// The same, taken whole from an earlier run.
    pub fn reused(self) -> Self {
        Self { reused: self.pieces, reused_bytes: self.bytes, ..self }
    }

    fn add(&mut self, other: &Self) {
        self.pieces += other.pieces;
        self.reused += other.reused;
        self.bytes += other.bytes;
        self.reused_bytes += other.reused_bytes;
        self.archive_bytes += other.archive_bytes;
    }

    /// In the table.
    fn row(&self, name: &str) -> String {
        let reused = match self.bytes {
            0 => 100,
            bytes => u128::from(self.reused_bytes) * 100 / u128::from(bytes),
        };
        format!("  {:<NAME$} {:>9} {reused:>4} %\n", shortened(name), size(self.bytes))
    }
}

/// What a task did.
#[derive(Debug)]
pub struct Summary {
    steps: Vec<(&'static str, Duration)>,
    /// the largest first
    packages: Vec<Share>,
}

impl Summary {
    /// - Takes: `steps`, in their order; `shares` of all RPMs, in any order.
    pub fn new<'s>(steps: Vec<(&'static str, Duration)>, shares: impl IntoIterator<Item = &'s Share>) -> Self {
        let mut by_name: BTreeMap<Option<&str>, Share> = BTreeMap::new();
        for share in shares {
            let name = share.name.as_deref();
            by_name.entry(name).or_insert_with(|| Share { name: share.name.clone(), ..Share::default() }).add(share);
        }
        let mut packages: Vec<Share> = by_name.into_values().collect();
        // Stable: of a size by the name.
        packages.sort_by_key(|share| std::cmp::Reverse(share.bytes));
        Self { steps, packages }
    }

    fn sum<'s>(shares: impl IntoIterator<Item = &'s Share>) -> Share {
        let mut sum = Share::default();
        shares.into_iter().for_each(|share| sum.add(share));
        sum
    }

    /// For people: 48 columns, and fifteen lines or so.
    pub fn table(&self) -> String {
        let total = self.steps.iter().map(|(_, took)| *took).sum();
        let line = |name: &str, took: Duration| format!("{name:<26} {:>7.2} s\n", took.as_secs_f64());
        let mut text = line("time", total);
        for (name, took) in self.steps.iter().filter(|(_, took)| *took >= LEAST_SHOWN) {
            text.push_str(&line(&format!("  {name}"), *took));
        }
        let all = Self::sum(&self.packages);
        if all.pieces == 0 {
            return text;
        }
        text.push_str(&format!("{:<26} {:>9}\n", "payload", size(all.bytes)));
        let pieces =
            [("made", all.pieces - all.reused, all.bytes - all.reused_bytes), ("reused", all.reused, all.reused_bytes)];
        for (what, number, bytes) in pieces.into_iter().filter(|(_, number, _)| *number > 0) {
            text.push_str(&format!("  {:<24} {:>9}\n", format!("{} {what}", count(number, "piece")), size(bytes)));
        }
        text.push_str(&format!("{:<36} {:>6}\n", "largest", "reused"));
        for share in self.packages.iter().take(MOST_PACKAGES) {
            text.push_str(&share.row(share.name.as_deref().unwrap_or("of the RPM itself")));
        }
        let others = self.packages.get(MOST_PACKAGES..).unwrap_or_default();
        if !others.is_empty() {
            text.push_str(&Self::sum(others).row(&count(others.len(), "other")));
        }
        text
    }

    /// For programs: every step, and every package.
    ///
    /// - Takes: `value`, an object that gets `steps`, `pieces` and `packages`.
    pub fn add_to(&self, value: &mut Value) {
        let seconds = |took: &Duration| (took.as_secs_f64() * 1000.0).round() / 1000.0;
        let steps = self.steps.iter().map(|(name, took)| json!({"name": name, "seconds": seconds(took)}));
        value["steps"] = steps.collect();
        let all = Self::sum(&self.packages);
        value["pieces"] = json!({
            "made": all.pieces - all.reused, "reused": all.reused,
            "bytes": all.bytes, "reused-bytes": all.reused_bytes,
        });
        let packages = self.packages.iter().map(|share| {
            json!({
                "name": share.name, "bytes": share.bytes, "archive-bytes": share.archive_bytes,
                "pieces": share.pieces, "reused": share.reused, "reused-bytes": share.reused_bytes,
            })
        });
        value["packages"] = packages.collect();
    }
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
        let text = summary().table();
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
        assert_eq!(summary.table(), "time                          1.00 s\n  lock                        1.00 s\n");
        let mut value = json!({});
        summary.add_to(&mut value);
        assert_eq!(value["pieces"]["made"], 0);
        assert_eq!(value["packages"], json!([]));
    }

    #[test]
    fn programs_get_every_step_and_every_package() {
        let mut value = json!({"rpms": []});
        summary().add_to(&mut value);
        assert_eq!(value["steps"][2], json!({"name": "write", "seconds": 12.345}));
        assert_eq!(
            value["pieces"],
            json!({"made": 11, "reused": 9, "bytes": 2_036_530_300_u64, "reused-bytes": 18_300_100})
        );
        assert_eq!(value["packages"].as_array().map(Vec::len), Some(6));
        assert_eq!(value["packages"][3]["name"], Value::Null);
        assert_eq!(value["rpms"], json!([]));
    }
}
