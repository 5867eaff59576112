//! A row that reads like a question and stays: somebody has to look at it, where it would else be waited for without an end.
//!
//! Only while a command runs: a login and a goal have plugins of their own, and so have shells.

use jackfield_plugin::dialog::of_its_host;
use jackfield_plugin::mode::{REMOTE_SHELL, SHELL, TCSH};
use jackfield_plugin::{Question, View};

use crate::row::reads_like_prompt;

/// Nothing but a question ends like this.
const FORM_MS: u32 = 2_500;
/// Progress and headings end like this, too, before the rest of them comes.
const LOOK_MS: u32 = 5_000;

/// What the last row asks.
pub(crate) fn asking(view: &View) -> Option<Question> {
    let is_shell = matches!(view.mode.as_str(), SHELL | REMOTE_SHELL | TCSH) || !view.marks.is_empty();
    if view.phase != "running" || !view.echoed || is_shell {
        return None;
    }
    let kinds =
        [("password", "password", FORM_MS), ("yes-no", "yes-no", FORM_MS), ("more", "pager", FORM_MS), ("value", "unknown", LOOK_MS)];
    let (_, kind, after_ms) = kinds.into_iter().find(|(trigger, ..)| view.hit(trigger).is_some())?;
    let is_last = view.prompt.as_deref().is_some_and(|prompt| prompt.trim() == view.tail.trim());
    let is_prompt = is_last || kind == "unknown" && reads_like_prompt(&view.tail);
    let question = || of_its_host(view, Question { kind: kind.to_owned(), text: view.tail.trim().to_owned(), after_ms });
    (!is_prompt).then(question)
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::*;
    use crate::facts::PROMPTS;

    fn kind(row: &str) -> Option<String> {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(row);
        (view.phase, view.command, view.mode) = ("running".to_owned(), "save".to_owned(), "user".to_owned());
        asking(&view).map(|question| question.kind)
    }

    #[test]
    fn what_reads_like_a_question_is_named() {
        for (row, expected) in [
            ("Are you sure to continue? (y/n)[n]:", "yes-no"),
            ("Continue? (Y/N)[N]:", "yes-no"),
            ("Overwrite file? (y/n) ", "yes-no"),
            ("Do you want to continue? (y or n) ", "yes-no"),
            ("Proceed? [y/N]: ", "yes-no"),
            ("Are you sure you want to continue connecting (yes/no)? ", "yes-no"),
            ("Are you sure you want to continue connecting (yes/no/[fingerprint])? ", "yes-no"),
            ("Reboot the system ? [yes,no] (no) ", "yes-no"),
            ("Please input the file name ( *.cfg, *.zip ) [vrpcfg.zip]:", "unknown"),
            ("Please input the file name(*.cfg)[flash:/startup.cfg]", "unknown"),
            ("(To leave the existing filename unchanged, press the enter key):", "unknown"),
            ("Enter value: ", "unknown"),
            ("Continue?", "unknown"),
            ("Password: ", "password"),
            ("--More--", "pager"),
            ("  ---- More ----", "pager"),
            ("-- Press SPACE for more, Q to quit --", "pager"),
        ] {
            assert_eq!(kind(row).as_deref(), Some(expected), "{row:?}");
        }
    }

    #[test]
    fn a_password_of_another_host_is_not_the_devices() {
        let kind = |row: &str, command: &str| {
            let mut view = Scene::new(include_str!("../plugin.toml")).view(row);
            (view.phase, view.command, view.mode) = ("running".to_owned(), command.to_owned(), "exec".to_owned());
            asking(&view).map(|question| question.kind)
        };
        assert_eq!(kind("admin@192.0.2.9's password: ", "backup").as_deref(), Some("remote-password"));
        assert_eq!(kind("Enter passphrase: ", "copy scp://admin@192.0.2.9/x bootflash:").as_deref(), Some("remote-password"));
        assert_eq!(kind("Enter passphrase: ", "copy bootflash:/x volatile:").as_deref(), Some("password"));
    }

    #[test]
    fn what_is_none_is_not() {
        for row in PROMPTS {
            assert_eq!(kind(row), None, "{row:?}");
        }
        for row in [
            "",
            "Building configuration...",
            "!!!!!",
            "[*H3C-GigabitEthernet1/0/1]",
            "[y/n",
            "Copying 50%",
            "more text is here: and goes on",
        ] {
            assert_eq!(kind(row), None, "{row:?}");
        }
    }

    #[test]
    fn a_login_a_goal_and_a_shell_are_left_to_others() {
        let mut view = Scene::new(include_str!("../plugin.toml")).view("Password: ");
        for (phase, mode) in [("login", ""), ("goal", "exec"), ("idle", "exec"), ("running", "shell")] {
            (view.phase, view.mode) = (phase.to_owned(), mode.to_owned());
            assert_eq!(asking(&view), None, "{phase} {mode}");
        }
        (view.phase, view.mode) = ("running".to_owned(), "exec".to_owned());
        assert!(asking(&view).is_some());
        view.marks = vec!["C".to_owned()];
        assert_eq!(asking(&view), None);
    }
}
