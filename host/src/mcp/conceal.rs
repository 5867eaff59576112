//! Devices whose host, port and user the operator conceals: a caller knows them by their names alone.
//!
//! Every reply goes through here, so that no error text, no list and no prompt tells what it should not. What a device says of itself in
//! another form (its own name in a prompt, another of its addresses) is its output and stays.

use serde_json::Value;

use super::reply::Reply;
use crate::config::{Config, Device};

/// The words of one device.
struct Words<'c> {
    name: &'c str,
    host: Option<&'c str>,
    port: Option<String>,
    user: Option<&'c str>,
}

impl<'c> Words<'c> {
    fn of(name: &'c str, device: &'c Device) -> Self {
        let host = device.host.as_deref().filter(|host| *host != name);
        Self { name, host, port: device.port.map(|port| port.to_string()), user: device.user.as_deref() }
    }

    /// There may be thousands of devices, and most of them are not in most texts: those cost a look each.
    fn hide(&self, text: &mut String, is_error: bool) {
        if let Some(host) = self.host.filter(|host| text.contains(host)) {
            if let Some(port) = &self.port {
                let address = format!("[address of {}]", self.name);
                for form in [format!("[{host}]:{port}"), format!("{host}:{port}")] {
                    *text = replace(text, &form, &address);
                }
            }
            *text = replace(text, host, &format!("[host of {}]", self.name));
        }
        if let Some(user) = self.user.filter(|user| text.contains(user)) {
            *text = replace(text, &format!("{user}@"), &format!("[user of {}]@", self.name));
            if is_error {
                *text = text.replace(&format!("`{user}`"), &format!("`[user of {}]`", self.name));
            }
        }
        if let Some(port) = self.port.as_ref().filter(|port| is_error && text.contains(port.as_str())) {
            *text = replace(text, port, &format!("[port of {}]", self.name));
        }
    }
}

/// The reply without what is concealed.
#[must_use]
pub(super) fn conceal(mut reply: Reply, config: &Config) -> Reply {
    let concealed = config.concealed.iter().filter_map(|name| config.devices.get_key_value(name));
    let words: Vec<Words<'_>> = concealed.map(|(name, device)| Words::of(name, device)).collect();
    if words.is_empty() {
        return reply;
    }
    let is_error = reply.error;
    reply.text = hidden(&words, &reply.text, is_error);
    reply.fields.values_mut().for_each(|value| each_text(value, &|text| hidden(&words, text, is_error)));
    reply
}

fn hidden(words: &[Words<'_>], text: &str, is_error: bool) -> String {
    let mut text = text.to_owned();
    words.iter().for_each(|words| words.hide(&mut text, is_error));
    text
}

/// Changes every text in a value, however deep it lies.
pub(super) fn each_text(value: &mut Value, change: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(values) => values.iter_mut().for_each(|value| each_text(value, change)),
        Value::Object(fields) => fields.values_mut().for_each(|value| each_text(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Each whole occurrence: `10.0.0.1` does not stand in `10.0.0.12`.
fn replace(text: &str, word: &str, by: &str) -> String {
    let belongs = |letter: char| letter.is_alphanumeric() || letter == '-';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word).filter(|_| !word.is_empty()) {
        let (before, from) = rest.split_at(at);
        let behind = from.get(word.len()..).unwrap_or_default();
        let goes_on = |letter: char, next: Option<char>| belongs(letter) || letter == '.' && next.is_some_and(belongs);
        let mut next = behind.chars();
        let open_end = word.ends_with('@') || !next.next().is_some_and(|letter| goes_on(letter, next.next()));
        let last = before.chars().next_back().or_else(|| out.chars().next_back());
        let whole = open_end && !last.is_some_and(|letter| belongs(letter) || letter == '.');
        out.push_str(before);
        out.push_str(if whole { by } else { word });
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_by_its_name_wherever_it_is_named() {
        let device = |name: &str, host: &str, more: &str| format!("[device.{name}]\nhost = \"{host}\"\n{more}");
        let hidden = "user = \"bob\"\nport = 2222\nconceal = true\n";
        let text = [device("web1", "10.0.0.1", hidden), device("web2", "10.0.0.2", ""), device("web3", "10.0.0.3", hidden)].concat();
        let config = Config::parse(&text, std::path::Path::new("jackfield.toml"), None).unwrap();
        assert_eq!(config.concealed.iter().collect::<Vec<_>>(), ["web1", "web3"]);
        let shown = |text: &str, error: bool| conceal(Reply { error, text: text.to_owned(), ..Reply::default() }, &config).text;
        let text = "bob@10.0.0.1 10.0.0.3:2222 [10.0.0.1]:2222 10.0.0.2 10.0.0.12 2222 `bob`";
        let told = "[user of web1]@[host of web1] [address of web3] [address of web1] 10.0.0.2 10.0.0.12 2222 `bob`";
        assert_eq!(shown(text, false), told);
        let told = told.replace("[address of web3]", "[host of web3]:2222").replace("2222", "[port of web1]");
        assert_eq!(shown(text, true), told.replace("`bob`", "`[user of web1]`"));
        assert_eq!(shown("none of them", true), "none of them");
    }

    #[test]
    fn only_whole_words_are_replaced() {
        assert_eq!(replace("10.0.0.1, 10.0.0.12 and 110.0.0.1; 10.0.0.1.", "10.0.0.1", "X"), "X, 10.0.0.12 and 110.0.0.1; X.");
        assert_eq!(replace("bob@h bobby@h abob@h", "bob@", "X@"), "X@h bobby@h abob@h");
        assert_eq!(replace("10.0.0.110.0.0.1", "10.0.0.1", "X"), "10.0.0.110.0.0.1");
    }
}
