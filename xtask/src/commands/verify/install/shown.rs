//! What was lived through, to people and to programs.

use crate::commands::verify::install::Lived;
use crate::commands::verify::install::steps::{Ending, Step};
use crate::templates::visible;
use serde_json::{Value, json};

/// Whether the exit code is 1.
pub fn is_bad(lived: &Lived, strict: bool) -> bool {
    lived.steps.iter().any(|step| match step.ending {
        Ending::Failed { .. } => true,
        Ending::NotMade(_) => strict,
        // only after a failure
        Ending::Passed | Ending::Skipped => false,
    })
}

fn word(ending: &Ending) -> &'static str {
    match ending {
        Ending::Passed => "ok",
        Ending::Failed { .. } => "FAILED",
        Ending::NotMade(_) => "NOT MADE",
        Ending::Skipped => "skipped",
    }
}

/// For people.
pub fn text(lived: &Lived) -> String {
    let mut text = format!("  lived through in {}\n", lived.root);
    for step in &lived.steps {
        let time = match step.ending {
            Ending::Passed | Ending::Failed { .. } => format!("{:>6} ms", step.milliseconds),
            Ending::NotMade(_) | Ending::Skipped => " ".repeat(9),
        };
        text.push_str(&format!("  {:<9} {time}  {}\n", word(&step.ending), step.name));
        text.extend(details(step).iter().map(|line| format!("                         {line}\n")));
    }
    visible(&text).into_owned()
}

/// A line each, indented by what it belongs to.
fn details(step: &Step) -> Vec<String> {
    let mut lines = step.notes.clone();
    match &step.ending {
        Ending::Passed | Ending::Skipped => {}
        Ending::NotMade(why) => lines.push(why.clone()),
        Ending::Failed { causes, hints, journal } => {
            for (depth, cause) in causes.iter().enumerate() {
                let start = if depth == 0 { "" } else { "caused by: " };
                lines.extend(format!("{start}{cause}").lines().map(str::to_owned));
            }
            lines.extend(hints.iter().map(|hint| format!("cure: {hint}")));
            if !journal.is_empty() {
                lines.push("the service's last lines:".to_owned());
                lines.extend(journal.iter().map(|line| format!("| {line}")));
            }
        }
    }
    lines
}

/// For programs.
pub fn json(lived: &Lived) -> Value {
    let steps: Vec<Value> = lived.steps.iter().map(step_json).collect();
    json!({"root": lived.root, "booted": lived.booted, "steps": steps})
}

fn step_json(step: &Step) -> Value {
    let mut value = json!({
        "name": step.name,
        "result": word(&step.ending).to_lowercase(),
        "milliseconds": step.milliseconds,
        "notes": step.notes,
    });
    match &step.ending {
        Ending::Passed | Ending::Skipped => {}
        Ending::NotMade(why) => value["why"] = json!(why),
        Ending::Failed { causes, hints, journal } => {
            value["errors"] = json!(causes);
            value["hints"] = json!(hints);
            value["journal"] = json!(journal);
        }
    }
    value
}
