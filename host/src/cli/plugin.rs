//! `jackfield plugin`: what a vendor makes, checks, tests and signs, and what an operator looks at and pins.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use crate::bounded::{self, ReadError};
use crate::kit;
use crate::limits::{self, PLUGIN_FILE_MAX_BYTES};
use crate::plugin::catalog::BUNDLED;
use crate::plugin::engine::Engine;
use crate::plugin::load::{Loader, Source, Spec};

pub mod bindings;
pub mod check;
pub mod dev;
pub mod inspect;
pub mod list;
pub mod new;
pub mod pack;
pub mod pin;
pub mod reload;
pub mod sign;
pub mod test;
mod wrong;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take a plugin through every step of loading and say what each one found
    #[command(after_help = "Examples:\n  jackfield plugin check acme-olt.wasm\n  jackfield plugin check acme-olt.wasm --json")]
    Check {
        /// The component
        file: PathBuf,
        /// Modules and memories that it may have, like `max_parts` in the configuration
        #[arg(long, value_name = "N")]
        max_parts: Option<usize>,
        /// Bytes that its file may have, like `max_file_bytes` in the configuration
        #[arg(long, value_name = "N")]
        max_file_bytes: Option<u64>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show what a plugin is, may type, asks for and imports, without running it
    #[command(after_help = "Examples:\n  jackfield plugin inspect acme-olt.wasm\n  jackfield plugin inspect posix-shell --json")]
    Inspect {
        /// The component, or the name of a bundled plugin
        plugin: String,
        /// The keys that may sign, to name the signer
        #[arg(long, value_name = "FILE")]
        allowed_signers: Option<PathBuf>,
        /// Bytes that its file may have, like `max_file_bytes` in the configuration
        #[arg(long, value_name = "N")]
        max_file_bytes: Option<u64>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the bundled and the configured plugins
    #[command(after_help = "Examples:\n  jackfield plugin list\n  jackfield plugin list --config jackfield.toml --json")]
    List {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Make a project for a new plugin, with its tests
    #[command(
        after_help = "Examples:\n  jackfield plugin new acme-olt --role prompt,pager\n  jackfield plugin new acme-sw --role prompt,pager,dialog,outcome --type acme_switch\n  jackfield plugin new site-policy --role policy\n  jackfield plugin new acme-olt --lang c"
    )]
    New {
        /// The plugin's name, and that of its folder
        name: String,
        /// Its roles: identify, prompt, pager, dialog, outcome, policy
        #[arg(long, value_delimiter = ',', default_value = "prompt,pager")]
        role: Vec<String>,
        /// The language: rust or c
        #[arg(long, default_value = "rust")]
        lang: String,
        /// The device type that it serves; its own name unless given
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
    },
    /// Put a manifest into a component, or into a core module that then becomes one, for languages whose tools cannot
    #[command(
        after_help = "Examples:\n  jackfield plugin pack acme.wasm --manifest plugin.toml\n  jackfield plugin pack build/core.wasm --manifest plugin.toml --out acme.wasm\n\nA core module becomes a component where `wit-bindgen` left the types in it."
    )]
    Pack {
        /// The component or core module
        file: PathBuf,
        /// The manifest
        #[arg(long, value_name = "FILE")]
        manifest: PathBuf,
        /// Write to this file instead of the component itself
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Bytes that its file may have, like `max_file_bytes` in the configuration
        #[arg(long, value_name = "N")]
        max_file_bytes: Option<u64>,
    },
    /// Show the configuration that pins a plugin's file, or write it
    #[command(
        after_help = "Examples:\n  jackfield plugin pin acme-olt.wasm\n  jackfield plugin pin acme-olt.wasm --signer plugins@acme.example --write --config jackfield.toml"
    )]
    Pin {
        /// The component
        file: PathBuf,
        /// Name in the configuration instead of the manifest's
        #[arg(long)]
        name: Option<String>,
        /// Who must have signed the file
        #[arg(long, value_name = "ID")]
        signer: Option<String>,
        /// Let its dialogs ask for this secret; may be given again
        #[arg(long = "grant", value_name = "SECRET")]
        grants: Vec<String>,
        /// Modules and memories that it may have
        #[arg(long, value_name = "N")]
        max_parts: Option<u32>,
        /// Bytes that its file may have; unless given, as many as the configuration says
        #[arg(long, value_name = "N")]
        max_file_bytes: Option<u64>,
        /// Write it into the configuration file, whose comments stay
        #[arg(long)]
        write: bool,
    },
    /// Play a plugin's recordings through real sessions, and try it with the conformance kit
    #[command(
        after_help = "Examples:\n  jackfield plugin test acme-olt.wasm recordings\n  jackfield plugin test acme-olt.wasm --conformance --json > report.json\n  jackfield plugin test posix-shell --bench --fuel\n\nRecordings are made with `jackfield record`."
    )]
    Test {
        /// The component, or the name of a bundled plugin
        plugin: String,
        /// A folder of recordings, or one; unless given, `recordings` here for a plugin's file from below this folder
        recordings: Option<PathBuf>,
        /// Settings of the plugin, as a JSON object
        #[arg(long, value_name = "JSON")]
        settings: Option<String>,
        /// Modules and memories that it may have, like `max_parts` in the configuration
        #[arg(long, value_name = "N")]
        max_parts: Option<usize>,
        /// Bytes that its file may have, like `max_file_bytes` in the configuration
        #[arg(long, value_name = "N")]
        max_file_bytes: Option<u64>,
        /// Run the whole kit: purity, false prompts, spoofs, dialogs, random views, times, memory
        #[arg(long)]
        conformance: bool,
        /// Show how long calls take
        #[arg(long)]
        bench: bool,
        /// Count the instructions of calls
        #[arg(long)]
        fuel: bool,
        /// Random views of the kit
        #[arg(long, value_name = "N", default_value_t = limits::KIT_VIEWS)]
        views: u32,
        /// Where the random numbers begin
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Sign a plugin with an SSH key; the signature is FILE.sig
    #[command(
        after_help = "Example:\n  jackfield plugin sign acme-olt.wasm --key ~/.ssh/acme_release\n\nThe same as: ssh-keygen -Y sign -n jackfield-plugin -f ~/.ssh/acme_release acme-olt.wasm"
    )]
    Sign {
        /// The component
        file: PathBuf,
        /// The private key, an OpenSSH file without a passphrase
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Bytes that its file may have, like `max_file_bytes` in the configuration
        #[arg(long, value_name = "N")]
        max_file_bytes: Option<u64>,
    },
    /// Check a plugin's signature against the keys that may sign
    #[command(
        after_help = "Examples:\n  jackfield plugin verify acme-olt.wasm --allowed-signers signers --signer plugins@acme.example\n  jackfield plugin verify acme-olt.wasm\n\nWithout --allowed-signers the file counts that the configuration names, or `allowed_signers` beside it."
    )]
    Verify {
        /// The component
        file: PathBuf,
        /// The keys that may sign, as ssh-keygen(1) describes the file
        #[arg(long, value_name = "FILE")]
        allowed_signers: Option<PathBuf>,
        /// Who must have signed; anybody in the file unless given
        #[arg(long, value_name = "ID")]
        signer: Option<String>,
        /// Bytes that its file may have, like `max_file_bytes` in the configuration
        #[arg(long, value_name = "N")]
        max_file_bytes: Option<u64>,
    },
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

/// Runs one.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(command: Command, config: Option<&Path>) -> Result<ExitCode, String> {
    match command {
        Command::Check { file, max_parts, max_file_bytes, json } => {
            check::run(&file, &Spec { max_parts, ..of_file(&file, max_file_bytes) }, json)
        }
        Command::Inspect { plugin, allowed_signers, max_file_bytes, json } => {
            inspect::run(&of_file_or_name(&plugin, max_file_bytes)?, allowed_signers.as_deref(), json)
        }
        Command::List { json } => list::run(config, json),
        Command::New { name, role, lang, kind } => new::run(&new::Wanted { name, roles: role, lang, kind }),
        Command::Pack { file, manifest, out, max_file_bytes } => pack::run(&file, &manifest, out.as_deref(), max_file_bytes),
        Command::Pin { file, name, signer, grants, max_parts, max_file_bytes, write } => {
            pin::run(config, &pin::Wanted { file, name, signer, grants, max_parts, max_file_bytes, write })
        }
        Command::Test { plugin, settings, max_parts, max_file_bytes, recordings, conformance, bench, fuel, views, seed, json } => {
            let source = of_file_or_name(&plugin, max_file_bytes)?.source;
            let settings = settings.map_or_else(|| Ok(serde_json::Map::new()), |json| serde_json::from_str(&json));
            let settings = settings.map_err(|error| format!("--settings is no JSON object: {error}"))?;
            let cuts = limits::KIT_CUTS;
            let wanted =
                kit::Wanted { source, settings, max_parts, max_file_bytes, recordings, conformance, bench, fuel, views, seed, cuts };
            test::run(wanted, json)
        }
        Command::Reload { json } => reload::run(json),
        Command::Dev { files, watch } => dev::run(&files, watch),
        Command::Sign { file, key, max_file_bytes } => sign::sign(&file, &key, max_file_bytes),
        Command::Verify { file, allowed_signers, signer, max_file_bytes } => {
            let wasm = read(&file, max_file_bytes)?;
            sign::verify(config, &file, &wasm, allowed_signers, signer)
        }
    }
}

/// A file as the loader wants it, under the name of its manifest.
#[must_use]
pub fn of_file(file: &Path, max_file_bytes: Option<u64>) -> Spec {
    let source = Source::File(file.to_owned());
    let max_bytes = max_file_bytes.unwrap_or(PLUGIN_FILE_MAX_BYTES);
    let name = source.name(max_bytes);
    // What a developer tries is granted what it asks for; an operator's configuration grants by name.
    Spec { source, max_bytes, ..Spec::embedded(&name, &[]) }
}

/// A file, or a bundled plugin by its name.
///
/// # Errors
///
/// When it is neither.
pub fn of_file_or_name(plugin: &str, max_file_bytes: Option<u64>) -> Result<Spec, String> {
    if Path::new(plugin).exists() {
        return Ok(of_file(Path::new(plugin), max_file_bytes));
    }
    if let Some((name, wasm)) = BUNDLED.iter().find(|(name, _)| *name == plugin) {
        return Ok(Spec::embedded(name, wasm));
    }
    let names: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
    let what = wrong::no_file(Path::new(plugin)).unwrap_or_else(|| format!("bundled are {}", names.join(", ")));
    Err(format!("`{plugin}` is no file and no bundled plugin; {what}"))
}

/// The bytes of a plugin's file, or why they are not read.
fn read(file: &Path, max_file_bytes: Option<u64>) -> Result<Vec<u8>, String> {
    let failed = |why: String| format!("cannot read `{}`: {why}", file.display());
    let unread = |error: std::io::Error| failed(wrong::no_file(file).map_or_else(|| error.to_string(), |what| format!("{error}; {what}")));
    bounded::check_file(file).map_err(unread)?;
    bounded::read(file, max_file_bytes.unwrap_or(PLUGIN_FILE_MAX_BYTES)).map_err(|error| match error {
        ReadError::Io(_) => failed(error.to_string()),
        ReadError::TooLong { .. } => failed(format!("{error}; allow more with `--max-file-bytes` if you trust it")),
    })
}

/// A loader without a cache: what is checked is what is there now.
///
/// # Errors
///
/// When the WebAssembly engine does not start on this machine.
pub fn loader() -> Result<Loader, String> {
    let engine = Engine::start().map_err(|error| format!("the WebAssembly engine does not start: {error:#}"))?;
    Ok(Loader::new(engine, None))
}
