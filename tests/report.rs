//! The page for the reviewer: whole and strict HTML, which asks for nothing and runs nothing, whatever a package says;
//! readable in its colours; the same bytes each time; bounded.

use anyhow::{Context, ensure};
use boxes::{Draft, pack};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::{repository, tool_in};
use fs_err as fs;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::process::Command;
use std::time::{Duration, Instant};
use wheelhaul_rpmfile::SignatureFacts;
use wheelhaul_verify::review::stylesheet;
use wheelhaul_verify::review::{Delivered, LivedStep, LivedThrough, Lot, Review, page};
use wheelhaul_verify::{CHECKS, Difference, Evidence, Finding, Judged, Outcome, Severity, judge};

#[path = "hostile/boxes.rs"]
#[allow(dead_code, reason = "other tests make worse wheels of it")]
mod boxes;
#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "other tests make worse archives of it")]
mod zip;

fn rpm(of: &Draft) -> Vec<u8> {
    pack(&[of.clone(), Draft::app()]).unwrap().1
}

fn gathered(bytes: &[u8]) -> Evidence {
    Evidence::gather(Cursor::new(bytes)).unwrap()
}

fn good() -> Evidence {
    gathered(&rpm(&Draft::of("demo")))
}

fn delivered(file: &str) -> Delivered {
    Delivered { file: file.to_owned(), size: 12_345_678, sha256: "ab".repeat(32), signature: None }
}

fn one(evidence: &Evidence) -> (Review, Delivered) {
    (Review::of(evidence, &judge(evidence)), delivered("demo-1.0-1.el9.x86_64.rpm"))
}

fn finding(severity: Severity, path: &str, text: &str) -> Finding {
    let text = text.to_owned();
    Finding { severity, path: path.to_owned(), found: text.clone(), expected: text.clone(), cure: text, accepted: None }
}

/// What html5lib, which follows the standard and is strict here, makes of pages.
fn read(pages: &[String]) -> anyhow::Result<Vec<Value>> {
    let tools = repository().join("tests/python/tools.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(tools).arg(repository().join("target/xtask/test-html")).arg("html");
    let python = run(&mut python).context("hint: `apt-get install python3 python3-venv`")?.text()?;
    let folder = tempfile::tempdir()?;
    let path = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?.join("pages");
    fs::write(&path, serde_json::to_string(pages)?)?;
    let script = repository().join("tests/python/html_says.py");
    Ok(serde_json::from_str(&run(Command::new(python).arg("-B").arg(script).arg(path))?.text()?)?)
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether a page is what every page has to be.
fn is_sound(said: &Value) -> anyhow::Result<()> {
    ensure!(said["fault"].is_null(), "no strict HTML: {}", said["fault"]);
    ensure!(said["language"] == "en" && said["title"] != "", "{} {}", said["language"], said["title"]);
    for element in ["script", "img", "iframe", "object", "embed", "link", "base", "form", "foreignObject", "animate"] {
        ensure!(!strings(&said["elements"]).contains(&element), "there is a `{element}`");
    }
    for attribute in strings(&said["attributes"]) {
        ensure!(!attribute.starts_with("on") && !["style", "src", "srcdoc"].contains(&attribute), "`{attribute}`");
    }
    let mut ids = strings(&said["ids"]);
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    ensure!(ids.len() == count, "an id stands twice");
    for link in strings(&said["links"]) {
        let led = link.strip_prefix('#').with_context(|| format!("`{link}` leads out of the page"))?;
        ensure!(ids.contains(&led), "`{link}` leads nowhere");
    }
    let headings: Vec<u64> = said["headings"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    ensure!(headings.first() == Some(&1), "{headings:?}");
    ensure!(headings.windows(2).all(|pair| pair[1] <= pair[0] + 1), "a heading is left out: {headings:?}");
    let headers = said["headers"].as_array().context("there are no tables")?;
    ensure!(headers.iter().all(|scope| scope == "col" || scope == "row"), "a table's header says not of what");
    let policy = strings(&said["policy"]).concat();
    ensure!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    Ok(())
}

#[test]
fn pages_are_strict_html_that_asks_for_nothing() -> anyhow::Result<()> {
    let old = good();
    let new =
        gathered(&rpm(&Draft::of("demo").with("demo.py", "def main():\n    return 1\n").with("more.py", "x = 1\n")));
    let difference = Difference::between(&old, &new);
    let (review, file) = one(&new);
    let since = page(&[(review.since(&difference, "demo-0.9-1.el9.x86_64.rpm"), file)])?;
    let faulty = {
        let findings = (0..30).map(|n| finding(Severity::Warning, &format!("/opt/demo/{n}"), "run `x`")).collect();
        let judged = [
            Judged { check: &CHECKS[0], outcome: Outcome::Made { looked_at: "2 files".to_owned(), findings } },
            Judged {
                check: &CHECKS[1],
                outcome: Outcome::NotMade { why: "no `x`".to_owned(), severity: Severity::Error },
            },
        ];
        page(&[(Review::of(&old, &judged), delivered("a b.rpm"))])?
    };
    let unreadable = page(&[(Review::unreadable("it is no RPM"), delivered("x.rpm"))])?;
    let several = page(&[one(&old), one(&new), (Review::unreadable("it is no RPM"), delivered("x.rpm"))])?;
    let broken = since.replacen("</ul>", "", 1);
    let said = read(&[since, faulty, unreadable, several, broken])?;
    for page in &said[..4] {
        is_sound(page).with_context(|| page["title"].to_string())?;
    }
    ensure!(is_sound(&said[4]).is_err(), "html5lib sees no fault where there is one");
    // The checks themselves and the scriptlets have snapshots of their own.
    let text = said[0]["text"].as_str().context("no text")?;
    let part = |from: &str, to: &str| {
        let from = text.find(from).map_or(text, |at| &text[at..]);
        from.split(to).next().unwrap_or_default().to_owned()
    };
    let parts = [part("demo", "Checks\nEach"), part("What changed since", "Scriptlets\n")];
    insta::assert_snapshot!("report", parts.join("…\n"));
    let text = said[1]["text"].as_str().context("no text")?;
    insta::assert_snapshot!("report_faulty", text.split("What is in it\nin").next().unwrap_or_default());
    Ok(())
}

#[test]
fn what_a_package_says_is_never_more_than_text() -> anyhow::Result<()> {
    let hostile = [
        "</title></style></pre><script>alert(1)</script>",
        "\"'><img src=http://index.example/x onerror=alert(1)>",
        "a\u{202e}fdp.\u{2066}b\u{200b}c\u{0}d\u{1b}[2J\r",
        "{{ 7 * 7 }}{% raw %}<!--",
        "`</code><svg onload=alert(1)>",
    ];
    let mut pages = Vec::new();
    for text in hostile {
        let mut evidence = good();
        evidence.described.name = text.to_owned();
        evidence.described.version = text.to_owned();
        evidence.described.summary = text.to_owned();
        evidence.described.license = text.to_owned();
        evidence.described.origin.change = format!("- Built from {text}");
        evidence.described.requires.push(format!("{text} = 1"));
        evidence.described.scriptlets.insert("post", text.to_owned());
        let facts = SignatureFacts { algorithm: 1, hash: 8, issuer: text.to_owned(), bits: 2048 };
        evidence.signatures.packets = vec![Ok(facts)];
        let row = evidence.described.files.values().find(|row| row.is_file()).context("no file")?.clone();
        evidence.described.files.insert(format!("/opt/{text}"), row);
        evidence.texts.insert(
            format!("/usr/lib/systemd/system/{text}.service"),
            format!("[Service]\nUser={text}\nListenStream={text}"),
        );
        evidence.texts.insert(format!("/usr/share/doc/{text}/INSTALL.md"), text.to_owned());
        let findings = vec![finding(Severity::Error, text, text)];
        let judged = [Judged { check: &CHECKS[0], outcome: Outcome::Made { looked_at: text.to_owned(), findings } }];
        let difference = Difference::between(&good(), &evidence);
        let review = Review::of(&evidence, &judged).since(&difference, text);
        let mut file = delivered(text);
        file.signature = Some(text.to_owned());
        let page = page(&[(review, file), (Review::unreadable(text), delivered(text))])?;
        let unseen = ['\u{202e}', '\u{2066}', '\u{200b}', '\0', '\u{1b}', '\r'];
        ensure!(!page.contains(unseen), "what nobody sees stands in the page of {text:?}");
        pages.push(page);
    }
    for (said, text) in read(&pages)?.iter().zip(hostile) {
        is_sound(said).with_context(|| format!("{text:?}"))?;
        let shown = said["text"].as_str().context("no text")?;
        // As text it is there, up to what a browser does with spaces.
        let first: String = text.chars().take_while(|c| !c.is_control() && *c != '\u{202e}' && *c != '`').collect();
        ensure!(shown.contains(&first), "{text:?} is not shown in\n{shown}");
    }
    Ok(())
}

/// What `trial` saw.
fn lived(lots: &[(&'static str, Lot, &str)]) -> LivedThrough {
    let step = |(name, lot, said): &(&'static str, Lot, &str)| LivedStep {
        name,
        lot: *lot,
        said: if said.is_empty() { Vec::new() } else { vec![(*said).to_owned()] },
    };
    LivedThrough { system: "Demo Linux 9".to_owned(), booted: true, steps: lots.iter().map(step).collect() }
}

#[test]
fn the_page_says_how_the_installation_test_went() -> anyhow::Result<()> {
    let evidence = good();
    let (passed, failed, not_made) = ((Lot::Passed, ""), (Lot::Failed, "`a` <b>\nc"), (Lot::NotMade, "no systemd"));
    let clean = [Judged {
        check: &CHECKS[0],
        outcome: Outcome::Made { looked_at: "2 files".to_owned(), findings: Vec::new() },
    }];
    let bad = [Judged {
        check: &CHECKS[0],
        outcome: Outcome::Made {
            looked_at: "2 files".to_owned(),
            findings: vec![finding(Severity::Error, "/opt/x", "y")],
        },
    }];
    #[rustfmt::skip]
    let cases = [ // checks  start     reboot    state      the head's word                 what it says
        (&clean,             passed,   passed,   "ok",      "All checks passed",            "; the installation test passed\n"),
        (&clean,             failed,   passed,   "failed",  "The installation test failed", "; the installation test failed: start\n"),
        (&clean,             failed,   not_made, "failed",  "The installation test failed", "; the installation test failed: start\n"),
        (&clean,             passed,   not_made, "unmade",  "No errors; not every step of", "passed, but not made were: reboot\n"),
        (&bad,               passed,   passed,   "failed",  "Not fit to be installed",      "; the installation test passed\n"),
        (&bad,               failed,   passed,   "failed",  "Not fit to be installed",      "; the installation test failed: start\n"),
    ];
    let mut pages = Vec::new();
    for (judged, start, reboot, ..) in &cases {
        let steps =
            lived(&[("start", start.0, start.1), ("reboot", reboot.0, reboot.1), ("leftovers", Lot::Skipped, "x")]);
        pages.push(page(&[(Review::of(&evidence, judged.as_slice()).lived(&steps), delivered("demo.rpm"))])?);
    }
    pages.push(page(&[(
        Review::unreadable("it is no RPM").lived(&lived(&[("install", not_made.0, not_made.1)])),
        delivered("x.rpm"),
    )])?);
    let many = "a\n".repeat(100_000);
    pages.push(page(&[(
        Review::of(&evidence, &clean).lived(&lived(&[("rpm -V", Lot::Failed, &many)])),
        delivered("x.rpm"),
    )])?);
    let said = read(&pages)?;
    for page in &said {
        is_sound(page)?;
    }
    for ((row, page), said) in cases.iter().zip(&pages).zip(&said) {
        let (_, start, reboot, state, word, line) = row;
        let row = (start, reboot, state);
        let text = said["text"].as_str().context("no text")?;
        let head = text.split("The file\n").next().unwrap_or_default();
        ensure!(page.contains(&format!("<div class=\"verdict {state}\">")), "{row:?}: another state");
        ensure!(head.contains(word) && head.contains(line), "{row:?}: {head}");
        let failed = start.0 == Lot::Failed;
        ensure!(page.contains("-lived\">installation test</a>") == failed, "{row:?}: {head}");
        let section = text.split("Demo Linux 9").nth(1).and_then(|rest| rest.split("What is in it").next());
        let section = section.context("there is no section")?;
        ensure!(section.contains("FAILED") == failed && section.contains("skipped"), "{row:?}: {section}");
        ensure!(section.contains("NOT MADE") == (reboot.0 == Lot::NotMade), "{row:?}: {section}");
        ensure!(!failed || section.contains("a <b>"), "{row:?}: {section}");
    }
    ensure!(pages[7].len() < 1 << 20 && pages[7].contains("and 99960 more lines"), "the rest is not counted");
    Ok(())
}

#[test]
fn the_same_package_gives_the_same_bytes() -> anyhow::Result<()> {
    let bytes = rpm(&Draft::of("demo"));
    let pages = [page(&[one(&gathered(&bytes))])?, page(&[one(&gathered(&bytes))])?];
    ensure!(pages[0] == pages[1]);
    Ok(())
}

/// A browser is slow with more, and nobody reads them.
#[test]
fn a_hundred_thousand_files_and_findings_are_cut_and_counted() -> anyhow::Result<()> {
    let mut evidence = good();
    let own = evidence.described.files.len();
    let row = evidence.described.files.values().find(|row| row.is_file()).context("no file")?.clone();
    for number in 0..100_000 {
        evidence.described.files.insert(format!("/opt/demo/lib/many/{number:06}.py"), row.clone());
    }
    let findings = (0..100_000).map(|n| finding(Severity::Warning, &format!("/opt/{n}"), "x"));
    let findings = findings.chain([finding(Severity::Error, "/opt/the-error", "y")]).collect();
    let judged = [Judged { check: &CHECKS[0], outcome: Outcome::Made { looked_at: String::new(), findings } }];
    let start = Instant::now();
    let text = page(&[(Review::of(&evidence, &judged), delivered("demo.rpm"))])?;
    ensure!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
    ensure!(text.len() < 8 << 20, "it has {} bytes", text.len());
    ensure!(text.contains(&format!("and {} more paths", 80_000 + own)), "the rest of the files is not counted");
    ensure!(text.contains("and 99001 more findings"), "the rest of the findings is not counted");
    ensure!(text.find("/opt/the-error") < text.find("/opt/0<"), "a warning stands before the error");
    Ok(())
}

/// The variables of the stylesheet: of light, dark and paper.
fn schemes() -> Vec<(&'static str, BTreeMap<String, [f64; 3]>)> {
    let style = stylesheet();
    let blocks: Vec<&str> = style.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
    assert_eq!(blocks.len(), 3, "light, dark and print");
    let colours = |block: &str| {
        let lines = block.split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"));
        let channel = |hex: &str, at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        lines.map(|(name, hex)| (name.to_owned(), [channel(hex, 0), channel(hex, 2), channel(hex, 4)])).collect()
    };
    ["light", "dark", "print"].into_iter().zip(blocks.into_iter().map(colours)).collect()
}

/// WCAG 2.2, "contrast ratio" and "relative luminance".
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let [r, g, b] = colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_text_stands_out_from_what_is_behind_it() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9 && (contrast([0.5; 3], [0.5; 3]) - 1.0).abs() < 1e-9);
    let states = ["ok", "warning", "failed", "unmade"];
    let mut faults = Vec::new();
    for (scheme, colours) in schemes() {
        let backs = ["page", "card", "code"];
        let mut pairs: Vec<(String, String, f64)> = Vec::new();
        for back in backs {
            for text in ["text", "soft", "link"] {
                pairs.push((text.to_owned(), back.to_owned(), 4.5));
            }
        }
        for state in states {
            // A finding's text is the page's, on the colour of its state.
            pairs.extend([state, "text"].map(|text| (text.to_owned(), format!("{state}-back"), 4.5)));
        }
        // What is no text: WCAG 1.4.11. On paper grey is ink enough beside its number.
        let least = if scheme == "print" { 2.0 } else { 3.0 };
        pairs.extend(["bar", "rest"].map(|bar| (bar.to_owned(), "card".to_owned(), least)));
        for (text, back, least) in pairs {
            let found = contrast(colours[&text], colours[&back]);
            if found < least {
                faults.push(format!("{scheme}: {text} on {back} has {found:.2}, and needs {least}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A folder with two packages for one box.
fn folder() -> anyhow::Result<(tempfile::TempDir, Utf8PathBuf)> {
    let keep = tempfile::tempdir()?;
    let path = Utf8PathBuf::try_from(keep.path().to_owned())?;
    fs::write(path.join("old.rpm"), rpm(&Draft::of("demo")))?;
    fs::write(path.join("new.rpm"), rpm(&Draft::of("demo").with("more.py", "x = 1\n")))?;
    Ok((keep, path))
}

#[test]
fn verify_writes_the_page_and_refuses_to_lose_a_package() -> anyhow::Result<()> {
    let (_keep, folder) = folder()?;
    let verify = |words: &[&str]| run(&mut tool_in(&folder, &[&["verify"], words].concat()));
    let done = verify(&["--report", "page.html", "--since", "old.rpm", "new.rpm"])?;
    ensure!(done.code == Some(0), "{done}");
    let text = fs::read_to_string(folder.join("page.html"))?;
    ensure!(text.contains("What changed since") && text.contains("sudo dnf downgrade ./old.rpm"), "{text}");
    ensure!(!text.contains(folder.as_str()), "the page has a path of this host");
    let sum = run(Command::new("sha256sum").arg(folder.join("new.rpm")))?.text()?;
    ensure!(text.contains(sum.split(' ').next().context("no digest")?), "the page has not the digest of the file");

    verify(&["--report", "all.html", "--format", "json", "old.rpm", "new.rpm"])?;
    ensure!(fs::read_to_string(folder.join("all.html"))?.contains("Review of 2 packages"));

    let before = fs::read(folder.join("new.rpm"))?;
    // A rename over a device would take it away from the whole host; a pipe stands for it here.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("all.html", folder.join("link.html"))?;
        run(Command::new("mkfifo").arg(folder.join("pipe")))?.text()?;
    }
    #[rustfmt::skip]
    let refused = [
        (&["--report", "new.rpm", "old.rpm"][..],                    "would be written over"),
        (&["--report", ".", "old.rpm"],                              "is a folder"),
        #[cfg(unix)]
        (&["--report", "link.html", "old.rpm"],                      "is a link, a device or a pipe"),
        #[cfg(unix)]
        (&["--report", "pipe", "old.rpm"],                           "is a link, a device or a pipe"),
        (&["--since", "old.rpm", "new.rpm"],                         "--report"),
        (&["--report", "x.html", "--since", "none.rpm", "new.rpm"],  "none.rpm"),
        (&["--report", "x.html", "--since", "page.html", "new.rpm"], "no RPM"),
    ];
    for (words, said) in refused {
        let done = verify(words)?;
        ensure!(done.code == Some(2) && done.to_string().contains(said), "{words:?}: {done}");
    }
    ensure!(fs::read(folder.join("new.rpm"))? == before && !folder.join("x.html").exists());

    // A package with faults gets its page all the same, and the exit code stays 1.
    let mut bytes = before.clone();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(folder.join("new.rpm"), bytes)?;
    let done = verify(&["--report", "page.html", "new.rpm"])?;
    ensure!(done.code == Some(1), "{done}");
    ensure!(fs::read_to_string(folder.join("page.html"))?.contains("Not fit to be installed"));
    Ok(())
}
