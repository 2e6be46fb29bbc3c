//! What confines the service, beside its user: systemd.exec(5), what an ordinary web application survives.

/// The keys, in the order of the unit.
///
/// xtask/docs/services.md has a row for each, which `tests/docs.rs` checks.
///
/// Left out on purpose, and there for `[service.unit]`: `MemoryDenyWriteExecute`, since libffi of older cffi
/// wheels, numba and other compilers at run time map memory that can be written and executed;
/// `IPAddressDeny` and `PrivateNetwork`, since it is asked over the network and may ask others;
/// `RootDirectory`, since the interpreter is the system's.
pub(super) const CONFINEMENT: &[(&str, &str)] = &[
    // None is needed, for ports below 1024 either: with a socket systemd has opened it.
    ("CapabilityBoundingSet", ""),
    // Root's and the service's own user and group stay what they are; all others are nobody.
    ("PrivateUsers", "yes"),
    ("NoNewPrivileges", "yes"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("PrivateTmp", "yes"),
    // With it /dev/null, random and the like stay; `DevicePolicy=closed` follows.
    ("PrivateDevices", "yes"),
    ("PrivateIPC", "yes"),
    ("PrivateMounts", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    // Processes of others. `invisible` would hide those of its own that keep their memory to themselves
    // (PR_SET_DUMPABLE) as well: the tasks of Airflow, which watches them by psutil. `ProcSubset=pid` would hide
    // /proc/meminfo, /proc/stat and the like, which psutil and prometheus_client read, so it is left out.
    ("ProtectProc", "noaccess"),
    ("LockPersonality", "yes"),
    ("RemoveIPC", "yes"),
    // With AF_NETLINK a process can list the addresses of the host (getifaddrs); to change them takes a capability.
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_NETLINK AF_UNIX"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    // Refused and not fatal: what tries one and goes on, goes on. `@resources` is not refused: without a capability it
    // makes a process slower and nothing else, and some libraries abort where they may not set their own scheduling
    // (libzmq, the kernels of Jupyter).
    ("SystemCallFilter", "~@privileged"),
    // Without a capability a process gives files to itself alone, and becomes only the user that it is. gunicorn does
    // the one to its unix socket, again and again where it is refused, and the other up to version 19.
    ("SystemCallFilter", "@chown setuid"),
    ("SystemCallErrorNumber", "EPERM"),
    ("UMask", "0077"),
];

/// The names of the keys, for who describes them.
pub fn confinement_keys() -> impl Iterator<Item = &'static str> {
    CONFINEMENT.iter().map(|(key, _)| *key)
}

/// The value of a key as a systemd knows it; none where it knows no value that would do.
///
/// systemd's NEWS: `ProtectSystem=strict` came with 232, and groups of system calls (`@system-service`) with
/// 231. An older one takes a group for a call that it does not know, and would allow next to none.
pub(super) fn value_for(systemd: u16, key: &str, value: &'static str) -> Option<&'static str> {
    match key {
        "ProtectSystem" if systemd < 232 => Some("full"),
        "SystemCallFilter" | "SystemCallErrorNumber" if systemd < 231 => None,
        _ => Some(value),
    }
}
