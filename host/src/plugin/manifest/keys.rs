//! The keys of a manifest, what may stand at each, and what is said where something else does.
//!
//! The section is JSON made of a TOML file: a position in it helps nobody, so the key and its table are named.

use serde_json::{Map, Value};

use crate::config::wording::{Complaint, unknown_key, unknown_word, wrong_type};
use crate::plugin::grants;
use crate::terminal::text::{escaped_line, first_bytes};

/// Most complaints that are told at once.
const TOLD_MAX: usize = 8;
/// The longest part of a name that is repeated.
const NAME_MAX_BYTES: usize = 64;

/// What may stand at a key.
#[derive(Debug, Clone, Copy)]
enum Want {
    Text,
    /// A whole number up to this.
    Number(u64),
    Texts,
    /// A table of texts by names that are the plugin's own.
    Named,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Imports that a plugin may ask for.
    Imports,
    /// A text, a number or a truth value: the default of a setting.
    Setting,
}

/// How a table stands in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `[TABLE]`
    One,
    /// `[[TABLE]]`
    Many,
    /// `[TABLE.NAME]`
    EachNamed,
}

/// A table: its name, shape, keys, and those that must be there.
type Table = (&'static str, Shape, &'static [(&'static str, Want)], &'static [&'static str]);

const U16: u64 = u16::MAX as u64;
const U32: u64 = u32::MAX as u64;

const TOP: Table = (
    "",
    Shape::One,
    &[
        ("schema", Want::Number(U32)),
        ("name", Want::Text),
        ("version", Want::Text),
        ("vendor", Want::Text),
        ("license", Want::Text),
        ("description", Want::Text),
        ("types", Want::Texts),
        ("order", Want::Number(U32)),
        ("secrets", Want::Texts),
        ("wasi", Want::Imports),
        ("min_host", Want::Text),
        ("cancel", Want::Texts),
        ("clear_line", Want::Text),
        ("live_keys", Want::Texts),
        ("line_max", Want::Number(U32)),
        ("context", Want::Text),
        ("sends", Want::Named),
        ("facts", Want::Named),
        ("modes", Want::Named),
    ],
    &["schema", "name", "version"],
);

const TABLES: [Table; 12] = [
    (
        "terminal",
        Shape::One,
        &[
            ("type", Want::Text),
            ("columns", Want::Number(U16)),
            ("rows", Want::Number(U16)),
            ("enter", Want::Text),
            ("echo", Want::Word(&["full", "redraw", "none"])),
            ("login_suffix", Want::Text),
        ],
        &[],
    ),
    ("config", Shape::EachNamed, &[("default", Want::Setting), ("description", Want::Text)], &["default"]),
    (
        "trigger",
        Shape::Many,
        &[("for", Want::Word(&["prompt", "pager", "dialog"])), ("name", Want::Text), ("match", Want::Text), ("veto", Want::Text)],
        &["for", "name", "match"],
    ),
    ("pipe", Shape::One, &[("start", Want::Text), ("setup", Want::Text), ("run", Want::Text)], &["start", "setup", "run"]),
    ("signal", Shape::One, &[("run", Want::Text)], &["run"]),
    (
        "copy",
        Shape::One,
        &[("fetch", Want::Text), ("store", Want::Text), ("reads", Want::Text), ("writes", Want::Text), ("types", Want::Texts)],
        &["fetch", "store", "reads", "writes"],
    ),
    (
        "block",
        Shape::Many,
        &[("opens", Want::Text), ("end", Want::Text), ("shows", Want::Text), ("sign", Want::Text), ("types", Want::Texts)],
        &["opens", "shows"],
    ),
    ("query", Shape::Many, &[("ask", Want::Text), ("answer", Want::Text)], &["ask", "answer"]),
    (
        "failure",
        Shape::Many,
        &[("kind", Want::Word(&["refused", "error", "incomplete"])), ("match", Want::Text), ("veto", Want::Text)],
        &["kind", "match"],
    ),
    ("sensitive", Shape::Many, &[("match", Want::Text)], &["match"]),
    (
        "transition",
        Shape::Many,
        &[("types", Want::Texts), ("from", Want::Text), ("to", Want::Text), ("send", Want::Text)],
        &["from", "to", "send"],
    ),
    (
        "candidate",
        Shape::Many,
        &[
            ("types", Want::Texts),
            ("mode", Want::Text),
            ("diff", Want::Text),
            ("check", Want::Text),
            ("commit", Want::Text),
            ("confirmed", Want::Text),
            ("confirm", Want::Text),
            ("discard", Want::Text),
        ],
        &["mode", "commit"],
    ),
];

const IDENTIFY: Table = (
    "identify",
    Shape::Many,
    &[("type", Want::Text), ("server_id", Want::Text), ("text", Want::Text), ("prompt", Want::Text), ("score", Want::Number(U32))],
    &["score"],
);

fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().chain([&IDENTIFY])
}

/// Has a manifest the keys that it may have, with values of the right types?
///
/// # Errors
///
/// All that is wrong, in one sentence after the other.
pub(super) fn check(manifest: &Value) -> Result<(), String> {
    let mut wrong = Vec::new();
    match manifest {
        Value::Object(top) => {
            let known: Vec<&str> = TOP.2.iter().map(|(key, _)| *key).chain(tables().map(|(name, ..)| *name)).collect();
            keys(top, "", &TOP, &known, &mut wrong);
            for table in tables() {
                if let Some(found) = top.get(table.0) {
                    tables_at(found, table, &mut wrong);
                }
            }
        }
        other => wrong.push(wrong_type("the manifest", "a table", kind(other))),
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let more = wrong.len().saturating_sub(TOLD_MAX);
    wrong.truncate(TOLD_MAX);
    let more = if more == 0 { String::new() } else { format!(". {more} more are wrong") };
    Err(wrong.join(". ") + &more)
}

fn tables_at(found: &Value, table: &Table, wrong: &mut Vec<String>) {
    let (name, shape, own, _) = table;
    let known: Vec<&str> = own.iter().map(|(key, _)| *key).collect();
    match (shape, found) {
        (Shape::One, Value::Object(map)) => keys(map, &format!("[{name}]"), table, &known, wrong),
        (Shape::Many, Value::Array(each)) => {
            for (index, element) in each.iter().enumerate() {
                let header = nth(name, index, element);
                match element {
                    Value::Object(map) => keys(map, &header, table, &known, wrong),
                    other => wrong.push(wrong_type(&header, "a table", kind(other))),
                }
            }
        }
        (Shape::EachNamed, Value::Object(each)) => {
            for (key, element) in each {
                let header = format!("[{name}.{}]", shown(key));
                match element {
                    Value::Object(map) => keys(map, &header, table, &known, wrong),
                    other => wrong.push(wrong_type(&header, "a table", kind(other))),
                }
            }
        }
        (Shape::Many, other) => wrong.push(wrong_type(&format!("`{name}`"), &format!("a list of tables, [[{name}]]"), kind(other))),
        (_, other) => wrong.push(wrong_type(&format!("`{name}`"), "a table", kind(other))),
    }
}

/// A table of a list as a person finds it: by its name, or by its number.
fn nth(table: &str, index: usize, element: &Value) -> String {
    match element.get("name").and_then(Value::as_str) {
        Some(name) => format!("[[{table}]] `{}`", shown(name)),
        None => format!("[[{table}]] number {}", index + 1),
    }
}

fn keys(map: &Map<String, Value>, header: &str, (_, _, own, required): &Table, known: &[&str], wrong: &mut Vec<String>) {
    for (key, found) in map {
        match own.iter().find(|(name, _)| name == key) {
            Some((name, want)) => wrong.extend(value(&at(name, header), *want, found)),
            None if known.contains(&key.as_str()) => {}
            None => wrong.push(told(unknown_key(first_bytes(key, NAME_MAX_BYTES), header, known, ""))),
        }
    }
    for key in required.iter().filter(|key| !map.contains_key(**key)) {
        let place = if header.is_empty() { "the manifest" } else { header };
        wrong.push(format!("{place} has no `{key}`"));
    }
}

fn at(key: &str, header: &str) -> String {
    if header.is_empty() { format!("`{key}`") } else { format!("`{key}` in {header}") }
}

/// What is wrong with the value of a key.
fn value(at: &str, want: Want, found: &Value) -> Option<String> {
    let other_type = |want: &str| Some(wrong_type(at, want, kind(found)));
    match (want, found) {
        (Want::Text, Value::String(_)) | (Want::Setting, Value::String(_) | Value::Number(_) | Value::Bool(_)) => None,
        (Want::Text, _) => other_type("a text"),
        (Want::Setting, _) => other_type("a text, a number, true or false"),
        (Want::Number(most), Value::Number(number)) => {
            let fits = number.as_u64().is_some_and(|number| number <= most);
            (!fits).then(|| format!("{at} must be a whole number from 0 to {most}, got {number}"))
        }
        (Want::Number(_), _) => other_type("a whole number"),
        (Want::Word(words), Value::String(text)) if words.contains(&text.as_str()) => None,
        (Want::Word(words), Value::String(text)) => Some(told(unknown_word(at, first_bytes(text, NAME_MAX_BYTES), words))),
        (Want::Word(words), _) => other_type(&format!("one of the words {}", words.join(", "))),
        (Want::Texts, Value::Array(each)) => first_other(at, "a list of texts", each.iter()),
        (Want::Texts, _) => other_type("a list of texts"),
        (Want::Imports, Value::Array(each)) => first_other(at, "a list of texts", each.iter()).or_else(|| imports(at, each)),
        (Want::Imports, _) => other_type("a list of texts"),
        (Want::Named, Value::Object(each)) => each.iter().find_map(|(key, found)| match found {
            Value::String(_) => None,
            other => Some(wrong_type(&format!("`{}` of {at}", shown(key)), "a text", kind(other))),
        }),
        (Want::Named, _) => other_type("a table of texts"),
    }
}

fn first_other<'a>(at: &str, want: &str, mut each: impl Iterator<Item = &'a Value>) -> Option<String> {
    let other = each.find(|element| !element.is_string())?;
    Some(wrong_type(at, want, &format!("a list with {}", kind(other))))
}

fn imports(at: &str, each: &[Value]) -> Option<String> {
    let known = grants::nameable();
    let wrong = each.iter().filter_map(Value::as_str).find(|name| !known.contains(name))?;
    Some(told(unknown_word(at, first_bytes(wrong, NAME_MAX_BYTES), &grants::ON_REQUEST)))
}

fn told(complaint: Complaint) -> String {
    complaint.to_string()
}

fn shown(name: &str) -> String {
    escaped_line(first_bytes(name, NAME_MAX_BYTES))
}

/// The type of a value, for a person.
pub(in crate::plugin) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Manifest;
    use super::*;

    /// The complaint about a manifest with these lines more.
    fn wrong(lines: &str) -> String {
        let text = format!("schema = 1\nname = \"acme\"\nversion = \"1\"\n{lines}");
        let manifest: Value = toml::from_str(&text).unwrap();
        check(&manifest).err().unwrap_or_default()
    }

    #[test]
    fn a_typo_is_named_with_its_table_and_the_nearest_key() {
        for (lines, told) in [
            ("", ""),
            ("ordr = 3", "unknown key `ordr` at the top; did you mean `order`? known keys: schema, name, "),
            ("[terminal]\ncolums = 80", "unknown key `colums` in [terminal]; did you mean `columns`? known keys: type, columns, rows, "),
            (
                "[[trigger]]\nfor = \"pager\"\nname = \"more\"\nmach = \"x\"",
                "unknown key `mach` in [[trigger]] `more`; did you mean `match`? ",
            ),
            ("[[trigger]]\nfor = \"pager\"\nname = \"more\"\nmach = \"x\"", ". [[trigger]] `more` has no `match`"),
            ("[config.pages]\ndefalt = 1\ndefault = 2", "unknown key `defalt` in [config.pages]; did you mean `default`? "),
            (
                "[[failure]]\nkind = \"errors\"\nmatch = \"x\"",
                "`kind` in [[failure]] number 1 cannot be `errors`; did you mean `error`? known words: ",
            ),
            (
                "[[trigger]]\nfor = \"promt\"\nname = \"a\"\nmatch = \"x\"",
                "`for` in [[trigger]] `a` cannot be `promt`; did you mean `prompt`? ",
            ),
            ("[terminal]\necho = \"ful\"", "`echo` in [terminal] cannot be `ful`; did you mean `full`? known words: full, redraw, none"),
            ("order = \"first\"", "`order` must be a whole number, got a text"),
            ("order = -1", "`order` must be a whole number from 0 to 4294967295, got -1"),
            ("cancel = \"break\"", "`cancel` must be a list of texts, got a text"),
            ("cancel = [1]", "`cancel` must be a list of texts, got a list with a number"),
            ("[sends]\nbreak = 3", "`break` of `sends` must be a text, got a number"),
            ("[trigger]\nfor = \"pager\"", "`trigger` must be a list of tables, [[trigger]], got a table"),
            ("[[terminal]]\nrows = 1", "`terminal` must be a table, got a list"),
            ("wasi = [\"wasi:random/randon\"]", "`wasi` cannot be `wasi:random/randon`; did you mean `wasi:random/random`? known words: "),
        ] {
            let found = wrong(lines);
            assert!(found.contains(told) && (!told.is_empty() || found.is_empty()), "{lines}\n{found}");
        }
        assert_eq!(check(&serde_json::json!({"schema": 1})).unwrap_err(), "the manifest has no `name`. the manifest has no `version`");
    }

    #[test]
    fn what_is_wrong_is_bounded() {
        let keys: String = (0..500).map(|number| format!("unheard{number} = 1\n")).collect();
        let told = wrong(&keys);
        assert!(told.ends_with(". 492 more are wrong"), "{told}");
        assert!(told.len() < 8 * 600, "{}", told.len());
    }

    /// What is read and what is checked before are the same keys.
    #[test]
    fn the_tables_are_those_that_are_read() {
        let expected = |table: &str, element: Value| {
            let mut manifest = serde_json::json!({"schema": 1, "name": "a", "version": "1"});
            if table.is_empty() {
                manifest["nobody"] = Value::Null;
            } else {
                manifest[table] = element;
            }
            let why = serde_json::from_value::<Manifest>(manifest).unwrap_err().to_string();
            let (_, names) = why.split_once("expected").unwrap_or_else(|| panic!("{table}: {why}"));
            names.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<String>>()
        };
        let nobody = || serde_json::json!({"nobody": 1});
        for (name, shape, own, _) in tables() {
            let element = match shape {
                Shape::One => nobody(),
                Shape::Many => Value::Array(vec![nobody()]),
                Shape::EachNamed => serde_json::json!({"key": nobody()}),
            };
            let keys: BTreeSet<String> = own.iter().map(|(key, _)| (*key).to_owned()).collect();
            assert_eq!(expected(name, element), keys, "{name}");
        }
        let keys: BTreeSet<String> = TOP.2.iter().map(|(key, _)| *key).chain(tables().map(|(name, ..)| *name)).map(str::to_owned).collect();
        assert_eq!(expected("", Value::Null), keys);
    }
}
