//! A session's bytes by offset: the newest in memory, older ones in files, the oldest gone.
//!
//! Offsets count from the first byte of the session and never change, so two reads of a range never disagree.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::limits::{LOG_MEMORY_BYTES, LOG_SEGMENT_BYTES, LOG_SEGMENTS_MAX};

/// The log of one session. Its files go when it is dropped.
#[derive(Debug)]
pub struct ByteLog {
    /// The newest bytes; the first one has the offset `memory_start`.
    memory: Vec<u8>,
    memory_start: u64,
    memory_max: usize,
    spill: Option<Spill>,
    /// The first write that failed: from then on only memory is kept.
    failed: Option<io::Error>,
}

#[derive(Debug)]
struct Spill {
    folder: PathBuf,
    name: String,
    segments: VecDeque<Segment>,
    next_number: u64,
}

#[derive(Debug)]
struct Segment {
    file: File,
    path: PathBuf,
    start: u64,
    length: u64,
}

impl ByteLog {
    /// A log that keeps what does not fit into memory in files named after `name` in `folder`.
    #[must_use]
    pub fn with_folder(folder: &Path, name: &str) -> Self {
        let spill = Spill { folder: folder.to_owned(), name: name.to_owned(), segments: VecDeque::new(), next_number: 0 };
        Self { spill: Some(spill), ..Self::in_memory() }
    }

    /// A log without files, which forgets what does not fit into memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { memory: Vec::new(), memory_start: 0, memory_max: LOG_MEMORY_BYTES, spill: None, failed: None }
    }

    /// A log without files that keeps everything, for what is bounded elsewhere.
    #[must_use]
    pub fn whole() -> Self {
        Self { memory_max: usize::MAX, ..Self::in_memory() }
    }

    /// The offset of the oldest byte kept.
    #[must_use]
    pub fn start(&self) -> u64 {
        let oldest = self.spill.as_ref().and_then(|spill| spill.segments.front()).map(|segment| segment.start);
        oldest.unwrap_or(self.memory_start)
    }

    /// The offset behind the newest byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.memory_start + self.memory.len() as u64
    }

    /// Why older bytes are not kept, if writing failed.
    #[must_use]
    pub fn failure(&self) -> Option<&io::Error> {
        self.failed.as_ref()
    }

    /// Appends the session's next bytes.
    pub fn append(&mut self, bytes: &[u8]) {
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > self.memory_max {
            self.spill_oldest();
        }
    }

    /// Puts these in the place of the newest bytes.
    pub fn cover(&mut self, bytes: &[u8]) {
        // What is newest is in memory.
        let count = bytes.len().min(self.memory.len());
        let from = self.memory.len() - count;
        self.memory.truncate(from);
        self.memory.extend_from_slice(bytes.get(bytes.len() - count..).unwrap_or_default());
    }

    /// Moves the older half of the memory out.
    fn spill_oldest(&mut self) {
        let count = self.memory.len() - LOG_MEMORY_BYTES / 2;
        let (old, _) = self.memory.split_at(count);
        let start = self.memory_start;
        if let Some(spill) = &mut self.spill
            && let Err(error) = spill.write(start, old)
        {
            self.failed = Some(error);
            self.spill = None;
        }
        self.memory.drain(..count);
        self.memory_start += count as u64;
    }

    /// The bytes from `start` up to `end`, or what is kept of them; the first number is where they really start.
    ///
    /// # Errors
    ///
    /// When a file of the log cannot be read.
    pub fn read(&self, start: u64, end: u64) -> io::Result<(u64, Cow<'_, [u8]>)> {
        let start = start.clamp(self.start(), self.end());
        let end = end.clamp(start, self.end());
        let index = |offset: u64| usize::try_from(offset.saturating_sub(self.memory_start)).unwrap_or(usize::MAX);
        let newer = self.memory.get(index(start)..index(end)).unwrap_or_default();
        let Some(spill) = self.spill.as_ref().filter(|_| start < self.memory_start) else { return Ok((start, Cow::Borrowed(newer))) };
        let mut out = Vec::with_capacity(usize::try_from(end - start).unwrap_or_default());
        spill.read(start, end.min(self.memory_start), &mut out)?;
        out.extend_from_slice(newer);
        Ok((start, Cow::Owned(out)))
    }
}

impl Spill {
    fn write(&mut self, mut start: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = match self.segments.back() {
                Some(segment) if segment.length < LOG_SEGMENT_BYTES => LOG_SEGMENT_BYTES - segment.length,
                _ => {
                    self.add_segment(start)?;
                    LOG_SEGMENT_BYTES
                }
            };
            let count = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(count);
            let Some(segment) = self.segments.back_mut() else { return Ok(()) };
            segment.file.write_all(now)?;
            segment.length += count as u64;
            start += count as u64;
            bytes = later;
        }
        Ok(())
    }

    fn add_segment(&mut self, start: u64) -> io::Result<()> {
        let path = self.folder.join(format!("{}.{}.log", self.name, self.next_number));
        self.next_number += 1;
        let file = private_file(&path)?;
        self.segments.push_back(Segment { file, path, start, length: 0 });
        if self.segments.len() > LOG_SEGMENTS_MAX
            && let Some(oldest) = self.segments.pop_front()
        {
            fs::remove_file(oldest.path)?;
        }
        Ok(())
    }

    fn read(&self, start: u64, end: u64, out: &mut Vec<u8>) -> io::Result<()> {
        for segment in &self.segments {
            let from = start.max(segment.start);
            let to = end.min(segment.start + segment.length);
            if from >= to {
                continue;
            }
            let mut file = &segment.file;
            file.seek(SeekFrom::Start(from - segment.start))?;
            let read = file.take(to - from).read_to_end(out)? as u64;
            if read != to - from {
                // What follows would stand at offsets that are not its own.
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("`{}` was cut by somebody", segment.path.display())));
            }
            // Writing goes on at the end.
            let mut file = &segment.file;
            file.seek(SeekFrom::End(0))?;
        }
        Ok(())
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(path)
}

impl Drop for Spill {
    fn drop(&mut self) {
        for segment in &self.segments {
            // Nobody is left to tell.
            let _ = fs::remove_file(&segment.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(from: u64, count: usize) -> Vec<u8> {
        (from..).take(count).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect()
    }

    #[test]
    fn every_byte_stays_readable_by_offset_across_memory_and_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = ByteLog::with_folder(folder.path(), "s1");
        let total = LOG_MEMORY_BYTES as u64 * 3 + 17;
        while log.end() < total {
            log.append(&pattern(log.end(), 100_003));
        }
        for start in [0, 1, LOG_MEMORY_BYTES as u64 - 1, total - 5] {
            let (from, bytes) = log.read(start, start + 70_000).unwrap();
            assert_eq!(from, start);
            assert_eq!(*bytes, pattern(start, bytes.len()));
        }
        assert!(fs::read_dir(folder.path()).unwrap().count() > 0);
        drop(log);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_somebody_has_cut_is_an_error_and_moves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = ByteLog::with_folder(folder.path(), "s1");
        log.append(&pattern(0, LOG_MEMORY_BYTES + 1));
        let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        OpenOptions::new().write(true).open(&file).unwrap().set_len(10).unwrap();
        assert_eq!(*log.read(0, 10).unwrap().1, pattern(0, 10));
        assert!(log.read(0, u64::MAX).unwrap_err().to_string().contains("was cut by somebody"));
        let newest = log.end() - 5;
        assert_eq!(*log.read(newest, u64::MAX).unwrap().1, pattern(newest, 5));
    }

    #[test]
    fn what_is_covered_keeps_its_place() {
        let mut log = ByteLog::in_memory();
        log.append(b"echo hunte");
        log.cover(b"*****");
        log.append(b"[secret:x]");
        assert_eq!(log.read(0, u64::MAX).unwrap(), (0, Cow::Borrowed(b"echo *****[secret:x]".as_slice())));
        log.cover(&[b'x'; 100]);
        assert_eq!(log.read(0, u64::MAX).unwrap().1, vec![b'x'; 20]);
    }

    #[test]
    fn without_a_folder_the_oldest_bytes_go_and_the_start_says_so() {
        let mut log = ByteLog::in_memory();
        log.append(&pattern(0, LOG_MEMORY_BYTES + 1));
        let (from, bytes) = log.read(0, 10_000_000).unwrap();
        assert_eq!(from, log.start());
        assert!(from > 0);
        assert_eq!(*bytes, pattern(from, bytes.len()));
    }

    #[test]
    fn the_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mut log = ByteLog::with_folder(folder.path(), "s1");
        log.append(&vec![1; LOG_MEMORY_BYTES + 1]);
        let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
