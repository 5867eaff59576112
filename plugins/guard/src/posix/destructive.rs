//! What destroys, cuts off, or hides what it does: searched in every command of the line, behind quotes, programs that
//! start others, and texts that a shell will read.
//!
//! The other way round than the proof of a read: what is not known is let pass, as a script's name is,
//! unless it stands where only the whole truth is good enough (the target of `rm -r`, code from a pipe).
//!
//! What searches gives back only what ends the search, something that destroys: the other dangers are remembered on the way.

use crate::verdict::{Danger, EXCERPT_MAX, Weight, excerpt, excerpt_of};
use jackfield_plugin::text::Search;

use super::syntax::{Assignment, Body, Faults, Kind, Operator, Parsed, Part, Redirection, Script, Simple, Stage, Word};
use super::{parse, read};

use self::fields::Variables;
use self::source::Source;

mod change;
mod code;
mod embedded;
mod fields;
mod hazards;
mod network;
mod paths;
mod remove;
mod secrets;
mod source;
mod start;

/// How many texts may hold one another, as in `sh -c 'sh -c …'`.
const TEXTS_MAX: usize = 4;
/// How many commands may start one another, as in `xargs xargs …`.
const STARTED_MAX: usize = 8;
/// How many assignments are followed.
const LEARNED_MAX: usize = 200;
/// How much is looked at for one line, counted in words and in characters of texts. Beyond it the line
/// is too tangled to be judged.
const WORK_MAX: usize = 200_000;

/// How a word is listed that is only known later.
const KNOWN_LATER: &str = "…";

const WRITE_IT_OUT: &str = "Write the command out as it shall run.";
const WRITE_PATH_OUT: &str = "Write the path out.";

/// The first danger in a command, and what destroys behind it.
pub(super) fn find(parsed: &Parsed, cwd: Option<&str>) -> Option<Danger> {
    Finder::new(cwd).search(|finder| finder.parsed(parsed, &Input::Terminal))
}

/// The same in a line that is typed into a program.
pub(super) fn find_in_answer(parsed: &Parsed, cwd: Option<&str>) -> Option<Danger> {
    Finder::in_answer(cwd).search(|finder| finder.parsed(parsed, &Input::Terminal))
}

/// The same in a program text of another language.
pub(super) fn in_program(text: &str) -> Option<Danger> {
    Finder::new(None).search(|finder| finder.perhaps_embedded(&[text.to_owned()], text))
}

/// A line taken apart.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The commands that it runs as far as they can be told, with what it writes to and what it sets.
    pub(crate) commands: Vec<Vec<String>>,
    /// These are all.
    pub(crate) is_whole: bool,
    /// The first command that shows a file of secrets.
    pub(crate) shows_secret: Option<Vec<String>>,
    /// The first one that is fed with a file and hands it to another machine.
    pub(crate) sends: Option<Vec<String>>,
}

/// Takes a line apart.
pub(super) fn listing(parsed: &Parsed, cwd: Option<&str>) -> Listing {
    list(parsed, Finder::new(cwd))
}

/// Takes a line apart that is typed into a program.
pub(super) fn listing_of_answer(parsed: &Parsed, cwd: Option<&str>) -> Listing {
    list(parsed, Finder::in_answer(cwd))
}

fn list(parsed: &Parsed, finder: Finder) -> Listing {
    let Faults { unclosed, unexpected, disputed, .. } = parsed.faults;
    let mut finder = Finder { listed: Some(Vec::new()), ..finder };
    finder.parsed(parsed, &Input::Terminal);
    let is_whole = finder.is_whole && unclosed.or(unexpected).or(disputed).is_none();
    let commands = finder.listed.unwrap_or_default();
    // A name that is printed is only that, unless it may become another program's argument.
    let takes_names = |line: &Vec<String>| secrets::takes_names(line, |word| word == KNOWN_LATER);
    let shows_secret = finder.shown.or_else(|| finder.named.filter(|_| commands.iter().any(takes_names)));
    Listing { commands, is_whole, shows_secret, sends: finder.sends }
}

/// Does this path lead to a file of secrets?
pub(super) fn is_secret_file(path: &str) -> bool {
    secrets::names(path, None)
}

/// The first command of a read that shows a file of secrets. `replaces`: what a shell makes of its words may be any name.
pub(super) fn secret_shown(command: &str, parsed: &Parsed, replaces: bool, cwd: Option<&str>) -> Option<Vec<String>> {
    if replaces || secrets::may_be_named(command, cwd) { listing(parsed, cwd).shows_secret } else { None }
}

/// Where a program's standard input comes from.
#[derive(Clone, Debug)]
enum Input {
    Terminal,
    From(Source),
}

struct Finder {
    variables: Variables,
    /// The working directory as far as it is known.
    cwd: Option<String>,
    /// The host tells it: the line itself has not named one.
    is_told: bool,
    /// How deep in texts.
    texts: usize,
    work: usize,
    /// Functions that are being defined around here.
    names: Vec<String>,
    /// How many assignments were followed.
    learned: usize,
    /// How many commands start one another around here.
    started: usize,
    /// A shell reads the line, and puts earlier lines in the place of `!`.
    at_prompt: bool,
    /// The first danger so far; none of them destroys.
    told: Option<Danger>,
    /// The commands are listed instead of judged: those found so far.
    listed: Option<Vec<Vec<String>>>,
    /// Then also: are these all,
    is_whole: bool,
    /// the first command that shows a file of secrets,
    shown: Option<Vec<String>>,
    /// the first one that prints its name,
    named: Option<Vec<String>>,
    /// and the first one that hands to another machine what it is fed with.
    sends: Option<Vec<String>>,
}

impl Finder {
    fn new(cwd: Option<&str>) -> Self {
        Self {
            variables: Variables::default(),
            cwd: cwd.map(str::to_owned),
            is_told: cwd.is_some(),
            texts: 0,
            work: WORK_MAX,
            names: Vec::new(),
            learned: 0,
            started: 0,
            at_prompt: true,
            told: None,
            listed: None,
            is_whole: true,
            shown: None,
            named: None,
            sends: None,
        }
    }

    /// For a line that is typed into a program: a `!` in it is text.
    fn in_answer(cwd: Option<&str>) -> Self {
        Self { at_prompt: false, ..Self::new(cwd) }
    }

    /// What a search comes upon.
    fn search(mut self, through: impl FnOnce(&mut Self) -> Option<Danger>) -> Option<Danger> {
        through(&mut self).or(self.told)
    }

    /// Remembers a danger. The search ends at one that destroys; a list of commands goes on behind any: what stands there is known
    /// all the same.
    fn ends_at(&mut self, danger: Option<Danger>) -> Option<Danger> {
        let danger = danger?;
        self.is_whole = false;
        if self.listed.is_some() {
            return None;
        }
        let found = danger.after(self.told.take());
        if found.worst().weight() == Weight::Destroys {
            return Some(found);
        }
        self.told = Some(found);
        None
    }

    fn parsed(&mut self, parsed: &Parsed, input: &Input) -> Option<Danger> {
        if parsed.faults.too_deep {
            self.ends_at(Some(Danger::new("posix.too-deep", "it nests deeper than is read").advise(WRITE_IT_OUT)));
        }
        self.learn(&parsed.script);
        self.script(&parsed.script, &parsed.bodies, input)
    }

    /// A text that a shell will read as commands.
    fn text(&mut self, text: &str) -> Option<Danger> {
        if !self.spend(text.len()) || self.texts >= TEXTS_MAX {
            return self.ends_at(Some(tangled()));
        }
        self.texts += 1;
        let danger = self.parsed(&parse::parse(text), &Input::Terminal);
        self.texts -= 1;
        danger
    }

    /// Is there work left?
    fn spend(&mut self, work: usize) -> bool {
        self.work = self.work.saturating_sub(work);
        self.work > 0
    }

    /// Remembers every value that the script gives to a variable, wherever it does.
    fn learn(&mut self, script: &Script) {
        for stage in script.pipelines.iter().flat_map(|pipeline| &pipeline.stages) {
            if self.learned >= LEARNED_MAX {
                return;
            }
            match &stage.kind {
                Kind::Simple(simple) => self.learn_simple(simple),
                Kind::For { name, words, body } => {
                    let values = fields::lines(words, &self.variables).into_iter().flatten().collect();
                    self.variables.add(name, values);
                    self.learn(body);
                }
                Kind::Group(body) | Kind::Case { body, .. } => self.learn(body),
                Kind::Function { body, .. } => {
                    if let Kind::Group(body) = &body.kind {
                        self.learn(body);
                    }
                }
                Kind::Test(_) | Kind::Arithmetic(_) => {}
            }
        }
    }

    fn learn_simple(&mut self, simple: &Simple) {
        for Assignment { name, values, .. } in &simple.assignments {
            self.learned += 1;
            let values = values.iter().flat_map(|value| fields::values(value, &self.variables)).collect();
            self.variables.add(name, values);
        }
        let program = simple.words.first().and_then(Word::literal);
        if matches!(program.as_deref(), Some("export" | "declare" | "local" | "readonly" | "typeset")) {
            let values: Vec<String> = simple.words.iter().skip(1).flat_map(|word| fields::values(word, &self.variables)).collect();
            for value in values {
                if let Some((name, value)) = value.split_once('=') {
                    self.variables.add(name, vec![value.to_owned()]);
                }
            }
        }
    }

    fn script(&mut self, script: &Script, bodies: &[Body], input: &Input) -> Option<Danger> {
        for pipeline in &script.pipelines {
            for (place, stage) in pipeline.stages.iter().enumerate() {
                let piped = source::of_pipe(pipeline.stages.get(..place).unwrap_or_default(), &self.variables);
                let piped = piped.map(|source| from_documents(source, pipeline.stages.get(place.wrapping_sub(1)), bodies));
                let input = piped.map_or_else(|| input.clone(), Input::From);
                let forks = pipeline.background && pipeline.stages.len() > 1;
                if let Some(danger) = self.stage(stage, bodies, &input, forks) {
                    return Some(danger);
                }
            }
        }
        None
    }

    fn stage(&mut self, stage: &Stage, bodies: &[Body], input: &Input, forks: bool) -> Option<Danger> {
        let mut input = input.clone();
        for redirection in &stage.redirections {
            if let Some(danger) = self.redirection(redirection, bodies) {
                return Some(danger);
            }
            if let Some(source) = self.input_of(redirection, bodies) {
                let is_empty = redirection.target.literal().as_deref() == Some("/dev/null");
                input = if is_empty { Input::Terminal } else { Input::From(source) };
            }
        }
        match &stage.kind {
            Kind::Simple(simple) => self.simple(simple, bodies, &input, forks),
            Kind::Group(body) => self.script(body, bodies, &input),
            Kind::For { words, body, .. } | Kind::Case { words, body } => {
                self.substitutions(words, bodies).or_else(|| self.script(body, bodies, &input))
            }
            Kind::Function { name, body } => {
                // Whoever calls it later calls something else by its name.
                self.is_whole = false;
                self.names.push(name.clone());
                let danger = self.stage(body, bodies, &Input::Terminal, false);
                self.names.pop();
                danger
            }
            Kind::Test(words) => self.substitutions(words, bodies),
            Kind::Arithmetic(word) => self.substitutions(core::slice::from_ref(word), bodies),
        }
    }

    fn redirection(&mut self, redirection: &Redirection, bodies: &[Body]) -> Option<Danger> {
        if let Some(danger) = self.substitutions(core::slice::from_ref(&redirection.target), bodies) {
            return Some(danger);
        }
        match redirection.operator {
            Operator::Write | Operator::Duplicate | Operator::Reuse => {
                let targets = fields::values(&redirection.target, &self.variables);
                if self.listed.is_some() {
                    let numbers = |target: &String| redirection.operator != Operator::Write && is_descriptor(target);
                    targets.into_iter().filter(|target| !numbers(target)).for_each(|target| self.list(&[">".to_owned(), target]));
                    return None;
                }
                let found = targets.iter().find_map(|target| self.overwritten(target, &format!("> {target}")));
                self.ends_at(found)
            }
            Operator::Document(place) => {
                let body = bodies.get(place)?;
                self.substitutions(core::slice::from_ref(&body.word), bodies)
            }
            Operator::Read if self.listed.is_some() && self.shown.is_none() => {
                let targets = fields::values(&redirection.target, &self.variables);
                let secret = targets.into_iter().find(|target| secrets::names(target, self.cwd.as_deref()));
                self.shown = secret.map(|target| vec!["<".to_owned(), target]);
                None
            }
            Operator::Read | Operator::Text => None,
        }
    }

    fn input_of(&self, redirection: &Redirection, bodies: &[Body]) -> Option<Source> {
        let target = &redirection.target;
        match redirection.operator {
            Operator::Read => match target.parts.as_slice() {
                [Part::Process { script, .. }] => Some(source::of_script(script, &self.variables)),
                _ => Some(Source::File),
            },
            Operator::Document(place) => bodies.get(place).map(|body| Source::Text(body.text.clone())),
            Operator::Text => fields::values(target, &self.variables)
                .into_iter()
                .next()
                .map(|text| if text.has(paths::UNKNOWN) { Source::Data("a variable".to_owned()) } else { Source::Text(text) }),
            Operator::Write | Operator::Duplicate | Operator::Reuse => None,
        }
    }

    /// The commands inside words.
    fn substitutions(&mut self, words: &[Word], bodies: &[Body]) -> Option<Danger> {
        words.iter().flat_map(|word| &word.parts).find_map(|part| match part {
            Part::Command { script, .. } | Part::Process { script, writes: false } => self.inner(script, bodies, &Input::Terminal),
            Part::Process { script, writes: true } => self.inner(script, bodies, &Input::From(Source::Data("a pipe".to_owned()))),
            Part::Variable { operand: word, .. } | Part::Arithmetic { word, .. } => self.substitutions(core::slice::from_ref(word), bodies),
            Part::History { quoted: false } if self.at_prompt => {
                let reason = "`!` or `^` puts an earlier line in its place after this one was judged";
                self.ends_at(Some(Danger::new("posix.history", reason).advise(WRITE_IT_OUT)))
            }
            Part::Text { .. } | Part::History { .. } => None,
        })
    }

    fn inner(&mut self, script: &Script, bodies: &[Body], input: &Input) -> Option<Danger> {
        self.learn(script);
        self.script(script, bodies, input)
    }

    fn simple(&mut self, simple: &Simple, bodies: &[Body], input: &Input, forks: bool) -> Option<Danger> {
        for assignment in &simple.assignments {
            if let Some(danger) = self.assignment(assignment, bodies) {
                return Some(danger);
            }
        }
        if let Some(danger) = self.substitutions(&simple.words, bodies) {
            return Some(danger);
        }
        let mut left = None;
        for line in fields::lines(&simple.words, &self.variables) {
            if forks && line.first().is_some_and(|program| self.names.contains(program)) {
                let reason = format!("{} starts itself again and again", excerpt_of(&line));
                let found = self.ends_at(Some(Danger::new("posix.fork-bomb", reason)));
                if found.is_some() {
                    return found;
                }
            }
            if let Some(danger) = self.command(&line, input) {
                return Some(danger);
            }
            left = Some(line);
        }
        if let Some(line) = left {
            self.enter(&line);
        }
        None
    }

    fn assignment(&mut self, assignment: &Assignment, bodies: &[Body]) -> Option<Danger> {
        if let Some(danger) = self.substitutions(&assignment.values, bodies) {
            return Some(danger);
        }
        if self.listed.is_some() {
            let values: Vec<String> = assignment.values.iter().flat_map(|value| fields::values(value, &self.variables)).collect();
            self.list(&[format!("{}={}", assignment.name, values.join(" "))]);
            return None;
        }
        // The shell runs this one before each prompt.
        if assignment.name != "PROMPT_COMMAND" {
            return None;
        }
        let texts: Vec<String> = assignment.values.iter().flat_map(|value| fields::values(value, &self.variables)).collect();
        texts.iter().find_map(|text| self.text(text))
    }

    /// `cd` makes the paths behind it mean something else.
    fn enter(&mut self, line: &[String]) {
        let [program, arguments @ ..] = line else { return };
        if !matches!(program.as_str(), "cd" | "pushd" | "popd" | "chdir") {
            return;
        }
        let target = arguments.iter().find(|argument| !argument.starts_with('-')).map(String::as_str);
        self.is_told &= target.is_some_and(|path| !path.starts_with(['/', '~']));
        self.cwd = match (target, self.cwd.take()) {
            (None, _) if arguments.is_empty() && program == "cd" => Some("~".to_owned()),
            (Some(path), _) if path.starts_with(['/', '~']) => Some(path.to_owned()),
            (Some(path), Some(cwd)) if !path.has(paths::UNKNOWN) && cwd.len() < 4096 => Some(format!("{cwd}/{path}")),
            _ => None,
        };
    }

    /// Judges one command line.
    fn command(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        if !self.spend(line.len() + 1) || self.started >= STARTED_MAX {
            return self.ends_at(Some(tangled()));
        }
        self.started += 1;
        self.list(line);
        let danger = self.one_command(line, input);
        self.started -= 1;
        self.ends_at(danger)
    }

    /// Adds a command to the list, where one is made. Its program must be known; another word may be known later.
    fn list(&mut self, line: &[String]) {
        let Some(listed) = &mut self.listed else { return };
        match secrets::used_by(line, self.cwd.as_deref()) {
            Some(secrets::Use::Shown) => drop(self.shown.get_or_insert_with(|| line.to_vec())),
            Some(secrets::Use::Named) => drop(self.named.get_or_insert_with(|| line.to_vec())),
            None => {}
        }
        let later = |word: &String| word.contains([paths::UNKNOWN, paths::TRUSTED]);
        if line.first().is_some_and(later) {
            self.is_whole = false;
        } else if !line.is_empty() {
            listed.push(line.iter().map(|word| if later(word) { KNOWN_LATER.to_owned() } else { word.clone() }).collect());
        }
    }

    /// Programs that start others are taken away first. What it gives back need not end the search.
    fn one_command(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        let started = start::peel(line);
        for rest in &started.also {
            if let Some(danger) = self.command(rest, input) {
                return Some(danger);
            }
        }
        let Some(program) = started.line.first().map(|program| base_name(program)) else { return code::login_shell(line, input) };
        let is_started = started.line.len() < line.len();
        let line = started.line;
        // `env -S 'rm x'`, `flock file -c 'rm x'`.
        match line {
            [text, ..] if text.has(' ') => return self.text(text),
            [option, text, ..] if option == "-c" => return self.text(text),
            _ if is_started => self.list(line),
            _ => {}
        }
        if read::is_read(line) {
            return None;
        }
        if self.listed.is_some() {
            return self.code(program, line, input);
        }
        let found = self
            .removal(program, line)
            .or_else(|| self.change(program, line))
            .or_else(|| network::danger(program, line))
            .or_else(|| hazards::danger(program, line));
        self.ends_at(found).or_else(|| self.code(program, line, input))
    }

    fn cwd(&self) -> Option<&str> {
        self.cwd.as_deref()
    }

    /// What a recursive act on this path would hurt. A directory that the host tells adds to it and excuses nothing: a shell says what
    /// stands in `PWD`, and an earlier line may have put it there.
    fn harm(&self, path: &str, act: paths::Act) -> Option<paths::Harm> {
        let harm = paths::harm(path, self.cwd(), act);
        if harm.is_none() && self.is_told { paths::harm(path, None, act) } else { harm }
    }
}

/// The text of a here-document that a `cat` prints.
fn from_documents(source: Source, stage: Option<&Stage>, bodies: &[Body]) -> Source {
    let document = stage.filter(|_| source == Source::File).and_then(|stage| {
        stage.redirections.iter().find_map(|redirection| match redirection.operator {
            Operator::Document(place) => bodies.get(place),
            _ => None,
        })
    });
    document.map_or(source, |body| Source::Text(body.text.clone()))
}

/// The program's name without its path.
fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// `2` in `>&2`, `-` in `>&-`.
fn is_descriptor(target: &str) -> bool {
    target == "-" || !target.is_empty() && target.trim_end_matches('-').bytes().all(|byte| byte.is_ascii_digit())
}

fn tangled() -> Danger {
    Danger::new("posix.too-complex", "it is too tangled to be judged").advise(WRITE_IT_OUT)
}

/// A danger that names a command line.
fn danger(rule: &'static str, line: &[String], what: &str) -> Danger {
    // A reason shows the beginning only.
    let beginning = |word: &String| word.chars().take(EXCERPT_MAX + 1).collect::<String>().replace([paths::UNKNOWN, paths::TRUSTED], "$…");
    let shown: Vec<String> = line.iter().take(EXCERPT_MAX).map(beginning).collect();
    Danger::new(rule, format!("{} {what}", excerpt_of(&shown)))
}

/// A text without the marks of what is not known.
fn shown(text: &str) -> String {
    excerpt(&text.replace([paths::UNKNOWN, paths::TRUSTED], "$…"))
}
