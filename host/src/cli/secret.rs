//! `jackfield secret`: keeps values in the keyring, and says of those that the configuration names whether they are there.
//!
//! A value is never an argument, which other users could see, and never printed.

use std::fmt::Write as _;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use zeroize::Zeroizing;

use super::hidden;
use super::paint::{BAD, GOOD, painted, say};
use crate::config::{Config, Device};
use crate::secret::{self, SECRET_MAX_BYTES, Secret, SecretSource, keyring};
use crate::startup;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put a value into the keyring: asked for without echo, or read from standard input
    #[command(
        after_help = "Examples:\n  jackfield secret set core-enable\n  pass show net/core | jackfield secret set core-enable\n\nThen, in the configuration:\n  secrets.enable = { keyring = \"core-enable\" }"
    )]
    Set {
        /// Name of the entry, as `{ keyring = "NAME" }` has it
        name: String,
    },
    /// Show the secrets of each device: from where, and whether they are there
    #[command(
        after_help = "Examples:\n  jackfield secret list\n  jackfield secret list --json\n\nStatus: 0 when all of them are there, else 1."
    )]
    List {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Fetch one secret of a device, and say from where and about how long it is
    #[command(after_help = "Examples:\n  jackfield secret test sw1 enable\n  jackfield secret test sw1 password")]
    Test {
        /// The device
        device: String,
        /// The secret's name; `password` is the one that logs in
        name: String,
    },
}

/// In place of a device: no device has this name.
const DOOR: &str = "[http]";
/// Name of the secret that logs in.
const PASSWORD: &str = "password";

/// Does it.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(command: Command, file: Option<&Path>) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    match command {
        Command::Set { name } => {
            let value = asked_for(&name)?;
            let place = runtime.block_on(keyring::store(&name, &value)).map_err(|error| error.to_string())?;
            say(&format!("{}  `{name}` is in {place}; use it with {{ keyring = \"{name}\" }}\n", painted(GOOD, "stored")));
            Ok(ExitCode::SUCCESS)
        }
        Command::List { json } => {
            let config = startup::config(file)?;
            let listed = runtime.block_on(list(&config));
            say(&if json { as_json(&listed) } else { as_text(&listed) });
            Ok(if listed.iter().all(|secret| secret.wrong.is_none()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Test { device, name } => {
            let config = startup::config(file)?;
            let source = source_of(&config, &device, &name)?;
            let value = runtime.block_on(secret::resolve(source)).map_err(|error| error.to_string())?;
            say(&format!("{}  {name} of {device} from {source}: {}\n", painted(GOOD, "there"), length(&value)));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Puts a value into the keyring under this name; says where it is.
///
/// # Errors
///
/// A sentence, without the value.
pub fn keep(name: &str, value: &Zeroizing<String>) -> Result<String, String> {
    let secret = Secret::from_input(Zeroizing::new(value.as_bytes().to_vec())).map_err(|error| error.to_string())?;
    let stored = super::runtime::runtime()?.block_on(keyring::store(name, &secret));
    stored.map(str::to_owned).map_err(|error| error.to_string())
}

/// From the terminal without echo, or the only line of standard input.
fn asked_for(name: &str) -> Result<Secret, String> {
    let raw = if std::io::stdin().is_terminal() {
        let typed = hidden::asked(&format!("Value of `{name}`: ")).map_err(|error| format!("cannot read the terminal: {error}"))?;
        Zeroizing::new(typed.as_bytes().to_vec())
    } else {
        // The full capacity at once: a growing buffer would leave copies behind in freed memory.
        let mut raw = Zeroizing::new(Vec::with_capacity(SECRET_MAX_BYTES + 3));
        let read = std::io::stdin().take(SECRET_MAX_BYTES as u64 + 3).read_to_end(&mut raw);
        read.map_err(|error| format!("cannot read standard input: {error}"))?;
        raw
    };
    Secret::from_input(raw).map_err(|error| error.to_string())
}

fn sources(device: &Device) -> impl Iterator<Item = (&str, &SecretSource)> {
    let own = device.secrets.iter().map(|(name, source)| (name.as_str(), source));
    device.password.iter().map(|source| (PASSWORD, source)).chain(own)
}

fn source_of<'c>(config: &'c Config, device: &str, name: &str) -> Result<&'c SecretSource, String> {
    let Some(found) = config.devices.get(device) else {
        let near = config.nearest_device(device).map_or_else(|| ";".to_owned(), |near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no device `{device}`{near} `jackfield devices` lists them"));
    };
    let mut all = sources(found);
    all.find(|(known, _)| *known == name).map(|(_, source)| source).ok_or_else(|| {
        let known: Vec<&str> = sources(found).map(|(name, _)| name).collect();
        let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has: {}", known.join(", ")) };
        format!("`{device}` has no secret `{name}`; {known}")
    })
}

/// Roughly how long, so that somebody sees that it is the right one without seeing it.
fn length(value: &Secret) -> &'static str {
    match value.expose().len() {
        0..=7 => "shorter than 8 bytes",
        8..=15 => "8 to 15 bytes",
        16..=31 => "16 to 31 bytes",
        _ => "32 bytes or more",
    }
}

/// A secret of a device, or of the HTTP door.
struct Listed {
    device: String,
    name: String,
    origin: String,
    /// Why it cannot be had.
    wrong: Option<String>,
}

async fn list(config: &Config) -> Vec<Listed> {
    let mut listed = Vec::new();
    for (device, found) in &config.devices {
        for (name, source) in sources(found) {
            let wrong = secret::resolve(source).await.err().map(|error| error.to_string());
            listed.push(Listed { device: device.clone(), name: name.to_owned(), origin: source.to_string(), wrong });
        }
    }
    if let Some(http) = &config.http {
        let wrong = secret::resolve(&http.token).await.err().map(|error| error.to_string());
        listed.push(Listed { device: DOOR.to_owned(), name: "token".to_owned(), origin: http.token.to_string(), wrong });
    }
    listed
}

fn as_json(listed: &[Listed]) -> String {
    let each = |secret: &Listed| json!({"device": secret.device, "name": secret.name, "source": secret.origin, "resolves": secret.wrong.is_none(), "error": secret.wrong});
    let secrets: Vec<_> = listed.iter().map(each).collect();
    format!("{}\n", json!({"ok": listed.iter().all(|secret| secret.wrong.is_none()), "secrets": secrets}))
}

fn as_text(listed: &[Listed]) -> String {
    let mut out = String::new();
    for secret in listed {
        let word = if secret.wrong.is_none() { painted(GOOD, "yes") } else { painted(BAD, "no ") };
        let why = secret.wrong.as_ref().map(|why| format!("  {why}")).unwrap_or_default();
        // A text takes everything.
        let _ = writeln!(out, "{word}  {}  {}  from {}{why}", secret.device, secret.name, secret.origin);
    }
    if listed.is_empty() {
        out.push_str("the configuration has no secret\n");
    }
    out
}
