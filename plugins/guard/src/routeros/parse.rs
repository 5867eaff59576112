//! Statements of RouterOS: words with what stands in their brackets.

use core::str::Chars;

/// How deep brackets may nest.
const DEPTH_MAX: usize = 24;

/// A text as parsed. What could be read is there, whatever is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) statements: Vec<Statement>,
    pub(super) unclosed: Option<&'static str>,
    pub(super) unexpected: Option<&'static str>,
    pub(super) too_deep: bool,
}

/// One command.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) words: Vec<Word>,
}

/// A word, or an argument `name=value`.
#[derive(Debug, Default)]
pub(super) struct Word {
    /// Without what stands in brackets.
    pub(super) text: String,
    /// A part of it is in quotes.
    pub(super) quoted: bool,
    /// What stands in its brackets.
    pub(super) inner: Vec<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    /// `( )`: an expression, whose own words are no commands.
    pub(super) expression: bool,
    pub(super) statements: Vec<Statement>,
}

pub(super) fn parse(text: &str) -> Parsed {
    let mut reader = Reader { rest: text.chars(), depth: 0, parsed: Parsed::default() };
    let statements = reader.statements(None);
    Parsed { statements, ..reader.parsed }
}

struct Reader<'a> {
    rest: Chars<'a>,
    depth: usize,
    parsed: Parsed,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// Statements up to this bracket.
    fn statements(&mut self, end: Option<char>) -> Vec<Statement> {
        if self.depth >= DEPTH_MAX {
            self.parsed.too_deep = true;
            self.rest = "".chars();
            return Vec::new();
        }
        self.depth += 1;
        let mut statements = Vec::new();
        let mut statement = Statement::default();
        // Is a word open?
        let mut open = false;
        let mut closed = false;
        while let Some(c) = self.rest.next() {
            match c {
                _ if Some(c) == end => {
                    closed = true;
                    break;
                }
                '\n' | ';' => {
                    finish(&mut statements, &mut statement);
                    open = false;
                }
                ' ' | '\t' => open = false,
                '#' if statement.words.is_empty() => while self.peek().is_some_and(|c| c != '\n') && self.rest.next().is_some() {},
                ']' | '}' | ')' => {
                    self.parsed.unexpected.get_or_insert("a closing bracket");
                    finish(&mut statements, &mut statement);
                    open = false;
                }
                _ => {
                    if !open {
                        statement.words.push(Word::default());
                        open = true;
                    }
                    if let Some(word) = statement.words.last_mut() {
                        self.character(c, word);
                    }
                }
            }
        }
        if !closed && let Some(end) = end {
            self.parsed.unclosed.get_or_insert(if end == ')' {
                "the bracket `(`"
            } else if end == ']' {
                "the bracket `[`"
            } else {
                "the brace `{`"
            });
        }
        finish(&mut statements, &mut statement);
        self.depth -= 1;
        statements
    }

    fn character(&mut self, c: char, word: &mut Word) {
        match c {
            '[' => self.inner(word, ']', false),
            '{' => self.inner(word, '}', false),
            '(' => self.inner(word, ')', true),
            '"' => self.quoted(word),
            '\\' => match self.rest.next() {
                Some('\n') => {}
                Some(c) => word.text.push(c),
                None => {
                    self.parsed.unclosed.get_or_insert("the line with `\\` at its end");
                }
            },
            _ => word.text.push(c),
        }
    }

    fn inner(&mut self, word: &mut Word, end: char, expression: bool) {
        let statements = self.statements(Some(end));
        word.inner.push(Inner { expression, statements });
    }

    /// Behind `"`. A text holds commands in `$[ ]`.
    fn quoted(&mut self, word: &mut Word) {
        word.quoted = true;
        while let Some(c) = self.rest.next() {
            match c {
                '"' => return,
                '\\' => self.escape(word),
                '$' if self.peek() == Some('[') => {
                    self.rest.next();
                    self.inner(word, ']', false);
                }
                '$' if self.peek() == Some('(') => {
                    self.rest.next();
                    self.inner(word, ')', true);
                }
                _ => word.text.push(c),
            }
        }
        self.parsed.unclosed.get_or_insert("the quote `\"`");
    }

    /// A letter, or two hexadecimal digits.
    fn escape(&mut self, word: &mut Word) {
        let Some(c) = self.rest.next() else { return };
        let low = self.peek().and_then(|low| low.to_digit(16));
        match (c.to_digit(16).filter(|_| !c.is_ascii_lowercase()), low) {
            (Some(high), Some(low)) => {
                self.rest.next();
                word.text.extend(char::from_u32(high * 16 + low));
            }
            _ if c == 'n' || c == 'r' => word.text.push('\n'),
            _ => word.text.push(c),
        }
    }
}

fn finish(statements: &mut Vec<Statement>, statement: &mut Statement) {
    if !statement.words.is_empty() {
        statements.push(core::mem::take(statement));
    }
}

impl Word {
    /// A word of a path: nothing but its letters.
    pub(super) fn is_bare(&self) -> bool {
        !self.quoted
            && self.inner.is_empty()
            && !self.text.is_empty()
            && self.text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '.' | '_'))
            && !self.text.starts_with(|c: char| c.is_ascii_digit())
    }

    /// `name=value` in two.
    pub(super) fn named(&self) -> Option<(&str, &str)> {
        self.text.split_once('=')
    }
}

impl Statement {
    /// The words at the beginning, one by one, in small letters: `/ip/address print` gives three. `..` only says where they count from.
    pub(super) fn path(&self) -> Vec<String> {
        let bare = self.words.iter().take_while(|word| word.is_bare());
        bare.flat_map(|word| word.text.split('/')).filter(|word| !matches!(*word, "" | "..")).map(str::to_ascii_lowercase).collect()
    }

    /// Does it begin at the root?
    pub(super) fn is_absolute(&self) -> bool {
        self.words.first().is_some_and(|word| word.text.starts_with('/'))
    }

    /// How it was typed, nearly.
    pub(super) fn shown(&self) -> String {
        self.words.iter().take(8).map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        for (text, expected) in [
            ("/ip/address print", "ip address print"),
            ("/IP address/print where x=1", "ip address print where"),
            ("ip address", "ip address"),
            (".. address print", "address print"),
            ("../system/reboot", "system reboot"),
            (":put [/ip address print]", ""),
            ("/ping 10.0.0.1 count=5", "ping"),
        ] {
            assert_eq!(parse(text).statements.first().map(|statement| statement.path().join(" ")).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn commands_inside_are_found() {
        let parsed = parse(":put \"a $[/system reboot] b\"; :if (x) do={/user print}\n# comment ; reboot\n/ip \\\n address print");
        assert_eq!(parsed.statements.len(), 3);
        let inner: Vec<String> = parsed
            .statements
            .iter()
            .flat_map(|statement| &statement.words)
            .flat_map(|word| &word.inner)
            .filter(|inner| !inner.expression)
            .flat_map(|inner| &inner.statements)
            .map(|statement| statement.path().join(" "))
            .collect();
        assert_eq!(inner, ["system reboot", "user print"]);
    }

    #[test]
    fn what_is_open_is_told() {
        for text in [":put \"a", "[/ip", "{ :put 1", "(1", "x \\"] {
            assert!(parse(text).unclosed.is_some(), "{text}");
        }
        assert!(parse("a ] b").unexpected.is_some());
        for piece in ["[", "{", "(", "\"$[", "\"$(", "[\"$[{"] {
            assert!(parse(&piece.repeat(10_000)).too_deep, "{piece}");
        }
        assert_eq!(parse(r#"x="\72\65boot""#).statements[0].words[0].text, "x=reboot");
    }
}
