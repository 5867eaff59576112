//! What this account's other programs ask a running server: one line asks, one line answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::gate::House;
use super::status::Status;
use crate::author::Author;
use crate::directory::Directory;
use crate::limits::{CONTROL_ANSWER_MAX, CONTROL_READ_MAX_BYTES};
use crate::policy::approval::{Answer, COMMAND_LINE, at_a_terminal};
use crate::renewal::Report;
use crate::secret::Secret;
use crate::transport::questions::Questions;

/// Asks a server to read its configuration again.
pub(super) const RELOAD: &str = "reload";
/// Asks what waits for a person's word.
pub(super) const APPROVALS: &str = "approvals";
/// Gives one.
pub(super) const ANSWER: &str = "answer ";
/// Asks what servers ask at login.
pub(super) const QUESTIONS: &str = "questions";
/// Answers one.
pub(super) const REPLY: &str = "reply ";
/// Asks the same with the pins of these files skipped as long as the connection lasts.
pub(super) const DEV: &str = "dev ";
/// Asks how it stands.
pub(super) const STATUS: &str = "status";
/// Asks for a link that logs a browser in.
pub(super) const LINK: &str = "link ";
/// Asks it to end.
pub(super) const STOP: &str = "stop";
/// Asks it to end unless something runs.
pub(super) const DRAIN: &str = "drain";

/// Answers lines until the other side has asked all.
pub(super) async fn answer(read: BufReader<OwnedReadHalf>, mut write: OwnedWriteHalf, uid: u32, house: &Arc<House>) {
    let (renewer, directory) = (&house.renewer, &house.directory);
    let mut lines = read.take(CONTROL_READ_MAX_BYTES).lines();
    let mut develops = false;
    loop {
        // A developer's connection lasts; who asks for anything else does it at once.
        let line = match develops {
            true => lines.next_line().await,
            false => timeout(CONTROL_ANSWER_MAX, lines.next_line()).await.unwrap_or(Ok(None)),
        };
        let Ok(Some(line)) = line else { break };
        let line = Zeroizing::new(line);
        let at_once = about_approval(&line, uid, directory).or_else(|| about_question(&line, directory.questions()));
        let said = match at_once {
            Some(said) => Some(said),
            None => about_house(&line, house).await,
        };
        let text = match (said, line.strip_prefix(DEV).map(serde_json::from_str::<Vec<PathBuf>>)) {
            (Some(text), _) => text,
            (None, Some(Ok(files))) if !develops => {
                let begun = renewer.begin_dev(files).await;
                develops = begun.is_ok();
                json(&begun.unwrap_or_else(|why| Report { complaints: vec![why], ..Report::default() }))
            }
            (None, None) if *line == RELOAD => json(&renewer.renew().await),
            _ => break,
        };
        if write.write_all((text + "\n").as_bytes()).await.is_err() {
            break;
        }
    }
    if develops {
        renewer.end_dev().await;
    }
}

/// A link that is wanted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) may_type: bool,
    pub(super) port: u16,
}

/// A person's word, as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) id: String,
    pub(super) allow: bool,
    /// The account's name.
    pub(super) person: String,
}

/// What is asked or said about approvals, and the reply.
fn about_approval(line: &str, uid: u32, directory: &Directory) -> Option<String> {
    if line == APPROVALS {
        return serde_json::to_string(&directory.approvals().open(Instant::now())).ok();
    }
    let said: Said = serde_json::from_str(line.strip_prefix(ANSWER)?).ok()?;
    let answer = if said.allow { Answer::Allow } else { Answer::Deny };
    let by = at_a_terminal(&said.person, uid);
    let taken = directory.decide(&said.id, answer, &Author::person(&said.person), (&by, COMMAND_LINE));
    serde_json::to_string(&taken.err()).ok()
}

/// What is asked or said about questions of servers, and the reply.
fn about_question(line: &str, questions: &Questions) -> Option<String> {
    if line == QUESTIONS {
        return serde_json::to_string(&questions.open()).ok();
    }
    let (id, answer) = line.strip_prefix(REPLY)?.split_once(' ')?;
    let secret = Secret::from_bytes(answer.as_bytes().to_vec());
    serde_json::to_string(&questions.answer(id, secret).err()).ok()
}

/// What is asked about the process itself, and the reply.
pub(super) async fn about_house(line: &str, house: &Arc<House>) -> Option<String> {
    if let Some(wanted) = line.strip_prefix(LINK) {
        let Link { may_type, port } = serde_json::from_str(wanted).ok()?;
        return Some(json(&house.guests.link(may_type, port).await));
    }
    if !matches!(line, STATUS | STOP | DRAIN) {
        return None;
    }
    let status = Status::of(house);
    // Looked at and ended in one step: whoever asks twice leaves time for something to begin in between.
    if line == STOP || (line == DRAIN && status.busy.is_empty()) {
        house.stop.notify_one();
    }
    Some(json(&status))
}

/// A reply's line.
fn json(reply: &impl Serialize) -> String {
    serde_json::to_string(reply).unwrap_or_default()
}
