//! Files of 4 GiB and more: made by the benchmark's script, packed, read back, and held against the real rpm.

use crate::boxes::{CONFIG, Draft, open, pack_wheels};
use crate::rpms::verified;
use std::process::{Command, Stdio};
use wheelhaul_boxes::Target;
use wheelhaul_config::Config;
use wheelhaul_package::layout::{Parts, lay_out};

/// One more than 32 bits can say, and two to be padded.
const LARGE: u64 = (4 << 30) + 3;

fn said(program: &mut Command) -> String {
    let output = program.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_file_of_more_than_4_gib_is_packed_as_rpm_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/bench/large.py");
    said(Command::new("python3").arg(script).arg(folder.path()).args(["--kind", "over-4gb"]));
    let name = "over_4gb-1.0-py3-none-any.whl";
    let large = open(name, std::fs::read(folder.path().join(name)).unwrap()).unwrap();
    let wheels = [Draft::of("demo").open().unwrap(), large, Draft::app().open().unwrap()];

    let config = Config::parse(&CONFIG.replace("el9-x86_64\"\npython = \"3.11\"", "el7-x86_64\"")).unwrap();
    let target = Target::find("el7-x86_64", Some("3.6"), None).unwrap();
    let (lock_text, install_notes, sbom, summary, epoch) = ("", "", "", "A demo", 0);
    let parts = Parts {
        config: &config,
        target: &target,
        wheels: &wheels,
        config_files: &[],
        lock_text,
        install_notes,
        sbom,
        summary,
        epoch,
    };
    let refused = format!("{:#}", lay_out(&parts).unwrap_err());
    let expected = format!("`over_4gb/data-0.bin` has {LARGE} bytes, and the rpm of `el7-x86_64` reads none of");
    assert!(refused.contains(&expected), "{refused}");

    let (_, rpm) = pack_wheels(&wheels).unwrap();
    // Every digest of the header against the bytes of the payload.
    verified(&rpm).unwrap();
    let file = folder.path().join("demo.rpm");
    std::fs::write(&file, rpm).unwrap();
    said(Command::new("rpm").args(["-K", "--nosignature"]).arg(&file));
    let query = ["-qp", "--nosignature", "--qf", "%{longsize} %{longarchivesize}\n[%{filenames} %{longfilesizes}\n]"];
    let header = said(Command::new("rpm").args(query).arg(&file));
    assert!(header.contains(&format!("/opt/demo/lib/over_4gb/data-0.bin {LARGE}\n")), "{header}");
    let requires = said(Command::new("rpm").args(["-qp", "--nosignature", "--requires"]).arg(&file));
    assert!(requires.contains("rpmlib(LargeFiles) <= 4.12.0-1"), "{requires}");
    // rpm's own reader of payloads, which finds each file behind the one before it.
    let tar = "rpm2archive -n - < \"$0\" | tar -tv --full-time | awk '{print $3, $NF}'";
    let listed = said(Command::new("sh").args(["-c", tar]).arg(&file));
    for row in [format!("{LARGE} ./opt/demo/lib/over_4gb/data-0.bin"), "13 ./opt/demo/lib/over_4gb/after.py".to_owned()]
    {
        assert!(listed.lines().any(|line| line == row), "{row} is not in:\n{listed}");
    }
    assert!(listed.contains("./opt/demo/lib/over_4gb-1.0.dist-info/RECORD\n"), "{listed}");
}
