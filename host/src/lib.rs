//! jackfield: a runtime that holds lines to devices and gives them to agents and people.
//!
//! The map, from the bottom up. A module may use those of its own layer and below, which `tests/tidy.rs` looks after. Where a part of a
//! module is named in a lower row, that part is for those above it.
//!
//! | layer | modules | |
//! |---|---|---|
//! | 7 | [`cli`], [`lab`], [`demo`] | arguments and exit codes; devices to try things on |
//! | 6 | [`mcp`], [`guest`], [`daemon`], [`viewer`], [`replay`], [`kit`] | the protocol of agents: the only one that writes to standard output; people at terminals and browsers; the process that holds the sessions for both; recordings played through them; what proves plugins |
//! | 5 | [`directory`], [`doctor`], [`files`], [`fleet`], [`forward`], [`history`], [`startup`], [`renewal`], [`import`] | opens, finds and closes sessions; says why one does not open; files of devices; one command on many of them; carries others' connections; who ran what; a configuration made ready for work, read again, and made of those of other systems |
//! | 4 | [`session`] (handle, actor, lane, journal) | the one task that owns a session; what it tells the history |
//! | 3 | [`policy`] | the only one that makes something that may be typed |
//! | 2 | [`session`] (machine, stream, log, view, report), [`screen`], [`transport`], [`plugin`], [`recording`], [`audit`], [`cast`] | decisions; what a terminal shows; bytes; what knows devices; sessions as text; what was asked, decided and done; what was shown |
//! | 0 | [`config`], [`policy`] (approved), [`plugin`] (manifest, triggers, placeholders, blocks), [`secret`], [`limits`], [`ids`], [`author`], [`account`], [`instant`], [`private`], [`diagnostics`], [`bounded`], [`atomic`], [`wildcard`], [`nearest`], [`hex`], [`ssh_config`], [`terminal`] | checked types: also what may be typed, and what a plugin declares; times as texts; folders for one account; files up to a bound, or whole or not at all; patterns with `*`; the name that was meant; what OpenSSH is told about hosts; what a terminal makes of bytes |
//!
//! What is absent on purpose: the machine never waits and has no clock; nothing here knows a device: no prompt, no pager, no
//! vendor (that is in `plugins/`); a plugin never types; a secret has no form that can be printed.

pub mod account;
pub mod atomic;
pub mod audit;
pub mod author;
pub mod bounded;
pub mod cast;
pub mod config;
pub mod daemon;
pub mod diagnostics;
pub mod directory;
pub mod doctor;
pub mod files;
pub mod fleet;
pub mod forward;
pub mod guest;
pub mod hex;
pub mod history;
pub mod ids;
pub mod import;
pub mod instant;
pub mod kit;
pub mod lab;
pub mod limits;
pub mod mcp;
pub mod nearest;
pub mod plugin;
pub mod policy;
pub mod private;
pub mod recording;
pub mod renewal;
pub mod replay;
pub mod screen;
pub mod secret;
pub mod session;
pub mod ssh_config;
pub mod startup;
pub mod terminal;
pub mod transport;
pub mod viewer;
pub mod wildcard;

pub mod cli;
pub mod demo;
