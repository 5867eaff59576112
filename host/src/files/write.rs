//! Changes one file, whole or not at all: the new content is written beside it, made to be like it, brought to the disk, and only then takes
//! its name.
//!
//! [`prepare`] only reads: what it gives can be shown and judged, the fingerprint of the new content with it. [`Prepared::carry_out`] does it, if the
//! file is still what it was.

use std::sync::Arc;

use chrono::Utc;
use similar::TextDiff;

use super::like::Lost;
use super::name::{companion, join, random, sha2_hex, shown, split};
use super::program::Programs;
use super::remote::{Remote, Settled};
use super::stream::Start;
use super::text::Encoding;
use super::wire::{Attrs, Kind};
use super::{Code, FilesError};
use crate::limits::{DIFF_MAX, FILE_WRITE_MAX_BYTES, LINKS_FOLLOWED_MAX};
use crate::secret::look::Mask;
use crate::secret::redact::Redactor;

/// What is to become of a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// This is all of it.
    Whole(Vec<u8>),
    /// One text for another, which must be there exactly once.
    Replace {
        /// What is there.
        old: String,
        /// What comes for it.
        new: String,
    },
}

/// What the file must be before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Anything.
    Anything,
    /// It is not there.
    Absent,
    /// It has this fingerprint.
    Sha256(String),
}

/// A change that is wanted.
#[derive(Debug, Clone)]
pub struct Change {
    /// Of which file.
    pub path: Vec<u8>,
    /// To what.
    pub content: Content,
    /// From what.
    pub expect: Expect,
    /// The mode it gets; else it keeps its own.
    pub mode: Option<u32>,
    /// What was there is kept beside it.
    pub backup: bool,
}

/// A file as it was.
#[derive(Debug, Clone)]
struct Before {
    bytes: Vec<u8>,
    attrs: Attrs,
    sha256: String,
}

/// A change that could be made.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The file that changes: links are followed, in its folders too.
    pub path: Vec<u8>,
    /// The fingerprint of the new content.
    pub sha256_after: String,
    before: Option<Before>,
    after: Vec<u8>,
    mode: Option<u32>,
    backup: bool,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Written {
    /// The fingerprint before; none of a new file.
    pub sha256_before: Option<String>,
    /// Its permission bits now.
    pub mode: u32,
    /// Where what was there is kept.
    pub backup: Option<Vec<u8>>,
    /// What is not as it was, and could not be helped.
    pub warnings: Vec<String>,
}

/// Follows links to the file that a path means, and resolves its folder. Nothing need be there.
///
/// # Errors
///
/// When the folder is not there, or links go around in a circle.
pub async fn resolve(remote: &Remote, path: &[u8]) -> Result<(Vec<u8>, Option<Attrs>), FilesError> {
    let mut path = path.to_vec();
    for _ in 0..LINKS_FOLLOWED_MAX {
        let Some((folder, name)) = split(&path) else {
            return Err(FilesError::Refused(format!("`{}` names a folder; name a file in it", shown(&path))));
        };
        let folder = remote.whole_path(folder).await?;
        let whole = join(&folder, name);
        match remote.lstat(&whole).await {
            Ok(attrs) if attrs.kind() == Kind::Link => {
                let to = remote.read_link(&whole).await?;
                path = if to.first() == Some(&b'/') { to } else { join(&folder, &to) };
            }
            Ok(attrs) => return Ok((whole, Some(attrs))),
            Err(error) if error.is_missing() => {
                // The folder may not be there either.
                remote.stat(&folder).await?;
                return Ok((whole, None));
            }
            Err(error) => return Err(error),
        }
    }
    Err(FilesError::remote("find", &path, Code::Failure, "links lead on and on"))
}

/// Reads a file whole, up to what is taken.
///
/// # Errors
///
/// When it is larger, or what the device says.
pub async fn read_whole(remote: &Remote, path: &[u8], attrs: &Attrs) -> Result<Vec<u8>, FilesError> {
    let too_big = || FilesError::Refused(format!("`{}` has more than {FILE_WRITE_MAX_BYTES} bytes; use ssh_transfer for it", shown(path)));
    if attrs.size.is_some_and(|size| size > FILE_WRITE_MAX_BYTES) {
        return Err(too_big());
    }
    // Without a size: to where it ends now.
    let mut source = remote.source(path, 0, None).await?;
    let mut all = Vec::new();
    while let Some(bytes) = source.next().await? {
        all.extend_from_slice(&bytes);
        if u64::try_from(all.len()).map_or(true, |length| length > FILE_WRITE_MAX_BYTES) {
            return Err(too_big());
        }
    }
    Ok(all)
}

/// Works out a change without making it.
///
/// # Errors
///
/// Why it cannot be made: not what was expected, no single match, no regular file.
pub async fn prepare(remote: &Remote, change: &Change) -> Result<Prepared, FilesError> {
    let (path, attrs) = resolve(remote, &change.path).await?;
    let before = match attrs {
        Some(attrs) if attrs.kind() != Kind::File => {
            let what = if attrs.kind() == Kind::Folder { "a folder" } else { "a device, pipe or socket" };
            return Err(FilesError::Refused(format!("`{}` is {what}; only regular files are written", shown(&path))));
        }
        Some(attrs) => {
            let bytes = read_whole(remote, &path, &attrs).await?;
            let sha256 = sha2_hex(&bytes);
            Some(Before { bytes, attrs, sha256 })
        }
        None => None,
    };
    expected(&change.expect, before.as_ref(), &path)?;
    let after = match &change.content {
        Content::Whole(bytes) => bytes.clone(),
        Content::Replace { old, new } => {
            let Some(before) = &before else {
                return Err(FilesError::Refused(format!(
                    "`{}` is not there, so nothing in it can be replaced; give `content` to create it",
                    shown(&path)
                )));
            };
            replaced(&before.bytes, old, new)
                .map_err(|why| FilesError::Refused(format!("`{}`: {why}; nothing was written", shown(&path))))?
        }
    };
    if u64::try_from(after.len()).map_or(true, |length| length > FILE_WRITE_MAX_BYTES) {
        return Err(FilesError::Refused(format!("the new content has more than {FILE_WRITE_MAX_BYTES} bytes; use ssh_transfer for it")));
    }
    Ok(Prepared { sha256_after: sha2_hex(&after), path, before, after, mode: change.mode, backup: change.backup })
}

fn expected(expect: &Expect, before: Option<&Before>, path: &[u8]) -> Result<(), FilesError> {
    let path = shown(path);
    let why = match (expect, before) {
        (Expect::Anything, _) | (Expect::Absent, None) => return Ok(()),
        (Expect::Sha256(wanted), Some(before)) if wanted.eq_ignore_ascii_case(&before.sha256) => return Ok(()),
        (Expect::Absent, Some(before)) => format!("`{path}` is there already, with sha256 {}", before.sha256),
        (Expect::Sha256(_), Some(before)) => format!("`{path}` is not what was expected: it has sha256 {}", before.sha256),
        (Expect::Sha256(_), None) => format!("`{path}` is not there"),
    };
    Err(FilesError::Refused(format!("{why}; read it again before changing it. Nothing was written")))
}

/// One text for another, in the encoding and with the line ends of the file.
fn replaced(bytes: &[u8], old: &str, new: &str) -> Result<Vec<u8>, String> {
    if old.is_empty() {
        return Err("`old` is empty; give the text that is to go, or `content` for the whole file".to_owned());
    }
    let encoding = Encoding::of(bytes);
    let forms = |text: &str| encoding.bytes_of(text);
    let on_windows = |text: &str| text.replace("\r\n", "\n").replace('\n', "\r\n");
    let is_plain = !old.contains('\r');
    // A reader is shown lines without their ends, so that what comes for a part of one gets those of the file.
    let (mut from, mut to) = if is_plain && ends_as_on_windows(bytes, encoding) {
        (forms(&on_windows(old))?, forms(&on_windows(new))?)
    } else {
        (forms(old)?, forms(new)?)
    };
    let mut found = matches(bytes, &from, encoding.unit());
    if found.is_empty() && old.contains('\n') && is_plain {
        // The lines of that part end as on Windows.
        (from, to) = (forms(&on_windows(old))?, forms(&on_windows(new))?);
        found = matches(bytes, &from, encoding.unit());
    }
    match found.as_slice() {
        [at] => {
            let (before, after) = (bytes.get(..*at).unwrap_or_default(), bytes.get(at + from.len()..).unwrap_or_default());
            Ok([before, &to, after].concat())
        }
        [] => Err("`old` does not occur in it; read it again and take the text exactly, with spaces and tabs".to_owned()),
        many => {
            let least = if many.len() == MATCHES_COUNTED { "at least " } else { "" };
            Err(format!("`old` occurs {least}{} times in it; add lines around it until it is there only once", many.len()))
        }
    }
}

/// Do all lines of a text end as on Windows?
fn ends_as_on_windows(bytes: &[u8], encoding: Encoding) -> bool {
    let count = |end: &str| {
        let end = encoding.bytes_of(end).unwrap_or_default();
        memchr::memmem::find_iter(bytes, &end).filter(|at| at.is_multiple_of(encoding.unit())).count()
    };
    let ends = count("\n");
    encoding != Encoding::Binary && ends > 0 && ends == count("\r\n")
}

/// Matches that are counted: so many are no single one in any case.
const MATCHES_COUNTED: usize = 100;

/// Where a text begins, also where one begins within another one; of many the first.
fn matches(bytes: &[u8], wanted: &[u8], unit: usize) -> Vec<usize> {
    let finder = memchr::memmem::Finder::new(wanted);
    let (mut found, mut from) = (Vec::new(), 0);
    while found.len() < MATCHES_COUNTED
        && let Some(next) = bytes.get(from..).and_then(|rest| finder.find(rest))
    {
        let at = from + next;
        if at.is_multiple_of(unit) {
            found.push(at);
        }
        from = at + 1;
    }
    found
}

impl Prepared {
    /// What changes, as a unified difference of what may be shown; also how much may not, by its look.
    #[must_use]
    pub fn difference(&self, mask: Option<&Mask>, known: &Redactor) -> (String, usize) {
        let old = self.before.as_ref().map(|before| before.bytes.as_slice());
        if old == Some(self.after.as_slice()) {
            return (String::new(), 0);
        }
        let texts = [old.unwrap_or_default(), &self.after].map(|bytes| Encoding::of(bytes).text(bytes));
        let [Some(before), Some(after)] = texts else {
            return (format!("binary: {} bytes before, {} after", old.map_or(0, <[u8]>::len), self.after.len()), 0);
        };
        // Hidden before they are compared: the marks of a difference would hide a secret from its look.
        let hide = |text: String| {
            let text = known.text(&text);
            mask.map_or_else(|| (text.clone(), 0), |mask| mask.text(&text))
        };
        let ((before, hidden_before), (after, hidden_after)) = (hide(before), hide(after));
        let name = shown(&self.path);
        let from = if old.is_some() { name.as_str() } else { "/dev/null" };
        let diff = TextDiff::configure().timeout(DIFF_MAX).diff_lines(&before, &after);
        (diff.unified_diff().context_radius(3).header(from, &name).to_string(), hidden_before.max(hidden_after))
    }

    /// Bytes of the new content.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.after.len()
    }

    /// Would it be as it is?
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        let keeps_mode =
            self.mode.is_none_or(|mode| self.before.as_ref().and_then(|before| before.attrs.mode).is_some_and(|own| own & 0o7777 == mode));
        keeps_mode && self.before.as_ref().is_some_and(|before| before.bytes == self.after)
    }

    /// The fingerprint before; none of a new file.
    #[must_use]
    pub fn sha256_before(&self) -> Option<&str> {
        self.before.as_ref().map(|before| before.sha256.as_str())
    }

    /// Makes the change. What the file has beyond its mode is kept by the device's own programs, where it has some.
    ///
    /// # Errors
    ///
    /// When the file is no longer what it was, or what the device says. Then the file is what it was; what was written beside it is removed if
    /// the device still answers.
    pub async fn carry_out(&self, remote: &Remote, programs: Option<&Arc<dyn Programs>>) -> Result<Written, FilesError> {
        let Some((folder, name)) = split(&self.path) else {
            return Err(FilesError::Refused(format!("`{}` names a folder; name a file in it", shown(&self.path))));
        };
        let backup = match &self.before {
            Some(before) if self.backup => Some(self.back_up(remote, programs, (folder, name), before).await?),
            _ => None,
        };
        let beside = join(folder, &companion(name, &random()));
        let done = self.write_beside(remote, programs, &beside).await;
        if let Err(error) = &done
            && !error.is_broken()
        {
            // What is left over has nothing but this server's own bytes; that it stays is no second error.
            let _ = remote.remove(&beside).await;
        }
        let (mode, mut warnings) = done?;
        if !remote.replaces() && self.before.is_some() {
            warnings.push("this server cannot replace a file in one step: for a moment nothing had its name".to_owned());
        }
        let attrs = remote.stat(&self.path).await?;
        let now = read_whole(remote, &self.path, &attrs).await?;
        if now != self.after {
            let why = "it was written, but reads differently now: somebody else wrote it at the same time";
            return Err(FilesError::remote("write", &self.path, Code::Failure, why));
        }
        Ok(Written { sha256_before: self.before.as_ref().map(|before| before.sha256.clone()), mode, backup, warnings })
    }

    async fn write_beside(
        &self,
        remote: &Remote,
        programs: Option<&Arc<dyn Programs>>,
        beside: &[u8],
    ) -> Result<(u32, Vec<String>), FilesError> {
        let (mut sink, lost) = match &self.before {
            Some(_) => remote.sink_like(beside, &self.path, programs).await?,
            None => (remote.sink(beside, Start::New, 0o600).await?, Lost::default()),
        };
        sink.write(&self.after).await?;
        let settled = sink.settle().await?;
        let mut warnings = Vec::new();
        let mut mode = match &self.before {
            Some(before) => {
                keep_owner(&settled, before, &mut warnings).await?;
                before.attrs.mode.unwrap_or(0o644) & 0o7777
            }
            None => 0o644,
        };
        if !warnings.is_empty() {
            // Rights of an owner are not given to another one.
            mode &= 0o777;
        }
        warnings.extend(lost.words());
        if lost.list && self.mode.is_none() {
            mode &= !0o070;
            warnings.push("its group has no rights now, for they may be more than the access list gave it; set the list again".to_owned());
        }
        let mode = self.mode.unwrap_or(mode);
        settled.set(&Attrs::with_mode(mode)).await?;
        settled.close().await?;
        self.still_the_same(remote).await?;
        remote.replace(beside, &self.path).await?;
        Ok((mode, warnings))
    }

    /// Nobody has changed it since it was read.
    async fn still_the_same(&self, remote: &Remote) -> Result<(), FilesError> {
        let now = match remote.lstat(&self.path).await {
            Ok(attrs) => Some(attrs),
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(error),
        };
        let same = match (&self.before, now) {
            (None, None) => true,
            (Some(before), Some(now)) if now.kind() == Kind::File && now.size == before.attrs.size.or(now.size) => {
                read_whole(remote, &self.path, &now).await? == before.bytes
            }
            _ => false,
        };
        if same {
            return Ok(());
        }
        Err(FilesError::Refused(format!(
            "`{}` was changed by somebody else meanwhile; read it again. Nothing was written",
            shown(&self.path)
        )))
    }
}

/// Gives a file the owner of another one, as far as the account may.
async fn keep_owner(settled: &Settled, before: &Before, warnings: &mut Vec<String>) -> Result<(), FilesError> {
    let (Some(wanted), Some(own)) = (before.attrs.owner, settled.attrs().await?.owner) else { return Ok(()) };
    if wanted == own {
        return Ok(());
    }
    let set = |owner: (u32, u32)| settled.set_owner(owner);
    match set(wanted).await {
        Err(error) if error.is_broken() => return Err(error),
        Ok(()) => return Ok(()),
        Err(_) => {}
    }
    let group = wanted.1 != own.1 && set((own.0, wanted.1)).await.is_ok();
    let now = if group { (own.0, wanted.1) } else { own };
    warnings.push(format!("the owner could not be kept: it was {}:{}, now it is {}:{}", wanted.0, wanted.1, now.0, now.1));
    Ok(())
}

impl Settled {
    async fn set_owner(&self, owner: (u32, u32)) -> Result<(), FilesError> {
        self.set(&Attrs { owner: Some(owner), ..Attrs::default() }).await
    }
}

impl Prepared {
    /// Keeps what is there beside it, under the time.
    async fn back_up(
        &self,
        remote: &Remote,
        programs: Option<&Arc<dyn Programs>>,
        (folder, name): (&[u8], &[u8]),
        before: &Before,
    ) -> Result<Vec<u8>, FilesError> {
        let end = format!(".bak-{}", Utc::now().format("%Y%m%dT%H%M%S%3fZ"));
        let room = super::name::NAME_MAX_BYTES.saturating_sub(end.len());
        let path = join(folder, &[name.get(..room.min(name.len())).unwrap_or_default(), end.as_bytes()].concat());
        // A program says only at its end that there was something of this name, which stays.
        let is_own = remote.lstat(&path).await.is_err_and(|error| error.is_missing());
        let done = self.write_backup(remote, programs, &path, before).await;
        if let Err(error) = &done
            && is_own
            && !error.is_broken()
        {
            // What is left over is half a copy of what is still there.
            let _ = remote.remove(&path).await;
        }
        done.map(|()| path)
    }

    async fn write_backup(
        &self,
        remote: &Remote,
        programs: Option<&Arc<dyn Programs>>,
        path: &[u8],
        before: &Before,
    ) -> Result<(), FilesError> {
        let (mut sink, lost) = remote.sink_like(path, &self.path, programs).await?;
        sink.write(&before.bytes).await?;
        let settled = sink.settle().await?;
        let mut warnings = Vec::new();
        keep_owner(&settled, before, &mut warnings).await?;
        // A copy that belongs to somebody else, or has lost the list of those who may, is for nobody else.
        let is_like = warnings.is_empty() && !lost.list;
        let mode = if is_like { before.attrs.mode.unwrap_or(0o600) & 0o777 } else { 0o600 };
        settled.set(&Attrs::with_mode(mode)).await?;
        settled.close().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_match_is_replaced() {
        let done = |bytes: &[u8], old: &str, new: &str| replaced(bytes, old, new);
        assert_eq!(done(b"a b a", "b", "c").unwrap(), b"a c a");
        assert!(done(b"a b a", "a", "c").unwrap_err().contains("occurs 2 times"));
        assert!(done(b"a b a", "x", "c").unwrap_err().contains("does not occur"));
        assert!(done(b"a", "", "c").is_err());
        assert_eq!(done(b"one\r\ntwo\r\n", "one\ntwo", "1\n2").unwrap(), b"1\r\n2\r\n");
        // The ends of lines are those of the file also where `old` has none, or begins with one.
        assert_eq!(done(b"one\r\ntwo\r\n", "two", "2\n3").unwrap(), b"one\r\n2\r\n3\r\n");
        assert_eq!(done(b"one\r\ntwo\r\n", "\ntwo", "\n2\n3").unwrap(), b"one\r\n2\r\n3\r\n");
        assert_eq!(done(b"one\r\ntwo\n", "two", "2\n3").unwrap(), b"one\r\n2\n3\n");
        assert_eq!(done(b"one\r\ntwo\r\n", "one\r\n", "1\n").unwrap(), b"1\ntwo\r\n");
        // Bytes that are no text stay as they are.
        assert_eq!(done(b"\xff\xfa x \xff", "x", "y").unwrap(), b"\xff\xfa y \xff");
        // UTF-16 with its mark, little end first.
        let utf16 = |text: &str| [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert_eq!(done(&utf16("a=1\n"), "1", "22").unwrap(), utf16("a=22\n"));
        // One within another one, and one within bytes that are no letters.
        assert!(done(b"{\n}\n}\n}\n", "}\n}\n", "}\n").unwrap_err().contains("occurs 2 times"));
        assert_eq!(done(&utf16("\u{100}\u{101}"), "\u{101}", "x").unwrap(), utf16("\u{100}x"));
        assert!(done("a".repeat(100_000).as_bytes(), &"a".repeat(50_000), "c").unwrap_err().contains("occurs at least 100 times"));
    }
}
