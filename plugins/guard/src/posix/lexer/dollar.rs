//! What begins with `$`: variables, commands, arithmetic.

use super::super::syntax::{Part, Word};
use super::Reader;
use jackfield_plugin::text::Search;

/// Longest `$[ ]`, in characters. A longer one is read as text, with the commands in it.
const OLD_ARITHMETIC_MAX: usize = 256;

impl Reader<'_> {
    /// Behind `$`.
    pub(super) fn dollar(&mut self, word: &mut Word, quoted: bool) {
        while self.continuation() {}
        match self.peek() {
            Some('(') => self.command(word, quoted),
            Some('{') => {
                self.bump();
                // `${ command; }` in ksh and in new releases of bash.
                if self.peek().is_some_and(|c| c.is_whitespace() || c == '|') {
                    self.bump();
                    self.faults.refused("`${ `");
                    let script = self.substituted(Self::until_closing_brace);
                    word.parts.push(Part::Command { script, quoted });
                    return;
                }
                let part = self.nested(|reader| Some(reader.braced(quoted)));
                word.parts.extend(part);
            }
            Some('[') => self.old_arithmetic(word, quoted),
            Some('\'') if !quoted => {
                self.bump();
                self.ansi(word);
            }
            Some('"') if !quoted => {
                self.bump();
                self.double(word, Some('"'));
            }
            _ => {
                if self.has_index() {
                    self.faults.disputed("`[` behind a variable");
                }
                if self.counts_changes() {
                    self.faults.disputed("`:` behind a variable");
                }
                let before = self.rest.clone();
                // Splits a variable in zsh, or makes patterns of it, in quotes as well; other shells take the signs as they stand.
                while self.peek().is_some_and(|c| matches!(c, '=' | '~' | '^')) {
                    self.bump();
                }
                let quoted_as_one = quoted && before.as_str().len() == self.rest().len();
                let signs = before.as_str().get(..before.as_str().len() - self.rest().len()).unwrap_or_default();
                let name = self.name();
                if name.is_empty() {
                    self.rest = before;
                    word.push('$', quoted);
                } else {
                    // A pattern in zsh may hold a command.
                    if signs.has('~') && !quoted {
                        self.faults.disputed("`$~`");
                    }
                    let operator = if signs.is_empty() { String::new() } else { format!("${signs}") };
                    word.parts.push(Part::Variable { name, operator, operand: Word::default(), quoted: quoted_as_one });
                }
            }
        }
    }

    /// Does a bracket follow the variable that comes next, which zsh takes for an index also without braces? It computes what stands there,
    /// down to the commands in what a variable holds. Numbers are harmless.
    fn has_index(&self) -> bool {
        let signed = self.rest().trim_start_matches(['=', '~', '^', '+', '#']);
        let counts = self.rest().len() > signed.len() && signed.starts_with('[');
        let special = signed.strip_prefix(['@', '*', '?', '-', '$', '!']);
        let behind = special.unwrap_or_else(|| signed.trim_start_matches(in_name));
        let index = behind.strip_prefix('[').filter(|_| counts || behind.len() < signed.len());
        index.and_then(|index| index.chars().take_while(|c| *c != ']').find(|c| !c.is_ascii_digit() && !" ,:^+-".has(*c))).is_some()
    }

    /// Behind the variable that comes next: `:h` and the like change it in zsh also without braces, and what stands behind `:F` is
    /// computed. What is put in the place of something else may be any text.
    fn counts_changes(&self) -> bool {
        let signed = self.rest().trim_start_matches(['=', '~', '^', '+', '#']);
        let special = signed.strip_prefix(['@', '*', '?', '-', '$', '!']);
        let mut rest = special.unwrap_or_else(|| signed.trim_start_matches(in_name));
        while let Some((_, behind)) = rest.strip_prefix('[').and_then(|index| index.split_once(']')) {
            rest = behind;
        }
        while let Some(change) = rest.strip_prefix(':') {
            let change = change.trim_start_matches(['g', 'f', 'w']);
            if change.starts_with(['F', 'W', 's', '&']) {
                return true;
            }
            rest = change.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
            if rest.len() == change.len() {
                return false;
            }
        }
        false
    }

    /// A variable's name: letters, digits and `_`, or one of the special signs.
    fn name(&mut self) -> String {
        let Some(first) = self.peek() else { return String::new() };
        if matches!(first, '@' | '*' | '#' | '?' | '-' | '$' | '!' | '0'..='9') {
            self.bump();
            return first.to_string();
        }
        let end = self.rest().find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or_else(|| self.rest().len());
        let name = self.rest().get(..end).unwrap_or_default();
        self.take(name);
        name.to_owned()
    }

    /// Behind `${`.
    fn braced(&mut self, quoted: bool) -> Part {
        let mut operator = String::new();
        let prefix = self.peek().filter(|c| matches!(c, '#' | '!')).filter(|_| self.second() != Some('}'));
        if let Some(prefix) = prefix {
            self.bump();
            // The length is a number, whatever the variable holds.
            operator.push_str(if prefix == '#' { "length" } else { "!" });
        }
        let name = self.name();
        while let Some(c) = self.peek().filter(|c| operator.len() < 2 && ":-+=?%#/^,@~*[(".has(*c)) {
            self.bump();
            operator.push(c);
        }
        let mut operand = Word::default();
        self.until_brace(&mut operand, quoted);
        let index = format!("{operator}{}", operand.shown());
        if index.has('[') && !index.has(']') {
            self.faults.refused("`[` in `${…}`");
        }
        Part::Variable { name, operator, operand, quoted }
    }

    fn until_brace(&mut self, operand: &mut Word, quoted: bool) {
        while let Some(c) = self.peek() {
            if !quoted && self.at_process() {
                self.process(operand);
                continue;
            }
            self.bump();
            match c {
                '}' => return,
                // zsh runs what stands in some of them.
                '(' if !quoted => {
                    self.faults.disputed("a bracket in `${…}`");
                    operand.push(c, false);
                }
                '\\' => self.backslash(operand),
                '\'' if quoted => {
                    self.faults.disputed("`'` in `\"${…}\"`");
                    operand.push(c, true);
                }
                '\'' => self.single(operand),
                '"' => self.double(operand, Some('"')),
                '$' => self.dollar(operand, quoted),
                '`' => self.backquotes(operand, quoted),
                _ => operand.push(c, quoted),
            }
        }
        self.faults.unclosed("`${`");
    }

    /// At the bracket of `$(`.
    fn command(&mut self, word: &mut Word, quoted: bool) {
        if let Some(text) = self.number_text() {
            word.parts.push(self.arithmetic(&text));
            return;
        }
        self.bump();
        let script = self.substituted(Self::until_bracket);
        word.parts.push(Part::Command { script, quoted });
    }

    /// As [`arithmetic_text`](Self::arithmetic_text), where commands may stand as well.
    pub(in super::super) fn number_text(&mut self) -> Option<String> {
        let before = self.rest.clone();
        let text = self.arithmetic_text()?;
        // To some shells these are part of the numbers.
        if text.has_any(";\n") {
            self.faults.disputed("two brackets");
            self.rest = before;
            return None;
        }
        Some(text)
    }

    /// At `((`: what stands up to the `))` that belongs to it. `$((a) )` is a command in brackets instead.
    pub(in super::super) fn arithmetic_text(&mut self) -> Option<String> {
        let inside = self.rest().strip_prefix("((")?;
        let mut open = 0_usize;
        for (at, c) in inside.char_indices() {
            match c {
                '(' => open += 1,
                ')' if open > 0 => open -= 1,
                ')' => {
                    let text = inside.get(..at)?;
                    let behind = inside.get(at..)?.strip_prefix("))")?;
                    self.rest = behind.chars();
                    return Some(text.to_owned());
                }
                _ => {}
            }
        }
        None
    }

    /// At the bracket of `$[`.
    fn old_arithmetic(&mut self, word: &mut Word, quoted: bool) {
        let mut ahead = self.rest.clone().skip(1).take(OLD_ARITHMETIC_MAX);
        let text: String = ahead.by_ref().take_while(|c| !matches!(c, ']' | '\n')).collect();
        let whole = format!("[{text}]");
        if self.take(&whole) {
            word.parts.push(self.arithmetic(&text));
        } else {
            self.faults.disputed("`$[`");
            word.push('$', quoted);
        }
    }

    pub(in super::super) fn arithmetic(&mut self, text: &str) -> Part {
        let word = self.within(text, |inner| {
            let mut word = Word::default();
            inner.double(&mut word, None);
            word
        });
        Part::Arithmetic { text: text.to_owned(), word }
    }
}

/// May it stand in a variable's name? To zsh letters beyond ASCII may.
fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}
