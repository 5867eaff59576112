//! Logging in: key files, agent, questions, password; each only if it is configured and the server takes it, each once.
//!
//! A server may want several in a row (RFC 4252 section 5.1, partial success): what it then still takes goes on from the beginning
//! with what was not used yet. A password is sent once for a connection, so that no account is locked by trying.

use russh::client::{AuthResult, Handle};
use russh::keys::ssh_key::Certificate;
use russh::keys::ssh_key::public::KeyData;
use russh::{MethodKind, MethodSet};
use zeroize::Zeroizing;

use self::certificates::Certificates;
use self::keys::Loaded;
use super::super::host_key::short_of;
use super::error::told;
use super::handler::{Handler, Hearing, heard};
use super::{ConnectError, Method, Target, step, within};
use crate::config::PASSWORD;
use crate::limits::LOGIN_ANSWER_MAX;

mod agent;
mod certificates;
mod keys;
mod questions;
#[cfg(test)]
mod tests;

/// What a login has come to.
struct Login<'a> {
    target: &'a Target,
    handle: &'a mut Handle<Handler>,
    user: String,
    /// What the server said last.
    result: AuthResult,
    /// Partial successes so far.
    steps: usize,
    /// What was accepted.
    used: Vec<String>,
    /// What was tried, and why it was not enough.
    tried: Vec<String>,
    password_used: bool,
    /// Names of the secrets that the server has refused themselves, and not what it wanted before or behind them.
    secrets_refused: Vec<String>,
    /// What was answered to the last questions: names of secrets, and nothing where a person has answered.
    given: Vec<Option<String>>,
    /// The questions of this exchange that were answered with a secret, and its name.
    asked: Vec<(String, String)>,
    /// Keys that were offered already, in a file or by an agent. Without their comments: those of a file and of an agent differ.
    offered: Vec<KeyData>,
    /// Certificates that were, likewise: the agent may have one that is a file, too.
    certificates_offered: Vec<Vec<u8>>,
    /// What goes with keys that can be read here, or are in the agent.
    certificates: Certificates,
    /// Answers that were given already.
    answered: Vec<String>,
}

/// A way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    KeyFiles,
    Agent,
    Password,
    Questions,
}

const ATTEMPTS: [Attempt; 4] = [Attempt::KeyFiles, Attempt::Agent, Attempt::Password, Attempt::Questions];

/// Those that the OpenSSH configuration leaves, in its order.
fn attempts(target: &Target) -> Vec<Attempt> {
    let Some(methods) = &target.manner.methods else { return ATTEMPTS.to_vec() };
    let of = |method: &Method| match method {
        Method::Keys => [Attempt::KeyFiles, Attempt::Agent].as_slice(),
        Method::Password => &[Attempt::Password],
        Method::Questions => &[Attempt::Questions],
    };
    methods.iter().flat_map(of).copied().collect()
}

/// Rounds after partial successes before a server is held to want them for ever.
const ROUNDS_MAX: usize = 8;

/// Logs in.
///
/// # Errors
///
/// Why no way was accepted.
pub(super) async fn login(target: &Target, handle: &mut Handle<Handler>, hearing: &Hearing) -> Result<(), ConnectError> {
    let user = target.login_name();
    let none =
        step(target, "login", async { handle.authenticate_none(user.as_str()).await.map_err(|error| broken(target, &error)) }).await?;
    let mut login = Login {
        target,
        handle,
        user,
        result: none,
        steps: 0,
        used: Vec::new(),
        tried: Vec::new(),
        password_used: false,
        secrets_refused: Vec::new(),
        given: Vec::new(),
        asked: Vec::new(),
        offered: Vec::new(),
        certificates_offered: Vec::new(),
        certificates: Certificates::read(&target.certificates),
        answered: Vec::new(),
    };
    if login.result.success() {
        heard(hearing).logged_in_by = "nothing: it lets anybody in".to_owned();
        return Ok(());
    }
    for _ in 0..ROUNDS_MAX {
        let steps = login.steps;
        for attempt in attempts(target) {
            login.attempt(attempt).await?;
            if login.result.success() {
                heard(hearing).logged_in_by = login.used.join(", then ");
                return Ok(());
            }
            // What the server still wants may be what was passed over before.
            if login.steps > steps {
                break;
            }
        }
        if login.steps == steps {
            break;
        }
    }
    Err(login.refused(hearing))
}

/// The way to log in that the server offers to whoever knows nothing: for those who look only.
///
/// # Errors
///
/// When the connection breaks.
pub(super) async fn offered(target: &Target, handle: &mut Handle<Handler>) -> Result<Option<Vec<String>>, ConnectError> {
    let result =
        step(target, "login", async { handle.authenticate_none(target.login_name()).await.map_err(|error| broken(target, &error)) });
    Ok(match result.await? {
        AuthResult::Success => None,
        AuthResult::Failure { remaining_methods, .. } => {
            Some(remaining_methods.iter().map(|method| <&str>::from(method).to_owned()).collect())
        }
    })
}

fn broken(target: &Target, error: &russh::Error) -> ConnectError {
    ConnectError::Protocol { device: target.device.clone(), what: told(error) }
}

impl Login<'_> {
    /// Does the server take this method now?
    fn takes(&self, method: MethodKind) -> bool {
        matches!(&self.result, AuthResult::Failure { remaining_methods, .. } if remaining_methods.contains(&method))
    }

    /// One way, if the server takes it and there is something to try.
    async fn attempt(&mut self, attempt: Attempt) -> Result<(), ConnectError> {
        match attempt {
            Attempt::KeyFiles if self.takes(MethodKind::PublicKey) => self.by_key_files().await,
            Attempt::Agent if self.takes(MethodKind::PublicKey) => {
                self.by_agent().await;
                for why in self.certificates.left_over() {
                    self.passed_over(why);
                }
                Ok(())
            }
            Attempt::Password if self.takes(MethodKind::Password) => self.by_password().await,
            Attempt::Questions if self.takes(MethodKind::KeyboardInteractive) => self.by_questions().await,
            _ => Ok(()),
        }
    }

    /// Notes what an attempt with this came to.
    fn came_to(&mut self, result: AuthResult, with: &str) {
        match &result {
            AuthResult::Failure { partial_success: false, .. } => self.tried.push(format!("{with} is not accepted")),
            AuthResult::Failure { partial_success: true, .. } => {
                self.steps += 1;
                self.used.push(with.to_owned());
            }
            AuthResult::Success => self.used.push(with.to_owned()),
        }
        self.result = result;
    }

    /// Is this certificate offered for the first time?
    fn is_new(&mut self, certificate: &Certificate) -> bool {
        // Its bytes are without the comment.
        let bytes = certificate.to_bytes().unwrap_or_default();
        let is_new = !self.certificates_offered.contains(&bytes);
        if is_new {
            self.certificates_offered.push(bytes);
        }
        is_new
    }

    /// Is this an RSA key that the configuration holds to be too short? Such a one is passed over, as by ssh.
    fn is_short(&mut self, key: &KeyData, named: &str) -> bool {
        let short = short_of(key, self.target.offer.rsa_bits);
        if let Some((bits, least)) = short {
            self.passed_over(format!("{named} is an RSA key of {bits} bits, and `RequiredRSASize` wants {least}"));
        }
        short.is_some()
    }

    /// Notes what was not tried; a later round has the same to say.
    fn passed_over(&mut self, why: String) {
        if !self.tried.contains(&why) {
            self.tried.push(why);
        }
    }

    /// Gives up: nothing more of the server's methods is tried.
    fn give_up(&mut self, why: String) {
        self.tried.push(why);
        self.result = AuthResult::Failure { remaining_methods: MethodSet::empty(), partial_success: false };
    }

    async fn by_key_files(&mut self) -> Result<(), ConnectError> {
        let (steps, mut unusable) = (self.steps, None);
        for file in &self.target.keys {
            if self.steps > steps || !self.takes(MethodKind::PublicKey) {
                return Ok(());
            }
            let loaded = match keys::load(self.target, file) {
                Ok(loaded) => loaded,
                Err(_) if file.optional => {
                    if let Some(mode) = keys::open_to_others(&file.path) {
                        let path = file.path.display();
                        self.passed_over(format!(
                            "key `{path}` is left out, as others may use it too (its mode is {mode:o}): `chmod 600 {path}`"
                        ));
                    }
                    continue;
                }
                // As with ssh, another one may do.
                Err(error) => {
                    unusable.get_or_insert(error);
                    continue;
                }
            };
            match loaded {
                Loaded::Private(key) => {
                    if self.is_short(key.public_key().key_data(), &format!("key `{}`", file.path.display())) {
                        continue;
                    }
                    let certificates = self.certificates.of(key.public_key().key_data(), Some(&file.path));
                    self.offer(&file.path, key, certificates).await?;
                }
                Loaded::Public(_) if file.optional || !self.target.agents.is_empty() => {}
                Loaded::Public(_) => {
                    self.passed_over(format!("only an agent can sign with key `{}`, and there is none", file.path.display()));
                }
            }
        }
        match unusable {
            // Nobody is asked anything before it is mended.
            Some(error) if !self.result.success() && self.steps == steps && self.target.agents.is_empty() => Err(error),
            Some(error) => {
                self.passed_over(error.to_string());
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn by_password(&mut self) -> Result<(), ConnectError> {
        let Some(password) = self.target.password.clone().filter(|_| !self.password_used) else { return Ok(()) };
        self.password_used = true;
        let text = Zeroizing::new(String::from_utf8_lossy(password.expose()).into_owned());
        let (target, handle, user) = (self.target, &mut *self.handle, self.user.as_str());
        // The server may ask a person elsewhere before it answers, such as on a telephone.
        let result = within(LOGIN_ANSWER_MAX, target, "login", async {
            handle.authenticate_password(user, text.as_str()).await.map_err(|error| broken(target, &error))
        });
        let result = result.await?;
        if matches!(result, AuthResult::Failure { partial_success: false, .. }) {
            self.secrets_refused.push(PASSWORD.to_owned());
        }
        self.came_to(result, "the password");
        Ok(())
    }

    fn refused(&self, hearing: &Hearing) -> ConnectError {
        let none = MethodSet::empty();
        let remaining = match &self.result {
            AuthResult::Failure { remaining_methods, .. } => remaining_methods,
            AuthResult::Success => &none,
        };
        let offered: Vec<&str> = remaining.iter().map(<&str>::from).collect();
        let end = heard(hearing).end.clone();
        let known = self.target.given();
        if let Some(what) = end.clone().filter(|_| self.tried.is_empty() && self.steps == 0) {
            // Nothing was tried: what is configured is not the matter.
            return ConnectError::Protocol { device: self.target.device.clone(), what: known.text(&what) };
        }
        let mut tried = self.tried.clone();
        if self.steps > 0 {
            tried.insert(0, "a first step was accepted".to_owned());
        }
        let is_left_out = |name: &&str| match (&self.target.manner.methods, Method::of(name)) {
            (Some(methods), Some(method)) => !methods.contains(&method),
            _ => false,
        };
        let left_out: Vec<&str> = offered.iter().copied().filter(is_left_out).collect();
        if !left_out.is_empty() {
            tried.push(format!("the ssh configuration leaves out {}", left_out.join(", ")));
        }
        if tried.is_empty() {
            tried.push("no key, agent or password is configured that it takes".to_owned());
        } else if self.target.password.is_none() && offered.contains(&"password") && !left_out.contains(&"password") {
            tried.push("no password is configured".to_owned());
        }
        tried.extend(end);
        let offered = if offered.is_empty() { "nothing more".to_owned() } else { offered.join(", ") };
        ConnectError::Refused {
            device: self.target.device.clone(),
            user: self.target.user.clone(),
            // A server may say back what it was given.
            tried: known.text(&tried.join(", ")),
            offered,
            secrets_refused: self.secrets_refused.clone(),
        }
    }
}
