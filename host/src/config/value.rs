//! Single values: text, paths, words, numbers, lists.

use std::num::NonZeroU64;
use std::path::PathBuf;

use toml::de::DeValue;

use super::reader::{Place, Reader};
use super::wording::{self, Complaint};

/// An integer in any notation of TOML, if it fits.
pub(super) fn integer(found: &DeValue<'_>) -> Option<i64> {
    let number = found.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A positive integer that fits into the type.
pub(super) fn positive<T: TryFrom<NonZeroU64>>(
    reader: &mut Reader<'_>,
    at: &Place,
    found: &DeValue<'_>,
    want: &str,
    example: &str,
) -> Option<T> {
    let example = format!("{} = {example}", at.key());
    if !found.is_integer() {
        reader.wrong_type(at, found, want, &example);
        return None;
    }
    let number = integer(found).and_then(|number| u64::try_from(number).ok()).and_then(NonZeroU64::new);
    let number = number.and_then(|number| T::try_from(number).ok());
    if number.is_none() {
        let written = found.as_integer().map(|integer| format!(", got {}", integer.as_str())).unwrap_or_default();
        reader.error(at, format!("{} must be {want}{written}", at.shown()), Some(format!("for example `{example}`")));
    }
    number
}

/// A text that is not empty and has no control characters.
pub(super) fn text(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>, want: &str, example: &str) -> Option<String> {
    let Some(text) = found.as_str() else {
        reader.wrong_type(at, found, want, &format!("{} = \"{example}\"", at.key()));
        return None;
    };
    if text.is_empty() || text.contains(char::is_control) {
        let fault = if text.is_empty() { "is empty" } else { "holds a control character" };
        reader.error(at, format!("{} {fault}", at.shown()), Some(format!("for example `{} = \"{example}\"`", at.key())));
        return None;
    }
    Some(text.to_owned())
}

/// `true` or `false`.
pub(super) fn flag(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<bool> {
    let flag = found.as_bool();
    if flag.is_none() {
        reader.wrong_type(at, found, "true or false", &format!("{} = true", at.key()));
    }
    flag
}

/// One of several words.
pub(super) fn word<T: Copy>(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>, words: &[(&str, T)]) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    let example = format!("{} = \"{}\"", at.key(), names.first().copied().unwrap_or_default());
    let Some(text) = found.as_str() else {
        reader.wrong_type(at, found, &format!("one of the words {}", names.join(", ")), &example);
        return None;
    };
    if let Some((_, meaning)) = words.iter().find(|(name, _)| *name == text) {
        return Some(*meaning);
    }
    let Complaint { message, help } = wording::unknown_word(&at.shown(), text, &names);
    reader.error(at, message, Some(help));
    None
}

/// A path: `~/` is the home folder, another relative path starts at the folder of the file.
pub(super) fn path(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<PathBuf> {
    let written = text(reader, at, found, "a path", "~/.ssh/id_ed25519")?;
    let Some(below) = written.strip_prefix('~') else { return Some(reader.folder().join(written)) };
    let fault = match (below.strip_prefix('/'), reader.home) {
        (Some(below), Some(home)) => return Some(home.join(below)),
        (None, Some(home)) if below.is_empty() => return Some(home.to_owned()),
        (_, None) => "begins with `~`, but there is no home folder ($HOME)",
        (None, Some(_)) => "begins with the home folder of another user",
    };
    reader.error(at, format!("{} {fault}", at.shown()), Some("write the whole path".to_owned()));
    None
}

/// A list, each element read by `read`.
pub(super) fn list<T>(
    reader: &mut Reader<'_>,
    at: &Place,
    found: &DeValue<'_>,
    example: &str,
    mut read: impl FnMut(&mut Reader<'_>, &Place, &DeValue<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(elements) = found.as_array() else {
        reader.wrong_type(at, found, "a list", &format!("{} = [{example}]", at.key()));
        return None;
    };
    let mut values = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        let place = at.element(index, element.span().start);
        reader.remember(&place);
        values.extend(read(reader, &place, element.get_ref()));
    }
    Some(values)
}

/// A list of texts in which nothing stands twice.
pub(super) fn names(
    reader: &mut Reader<'_>,
    at: &Place,
    found: &DeValue<'_>,
    example: &str,
    is_right: impl Fn(&mut Reader<'_>, &Place, &str) -> bool,
) -> Option<Vec<String>> {
    let mut seen: Vec<String> = Vec::new();
    list(reader, at, found, &format!("\"{example}\""), |reader, at, element| {
        let Some(name) = element.as_str() else {
            reader.wrong_type(at, element, "a list of texts", &format!("{} = [\"{example}\"]", at.key()));
            return None;
        };
        if !is_right(reader, at, name) {
            return None;
        }
        if seen.iter().any(|earlier| earlier == name) {
            reader.error(at, format!("{} has `{name}` twice", at.shown()), None);
            return None;
        }
        seen.push(name.to_owned());
        Some(name.to_owned())
    })
}
