//! Which systemd knows which key of a unit. systemd only warns of one that it does not know: a service then
//! starts with less protection than its unit claims.
//!
//! Sources: the tables of keys (`load-fragment-gperf`) in Red Hat's trees of systemd 219 and 239, and what
//! `systemd --dump-configuration-items` prints of 247, 252 and 257. Red Hat carries keys back (`TasksMax` to
//! 219, `RestrictSUIDSGID` to 239), so these are not the figures of the upstream release notes; for other
//! sections than [Service] only those keys are here that this tool or a project writes.

/// Since which systemd, among those that were looked at, a section has which keys.
#[rustfmt::skip]
const UNIT_KEYS: &[(u16, &str, &[&str])] = &[
    (219, "Unit", &[
        "After", "AssertDirectoryNotEmpty", "AssertFileNotEmpty", "AssertPathExists", "AssertPathIsDirectory",
        "AssertPathIsMountPoint", "Before", "BindsTo", "ConditionDirectoryNotEmpty", "ConditionFileNotEmpty",
        "ConditionHost", "ConditionPathExists", "ConditionPathIsDirectory", "ConditionPathIsMountPoint",
        "ConditionVirtualization", "Conflicts", "DefaultDependencies", "Description", "Documentation", "JobTimeoutSec",
        "JoinsNamespaceOf", "OnFailure", "PartOf", "PropagatesReloadTo", "RefuseManualStart", "RefuseManualStop",
        "ReloadPropagatedFrom", "Requires", "RequiresMountsFor", "Requisite", "StopWhenUnneeded", "Wants",
    ]),
    (239, "Unit", &["CollectMode", "JobRunningTimeoutSec", "StartLimitAction", "StartLimitBurst", "StartLimitIntervalSec"]),
    (252, "Unit", &["OnSuccess", "PropagatesStopTo", "StopPropagatedFrom", "Upholds"]),
    (257, "Unit", &["WantsMountsFor"]),
    (219, "Socket", &["Backlog", "BindIPv6Only", "FreeBind", "ListenStream", "NoDelay"]),
    (219, "Timer", &["OnCalendar", "Unit"]),
    (239, "Timer", &["RandomizedDelaySec"]),
    (219, "Install", &["Alias", "Also", "RequiredBy", "WantedBy"]),
    (219, "Service", &[
        "AmbientCapabilities", "AppArmorProfile", "BlockIOAccounting", "BlockIODeviceWeight",
        "BlockIOReadBandwidth", "BlockIOWeight", "BlockIOWriteBandwidth", "BusName",
        "CPUAccounting", "CPUAffinity", "CPUQuota", "CPUSchedulingPolicy", "CPUSchedulingPriority",
        "CPUSchedulingResetOnFork", "CPUShares", "CapabilityBoundingSet", "Delegate", "DeviceAllow",
        "DevicePolicy", "Environment", "EnvironmentFile", "ExecReload", "ExecStart",
        "ExecStartPost", "ExecStartPre", "ExecStop", "ExecStopPost", "FailureAction",
        "FileDescriptorStoreMax", "Group", "GuessMainPID", "IOSchedulingClass",
        "IOSchedulingPriority", "IgnoreSIGPIPE", "InaccessibleDirectories", "KillMode",
        "KillSignal", "LimitAS", "LimitCORE", "LimitCPU", "LimitDATA", "LimitFSIZE", "LimitLOCKS",
        "LimitMEMLOCK", "LimitMSGQUEUE", "LimitNICE", "LimitNOFILE", "LimitNPROC", "LimitRSS",
        "LimitRTPRIO", "LimitRTTIME", "LimitSIGPENDING", "LimitSTACK", "MemoryAccounting",
        "MemoryLimit", "MountFlags", "Nice", "NoNewPrivileges", "NonBlocking", "NotifyAccess",
        "OOMScoreAdjust", "PAMName", "PIDFile", "PassEnvironment", "PermissionsStartOnly",
        "Personality", "PrivateDevices", "PrivateNetwork", "PrivateTmp", "ProtectHome",
        "ProtectSystem", "ReadOnlyDirectories", "ReadWriteDirectories", "RebootArgument",
        "RemainAfterExit", "Restart", "RestartForceExitStatus", "RestartPreventExitStatus",
        "RestartSec", "RestrictAddressFamilies", "RootDirectory", "RootDirectoryStartOnly",
        "RuntimeDirectory", "RuntimeDirectoryMode", "SELinuxContext", "SecureBits", "SendSIGHUP",
        "SendSIGKILL", "Slice", "SmackProcessLabel", "Sockets", "StandardError", "StandardInput",
        "StandardOutput", "StartLimitAction", "StartLimitBurst", "StartLimitInterval",
        "StartupBlockIOWeight", "StartupCPUShares", "SuccessExitStatus", "SupplementaryGroups",
        "SyslogFacility", "SyslogIdentifier", "SyslogLevel", "SyslogLevelPrefix",
        "SystemCallArchitectures", "SystemCallErrorNumber", "SystemCallFilter", "TTYPath",
        "TTYReset", "TTYVHangup", "TTYVTDisallocate", "TasksAccounting", "TasksMax", "TimeoutSec",
        "TimeoutStartSec", "TimeoutStopSec", "TimerSlackNSec", "Type", "UMask", "User",
        "UtmpIdentifier", "WatchdogSec", "WorkingDirectory",
    ]),
    (239, "Service", &[
        "BindPaths", "BindReadOnlyPaths", "CPUWeight", "CacheDirectory", "CacheDirectoryMode",
        "ConfigurationDirectory", "ConfigurationDirectoryMode", "DynamicUser", "IOAccounting",
        "IODeviceWeight", "IOReadBandwidthMax", "IOReadIOPSMax", "IOWeight", "IOWriteBandwidthMax",
        "IOWriteIOPSMax", "IPAccounting", "IPAddressAllow", "IPAddressDeny", "InaccessiblePaths",
        "KeyringMode", "LockPersonality", "LogExtraFields", "LogLevelMax", "LogRateLimitBurst",
        "LogRateLimitIntervalSec", "LogsDirectory", "LogsDirectoryMode", "MemoryDenyWriteExecute",
        "MemoryHigh", "MemoryLow", "MemoryMax", "MemorySwapMax", "MountAPIVFS", "PrivateMounts",
        "PrivateUsers", "ProtectControlGroups", "ProtectKernelModules", "ProtectKernelTunables",
        "ReadOnlyPaths", "ReadWritePaths", "RemoveIPC", "RestrictNamespaces", "RestrictRealtime",
        "RestrictSUIDSGID", "RootImage", "RuntimeDirectoryPreserve", "RuntimeMaxSec",
        "StandardInputData", "StandardInputText", "StartupCPUWeight", "StartupIOWeight",
        "StateDirectory", "StateDirectoryMode", "TemporaryFileSystem", "USBFunctionDescriptors",
        "USBFunctionStrings", "UnsetEnvironment", "UtmpMode",
    ]),
    (247, "Service", &[
        "AllowedCPUs", "AllowedMemoryNodes", "CPUQuotaPeriodSec", "CoredumpFilter",
        "DefaultMemoryLow", "DefaultMemoryMin", "DisableControllers", "ExecCondition",
        "FinalKillSignal", "IODeviceLatencyTargetSec", "IPEgressFilterPath", "IPIngressFilterPath",
        "LoadCredential", "LogNamespace", "ManagedOOMMemoryPressure",
        "ManagedOOMSwap", "MemoryMin", "MountImages",
        "NUMAMask", "NUMAPolicy", "NetworkNamespacePath", "OOMPolicy", "ProcSubset", "ProtectClock",
        "ProtectHostname", "ProtectKernelLogs", "ProtectProc", "RestartKillSignal", "RootHash",
        "RootHashSignature", "RootImageOptions", "RootVerity", "SetCredential", "SystemCallLog",
        "TimeoutAbortSec", "TimeoutCleanSec", "TimeoutStartFailureMode", "TimeoutStopFailureMode",
        "WatchdogSignal",
    ]),
    (252, "Service", &[
        "BPFProgram", "ExecPaths", "ExecSearchPath", "ExitType", "ExtensionDirectories",
        "ExtensionImages", "IPCNamespacePath", "LoadCredentialEncrypted",
        "ManagedOOMMemoryPressureLimit", "ManagedOOMPreference", "NoExecPaths", "PrivateIPC",
        "RestrictFileSystems", "RestrictNetworkInterfaces", "RuntimeRandomizedExtraSec",
        "SetCredentialEncrypted", "SocketBindAllow", "SocketBindDeny", "StartupAllowedCPUs",
        "StartupAllowedMemoryNodes", "TTYColumns", "TTYRows",
    ]),
    (257, "Service", &[
        "BindLogSockets", "CoredumpReceive", "DefaultStartupMemoryLow", "DelegateSubgroup",
        "ExtensionImagePolicy", "FileDescriptorStorePreserve", "ImportCredential",
        "LogFilterPatterns", "ManagedOOMMemoryPressureDurationSec", "MemoryKSM",
        "MemoryPressureThresholdSec", "MemoryPressureWatch", "MemoryZSwapMax",
        "MemoryZSwapWriteback", "MountImagePolicy", "NFTSet", "OpenFile", "PrivatePIDs",
        "ReloadSignal", "RestartMaxDelaySec", "RestartMode", "RestartSteps", "RootEphemeral",
        "RootImagePolicy", "SetLoginEnvironment", "StartupMemoryHigh", "StartupMemoryLow",
        "StartupMemoryMax", "StartupMemorySwapMax", "StartupMemoryZSwapMax",
    ]),
];

/// The first systemd that knows `key` in `section`, or `None` for a key that the table lacks.
pub fn unit_key_since(section: &str, key: &str) -> Option<u16> {
    UNIT_KEYS.iter().filter(|(_, of, keys)| *of == section && keys.contains(&key)).map(|(since, ..)| *since).min()
}

/// The newest systemd whose keys were looked at; what a newer one has besides is not known here.
pub fn newest_looked_at() -> u16 {
    UNIT_KEYS.iter().map(|(since, ..)| *since).max().unwrap_or_default()
}

/// The keys of a section, for messages.
pub fn unit_keys(section: &str) -> impl Iterator<Item = &'static str> {
    UNIT_KEYS.iter().filter(move |(_, of, _)| *of == section).flat_map(|(.., keys)| keys.iter().copied())
}

/// Whether a version of systemd knows a key.
pub fn knows(systemd: u16, section: &str, key: &str) -> bool {
    unit_key_since(section, key).is_some_and(|since| since <= systemd)
}

/// What an older systemd calls the same, systemd's NEWS for 231 to 233.
const OLD_NAMES: &[(&str, &str)] = &[
    ("CPUWeight", "CPUShares"),
    ("IOWeight", "BlockIOWeight"),
    ("InaccessiblePaths", "InaccessibleDirectories"),
    ("MemoryMax", "MemoryLimit"),
    ("ReadOnlyPaths", "ReadOnlyDirectories"),
    ("ReadWritePaths", "ReadWriteDirectories"),
    ("StartLimitIntervalSec", "StartLimitInterval"),
    ("StartupCPUWeight", "StartupCPUShares"),
];

/// What an older systemd calls the same key.
pub fn old_name_of(key: &str) -> Option<&'static str> {
    OLD_NAMES.iter().find(|(new, _)| *new == key).map(|(_, old)| *old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_keys_are_known_since() {
        #[rustfmt::skip]
        let cases = [
            ("Service", "TasksMax",           Some(219)),
            ("Service", "StateDirectory",     Some(239)),
            ("Service", "LoadCredential",     Some(247)),
            ("Service", "ProtectProc",        Some(247)),
            ("Service", "PrivateIPC",         Some(252)),
            ("Service", "ImportCredential",   Some(257)),
            ("Socket",  "ListenStream",       Some(219)),
            ("Install", "WantedBy",           Some(219)),
            ("Unit",    "ExecStart",          None),
            ("Service", "ProtectEverything",  None),
        ];
        for (section, key, since) in cases {
            assert_eq!(unit_key_since(section, key), since, "[{section}] {key}");
        }
    }

    #[test]
    fn no_key_stands_twice() {
        for section in ["Unit", "Service", "Socket", "Timer", "Install"] {
            let mut keys: Vec<&str> = unit_keys(section).collect();
            keys.sort_unstable();
            assert!(keys.is_sorted_by(|a, b| a < b), "[{section}]");
        }
    }
}
