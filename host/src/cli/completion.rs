//! `jackfield completion`: a script that has a shell ask the program itself what may come next.
//!
//! The script calls `jackfield -- WORDS...` with [`VARIABLE`] set, and [`answer`] says what fits: commands, options, known words, paths,
//! and by [`with_names`] devices and open sessions. So nothing in a script grows old when commands change. The engine is that of
//! `clap_complete`, whose interface is marked unstable: the version in `Cargo.toml` is exact, and program and script come together.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, Command, ValueEnum};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{EnvCompleter, Shells};

use super::paint::put;
use crate::limits::{COMPLETION_NAMES_MAX, COMPLETION_WORDS_MAX};

/// The variable by which a script says which shell asks.
pub const VARIABLE: &str = "JACKFIELD_COMPLETE";

/// A shell with a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash 4.4 or newer is best; older ones lose the order of the list
    Bash,
    /// Zsh, after its `compinit`
    Zsh,
    /// Fish
    Fish,
    /// PowerShell
    Powershell,
}

impl Shell {
    fn completer(self) -> Option<&'static dyn EnvCompleter> {
        const SHELLS: Shells<'static> = Shells::builtins();
        let name = match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
        };
        SHELLS.0.iter().copied().find(|shell| shell.is(name))
    }
}

/// Where names come from that only this machine knows. Both are given the configuration that the line names with `--config`.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// Devices of the configuration. Reads files alone: a completion connects to nothing and runs nothing.
    pub devices: fn(Option<&Path>) -> Vec<String>,
    /// Open sessions of running servers, as `device#session`.
    pub sessions: fn(Option<&Path>) -> Vec<String>,
}

/// What the value of an argument is, by the argument's name in the program.
const MEANINGS: [(&str, Meaning); 3] = [("device", Meaning::Device), ("target", Meaning::DeviceOrSession), ("session", Meaning::Session)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Device,
    Session,
    DeviceOrSession,
}

/// Prints the script of a shell for a program.
///
/// # Errors
///
/// When the script cannot be made.
pub fn run(shell: Shell, command: &Command) -> Result<ExitCode, String> {
    put(script(shell, command.get_bin_name().unwrap_or_else(|| command.get_name()), &own_path())?.as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// Answers a script, if this process was started by one. To be asked first, before anything is parsed or printed.
///
/// # Errors
///
/// A sentence; the shell shows nothing then.
pub fn answer(command: impl FnOnce() -> Command, names: Names) -> Result<Option<ExitCode>, String> {
    let mut words = std::env::args_os().skip(1);
    let shell = std::env::var_os(VARIABLE);
    // The variable alone may have been left in an environment; no other call begins with `--`.
    let (Some(shell), Some(first)) = (shell, words.next()) else { return Ok(None) };
    if first != "--" {
        return Ok(None);
    }
    let words: Vec<OsString> = words.take(COMPLETION_WORDS_MAX).collect();
    // As it is: between candidates bash wants a sign that is taken out of what a person reads.
    put(candidates(&shell, command(), words, names)?.as_bytes());
    Ok(Some(ExitCode::SUCCESS))
}

/// The command with devices and sessions as values of the arguments that mean them. `words` are those of the line.
fn with_names(command: Command, names: Names, words: &[OsString]) -> Command {
    let config = config_of(words);
    let named = move |arg: Arg| {
        let meaning = MEANINGS.iter().find(|(id, _)| arg.get_id() == *id).map(|(_, meaning)| *meaning);
        let Some(meaning) = meaning else { return arg };
        let config = config.clone();
        arg.add(ArgValueCandidates::new(move || known(meaning, names, config.as_deref())))
    };
    everywhere(command, &named)
}

/// The same for each argument of a command and the commands below it.
fn everywhere(command: Command, change: &(impl Fn(Arg) -> Arg + Clone)) -> Command {
    command.mut_args(change.clone()).mut_subcommands(|command| everywhere(command, change))
}

fn known(meaning: Meaning, names: Names, config: Option<&Path>) -> Vec<CompletionCandidate> {
    let devices = || (names.devices)(config);
    let sessions = || (names.sessions)(config);
    let all: Vec<String> = match meaning {
        Meaning::Device => devices(),
        Meaning::Session => sessions(),
        Meaning::DeviceOrSession => devices().into_iter().chain(sessions()).collect(),
    };
    // What has a control character could be more than a word to a shell.
    let fits = |name: &String| !name.contains(char::is_control);
    all.into_iter().filter(fits).take(COMPLETION_NAMES_MAX).map(CompletionCandidate::new).collect()
}

/// What `--config` names in an unfinished line.
fn config_of(words: &[OsString]) -> Option<PathBuf> {
    let glued = words.iter().find_map(|word| word.to_str()?.strip_prefix("--config="));
    let apart = || {
        let place = words.iter().position(|word| word == "--config")?;
        words.get(place + 1)
    };
    let path = glued.map(OsStr::new).or_else(|| apart().map(OsString::as_os_str)).filter(|path| !path.is_empty())?;
    // The shell has not resolved it yet.
    match (path.to_str().and_then(|path| path.strip_prefix("~/")), std::env::home_dir()) {
        (Some(below), Some(home)) => Some(home.join(below)),
        _ => Some(PathBuf::from(path)),
    }
}

fn candidates(shell: &OsStr, command: Command, words: Vec<OsString>, names: Names) -> Result<String, String> {
    let shell = shell.to_str().and_then(|name| Shell::from_str(name, false).ok()).and_then(Shell::completer);
    let shell = shell.ok_or_else(|| format!("`{VARIABLE}` names none of bash, zsh, fish, powershell"))?;
    let mut command = with_names(command, names, &words);
    command.build();
    let mut out = Vec::new();
    let folder = std::env::current_dir().ok();
    let written = shell.write_complete(&mut command, words, folder.as_deref(), &mut out);
    written.map_err(|error| format!("cannot complete the line: {error}"))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn script(shell: Shell, program: &str, path: &str) -> Result<String, String> {
    let completer = shell.completer().ok_or("there is no script for this shell")?;
    let mut out = Vec::new();
    let written = completer.write_registration(VARIABLE, program, program, path, &mut out);
    written.map_err(|error| format!("cannot make the script: {error}"))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// What the script calls: the name where the program was called by its name, else its whole path.
fn own_path() -> String {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let is_name = called.components().count() == 1;
    let path = if is_name { called } else { std::env::current_exe().unwrap_or(called) };
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Command {
        let config = Arg::new("config").long("config").global(true);
        let doctor = Command::new("doctor").about("Go the way").arg(Arg::new("device").required(true)).arg(Arg::new("json").long("json"));
        let test = Command::new("test").arg(Arg::new("device")).arg(Arg::new("name"));
        let history = Command::new("history").arg(Arg::new("target").long("target"));
        let hidden = Command::new("internal").hide(true);
        Command::new("jackfield").arg(config).subcommands([doctor, Command::new("secret").subcommand(test), history, hidden])
    }

    fn names() -> Names {
        fn devices(config: Option<&Path>) -> Vec<String> {
            match config {
                Some(path) => vec![format!("of-{}", path.display())],
                None => vec!["core-sw1".to_owned(), "core-sw2".to_owned(), "web1".to_owned(), "bad\nname".to_owned()],
            }
        }
        Names { devices, sessions: |_| vec!["web1#a".to_owned()] }
    }

    /// What fish is told for the last of these words.
    fn check(words: &[&str], expected: &[&str]) {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let text = candidates(OsStr::new("fish"), program(), words, names()).unwrap();
        let found: Vec<&str> = text.lines().map(|row| row.split('\t').next().unwrap_or_default()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn devices_and_sessions_come_where_they_are_meant() {
        check(&["jackfield", "doctor", "co"], &["core-sw1", "core-sw2"]);
        check(&["jackfield", "secret", "test", "w"], &["web1"]);
        check(&["jackfield", "history", "--target", "web"], &["web1", "web1#a"]);
        check(&["jackfield", "secret", "test", "web1", "w"], &[]);
    }

    #[test]
    fn commands_and_options_come_and_hidden_ones_do_not() {
        check(&["jackfield", "do"], &["doctor"]);
        check(&["jackfield", ""], &["doctor", "secret", "history", "help", "--config", "--help"]);
        check(&["jackfield", "doctor", "--js"], &["--json"]);
    }

    #[test]
    fn the_configuration_of_the_line_counts() {
        check(&["jackfield", "--config", "a.toml", "doctor", "of"], &["of-a.toml"]);
        check(&["jackfield", "doctor", "--config=b.toml", "of"], &["of-b.toml"]);
    }

    #[test]
    fn each_shell_has_a_script_that_names_the_variable_and_the_program() {
        for shell in Shell::value_variants() {
            let text = script(*shell, "jackfield", "/opt/a b/jackfield").unwrap();
            assert!(text.contains(VARIABLE) && text.contains("/opt/a b/jackfield"), "{text}");
        }
    }

    #[test]
    fn an_unknown_shell_is_named() {
        assert!(candidates(OsStr::new("csh"), program(), vec!["jackfield".into()], names()).unwrap_err().contains("bash, zsh, fish"));
    }
}
