//! `jackfield open`: a device's session, up to the end of its login.

use std::path::Path;
use std::process::ExitCode;

use tokio::time::timeout;

use super::visitor::{Opened, Visitor, aside, unanswered};
use crate::cli::paint::say_line;
use crate::guest::wire::{SessionState, Tell};
use crate::ids::SessionId;
use crate::limits::OPEN_MAX;
use crate::terminal::text::escaped;

/// What the statuses are, for the help.
pub(super) const HELP: &str = "Examples:
  jackfield open web1
  jackfield open core-sw1#2

Status: 0 when it can be used, 255 when it waits for an answer, 1 when it is not open.";

/// The status where the session waits for an answer, as that of `jackfield run`.
const WAITS: u8 = 255;

/// Opens it and says how it stands.
pub(super) async fn open(file: Option<&Path>, session: &str) -> Result<ExitCode, String> {
    let mut visitor = Visitor::of_daemon(file, "command line", true).await?;
    let opened = match visitor.open(session).await? {
        Opened::Done(text) => text,
        Opened::Asks(question) => {
            aside(&unanswered(&question, "and the login goes on"));
            return Ok(ExitCode::from(WAITS));
        }
    };
    let id = SessionId::parse(session).to_string();
    let late = || format!("`{id}` still logs in after {} s; `jackfield attach {id}` shows it", OPEN_MAX.as_secs());
    let state = timeout(OPEN_MAX, logged_in(&mut visitor, &id)).await.map_err(|_| late())??;
    if state.state == "closed" {
        return Err(format!("`{id}` closed while it logged in: {}", escaped(&state.detail)));
    }
    say_line(&format!("{opened}: {}, type {}", state.state, state.kind));
    for sentence in state.warnings.iter().cloned().chain(waits(&state)) {
        aside(&sentence);
    }
    Ok(if state.state == "needs_input" { ExitCode::from(WAITS) } else { ExitCode::SUCCESS })
}

/// The session once its login is over, waits for somebody, or has failed.
async fn logged_in(visitor: &mut Visitor, id: &str) -> Result<SessionState, String> {
    let mut told = visitor.list().await?;
    loop {
        if let Tell::Sessions { sessions, .. } = told {
            let own = sessions.into_iter().find(|session| session.session == id);
            let own = own.ok_or_else(|| format!("`{id}` was closed while it logged in"))?;
            if own.state != "connecting" {
                return Ok(own);
            }
        }
        told = visitor.hear().await?;
    }
}

/// What it waits for, and what to do.
fn waits(state: &SessionState) -> Option<String> {
    let (id, detail) = (&state.session, &state.detail);
    let what = match (state.state.as_str(), &state.running) {
        ("needs_input", Some(running)) => format!("{} asks `{detail}` and waits", running.id),
        ("needs_input", None) => format!("the login waits: {detail}"),
        _ => return None,
    };
    Some(format!("{what}; `jackfield attach {id}` shows it and takes the answer, `jackfield close {id}` gives it up"))
}
