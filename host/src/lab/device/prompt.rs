//! Keys at the prompt: the line editor, live keys, help and completion.

use super::super::editor::{View, width};
use super::super::keys::is_one_of;
use super::super::spec::{Editor, Step};
use super::super::text::holds;
use super::{Device, MESSAGE, State};

impl Device {
    pub(super) fn edit(&mut self) -> bool {
        let key = self.next_key();
        if std::mem::take(&mut self.lf_came) {
            self.draw_again();
        }
        let Some(key) = key else { return self.stay(State::Editing) };
        let script = self.script.clone();
        if let Some(step) = script.spec.key.iter().find(|step| self.is_live(step, &key)) {
            self.on_live_key(step);
            return true;
        }
        self.state = State::Editing;
        self.on_editor_key(&key, &script.spec.editor);
        true
    }

    /// Writes the prompt and what was typed so far.
    pub(super) fn show_prompt(&mut self) {
        let script = self.script.clone();
        let view = self.view(&script.spec.editor);
        let shown = self.line.prompt(&view);
        self.write(&shown);
        self.prompts += 1;
        let disturbed = self.prompts.checked_rem(self.faults.syslog_lines) == Some(0);
        if disturbed {
            self.write(&format!("\r\n{MESSAGE}\r\n{shown}"));
        }
        if self.faults.redraw {
            self.write(&format!("\r\u{1b}[K{shown}"));
        }
    }

    /// What the line feed of an Enter does at a redrawing prompt.
    fn draw_again(&mut self) {
        let script = self.script.clone();
        let again = self.line.again(&self.view(&script.spec.editor));
        self.write(&again);
    }

    /// The prompt of the mode; one that is wider than half of the terminal may lose its left part.
    pub(super) fn prompt_text(&self) -> String {
        let Some(mode) = self.script.spec.mode.get(&self.mode) else { return String::new() };
        let whole = self.fill(&mode.prompt);
        let most = usize::try_from(self.login.columns / 2).unwrap_or(usize::MAX);
        let Some(cut) = mode.cut.as_ref().filter(|_| width(&whole) > most + 1) else { return whole };
        let plain = self.fill_with(&mode.prompt, false);
        let skip = plain.chars().count().saturating_sub(most);
        format!("{cut}{}", plain.chars().skip(skip).collect::<String>())
    }

    fn view<'a>(&self, editor: &'a Editor) -> View<'a> {
        let columns = usize::try_from(self.login.columns).unwrap_or(usize::MAX);
        View { prompt: self.prompt_text(), columns, editor, dumb: self.login.dumb }
    }

    fn is_live(&self, step: &Step, key: &[u8]) -> bool {
        let here = step.modes.is_empty() || step.modes.iter().any(|mode| *mode.get_ref() == self.mode);
        here && is_one_of(key, step.patterns.all()) && holds(&step.when, &self.vars)
    }

    fn on_live_key(&mut self, step: &Step) {
        if step.clear {
            self.line.take();
        }
        self.push_steps(std::slice::from_ref(step));
    }

    fn on_editor_key(&mut self, key: &[u8], editor: &Editor) {
        let view = self.view(editor);
        let written = if is_one_of(key, &editor.enter) {
            return self.on_enter(&view);
        } else if is_one_of(key, &editor.cancel) {
            self.line.take();
            self.state = State::Ready;
            editor.cancelled.clone()
        } else if is_one_of(key, &editor.erase) {
            self.line.erase(&view)
        } else if is_one_of(key, &editor.clear) {
            self.line.clear(&view)
        } else if is_one_of(key, &editor.help) {
            return self.on_help(key);
        } else if is_one_of(key, &editor.complete) {
            return self.on_complete();
        } else {
            // Control keys and sequences that the device does not know do nothing.
            let typed = String::from_utf8_lossy(key).into_owned();
            if typed.chars().any(char::is_control) { String::new() } else { self.line.insert(&typed, &view) }
        };
        if self.faults.no_echo {
            return;
        }
        // As on a terminal: the row is left once there is a character for the next one.
        let before = self.line.text().chars().count().saturating_sub(1);
        if !written.is_empty() && before > 0 && before.checked_rem(self.faults.wrap_columns) == Some(0) {
            self.write("\r\n");
        }
        self.write(&written);
    }

    fn on_enter(&mut self, view: &View<'_>) {
        let written = self.line.enter(view);
        self.write(&written);
        self.state = State::Ready;
        let line = self.line.take();
        self.submit(&line);
    }

    /// The key is shown, the help follows, the line stays.
    fn on_help(&mut self, key: &[u8]) {
        let script = self.script.clone();
        let spec = &script.spec;
        let (names, partial) = self.candidates();
        let mut text = String::from_utf8_lossy(key).into_owned();
        text.push_str(&spec.terminal.newline);
        if names.is_empty() {
            text.push_str(&self.fill(&spec.errors.unknown));
        } else if partial.is_empty() {
            let widest = names.iter().map(String::len).max().unwrap_or(0);
            for name in &names {
                let help = spec.words.get(name).map_or("", String::as_str);
                text.push_str(format!("  {name:widest$}  {help}").trim_end());
                text.push_str(&spec.terminal.newline);
            }
            text.push_str(&spec.terminal.newline);
        } else {
            text.push_str(&names.join("  "));
            text.push_str(&spec.terminal.newline);
        }
        self.write(&text);
        self.state = State::Ready;
    }

    /// The word is completed when only one is possible; the line is shown again.
    fn on_complete(&mut self) {
        let (names, partial) = self.candidates();
        if let ([name], false) = (names.as_slice(), partial.is_empty()) {
            let missing = name.get(partial.len()..).unwrap_or_default().to_owned();
            self.line.push(&format!("{missing} "));
        }
        self.write_line("");
        self.state = State::Ready;
    }

    fn candidates(&self) -> (Vec<String>, String) {
        let script = &self.script;
        let tree = self.tree(&script.trees);
        tree.map(|tree| tree.next_words(self.line.text(), &self.menu, &script.spec.syntax)).unwrap_or_default()
    }
}
