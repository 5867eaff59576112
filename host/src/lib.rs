//! jackfield: a runtime that holds lines to devices and gives them to agents and people.
//!
//! The map, from the bottom up. A module may use those of its own layer and below:
//!
//! | layer | modules | |
//! |---|---|---|
//! | 7 | [`cli`], [`lab`], [`demo`] | arguments and exit codes; devices to try things on |
//! | 6 | [`mcp`] | the protocol: the only one that writes to standard output |
//! | 5 | [`directory`], [`doctor`], [`files`], [`fleet`], [`forward`], [`renewal`], [`replay`], [`history`], [`kit`] | opens, finds and closes sessions; says why one does not open; files of devices; one command on many of them; carries others' connections; reads the configuration again; plays recordings through them; who ran what; proves plugins |
//! | 4 | [`session`] (handle, actor, journal) | the one task that owns a session; what it tells the history |
//! | 3 | [`policy`] | the only one that makes something that may be typed |
//! | 2 | [`session`] (machine, stream, log), [`transport`], [`plugin`], [`recording`], [`audit`], [`cast`] | decisions; bytes; what knows devices; sessions as text; what was asked, decided and done; what was shown |
//! | 1 | [`screen`] | what a terminal shows |
//! | 0 | [`config`], [`secret`], [`limits`], [`ids`], [`author`], [`instant`], [`private`], [`diagnostics`], [`bounded`], [`atomic`], [`wildcard`], [`hex`], [`ssh_config`], [`terminal`] | checked types; times as texts; folders for one account; files up to a bound, or whole or not at all; patterns with `*`; what OpenSSH is told about hosts; what a terminal makes of bytes |
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
