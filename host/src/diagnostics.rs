//! Lines for the operator on standard error. Standard output belongs to the protocol.
//!
//! Quiet unless `JACKFIELD_LOG` says otherwise (`error`, the default; `warn`, `info`, `debug`): MCP clients keep what
//! a server prints. A daemon has a log of its own, in which warnings stand as well ([`keep_log`]).
//!
//! A thread of its own writes them: whoever started the program may not read its standard error, and a full pipe must not hold up the
//! sessions. What does not fit into the queue is dropped and counted.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::SystemTime;

use crate::instant;
use crate::limits::{DIAGNOSTICS_FLUSH_MAX, DIAGNOSTICS_QUEUE};

const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];

/// Lines that did not fit into the queue since the last one that did.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Standard error is a log that an operator reads afterwards.
static IS_LOG: AtomicBool = AtomicBool::new(false);

enum Note {
    Line(String),
    /// Everything before was written.
    Flush(SyncSender<()>),
}

fn rank(level: &str) -> usize {
    LEVELS.iter().position(|known| *known == level).unwrap_or(0)
}

fn enabled(level: &str) -> bool {
    static WANTED: OnceLock<Option<usize>> = OnceLock::new();
    let said = || std::env::var("JACKFIELD_LOG").ok().filter(|level| !level.is_empty());
    let wanted = *WANTED.get_or_init(|| said().map(|level| rank(&level)));
    let usual = if IS_LOG.load(Ordering::Relaxed) { "warn" } else { "error" };
    rank(level) <= wanted.unwrap_or_else(|| rank(usual))
}

/// What comes from now on stands in a log that an operator reads afterwards: warnings too, and each line with its time.
pub fn keep_log() {
    IS_LOG.store(true, Ordering::Relaxed);
}

/// The way to the writing thread, which starts with the first line. None where no thread can be started.
fn writer() -> Option<&'static SyncSender<Note>> {
    static WRITER: OnceLock<Option<SyncSender<Note>>> = OnceLock::new();
    let start = || {
        let (lines, notes) = sync_channel(DIAGNOSTICS_QUEUE);
        thread::Builder::new().name("diagnostics".to_owned()).spawn(move || write(&notes)).ok().map(|_| lines)
    };
    WRITER.get_or_init(start).as_ref()
}

fn write(notes: &Receiver<Note>) {
    let mut errors = std::io::stderr();
    while let Ok(note) = notes.recv() {
        // Nobody is left to tell if standard error is gone.
        let _ = match note {
            Note::Line(line) => match DROPPED.swap(0, Ordering::Relaxed) {
                0 => errors.write_all(line.as_bytes()),
                dropped => errors.write_all(format!("jackfield: warn: {dropped} lines were dropped\n{line}").as_bytes()),
            },
            Note::Flush(done) => {
                let _ = done.send(());
                Ok(())
            }
        };
    }
}

fn line(level: &str, who: &str, text: &str) {
    if !enabled(level) {
        return;
    }
    let time = match IS_LOG.load(Ordering::Relaxed) {
        true => instant::shown(instant::millis(SystemTime::now())) + " ",
        false => String::new(),
    };
    let note = Note::Line(format!("{time}jackfield: {level}: {who}{text}\n"));
    if writer().is_none_or(|writer| writer.try_send(note).is_err()) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

/// A line of a plugin, or about one.
pub fn plugin_line(plugin: &str, level: &str, text: &str) {
    line(level, &format!("plugin `{plugin}`: "), text);
}

/// Something that does not work though the operator wants it.
pub fn error(text: &str) {
    line("error", "", text);
}

/// Something that an operator should know.
pub fn warn(text: &str) {
    line("warn", "", text);
}

/// Waits a moment for what is on its way, before the process ends.
pub fn flush() {
    let (done, wait) = sync_channel(1);
    if writer().is_some_and(|writer| writer.try_send(Note::Flush(done)).is_ok()) {
        // A reader that hangs is not waited for.
        let _ = wait.recv_timeout(DIAGNOSTICS_FLUSH_MAX);
    }
}
