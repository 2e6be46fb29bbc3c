//! Check of byte-code: what is imported from it, on which Python, and whether it can be out of date.

use crate::verify::{Evidence, Finding, Outcome, count, no_target};

/// `byte-code`
///
/// Byte-code that is valid by its source's time would be taken for the source of another release that has the
/// same size and time, and ignored where an image's builder changes the time. That which is held against its
/// source has every source read at each start.
pub fn judge(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let again = "build the RPM again with this tool, which leaves out what others compiled";
    let mut findings = Vec::new();
    for (path, head) in &evidence.byte_code {
        let Some(tag) = target.magic_tag() else {
            findings.push(Finding::error(
                path,
                format!("nothing is known of byte-code of Python {}", target.python()),
                again,
            ));
            continue;
        };
        match tag.source(path) {
            None => {
                findings.push(Finding::error(path, format!("Python {} does not look for it", target.python()), again))
            }
            Some(source) if !evidence.has(&source) => {
                findings.push(Finding::error(
                    path,
                    format!("its source `{source}` is not there, so it is not looked for"),
                    again,
                ));
            }
            Some(_) => findings.extend(tag.misfit(head).map(|what| Finding::error(path, what, again))),
        }
    }
    Outcome::Made { looked_at: count(evidence.byte_code.len(), "file"), findings }
}
