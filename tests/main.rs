//! The stories: each against real things, through the real program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "a test may stop here")]
#![allow(
    clippy::allow_attributes,
    unreachable_pub,
    missing_debug_implementations,
    clippy::too_many_lines,
    reason = "a test's tables are long"
)]

mod adversary;
mod approvals;
mod audit;
mod browser;
mod check;
mod clients;
mod completion;
mod conformance;
mod consoles;
mod corpus;
mod daemon;
mod dangers;
mod declared;
mod dialects;
mod door;
mod facts;
mod faults;
mod files;
mod fleet;
mod forwards;
mod guide;
mod history;
mod hostile;
mod hostile_servers;
mod identify;
mod kit;
mod lab;
mod lanes;
mod languages;
mod lost;
mod masking;
mod matrix;
mod mcp_stdio;
mod messages;
mod model;
mod modes;
mod museum;
mod nested;
mod network;
mod offers;
mod plugin_commands;
mod plugin_faults;
mod policy_commands;
mod pressed;
mod reach;
mod read_only;
mod recordings;
mod reload;
mod rules;
mod run;
mod safety;
mod secrets;
mod shells;
mod simulator;
mod support;
mod tidy;
mod waiting;
