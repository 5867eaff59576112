//! `jackfield hostkey`: shows the key that a host presents, and records it once a person has compared it.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use russh::keys::PublicKey;
use serde_json::json;

use super::paint::{BAD, DOUBT, GOOD, painted, say};
use super::runtime::block_on;
use crate::startup;
use crate::transport::host_key::{KnownHosts, Trust, fingerprint, host_name, known_hosts_line, picture, record};
use crate::transport::ssh::{Greeting, Target};

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
}

/// Does it.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(command: Command, file: Option<&Path>) -> Result<ExitCode, String> {
    let (Command::Show { device, .. } | Command::Accept { device, .. }) = &command;
    let (target, key) = seen(file, device)?;
    let known = KnownHosts::load_with(&target.known_hosts, target.revoked.as_deref()).map_err(|error| error.to_string())?;
    let (name, port) = target.host_key_name();
    let trust = known.check(name, port, &key);
    match command {
        Command::Show { json: true, .. } => {
            let state = match &trust {
                Trust::Known { .. } => "known",
                Trust::Unknown => "unknown",
                Trust::Changed { .. } => "changed",
                Trust::Revoked { .. } => "revoked",
            };
            say(&format!(
                "{}\n",
                json!({"device": device, "host": host_name(name, port), "type": key.algorithm().as_str(),
                "fingerprint": fingerprint(&key), "state": state, "line": known_hosts_line(name, port, &key)})
            ));
            Ok(if matches!(trust, Trust::Known { .. }) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Show { device, .. } => {
            say(&shown(&target, &key));
            let known = known.verify(&device, name, port, &key);
            say(&match (&known, &trust) {
                (Ok(()), Trust::Known { file, line }) => {
                    format!("{}  recorded in {} line {line}\n", painted(GOOD, "known"), file.display())
                }
                (Ok(()), _) => format!("{}\n", painted(GOOD, "known")),
                (Err(error), _) => format!("{}  {error}\n", painted(BAD, "not known")),
            });
            Ok(if known.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Accept { fingerprint: wanted, .. } => accept(&target, &key, &trust, &known, wanted.as_deref()),
    }
}

/// What the host presents now. Nobody logs in to it.
fn seen(file: Option<&Path>, device: &str) -> Result<(Target, PublicKey), String> {
    let config = startup::config(file)?;
    let directory = startup::directory(config)?;
    let seen = block_on(async {
        let looked = async {
            let target = directory.sight(device).await.map_err(|error| error.to_string())?;
            let seen = Greeting::look(&target).await.map_err(|error| error.to_string())?;
            let key = seen.key.ok_or_else(|| format!("`{device}` showed no key"))?;
            Ok((target, key))
        };
        let found = looked.await;
        directory.shut_down().await;
        found
    });
    startup::clean_up();
    seen?
}

fn shown(target: &Target, key: &PublicKey) -> String {
    let (name, port) = target.host_key_name();
    format!("{} presents {} {}\n{}\n", host_name(name, port), key.algorithm(), fingerprint(key), picture(key))
}

fn accept(target: &Target, key: &PublicKey, trust: &Trust, known: &KnownHosts, wanted: Option<&str>) -> Result<ExitCode, String> {
    let (name, port) = target.host_key_name();
    match trust {
        Trust::Known { file, line } => {
            say(&format!("{}  recorded already in {} line {line}\n", painted(GOOD, "known"), file.display()));
            return Ok(ExitCode::SUCCESS);
        }
        Trust::Changed { .. } | Trust::Revoked { .. } => {
            return known.verify(&target.device, name, port, key).map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string());
        }
        Trust::Unknown => {}
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
            if !std::io::stdin().is_terminal() {
                return Err("a host key is accepted at a terminal, or with --fingerprint SHA256:…".to_owned());
            }
            let question = format!("Type `{YES}` once the owner of the host has confirmed this fingerprint:");
            say(&format!("{}{} ", shown(target, key), painted(DOUBT, &question)));
            let _ = std::io::stdout().flush();
            let mut word = String::new();
            std::io::stdin().read_line(&mut word).map_err(|error| error.to_string())?;
            if word.trim() != YES {
                say("nothing is recorded\n");
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    let file = target.known_hosts.first().ok_or("no known_hosts file is configured")?;
    record(file, &known_hosts_line(name, port, key)).map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
    say(&format!("{}  in {}\n", painted(GOOD, "recorded"), file.display()));
    Ok(ExitCode::SUCCESS)
}
