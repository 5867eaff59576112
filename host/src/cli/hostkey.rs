//! `jackfield hostkey`: shows the key that a host presents, and records it once a person has compared it.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use russh::keys::PublicKey;
use serde_json::json;

use super::paint::{BAD, DOUBT, GOOD, painted, say};
use super::runtime::with_directory;
use crate::directory::Directory;
use crate::startup;
use crate::transport::host_key::{Gone, HostKeyError, KnownHosts, Trust, fingerprint, host_name, known_hosts_line, picture, record};
use crate::transport::ssh::{Greeting, HostKeys, Target};

/// What must be typed to say yes.
const YES: &str = "yes";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the key that a host presents now, and whether it is the recorded one
    #[command(after_help = "Examples:\n  jackfield hostkey show web1\n  jackfield hostkey show web1 --json")]
    Show {
        /// The device
        device: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Record the key that a new host presents, after you have compared its fingerprint
    #[command(
        after_help = "Examples:\n  jackfield hostkey accept web1\n  jackfield hostkey accept web1 --fingerprint SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8"
    )]
    Accept {
        /// The device
        device: String,
        /// Record it without a question, if it has this fingerprint
        #[arg(long, value_name = "SHA256:...")]
        fingerprint: Option<String>,
    },
    /// Record further keys that a known host proves, and forget those that it has no more
    #[command(after_help = "Logs in. The host says which keys it has and proves each one; nothing is taken that it does not prove.\n\n\
                      Examples:\n  jackfield hostkey update web1\n  jackfield hostkey update web1 --yes")]
    Update {
        /// The device
        device: String,
        /// Without a question
        #[arg(long)]
        yes: bool,
    },
}

/// Does it.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(command: Command, file: Option<&Path>) -> Result<ExitCode, String> {
    match command {
        Command::Show { device, json } => Presented::by(file, &device)?.show(json),
        Command::Accept { device, fingerprint } => Presented::by(file, &device)?.accept(fingerprint.as_deref()),
        Command::Update { device, yes } => with_directory(startup::config(file)?, async |directory| update(directory, &device, yes).await),
    }
}

/// What a host presents, and what the files say of it.
struct Presented {
    target: Target,
    key: PublicKey,
    /// File and line that have the key. A host whose key is not recorded may have a certificate.
    recorded: Option<(PathBuf, usize)>,
    /// Why nobody logs in there, if so. A recorded key may be refused for other reasons.
    refused: Option<Box<HostKeyError>>,
}

impl Presented {
    /// What it presents now. Nobody logs in to it.
    fn by(file: Option<&Path>, device: &str) -> Result<Self, String> {
        let (target, key, refused) = with_directory(startup::config(file)?, async |directory| {
            let target = directory.sight(device).await.map_err(|error| error.to_string())?;
            let seen = Greeting::look(&target).await.map_err(|error| error.to_string())?;
            let key = seen.key.ok_or_else(|| format!("`{device}` showed no key"))?;
            Ok((target, key, seen.refused))
        })?;
        let known = KnownHosts::load_with(&target.known_hosts, target.revoked.as_deref()).map_err(|error| error.to_string())?;
        let (name, port) = target.host_key_name();
        let recorded = match known.check(name, port, &key) {
            Trust::Known { file, line } => Some((file, line)),
            _ => None,
        };
        Ok(Self { target, key, recorded, refused })
    }

    /// What it is, in a word.
    fn state(&self) -> &'static str {
        match (self.refused.as_deref(), &self.recorded) {
            (None, Some(_)) => "known",
            (None, None) => "certified",
            (Some(HostKeyError::Unknown { .. }), _) => "unknown",
            (Some(HostKeyError::Changed { .. }), _) => "changed",
            (Some(HostKeyError::Revoked { .. }), _) => "revoked",
            (Some(HostKeyError::Certificate { .. } | HostKeyError::Short { .. }), _) => "refused",
        }
    }

    fn show(&self, json: bool) -> Result<ExitCode, String> {
        let Self { target, key, refused, .. } = self;
        let (name, port) = target.host_key_name();
        if json {
            say(&format!(
                "{}\n",
                json!({"device": target.device, "host": host_name(name, port), "type": key.algorithm().as_str(),
                "fingerprint": fingerprint(key), "state": self.state(), "why": refused.as_ref().map(ToString::to_string),
                "line": known_hosts_line(name, port, key, false)})
            ));
        } else {
            say(&self.shown());
            match (refused.as_deref(), self.state()) {
                (None, _) => self.say_trusted("recorded"),
                (Some(why), "unknown") => say(&format!("{}  {why}\n", painted(BAD, "not known"))),
                (Some(why), state) => say(&format!("{}  {why}\n", painted(BAD, state))),
            }
        }
        Ok(if refused.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn accept(&self, wanted: Option<&str>) -> Result<ExitCode, String> {
        let Self { target, key, .. } = self;
        let (name, port) = target.host_key_name();
        match self.refused.as_deref() {
            None => {
                // Who knows the right key is told also where another one was recorded before. A certified one is not looked at.
                if let (Some(wanted), Some((file, line))) = (wanted, &self.recorded)
                    && wanted != fingerprint(key)
                {
                    return Err(format!(
                        "the host presents {}, not {wanted}, and that key is recorded in {} line {line}: somebody may stand between you and the host",
                        fingerprint(key),
                        file.display()
                    ));
                }
                self.say_trusted("recorded already");
                return Ok(ExitCode::SUCCESS);
            }
            Some(HostKeyError::Unknown { .. }) => {}
            // A record would change nothing: the host is refused with it, too.
            Some(other) => return Err(other.to_string()),
        }
        match wanted {
            Some(wanted) if wanted != fingerprint(key) => {
                return Err(format!(
                    "the host presents {}, not {wanted}: nothing is recorded; somebody may stand between you and the host",
                    fingerprint(key)
                ));
            }
            Some(_) => {}
            None => {
                let at_terminal = "a host key is accepted at a terminal, or with --fingerprint SHA256:…";
                let question = "once the owner of the host has confirmed this fingerprint:";
                if !confirmed(&self.shown(), question, at_terminal)? {
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
        let file = target.learning.files.first().ok_or("no known_hosts file is configured")?;
        let line = known_hosts_line(name, port, key, target.learning.hashed);
        record(file, &line).map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
        say(&format!("{}  in {}\n", painted(GOOD, "recorded"), file.display()));
        Ok(ExitCode::SUCCESS)
    }

    /// Says why it is trusted: its key is recorded, or need not be.
    fn say_trusted(&self, recorded: &str) {
        let why = match &self.recorded {
            Some((file, line)) => format!("{recorded} in {} line {line}", file.display()),
            None => "certified by an authority that is trusted".to_owned(),
        };
        say(&format!("{}  {why}\n", painted(GOOD, "known")));
    }

    fn shown(&self) -> String {
        let Self { target, key, .. } = self;
        let (name, port) = target.host_key_name();
        format!("{} presents {} {}\n{}\n", host_name(name, port), key.algorithm(), fingerprint(key), picture(key))
    }
}

/// Brings the recorded keys of a host up to date.
async fn update(directory: &Directory, device: &str, yes: bool) -> Result<ExitCode, String> {
    let (connection, target) = directory.for_host_keys(device).await.map_err(|error| error.to_string())?;
    let keys = HostKeys::of(&target).map_err(|error| error.to_string())?;
    let announced = keys.announced(connection.announcement()).await.map_err(|error| error.to_string())?;
    let announced = announced.ok_or_else(|| format!("`{device}` does not say which keys it has; only OpenSSH's server does as a rule"))?;
    let count = announced.count();
    let planned = match &announced.rotation {
        Ok(planned) => planned.clone(),
        Err(why) => return Err(format!("nothing is learned of `{device}`: {why}")),
    };
    if planned.is_empty() {
        say(&format!("{}  all {count} keys of `{device}` are recorded\n", painted(GOOD, "known")));
        return Ok(ExitCode::SUCCESS);
    }
    let mut shown: String =
        planned.new.iter().map(|key| format!("{}  {} {}\n", painted(GOOD, "new"), key.algorithm(), fingerprint(key))).collect();
    for Gone { file, line, key_type, fingerprint } in &planned.gone {
        let _ = writeln!(shown, "{}  {key_type} {fingerprint} in {} line {line}", painted(DOUBT, "gone"), file.display());
    }
    let question = "to record what is new and to forget what is gone:";
    if yes {
        say(&shown);
    } else if !confirmed(&shown, question, "the keys of a host are updated at a terminal, or with --yes")? {
        return Ok(ExitCode::FAILURE);
    }
    let done = keys.learn(&connection, announced).await.map_err(|error| error.to_string())?;
    connection.leave().await;
    directory.host_keys_changed(device, &done);
    say(&format!("{}  {} learned, {} forgotten\n", painted(GOOD, "recorded"), done.new.len(), done.gone.len()));
    Ok(ExitCode::SUCCESS)
}

/// Asks at the terminal, below what is shown. `otherwise` says what to do where there is none.
fn confirmed(shown: &str, question: &str, otherwise: &str) -> Result<bool, String> {
    if !std::io::stdin().is_terminal() {
        return Err(otherwise.to_owned());
    }
    say(&format!("{shown}{} ", painted(DOUBT, &format!("Type `{YES}` {question}"))));
    let _ = std::io::stdout().flush();
    let mut word = String::new();
    std::io::stdin().read_line(&mut word).map_err(|error| error.to_string())?;
    if word.trim() != YES {
        say("nothing is recorded\n");
        return Ok(false);
    }
    Ok(true)
}
