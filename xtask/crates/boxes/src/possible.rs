//! Whether a marker can be true on any box at all, before one is chosen.

use crate::environment::{Asked, Environment};
use crate::marker::{Kind, evaluate};
use crate::target::Target;
use anyhow::Context as _;
use wheelhaul_base::problem::shortened;

/// What differs from box to box; everything else is that of CPython on Linux.
const VARIES: [&str; 8] = [
    "python_version",
    "python_full_version",
    "implementation_version",
    "platform_machine",
    "platform.machine",
    "platform_release",
    "platform_version",
    "platform.version",
];

/// Whether a marker can be true on some box.
///
/// The grammar has no negation of more than one comparison: with each one that depends on the box taken as
/// true, a marker that comes out false is false on every box.
///
/// - Fails: for what is no marker, or has no meaning as one.
pub fn may_hold(marker: &str, asked: &Asked) -> anyhow::Result<bool> {
    let linux: Environment = Target::find("el9-x86_64", None, None)?.environment();
    evaluate(marker, &mut |comparison| {
        let sides = [comparison.left, comparison.right];
        let text = format!("{} {} {}", comparison.left.text, comparison.operator, comparison.right.text);
        let holds = linux.holds(&text, asked)?;
        Ok(holds || sides.iter().any(|side| side.kind == Kind::Word && VARIES.contains(&side.text)))
    })
    .with_context(|| format!("failed to judge the marker `{}`", shortened(marker)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_box_can_have_is_ruled_out() {
        let asked = Asked { extras: vec!["web".parse().unwrap()], groups: Vec::new() };
        #[rustfmt::skip]
        let cases = [
            ("sys_platform == 'win32'",                                          false),
            ("sys_platform == 'win32' and python_version < '3.8'",               false),
            ("sys_platform == 'win32' or python_version < '3.0'",                true),
            ("platform_machine == 'aarch64' and 'web' in extras",                true),
            ("'dev' in dependency_groups",                                       false),
            ("'dev' not in dependency_groups and python_full_version == '3.9.1'", true),
            ("os_name == 'posix'",                                               true),
        ];
        for (marker, expected) in cases {
            assert_eq!(may_hold(marker, &asked).unwrap(), expected, "{marker}");
        }
        assert!(may_hold("python_version", &asked).is_err());
        assert!(may_hold("python_version ~= 'x'", &asked).is_err());
    }
}
