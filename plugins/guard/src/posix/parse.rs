//! The grammar of a shell, read leniently: what stands where it may not is noted and read on, so that
//! a command hidden behind it is still found.

use super::lexer::{Reader, ends_word};
use super::syntax::{Assignment, Kind, Parsed, Part, Pipeline, Script, Simple, Stage, Word};
use jackfield_plugin::text::Search;

mod compound;

/// Reads a whole command.
pub(super) fn parse(text: &str) -> Parsed {
    let mut reader = Reader::new(text);
    let script = reader.until_end();
    reader.finish(script)
}

/// Where a list of commands ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    End,
    Bracket,
    /// One of these words, where a command may begin.
    Word(&'static [&'static str]),
    /// `;;` or `esac`.
    Clause,
}

/// What stands between two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    None,
    Ends,
    /// `&&` or `||`: another command must follow.
    Joins,
}

/// Words that mean something where a command may begin.
const RESERVED: [&str; 12] = ["then", "elif", "else", "fi", "do", "done", "esac", "}", "in", "end", "{", "!"];

/// Words that begin something other than a program with its arguments.
const BLOCKS: [&str; 8] = ["{", "if", "while", "until", "for", "select", "case", "[["];

impl Reader<'_> {
    /// Commands up to the end of the text.
    pub(super) fn until_end(&mut self) -> Script {
        let mut script = Script::default();
        self.list(&mut script, Until::End);
        script
    }

    /// Commands up to the bracket that closes them.
    pub(super) fn until_bracket(&mut self) -> Script {
        let mut script = Script::default();
        if self.list(&mut script, Until::Bracket).is_none() {
            self.faults.unclosed("the bracket `(`");
        }
        script
    }

    /// Adds commands; tells what ended them.
    fn list(&mut self, script: &mut Script, until: Until) -> Option<&'static str> {
        let before = script.pipelines.len();
        // Stands directly behind a command.
        let mut is_behind = false;
        loop {
            let gap = self.skip_separators(until, is_behind);
            let is_empty = script.pipelines.len() == before && until != Until::Clause;
            if gap == Gap::Joins && self.peek().is_none_or(|c| matches!(c, ')' | ';')) {
                self.faults.refused("a sign between commands");
            }
            match self.peek()? {
                ')' => {
                    self.bump();
                    if until == Until::Bracket {
                        if is_empty {
                            self.faults.refused("a block without a command");
                        }
                        return Some(")");
                    }
                    self.faults.unexpected("`)`");
                }
                ';' => {
                    // Only in a clause, the loop above took the others.
                    let sign = self.rest();
                    while self.take(";") || self.take("&") {}
                    if sign.len() - self.rest().len() != 2 || !sign.starts_with(";;") {
                        self.faults.refused("the end of a clause");
                    }
                    return Some(";;");
                }
                _ => {
                    if let Some(word) = self.keyword() {
                        if ends(until, word) {
                            if is_empty || gap == Gap::Joins {
                                self.faults.refused("a block without a command");
                            }
                            self.take(word);
                            return Some(word);
                        }
                        if !matches!(word, "{" | "!") {
                            self.faults.unexpected("a word of the shell");
                            self.take(word);
                            continue;
                        }
                    }
                    if gap == Gap::None {
                        self.faults.refused("a command directly behind another one");
                    }
                    let pipeline = self.pipeline();
                    is_behind = !pipeline.background;
                    script.pipelines.push(pipeline);
                }
            }
        }
    }

    /// Newlines, blanks, comments, and the signs between commands. A sign stands only directly behind a command.
    fn skip_separators(&mut self, until: Until, mut is_behind: bool) -> Gap {
        let mut gap = if is_behind { Gap::None } else { Gap::Ends };
        loop {
            self.skip_blanks();
            let sign = self.peek();
            match sign {
                Some('\n') => {
                    self.newline();
                    if gap == Gap::None {
                        gap = Gap::Ends;
                    }
                }
                Some('#') => {
                    self.skip_line();
                    continue;
                }
                Some(';') if until == Until::Clause && self.second().is_some_and(|c| matches!(c, ';' | '&')) => return gap,
                Some(';' | '|' | '&') if !self.rest().starts_with("&>") => {
                    if !is_behind {
                        self.faults.refused("a sign between commands");
                    }
                    self.bump();
                    let is_pair = sign != Some(';') && self.peek() == sign && !self.rest().starts_with("&>");
                    gap = if is_pair { Gap::Joins } else { Gap::Ends };
                    if is_pair {
                        self.bump();
                    }
                }
                _ => return gap,
            }
            is_behind = false;
        }
    }

    /// The reserved word that comes next.
    fn keyword(&self) -> Option<&'static str> {
        RESERVED.into_iter().find(|word| self.comes(word))
    }

    /// Does this word come next, and end there?
    fn comes(&self, word: &str) -> bool {
        self.rest().strip_prefix(word).is_some_and(|behind| behind.chars().next().is_none_or(ends_word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.comes(word) && self.take(word)
    }

    fn pipeline(&mut self) -> Pipeline {
        let mut pipeline = Pipeline::default();
        loop {
            self.skip_prefixes(pipeline.stages.is_empty());
            if let Some(stage) = self.nested(|reader| Some(reader.stage())) {
                let is_empty = |simple: &Simple| simple.words.is_empty() && simple.assignments.is_empty();
                if stage.redirections.is_empty() && matches!(&stage.kind, Kind::Simple(simple) if is_empty(simple)) {
                    self.faults.refused("a sign without a command");
                }
                pipeline.stages.push(stage);
            }
            self.skip_blanks();
            if self.rest().starts_with("||") || !self.rest().starts_with('|') {
                break;
            }
            self.bump();
            if self.take("&") {
                self.faults.refused("`|&`");
            }
            self.skip_newlines();
        }
        if self.rest().starts_with('&') && !self.rest().starts_with("&&") && !self.rest().starts_with("&>") {
            self.bump();
            pipeline.background = true;
        }
        pipeline
    }

    /// `!` and `time` in front of a pipeline.
    fn skip_prefixes(&mut self, mut may_turn: bool) {
        let mut is_timed = false;
        loop {
            self.skip_blanks();
            if self.take_word("time") {
                self.skip_blanks();
                self.take_word("-p");
                is_timed = true;
            } else if self.take_word("!") {
                if !may_turn || self.peek() == Some('(') {
                    self.faults.refused("`!`");
                }
                may_turn = false;
            } else {
                break;
            }
        }
        // To some shells it is a program like any other.
        if is_timed && (self.peek() == Some('(') || BLOCKS.iter().any(|word| self.comes(word))) {
            self.faults.refused("`time` before a block");
        }
    }

    /// To the end of the line, if a remark begins here.
    fn skip_remark(&mut self) {
        if self.peek() == Some('#') {
            self.skip_line();
        }
    }

    fn skip_newlines(&mut self) {
        loop {
            self.skip_blanks();
            match self.peek() {
                Some('\n') => self.newline(),
                Some('#') => self.skip_line(),
                _ => return,
            }
        }
    }

    fn stage(&mut self) -> Stage {
        let Some(kind) = self.compound() else { return self.simple() };
        let mut redirections = Vec::new();
        loop {
            self.skip_blanks();
            let Some(redirection) = self.redirection() else { break };
            redirections.push(redirection);
        }
        Stage { kind, redirections }
    }

    /// A program with its arguments, or a function's beginning.
    fn simple(&mut self) -> Stage {
        let mut simple = Simple::default();
        let mut redirections = Vec::new();
        // Some shells read `&>` as `&` and `>`: what stands behind is another command to them.
        let mut may_end = false;
        loop {
            self.skip_blanks();
            may_end |= self.rest().starts_with("&>");
            if let Some(redirection) = self.redirection() {
                redirections.push(redirection);
                continue;
            }
            match self.peek() {
                Some('#') => self.skip_line(),
                Some('(') => {
                    if let Some(name) = self.function_head(&simple) {
                        return self.function(name);
                    }
                    self.faults.unexpected("`(`");
                    break;
                }
                Some(c) if !ends_word(c) || self.at_process() => {
                    if may_end {
                        self.faults.disputed("a word behind `&>`");
                    }
                    self.piece(&mut simple);
                }
                _ => break,
            }
        }
        Stage { kind: Kind::Simple(simple), redirections }
    }

    /// An assignment or a word.
    fn piece(&mut self, simple: &mut Simple) {
        if simple.words.is_empty()
            && let Some(assignment) = self.assignment()
        {
            simple.assignments.push(assignment);
            return;
        }
        let word = self.word();
        // `{name}>file` gives a variable a number.
        if self.peek().is_some_and(|c| matches!(c, '<' | '>')) && word.shown().starts_with('{') {
            self.faults.disputed("`{…}` before a redirection");
        }
        simple.words.push(word);
    }

    fn assignment(&mut self) -> Option<Assignment> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let name = rest.get(..end).filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))?;
        let behind = rest.get(end..)?;
        let (element, sign) = match behind.strip_prefix('[') {
            Some(index) => (true, index.get(index.find(|c: char| matches!(c, ']') || ends_word(c))?..)?.strip_prefix(']')?),
            None => (false, behind),
        };
        let sign = ["=", "+="].into_iter().find(|text| sign.starts_with(text)).map(|text| sign.get(text.len()..))??;
        let index = rest.get(end..rest.len() - sign.len()).unwrap_or_default();
        // An index is arithmetic, and arithmetic runs commands.
        if element && index.has_any("$`") {
            self.faults.disputed("a command in an index");
        }
        self.take(name);
        self.take(index);
        let array = element || self.peek() == Some('(');
        let values = if self.take("(") { self.values() } else { vec![self.word()] };
        Some(Assignment { name: name.to_owned(), values, array })
    }

    /// Behind `name=(`.
    fn values(&mut self) -> Vec<Word> {
        let mut values = Vec::new();
        loop {
            self.skip_newlines();
            match self.peek() {
                None => {
                    self.faults.unclosed("the bracket `(`");
                    return values;
                }
                Some(')') => {
                    self.bump();
                    return values;
                }
                Some(_) => {
                    let word = self.word();
                    if word.parts.is_empty() {
                        self.faults.unexpected("a sign in a list");
                        self.bump();
                    } else {
                        values.push(word);
                    }
                }
            }
        }
    }

    /// At `(` behind one plain word: `name ()`.
    fn function_head(&mut self, simple: &Simple) -> Option<String> {
        let ([name], []) = (simple.words.as_slice(), simple.assignments.as_slice()) else { return None };
        let name = match name.parts.as_slice() {
            [Part::Text { text, quoted: false }] => text.clone(),
            _ => return None,
        };
        let behind = self.rest().strip_prefix('(')?.trim_start_matches([' ', '\t']).strip_prefix(')')?;
        let head = self.rest().get(..self.rest().len() - behind.len())?;
        self.take(head).then_some(name)
    }
}

fn ends(until: Until, word: &str) -> bool {
    match until {
        Until::Word(words) => words.contains(&word),
        Until::Clause => word == "esac",
        Until::End | Until::Bracket => false,
    }
}
