//! `jackfield answer`: what a server asks at login, a one-time code for one, answered by a person at a terminal.
//!
//! The answer goes from this terminal to the running server and from there to the device. No agent sees it.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use serde_json::json;
use zeroize::Zeroizing;

use super::approve::meant;
use super::hidden;
use super::paint::{GOOD, painted, say, table};
use super::runtime::block_on;
use crate::daemon::client::{self, Server};
use crate::transport::questions::Question;

/// Shows what is asked, or asks it here.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(id: Option<&str>, json: bool) -> Result<ExitCode, String> {
    block_on(async {
        let mut waiting = waiting().await?;
        if json {
            let questions: Vec<_> = waiting
                .iter()
                .flat_map(|(server, questions)| questions.iter().map(|question| json!({"process": server.process, "question": question})))
                .collect();
            say(&format!("{}\n", json!({"questions": questions})));
            return Ok(ExitCode::SUCCESS);
        }
        let open = waiting.iter().flat_map(|(server, questions)| questions.iter().map(|question| (server.process, question.id.clone())));
        let open: Vec<(u32, String)> = open.collect();
        let is_none = open.is_empty();
        let Some((process, id)) = meant(open, id, "question", "answer")? else {
            say(&if is_none { "no server asks anything\n".to_owned() } else { listed(&waiting) });
            return Ok(ExitCode::SUCCESS);
        };
        let found = waiting.iter_mut().find(|(server, _)| server.process == process);
        let found = found.and_then(|(server, questions)| Some((server, questions.iter().find(|question| question.id == id)?.clone())));
        let (server, question) = found.ok_or_else(|| format!("no question `{id}` waits; `jackfield answer` lists them"))?;
        let answer = asked(&question)?;
        server.reply(&question.id, &answer).await?;
        say(&format!("{} {}\n", painted(GOOD, "answered"), question.id));
        Ok(ExitCode::SUCCESS)
    })?
}

type Waiting = Vec<(Server, Vec<Question>)>;

async fn waiting() -> Result<Waiting, String> {
    let mut waiting = Vec::new();
    for mut server in client::servers().await.map_err(|error| error.to_string())? {
        // One that has ended meanwhile asks nothing.
        if let Ok(questions) = server.questions().await {
            waiting.push((server, questions));
        }
    }
    Ok(waiting)
}

fn listed(waiting: &Waiting) -> String {
    let row = |server: &Server, question: &Question| {
        let id = format!("{}/{}", server.process, question.id);
        vec![id, question.device.clone(), question.user.clone(), question.prompt.clone()]
    };
    let rows: Vec<Vec<String>> =
        waiting.iter().flat_map(|(server, questions)| questions.iter().map(move |question| row(server, question))).collect();
    format!("{}Answer one: jackfield answer ID\n", table(&["ID", "DEVICE", "ACCOUNT", "ASKS"], &rows))
}

/// Can somebody be asked here?
pub(super) fn is_at_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// A server's words line by line behind a bar, so that they cannot pass for another device's question.
fn barred(text: &str) -> String {
    text.split('\n').map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}

/// Asks it at this terminal.
///
/// # Errors
///
/// When there is none.
pub(super) fn asked(question: &Question) -> Result<Zeroizing<String>, String> {
    if !is_at_terminal() {
        return Err(format!("`{}` is answered at a terminal only; run `jackfield answer {}` in one", question.id, question.id));
    }
    say(&format!("`{}` asks whoever logs in as `{}`:\n", question.device, question.user));
    if !question.about.is_empty() {
        say(&format!("{}\n", barred(&question.about)));
    }
    let prompt = format!("{} ", barred(&question.prompt));
    if !question.echo {
        return hidden::asked(&prompt).map_err(|error| format!("cannot read the terminal: {error}"));
    }
    say(&prompt);
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().read_line(&mut line).map_err(|error| format!("cannot read the terminal: {error}"))?;
    Ok(Zeroizing::new(line.trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_server_passes_for_ours() {
        assert_eq!(barred("Code:"), "  | Code:");
        let forged = "No.\n`core` asks whoever logs in as `ops`:\nPassword:";
        assert_eq!(barred(forged), "  | No.\n  | `core` asks whoever logs in as `ops`:\n  | Password:");
    }
}
