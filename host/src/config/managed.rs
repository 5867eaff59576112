//! Managed mode: what an administrator has decided for everybody who uses the program on this machine.
//!
//! The file has sections of the usual configuration and wins over it. The user who calls cannot write it: else it is refused, and with it
//! everything, because a policy that cannot be trusted is none. Where no such file is, nothing changes.

use std::path::Path;

use super::{Config, ConfigError, Environment, Rule, header, policy, safety};

/// Where it is. Not a setting: whoever could set it could also leave it out.
pub(super) const FILE: &str = "/etc/jackfield/policy.toml";

/// The sections that it may have.
pub(super) const SECTIONS: [&str; 5] = ["policy", "limits", "plugin", "type", "signing"];

impl Config {
    /// Puts the managed file in force, if there is one.
    pub(super) fn managed(mut self, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let path = Path::new(FILE);
        // One that cannot be looked at must not be passed over.
        if matches!(path.try_exists(), Ok(false)) {
            return Ok(self);
        }
        safety::check_managed(path, "managed policy").map_err(ConfigError::Unsafe)?;
        let managed = Self::read_file(path, None, environment, Self::parse_managed)?;
        self.put_under(&managed);
        Ok(self)
    }

    /// What the managed file says wins: its mode is the most that any device may have, its rules and limits count, and only it may let
    /// something through by a rule. So plugins and types are its own too: who could bring another judge, or a table of what only reads,
    /// could let through whatever he likes.
    fn put_under(&mut self, managed: &Self) {
        self.policy_max = Some(managed.policy);
        let plugins = self.plugins.keys().filter(|name| *name != policy::RULES && !managed.plugins.contains_key(*name));
        let plugins = plugins.map(|name| header("plugin", name));
        let types = self.types.keys().filter(|name| !managed.types.contains_key(*name)).map(|name| header("type", name.as_str()));
        let judging: Vec<String> = plugins.chain(types).collect();
        if !judging.is_empty() {
            let judging = judging.join(", ");
            self.set_aside.push(format!("{judging} do not count: which plugins judge and what they know is decided in {FILE} alone"));
        }
        self.plugins.clone_from(&managed.plugins);
        self.types.clone_from(&managed.types);
        self.allowed_signers = Some(managed.allowed_signers());
        let loosening: Vec<String> = self.rules.iter().filter(|rule| rule.allows()).map(|rule| format!("`{}`", rule.name)).collect();
        if !loosening.is_empty() {
            let loosening = loosening.join(", ");
            self.set_aside.push(format!("the rules {loosening} would allow something and do not count: {FILE} alone may do that"));
        }
        // A verdict names its rule, and nobody could tell which of two it was.
        let (doubled, own): (Vec<Rule>, Vec<Rule>) =
            self.rules.drain(..).filter(|rule| !rule.allows()).partition(|rule| managed.rules.iter().any(|known| known.name == rule.name));
        if !doubled.is_empty() {
            let doubled = doubled.iter().map(|rule| format!("`{}`", rule.name)).collect::<Vec<_>>().join(", ");
            self.set_aside.push(format!("the rules {doubled} do not count: {FILE} has others of these names; give yours other names"));
        }
        self.rules = managed.rules.iter().map(Rule::unnamed).chain(own).collect();
        policy::hand_over(self);
        self.limits = self.limits.under(&managed.limits);
        self.managed_file.clone_from(&managed.file);
        self.set_aside.iter().for_each(|what| crate::diagnostics::warn(what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_gives_way_to_one_of_its_name_is_told() {
        let rule = |name: &str, command: &str| format!("[[policy.rule]]\nname = \"{name}\"\neffect = \"deny\"\ncommand = \"{command}\"\n");
        let managed = Config::parse_managed(&rule("no-reload", "reload"), Path::new(FILE), None).unwrap();
        let own = rule("no-reload", "write erase") + &rule("no-clear", "clear");
        let mut config = Config::parse(&own, Path::new("/home/me/c.toml"), None).unwrap();
        config.put_under(&managed);
        assert_eq!(config.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["no-reload", "no-clear"]);
        let told = config.set_aside.join("\n");
        assert!(told.contains("the rules `no-reload` do not count: ") && !told.contains("no-clear"), "{told}");
    }
}
