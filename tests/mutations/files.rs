//! Faults of files as files: digests, RECORD, places, modes, paths of the building host.

use crate::forge::{CONFIG, File, NOREPLACE};
use crate::{Row, row};

const MODULE: &str = "/opt/small/lib/gunicorn/app/base.py";

/// Bytes that every reader of zstd passes over.
const SKIPPED_FRAME: &[u8] = b"\x50\x2a\x4d\x18\x04\0\0\0none";

fn flip(bytes: &mut [u8], text: &[u8]) {
    let at = bytes.windows(text.len()).position(|window| window == text).expect("the text is there");
    bytes[at] ^= 1;
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    vec![
        row("readable", "the file is cut short in its payload", "", |rpm| rpm.last = |bytes| bytes.truncate(bytes.len() - 1000)),
        row("readable", "the file is cut short in its header", "", |rpm| rpm.last = |bytes| bytes.truncate(4000)),
        row("readable", "a file of the header is not in the archive", "the archive lacks", |rpm| rpm.file(MODULE).is_archived = false),
        row("readable", "a file of the archive has another name", "the header lacks", |rpm| rpm.file(MODULE).archived_as = Some("./etc/passwd".to_owned())),
        row("readable", "a name of the archive leads out", "the header lacks", |rpm| rpm.file(MODULE).archived_as = Some("./opt/small/../../etc/passwd".to_owned())),

        row("digests", "bytes behind the payload", "the payload has", |rpm| rpm.last = |bytes| bytes.extend(SKIPPED_FRAME)),
        row("digests", "a byte of the header", "the header has", |rpm| rpm.last = |bytes| flip(bytes, b"localhost")),
        row("digests", "another digest of the payload", "the payload has", |rpm| rpm.payload_digest = |_| Some("0".repeat(64))),
        row("digests", "another digest of the header", "the header has", |rpm| rpm.header_digest = |_| Some("0".repeat(64))),
        row("digests", "no digest of the payload", "no SHA-256 digest of the payload", |rpm| rpm.payload_digest = |_| None),
        row("digests", "no digest of the header", "no SHA-256 digest of the header", |rpm| rpm.header_digest = |_| None),
        row("digests", "a byte of a module", MODULE, |rpm| rpm.file(MODULE).digest = Some("0".repeat(64))),
        row("digests", "MD5 digests of files", "the algorithm 1", |rpm| {
            rpm.digest_algorithm = 1;
            rpm.files.values_mut().filter(|file| file.mode >= 0o100_000).for_each(|file| file.digest = Some("0".repeat(32)));
        }),

        row("record", "a listed file is missing", "gunicorn/app/base.py: it is not there", |rpm| { keep_record(rpm); rpm.remove(MODULE); }),
        row("record", "a file that no RECORD lists", "evil.py: no RECORD lists it", |rpm| rpm.add("/opt/small/lib/gunicorn/evil.py", File::plain("1\n"))),
        row("record", "a stray program", "bin/evil: no RECORD lists it", |rpm| rpm.add("/opt/small/bin/evil", File::program("#!/bin/sh\n"))),
        row("record", "a module has another digest", "base.py: it has the SHA-256 digest", |rpm| { keep_record(rpm); rpm.append(MODULE, "x = 1\n") }),
        row("record", "a module among a wheel's data files", "`yaml.py` would be a module that stands before all dependencies", |rpm| rpm.add_to("gunicorn", "/opt/small/yaml.py", File::plain("1\n"))),
        row("record", "a package among a wheel's data files", "`yaml/` would be a package", |rpm| rpm.add_to("gunicorn", "/opt/small/yaml/__init__.py", File::plain("1\n"))),
        row("record", "RECORD is gone", "RECORD: it is not there", |rpm| { let info = rpm.info_of("gunicorn"); rpm.remove(&format!("{info}/RECORD")); }),
        row("record", "RECORD is no table", "RECORD: it cannot be read", |rpm| { keep_record(rpm); let info = rpm.info_of("gunicorn"); rpm.append(&format!("{info}/RECORD"), "x\n") }),
        row("record", "a digest of another kind", "base.py: ", |rpm| in_record(rpm, |_| "md5=1B2M2Y8AsgTpgAmY7PhCfg".to_owned())),
        row("record", "a row without a digest", "has no digest of it", |rpm| in_record(rpm, |_| String::new())),
        row("record", "a digest of another length", "RECORD: it cannot be read", |rpm| in_record(rpm, |_| "sha256=AAAA".to_owned())),

        row("places", "a program in /usr/bin", "/usr/bin/small", |rpm| rpm.add("/usr/bin/small", File::program("#!/bin/sh\n"))),
        row("places", "a program beside that of the package", "/usr/bin/small-run2", |rpm| rpm.add("/usr/bin/small-run2", File::program("#!/bin/sh\n"))),
        row("places", "another package's program", "`xorg-x11-server-Xvfb` has a program of this name", |rpm| rpm.add("/usr/bin/xvfb-run", File::program("#!/bin/sh\n"))),
        row("places", "the program of the package as a link", "/usr/bin/small-run", |rpm| *rpm.file("/usr/bin/small-run") = File::link_to("/opt/small/bin/python")),
        row("modes", "a program that makes root of everybody", "/usr/bin/small-run", |rpm| rpm.file("/usr/bin/small-run").mode = 0o104_755),
        row("places", "a file in another's folder", "/opt/other/x", |rpm| rpm.add("/opt/other/x", File::plain("x"))),
        row("places", "a folder with a name that goes on", "/opt/smaller", |rpm| rpm.add("/opt/smaller", File::folder())),
        row("places", "a job of cron", "/etc/cron.d/small", |rpm| rpm.add("/etc/cron.d/small", File::plain("* * * * * root /bin/true\n"))),
        row("places", "another package's unit", "sshd.service", |rpm| rpm.add("/usr/lib/systemd/system/sshd.service", File::plain("[Service]\nExecStart=/bin/true\n"))),
        row("places", "settings of another's unit", "sshd.service.d/x.conf", |rpm| rpm.add("/usr/lib/systemd/system/sshd.service.d/x.conf", File::plain("[Service]\nUser=root\n"))),
        row("places", "a link out of the root", "/opt/small/lib/link", |rpm| rpm.add("/opt/small/lib/link", File::link_to("/etc/shadow"))),
        row("places", "a link up and out", "/opt/small/lib/up", |rpm| rpm.add("/opt/small/lib/up", File::link_to("../../../etc/shadow"))),
        row("places", "a device", "/opt/small/disk", |rpm| rpm.add("/opt/small/disk", File { mode: 0o060_600, device: 0x0801, ..File::plain("") })),
        row("places", "a pipe", "/opt/small/pipe", |rpm| rpm.add("/opt/small/pipe", File { mode: 0o010_644, ..File::plain("") })),
        row("places", "`..` in a path", "..", |rpm| rpm.add("/opt/small/../../etc/small.conf", File::plain("x"))),
        row("places", "`.` in a path", "/./", |rpm| rpm.add("/opt/small/./x", File::plain("x"))),
        row("places", "two slashes in a path", "//", |rpm| rpm.add("/opt/small//x", File::plain("x"))),
        row("places", "a control character in a path", "", |rpm| rpm.add("/opt/small/lib/a\nb", File::plain("x"))),
        row("places", "config in another's folder", "/etc/ssh/sshd_config.d/x.conf", |rpm| {
            rpm.add("/etc/ssh/sshd_config.d/x.conf", File { flags: CONFIG | NOREPLACE, mode: 0o100_640, ..File::plain("PermitRootLogin yes\n") });
        }),
        row("places", "a library where the loader looks", "/usr/lib64/libx.so.1", |rpm| rpm.add("/usr/lib64/libx.so.1", File::plain("x"))),

        row("modes", "setuid", "setuid", |rpm| rpm.file("/opt/small/bin/python").mode = 0o104_755),
        row("modes", "setgid", "setuid", |rpm| rpm.file("/opt/small/bin/python").mode = 0o102_755),
        row("modes", "a setgid folder", "setuid", |rpm| rpm.file("/opt/small/lib").mode = 0o042_755),
        row("modes", "a module that everybody may write", "everybody may write", |rpm| rpm.file(MODULE).mode = 0o100_646),
        row("modes", "a folder that everybody may write", "everybody may write", |rpm| rpm.file("/opt/small/lib").mode = 0o040_777),
        row("modes", "config that the service's group may write", "group may write", |rpm| rpm.file("/opt/small/config.yaml").mode = 0o100_660),
        row("modes", "a program that the service owns", "owns", |rpm| rpm.file("/opt/small/bin/python").user = "small".to_owned()),
        row("modes", "a module that the service owns", "base.py: ", |rpm| rpm.file(MODULE).user = "small".to_owned()),
        row("modes", "a folder of code that the service owns", "/opt/small/lib: ", |rpm| rpm.file("/opt/small/lib").user = "small".to_owned()),
        row("modes", "a folder of code that the service's group may write", "group may write", |rpm| {
            let folder = rpm.file("/opt/small/lib");
            (folder.group, folder.mode) = ("small".to_owned(), 0o040_775);
        }),

        row("host-paths", "a first line of the building host", "/home/build/venv/bin/python", |rpm| {
            rpm.add_to("gunicorn", "/opt/small/bin/other", File::program("#!/home/build/venv/bin/python\n"));
        }),
        row("host-paths", "a first line with a space", "/usr/local/bin/python3", |rpm| {
            rpm.add_to("gunicorn", "/opt/small/bin/other", File::program("#! /usr/local/bin/python3 -E\n"));
        }),
        row("host-paths", "a line of a .pth file", "/home/build/src", |rpm| rpm.add_to("gunicorn", "/opt/small/lib/x.pth", File::plain("/home/build/src\n"))),
        row("host-paths", "a .pth file that only starts like ours", "/opt/smaller/src", |rpm| rpm.add_to("gunicorn", "/opt/small/lib/x.pth", File::plain("/opt/smaller/src\n"))),
        row("host-paths", "direct_url.json", "direct_url.json", |rpm| {
            let path = format!("{}/direct_url.json", rpm.info_of("gunicorn"));
            rpm.add_to("gunicorn", &path, File::plain("{\"url\": \"file:///home/build/gunicorn\", \"dir_info\": {}}"));
        }),
    ]
}

/// Lets gunicorn's RECORD stay as it is.
fn keep_record(rpm: &mut crate::Forge) {
    let record = format!("{}/RECORD", rpm.info_of("gunicorn"));
    rpm.kept_records.push(record);
}

/// Changes the digest of [`MODULE`] in its RECORD.
fn in_record(rpm: &mut crate::Forge, change: fn(&str) -> String) {
    keep_record(rpm);
    let record = format!("{}/RECORD", rpm.info_of("gunicorn"));
    let text = rpm.text(&record);
    let changed = text.lines().map(|line| match line.strip_prefix("gunicorn/app/base.py,") {
        Some(rest) => format!("gunicorn/app/base.py,{},{}\n", change(rest), rest.rsplit_once(',').unwrap().1),
        None => format!("{line}\n"),
    });
    let changed: String = changed.collect();
    assert_ne!(changed, text, "RECORD has no such row");
    rpm.file(&record).content = changed.into_bytes();
}
