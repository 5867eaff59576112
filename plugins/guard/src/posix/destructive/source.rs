//! Where text comes from that a shell may take for code.

use crate::verdict::listed;
use jackfield_plugin::text::Search;

use super::super::syntax::{Kind, Script, Simple, Stage};
use super::fields::{self, Variables};
use super::paths::UNKNOWN;

/// What a command prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// This text.
    Text(String),
    /// What a file on the device holds: as good as a script that is run by its name.
    File,
    /// Shell code of a program that is made to print it, as `ssh-agent`.
    Trusted,
    /// Paths below these, as `find` prints them.
    Paths(Vec<String>),
    /// Something that nobody has seen; who printed it.
    Data(String),
}

/// Programs that print shell code for `eval`.
const TRUSTED: &str = "brew conda direnv dircolors docker-machine fnm fzf gh gnome-keyring-daemon helm keychain kubectl lesspipe lesspipe.sh \
    locale luarocks minikube mise asdf nodenv opam pyenv rbenv register-python-argcomplete resize ssh-agent starship tset \
    uname zoxide";

/// What a substitution prints: only one command is followed.
pub(super) fn of_script(script: &Script, variables: &Variables) -> Source {
    match script.pipelines.as_slice() {
        [pipeline] => match pipeline.stages.as_slice() {
            [stage] => of_stage(stage, variables),
            [.., last] => data(last, variables),
            [] => Source::Text(String::new()),
        },
        [] => Source::Text(String::new()),
        _ => Source::Data("several commands".to_owned()),
    }
}

/// What the first command of a pipeline prints.
pub(super) fn of_stage(stage: &Stage, variables: &Variables) -> Source {
    let Kind::Simple(simple) = &stage.kind else { return Source::Data("a group".to_owned()) };
    let line = first_line(simple, variables);
    let Some((program, arguments)) = line.split_first() else {
        // `$(<file)`
        return if stage.redirections.is_empty() { Source::Text(String::new()) } else { Source::File };
    };
    let plain = |text: &String| !text.has(UNKNOWN);
    match super::base_name(program) {
        "echo" => Some(echoed(arguments)).filter(plain).map_or_else(|| Source::Data("echo".to_owned()), Source::Text),
        "printf" => printed(arguments).map_or_else(|| Source::Data("printf".to_owned()), Source::Text),
        "which" | "type" | "whence" => arguments.last().map_or(Source::File, |name| Source::Text(name.clone())),
        "command" if arguments.first().is_some_and(|option| option == "-v") => {
            arguments.last().map_or(Source::File, |name| Source::Text(name.clone()))
        }
        "mktemp" => Source::Text("/tmp/mktemp/x".to_owned()),
        "pwd" => Source::Text(".".to_owned()),
        "cat" if !arguments.is_empty() || !stage.redirections.is_empty() => Source::File,
        "find" => Source::Paths(super::remove::found(&line)),
        name if listed(TRUSTED, name) => Source::Trusted,
        name => Source::Data(name.to_owned()),
    }
}

/// What a later command of a pipeline prints.
fn data(stage: &Stage, variables: &Variables) -> Source {
    let Kind::Simple(simple) = &stage.kind else { return Source::Data("a group".to_owned()) };
    let program = first_line(simple, variables).into_iter().next();
    Source::Data(program.as_deref().map_or("a pipe", super::base_name).to_owned())
}

/// What the last of these stages gives to the one behind it.
pub(super) fn of_pipe(stages: &[Stage], variables: &Variables) -> Option<Source> {
    match stages {
        [] => None,
        [only] => Some(of_stage(only, variables)),
        [.., last] => Some(data(last, variables)),
    }
}

fn first_line(simple: &Simple, variables: &Variables) -> Vec<String> {
    fields::lines(&simple.words, variables).into_iter().next().unwrap_or_default()
}

fn echoed(arguments: &[String]) -> String {
    let options = arguments.iter().take_while(|argument| matches!(argument.as_str(), "-n" | "-e" | "-E" | "-ne" | "-en")).count();
    let escapes = arguments.iter().take(options).any(|option| option.has('e'));
    let text = arguments.get(options..).unwrap_or_default().join(" ");
    // With escapes the letters are not those that stand here.
    if escapes && text.has('\\') { text.replaced("\\n", "\n").replaced("\\", UNKNOWN.encode_utf8(&mut [0; 4])) } else { text }
}

/// A format without signs, or `%s` with its texts.
fn printed(arguments: &[String]) -> Option<String> {
    let (format, rest) = arguments.split_first()?;
    let format = format.replaced("\\n", "\n");
    let text = match format.trim_end() {
        "%s" | "%b" => rest.concat(),
        text if !text.has_any("%\\") => text.to_owned(),
        _ => return None,
    };
    (!text.has(UNKNOWN) && !text.has('\\')).then_some(text)
}
