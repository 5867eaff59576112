//! Finds what was changed, cut, moved, taken out or put into a record.
//!
//! It reads line by line and goes on behind what is wrong, so that one change does not hide the next one.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::{HashAlg, PublicKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::record::{Cut, Hash, Link, Signed, Torn};
use super::{files, key};
use crate::limits::{AUDIT_LINE_MAX_BYTES, AUDIT_PROBLEMS_MAX};

/// What came of it.
#[derive(Debug, Default)]
pub struct Verified {
    /// Whole records.
    pub records: u64,
    /// The number of the first one.
    pub first: Option<u64>,
    /// Number and hash of the last one.
    pub last: Option<(u64, Hash)>,
    /// When the first one was written.
    pub since: Option<String>,
    /// When the last one was written.
    pub until: Option<String>,
    /// Signatures that were checked.
    pub signatures: u64,
    /// The key that they were checked with.
    pub key: Option<String>,
    /// Files that were read.
    pub files: Vec<PathBuf>,
    /// Writes that were interrupted: no record was lost that anything relied on.
    pub torn: Vec<Place>,
    /// What is wrong, in the order of the lines; the first ones.
    pub problems: Vec<Place>,
    /// All that is wrong.
    pub wrong: u64,
}

/// Something at a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; none where it is about the file.
    pub line: Option<u64>,
    /// What is there.
    pub what: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Why it cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is nothing.
    #[error("there is no audit record in `{}`; it begins with the first process that runs commands", .0.display())]
    Nothing(PathBuf),
    /// A file.
    #[error("cannot read `{}`: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// Checks everything in a folder. With a key it must be this one that signed, whatever key lies in the folder.
///
/// # Errors
///
/// When there is nothing to check, or it cannot be read.
pub fn folder(folder: &Path, trusted: Option<&Path>) -> Result<Verified, VerifyError> {
    if !super::exists(folder) {
        return Err(VerifyError::Nothing(folder.to_owned()));
    }
    let (parts, head) = files::at_once(folder).map_err(|(path, cause)| VerifyError::File { path, cause })?;
    let public = trusted.map_or_else(|| key::public_path(folder), Path::to_owned);
    let mut checking = Checking::new(key::public(&public).map_err(|error| (public.clone(), error)));
    if let Ok(head) = &head {
        checking.wanted = Some(head.seq);
    }
    let last = parts.len().saturating_sub(1);
    for (number, (path, file, length)) in parts.into_iter().enumerate() {
        let read = checking.file(&path, BufReader::new(file.take(length)), number == last);
        read.map_err(|cause| VerifyError::File { path, cause })?;
    }
    checking.head(&files::head_path(folder), head);
    if checking.verified.first.is_some_and(|first| first > 1) {
        checking.starts_late();
    }
    Ok(checking.verified)
}

/// Checks one file by itself. What comes before and after it is not asked for.
///
/// # Errors
///
/// When it cannot be read.
pub fn file(path: &Path, trusted: Option<&Path>) -> Result<Verified, VerifyError> {
    let failed = |cause| VerifyError::File { path: path.to_owned(), cause };
    let beside = || key::public_path(path.parent().unwrap_or_else(|| Path::new("")));
    let public = trusted.map_or_else(beside, Path::to_owned);
    let reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut checking = Checking::new(key::public(&public).map_err(|error| (public.clone(), error)));
    checking.file(path, reader, true).map_err(failed)?;
    Ok(checking.verified)
}

/// Checks a text, for tests: with this key, and with this record as the newest one that must be there.
#[must_use]
pub fn text(bytes: &[u8], public: &PublicKey, head: Option<key::Head>) -> Verified {
    let mut checking = Checking::new(Ok(public.clone()));
    checking.wanted = head.as_ref().map(|head| head.seq);
    // Memory can be read.
    let _ = checking.file(Path::new("text"), bytes, true);
    if let Some(head) = head {
        checking.head(Path::new("head"), Ok(head));
    }
    if checking.verified.first.is_some_and(|first| first > 1) {
        checking.starts_late();
    }
    checking.verified
}

struct Checking {
    verified: Verified,
    key: Result<PublicKey, (PathBuf, io::Error)>,
    key_is_told: bool,
    /// The number of the record that was signed last, and its hash once it was read.
    wanted: Option<u64>,
    found: Option<Hash>,
    path: PathBuf,
    line: u64,
    odd: Option<Odd>,
}

/// Lines that are no records: perhaps an interrupted write, which the next record tells.
struct Odd {
    line: u64,
    bytes: u64,
    /// Of all of its bytes but a last newline, and of all.
    without_end: Sha256,
    whole: Sha256,
    is_open: bool,
}

impl Odd {
    fn add(&mut self, piece: &[u8]) {
        let line = piece.strip_suffix(b"\n").unwrap_or(piece);
        self.bytes += piece.len() as u64;
        self.is_open = line.len() == piece.len();
        self.whole.update(line);
        self.without_end = self.whole.clone();
        if !self.is_open {
            self.whole.update(b"\n");
        }
    }

    /// Is it what a record says was torn? The newline at its end may be the next writer's.
    fn is(&self, torn: &Torn) -> bool {
        let fits = |bytes, state: &Sha256| torn.bytes == bytes && torn.sha256 == Hash::from_state(state.clone()).to_string();
        fits(self.bytes, &self.whole) || !self.is_open && fits(self.bytes - 1, &self.without_end)
    }
}

/// The fields of the kinds that are looked into.
#[derive(Deserialize)]
struct Fields<T> {
    #[serde(flatten)]
    own: T,
}

fn fields<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Option<T> {
    serde_json::from_slice::<Fields<T>>(line).ok().map(|fields| fields.own)
}

impl Checking {
    fn new(key: Result<PublicKey, (PathBuf, io::Error)>) -> Self {
        let fingerprint = key.as_ref().ok().map(|key| key.fingerprint(HashAlg::Sha256).to_string());
        Self {
            verified: Verified { key: fingerprint, ..Verified::default() },
            key,
            key_is_told: false,
            wanted: None,
            found: None,
            path: PathBuf::new(),
            line: 0,
            odd: None,
        }
    }

    fn wrong(&mut self, line: Option<u64>, what: String) {
        self.verified.wrong += 1;
        if self.verified.problems.len() < AUDIT_PROBLEMS_MAX {
            self.verified.problems.push(Place { file: self.path.clone(), line, what });
        }
    }

    fn file(&mut self, path: &Path, mut reader: impl BufRead, is_last: bool) -> io::Result<()> {
        self.path = path.to_owned();
        self.line = 0;
        self.verified.files.push(path.to_owned());
        let mut piece = Vec::new();
        loop {
            piece.clear();
            if reader.by_ref().take(AUDIT_LINE_MAX_BYTES).read_until(b'\n', &mut piece)? == 0 {
                break;
            }
            self.line += 1;
            self.piece(&piece);
        }
        self.end(is_last);
        Ok(())
    }

    fn piece(&mut self, piece: &[u8]) {
        let line = piece.strip_suffix(b"\n").unwrap_or(piece);
        match Link::parse(line) {
            Some(link) => self.record(&link, line),
            None => {
                let number = self.line;
                let begin = || Odd { line: number, bytes: 0, without_end: Sha256::new(), whole: Sha256::new(), is_open: false };
                self.odd.get_or_insert_with(begin).add(piece);
            }
        }
    }

    fn record(&mut self, link: &Link, line: &[u8]) {
        if let Some(odd) = self.odd.take() {
            let torn = (link.kind == "torn").then(|| fields::<Torn>(line)).flatten();
            if torn.is_some_and(|torn| odd.is(&torn)) {
                let what = format!("{} bytes of a write that was interrupted; the next record says so", odd.bytes);
                self.verified.torn.push(Place { file: self.path.clone(), line: Some(odd.line), what });
            } else {
                self.wrong(Some(odd.line), "is no record: it was changed or put in".to_owned());
            }
        } else if link.kind == "torn" {
            self.wrong(Some(self.line), format!("record {} tells of an interrupted write, which is not there any more", link.seq));
        }
        self.order(link, line);
        let hash = Hash::of(line);
        if link.kind == "head" {
            self.signature(link, line);
        }
        if self.wanted == Some(link.seq) {
            self.found = Some(hash);
        }
        let verified = &mut self.verified;
        verified.records += 1;
        verified.first.get_or_insert(link.seq);
        verified.since.get_or_insert_with(|| link.at.clone());
        verified.until = Some(link.at.clone());
        verified.last = Some((link.seq, hash));
    }

    /// Does it follow the record before it?
    fn order(&mut self, link: &Link, line: &[u8]) {
        let here = Some(self.line);
        let Some((last, hash)) = self.verified.last else {
            if link.seq == 1 && link.prev != Hash::NONE.to_string() {
                self.wrong(here, "record 1 has one before it".to_owned());
            }
            return;
        };
        let is_chained = link.prev == hash.to_string();
        let next = last + 1;
        if link.kind == "cut"
            && let Some(cut) = fields::<Cut>(line)
        {
            let (from, to, at) = (cut.from, cut.to, &link.at);
            self.wrong(here, format!("records {from} to {to} were gone when a process looked, at {at}"));
            if is_chained && link.seq == cut.to.max(last) + 1 {
                return;
            }
        }
        let seq = link.seq;
        match (is_chained, seq.cmp(&next)) {
            (true, std::cmp::Ordering::Equal) => {}
            (false, std::cmp::Ordering::Equal) => {
                let before = self.line.saturating_sub(1);
                let what = format!("record {last} is not the one that record {seq} follows: one of the two was changed");
                self.wrong(if before == 0 { here } else { Some(before) }, what);
            }
            (_, std::cmp::Ordering::Greater) => {
                let what = if seq == next + 1 {
                    format!("record {next} is missing")
                } else {
                    format!("records {next} to {} are missing", seq - 1)
                };
                self.wrong(here, format!("{what} before record {seq}: taken out or moved"));
            }
            (_, std::cmp::Ordering::Less) => {
                self.wrong(here, format!("record {seq} comes after record {last}: moved or put in"));
            }
        }
    }

    fn signature(&mut self, link: &Link, line: &[u8]) {
        let Some(key) = self.key() else { return };
        let signed = fields::<Signed>(line);
        let seq = link.seq.saturating_sub(1);
        if signed.is_some_and(|signed| key::is_signed(&key, seq, &link.prev, &signed.signature)) {
            self.verified.signatures += 1;
        } else {
            self.wrong(Some(self.line), format!("the signature of record {seq} is not by the key {}", fingerprint(&key)));
        }
    }

    /// The key; without one that is told once.
    fn key(&mut self) -> Option<PublicKey> {
        match &self.key {
            Ok(key) => Some(key.clone()),
            Err((path, error)) => {
                let what =
                    format!("no signature can be checked: {error}; `jackfield audit verify --key FILE` takes the key from elsewhere");
                let place = Place { file: path.clone(), line: None, what };
                if !std::mem::replace(&mut self.key_is_told, true) {
                    self.verified.wrong += 1;
                    self.verified.problems.push(place);
                }
                None
            }
        }
    }

    /// A file has ended.
    fn end(&mut self, is_last: bool) {
        let Some(odd) = self.odd.take() else { return };
        if is_last {
            let what = format!("{} bytes of a write that was interrupted, at the end", odd.bytes);
            self.verified.torn.push(Place { file: self.path.clone(), line: Some(odd.line), what });
        } else {
            self.wrong(Some(odd.line), "is no record: it was changed or put in".to_owned());
        }
    }

    /// The record that was signed last must be there.
    fn head(&mut self, path: &Path, head: io::Result<key::Head>) {
        let end = (self.path.clone(), self.line);
        self.path = path.to_owned();
        let head = match head {
            Ok(head) => head,
            Err(error) => {
                return self.wrong(None, format!("the signed head cannot be read, so nobody knows whether the end was cut: {error}"));
            }
        };
        let Some(key) = self.key() else { return };
        if !key::is_signed(&key, head.seq, &head.sha256, &head.signature) {
            return self.wrong(None, format!("its signature is not by the key {}", fingerprint(&key)));
        }
        self.verified.signatures += 1;
        let (seq, at) = (head.seq, &head.at);
        self.path = end.0;
        match (self.found, self.verified.last) {
            // Signed before the first record.
            _ if seq == 0 => {}
            (Some(found), _) if found.to_string() == head.sha256 => {}
            (Some(_), _) => self.wrong(Some(end.1), format!("record {seq} is not the one that was signed at {at}")),
            (None, Some((last, _))) if last < seq => {
                self.wrong(Some(end.1), format!("records {} to {seq} are cut off: record {seq} was signed at {at}", last + 1));
            }
            (None, _) => self.wrong(None, format!("record {seq}, which was signed at {at}, is missing")),
        }
    }

    fn starts_late(&mut self) {
        let first = self.verified.first.unwrap_or_default();
        let path = self.verified.files.first().cloned().unwrap_or_default();
        let what = format!(
            "the first record is {first}: those before it are missing; put earlier files back, or check this file alone by naming it"
        );
        self.verified.wrong += 1;
        self.verified.problems.insert(0, Place { file: path, line: Some(1), what });
    }
}

fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}
