//! The simple commands of a shell line, each as its words without quotes.
//!
//! Knows quotes, escapes, comments, operators, redirections, heredocs, groups and substitutions, so that a word in
//! command position is told from text. Expands nothing.

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
        let takes_value = !option.starts_with('-') && option.chars().next_back().is_some_and(|last| valued.contains(last));
        at += if takes_value { 2 } else { 1 };
    }
    words.get(at..).unwrap_or_default()
}

/// Is the letter in one of the groups of short options?
#[must_use]
pub fn has_letter(words: &[String], letter: char) -> bool {
    words.iter().any(|word| word.strip_prefix('-').is_some_and(|group| !group.starts_with('-') && group.contains(letter)))
}

/// A program's name without its directory.
#[must_use]
pub fn file_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// `NAME=value`, `NAME[1]+=value`.
#[must_use]
pub fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_[]".contains(c))
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

struct Reader<'a> {
    rest: &'a str,
    commands: Vec<Simple>,
    /// Delimiters of heredocs whose bodies begin at the next newline.
    heredocs: Vec<String>,
    depth: usize,
}

impl Reader<'_> {
    /// Reads commands up to `end`, or to the end of the text.
    fn list(&mut self, end: Option<char>) {
        let mut open = Simple::default();
        while let Some(c) = self.peek() {
            if end == Some(c) {
                self.skip(1);
                break;
            }
            match c {
                '\n' => {
                    self.close(&mut open);
                    self.skip(1);
                    self.bodies();
                }
                ';' | '&' | '|' | ')' => {
                    if !self.rest.starts_with("&>") {
                        self.close(&mut open);
                        open.fed = c == '|' && !self.rest.starts_with("||");
                    }
                    self.skip(if self.rest.starts_with("||") || self.rest.starts_with("|&") { 2 } else { 1 });
                }
                '(' => {
                    self.close(&mut open);
                    self.skip(1);
                    self.nested(')');
                }
                '<' | '>' => {
                    open.fed |= c == '<' && !self.rest.starts_with("<(");
                    self.redirection();
                }
                '#' => self.skip(self.rest.find('\n').unwrap_or(self.rest.len())),
                c if c.is_ascii_whitespace() => self.skip(c.len_utf8()),
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
        let number = word.chars().all(|c| c.is_ascii_digit()) && self.rest.starts_with(['<', '>']);
        if !number {
            words.push(word);
        }
    }

    /// `>file`, `2>&1`, `<<END`, `<<<text`, `<(list)`.
    fn redirection(&mut self) {
        let here = self.rest.starts_with("<<") && !self.rest.starts_with("<<<");
        self.skip(self.rest.len() - self.rest.trim_start_matches(['<', '>', '|', '&']).len());
        if self.peek() == Some('(') {
            self.skip(1);
            self.nested(')');
            return;
        }
        if here && self.peek() == Some('-') {
            self.skip(1);
        }
        self.skip(self.rest.len() - self.rest.trim_start_matches([' ', '\t']).len());
        let target = self.word();
        if here {
            self.heredocs.push(target);
        }
    }

    /// Skips the bodies of the heredocs that were announced.
    fn bodies(&mut self) {
        for delimiter in core::mem::take(&mut self.heredocs) {
            while !self.rest.is_empty() {
                let (row, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
                self.rest = rest;
                if row.trim_start_matches('\t') == delimiter {
                    break;
                }
            }
        }
    }

    /// One word, quotes removed. Empty without moving where no word begins.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek() {
            match c {
                '\'' => {
                    self.skip(1);
                    word.push_str(self.until('\''));
                }
                '"' => {
                    self.skip(1);
                    self.quoted(&mut word);
                }
                '\\' => self.escaped(&mut word),
                '$' => self.dollar(&mut word),
                '`' => {
                    self.skip(1);
                    self.nested('`');
                }
                ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                c if c.is_ascii_whitespace() => break,
                c => {
                    word.push(c);
                    self.skip(c.len_utf8());
                }
            }
        }
        word
    }

    /// The inside of double quotes.
    fn quoted(&mut self, word: &mut String) {
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.skip(1);
                    return;
                }
                '\\' => self.escaped(word),
                '$' => self.dollar(word),
                '`' => {
                    self.skip(1);
                    self.nested('`');
                }
                c => {
                    word.push(c);
                    self.skip(c.len_utf8());
                }
            }
        }
    }

    fn escaped(&mut self, word: &mut String) {
        self.skip(1);
        if let Some(c) = self.peek() {
            if c != '\n' {
                word.push(c);
            }
            self.skip(c.len_utf8());
        }
    }

    /// `$(list)`, `$((sum))`, `${name}`, `$'text'`, `$name`.
    fn dollar(&mut self, word: &mut String) {
        self.skip(1);
        match self.peek() {
            Some('(') => {
                self.skip(1);
                self.nested(')');
            }
            Some('{') => {
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
            self.until('}');
            return;
        }
        self.depth += 1;
        while let Some(c) = self.peek().filter(|c| *c != '}') {
            if c == '$' { self.dollar(word) } else { self.skip(c.len_utf8()) }
        }
        self.skip(1);
        self.depth -= 1;
    }

    /// The commands of a group or substitution.
    fn nested(&mut self, end: char) {
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

    /// The text up to a character, which is skipped too.
    fn until(&mut self, end: char) -> &str {
        let (inside, rest) = self.rest.split_once(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        inside
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Moves on by bytes; never past the end or into a character.
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
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
