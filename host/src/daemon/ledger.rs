//! Which sessions a process holds, on disk: what is left there when the next one starts was lost with the process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::instant;

/// What a process that ended without saying goodbye held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    /// The process.
    pub process: u32,
    /// Its sessions, and when each was opened.
    pub sessions: BTreeMap<String, String>,
}

/// The file.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    held: Held,
}

impl Ledger {
    /// Opens it; says what the process before lost. That stands there until [`Self::begin`]: a process that cannot start tells nobody of it.
    pub(super) fn open(path: PathBuf) -> (Self, Option<Held>) {
        let lost = read(&path);
        let held = Held { process: std::process::id(), sessions: BTreeMap::new() };
        (Self { path, held }, lost.filter(|lost| !lost.sessions.is_empty()))
    }

    /// This process can be connected to: the file is its own from now on.
    pub(super) fn begin(&self) {
        self.write();
    }

    /// These are open now.
    pub(super) fn hold(&mut self, sessions: &[String]) {
        let now = || instant::shown(instant::millis(SystemTime::now()));
        let same = sessions.len() == self.held.sessions.len() && sessions.iter().all(|name| self.held.sessions.contains_key(name));
        if same {
            return;
        }
        let mut next = BTreeMap::new();
        for name in sessions {
            next.insert(name.clone(), self.held.sessions.get(name).cloned().unwrap_or_else(now));
        }
        self.held.sessions = next;
        if !self.is_anothers() {
            self.write();
        }
    }

    /// The process ends as it should.
    pub(super) fn close(&self) {
        if self.is_anothers() {
            return;
        }
        // Nothing is lost if it stays: it names what was closed.
        let _ = fs::remove_file(&self.path);
    }

    /// Does another process keep it by now? So it is where the folder was removed under this one.
    fn is_anothers(&self) -> bool {
        read(&self.path).is_some_and(|found| found.process != self.held.process)
    }

    fn write(&self) {
        let text = serde_json::to_vec(&self.held).unwrap_or_default();
        if let Err(error) = atomic::write(&self.path, &text, 0o600) {
            crate::diagnostics::warn(&format!("which sessions are open is not kept: {error}; who comes after a crash is not told"));
        }
    }
}

fn read(path: &Path) -> Option<Held> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_told_by_the_first_process_that_can_be_asked() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Ledger::open(folder.path().join("daemon.sessions"));
        let (mut killed, lost) = open();
        assert_eq!(lost, None);
        killed.begin();
        killed.hold(&["web1".to_owned()]);
        // One does not get as far as that.
        let (_, lost) = open();
        assert!(lost.unwrap().sessions.contains_key("web1"));
        let (next, lost) = open();
        assert!(lost.unwrap().sessions.contains_key("web1"));
        next.begin();
        assert_eq!(open().1, None);
    }
    #[test]
    fn a_process_that_came_after_the_folder_was_removed_keeps_what_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Ledger::open(folder.path().join("daemon.sessions"));
        let (mut first, _) = open();
        first.begin();
        fs::remove_file(folder.path().join("daemon.sessions")).unwrap();
        let (mut second, lost) = open();
        assert_eq!(lost, None);
        second.held.process += 1;
        second.begin();
        second.hold(&["web1".to_owned()]);
        first.hold(&["db1".to_owned()]);
        first.close();
        assert_eq!(read(&first.path), Some(second.held));
    }
}
