//! What waits for a server that does not tell systemd when it is ready.

use anyhow::ensure;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};
use wheelhaul::templates::templates;

/// The script, run by the host's Python.
fn wait(port: u16, more: &[&str], process: &str) -> anyhow::Result<(bool, String, Duration)> {
    let values = minijinja::context! { interpreter => "/usr/bin/python3", name => "demo" };
    let text = templates().get_template("wait_until_ready.py")?.render(values)?;
    let start = Instant::now();
    let mut python = Command::new("python3");
    python.args(["-ISB", "-c", &text, "127.0.0.1", &port.to_string()]).args(more).env("MAINPID", process);
    let output = python.output()?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned(), start.elapsed()))
}

#[test]
fn it_returns_when_the_port_is_open() -> anyhow::Result<()> {
    // A port that is free now is opened a moment later.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let server = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        TcpListener::bind(("127.0.0.1", port)).map(|listener| listener.accept().map(drop))
    });
    let (succeeded, said, took) = wait(port, &[], "1")?;
    ensure!(succeeded && took >= Duration::from_secs(1), "after {took:?}: {said}");
    server.join().expect("the server does not panic")??;
    Ok(())
}

#[test]
fn it_fails_at_once_when_the_server_ended() -> anyhow::Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut ended = Command::new("true").spawn()?;
    ended.wait()?;
    let (succeeded, said, took) = wait(port, &[], &ended.id().to_string())?;
    ensure!(!succeeded && said.contains("the server ended before it answered"), "{said}");
    ensure!(took < Duration::from_secs(20), "after {took:?}");
    Ok(())
}

#[test]
fn an_open_port_is_no_handshake() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let server = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut connection, _) = listener.accept()?;
        // The first byte of the client's greeting is enough.
        connection.read_exact(&mut [0; 1])?;
        connection.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n")
    });
    let mut ended = Command::new("true").spawn()?;
    ended.wait()?;
    let (succeeded, said, _) = wait(port, &["tls"], &ended.id().to_string())?;
    ensure!(!succeeded && said.contains("the server ended"), "{said}");
    server.join().expect("the server does not panic")?;
    Ok(())
}
