//! Finds the daemon, or starts it. However many do so at once, there is one.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::hello::{AGENT_VARIABLE, Greeting, Hello, Variables, Want};
use super::{Name, lock_file, read_line, within};
use crate::limits::{DAEMON_START_MAX, HELLO_MAX_BYTES};
use crate::startup;

/// The program's name: the relay is another one beside it.
const PROGRAM: &str = "jackfield";
/// What a daemon says to who started it, once it can be connected to.
pub const READY: &str = "ready";

/// A connection to a daemon that has been greeted.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub stream: UnixStream,
    /// What the daemon said.
    pub greeting: Greeting,
}

/// Connects to the daemon for a configuration file if it runs.
///
/// # Errors
///
/// When it does not, or does not understand this program.
pub fn connect(name: &Name, want: &Want) -> Result<Connected, Error> {
    let folder = startup::run_folder().map_err(|error| Error::Failed(format!("cannot look for the daemon: {error}")))?;
    let stream = within(&folder, &name.socket(), |path| UnixStream::connect(path)).map_err(|_| Error::None)?;
    greet(stream, want)
}

/// Why there is no connection.
#[derive(Debug)]
pub enum Error {
    /// No daemon runs.
    None,
    /// One runs, or should; why that does not help.
    Failed(String),
}

impl From<Error> for String {
    fn from(error: Error) -> Self {
        match error {
            Error::None => "no jackfield daemon runs for this configuration; `jackfield open DEVICE` starts one".to_owned(),
            Error::Failed(why) => why,
        }
    }
}

fn greet(mut stream: UnixStream, want: &Want) -> Result<Connected, Error> {
    let failed = |error: io::Error| match error.kind() {
        // It went away just now.
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Error::None,
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            let seconds = DAEMON_START_MAX.as_secs();
            Error::Failed(format!("the daemon does not answer within {seconds} s; `jackfield status` says which process it is"))
        }
        _ => Error::Failed(format!("the daemon does not answer: {error}; `jackfield status` looks at it")),
    };
    stream.set_read_timeout(Some(DAEMON_START_MAX)).map_err(failed)?;
    stream.write_all(Hello::new(want.clone()).line().as_bytes()).map_err(failed)?;
    let stranger = || Error::Failed("what listens on the daemon's socket is no jackfield".to_owned());
    let line = read_line(&mut stream, HELLO_MAX_BYTES).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => stranger(),
        _ => failed(error),
    })?;
    let greeting: Greeting = serde_json::from_slice(&line).map_err(|_| stranger())?;
    greeting.check().map_err(Error::Failed)?;
    stream.set_read_timeout(None).map_err(failed)?;
    Ok(Connected { stream, greeting })
}

/// Connects to the daemon for a configuration file, which is started if it does not run.
///
/// # Errors
///
/// Why there is none, as a sentence; what is wrong with the configuration too.
pub fn connect_or_start(file: Option<&Path>, want: &Want) -> Result<Connected, String> {
    let name = Name::of(file);
    match connect(&name, want) {
        Err(Error::None) => {}
        found => return found.map_err(String::from),
    }
    let folder = startup::run_folder().map_err(|error| format!("cannot start the daemon: {error}"))?;
    // One starts it, the others wait here and find it.
    let _turn = turn(&folder.join(name.file("start")))?;
    match connect(&name, want) {
        Err(Error::None) => {}
        found => return found.map_err(String::from),
    }
    start(file)?;
    connect(&name, want).map_err(String::from)
}

/// Waits for the others who start something.
fn turn(path: &Path) -> Result<File, String> {
    let file = lock_file(path)?;
    file.lock().map_err(|error| format!("cannot use `{}`: {error}", path.display()))?;
    Ok(file)
}

/// Starts the process and waits until it can be connected to.
fn start(file: Option<&Path>) -> Result<(), String> {
    let program = own_program().map_err(|error| format!("cannot start the daemon: {error}"))?;
    let mut command = Command::new(program);
    if let Some(file) = file {
        command.arg("--config").arg(file);
    }
    let log = super::log::open(&Name::of(file)).map_err(|error| format!("cannot start the daemon: its log: {error}"))?;
    command.arg("daemon").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut child = command.spawn().map_err(|error| format!("cannot start the daemon: {error}"))?;
    let Some(output) = child.stdout.take() else { return Err("cannot start the daemon: it has no output".to_owned()) };
    let mut said = String::new();
    let mut lines = BufReader::new(output.take(HELLO_MAX_BYTES as u64));
    while lines.read_line(&mut said).is_ok_and(|count| count > 0) {
        if said.ends_with(&format!("{READY}\n")) {
            // It may end before this process does, which then takes its status.
            thread::spawn(move || child.wait());
            return Ok(());
        }
    }
    let _ = child.wait();
    let why = said.trim();
    Err(if why.is_empty() { "the daemon ended while it started; `jackfield status` names its log".to_owned() } else { why.to_owned() })
}

/// The program's file. One that was removed meanwhile is still this one.
fn own_program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let beside = path.with_file_name(PROGRAM);
    if fs::metadata(&beside).is_ok() { Ok(beside) } else { Ok(PathBuf::from("/proc/self/exe")) }
}

/// The client's values of the variables that the daemon's configuration refers to.
#[must_use]
pub fn variables(greeting: &Greeting) -> Variables {
    let value = |name: &String| std::env::var(name).ok().map(|value| (name.clone(), value));
    // An agent that has gone, as in a terminal that has outlived its login, is no better than the one that the daemon knows.
    let is_there = |(name, value): &(String, String)| name != AGENT_VARIABLE || Path::new(value).exists();
    greeting.variables.iter().filter_map(value).filter(is_there).collect()
}
