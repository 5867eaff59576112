//! What the session has taught about the device's name. It lives in the prompt's memo.
//!
//! Two names are kept, because a configuration mode shows only the first 20 characters, and the command
//! `prompt` changes the one of exec mode alone.

use jackfield_plugin::settle::Fit;
use jackfield_plugin::text::rows;

/// IOS cuts the name in configuration modes to so many characters.
const CONFIG_NAME_MAX: usize = 20;

/// The name a factory-new switch has. The table header `Switch#   Role` begins with its exact prompt.
const FACTORY_NAME: &str = "Switch";

/// The learned names, empty where nothing is learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Learned {
    exec: String,
    config: String,
}

impl Learned {
    /// From a memo; what is not one teaches nothing.
    pub(crate) fn parse(memo: &str) -> Self {
        Self { exec: line(memo, "exec "), config: line(memo, "config ") }
    }

    /// The memo to keep.
    pub(crate) fn memo(&self) -> String {
        ["exec ", &self.exec, "\nconfig ", &self.config].concat()
    }

    /// Is this the name of exec mode?
    pub(crate) fn is_exec(&self, name: &str) -> bool {
        !name.is_empty() && self.exec == name
    }

    /// The learned name that this text begins with, followed by nothing or by a parenthesis.
    pub(crate) fn name_in<'a>(&'a self, body: &str) -> Option<&'a str> {
        let begins =
            |name: &&str| !name.is_empty() && body.strip_prefix(*name).is_some_and(|rest| rest.is_empty() || rest.starts_with('('));
        [self.exec.as_str(), self.config.as_str()].into_iter().find(begins)
    }

    /// How well the name of a prompt fits.
    pub(crate) fn fit(&self, host: &str, mode: &str) -> Fit {
        let known = if shows_cut_name(mode) {
            self.config == host || (self.config.is_empty() && cut(&self.exec) == host) || self.exec == host
        } else {
            self.exec == host || (!self.config.is_empty() && cut(host) == self.config)
        };
        match known {
            true if host.is_empty() => Fit::Stranger,
            true if host == FACTORY_NAME && mode == "privileged" => Fit::KnownButCommon,
            true => Fit::Known,
            false if self.exec.is_empty() && self.config.is_empty() && !host.is_empty() => Fit::First,
            false => Fit::Stranger,
        }
    }

    /// Takes over the name of an accepted prompt.
    pub(crate) fn learn(&mut self, host: &str, mode: &str) {
        if host.is_empty() {
            return;
        }
        let name = if shows_cut_name(mode) { &mut self.config } else { &mut self.exec };
        host.clone_into(name);
    }
}

#[inline(never)]
fn line(memo: &str, key: &str) -> String {
    rows(memo).find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned()
}

fn shows_cut_name(mode: &str) -> bool {
    matches!(mode, "config" | "config_session" | "tclsh")
}

fn cut(name: &str) -> &str {
    name.get(..CONFIG_NAME_MAX).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knows(exec: &str, config: &str) -> Learned {
        Learned { exec: exec.to_owned(), config: config.to_owned() }
    }

    #[test]
    fn survives_its_memo() {
        let learned = knows("27N2(2960_PoE)", "27N2");
        assert_eq!(Learned::parse(&learned.memo()), learned);
        assert_eq!(Learned::parse(""), Learned::default());
        assert_eq!(Learned::parse("something else"), Learned::default());
    }

    #[test]
    fn the_first_name_is_the_first_and_then_the_known_one() {
        let mut learned = Learned::default();
        assert_eq!(learned.fit("R1", "user_exec"), Fit::First);
        learned.learn("R1", "user_exec");
        assert_eq!(learned.fit("R1", "privileged"), Fit::Known);
        assert_eq!(learned.fit("R2", "privileged"), Fit::Stranger);
        assert_eq!(learned.fit("R", "privileged"), Fit::Stranger);
    }

    #[test]
    fn a_name_of_25_characters_is_known_by_its_first_20_in_configuration_mode() {
        let learned = knows("ABCDEFGHIJ-KLMNOPQRS-TUVW", "");
        assert_eq!(learned.fit("ABCDEFGHIJ-KLMNOPQRS", "config"), Fit::Known);
        assert_eq!(learned.fit("ABCDEFGHIJ-KLMNOPQRS-TUVW", "config"), Fit::Known);
        assert_eq!(learned.fit("ABCDEFGHIJ-KLMNOPQR", "config"), Fit::Stranger);
        assert_eq!(learned.fit("ABCDEFGHIJ-KLMNOPQRS", "privileged"), Fit::Stranger);
    }

    #[test]
    fn a_name_learned_in_configuration_mode_is_known_in_exec_mode() {
        let learned = knows("", "ABCDEFGHIJ-KLMNOPQRS");
        assert_eq!(learned.fit("ABCDEFGHIJ-KLMNOPQRS-TUVW", "privileged"), Fit::Known);
        assert_eq!(learned.fit("ABCDEFGHIJ-KLMNOPQR", "privileged"), Fit::Stranger);
    }

    #[test]
    fn a_rename_is_a_stranger_once_and_then_known_in_both_modes() {
        let mut learned = knows("old", "old");
        assert_eq!(learned.fit("new", "config"), Fit::Stranger);
        learned.learn("new", "config");
        assert_eq!(learned.fit("new", "config"), Fit::Known);
        assert_eq!(learned.fit("new", "privileged"), Fit::Known);
        learned.learn("new", "privileged");
        assert_eq!(learned, knows("new", "new"));
    }

    #[test]
    fn a_prompt_of_one_s_own_in_exec_mode_leaves_the_configuration_mode_alone() {
        let mut learned = knows("core-STP-1234", "");
        assert_eq!(learned.fit("core", "config"), Fit::Stranger);
        learned.learn("core", "config");
        assert_eq!(learned.fit("core-STP-1234", "privileged"), Fit::Known);
        assert_eq!(learned.fit("core", "config"), Fit::Known);
    }

    #[test]
    fn the_factory_name_is_known_but_common() {
        assert_eq!(knows("Switch", "").fit("Switch", "privileged"), Fit::KnownButCommon);
        assert_eq!(knows("Switch", "").fit("Switch", "config"), Fit::Known);
    }

    #[test]
    fn a_prompt_without_a_name_is_always_a_stranger_and_teaches_nothing() {
        let mut learned = knows("R1", "");
        learned.learn("", "rommon");
        assert_eq!(learned, knows("R1", ""));
        assert_eq!(learned.fit("", "rommon"), Fit::Stranger);
        assert_eq!(Learned::default().fit("", "rommon"), Fit::Stranger);
    }

    #[test]
    fn a_learned_name_is_found_only_whole() {
        let learned = knows("R1", "R1-config");
        assert_eq!(learned.name_in("R1"), Some("R1"));
        assert_eq!(learned.name_in("R1(config)"), Some("R1"));
        assert_eq!(learned.name_in("R10"), None);
        assert_eq!(learned.name_in("R1-config(config)"), Some("R1-config"));
        assert_eq!(Learned::default().name_in("R1"), None);
    }
}
