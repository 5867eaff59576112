//! Files of environment variables: `NAME=value` in each row, with or without `export` and quotes.

use zeroize::Zeroizing;

use super::fits;

/// A variable.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: Zeroizing<String>,
}

/// Variables of these names say something of a device.
pub(super) fn is_about_devices(name: &str) -> bool {
    name.starts_with("OVRD_") || name == "SSH_HOST"
}

/// Is each row a variable, and is there one?
pub(super) fn is_one(text: &str) -> bool {
    let mut rows = rows(text).peekable();
    rows.peek().is_some() && rows.all(|row| split(row).is_some())
}

/// The variables, in the order of the file.
pub(super) fn variables(text: &str) -> Vec<Variable> {
    let pairs = rows(text).filter_map(split);
    pairs.map(|(name, value)| Variable { name: name.to_owned(), value: unquoted(value) }).collect()
}

fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|row| !row.is_empty() && !row.starts_with('#'))
}

fn split(row: &str) -> Option<(&str, &str)> {
    let (name, value) = row.strip_prefix("export ").unwrap_or(row).split_once('=')?;
    let name = name.trim_end();
    // An alias may be an address or a host's name, so dots and hyphens are in such names too.
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-:".contains(&byte));
    is_name.then_some((name, value.trim_start()))
}

/// Without quotes, or up to a comment where there are none.
fn unquoted(value: &str) -> Zeroizing<String> {
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)).map(|(inner, _)| inner);
    let bare = || value.split(" #").next().unwrap_or_default().trim_end();
    let inner = match (quoted('\''), value.starts_with('"')) {
        (Some(inner), _) => inner.to_owned(),
        (None, true) => fits::double_quoted(value),
        (None, false) => bare().to_owned(),
    };
    Zeroizing::new(inner)
}
