//! Which values the keys of a unit take. systemd says a line about one that it cannot read, goes on without it, and
//! the protection or the limit is not there.
//!
//! Sources: systemd.exec(5), systemd.service(5), systemd.resource-control(5), systemd.kill(5), systemd.socket(5),
//! systemd.time(7), and what a real systemd says of each row of `tests/units.rs`. A key that does not stand here is not
//! judged.

use crate::calendar::is_calendar;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a key takes.
enum Kind {
    Yes,
    /// a boolean or one of these words, each with the systemd that it came with
    YesOr(&'static [(u16, &'static str)]),
    OneOf(&'static [(u16, &'static str)]),
    /// words of which some are known, such as `~user mnt`, or a boolean
    YesOrListOf(&'static [&'static str]),
    Span,
    Mode,
    /// a whole number within these
    Whole(i64, i64),
    Bytes,
    Tasks,
    Percent,
    /// 1 to 10000
    Weight,
    /// of processes: `soft:hard`
    Limit(Unit),
    Signal,
    /// a folder or file, absolute; in a list or alone
    Paths,
    /// folders below the one of their kind, relative
    Below,
    Assignments,
    /// where a socket listens
    Address,
    /// a calendar event
    Calendar,
    /// names of units, each with what it is: `postgresql.service`
    Units,
}

/// What a limit counts.
enum Unit {
    Number,
    Bytes,
    Seconds,
}

const OUTPUT: &[&str] = &["file:", "append:", "truncate:", "fd:"];
#[rustfmt::skip]
const OUTPUTS: &[(u16, &str)] = &[
    (0, "inherit"), (0, "null"), (0, "tty"), (0, "journal"), (0, "kmsg"), (0, "journal+console"), (0, "kmsg+console"),
    (0, "socket"), (0, "syslog"), (0, "syslog+console"), (232, "fd"),
];

#[rustfmt::skip]
const KINDS: &[(&[&str], Kind)] = &[
    (&[
        "Accept", "BlockIOAccounting", "Broadcast", "CPUAccounting", "CPUSchedulingResetOnFork", "DefaultDependencies",
        "DynamicUser", "FixedRandomDelay", "FreeBind", "GuessMainPID", "IOAccounting", "IPAccounting", "IgnoreOnIsolate",
        "IgnoreSIGPIPE", "KeepAlive", "LockPersonality", "MemoryAccounting", "MemoryDenyWriteExecute", "MountAPIVFS",
        "NoDelay", "NoNewPrivileges", "NonBlocking", "PassCredentials", "PermissionsStartOnly", "Persistent",
        "PrivateDevices", "PrivateIPC", "PrivateMounts", "PrivateNetwork", "ProtectClock", "ProtectKernelLogs",
        "ProtectKernelModules", "ProtectKernelTunables", "RefuseManualStart", "RefuseManualStop", "RemainAfterExit",
        "RemoveIPC", "RemoveOnStop", "RestrictRealtime", "RestrictSUIDSGID", "RootDirectoryStartOnly", "SendSIGHUP",
        "SendSIGKILL", "StopWhenUnneeded", "SyslogLevelPrefix", "TTYReset", "TTYVHangup", "TTYVTDisallocate",
        "TasksAccounting", "Transparent", "WakeSystem",
    ], Kind::Yes),
    (&["PrivateTmp"],           Kind::YesOr(&[(257, "disconnected")])),
    (&["PrivateUsers"],         Kind::YesOr(&[(257, "self"), (257, "identity"), (258, "full")])),
    (&["ProtectControlGroups"], Kind::YesOr(&[(257, "private"), (257, "strict")])),
    (&["ProtectHome"],          Kind::YesOr(&[(0, "read-only"), (239, "tmpfs")])),
    (&["ProtectHostname"],      Kind::YesOr(&[(258, "private")])),
    (&["ProtectSystem"],        Kind::YesOr(&[(0, "full"), (232, "strict")])),
    (&["RuntimeDirectoryPreserve"], Kind::YesOr(&[(0, "restart")])),
    (&["RestrictNamespaces"],   Kind::YesOrListOf(&["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"])),
    (&["BindIPv6Only"],         Kind::OneOf(&[(0, "default"), (0, "both"), (0, "ipv6-only")])),
    (&["DevicePolicy"],         Kind::OneOf(&[(0, "auto"), (0, "closed"), (0, "strict")])),
    (&["KeyringMode"],          Kind::OneOf(&[(0, "inherit"), (0, "private"), (0, "shared")])),
    (&["KillMode"],             Kind::OneOf(&[(0, "control-group"), (0, "process"), (0, "mixed"), (0, "none")])),
    (&["NotifyAccess"],         Kind::OneOf(&[(0, "none"), (0, "main"), (236, "exec"), (0, "all")])),
    (&["OOMPolicy"],            Kind::OneOf(&[(0, "continue"), (0, "stop"), (0, "kill")])),
    (&["ProcSubset"],           Kind::OneOf(&[(0, "all"), (0, "pid")])),
    (&["ProtectProc"],          Kind::OneOf(&[(0, "noaccess"), (0, "invisible"), (0, "ptraceable"), (0, "default")])),
    (&["Restart"],              Kind::OneOf(&[(0, "no"), (0, "always"), (0, "on-success"), (0, "on-failure"), (0, "on-abnormal"), (0, "on-abort"), (0, "on-watchdog")])),
    (&["StandardError", "StandardOutput"], Kind::OneOf(OUTPUTS)),
    (&["TimeoutStartFailureMode", "TimeoutStopFailureMode"], Kind::OneOf(&[(0, "terminate"), (0, "abort"), (0, "kill")])),
    (&["Type"],                 Kind::OneOf(&[(0, "simple"), (240, "exec"), (0, "forking"), (0, "oneshot"), (0, "dbus"), (0, "notify"), (253, "notify-reload"), (0, "idle")])),
    (&["UtmpMode"],             Kind::OneOf(&[(0, "init"), (0, "login"), (0, "user")])),
    (&[
        "AccuracySec", "CPUQuotaPeriodSec", "JobRunningTimeoutSec", "JobTimeoutSec", "LogRateLimitIntervalSec", "OnActiveSec", "OnBootSec", "OnStartupSec",
        "OnUnitActiveSec", "OnUnitInactiveSec", "RandomizedDelaySec", "RestartMaxDelaySec", "RestartSec",
        "RuntimeMaxSec", "RuntimeRandomizedExtraSec", "StartLimitInterval", "StartLimitIntervalSec", "TimeoutAbortSec",
        "TimeoutCleanSec", "TimeoutSec", "TimeoutStartSec", "TimeoutStopSec", "WatchdogSec",
    ], Kind::Span),
    (&[
        "CacheDirectoryMode", "ConfigurationDirectoryMode", "DirectoryMode", "LogsDirectoryMode", "RuntimeDirectoryMode",
        "SocketMode", "StateDirectoryMode", "UMask",
    ], Kind::Mode),
    (&["Nice"],                 Kind::Whole(-20, 19)),
    (&["OOMScoreAdjust"],       Kind::Whole(-1000, 1000)),
    (&["Backlog", "FileDescriptorStoreMax", "LogRateLimitBurst", "StartLimitBurst"], Kind::Whole(0, u32::MAX as i64)),
    (&["MemoryHigh", "MemoryLimit", "MemoryLow", "MemoryMax", "MemoryMin", "MemorySwapMax"], Kind::Bytes),
    (&["TasksMax"],             Kind::Tasks),
    (&["CPUQuota"],             Kind::Percent),
    (&["CPUWeight", "IOWeight", "StartupCPUWeight", "StartupIOWeight"], Kind::Weight),
    (&["LimitLOCKS", "LimitNOFILE", "LimitNPROC", "LimitRTPRIO", "LimitSIGPENDING"], Kind::Limit(Unit::Number)),
    (&["LimitAS", "LimitCORE", "LimitDATA", "LimitFSIZE", "LimitMEMLOCK", "LimitMSGQUEUE", "LimitRSS", "LimitSTACK"], Kind::Limit(Unit::Bytes)),
    (&["LimitCPU"],             Kind::Limit(Unit::Seconds)),
    (&["FinalKillSignal", "KillSignal", "ReloadSignal", "RestartKillSignal", "WatchdogSignal"], Kind::Signal),
    (&[
        "EnvironmentFile", "ExecPaths", "InaccessibleDirectories", "InaccessiblePaths", "NoExecPaths", "ReadOnlyDirectories",
        "ReadOnlyPaths", "ReadWriteDirectories", "ReadWritePaths", "RequiresMountsFor", "RootDirectory", "TemporaryFileSystem",
        "WantsMountsFor", "WorkingDirectory",
    ], Kind::Paths),
    (&["CacheDirectory", "ConfigurationDirectory", "LogsDirectory", "RuntimeDirectory", "StateDirectory"], Kind::Below),
    (&["Environment"],          Kind::Assignments),
    (&["ListenDatagram", "ListenStream"], Kind::Address),
    (&["OnCalendar"],           Kind::Calendar),
    (&[
        "After", "Before", "BindsTo", "Conflicts", "JoinsNamespaceOf", "OnFailure", "OnSuccess", "PartOf",
        "PropagatesReloadTo", "PropagatesStopTo", "ReloadPropagatedFrom", "Requires", "Requisite", "StopPropagatedFrom",
        "Upholds", "Wants",
    ], Kind::Units),
];

/// What a key would take, where this value is none that the systemd takes: `yes or no`.
///
/// Gives nothing for a value that is fine, and for a key that is not judged.
pub fn unit_value_expects(systemd: u16, key: &str, value: &str) -> Option<String> {
    let (_, kind) = KINDS.iter().find(|(keys, _)| keys.contains(&key))?;
    let words = |known: &[(u16, &str)]| {
        let known: Vec<&str> = known.iter().filter(|(since, _)| *since <= systemd).map(|(_, word)| *word).collect();
        known.join(", ")
    };
    let is_known = |known: &[(u16, &str)]| known.iter().any(|(since, word)| *since <= systemd && *word == value);
    let (fits, expected) = match kind {
        Kind::Yes => (is_yes(value), "yes or no".to_owned()),
        Kind::YesOr(known) => {
            let words = Some(words(known)).filter(|words| !words.is_empty());
            let expected = words.map_or("yes or no".to_owned(), |words| format!("yes, no, {words}"));
            (is_yes(value) || is_known(known), expected)
        }
        Kind::OneOf(known) => {
            let names_file = key.starts_with("Standard") && OUTPUT.iter().any(|start| value.starts_with(start));
            (value.is_empty() || names_file || is_known(known), format!("one of {}", words(known)))
        }
        Kind::YesOrListOf(known) => {
            let mut list = value.trim_start_matches('~').split_whitespace();
            (
                is_yes(value) || list.all(|word| known.contains(&word)),
                format!("yes, no, or some of {}", known.join(", ")),
            )
        }
        Kind::Span => (is_span(value), "a time span, such as 90, 5min 20s or infinity".to_owned()),
        Kind::Mode => (is_mode(value), "an octal mode, such as 0750".to_owned()),
        Kind::Whole(least, most) => (is_whole(value, *least, *most), format!("a whole number, {least} to {most}")),
        Kind::Bytes => {
            (is_memory(value), "bytes with K, M, G or T, a percentage of the memory, or infinity".to_owned())
        }
        Kind::Tasks => (is_tasks(value), "a number, a percentage, or infinity".to_owned()),
        Kind::Percent => (is_quota(value), "a percentage, such as 150%".to_owned()),
        Kind::Weight => (value == "idle" || is_whole(value, 1, 10_000), "a weight, 1 to 10000".to_owned()),
        Kind::Limit(unit) => (is_limit(value, unit), limit_shown(unit)),
        Kind::Signal => (is_signal(value), "a signal, such as SIGTERM".to_owned()),
        Kind::Paths => (are_paths(key, value), "absolute paths".to_owned()),
        Kind::Below => (are_below(value), "names of folders, relative".to_owned()),
        Kind::Assignments => (are_assignments(value), "words such as NAME=VALUE".to_owned()),
        Kind::Address => (is_address(value), "a port, `ADDRESS:PORT`, `[ADDRESS]:PORT`, or a path".to_owned()),
        Kind::Calendar => {
            (value.is_empty() || is_calendar(value), "a calendar event, such as `Mon..Fri 04:00` or `daily`".to_owned())
        }
        Kind::Units => (are_units(value), "names of units with their kind, such as postgresql.service".to_owned()),
    };
    (!fits).then_some(expected)
}

/// systemd.unit(5), "Description". What has a specifier is not judged.
fn are_units(value: &str) -> bool {
    const KINDS: [&str; 11] =
        ["automount", "device", "mount", "path", "scope", "service", "slice", "socket", "swap", "target", "timer"];
    let is_unit = |word: &str| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        let Some((name, kind)) = word.rsplit_once('.') else { return false };
        KINDS.contains(&kind) && !name.is_empty() && !name.starts_with('@') && name.chars().all(is_name)
    };
    let is_quoted = value.contains(['"', '\'']);
    is_quoted || value.split_whitespace().all(|word| word.contains('%') || is_unit(word))
}

fn is_yes(value: &str) -> bool {
    const WORDS: [&str; 12] = ["1", "yes", "y", "true", "t", "on", "0", "no", "n", "false", "f", "off"];
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// systemd.time(7), "Parsing Time Spans".
fn is_span(value: &str) -> bool {
    #[rustfmt::skip]
    const UNITS: [&str; 31] = [
        "", "us", "usec", "µs", "μs", "ms", "msec", "s", "sec", "second", "seconds", "m", "min", "minute", "minutes",
        "h", "hr", "hour", "hours", "d", "day", "days", "w", "week", "weeks", "M", "month", "months", "y", "year",
        "years",
    ];
    value == "infinity" || is_sum_of(value, &UNITS)
}

/// Numbers with one of these units each, `1.5G 500M`; at least one.
fn is_sum_of(value: &str, units: &[&str]) -> bool {
    let mut rest = value.trim();
    let mut some = false;
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let whole = rest.len() - behind.len();
        let (behind, part) = match behind.strip_prefix('.') {
            Some(part) => (part.trim_start_matches(|c: char| c.is_ascii_digit()), part.len()),
            None => (behind, 0),
        };
        if whole == 0 || whole > 19 || (part > 0 && part == behind.len()) {
            return false;
        }
        let behind = behind.trim_start();
        let unit = behind.split(|c: char| c.is_ascii_digit() || c.is_whitespace()).next().unwrap_or_default();
        if !units.contains(&unit) {
            return false;
        }
        rest = behind[unit.len()..].trim_start();
        some = true;
    }
    some
}

fn is_size(value: &str) -> bool {
    is_sum_of(value, &["", "B", "K", "M", "G", "T", "P", "E"])
}

fn is_mode(value: &str) -> bool {
    !value.is_empty() && u32::from_str_radix(value, 8).is_ok_and(|mode| mode <= 0o7777) && !value.starts_with('+')
}

fn is_whole(value: &str, least: i64, most: i64) -> bool {
    value.is_empty() || value.parse::<i64>().is_ok_and(|number| (least..=most).contains(&number))
}

/// A percentage with two digits behind the point at most.
fn percent(value: &str) -> Option<f64> {
    let number = value.strip_suffix('%')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    (are_digits(whole) && are_digits(part) && part.len() <= 2 && whole.len() < 10).then(|| number.parse().ok())?
}

fn is_memory(value: &str) -> bool {
    let is_zero = value.trim_start_matches('0').is_empty() && !value.is_empty();
    let fits = |percent: f64| percent > 0.0 && percent <= 100.0;
    value.is_empty() || value == "infinity" || percent(value).map_or(is_size(value) && !is_zero, fits)
}

fn is_tasks(value: &str) -> bool {
    let fits = |percent: f64| percent > 0.0 && percent <= 100.0;
    value == "infinity" || percent(value).map_or(is_whole(value, 1, i64::MAX), fits)
}

fn is_quota(value: &str) -> bool {
    value.is_empty() || percent(value).is_some_and(|percent| percent > 0.0)
}

fn is_limit(value: &str, unit: &Unit) -> bool {
    let (soft, hard) = value.split_once(':').unwrap_or((value, value));
    let is_one = |text: &str| {
        let fits = match unit {
            Unit::Number => !text.is_empty() && is_whole(text, 0, i64::MAX),
            Unit::Bytes => is_size(text),
            Unit::Seconds => is_span(text),
        };
        text == "infinity" || fits
    };
    let is_ordered = match (soft.parse::<u64>(), hard.parse::<u64>()) {
        (Ok(soft), Ok(hard)) => soft <= hard,
        _ => true,
    };
    is_one(soft) && is_one(hard) && is_ordered
}

fn limit_shown(unit: &Unit) -> String {
    let what = match unit {
        Unit::Number => "a number",
        Unit::Bytes => "bytes with K, M, G or T",
        Unit::Seconds => "a time span",
    };
    format!("{what} or infinity, or two as `soft:hard`")
}

fn is_signal(value: &str) -> bool {
    #[rustfmt::skip]
    const SIGNALS: [&str; 33] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ];
    let name = value.strip_prefix("SIG").unwrap_or(value);
    let real_time = name.strip_prefix("RTMIN").or_else(|| name.strip_prefix("RTMAX"));
    SIGNALS.contains(&name) || real_time.is_some() || value.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number))
}

fn are_paths(key: &str, value: &str) -> bool {
    if matches!(key, "WorkingDirectory" | "RootDirectory" | "EnvironmentFile") {
        let path = value.strip_prefix('-').unwrap_or(value);
        return path.is_empty() || path == "~" || path.starts_with(['/', '%']);
    }
    // What is quoted is cut in other ways.
    let is_quoted = value.contains(['"', '\'', '\\']);
    let mut words = value.split_whitespace();
    is_quoted || words.all(|word| word.trim_start_matches(['-', '+']).starts_with(['/', '%']))
}

fn are_below(value: &str) -> bool {
    let mut words = value.split_whitespace();
    words.all(|word| !word.starts_with('/') && word.split(['/', ':']).all(|part| part != ".."))
}

/// The quotes are the affair of who cuts the line into words; what is one whole is judged here.
fn are_assignments(value: &str) -> bool {
    let first = value.trim_start_matches(['"', '\'']);
    let name = first.split('=').next().unwrap_or_default();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    first.is_empty() || (is_name && first.len() > name.len()) || first.starts_with('%')
}

/// systemd.socket(5), `ListenStream=`. What has a specifier is not judged, nor what is no address of IP or a file.
fn is_address(value: &str) -> bool {
    /// `sun_path` (unix(7)) without its end.
    const LONGEST: usize = 107;
    let is_port = |text: &str| text.parse::<u16>().is_ok() && !text.starts_with('0');
    if value.is_empty() || value.contains('%') || value.starts_with("vsock:") || is_port(value) {
        return true;
    }
    if value.starts_with(['/', '@']) {
        return value.len() <= LONGEST && value.len() > 1;
    }
    match value.rsplit_once(':') {
        Some((address, port)) => match address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => is_port(port) && address.parse::<Ipv6Addr>().is_ok(),
            None => is_port(port) && address.parse::<Ipv4Addr>().is_ok(),
        },
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_judged_by_their_key() {
        #[rustfmt::skip]
        let cases = [ // key           fits                                                   does not
            ("PrivateDevices",       &["yes", "TRUE", "off", "1"][..],                      &["maybe", "2", ""][..]),
            ("ProtectSystem",        &["strict", "full", "no"],                             &["very", "stricter"]),
            ("ProtectHome",          &["tmpfs", "read-only", "yes"],                        &["x"]),
            ("RestrictNamespaces",   &["yes", "~user", "mnt net"],                          &["usr", "yes no"]),
            ("Restart",              &["on-failure", "no"],                                 &["sometimes", "Always"]),
            ("StandardOutput",       &["journal", "file:/x", "append:/x"],                  &["paper"]),
            ("RestartSec",           &["5", "5 min", "1min 20s", "1.5h", "infinity", "0"],  &["", "-1", "1e3", "5 parsecs", "."]),
            ("UMask",                &["0077", "77", "7777"],                               &["0o77", "8", "99999", "", "+7", "-1"]),
            ("Nice",                 &["5", "+5", "-20", ""],                               &["20", "x", "1.5"]),
            ("MemoryMax",            &["1G", "1.5G", "1G 500M", "50%", "infinity", ""],     &["1GB", "1g", "500%", "lots", "0", "0%"]),
            ("TasksMax",             &["100", "10%", "infinity", ""],                       &["0", "1k", "x"]),
            ("CPUQuota",             &["50%", "250%", "12.5%", ""],                         &["50", "0%", "%", "1.123%"]),
            ("CPUWeight",            &["1", "10000", "idle", ""],                           &["0", "10001", "x"]),
            ("LimitNOFILE",          &["1024", "1024:4096", "infinity"],                    &["x", "1K", "4096:1024", "", ":"]),
            ("LimitCORE",            &["1G", "0"],                                          &["1X"]),
            ("LimitCPU",             &["10s"],                                              &["10x"]),
            ("KillSignal",           &["SIGTERM", "TERM", "15", "SIGRTMIN+3"],              &["SIGFOO", "99", "0", ""]),
            ("ReadWritePaths",       &["/x", "-/x +/y", "\"/x y\"", ""],                   &["x", "/x y"]),
            ("WorkingDirectory",     &["/x y", "~", "-/x"],                                 &["x"]),
            ("StateDirectory",       &["x", "a/b c"],                                       &["/x", "../x"]),
            ("Environment",          &["A=1", "\"A=b c\"", ""],                             &["A", "1A=b", "=b"]),
            ("ListenStream",         &["80", "127.0.0.1:80", "[::1]:80", "/run/x", "@x", ""], &["0", "99999", "0.0.0.0:99999", "::1:80", "x", "x:80", "080"]),
            ("OnCalendar",           &["daily", "*:0/15", ""],                              &["sometimes", "25:00"]),
            ("NotJudged",            &["anything"],                                         &[]),
        ];
        for (key, fine, faulty) in cases {
            for value in fine {
                assert_eq!(unit_value_expects(252, key, value), None, "{key}={value}");
            }
            for value in faulty {
                assert!(unit_value_expects(252, key, value).is_some(), "{key}={value}");
            }
        }
    }

    #[test]
    fn words_have_their_systemd() {
        for (key, word, since) in
            [("ProtectSystem", "strict", 232), ("Type", "exec", 240), ("PrivateTmp", "disconnected", 257)]
        {
            assert_eq!(unit_value_expects(since, key, word), None);
            let expected = unit_value_expects(since - 1, key, word).unwrap();
            assert!(!expected.contains(word), "{expected}");
        }
    }

    #[test]
    fn no_key_stands_twice() {
        let mut keys: Vec<&str> = KINDS.iter().flat_map(|(keys, _)| keys.iter().copied()).collect();
        keys.sort_unstable();
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    }
}
