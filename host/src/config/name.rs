//! Names that the operator chooses.

use std::borrow::Borrow;
use std::fmt;

use super::reader::{Place, Reader};

/// Longest name. Names stand in answers, file names and terminal titles.
pub(crate) const NAME_MAX_BYTES: usize = 64;

/// Name of a device type. `-` and `_` are the same, so it is kept with `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeName(String);

impl TypeName {
    /// The name in its one spelling.
    pub fn new(name: &str) -> Self {
        Self(name.replace('-', "_"))
    }

    /// The name, with `_`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn read(reader: &mut Reader<'_>, at: &Place, name: &str) -> Option<Self> {
        if name == "auto" {
            reader.error(at, "type name `auto` is taken: it means that the type is found out".to_owned(), None);
            return None;
        }
        is_name(reader, at, "type", name).then(|| Self::new(name))
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for TypeName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The header of the table of this kind and name, as it stands in the file: there a name with dots is in quotes.
#[must_use]
pub fn header(kind: &str, name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { format!("[{kind}.{name}]") } else { format!("[{kind}.\"{}\"]", name.escape_debug()) }
}

/// Can it be taken for nothing else: an option, a path, a pattern?
pub(crate) fn is_plain(name: &str) -> bool {
    name.bytes().all(is_name_byte) && !name.is_empty() && !name.starts_with(['-', '.']) && name.len() <= NAME_MAX_BYTES
}

/// May it stand in a name?
pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// Reports a name that could be taken for an option, a path or a pattern.
pub(super) fn is_name(reader: &mut Reader<'_>, at: &Place, kind: &str, name: &str) -> bool {
    let right = is_plain(name);
    if !right {
        let rule = format!("use up to {NAME_MAX_BYTES} letters, digits, `.`, `_`, `-`, and begin with neither `-` nor `.`");
        reader.error(at, format!("`{}` cannot be the name of a {kind}", name.escape_debug()), Some(rule));
    }
    right
}
