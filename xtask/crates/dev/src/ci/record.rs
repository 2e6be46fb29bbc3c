//! The last result of each part that `ci --release` ran, as a table in the documentation.

use super::parts::PARTS;
use std::collections::BTreeMap;

/// Where the table is, in the repository.
pub(super) const PAGE: &str = "xtask/docs/release-checks.md";

const HEAD: &str = "# The checks before a release\n\n\
    `cargo xtask ci --release` writes this page: the last result of each part. `cargo xtask ci --release --part NAME` runs\n\
    one of them.\n\n\
    | part | what it checks | result | minutes | date | commit |\n|---|---|---|---|---|---|\n";

/// A result as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub result: String,
    pub minutes: String,
    pub date: String,
    pub commit: String,
}

/// The page with new results; the others stay. A part that is gone is dropped.
pub(super) fn updated(page: &str, new: &BTreeMap<&str, Row>) -> String {
    let old = parse(page);
    let never =
        Row { result: "not run yet".to_owned(), minutes: String::new(), date: String::new(), commit: String::new() };
    let lines = PARTS.iter().map(|part| {
        let row = new.get(part.name).or_else(|| old.get(part.name)).unwrap_or(&never);
        format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            part.name, part.what, row.result, row.minutes, row.date, row.commit
        )
    });
    HEAD.to_owned() + &lines.collect::<String>()
}

fn parse(page: &str) -> BTreeMap<String, Row> {
    page.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
            let [name, _, result, minutes, date, commit] = cells[..] else { return None };
            let [result, minutes, date, commit] = [result, minutes, date, commit].map(str::to_owned);
            Some((name.to_owned(), Row { result, minutes, date, commit }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(result: &str, date: &str) -> Row {
        Row { result: result.to_owned(), minutes: "3".to_owned(), date: date.to_owned(), commit: "abc1234".to_owned() }
    }

    #[test]
    fn a_part_that_was_run_alone_leaves_the_results_of_the_others() {
        let first =
            updated("", &BTreeMap::from([("tests", row("ok", "2026-11-01")), ("windows", row("ok", "2026-11-01"))]));
        assert!(first.contains(
            "| windows | the Windows build under wine makes the same bytes | ok | 3 | 2026-11-01 | abc1234 |\n"
        ));
        assert!(first.contains("| service | the service under a real systemd | not run yet |"), "{first}");
        let second = updated(&first, &BTreeMap::from([("windows", row("FAILED", "2026-11-30"))]));
        assert!(
            second.contains("| FAILED | 3 | 2026-11-30 |") && second.contains("| ok | 3 | 2026-11-01 |"),
            "{second}"
        );
        assert_eq!(updated(&second, &BTreeMap::new()), second);
    }

    #[test]
    fn the_page_has_every_part() {
        let page = include_str!("../../../../docs/release-checks.md");
        assert!(page == updated(page, &BTreeMap::new()), "it should be\n{}", updated(page, &BTreeMap::new()));
    }
}
