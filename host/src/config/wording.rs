//! How a key or a word that does not fit is told, wherever it stands: in a configuration, a declaration or a plugin's manifest.

use crate::nearest::nearest;

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

/// A key that its table does not have. `table` is empty at the top; `otherwise` is said where no known key is like it.
#[must_use]
pub fn unknown_key(key: &str, table: &str, known: &[&str], otherwise: &str) -> Complaint {
    let place = if table.is_empty() { "at the top".to_owned() } else { format!("in {table}") };
    let guess = guess(key, known).unwrap_or_else(|| otherwise.to_owned());
    Complaint { message: format!("unknown key `{}` {place}", key.escape_debug()), help: format!("{guess}known keys: {}", known.join(", ")) }
}

/// A text in the place of one of several words.
#[must_use]
pub fn unknown_word(shown: &str, text: &str, known: &[&str]) -> Complaint {
    let guess = guess(text, known).unwrap_or_default();
    let message = format!("{shown} cannot be `{}`", text.escape_debug());
    Complaint { message, help: format!("{guess}known words: {}", known.join(", ")) }
}

/// A value of another type than the one that is wanted.
#[must_use]
pub fn wrong_type(shown: &str, want: &str, got: &str) -> String {
    format!("{shown} must be {want}, got {got}")
}

fn guess(wrong: &str, known: &[&str]) -> Option<String> {
    nearest(wrong, known.iter().copied()).map(|near| format!("did you mean `{near}`? "))
}
