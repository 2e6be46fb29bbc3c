//! Where the time and the bytes of packages went.

use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;

/// What one wheel is in the payload of an RPM. Bytes are those after compression.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

    /// The sum of several, without a name.
    pub fn sum<'s>(shares: impl IntoIterator<Item = &'s Self>) -> Self {
        let mut sum = Self::default();
        shares.into_iter().for_each(|share| sum.add(share));
        sum
    }

    fn add(&mut self, other: &Self) {
        self.pieces += other.pieces;
        self.reused += other.reused;
        self.bytes += other.bytes;
        self.reused_bytes += other.reused_bytes;
        self.archive_bytes += other.archive_bytes;
    }
}

/// Where time and bytes went. Bytes are those after compression.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// in their order
    pub steps: Vec<TimedStep>,
    /// of all RPMs
    pub pieces: Pieces,
    /// the largest first
    pub packages: Vec<Share>,
}

/// How long a step took.
#[derive(Debug, Clone, Serialize)]
pub struct TimedStep {
    /// `lock`
    pub name: &'static str,
    /// in all targets together; milliseconds are as fine as it gets in JSON
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub took: Duration,
}

fn seconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((took.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// The pieces of payloads.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pieces {
    /// how many were compressed
    pub made: usize,
    /// how many were taken as an earlier run left them
    pub reused: usize,
    /// of all of them
    pub bytes: u64,
    /// of those that were reused
    pub reused_bytes: u64,
}

impl Summary {
    /// Sums up steps, in their order, and the shares of all RPMs, in any order.
    pub fn new<'s>(steps: Vec<(&'static str, Duration)>, shares: impl IntoIterator<Item = &'s Share>) -> Self {
        let mut by_name: BTreeMap<Option<&str>, Share> = BTreeMap::new();
        for share in shares {
            let name = share.name.as_deref();
            by_name.entry(name).or_insert_with(|| Share { name: share.name.clone(), ..Share::default() }).add(share);
        }
        let mut packages: Vec<Share> = by_name.into_values().collect();
        // Stable: of a size by the name.
        packages.sort_by_key(|share| std::cmp::Reverse(share.bytes));
        let all = Share::sum(&packages);
        Self {
            steps: steps.into_iter().map(|(name, took)| TimedStep { name, took }).collect(),
            pieces: Pieces {
                made: all.pieces - all.reused,
                reused: all.reused,
                bytes: all.bytes,
                reused_bytes: all.reused_bytes,
            },
            packages,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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
    fn what_another_builder_wrote_has_no_pieces() {
        let summary = Summary::new(vec![("lock", Duration::from_secs(1))], []);
        let value = serde_json::to_value(&summary).unwrap();
        assert_eq!(value["pieces"]["made"], 0);
        assert_eq!(value["packages"], json!([]));
    }

    #[test]
    fn programs_get_every_step_and_every_package() {
        let value = serde_json::to_value(summary()).unwrap();
        assert_eq!(value["steps"][2], json!({"name": "write", "seconds": 12.345}));
        assert_eq!(
            value["pieces"],
            json!({"made": 11, "reused": 9, "bytes": 2_036_530_300_u64, "reused-bytes": 18_300_100})
        );
        assert_eq!(value["packages"].as_array().map(Vec::len), Some(6));
        assert_eq!(value["packages"][3]["name"], Value::Null);
    }
}
