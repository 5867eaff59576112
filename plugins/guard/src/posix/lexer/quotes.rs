//! Quotes, escapes and backquotes.

use super::super::syntax::{Part, Word};
use super::Reader;
use jackfield_plugin::text::Search;

impl Reader<'_> {
    /// Behind `'`.
    pub(super) fn single(&mut self, word: &mut Word) {
        begin_quoted(word);
        let Some((text, _)) = self.rest().split_once('\'') else {
            self.faults.unclosed("the quote `'`");
            self.rest().chars().for_each(|c| word.push(c, true));
            self.rest = "".chars();
            return;
        };
        // fish lets a backslash quote the quote and another backslash; bash looks for `!` on every line but the first of a quote.
        if text.ends_with('\\') || text.holds(r"\\") {
            self.faults.disputed("a backslash before `'` or another one");
        } else if text.has('\n') && text.has('!') {
            self.faults.disputed("`!` in a quote of several lines");
        }
        text.chars().for_each(|c| word.push(c, true));
        self.rest = self.rest().get(text.len() + 1..).unwrap_or_default().chars();
    }

    /// Behind `"`; without an end, a text that is replaced like a quoted one, up to its end.
    pub(super) fn double(&mut self, word: &mut Word, end: Option<char>) {
        begin_quoted(word);
        while let Some(c) = self.bump() {
            match c {
                _ if Some(c) == end => return,
                '\\' => self.backslash_in_double(word, end),
                '$' => self.dollar(word, true),
                '`' => self.backquotes(word, true),
                '!' if self.recalls(true) => word.parts.push(Part::History { quoted: true }),
                _ => word.push(c, true),
            }
        }
        if end.is_some() {
            self.faults.unclosed("the quote `\"`");
        }
    }

    fn backslash_in_double(&mut self, word: &mut Word, end: Option<char>) {
        match self.peek() {
            Some('\n') => {
                self.bump();
                self.joined();
            }
            Some(c) if matches!(c, '$' | '`' | '\\') || Some(c) == end => {
                self.bump();
                word.push(c, true);
            }
            _ => word.push('\\', true),
        }
    }

    /// Behind `\` outside quotes.
    pub(super) fn backslash(&mut self, word: &mut Word) {
        match self.bump() {
            Some('\n') => self.joined(),
            Some(c) => {
                // fish makes another sign of it, as of `\x2d`.
                if matches!(c, 'a'..='c' | 'e' | 'f' | 'n' | 'r' | 't'..='v' | 'x' | 'U' | 'X' | '0'..='7') {
                    self.faults.disputed("a backslash before a letter or a number");
                }
                word.push(c, true);
            }
            None => self.faults.unclosed("the line with `\\` at its end"),
        }
    }

    /// Behind `` ` ``. To fish the signs between backquotes are those of the line itself.
    pub(super) fn backquotes(&mut self, word: &mut Word, quoted: bool) {
        let mut text = String::new();
        let before = self.rest();
        loop {
            match self.bump() {
                Some('`') => break,
                Some('\\') => match self.peek() {
                    Some(c) if matches!(c, '`' | '\\' | '$') || quoted && c == '"' => {
                        self.bump();
                        text.push(c);
                    }
                    _ => text.push('\\'),
                },
                Some(c) => text.push(c),
                None => {
                    self.faults.unclosed("the backquote");
                    break;
                }
            }
        }
        let written = before.get(..before.len() - self.rest().len()).unwrap_or_default();
        if written.has_any(if quoted { "\"\\" } else { ";|&()#\n\\" }) {
            self.faults.disputed("a sign within backquotes");
        }
        let documents = self.documents();
        let script = self.within(&text, |inner| inner.until_end());
        self.holds_documents(&text, documents);
        word.parts.push(Part::Command { script, quoted });
    }

    /// Behind `$'`: with the escapes of C.
    pub(super) fn ansi(&mut self, word: &mut Word) {
        begin_quoted(word);
        // The character of number 0 ends the text, not the quote.
        let mut ended = false;
        while let Some(c) = self.bump() {
            match c {
                '\'' => return,
                '\\' => {
                    // Shells differ in the escapes that they know, and one without this kind of quote knows none of them.
                    if !matches!(self.peek(), Some('n' | 't')) {
                        self.faults.disputed("an escape in `$'…'`");
                    }
                    let c = self.ansi_escape();
                    ended |= c == Some('\0');
                    if let Some(c) = c.filter(|_| !ended) {
                        word.push(c, true);
                    }
                }
                _ if ended => {}
                _ => word.push(c, true),
            }
        }
        self.faults.unclosed("the quote `$'`");
    }

    fn ansi_escape(&mut self) -> Option<char> {
        let c = self.bump()?;
        let code = match c {
            'n' => 10,
            't' => 9,
            'r' => 13,
            'a' => 7,
            'b' => 8,
            'e' | 'E' => 27,
            'f' => 12,
            'v' => 11,
            'x' => self.digits(16, 2, 0),
            'u' => self.digits(16, 4, 0),
            'U' => self.digits(16, 8, 0),
            '0'..='7' => self.digits(8, 2, c.to_digit(8)?),
            'c' => u32::from(self.bump()?) & 0x1f,
            _ => return Some(c),
        };
        char::from_u32(code)
    }

    fn digits(&mut self, radix: u32, most: usize, first: u32) -> u32 {
        let mut code = first;
        for _ in 0..most {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(radix)) else { break };
            self.bump();
            code = code.wrapping_mul(radix).wrapping_add(digit);
        }
        code
    }
}

/// An empty quote makes a word, too.
fn begin_quoted(word: &mut Word) {
    if !matches!(word.parts.last(), Some(Part::Text { quoted: true, .. })) {
        word.parts.push(Part::Text { text: String::new(), quoted: true });
    }
}
