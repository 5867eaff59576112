//! Waiting for something in a session: it is looked at when it may have changed, and not all the time.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Phase, SessionHandle};
use crate::limits::LOOK_EVERY;

/// Looks at a session: when something may have changed, and at most once in [`LOOK_EVERY`].
#[derive(Debug)]
pub struct Looks<'a> {
    handle: &'a SessionHandle,
    stirs: watch::Receiver<()>,
    last: Instant,
}

impl<'a> Looks<'a> {
    /// The first one may be as soon as something changes from here on.
    pub(super) fn of(handle: &'a SessionHandle) -> Self {
        Self { handle, stirs: handle.commons.stirs(), last: Instant::now() }
    }

    /// Waits for the next one. A session that is silent wakes nobody, and one that prints without a pause not for each piece of it.
    /// Who gives that up for something else looks then, too: it may have been woken already.
    pub async fn next(&mut self) {
        tokio::select! {
            // It lasts as long as the handle.
            _ = self.stirs.changed() => {}
            () = self.handle.until(|status| matches!(status.phase, Phase::Closed(_))) => {}
        }
        sleep_until(self.last + LOOK_EVERY).await;
        self.stirs.mark_unchanged();
        self.last = Instant::now();
    }
}
