//! Finds files by pattern, and lines in files, over the file service itself: no program on the device is needed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use regex::bytes::Regex;
use tokio::task::JoinSet;

use super::FilesError;
use super::name::{join, shown};
use super::read::Item;
use super::remote::Remote;
use super::text::{Encoding, Masked};
use super::tree::{Ignore, walk};
use super::wire::Kind;
use crate::limits::{
    FILE_LINE_MAX_CHARS, FILE_WHOLE_MAX_BYTES, GLOB_FOLDERS_MAX, GLOB_FOUND_MAX, SEARCH_BYTES_MAX, SEARCH_FILES_AT_ONCE, SEARCH_FOUND_MAX,
};
use crate::secret::look::Mask;
use crate::secret::redact::Redactor;

/// Does a path hold characters of a pattern?
#[must_use]
pub fn is_pattern(path: &[u8]) -> bool {
    path.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// All that fits a pattern: `*`, `?` and `[...]` within a name, `**` for any number of folders. Names that begin with a dot fit only a dot.
///
/// # Errors
///
/// When it is none, or too much fits.
pub async fn glob(remote: &Remote, pattern: &[u8]) -> Result<Vec<Item>, FilesError> {
    let mut found: Vec<Vec<u8>> = vec![if pattern.first() == Some(&b'/') { b"/".to_vec() } else { Vec::new() }];
    let parts: Vec<&[u8]> = pattern.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
    let mut looked = 0;
    let mut items = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let is_last = number + 1 == parts.len();
        if !is_pattern(part) && !is_last {
            found = found.iter().map(|folder| join(folder, part)).collect();
            continue;
        }
        let fits = matcher(part)?;
        let mut next = Vec::new();
        let mut folders = std::mem::take(&mut found);
        while let Some(folder) = folders.pop() {
            looked += 1;
            if looked > GLOB_FOLDERS_MAX || items.len() > GLOB_FOUND_MAX {
                return Err(FilesError::Refused(format!(
                    "`{}` fits more than {GLOB_FOUND_MAX} files, or would look into more than {GLOB_FOLDERS_MAX} folders; make it narrower",
                    shown(pattern)
                )));
            }
            let place = if folder.is_empty() { b".".as_slice() } else { &folder };
            let Some(entries) = listed(remote, place).await? else { continue };
            if *part == b"**" {
                next.push(folder.clone());
            }
            for entry in entries {
                let path = join(&folder, &entry.name);
                let is_folder = entry.attrs.kind() == Kind::Folder;
                let is_hidden = entry.name.first() == Some(&b'.') && part.first() != Some(&b'.');
                if *part == b"**" {
                    // Into every folder below; links are not followed.
                    if is_folder && !is_hidden {
                        folders.push(path.clone());
                    }
                    if is_last && !is_hidden {
                        items.push(item(remote, path, entry.attrs).await);
                    }
                } else if fits.is_match(OsStr::from_bytes(&entry.name)) && !is_hidden {
                    if is_last {
                        items.push(item(remote, path, entry.attrs).await);
                    } else if is_folder || entry.attrs.kind() == Kind::Link {
                        next.push(path);
                    }
                }
            }
        }
        found = next;
    }
    items.sort_by(|one, other| one.path.cmp(&other.path));
    items.dedup_by(|one, other| one.path == other.path);
    Ok(items)
}

async fn item(remote: &Remote, path: Vec<u8>, attrs: super::wire::Attrs) -> Item {
    let leads_to = if attrs.kind() == Kind::Link { remote.read_link(&path).await.ok() } else { None };
    Item { path, attrs, leads_to }
}

/// The entries of a folder that can be looked into.
async fn listed(remote: &Remote, folder: &[u8]) -> Result<Option<Vec<super::wire::Name>>, FilesError> {
    match remote.list(folder).await {
        Ok(entries) => Ok(Some(entries)),
        Err(error) if error.is_broken() => Err(error),
        Err(_) => Ok(None),
    }
}

fn matcher(part: &[u8]) -> Result<GlobMatcher, FilesError> {
    let wrong = |why: String| FilesError::Refused(format!("`{}` is no pattern for names: {why}", shown(part)));
    let text = std::str::from_utf8(part).map_err(|_| wrong("a pattern must be UTF-8".to_owned()))?;
    let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
    Ok(glob.map_err(|error| wrong(error.kind().to_string()))?.compile_matcher())
}

/// A line that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// In which file.
    pub path: Vec<u8>,
    /// Its number.
    pub line: u64,
    /// Its text, cut.
    pub text: String,
}

/// What a search found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The lines, by file.
    pub hits: Vec<Hit>,
    /// Files that were looked through.
    pub files: usize,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
}

/// The files below a path that a search would look through, with their sizes.
///
/// # Errors
///
/// When the top cannot be looked at, or too much lies below.
pub async fn candidates(remote: &Remote, top: &[u8]) -> Result<(Vec<(Vec<u8>, u64)>, Vec<String>), FilesError> {
    let skipped: Vec<String> = [".git", ".hg", ".svn"].map(str::to_owned).to_vec();
    let tree = walk(remote, top, &Ignore::new(&skipped)?).await?;
    if tree.entries.is_empty() {
        return Err(FilesError::remote("search", top, super::Code::Missing, "there is no such file or folder"));
    }
    let mut notes = tree.problems;
    let mut files = Vec::new();
    let mut big = 0;
    for (path, entry) in tree.entries.into_iter().filter(|(_, entry)| entry.kind == Kind::File) {
        if entry.size > FILE_WHOLE_MAX_BYTES {
            big += 1;
        } else {
            files.push((if path.is_empty() { top.to_vec() } else { join(top, &path) }, entry.size));
        }
    }
    if big > 0 {
        notes.push(format!("{big} files larger than {FILE_WHOLE_MAX_BYTES} bytes were not looked through"));
    }
    Ok((files, notes))
}

/// Looks through files, some at once, until enough is found. Secrets are taken out before, so that no pattern can ask for them.
///
/// # Errors
///
/// When the device is gone.
pub async fn search(
    remote: &Remote,
    files: Vec<(Vec<u8>, u64)>,
    wanted: &Regex,
    mask: Option<&Mask>,
    known: &Redactor,
) -> Result<Found, FilesError> {
    let mut found = Found::default();
    let mut running = JoinSet::new();
    let wanted = Arc::new(Wanted { pattern: wanted.clone(), mask: mask.cloned(), known: known.clone() });
    let (mut left, mut bytes) = (files.into_iter(), 0_u64);
    let mut is_over = false;
    loop {
        while running.len() < SEARCH_FILES_AT_ONCE
            && !is_over
            && let Some((path, size)) = left.next()
        {
            bytes += size;
            if bytes > SEARCH_BYTES_MAX {
                found.notes.push(format!("stopped after {SEARCH_BYTES_MAX} bytes; search a part of it"));
                is_over = true;
                break;
            }
            let (remote, wanted) = (remote.clone(), Arc::clone(&wanted));
            running.spawn(async move { look_through(&remote, path, size, &wanted).await });
        }
        let Some(done) = running.join_next().await else { break };
        match done {
            Ok(Ok(hits)) => {
                found.files += 1;
                found.hits.extend(hits);
            }
            Ok(Err(error)) if error.is_broken() => return Err(error),
            Ok(Err(error)) => {
                if found.notes.len() < 20 {
                    found.notes.push(error.to_string());
                }
            }
            Err(_) => {}
        }
        if found.hits.len() >= SEARCH_FOUND_MAX && !is_over {
            found.notes.push(format!("stopped after {SEARCH_FOUND_MAX} lines; make the pattern narrower"));
            is_over = true;
        }
    }
    found.hits.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    found.hits.truncate(SEARCH_FOUND_MAX);
    Ok(found)
}

/// What is looked for, and what is not shown.
struct Wanted {
    pattern: Regex,
    mask: Option<Mask>,
    known: Redactor,
}

async fn look_through(remote: &Remote, path: Vec<u8>, size: u64, wanted: &Wanted) -> Result<Vec<Hit>, FilesError> {
    let mut source = remote.source(&path, 0, Some(size)).await?;
    let mut all = Vec::new();
    while let Some(bytes) = source.next().await? {
        all.extend_from_slice(&bytes);
        if u64::try_from(all.len()).unwrap_or(u64::MAX) > 2 * FILE_WHOLE_MAX_BYTES {
            break;
        }
    }
    let encoding = Encoding::of(&all);
    let text = match encoding {
        Encoding::Binary => return Ok(Vec::new()),
        Encoding::Utf8 => all,
        other => other.text(&all).unwrap_or_default().into_bytes(),
    };
    let text = wanted.known.whole(&text);
    let masked = Masked::of(wanted.mask.as_ref(), &text);
    let mut hits = Vec::new();
    let mut start = 0;
    for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
        let range = start..start + line.len();
        start = range.end + 1;
        // What is not shown is not searched: patterns would find out what it is, letter by letter.
        let hidden = masked.hides_in(&range).then(|| masked.part(&text, range));
        let shown = match &hidden {
            None => line,
            Some(Some(shown)) => shown.as_bytes(),
            // All of it is within a key.
            Some(None) => continue,
        };
        if wanted.pattern.is_match(shown) && hits.len() < SEARCH_FOUND_MAX {
            let shown = String::from_utf8_lossy(shown);
            let text = shown.trim_end_matches('\r').chars().take(FILE_LINE_MAX_CHARS / 4).collect();
            hits.push(Hit { path: path.clone(), line: number, text });
        }
    }
    Ok(hits)
}
