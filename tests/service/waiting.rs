//! What waits until the server answers, against servers that do so in their own ways.

use anyhow::ensure;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};
use wheelhaul_package::templates;

/// The script, run by the host's Python; whether it succeeded, what it said, and how long it took.
fn wait(port: u16, more: &[&str], process: &str) -> anyhow::Result<(bool, String, Duration)> {
    wait_by("python3", port, more, process)
}

fn wait_by(program: &str, port: u16, more: &[&str], process: &str) -> anyhow::Result<(bool, String, Duration)> {
    let start = Instant::now();
    let output = waiting(program, port, more, process)?.output()?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned(), start.elapsed()))
}

/// The script as a command of this interpreter, not yet started.
fn waiting(program: &str, port: u16, more: &[&str], process: &str) -> anyhow::Result<Command> {
    let values = minijinja::context! { interpreter => "/usr/bin/python3", name => "demo" };
    let text = templates().get_template("wait_until_ready.py")?.render(values)?;
    let mut python = Command::new(program);
    python.args(["-ISB", "-c", &text, "127.0.0.1", &port.to_string()]).args(more).env("MAINPID", process);
    Ok(python)
}

/// The number of a process that is gone.
fn ended_process() -> anyhow::Result<String> {
    let mut ended = Command::new("true").spawn()?;
    ended.wait()?;
    Ok(ended.id().to_string())
}

/// What a server does with each connection.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// answers the first line that it reads, after a while
    Answers(&'static str, Duration),
    /// closes it
    Closes,
}

/// Starts a server that does this with `connections` connections.
fn serve(listener: TcpListener, does: Does, connections: usize) -> std::thread::JoinHandle<std::io::Result<()>> {
    std::thread::spawn(move || {
        for _ in 0..connections {
            let (mut connection, _) = listener.accept()?;
            if let Does::Answers(text, after) = does {
                let mut read = [0; 4096];
                let _ = connection.read(&mut read)?;
                std::thread::sleep(after);
                // Who asked may be gone by now.
                let _ = connection.write_all(text.as_bytes());
            }
        }
        Ok(())
    })
}

#[test]
fn any_http_answer_is_one_and_nothing_else_is() -> anyhow::Result<()> {
    let soon = Duration::ZERO;
    #[rustfmt::skip]
    let cases = [ // the server                                                                     ready
        (Does::Answers("HTTP/1.1 200 OK\r\n\r\n", soon),                                           true),
        (Does::Answers("HTTP/1.0 404 Not Found\r\n\r\n", soon),                                    true),
        (Does::Answers("HTTP/1.1 503 Service Unavailable\r\n\r\n", soon),                          true),
        // A worker that is still loading is not asked again and again.
        (Does::Answers("HTTP/1.1 200 OK\r\n\r\n", Duration::from_secs(3)),                         true),
        (Does::Answers("SSH-2.0-OpenSSH_9.2\r\n", soon),                                           false),
        (Does::Answers("HTT", soon),                                                               false),
        (Does::Answers("", soon),                                                                  false),
        (Does::Closes,                                                                             false),
    ];
    for (does, ready) in cases {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        // One that is not ready is asked over TLS as well.
        let server = serve(listener, does, if ready { 1 } else { 2 });
        let process = if ready { "1".to_owned() } else { ended_process()? };
        let (succeeded, said, took) = wait(port, &[], &process)?;
        ensure!(succeeded == ready, "{does:?} after {took:?}: {said}");
        ensure!(ready || said.contains("the server ended before it answered"), "{does:?}: {said}");
        server.join().expect("the server does not panic")?;
    }
    Ok(())
}

/// systemd holds the socket: a connection is taken by the kernel, and nobody is behind it.
#[test]
fn an_open_port_without_a_server_is_not_ready() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    for more in [&[][..], &["tls"]] {
        let mut server = Command::new("sleep").arg("2").spawn()?;
        let process = server.id().to_string();
        let waiter = std::thread::spawn(move || server.wait());
        let (succeeded, said, took) = wait(port, more, &process)?;
        ensure!(!succeeded && said.contains("the server ended before it answered"), "{more:?}: {said}");
        ensure!((2..20).contains(&took.as_secs()), "{more:?}: after {took:?}");
        waiter.join().expect("it does not panic")?;
    }
    Ok(())
}

/// A stop in the middle of a start: systemd kills what waits, and would call the service failed.
#[test]
fn a_stop_before_the_first_answer_is_no_failure() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut python = waiting("python3", listener.local_addr()?.port(), &[], "1")?.spawn()?;
    // It has begun to ask.
    let (_connection, _) = listener.accept()?;
    ensure!(Command::new("kill").args(["-TERM", &python.id().to_string()]).status()?.success());
    let status = python.wait()?;
    ensure!(status.success(), "{status}");
    Ok(())
}

#[test]
fn a_port_that_opens_later_is_waited_for() -> anyhow::Result<()> {
    // A port that is free now is opened a moment later.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let server = std::thread::spawn(move || -> anyhow::Result<()> {
        std::thread::sleep(Duration::from_secs(1));
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        Ok(serve(listener, Does::Answers("HTTP/1.1 200 OK\r\n\r\n", Duration::ZERO), 1)
            .join()
            .expect("the server does not panic")?)
    });
    let (succeeded, said, took) = wait(port, &[], "1")?;
    ensure!(succeeded && took >= Duration::from_secs(1), "after {took:?}: {said}");
    server.join().expect("the server does not panic")
}

/// With a certificate of its own configuration, which `service.tls` does not know; with one that it wants of its clients;
/// and by each Python of the host.
#[test]
fn an_answer_over_tls_is_one_whatever_the_server_wants() -> anyhow::Result<()> {
    const SERVER: &str = "
import http.server, ssl, sys
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
if sys.argv[3] != 'anybody':
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(sys.argv[1])
    context.maximum_version = getattr(ssl.TLSVersion, sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
";
    let folder = tempfile::tempdir()?;
    let (cert, key) = (folder.path().join("crt"), folder.path().join("key"));
    let words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout"];
    crate::checkout::command::run(Command::new("openssl").args(words).arg(&key).arg("-out").arg(&cert))?.text()?;
    for wants in ["anybody", "TLSv1_2", "TLSv1_3"] {
        let mut server = Command::new("python3")
            .args(["-c", SERVER])
            .args([&cert, &key])
            .arg(wants)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()?;
        let mut line = String::new();
        let out = server.stdout.take().expect("it is piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
        let asked = || -> anyhow::Result<()> {
            for python in crate::every_python()? {
                for more in [&[][..], &["tls"]] {
                    let (succeeded, said, _) = wait_by(&python, line.trim().parse()?, more, &server.id().to_string())?;
                    ensure!(succeeded, "{python} {wants} {more:?}: {said}");
                }
            }
            Ok(())
        };
        let outcome = asked();
        server.kill()?;
        server.wait()?;
        outcome?;
    }
    Ok(())
}

#[test]
fn it_fails_at_once_when_the_server_ended() -> anyhow::Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let (succeeded, said, took) = wait(port, &[], &ended_process()?)?;
    ensure!(!succeeded && said.contains("the server ended before it answered"), "{said}");
    ensure!(said.contains("Connection refused"), "{said}");
    ensure!(took < Duration::from_secs(20), "after {took:?}");
    Ok(())
}

#[test]
fn an_answer_without_tls_is_none_where_tls_is_expected() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let server = serve(listener, Does::Answers("HTTP/1.0 400 Bad Request\r\n\r\n", Duration::ZERO), 1);
    let (succeeded, said, _) = wait(port, &["tls"], &ended_process()?)?;
    ensure!(!succeeded && said.contains("the server ended"), "{said}");
    server.join().expect("the server does not panic")?;
    Ok(())
}
