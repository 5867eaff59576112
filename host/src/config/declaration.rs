//! A declared device type: what a table can say of a device, so that it needs no plugin of its own.
//!
//! Read from `[type.NAME]`, from a file that `declared` names, or from the files in this program: the same keys everywhere. Each
//! part may carry examples. They are what `jackfield check` asks the plugins about, so that a pattern that is too narrow or too wide
//! is told with the line where the example stands, and not by a device that hangs.
//!
//! What this module cannot judge: whether the patterns fit the examples. That takes the plugins, see `plugin::examples`.

mod fields;
mod ways;

use std::path::{Path, PathBuf};

use regex::Regex;
use toml::de::DeTable;

use self::fields::{
    capturing_pattern, checked_pattern, compiled, each, examples, flag, key, keys, list, named, names, number, pattern, required,
    required_names, required_pattern, terminal_size, text, typed, typed_line, wanted, was_refused, word_pattern, words,
};
pub use self::ways::{Candidate, Transition};
use super::diagnostic::{Diagnostic, Lines};
use super::reader::{Reader, Section};
use super::{syntax, value};
use crate::nearest::nearest;
use crate::plugin::blocks;
use crate::plugin::manifest::{BlockSpec, IdentifySpec};

/// The keys of a declaration.
pub(super) const KEYS: [&str; 21] = [
    "title",
    "terminal",
    "cancel",
    "clear_line",
    "live_keys",
    "line_max",
    "context",
    "query",
    "mode",
    "setup",
    "pager",
    "question",
    "goal",
    "transition",
    "candidate",
    "block",
    "error",
    "policy",
    "banners",
    "identify",
    "sensitive",
];

/// The keys of each table in a declaration.
pub(super) const TABLES: [(&str, &[&str]); 14] = [
    ("terminal", &["type", "columns", "rows", "enter", "echo", "login_suffix"]),
    ("query", &["ask", "answer"]),
    ("mode", &["name", "also", "kind", "prompt", "veto", "privileged", "cut", "after_host", "meaning", "examples", "not_prompts"]),
    ("setup", &["line", "modes", "paging"]),
    ("pager", &["match", "veto", "key", "end", "end_key", "stays", "examples"]),
    ("question", &["kind", "match", "veto", "after_ms", "at_login", "examples", "not_questions"]),
    ("goal", &["name", "command", "from", "to", "question", "secret", "leave", "tries"]),
    ("transition", &["from", "to", "line"]),
    ("candidate", &["mode", "diff", "check", "commit", "confirmed", "confirm", "discard"]),
    ("block", &["opens", "end", "shows", "sign", "examples", "not_blocks"]),
    ("error", &["kind", "match", "veto", "examples", "not_errors"]),
    (
        "policy",
        &[
            "grammar",
            "separators",
            "modes",
            "reads",
            "filters",
            "wipe",
            "outage",
            "lockout",
            "code",
            "remove",
            "harmless",
            "copy_out",
            "read_examples",
            "stopped_examples",
        ],
    ),
    ("identify", &["server_id", "text", "prompt", "score"]),
    ("sensitive", &["match", "examples", "not_sensitive"]),
];

fn keys_of(table: &str) -> &'static [&'static str] {
    TABLES.iter().find(|(name, _)| *name == table).map_or(&[], |(_, keys)| *keys)
}

/// A declared device type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declaration {
    /// The file that it stands in.
    pub file: PathBuf,
    /// One line for people.
    pub title: String,
    /// The terminal.
    pub terminal: Terminal,
    /// What stops a running command, in the order to try.
    pub cancel: Vec<String>,
    /// Empties a half-typed line.
    pub clear_line: Option<String>,
    /// Characters that act at once.
    pub live_keys: Vec<String>,
    /// The longest line in bytes, 0 when not known.
    pub line_max: usize,
    /// Rows right before a prompt that belong to it.
    pub context: Option<String>,
    /// Terminal queries and their answers.
    pub queries: Vec<(String, String)>,
    /// Modes; where several of a kind fit a row, the first one counts.
    pub modes: Vec<Mode>,
    /// Lines typed once after login.
    pub setup: Vec<Setup>,
    /// Pagers.
    pub pagers: Vec<Pager>,
    /// Questions; where several fit a row, the first one counts.
    pub questions: Vec<Question>,
    /// Dialogs that are carried through.
    pub goals: Vec<Goal>,
    /// Ways between modes.
    pub transitions: Vec<Transition>,
    /// The candidate configuration, where the device has one.
    pub candidate: Option<Candidate>,
    /// Lines behind which the device takes text.
    pub blocks: Vec<Block>,
    /// Texts of refused and failed commands.
    pub errors: Vec<Failures>,
    /// The words of the command language.
    pub policy: Words,
    /// Lines seen before the first prompt that are none.
    pub banners: Vec<Example>,
    /// What such a device shows by itself.
    pub clues: Vec<IdentifySpec>,
    /// What secrets look like in what it prints.
    pub sensitive: Vec<Sensitive>,
}

/// A line from a device, and where the file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The row as shown, without its end.
    pub text: String,
    /// Its line in the file.
    pub line: usize,
}

/// The terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terminal {
    /// `TERM`.
    pub kind: Option<String>,
    /// Columns.
    pub columns: Option<u16>,
    /// Rows.
    pub rows: Option<u16>,
    /// Bytes of the Enter key.
    pub enter: Option<String>,
    /// `full`, `redraw` or `none`.
    pub echo: Option<&'static str>,
    /// Added to the login name.
    pub login_suffix: Option<String>,
}

/// What a prompt is there for. The order decides where a row fits several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A boot loader or the like.
    Recovery,
    /// The rest of a line is wanted.
    Incomplete,
    /// A program behind the device's own command line, for example a system shell.
    Shell,
    /// The device's own command line.
    #[default]
    Ready,
}

impl Kind {
    const WORDS: [(&'static str, Self); 4] =
        [("ready", Self::Ready), ("shell", Self::Shell), ("incomplete", Self::Incomplete), ("recovery", Self::Recovery)];
}

/// A mode of the device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mode {
    /// Its name, which callers see.
    pub name: String,
    /// The field's usual word for it, where it has another name here: `config`, `exec`, `privileged`.
    pub also: Option<String>,
    /// What its prompt is there for.
    pub kind: Kind,
    /// The prompt. A group `host` is the device's name, a group `priv` that captures `#` says that rights are elevated.
    pub prompt: String,
    /// What is no prompt although the pattern fits.
    pub veto: Option<String>,
    /// Commands run with elevated rights.
    pub privileged: bool,
    /// The name is cut to so many characters here.
    pub cut: usize,
    /// Characters that may follow the name in the group `host`, with more text behind them.
    pub after_host: String,
    /// Kind `incomplete`: what the device waits for.
    pub meaning: String,
    /// Prompts.
    pub examples: Vec<Example>,
    /// Rows that are no prompt of this mode.
    pub not_prompts: Vec<Example>,
}

/// A line typed once after login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setup {
    /// The line.
    pub line: String,
    /// Modes in which it is typed.
    pub modes: Vec<String>,
    /// It turns paging off: not typed where the operator keeps pages.
    pub paging: bool,
}

/// A pager.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pager {
    /// The marker. A group `strip` is the part to take out of the output, all of the row unless given.
    pub pattern: String,
    /// What is no marker although the pattern fits.
    pub veto: Option<String>,
    /// The key for the next page.
    pub key: String,
    /// The marker at the end, where it differs, and the key for it.
    pub end: Option<(String, String)>,
    /// Output may begin like the marker: it must stay before it counts.
    pub stays: bool,
    /// Markers.
    pub examples: Vec<Example>,
}

/// A question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The contract's word for its kind.
    pub kind: &'static str,
    /// The question.
    pub pattern: String,
    /// What is none although the pattern fits.
    pub veto: Option<String>,
    /// Silence in milliseconds after which it counts.
    pub after_ms: u32,
    /// What is typed once when it comes before the first prompt.
    pub at_login: Option<String>,
    /// Questions.
    pub examples: Vec<Example>,
    /// Rows that ask nothing.
    pub not_questions: Vec<Example>,
}

/// A dialog that the plugin carries through, for example to more rights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// The line that starts it, as a word pattern.
    pub command: String,
    /// Modes in which it starts.
    pub from: Vec<String>,
    /// The mode that it leads to.
    pub to: String,
    /// The question for the secret.
    pub question: String,
    /// The secret's name.
    pub secret: String,
    /// What leaves the question.
    pub leave: Option<String>,
    /// How often that may take.
    pub tries: u32,
}

/// Texts of refused or failed commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// The contract's word for the kind.
    pub kind: &'static str,
    /// The texts, a better line first.
    pub patterns: Vec<String>,
    /// What is none although a pattern fits.
    pub veto: Option<String>,
    /// Lines of refused commands.
    pub examples: Vec<Example>,
    /// Lines that only look like one.
    pub not_errors: Vec<Example>,
}

/// A line behind which the device takes text up to an end, such as a banner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// The line, its end and the row, as in a plugin's manifest.
    pub spec: BlockSpec,
    /// Lines that open a text.
    pub examples: Vec<Example>,
    /// Lines that do not.
    pub not_blocks: Vec<Example>,
}

/// Rows that hold secrets, such as lines of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sensitive {
    /// The patterns; what their groups capture is taken out.
    pub patterns: Vec<String>,
    /// Rows with a secret.
    pub examples: Vec<Example>,
    /// Rows that only look like one.
    pub not_sensitive: Vec<Example>,
}

/// The words of the command language, for policy plugins. Each is a word pattern: `req[uest] sys[tem]` may be shortened down to
/// `req sys`, `..` stands for any words, `<word>` for one, `<count>` for a number above zero, `$` for the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// How a line is taken apart, where separators and words do not tell.
    pub grammar: Option<&'static str>,
    /// What separates commands on one line.
    pub separators: Vec<String>,
    /// Modes in which `reads` counts.
    pub modes: Vec<String>,
    /// What only reads.
    pub reads: Vec<String>,
    /// What may stand behind `|` in a read.
    pub filters: Vec<String>,
    /// What erases files or configuration.
    pub wipe: Vec<String>,
    /// What stops or restarts the device or a part of it.
    pub outage: Vec<String>,
    /// What may lock everybody out.
    pub lockout: Vec<String>,
    /// What installs or starts code.
    pub code: Vec<String>,
    /// What removes one thing: a person is asked in the mode `safe`.
    pub remove: Vec<String>,
    /// What begins like one of those and is harmless.
    pub harmless: Vec<String>,
    /// What hands data to another machine, or shows what is secret.
    pub copy_out: Vec<String>,
    /// Lines that must be reads.
    pub read_examples: Vec<Example>,
    /// Lines that must be stopped.
    pub stopped_examples: Vec<Example>,
}

impl Declaration {
    /// Reads a file with nothing but a declaration in it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in it, with its place.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Vec<Diagnostic>> {
        let (document, faults) = DeTable::parse_recoverable(text);
        let mut reader = Reader::new(file, Lines::new(text), None);
        let root = Section::root(document.get_ref());
        reader.only_keys(&root, &KEYS);
        let declaration = Self::read(&mut reader, &root);
        let (diagnostics, _) = reader.finish();
        let mut diagnostics = if faults.is_empty() { diagnostics } else { syntax::merge(&faults, text, file, diagnostics) };
        diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        if diagnostics.is_empty() { Ok(declaration) } else { Err(diagnostics) }
    }

    /// Reads the keys of a declaration out of a table that may have others.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        let mut declaration = Self {
            file: reader.file().to_owned(),
            title: text(reader, section, "title").unwrap_or_default(),
            terminal: terminal(reader, section),
            cancel: keys(reader, section, "cancel"),
            clear_line: typed(reader, section, "clear_line"),
            live_keys: keys(reader, section, "live_keys"),
            line_max: number(reader, section, "line_max").unwrap_or_default(),
            context: pattern(reader, section, "context"),
            modes: each(reader, section, "mode", Mode::read),
            setup: each(reader, section, "setup", Setup::read),
            pagers: each(reader, section, "pager", Pager::read),
            questions: each(reader, section, "question", Question::read),
            goals: each(reader, section, "goal", Goal::read),
            transitions: each(reader, section, "transition", Transition::read),
            blocks: each(reader, section, "block", Block::read),
            errors: each(reader, section, "error", Failures::read),
            banners: examples(reader, section, "banners"),
            clues: each(reader, section, "identify", clue),
            sensitive: each(reader, section, "sensitive", Sensitive::read),
            ..Self::default()
        };
        declaration.queries = each(reader, section, "query", |reader, query| {
            reader.only_keys(query, keys_of("query"));
            (key(reader, query, "ask").unwrap_or_default(), key(reader, query, "answer").unwrap_or_default())
        });
        if let Some(policy) = reader.section(section, "policy", "reads = [\"show\"]") {
            declaration.policy = Words::read(reader, &policy);
        }
        let candidate = reader.section(section, "candidate", "commit = \"commit\"");
        declaration.candidate = candidate.map(|candidate| Candidate::read(reader, &candidate));
        if declaration.modes.is_empty() {
            let help = "add a `[[mode]]` with `name` and `prompt`".to_owned();
            reader.error(&section.place, "a declared device type needs at least one mode".to_owned(), Some(help));
        }
        declaration.check_mode_names(reader, section);
        declaration
    }

    /// Modes that other tables name must be there.
    fn check_mode_names(&self, reader: &mut Reader<'_>, section: &Section<'_>) {
        let known: Vec<&str> = self.modes.iter().map(|mode| mode.name.as_str()).collect();
        let mut named: Vec<(&str, usize, &str, &str)> = Vec::new();
        for (index, setup) in self.setup.iter().enumerate() {
            named.extend(setup.modes.iter().map(|mode| ("setup", index, "modes", mode.as_str())));
        }
        for (index, goal) in self.goals.iter().enumerate() {
            named.extend(goal.from.iter().map(|mode| ("goal", index, "from", mode.as_str())));
            named.extend((!goal.to.is_empty()).then_some(("goal", index, "to", goal.to.as_str())));
        }
        for (index, way) in self.transitions.iter().enumerate() {
            let ends = [("from", way.from.as_str()), ("to", way.to.as_str())];
            named.extend(ends.into_iter().filter(|(_, mode)| !mode.is_empty()).map(|(key, mode)| ("transition", index, key, mode)));
        }
        let edited = self.candidate.iter().map(|candidate| ("candidate", 0, "mode", candidate.mode.as_str()));
        named.extend(edited.filter(|(.., mode)| !mode.is_empty()));
        named.extend(self.policy.modes.iter().map(|mode| ("policy", 0, "modes", mode.as_str())));
        for (table, index, key, mode) in named {
            if known.contains(&mode) {
                continue;
            }
            let guess = nearest(mode, known.iter().copied()).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let at = reader.place_in(section, table, index, key);
            let message = format!("{} names no mode: `{}`", at.shown(), mode.escape_debug());
            reader.error(&at, message, Some(format!("{guess}modes: {}", known.join(", "))));
        }
    }
}

impl Mode {
    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("mode"));
        let mode = Self {
            name: named(reader, section, "mode"),
            also: text(reader, section, "also"),
            kind: reader.field(section, "kind", |reader, at, found| value::word(reader, at, found, &Kind::WORDS)).unwrap_or_default(),
            prompt: required_pattern(reader, section, "prompt"),
            veto: pattern(reader, section, "veto"),
            privileged: flag(reader, section, "privileged"),
            cut: number(reader, section, "cut").unwrap_or_default(),
            after_host: text(reader, section, "after_host").unwrap_or_default(),
            meaning: text(reader, section, "meaning").unwrap_or_default(),
            examples: examples(reader, section, "examples"),
            not_prompts: examples(reader, section, "not_prompts"),
        };
        if mode.kind == Kind::Incomplete && mode.meaning.is_empty() {
            let help = "for example `meaning = \"an open quote\"`".to_owned();
            reader.error(
                &section.place,
                "a mode of the kind `incomplete` needs a `meaning`: what the device waits for".to_owned(),
                Some(help),
            );
        }
        mode
    }
}

impl Setup {
    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("setup"));
        Self {
            line: required(reader, section, "line", typed_line),
            modes: required_names(reader, section, "modes"),
            paging: flag(reader, section, "paging"),
        }
    }
}

impl Pager {
    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("pager"));
        let (end, end_key) = (pattern(reader, section, "end"), typed(reader, section, "end_key"));
        if end.is_some() != end_key.is_some() {
            reader.error(&section.place, format!("{} has only one of `end` and `end_key`", section.place.shown()), None);
        }
        Self {
            pattern: required_pattern(reader, section, "match"),
            veto: pattern(reader, section, "veto"),
            key: required(reader, section, "key", typed),
            end: end.zip(end_key),
            stays: flag(reader, section, "stays"),
            examples: examples(reader, section, "examples"),
        }
    }
}

impl Question {
    /// The contract's kinds, with the silence that each asks for unless the declaration says otherwise.
    const KINDS: [(&'static str, (&'static str, u32)); 9] = [
        ("password", ("password", 2_500)),
        ("username", ("username", 2_500)),
        ("code", ("code", 500)),
        ("yes-no", ("yes-no", 300)),
        ("confirm", ("confirm", 300)),
        ("filename", ("filename", 500)),
        ("menu", ("menu", 500)),
        ("any-key", ("any-key", 500)),
        ("unknown", ("unknown", 2_500)),
    ];

    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("question"));
        let kind = reader.field(section, "kind", |reader, at, found| value::word(reader, at, found, &Self::KINDS));
        let (kind, after_ms) = kind.unwrap_or(("unknown", 2_500));
        Self {
            kind,
            pattern: required_pattern(reader, section, "match"),
            veto: pattern(reader, section, "veto"),
            after_ms: number(reader, section, "after_ms").unwrap_or(after_ms),
            at_login: typed(reader, section, "at_login"),
            examples: examples(reader, section, "examples"),
            not_questions: examples(reader, section, "not_questions"),
        }
    }
}

impl Goal {
    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("goal"));
        let goal = Self {
            name: named(reader, section, "goal"),
            command: required(reader, section, "command", words),
            from: required_names(reader, section, "from"),
            to: required(reader, section, "to", text),
            question: required_pattern(reader, section, "question"),
            secret: required(reader, section, "secret", text),
            leave: typed(reader, section, "leave"),
            tries: number(reader, section, "tries").unwrap_or(3),
        };
        if goal.name == "login" {
            reader.error(&section.place, "the goal `login` is the host's own; give another name".to_owned(), None);
        }
        goal
    }
}

impl Failures {
    const KINDS: [(&'static str, &'static str); 3] = [("refused", "refused"), ("error", "error"), ("incomplete", "incomplete")];

    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("error"));
        let kind = reader.field(section, "kind", |reader, at, found| value::word(reader, at, found, &Self::KINDS));
        Self {
            kind: kind.unwrap_or("refused"),
            patterns: list(reader, section, "match", checked_pattern),
            veto: pattern(reader, section, "veto"),
            examples: examples(reader, section, "examples"),
            not_errors: examples(reader, section, "not_errors"),
        }
    }
}

impl Block {
    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("block"));
        wanted(reader, section, "opens");
        let opens = reader.field(section, "opens", compiled);
        let end = text(reader, section, "end");
        if let Some(opens) = opens.as_ref().filter(|_| !was_refused(section, "end", &end))
            && let Err(why) = blocks::check_end(opens, end.as_deref())
        {
            reader.error(&section.place, why, None);
        }
        let spec = BlockSpec {
            opens: opens.as_ref().map(Regex::as_str).unwrap_or_default().to_owned(),
            end,
            shows: required_pattern(reader, section, "shows"),
            sign: text(reader, section, "sign").unwrap_or_default(),
            types: Vec::new(),
        };
        Self { spec, examples: examples(reader, section, "examples"), not_blocks: examples(reader, section, "not_blocks") }
    }
}

impl Sensitive {
    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("sensitive"));
        Self {
            patterns: list(reader, section, "match", capturing_pattern),
            examples: examples(reader, section, "examples"),
            not_sensitive: examples(reader, section, "not_sensitive"),
        }
    }
}

/// Ways in which a line is taken apart.
const GRAMMARS: [(&str, &str); 1] = [("windows", "windows")];

impl Words {
    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, keys_of("policy"));
        let mut patterns = |key: &str| list(reader, section, key, word_pattern);
        let [reads, filters, wipe, outage, lockout, code, remove, harmless, copy_out] =
            ["reads", "filters", "wipe", "outage", "lockout", "code", "remove", "harmless", "copy_out"].map(&mut patterns);
        let grammar = reader.field(section, "grammar", |reader, at, found| value::word(reader, at, found, &GRAMMARS));
        Self {
            grammar,
            separators: keys(reader, section, "separators"),
            modes: names(reader, section, "modes"),
            reads,
            filters,
            wipe,
            outage,
            lockout,
            code,
            remove,
            harmless,
            copy_out,
            read_examples: examples(reader, section, "read_examples"),
            stopped_examples: examples(reader, section, "stopped_examples"),
        }
    }
}

fn clue(reader: &mut Reader<'_>, section: &Section<'_>) -> IdentifySpec {
    reader.only_keys(section, keys_of("identify"));
    let mut refused = false;
    let [server_id, text, prompt] = ["server_id", "text", "prompt"].map(|key| {
        let found = pattern(reader, section, key);
        refused |= was_refused(section, key, &found);
        found
    });
    wanted(reader, section, "score");
    let score = number(reader, section, "score");
    let spec = IdentifySpec { kind: None, server_id, text, prompt, score: score.unwrap_or_default() };
    if let Some(Err(why)) = score.filter(|_| !refused).map(|_| spec.check()) {
        reader.error(&section.place, why, None);
    }
    spec
}

fn terminal(reader: &mut Reader<'_>, section: &Section<'_>) -> Terminal {
    let Some(section) = reader.section(section, "terminal", "columns = 200") else { return Terminal::default() };
    reader.only_keys(&section, keys_of("terminal"));
    const ECHOES: [(&str, &str); 3] = [("full", "full"), ("redraw", "redraw"), ("none", "none")];
    Terminal {
        kind: text(reader, &section, "type"),
        columns: terminal_size(reader, &section, "columns"),
        rows: terminal_size(reader, &section, "rows"),
        enter: key(reader, &section, "enter"),
        echo: reader.field(&section, "echo", |reader, at, found| value::word(reader, at, found, &ECHOES)),
        login_suffix: text(reader, &section, "login_suffix"),
    }
}
