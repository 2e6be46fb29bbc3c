//! Data on vulnerabilities that lies: bombs, depth, length, numbers. It is refused or read, in time and memory that
//! the data itself bounds.

use crate::zip::{Entry, Zip};
use crate::{Fine, Refused, Rows};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use wheelhaul_verify::advisories::Advisories;

fn read(bytes: Vec<u8>) -> anyhow::Result<Advisories> {
    let wanted: BTreeSet<_> = ["demo".parse()?].into();
    let size = bytes.len() as u64;
    let start = Instant::now();
    let read = Advisories::read(bytes, size, &wanted);
    anyhow::ensure!(start.elapsed() < Duration::from_secs(60), "it took {:?}", start.elapsed());
    if let Err(error) = &read {
        let said = format!("{error:#}");
        anyhow::ensure!(said.len() < 2_000, "the error has {} bytes", said.len());
    }
    if let Ok(Advisories::Records(records)) = &read {
        let start = Instant::now();
        for advisory in records.of.values().flatten() {
            advisory.affected.judge(&"1.0".parse()?);
        }
        anyhow::ensure!(start.elapsed() < Duration::from_secs(20), "judging took {:?}", start.elapsed());
    }
    read
}

fn record(affected: &str) -> String {
    format!(
        "{{\"id\": \"X\", \"affected\": [{{\"package\": {{\"ecosystem\": \"PyPI\", \"name\": \"demo\"}}, {affected}}}]}}"
    )
}

fn zip(name: &str, content: &str) -> Vec<u8> {
    Zip::of(vec![Entry::deflated(name, content.as_bytes())]).bytes()
}

#[test]
fn data_on_vulnerabilities_is_bounded() {
    let good = record("\"versions\": [\"1.0\"]");
    let long = "A".repeat(50_000_000);
    let many = |item: &str, count: usize| vec![item; count].join(",");
    let mut rows = Rows::default();
    let mut row = |name: &str, expected, bytes: Vec<u8>| rows.check(name, expected, || read(bytes));
    row("a record", Fine, good.clone().into_bytes());
    row("a zip of one", Fine, zip("PYSEC-1.json", &good));
    row("a zip with more in it", Fine, zip("a/PYSEC-1.json", &good));
    row("a zip of other things", Refused("no record on packages of PyPI"), zip("x.txt", &good));
    row("a path out of it", Refused("part `..`"), zip("../X.json", &good));
    row("a zip cut short", Refused("archive"), zip("X.json", &good)[..60].to_vec());
    row("a record in a zip that is none", Refused("`X.json`"), zip("X.json", "{"));
    let bomb = format!("{}{good}", " ".repeat(20 << 20));
    row("a bomb", Refused("at most"), zip("X.json", &bomb));
    let bombs = (0..80).map(|place| Entry::deflated(&format!("{place}.json"), " ".repeat(15 << 20).as_bytes()));
    row("many bombs", Refused("at most"), Zip::of(bombs.take(72).collect()).bytes());
    row("more than is read", Refused("at most"), vec![b' '; (64 << 20) + 1]);
    row("nothing but blanks", Refused("it is empty"), vec![b' '; 64 << 20]);
    row("depth of arrays", Refused("cannot be read"), "[".repeat(10_000_000).into_bytes());
    row("depth of objects", Refused("cannot be read"), "{\"id\":".repeat(5_000_000).into_bytes());
    let depth = format!("{}{}", "[".repeat(5_000_000), "]".repeat(5_000_000));
    row("depth where nothing is read", Fine, good.replace("\"id\"", &format!("\"x\": {depth}, \"id\"")).into_bytes());
    row("a long string", Fine, good.replace("\"X\"", &format!("\"{long}\"")).into_bytes());
    row("a long string in a wrong place", Refused("invalid type"), format!("{{\"aliases\": \"{long}\"}}").into_bytes());
    row(
        "a long name",
        Refused("invalid type"),
        format!("{{\"affected\": [{{\"package\": \"{long}\"}}]}}").into_bytes(),
    );
    row(
        "many versions",
        Refused("more than"),
        record(&format!("\"versions\": [{}]", many("\"1\"", 1_000_000))).into_bytes(),
    );
    let range = "{\"type\":\"ECOSYSTEM\",\"events\":[]}";
    row("many ranges", Refused("more than"), record(&format!("\"ranges\": [{}]", many(range, 1_000_000))).into_bytes());
    let events = many("{\"fixed\":\"1\"}", 190_000);
    let ranges = format!("\"ranges\": [{{\"type\": \"ECOSYSTEM\", \"events\": [{events}]}}]");
    row("as many events as are read", Fine, record(&ranges).into_bytes());
    row("many records", Fine, format!("[{}]", many(&good, 200_000)).into_bytes());
    row("many lines", Fine, vec![good.as_str(); 200_000].join("\n").into_bytes());
    let numbers = "9".repeat(1_000_000);
    row("a long version", Fine, record(&format!("\"versions\": [\"{numbers}\", \"1.{numbers}\", \"\"]")).into_bytes());
    for name in ["-", ".", "demo-", "de\\u0000mo", "dem\\u00f6", "", "\\ud83d\\ude00"] {
        row(name, Fine, good.replace("\"demo\"", &format!("\"{name}\"")).into_bytes());
    }
    row("half a pair of surrogates", Refused("cannot be read"), good.replace("\"demo\"", "\"\\ud83d\"").into_bytes());
    row("a key twice", Refused("duplicate"), good.replace("\"id\"", "\"id\": \"Y\", \"id\"").into_bytes());
    row("no UTF-8", Refused("not UTF-8"), [b"\"\xff\"", good.as_bytes()].concat());
    rows.finish();
}
