//! The configuration as text.

use std::fmt::Write as _;

use super::fits;
use super::jumps::Placed;

/// A secret's reference, as `{ keyring = "NAME" }` has it.
pub(super) struct Reference {
    pub(super) role: &'static str,
    pub(super) from: &'static str,
    pub(super) name: String,
}

/// The whole file: `head` are the comments at its begin.
pub(super) fn file<'d>(head: &[String], devices: impl Iterator<Item = (&'d Placed, Vec<Reference>)>) -> String {
    let mut out: String = head.iter().map(|row| format!("# {}\n", row.escape_debug())).collect();
    for (device, references) in devices {
        out.push('\n');
        table(&mut out, device, &references);
    }
    out
}

fn table(out: &mut String, device: &Placed, references: &[Reference]) {
    let found = &device.found;
    let comment = match (&found.label, device.is_hop) {
        (Some(label), _) if fits::is_text(label) => format!("  # {label}"),
        (_, true) => "  # a jump host".to_owned(),
        _ => String::new(),
    };
    let _ = writeln!(out, "[device.{}]{comment}", key(&device.name));
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(out, "{key} = {value}");
        }
    };
    let text = |value: &Option<String>| value.as_deref().map(quoted);
    let way = if found.telnet { Some("telnet".to_owned()) } else { found.serial.as_ref().map(|(path, _)| path.clone()) };
    line("local", found.local.then(|| "true".to_owned()));
    line("line", text(&way));
    line("baud", found.serial.as_ref().and_then(|(_, baud)| baud.map(|baud| baud.to_string())));
    line("host", text(&found.host));
    line("port", found.port.map(|port| port.to_string()));
    line("user", text(&found.user));
    line("type", found.kind.map(quoted));
    line("key", text(&found.key));
    for reference in references.iter().filter(|reference| reference.role == super::found::PASSWORD) {
        line("password", Some(source(reference)));
    }
    line("via", text(&device.via));
    line("proxy", (!found.proxy.is_empty()).then(|| list(&found.proxy)));
    line("known_hosts", text(&found.known_hosts));
    line("algorithms", found.legacy.then(|| quoted("legacy")));
    line("agent", found.agent.map(|agent| agent.to_string()));
    line("policy", found.policy.map(quoted));
    line("idle_close", text(&found.idle_close));
    line("keepalive", text(&found.keepalive));
    line("tags", (!found.tags.is_empty()).then(|| list(&found.tags)));
    for reference in references.iter().filter(|reference| reference.role != super::found::PASSWORD) {
        line(&format!("secrets.{}", key(reference.role)), Some(source(reference)));
    }
}

fn source(reference: &Reference) -> String {
    format!("{{ {} = {} }}", reference.from, quoted(&reference.name))
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// A key, in quotes where it needs them.
fn key(text: &str) -> String {
    let is_bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_bare { text.to_owned() } else { quoted(text) }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_read_back_as_it_was() {
        for text in ["", "a\"b\\c", "tab\there", "\u{7f}\u{9b}", "sw1.example.com", "b\u{fc}ro"] {
            let document: toml::Table = toml::from_str(&format!("{} = {}", key(text), quoted(text))).unwrap();
            assert_eq!(document.get(text).and_then(toml::Value::as_str), Some(text));
        }
    }
}
