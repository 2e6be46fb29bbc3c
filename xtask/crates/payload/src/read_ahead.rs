//! A source that is unpacked on another core, a few chunks ahead of its reader. A chunk is as large as the largest frame
//! that this tool writes, so that a frame is unpacked straight into one.

use crate::FRAME_BYTES as CHUNK;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// One that is taken, one that waits, one that is filled; they go round, since memory that is mapped anew costs more
/// than what is put into it.
const CHUNKS: usize = 3;

/// A source of bytes.
pub trait Fill {
    /// Puts bytes into `chunk` after the first `filled`, and adds their number to it: as many as it sees fit, none at
    /// the end.
    ///
    /// # Errors
    /// If the source fails; `filled` then counts what came before.
    fn fill(&mut self, chunk: &mut [u8], filled: &mut usize) -> io::Result<()>;
}

/// Lets `take` read `source`, which another thread reads ahead by a few chunks at most. Gives the source back as well.
///
/// The thread ends when `take` does, also if that leaves a rest. Where reading `source` fails, so does the reader, once
/// what came before is taken.
pub fn read_ahead<T, S: Fill + Send>(mut source: S, take: impl FnOnce(&mut Ahead) -> T) -> (T, S) {
    let (full, chunks) = channel();
    let (used, empty) = channel();
    (0..CHUNKS).for_each(|_| drop(used.send(Vec::new())));
    let taken = thread::scope(|scope| {
        let source = &mut source;
        scope.spawn(move || {
            // Who takes them is gone where one of these fails.
            while let Ok(mut bytes) = empty.recv() {
                if bytes.is_empty() {
                    bytes = vec![0; CHUNK];
                }
                let mut length = 0;
                let read = source.fill(&mut bytes, &mut length);
                let is_last = length == 0 || read.is_err();
                // What was read before it failed is sent first.
                let sent = full.send(Ok(Chunk { bytes, length }));
                if let Err(error) = read {
                    let _ = full.send(Err(error));
                }
                if is_last || sent.is_err() {
                    return;
                }
            }
        });
        take(&mut Ahead { chunks, used, chunk: Chunk::default(), at: 0 })
    });
    (taken, source)
}

#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    length: usize,
}

/// The reader's end of a source that is read ahead.
pub struct Ahead {
    chunks: Receiver<io::Result<Chunk>>,
    used: Sender<Vec<u8>>,
    chunk: Chunk,
    at: usize,
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.chunk.length {
            let used = std::mem::take(&mut self.chunk);
            self.at = 0;
            if !used.bytes.is_empty() {
                // The thread may have ended.
                let _ = self.used.send(used.bytes);
            }
            // Without a sender there is no more.
            let Ok(chunk) = self.chunks.recv() else { return Ok(&[]) };
            self.chunk = chunk?;
        }
        Ok(&self.chunk.bytes[self.at..self.chunk.length])
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

    /// Gives `length` bytes, at most `step` at once, then fails or ends.
    struct Source {
        length: usize,
        step: usize,
        fails: bool,
    }

    impl Fill for Source {
        fn fill(&mut self, chunk: &mut [u8], filled: &mut usize) -> io::Result<()> {
            let count = self.length.min(chunk.len()).min(self.step);
            chunk[..count].fill(b'x');
            self.length -= count;
            *filled += count;
            if count < self.step && self.fails { Err(io::Error::other("damaged")) } else { Ok(()) }
        }
    }

    #[test]
    fn everything_comes_and_then_the_failure() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 5] {
            for (step, fails) in [(CHUNK, false), (CHUNK, true), (700_000, false), (700_000, true)] {
                let mut taken = Vec::new();
                let (read, source) = read_ahead(Source { length, step, fails }, |ahead| ahead.read_to_end(&mut taken));
                assert_eq!((taken.len(), source.length), (length, 0));
                assert_eq!(read.is_err(), fails, "{length} by {step}");
            }
        }
    }

    #[test]
    fn who_takes_a_part_waits_for_nothing() {
        let source = Source { length: usize::MAX, step: CHUNK, fails: false };
        let (first, source) = read_ahead(source, |ahead| {
            let mut byte = [0];
            ahead.read_exact(&mut byte).map(|()| byte[0])
        });
        assert_eq!(first.unwrap(), b'x');
        assert!(usize::MAX - source.length <= CHUNKS * CHUNK, "it was read further ahead than there is room for");
    }
}
