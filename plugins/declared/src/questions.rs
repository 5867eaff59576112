//! What the device asks, in the words of the contract.

use jackfield_plugin::dialog::{login, of_its_host};
use jackfield_plugin::{DialogReport, Question, View};

use crate::declaration::Declaration;

/// A secret's question, right after the line that must lead to it.
const EXPECTED_MS: u32 = 300;

/// What is asked for outside goals. Inside one `next` handles the question.
pub(crate) fn asking(view: &View, declaration: &Declaration) -> Option<Question> {
    if !view.may_ask() {
        return None;
    }
    let mut question = question(view, declaration)?;
    let goal = declaration.claimed(&view.command, &view.mode);
    if goal.is_some_and(|goal| view.hit(&["goal:", goal.name].concat()).is_some()) {
        question.after_ms = EXPECTED_MS;
    }
    Some(of_its_host(view, question))
}

/// The question on the last row, if it is one.
pub(crate) fn question(view: &View, declaration: &Declaration) -> Option<Question> {
    let number = view.hits.iter().find_map(|hit| hit.trigger.strip_prefix("question:"))?;
    let (kind, after_ms) = declaration.question(number);
    Some(Question { kind: kind.to_owned(), text: view.tail.trim().to_owned(), after_ms })
}

/// The next step of the goal `login`: what the declaration calls harmless is answered once.
pub(crate) fn at_login(view: &View, declaration: &Declaration) -> DialogReport {
    let numbers = view.hits.iter().filter_map(|hit| hit.trigger.strip_prefix("question:"));
    // The first question that fits is the one that is asked; a wider one behind it does not answer for it.
    let first = numbers.take(1).filter(|number| declaration.is_answered(number));
    let answers: Vec<(String, String)> = first.map(|number| (["question:", number].concat(), ["answer-", number].concat())).collect();
    login(view, question(view, declaration), &answers)
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Step;

    use super::*;
    use crate::declaration::made_up;

    #[test]
    fn the_first_question_that_fits_counts() {
        let kind = |tail: &str| question(&made_up::view(tail), &made_up::declaration()).map(|question| question.kind);
        assert_eq!(kind("Reboot? [y/n]").as_deref(), Some("yes-no"));
        assert_eq!(kind("password: ").as_deref(), Some("password"));
        assert_eq!(kind("r1# "), None);
    }

    #[test]
    fn a_secret_that_is_expected_is_asked_for_soon() {
        let mut view = made_up::view("Password: ");
        let after = |view: &View| asking(view, &made_up::declaration()).map(|question| question.after_ms);
        assert_eq!(after(&view), Some(2_500));
        (view.command, view.mode) = ("rights".to_owned(), "user".to_owned());
        assert_eq!(after(&view), Some(300));
        view.echoed = false;
        assert_eq!(after(&view), None);
    }

    #[test]
    fn a_password_for_a_file_on_another_host_is_not_the_devices() {
        let kind = |command: &str| {
            let mut view = made_up::view("Password: ");
            (view.command, view.mode) = (command.to_owned(), "boss".to_owned());
            asking(&view, &made_up::declaration()).map(|question| question.kind)
        };
        assert_eq!(kind("copy scp://admin@192.0.2.9/x flash:").as_deref(), Some("remote-password"));
        assert_eq!(kind("copy flash:/x flash:/y").as_deref(), Some("password"));
    }

    #[test]
    fn at_login_a_harmless_question_is_answered_once_and_others_reach_the_caller() {
        let step = |tail: &str, memo: &[u8]| {
            let mut view = made_up::view(tail);
            view.phase = "login".into();
            view.memo = memo.to_vec();
            at_login(&view, &made_up::declaration())
        };
        let first = step("Read the licence? [y/n]", b"");
        assert_eq!(first.step, Step::Send("answer-0".into()));
        assert!(matches!(step("Read the licence? [y/n]", &first.memo).step, Step::Ask(_)));
        assert!(matches!(step("Erase all? [y/n]", b"").step, Step::Ask(question) if question.kind == "yes-no"));
        assert_eq!(step("welcome", b"").step, Step::Wait);
    }
}
