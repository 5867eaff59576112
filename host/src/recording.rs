//! A session as a text that a person can read and write: what the device sent, what was typed, what came of it.
//!
//! ```text
//! jackfield recording 1
//! device switch1
//! type cisco_ios
//! user admin
//! nonce 0123456789abcdef
//! size 200x50
//! settings cisco-enable {"paging":"pages"}
//!
//! < \r\nswitch1>
//! ! run show clock
//! > show clock\r
//! < show clock\r\n
//! @ 1200
//! < 12:00\r\nswitch1>
//! = done failed=false
//! | 12:00\n
//! ```
//!
//! `<` the device sent, `>` was typed, `*` a secret was typed (its name, then the keys after it), `@` so many milliseconds of
//! silence, `x` the line ended (with a status or a reason), `!` a caller's request, `=` and `|` what came of it, `#` a comment.
//! Bytes are written as they are; `\r \n \t \e \\` and `\x7f` stand for those that cannot be seen.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::limits::{RECORDING_ENTRIES_MAX, RECORDING_SILENCE_MIN, TERMINAL_SIZES};
use crate::secret::Secret;
use crate::secret::look::{Mask, SECRET_MARK, Span};
use crate::secret::redact::Redactor;
use crate::session::hidden::Hidden;
use crate::session::log::ByteLog;

/// The first line of the text: the format and its version.
const MAGIC: &str = "jackfield recording 1";

/// A recorded session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The device's name.
    pub device: String,
    /// Its type.
    pub kind: String,
    /// The account's name.
    pub user: String,
    /// The session's random digits; marks carry them.
    pub nonce: String,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Plugins whose settings decide how it comes out, and these as JSON.
    pub settings: Vec<(String, String)>,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The device sent this.
    Output(Vec<u8>),
    /// This was typed.
    Typed(Vec<u8>),
    /// A secret was typed, and these keys after it.
    Secret {
        /// Its name.
        name: String,
        /// What followed.
        enter: Vec<u8>,
    },
    /// The device was silent.
    Silence(Duration),
    /// The line ended: with a status, or why.
    End(Result<i32, String>),
    /// A caller ran a command.
    Run(String),
    /// A caller had a secret typed.
    Answer(String),
    /// What came of the last request.
    Outcome(Outcome),
}

/// What a session tells a recorder.
#[derive(Debug)]
pub enum Taped {
    /// A session has started: its heading.
    Begin(Recording),
    /// Something happened.
    Entry(Entry),
    /// The newest bytes that the device sent turn out to be a part of a secret: these, as many, are in their place.
    Cover(Vec<u8>),
}

/// A session's end of the way to a recorder.
#[derive(Debug)]
pub struct Tape {
    recorder: mpsc::Sender<Taped>,
    last: Instant,
}

impl Tape {
    /// Starts a recording.
    ///
    /// # Errors
    ///
    /// The sentence that ends the session when the recorder is gone.
    pub fn start(recorder: mpsc::Sender<Taped>, heading: Recording, now: Instant) -> Result<Self, String> {
        let tape = Self { recorder, last: now };
        tape.send(Taped::Begin(heading))?;
        Ok(tape)
    }

    fn send(&self, taped: Taped) -> Result<(), String> {
        // Half a recording would be taken for a whole one.
        self.recorder.try_send(taped).map_err(|_| format!("the recording is full or gone; it takes {RECORDING_ENTRIES_MAX} entries"))
    }

    /// The device sent something.
    ///
    /// # Errors
    ///
    /// The sentence that ends the session.
    pub fn output(&mut self, bytes: &[u8], now: Instant) -> Result<(), String> {
        let silence = now.saturating_duration_since(self.last);
        self.last = now;
        if silence >= RECORDING_SILENCE_MIN {
            self.send(Taped::Entry(Entry::Silence(silence)))?;
        }
        self.send(Taped::Entry(Entry::Output(bytes.to_vec())))
    }

    /// The newest of what the device sent turns out to be a part of a secret: this is in its place.
    ///
    /// # Errors
    ///
    /// The sentence that ends the session.
    pub fn cover(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.send(Taped::Cover(bytes.to_vec()))
    }

    /// Something else happened.
    ///
    /// # Errors
    ///
    /// The sentence that ends the session.
    pub fn note(&mut self, entry: Entry, now: Instant) -> Result<(), String> {
        self.last = now;
        self.send(Taped::Entry(entry))
    }
}

/// What came of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The word of the state.
    pub state: String,
    /// Exit status.
    pub exit: Option<i32>,
    /// It failed.
    pub failed: bool,
    /// The mode afterwards.
    pub mode: String,
    /// The whole output.
    pub output: String,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// It is something else.
    #[error("the first line is not `{MAGIC}`")]
    NotARecording,
    /// A line that cannot be read.
    #[error("line {line}: `{text}` {wrong}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// Its text.
        text: String,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// A line of the heading is missing.
    #[error("the heading has no `{0}`")]
    Missing(&'static str),
}

impl Recording {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// What is wrong, with the line's number.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let mut lines = text.lines().enumerate();
        if lines.next().is_none_or(|(_, first)| first.trim_end() != MAGIC) {
            return Err(RecordingError::NotARecording);
        }
        let mut heading = Heading::default();
        let mut entries: Vec<Entry> = Vec::new();
        // Half a recording would be taken for a whole one, and a command of which nothing is said for one that came out right.
        let cut_off = |(at, line): (usize, &str)| {
            let wrong = "has no `=` behind it that says what came of it; was the recording cut off?";
            Err(RecordingError::Line { line: at + 1, text: line.to_owned(), wrong })
        };
        let mut asked = None;
        for (at, line) in lines {
            let failed = |wrong| RecordingError::Line { line: at + 1, text: line.to_owned(), wrong };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            if heading.take(key, value).map_err(failed)? {
                continue;
            }
            let entry = entry(key, value, &mut entries).map_err(failed)?;
            match &entry {
                Some(Entry::Run(_)) => asked.replace((at, line)).map_or(Ok(()), cut_off)?,
                Some(Entry::Outcome(_)) => asked = None,
                _ => {}
            }
            entries.extend(entry);
        }
        asked.map_or(Ok(()), cut_off)?;
        heading.finish(entries)
    }
}

impl Recording {
    /// Puts these in the place of the newest bytes that the device sent.
    pub fn cover(&mut self, bytes: &[u8]) {
        let mut left = bytes;
        for entry in self.entries.iter_mut().rev() {
            if let Entry::Output(sent) = entry {
                let count = left.len().min(sent.len());
                let (before, last) = left.split_at(left.len() - count);
                sent.truncate(sent.len() - count);
                sent.extend_from_slice(last);
                left = before;
            }
            if left.is_empty() {
                return;
            }
        }
    }

    /// Masks secrets that are known in what was asked for and typed. In what the device sent they were when it came.
    pub fn conceal(&mut self, known: &Redactor) {
        for entry in &mut self.entries {
            match entry {
                Entry::Run(text) => *text = known.text(text),
                Entry::Typed(bytes) => *bytes = known.whole(bytes),
                _ => {}
            }
        }
    }

    /// Takes out what looks like a secret: of what the device sent, wherever it was cut, and of what was typed. What was typed as one goes
    /// wherever it stands: a device sends it back where it has not that look, behind a prompt or in a row that is drawn again.
    pub fn hide(&mut self, mask: &Mask) {
        let typed = self.typed_secrets(mask);
        let mut log = ByteLog::whole();
        let mut sent = Vec::new();
        for entry in &self.entries {
            if let Entry::Output(bytes) = entry {
                log.append(bytes);
                sent.extend_from_slice(bytes);
            }
        }
        // A log in memory alone can always be read.
        let spans = Hidden::new(mask, &log, 0).and_then(|mut hidden| hidden.until(log.end()).map(<[_]>::to_vec)).unwrap_or_default();
        let spans = joined(spans, places(&typed, &sent));
        let mut at = 0;
        for entry in &mut self.entries {
            match entry {
                Entry::Output(bytes) => {
                    let start = at;
                    at += bytes.len() as u64;
                    *bytes = without(bytes, start, &spans);
                }
                Entry::Run(text) => *text = without_typed(&mask.text(text).0, &typed),
                Entry::Typed(bytes) => {
                    if let Ok(text) = std::str::from_utf8(bytes) {
                        *bytes = without_typed(&mask.text(text).0, &typed).into_bytes();
                    }
                }
                // Its look was taken out when it was read.
                Entry::Outcome(outcome) => outcome.output = without_typed(&outcome.output, &typed),
                _ => {}
            }
        }
    }

    /// What was typed and looks like a secret.
    fn typed_secrets(&self, mask: &Mask) -> Redactor {
        let mut typed = Redactor::default();
        for entry in &self.entries {
            let text = match entry {
                Entry::Run(text) => text.as_bytes(),
                Entry::Typed(bytes) => bytes.as_slice(),
                _ => continue,
            };
            // The account's name stands in the heading and in prompts; without those nothing could be played.
            for secret in mask.secrets(text).into_iter().filter(|secret| *secret != self.user.as_bytes()) {
                typed.learn("typed", &Secret::from_bytes(secret.to_vec()));
            }
        }
        typed
    }
}

/// Where these values stand, also where the row ends inside of one: a terminal breaks it with a line end, a line editor with a blank and
/// a return.
fn places(values: &Redactor, bytes: &[u8]) -> Vec<Span> {
    let is_break = |at: usize| match bytes.get(at..).unwrap_or_default() {
        [b'\r' | b'\n', ..] => true,
        [b' ', b'\r', next, ..] => *next != b'\n',
        _ => false,
    };
    let (offsets, text): (Vec<u64>, Vec<u8>) =
        bytes.iter().enumerate().filter(|(at, _)| !is_break(*at)).map(|(at, byte)| (at as u64, *byte)).unzip();
    let span = |range: Range<usize>| {
        let (start, last) = (offsets.get(range.start)?, offsets.get(range.end.checked_sub(1)?)?);
        Some(Span { start: *start, end: last + 1, is_key: false })
    };
    values.places(&text).into_iter().filter_map(span).collect()
}

/// Both in order. What overlaps becomes one.
fn joined(mut spans: Vec<Span>, more: Vec<Span>) -> Vec<Span> {
    spans.extend(more);
    spans.sort_by_key(|span| span.start);
    spans.dedup_by(|next, last| {
        let overlaps = next.start < last.end;
        if overlaps {
            last.end = last.end.max(next.end);
            last.is_key |= next.is_key;
        }
        overlaps
    });
    spans
}

/// The text without these values; the marks in it stay as they are.
fn without_typed(text: &str, typed: &Redactor) -> String {
    let part = |part: &str| {
        let bytes = without(part.as_bytes(), 0, &places(typed, part.as_bytes()));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    text.split(SECRET_MARK).map(part).collect::<Vec<_>>().join(SECRET_MARK)
}

/// The bytes of the stream from `start` on, with marks where hidden parts begin.
fn without(bytes: &[u8], start: u64, spans: &[Span]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (offset, byte) in (start..).zip(bytes) {
        let next = spans.partition_point(|span| span.end <= offset);
        match spans.get(next) {
            Some(span) if span.start == offset => out.extend_from_slice(span.mark().as_bytes()),
            Some(span) if span.start < offset => {}
            _ => out.push(*byte),
        }
    }
    out
}

#[derive(Default)]
struct Heading {
    device: Option<String>,
    kind: Option<String>,
    user: Option<String>,
    nonce: Option<String>,
    size: Option<(u16, u16)>,
    settings: Vec<(String, String)>,
}

impl Heading {
    /// Is it a line of the heading?
    fn take(&mut self, key: &str, value: &str) -> Result<bool, &'static str> {
        let text = Some(value.to_owned());
        match key {
            "device" => self.device = text,
            "type" => self.kind = text,
            "user" => self.user = text,
            "nonce" => self.nonce = text,
            "size" => self.size = Some(size(value).ok_or("is no size of a terminal; write columns and rows as in `size 200x50`")?),
            "settings" => {
                let (plugin, json) = value.split_once(' ').ok_or("names no settings behind the plugin")?;
                self.settings.push((plugin.to_owned(), json.to_owned()));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self, entries: Vec<Entry>) -> Result<Recording, RecordingError> {
        let missing = |key| move || RecordingError::Missing(key);
        Ok(Recording {
            device: self.device.ok_or_else(missing("device"))?,
            kind: self.kind.ok_or_else(missing("type"))?,
            user: self.user.ok_or_else(missing("user"))?,
            nonce: self.nonce.ok_or_else(missing("nonce"))?,
            size: self.size.ok_or_else(missing("size"))?,
            settings: self.settings,
            entries,
        })
    }
}

/// A screen is kept in memory cell by cell.
fn size(text: &str) -> Option<(u16, u16)> {
    let number = |text: &str| text.parse::<u16>().ok().filter(|number| TERMINAL_SIZES.contains(number));
    let (columns, rows) = text.split_once('x')?;
    Some((number(columns)?, number(rows)?))
}

/// The entry of a line; `None` when it belongs to the entry before it.
fn entry(key: &str, value: &str, before: &mut [Entry]) -> Result<Option<Entry>, &'static str> {
    let bytes = || unescaped(value).ok_or("has an unknown escape; known are \\r \\n \\t \\e \\\\ and \\x7f");
    let text = || String::from_utf8(bytes()?).map_err(|_| "is not UTF-8");
    Ok(Some(match key {
        "<" => match before.last_mut() {
            Some(Entry::Output(output)) => {
                output.extend(bytes()?);
                return Ok(None);
            }
            _ => Entry::Output(bytes()?),
        },
        ">" => Entry::Typed(bytes()?),
        "*" => {
            let (name, enter) = value.split_once(' ').ok_or("names no keys after the secret")?;
            Entry::Secret { name: name.to_owned(), enter: unescaped(enter).ok_or("has an unknown escape")? }
        }
        "@" => Entry::Silence(Duration::from_millis(value.parse().map_err(|_| "is no number of milliseconds")?)),
        "x" => Entry::End(value.parse().map_err(|_| value.to_owned())),
        "!" => match value.split_once(' ') {
            Some(("run", _)) => Entry::Run(text()?.split_off(4)),
            Some(("secret", name)) => Entry::Answer(name.to_owned()),
            _ => return Err("is no request; requests are `run` and `secret`"),
        },
        "=" => Entry::Outcome(outcome(value)?),
        "|" => {
            let Some(Entry::Outcome(outcome)) = before.last_mut() else { return Err("follows no outcome") };
            outcome.output.push_str(&text()?);
            return Ok(None);
        }
        _ => return Err("begins with no known sign; known are < > * @ x ! = | #"),
    }))
}

fn outcome(text: &str) -> Result<Outcome, &'static str> {
    // The mode is the last word, and may hold blanks.
    let (words, mode) = text.split_once(" mode=").unwrap_or((text, ""));
    let mut outcome = Outcome { mode: mode.to_owned(), ..Outcome::default() };
    for (at, word) in words.split(' ').enumerate() {
        match word.split_once('=') {
            None if at == 0 => outcome.state = word.to_owned(),
            Some(("exit", status)) => outcome.exit = Some(status.parse().map_err(|_| "has an exit status that is no number")?),
            Some(("failed", failed)) => {
                outcome.failed = failed.parse().map_err(|_| "has a `failed` that is neither true nor false")?;
            }
            _ => return Err("has an unknown word; known are exit= failed= and at the end mode="),
        }
    }
    Ok(outcome)
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}\ndevice {}\ntype {}\nuser {}\nnonce {}", self.device, self.kind, self.user, self.nonce)?;
        writeln!(f, "size {}x{}", self.size.0, self.size.1)?;
        self.settings.iter().try_for_each(|(plugin, settings)| writeln!(f, "settings {plugin} {settings}"))?;
        writeln!(f)?;
        self.entries.iter().try_for_each(|entry| write!(f, "{entry}"))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(bytes) => rows(f, '<', bytes),
            Self::Typed(bytes) => writeln!(f, "> {}", escaped(bytes)),
            Self::Secret { name, enter } => writeln!(f, "* {name} {}", escaped(enter)),
            Self::Silence(duration) => writeln!(f, "@ {}", duration.as_millis()),
            Self::End(Ok(status)) => writeln!(f, "x {status}"),
            Self::End(Err(why)) => writeln!(f, "x {why}"),
            Self::Run(text) => writeln!(f, "\n! run {}", escaped(text.as_bytes())),
            Self::Answer(name) => writeln!(f, "\n! secret {name}"),
            Self::Outcome(outcome) => {
                write!(f, "= {}", outcome.state)?;
                if let Some(status) = outcome.exit {
                    write!(f, " exit={status}")?;
                }
                writeln!(f, " failed={} mode={}", outcome.failed, outcome.mode)?;
                rows(f, '|', outcome.output.as_bytes())
            }
        }
    }
}

/// A row of the recording for each row of the text.
fn rows(f: &mut fmt::Formatter<'_>, sign: char, bytes: &[u8]) -> fmt::Result {
    bytes.split_inclusive(|&byte| byte == b'\n').try_for_each(|row| writeln!(f, "{sign} {}", escaped(row)))
}

fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for ch in chunk.valid().chars() {
            match ch {
                '\r' => out.push_str("\\r"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\x1b' => out.push_str("\\e"),
                '\\' => out.push_str("\\\\"),
                ch if ch.is_control() => ch.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| hex(&mut out, byte)),
                ch => out.push(ch),
            }
        }
        chunk.invalid().iter().for_each(|byte| hex(&mut out, *byte));
    }
    // A space at the end of a line is easily lost.
    if out.ends_with(' ') {
        out.pop();
        hex(&mut out, b' ');
    }
    out
}

fn hex(out: &mut String, byte: u8) {
    // Writing to a string does not fail.
    let _ = write!(out, "\\x{byte:02x}");
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match rest.next()? {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'e' => 0x1b,
            b'\\' => b'\\',
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::secret::look::Looks;

    #[test]
    fn what_was_typed_as_a_secret_is_taken_out_wherever_the_device_sends_it_back() {
        let looks = Looks::compile([r"^username \S+ secret (\S+)\s*$"].into_iter()).unwrap();
        let mask = Mask::with(std::iter::once(Arc::new(looks)));
        let entries = |secret: &str, sent: [&str; 4]| {
            let line = format!("username ops secret {secret}");
            let [echo, drawn, cut, rest] = sent.map(|sent| Entry::Output(sent.as_bytes().to_vec()));
            vec![
                Entry::Run(format!("{line}\nend")),
                Entry::Typed(format!("{line}\r").into_bytes()),
                echo,
                Entry::Typed(b"end\r".to_vec()),
                drawn,
                Entry::Outcome(Outcome { output: format!("{secret} is short\n"), ..Outcome::default() }),
                // Of the account's own name.
                Entry::Run("username ops secret ops-1".to_owned()),
                cut,
                Entry::Silence(Duration::from_secs(1)),
                rest,
            ]
        };
        let mut recording = Recording {
            device: "r1".to_owned(),
            kind: "t".to_owned(),
            user: "ops-1".to_owned(),
            nonce: "0123456789abcdef".to_owned(),
            size: (40, 50),
            settings: Vec::new(),
            entries: entries(
                "Hunter2x",
                [
                    "R1(config)#username ops secret Hunter2x\r\nR1(config)#",
                    "R1(config)#username ops secret Hunt \rer2x, Hun\x1b[mter2x, Hunter\r\n2x, HunX\x08ter2x, Hunter 2x",
                    "ops-1@r1> echo Hunt",
                    "er2x\r\n",
                ],
            ),
        };
        recording.hide(&mask);
        let mut expected = entries(
            SECRET_MARK,
            [
                "R1(config)#username ops secret [secret removed]\r\nR1(config)#",
                "R1(config)#username ops secret [secret removed], [secret removed], [secret removed], [secret removed], Hunter 2x",
                "ops-1@r1> echo [secret removed]",
                "\r\n",
            ],
        );
        expected[6] = Entry::Run(format!("username ops secret {SECRET_MARK}"));
        assert_eq!(recording.entries, expected);
    }

    #[test]
    fn known_secrets_are_in_no_line_that_was_asked_for_or_typed() {
        let heading = "jackfield recording 1\ndevice a\ntype b\nuser c\nnonce d\nsize 80x24\n";
        let entries = |word: &str| format!("{heading}! run true {word}\n> true {word}\\r\n< true [secret:sudo]\\r\n= done\n");
        let mut recording = Recording::parse(&entries("Hunter2x")).unwrap();
        let mut known = Redactor::default();
        known.learn("sudo", &Secret::from_bytes(b"Hunter2x".to_vec()));
        recording.conceal(&known);
        assert_eq!(recording, Recording::parse(&entries("[secret:sudo]")).unwrap());
    }

    #[test]
    fn what_turns_out_to_be_a_part_of_a_secret_is_covered_wherever_it_was_cut() {
        let heading = "jackfield recording 1\ndevice a\ntype b\nuser c\nnonce d\nsize 80x24\n";
        let recording = |first: &str, second: &str| {
            let text = format!("{heading}< $ echo {first}\n@ 1200\n< {second}\n> x\n@ 1200\n< [secret:sudo]\n");
            let mut recording = Recording::parse(&text).unwrap();
            let mask = recording.entries.pop().unwrap();
            (recording, mask)
        };
        let (mut recorded, mask) = recording("hun", "te");
        recorded.cover(b"*****");
        recorded.entries.push(mask);
        let (mut expected, mask) = recording("***", "**");
        expected.entries.push(mask);
        assert_eq!(recorded, expected);
        recorded.cover(&[]);
        assert_eq!(recorded, expected);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let recording = Recording {
            device: "web1".to_owned(),
            kind: "linux".to_owned(),
            user: "ops".to_owned(),
            nonce: "0123456789abcdef".to_owned(),
            size: (200, 50),
            settings: vec![("sudo".to_owned(), "{\"a\":\"b c\"}".to_owned())],
            entries: vec![
                Entry::Output(b"line\r\n\xff\x00\\ \xc3\xa4 web1$ ".to_vec()),
                Entry::Run("echo a\necho \\x".to_owned()),
                Entry::Typed(b"echo a\r".to_vec()),
                Entry::Silence(Duration::from_millis(1200)),
                Entry::Output(b"a ".to_vec()),
                Entry::Secret { name: "sudo".to_owned(), enter: b"\r".to_vec() },
                Entry::Outcome(Outcome {
                    state: "done".to_owned(),
                    exit: Some(-1),
                    failed: true,
                    mode: "ex config".to_owned(),
                    output: "a\n b \n".to_owned(),
                }),
                Entry::Answer("vty".to_owned()),
                Entry::End(Ok(0)),
                Entry::End(Err("the device closed the session".to_owned())),
            ],
        };
        assert_eq!(Recording::parse(&recording.to_string()), Ok(recording));
    }

    #[test]
    fn a_mode_may_hold_blanks() {
        for mode in ["config if", " a=b mode=c exit=x", "x ", ""] {
            let outcome = Outcome { state: "done".to_owned(), mode: mode.to_owned(), ..Outcome::default() };
            assert_eq!(Entry::Outcome(outcome.clone()).to_string(), format!("= done failed=false mode={mode}\n"));
            assert_eq!(super::outcome(&format!("done failed=false mode={mode}")), Ok(outcome));
        }
        assert!(outcome("done speed=9 mode=x").is_err());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let heading = "jackfield recording 1\ndevice a\ntype b\nuser c\nnonce d\nsize 80x24\n";
        assert_eq!(Recording::parse("hello"), Err(RecordingError::NotARecording));
        for (line, wrong) in [
            ("< \\q", "unknown escape"),
            ("% x", "no known sign"),
            ("| x", "follows no outcome"),
            ("! fly me", "no request"),
            ("! run x\n> x\\r\n< x\\r\n", "cut off"),
            ("size 80*24", "no size"),
            ("size 80x65535", "no size"),
            ("settings sudo", "no settings"),
            ("= done failed=no", "neither true nor false"),
            ("! run x\n! run y\n= done failed=false mode=\n", "cut off"),
        ] {
            let error = Recording::parse(&format!("{heading}{line}\n")).unwrap_err().to_string();
            assert!(error.starts_with("line 7: ") && error.contains(wrong), "{error}");
        }
        assert_eq!(Recording::parse("jackfield recording 1\n"), Err(RecordingError::Missing("device")));
    }
}
