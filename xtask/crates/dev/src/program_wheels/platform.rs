//! The platforms that a wheel can be built for, and where.

use wheelhaul_base::problem::{Problem, nearest};

/// One platform, and so one wheel.
#[derive(Debug)]
pub(super) struct Platform {
    /// what `--platform` takes
    pub name: &'static str,
    /// what rustc calls it
    pub triple: &'static str,
    /// the end of the wheel's file name
    pub tag: &'static str,
    /// maturin's `--compatibility`: which glibc zig links against
    pub compatibility: Option<&'static str>,
    /// the system, as `std::env::consts::OS` has it, on which it is built
    pub built_on: &'static str,
    /// texts below zig's `lib` for what zig links statically; none: linked without zig
    pub zig_licenses: &'static [&'static str],
    /// the oldest macOS that the program is to start on
    pub oldest_macos: Option<&'static str>,
}

/// zig brings the unwinder that Rust's standard library calls, and the objects that a program starts with.
const LINUX: &[&str] = &["libunwind/LICENSE.TXT", "libc/glibc/LICENSES"];

const WINDOWS: &[&str] = &["libunwind/LICENSE.TXT", "libc/mingw/COPYING"];

#[rustfmt::skip]
pub(super) const PLATFORMS: &[Platform] = &[
    Platform { name: "linux-x86_64",   triple: "x86_64-unknown-linux-gnu",  tag: "manylinux2014_x86_64.manylinux_2_17_x86_64",   compatibility: Some("manylinux_2_17"), built_on: "linux", zig_licenses: LINUX,   oldest_macos: None },
    Platform { name: "linux-aarch64",  triple: "aarch64-unknown-linux-gnu", tag: "manylinux2014_aarch64.manylinux_2_17_aarch64", compatibility: Some("manylinux_2_17"), built_on: "linux", zig_licenses: LINUX,   oldest_macos: None },
    Platform { name: "windows-x86_64", triple: "x86_64-pc-windows-gnu",     tag: "win_amd64",                                    compatibility: None,                   built_on: "linux", zig_licenses: WINDOWS, oldest_macos: None },
    // Untried: Apple's linker and SDK are on Apple's machines alone.
    Platform { name: "macos-x86_64",   triple: "x86_64-apple-darwin",       tag: "macosx_10_12_x86_64",                          compatibility: None,                   built_on: "macos", zig_licenses: &[],     oldest_macos: Some("10.12") },
    Platform { name: "macos-aarch64",  triple: "aarch64-apple-darwin",      tag: "macosx_11_0_arm64",                            compatibility: None,                   built_on: "macos", zig_licenses: &[],     oldest_macos: Some("11.0") },
];

/// The platforms of these names, in the order of the table; where there are none, all that are built on `system`.
///
/// # Errors
/// Names the first that is unknown or is built elsewhere, and those that can be had.
pub(super) fn chosen(names: &[String], system: &str) -> anyhow::Result<Vec<&'static Platform>> {
    let here = || PLATFORMS.iter().filter(|platform| platform.built_on == system);
    let list = here().map(|platform| platform.name).collect::<Vec<_>>().join(", ");
    let hint = match list.is_empty() {
        true => "wheels are built on Linux, and those for macOS there".to_owned(),
        false => format!("on this system there are {list}"),
    };
    for name in names {
        let Some(platform) = PLATFORMS.iter().find(|platform| platform.name == name) else {
            let meant = nearest(name, PLATFORMS.iter().map(|platform| platform.name));
            let meant = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            return Err(Problem::with_hint(format!("wheels have no platform `{name}`{meant}"), hint));
        };
        if platform.built_on != system {
            return Err(Problem::with_hint(format!("the wheel for `{name}` is built on {}", platform.built_on), hint));
        }
    }
    let chosen: Vec<_> =
        here().filter(|platform| names.is_empty() || names.iter().any(|name| name == platform.name)).collect();
    match chosen.is_empty() {
        true => Err(Problem::with_hint(format!("no wheel is built on {system}"), hint)),
        false => Ok(chosen),
    }
}

#[cfg(test)]
mod tests {
    use super::chosen;

    /// Names, the system, and the platforms or the error.
    type Case = (&'static [&'static str], &'static str, Result<&'static [&'static str], &'static str>);

    #[test]
    fn platforms_are_chosen_by_name_where_they_can_be_built() {
        let names = |names: &[&str], system: &str| -> Result<Vec<&str>, String> {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let found = chosen(&names, system).map_err(|error| error.to_string())?;
            Ok(found.iter().map(|platform| platform.name).collect())
        };
        #[rustfmt::skip]
        let cases: [Case; 7] = [
            (&[],                                 "linux",   Ok(&["linux-x86_64", "linux-aarch64", "windows-x86_64"])),
            (&[],                                 "macos",   Ok(&["macos-x86_64", "macos-aarch64"])),
            (&[],                                 "windows", Err("no wheel is built on windows")),
            (&["windows-x86_64", "linux-x86_64"], "linux",   Ok(&["linux-x86_64", "windows-x86_64"])),
            (&["linux-x86_64", "linux-arm64"],    "linux",   Err("wheels have no platform `linux-arm64`; did you mean `linux-aarch64`?")),
            (&["macos-x86_64"],                   "linux",   Err("the wheel for `macos-x86_64` is built on macos")),
            (&["none"],                           "linux",   Err("wheels have no platform `none`")),
        ];
        for (asked, system, expected) in cases {
            let expected = expected.map(<[_]>::to_vec).map_err(str::to_owned);
            assert_eq!(names(asked, system), expected, "{asked:?} on {system}");
        }
    }
}
