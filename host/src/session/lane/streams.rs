//! Both outputs of programs, apart: masked, logged, searched for marks.

use std::time::Instant;

use crate::cast::Cast;
use crate::secret::redact::Redactor;
use crate::session::actor::HOLD;
use crate::session::now;
use crate::session::profile::Profile;
use crate::session::stream::Stream;
use crate::transport::LineEvent;

/// One output of a program: masked, logged, searched for marks.
pub(super) struct Side {
    pub(super) stream: Stream,
    redactor: Redactor,
    /// The same of what is recorded, which has time: it gives out nothing before it is certain.
    recorded_redactor: Redactor,
    /// Since when bytes are held back that may be the beginning of a secret.
    held_since: Option<Instant>,
    cast: Cast,
}

impl Side {
    fn push(&mut self, bytes: &[u8]) {
        if self.cast.name().is_some() {
            self.cast.lines(&self.recorded_redactor.push(bytes), now());
        }
        let shown = self.redactor.push(bytes);
        self.stream.cover(&self.redactor.take_cover());
        self.stream.push(&shown);
        self.held_since = self.redactor.is_holding().then(now);
    }

    /// The output is quiet: what may be the beginning of a secret is none after all.
    fn release(&mut self) {
        self.held_since = None;
        let held = self.redactor.flush();
        self.stream.cover(&self.redactor.take_cover());
        self.stream.push(&held);
    }

    /// Nothing comes any more: what secrets are is forgotten.
    fn end(&mut self) {
        self.release();
        self.cast.lines(&self.recorded_redactor.flush(), now());
        (self.redactor, self.recorded_redactor) = (Redactor::default(), Redactor::default());
    }

    /// Where the last command's output lies, and the mark behind it.
    pub(super) fn done(&self) -> Option<(u64, u64, &str)> {
        let done = self.stream.last_mark('D')?;
        Some((self.stream.output_start()?, done.start, done.body.as_str()))
    }

    /// Where a shell that ran no command told its end: from, to, and the mark.
    pub(super) fn renewed(&self) -> Option<(u64, u64, &str)> {
        let done = self.stream.last_mark('D').filter(|_| self.stream.output_start().is_none())?;
        // One output tells before that the shell begins anew.
        let start = self.stream.first_mark('X').map_or(done.start, |anew| anew.start);
        Some((start, done.end, done.body.as_str()))
    }
}

/// Standard output and standard error.
pub(super) struct Streams {
    pub(super) out: Side,
    pub(super) err: Side,
}

impl Streams {
    pub(super) fn new(profile: &mut Profile, cast: &Cast) -> Self {
        let mut side = || Side {
            stream: Stream::new((profile.logs)(), &profile.nonce).without_prompts(),
            redactor: profile.redactor(),
            recorded_redactor: profile.redactor(),
            held_since: None,
            cast: cast.clone(),
        };
        Self { out: side(), err: side() }
    }

    pub(super) fn take(&mut self, event: &LineEvent) {
        match event {
            LineEvent::Data(bytes) => self.out.push(bytes),
            LineEvent::Error(bytes) => self.err.push(bytes),
            LineEvent::Exit(_) | LineEvent::Closed(_) => self.end(),
        }
    }

    /// When what is held back is given out, if nothing comes.
    pub(super) fn held_until(&self) -> Option<Instant> {
        [&self.out, &self.err].into_iter().filter_map(|side| side.held_since).min().map(|since| since + HOLD)
    }

    /// Gives out what was held back for so long.
    pub(super) fn release_held(&mut self) {
        for side in [&mut self.out, &mut self.err] {
            if side.held_since.is_some_and(|since| since + HOLD <= now()) {
                side.release();
            }
        }
    }

    /// Nothing comes any more.
    pub(super) fn end(&mut self) {
        self.out.end();
        self.err.end();
    }

    pub(super) fn expect_marks(&mut self) {
        self.out.stream.on_typed(None);
        self.err.stream.on_typed(None);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.out.stream.log().end() + self.err.stream.log().end()
    }
}
