//! The table `[tools]`: which of the tools clients are offered.

use toml::de::DeValue;

use super::reader::{Place, Reader, Section};
use super::value;
use crate::nearest::nearest;

/// The keys of the table.
pub(super) const KEYS: [&str; 2] = ["only", "without"];

/// The tools, by name. The table in `mcp/tools.rs` has the same; a test there compares them.
pub const TOOLS: [&str; 18] = [
    "ssh_close",
    "ssh_file_read",
    "ssh_file_write",
    "ssh_fleet",
    "ssh_forward",
    "ssh_history",
    "ssh_hosts",
    "ssh_info",
    "ssh_interrupt",
    "ssh_lock",
    "ssh_open",
    "ssh_output",
    "ssh_query",
    "ssh_run",
    "ssh_screen",
    "ssh_send",
    "ssh_sessions",
    "ssh_transfer",
];

/// What the file says of tools. The default offers all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolSettings {
    /// Those that are left out, sorted.
    left_out: Vec<&'static str>,
}

impl ToolSettings {
    /// Is it offered?
    #[must_use]
    pub fn offers(&self, tool: &str) -> bool {
        !self.left_out.contains(&tool)
    }

    /// Those that are left out.
    #[must_use]
    pub fn left_out(&self) -> &[&'static str] {
        &self.left_out
    }

    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, &KEYS);
        let mut names = |key: &str| reader.field(section, key, list);
        let (only, without) = (names("only"), names("without"));
        if section.table.contains_key("only") && section.table.contains_key("without") {
            let help = "`only` names those that are offered, `without` those that are not; one of them says it all".to_owned();
            reader.error(&section.place, format!("{} has both `only` and `without`", section.place.shown()), Some(help));
        }
        let offered = |tool: &str| {
            only.as_ref().is_none_or(|only| only.iter().any(|name| name == tool)) && !without.iter().flatten().any(|name| name == tool)
        };
        let left_out: Vec<&'static str> = TOOLS.into_iter().filter(|tool| !offered(tool)).collect();
        if left_out.len() == TOOLS.len() {
            let help = "an agent can do nothing then; remove the table to offer all tools".to_owned();
            reader.error(&section.place, format!("{} leaves no tool", section.place.shown()), Some(help));
        }
        Self { left_out }
    }
}

fn list(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<Vec<String>> {
    value::names(reader, at, found, "ssh_query", |reader, at, name| {
        let known = TOOLS.contains(&name);
        if !known {
            let near = nearest(name, TOOLS).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let help = format!("{near}known tools: {}", TOOLS.join(", "));
            reader.error(at, format!("{} has `{}`, which is no tool", at.shown(), name.escape_debug()), Some(help));
        }
        known
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn parse(text: &str) -> Result<ToolSettings, String> {
        let parsed = Config::parse(text, Path::new("/etc/jack/c.toml"), Some(Path::new("/home/me")));
        parsed.map(|config| config.tools).map_err(|found| found.iter().map(|one| one.to_string() + "\n").collect())
    }

    #[test]
    fn tools_are_chosen_by_naming_those_that_are_offered_or_those_that_are_not() {
        let offered = |text: &str| -> Vec<&str> {
            let settings = parse(text).unwrap();
            TOOLS.into_iter().filter(|tool| settings.offers(tool)).collect()
        };
        assert_eq!(offered(""), TOOLS);
        assert_eq!(offered("[tools]\n"), TOOLS);
        assert_eq!(offered("[tools]\nonly = [\"ssh_query\", \"ssh_hosts\"]\n"), ["ssh_hosts", "ssh_query"]);
        let fewer = offered("[tools]\nwithout = [\"ssh_run\", \"ssh_send\"]\n");
        assert!(fewer.len() == TOOLS.len() - 2 && !fewer.contains(&"ssh_run") && !fewer.contains(&"ssh_send"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let all = TOOLS.map(|tool| format!("{tool:?}")).join(", ");
        for (text, part) in [
            (
                "only = [\"ssh_qury\"]",
                "`only` in [tools] has `ssh_qury`, which is no tool; did you mean `ssh_query`? known tools: ssh_close, ",
            ),
            ("only = []", "[tools] leaves no tool"),
            (&format!("without = [{all}]"), "[tools] leaves no tool"),
            ("only = [\"ssh_run\"]\nwithout = [\"ssh_send\"]", "[tools] has both `only` and `without`"),
            ("only = \"ssh_run\"", "`only` in [tools] must be a list"),
            ("onli = []", "unknown key `onli` in [tools]; did you mean `only`?"),
        ] {
            let wrong = parse(&format!("[tools]\n{text}\n")).unwrap_err();
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
    }
}
