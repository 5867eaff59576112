//! An argument as far as it is known before the shell makes it.

use super::super::syntax::{Part, Word, pattern_start};
use jackfield_plugin::text::Search;

/// What is known of one argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// The whole of it when exact, else how it begins.
    pub(super) text: String,
    /// Nothing in it is replaced by the shell.
    pub(super) exact: bool,
    /// It may become several arguments, each of which may begin in any way.
    pub(super) splits: bool,
    /// It may become several arguments: `$x`, `*.log`, `a{b,c}`.
    pub(super) several: bool,
}

impl Argument {
    /// `held` is what variables hold.
    pub(super) fn of(word: &Word, held: &[(String, Self)]) -> Self {
        let mut argument = Self { text: String::new(), exact: true, splits: false, several: false };
        // ksh looks for braces in what a variable held, too.
        let opens = |part: &Part| matches!(part, Part::Text { text, quoted: false } if text.has('{'));
        let held: &[(String, Self)] = if word.parts.iter().any(opens) { &[] } else { held };
        for (place, part) in word.parts.iter().enumerate() {
            match part {
                Part::Text { text, quoted: true } => argument.append(text),
                Part::Text { text, .. } => argument.append_unquoted(text, place + 1 == word.parts.len()),
                Part::Variable { name, operator, quoted, .. } => {
                    // zsh takes a piece of it where `[` or `:` stands behind it.
                    let whole = word.parts.get(place + 1).is_none_or(|next| matches!(next, Part::Text { text, .. } if is_apart(text)));
                    let value = held.iter().rev().find(|(held, _)| held == name).filter(|_| whole && operator.is_empty());
                    if let Some((_, value)) = value
                        && (value.exact || *quoted)
                    {
                        argument.append(&value.text);
                        argument.exact &= value.exact;
                        continue;
                    }
                    argument.exact = false;
                    argument.splits |= operator != "length" && (!quoted || name == "@" || operator.starts_with('['));
                }
                Part::Command { quoted, .. } => {
                    argument.exact = false;
                    argument.splits |= !quoted;
                }
                Part::Process { .. } => {
                    argument.append("/dev/fd/");
                    argument.exact = false;
                }
                Part::Arithmetic { .. } | Part::History { .. } => argument.exact = false,
            }
        }
        if word.has_braces() {
            let brace = argument.text.find('{').unwrap_or_default();
            argument.text.truncate(brace);
            (argument.exact, argument.several) = (false, true);
        }
        // fish takes the braces around a variable away.
        if !argument.exact
            && word.parts.iter().any(opens)
            && let Some(brace) = argument.text.find('{')
        {
            argument.text.truncate(brace);
        }
        argument.several |= argument.splits;
        argument
    }

    /// What a variable holds to which a loop gives this word: a plain word, or names that begin with plain signs. No shell makes anything
    /// else of the one, nor of the other within quotes.
    pub(super) fn held(word: &Word) -> Option<Self> {
        let is_text = word.parts.iter().all(|part| matches!(part, Part::Text { .. }));
        let value = Self::of(word, &[]);
        let plain = value.text.chars().all(|c| c.is_ascii_alphanumeric() || "._/:@%+,-".has(c));
        let no_option = value.text.starts_with(|c: char| c.is_ascii_alphanumeric() || "._/".has(c));
        (is_text && plain && no_option).then_some(value)
    }

    /// An argument that is read from somewhere: nothing is known of it.
    pub(super) fn unknown() -> Self {
        Self { text: String::new(), exact: false, splits: true, several: true }
    }

    /// An argument that is not an option, whatever it is.
    pub(super) fn operand() -> Self {
        Self { text: ".".to_owned(), exact: false, splits: false, several: false }
    }

    fn append(&mut self, text: &str) {
        if self.exact {
            self.text.push_str(text);
        }
    }

    /// Text that may be a pattern for the names of files. With `extended_glob` of zsh `^x` is one, which is each name but `x`, and so is
    /// `x#`: as many `x` as there are, or none.
    fn append_unquoted(&mut self, text: &str, is_last: bool) {
        let sign = text.find(['^', '#']);
        let Some(at) = [pattern_start(text), sign].into_iter().flatten().min() else { return self.append(text) };
        let behind = text.get(at..).unwrap_or_default();
        self.append(text.get(..at).unwrap_or_default());
        // Of `-F#` and `-F^` nothing comes but the same letter with a value.
        let is_option = self.text.starts_with('-');
        let is_letter = is_option && self.text.len() == 2 && is_last && matches!(behind, "#" | "^");
        self.several |= !is_letter;
        if behind.starts_with('#') {
            if is_letter || !is_option && is_last && behind == "#" {
                return self.append(behind);
            }
            if self.exact {
                self.text.pop();
            }
        } else if behind.starts_with('^') && !matches!(self.text.as_str(), "" | "-") {
            // Something stands in its place.
            self.append("^");
        }
        self.exact = false;
    }

    /// Is it this text, without doubt?
    pub(super) fn is(&self, text: &str) -> bool {
        self.exact && self.text == text
    }

    /// Could it be an option that is not seen here?
    pub(super) fn may_be_option(&self) -> bool {
        self.splits || !self.exact && (self.text.is_empty() || self.text == "-")
    }
}

/// Does this text behind a variable's name leave the variable as it is?
fn is_apart(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || "/.,-@%+= _".has(c))
}
