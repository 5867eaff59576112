//! What the lines have set so far. The first value stays, except where values add up.

use std::collections::BTreeMap;

use super::forward::{Direction, Forward};
use super::jump::Jump;
use super::resolved::Origin;
use super::statement::Value;
use super::{Place, keyword};

/// Identities that OpenSSH takes.
const IDENTITIES_MAX: usize = 100;
/// Files of one kind, or domains, that OpenSSH takes.
const WORDS_MAX: usize = 32;

/// A path and whether the user's own file names it: the same path from the machine's file is another one.
pub(super) type Named = (String, bool);

/// What is set.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    values: BTreeMap<&'static str, Value>,
    pub(super) identity_files: Vec<Named>,
    pub(super) certificate_files: Vec<Named>,
    /// Those for SOCKS are among them.
    pub(super) local_forwards: Vec<Forward>,
    pub(super) remote_forwards: Vec<Forward>,
    pub(super) send_env: Vec<String>,
    pub(super) set_env: Vec<String>,
    pub(super) origins: Vec<Origin>,
}

impl Options {
    /// Takes the value of an active line.
    pub(super) fn take(&mut self, name: &'static str, value: &Value, place: &Place, is_users: bool) -> Result<(), String> {
        let taken = match (name, value) {
            (_, Value::Nothing) => false,
            ("identityfile", Value::Text(path)) => added(&mut self.identity_files, path, is_users)?,
            ("certificatefile", Value::Text(path)) => added(&mut self.certificate_files, path, is_users)?,
            (_, Value::Forward(direction, forward)) => {
                let list = if *direction == Direction::Remote { &mut self.remote_forwards } else { &mut self.local_forwards };
                let new = !list.contains(forward);
                if new {
                    list.push(forward.clone());
                }
                new
            }
            ("sendenv", Value::Words(words)) => {
                words.iter().for_each(|word| send(&mut self.send_env, word));
                true
            }
            ("setenv", Value::Words(words)) => self.set_variables(words),
            (_, Value::Words(words)) if words.len() > WORDS_MAX => return Err(format!("{name}: more than {WORDS_MAX} values")),
            (_, Value::Words(words)) if words.is_empty() => false,
            ("forwardagent", Value::Text(_)) => {
                // Whether it is forwarded, and which one, are two values: a `no` that came before still counts.
                self.first("forwardagent", &Value::Flag(true));
                self.first("forwardagentpath", value)
            }
            // Whichever of the two comes first. `ProxyJump none` keeps no command away.
            ("proxycommand", _) if matches!(self.values.get("proxyjump"), Some(Value::Jump(Jump::Through { .. }))) => false,
            ("proxyjump", _) if self.values.contains_key("proxycommand") => false,
            _ => self.first(name, value),
        };
        if taken {
            self.origins.push(Origin { keyword: name, place: place.clone() });
        }
        Ok(())
    }

    /// Sets what is not set yet.
    pub(super) fn first(&mut self, name: &'static str, value: &Value) -> bool {
        let new = !self.values.contains_key(name);
        if new {
            self.values.insert(name, value.clone());
        }
        new
    }

    /// Sets what may be set already.
    pub(super) fn replace(&mut self, name: &'static str, value: Value) {
        self.values.insert(name, value);
    }

    /// The first line that has any decides; of its own words with one name the first counts.
    fn set_variables(&mut self, words: &[String]) -> bool {
        let new = self.set_env.is_empty();
        if new {
            for word in words {
                let name = |word: &str| word.split('=').next().map(str::to_owned);
                if !self.set_env.iter().any(|known| name(known) == name(word)) {
                    self.set_env.push(word.clone());
                }
            }
        }
        new
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        debug_assert!(keyword::find(name).is_some(), "{name} is no keyword");
        if let Some(Value::Flag(flag)) = self.values.get(name) { Some(*flag) } else { None }
    }

    pub(super) fn choice(&self, name: &str) -> Option<&'static str> {
        debug_assert!(keyword::find(name).is_some(), "{name} is no keyword");
        if let Some(Value::Choice(choice)) = self.values.get(name) { Some(choice) } else { None }
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        debug_assert!(keyword::find(name).is_some(), "{name} is no keyword");
        if let Some(Value::Number(number)) = self.values.get(name) { Some(*number) } else { None }
    }

    pub(super) fn port(&self) -> Option<u16> {
        if let Some(Value::Port(port)) = self.values.get("port") { Some(*port) } else { None }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.values.get(name) { Some(text) } else { None }
    }

    /// A text that is not `none`.
    pub(super) fn some_text(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.eq_ignore_ascii_case("none"))
    }

    pub(super) fn words(&self, name: &str) -> Option<&[String]> {
        debug_assert!(keyword::find(name).is_some(), "{name} is no keyword");
        if let Some(Value::Words(words)) = self.values.get(name) { Some(words) } else { None }
    }

    pub(super) fn jump(&self) -> Option<&Jump> {
        if let Some(Value::Jump(jump @ Jump::Through { .. })) = self.values.get("proxyjump") { Some(jump) } else { None }
    }
}

fn added(list: &mut Vec<Named>, path: &str, is_users: bool) -> Result<bool, String> {
    if list.len() >= IDENTITIES_MAX {
        return Err(format!("more than {IDENTITIES_MAX} identities or certificates"));
    }
    let named = (path.to_owned(), is_users);
    let new = !list.contains(&named);
    if new {
        list.push(named);
    }
    Ok(new)
}

/// Adds a name, or takes those that fit it away.
fn send(list: &mut Vec<String>, word: &str) {
    match word.strip_prefix('-') {
        Some(fitting) => list.retain(|name| !crate::wildcard::fits(fitting, name)),
        None => list.push(word.to_owned()),
    }
}
