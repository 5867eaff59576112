//! Words of a shell: where they begin and end, and what the shell replaces in them.
//!
//! Where shells disagree about the end of a word it is read as bash reads it, and the dispute is noted:
//! then nothing is proven.

use core::mem;
use core::str::Chars;

use super::syntax::{Body, Faults, Parsed, Part, Script, Word};
use jackfield_plugin::text::Search;

mod dollar;
mod quotes;
mod redirection;

/// How deep substitutions, groups and quotes may nest. The guest's stack is small, and nobody writes more.
pub(super) const DEPTH_MAX: usize = 20;

/// What shells without process substitution refuse.
const PROCESS: &str = "`<(`";

/// Reads a command character by character.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    rest: Chars<'a>,
    depth: usize,
    pub(super) faults: Faults,
    bodies: Vec<Body>,
    /// Here-documents whose bodies begin behind the next newline.
    awaited: Vec<redirection::Awaited>,
    /// The next word stands first on its line.
    line_start: bool,
    /// How many newlines stand between commands.
    rows: usize,
    /// It reads a text that is a part of another one.
    is_part: bool,
    /// The text from the first process substitution of a row on.
    process_at: Option<&'a str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let (faults, bodies, awaited) = (Faults::default(), Vec::new(), Vec::new());
        let (rest, is_part, process_at) = (text.chars(), false, None);
        Self { text, rest, depth: 0, faults, bodies, awaited, line_start: true, rows: 0, is_part, process_at }
    }

    pub(super) fn finish(mut self, script: Script) -> Parsed {
        self.end_of_text();
        // A shell that refuses a row runs the rows behind it, also those that are a text or a part of a command.
        let begins_within = self.text.matches('\n').count() > self.rows;
        if let Some(what) = self.faults.refused.filter(|_| begins_within) {
            self.faults.disputed(what);
        }
        self.end_of_row();
        Parsed { script, bodies: self.bodies, faults: self.faults }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest.as_str()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    pub(super) fn second(&self) -> Option<char> {
        self.rest.clone().nth(1)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        self.rest.next()
    }

    /// Takes this text if it comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let behind = self.rest().strip_prefix(text);
        if let Some(behind) = behind {
            self.rest = behind.chars();
        }
        behind.is_some()
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.take(" ") || self.take("\t") || self.continuation() {}
    }

    /// Takes a backslash with a newline behind it.
    fn continuation(&mut self) -> bool {
        let is_taken = self.take("\\\n");
        if is_taken {
            self.joined();
        }
        is_taken
    }

    /// Behind a backslash and a newline. A shell takes them out before it looks for words and signs: what stands before them and behind
    /// may be one sign, as `$` and `(` are.
    fn joined(&mut self) {
        let end = self.text.len().checked_sub(self.rest().len() + 2);
        let before = end.and_then(|end| self.text.get(..end)).and_then(|before| before.chars().next_back());
        let separates = |c: Option<char>| matches!(c, None | Some(' ' | '\t' | '\n'));
        if !separates(before) && !separates(self.peek()) {
            self.faults.disputed("a line that goes on within a word");
        }
    }

    /// To the end of the line, which stays.
    pub(super) fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.bump();
        }
    }

    /// Goes one level deeper. Too deep: the rest is not read.
    pub(super) fn nested<T: Default>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= DEPTH_MAX {
            self.faults.too_deep = true;
            self.rest = "".chars();
            return T::default();
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads another text as a part of this one.
    fn within<T: Default>(&mut self, text: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        self.nested(|outer| {
            let (depth, faults, bodies) = (outer.depth, outer.faults, mem::take(&mut outer.bodies));
            let mut inner = Reader { depth, faults, bodies, is_part: true, ..Reader::new(text) };
            let result = read(&mut inner);
            inner.end_of_text();
            (outer.faults, outer.bodies) = (inner.faults, inner.bodies);
            result
        })
    }

    /// Between commands, or behind the last one. A shell that knows no process substitution refuses the row with that very sign: what it
    /// read until then is forgotten, and what of the command stands in further rows runs by itself.
    fn end_of_row(&mut self) {
        let Some(behind) = self.process_at.take() else { return };
        let row = behind.len().checked_sub(self.rest().len()).and_then(|end| behind.get(..end));
        if row.is_none_or(|row| row.has('\n')) {
            self.faults.disputed(PROCESS);
        }
    }

    fn end_of_text(&mut self) {
        if !self.awaited.is_empty() {
            self.faults.unclosed("the here-document");
        }
    }

    /// One word, empty when none begins here.
    pub(super) fn word(&mut self) -> Word {
        let mut word = Word::default();
        let mut before = None;
        let mut braces = 0_usize;
        while let Some(c) = self.peek() {
            if self.at_process() {
                self.process(&mut word);
                before = Some(')');
                continue;
            }
            if c == '(' && self.pattern_list(before) {
                word.push('*', false);
                before = Some(')');
                continue;
            }
            if ends_word(c) {
                break;
            }
            self.bump();
            match c {
                '\'' => self.single(&mut word),
                '"' => self.double(&mut word, Some('"')),
                '\\' => self.backslash(&mut word),
                '$' => self.dollar(&mut word, false),
                '`' => self.backquotes(&mut word, false),
                '!' if !matches!(before, Some('[' | '{')) && self.recalls(false) => word.parts.push(Part::History { quoted: false }),
                '^' if before.is_none() && self.line_start => word.parts.push(Part::History { quoted: false }),
                _ => {
                    match c {
                        '{' => braces += 1,
                        '}' if braces > 0 => braces -= 1,
                        // It ends a group in zsh, also at the end of a word, with more to run behind `always`.
                        '}' => self.faults.disputed("`}` without its `{` in a word"),
                        // fish and ksh93 look for a remark there, as of `\;#` and `<(ls)#`.
                        '#' if before.is_none_or(|before| !before.is_ascii() || matches!(before, '\\' | ')' | '$' | '`')) => {
                            self.faults.disputed("`#` behind a sign");
                        }
                        _ => {}
                    }
                    word.push(c, false);
                }
            }
            before = Some(c);
        }
        self.line_start = false;
        word
    }

    /// Behind `!`: does an interactive shell put an earlier line here?
    fn recalls(&self, quoted: bool) -> bool {
        let inert = |c: char| c.is_whitespace() || matches!(c, '=' | '(' | ')' | ';' | '&' | '|' | '<' | '>') || quoted && c == '"';
        self.peek().is_some_and(|c| !inert(c))
    }

    /// `@(a|b)`: a pattern, in shells that know it. It must not hide a command from those that do not.
    fn pattern_list(&mut self, before: Option<char>) -> bool {
        if !matches!(before, Some('?' | '*' | '+' | '@' | '!')) {
            return false;
        }
        let Some(behind) = self.rest().strip_prefix('(') else { return false };
        let end = behind.find(['(', ')', ';', '&', '\n', '`', '$', '\'', '"', '\\']);
        let Some(inside) = end.and_then(|end| self.rest().get(..end + 2)).filter(|inside| inside.ends_with(')')) else { return false };
        self.faults.disputed("a pattern list in brackets");
        self.take(inside)
    }

    /// Does a process substitution begin here?
    pub(super) fn at_process(&self) -> bool {
        self.rest().starts_with("<(") || self.rest().starts_with(">(")
    }

    /// `<( )` or `>( )`.
    fn process(&mut self, word: &mut Word) {
        // How much of the whole text stands behind it is not seen from within a part.
        if self.is_part {
            self.faults.refused(PROCESS);
        } else {
            let place = self.rest();
            self.process_at.get_or_insert(place);
        }
        let writes = self.bump() == Some('>');
        self.bump();
        let script = self.substituted(Self::until_bracket);
        word.parts.push(Part::Process { script, writes });
    }

    /// Commands within a word. Where the body of a here-document stands that begins in there, or before commands of several lines, is
    /// not the same for all shells.
    fn substituted(&mut self, read: impl FnOnce(&mut Self) -> Script) -> Script {
        let (before, documents) = (self.rest(), self.documents());
        let script = self.nested(read);
        let text = before.get(..before.len() - self.rest().len()).unwrap_or_default();
        self.holds_documents(text, documents);
        script
    }

    /// How many here-documents were begun, and does the body of one still follow?
    fn documents(&self) -> (usize, bool) {
        (self.bodies.len(), !self.awaited.is_empty())
    }

    /// Behind the text of commands within a word, in front of which there were these documents.
    fn holds_documents(&mut self, text: &str, (begun, is_awaited): (usize, bool)) {
        if self.bodies.len() > begun || is_awaited && text.has('\n') {
            self.faults.disputed("a here-document around or within a substitution");
        }
    }
}

/// Does this unquoted character end a word?
pub(super) fn ends_word(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}
