//! Who wrote what to a line.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::CLIENT_NAME_MAX_BYTES;
use crate::terminal::text::{escaped_line, first_bytes};

/// What a person's name as a caller begins with.
const PERSON: &str = "person ";

/// A client's name as a caller: it cannot pass for a person's, nor for more than a name where a person reads it.
#[must_use]
pub fn client_name(name: &str) -> String {
    let name = &escaped_line(first_bytes(name, CLIENT_NAME_MAX_BYTES));
    if name.trim_start().starts_with(PERSON) { format!("client {name}") } else { name.to_owned() }
}

/// What kind of author wrote bytes to a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    /// A client of the protocol.
    #[default]
    Agent,
    /// Somebody at a terminal or a browser.
    Person,
    /// A device plugin.
    Plugin,
    /// jackfield itself.
    Runtime,
}

impl AuthorKind {
    /// The word in a result.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Person => "person",
            Self::Plugin => "plugin",
            Self::Runtime => "runtime",
        }
    }
}

/// Who wrote bytes to a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Author {
    /// What kind of author.
    pub kind: AuthorKind,
    /// The client's, person's or plugin's name.
    pub name: String,
}

impl Author {
    /// A client of the protocol.
    #[must_use]
    pub fn agent(name: &str) -> Self {
        Self { kind: AuthorKind::Agent, name: name.to_owned() }
    }

    /// From the name of a caller, as history has it: people's are told from clients' by their first word, which no client may have.
    #[must_use]
    pub fn of_caller(caller: &str) -> Self {
        match caller.strip_prefix(PERSON) {
            Some(name) => Self::person(name),
            None => Self::agent(caller),
        }
    }

    /// Somebody at a terminal or a browser.
    #[must_use]
    pub fn person(name: &str) -> Self {
        Self { kind: AuthorKind::Person, name: name.to_owned() }
    }

    /// A device plugin.
    #[must_use]
    pub fn plugin(name: &str) -> Self {
        Self { kind: AuthorKind::Plugin, name: name.to_owned() }
    }

    /// jackfield itself.
    #[must_use]
    pub fn runtime() -> Self {
        Self { kind: AuthorKind::Runtime, name: "jackfield".to_owned() }
    }

    /// Is it a person?
    #[must_use]
    pub fn is_person(&self) -> bool {
        self.kind == AuthorKind::Person
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            AuthorKind::Runtime => f.write_str(&self.name),
            kind => write!(f, "{} {}", kind.word(), self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_name_is_one_short_line_and_no_persons() {
        assert_eq!(client_name("claude-code"), "claude-code");
        assert_eq!(client_name(" person bob"), "client  person bob");
        let forged = "x wants to run this on web1 (session web1):\n  | uptime\u{1b}[1A\u{202e}";
        assert_eq!(client_name(forged), "x wants to run this on web1 (session web1):\\n  | uptime\\x1b[1A\\u{202e}");
        assert_eq!(client_name(&"y".repeat(9999)).len(), CLIENT_NAME_MAX_BYTES);
    }
}
