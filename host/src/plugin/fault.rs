//! What can go wrong with a plugin: it does not load, or a call fails.

use std::fmt;
use std::time::Duration;

use wasmtime::Trap;

use super::answer::told;
use super::bindings::jackfield::plugin::types::Diagnostic;
use super::promptly::Waits;
use crate::config::header;
use crate::limits::DIAGNOSTICS_MAX;
use crate::terminal::text::escaped;

/// Why a plugin was not loaded. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read plugin `{name}` from `{path}`: {source}")]
    Read {
        /// The plugin.
        name: String,
        /// Its file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// More bytes than allowed.
    #[error(
        "plugin `{name}` has {bytes} bytes, at most {max} are loaded; raise `max_file_bytes` in {} if you trust it",
        header("plugin", name)
    )]
    Size {
        /// The plugin.
        name: String,
        /// Its size.
        bytes: u64,
        /// The bound.
        max: u64,
    },
    /// A file without a pin.
    #[error(
        "plugin `{name}` is the file `{path}` and has no `digest`; add `digest = \"sha256:…\"` to {} with what `sha256sum` prints, after you have checked the file",
        header("plugin", name)
    )]
    NotPinned {
        /// The plugin.
        name: String,
        /// Its file.
        path: String,
    },
    /// Another file than the one pinned.
    #[error(
        "plugin `{name}` is not the pinned file: digest is `sha256:{actual}`, `{pinned}` is pinned; get the file back, or pin the new digest after you have checked it"
    )]
    Digest {
        /// The plugin.
        name: String,
        /// What the file has.
        actual: String,
        /// What the configuration says.
        pinned: String,
    },
    /// The signature that the operator demands is missing or wrong.
    #[error("plugin `{name}` must be signed by `{signer}`: {what}")]
    Signature {
        /// The plugin.
        name: String,
        /// Who must have signed.
        signer: String,
        /// What is wrong.
        what: String,
    },
    /// No component.
    #[error("plugin `{name}` {}", in_one_line(what))]
    NotAComponent {
        /// The plugin.
        name: String,
        /// What it is instead, and what to do.
        what: String,
    },
    /// The manifest is missing or wrong.
    #[error("manifest of plugin `{name}`: {}", in_one_line(what))]
    Manifest {
        /// The plugin.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// It imports what nobody gets.
    #[error("plugin `{name}` imports `{}`, which no plugin gets; a plugin may import {known}", told(import))]
    Import {
        /// The plugin.
        name: String,
        /// The interface.
        import: String,
        /// What it may import.
        known: String,
    },
    /// Another track of the contract.
    #[error(
        "plugin `{name}` speaks `{}`, this host speaks `{known}`; build the plugin against the WIT of this release, or use a host that knows the other track",
        told(found)
    )]
    Version {
        /// The plugin.
        name: String,
        /// The interface with its version.
        found: String,
        /// What the host has.
        known: String,
    },
    /// It needs a newer host.
    #[error("plugin `{name}` needs jackfield {needed} or newer, this is {host}")]
    Host {
        /// The plugin.
        name: String,
        /// What it needs.
        needed: String,
        /// What this is.
        host: String,
    },
    /// It does not compile or does not fit the contract's types.
    #[error("plugin `{name}` does not fit the contract: {}", in_one_line(what))]
    Contract {
        /// The plugin.
        name: String,
        /// What the engine said.
        what: String,
    },
    /// It refused its settings.
    #[error("plugin `{name}` refuses its settings: {}", list(diagnostics))]
    Config {
        /// The plugin.
        name: String,
        /// What is wrong with them.
        diagnostics: Vec<Diagnostic>,
    },
    /// It failed on probation.
    #[error("plugin `{name}` failed when it was tried: {}", fault.in_full())]
    Probation {
        /// The plugin.
        name: String,
        /// How.
        fault: Box<Fault>,
    },
    /// Two of a device type cannot be told apart.
    #[error(
        "plugins `{first}` and `{second}` of device type `{kind}` both have the `name` `{own}` in their manifests, and what is typed for them would be mixed up; build one with another `name`, leave one out, or put its file in the bundled one's place as {}",
        header("plugin", own)
    )]
    Namesakes {
        /// The device type.
        kind: String,
        /// One of them, as the configuration calls it.
        first: String,
        /// The other one.
        second: String,
        /// What both call themselves.
        own: String,
    },
    /// No plugin of that name.
    #[error("there is no plugin `{name}`; there are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
}

/// What is found in a file may repeat names and patterns of it: they write nothing but text.
fn in_one_line(what: &str) -> String {
    escaped(what).replace('\n', " ")
}

fn list(diagnostics: &[Diagnostic]) -> String {
    let one = |diagnostic: &Diagnostic| match diagnostic.path.as_str() {
        "" => told(&diagnostic.message),
        path => format!("`{}`: {}", told(path), told(&diagnostic.message)),
    };
    diagnostics.iter().take(DIAGNOSTICS_MAX).map(one).collect::<Vec<_>>().join("; ")
}

/// How a call of a plugin failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// It ran into a trap: a panic, an access out of bounds.
    Trap(String),
    /// It did not return in time.
    Timeout(Duration),
    /// It wanted more memory than it may have.
    Memory,
    /// It wanted larger tables than it may have.
    Tables,
    /// It returned more than the host takes.
    Oversize,
    /// It returned what the contract does not allow.
    Contract(String),
    /// It failed too often and is off for a while; the last fault.
    Off(Duration, Box<str>),
}

/// A call of a plugin that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The function that was called.
    pub function: &'static str,
    /// How it failed.
    pub kind: FaultKind,
    /// What it printed, a panic's message as a rule. It may hold device text, so it is for the log and no part of the sentence.
    pub printed: Box<str>,
}

impl Fault {
    /// What happened where, without the plugin's name.
    #[must_use]
    pub fn in_short(&self) -> String {
        let text = self.to_string();
        text.split_once(", ").map_or_else(|| text.clone(), |(_, what)| what.to_owned())
    }

    /// The sentence with what the plugin printed.
    #[must_use]
    pub fn in_full(&self) -> String {
        if self.printed.is_empty() { self.to_string() } else { format!("{self}; it printed: {}", self.printed) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugin, version, function, kind, .. } = self;
        write!(f, "plugin `{plugin}` {version}, `{function}`: ")?;
        match kind {
            FaultKind::Trap(message) => write!(f, "trapped ({message})"),
            FaultKind::Timeout(limit) => write!(f, "did not return within {} ms", limit.as_millis()),
            FaultKind::Memory => f.write_str("wanted more memory than a plugin may have"),
            FaultKind::Tables => f.write_str("wanted larger tables than a plugin may have"),
            FaultKind::Oversize => f.write_str("returned more data than the host takes"),
            FaultKind::Contract(what) => write!(f, "broke the contract: {what}"),
            FaultKind::Off(left, last) => {
                write!(f, "is switched off for {} s after repeated faults, the last: {last}", left.as_secs().max(1))
            }
        }
    }
}

impl std::error::Error for Fault {}

/// Tells from the engine's error what happened; `refused` is what the plugin wanted more of and did not get.
#[must_use]
pub fn kind_of(error: &wasmtime::Error, limit: Duration, refused: Option<FaultKind>) -> FaultKind {
    if let Some(refused) = refused {
        return refused;
    }
    if let Some(waits) = error.downcast_ref::<Waits>() {
        return FaultKind::Contract(waits.to_string());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => FaultKind::Timeout(limit),
        Some(trap) => FaultKind::Trap(trap.to_string()),
        None => {
            let text = format!("{error:#}");
            if text.contains("fuel allocated for hostcalls") || text.contains("too large") {
                FaultKind::Oversize
            } else {
                FaultKind::Trap(told(error.root_cause().to_string().as_str()))
            }
        }
    }
}
