//! The simple commands of a shell line, each as its words without quotes.
//!
//! Knows quotes, escapes, comments, operators, redirections, heredocs, groups and substitutions, so that a word in
//! command position is told from text. Expands nothing.

use crate::text::{is_one_of, split_where};

/// How deep substitutions are followed. What lies deeper is taken as text.
const DEPTH_MAX: usize = 16;

/// Words of the grammar that may stand before a command.
const BEFORE: &[&str] = &["if", "then", "elif", "else", "while", "until", "do", "!", "{", "coproc", "and", "or", "not", "begin"];

/// Programs that run the command in their arguments: the options that take a value of their own, and how many words come
/// before the command.
const WRAPPERS: &[(&str, &str, usize)] = &[
    ("env", "uCS", 0),
    ("nice", "n", 0),
    ("nohup", "", 0),
    ("exec", "a", 0),
    ("command", "", 0),
    ("builtin", "", 0),
    ("noglob", "", 0),
    ("time", "fo", 0),
    ("timeout", "ks", 1),
    ("stdbuf", "ioe", 0),
    ("setsid", "", 0),
    ("ionice", "cnp", 0),
    ("chrt", "T", 1),
    ("taskset", "", 1),
    ("xargs", "aEILnPsd", 0),
    ("parallel", "jN", 0),
    ("strace", "eop", 0),
    ("unbuffer", "", 0),
    ("systemd-cat", "tp", 0),
    ("caffeinate", "", 0),
];

/// The letters of sudo's options that take a value.
pub const SUDO_VALUED: &str = "CDghpRrtTUu";
/// The same of ssh.
pub const SSH_VALUED: &str = "BbcDEeFIiJLlmOopQRSWw";

/// One simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simple {
    /// Its words, never empty.
    pub words: Vec<String>,
    /// It reads from a pipe, a file or a heredoc, not from the terminal.
    pub fed: bool,
}

impl Simple {
    /// Name and arguments of the program: behind words of the grammar, assignments and programs that run others. Empty where
    /// none is named.
    #[must_use]
    pub fn program(&self) -> &[String] {
        program(&self.words)
    }
}

/// Every simple command of the line, those inside groups and substitutions included.
#[must_use]
pub fn commands(line: &str) -> Vec<Simple> {
    let mut reader = Reader { rest: line, commands: Vec::new(), heredocs: Vec::new(), depth: 0 };
    reader.list(None);
    reader.commands
}

/// The words from the program's name on, see [`Simple::program`].
#[must_use]
pub fn program(words: &[String]) -> &[String] {
    let mut words = words;
    while let Some((first, rest)) = words.split_first() {
        if BEFORE.contains(&first.as_str()) || is_assignment(first) {
            words = rest;
            continue;
        }
        let Some((_, valued, skipped)) = WRAPPERS.iter().find(|(wrapper, _, _)| *wrapper == file_name(first)) else { return words };
        words = operands(rest, valued).get(*skipped..).unwrap_or_default();
    }
    words
}

/// The words behind the options; `valued` are the letters that take a value of their own. `--` ends the options.
#[must_use]
pub fn operands<'a>(words: &'a [String], valued: &str) -> &'a [String] {
    let mut at = 0;
    while let Some(option) = words.get(at).and_then(|word| word.strip_prefix('-')) {
        if option == "-" {
            at += 1;
            break;
        }
        let takes_value = !option.starts_with('-') && option.chars().next_back().is_some_and(|last| is_one_of(last, valued));
        at += if takes_value { 2 } else { 1 };
    }
    words.get(at..).unwrap_or_default()
}

/// Is the letter in one of the groups of short options?
#[must_use]
pub fn has_letter(words: &[String], letter: char) -> bool {
    words.iter().any(|word| word.strip_prefix('-').is_some_and(|group| !group.starts_with('-') && is_one_of(letter, group)))
}

/// A program's name without its directory.
#[must_use]
pub fn file_name(word: &str) -> &str {
    let slash = word.bytes().rposition(|byte| byte == b'/');
    slash.and_then(|slash| word.get(slash + 1..)).unwrap_or(word)
}

/// `NAME=value`, `NAME[1]+=value`.
#[must_use]
pub fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'[' | b']'))
        && !name.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
}

/// All signs of the grammar are ASCII, so it reads bytes; what stands between signs is taken in one piece.
struct Reader<'a> {
    rest: &'a str,
    commands: Vec<Simple>,
    /// Delimiters of heredocs whose bodies begin at the next newline.
    heredocs: Vec<String>,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Reads commands up to `end`, or to the end of the text.
    fn list(&mut self, end: Option<u8>) {
        let mut open = Simple::default();
        while let Some(sign) = self.peek() {
            if end == Some(sign) {
                self.skip(1);
                break;
            }
            let next = self.rest.as_bytes().get(1).copied();
            match sign {
                b'\n' => {
                    self.close(&mut open);
                    self.skip(1);
                    self.bodies();
                }
                b';' | b'&' | b'|' | b')' => {
                    if (sign, next) != (b'&', Some(b'>')) {
                        self.close(&mut open);
                        open.fed = sign == b'|' && next != Some(b'|');
                    }
                    self.skip(if sign == b'|' && matches!(next, Some(b'|' | b'&')) { 2 } else { 1 });
                }
                b'(' => {
                    self.close(&mut open);
                    self.skip(1);
                    self.nested(b')');
                }
                b'<' | b'>' => {
                    open.fed |= sign == b'<' && next != Some(b'(');
                    self.redirection();
                }
                b'#' => {
                    self.before(|byte| byte == b'\n');
                }
                sign if sign.is_ascii_whitespace() => self.skip(1),
                _ => self.word_of(&mut open.words),
            }
        }
        self.close(&mut open);
    }

    fn close(&mut self, open: &mut Simple) {
        let command = core::mem::take(open);
        if !command.words.is_empty() {
            self.commands.push(command);
        }
    }

    /// A word that belongs to the command, unless it is the number of a redirection.
    fn word_of(&mut self, words: &mut Vec<String>) {
        let before = self.rest;
        let word = self.word();
        if before.len() == self.rest.len() {
            // A character that begins nothing, such as a stray end of a group.
            self.skip(1);
            return;
        }
        let number = word.bytes().all(|byte| byte.is_ascii_digit()) && matches!(self.peek(), Some(b'<' | b'>'));
        if !number {
            words.push(word);
        }
    }

    /// `>file`, `2>&1`, `<<END`, `<<<text`, `<(list)`.
    fn redirection(&mut self) {
        let here = self.rest.starts_with("<<") && !self.rest.starts_with("<<<");
        self.before(|byte| !matches!(byte, b'<' | b'>' | b'|' | b'&'));
        if self.peek() == Some(b'(') {
            self.skip(1);
            self.nested(b')');
            return;
        }
        if here && self.peek() == Some(b'-') {
            self.skip(1);
        }
        self.before(|byte| !matches!(byte, b' ' | b'\t'));
        let target = self.word();
        if here {
            self.heredocs.push(target);
        }
    }

    /// Skips the bodies of the heredocs that were announced.
    fn bodies(&mut self) {
        for delimiter in core::mem::take(&mut self.heredocs) {
            while !self.rest.is_empty() {
                self.before(|byte| byte != b'\t');
                let row = self.until(b'\n');
                if row == delimiter {
                    break;
                }
            }
        }
    }

    /// One word, quotes removed. Empty without moving where no word begins.
    fn word(&mut self) -> String {
        let mut word = String::new();
        loop {
            word.push_str(self.before(|byte| {
                matches!(byte, b'\'' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>') || ends_quoted(byte) || byte.is_ascii_whitespace()
            }));
            match self.peek() {
                Some(b'\'') => {
                    self.skip(1);
                    word.push_str(self.until(b'\''));
                }
                Some(b'"') => {
                    self.skip(1);
                    self.quoted(&mut word);
                }
                Some(sign @ (b'\\' | b'$' | b'`')) => self.special(sign, &mut word),
                _ => return word,
            }
        }
    }

    /// The inside of double quotes.
    fn quoted(&mut self, word: &mut String) {
        loop {
            word.push_str(self.before(ends_quoted));
            match self.peek() {
                Some(b'"') => {
                    self.skip(1);
                    return;
                }
                Some(sign) => self.special(sign, word),
                None => return,
            }
        }
    }

    /// What means the same in double quotes and outside: `\`, `$` or a backquote.
    fn special(&mut self, sign: u8, word: &mut String) {
        self.skip(1);
        match sign {
            b'\\' => self.escaped(word),
            b'$' => self.dollar(word),
            _ => self.nested(b'`'),
        }
    }

    fn escaped(&mut self, word: &mut String) {
        let length = self.rest.chars().next().map_or(0, char::len_utf8);
        let escaped = self.rest.get(..length).unwrap_or_default();
        if escaped != "\n" {
            word.push_str(escaped);
        }
        self.skip(length);
    }

    /// `$(list)`, `$((sum))`, `${name}`, `$'text'`, `$name`.
    fn dollar(&mut self, word: &mut String) {
        match self.peek() {
            Some(b'(') => {
                self.skip(1);
                self.nested(b')');
            }
            Some(b'{') => {
                self.skip(1);
                word.push_str("${");
                self.braced(word);
            }
            _ => word.push('$'),
        }
    }

    /// The inside of `${}`: what is substituted in it counts.
    fn braced(&mut self, word: &mut String) {
        if self.depth >= DEPTH_MAX {
            self.until(b'}');
            return;
        }
        self.depth += 1;
        loop {
            self.before(|byte| matches!(byte, b'$' | b'}'));
            let sign = self.peek();
            self.skip(1);
            if sign != Some(b'$') {
                break;
            }
            self.dollar(word);
        }
        self.depth -= 1;
    }

    /// The commands of a group or substitution.
    fn nested(&mut self, end: u8) {
        if self.depth >= DEPTH_MAX {
            self.until(end);
            return;
        }
        self.depth += 1;
        let outer = core::mem::take(&mut self.heredocs);
        self.list(Some(end));
        self.heredocs = outer;
        self.depth -= 1;
    }

    /// The text up to a sign, which is skipped too.
    fn until(&mut self, end: u8) -> &'a str {
        let at = self.rest.bytes().position(|byte| byte == end).unwrap_or(self.rest.len());
        let inside = self.rest.get(..at).unwrap_or_default();
        self.skip(at + 1);
        inside
    }

    /// The text up to a sign that is not skipped.
    fn before(&mut self, is_end: fn(u8) -> bool) -> &'a str {
        let (inside, rest) = split_where(self.rest, is_end);
        self.rest = rest;
        inside
    }

    fn peek(&self) -> Option<u8> {
        self.rest.bytes().next()
    }

    /// Moves on by bytes; never past the end or into a character.
    #[inline(never)]
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// Does the byte end a piece of plain text in double quotes?
fn ends_quoted(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'$' | b'`')
}

#[cfg(test)]
mod tests {
    use super::{commands, operands};

    fn check(line: &str, expected: &[&str]) {
        let found: Vec<String> = commands(line).iter().map(|command| command.words.join(" ")).collect();
        assert_eq!(found, expected, "{line:?}");
    }

    #[test]
    fn lists_and_pipelines_are_cut() {
        check("a b; c && d || e | f & g\nh", &["a b", "c", "d", "e", "f", "g", "h"]);
        check("", &[]);
        check("  ;; \n", &[]);
        check("(a; b) | { c; }", &["a", "b", "{ c", "}"]);
        check("a |& b", &["a", "b"]);
    }

    #[test]
    fn quotes_hold_text_together() {
        check("echo 'a; b' \"c | d\" e\\ f \\; g", &["echo a; b c | d e f ; g"]);
        check("s'u'\"d\"o x", &["sudo x"]);
        check("echo \"a \\\" b\" c", &["echo a \" b c"]);
        check("echo 'open; x", &["echo open; x"]);
        check("a \\\nb", &["a b"]);
    }

    #[test]
    fn substitutions_are_commands() {
        check("echo $(a b) \"x $(c; d)\" `e f`", &["a b", "c", "d", "e f", "echo  x  "]);
        check("diff <(a x) >(b y)", &["a x", "b y", "diff"]);
        check("echo $(($x + 1)) ${y:-$(z)}", &["$x + 1", "z", "echo  ${"]);
    }

    #[test]
    fn redirections_and_heredocs_are_no_commands() {
        check("a >f 2>&1 <in b", &["a b"]);
        check("a &>f b", &["a b"]);
        check("cat <<END; b\nsudo x\nEND\nc", &["cat", "b", "c"]);
        check("cat <<-'E'\n\tx\n\tE\nc", &["cat", "c"]);
        check("cat <<<'sudo x'", &["cat"]);
        check("a 2>f", &["a"]);
    }

    #[test]
    fn comments_are_skipped() {
        check("a # b; c\nd x#y", &["a", "d x#y"]);
    }

    #[test]
    fn what_is_fed_reads_no_terminal() {
        let fed = |line: &str| commands(line).last().is_some_and(|command| command.fed);
        for line in ["curl x | sh", "a |& sh", "sh <x", "sh <<E\nid\nE", "sh <<<id", "a | b | sudo sh"] {
            assert!(fed(line), "{line}");
        }
        for line in ["sh", "a || sh", "a; sh", "a | b; sh", "a & sh", "diff <(a)", "sh >x", "a 2>&1 && sh"] {
            assert!(!fed(line), "{line}");
        }
    }

    #[test]
    fn the_program_stands_behind_what_runs_it() {
        for (line, expected) in [
            ("ls -l", "ls -l"),
            ("A=1 B='x y' exec -a z env -i -u X C=2 bash -l", "bash -l"),
            ("timeout -k 3 10 python3", "python3"),
            ("if ! nohup nice -n 5 x", "x"),
            ("A=1", ""),
            ("env", ""),
        ] {
            let found = commands(line).first().map(|command| command.program().join(" "));
            assert_eq!(found.as_deref(), Some(expected), "{line}");
        }
        let words = ["-u", "root", "-n", "--", "-x", "y"].map(str::to_owned);
        assert_eq!(operands(&words, "u"), ["-x", "y"]);
    }

    /// The stack of a guest, in bytes.
    const STACK_BYTES: usize = 512 * 1024;

    #[test]
    fn endless_depth_ends() {
        std::thread::Builder::new().stack_size(STACK_BYTES).spawn(read_deep_lines).unwrap().join().unwrap();
    }

    fn read_deep_lines() {
        const DEEP: usize = 50_000;
        for piece in ["$(", "(", "${", "${x:-", "\"${", "\"$(", "${$(", "$(${", "`${", "${`", "<(${", "$((", "\"`", "{ $(\"${x:-`"] {
            for (before, behind) in [("", ""), ("echo do ", " x"), ("echo do ${x:-'", "'}"), ("echo \"${x:-", "}\"")] {
                let line = format!("{before}{}{behind}", piece.repeat(DEEP));
                assert!(commands(&line).len() < 100, "{before}{piece}");
            }
        }
        assert!(commands(&"(".repeat(10_000)).is_empty());
        assert!(commands("a ) } ' \" $ ` \\").len() < 10);
    }

    #[test]
    fn behind_what_is_too_deep_commands_are_read_again() {
        check(&format!("{}x{}; b", "${a:-".repeat(16), "}".repeat(16)), &[&"${".repeat(16), "b"]);
        check(&format!("{}x{}; b", "${a:-".repeat(20), "}".repeat(20)), &[&format!("{}}}}}}}", "${".repeat(17)), "b"]);
    }
}
