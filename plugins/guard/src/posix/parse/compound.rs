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
            // An answer that is none of them empties the variable.
            return Some(self.each(vec![Word::default()]));
        }
        if self.take_word("case") {
            return Some(self.case());
        }
        if self.take_word("function") {
            return Some(self.named_function());
        }
        self.take_word("[[").then(|| Kind::Test(self.test()))
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
        loop {
            match self.list(&mut script, Until::Word(&["elif", "else", "then", "fi"])) {
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
        let mut name = String::new();
        if let Some(text) = self.arithmetic_text() {
            words.push(Word { parts: vec![self.arithmetic(&text)] });
        } else {
            name = self.word().shown();
        }
        self.skip_newlines();
        if self.take_word("in") {
            self.words(&mut words);
        }
        self.skip_newlines();
        self.take(";");
        self.skip_newlines();
        let body = if self.take_word("{") {
            self.until_word(&["}"])
        } else {
            if !self.take_word("do") {
                self.faults.unexpected("a loop without `do`");
            }
            self.until_word(&["done", "end"])
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
        loop {
            self.skip_blanks();
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
