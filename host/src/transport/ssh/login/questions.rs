//! Questions of the server (RFC 4256): the password, what the configuration answers, and what only a person can.

use russh::client::{AuthResult, KeyboardInteractiveAuthResponse as Reply, Prompt};

use super::super::error::words;
use super::super::{ConnectError, step, within};
use super::{Login, broken};
use crate::config::PASSWORD;
use crate::limits::{LOGIN_ANSWER_MAX, QUESTION_ROUNDS_MAX, QUESTIONS_OF_A_ROUND_MAX};

/// The longest part of a question in an error.
const SHOWN_MAX_BYTES: usize = 200;

impl Login<'_> {
    /// Answers round by round.
    pub(super) async fn by_questions(&mut self) -> Result<(), ConnectError> {
        // Without anything to answer with, a server is not even asked for its questions: each is a failure in its books.
        let has_password = self.target.password.is_some() && !self.password_used;
        if !has_password && self.target.answers.is_empty() && self.target.questions.is_none() {
            return Ok(());
        }
        let (target, user) = (self.target, self.user.clone());
        self.given.clear();
        self.asked.clear();
        let handle = &mut *self.handle;
        let start = async { handle.authenticate_keyboard_interactive_start(user, None).await.map_err(|error| broken(target, &error)) };
        let mut reply = step(target, "login", start).await?;
        let mut has_asked = false;
        for _ in 0..QUESTION_ROUNDS_MAX {
            let (about, prompts) = match reply {
                Reply::Success => {
                    self.came_to(AuthResult::Success, "the answers to its questions");
                    return Ok(());
                }
                Reply::Failure { remaining_methods, partial_success: false } if !has_asked => {
                    // Many servers offer it to everybody and have no question for this account. No answer was wrong.
                    self.tried.push("it offers to ask and asks nothing".to_owned());
                    self.result = AuthResult::Failure { remaining_methods, partial_success: false };
                    return Ok(());
                }
                Reply::Failure { remaining_methods, partial_success } => {
                    let what = self.answer_given();
                    if !partial_success {
                        self.refuse_given();
                    }
                    self.came_to(AuthResult::Failure { remaining_methods, partial_success }, what);
                    return Ok(());
                }
                Reply::InfoRequest { name, instructions, prompts } => (format!("{name} {instructions}"), prompts),
            };
            has_asked = true;
            let answers = match self.answers(&about, &prompts).await {
                Ok(answers) => answers,
                Err(why) => {
                    self.give_up(why);
                    return Ok(());
                }
            };
            let handle = &mut *self.handle;
            let respond = async { handle.authenticate_keyboard_interactive_respond(answers).await.map_err(|error| broken(target, &error)) };
            // The answer may have been that a person is to agree elsewhere.
            reply = match within(LOGIN_ANSWER_MAX, target, "login", respond).await {
                // A server that hangs up right behind a secret has refused it.
                Err(ConnectError::Protocol { what, .. }) if self.given.iter().any(Option::is_some) => {
                    self.refuse_given();
                    self.give_up(format!("{} is not accepted: {what}", self.answer_given()));
                    return Ok(());
                }
                answered => answered?,
            };
        }
        self.give_up(format!("it asked more than {QUESTION_ROUNDS_MAX} times"));
        Ok(())
    }

    async fn answers(&mut self, about: &str, prompts: &[Prompt]) -> Result<Vec<String>, String> {
        if prompts.len() > QUESTIONS_OF_A_ROUND_MAX {
            return Err(format!("it asks {} questions at once", prompts.len()));
        }
        // What is refused by a round without questions is what was given before it; with further ones, that was taken.
        if !prompts.is_empty() {
            self.given.clear();
        }
        let mut answers = Vec::new();
        for prompt in prompts {
            answers.push(self.answer(about, prompt).await?);
        }
        Ok(answers)
    }

    /// The answer to one question: what the configuration names for it, the password for the first hidden one, else a person's.
    async fn answer(&mut self, about: &str, prompt: &Prompt) -> Result<String, String> {
        let target = self.target;
        let lower = prompt.prompt.to_lowercase();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fits = target.answers.iter().find(|answer| lower.contains(&answer.asks.to_lowercase()));
        if let Some(answer) = fits.filter(|answer| !self.answered.contains(&answer.name)) {
            self.answered.push(answer.name.clone());
            self.gives(&answer.name, prompt);
            return Ok(text(answer.secret.expose()));
        }
        if let Some(password) = target.password.as_ref().filter(|_| fits.is_none() && !prompt.echo && !self.password_used) {
            self.password_used = true;
            self.gives(PASSWORD, prompt);
            return Ok(text(password.expose()));
        }
        // The same question again, before the end of the exchange: what was given was not it.
        let again = self.asked.iter().filter(|(asked, _)| *asked == prompt.prompt).map(|(_, name)| name.clone());
        self.secrets_refused.extend(again);
        self.given.push(None);
        if let Some(questions) = &target.questions {
            let given = questions.ask(&target.device, &target.user, about, &prompt.prompt, prompt.echo).await?;
            return Ok(text(given.expose()));
        }
        let shown = words(&target.given().text(&prompt.prompt), SHOWN_MAX_BYTES);
        Err(format!("it asks `{shown}`, for which nothing is configured"))
    }

    fn gives(&mut self, name: &str, prompt: &Prompt) {
        self.given.push(Some(name.to_owned()));
        self.asked.push((prompt.prompt.clone(), name.to_owned()));
    }

    /// The server has refused what it was answered last. Of several answers it does not say which one was wrong: each is counted, as the
    /// server counts the login.
    fn refuse_given(&mut self) {
        self.secrets_refused.extend(self.given.iter().flatten().cloned());
    }

    /// What it was answered last, in a sentence.
    fn answer_given(&self) -> &'static str {
        match self.given.last() {
            Some(Some(name)) if name == PASSWORD => "the password, as an answer to its question,",
            _ => "the answer to its question",
        }
    }
}
