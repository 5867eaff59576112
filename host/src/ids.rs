//! Names that a model can say: `web1`, `web1#2`, `c41`. They are names, not capabilities.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::limits::OPEN_NAMES_MAX;

/// A command: `c41`. Unique in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(u64);

impl CommandId {
    /// The next free id.
    #[must_use]
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl FromStr for CommandId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.strip_prefix('c').and_then(|number| number.parse().ok()).map(Self).ok_or(())
    }
}

/// A session: a device and, for another one than the main session, `#` and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    /// The device's name in the configuration.
    pub device: String,
    /// `main` unless the caller chose another.
    pub name: String,
}

/// The session that a device's bare name means.
pub const MAIN: &str = "main";

impl SessionId {
    /// The device's main session.
    #[must_use]
    pub fn main(device: &str) -> Self {
        Self { device: device.to_owned(), name: MAIN.to_owned() }
    }

    /// From `web1` or `web1#2`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (device, name) = Self::parts(text);
        Self { device: device.to_owned(), name: name.to_owned() }
    }

    /// The device's name and the session's of such a text.
    #[must_use]
    pub fn parts(text: &str) -> (&str, &str) {
        text.split_once('#').unwrap_or((text, MAIN))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name == MAIN { f.write_str(&self.device) } else { write!(f, "{}#{}", self.device, self.name) }
    }
}

/// What an address has of a name as something else: all but the unreserved characters (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as a part of an address.
#[must_use]
pub fn in_address(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

/// What there is to choose from, for who named something else.
#[must_use]
pub fn open_are(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<&str> = names.iter().take(OPEN_NAMES_MAX).map(AsRef::as_ref).collect();
    match names.len() - shown.len() {
        _ if shown.is_empty() => "none is open".to_owned(),
        0 => format!("open are: {}", shown.join(", ")),
        more => format!("open are: {}, and {more} more", shown.join(", ")),
    }
}

/// 16 hexadecimal digits from the system's random source: what proves that a mark or a question is ours.
#[must_use]
pub fn nonce() -> Option<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:016x}", u64::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_as_they_are_shown() {
        let id = CommandId::next();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("41".parse::<CommandId>(), Err(()));
        assert_eq!(SessionId::parse("web1#2").to_string(), "web1#2");
        assert_eq!(SessionId::parse("web1"), SessionId::main("web1"));
    }

    #[test]
    fn of_many_names_some_are_offered() {
        let names: Vec<String> = (0..OPEN_NAMES_MAX + 2).map(|number| format!("web{number}")).collect();
        let offered = |count: usize| open_are(names.get(..count).unwrap());
        assert_eq!(offered(0), "none is open");
        assert_eq!(offered(2), "open are: web0, web1");
        assert_eq!(offered(OPEN_NAMES_MAX).split(", ").count(), OPEN_NAMES_MAX);
        assert_eq!(offered(OPEN_NAMES_MAX + 2), format!("{}, and 2 more", offered(OPEN_NAMES_MAX)));
    }
}
