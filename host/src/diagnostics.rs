//! Lines for the operator on standard error. Standard output belongs to the protocol.
//!
//! Quiet unless `JACKFIELD_LOG` says otherwise (`error`, the default; `warn`, `info`, `debug`): MCP clients keep what
//! a server prints.

use std::io::Write;
use std::sync::OnceLock;

const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];

fn rank(level: &str) -> usize {
    LEVELS.iter().position(|known| *known == level).unwrap_or(0)
}

fn enabled(level: &str) -> bool {
    static WANTED: OnceLock<usize> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| rank(&std::env::var("JACKFIELD_LOG").unwrap_or_default()));
    rank(level) <= *wanted
}

fn line(level: &str, who: &str, text: &str) {
    if enabled(level) {
        // Nobody is left to tell if standard error is gone.
        let _ = writeln!(std::io::stderr(), "jackfield: {level}: {who}{text}");
    }
}

/// A line of a plugin, or about one.
pub fn plugin_line(plugin: &str, level: &str, text: &str) {
    line(level, &format!("plugin `{plugin}`: "), text);
}

/// Something that an operator should know.
pub fn warn(text: &str) {
    line("warn", "", text);
}
