//! The command line: arguments, what a person reads, exit codes.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::daemon::service;

pub mod answer;
pub mod approve;
pub mod audit;
pub mod check;
pub mod completion;
pub mod daemon;
pub mod doctor;
mod hidden;
pub mod history;
pub mod hostkey;
pub mod import;
pub mod lab;
pub mod man;
pub mod paint;
pub mod plugin;
pub mod policy;
pub mod record;
pub mod replay;
pub mod runtime;
pub mod secret;
pub mod serve;
pub mod sessions;
mod since;
pub mod stdio;
pub mod viewer;

/// Lines to devices, plugs for their kinds: persistent SSH sessions for AI agents and people.
#[derive(Debug, Parser)]
#[command(
    name = "jackfield",
    version,
    about,
    after_help = "Examples:\n  jackfield demo\n  jackfield check\n  claude mcp add jackfield -- jackfield mcp"
)]
pub struct Cli {
    /// Configuration file instead of $JACKFIELD_CONFIG, ./jackfield.toml or ~/.config/jackfield/config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve MCP clients over standard input and output
    #[command(after_help = "Example:\n  claude mcp add jackfield -- jackfield mcp --config ~/net/jackfield.toml")]
    Mcp {
        /// Hold the sessions in this process instead of the daemon: they end with it
        #[arg(long)]
        in_process: bool,
    },
    /// Hold sessions for agents and people, until nobody needs them; `mcp` and others start it
    Daemon,
    /// Show every process that holds sessions
    #[command(after_help = "Examples:\n  jackfield status\n  jackfield status --json")]
    Status {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// End the daemon of this configuration
    #[command(after_help = "Examples:\n  jackfield stop\n  jackfield stop --now\n  jackfield stop --all --now")]
    Stop {
        /// Every process that holds sessions
        #[arg(long)]
        all: bool,
        /// Even if sessions are open
        #[arg(long)]
        now: bool,
    },
    /// End the daemon and start it again, for example after an update
    #[command(after_help = "Examples:\n  jackfield restart --drain\n  jackfield restart --now")]
    Restart {
        /// Wait until no command runs, then close the sessions
        #[arg(long, conflicts_with = "now")]
        drain: bool,
        /// Even if commands run
        #[arg(long)]
        now: bool,
    },
    /// Open the sessions in a browser
    #[command(after_help = "Examples:\n  jackfield viewer\n  jackfield viewer web1\n  jackfield viewer --read-only --print")]
    Viewer {
        /// The session's page instead of the list
        session: Option<String>,
        /// A link that only lets look
        #[arg(long)]
        read_only: bool,
        /// Print the link and open nothing
        #[arg(long)]
        print: bool,
        /// Listen on this port of the loopback interface instead of a free one
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        port: u16,
    },
    /// Print a unit that has systemd (or launchd) keep the daemon
    #[command(after_help = "Example:\n  jackfield service > ~/.config/systemd/user/jackfield.service")]
    Service {
        /// For launchd
        #[arg(long)]
        launchd: bool,
    },
    /// What people do with sessions
    #[command(flatten)]
    Sessions(sessions::Command),
    /// Check the configuration and the plugins that it uses
    #[command(
        after_help = "Examples:\n  jackfield check --config jackfield.toml && echo fine\n  jackfield check --schema > jackfield.schema.json"
    )]
    Check {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
        /// Print the JSON Schema of the configuration file, and check nothing
        #[arg(long, conflicts_with = "json")]
        schema: bool,
    },
    /// Play devices on the loopback interface to try things on
    #[command(
        after_help = "Examples:\n  jackfield lab --write lab.toml\n  jackfield mcp --config lab.toml\n  jackfield lab --list\n  jackfield lab --device eos --fault bytes --fault syslog\n  jackfield lab --device my-device.toml --write lab.toml"
    )]
    Lab {
        /// Show the devices and the faults that there are, and end
        #[arg(long)]
        list: bool,
        /// Play only this device, by its name or device type, or one of your own by its file; again for more
        #[arg(long = "device", value_name = "NAME")]
        devices: Vec<String>,
        /// Let something go wrong on purpose; again for more
        #[arg(long = "fault", value_name = "NAME", conflicts_with = "hostile")]
        faults: Vec<String>,
        /// Let everything go wrong on purpose that leaves a device usable
        #[arg(long)]
        hostile: bool,
        /// Write a configuration for the devices to this file
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
    },
    /// Record a session with a device as a text that tests can play
    #[command(
        after_help = "Examples:\n  jackfield record web1 'uname -a' 'ls /' --out web1.rec\n  jackfield record edge1 enable 'show version' --secret vty"
    )]
    Record {
        /// The device
        device: String,
        /// Commands to run, in order
        commands: Vec<String>,
        /// Answer a password question with this secret of the device; again for the next question
        #[arg(long = "secret", value_name = "NAME")]
        secrets: Vec<String>,
        /// Write to this file instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Play what a session has shown, from its recording; without a name list the recordings
    #[command(after_help = "Examples:\n  jackfield replay\n  jackfield replay web1 --speed 4")]
    Replay {
        /// The recording, or a session whose newest is meant
        name: Option<String>,
        /// So many times as fast
        #[arg(long, value_name = "N", default_value_t = 1.0)]
        speed: f64,
        /// Print the list as one JSON object
        #[arg(long, conflicts_with = "name")]
        json: bool,
    },
    /// Show who ran what where, newest first
    #[command(
        after_help = "Examples:\n  jackfield history\n  jackfield history --target web1 --since 2h\n  jackfield history --since 2026-11-21 --json 'systemctl restart'"
    )]
    History {
        /// Part of a command, a target or a caller
        query: Option<String>,
        /// Only this device, or this session as device#session
        #[arg(long)]
        target: Option<String>,
        /// Only since then: 2h, 3d, or an instant such as 2026-11-21T08:00:00Z
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = crate::limits::HISTORY_DEFAULT)]
        limit: usize,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Prove, show and export the audit record: what was asked, decided and done
    #[command(subcommand, after_help = "Examples:\n  jackfield audit verify\n  jackfield audit show --target web1 --since 2h")]
    Audit(audit::Command),
    /// Keep secrets in the keyring, and see whether those of the configuration are there. No value is ever shown
    #[command(
        subcommand,
        after_help = "Examples:\n  jackfield secret set core-enable\n  pass show net/core | jackfield secret set core-enable\n  jackfield secret list\n  jackfield secret test sw1 enable"
    )]
    Secret(secret::Command),
    /// Make, check, test, sign and pin plugins
    #[command(
        subcommand,
        after_help = "Examples:\n  jackfield plugin list\n  jackfield plugin inspect posix-shell\n  jackfield plugin check acme-olt.wasm"
    )]
    Plugin(plugin::Command),
    /// Show what waits for a person's approval, or ask at this terminal about one of it
    #[command(after_help = "Examples:\n  jackfield approve\n  jackfield approve a7\n  jackfield approve --json")]
    Approve {
        /// The request, as the agent names it; without it the only one, or a list
        request: Option<String>,
        /// Print what waits as one JSON object, and ask nothing
        #[arg(long, conflicts_with = "request")]
        json: bool,
    },
    /// Refuse what waits for a person's approval
    #[command(after_help = "Example:\n  jackfield deny a7")]
    Deny {
        /// The request, as the agent names it
        request: String,
    },
    /// Answer at this terminal what a server asks at login, such as a one-time code
    #[command(after_help = "Examples:\n  jackfield answer\n  jackfield answer q3\n  jackfield answer --json")]
    Answer {
        /// The question, as the agent names it; without it the only one, or a list
        question: Option<String>,
        /// Print what is asked as one JSON object, and answer nothing
        #[arg(long, conflicts_with = "question")]
        json: bool,
    },
    /// Go the way to a device step by step, and say what to change where it does not lead there
    #[command(
        after_help = "Examples:\n  jackfield doctor core-sw1\n  jackfield doctor core-sw1 --resolve-only\n  jackfield doctor core-sw1 --json"
    )]
    Doctor {
        /// The device
        device: String,
        /// Say only what would be used: host, user, port, keys, way, known hosts
        #[arg(long)]
        resolve_only: bool,
        /// Take hosts from this OpenSSH configuration instead of the usual one
        #[arg(long, value_name = "FILE")]
        ssh_config: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show the key that a host presents, and record that of a new host
    #[command(subcommand, after_help = "Examples:\n  jackfield hostkey show web1\n  jackfield hostkey accept web1")]
    Hostkey(hostkey::Command),
    /// Say what policy makes of commands, without connecting
    #[command(subcommand, after_help = "Example:\n  jackfield policy explain core-sw1 -- reload in 5")]
    Policy(policy::Command),
    /// Make a configuration of what another system has
    Import(import::ImportArgs),
    /// Print the script that completes commands, devices and sessions in your shell
    #[command(
        after_help = "Examples:\n  source <(jackfield completion bash)                                   # in ~/.bashrc\n  source <(jackfield completion zsh)                                    # in ~/.zshrc, after compinit\n  jackfield completion fish > ~/.config/fish/completions/jackfield.fish\n  jackfield completion powershell | Out-String | Invoke-Expression      # in $PROFILE"
    )]
    Completion {
        /// The shell
        shell: completion::Shell,
    },
    /// Print the manual page, or write the pages of all commands into a folder
    #[command(after_help = "Examples:\n  jackfield man | man -l -\n  jackfield man --out ~/.local/share/man/man1")]
    Man {
        /// The folder; it is made where it is missing
        #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
    /// Show what jackfield does, on devices of the lab, through a real MCP server process
    #[command(after_help = "Example:\n  jackfield demo")]
    Demo,
}

/// Answers a shell that completes a line; `None` where no shell asks.
///
/// # Errors
///
/// A sentence for standard error.
pub fn complete() -> Result<Option<ExitCode>, String> {
    completion::answer(Cli::command, completion::Names { devices: sessions::device_names, sessions: sessions::session_names })
}

/// Runs the command line.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(cli: Cli) -> Result<ExitCode, String> {
    match cli.command {
        Command::Mcp { in_process: true } => serve::in_process(cli.config.as_deref()),
        Command::Mcp { in_process: false } => serve::mcp(cli.config.as_deref()),
        Command::Daemon => service::run(cli.config.as_deref()),
        Command::Status { json } => daemon::status(cli.config.as_deref(), json),
        Command::Stop { all, now } => daemon::stop(cli.config.as_deref(), all, now),
        Command::Restart { drain, now } => daemon::restart(cli.config.as_deref(), drain, now),
        Command::Service { launchd } => daemon::service(cli.config.as_deref(), launchd),
        Command::Viewer { session, read_only, print, port } => {
            let wanted = viewer::Wanted { session: session.as_deref(), read_only, print, port };
            viewer::run(cli.config.as_deref(), &wanted)
        }
        Command::Sessions(command) => sessions::run(command, cli.config.as_deref()),
        Command::Check { schema: true, .. } => check::schema(),
        Command::Check { json, .. } => check::run(cli.config.as_deref(), json),
        Command::Secret(command) => secret::run(command, cli.config.as_deref()),
        Command::Record { device, commands, secrets, out } => {
            let wanted = record::Wanted { device: &device, commands: &commands, secrets: &secrets, out: out.as_deref() };
            record::run(cli.config.as_deref(), &wanted)
        }
        Command::History { query, target, since, limit, json } => {
            let wanted = history::Wanted { query: query.unwrap_or_default(), target, since, limit };
            history::run(wanted, json)
        }
        Command::Replay { name, speed, json } => replay::run(&replay::Wanted { name: name.as_deref(), speed, json }),
        Command::Audit(command) => audit::run(command, cli.config.as_deref()),
        Command::Plugin(command) => plugin::run(command, cli.config.as_deref()),
        Command::Approve { request, json } => approve::approve(request.as_deref(), json),
        Command::Deny { request } => approve::deny(&request),
        Command::Answer { question, json } => answer::run(question.as_deref(), json),
        Command::Doctor { device, resolve_only, ssh_config, json } => {
            let wanted = doctor::Wanted { device: &device, resolve_only, json, ssh_config: ssh_config.as_deref() };
            doctor::run(cli.config.as_deref(), &wanted)
        }
        Command::Hostkey(command) => hostkey::run(command, cli.config.as_deref()),
        Command::Policy(command) => policy::run(command, cli.config.as_deref()),
        Command::Lab { list: true, .. } => lab::list(),
        Command::Lab { write, devices, faults, hostile, .. } => lab::run(write.as_deref(), &devices, &faults, hostile),
        Command::Import(args) => import::run(&args, &mut secret::keep),
        Command::Completion { shell } => completion::run(shell, &Cli::command()),
        Command::Man { out } => man::run(out.as_deref(), &Cli::command()),
        Command::Demo => crate::demo::run(),
    }
}
