//! What is typed once after login, one line at a time.
//!
//! Refused lines do not matter: a device that has no such command keeps its pages, and they are turned.

use jackfield_plugin::{Ready, View};

use crate::declaration::Declaration;

/// The next send, none when there is nothing more to do.
pub(crate) fn next_send(at: &Ready, view: &View, declaration: &Declaration) -> Vec<String> {
    // The host asks for all at first, and again after each: the list is the same, so it is given once.
    if !view.command.is_empty() {
        return Vec::new();
    }
    declaration.setup(&at.mode).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::made_up;

    fn sends(mode: &str, command: &str) -> Vec<String> {
        let mut view = made_up::view("r1>");
        command.clone_into(&mut view.command);
        let at = Ready { prompt: "r1>".into(), mode: mode.into(), privileged: false, status: None, cwd: None, proof: "pattern".into() };
        next_send(&at, &view, &made_up::declaration())
    }

    #[test]
    fn each_mode_has_its_lines_and_they_are_asked_for_once() {
        assert_eq!(sends("user", ""), ["setup-0", "setup-1"]);
        assert!(sends("boss", "").is_empty());
        assert!(sends("user", "terminal width 512").is_empty());
    }
}
