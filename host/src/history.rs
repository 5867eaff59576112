//! The history: who ran what where, and how it ended. It outlives the process.
//!
//! Sessions tell a [`Journal`]; one thread ([`worker`]) writes what they tell into a file ([`store`]) that all processes of the
//! account share. Readers open the file for themselves.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::ids::nonce;
use crate::limits::HISTORY_FLUSH_MAX;
use crate::session::journal::{Health, Journal};

use self::query::{Page, Query};
use self::worker::Worker;

pub mod query;
mod run;
mod store;
mod worker;

/// Why the history is not written or read. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file or its folder.
    #[error("cannot use `{}`: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The database.
    #[error("cannot use `{}`: {cause}; {}", path.display(), advice(cause, path))]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        cause: rusqlite::Error,
    },
    /// A newer release has changed it.
    #[error("`{}` was made by a newer jackfield (format {found}, this one knows {known}); use that one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// The thread that reads it.
    #[error("the history cannot be read now: {0}; try again")]
    Thread(String),
}

/// What to do. A file in which nothing is wrong stays where it is.
fn advice(cause: &rusqlite::Error, path: &Path) -> String {
    match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("another process holds it and does not let go; `fuser -v {}` names it", path.display())
        }
        Some(ErrorCode::DiskFull) => "free space there".to_owned(),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => {
            "look whether its folder can be written and its disk is in order".to_owned()
        }
        _ => "move the file away to start a new history".to_owned(),
    }
}

/// The history of an account, and this process's part in it. The default keeps nothing.
#[derive(Debug, Clone, Default)]
pub struct History {
    journal: Journal,
    folder: Option<PathBuf>,
    run: String,
}

impl History {
    /// Starts to write into a folder.
    ///
    /// # Errors
    ///
    /// When there is no thread or no random number for it. Trouble with the disk is told by [`History::health`] later.
    pub fn start(folder: PathBuf) -> Result<Self, String> {
        let run = nonce().ok_or("this machine gives no random numbers")?;
        let (journal, receiving) = Journal::open();
        let worker = Worker::new(&folder, &run, receiving);
        let thread = std::thread::Builder::new().name("history".to_owned()).spawn(move || worker.run());
        thread.map_err(|error| error.to_string())?;
        Ok(Self { journal, folder: Some(folder), run })
    }

    /// The way for sessions to tell it something.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Random digits that tell this process's commands from those of others: a command id is unique in one process only.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// How it fares, if there is one.
    #[must_use]
    pub fn health(&self) -> Option<&Health> {
        self.journal.health()
    }

    /// Reads, with everything that was told before.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn read(&self, query: Query) -> Result<Page, HistoryError> {
        let Some(folder) = self.folder.clone() else { return Ok(Page::default()) };
        self.journal.flush(HISTORY_FLUSH_MAX).await;
        let reading = tokio::task::spawn_blocking(move || store::read(&folder, &query));
        reading.await.unwrap_or_else(|error| Err(HistoryError::Thread(error.to_string())))
    }

    /// Writes what is left: the process ends.
    pub async fn finish(&self) {
        self.journal.finish(HISTORY_FLUSH_MAX).await;
    }
}

/// Reads without writing: for people at a terminal. What processes left running that are gone is marked first.
///
/// # Errors
///
/// When the file cannot be read.
pub fn read(folder: &Path, query: &Query) -> Result<Page, HistoryError> {
    if store::exists(folder) {
        store::Store::open(folder, "")?;
    }
    store::read(folder, query)
}

#[cfg(test)]
mod tests;
