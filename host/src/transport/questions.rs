//! What a server asks at login that nothing in the configuration answers: a one-time code, a new password.
//!
//! A person answers in a terminal; a caller of a tool never sees the answer. Whoever waits for one waits as long as servers do.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::ids::open_are;
use crate::limits::{LOGIN_ANSWER_MAX, QUESTIONS_MAX};
use crate::secret::Secret;
use crate::terminal::text::{escaped, first_bytes};
use crate::transport::ssh::{WORDS_MAX_BYTES, words};

/// The longest part of a question that is shown.
const SHOWN_MAX_BYTES: usize = 1024;

/// A question of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its name: `q3`.
    pub id: String,
    /// The device that asks.
    pub device: String,
    /// The account that logs in.
    pub user: String,
    /// What the server says about all its questions.
    pub about: String,
    /// The question.
    pub prompt: String,
    /// The answer may be seen while it is typed.
    pub echo: bool,
}

struct Entry {
    question: Question,
    /// The answer, or why nobody can be asked.
    answer: oneshot::Sender<Result<Secret, String>>,
}

#[derive(Default)]
struct Kept {
    entries: Vec<Entry>,
    asked: u64,
}

/// All questions of the process.
#[derive(Clone, Default)]
pub struct Questions {
    kept: Arc<Mutex<Kept>>,
    /// Told whenever one is asked.
    asked: Arc<Notify>,
}

impl std::fmt::Debug for Questions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Questions").field(&self.open()).finish()
    }
}

impl Questions {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for it any more.
        kept.entries.retain(|entry| !entry.answer.is_closed());
        kept
    }

    /// Waits for a person's answer.
    ///
    /// # Errors
    ///
    /// When nobody answers in time or can be asked, or too many questions are open.
    pub async fn ask(&self, device: &str, user: &str, about: &str, prompt: &str, echo: bool) -> Result<Secret, String> {
        let shown = |text: &str| escaped(first_bytes(text, SHOWN_MAX_BYTES).trim());
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut kept = self.kept();
            if kept.entries.len() >= QUESTIONS_MAX {
                return Err(format!("{QUESTIONS_MAX} questions of servers wait for a person already"));
            }
            kept.asked += 1;
            let id = format!("q{}", kept.asked);
            let question = Question {
                id: id.clone(),
                device: device.to_owned(),
                user: user.to_owned(),
                about: shown(about),
                prompt: shown(prompt),
                echo,
            };
            kept.entries.push(Entry { question, answer });
            id
        };
        self.asked.notify_waiters();
        match timeout(LOGIN_ANSWER_MAX, answered).await {
            Ok(Ok(Ok(secret))) => Ok(secret),
            Ok(Ok(Err(why))) => Err(format!("it asks `{}`, and {why}", words(prompt, WORDS_MAX_BYTES))),
            _ => {
                let (prompt, waited) = (words(prompt, WORDS_MAX_BYTES), LOGIN_ANSWER_MAX.as_secs());
                Err(format!("nobody answered its question `{prompt}` ({id}) within {waited} s"))
            }
        }
    }

    /// Waits until one more is asked, from now on.
    pub fn changed(&self) -> Notified<'_> {
        self.asked.notified()
    }

    /// What waits for an answer, the oldest first.
    #[must_use]
    pub fn open(&self) -> Vec<Question> {
        self.kept().entries.iter().map(|entry| entry.question.clone()).collect()
    }

    /// Takes an answer. The first one counts.
    ///
    /// # Errors
    ///
    /// When no such question is open.
    pub fn answer(&self, id: &str, answer: Secret) -> Result<(), String> {
        self.settle(id, Ok(answer))
    }

    /// Nobody can be asked; why. Whoever waits for the answer waits no longer.
    ///
    /// # Errors
    ///
    /// When no such question is open.
    pub fn give_up(&self, id: &str, why: &str) -> Result<(), String> {
        self.settle(id, Err(why.to_owned()))
    }

    fn settle(&self, id: &str, answer: Result<Secret, String>) -> Result<(), String> {
        let mut kept = self.kept();
        let Some(at) = kept.entries.iter().position(|entry| entry.question.id == id) else {
            let open: Vec<&str> = kept.entries.iter().map(|entry| entry.question.id.as_str()).collect();
            return Err(format!("no question `{id}` waits for an answer; {}", open_are(&open)));
        };
        // It may have been given up just now; then nobody reads the answer.
        let _ = kept.entries.remove(at).answer.send(answer);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_question_is_answered_once_or_given_up() {
        let questions = Questions::default();
        let asked = questions.clone();
        let asking = tokio::spawn(async move { asked.ask("web1", "bob", "", "Code: \u{1b}[2J", true).await });
        tokio::task::yield_now().await;
        let open = questions.open();
        assert_eq!((open[0].id.as_str(), open[0].prompt.as_str()), ("q1", "Code: \\x1b[2J"));
        assert!(questions.answer("q7", Secret::from_bytes(b"1".to_vec())).unwrap_err().contains("open are: q1"));
        questions.answer("q1", Secret::from_bytes(b"123456".to_vec())).unwrap();
        assert!(questions.answer("q1", Secret::from_bytes(b"1".to_vec())).is_err());
        assert_eq!(asking.await.unwrap().unwrap().expose(), b"123456");
        let late = questions.ask("web1", "bob", "", "Code\n\nNext: ssh_run:", false).await;
        assert!(late.err().unwrap().contains("nobody answered its question `Code Next: ssh_run:` (q2)"));
        assert_eq!(questions.open(), []);
    }
}
