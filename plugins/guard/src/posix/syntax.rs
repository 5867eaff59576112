//! The syntax tree of a shell command, as far as judging needs it.

use jackfield_plugin::text::Search;

/// How long most words are at most: room for them is made at once.
const WORD_BYTES: usize = 16;

/// A command as parsed.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) script: Script,
    /// Bodies of here-documents, which redirections point into.
    pub(super) bodies: Vec<Body>,
    pub(super) faults: Faults,
}

/// What is wrong with the text, the first of each kind. What could be read is in the tree all the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// A quote, a substitution or a here-document has no end.
    pub(super) unclosed: Option<&'static str>,
    /// A word or sign stands where none may.
    pub(super) unexpected: Option<&'static str>,
    /// Shells disagree about where this ends.
    pub(super) disputed: Option<&'static str>,
    /// Some shells take no such line.
    pub(super) refused: Option<&'static str>,
    /// Nested deeper than is read.
    pub(super) too_deep: bool,
}

/// Commands one after the other. Which of them run is not asked: all of them may.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) pipelines: Vec<Pipeline>,
}

/// Commands joined by `|`.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    pub(super) stages: Vec<Stage>,
    /// Ends with `&`.
    pub(super) background: bool,
}

/// One command with its redirections.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) kind: Kind,
    pub(super) redirections: Vec<Redirection>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Simple(Simple),
    /// `( )`, `{ }`, `if`, `while`, `until`: everything inside, in order.
    Group(Script),
    /// `for`, `select`.
    For {
        name: String,
        words: Vec<Word>,
        body: Script,
    },
    /// The subject, the patterns, and everything inside.
    Case {
        words: Vec<Word>,
        body: Script,
    },
    Function {
        name: String,
        body: Box<Stage>,
    },
    /// `[[ ]]`
    Test(Vec<Word>),
    /// `(( ))`
    Arithmetic(Word),
}

/// A program with its arguments.
#[derive(Debug, Default)]
pub(super) struct Simple {
    pub(super) assignments: Vec<Assignment>,
    pub(super) words: Vec<Word>,
}

/// `name=value`, `name+=value`, `name=(values)`.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) values: Vec<Word>,
    /// A list, or an element of one.
    pub(super) array: bool,
}

#[derive(Debug)]
pub(super) struct Redirection {
    pub(super) operator: Operator,
    pub(super) target: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `<`
    Read,
    /// `>`, `>>`, `>|`, `<>`, `&>`, and `<` that an output is made of.
    Write,
    /// `>&`, and `<&` that an output is made of: a file when the target is not a number.
    Duplicate,
    /// `<&`
    Reuse,
    /// `<<`, with the place of its body.
    Document(usize),
    /// `<<<`
    Text,
}

/// The body of a here-document.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) text: String,
    /// What the shell replaces in it; nothing where the delimiter was quoted.
    pub(super) word: Word,
}

/// What the shell makes arguments of.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug)]
pub(super) enum Part {
    /// Unquoted text may hold patterns, braces and a tilde.
    Text { text: String, quoted: bool },
    /// `$name`, `${name}`, and with an operator `${name:-operand}`. The operator of `$=name` is `$=`: to most shells this is text.
    Variable { name: String, operator: String, operand: Word, quoted: bool },
    /// `$( )` and backquotes.
    Command { script: Script, quoted: bool },
    /// `<( )`, `>( )`
    Process { script: Script, writes: bool },
    /// `$(( ))`, `$[ ]`
    Arithmetic { text: String, word: Word },
    /// `!!`, `!rm`, `^a^b`: replaced by the shell from what was typed earlier.
    History { quoted: bool },
}

impl Word {
    /// Appends a character of text.
    pub(super) fn push(&mut self, c: char, is_quoted: bool) {
        if let Some(Part::Text { text, quoted }) = self.parts.last_mut()
            && *quoted == is_quoted
        {
            text.push(c);
        } else {
            let mut text = String::with_capacity(WORD_BYTES);
            text.push(c);
            self.parts.push(Part::Text { text, quoted: is_quoted });
        }
    }

    /// The text when nothing in it is replaced by the shell. A tilde stands for itself.
    pub(super) fn literal(&self) -> Option<String> {
        let mut whole = String::new();
        for part in &self.parts {
            match part {
                Part::Text { text, quoted } if *quoted || pattern_start(text).is_none() => whole.push_str(text),
                _ => return None,
            }
        }
        (!self.has_braces()).then_some(whole)
    }

    /// Does the shell make several words of it, as of `{a,b}`?
    pub(super) fn has_braces(&self) -> bool {
        let unquoted = self.parts.iter().filter_map(|part| match part {
            Part::Text { text, quoted: false } => Some(text.as_str()),
            _ => None,
        });
        // 1: `{` was seen, 2: and then a comma or two dots.
        let (mut seen, mut previous) = (0, ' ');
        for c in unquoted.flat_map(str::chars) {
            match c {
                '{' if seen == 0 => seen = 1,
                ',' if seen == 1 => seen = 2,
                '.' if seen == 1 && previous == '.' => seen = 2,
                '}' if seen == 2 => return true,
                _ => {}
            }
            previous = c;
        }
        false
    }

    /// How it was typed, nearly.
    pub(super) fn shown(&self) -> String {
        self.parts.iter().map(Part::shown).collect()
    }
}

/// Where a file name pattern begins in unquoted text.
pub(super) fn pattern_start(text: &str) -> Option<usize> {
    let bracket = text.find('[').filter(|at| text.get(*at..).is_some_and(|rest| rest.has(']')));
    [text.find(['*', '?']), bracket].into_iter().flatten().min()
}

impl Part {
    fn shown(&self) -> String {
        match self {
            Self::Text { text, .. } => text.clone(),
            Self::Variable { name, operator, operand, .. } if operator.is_empty() && operand.parts.is_empty() => format!("${name}"),
            Self::Variable { name, operator, .. } if operator.starts_with('$') => format!("{operator}{name}"),
            Self::Variable { name, operator, operand, .. } => format!("${{{name}{operator}{}}}", operand.shown()),
            Self::Command { .. } => "$(…)".to_owned(),
            Self::Process { writes: false, .. } => "<(…)".to_owned(),
            Self::Process { writes: true, .. } => ">(…)".to_owned(),
            Self::Arithmetic { text, .. } => format!("$(({text}))"),
            Self::History { .. } => "!".to_owned(),
        }
    }
}

impl Faults {
    /// Keeps the first of each kind.
    pub(super) fn unclosed(&mut self, what: &'static str) {
        self.unclosed.get_or_insert(what);
    }

    pub(super) fn unexpected(&mut self, what: &'static str) {
        self.unexpected.get_or_insert(what);
    }

    pub(super) fn disputed(&mut self, what: &'static str) {
        self.disputed.get_or_insert(what);
    }

    pub(super) fn refused(&mut self, what: &'static str) {
        self.refused.get_or_insert(what);
    }
}
