//! Single values of a declaration: texts, keys, names, patterns, examples. Each reader takes a key of a table and reports what is wrong there.

use regex::Regex;
use toml::de::DeValue;

use super::Example;
use crate::config::reader::{Place, Reader, Section};
use crate::config::{name, value};
use crate::limits::TERMINAL_SIZES;
use crate::plugin::{placeholders, triggers};
use crate::secret::look::Looks;

/// Each table of a list.
pub(super) fn each<T>(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    key: &str,
    mut read: impl FnMut(&mut Reader<'_>, &Section<'_>) -> T,
) -> Vec<T> {
    let tables = reader.tables(section, key);
    tables.iter().map(|table| read(reader, table)).collect()
}

pub(super) fn text(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    reader.field(section, key, |reader, at, found| value::text(reader, at, found, "a text", "text"))
}

pub(super) fn flag(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> bool {
    reader.field(section, key, value::flag).unwrap_or_default()
}

pub(super) fn number<T: TryFrom<u64>>(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<T> {
    reader.field(section, key, |reader, at, found| {
        let number = positive(reader, at, found)?;
        let fits = T::try_from(number).ok();
        if fits.is_none() {
            reader.error(at, format!("{} is too large: {number}", at.shown()), None);
        }
        fits
    })
}

/// Columns or rows, as many as a manifest may say: a screen is kept in memory cell by cell.
pub(super) fn terminal_size(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<u16> {
    reader.field(section, key, |reader, at, found| {
        let number = positive(reader, at, found)?;
        let size = u16::try_from(number).ok().filter(|size| TERMINAL_SIZES.contains(size));
        if size.is_none() {
            let (least, most) = (TERMINAL_SIZES.start(), TERMINAL_SIZES.end());
            reader.error(at, format!("{} is {number}; {least} to {most} is a terminal", at.shown()), None);
        }
        size
    })
}

fn positive(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<u64> {
    value::positive::<std::num::NonZeroU64>(reader, at, found, "a positive whole number", "80").map(std::num::NonZeroU64::get)
}

/// What must be there.
pub(super) fn required(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    key: &str,
    read: impl FnOnce(&mut Reader<'_>, &Section<'_>, &str) -> Option<String>,
) -> String {
    wanted(reader, section, key);
    read(reader, section, key).unwrap_or_default()
}

pub(super) fn wanted(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) {
    if section.table.get(key).is_none() {
        reader.error(&section.place, format!("{} has no `{key}`", section.place.shown()), None);
    }
}

/// Does something stand there that was not taken? Then that was told, and nothing that follows from it is.
pub(super) fn was_refused<T>(section: &Section<'_>, key: &str, found: &Option<T>) -> bool {
    found.is_none() && section.table.get(key).is_some()
}

pub(super) fn named(reader: &mut Reader<'_>, section: &Section<'_>, kind: &str) -> String {
    let found = required(reader, section, "name", text);
    if !found.is_empty() {
        name::is_name(reader, &section.place, kind, &found);
    }
    found
}

/// Bytes that are typed: control characters are welcome.
pub(super) fn key(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    reader.field(section, key, one_key)
}

/// What is typed, with or without placeholders.
pub(super) fn typed(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    reader.field(section, key, |reader, at, found| {
        let text = one_key(reader, at, found)?;
        check_placeholders(reader, at, &text);
        Some(text)
    })
}

/// The same without keys that act at once.
pub(super) fn typed_line(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    reader.field(section, key, |reader, at, found| {
        let text = value::text(reader, at, found, "a text", "text")?;
        check_placeholders(reader, at, &text);
        Some(text)
    })
}

fn check_placeholders(reader: &mut Reader<'_>, at: &Place, text: &str) {
    if let Err(why) = placeholders::check(text, placeholders::OF_SENDS) {
        reader.error(at, format!("{} {why}", at.shown()), None);
    }
}

fn one_key(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    let text = found.as_str().filter(|text| !text.is_empty());
    if text.is_none() {
        reader.wrong_type(at, found, "a text that is not empty", &format!("{} = \"\\r\"", at.key()));
    }
    text.map(str::to_owned)
}

pub(super) fn list(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    key: &str,
    read: impl FnMut(&mut Reader<'_>, &Place, &DeValue<'_>) -> Option<String>,
) -> Vec<String> {
    reader.field(section, key, |reader, at, found| value::list(reader, at, found, "\"text\"", read)).unwrap_or_default()
}

pub(super) fn keys(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Vec<String> {
    list(reader, section, key, one_key)
}

pub(super) fn names(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Vec<String> {
    list(reader, section, key, one_name)
}

fn one_name(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    value::text(reader, at, found, "a name", "config")
}

/// Names of which there must be one.
pub(super) fn required_names(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Vec<String> {
    wanted(reader, section, key);
    let found = reader.field(section, key, |reader, at, found| {
        if found.as_array().is_some_and(|elements| elements.is_empty()) {
            reader.error(at, format!("{} is empty", at.shown()), Some(format!("for example `{} = [\"config\"]`", at.key())));
        }
        value::list(reader, at, found, "\"config\"", one_name)
    });
    found.unwrap_or_default()
}

pub(super) fn examples(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    list(reader, section, key, |reader, at, found| {
        if let Some(text) = found.as_str() {
            examples.push(Example { text: text.to_owned(), line: reader.line(at) });
        } else {
            reader.wrong_type(at, found, "a list of texts", &format!("{} = [\"text\"]", at.key()));
        }
        None
    });
    examples
}

pub(super) fn pattern(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    reader.field(section, key, checked_pattern)
}

pub(super) fn required_pattern(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> String {
    required(reader, section, key, pattern)
}

pub(super) fn checked_pattern(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    compiled(reader, at, found).map(|pattern| pattern.as_str().to_owned())
}

pub(super) fn compiled(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Regex> {
    let text = one_key(reader, at, found)?;
    triggers::compile(&text).map_err(|error| no_pattern(reader, at, &error.to_string())).ok()
}

/// The regex engine draws the place; its last line says what is wrong there.
fn no_pattern(reader: &mut Reader<'_>, at: &Place, why: &str) {
    let why = triggers::in_short(why);
    let help = "patterns are those of the Rust `regex` crate, without look-around; write them in single quotes".to_owned();
    reader.error(at, format!("{} is not a pattern: {why}", at.shown()), Some(help));
}

/// A pattern whose groups say what is taken out.
pub(super) fn capturing_pattern(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    let text = one_key(reader, at, found)?;
    match Looks::compile(std::iter::once(text.as_str())) {
        Ok(_) => return Some(text),
        Err(why) if why.contains("\nerror: ") => no_pattern(reader, at, &why),
        Err(why) => reader.error(at, format!("{} cannot be used: {why}", at.shown()), None),
    }
    None
}

pub(super) fn words(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<String> {
    reader.field(section, key, word_pattern)
}

/// `req[uest] sys[tem] .. $`.
pub(super) fn word_pattern(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<String> {
    let text = value::text(reader, at, found, "words", "req[uest] sys[tem]")?;
    let right = |word: &str| {
        let (open, close) = (word.matches('[').count(), word.matches(']').count());
        open == close && open <= 1 && (open == 0 || word.ends_with(']') && !word.starts_with('['))
    };
    if text.split(' ').all(|word| !word.is_empty() && right(word)) {
        return Some(text);
    }
    let help = "the part that may be left out stands in brackets at a word's end, as in `req[uest] sys[tem]`".to_owned();
    reader.error(at, format!("{} is no list of words: `{}`", at.shown(), text.escape_debug()), Some(help));
    None
}
