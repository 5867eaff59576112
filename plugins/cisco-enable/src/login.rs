//! The goal `login`: questions of a factory-new device before its first prompt. Each is answered once; a
//! password is never given and never set.

use jackfield_plugin::dialog::login;
use jackfield_plugin::{DialogReport, View};

use crate::questions;

/// The triggers of questions that have a harmless answer, and the send that is it.
const ANSWERS: [(&str, &str); 4] =
    [("setup-dialog", "answer-no"), ("basic-setup", "answer-no"), ("autoinstall", "answer-yes"), ("press-return", "empty-line")];

/// The next step.
pub(crate) fn next(view: &View) -> DialogReport {
    login(view, questions::question(view), &ANSWERS.map(|(trigger, send)| (trigger.to_owned(), send.to_owned())))
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Step;
    use jackfield_plugin::testing::Scene;

    use super::*;

    fn step(tail: &str, memo: &[u8]) -> DialogReport {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        view.phase = "login".into();
        view.memo = memo.to_vec();
        next(&view)
    }

    #[test]
    fn a_factory_new_device_is_told_no() {
        let first = step("Would you like to enter the initial configuration dialog? [yes/no]: ", b"");
        assert_eq!(first.step, Step::Send("answer-no".into()));
        let second = step("Would you like to enter basic management setup? [yes/no]: ", &first.memo);
        assert_eq!(second.step, Step::Send("answer-no".into()));
        let third = step("Would you like to terminate autoinstall? [yes]: ", &second.memo);
        assert_eq!(third.step, Step::Send("answer-yes".into()));
        for row in ["Press RETURN to get started.", "Press RETURN to get started!"] {
            assert_eq!(step(row, &third.memo).step, Step::Send("empty-line".into()));
        }
    }

    #[test]
    fn a_question_that_comes_again_reaches_the_caller() {
        let question = "Would you like to enter the initial configuration dialog? [yes/no]: ";
        let memo = step(question, b"").memo;
        assert!(matches!(step(question, &memo).step, Step::Ask(asked) if asked.kind == "yes-no"));
    }

    #[test]
    fn an_answered_row_that_still_stands_is_waited_for() {
        let row = "Press RETURN to get started.";
        let mut view = Scene::new(include_str!("../plugin.toml")).view(row);
        view.memo = step(row, b"").memo;
        view.bytes_since_send = 0;
        assert_eq!(next(&view).step, Step::Wait);
    }

    #[test]
    fn passwords_and_unknown_questions_reach_the_caller() {
        for row in ["Enter new password: ", "Enter enable secret: ", "Password: ", "Username: ", "Proceed? [yes/no]: ", "Reload? [confirm]"]
        {
            assert!(matches!(step(row, b"").step, Step::Ask(_)), "{row}");
        }
    }

    #[test]
    fn banners_are_no_questions_and_the_prompt_ends_the_goal() {
        for row in crate::facts::BANNERS {
            assert_eq!(step(row, b"").step, Step::Wait, "{row}");
        }
        let mut view = Scene::new(include_str!("../plugin.toml")).view("R1>");
        (view.prompt, view.mode) = (Some("R1>".into()), "user_exec".into());
        assert_eq!(next(&view).step, Step::Done("user_exec".into()));
    }
}
