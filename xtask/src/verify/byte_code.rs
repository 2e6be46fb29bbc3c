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
    let Some(tag) = target.magic_tag() else {
        let what = format!("nothing is known of byte-code of Python {}", target.python());
        let all = evidence.byte_code.keys();
        let findings = all.map(|path| Finding::error(path, &what, "none for this Python", again)).collect();
        return Outcome::Made { looked_at: count(evidence.byte_code.len(), "file"), findings };
    };
    let mut findings = Vec::new();
    for (path, head) in &evidence.byte_code {
        let (found, expected) = match tag.source(path) {
            None => (
                "its name is none that this Python looks for".to_owned(),
                format!("a name that Python {} looks for", target.python()),
            ),
            Some(source) if !evidence.has(&source) => {
                (format!("its source `{source}` is not there, so it is not looked for"), "its source".to_owned())
            }
            Some(_) => match tag.misfit(head) {
                None => continue,
                Some(what) => (what, format!("byte-code of Python {} that is valid unchecked", target.python())),
            },
        };
        findings.push(Finding::error(path, found, expected, again));
    }
    Outcome::Made { looked_at: count(evidence.byte_code.len(), "file"), findings }
}
