//! `jackfield answer`: what a server asks at login, a one-time code for one, answered by a person at a terminal.
//!
//! The answer goes from this terminal to the running server and from there to the device. No agent sees it.

use std::io::IsTerminal as _;
use std::pin::pin;
use std::process::ExitCode;

use serde_json::json;
use zeroize::Zeroizing;

use super::approve::meant;
use super::daemon::servers;
use super::hidden;
use super::paint::{GOOD, painted, say, table};
use super::runtime::block_on;
use crate::daemon::client::Server;
use crate::secret::Secret;
use crate::transport::questions::{Question, Questions};

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
    for mut server in servers().await? {
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

/// Why nobody is asked, and what to do.
const NO_TERMINAL: &str = "nobody can be asked here: run this where standard input and output are a terminal";

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
    typed(question)
}

/// Carries out what logs in from this process, which no other one sees: what servers ask meanwhile is asked at this terminal. Where there
/// is none, the login ends with a sentence that says so.
pub(super) async fn attended<T>(questions: &Questions, work: impl Future<Output = T>) -> T {
    attended_by(questions, work, |question| if is_at_terminal() { typed(question) } else { Err(NO_TERMINAL.to_owned()) }).await
}

async fn attended_by<T>(
    questions: &Questions,
    work: impl Future<Output = T>,
    ask: impl Fn(&Question) -> Result<Zeroizing<String>, String>,
) -> T {
    let mut work = pin!(work);
    loop {
        let changed = questions.changed();
        let Some(question) = questions.open().into_iter().next() else {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = changed => {}
            }
            continue;
        };
        // Where it was too late, what came of the login is told next.
        let _ = match ask(&question) {
            Ok(answer) => questions.answer(&question.id, Secret::from_bytes(answer.as_bytes().to_vec())),
            Err(why) => questions.give_up(&question.id, &why),
        };
    }
}

/// Asks it here.
fn typed(question: &Question) -> Result<Zeroizing<String>, String> {
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
    // Ctrl-D is no answer: an empty one would be a try in the server's books.
    if std::io::stdin().read_line(&mut line).map_err(|error| format!("cannot read the terminal: {error}"))? == 0 {
        return Err("no answer was typed".to_owned());
    }
    Ok(Zeroizing::new(line.trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_asked_in_this_process_is_answered_or_given_up_at_once() {
        let questions = Questions::default();
        let login = async || {
            let first = questions.ask("gate", "ops", "", "Code:", false).await?;
            let second = questions.ask("web1", "ops", "", "Code:", false).await?;
            Ok::<_, String>([first.expose(), second.expose()].concat())
        };
        let answered = attended_by(&questions, login(), |question| Ok(Zeroizing::new(format!("{} ", question.device)))).await;
        assert_eq!(answered.as_deref(), Ok(b"gate web1 ".as_slice()));
        let nobody = attended_by(&questions, login(), |_| Err(NO_TERMINAL.to_owned())).await;
        assert_eq!(nobody, Err(format!("it asks `Code:`, and {NO_TERMINAL}")));
    }

    #[test]
    fn no_line_of_a_server_passes_for_ours() {
        assert_eq!(barred("Code:"), "  | Code:");
        let forged = "No.\n`core` asks whoever logs in as `ops`:\nPassword:";
        assert_eq!(barred(forged), "  | No.\n  | `core` asks whoever logs in as `ops`:\n  | Password:");
    }
}
