//! What comes on the line: masked, shown to the machine and the screen, recorded. Decisions are taken when the reader is drained.

use bytes::Bytes;

use super::{Actor, Entry, LineEvent, Tape, now};
use crate::limits::LINE_CHUNKS;
use crate::recording::Recording;
use crate::session::audience::Scene;
use crate::terminal::text::escaped;

impl Actor {
    /// What was read to find out the device's type is the session's first output.
    pub(super) async fn begin_with_seen(&mut self) {
        let bytes = std::mem::take(&mut self.seen);
        if !bytes.is_empty() && self.ended.is_none() {
            self.on_bytes(&bytes);
            // They were answered when they came.
            self.machine.take_queries();
            let effects = self.machine.on_drained(now());
            self.perform(effects).await;
            self.publish();
        }
    }

    /// Takes what came and what is there behind it; decisions are taken when the reader is drained.
    pub(super) async fn on_line(&mut self, event: LineEvent) {
        self.on_event(event);
        self.drain().await;
    }

    pub(super) async fn drain(&mut self) {
        self.undrained = false;
        for _ in 0..LINE_CHUNKS {
            // What came before the end may have ended what ran.
            let event = if self.ended.is_some() { None } else { self.reader.ready() };
            let Some(event) = event else {
                self.heed_lock();
                let effects = self.machine.on_drained(now());
                return self.perform(effects).await;
            };
            self.on_event(event);
        }
        // More may be there, or this was the last of it: the others get their turn first, then it is looked at again.
        self.undrained = true;
    }

    /// Takes what is there, and decides nothing yet.
    pub(super) fn take_what_came(&mut self) {
        for _ in 0..LINE_CHUNKS {
            if self.ended.is_some() {
                return;
            }
            let Some(event) = self.reader.ready() else { return };
            self.on_event(event);
            self.undrained = true;
        }
    }

    fn on_event(&mut self, event: LineEvent) {
        match event {
            LineEvent::Data(bytes) | LineEvent::Error(bytes) => self.on_bytes(&bytes),
            LineEvent::Exit(Ok(status)) => {
                self.release_held();
                self.tape(|tape| tape.note(Entry::End(Ok(status)), now()));
                self.exit = Some(status);
                // Before the first prompt it says why: an account without a login, for one.
                let stream = self.machine.stream();
                let row = if stream.has_tail() { stream.tail() } else { stream.last_row() };
                let said = Some(escaped(row.trim())).filter(|said| self.machine.is_opening() && !said.is_empty());
                let said = said.map_or_else(String::new, |said| format!("; it said: {}", self.profile.shown(&said)));
                self.ended = Some(format!("the shell has ended with status {status}{said}"));
            }
            LineEvent::Exit(Err(why)) | LineEvent::Closed(why) => {
                self.release_held();
                self.tape(|tape| tape.note(Entry::End(Err(why.clone())), now()));
                self.profile.commons.lose_line();
                self.ended = Some(why);
            }
        }
    }

    fn on_bytes(&mut self, bytes: &[u8]) {
        if self.cast.name().is_some() {
            self.cast.output(&self.recorded_redactor.push(bytes), now());
        }
        let shown = self.redactor.push(bytes);
        self.cover();
        self.held_since = self.redactor.is_holding().then(now);
        if !shown.is_empty() {
            self.take_output(&shown);
        }
    }

    /// What was held back, because it might have been the beginning of a secret, was none.
    pub(super) fn release_held(&mut self) {
        self.held_since = None;
        let held = self.redactor.flush();
        self.cover();
        if !held.is_empty() {
            self.take_output(&held);
        }
    }

    /// Letters of a secret came so slowly that they were given out before it was known to be one: who types it, or a line that rests.
    fn cover(&mut self) {
        let cover = self.redactor.take_cover();
        if !cover.is_empty() {
            self.machine.cover(&cover);
            self.tape(|tape| tape.cover(&cover));
            // The emulator has drawn them: it is made anew from the log.
            self.screen = None;
        }
    }

    pub(super) fn take_output(&mut self, shown: &[u8]) {
        self.machine.on_bytes(now(), shown);
        if let Some(screen) = &mut self.screen {
            screen.on_bytes(shown);
        }
        if self.setup_from.is_none() {
            self.audience.show(|| Scene::Output(Bytes::copy_from_slice(shown)));
        }
        self.tape(|tape| tape.output(shown, now()));
    }

    pub(super) fn start_tape(&mut self) {
        let Some(recorder) = self.profile.recorder.take() else { return };
        let heading = Recording {
            device: self.profile.id.device.clone(),
            kind: self.profile.kind.name.clone(),
            user: self.profile.user.clone(),
            nonce: self.profile.nonce.clone(),
            size: self.profile.size,
            settings: self.profile.kind.played_settings(),
            entries: Vec::new(),
        };
        match Tape::start(recorder, heading, now()) {
            Ok(tape) => self.tape = Some(tape),
            Err(why) => self.ended = Some(why),
        }
    }

    pub(super) fn tape(&mut self, note: impl FnOnce(&mut Tape) -> Result<(), String>) {
        if let Some(Err(why)) = self.tape.as_mut().map(note) {
            self.ended = Some(why);
        }
    }
}
