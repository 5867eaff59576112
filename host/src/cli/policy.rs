//! `jackfield policy`: what policy says of a line, without a connection.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::paint::{BAD, DIM, DOUBT, GOOD, painted, say};
use super::runtime::block_on;
use crate::config::{Config, PolicyMode, TypeChoice};
use crate::plugin::catalog::Catalog;
use crate::plugin::device_type::DeviceType;
use crate::plugin::roles::Effect;
use crate::policy::explain::{Explanation, explain};
use crate::policy::{Line, Manner, Purpose};
use crate::startup;

mod test;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what policy makes of a command, and why, without connecting
    #[command(
        after_help = "Examples:\n  jackfield policy explain core-sw1 -- reload in 5\n  jackfield policy explain --type cisco_ios --mode config -- no router bgp 65000\n  jackfield policy explain web1 --purpose query --json -- 'cat /etc/hosts | sort'\n\nStatus: 0 when the line runs by itself; 1 when it is asked about or denied, or the mode is probably misspelt."
    )]
    Explain(Wanted),
    /// Judge a table of commands and say which verdicts are not as written
    #[command(
        after_help = "Example of a table:\n  [[examples]]\n  device = \"core-sw1\"        # or type = \"cisco_ios\"\n  mode = \"privileged\"\n  read = [\"show version\"]\n  allow = [\"write memory\"]\n  ask = [\"reload\"]\n  deny = [\"write erase\"]\n\nExample:\n  jackfield policy test policy-examples.toml\n\nStatus: 0 when all verdicts are as written, else 1."
    )]
    Test {
        /// The table
        file: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// A command to explain.
#[derive(Debug, Args)]
pub struct Wanted {
    /// The device
    #[arg(required_unless_present = "kind", conflicts_with = "kind")]
    device: Option<String>,
    /// A device type instead of a device
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// The device's mode, such as privileged, config or shell; the one that a session begins with if not given
    #[arg(long, default_value = "")]
    mode: String,
    /// What it is wanted for
    #[arg(long, value_parser = purpose(), default_value = Purpose::Run.word())]
    purpose: Purpose,
    /// Who asks, as the rules see it
    #[arg(long, default_value = "cli")]
    caller: String,
    /// The operator's mode instead of the configured one
    #[arg(long, value_parser = mode())]
    policy: Option<PolicyMode>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The command
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

fn purpose() -> impl TypedValueParser<Value = Purpose> {
    let known = |word: String| Purpose::ALL.into_iter().find(|purpose| purpose.word() == word).unwrap_or(Purpose::Run);
    PossibleValuesParser::new(Purpose::ALL.map(Purpose::word)).map(known)
}

fn mode() -> impl TypedValueParser<Value = PolicyMode> {
    PossibleValuesParser::new(PolicyMode::WORDS.map(|(word, _)| word)).try_map(|word| word.parse::<PolicyMode>())
}

/// Runs one of the commands.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(command: Command, file: Option<&Path>) -> Result<ExitCode, String> {
    let config = startup::config(file)?;
    let judge = Judge { catalog: startup::catalog(&config)?, config };
    match command {
        Command::Explain(wanted) => block_on(one(&judge, &wanted))?,
        Command::Test { file, json } => block_on(test::run(&judge, &file, json))?,
    }
}

async fn one(judge: &Judge, wanted: &Wanted) -> Result<ExitCode, String> {
    let place = Place::of(wanted.device.as_deref(), wanted.kind.as_deref());
    let asked = Asked {
        mode: &wanted.mode,
        purpose: wanted.purpose,
        caller: &wanted.caller,
        policy: wanted.policy,
        text: &wanted.command.join(" "),
    };
    let explanation = judge.explain(place, &asked).await?;
    say(&if wanted.json { format!("{}\n", explanation.value()) } else { shown(&explanation) });
    // What is allowed in a mode that was not meant is no answer for a script.
    let is_allowed = explanation.verdict.allows() && explanation.near.is_none();
    Ok(if is_allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn shown(explanation: &Explanation) -> String {
    let style = match explanation.verdict.decision.effect {
        Effect::Allow => GOOD,
        Effect::Ask => DOUBT,
        Effect::Deny | Effect::Abstain => BAD,
    };
    let text = explanation.text();
    let (first, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let place = format!("{}: {}", explanation.place(), explanation.command);
    format!("{}\n{} {rest}\n", painted(DIM, &place), painted(style, first))
}

/// Where a line would be typed.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Device(&'a str),
    Type(&'a str),
}

impl<'a> Place<'a> {
    fn of(device: Option<&'a str>, kind: Option<&'a str>) -> Self {
        match (device, kind) {
            (Some(device), _) => Self::Device(device),
            (None, kind) => Self::Type(kind.unwrap_or_default()),
        }
    }
}

/// A line, and how it would be typed.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    mode: &'a str,
    purpose: Purpose,
    caller: &'a str,
    policy: Option<PolicyMode>,
    text: &'a str,
}

/// What judges.
#[derive(Debug)]
struct Judge {
    config: Config,
    catalog: Catalog,
}

impl Judge {
    async fn explain(&self, place: Place<'_>, asked: &Asked<'_>) -> Result<Explanation, String> {
        let (name, kind, tags, policy) = match place {
            Place::Type(kind) => ("example", kind.to_owned(), Vec::new(), self.config.policy),
            Place::Device(name) => {
                let device = self.config.devices.get(name).ok_or_else(|| self.unknown(name))?;
                let TypeChoice::Named(kind) = &device.device_type else {
                    return Err(format!(
                        "the type of device `{name}` is found out when it is opened; name one with --type instead of the device"
                    ));
                };
                (name, kind.to_string(), device.tags.clone(), self.config.policy_for(device))
            }
        };
        let plugins = self.catalog.plugins_of(&kind).ok_or_else(|| {
            let types = self.catalog.types();
            let known: Vec<&str> = types.keys().map(String::as_str).collect();
            let near = crate::nearest::nearest(&kind, known.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
            format!("there is no device type `{kind}`{}", near.unwrap_or_else(|| format!("; known types: {}", known.join(", "))))
        })?;
        let loaded = DeviceType::load(&kind, &plugins, &self.catalog).await.map_err(|error| error.to_string())?;
        let line = Line {
            device: name,
            tags: &tags,
            mode: asked.mode,
            privileged: false,
            cwd: None,
            manner: Manner::Typed,
            text: asked.text,
            unknown: false,
            purpose: asked.purpose,
            caller: asked.caller,
        };
        Ok(explain(Arc::new(loaded), &line, asked.policy.unwrap_or(policy)).await)
    }

    fn unknown(&self, name: &str) -> String {
        let near = self.config.nearest_device(name).map(|near| format!("; did you mean `{near}`?"));
        format!("there is no device `{name}`{}", near.unwrap_or_else(|| "; --type judges by a device type".to_owned()))
    }
}
