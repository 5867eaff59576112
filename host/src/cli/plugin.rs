//! `jackfield plugin`: what a person does with plugins.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

pub mod dev;
pub mod reload;

/// The commands about plugins.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Have running servers read their configuration again: plugins that changed are swapped under live sessions
    #[command(after_help = "Example:\n  jackfield plugin reload")]
    Reload {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// For a developer's machine: have running servers load a file without its pin, as long as this runs
    #[command(after_help = "Example:\n  jackfield plugin dev target/wasm32-wasip2/release/acme.wasm --watch")]
    Dev {
        /// The files: each is the `path` of a plugin in the servers' configuration
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Load them again whenever they change
        #[arg(long)]
        watch: bool,
    },
}

/// Runs one of them.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(command: PluginCommand) -> Result<ExitCode, String> {
    match command {
        PluginCommand::Reload { json } => reload::run(json),
        PluginCommand::Dev { files, watch } => dev::run(&files, watch),
    }
}
