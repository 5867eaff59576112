//! A shell behind a pipe: it is told its commands, and tells their ends by marks on both of its outputs.

use super::streams::Side;
use super::{Lane, Open, State, now};
use crate::limits::LINE_CHUNKS;
use crate::policy;
use crate::policy::approved::{Approved, Payload};
use crate::transport::{LineEvent, Order};

impl Lane {
    /// The piped shell is told its part, and proves that it answers by an empty command.
    pub(super) fn set_up(&mut self) {
        let Open::Pipe(pipe) = &mut self.way else { return };
        pipe.streams.expect_marks();
        let first = policy::pipe_first(&pipe.spec, &self.profile.nonce);
        self.write(&first);
    }

    pub(super) fn write(&mut self, approved: &Approved) {
        let Open::Pipe(pipe) = &self.way else { return };
        let Payload::Bytes(bytes) = approved.payload() else { return };
        if let Err(why) = pipe.writer.order(Order::Write(bytes.clone().into())) {
            self.profile.commons.lose_line();
            self.ended = Some(why);
        }
    }

    pub(super) fn on_pipe(&mut self, event: LineEvent) {
        let Open::Pipe(pipe) = &mut self.way else { return };
        pipe.streams.take(&event);
        // What came together is looked at together.
        for _ in 0..LINE_CHUNKS {
            match (&event, pipe.reader.ready()) {
                (LineEvent::Exit(_) | LineEvent::Closed(_), _) => break,
                (_, Some(next @ (LineEvent::Data(_) | LineEvent::Error(_)))) => pipe.streams.take(&next),
                (_, Some(end)) => {
                    pipe.streams.take(&end);
                    self.look();
                    return self.on_end(end);
                }
                (_, None) => break,
            }
        }
        self.look();
        self.on_end(event);
    }

    fn on_end(&mut self, event: LineEvent) {
        match event {
            LineEvent::Exit(Ok(status)) => {
                self.end_with(status);
                self.ended = Some(format!("the shell has ended with status {status}"));
            }
            LineEvent::Exit(Err(why)) | LineEvent::Closed(why) => {
                self.profile.commons.lose_line();
                self.ended = Some(why);
            }
            LineEvent::Data(_) | LineEvent::Error(_) => {}
        }
    }

    /// The shell has ended and no mark told the command's end: a trap of its own on EXIT takes the place of ours.
    fn end_with(&mut self, status: i32) {
        let Open::Pipe(pipe) = &mut self.way else { return };
        let Some(running) = pipe.running.take() else { return };
        let part = |side: &Side, start: u64| (side.stream.first_mark('C').map_or(start, |mark| mark.end), Some(side.stream.log().end()));
        let Some(record) = self.records.of_mut(running) else { return };
        record.out = part(&pipe.streams.out, record.out.0);
        record.err = part(&pipe.streams.err, record.err.0);
        record.status = Some(status);
        let what = "it ended the session: the next command opens a new one, which knows nothing of this one's directory and variables";
        record.warnings.push(what.to_owned());
        self.end(running, State::Done);
        self.is_end_told = true;
    }

    /// Have both outputs told the end?
    pub(super) fn look(&mut self) {
        let Open::Pipe(pipe) = &mut self.way else { return };
        let (Some((out_start, out_end, mark)), Some((err_start, err_end, _))) = (pipe.streams.out.done(), pipe.streams.err.done()) else {
            return;
        };
        let (status, cwd) = ending(mark);
        let restarted = pipe.streams.out.stream.last_mark('X').is_some();
        let start_of = |side: &Side| side.stream.first_mark('C').map(|mark| mark.start);
        let started = (start_of(&pipe.streams.out), start_of(&pipe.streams.err));
        let end_of = |side: &Side| side.stream.last_mark('D').map_or(0, |mark| mark.end);
        pipe.told = (end_of(&pipe.streams.out), end_of(&pipe.streams.err));
        // Where none is told, what was told before is not known to be so still.
        pipe.cwd.clone_from(&cwd);
        let running = pipe.running.take();
        if running.is_none() && pipe.is_open {
            return;
        }
        pipe.is_open = true;
        pipe.streams.expect_marks();
        if let Some(running) = running
            && let Some(record) = self.records.of_mut(running)
        {
            for (name, before, started) in [("output", record.out.0, started.0), ("standard error", record.err.0, started.1)] {
                if let Some(late) = started.map(|started| started - before).filter(|late| *late > 0) {
                    record.warnings.push(format!("{late} bytes of {name} came after the last command ended, at offset {before}"));
                }
            }
            (record.out, record.err) = ((out_start, Some(out_end)), (err_start, Some(err_end)));
            (record.status, record.cwd) = (status, cwd);
            if restarted {
                let what = "it ended the shell; a new one runs in the same directory, and variables that were not exported are gone";
                record.warnings.push(what.to_owned());
            }
            record.end(State::Done, &self.profile);
            self.records.ended(running);
            self.used_at = now();
        }
        if restarted {
            let setup = policy::pipe_setup(&pipe.spec, &self.profile.nonce);
            self.write(&setup);
        }
    }
}

/// Status and directory of `D;status;nonce;cwd`.
fn ending(mark: &str) -> (Option<i32>, Option<String>) {
    let mut fields = mark.splitn(4, ';').skip(1);
    let status = fields.next().and_then(|status| status.parse().ok());
    let cwd = fields.nth(1).filter(|cwd| !cwd.is_empty()).map(str::to_owned);
    (status, cwd)
}

#[cfg(test)]
mod tests {
    use super::ending;

    #[test]
    fn a_mark_tells_status_and_directory() {
        assert_eq!(ending("D;3;0123;/a;b c"), (Some(3), Some("/a;b c".to_owned())));
        assert_eq!(ending("D;;0123"), (None, None));
    }
}
