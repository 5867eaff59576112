//! Device descriptions: what a scripted device says, as data. This page explains every key; `spec.rs` holds their types.
//!
//! A description is one TOML file. Unknown keys, unknown modes, dialogs and secrets are refused with their line.
//!
//! # Identity
//! `name` (device name), `user` (login name on the lab's server, the name unless given), `type` (device type of the
//! configuration), `title`, `server_id` (how the real system's SSH server names itself; a lab whose devices agree says the same),
//! `password` (random unless given), `auth` = `password` or `keyboard-interactive` (with
//! `auth_question`), `channels` (channels of one
//! connection, 0 = no limit), `exec` (whether exec requests are served), `jump` (whether connections to the lab's own port are
//! forwarded), `[secrets]` (name = value), `[vars]` (name = first value), `[faults]` (`chunk_bytes`, `chunk_delay_ms`, `seed`,
//! `close_after_bytes`, `syslog_lines`, `no_echo`, `redraw`, `wrap_columns`), `[suffix]` (`separator` and the letters `no_colour`, `no_queries`, `dumb`, `columns`, `rows`; the last two
//! follow a number).
//!
//! # Placeholders
//! `{name}` stands for a var, a value of the command's pattern, or one of `{user}` (login name), `{columns}`, `{rows}`, `{menu}`,
//! `{mode}`; `{name:20}` is cut to 20 characters. `{sgr:36;1}` is a colour, nothing when colours are off. What is not a known name stays
//! as it is. Vars are kept for a session; every session begins anew.
//!
//! # Modes and words
//! `[mode.NAME]`: `prompt`, `start` (sessions begin here), `inherit` (modes whose commands count too), `cut` (stands for the missing
//! left part of a prompt wider than half of the terminal). `[syntax]`: `abbreviate`, `ignore_case`, `comment`, `menu` (commands form
//! menus separated by this character, and the menu is a place to be in), `pipe` with `[syntax.filters]` word = `keep`, `drop`, `from`
//! or `count` and `counted` (text with `{n}`); behind the separator a command may also have words of its own. `[words]` word = help text. `[errors]`: `unknown`, `invalid`, `extra`, `ambiguous`,
//! `incomplete`, `too_long` with `{word}`, `{line}`, `{column}` (from 1), `{caret}` (spaces up to the wrong character, the prompt
//! included).
//!
//! `[[command]]` is a step with `match`: words, `<name>` (any word), `key=<name>`, `<name...>` (the rest), `[word]` (may be left out).
//! With menus it begins with the separator and its first word holds the whole path: `/net/address/show [all]`.
//! Where several commands fit, one of the mode itself comes before an inherited one, and that before one without `modes`.
//!
//! # Steps
//! A step does these, in this order: `when` (only if these vars have these values), `delay_ms`, `raw` (bytes), `print` (lines, through
//! the pager), `generate` (`lines`, `head`, `block` list, `tail`; in blocks `{n}` number of the block, `{line}`, `{hi}` and `{lo}` bytes of
//! `n`, `{hex}`), `repeat` (`template`, `every_ms`, `newline`, `head`, `head_every`, `count`, `stop` keys, `stopped` bytes, `end`),
//! `query` (`ask`, `answer` as regular expression, `timeout_ms`; left out for logins with the no-queries option), `set`, `rows`,
//! `columns`, `mode`, `run` (`line`, `mode`), `later` (`delay_ms`, `print`), `ask` (a dialog), `then` (more steps), `close`. `status` is the
//! exit status of an exec request. `modes` limits a command or key to some modes.
//!
//! `[[login]]` steps run before the first prompt. `[[key]]` steps run at once when their key is typed at the prompt; the line typed so
//! far stays unless `clear`. `[[noise]]`: `every_ms`, `print`, `when`.
//!
//! # Terminal
//! `[terminal]`: `columns`, `rows` (where the client names none), `newline`, `interject` (shape of `later` and `noise` messages, with
//! `{text}`), `prompt_again`. `[editor]`: key lists `enter`, `erase`, `clear`, `cancel`, `help`, `complete`; `crlf` = `one` or `two` keys;
//! `cancelled`, `line_max`, `scroll`; `echo` = `full` or `redraw` with `on_prompt`, `on_key`, `on_enter`, where `{line}` is prompt and
//! text, `{padded}` the same filled with spaces to the width, `{key}` the typed character.
//!
//! `[pager]`: `marker`, `marker_next`, `erase` list, key lists `page`, `line`, `quit`, `dump`; `other` = `ignore`, `quit` or `page`;
//! `off_word`.
//!
//! `[dialog.NAME]`: `question`, `kind` = `secret` (with `secret`, `tries`, `again`, `correct`, `wrong`), `key` (with `echo`), `line`
//! (with `set`) or `text` (lines up to one with the first character of `begun`, which is what the command brought of the text; where that
//! has its end already, nothing is asked); `[[dialog.NAME.answer]]` steps with `match`, `other`, `cancel`, `after`, `timeout_ms`,
//! `timeout`.
//!
//! # A local shell in place of a script
//! `[shell]`: `program`, `exec` (with `{lab.command}`), `[shell.env]`, `[[shell.file]]` (`path`, `text`, `executable`),
//! `[shell.subsystem]` name = list of programs to try. Here the placeholders are `{lab.home}` (a private temporary folder),
//! `{lab.user}`, `{lab.term}`, `{lab.secret.NAME}` and the vars as `{lab.NAME}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

use super::LabError;
use super::device::Device;
use super::faults::Faults;
use super::limits::{COLLECTED_BYTES_MAX, DESCRIPTION_BYTES_MAX, GENERATED_LINES_MAX};
use super::spec::{Answer, Name, Patterns, Spec, Step};
use super::words::Tree;
use crate::nearest::nearest;

/// What one device of the lab is and says. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Description {
    pub(super) name: String,
    pub(super) faults: Faults,
    pub(super) vars: BTreeMap<String, String>,
    pub(super) password: Option<String>,
    user: Option<String>,
    pub(super) script: Arc<Script>,
}

/// The checked file.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) spec: Spec,
    /// Commands by mode.
    pub(super) trees: BTreeMap<String, Tree>,
    /// The mode in which sessions begin; empty for a local shell.
    pub(super) start: String,
}

impl Description {
    /// Reads a description. `name` is the device's name where the file gives none, and stands in error texts.
    ///
    /// # Errors
    /// When the text is not TOML, has a key that does not exist, or names something that it does not define.
    pub fn parse(name: &str, toml_text: &str) -> Result<Self, LabError> {
        let place = Place { name, text: toml_text };
        if toml_text.len() > DESCRIPTION_BYTES_MAX {
            return Err(place.error(0, format!("longer than {DESCRIPTION_BYTES_MAX} bytes")));
        }
        let spec: Spec = toml::from_str(toml_text).map_err(|error| place.toml_error(&error))?;
        let start = check(&spec, &place)?;
        let trees = trees(&spec, &place)?;
        Ok(Self {
            name: spec.name.clone().unwrap_or_else(|| name.to_owned()),
            faults: spec.faults,
            vars: spec.vars.clone(),
            password: spec.password.clone(),
            user: spec.user.clone(),
            script: Arc::new(Script { spec, trees, start }),
        })
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The login name that chooses this device.
    pub fn user(&self) -> &str {
        self.user.as_deref().unwrap_or(&self.name)
    }

    /// One line for people.
    pub fn title(&self) -> &str {
        &self.script.spec.title
    }

    /// The device type of the configuration.
    pub fn device_type(&self) -> &str {
        &self.script.spec.device_type
    }

    /// The same device under another name, which is its login name too.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self.user = None;
        self
    }

    /// The same device with other faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// The same device with another first value of a placeholder, for example its host name.
    #[must_use]
    pub fn with_var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What a command prints in a mode: whole, without echo, pages and prompt, lines ended by `\n`. Nothing for a device without a
    /// script, and for a command that asks a question or never ends.
    pub fn output(&self, mode: &str, line: &str) -> Option<String> {
        let mut device = Device::exec(self, mode, line)?;
        let mut bytes = Vec::new();
        let mut now_ms = 0;
        while bytes.len() < COLLECTED_BYTES_MAX {
            device.advance(now_ms);
            let length = device.waiting_bytes();
            bytes.extend(device.take(length));
            if device.closed().is_some() {
                let text = String::from_utf8_lossy(&bytes).replace(&self.script.spec.terminal.newline, "\n");
                return Some(text);
            }
            if length == 0 {
                now_ms = device.deadline_ms().filter(|_| !device.needs_key())?;
            }
        }
        None
    }
}

/// Where an error is.
struct Place<'a> {
    name: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn error(&self, at: usize, message: String) -> LabError {
        let line = 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        LabError::Description { name: self.name.to_owned(), line, message }
    }

    /// serde lists the known keys in back quotes after the unknown one.
    fn toml_error(&self, error: &toml::de::Error) -> LabError {
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        let unknown = message.starts_with("unknown ").then(|| quoted.next()).flatten();
        let hint = unknown.and_then(|typed| nearest(typed, quoted)).map(|near| format!(", did you mean `{near}`?"));
        let first = message.split(", expected").next().unwrap_or(message);
        let text = if hint.is_some() { first } else { message };
        self.error(error.span().map_or(0, |span| span.start), format!("{text}{}", hint.unwrap_or_default()))
    }

    fn refers<'a>(&self, what: &str, name: &Name, mut known: impl Iterator<Item = &'a String> + Clone) -> Result<(), LabError> {
        if known.clone().any(|known| known == name.get_ref()) {
            return Ok(());
        }
        let names = known.clone().map(String::as_str);
        let hint = match nearest(name.get_ref(), names) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.next().is_none() => format!("there is no {what} at all"),
            None => format!("there is no such {what}"),
        };
        Err(self.error(name.span().start, format!("unknown {what} `{}`, {hint}", name.get_ref())))
    }
}

/// Checks what refers to something; returns the mode in which sessions begin.
fn check(spec: &Spec, place: &Place<'_>) -> Result<String, LabError> {
    if spec.shell.is_some() {
        return Ok(String::new());
    }
    let mut starts = spec.mode.iter().filter(|(_, mode)| mode.start).map(|(name, _)| name);
    let (Some(start), None) = (starts.next(), starts.next()) else {
        return Err(place.error(0, "exactly one mode needs `start = true`".to_owned()));
    };
    for mode in spec.mode.values() {
        mode.inherit.iter().try_for_each(|name| place.refers("mode", name, spec.mode.keys()))?;
    }
    for dialog in spec.dialog.values() {
        dialog.secret.iter().try_for_each(|name| place.refers("secret", name, spec.secrets.keys()))?;
        if (dialog.kind == Answer::Text) == dialog.begun.is_empty() {
            return Err(place.error(0, "a dialog of kind `text`, and no other, needs `begun`".to_owned()));
        }
    }
    if spec.pager.as_ref().is_some_and(|pager| pager.erase.is_empty() || pager.page.is_empty()) {
        return Err(place.error(0, "a pager needs at least one `erase` and one `page` key".to_owned()));
    }
    spec.steps().into_iter().try_for_each(|step| check_step(spec, step, place))?;
    for step in spec.command.iter().chain(&spec.key) {
        if matches!(step.patterns, Patterns::None) {
            return Err(place.error(0, "each command and each key needs a `match`".to_owned()));
        }
    }
    Ok(start.clone())
}

fn check_step(spec: &Spec, step: &Step, place: &Place<'_>) -> Result<(), LabError> {
    let modes = step.modes.iter().chain(&step.mode).chain(step.run.as_ref().map(|run| &run.mode));
    modes.into_iter().try_for_each(|name| place.refers("mode", name, spec.mode.keys()))?;
    step.ask.iter().try_for_each(|name| place.refers("dialog", name, spec.dialog.keys()))?;
    if let Some(query) = &step.query {
        Regex::new(&query.answer).map_err(|error| place.error(0, format!("query answer `{}`: {error}", query.answer)))?;
    }
    let Some(made) = &step.generate else { return Ok(()) };
    if made.lines > GENERATED_LINES_MAX {
        return Err(place.error(0, format!("`generate` makes more than {GENERATED_LINES_MAX} lines")));
    }
    Ok(())
}

fn trees(spec: &Spec, place: &Place<'_>) -> Result<BTreeMap<String, Tree>, LabError> {
    let mut trees = BTreeMap::new();
    for (name, mode) in &spec.mode {
        let mut tree = Tree::default();
        let own = |step: &Step| step.modes.iter().any(|known| known.get_ref() == name);
        let taken = |step: &Step| step.modes.iter().any(|known| mode.inherit.iter().any(|from| from.get_ref() == known.get_ref()));
        let all = spec.command.iter().enumerate();
        // The first command with a pattern wins: those of the mode itself, then those it inherits, then those of every mode.
        let first = all.clone().filter(|(_, step)| own(step));
        let second = all.clone().filter(|(_, step)| taken(step));
        let third = all.filter(|(_, step)| step.modes.is_empty());
        for (index, step) in first.chain(second).chain(third) {
            for pattern in step.patterns.all() {
                tree.insert(pattern, index, &spec.syntax).map_err(|message| place.error(0, message))?;
            }
        }
        trees.insert(name.clone(), tree);
    }
    Ok(trees)
}

impl Spec {
    /// Every step of the file.
    fn steps(&self) -> Vec<&Step> {
        let mut open: Vec<&Step> = self.login.iter().chain(&self.command).chain(&self.key).collect();
        for dialog in self.dialog.values() {
            let single = [&dialog.other, &dialog.correct, &dialog.wrong, &dialog.cancel, &dialog.timeout];
            open.extend(dialog.answer.iter().chain(single.into_iter().flatten()));
        }
        let mut all = Vec::new();
        while let Some(step) = open.pop() {
            open.extend(&step.then);
            all.push(step);
        }
        all
    }
}
