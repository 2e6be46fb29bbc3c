//! What is shown to systemd: values, units, lines of sysusers files, good and bad.

#[rustfmt::skip]
pub const ROWS: &[(&[&str], &[&str])] = &[
    (&["PrivateDevices", "NoNewPrivileges", "ProtectClock", "RemoveIPC", "MemoryAccounting", "SendSIGKILL"],
        &["yes", "no", "on", "OFF", "1", "0", "TRUE", "y", "f", "maybe", "2", ""]),
    (&["PrivateTmp", "PrivateUsers", "ProtectControlGroups", "ProtectHostname"], &["yes", "disconnected", "strict", "self", "private"]),
    (&["ProtectSystem"], &["yes", "full", "strict", "very", "", "Strict"]),
    (&["ProtectHome"], &["yes", "tmpfs", "read-only", "x"]),
    (&["ProtectProc"], &["invisible", "default", "noaccess", "ptraceable", "x"]),
    (&["ProcSubset"], &["all", "pid", "x"]),
    (&["RuntimeDirectoryPreserve"], &["yes", "restart", "x"]),
    (&["RestrictNamespaces"], &["yes", "~user", "mnt net", "~cgroup ipc", "usr", "user x"]),
    (&["Restart"], &["no", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog", "Always", "sometimes"]),
    (&["KillMode"], &["control-group", "mixed", "process", "", "all"]),
    (&["NotifyAccess"], &["none", "main", "exec", "all", "x"]),
    (&["OOMPolicy"], &["continue", "stop", "kill", "x"]),
    (&["DevicePolicy"], &["auto", "closed", "strict", "x"]),
    (&["KeyringMode"], &["inherit", "private", "shared", "x"]),
    (&["UtmpMode"], &["init", "login", "user", "x"]),
    (&["TimeoutStartFailureMode"], &["terminate", "abort", "kill", "x"]),
    (&["StandardOutput", "StandardError"], &["journal", "inherit", "null", "kmsg", "file:/x", "append:/x", "truncate:/x", "fd:x", "paper"]),
    (&["RestartSec", "TimeoutStopSec", "WatchdogSec", "RuntimeMaxSec", "LogRateLimitIntervalSec"],
        &["5", "0", "5 min", "1min 20s", "1min20s", "1.5h", "500ms", "5us", "2w", "5M", "1y", "infinity", "", "-1", "1e3", "5 parsecs", "x", ".", "s"]),
    (&["UMask", "StateDirectoryMode"], &["0077", "77", "7777", "0", "0o77", "8", "99999", "", "abc", "-1"]),
    (&["Nice"], &["5", "+5", "-20", "19", "", "20", "-21", "x", "1.5"]),
    (&["OOMScoreAdjust"], &["1000", "-1000", "", "1001", "x"]),
    (&["FileDescriptorStoreMax", "StartLimitBurst"], &["0", "5", "x", "-1"]),
    (&["MemoryMax", "MemoryHigh"], &["1G", "1.5G", "1 G", "1G 500M", "100", "50%", "0.5%", "infinity", "", "1GB", "1g", "500%", "lots", "1KiB", "1M1"]),
    (&["TasksMax"], &["100", "10%", "infinity", "", "0", "1k", "x", "200%"]),
    (&["CPUQuota"], &["50%", "250%", "12.5%", "", "50", "0%", "x%"]),
    (&["CPUWeight", "IOWeight"], &["1", "100", "10000", "", "0", "10001", "x"]),
    (&["LimitNOFILE", "LimitNPROC"], &["1024", "1024:4096", "infinity", "1024:infinity", "x", "1K", "4096:1024", "", ":"]),
    (&["LimitCORE", "LimitMEMLOCK"], &["1G", "0", "64K:1M", "infinity", "1X"]),
    (&["LimitCPU"], &["10", "10s", "1min", "10x"]),
    (&["KillSignal", "WatchdogSignal"], &["SIGTERM", "TERM", "15", "SIGRTMIN+3", "SIGFOO", "99", "0"]),
    (&["ReadWritePaths", "InaccessiblePaths"], &["/x", "-/x +/y", "\"/x y\"", "", "x", "/x y"]),
    (&["EnvironmentFile"], &["/x", "-/x", "", "x", "-x"]),
    (&["StateDirectory", "CacheDirectory"], &["x", "a/b c", "", "/x", "../x"]),
    (&["Environment"], &["A=1", "\"A=b c\" C=d", "A=\\x41", "A=", "", "A", "1A=b", "\"A=b", "A=\\q"]),
    (&["ExecStartPre", "ExecStopPost"], &["/bin/true a", "-+/bin/true", "@/bin/true x y", "/bin/true ; /bin/false", "/bin/true \\; x",
        "/bin/true $$ %%", "/bin/true a\\x20b", "\"/bin/true\" 'x y'", "/bin/true a\"b c\"d", "/bin/true \\q", "-"]),
];

#[rustfmt::skip]
pub const UNIT_SECTIONS: &[(&[&str], &[&str])] = &[
    (&["After", "Requires", "BindsTo", "OnFailure", "PartOf", "Upholds"], &["postgresql.service", "a.service b.socket", "x@1.service",
        "a\\x2db.mount", "-.slice", "", "%n", "postgresql", "a.service b", "/etc/x", ".service", "@x.service", "x@.service", "a.foo", "a,b.service"]),
    (&["RequiresMountsFor"], &["/srv/data", "/a /b", "", "srv", "/a b"]),
    (&["JobTimeoutSec", "JobRunningTimeoutSec"], &["5min", "10", "infinity", "soon"]),
    (&["RefuseManualStart", "StopWhenUnneeded"], &["yes", "maybe"]),
];

#[rustfmt::skip]
pub const SOCKETS: &[(&[&str], &[&str])] = &[
    (&["ListenStream", "ListenDatagram"], &["80", "127.0.0.1:80", "[::1]:80", "[::]:80", "/run/x", "@x", "", "vsock:2:1", "+1",
        "0", "99999", "080", "0.0.0.0:99999", "::1:80", "x", "x:80", "[::1]", "[::1]:", "[x]:1", "1.2.3:80", "/", "@", "-1", "1 2"]),
];

#[rustfmt::skip]
pub const TIMERS: &[(&[&str], &[&str])] = &[
    (&["OnCalendar"], &["daily", "Weekly", "daily UTC", "", "Mon", "mon,tue,", "Mon, 9:00", "Mon..Fri *-*-* 9:00", "Mon-Fri 9:00",
        "Sat,Thu,Mon..Wed,Sat..Sun", "*-*-* 04:00", "*:0/15", "2027-01-01", "01-01", "*-02~03", "*~1", "Mon *-05~07/1",
        "12,14,13,12:20,10,30", "05:40:23.4200004/3.1700005", "1:0:0.1234567", "1:00:00/0.5", "2003-03-05 05:40 Europe/Berlin",
        "9:00 UTC", "@1234567890", "*:*:0/10", "27-1-1", "70-1-1", "1..3-1-1", "0/5-1-1", "9..17/2:00", "1..1:00", "0/23:00"]),
    (&["OnCalendar"], &["sometimes", "24:00", "*:60", "*:*:60", "*-13-01", "*-*-32", "*-1~0", "100-1-1", "2200-01-01", "Fri..Mon", "Mon..",
        "Mon..Fri,9:00", "Feb", "9", "1:2:3:4", "*/2:00", "9..8:00", "1/0:00", "0/24:00", "1,:00", "-1:00", "*-1-1 9", "*-*-* *-*-*",
        "@12 9:00", "Mon9:00", "a:b", "*-*-*-*", "é", "UTC", "mon fri", "daily daily", "1/0.5:00", "1:00:00/0", "1:00:00/0.0"]),
];

/// Whole units, of which systemd has something to say or not.
pub const UNITS: &[&str] = &[
    "[Service]\nExecStart=/bin/true\nUser=demo\n",
    "[Unit]\nDescription=100%% %n\n# c\n; c\n[Service]\nUser=demo\nExecStart=/bin/true\n",
    "[Service]\nUser=demo\nExecStart=/bin/true \\\n  a \\\n# c\n  b\n",
    "[Service]\nUser=demo\nExecStart=\nExecStart=/bin/true\n",
    "[Service]\nUser=demo\nType=oneshot\nExecStart=/bin/true\nExecStart=/bin/false\n",
    "[Service]\nUser=demo\nExecStart=/bin/true\n[X-Own]\nA=b\nnothing\n[Install]\nWantedBy=multi-user.target\n",
    "[Service]\nUser=demo\nX-Own=a\nExecStart=/bin/true\n",
    " [Service] \n User = demo \n ExecStart = /bin/true \n",
    "[Service]\nUser=demo\nExecStart=/bin/true\nExecStart=/bin/false\n",
    "[Service]\nUser=demo\nExecStart=/bin/true ; /bin/false\n",
    "[Service]\nUser=demo\nExecStart=./true\n",
    "[Service]\nUser=demo\nExecStart=/bin/\n",
    "[Service]\nUser=demo\nExecStart=+!/bin/true\n",
    "[Service]\nUser=demo\nExecStart=--/bin/true\n",
    "[Service]\nUser=demo\nExecStart=/bin/true 'a\n",
    "[Service]\nUser=demo\n",
    "[Service]\nUser=demo\nExecStart=/bin/true\nnothing\n",
    "[Service]\nUser=demo\nExecStart=/bin/true\n=1\n",
    "[Service]\nUser=demo\nExecStart=/bin/true\n[Foo]\nA=b\n",
    "[Service]\nUser=demo\nExecStart=/bin/true\n[Socket]\nListenStream=1\n",
    "[Service\nUser=demo\nExecStart=/bin/true\n",
    "A=b\n[Service]\nUser=demo\nExecStart=/bin/true\n",
    "[Service]\nUser=demo\nExecStart=/bin/true\nPrivateTmp=yes\\\n no\n",
    "[Service]\nUser=demo\nExecStart=/bin/true\nNoSuchKey=1\n",
];

#[rustfmt::skip]
pub const SYSUSERS: &[&str] = &[
    "u demo", "u demo - \"An app\" /var/lib/demo /sbin/nologin", "u demo 999", "u demo 0", "u demo /usr/bin/app", "u demo -",
    "u demo -:users", "u demo 999:users - -", "u demo - \"\"", "u demo - - - -", "u demo - 100%%", "u demo - a\\q", "u demo_x", "u _demo",
    "g demo", "g demo /x", "g demo 0", "m demo wheel", "r - 500-900", "r - 5", "  # c", "",
    "x demo", "; c", "u", "u - 5", "u \"\" -", "u! demo", "u 1demo", "u a.b", "u Äpp", "u demo$", "u 123456789012345678901234567890ab",
    "u demo x", "u demo 65535", "u demo x:y", "u demo - \"a:b\"", "u demo - - x", "u demo - - /a:b", "u demo - - /a nologin",
    "u demo - a / /bin/sh more", "u demo - \"open", "g demo 1:2", "g demo - text", "m demo", "r demo 1-2", "r - x", "r - 900-500",
];
