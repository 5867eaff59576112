//! Those who watch a session: a copy of what its terminal gets, and of who typed what.
//!
//! A session never waits for them. What they are too slow for is counted, and they take up the log again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::handover::TypedLine;
use crate::limits::AUDIENCE_QUEUE;

/// Something to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scene {
    /// Bytes for the terminal.
    Output(Bytes),
    /// Somebody typed a line.
    Typed(TypedLine),
    /// The terminal has another size now: columns and rows.
    Size(u16, u16),
    /// The past is to be taken up again: there is more in it to see.
    Again,
}

/// The way of a session to those who watch it. Without anybody it costs nothing.
#[derive(Debug, Default)]
pub(super) struct Audience(Option<Open>);

#[derive(Debug)]
struct Open {
    scenes: mpsc::Sender<Scene>,
    missed: Arc<AtomicU64>,
}

/// What is watched: the past, then what comes.
#[derive(Debug)]
pub struct Watched {
    /// The newest bytes of the log until now.
    pub past: Vec<u8>,
    /// The log began before them.
    pub is_cut: bool,
    /// Where the log ended then: so many bytes have come in all.
    pub end: u64,
    /// Columns and rows now.
    pub size: (u16, u16),
    /// What comes.
    pub scenes: mpsc::Receiver<Scene>,
    /// Scenes that did not fit: the past is to be taken up again.
    pub missed: Arc<AtomicU64>,
}

impl Audience {
    /// Lets somebody in; who watched before does not any more.
    pub(super) fn open(&mut self) -> (mpsc::Receiver<Scene>, Arc<AtomicU64>) {
        let (scenes, seen) = mpsc::channel(AUDIENCE_QUEUE);
        let missed = Arc::<AtomicU64>::default();
        self.0 = Some(Open { scenes, missed: Arc::clone(&missed) });
        (seen, missed)
    }

    /// Something was not shown that now should be.
    pub(super) fn skip(&mut self) {
        self.show(|| Scene::Again);
    }

    /// Shows something, if anybody is there.
    pub(super) fn show(&mut self, scene: impl FnOnce() -> Scene) {
        let Some(open) = &self.0 else { return };
        match open.scenes.try_send(scene()) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                open.missed.fetch_add(1, Ordering::Release);
            }
            Err(mpsc::error::TrySendError::Closed(_)) => self.0 = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_back_is_told_to_who_waits() {
        let mut audience = Audience::default();
        audience.skip();
        let (mut scenes, missed) = audience.open();
        audience.skip();
        assert_eq!(scenes.try_recv(), Ok(Scene::Again));
        // Where there is no room they look by themselves.
        (0..=AUDIENCE_QUEUE).for_each(|_| audience.skip());
        assert_eq!(missed.load(Ordering::Acquire), 1);
    }
}
