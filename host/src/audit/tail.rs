//! The end of a file: its last whole record, and what an interrupted write left behind it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::record::{Hash, Link, Torn};
use crate::limits::{AUDIT_TAIL_MAX_BYTES, AUDIT_WINDOW_BYTES};

/// What is at the end of some lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Number and hash of the last whole record.
    pub(super) last: Option<(u64, Hash)>,
    /// Bytes behind it that are no record.
    pub(super) torn: Option<Torn>,
    /// The last line has no newline.
    pub(super) is_open: bool,
}

/// Looks at whole lines and what follows them.
pub(super) fn look(bytes: &[u8]) -> Found {
    let (mut last, mut end, mut at) = (None, 0, 0);
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += piece.len();
        let line = piece.strip_suffix(b"\n").unwrap_or(piece);
        // A record that lacks nothing but its newline is whole.
        if let Some(link) = Link::parse(line) {
            last = Some((link.seq, Hash::of(line)));
            end = at;
        }
    }
    let rest = bytes.get(end..).unwrap_or_default();
    let torn = (!rest.is_empty()).then(|| Torn::of(rest));
    Found { last, torn, is_open: bytes.last().is_some_and(|byte| *byte != b'\n') }
}

/// Reads a part of a file.
pub(super) fn read(file: &File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

/// The end of a file of this length. `None` when too much of it is no record.
pub(super) fn of(file: &File, length: u64) -> io::Result<Option<Found>> {
    let mut window = AUDIT_WINDOW_BYTES;
    loop {
        let from = length.saturating_sub(window);
        let bytes = read(file, from, length)?;
        // The first line is only a part of one, unless the window is the whole file.
        let cut = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        let found = look(bytes.get(if from == 0 { 0 } else { cut }..).unwrap_or_default());
        if found.last.is_some() || from == 0 {
            return Ok(Some(found));
        }
        if window >= AUDIT_TAIL_MAX_BYTES {
            return Ok(None);
        }
        window *= 4;
    }
}
