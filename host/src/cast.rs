//! Recordings of sessions as the usual players show them: asciicast, version 2.
//!
//! Sessions tell what they show and what is typed, after masking; one thread ([`writer`]) writes it. Telling it never waits: what
//! does not fit into the queue is dropped, and the recording says how much. Old ones are removed ([`keep`]), never one that is
//! still written.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use crate::audit::record::Recorded as Part;
use crate::config::AuditSettings;
use crate::ids::{SessionId, nonce};
use crate::instant;
use crate::limits::{CAST_FLUSH_MAX, CAST_QUEUE, CAST_QUEUE_BYTES};

use self::writer::Writer;

mod format;
pub mod keep;
mod writer;

/// What the writer is told.
enum Note {
    /// A recording begins: its name and its first line.
    Open { id: u64, name: String, heading: String, settings: AuditSettings },
    /// Something happened, so long after its beginning.
    Event { id: u64, at: Duration, event: Event, lost: u64 },
    /// It is over; so much of it was lost since the last event.
    Close { id: u64, at: Duration, lost: u64 },
    /// What is kept from now on.
    Keep(AuditSettings),
    /// Close all of them, and answer.
    Finish(SyncSender<()>),
}

/// Something that happened.
enum Event {
    /// The device showed this.
    Output(Vec<u8>),
    /// The same without a terminal, where a line ends with a newline alone.
    Lines(Vec<u8>),
    /// This was typed.
    Input(Vec<u8>),
    /// A command begins.
    Mark(String),
    /// The terminal has another size: columns and rows, as a player reads them.
    Size(String),
}

impl Event {
    fn length(&self) -> usize {
        match self {
            Self::Output(bytes) | Self::Lines(bytes) | Self::Input(bytes) => bytes.len(),
            Self::Mark(text) | Self::Size(text) => text.len(),
        }
    }
}

/// How recordings fare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Recordings that are being written.
    pub open: u64,
    /// Bytes that are in none because the disk was too slow or full.
    pub lost_bytes: u64,
    /// What is wrong now.
    pub trouble: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Bytes on their way to the writer.
    queued: AtomicU64,
    lost: AtomicU64,
    open: AtomicU64,
    last: AtomicU64,
    told: AtomicBool,
    trouble: Mutex<Option<String>>,
}

impl Shared {
    fn on_trouble(&self, why: &str) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
        if !self.told.swap(true, Ordering::Relaxed) {
            crate::diagnostics::warn(&format!("recordings are incomplete: {why}; sessions go on"));
        }
    }

    fn on_recovered(&self) {
        if self.told.swap(false, Ordering::Relaxed) {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    fn lose(&self, bytes: u64) {
        self.lost.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The process's recordings. The default makes none.
#[derive(Debug, Clone, Default)]
pub struct Casts(Option<Open>);

#[derive(Debug, Clone)]
struct Open {
    folder: PathBuf,
    run: String,
    /// The configuration's file; empty where there is none.
    configuration: PathBuf,
    settings: AuditSettings,
    notes: SyncSender<Note>,
    shared: Arc<Shared>,
}

/// What a recording is of.
#[derive(Debug, Clone)]
pub struct Heading<'a> {
    /// The session.
    pub session: &'a SessionId,
    /// The account on the device.
    pub user: &'a str,
    /// The device's type.
    pub kind: &'a str,
    /// What the terminal calls itself.
    pub terminal: &'a str,
    /// Columns and rows.
    pub size: (u16, u16),
}

impl Casts {
    /// Recordings in this folder, of this configuration file. Those of it that are too old or too many go, now and every hour.
    ///
    /// # Errors
    ///
    /// When there is no thread for it.
    pub fn start(folder: PathBuf, run: &str, configuration: Option<&Path>, settings: &AuditSettings) -> Result<Self, String> {
        // The same whatever link leads to it.
        let configuration = configuration.map(|file| std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned())).unwrap_or_default();
        let (notes, received) = sync_channel(CAST_QUEUE);
        let shared = Arc::<Shared>::default();
        let writer = Writer::new(&folder, &configuration, settings.clone(), Arc::clone(&shared));
        let work = move || writer.run(&received);
        std::thread::Builder::new().name("recordings".to_owned()).spawn(work).map_err(|error| error.to_string())?;
        Ok(Self(Some(Open { folder, run: run.to_owned(), configuration, settings: settings.clone(), notes, shared })))
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.0.as_ref().map(|open| open.folder.as_path())
    }

    /// How they fare, where there are some.
    #[must_use]
    pub fn health(&self) -> Option<Health> {
        let shared = &self.0.as_ref()?.shared;
        Some(Health {
            open: shared.open.load(Ordering::Relaxed),
            lost_bytes: shared.lost.load(Ordering::Relaxed),
            trouble: shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        })
    }

    /// The same with what the configuration says now.
    #[must_use]
    pub fn with(&self, settings: &AuditSettings) -> Self {
        Self(self.0.as_ref().map(|open| Open { settings: settings.clone(), ..open.clone() }))
    }

    /// The configuration was read again: this is kept from now on, whether or not another session is recorded.
    pub fn keep(&self, settings: &AuditSettings) {
        if let Some(open) = &self.0 {
            // One that has no time for it hears of it with the next recording.
            let _ = open.notes.try_send(Note::Keep(settings.clone()));
        }
    }

    /// Begins to record a session, where sessions are recorded.
    #[must_use]
    pub fn record(&self, heading: &Heading<'_>, now: Instant) -> Cast {
        let Some((open, unique)) = self.0.as_ref().filter(|open| open.settings.recordings).zip(nonce()) else { return Cast::default() };
        let name = name(heading.session, &unique);
        let id = open.shared.last.fetch_add(1, Ordering::Relaxed);
        let begun = Note::Open { id, name: name.clone(), heading: open.heading(heading), settings: open.settings.clone() };
        if open.notes.try_send(begun).is_err() {
            open.shared.on_trouble("its thread has more to write than it can");
            return Cast::default();
        }
        open.shared.open.fetch_add(1, Ordering::Relaxed);
        let (notes, shared) = (open.notes.clone(), Arc::clone(&open.shared));
        let (name, is_over) = (format!("{name}{}", keep::WHOLE), AtomicBool::new(false));
        Cast(Some(Arc::new(Recorded { id, name, begun: now, lost: AtomicU64::new(0), is_over, notes, shared })))
    }

    /// Has all of them written and closed, and waits for that, at most a moment: the process ends.
    pub fn finish(&self) {
        let Some(open) = &self.0 else { return };
        let (done, wait) = sync_channel(1);
        if open.notes.try_send(Note::Finish(done)).is_ok() {
            // A disk that hangs is not waited for.
            let _ = wait.recv_timeout(CAST_FLUSH_MAX);
        }
    }
}

impl Open {
    fn heading(&self, heading: &Heading<'_>) -> String {
        let (width, height) = heading.size;
        let session = heading.session.to_string();
        let timestamp = instant::millis(SystemTime::now()) / 1000;
        json!({"version": 2, "width": width, "height": height, "timestamp": timestamp,
            "title": format!("{session} ({}) as {}", heading.kind, heading.user), "env": {"TERM": heading.terminal},
            "jackfield": {"session": session, "device": heading.session.device, "process": std::process::id(), "run": self.run,
                "configuration": self.configuration.display().to_string()}})
        .to_string()
    }
}

/// `20261121T173000Z-web1-main-0123456789abcdef`.
fn name(session: &SessionId, unique: &str) -> String {
    let at: String = instant::shown(instant::millis(SystemTime::now())).chars().filter(|ch| !matches!(ch, '-' | ':')).take(15).collect();
    let plain = |text: &str| text.chars().map(|ch| if ch.is_ascii_alphanumeric() { ch } else { '_' }).take(32).collect::<String>();
    format!("{at}Z-{}-{}-{unique}", plain(&session.device), plain(&session.name))
}

/// A session's recording. The default is none. It is over when the last copy is gone.
#[derive(Debug, Clone, Default)]
pub struct Cast(Option<Arc<Recorded>>);

#[derive(Debug)]
struct Recorded {
    id: u64,
    name: String,
    begun: Instant,
    /// Bytes that were not recorded since the last event that was.
    lost: AtomicU64,
    is_over: AtomicBool,
    notes: SyncSender<Note>,
    shared: Arc<Shared>,
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.end();
    }
}

impl Cast {
    /// Its file's name, once it is over.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.as_ref().map(|recorded| recorded.name.as_str())
    }

    /// Seconds from its beginning.
    #[must_use]
    pub fn seconds(&self, now: Instant) -> f64 {
        let begun = |recorded: &Arc<Recorded>| now.saturating_duration_since(recorded.begun);
        // As the players have it: microseconds.
        self.0.as_ref().map(begun).map_or(0.0, |at| (at.as_secs_f64() * 1e6).round() / 1e6)
    }

    /// The part of it from then on.
    #[must_use]
    pub fn part(&self, from_s: f64, now: Instant) -> Option<Part> {
        Some(Part { file: self.name()?.to_owned(), from_s, to_s: self.seconds(now) })
    }

    /// Nothing more comes.
    pub fn end(&self) {
        if let Some(recorded) = &self.0 {
            recorded.end();
        }
    }

    /// The device showed this: masked already.
    pub fn output(&self, bytes: &[u8], now: Instant) {
        self.tell(now, || Event::Output(bytes.to_vec()));
    }

    /// The same where there is no terminal.
    pub fn lines(&self, bytes: &[u8], now: Instant) {
        self.tell(now, || Event::Lines(bytes.to_vec()));
    }

    /// This was typed: masked already.
    pub fn input(&self, bytes: &[u8], now: Instant) {
        self.tell(now, || Event::Input(bytes.to_vec()));
    }

    /// A command begins.
    pub fn mark(&self, label: &str, now: Instant) {
        self.tell(now, || Event::Mark(label.to_owned()));
    }

    /// The terminal has another size: what comes next is drawn for that.
    pub fn size(&self, (columns, rows): (u16, u16), now: Instant) {
        self.tell(now, || Event::Size(format!("{columns}x{rows}")));
    }

    fn tell(&self, now: Instant, event: impl FnOnce() -> Event) {
        let Some(recorded) = self.0.as_ref().filter(|recorded| !recorded.is_over.load(Ordering::Relaxed)) else { return };
        let event = event();
        let length = event.length() as u64;
        if length > 0 {
            recorded.tell(now, event, length);
        }
    }
}

impl Recorded {
    fn end(&self) {
        if self.is_over.swap(true, Ordering::Relaxed) {
            return;
        }
        let close = Note::Close { id: self.id, at: self.begun.elapsed(), lost: self.lost.load(Ordering::Relaxed) };
        // One that stays open is closed when the process ends.
        let _ = self.notes.try_send(close);
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }

    fn tell(&self, now: Instant, event: Event, length: u64) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let fits = self.shared.queued.fetch_add(length, Ordering::Relaxed) + length <= CAST_QUEUE_BYTES;
        let at = now.saturating_duration_since(self.begun);
        if fits && self.notes.try_send(Note::Event { id: self.id, at, event, lost }).is_ok() {
            return;
        }
        self.shared.queued.fetch_sub(length, Ordering::Relaxed);
        self.lost.fetch_add(lost + length, Ordering::Relaxed);
        self.shared.lose(length);
        self.shared.on_trouble("the disk is slower than the sessions");
    }
}

#[cfg(test)]
mod tests;
