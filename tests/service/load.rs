//! Requests without a pause, each over a connection of its own, while something happens to the service.

use crate::machine::Machine;
use anyhow::{Context, ensure};
use camino::Utf8Path;
use fs_err as fs;

/// Asks until a file appears, then prints how many were answered, and each that was not.
const LOAD: &str = r#"
import os, socket, ssl, sys, threading, time

port, workers, stop = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
good, bad = [0] * workers, []


def ask():
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        with context.wrap_socket(plain) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    if b" 200 " not in answer.split(b"\r\n")[0] or b'"ok"' not in answer:
        raise ValueError(answer[:200])


def work(number):
    while not os.path.exists(stop):
        start = time.time()
        try:
            ask()
            good[number] += 1
        except Exception as error:
            bad.append("%.3f after %.3f s: %r" % (start, time.time() - start, error))


threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(good), len(bad))
print("\n".join(bad[:20]))
"#;

/// Puts the script where the machine sees it.
pub fn write(share: &Utf8Path) -> anyhow::Result<()> {
    Ok(fs::write(share.join("load.py"), LOAD)?)
}

/// Runs `script` on the machine while four workers ask the service, and wants every request answered.
pub fn none_fails(machine: &Machine, port: &str, script: &str) -> anyhow::Result<()> {
    let said = machine.script(&format!(
        "rm -f /run/stop-load
         python3 /mnt/load.py {port} 4 /run/stop-load > /run/load & load=$!
         sleep 1
         failed=0
         ( {script} ) > /run/load-script 2>&1 || failed=$?
         sleep 1
         touch /run/stop-load
         wait $load
         cat /run/load
         test $failed = 0 || cat /run/load-script
         exit $failed"
    ))?;
    let (good, bad) = said.lines().next().and_then(|line| line.split_once(' ')).context("no count")?;
    ensure!(good.parse::<u32>()? > 20, "too few requests to tell:\n{said}");
    ensure!(bad == "0", "requests failed:\n{said}");
    Ok(())
}
