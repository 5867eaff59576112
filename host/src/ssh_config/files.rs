//! Reads the files, each with those that it includes.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::local::Local;
use super::statement::{Statement, parse};
use super::{LoadError, Place, Problem, glob, tokens};
use crate::limits::{
    SSH_CONFIG_BYTES_MAX, SSH_CONFIG_DEPTH_MAX, SSH_CONFIG_FILE_MAX_BYTES, SSH_CONFIG_FILES_MAX, SSH_CONFIG_LINE_MAX_BYTES,
};

/// Permission bits that let the group or others write.
const OTHERS_WRITE: u32 = 0o022;
/// The user who may do everything.
const ROOT: u32 = 0;

/// A file as it was read.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) path: Arc<Path>,
    /// Is it the user's, or included from there?
    pub(super) is_users: bool,
    pub(super) steps: Vec<Step>,
}

/// A line that does something.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) node: Node,
}

/// What a line does, with the files that it includes.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Line(Statement),
    Include(Vec<Source>),
}

impl Source {
    pub(super) fn place(&self, step: &Step) -> Place {
        Place { file: Arc::clone(&self.path), line: step.line }
    }
}

/// Reads files and collects what is wrong with them.
pub(super) struct Reader<'a> {
    who: &'a Local,
    /// Where relative paths of this file and of what it includes begin.
    base: PathBuf,
    is_users: bool,
    files: usize,
    bytes: u64,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(who: &'a Local) -> Self {
        Self { who, base: PathBuf::new(), is_users: true, files: 0, bytes: 0, problems: Vec::new(), warnings: Vec::new() }
    }

    /// The user's own file. Others may not be able to write it.
    pub(super) fn users(&mut self, path: &Path) -> Result<Option<Source>, LoadError> {
        self.base = self.who.home.join(".ssh");
        self.is_users = true;
        self.first(path, true)
    }

    /// The machine's file.
    pub(super) fn systems(&mut self, path: &Path) -> Result<Option<Source>, LoadError> {
        self.base = path.parent().map_or_else(|| "/".into(), Path::to_owned);
        self.is_users = false;
        self.first(path, false)
    }

    /// OpenSSH goes on without a file that it cannot open.
    fn first(&mut self, path: &Path, guarded: bool) -> Result<Option<Source>, LoadError> {
        match self.file(path, 0, guarded) {
            Err(LoadError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error @ LoadError::Read { .. }) => {
                self.warnings.push(format!("{error}; it is left out, as ssh does"));
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    fn file(&mut self, path: &Path, depth: usize, guarded: bool) -> Result<Source, LoadError> {
        self.files += 1;
        if self.files > SSH_CONFIG_FILES_MAX {
            return Err(LoadError::TooMany { path: path.to_owned() });
        }
        let bytes = read(path, guarded, self.who)?;
        self.bytes += bytes.len() as u64;
        if self.bytes > SSH_CONFIG_BYTES_MAX {
            return Err(LoadError::TooMuch { path: path.to_owned() });
        }
        let path: Arc<Path> = Arc::from(path);
        let mut steps = Vec::new();
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            let place = Place { file: Arc::clone(&path), line: number };
            if let Some(node) = self.line(line, &place, depth)? {
                steps.push(Step { line: number, node });
            }
        }
        Ok(Source { path, is_users: self.is_users, steps })
    }

    fn line(&mut self, line: &[u8], place: &Place, depth: usize) -> Result<Option<Node>, LoadError> {
        if line.len() > SSH_CONFIG_LINE_MAX_BYTES {
            self.problem(place, format!("the line has more than {SSH_CONFIG_LINE_MAX_BYTES} bytes"));
            return Ok(None);
        }
        let text = String::from_utf8_lossy(line);
        match parse(&text) {
            Err(message) => {
                self.problem(place, message);
                Ok(None)
            }
            Ok(None) => Ok(None),
            Ok(Some(statement)) => {
                if text.contains(char::REPLACEMENT_CHARACTER) {
                    self.warnings.push(format!("{place}: the line is not UTF-8; what is not stands for nothing"));
                }
                let Statement::Include(patterns) = statement else { return Ok(Some(Node::Line(statement))) };
                self.include(&patterns, place, depth).map(|files| Some(Node::Include(files)))
            }
        }
    }

    fn include(&mut self, patterns: &[PathBuf], place: &Place, depth: usize) -> Result<Vec<Source>, LoadError> {
        let mut files = Vec::new();
        for pattern in patterns {
            let text = pattern.to_string_lossy();
            if text.starts_with('~') && !self.is_users {
                self.problem(place, format!("include: `{text}` has no meaning in a file of the machine; write the whole path"));
                continue;
            }
            let whole = match text.strip_prefix('~') {
                // Somebody unknown is no error: no file is there.
                Some(_) => tokens::home(&text, self.who).unwrap_or_default(),
                None if pattern.is_absolute() => text.into_owned(),
                None => self.base.join(pattern).to_string_lossy().into_owned(),
            };
            for path in glob::paths(&whole) {
                if depth + 1 > SSH_CONFIG_DEPTH_MAX {
                    return Err(LoadError::TooDeep { place: place.clone() });
                }
                match self.file(&path, depth + 1, true) {
                    Err(LoadError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {}
                    other => files.push(other?),
                }
            }
        }
        Ok(files)
    }

    fn problem(&mut self, place: &Place, message: String) {
        self.problems.push(Problem { place: place.clone(), message });
    }
}

/// The content of a file, which only its owner may write when it is guarded.
fn read(path: &Path, guarded: bool, who: &Local) -> Result<Vec<u8>, LoadError> {
    let failed = |cause| LoadError::Read { path: path.to_owned(), cause };
    // Opening a pipe would wait for somebody who writes into it.
    let kind = fs::metadata(path).map_err(failed)?.file_type();
    if kind.is_fifo() || kind.is_socket() {
        return Err(LoadError::NoFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if guarded {
        safe(path, &metadata, who)?;
    }
    // OpenSSH reads no line from a folder, and goes on.
    if metadata.is_dir() {
        return Ok(Vec::new());
    }
    let mut content = Vec::new();
    file.take(SSH_CONFIG_FILE_MAX_BYTES + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > SSH_CONFIG_FILE_MAX_BYTES {
        return Err(LoadError::TooLarge { path: path.to_owned() });
    }
    Ok(content)
}

/// What a file says is done in the user's name, so nobody else may write it.
fn safe(path: &Path, metadata: &Metadata, who: &Local) -> Result<(), LoadError> {
    let word = path.display().to_string().replace('\'', r"'\''");
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    if owner != ROOT && owner != who.uid {
        return Err(LoadError::Unsafe(format!(
            "`{}` belongs to the user with the number {owner}, who may change what is done in your name; \
             ssh refuses it too; run `chown {} '{word}'`",
            path.display(),
            who.user
        )));
    }
    if mode & OTHERS_WRITE != 0 {
        return Err(LoadError::Unsafe(format!(
            "other users may write `{}` (mode {mode:03o}), and so decide what is done in your name; ssh refuses it too; \
             run `chmod go-w '{word}'`",
            path.display()
        )));
    }
    Ok(())
}
