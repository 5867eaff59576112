//! A scripted device as a pure machine: typed bytes and the time go in, output bytes come out. It never waits.
//!
//! Everything runs through one list of tasks. A command puts its steps there; a step that has to wait (for time, for a key,
//! for room) becomes the state; when no task is left the prompt is shown. `device/run.rs` turns steps into tasks,
//! `device/show.rs` prints and pages, `device/wait.rs` does what takes time, `device/ask.rs` asks, `device/prompt.rs` takes keys at the
//! prompt.

mod ask;
mod prompt;
mod run;
mod show;
#[cfg(test)]
mod tests;
mod wait;

use std::collections::{BTreeMap, VecDeque};

use regex::Regex;

use self::ask::Asking;
use self::run::Task;
use self::wait::Repeating;
use super::description::{Description, Script};
use super::editor::Line;
use super::faults::Faults;
use super::keys::next_key;
use super::limits::{COLUMNS_MAX, LATER_MAX, OUTPUT_HIGH_WATER_BYTES, ROWS_MAX, TYPEAHEAD_BYTES_MAX};
use super::lines::Source;
use super::login::Login;
use super::spec::{Crlf, FilterKind};
use super::text::{expand, holds};

/// One session on a scripted device.
#[derive(Debug)]
pub(super) struct Device {
    script: std::sync::Arc<Script>,
    login: Login,
    vars: BTreeMap<String, String>,
    /// Values that the pattern of the running command gave.
    values: BTreeMap<String, String>,
    mode: String,
    menu: Vec<String>,
    /// Page height set by a command.
    length: Option<u32>,
    /// Exec request: no prompt, no pager, ends after its command.
    exec: bool,
    now_ms: u64,
    input: VecDeque<u8>,
    /// The last key was a carriage return whose line feed belongs to it.
    lf_may_follow: bool,
    /// Such a line feed came: a redrawing editor draws the line once more.
    lf_came: bool,
    /// The client will type no more.
    eof: bool,
    output: VecDeque<u8>,
    state: State,
    tasks: VecDeque<Task>,
    line: Line,
    page: Page,
    filter: Option<(FilterKind, String)>,
    /// Column at which the running line began inside the typed one.
    line_column: usize,
    depth: usize,
    later: Vec<(u64, String)>,
    noise_due_ms: Vec<u64>,
    faults: Faults,
    /// Lines and prompts since the session began, for the faults that count them.
    lines: u64,
    prompts: u64,
    entries: Vec<Entry>,
    status: u32,
}

/// What the device is doing.
#[derive(Debug, Default)]
enum State {
    /// It takes the next task.
    #[default]
    Ready,
    /// It reads a line at the prompt.
    Editing,
    /// It is silent until then.
    Waiting(u64),
    /// It prints.
    Printing(Source),
    /// The marker stands; this line comes next.
    Paging(Source, String),
    /// It prints again and again.
    Repeating(Box<Repeating>),
    /// It waits for the terminal's answer until then; other keys are kept for later.
    Querying { answer: Regex, until_ms: u64, held: Vec<u8> },
    /// It waits for a person's answer.
    Asking(Box<Asking>),
    /// The session is over.
    Closed,
}

/// Paging of the running command.
#[derive(Debug, Default)]
struct Page {
    used_rows: u32,
    off: bool,
    /// Pages of this command that ended in a marker.
    pages: usize,
    /// Markers wiped so far in this session.
    markers: usize,
}

/// What a fault has the device say without being asked.
pub const MESSAGE: &str = "*Nov 21 14:00:00.000: %LAB-5-MESSAGE: nobody asked for this";

/// Something that a device took from its client, for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A line was run.
    Command {
        /// Mode in which it was typed.
        mode: String,
        /// The line.
        line: String,
    },
    /// A line was no command.
    Refused {
        /// The line.
        line: String,
    },
    /// A question was answered.
    Answer {
        /// Name of the question.
        dialog: String,
        /// The answer; for a secret `right` or `wrong`.
        text: String,
    },
    /// A key was pressed at a pager.
    PagerKey {
        /// The key.
        key: String,
    },
    /// A command was stopped by a key.
    Stopped,
}

impl Device {
    /// A terminal session from its login steps on. Nothing for a device without a script.
    pub(super) fn shell(description: &Description, login: Login) -> Option<Self> {
        let mut device = Self::new(description, login)?;
        let steps: Vec<_> = device.script.spec.login.clone();
        device.push_steps(&steps);
        Some(device)
    }

    /// One command without terminal. Nothing when there is no such mode.
    pub(super) fn exec(description: &Description, mode: &str, line: &str) -> Option<Self> {
        let mut device = Self::new(description, Login::named(description.user()))?;
        device.script.trees.get(mode)?;
        mode.clone_into(&mut device.mode);
        device.exec = true;
        device.submit(line);
        Some(device)
    }

    fn new(description: &Description, login: Login) -> Option<Self> {
        let script = description.script.clone();
        if script.spec.shell.is_some() {
            return None;
        }
        let spec = &script.spec;
        let login = login.with_defaults(spec.terminal.columns, spec.terminal.rows);
        Some(Self {
            login,
            vars: description.vars.clone(),
            values: BTreeMap::new(),
            mode: script.start.clone(),
            menu: Vec::new(),
            length: None,
            exec: false,
            now_ms: 0,
            input: VecDeque::new(),
            lf_may_follow: false,
            lf_came: false,
            eof: false,
            output: VecDeque::new(),
            state: State::Ready,
            tasks: VecDeque::new(),
            line: Line::default(),
            page: Page::default(),
            filter: None,
            line_column: 0,
            depth: 0,
            later: Vec::new(),
            noise_due_ms: spec.noise.iter().map(|noise| noise.every_ms).collect(),
            faults: description.faults,
            lines: 0,
            prompts: 0,
            entries: Vec::new(),
            status: 0,
            script,
        })
    }

    /// Typed bytes. What does not fit into the typeahead is lost.
    pub(super) fn on_input(&mut self, bytes: &[u8]) {
        let room = TYPEAHEAD_BYTES_MAX.saturating_sub(self.input.len());
        self.input.extend(bytes.iter().take(room));
    }

    /// Nothing more will be typed.
    pub(super) fn on_eof(&mut self) {
        self.eof = true;
    }

    /// The terminal has another size now.
    pub(super) fn on_resize(&mut self, columns: u32, rows: u32) {
        self.login.columns = columns.clamp(1, COLUMNS_MAX);
        self.login.rows = rows.clamp(1, ROWS_MAX);
    }

    /// Does all that can be done now, as long as the output has room.
    pub(super) fn advance(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        self.interject();
        while self.output.len() < OUTPUT_HIGH_WATER_BYTES && self.step() {}
        let waits_for_key = matches!(self.state, State::Editing | State::Paging(..) | State::Asking(_));
        if self.eof && self.input.is_empty() && waits_for_key {
            self.state = State::Closed;
        }
    }

    /// When the device does something by itself, if it does.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        let state = match &self.state {
            State::Waiting(until) => Some(*until),
            State::Repeating(repeating) => Some(repeating.due_ms),
            State::Querying { until_ms, .. } => Some(*until_ms),
            State::Asking(asking) => asking.until_ms,
            _ => None,
        };
        let later = self.later.iter().map(|(due, _)| *due);
        later.chain(self.noise_due_ms.iter().copied()).chain(state).min()
    }

    /// Output that was not taken yet.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.output.len()
    }

    /// Takes the next output bytes.
    pub(super) fn take(&mut self, length: usize) -> Vec<u8> {
        self.output.drain(..length.min(self.output.len())).collect()
    }

    /// What was taken from the client since the last call.
    pub(super) fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// The exit status, once the session is over.
    pub(super) fn closed(&self) -> Option<u32> {
        matches!(self.state, State::Closed).then_some(self.status)
    }

    /// Whether only a key can end what it does.
    pub(super) fn needs_key(&self) -> bool {
        match &self.state {
            State::Repeating(repeating) => repeating.count.is_none(),
            State::Asking(_) | State::Querying { .. } | State::Paging(..) | State::Editing => true,
            _ => false,
        }
    }

    /// One small piece of work; false when there is nothing to do.
    fn step(&mut self) -> bool {
        match std::mem::take(&mut self.state) {
            State::Ready => self.next_task(),
            State::Editing => self.edit(),
            State::Waiting(until) => self.wait(until),
            State::Printing(source) => self.print(source),
            State::Paging(source, line) => self.page(source, line),
            State::Repeating(repeating) => self.repeat(repeating),
            State::Querying { answer, until_ms, held } => self.query(answer, until_ms, held),
            State::Asking(asking) => self.ask(asking),
            State::Closed => self.stay(State::Closed),
        }
    }

    /// Nothing to do in this state now.
    fn stay(&mut self, state: State) -> bool {
        self.state = state;
        false
    }

    fn write(&mut self, text: &str) {
        self.output.extend(text.as_bytes());
    }

    fn write_line(&mut self, line: &str) {
        self.output.extend(line.as_bytes());
        self.output.extend(self.script.spec.terminal.newline.as_bytes());
    }

    /// The next key, with CR LF taken as the description says.
    fn next_key(&mut self) -> Option<Vec<u8>> {
        let one = self.script.spec.editor.crlf == Crlf::One;
        loop {
            let key = next_key(&mut self.input)?;
            if std::mem::take(&mut self.lf_may_follow) && key == b"\n" {
                self.lf_came = true;
                continue;
            }
            self.lf_may_follow = one && key == b"\r";
            return Some(key);
        }
    }

    /// Looks for a cancel key among what was typed ahead; all before it is dropped with it.
    fn is_cancelled(&mut self) -> bool {
        let script = self.script.clone();
        let keys = script.spec.editor.cancel.iter().filter_map(|key| key.bytes().next());
        let Some(place) = keys.filter_map(|key| self.input.iter().position(|byte| *byte == key)).min() else { return false };
        self.input.drain(..=place);
        true
    }

    /// Ends the running command at a key.
    fn cancel(&mut self) {
        self.tasks.clear();
        self.entries.push(Entry::Stopped);
        let text = self.script.spec.editor.cancelled.clone();
        self.write(&text);
        self.state = State::Ready;
    }

    /// Fills the placeholders of a text.
    fn fill(&self, text: &str) -> String {
        self.fill_with(text, !self.login.no_colour && !self.login.dumb)
    }

    fn fill_with(&self, text: &str, colours: bool) -> String {
        expand(text, |name| match name {
            "user" if !self.vars.contains_key(name) => Some(self.login.user.clone()),
            "columns" => Some(self.login.columns.to_string()),
            "rows" => Some(self.login.rows.to_string()),
            "mode" => Some(self.mode.clone()),
            "menu" => Some(self.menu_path()),
            _ => match name.strip_prefix("sgr:") {
                Some(codes) if colours => Some(format!("\u{1b}[{codes}m")),
                Some(_) => Some(String::new()),
                None => self.values.get(name).or_else(|| self.vars.get(name)).cloned(),
            },
        })
    }

    fn menu_path(&self) -> String {
        let separator = self.script.spec.syntax.menu.unwrap_or(' ');
        self.menu.iter().map(|name| format!("{separator}{name}")).collect()
    }

    /// Keeps a message for later.
    fn schedule(&mut self, delay_ms: u64, text: String) {
        if self.later.len() < LATER_MAX {
            self.later.push((self.now_ms.saturating_add(delay_ms), text));
        }
    }

    /// Messages whose time has come.
    fn interject(&mut self) {
        let now_ms = self.now_ms;
        let script = self.script.clone();
        let mut texts: Vec<_> = self.later.extract_if(.., |(due, _)| *due <= now_ms).map(|(_, text)| text).collect();
        for (noise, due) in script.spec.noise.iter().zip(&mut self.noise_due_ms) {
            if *due <= now_ms {
                *due = now_ms.saturating_add(noise.every_ms.max(1));
                if holds(&noise.when, &self.vars) {
                    texts.push(noise.print.clone());
                }
            }
        }
        for text in texts {
            self.write_message(&text);
        }
    }

    fn write_message(&mut self, text: &str) {
        let terminal = &self.script.spec.terminal;
        let again = terminal.prompt_again && matches!(self.state, State::Editing);
        let text = self.fill(text);
        let message = expand(&terminal.interject, |name| (name == "text").then(|| text.clone()));
        self.write(&message);
        if again {
            self.show_prompt();
        }
    }
}
