//! What is remembered of the shells that stand in one another: `su`, `ssh`, a container.
//!
//! Each shell with marks says its process number in them. So it is known which one speaks, and whether a shell that was left
//! is back. Another host cannot pass for this one: it does not know the number.

use jackfield_plugin::View;
use jackfield_plugin::mode::{REMOTE_SHELL, SHELL, TCSH};

/// The mode of whatever else answered.
pub(crate) const UNKNOWN: &str = "unknown";

/// Shells that may stand in one another; of more the outermost are forgotten.
const DEPTH_MAX: usize = 24;

/// Is text for a shell typed in this mode?
#[inline(never)]
pub(crate) fn is_shell(mode: &str) -> bool {
    matches!(mode, SHELL | REMOTE_SHELL | TCSH)
}

/// The shell's mode as it was before the line.
#[inline(never)]
pub(crate) fn mode_of(view: &View) -> &'static str {
    match view.mode.as_str() {
        REMOTE_SHELL => REMOTE_SHELL,
        TCSH => TCSH,
        _ => SHELL,
    }
}

/// The memo.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Memory<'a> {
    /// Shells that have printed marks, outermost first: process number and whether they are on the device itself.
    shells: Vec<(&'a str, bool)>,
    /// The shell that we are in now prints none.
    is_plain: bool,
    /// It no longer tells the end of a command, only its prompt.
    pub(crate) has_lost_hook: bool,
    /// Its prompt goes elsewhere, marks and all.
    pub(crate) is_elsewhere: bool,
}

impl<'a> Memory<'a> {
    /// `<number>` or `<number>@` for each shell, then `-` where the last one prints no marks, `!` where it has
    /// lost the one for the end of a command, `>` where they go elsewhere.
    pub(crate) fn read(memo: &'a str) -> Self {
        let mut memory = Self::default();
        for word in memo.split(' ').filter(|word| !word.is_empty()) {
            match word.strip_suffix('@') {
                _ if word == "-" => memory.is_plain = true,
                _ if word == "!" => memory.has_lost_hook = true,
                _ if word == ">" => memory.is_elsewhere = true,
                Some(number) => memory.shells.push((number, false)),
                None => memory.shells.push((word, true)),
            }
        }
        memory
    }

    /// The memo's text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (number, home) in &self.shells {
            text.push_str(number);
            text.push_str(if *home { " " } else { "@ " });
        }
        if self.is_plain {
            text.push('-');
        }
        if self.has_lost_hook {
            text.push_str(" !");
        }
        if self.is_elsewhere {
            text.push_str(" >");
        }
        text
    }

    /// Does the shell that we are in print marks? Then a prompt without them is another program's.
    pub(crate) fn knows_marks(&self) -> bool {
        !self.shells.is_empty() && !self.is_plain
    }

    /// Has the shell with this process number printed marks before?
    pub(crate) fn knows(&self, number: &str) -> bool {
        self.shells.iter().any(|(known, _)| *known == number)
    }

    /// The prompt of a shell with marks stands. Those that were started from it have ended.
    pub(crate) fn on_marked(&mut self, number: Option<&'a str>, is_csh: bool, view: &View) -> &'static str {
        (self.is_plain, self.is_elsewhere) = (false, false);
        let number = number.unwrap_or("0");
        let at = self.shells.iter().position(|(known, _)| *known == number);
        match at {
            Some(at) => self.shells.truncate(at + 1),
            None => {
                // The first one is the login shell. What appears later is what was entered last.
                let home = self.shells.is_empty() || matches!(view.mode.as_str(), SHELL | TCSH);
                self.shells.push((number, home));
                if self.shells.len() > DEPTH_MAX {
                    self.shells.remove(0);
                }
            }
        }
        match self.shells.last() {
            // What it reads is judged by another grammar.
            Some((_, true)) if is_csh => TCSH,
            Some((_, true)) => SHELL,
            _ => REMOTE_SHELL,
        }
    }

    /// A shell was prepared and prints no marks all the same.
    pub(crate) fn on_plain(&mut self) {
        self.is_plain = !self.shells.is_empty();
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::View;
    use jackfield_plugin::testing::Scene;

    use super::{Memory, REMOTE_SHELL, SHELL, TCSH};

    fn in_mode(mode: &str) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view("$ ");
        view.mode = mode.to_owned();
        view
    }

    #[test]
    fn a_shell_that_was_left_is_back() {
        let mut memory = Memory::read("");
        assert!(!memory.knows_marks());
        assert_eq!(memory.on_marked(Some("100"), false, &in_mode("")), SHELL);
        assert_eq!(memory.on_marked(Some("200"), false, &in_mode(SHELL)), SHELL);
        assert_eq!(memory.on_marked(Some("31"), false, &in_mode(REMOTE_SHELL)), REMOTE_SHELL);
        assert_eq!(memory.on_marked(Some("77"), false, &in_mode(REMOTE_SHELL)), REMOTE_SHELL);
        let memo = memory.text();
        let mut memory = Memory::read(&memo);
        assert_eq!(memory.on_marked(Some("31"), false, &in_mode(REMOTE_SHELL)), REMOTE_SHELL);
        assert_eq!(memory.on_marked(Some("100"), false, &in_mode(REMOTE_SHELL)), SHELL);
        assert_eq!(memory.text(), "100 ");
    }

    #[test]
    fn a_shell_with_a_language_of_its_own_has_a_mode_of_its_own() {
        let mut memory = Memory::read("");
        assert_eq!(memory.on_marked(Some("100"), true, &in_mode("")), TCSH);
        assert_eq!(memory.on_marked(Some("200"), false, &in_mode(TCSH)), SHELL);
        assert_eq!(memory.on_marked(Some("100"), true, &in_mode(SHELL)), TCSH);
        assert_eq!(memory.on_marked(Some("31"), true, &in_mode(REMOTE_SHELL)), REMOTE_SHELL);
    }

    #[test]
    fn another_host_cannot_pass_for_this_one() {
        let mut memory = Memory::read("100 31@ ");
        for number in [Some("32"), Some("0"), None] {
            assert_eq!(memory.on_marked(number, false, &in_mode(REMOTE_SHELL)), REMOTE_SHELL);
        }
    }

    #[test]
    fn a_shell_without_marks_in_one_with_marks() {
        let mut memory = Memory::read("100 ");
        assert!(memory.knows_marks());
        memory.on_plain();
        let memo = memory.text();
        let mut memory = Memory::read(&memo);
        assert!(!memory.knows_marks());
        assert_eq!(memory.on_marked(Some("100"), false, &in_mode(SHELL)), SHELL);
        assert!(memory.knows_marks());
        let mut first = Memory::default();
        first.on_plain();
        assert_eq!(first.text(), "");
    }

    #[test]
    fn the_memo_stays_short() {
        let numbers: Vec<String> = (4_000_000..4_000_100).map(|number| number.to_string()).collect();
        let mut memory = Memory::default();
        for number in &numbers {
            memory.on_marked(Some(number), false, &in_mode(REMOTE_SHELL));
        }
        assert!(memory.text().len() < 1_000, "{}", memory.text().len());
    }
}
