//! OpenSSH's client configuration, read as OpenSSH reads it.
//!
//! The rules are those of ssh_config(5) and, where it is silent, of what `ssh -G` prints: `differential.rs` holds the two against each
//! other. The files are read once, with all that they include; a name is resolved by going through them, and once more where
//! `Match final` or `CanonicalizeHostname` ask for it. Nothing here asks the DNS, and no command is run unless the caller allows it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::dump::dump;
pub use self::forward::{Forward, Listen, Target};
pub use self::jump::JumpHost;
pub use self::local::Local;
pub use self::resolved::{
    AddressFamily, ForwardAgent, IdentityAgent, Origin, RequestTty, Resolved, StrictHostKeyChecking, UpdateHostKeys, Way,
};

use self::files::{Node, Reader, Source};
use self::statement::{Statement, Value};
use crate::limits::{SSH_CONFIG_BYTES_MAX, SSH_CONFIG_DEPTH_MAX, SSH_CONFIG_FILE_MAX_BYTES, SSH_CONFIG_FILES_MAX};

mod address;
mod check;
mod criteria;
#[cfg(test)]
mod differential;
mod dump;
mod exec;
mod facts;
mod files;
mod finish;
mod forward;
#[cfg(test)]
mod fuzz;
mod glob;
mod jump;
mod keyword;
mod local;
mod options;
mod pattern;
mod resolve;
mod resolved;
mod run;
mod statement;
#[cfg(test)]
mod tests;
mod tokens;
mod value;
mod words;

/// Which files are read. One that does not exist is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The user's, which comes first. What it includes lies in `~/.ssh` unless the path is whole, and others may not write it.
    pub user: Option<PathBuf>,
    /// The machine's. What it includes lies beside it.
    pub system: Option<PathBuf>,
}

impl Files {
    /// Those that ssh reads.
    pub fn usual(home: &Path) -> Self {
        Self { user: Some(home.join(".ssh/config")), system: Some("/etc/ssh/ssh_config".into()) }
    }
}

/// What is known about a connection before the configuration is asked: it wins over every line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Who logs in.
    pub user: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// What `Match tagged` looks at.
    pub tag: Option<String>,
    /// May the commands of `Match exec` run? Else their blocks do not apply, and a warning says so.
    pub allow_exec: bool,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// Its line, counted from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file.display(), self.line)
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// A fragment that says what is wrong, and what would be right.
    pub message: String,
}

/// Why the files cannot be used. ssh connects nowhere with such files.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file that is included could not be read.
    #[error("cannot read the ssh configuration `{}`: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// It is a pipe or a socket, from which reading might never end.
    #[error("the ssh configuration `{}` is not a file", path.display())]
    NoFile {
        /// The pipe or socket.
        path: PathBuf,
    },
    /// The file is longer than what is read.
    #[error("the ssh configuration `{}` is larger than {SSH_CONFIG_FILE_MAX_BYTES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Files include files too deep, perhaps themselves.
    #[error("{place}: files are included more than {SSH_CONFIG_DEPTH_MAX} deep; a file may include itself")]
    TooDeep {
        /// The line that includes one more.
        place: Place,
    },
    /// More files are included than are read.
    #[error("the ssh configuration has more than {SSH_CONFIG_FILES_MAX} files; `{}` is one too many", path.display())]
    TooMany {
        /// The first file that is not read.
        path: PathBuf,
    },
    /// The files together are longer than what is read.
    #[error("the files of the ssh configuration have more than {SSH_CONFIG_BYTES_MAX} bytes; `{}` is one too many", path.display())]
    TooMuch {
        /// The first file that is not read.
        path: PathBuf,
    },
    /// Somebody else could write the file.
    #[error("{0}")]
    Unsafe(String),
    /// Lines are wrong.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
}

/// Why a name cannot be resolved. ssh would not connect either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// What is asked for is not a host's name.
    #[error("`{name}` is not a name of a host: it is empty or too long, begins with `-`, or has a character with a meaning for shells")]
    Name {
        /// What was asked for.
        name: String,
    },
    /// What is asked for is not a user's name.
    #[error(
        "`{user}` is not a name of a user: it is empty or too long, has a word that begins with `-`, or a character with a meaning for shells"
    )]
    User {
        /// What was asked for.
        user: String,
    },
    /// Lines are wrong.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
    /// A value cannot be expanded, or makes no sense.
    #[error("{keyword}: {message}")]
    Value {
        /// The keyword in lower case.
        keyword: &'static str,
        /// What is wrong with its value.
        message: String,
    },
    /// `RefuseConnection` stands there.
    #[error("{place}: the configuration refuses this connection: {text}")]
    Refused {
        /// The line.
        place: Place,
        /// What it says.
        text: String,
    },
    /// The way to the host leads through itself.
    #[error("proxyjump: the way to `{host}` leads through `{host}` itself; end it with `ProxyJump none` in a block for that host")]
    Loop {
        /// The host.
        host: String,
    },
    /// The name is to be found in a domain, and there is none.
    #[error("`{host}` is in none of the domains: CanonicalizeFallbackLocal is `no` and CanonicalDomains names none")]
    NoDomain {
        /// The host.
        host: String,
    },
}

/// The configuration of one user on one machine.
#[derive(Debug, Clone)]
pub struct SshConfig {
    who: Local,
    sources: Vec<Source>,
    warnings: Vec<String>,
}

impl SshConfig {
    /// Reads the files, and what they include, once.
    ///
    /// # Errors
    ///
    /// Where ssh refuses them, too: a line that is wrong, even one that applies to no host; a file that others may write; one that is
    /// included and cannot be read. And where they go beyond a bound.
    pub fn load(files: &Files, who: &Local) -> Result<Self, LoadError> {
        let mut reader = Reader::new(who);
        let user = files.user.as_deref().map(|path| reader.users(path)).transpose()?.flatten();
        let system = files.system.as_deref().map(|path| reader.systems(path)).transpose()?.flatten();
        let Reader { mut problems, warnings, .. } = reader;
        let config = Self { who: who.clone(), sources: user.into_iter().chain(system).collect(), warnings };
        problems.extend(config.never_known());
        if problems.is_empty() { Ok(config) } else { Err(LoadError::Invalid(problems)) }
    }

    /// The hosts that `Host` lines name without patterns, in their order, each once.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        self.each(&mut |_, statement| {
            if let Statement::Host(patterns) = statement {
                names.extend(patterns.iter().filter(|name| pattern::is_name(name) && seen.insert((*name).clone())).cloned());
            }
        });
        names
    }

    /// What a person should know about the files: text that is not UTF-8, a file that cannot be read.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// All that the files say about this name. With `allow_exec` this waits for commands.
    ///
    /// # Errors
    ///
    /// Where ssh would not connect, too.
    pub fn resolve(&self, name: &str, asked: &Asked) -> Result<Resolved, ResolveError> {
        resolve::resolve(self, name, asked)
    }

    /// Keywords that are unknown whichever blocks apply: no line says to ignore them.
    fn never_known(&self) -> Vec<Problem> {
        let mut ignored = Vec::new();
        self.each(&mut |_, statement| {
            if let Statement::Set("ignoreunknown", Value::Text(list)) = statement {
                ignored.push(list.to_ascii_lowercase());
            }
        });
        let mut problems = Vec::new();
        self.each(&mut |place, statement| match statement {
            Statement::Unknown(word) if !ignored.iter().any(|list| pattern::list_fits(word, list)) => {
                problems.push(Problem { place, message: run::unknown(word) });
            }
            _ => {}
        });
        problems
    }

    fn each(&self, visit: &mut impl FnMut(Place, &Statement)) {
        self.sources.iter().for_each(|source| each(source, visit));
    }
}

fn each(source: &Source, visit: &mut impl FnMut(Place, &Statement)) {
    for step in &source.steps {
        match &step.node {
            Node::Line(statement) => visit(source.place(step), statement),
            Node::Include(files) => files.iter().for_each(|file| each(file, visit)),
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
