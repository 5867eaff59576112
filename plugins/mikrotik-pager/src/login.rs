//! The goal `login`: what a router asks before its first prompt. A licence is not read, a password is not set.

use jackfield_plugin::{DialogReport, Step, View};

use crate::questions;

/// The triggers of questions that have a harmless answer, and the send that is it: one bare key each, because
/// an Enter behind it would land in the first prompt.
const ANSWERS: [(&str, &str); 3] = [("licence", "no-licence"), ("press-enter", "one-enter"), ("new-password", "break")];

/// The next step. The memo lists the triggers that were answered.
pub(crate) fn next(view: &View) -> DialogReport {
    let memo = view.memo_text();
    if let Some(mode) = questions::accepted_mode(view) {
        return DialogReport::new(Step::Done(mode.to_owned()), memo);
    }
    let Some(question) = questions::question(view) else { return DialogReport::new(Step::Wait, memo) };
    if !memo.is_empty() && !view.is_new() {
        return DialogReport::new(Step::Wait, memo);
    }
    // A question that comes again was not helped by its answer.
    let is_open = |trigger: &str| view.hit(trigger).is_some() && !memo.lines().any(|answered| answered == trigger);
    let Some((trigger, send)) = ANSWERS.into_iter().find(|(trigger, _)| is_open(trigger)) else {
        return DialogReport::new(Step::Ask(question), memo);
    };
    DialogReport::new(Step::Send(send.to_owned()), [memo, trigger, "\n"].concat())
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::*;
    use crate::facts::BANNERS;

    fn view(tail: &str, memo: &[u8]) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        view.phase = "login".into();
        view.memo = memo.to_vec();
        view
    }

    fn step(tail: &str, memo: &[u8]) -> DialogReport {
        next(&view(tail, memo))
    }

    fn send(name: &str) -> Step {
        Step::Send(name.into())
    }

    #[test]
    fn the_licence_gets_one_bare_key_and_then_the_prompt_comes() {
        let asked = step("Do you want to see the software license? [Y/n]: ", b"");
        assert_eq!(asked.step, send("no-licence"));
        let mut answered = view("Do you want to see the software license? [Y/n]: ", &asked.memo);
        answered.bytes_since_send = 0;
        assert_eq!(next(&answered).step, Step::Wait);
        let mut ready = view("[admin@MikroTik] > ", &asked.memo);
        (ready.prompt, ready.mode) = (Some("[admin@MikroTik] > ".into()), "root_menu".into());
        assert_eq!(next(&ready).step, Step::Done("root_menu".into()));
    }

    #[test]
    fn a_text_that_waits_gets_one_enter() {
        assert_eq!(step("Please press \"Enter\" to continue!", b"").step, send("one-enter"));
        assert_eq!(step("Press any key to continue", b"").step, send("one-enter"));
    }

    #[test]
    fn a_new_password_is_left_once_and_never_set() {
        let left = step("new password> ", b"");
        assert_eq!(left.step, send("break"));
        assert!(matches!(step("new password> ", &left.memo).step, Step::Ask(question) if question.kind == "password"));
    }

    #[test]
    fn other_questions_reach_the_caller() {
        for (row, kind) in [("Password: ", "password"), ("Login: ", "username"), ("Reboot, yes? [y/N]: ", "yes-no")] {
            assert!(matches!(step(row, b"").step, Step::Ask(question) if question.kind == kind), "{row}");
        }
    }

    #[test]
    fn banners_are_waited_for() {
        for row in BANNERS {
            assert_eq!(step(row, b"").step, Step::Wait, "{row}");
        }
    }

    #[test]
    fn a_prompt_that_was_not_accepted_yet_is_waited_for() {
        assert_eq!(step("[admin@MikroTik] > ", b"").step, Step::Wait);
    }
}
