//! Groups, conditions, loops, functions. What belongs to one is kept in one list: all of it may run.

use super::super::lexer::{Reader, ends_word};
use super::super::syntax::{Kind, Part, Script, Stage, Word};
use super::Until;

impl Reader<'_> {
    /// Something other than a program with its arguments, if it begins here.
    pub(super) fn compound(&mut self) -> Option<Kind> {
        if self.rest().starts_with("((")
            && let Some(text) = self.number_text()
        {
            return Some(Kind::Arithmetic(Word { parts: vec![self.arithmetic(&text)] }));
        }
        if self.take("(") {
            return Some(Kind::Group(self.until_bracket()));
        }
        if self.take_word("{") {
            return Some(Kind::Group(self.until_word(&["}"])));
        }
        if self.take_word("if") {
            return Some(Kind::Group(self.condition()));
        }
        if self.take_word("while") || self.take_word("until") {
            let mut script = self.until_word(&["do"]);
            script.pipelines.extend(self.until_word(&["done"]).pipelines);
            return Some(Kind::Group(script));
        }
        if self.take_word("for") {
            return Some(self.each(Vec::new()));
        }
        if self.take_word("select") {
            self.faults.refused("`select`");
            // An answer that is none of them empties the variable.
            return Some(self.each(vec![Word::default()]));
        }
        if self.take_word("case") {
            return Some(self.case());
        }
        if self.take_word("function") {
            return Some(self.named_function());
        }
        self.take_word("[[").then(|| {
            let words = self.test();
            if !is_comparison(&words) {
                self.faults.refused("`[[ ]]`");
            }
            Kind::Test(words)
        })
    }

    /// Commands up to the brace that closes them.
    pub(in super::super) fn until_closing_brace(&mut self) -> Script {
        self.until_word(&["}"])
    }

    /// Behind `function`.
    fn named_function(&mut self) -> Kind {
        self.skip_blanks();
        let name = self.word().shown();
        self.skip_blanks();
        if self.take("(") {
            self.skip_blanks();
            self.take(")");
        }
        self.function(name).kind
    }

    /// Behind a function's name.
    pub(super) fn function(&mut self, name: String) -> Stage {
        self.skip_newlines();
        let body = self.nested(|reader| Some(reader.stage()));
        let empty = || Stage { kind: Kind::Group(Script::default()), redirections: Vec::new() };
        let body = Box::new(body.unwrap_or_else(empty));
        Stage { kind: Kind::Function { name, body }, redirections: Vec::new() }
    }

    /// Commands up to one of these words. Shells that are not POSIX close a block with other words, so a
    /// missing one does not make the command an unfinished one.
    fn until_word(&mut self, words: &'static [&'static str]) -> Script {
        let mut script = Script::default();
        if self.list(&mut script, Until::Word(words)).is_none() {
            self.faults.unexpected("a block without its end");
        }
        script
    }

    fn condition(&mut self) -> Script {
        let mut script = self.until_word(&["then"]);
        let mut before = "then";
        loop {
            let word = self.list(&mut script, Until::Word(&["elif", "else", "then", "fi"]));
            if !matches!((before, word), ("then", Some("elif" | "else" | "fi") | None) | ("elif", Some("then")) | ("else", Some("fi"))) {
                self.faults.refused("a word of `if` in another place");
            }
            before = word.unwrap_or_default();
            match word {
                Some("fi") => return script,
                Some(_) => {}
                None => {
                    self.faults.unexpected("a block without its end");
                    return script;
                }
            }
        }
    }

    /// Behind `for` or `select`: what else the variable may hold besides the words that follow.
    fn each(&mut self, mut words: Vec<Word>) -> Kind {
        self.skip_blanks();
        let (mut name, mut is_plain) = (String::new(), false);
        if let Some(text) = self.arithmetic_text() {
            words.push(Word { parts: vec![self.arithmetic(&text)] });
        } else {
            let word = self.word();
            name = word.shown();
            is_plain = matches!(word.parts.as_slice(), [Part::Text { quoted: false, .. }]);
        }
        if !is_plain || name.starts_with(|c: char| c.is_ascii_digit()) {
            self.faults.refused("a loop without a name");
        }
        self.skip_newlines();
        if self.take_word("in") {
            self.words(&mut words);
        }
        self.skip_blanks();
        let before = self.rest();
        self.skip_newlines();
        if self.rest().len() < before.len() && self.peek() == Some(';') {
            self.faults.refused("a sign between commands");
        }
        self.take(";");
        self.skip_newlines();
        let body = if self.take_word("{") {
            self.faults.refused("a loop without `do`");
            self.until_word(&["}"])
        } else {
            if !self.take_word("do") {
                self.faults.unexpected("a loop without `do`");
            }
            let mut body = Script::default();
            match self.list(&mut body, Until::Word(&["done", "end"])) {
                Some("done") => {}
                Some(_) => self.faults.refused("`end`"),
                None => self.faults.unexpected("a block without its end"),
            }
            body
        };
        Kind::For { name, words, body }
    }

    /// Adds words up to the end of the command.
    fn words(&mut self, words: &mut Vec<Word>) {
        loop {
            self.skip_blanks();
            self.skip_remark();
            if self.peek().is_none_or(ends_word) && !self.at_process() {
                return;
            }
            words.push(self.word());
        }
    }

    fn case(&mut self) -> Kind {
        self.skip_blanks();
        let mut words = vec![self.word()];
        self.skip_newlines();
        if !self.take_word("in") {
            self.faults.unexpected("`case` without `in`");
        }
        let mut body = Script::default();
        loop {
            self.skip_newlines();
            if self.peek().is_none() {
                self.faults.unexpected("a block without its end");
                break;
            }
            if self.take_word("esac") {
                break;
            }
            self.patterns(&mut words);
            if self.list(&mut body, Until::Clause) == Some("esac") {
                break;
            }
        }
        Kind::Case { words, body }
    }

    /// `a|b)`, with or without a bracket in front.
    fn patterns(&mut self, words: &mut Vec<Word>) {
        self.take("(");
        let mut is_word = false;
        loop {
            self.skip_blanks();
            let is_sign = self.peek().is_some_and(|c| matches!(c, ')' | '|'));
            if is_word != is_sign {
                self.faults.refused("a sign in a pattern");
            }
            is_word = !is_sign;
            if self.take(")") {
                return;
            }
            if self.take("|") {
                continue;
            }
            let word = self.word();
            if word.parts.is_empty() {
                self.faults.unexpected("a sign in a pattern");
                self.bump();
                return;
            }
            words.push(word);
        }
    }

    /// Behind `[[`. Where it is no word of the shell, signs inside it mean what they mean everywhere.
    fn test(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            self.skip_remark();
            if self.take_word("]]") {
                return words;
            }
            let Some(c) = self.peek() else {
                self.faults.unexpected("`[[` without its end");
                return words;
            };
            if ends_word(c) && !self.at_process() {
                self.faults.disputed("a sign in `[[ ]]`");
                self.bump();
                words.push(Word { parts: vec![Part::Text { text: c.to_string(), quoted: true }] });
            } else {
                words.push(self.word());
            }
        }
    }
}

/// Is it a question that each shell with `[[` takes?
fn is_comparison(words: &[Word]) -> bool {
    const BETWEEN: [&str; 12] = ["=", "==", "!=", "-nt", "-ot", "-ef", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"];
    let shown: Vec<String> = words.iter().map(Word::shown).collect();
    let texts: Vec<&str> = shown.iter().map(String::as_str).collect();
    let is_plain = |word: &str| !word.starts_with(['-', '!', '(']);
    let asks = |option: &str| option.strip_prefix('-').is_some_and(|letter| letter.len() == 1 && "bcdefghknprstuwxzLOGS".contains(letter));
    match texts.strip_prefix(&["!"]).unwrap_or(&texts) {
        [word] => is_plain(word),
        [option, word] => asks(option) && is_plain(word),
        [one, sign, _] => is_plain(one) && BETWEEN.contains(sign),
        _ => false,
    }
}
