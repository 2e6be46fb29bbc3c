//! What the packages of RHEL itself have: folders, units, users, names. An application's package that has one of them
//! would collide with them on the box, or take their place.
//!
//! Sources: the file lists of RHEL's `filesystem` and `setup`, and of the packages that are named.

/// Folders of `filesystem`, with the modes that it gives them; another package that owns one can change them.
#[rustfmt::skip]
const FOLDERS: &[&str] = &[
    "/", "/afs", "/bin", "/boot", "/dev", "/etc", "/etc/X11", "/etc/opt", "/etc/profile.d", "/etc/skel", "/etc/sysconfig",
    "/etc/xdg", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys",
    "/tmp", "/usr", "/usr/bin", "/usr/include", "/usr/lib", "/usr/lib/debug", "/usr/lib/games", "/usr/lib/sysimage",
    "/usr/lib/systemd", "/usr/lib/systemd/system", "/usr/lib/sysusers.d", "/usr/lib64", "/usr/libexec", "/usr/local",
    "/usr/local/bin", "/usr/local/etc", "/usr/local/lib", "/usr/local/lib64", "/usr/local/libexec", "/usr/local/sbin",
    "/usr/local/share", "/usr/local/src", "/usr/sbin", "/usr/share", "/usr/share/applications", "/usr/share/doc",
    "/usr/share/info", "/usr/share/licenses", "/usr/share/locale", "/usr/share/man", "/usr/share/misc", "/usr/src",
    "/var", "/var/adm", "/var/cache", "/var/db", "/var/empty", "/var/games", "/var/lib", "/var/lib/misc", "/var/local",
    "/var/log", "/var/nis", "/var/opt", "/var/preserve", "/var/spool", "/var/spool/mail", "/var/tmp", "/var/yp",
];

/// Names that RHEL gives to a service, with the package that has it; the unit is `NAME.service`.
#[rustfmt::skip]
const SERVICES: &[(&str, &str)] = &[
    ("NetworkManager", "NetworkManager"), ("abrtd", "abrt"), ("accounts-daemon", "accountsservice"), ("atd", "at"),
    ("auditd", "audit"), ("autofs", "autofs"), ("avahi-daemon", "avahi"), ("bluetooth", "bluez"), ("chronyd", "chrony"),
    ("cockpit", "cockpit-ws"), ("crond", "cronie"), ("cups", "cups"), ("dbus", "dbus"), ("dbus-broker", "dbus-broker"),
    ("dnsmasq", "dnsmasq"), ("dovecot", "dovecot"), ("emergency", "systemd"), ("fapolicyd", "fapolicyd"),
    ("firewalld", "firewalld"), ("fwupd", "fwupd"), ("gdm", "gdm"), ("grafana-server", "grafana"),
    ("haproxy", "haproxy"), ("httpd", "httpd"), ("irqbalance", "irqbalance"), ("iscsid", "iscsi-initiator-utils"),
    ("kdump", "kexec-tools"), ("keepalived", "keepalived"), ("libvirtd", "libvirt"), ("logrotate", "logrotate"),
    ("man-db", "man-db"), ("mariadb", "mariadb-server"), ("mdmonitor", "mdadm"), ("memcached", "memcached"),
    ("multipathd", "device-mapper-multipath"), ("mysqld", "mysql-server"), ("named", "bind"),
    ("nfs-server", "nfs-utils"), ("nftables", "nftables"), ("nginx", "nginx"), ("pcscd", "pcsc-lite"),
    ("php-fpm", "php-fpm"), ("podman", "podman"), ("polkit", "polkit"), ("postfix", "postfix"),
    ("postgresql", "postgresql-server"), ("redis", "redis"), ("rescue", "systemd"), ("rhsm", "subscription-manager"),
    ("rhsmcertd", "subscription-manager"), ("rngd", "rng-tools"), ("rpcbind", "rpcbind"), ("rsyncd", "rsync"),
    ("rsyslog", "rsyslog"), ("rtkit-daemon", "rtkit"), ("saslauthd", "cyrus-sasl"), ("sendmail", "sendmail"),
    ("slapd", "openldap-servers"), ("smartd", "smartmontools"), ("smb", "samba"), ("snmpd", "net-snmp"),
    ("squid", "squid"), ("sshd", "openssh-server"), ("sssd", "sssd"), ("stunnel", "stunnel"), ("sysstat", "sysstat"),
    ("tangd", "tang"), ("tuned", "tuned"), ("udisks2", "udisks2"), ("unbound", "unbound"), ("upower", "upower"),
    ("usbguard", "usbguard"), ("valkey", "valkey"), ("vsftpd", "vsftpd"), ("winbind", "samba-winbind"),
    ("wpa_supplicant", "wpa_supplicant"), ("zabbix-agent", "zabbix"),
];

/// Users and groups that RHEL makes, with the package that makes them.
#[rustfmt::skip]
const USERS: &[(&str, &str)] = &[
    ("abrt", "abrt"), ("adm", "setup"), ("apache", "httpd"), ("audio", "setup"), ("avahi", "avahi"), ("bin", "setup"),
    ("cdrom", "setup"), ("chrony", "chrony"), ("clevis", "clevis"), ("cockpit-ws", "cockpit-ws"), ("colord", "colord"),
    ("daemon", "setup"), ("dbus", "dbus"), ("dhcpd", "dhcp-server"), ("dialout", "setup"), ("disk", "setup"),
    ("dnsmasq", "dnsmasq"), ("docker", "docker"), ("dovecot", "dovecot"), ("fapolicyd", "fapolicyd"),
    ("flatpak", "flatpak"), ("floppy", "setup"), ("ftp", "setup"), ("games", "setup"), ("gdm", "gdm"),
    ("geoclue", "geoclue2"), ("grafana", "grafana"), ("halt", "setup"), ("haproxy", "haproxy"), ("input", "setup"),
    ("kmem", "setup"), ("kvm", "setup"), ("ldap", "openldap-servers"), ("libvirt", "libvirt"), ("lock", "setup"),
    ("lp", "setup"), ("mail", "setup"), ("mailnull", "sendmail"), ("man", "setup"), ("mem", "setup"),
    ("memcached", "memcached"), ("mysql", "mysql-server"), ("named", "bind"), ("nginx", "nginx"), ("nobody", "setup"),
    ("ntp", "ntp"), ("operator", "setup"), ("pcp", "pcp"), ("polkitd", "polkit"), ("postfix", "postfix"),
    ("postgres", "postgresql-server"), ("printadmin", "cups"), ("qemu", "libvirt"), ("redis", "redis"),
    ("render", "setup"), ("root", "setup"), ("rpc", "rpcbind"), ("rpcuser", "nfs-utils"), ("rtkit", "rtkit"),
    ("saslauth", "cyrus-sasl"), ("shutdown", "setup"), ("squid", "squid"), ("ssh_keys", "openssh"),
    ("sshd", "openssh-server"), ("sssd", "sssd"), ("stunnel", "stunnel"), ("sync", "setup"), ("sys", "setup"),
    ("tang", "tang"), ("tape", "setup"), ("tcpdump", "tcpdump"), ("tomcat", "tomcat"), ("tss", "tpm2-tss"),
    ("tty", "setup"), ("unbound", "unbound"), ("usbmuxd", "usbmuxd"), ("users", "setup"), ("utmp", "setup"),
    ("valkey", "valkey"), ("video", "setup"), ("wheel", "setup"),
];

/// Folders below /etc that RHEL's packages have.
#[rustfmt::skip]
const CONFIGS: &[(&str, &str)] = &[
    ("NetworkManager", "NetworkManager"), ("X11", "filesystem"), ("alternatives", "chkconfig"), ("audit", "audit"),
    ("authselect", "authselect"), ("binfmt.d", "systemd"), ("cockpit", "cockpit-ws"),
    ("containers", "containers-common"), ("cron.d", "cronie"), ("crypto-policies", "crypto-policies"), ("cups", "cups"),
    ("dbus-1", "dbus"), ("default", "shadow-utils"), ("depmod.d", "kmod"), ("dnf", "dnf"), ("dnsmasq.d", "dnsmasq"),
    ("dracut.conf.d", "dracut"), ("fapolicyd", "fapolicyd"), ("firewalld", "firewalld"), ("fonts", "fontconfig"),
    ("gcrypt", "libgcrypt"), ("gnupg", "gnupg2"), ("grafana", "grafana"), ("grub.d", "grub2-tools"),
    ("haproxy", "haproxy"), ("httpd", "httpd"), ("init.d", "chkconfig"), ("insights-client", "insights-client"),
    ("iscsi", "iscsi-initiator-utils"), ("java", "javapackages-filesystem"), ("keepalived", "keepalived"),
    ("kernel", "systemd"), ("krb5.conf.d", "krb5-libs"), ("ld.so.conf.d", "glibc"), ("libnl", "libnl3"),
    ("libvirt", "libvirt"), ("logrotate.d", "logrotate"), ("lvm", "lvm2"), ("mail", "sendmail"), ("modprobe.d", "kmod"),
    ("modules-load.d", "systemd"), ("motd.d", "setup"), ("multipath", "device-mapper-multipath"), ("named", "bind"),
    ("nginx", "nginx"), ("openldap", "openldap"), ("opt", "filesystem"), ("pam.d", "pam"), ("pki", "filesystem"),
    ("pm", "filesystem"), ("polkit-1", "polkit"), ("postfix", "postfix"), ("ppp", "ppp"), ("profile.d", "filesystem"),
    ("rc.d", "chkconfig"), ("redis", "redis"), ("rhsm", "subscription-manager"), ("rpm", "rpm"),
    ("rsyslog.d", "rsyslog"), ("samba", "samba-common"), ("sasl2", "cyrus-sasl-lib"), ("security", "pam"),
    ("selinux", "selinux-policy"), ("skel", "filesystem"), ("smartmontools", "smartmontools"), ("snmp", "net-snmp"),
    ("squid", "squid"), ("ssh", "openssh"), ("ssl", "ca-certificates"), ("sssd", "sssd"), ("stunnel", "stunnel"),
    ("sudoers.d", "sudo"), ("sysconfig", "filesystem"), ("sysctl.d", "systemd"), ("systemd", "systemd"),
    ("tang", "tang"), ("terminfo", "ncurses-base"), ("tmpfiles.d", "systemd"), ("tuned", "tuned"),
    ("udev", "systemd-udev"), ("unbound", "unbound"), ("usbguard", "usbguard"), ("valkey", "valkey"),
    ("vsftpd", "vsftpd"), ("vulkan", "vulkan-loader"), ("xdg", "filesystem"), ("xinetd.d", "filesystem"),
    ("yum", "dnf"), ("yum.repos.d", "redhat-release"),
];

/// Programs of RHEL in /usr/bin that are named as [`wheelhaul_package::service::run_program`] names its own.
const PROGRAMS: &[(&str, &str)] = &[("systemd-run", "systemd"), ("xvfb-run", "xorg-x11-server-Xvfb")];

/// Whether a package of RHEL has a program of that name, and which.
pub(super) fn system_program(name: &str) -> Option<&'static str> {
    PROGRAMS.iter().find(|(known, _)| *known == name).map(|row| row.1)
}

/// Whether a folder is one of `filesystem`'s.
pub fn is_system_folder(path: &str) -> bool {
    FOLDERS.contains(&path)
}

/// Whether a package of RHEL has a user or group of that name, and which.
pub(super) fn system_user(name: &str) -> Option<&'static str> {
    let of_systemd = || name.starts_with("systemd-").then_some("systemd");
    USERS.iter().find(|(known, _)| *known == name).map(|row| row.1).or_else(of_systemd)
}

/// Whether a package of RHEL has a unit of that name, without its end, and which.
pub(super) fn system_unit(name: &str) -> Option<&'static str> {
    let named = SERVICES.iter().find(|(known, _)| *known == name).map(|row| row.1);
    let starts = [("systemd-", "systemd"), ("initrd-", "systemd"), ("dracut-", "dracut"), ("lvm2-", "lvm2")];
    named.or_else(|| starts.iter().find(|(start, _)| name.starts_with(start)).map(|row| row.1))
}

/// Whether a package of RHEL has a folder of that name below /etc, and which.
pub(super) fn system_config(name: &str) -> Option<&'static str> {
    CONFIGS.iter().find(|(known, _)| *known == name).map(|row| row.1)
}

/// Whether RHEL has a package of that name.
pub(super) fn system_package(name: &str) -> bool {
    let is_package = |table: &[(&str, &str)]| table.iter().any(|(_, package)| *package == name);
    is_package(SERVICES) || is_package(USERS) || is_package(CONFIGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_has_is_known() {
        assert!(is_system_folder("/opt") && !is_system_folder("/opt/company"));
        assert_eq!((system_program("xvfb-run"), system_program("report-run")), (Some("xorg-x11-server-Xvfb"), None));
        #[rustfmt::skip]
        let cases = [ // name            user                  unit                    below /etc          package
            ("sshd",                     Some("openssh-server"), Some("openssh-server"), None,           false),
            ("mail",                     Some("setup"),        None,                   Some("sendmail"),   false),
            ("ssh",                      None,                 None,                   Some("openssh"),    false),
            ("systemd-journald",         Some("systemd"),      Some("systemd"),        None,               false),
            ("cronie",                   None,                 None,                   None,               true),
            ("nginx",                    Some("nginx"),        Some("nginx"),          Some("nginx"),      true),
            ("quality_report",           None,                 None,                   None,               false),
        ];
        for (name, user, unit, config, package) in cases {
            let found = (system_user(name), system_unit(name), system_config(name), system_package(name));
            assert_eq!(found, (user, unit, config, package), "{name}");
        }
    }

    #[test]
    fn the_tables_are_sorted_and_have_no_name_twice() {
        assert!(FOLDERS.is_sorted_by(|a, b| a < b));
        for table in [SERVICES, USERS, CONFIGS, PROGRAMS] {
            let wrong = table.windows(2).find(|pair| pair[0].0 >= pair[1].0);
            assert_eq!(wrong, None);
        }
    }
}
