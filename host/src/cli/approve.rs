//! `jackfield approve` and `jackfield deny`: a person's word on what an agent wants.
//!
//! Yes is said at a terminal, with the whole text on it, never by an argument. That keeps out whoever can only start programs; who
//! can type into a terminal of this account can say yes too, so an agent that must be kept out runs as another account.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde_json::json;

use super::daemon::servers;
use super::paint::{DIM, DOUBT, GOOD, painted, say, table};
use super::runtime::block_on;
use crate::daemon::client::Server;
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
    for mut server in servers().await? {
        // One that has ended meanwhile has nothing that waits.
        if let Ok(requests) = server.approvals().await {
            waiting.push((server, requests));
        }
    }
    Ok(waiting)
}

/// The request of this name, or the only one.
fn chosen<'a>(waiting: &'a mut Waiting, id: Option<&str>) -> Result<Option<(&'a mut Server, Request)>, String> {
    let all = waiting.iter().flat_map(|(server, requests)| requests.iter().map(|request| (server.process, request.id.clone())));
    let Some((process, own)) = meant(all.collect(), id, "request", "approve")? else { return Ok(None) };
    let found = waiting.iter_mut().find(|(server, _)| server.process == process);
    Ok(found.and_then(|(server, requests)| Some((server, requests.iter().find(|request| request.id == own)?.clone()))))
}

/// Which one of what waits in several processes a name means, `ID` or `PROCESS/ID`; without a name the only one there is. `kind` is what
/// they are, `command` what lists them.
pub(super) fn meant(all: Vec<(u32, String)>, id: Option<&str>, kind: &str, command: &str) -> Result<Option<(u32, String)>, String> {
    let is_named = |(process, own): &(u32, String)| id.is_none_or(|id| id == own || id == format!("{process}/{own}"));
    let mut found: Vec<(u32, String)> = all.into_iter().filter(is_named).collect();
    match (found.len(), id) {
        (1, _) => Ok(found.pop()),
        (_, None) => Ok(None),
        (0, Some(id)) => Err(format!("no {kind} `{id}` waits; `jackfield {command}` lists what does")),
        (_, Some(id)) => {
            let names: Vec<String> = found.iter().map(|(process, own)| format!("{process}/{own}")).collect();
            Err(format!("several servers have a {kind} `{id}`; name one: {}", names.join(", ")))
        }
    }
}

fn listed(waiting: &Waiting) -> String {
    let row = |server: &Server, request: &Request| {
        let text: String = request.subject.text.replace('\n', " ⏎ ").chars().take(SHOWN_CHARS).collect();
        vec![format!("{}/{}", server.process, request.id), request.subject.caller.clone(), request.subject.session.clone(), text]
    };
    let rows: Vec<Vec<String>> =
        waiting.iter().flat_map(|(server, requests)| requests.iter().map(move |request| row(server, request))).collect();
    format!(
        "{}{}\n",
        table(&["REQUEST", "CALLER", "SESSION", "COMMAND"], &rows),
        painted(DIM, "jackfield approve REQUEST shows one and asks")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_servers_call_alike_is_told_apart_by_their_processes() {
        let named =
            |id: Option<&str>| meant(vec![(7, "q1".to_owned()), (9, "q1".to_owned()), (9, "q2".to_owned())], id, "question", "answer");
        assert_eq!(named(Some("q2")), Ok(Some((9, "q2".to_owned()))));
        assert_eq!(named(Some("9/q1")), Ok(Some((9, "q1".to_owned()))));
        assert_eq!(named(Some("q1")).unwrap_err(), "several servers have a question `q1`; name one: 7/q1, 9/q1");
        assert_eq!(named(Some("q3")).unwrap_err(), "no question `q3` waits; `jackfield answer` lists what does");
        assert_eq!(named(None), Ok(None));
        assert_eq!(meant(vec![(7, "q1".to_owned())], None, "question", "answer"), Ok(Some((7, "q1".to_owned()))));
    }
}
