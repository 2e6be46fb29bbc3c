//! A source that is read on another core, a few chunks ahead of who takes it.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

const CHUNK: usize = 256 << 10;
/// Chunks that may wait.
const WAITING: usize = 4;

/// Lets `take` read `source`, which another thread reads ahead by one megabyte at most.
///
/// - Ends: the thread too, when `take` has what it wants and leaves the rest.
/// - Fails: the reader, once what came before is taken, where reading `source` did.
pub(super) fn read_ahead<T>(mut source: impl Read + Send, take: impl FnOnce(&mut Ahead) -> T) -> T {
    let (full, chunks) = sync_channel(WAITING);
    thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                let mut chunk = Vec::with_capacity(CHUNK);
                let read = (&mut source).take(CHUNK as u64).read_to_end(&mut chunk);
                let is_last = chunk.len() < CHUNK;
                // What was read before it failed is sent first.
                if full.send(Ok(chunk)).is_err() {
                    return;
                }
                if let Err(error) = read {
                    let _ = full.send(Err(error));
                    return;
                }
                if is_last {
                    return;
                }
            }
        });
        take(&mut Ahead { chunks, chunk: Vec::new(), at: 0 })
    })
}

/// What is taken of the source.
pub(super) struct Ahead {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.chunk.len() {
            // Without a sender there is no more.
            let Ok(chunk) = self.chunks.recv() else { return Ok(&[]) };
            (self.chunk, self.at) = (chunk?, 0);
        }
        Ok(&self.chunk[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let count = ready.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `length` bytes, then fails or ends.
    struct Source {
        length: usize,
        fails: bool,
    }

    impl Read for Source {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.length.min(buffer.len()).min(70_000);
            buffer[..count].fill(b'x');
            self.length -= count;
            if count == 0 && self.fails { Err(io::Error::other("damaged")) } else { Ok(count) }
        }
    }

    #[test]
    fn everything_comes_and_then_the_failure() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 20 * CHUNK + 5] {
            for fails in [false, true] {
                let mut taken = Vec::new();
                let read = read_ahead(Source { length, fails }, |ahead| ahead.read_to_end(&mut taken));
                assert_eq!(taken.len(), length);
                assert_eq!(read.is_err(), fails, "{length}");
            }
        }
    }

    #[test]
    fn who_takes_a_part_waits_for_nothing() {
        let source = Source { length: usize::MAX, fails: false };
        let first = read_ahead(source, |ahead| {
            let mut byte = [0];
            ahead.read_exact(&mut byte).map(|()| byte[0])
        });
        assert_eq!(first.unwrap(), b'x');
    }
}
