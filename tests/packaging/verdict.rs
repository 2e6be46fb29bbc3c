//! What this tool and `packaging` say of a marker.

use super::{ask_packaging, environment_of};
use anyhow::ensure;
use serde_json::{Value, json};
use wheelhaul_boxes::{Asked, Target};

/// What became of a marker; the reason of an error is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Holds(bool),
    Error(String),
    /// agrees with nothing
    Panic,
}

impl Verdict {
    pub fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Holds(a), Self::Holds(b)) => a == b,
            (Self::Error(_), Self::Error(_)) => true,
            _ => false,
        }
    }
}

/// Both verdicts on each pair of a marker and the place of a target.
pub fn judge(targets: &[Target], pairs: &[(String, usize)]) -> anyhow::Result<Vec<(Verdict, Verdict)>> {
    let environments: Vec<Value> = targets.iter().map(environment_of).collect();
    let answer = ask_packaging("markers", &json!({"environments": environments, "pairs": pairs}))?;
    let answers: Vec<Value> = serde_json::from_value(answer)?;
    ensure!(answers.len() == pairs.len(), "packaging answered {} of {} pairs", answers.len(), pairs.len());
    let environments: Vec<_> = targets.iter().map(Target::environment).collect();
    let mut verdicts = Vec::new();
    for ((marker, place), answer) in pairs.iter().zip(answers) {
        let theirs = match answer {
            Value::Bool(holds) => Verdict::Holds(holds),
            Value::String(reason) => Verdict::Error(reason),
            other => anyhow::bail!("packaging answered {other}"),
        };
        let ours = match std::panic::catch_unwind(|| environments[*place].holds(marker, &Asked::default())) {
            Ok(Ok(holds)) => Verdict::Holds(holds),
            Ok(Err(error)) => Verdict::Error(error.root_cause().to_string()),
            // Each further judgement would panic as well: pep508_rs holds a lock over all of its markers.
            Err(_) => {
                verdicts.resize(pairs.len(), (Verdict::Panic, theirs));
                return Ok(verdicts);
            }
        };
        verdicts.push((ours, theirs));
    }
    Ok(verdicts)
}

pub fn must_agree(
    targets: &[Target],
    pairs: &[(String, usize)],
    verdicts: &[(Verdict, Verdict)],
) -> anyhow::Result<()> {
    let differing: Vec<String> = verdicts
        .iter()
        .zip(pairs)
        .filter(|((ours, theirs), _)| !ours.agrees(theirs))
        .map(|((ours, theirs), (marker, place))| {
            format!(
                "`{marker}` on {} with {}: {ours:?}, and packaging says {theirs:?}",
                targets[*place].name, targets[*place].python_full
            )
        })
        .collect();
    ensure!(differing.is_empty(), "{} of {} differ:\n{}", differing.len(), pairs.len(), differing.join("\n"));
    Ok(())
}
