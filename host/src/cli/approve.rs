//! `jackfield approve` and `jackfield deny`: a person's word on what an agent wants.
//!
//! Yes is said at a terminal, with the whole text on it, never by an argument. That keeps out whoever can only start programs; who
//! can type into a terminal of this account can say yes too, so an agent that must be kept out runs as another account.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde_json::json;

use super::paint::{DIM, DOUBT, GOOD, painted, say, table};
use super::runtime::block_on;
use crate::daemon::client::{self, Server};
use crate::policy::approval::Request;

/// What must be typed to say yes.
const YES: &str = "allow";
/// Characters of a command in the table.
const SHOWN_CHARS: usize = 60;

/// Shows what waits, or asks about one of it.
///
/// # Errors
///
/// A sentence for standard error.
pub fn approve(id: Option<&str>, json: bool) -> Result<ExitCode, String> {
    block_on(async {
        let mut waiting = waiting().await?;
        if json {
            let requests: Vec<_> = waiting
                .iter()
                .flat_map(|(server, requests)| requests.iter().map(|request| json!({"process": server.process, "request": request})))
                .collect();
            say(&format!("{}\n", json!({"requests": requests})));
            return Ok(ExitCode::SUCCESS);
        }
        let count: usize = waiting.iter().map(|(_, requests)| requests.len()).sum();
        let Some((server, request)) = chosen(&mut waiting, id)? else {
            say(&if count == 0 { "nothing waits for approval\n".to_owned() } else { listed(&waiting) });
            return Ok(ExitCode::SUCCESS);
        };
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Err(format!("`{}` is approved at a terminal only; run `jackfield approve {}` in one", request.id, request.id));
        }
        let allow = says_yes(&request.shown())?;
        server.answer(&request.id, allow).await?;
        say(&if allow { format!("{} {}\n", painted(GOOD, "allowed"), request.id) } else { format!("denied {}\n", request.id) });
        Ok(if allow { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })?
}

/// Shows what would be let through and reads a person's word at the terminal.
pub(super) fn says_yes(shown: &str) -> Result<bool, String> {
    say(&format!("{shown}\n\n{} ", painted(DOUBT, &format!("Type `{YES}` to let exactly this through once:"))));
    let _ = std::io::stdout().flush();
    let mut word = String::new();
    std::io::stdin().lock().read_line(&mut word).map_err(|error| error.to_string())?;
    Ok(word.trim() == YES)
}

/// Says no.
///
/// # Errors
///
/// When no such request waits.
pub fn deny(id: &str) -> Result<ExitCode, String> {
    block_on(async {
        let mut waiting = waiting().await?;
        let Some((server, request)) = chosen(&mut waiting, Some(id))? else { return Err(format!("no request `{id}` waits")) };
        server.answer(&request.id, false).await?;
        say(&format!("denied {}\n", request.id));
        Ok(ExitCode::SUCCESS)
    })?
}

type Waiting = Vec<(Server, Vec<Request>)>;

async fn waiting() -> Result<Waiting, String> {
    let mut waiting = Vec::new();
    for mut server in client::servers().await.map_err(|error| error.to_string())? {
        // One that has ended meanwhile has nothing that waits.
        if let Ok(requests) = server.approvals().await {
            waiting.push((server, requests));
        }
    }
    Ok(waiting)
}

/// The request of this name, or the only one.
fn chosen<'a>(waiting: &'a mut Waiting, id: Option<&str>) -> Result<Option<(&'a mut Server, Request)>, String> {
    let all: Vec<(u32, String)> = waiting
        .iter()
        .flat_map(|(server, requests)| requests.iter().map(|request| (server.process, request.id.clone())))
        .filter(|(process, own)| id.is_none_or(|id| id == own || id == format!("{process}/{own}")))
        .collect();
    let (process, own) = match (all.as_slice(), id) {
        ([one], _) => one.clone(),
        ([], Some(id)) => return Err(format!("no request `{id}` waits; `jackfield approve` lists what does")),
        (several, Some(id)) if several.len() > 1 => {
            let names: Vec<String> = several.iter().map(|(process, own)| format!("{process}/{own}")).collect();
            return Err(format!("several servers have a request `{id}`; name one: {}", names.join(", ")));
        }
        _ => return Ok(None),
    };
    let found = waiting.iter_mut().find(|(server, _)| server.process == process);
    Ok(found.and_then(|(server, requests)| Some((server, requests.iter().find(|request| request.id == own)?.clone()))))
}

fn listed(waiting: &Waiting) -> String {
    let row = |server: &Server, request: &Request| {
        let text: String = request.subject.text.replace('\n', " ⏎ ").chars().take(SHOWN_CHARS).collect();
        vec![format!("{}/{}", server.process, request.id), request.subject.caller.clone(), request.subject.session.clone(), text]
    };
    let rows: Vec<Vec<String>> =
        waiting.iter().flat_map(|(server, requests)| requests.iter().map(move |request| row(server, request))).collect();
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| row.iter().map(|cell| crate::terminal::text::escaped(cell)).collect()).collect();
    format!(
        "{}{}\n",
        table(&["REQUEST", "CALLER", "SESSION", "COMMAND"], &rows),
        painted(DIM, "jackfield approve REQUEST shows one and asks")
    )
}
