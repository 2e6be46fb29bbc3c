//! Every server that is known, started by the command that is written for it: with TLS and without, by itself and with the
//! socket that systemd would hand over.

use crate::checkout::command::run;
use crate::checkout::repository;
use anyhow::{Context, bail, ensure};
use camino::Utf8Path;
use fs_err as fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use wheelhaul_boxes::Target;
use wheelhaul_config::Config;
use wheelhaul_package::service::{ServiceFacts, ServiceProgram};

/// The same page for WSGI and for ASGI.
const APPLICATION: &str = r#"
def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served"]


async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"served"})
"#;

/// Asks until there is an answer, for half a minute.
const CLIENT: &str = r#"
import ssl, sys, time, urllib.request
for attempt in range(300):
    try:
        print(urllib.request.urlopen(sys.argv[1], timeout=5, context=ssl._create_unverified_context()).read().decode())
        break
    except OSError as error:
        said = error
        time.sleep(0.1)
else:
    sys.exit(str(said))
"#;

/// Opens a socket as systemd does, hands it over as file 3 (sd_listen_fds(3)), and becomes the server.
const HANDED_OVER: &str = r#"
import os, socket, sys
listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind(("127.0.0.1", int(sys.argv[1])))
listening.listen()
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"#;

/// A server that is the head of a process group of its own: some have workers, who would outlive it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = run(Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]));
        let _ = self.0.wait();
    }
}

#[test]
fn every_known_server_takes_address_port_and_certificate_as_written() -> anyhow::Result<()> {
    let script = repository().join("tests/python/tools.py");
    let python = run(Command::new("python3")
        .arg("-B")
        .arg(script)
        .arg(repository().join("target/xtask/test-servers"))
        .arg("servers"))?
    .text()?;
    let bin = Utf8Path::new(&python).parent().context("Python is in a folder")?;
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
    fs::write(folder.join("both.py"), APPLICATION)?;
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout"];
    run(Command::new("openssl").args(words).args([key.as_str(), "-out", cert.as_str()]))?.text()?;
    #[rustfmt::skip]
    let cases = [
        ("gunicorn",       "both:wsgi", false), ("gunicorn",  "both:wsgi", true),
        ("hypercorn",      "both:asgi", false), ("hypercorn", "both:asgi", true),
        ("uvicorn",        "both:asgi", false), ("uvicorn",   "both:asgi", true),
        ("waitress-serve", "both:wsgi", false),
    ];
    let target = Target::find("el9-x86_64", Some("3.11"), None)?;
    let mut handed_over = 0;
    for (server, application, tls, by_systemd) in
        cases.iter().flat_map(|(server, application, tls)| [true, false].map(|by| (*server, *application, *tls, by)))
    {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let given = if tls { format!("{{ cert = \"{cert}\", key = \"{key}\" }}") } else { "\"off\"".to_owned() };
        let config = Config::parse(&format!(
            "[package]\nname = \"both\"\nrelease = \"1\"\n[app]\npath = \".\"\nlock = \"pylock.toml\"\n[[target]]\nname = \
             \"el9-x86_64\"\n[service]\ncommand = [\"{server}\", \"{application}\"]\naddress = \"127.0.0.1\"\nport = \
             {port}\ntls = {given}\n{}",
            if by_systemd { "" } else { "socket-activation = false\n" }
        ))?;
        let root = config.package.root();
        let facts = ServiceFacts {
            name: "both",
            summary: "",
            root: &root,
            service: &config.service,
            target: &target,
            server_version: None,
        };
        if by_systemd != facts.is_socket_activated() {
            // It takes none, and was tried as one that listens by itself.
            continue;
        }
        handed_over += usize::from(by_systemd);
        let words = facts.command(ServiceProgram::Script)?;
        let own = words.iter().position(|word| word.ends_with(server)).context("the server is not in its command")?;
        let said = fs::File::create(folder.join("said"))?;
        let mut started = Command::new(if by_systemd { bin.join("python") } else { bin.join(server) });
        if by_systemd {
            started.args(["-c", HANDED_OVER]).arg(port.to_string()).arg(bin.join(server));
        }
        let _server = Ended(
            started
                .args(&words[own + 1..])
                .current_dir(folder)
                .env("PYTHONPATH", folder)
                .process_group(0)
                .stdin(Stdio::null())
                .stdout(said.file().try_clone()?)
                .stderr(said.file().try_clone()?)
                .spawn()?,
        );
        let url = format!("{}://127.0.0.1:{port}/", if tls { "https" } else { "http" });
        let answer = run(Command::new("python3").args(["-I", "-c", CLIENT, &url]))?;
        if !answer.succeeded() || answer.stdout.trim() != "served" {
            bail!("{words:?}: {answer}\n{}", fs::read_to_string(folder.join("said"))?);
        }
    }
    ensure!(handed_over == 6, "{handed_over} were given a socket");
    Ok(())
}
