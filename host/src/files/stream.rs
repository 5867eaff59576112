//! Long reads and writes: many pieces of one file on their way at once, in order, bounded.

use std::collections::VecDeque;

use bytes::Bytes;

use super::link::Waiting;
use super::sftp::{Fault, Handle, Sftp, data, done};
use super::wire::{Attrs, open};
use crate::limits::{SFTP_FLIGHT_BYTES, SFTP_PIECES_MAX, SFTP_PIECES_START};

fn pieces(chunk: u32) -> usize {
    let fits = SFTP_FLIGHT_BYTES / usize::try_from(chunk).unwrap_or(usize::MAX).max(1);
    fits.clamp(1, SFTP_PIECES_MAX)
}

#[derive(Debug)]
struct Piece {
    offset: u64,
    length: u32,
    waiting: Waiting,
}

/// Reads a file from a place on, to where it ended when it was opened.
#[derive(Debug)]
pub struct Source {
    sftp: Sftp,
    handle: Handle,
    queue: VecDeque<Piece>,
    next: u64,
    /// Where it ends, as far as that is known; a file in `/proc` says 0 and is read until it says that it ends.
    end: Option<u64>,
    window: usize,
    is_over: bool,
}

impl Source {
    /// Of an open file. Nothing behind `end` is asked for.
    #[must_use]
    pub fn new(sftp: &Sftp, handle: Handle, offset: u64, end: Option<u64>) -> Self {
        let end = end.filter(|end| *end > 0);
        Self { sftp: sftp.clone(), handle, queue: VecDeque::new(), next: offset, end, window: SFTP_PIECES_START, is_over: false }
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        self.ask().await?;
        let Some(piece) = self.queue.pop_front().filter(|_| !self.is_over) else { return Ok(None) };
        let Some(bytes) = data(piece.waiting, piece.length).await? else {
            self.is_over = true;
            self.queue.clear();
            return Ok(None);
        };
        let got = u32::try_from(bytes.len()).unwrap_or(piece.length);
        if got < piece.length {
            // What is missing comes before what follows.
            let (offset, length) = (piece.offset + u64::from(got), piece.length - got);
            let waiting = self.sftp.read(&self.handle, offset, length).await?;
            self.queue.push_front(Piece { offset, length, waiting });
        } else {
            self.window = (self.window * 2).min(pieces(self.sftp.read_bytes));
        }
        Ok(Some(bytes))
    }

    async fn ask(&mut self) -> Result<(), Fault> {
        while !self.is_over && self.queue.len() < self.window {
            let left = self.end.map(|end| end.saturating_sub(self.next));
            let length = left.and_then(|left| u32::try_from(left).ok()).unwrap_or(u32::MAX).min(self.sftp.read_bytes);
            if length == 0 {
                break;
            }
            let waiting = self.sftp.read(&self.handle, self.next, length).await?;
            self.queue.push_back(Piece { offset: self.next, length, waiting });
            self.next += u64::from(length);
        }
        Ok(())
    }
}

/// How a file is opened to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It must not be there.
    New,
    /// What is there is dropped.
    Fresh,
    /// What is there is kept up to this offset.
    At(u64),
}

/// Writes a file.
#[derive(Debug)]
pub struct Sink {
    sftp: Sftp,
    /// The file.
    pub handle: Handle,
    queue: VecDeque<Waiting>,
    offset: u64,
}

impl Sink {
    /// Opens it with this mode, if it has to be made.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn open(sftp: &Sftp, path: &[u8], start: Start, mode: u32) -> Result<Self, Fault> {
        let (flags, offset) = match start {
            Start::New => (open::CREATE | open::EXCLUSIVE, 0),
            Start::Fresh => (open::CREATE | open::TRUNCATE, 0),
            Start::At(offset) => (0, offset),
        };
        let handle = sftp.open(path, open::WRITE | flags, &Attrs::with_mode(mode)).await?;
        Ok(Self { sftp: sftp.clone(), handle, queue: VecDeque::new(), offset })
    }

    /// Writes what follows. Waits only when much is on its way.
    ///
    /// # Errors
    ///
    /// What the server says, of this or of earlier bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let chunk = usize::try_from(self.sftp.write_bytes).unwrap_or(usize::MAX);
        for piece in bytes.chunks(chunk.max(1)) {
            while self.queue.len() >= pieces(self.sftp.write_bytes)
                && let Some(first) = self.queue.pop_front()
            {
                done(first).await?;
            }
            self.queue.push_back(self.sftp.write(&self.handle, self.offset, piece).await?);
            self.offset += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    /// What is on its way, and the file: for who sends more before waiting.
    #[must_use]
    pub fn part(self) -> (VecDeque<Waiting>, Handle) {
        (self.queue, self.handle)
    }

    /// Waits until all of it is written.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn finish(mut self) -> Result<Handle, Fault> {
        while let Some(first) = self.queue.pop_front() {
            done(first).await?;
        }
        Ok(self.handle)
    }
}
