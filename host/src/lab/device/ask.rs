//! Questions to the person: a secret, a key, a line.

use super::super::keys::is_one_of;
use super::super::limits::LINE_BYTES_MAX;
use super::super::spec::{Answer, Dialog, Step};
use super::{Device, Entry, State};

/// A question that stands.
#[derive(Debug)]
pub(super) struct Asking {
    name: String,
    dialog: Dialog,
    tries_left: u32,
    text: String,
    /// Kind `text`: what ends it.
    end: String,
    pub(super) until_ms: Option<u64>,
}

impl Asking {
    pub(super) fn new(name: &str, dialog: &Dialog, end: &str, until_ms: Option<u64>) -> Self {
        let (name, end) = (name.to_owned(), end.to_owned());
        Self { name, dialog: dialog.clone(), tries_left: dialog.tries.max(1), text: String::new(), end, until_ms }
    }

    /// The step that a typed key or line chooses.
    fn chosen(&self, typed: &str) -> Option<&Step> {
        let found = self.dialog.answer.iter().find(|step| step.patterns.all().iter().any(|pattern| pattern == typed));
        found.or(self.dialog.other.as_ref())
    }
}

impl Device {
    pub(super) fn ask(&mut self, asking: Box<Asking>) -> bool {
        if asking.until_ms.is_some_and(|until| self.now_ms >= until) {
            self.finish(asking.dialog.timeout.as_ref());
            return true;
        }
        let Some(key) = self.next_key() else { return self.stay(State::Asking(asking)) };
        let script = self.script.clone();
        let editor = &script.spec.editor;
        if is_one_of(&key, &editor.cancel) && asking.dialog.kind != Answer::Key {
            return self.cancel_question(asking);
        }
        match asking.dialog.kind {
            Answer::Key => self.on_answer_key(asking, &key),
            _ if is_one_of(&key, &editor.enter) => self.on_answer_line(asking),
            _ => self.on_answer_text(asking, &key),
        }
        true
    }

    /// A question that knows no way out stays.
    fn cancel_question(&mut self, asking: Box<Asking>) -> bool {
        if asking.dialog.cancel.is_none() {
            self.state = State::Asking(asking);
            return true;
        }
        let after = self.fill(&asking.dialog.after);
        self.write(&after);
        self.finish(asking.dialog.cancel.as_ref());
        true
    }

    fn on_answer_key(&mut self, asking: Box<Asking>, key: &[u8]) {
        let typed = String::from_utf8_lossy(key).into_owned();
        let Some(step) = asking.chosen(&typed).cloned() else {
            self.state = State::Asking(asking);
            return;
        };
        self.entries.push(Entry::Answer { dialog: asking.name.clone(), text: typed.clone() });
        if asking.dialog.echo && !typed.chars().any(char::is_control) {
            self.write(&typed);
        }
        let after = self.fill(&asking.dialog.after);
        self.write(&after);
        self.finish(Some(&step));
    }

    fn on_answer_text(&mut self, mut asking: Box<Asking>, key: &[u8]) {
        let script = self.script.clone();
        let editor = &script.spec.editor;
        let echo = asking.dialog.kind != Answer::Secret;
        if is_one_of(key, &editor.erase) {
            let erased = asking.text.pop().is_some();
            self.write(if erased && echo { "\u{8} \u{8}" } else { "" });
        } else if is_one_of(key, &editor.clear) {
            asking.text.clear();
        } else if !key.iter().any(u8::is_ascii_control) && asking.text.len() + key.len() <= LINE_BYTES_MAX {
            let typed = String::from_utf8_lossy(key).into_owned();
            asking.text.push_str(&typed);
            self.write(if echo { &typed } else { "" });
        }
        self.state = State::Asking(asking);
    }

    fn on_answer_line(&mut self, mut asking: Box<Asking>) {
        let typed = std::mem::take(&mut asking.text);
        let after = self.fill(&asking.dialog.after);
        self.write(&after);
        if asking.dialog.kind == Answer::Secret {
            return self.on_secret(asking, &typed);
        }
        self.entries.push(Entry::Answer { dialog: asking.name.clone(), text: typed.clone() });
        if asking.dialog.kind == Answer::Text && !typed.contains(&asking.end) {
            self.state = State::Asking(asking);
            return;
        }
        if let Some(name) = &asking.dialog.set {
            self.vars.insert(name.clone(), typed.clone());
        }
        let step = asking.chosen(&typed).cloned();
        if step.is_none() && asking.dialog.set.is_none() && asking.dialog.kind == Answer::Line {
            return self.ask_again(asking);
        }
        self.finish(step.as_ref());
    }

    fn on_secret(&mut self, mut asking: Box<Asking>, typed: &str) {
        let script = self.script.clone();
        let secret = asking.dialog.secret.as_ref().and_then(|name| script.spec.secrets.get(name.get_ref()));
        let right = secret.is_some_and(|secret| secret == typed);
        let text = if right { "right" } else { "wrong" }.to_owned();
        self.entries.push(Entry::Answer { dialog: asking.name.clone(), text });
        asking.tries_left = asking.tries_left.saturating_sub(1);
        if right {
            self.finish(asking.dialog.correct.as_ref());
        } else if asking.tries_left == 0 {
            self.finish(asking.dialog.wrong.as_ref());
        } else {
            self.ask_again(asking);
        }
    }

    fn ask_again(&mut self, asking: Box<Asking>) {
        let question = self.fill(&format!("{}{}", asking.dialog.again, asking.dialog.question));
        self.write(&question);
        self.state = State::Asking(asking);
    }

    fn finish(&mut self, step: Option<&Step>) {
        self.state = State::Ready;
        if let Some(step) = step {
            self.push_steps(std::slice::from_ref(step));
        }
    }
}
