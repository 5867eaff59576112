//! The proof that a command only reads: every program in it is known, with options that are known to
//! change nothing, and nothing it does is hidden.

use core::cell::{Cell, RefCell};
use jackfield_plugin::text::Search;

use crate::verdict::{Doubt, Proof, excerpt, listed};

use super::syntax::{Assignment, Body, Faults, Kind, Operator, Parsed, Part, Redirection, Script, Simple, Stage, Word};

use self::argument::Argument;

mod argument;
mod checks;
mod disks;
mod files;
mod find;
mod network;
mod options;
mod packages;
mod programs;
mod services;
mod shell;
mod system;
mod tools;
mod wrappers;

/// Is the whole command a read? Also, whether a shell replaces something in its words.
pub(super) fn prove(parsed: &Parsed) -> (Proof, bool) {
    let replaces = Cell::new(false);
    (prove_within(parsed, wrappers::CHAIN_MAX, &replaces), replaces.get())
}

/// As part of a command: `left` is how many programs and shells may start one another yet.
fn prove_within(parsed: &Parsed, left: usize, replaces: &Cell<bool>) -> Proof {
    let Faults { unclosed, unexpected, disputed, too_deep, .. } = parsed.faults;
    if too_deep {
        return Err(Doubt::new("posix.too-deep", "it nests deeper than is read"));
    }
    if let Some(what) = unclosed {
        return Err(Doubt::new("posix.unfinished", format!("{what} is not closed")));
    }
    if let Some(what) = unexpected {
        return Err(Doubt::new("posix.syntax", format!("{what} stands where POSIX shells allow none")));
    }
    if let Some(what) = disputed {
        return Err(Doubt::new("posix.dialect", format!("shells read {what} differently")));
    }
    if parsed.script.pipelines.is_empty() {
        return Err(Doubt::new("posix.empty", "an empty line may answer a question"));
    }
    // What is open around a text that another shell reads is not known.
    let is_inner = left < wrappers::CHAIN_MAX;
    let (opens, fed) = (Cell::new(is_inner), Cell::new(is_inner));
    let prover = Prover {
        bodies: &parsed.bodies,
        left,
        replaces,
        opens,
        numbers: Cell::new(false),
        fed,
        held: RefCell::default(),
        named: RefCell::default(),
        rounds: Cell::new(1),
        again: Cell::new(AGAIN_MAX),
    };
    prover.script(&parsed.script)?;
    if prover.opens.get() && prover.numbers.get() {
        return Err(Doubt::new("posix.redirect", "what is written to a number may go to a connection"));
    }
    Ok(())
}

struct Prover<'a> {
    bodies: &'a [Body],
    left: usize,
    /// A shell replaces something in a word.
    replaces: &'a Cell<bool>,
    /// Something is opened to be read from that may be a connection.
    opens: Cell<bool>,
    /// Something is written to a number that may be what was opened.
    numbers: Cell<bool>,
    /// What is read now is fed with more than stands in the line.
    fed: Cell<bool>,
    /// The variables of the loops around, each with what it holds now.
    held: RefCell<Vec<(String, Argument)>>,
    /// Words that may have named a variable to set.
    named: RefCell<Vec<String>>,
    /// How often what is read now is read.
    rounds: Cell<usize>,
    /// How many bodies of loops may yet be read once more.
    again: Cell<usize>,
}

/// The most rounds of a loop and of those around it that are read one by one. The search for secrets follows no more values.
const ROUNDS_MAX: usize = 8;

/// The most rounds of all loops of a line that are read one by one: loops within loops would double the work with each.
const AGAIN_MAX: usize = 64;

impl Prover<'_> {
    fn script(&self, script: &Script) -> Proof {
        for pipeline in &script.pipelines {
            if pipeline.background {
                return Err(Doubt::new("posix.background", "`&` leaves it running"));
            }
            let outer = self.fed.get();
            for (place, stage) in pipeline.stages.iter().enumerate() {
                let before = place.checked_sub(1).and_then(|before| pipeline.stages.get(before));
                self.fed.set(before.map_or(outer, |before| !says_only_itself(before)));
                self.stage(stage)?;
            }
            self.fed.set(outer);
        }
        Ok(())
    }

    fn stage(&self, stage: &Stage) -> Proof {
        for redirection in &stage.redirections {
            self.redirection(redirection)?;
            self.feeds(redirection);
        }
        match &stage.kind {
            Kind::Simple(simple) => self.simple(simple),
            Kind::Group(body) => self.script(body),
            Kind::For { name, words, body } => {
                harmless_variable(name)?;
                self.words(words)?;
                self.each(name, words, body)
            }
            Kind::Case { words, body } => {
                self.words(words)?;
                self.script(body)
            }
            Kind::Function { name, .. } => Err(Doubt::new("posix.function", format!("{} gets a new meaning", excerpt(name)))),
            Kind::Test(words) => {
                self.words(words)?;
                shell::double_bracket(words)
            }
            Kind::Arithmetic(_) => Err(Doubt::new("posix.dialect", "`(( ))` is two pairs of brackets to some shells")),
        }
    }

    /// The body of a loop, once for each value of its variable where they stand in the line and nothing else sets it.
    fn each(&self, name: &str, words: &[Word], body: &Script) -> Proof {
        // Shells and zsh's modules set these themselves.
        const SET: &str = "_ match mbegin mend reply pipestatus dirstack zsh_eval_context";
        let (outer, fed) = (self.rounds.get(), self.fed.get());
        let fits = |count: usize| count > 0 && count * outer <= ROUNDS_MAX && count <= self.again.get();
        let values: Option<Vec<Argument>> = words.iter().map(Argument::held).collect();
        let values = values.filter(|values| fits(values.len()) && !listed(SET, name));
        let before = self.named.borrow().len();
        let mut known = values.is_some();
        for value in values.unwrap_or_default() {
            self.again.set(self.again.get().saturating_sub(1));
            self.rounds.set(outer * words.len());
            self.held.borrow_mut().push((name.to_owned(), value));
            let proof = self.script(body);
            self.held.borrow_mut().pop();
            self.rounds.set(outer);
            self.fed.set(fed);
            let is_set = self.named.borrow().iter().skip(before).any(|named| named == name);
            if is_set {
                known = false;
                break;
            }
            proof?;
        }
        self.named.borrow_mut().push(name.to_owned());
        if known { Ok(()) } else { self.script(body) }
    }

    /// Remembers what a redirection gives to read.
    fn feeds(&self, redirection: &Redirection) {
        let target = || redirection.target.literal();
        match redirection.operator {
            Operator::Read => self.fed.set(target().as_deref() != Some("/dev/null")),
            Operator::Text => self.fed.set(target().is_none()),
            Operator::Document(place) => self.fed.set(self.bodies.get(place).is_none_or(|body| body.word.literal().is_none())),
            Operator::Reuse => self.fed.set(true),
            Operator::Write | Operator::Duplicate => {}
        }
    }

    fn redirection(&self, redirection: &Redirection) -> Proof {
        self.word(&redirection.target)?;
        let target = redirection.target.literal();
        // Of a number with a `-` behind it some shells make a file.
        let number = |path: &str| path == "-" || path.chars().all(|c| c.is_ascii_digit());
        match (redirection.operator, target.as_deref()) {
            (Operator::Read, None) if !matches!(redirection.target.parts.as_slice(), [Part::Process { .. }]) => self.opens.set(true),
            (Operator::Duplicate, Some(path)) if !matches!(path, "1" | "2" | "-") && number(path) => self.numbers.set(true),
            _ => {}
        }
        let allowed = match redirection.operator {
            Operator::Read => !target.as_deref().is_some_and(|path| path.starts_with("/dev/tcp/") || path.starts_with("/dev/udp/")),
            Operator::Write => target.as_deref().is_some_and(is_no_file),
            Operator::Duplicate | Operator::Reuse => target.as_deref().is_some_and(|path| is_no_file(path) || number(path)),
            Operator::Document(place) => return self.bodies.get(place).map_or(Ok(()), |body| self.word(&body.word)),
            Operator::Text => true,
        };
        if allowed {
            return Ok(());
        }
        let does = if redirection.operator == Operator::Read { "opens a connection" } else { "writes" };
        Err(Doubt::new("posix.redirect", format!("the redirection to {} {does}", excerpt(&redirection.target.shown()))))
    }

    fn simple(&self, simple: &Simple) -> Proof {
        for assignment in &simple.assignments {
            self.words(&assignment.values)?;
            self.named.borrow_mut().push(assignment.name.clone());
        }
        self.words(&simple.words)?;
        let Some(first) = simple.words.first() else {
            return simple.assignments.iter().try_for_each(|assignment| match assignment {
                Assignment { array: true, name, .. } => Err(changes_variable(name)),
                Assignment { name, .. } => harmless_variable(name),
            });
        };
        let Some(program) = first.literal() else {
            return Err(Doubt::new("posix.unknown-word", format!("{} may become any program", excerpt(&first.shown()))));
        };
        simple.assignments.iter().try_for_each(|assignment| environment(assignment, &program))?;
        let held = self.held.borrow();
        let mut arguments: Vec<Argument> = simple.words.iter().map(|word| Argument::of(word, &held)).collect();
        // What `read` sets stands behind it, also where a variable holds it.
        if arguments.iter().any(|argument| argument.is("read")) {
            self.named.borrow_mut().extend(arguments.iter().map(|argument| argument.text.clone()));
        }
        // In a text for another shell that one replaces what it likes.
        if arguments.iter().any(|argument| argument.is("-c") || argument.is("watch")) {
            self.replaces.set(true);
            arguments = simple.words.iter().map(|word| Argument::of(word, &[])).collect();
        }
        let connects =
            |pair: &[Argument]| matches!(pair, [program, command] if program.text.ends_with("openssl") && command.is("s_client"));
        if self.fed.get() && arguments.windows(2).any(connects) {
            return Err(Doubt::new("posix.carries", "`openssl s_client` hands what it is fed with to another machine"));
        }
        wrappers::started(&arguments, self.left)
    }

    fn words(&self, words: &[Word]) -> Proof {
        words.iter().try_for_each(|word| self.word(word))
    }

    /// What the shell does to make the word.
    fn word(&self, word: &Word) -> Proof {
        if word.literal().is_none() {
            self.replaces.set(true);
        }
        word.parts.iter().try_for_each(|part| match part {
            Part::Text { .. } => Ok(()),
            Part::Variable { name, operator, operand, .. } => {
                let known = match operator.as_str() {
                    "" => operand.parts.is_empty(),
                    // An index is arithmetic, unless it stands for all or is a number.
                    "length" | "[" | "[@" | "[*" => operand.shown().chars().all(|c| "[]@*0123456789".has(c)),
                    other => other.starts_with('$') || matches!(other, "-" | ":-" | "+" | ":+" | "#" | "##" | "%" | "%%"),
                };
                if name.is_empty() || !known {
                    return Err(Doubt::new("posix.expansion", format!("{} may do more than read a variable", excerpt(&word.shown()))));
                }
                self.word(operand)
            }
            Part::Command { script, .. } | Part::Process { script, writes: false } => self.script(script),
            Part::Process { writes: true, .. } => Err(Doubt::new("posix.redirect", "`>(…)` is written to")),
            Part::Arithmetic { text, word } => {
                self.word(word)?;
                arithmetic(text)
            }
            Part::History { .. } => Err(Doubt::new("posix.history", "`!` or `^` puts an earlier line in its place")),
        })
    }
}

/// Does it print nothing but what stands in the line?
fn says_only_itself(stage: &Stage) -> bool {
    match &stage.kind {
        Kind::Simple(simple) => {
            let words: Option<Vec<String>> = simple.words.iter().map(Word::literal).collect();
            words.is_some_and(|words| words.first().is_some_and(|program| listed("echo printf true : sleep", program)))
        }
        Kind::Group(script) => script.pipelines.iter().flat_map(|pipeline| &pipeline.stages).all(says_only_itself),
        _ => false,
    }
}

/// Arithmetic evaluates what a variable holds, down to commands in an index; so numbers only.
fn arithmetic(text: &str) -> Proof {
    let plain = |c: char| c.is_ascii_digit() || c.is_ascii_whitespace() || "+-*/%~?:".has(c);
    if text.chars().all(plain) {
        return Ok(());
    }
    Err(Doubt::new("posix.arithmetic", format!("{} may set a variable or run what one holds; `expr` only computes", excerpt(text))))
}

/// Writing there leaves nothing behind.
fn is_no_file(path: &str) -> bool {
    matches!(path, "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/fd/1" | "/dev/fd/2")
}

/// A variable that no shell and no program looks at. `histchars` tells which signs bring an earlier line back.
fn harmless_variable(name: &str) -> Proof {
    const SPECIAL: &str =
        "prompt status argv watch options commands aliases functions parameters fignore signals psvar histchars auto_resume umask";
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') && name.len() <= 24;
    let holds_special = ["path", "proxy", "function", "alias"].iter().any(|part| name.holds(part));
    let special = holds_special || name.starts_with("fish_") || listed(SPECIAL, name);
    if plain && !special { Ok(()) } else { Err(changes_variable(name)) }
}

fn changes_variable(name: &str) -> Doubt {
    let small = if name.chars().any(|c| c.is_ascii_uppercase()) { "; most names in small letters are free" } else { "" };
    Doubt::new("posix.assignment", format!("setting {} may change what later commands do{small}", excerpt(name)))
}

/// A variable set for one program.
fn environment(assignment: &Assignment, program: &str) -> Proof {
    const SHOWING: &str = "LANG LANGUAGE TZ TERM NO_COLOR SYSTEMD_COLORS GIT_OPTIONAL_LOCKS TIME_STYLE BLOCKSIZE PS_FORMAT";
    let name = assignment.name.as_str();
    let value = assignment.values.first().and_then(Word::literal);
    // zsh and mksh compute the size of the screen.
    let size = matches!(name, "COLUMNS" | "LINES");
    let pager = matches!(name, "PAGER" | "GIT_PAGER" | "SYSTEMD_PAGER" | "MANPAGER");
    let known = listed(SHOWING, name)
        || name.starts_with("LC_")
        || name == "IFS" && program == "read"
        || size && value.as_deref().is_some_and(|text| text.chars().all(|c| c.is_ascii_digit()))
        || pager && value.as_deref().is_some_and(|pager| matches!(pager, "" | "cat" | "less" | "more"));
    if known && !assignment.array { Ok(()) } else { Err(changes_variable(name)) }
}

/// Is this command line, without what a shell would still replace, a read? Programs that start others are not looked
/// into.
pub(super) fn is_read(line: &[String]) -> bool {
    let unknown = |word: &String| word.contains(|c: char| ('\u{e000}'..='\u{e001}').contains(&c));
    if !line.first().is_some_and(|program| programs::knows(program) && !unknown(program)) {
        return false;
    }
    let argument = |word: &String| Argument { text: word.clone(), exact: !unknown(word), splits: unknown(word), several: unknown(word) };
    let arguments: Vec<Argument> = line.iter().map(argument).collect();
    programs::judge(&arguments).is_ok()
}
