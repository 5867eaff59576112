//! The thread that writes recordings.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use super::format::{self, Decoder};
use super::{Event, Note, Shared, keep};
use crate::config::AuditSettings;
use crate::limits::{CAST_PAUSE, CAST_SWEEP_EVERY};
use crate::private;

/// The thread's state.
pub(super) struct Writer {
    folder: PathBuf,
    configuration: PathBuf,
    settings: AuditSettings,
    shared: Arc<Shared>,
    files: HashMap<u64, Part>,
    swept_at: Option<Instant>,
}

/// A recording that is being written.
struct Part {
    /// Locked as long as it is open.
    file: File,
    path: PathBuf,
    stem: String,
    /// Lines that wait to be written together.
    text: String,
    bytes: u64,
    output: Decoder,
    input: Decoder,
    /// Bytes of the session that are not in it, and that it does not mention yet.
    lost: u64,
}

impl Writer {
    pub(super) fn new(folder: &Path, configuration: &Path, settings: AuditSettings, shared: Arc<Shared>) -> Self {
        let (folder, configuration) = (folder.to_owned(), configuration.to_owned());
        Self { folder, configuration, settings, shared, files: HashMap::new(), swept_at: None }
    }

    /// Until nobody is left who could tell it anything.
    pub(super) fn run(mut self, notes: &Receiver<Note>) {
        self.sweep();
        let mut due: Option<Instant> = None;
        loop {
            let limit = due.map_or(CAST_SWEEP_EVERY, |due| due.saturating_duration_since(Instant::now()));
            match notes.recv_timeout(limit) {
                Ok(note) => {
                    self.take(note);
                    due.get_or_insert_with(|| Instant::now() + CAST_PAUSE);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.flush();
                    due = None;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if due.is_some_and(|due| due <= Instant::now()) {
                self.flush();
                due = None;
            }
            if self.swept_at.is_none_or(|at| at.elapsed() >= CAST_SWEEP_EVERY) {
                self.sweep();
            }
        }
        self.close_all();
    }

    fn close_all(&mut self) {
        let ids: Vec<u64> = self.files.keys().copied().collect();
        ids.into_iter().for_each(|id| self.close(id, None));
    }

    fn take(&mut self, note: Note) {
        match note {
            Note::Open { id, name, heading, settings } => {
                self.settings = settings;
                match Part::begin(&self.folder, name, &heading) {
                    Ok(part) => drop(self.files.insert(id, part)),
                    Err(error) => self.shared.on_trouble(&format!("`{}`: {error}", self.folder.display())),
                }
            }
            Note::Event { id, at, event, lost } => {
                let length = event.length() as u64;
                self.shared.queued.fetch_sub(length, Ordering::Relaxed);
                match self.files.get_mut(&id) {
                    Some(part) => part.add(at, event, lost, self.settings.keep_bytes, &self.shared),
                    None => self.shared.lose(length),
                }
            }
            Note::Close { id, at, lost } => self.close(id, Some((at, lost))),
            Note::Keep(settings) => {
                self.settings = settings;
                self.sweep();
            }
            Note::Finish(done) => {
                self.close_all();
                // Who asked may have gone.
                let _ = done.send(());
            }
        }
    }

    fn flush(&mut self) {
        for part in self.files.values_mut() {
            part.flush(&self.shared);
        }
    }

    fn close(&mut self, id: u64, end: Option<(Duration, u64)>) {
        let Some(mut part) = self.files.remove(&id) else { return };
        if let Some((at, lost)) = end {
            part.end(at, lost);
        }
        part.flush(&self.shared);
        let whole = self.folder.join(format!("{}{}", part.stem, keep::WHOLE));
        if let Err(error) = fs::rename(&part.path, &whole) {
            self.shared.on_trouble(&format!("`{}`: {error}", part.path.display()));
        }
    }

    fn sweep(&mut self) {
        self.swept_at = Some(Instant::now());
        match keep::sweep(&self.folder, &self.configuration, (self.settings.keep(), self.settings.keep_bytes), SystemTime::now()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.shared.on_trouble(&format!("`{}`: {error}", self.folder.display()))
            }
            _ => {}
        }
    }
}

impl Part {
    /// It gets its name when it is locked: others never see it without.
    fn begin(folder: &Path, stem: String, heading: &str) -> io::Result<Self> {
        private::folder(folder)?;
        let (unnamed, path) = (folder.join(format!(".{stem}{}", keep::PART)), folder.join(format!("{stem}{}", keep::PART)));
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&unnamed)?;
        file.try_lock().map_err(io::Error::from)?;
        let heading = format!("{heading}\n");
        file.write_all(heading.as_bytes())?;
        fs::rename(&unnamed, &path)?;
        let (text, bytes) = (String::new(), heading.len() as u64);
        Ok(Self { file, path, stem, text, bytes, output: Decoder::default(), input: Decoder::default(), lost: 0 })
    }

    fn add(&mut self, at: Duration, event: Event, lost: u64, max_bytes: u64, shared: &Shared) {
        self.lost += lost;
        if self.bytes + self.text.len() as u64 > max_bytes {
            // One recording must not fill the disk.
            let length = event.length() as u64;
            self.lost += length;
            return shared.lose(length);
        }
        self.mention(at);
        let (code, text) = match event {
            Event::Output(bytes) => ('o', self.output.push(&bytes)),
            Event::Lines(bytes) => ('o', self.output.push(&bytes).replace('\n', "\r\n")),
            Event::Input(bytes) => ('i', self.input.push(&bytes)),
            Event::Mark(label) => ('m', label),
            Event::Size(size) => ('r', size),
        };
        if !text.is_empty() {
            self.text.push_str(&format::event(at, code, &text));
        }
    }

    /// Says what is missing.
    fn mention(&mut self, at: Duration) {
        if self.lost > 0 {
            self.text.push_str(&format::event(at, 'o', &format::lost(self.lost)));
            self.lost = 0;
        }
    }

    fn end(&mut self, at: Duration, lost: u64) {
        self.lost += lost;
        let rest = self.output.end();
        if !rest.is_empty() {
            self.text.push_str(&format::event(at, 'o', &rest));
        }
        self.mention(at);
    }

    /// What the disk does not take is lost: whole lines, so that the rest can be played.
    fn flush(&mut self, shared: &Shared) {
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        match self.file.write_all(text.as_bytes()) {
            Ok(()) => {
                self.bytes += text.len() as u64;
                shared.on_recovered();
            }
            Err(error) => {
                // A line that was begun is taken back.
                let _ = self.file.set_len(self.bytes);
                self.lost += text.len() as u64;
                shared.lose(text.len() as u64);
                shared.on_trouble(&format!("`{}`: {error}", self.path.display()));
            }
        }
    }
}
