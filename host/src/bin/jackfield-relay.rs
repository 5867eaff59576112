//! The client's way to the daemon alone: what `jackfield mcp` becomes, so that each client costs a few MiB.
//!
//! Its only argument is the configuration file, or nothing.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use jackfield::daemon::relay;

fn main() -> ExitCode {
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    relay::run(file.as_deref()).unwrap_or_else(|message| {
        // Nobody is left to tell if standard error is gone.
        let _ = writeln!(std::io::stderr(), "jackfield: {message}");
        ExitCode::FAILURE
    })
}
