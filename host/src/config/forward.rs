//! The table `[forward]`: which connections may go through devices. The policy mode counts as well.

use super::reader::{Place, Reader, Section};
use super::value;

/// The keys of the section.
pub(super) const KEYS: [&str; 4] = ["kinds", "to", "beyond_loopback", "sockets"];
/// The kinds, by their words.
pub(super) const KINDS: [&str; 3] = ["local", "remote", "socks"];

/// What the file says of forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardSettings {
    /// The kinds that may be opened.
    pub kinds: Vec<String>,
    /// `host:port` with `*` and `?`: where they may come out. Empty is anywhere.
    pub to: Vec<String>,
    /// They may listen at addresses that other machines reach.
    pub beyond_loopback: bool,
    /// They may begin or end at a socket's file on this machine.
    pub sockets: bool,
}

impl Default for ForwardSettings {
    fn default() -> Self {
        Self { kinds: KINDS.map(str::to_owned).to_vec(), to: Vec::new(), beyond_loopback: false, sockets: false }
    }
}

impl ForwardSettings {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, &KEYS);
        let usual = Self::default();
        let kind = |reader: &mut Reader<'_>, at: &Place, found: &toml::de::DeValue<'_>| {
            value::word(reader, at, found, &KINDS.map(|word| (word, word))).map(str::to_owned)
        };
        let pattern = |reader: &mut Reader<'_>, at: &Place, found: &toml::de::DeValue<'_>| {
            let text = value::text(reader, at, found, "host:port, with * and ?", "db*:5432")?;
            if text.starts_with('/') || text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && !port.is_empty()) {
                return Some(text);
            }
            reader.error(
                at,
                format!("{} has `{text}`, which is no host:port", at.shown()),
                Some("write `db*:5432`, or `*:443`".to_owned()),
            );
            None
        };
        let patterns = |reader: &mut Reader<'_>, at: &Place, found: &toml::de::DeValue<'_>| {
            // It would mean anywhere, and reads as nowhere.
            if found.as_array().is_some_and(|elements| elements.is_empty()) {
                let help = "leave the key out for anywhere, or write `kinds = []` where no forward may be opened".to_owned();
                reader.error(at, format!("{} is empty", at.shown()), Some(help));
            }
            value::list(reader, at, found, "\"db*:5432\"", pattern)
        };
        Self {
            kinds: reader
                .field(section, "kinds", |reader, at, found| value::list(reader, at, found, "\"local\"", kind))
                .unwrap_or(usual.kinds),
            to: reader.field(section, "to", patterns).unwrap_or_default(),
            beyond_loopback: reader.field(section, "beyond_loopback", value::flag).unwrap_or_default(),
            sockets: reader.field(section, "sockets", value::flag).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;

    #[test]
    fn no_place_at_all_is_not_taken_for_anywhere() {
        let parse = |text: &str| Config::parse(text, Path::new("/etc/jack/c.toml"), None);
        let wrong = parse("[forward]\nto = []\n").unwrap_err();
        let wrong: String = wrong.iter().map(|one| one.to_string() + "\n").collect();
        assert!(wrong.contains("`to` in [forward] is empty; leave the key out for anywhere, or write `kinds = []`"), "{wrong}");
        assert!(parse("[forward]\nkinds = []\n").unwrap().forward.kinds.is_empty());
    }

    #[test]
    fn an_example_of_a_list_can_be_written_as_it_stands() {
        let wrong = Config::parse("[forward]\nkinds = \"local\"\nto = 5432\n", Path::new("/etc/jack/c.toml"), None).unwrap_err();
        let wrong: String = wrong.iter().map(|one| one.to_string() + "\n").collect();
        for part in ["for example `kinds = [\"local\"]`", "for example `to = [\"db*:5432\"]`"] {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
    }
}
