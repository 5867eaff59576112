//! `[policy]`: the mode, and the operator's own rules `[[policy.rule]]`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use regex::Regex;
use serde_json::{Map, Value};
use toml::de::DeValue;

use super::plugin::PluginEntry;
use super::reader::{Place, Reader, Section};
use super::{Config, name, value};
use crate::limits::PLUGIN_CONFIG_MAX_BYTES;

/// The plugin that judges by the operator's rules.
pub const RULES: &str = "rules";

/// What a rule may have beside its name, effect and reason: the key, and the word that the plugin knows it by.
const LISTS: [(&str, &str); 10] = [
    ("match", "match"),
    ("command", "command"),
    ("lanes", "lane"),
    ("devices", "device"),
    ("tags", "tag"),
    ("types", "type"),
    ("modes", "mode"),
    ("callers", "caller"),
    ("days", "day"),
    ("hours", "hours"),
];
const EFFECTS: [&str; 3] = ["allow", "ask", "deny"];
/// What policy plugins may call a line.
pub const LANES: [&str; 5] = ["read", "change", "privilege", "exfiltration", "destructive"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// How much commands may do.
///
/// In order: the strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum PolicyMode {
    /// Only what reads.
    ReadOnly,
    /// What changes too; a person is asked about what destroys and what leaves the device.
    #[default]
    Safe,
    /// Everything; a person is asked about what destroys.
    Full,
}

impl PolicyMode {
    /// The words of the file, with their meaning.
    pub const WORDS: [(&'static str, Self); 3] = [("read-only", Self::ReadOnly), ("safe", Self::Safe), ("full", Self::Full)];
}

impl FromStr for PolicyMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, mode)| *mode);
        known.ok_or_else(|| format!("cannot be `{text}`; known words: {}", Self::WORDS.map(|(word, _)| word).join(", ")))
    }
}

impl PolicyMode {
    /// The configuration's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Safe => "safe",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for PolicyMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A rule, as the plugin is told it: words with their values, its name first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which every verdict by it carries.
    pub name: String,
    entries: Vec<(&'static str, String)>,
    /// What it names that must be there, to be looked up once everything is known.
    pub(super) named: Vec<Named>,
}

/// A device, tag or type in a rule's bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// `devices`, `tags` or `types`.
    pub(super) key: &'static str,
    /// The name; of devices it may have `*`.
    pub(super) value: String,
    /// Where it stands in the file.
    pub(super) path: String,
}

impl Rule {
    /// Does it let something through?
    pub(super) fn allows(&self) -> bool {
        self.entries.iter().any(|(word, value)| *word == "effect" && value == "allow")
    }

    /// The same without the names to be looked up: those of another file mean nothing in this one.
    pub(super) fn unnamed(&self) -> Self {
        Self { named: Vec::new(), ..self.clone() }
    }

    fn text(&self) -> String {
        let lines = self.entries.iter().map(|(word, value)| format!("{word} {value}\n"));
        format!("rule {}\n{}", self.name, lines.collect::<String>())
    }
}

/// Reads a mode.
pub(super) fn mode(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<PolicyMode> {
    value::word(reader, at, found, &PolicyMode::WORDS)
}

/// Reads `[policy]`.
pub(super) fn read(config: &mut Config, reader: &mut Reader<'_>, policy: &Section<'_>) {
    reader.only_keys(policy, &super::POLICY_KEYS);
    config.policy = reader.field(policy, "mode", mode).unwrap_or_default();
    let mut names = BTreeSet::new();
    for section in reader.tables(policy, "rule") {
        let rule = rule(reader, &section);
        if !rule.name.is_empty() && !names.insert(rule.name.clone()) {
            reader.error(&section.place, format!("there are two rules `{}`; a verdict names its rule", rule.name), None);
        }
        config.rules.push(rule);
    }
    let text: String = config.rules.iter().map(Rule::text).collect();
    if text.len() > PLUGIN_CONFIG_MAX_BYTES / 2 {
        let message = format!("the rules have {} bytes together, at most {} are taken", text.len(), PLUGIN_CONFIG_MAX_BYTES / 2);
        reader.error(&policy.place, message, Some("put what is common into one `match` or `tags`".to_owned()));
    }
}

/// The plugin of that name is this program's.
pub(super) fn check_plugin(config: &Config, reader: &mut Reader<'_>, root: &Section<'_>) {
    if !config.rules.is_empty() && config.plugins.contains_key(RULES) {
        let help = "rename the plugin, or leave its section out: the rules stand in `[[policy.rule]]`".to_owned();
        reader.error(&root.place, format!("[plugin.{RULES}] and `[[policy.rule]]` cannot both be there"), Some(help));
    }
}

/// Gives the rules to the plugin that judges by them.
pub(super) fn hand_over(config: &mut Config) {
    if config.rules.is_empty() {
        return;
    }
    let text: String = config.rules.iter().map(Rule::text).collect();
    let settings = Map::from_iter([("rules".to_owned(), Value::from(text))]);
    config.plugins.insert(RULES.to_owned(), PluginEntry { config: settings, ..PluginEntry::default() });
}

/// The keys of a rule.
pub(super) fn keys() -> Vec<&'static str> {
    ["name", "effect", "reason"].into_iter().chain(LISTS.iter().map(|(key, _)| *key)).collect()
}

/// What a rule's effect, lane and day may be.
pub(super) fn words(key: &str) -> &'static [&'static str] {
    match key {
        "effect" => &EFFECTS,
        "lanes" => &LANES,
        "days" => &DAYS,
        _ => &[],
    }
}

fn rule(reader: &mut Reader<'_>, section: &Section<'_>) -> Rule {
    reader.only_keys(section, &keys());
    let mut rule = Rule::default();
    for (key, example) in [("name", "no-reload"), ("effect", "deny")] {
        if !section.table.contains_key(key) {
            let help = format!("for example `{key} = \"{example}\"`");
            reader.error(&section.place, format!("a rule of `[[policy.rule]]` has no `{key}`"), Some(help));
        }
    }
    let name = reader.field(section, "name", |reader, at, found| {
        let name = value::text(reader, at, found, "a name", "no-reload")?;
        name::is_name(reader, at, "rule", &name).then_some(name)
    });
    rule.name = name.unwrap_or_default();
    let effect = reader.field(section, "effect", |reader, at, found| value::word(reader, at, found, &EFFECTS.map(|word| (word, word))));
    rule.entries.extend(effect.map(|effect| ("effect", effect.to_owned())));
    let reason = reader.field(section, "reason", |reader, at, found| value::text(reader, at, found, "a sentence", "change window only"));
    rule.entries.extend(reason.map(|reason| ("reason", reason)));
    for (key, word) in LISTS {
        let values = reader.field(section, key, |reader, at, found| Some(texts(reader, at, found, key))).unwrap_or_default();
        for (path, value) in values {
            if matches!(key, "devices" | "tags" | "types") {
                rule.named.push(Named { key, value: value.clone(), path });
            }
            rule.entries.push((word, value));
        }
    }
    rule
}

/// One text, or a list of them, each right for its key, with its place.
fn texts(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>, key: &str) -> Vec<(String, String)> {
    let one = |reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>| {
        let text = value::text(reader, at, found, "a text or a list of texts", example(key))?;
        is_right(reader, at, key, &text).then(|| (at.path.clone(), text))
    };
    match found {
        // It would count for everything, and reads as if it counted for nothing.
        DeValue::Array(elements) if elements.is_empty() => {
            let help = format!("name what the rule is for, or leave `{key}` out where it is for all");
            reader.error(at, format!("{} is empty", at.shown()), Some(help));
            Vec::new()
        }
        DeValue::Array(_) => value::list(reader, at, found, &format!("\"{}\"", example(key)), one).unwrap_or_default(),
        _ => one(reader, at, found).into_iter().collect(),
    }
}

fn example(key: &str) -> &'static str {
    match key {
        "match" => "systemctl restart (nginx|php.*)",
        "command" => "write erase",
        "lanes" => "destructive",
        "days" => "mon",
        "hours" => "08:00-18:00",
        "callers" => "claude-*",
        "types" => "cisco_ios",
        _ => "core",
    }
}

fn is_right(reader: &mut Reader<'_>, at: &Place, key: &str, text: &str) -> bool {
    let wrong = match key {
        "tags" => return name::is_name(reader, at, "tag", text),
        "types" => return name::is_name(reader, at, "type", text),
        // It would stand for itself, and the rule would never count for what it seems to mean.
        "command" if text.contains('*') => Some((
            "has a `*`, and `command` is words without patterns".to_owned(),
            "it is how commands begin, so leave a `*` at the end out; a pattern is `match = \"systemctl .* nginx\"`".to_owned(),
        )),
        // Between the words of a command stands one blank, so nobody means this.
        "match" if text.ends_with(" *") || text.contains(" * ") => {
            Some(("has ` *`, which is any number of blanks in a regular expression".to_owned(), "write ` .*` for any text".to_owned()))
        }
        "match" => Regex::new(text).err().map(|error| {
            // Its last line says what is wrong; those before draw it.
            let why = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            (format!("is no regular expression: {why}"), "put `\\\\` before a sign that stands for itself".to_owned())
        }),
        "lanes" if !LANES.contains(&text) => {
            Some((format!("cannot be `{}`", text.escape_debug()), format!("known lanes: {}", LANES.join(", "))))
        }
        "days" if !DAYS.contains(&text) => Some((format!("cannot be `{}`", text.escape_debug()), format!("days are: {}", DAYS.join(", ")))),
        "hours" if !is_hours(text) => {
            Some((format!("cannot be `{}`", text.escape_debug()), "write a part of the day like `08:00-18:00`".to_owned()))
        }
        _ => None,
    };
    let Some((fault, help)) = wrong else { return true };
    reader.error(at, format!("{} {fault}", at.shown()), Some(help));
    false
}

fn is_hours(text: &str) -> bool {
    const DAY: u32 = 24 * 60;
    let time = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60 || hours == 24 && minutes == 0).then(|| hours * 60 + minutes)
    };
    let parts = text.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
    // One that ends where it begins is no part of a day: a rule for it would never count.
    parts.is_some_and(|(from, to)| from < to || from % DAY != to % DAY)
}
