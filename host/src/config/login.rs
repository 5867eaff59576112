//! The keys `line`, `baud` and `login` of a device: what its line is, and what is typed there before a session begins.

use std::path::PathBuf;

use regex::{Regex, RegexBuilder};
use toml::de::DeValue;

use super::reader::{Place, Reader, Section};
use super::{Device, name, value};
use crate::limits::{LOGIN_STEPS_MAX, TRIGGER_COMPILED_MAX_BYTES};
use crate::nearest::nearest;

/// The secret that a step names for the login password.
pub const PASSWORD: &str = "password";

/// How consoles usually ask for a name.
pub const USUAL_NAME: &str = r"(?i)\b(login|user ?name)( as)?: *$";

/// The keys of a step.
pub(super) const KEYS: [&str; 4] = ["expect", "send", "secret", "optional"];

/// Keys that say something of SSH alone.
const SSH_KEYS: [&str; 7] = ["key", "certificate", "known_hosts", "update_host_keys", "algorithms", "agent", "answers"];
/// Keys that say where something is in the network.
const PLACE_KEYS: [&str; 5] = ["host", "port", "via", "proxy", "keepalive"];
/// Keys that say what a line is.
const LINE_KEYS: [&str; 3] = ["line", "baud", "login"];

/// The key `line`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Wire {
    /// SSH.
    #[default]
    Ssh,
    /// Telnet.
    Telnet,
    /// The serial device at this path.
    Serial(PathBuf),
}

/// A step of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginStep {
    /// The pattern of the row that it waits for. It compiles, see [`LoginStep::pattern`].
    pub expect: String,
    /// What is typed then.
    pub answer: LoginAnswer,
    /// It is passed over where the next step's row comes first.
    pub optional: bool,
}

/// What a login step types, before Enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginAnswer {
    /// This text; `{user}` stands for the login name.
    Send(String),
    /// The secret of this name.
    Secret(String),
}

impl LoginStep {
    /// The row that it waits for. One that does not compile, which the configuration has refused, is never there.
    #[must_use]
    pub fn pattern(&self) -> Option<Regex> {
        compiled(&self.expect).ok()
    }

    /// The secret that it types.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match &self.answer {
            LoginAnswer::Secret(name) => Some(name),
            LoginAnswer::Send(_) => None,
        }
    }
}

impl Device {
    /// The steps of a login: the device's own, else those that consoles usually ask for.
    #[must_use]
    pub fn login_steps(&self) -> Vec<LoginStep> {
        if !self.login.is_empty() || self.line == Wire::Ssh {
            return self.login.clone();
        }
        // A console may ask for a password alone, or nothing at all where somebody is logged in.
        let step = |expect: &str, answer| LoginStep { expect: expect.to_owned(), answer, optional: true };
        let name = self.user.as_ref().map(|_| step(USUAL_NAME, LoginAnswer::Send("{user}".to_owned())));
        let word = self.password.as_ref().map(|_| step(r"(?i)\bpass(word|code)?[^:]{0,64}: *$", LoginAnswer::Secret(PASSWORD.to_owned())));
        name.into_iter().chain(word).collect()
    }

    /// Are commands, files and connections to be had beside its terminal? Not where SSH ends before the device itself.
    #[must_use]
    pub fn has_channels(&self) -> bool {
        !self.local && self.line == Wire::Ssh && self.login.is_empty()
    }

    /// Refuses keys that mean nothing on this device's line, and steps whose secrets it does not have.
    pub(super) fn check_line(&self, reader: &mut Reader<'_>, section: &Section<'_>) {
        for (key, at, _) in section.entries() {
            let fault = match &self.line {
                _ if self.local && LINE_KEYS.contains(&key) => "has no meaning together with `local = true`",
                Wire::Telnet if SSH_KEYS.contains(&key) => "is for SSH and has no meaning together with `line = \"telnet\"`",
                Wire::Serial(_) if SSH_KEYS.contains(&key) => "is for SSH and has no meaning on a serial line",
                Wire::Serial(_) if PLACE_KEYS.contains(&key) => "has no meaning on a serial line, which is in no network",
                Wire::Ssh | Wire::Telnet if key == "baud" => "has no meaning without a serial line",
                _ => continue,
            };
            let help = (key == "baud").then(|| "name the serial device: `line = \"/dev/ttyUSB0\"`".to_owned());
            reader.error(&at, format!("{} {fault}", at.shown()), help);
        }
        for (index, secret) in self.login.iter().enumerate().filter_map(|(index, step)| Some((index, step.secret()?))) {
            let (known, help) = match secret {
                PASSWORD => (self.password.is_some(), "add `password = { env = \"VARIABLE\" }`".to_owned()),
                name => (self.secrets.contains_key(name), format!("add `secrets.{name} = {{ env = \"VARIABLE\" }}`")),
            };
            if !known {
                let at = reader.place_in(section, "login", index, "secret");
                reader.error(&at, format!("{} names the secret `{secret}`, which the device does not have", at.shown()), Some(help));
            }
        }
    }
}

/// The key `line`.
pub(super) fn wire(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Wire> {
    let text = value::text(reader, at, found, "`ssh`, `telnet` or the path of a serial device", "telnet")?;
    match text.as_str() {
        "ssh" => Some(Wire::Ssh),
        "telnet" => Some(Wire::Telnet),
        path if path.starts_with(['/', '~']) => value::path(reader, at, found).map(Wire::Serial),
        other => {
            let guess = nearest(other, ["ssh", "telnet"]).map_or_else(String::new, |name| format!("did you mean `{name}`? "));
            let help = format!("{guess}write `ssh`, `telnet`, or the whole path of a serial device: `line = \"/dev/ttyUSB0\"`");
            reader.error(at, format!("{} cannot be `{}`", at.shown(), other.escape_debug()), Some(help));
            None
        }
    }
}

/// The tables `[[device.NAME.login]]`.
pub(super) fn steps(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<LoginStep> {
    let tables = reader.tables(section, "login");
    if let Some(table) = tables.get(LOGIN_STEPS_MAX) {
        reader.error(&table.place, format!("{} has more than {LOGIN_STEPS_MAX} steps", table.place.shown()), None);
    }
    tables.iter().take(LOGIN_STEPS_MAX).filter_map(|table| step(reader, table)).collect()
}

fn step(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<LoginStep> {
    reader.only_keys(section, &KEYS);
    let given = |key: &str| section.entries().any(|(name, ..)| name == key);
    let expect = reader.field(section, "expect", pattern);
    let send = reader.field(section, "send", words).map(LoginAnswer::Send);
    let secret = reader.field(section, "secret", secret).map(LoginAnswer::Secret);
    let optional = reader.field(section, "optional", value::flag).unwrap_or_default();
    let shown = section.place.shown();
    if !given("expect") {
        let help = "name the end of the row that it waits for: `expect = '(?i)username: *$'`".to_owned();
        reader.error(&section.place, format!("{shown} has a step without `expect`"), Some(help));
    }
    if given("send") == given("secret") {
        let help = "write `send = \"TEXT\"` for what everybody may see, or `secret = \"password\"`".to_owned();
        reader.error(&section.place, format!("{shown} needs either `send` or `secret` in each step"), Some(help));
        return None;
    }
    Some(LoginStep { expect: expect?, answer: send.or(secret)?, optional })
}

fn compiled(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(TRIGGER_COMPILED_MAX_BYTES).build()
}

fn pattern(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    let text = value::text(reader, at, found, "a pattern", "(?i)username: *$")?;
    let Err(error) = compiled(&text) else { return Some(text) };
    // Its last line says what is wrong; those before draw it.
    let told = error.to_string();
    let why = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
    let help = "patterns are those of the Rust `regex` crate, without look-around; write them in single quotes".to_owned();
    reader.error(at, format!("{} is not a pattern: {why}", at.shown()), Some(help));
    None
}

/// A text that may be empty: then only Enter is typed.
fn words(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    if found.as_str() == Some("") {
        return Some(String::new());
    }
    value::text(reader, at, found, "the text to type before Enter", "{user}")
}

fn secret(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    let secret = value::text(reader, at, found, "the name of a secret", PASSWORD)?;
    name::is_name(reader, at, "secret", &secret).then_some(secret)
}
