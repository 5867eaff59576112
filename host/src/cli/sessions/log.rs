//! `jackfield log`: what a session has shown, as text.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::visitor::Visitor;
use crate::cli::paint::is_read;
use crate::cli::since::since_ms;
use crate::guest::wire::{Say, Tell};

/// How often what comes is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Prints it.
pub(super) async fn log(
    file: Option<&Path>,
    session: &str,
    tail: Option<usize>,
    since: Option<&str>,
    follow: bool,
) -> Result<ExitCode, String> {
    let since_ms = since.map(since_ms).transpose()?;
    let mut visitor = Visitor::at(file, session, "log", false).await?;
    let mut asked = Say::Log { session: session.to_owned(), offset: None, tail, since_ms };
    loop {
        visitor.say(&asked).await?;
        let next = loop {
            match visitor.hear().await? {
                Tell::Text { text } if !is_read(&text) => return Ok(ExitCode::SUCCESS),
                Tell::LogEnd { next, more } => break (next, more),
                Tell::Refused { why } => return Err(why),
                _ => {}
            }
        };
        match next {
            (_, false) if !follow => return Ok(ExitCode::SUCCESS),
            (next, more) => {
                asked = Say::Log { session: session.to_owned(), offset: Some(next), tail: None, since_ms: None };
                if !more {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }
}

/// A length of time: 30s, 10m, 2h.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no length of time; write for example 30s, 10m or 2h");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}
