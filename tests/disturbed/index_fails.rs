//! An index that is slow, cuts off, answers 500 or serves other bytes; wheels that rot where they lie.

use crate::app::{LOCK, Made, differences, made, small};
use crate::checkout::command::run;
use crate::repository::Repository;
use crate::server::{Fault, Server};
use anyhow::ensure;
use fs_err as fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

const BETA: &str = "beta-1.0-py3-none-any.whl";
const WHEEL: &str = "dist/wheels/beta-1.0-py3-none-any.whl";

/// A repository whose index is a server; what its `dist` makes; the server.
fn served() -> anyhow::Result<(Repository, Made, Server)> {
    let repository = small()?;
    let server = Server::start(&repository.index)?;
    repository.write("app/uv.toml", &format!("[[index]]\nurl = \"{}\"\ndefault = true\n", server.index()))?;
    let finished = dist(&repository)?;
    ensure!(finished.succeeded(), "{finished}");
    let expected = made(&repository)?;
    Ok((repository, expected, server))
}

/// `dist`, with clients that remember nothing of earlier runs and lose no time between tries.
fn dist(repository: &Repository) -> anyhow::Result<crate::checkout::command::Finished> {
    let mut command = repository.command(&["dist", "-q"]);
    command.env("UV_NO_CACHE", "1").env("PIP_NO_CACHE_DIR", "1").env("PIP_TIMEOUT", "4").env("UV_HTTP_TIMEOUT", "4");
    for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command.env("NO_PROXY", "127.0.0.1");
    run(&mut command)
}

#[test]
fn an_index_that_fails_is_asked_again_or_named_with_the_cause() -> anyhow::Result<()> {
    let (repository, expected, server) = served()?;
    let rest = Duration::from_millis(30);
    const ALWAYS: usize = 1000;
    // What is taken away before, the file that fails, how, how often; what is said where it ends badly.
    #[rustfmt::skip]
    let cases: [(&str, &str, Fault, usize, &[&str]); 9] = [
        ("a slow file",               BETA,   Fault::Slow(rest), ALWAYS, &[]),
        ("a slow list",               "beta", Fault::Slow(rest), ALWAYS, &[]),
        ("a file that is cut off",    BETA,   Fault::CutOff,     1,      &[]),
        ("a file after two 500",      BETA,   Fault::Code(500),  2,      &[]),
        ("a list after two 503",      "beta", Fault::Code(503),  2,      &[]),
        ("a file that is always 500", BETA,   Fault::Code(500),  ALWAYS, &["pip could not download the wheels", BETA, "500"]),
        ("a file that is gone",       BETA,   Fault::Code(404),  ALWAYS, &["pip could not download the wheels", BETA, "404"]),
        ("a file with other bytes",   BETA,   Fault::OtherBytes, ALWAYS, &["pip could not download the wheels", BETA, "other bytes than were locked"]),
        ("a list that is always 500", "beta", Fault::Code(500),  ALWAYS, &["beta", "500"]),
    ];
    for (what, file, fault, times, says) in cases {
        for path in [WHEEL, LOCK] {
            // The lists are asked for the lock, the files for what is missing.
            if path == WHEEL || file == "beta" {
                fs::remove_file(repository.folder.join(path))?;
            }
        }
        server.fail(file, fault, times);
        let finished = dist(&repository)?;
        println!("{what}: {:?}, asked {} times\n{}", finished.code, server.asked(file), finished.stderr);
        let least = match fault {
            Fault::Slow(_) | Fault::OtherBytes | Fault::Code(404) => 1,
            _ => times.min(2) + 1,
        };
        ensure!(server.asked(file) >= least, "{what}: asked {} times", server.asked(file));
        if says.is_empty() {
            ensure!(finished.succeeded(), "{what}: {finished}");
        } else {
            ensure!(finished.code == Some(2), "{what}: {finished}");
            let missing: Vec<_> = says.iter().filter(|word| !finished.stderr.contains(**word)).collect();
            ensure!(missing.is_empty(), "{what}: {missing:?} is not said: {finished}");
            let faults = differences(&made(&repository)?, &expected, false);
            ensure!(faults.is_empty(), "{what}: {}", faults.join("\n"));
            server.mend();
            let again = dist(&repository)?;
            ensure!(again.succeeded(), "{what}: {again}");
        }
        let faults = differences(&made(&repository)?, &expected, true);
        ensure!(faults.is_empty(), "{what}: {}", faults.join("\n"));
    }
    Ok(())
}

#[test]
fn a_wheel_that_rotted_is_found_and_fetched_again() -> anyhow::Result<()> {
    let (repository, expected, _server) = served()?;
    let wheel = repository.folder.join(WHEEL);
    let good = fs::read(&wheel)?;
    let mut flipped = good.clone();
    flipped[good.len() / 3] ^= 0x10;
    #[rustfmt::skip]
    let cases: [(&str, Vec<u8>); 4] = [
        ("a bit is flipped",  flipped),
        ("it is cut short",   good[..good.len() / 2].to_vec()),
        ("it is empty",       Vec::new()),
        ("more behind it",    [good.as_slice(), b"x"].concat()),
    ];
    for (what, bytes) in cases {
        fs::write(&wheel, bytes)?;
        let offline = repository.run(&["rpm", "--offline", "-q"])?;
        ensure!(offline.code == Some(2) && offline.stderr.contains("beta"), "{what}: {offline}");
        let finished = dist(&repository)?;
        ensure!(finished.succeeded(), "{what}: {finished}");
        let faults = differences(&made(&repository)?, &expected, true);
        ensure!(faults.is_empty(), "{what}: {}", faults.join("\n"));
    }
    // What is no file is not ours to remove.
    fs::remove_file(&wheel)?;
    symlink("/nowhere", &wheel)?;
    let refused = dist(&repository)?;
    ensure!(refused.code == Some(2) && refused.stderr.contains("is no file"), "{refused}");
    Ok(())
}

#[test]
fn an_application_that_cannot_be_built_does_not_wait_for_wheels() -> anyhow::Result<()> {
    const SLOWEST: Duration = Duration::from_secs(3);
    const DELTA: &str = "delta-1.0-py3-none-any.whl";
    let (repository, expected, server) = served()?;
    let backend = repository.read("app/backend.py")?;
    // By then the wheel is on its way.
    repository.write("app/backend.py", "import time\ntime.sleep(4)\nraise RuntimeError('the backend says no')\n")?;
    fs::remove_file(repository.folder.join("dist/wheels").join(DELTA))?;
    server.fail(DELTA, Fault::Slow(SLOWEST), 1000);
    let start = Instant::now();
    let refused = dist(&repository)?;
    // The server rests twenty times.
    ensure!(start.elapsed() < 10 * SLOWEST, "it took {:?}", start.elapsed());
    ensure!(server.asked(DELTA) == 1, "the wheel was not on its way: {refused}");
    let says = ["failed to build the application's wheel", "the backend says no"];
    ensure!(refused.code == Some(2) && says.iter().all(|words| refused.stderr.contains(words)), "{refused}");
    let left = repository.folder.join("dist/wheels").read_dir_utf8()?.flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name().to_owned()).filter(|name| name.starts_with('.')).collect();
    ensure!(left.is_empty(), "half fetched: {left:?}");
    server.mend();
    repository.write("app/backend.py", &backend)?;
    let again = dist(&repository)?;
    ensure!(again.succeeded(), "{again}");
    let faults = differences(&made(&repository)?, &expected, true);
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}
