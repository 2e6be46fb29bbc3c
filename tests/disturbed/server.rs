//! An index on loopback that serves a folder, and fails as it is told to.

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How the requests for a file fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// its bytes come in twenty parts with a rest in between
    Slow(Duration),
    /// the connection ends in the middle of it
    CutOff,
    /// with this code instead of it
    Code(u16),
    /// as many bytes, and others
    OtherBytes,
}

#[derive(Debug)]
struct Shared {
    folder: Utf8PathBuf,
    /// name of a file → fault, and for how many requests more
    faults: Mutex<BTreeMap<String, (Fault, usize)>>,
    asked: Mutex<BTreeMap<String, usize>>,
    stopped: AtomicBool,
}

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the wheels in a folder: `/simple/NAME/` lists those of a package (PEP 503), `/files/NAME` is one.
    pub fn start(folder: &Utf8Path) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("loopback")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            faults: Mutex::default(),
            asked: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if for_thread.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&for_thread);
                // A client that goes away is none of the server's business.
                std::thread::spawn(move || drop(shared.answer(stream)));
            }
        });
        Ok(Self { shared, port, thread: Some(thread) })
    }

    /// The index, as uv takes it.
    pub fn index(&self) -> String {
        format!("http://127.0.0.1:{}/simple/", self.port)
    }

    /// Lets requests whose path ends in `/NAME` fail from now on, `times` times.
    pub fn fail(&self, name: &str, fault: Fault, times: usize) {
        self.shared.faults.lock().unwrap().insert(name.to_owned(), (fault, times));
        self.shared.asked.lock().unwrap().clear();
    }

    /// From now on nothing fails.
    pub fn mend(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// How many times a file was asked for since the last fault was set.
    pub fn asked(&self, name: &str) -> usize {
        self.shared.asked.lock().unwrap().get(name).copied().unwrap_or(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes it up.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut request = String::new();
        reader.read_line(&mut request)?;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let words: Vec<&str> = request.split_whitespace().collect();
        let [method, path, ..] = words[..] else { anyhow::bail!("no request: {request}") };
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        *self.asked.lock().unwrap().entry(name.clone()).or_default() += 1;
        let fault = self.next_fault(&name);
        let (kind, mut body) = match path.strip_prefix("/files/") {
            Some(_) => ("application/octet-stream", fs::read(self.folder.join(&name)).ok()),
            None => ("text/html", Some(self.page(&name)?.into_bytes())),
        };
        if let Some(Fault::Code(code)) = fault {
            write!(stream, "HTTP/1.1 {code} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
            return Ok(());
        }
        let Some(body) = &mut body else {
            write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
            return Ok(());
        };
        if fault == Some(Fault::OtherBytes) {
            let middle = body.len() / 2;
            body[middle] ^= 1;
        }
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )?;
        match (method, fault) {
            ("HEAD", _) => {}
            (_, Some(Fault::CutOff)) => stream.write_all(&body[..length / 2])?,
            (_, Some(Fault::Slow(rest))) => {
                for part in body.chunks(length.div_ceil(20).max(1)) {
                    stream.write_all(part)?;
                    std::thread::sleep(rest);
                }
            }
            _ => stream.write_all(body)?,
        }
        Ok(stream.flush()?)
    }

    fn next_fault(&self, name: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let (fault, times) = faults.get_mut(name)?;
        *times = times.checked_sub(1)?;
        Some(*fault)
    }

    fn page(&self, package: &str) -> anyhow::Result<String> {
        let mut page = "<!DOCTYPE html><html><body>\n".to_owned();
        for entry in self.folder.read_dir_utf8()? {
            let entry = entry?;
            let file = entry.file_name();
            if file.starts_with(&format!("{package}-")) {
                let sha256 = wheelhaul_host::sha256_of(entry.path())?;
                page.push_str(&format!("<a href=\"/files/{file}#sha256={sha256}\">{file}</a><br>\n"));
            }
        }
        Ok(page + "</body></html>\n")
    }
}
