//! `jackfield plugin`: what a person does with plugins.

use std::process::ExitCode;

use clap::Subcommand;

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
}

/// Runs one of them.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(command: PluginCommand) -> Result<ExitCode, String> {
    match command {
        PluginCommand::Reload { json } => reload::run(json),
    }
}
