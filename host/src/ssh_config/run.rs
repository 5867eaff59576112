//! Goes through the files once for one name: which blocks apply, and what they set.

use super::criteria::{Criterion, Subject};
use super::files::{Node, Source};
use super::local::Local;
use super::options::Options;
use super::statement::{Statement, Value};
use super::tokens::{self, CONNECTION, Facts, NAME};
use super::{Asked, Place, Problem, ResolveError, exec, facts, keyword, pattern};
use crate::nearest::nearest;

/// One or two goes through the files.
pub(super) struct Run<'a> {
    pub(super) who: &'a Local,
    pub(super) asked: &'a Asked,
    /// The name that was asked for.
    pub(super) original: &'a str,
    /// The name that `Host` lines look at: in the last go the one that was found.
    pub(super) host: String,
    /// Is this the go after the host's name was found?
    pub(super) is_last: bool,
    /// Does a line ask for that go?
    pub(super) wants_last: bool,
    pub(super) options: Options,
    pub(super) warnings: Vec<String>,
    problems: Vec<Problem>,
}

/// In which blocks a file is included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Active,
    /// Nothing in it can apply.
    Inactive,
}

impl<'a> Run<'a> {
    pub(super) fn new(who: &'a Local, asked: &'a Asked, original: &'a str) -> Self {
        let mut options = Options::default();
        if let Some(user) = &asked.user {
            options.replace("user", Value::Text(user.clone()));
        }
        if let Some(port) = asked.port {
            options.replace("port", Value::Port(port));
        }
        if let Some(tag) = &asked.tag {
            options.replace("tag", Value::Text(tag.clone()));
        }
        Self {
            who,
            asked,
            original,
            host: original.to_owned(),
            is_last: false,
            wants_last: false,
            options,
            warnings: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Goes through all files.
    pub(super) fn go(&mut self, sources: &[Source]) -> Result<(), ResolveError> {
        for source in sources {
            self.file(source, Inside::Active)?;
            if !self.problems.is_empty() {
                return Err(ResolveError::Invalid(std::mem::take(&mut self.problems)));
            }
        }
        Ok(())
    }

    fn file(&mut self, source: &Source, inside: Inside) -> Result<(), ResolveError> {
        let possible = inside == Inside::Active;
        let mut active = possible;
        for step in &source.steps {
            let place = || source.place(step);
            match &step.node {
                Node::Include(files) => {
                    let inside = if active { Inside::Active } else { Inside::Inactive };
                    for file in files {
                        self.file(file, inside)?;
                    }
                }
                Node::Line(Statement::Host(patterns)) => active = possible && pattern::host_line_fits(&self.host, patterns),
                Node::Line(Statement::Match(criteria)) => active = self.meets(criteria, &place(), inside)?,
                Node::Line(Statement::Set(name, value)) if active => {
                    if *name == "refuseconnection" {
                        return Err(ResolveError::Refused { place: place(), text: refusal(value) });
                    }
                    if let Err(message) = self.options.take(name, value, &place(), source.is_users) {
                        self.problems.push(Problem { place: place(), message });
                    }
                }
                Node::Line(Statement::Unknown(word)) => self.unknown(word, place()),
                Node::Line(Statement::Set(..) | Statement::Include(_)) => {}
            }
            self.agent_variables(&step.node, &place)?;
        }
        Ok(())
    }

    /// The variables of an agent's path must be set even where the line does not apply.
    fn agent_variables(&mut self, node: &Node, place: &impl Fn() -> Place) -> Result<(), ResolveError> {
        match node {
            Node::Line(Statement::Set(name @ ("identityagent" | "forwardagent"), Value::Text(path))) => {
                tokens::check_variables(path, self.who)
                    .map_err(|message| ResolveError::Invalid(vec![Problem { place: place(), message: format!("{name}: {message}") }]))
            }
            _ => Ok(()),
        }
    }

    fn unknown(&mut self, word: &str, place: Place) {
        let ignored = self.options.text("ignoreunknown").is_some_and(|list| pattern::list_fits(word, &list.to_ascii_lowercase()));
        if !ignored {
            self.problems.push(Problem { place, message: unknown(word) });
        }
    }

    fn meets(&mut self, criteria: &[Criterion], place: &Place, inside: Inside) -> Result<bool, ResolveError> {
        let mut met = true;
        for Criterion { negated, subject } in criteria {
            if *subject == Subject::Final {
                self.wants_last = true;
            }
            let fits = match subject {
                Subject::Exec(_) | Subject::Beyond(..) if !met || inside == Inside::Inactive => continue,
                Subject::Exec(command) => self.runs_well(command, place)?,
                Subject::Beyond(name, list) => {
                    let why = "is not known here";
                    self.warnings.push(format!("{place}: `Match {name} {list}` {why}, so the block does not apply"));
                    None
                }
                other => Some(self.fits(other).map_err(|message| self.wrong(place, message))?),
            };
            met &= fits.is_some_and(|fits| fits != *negated);
        }
        Ok(met && inside == Inside::Active)
    }

    fn fits(&self, subject: &Subject) -> Result<bool, String> {
        Ok(match subject {
            Subject::All => true,
            Subject::Canonical | Subject::Final => self.is_last,
            Subject::Host(list) => pattern::host_list_fits(&self.target()?, list),
            Subject::OriginalHost(list) => pattern::host_list_fits(self.original, list),
            Subject::User(list) => pattern::list_fits(self.user(), list),
            Subject::LocalUser(list) => pattern::list_fits(&self.who.user, list),
            Subject::Tagged(list) => pattern::list_fits(self.options.text("tag").unwrap_or_default(), list),
            Subject::Exec(_) | Subject::Beyond(..) => false,
        })
    }

    /// Nothing when the command may not be run.
    fn runs_well(&mut self, command: &str, place: &Place) -> Result<Option<bool>, ResolveError> {
        if !self.asked.allow_exec {
            self.warnings.push(format!("{place}: `Match exec` is not run here, so the block does not apply: {command}"));
            return Ok(None);
        }
        let run = self.target().and_then(|host| {
            let command = tokens::expand(command, CONNECTION, &self.facts(&host))?;
            exec::succeeds(&command, self.who)
        });
        run.map(Some).map_err(|message| self.wrong(place, message))
    }

    fn wrong(&self, place: &Place, message: String) -> ResolveError {
        ResolveError::Invalid(vec![Problem { place: place.clone(), message: format!("match: {message}") }])
    }

    /// The name to connect to, as far as it is known by now.
    pub(super) fn target(&self) -> Result<String, String> {
        match self.options.text("hostname") {
            Some(host) if self.is_last => Ok(host.to_owned()),
            Some(host) => tokens::expand(host, NAME, &Facts::from([('h', self.host.clone())])),
            None => Ok(self.host.clone()),
        }
    }

    /// Who logs in there, as far as it is known by now.
    pub(super) fn user(&self) -> &str {
        self.options.text("user").unwrap_or(&self.who.user)
    }

    /// What the tokens stand for. Before the end an alias of the key stands beside the host's name of that moment.
    fn facts(&self, host: &str) -> Facts {
        facts::of(self, host, self.options.text("hostkeyalias").unwrap_or(host))
    }
}

/// What is said about a keyword that nobody knows.
pub(super) fn unknown(word: &str) -> String {
    let near = nearest(word, keyword::names()).map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
    format!("the keyword `{word}` is not known{near}; to go on without it, write `IgnoreUnknown {word}` before it")
}

fn refusal(value: &Value) -> String {
    if let Value::Text(text) = value { text.clone() } else { String::new() }
}
