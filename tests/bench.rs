//! What jackfield costs, as ratios against the raw limit, measured in one run on one machine: `cargo bench`.
//!
//! Nothing here fails on a slow machine: figures are printed, people judge them. `cargo bench -- warm` runs one measure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark may stop here"
)]
#![allow(clippy::allow_attributes, unreachable_pub, missing_debug_implementations, reason = "no part of the program")]
#![allow(clippy::print_stdout, reason = "the figures go to whoever asked for them")]

#[path = "bench/allocations.rs"]
mod allocations;
#[path = "bench/big.rs"]
mod big;
#[path = "bench/daemon.rs"]
mod daemon;
#[path = "bench/figures.rs"]
mod figures;
#[path = "bench/files.rs"]
mod files;
#[path = "bench/floor.rs"]
mod floor;
#[path = "bench/inspect.rs"]
mod inspect;
#[path = "bench/many.rs"]
mod many;
#[path = "bench/plugins.rs"]
mod plugins;
#[path = "bench/policy.rs"]
mod policy;
#[path = "bench/raw.rs"]
mod raw;
#[path = "bench/reach.rs"]
mod reach;
#[path = "bench/start.rs"]
mod start;
mod support;
#[path = "bench/warm.rs"]
mod warm;

/// A measure: its name and what runs it.
type Measure = (&'static str, fn());

const MEASURES: &[Measure] = &[
    ("warm", warm::run),
    ("session", warm::in_process),
    ("many", many::run),
    ("big", big::run),
    ("inspect", inspect::run),
    ("plugins", plugins::run),
    ("policy", policy::run),
    ("start", start::run),
    ("connect", reach::connect),
    ("idle", reach::idle),
    ("forward", reach::forward),
    ("files", files::run),
    ("daemon", daemon::run),
    ("watched", daemon::watched),
];

fn main() {
    if floor::is_wanted() {
        return floor::serve();
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, run) in MEASURES {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            run();
        }
    }
}
