//! The program: see `jackfield --help`.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use jackfield::cli::{self, Cli, paint};

fn main() -> ExitCode {
    let ran = match cli::complete() {
        Ok(Some(code)) => Ok(code),
        Ok(None) => cli::run(Cli::parse()),
        Err(why) => Err(why),
    };
    jackfield::diagnostics::flush();
    let ran = ran.and_then(|code| paint::lost().map_or(Ok(code), |why| Err(format!("cannot write standard output: {why}"))));
    match ran {
        Ok(code) => code,
        Err(message) => {
            // Nobody is left to tell if standard error is gone. What a parser says ends with a row of its own.
            let _ = writeln!(anstream::stderr(), "jackfield: {}", message.trim_end());
            ExitCode::FAILURE
        }
    }
}
