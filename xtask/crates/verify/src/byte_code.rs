//! Check of byte-code: what is imported from it, on which Python, and whether it is of the source beside it.

use crate::{Evidence, Finding, Outcome, count, no_target};
use wheelhaul_base::hex::hex;
use wheelhaul_boxes::{MadeFrom, MagicTag};

/// `byte-code`
///
/// Byte-code that is valid by its source's time would be taken for the source of another release that has the
/// same size and time, and ignored where an image's builder changes the time. That which is held against its
/// source has every source read at each start.
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
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
            Some(source) => {
                let valid = || format!("byte-code of Python {} that is valid unchecked", target.python());
                let misfit = tag.misfit(head).map(|what| (what, valid()));
                match misfit.or_else(|| stale(evidence, tag, &source, head)) {
                    None => continue,
                    Some(fault) => fault,
                }
            }
        };
        findings.push(Finding::error(path, found, expected, again));
    }
    Outcome::Made { looked_at: count(evidence.byte_code.len(), "file"), findings }
}

/// Whether byte-code was made from another source than the one beside it: what was found, and what was expected.
///
/// - Takes: `tag` of the target's Python, and `head` of byte-code that fits it.
fn stale(evidence: &Evidence, tag: MagicTag, source: &str, head: &[u8]) -> Option<(String, String)> {
    match tag.made_from(head)? {
        MadeFrom::Hash(held) => {
            let Some(hash) = evidence.sources.hashes.get(source) else {
                let found = "it lies beside byte-code of another Python, and was not held against its source";
                return Some((found.to_owned(), "byte-code of one Python".to_owned()));
            };
            let found = || format!("it is of a source with the hash {}", hex(&held));
            (*hash != held).then(|| (found(), format!("{}, that of `{source}`", hex(hash))))
        }
        MadeFrom::Size(held) => {
            let size = evidence.described.files.get(source).map_or(0, |row| row.size as u32);
            let found = || format!("it is of a source of {held} bytes");
            (held != size).then(|| (found(), format!("{size}, as `{source}` has")))
        }
    }
}
