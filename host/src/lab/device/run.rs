//! Lines into commands, commands into steps, steps into tasks.

use std::collections::BTreeMap;

use super::super::editor::width;
use super::super::limits::{RUN_DEPTH_MAX, STEPS_MAX};
use super::super::lines::{Filter, Source};
use super::super::spec::{Query, Repeat, Step};
use super::super::text::holds;
use super::super::words::{Resolved, Tree, Why, Wrong};
use super::ask::Asking;
use super::{Device, Entry, Page, State};

/// One thing to do, in the order of a step.
#[derive(Debug)]
pub(super) enum Task {
    /// Look at a step, if its condition holds by then.
    Step(Box<Step>),
    Wait(u64),
    Raw(String),
    Print(Box<Step>),
    Repeat(Box<Repeat>),
    Query(Query),
    /// Sizes, vars, mode, message for later, exit status.
    Apply(Box<Step>),
    Ask(String),
    Close,
}

impl Device {
    /// Runs a typed line.
    pub(super) fn submit(&mut self, line: &str) {
        self.page = Page { markers: self.page.markers, off: self.exec, ..Page::default() };
        self.filter = None;
        self.depth = 0;
        self.line_column = 0;
        if !line.trim().is_empty() {
            self.entries.push(Entry::Command { mode: self.mode.clone(), line: line.to_owned() });
        }
        let mode = self.mode.clone();
        self.run(line, &mode);
    }

    fn run(&mut self, typed: &str, mode: &str) {
        let script = self.script.clone();
        let Some(tree) = script.trees.get(mode).filter(|_| self.depth < RUN_DEPTH_MAX) else { return };
        self.depth += 1;
        let line = self.without_off_word(typed);
        let line = match self.without_filter(&line) {
            Ok(line) => line,
            // What is no filter may be a part of the command.
            Err(_) if matches!(tree.resolve(&line, &self.menu, &script.spec.syntax), Resolved::Command(..)) => line,
            Err(wrong) => return self.refuse(typed, &wrong),
        };
        match tree.resolve(&line, &self.menu, &script.spec.syntax) {
            Resolved::Empty => {}
            Resolved::Menu(path) => self.menu = path,
            Resolved::Wrong(wrong) => self.refuse(typed, &wrong),
            Resolved::Command(index, values) => {
                self.values = values;
                if let Some(step) = script.spec.command.get(index) {
                    self.push_steps(std::slice::from_ref(step));
                }
            }
        }
    }

    /// A word anywhere in the line may switch paging off.
    fn without_off_word(&mut self, line: &str) -> String {
        let script = self.script.clone();
        let word = script.spec.pager.as_ref().and_then(|pager| pager.off_word.as_ref());
        let Some(word) = word.filter(|word| line.split_whitespace().any(|typed| typed == *word)) else { return line.to_owned() };
        self.page.off = true;
        line.split_whitespace().filter(|typed| typed != word).collect::<Vec<_>>().join(" ")
    }

    /// Cuts the filter off and keeps it for the output.
    fn without_filter(&mut self, line: &str) -> Result<String, Wrong> {
        let script = self.script.clone();
        let syntax = &script.spec.syntax;
        let Some((command, filter)) = syntax.pipe.and_then(|pipe| line.split_once(pipe)) else { return Ok(line.to_owned()) };
        let (word, pattern) = filter.trim().split_once(' ').unwrap_or_else(|| (filter.trim(), ""));
        let mut known = syntax.filters.iter().filter(|(name, _)| !word.is_empty() && name.starts_with(word));
        if let (Some((_, kind)), None) = (known.next(), known.next()) {
            self.filter = Some((*kind, pattern.trim().to_owned()));
            return Ok(command.trim_end().to_owned());
        }
        let column = line.chars().count() - filter.trim_start().chars().count();
        Err(Wrong { why: Why::Invalid, word: word.to_owned(), column, caret: column })
    }

    fn refuse(&mut self, line: &str, wrong: &Wrong) {
        self.entries.push(Entry::Refused { line: line.to_owned() });
        self.status = u32::from(self.exec);
        let script = self.script.clone();
        let errors = &script.spec.errors;
        let invalid = errors.invalid.as_ref().unwrap_or(&errors.unknown);
        let text = match wrong.why {
            Why::Unknown => &errors.unknown,
            Why::Invalid => invalid,
            Why::Extra => errors.extra.as_ref().unwrap_or(invalid),
            Why::Ambiguous => &errors.ambiguous,
            Why::Incomplete => &errors.incomplete,
        };
        let before = if self.exec { 0 } else { width(&self.prompt_text()) };
        self.values = BTreeMap::from([
            ("word".to_owned(), wrong.word.clone()),
            ("line".to_owned(), line.to_owned()),
            ("column".to_owned(), (self.line_column + wrong.column + 1).to_string()),
            ("caret".to_owned(), " ".repeat(before + self.line_column + wrong.caret)),
        ]);
        let text = self.fill(text);
        self.print_now(&text);
    }

    /// Prints a text before anything else.
    pub(super) fn print_now(&mut self, text: &str) {
        let step = Step { print: Some(text.to_owned()), ..Step::default() };
        self.tasks.push_front(Task::Print(Box::new(step)));
    }

    /// Puts steps before all other tasks. A chain of steps that has no end ends here.
    pub(super) fn push_steps(&mut self, steps: &[Step]) {
        if self.tasks.len() + steps.len() > STEPS_MAX {
            self.tasks.clear();
            return;
        }
        for step in steps.iter().rev() {
            self.tasks.push_front(Task::Step(Box::new(step.clone())));
        }
    }

    pub(super) fn next_task(&mut self) -> bool {
        let Some(task) = self.tasks.pop_front() else {
            if self.exec {
                self.state = State::Closed;
            } else {
                self.show_prompt();
                self.state = State::Editing;
            }
            return true;
        };
        match task {
            Task::Step(step) => self.unfold(*step),
            Task::Wait(delay_ms) => self.state = State::Waiting(self.now_ms.saturating_add(delay_ms)),
            Task::Raw(text) => {
                let text = self.fill(&text);
                self.write(&text);
            }
            Task::Print(step) => self.state = State::Printing(self.source(&step)),
            Task::Repeat(rule) => self.start_repeat(*rule),
            Task::Query(query) => self.start_query(&query),
            Task::Apply(step) => self.apply(&step),
            Task::Ask(name) => self.start_dialog(&name),
            Task::Close => self.state = State::Closed,
        }
        true
    }

    /// The parts of a step, in their fixed order.
    fn unfold(&mut self, mut step: Step) {
        if !holds(&step.when, &self.vars) {
            return;
        }
        let mut tasks = Vec::new();
        tasks.extend((step.delay_ms > 0).then_some(Task::Wait(step.delay_ms)));
        tasks.extend(step.raw.take().map(Task::Raw));
        if step.print.is_some() || step.generate.is_some() {
            tasks.push(Task::Print(Box::new(step.clone())));
        }
        tasks.extend(step.repeat.take().map(|rule| Task::Repeat(Box::new(rule))));
        tasks.extend(step.query.take().map(Task::Query));
        let ask = step.ask.take().map(|name| Task::Ask(name.into_inner()));
        let then = std::mem::take(&mut step.then);
        let close = step.close.then_some(Task::Close);
        tasks.push(Task::Apply(Box::new(step)));
        tasks.extend(ask);
        tasks.extend(then.into_iter().map(|step| Task::Step(Box::new(step))));
        tasks.extend(close);
        if self.tasks.len() + tasks.len() <= STEPS_MAX {
            tasks.into_iter().rev().for_each(|task| self.tasks.push_front(task));
        }
    }

    /// What a step prints: its text, or the lines made by rule.
    fn source(&self, step: &Step) -> Source {
        let source = match (&step.print, &step.generate) {
            (Some(text), _) => Source::text(&self.fill(text)),
            (None, Some(rule)) => {
                let mut vars = self.vars.clone();
                vars.extend(self.values.clone());
                Source::made(rule, vars)
            }
            (None, None) => Source::text(""),
        };
        let counted = &self.script.spec.syntax.counted;
        source.filtered(self.filter.as_ref().and_then(|(kind, pattern)| Filter::new(*kind, pattern, counted)))
    }

    fn apply(&mut self, step: &Step) {
        for (name, value) in &step.set {
            let value = self.fill(value);
            self.vars.insert(name.clone(), value);
        }
        if let Some(rows) = &step.rows {
            self.length = self.fill(rows).parse().ok();
        }
        if let Some(columns) = step.columns.as_ref().and_then(|columns| self.fill(columns).parse().ok()) {
            let columns = if columns == 0 { u32::MAX } else { columns };
            self.on_resize(columns, self.login.rows);
        }
        if let Some(mode) = &step.mode {
            mode.get_ref().clone_into(&mut self.mode);
        }
        if let Some(later) = &step.later {
            let text = self.fill(&later.print);
            self.schedule(later.delay_ms, text);
        }
        self.status = step.status.unwrap_or(self.status);
        if let Some(run) = &step.run {
            let line = self.fill(&run.line);
            self.line_column += self.outer_column(&line);
            self.run(&line, run.mode.get_ref());
        }
    }

    /// Where an inner line began in the line that was typed last.
    fn outer_column(&self, inner: &str) -> usize {
        let Some(Entry::Command { line, .. }) = self.entries.last() else { return 0 };
        line.find(inner).and_then(|byte| line.get(..byte)).map_or(0, |before| before.chars().count())
    }

    fn start_dialog(&mut self, name: &str) {
        let script = self.script.clone();
        let Some(dialog) = script.spec.dialog.get(name) else { return };
        let begun = self.fill(&dialog.begun);
        let (end, rest) = begun.split_at(begun.chars().next().map_or(0, char::len_utf8));
        if !end.is_empty() && rest.contains(end) {
            // All of it came with the command.
            self.push_steps(dialog.other.as_slice());
            return;
        }
        let question = self.fill(&dialog.question);
        self.write(&question);
        let until_ms = (dialog.timeout_ms > 0).then(|| self.now_ms.saturating_add(dialog.timeout_ms));
        self.state = State::Asking(Box::new(Asking::new(name, dialog, end, until_ms)));
    }

    /// The commands of the mode the device is in.
    pub(super) fn tree<'a>(&self, trees: &'a BTreeMap<String, Tree>) -> Option<&'a Tree> {
        trees.get(&self.mode)
    }
}
