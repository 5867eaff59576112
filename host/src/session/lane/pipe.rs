//! A shell behind a pipe: it is told its commands, and tells their ends by marks on both of its outputs.

use super::streams::Side;
use super::{Lane, Open, State, now};
use crate::limits::LINE_CHUNKS;
use crate::policy;
use crate::policy::approved::{Approved, Payload};
use crate::transport::{LineEvent, Order};

/// What is left of a shell that has ended and begun anew.
const NEW_SHELL: &str = "a new one runs in the same directory, and variables that were not exported are gone";

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

    /// The shell has ended and begun anew while it ran no command, as by a signal: it is told its part again, and the next command tells
    /// of it. What was on the way to it then has found a shell that tells no end.
    fn renew(&mut self) {
        let Open::Pipe(pipe) = &mut self.way else { return };
        let Some((out_start, out_end, mark)) = pipe.streams.out.renewed() else { return };
        if pipe.streams.out.stream.last_mark('X').is_none() {
            return;
        }
        if pipe.running.is_some() || !pipe.is_open {
            self.ended = Some("its shell ended before it could begin with the command".to_owned());
            return;
        }
        let (_, cwd) = ending(mark);
        // Standard error may tell it later.
        let (err_start, err_end) = pipe.streams.err.renewed().map_or((pipe.told.1, pipe.told.1), |(start, end, _)| (start, end));
        // Where it is ended again and again, that is told once.
        if pipe.notes.is_empty() {
            let between = [("output", pipe.told.0, out_start), ("standard error", pipe.told.1, err_start)];
            pipe.notes.extend(between.into_iter().filter_map(|(name, before, end)| late(name, before, end)));
            pipe.notes.push(format!("the shell had ended behind the last command; {NEW_SHELL}"));
        }
        pipe.cwd = cwd;
        pipe.told = (out_end, err_end);
        pipe.streams.expect_marks();
        let setup = policy::pipe_setup(&pipe.spec, &self.profile.nonce);
        self.write(&setup);
    }

    /// Have both outputs told the end?
    pub(super) fn look(&mut self) {
        self.renew();
        let Open::Pipe(pipe) = &mut self.way else { return };
        let (Some((out_start, out_end, mark)), Some((err_start, err_end, _))) = (pipe.streams.out.done(), pipe.streams.err.done()) else {
            return;
        };
        let (status, cwd) = ending(mark);
        let restarted = pipe.streams.out.stream.last_mark('X').is_some();
        let start_of = |side: &Side| side.stream.first_mark('C').map(|mark| mark.start);
        let started = (start_of(&pipe.streams.out), start_of(&pipe.streams.err));
        // A shell before this one may have told its end late.
        let told_again = pipe.streams.err.stream.first_mark('D').map(|mark| mark.end).filter(|end| Some(*end) <= started.1);
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
            let before = (record.out.0, told_again.unwrap_or(record.err.0));
            for (name, before, started) in [("output", before.0, started.0), ("standard error", before.1, started.1)] {
                record.warnings.extend(started.and_then(|started| late(name, before, started)));
            }
            (record.out, record.err) = ((out_start, Some(out_end)), (err_start, Some(err_end)));
            (record.status, record.cwd) = (status, cwd);
            if restarted {
                record.warnings.push(format!("it ended the shell; {NEW_SHELL}"));
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

/// What came between two commands.
fn late(name: &str, from: u64, to: u64) -> Option<String> {
    let late = to.checked_sub(from).filter(|late| *late > 0)?;
    Some(format!("{late} bytes of {name} came after the last command ended, at offset {from}"))
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
