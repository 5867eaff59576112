//! A dialog to other rights: one attempt with the secret, and a way out.

use jackfield_plugin::dialog::{Attempt, Progress, Stage};
use jackfield_plugin::{DialogReport, Step, View, answer};

use crate::declaration::{Declaration, Goal};
use crate::questions;

/// The next step.
pub(crate) fn next(view: &View, goal: &Goal<'_>, declaration: &Declaration) -> DialogReport {
    let attempt = Attempt { secret: goal.secret, leave: goal.leave.as_deref(), tries: goal.tries };
    let progress = Progress::parse(view.memo_text());
    let (step, progress) = if !view.echoed {
        (Step::Wait, progress)
    } else if let Some(mode) = view.accepted_mode() {
        (at_prompt(view, mode, goal, &attempt, &progress), progress)
    } else {
        at_question(view, goal, &attempt, progress, declaration)
    };
    DialogReport::new(step, progress.memo()).strip(&view.tail)
}

fn at_question(view: &View, goal: &Goal<'_>, attempt: &Attempt<'_>, progress: Progress, declaration: &Declaration) -> (Step, Progress) {
    // The row that was just answered stands until the device goes on.
    let old_row = progress.stage != Stage::Start && !view.is_new();
    let asks_for_it = view.hit(&["goal:", goal.name].concat()).is_some();
    let other = || questions::question(view, declaration);
    let question = if asks_for_it { Some(other().unwrap_or_else(|| password(view))) } else { other() };
    match question.filter(|_| !old_row) {
        Some(question) => attempt.at_question(view, question, asks_for_it, progress),
        None => (Step::Wait, progress),
    }
}

/// A goal's question that no other trigger knows.
fn password(view: &View) -> jackfield_plugin::Question {
    jackfield_plugin::Question { kind: "password".to_owned(), text: view.tail.trim().to_owned(), after_ms: 300 }
}

fn at_prompt(view: &View, mode: &str, goal: &Goal<'_>, attempt: &Attempt<'_>, progress: &Progress) -> Step {
    let said = || answer::rows(view).filter(|row| !row.ends_with(':')).last();
    match progress.stage {
        Stage::Wrong => attempt.failed(&attempt.not_accepted(), said()),
        Stage::Lacking => attempt.lacking(),
        // Where the mode was the same before, the device's own error text is what tells; the host looks for it.
        _ if mode == goal.to => Step::Done(mode.to_owned()),
        _ => attempt.failed(&["the device is in mode `", mode, "` and not in `", goal.to, "`"].concat(), said()),
    }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Fact;

    use super::*;
    use crate::declaration::made_up;

    /// A device that is played row by row.
    #[derive(Default)]
    struct Play {
        memo: Vec<u8>,
        lacks: bool,
    }

    impl Play {
        fn see(&mut self, recent: &str, tail: &str, mode: &str) -> Step {
            let declaration = made_up::declaration();
            let mut view = made_up::view(tail);
            view.phase = "goal".into();
            view.recent = recent.into();
            view.command = "rights".into();
            view.mode = mode.into();
            view.prompt = Some(if mode == "user" { "r1>" } else { "r1#" }.into());
            view.bytes_since_send = tail.len() as u64 + 2;
            view.memo.clone_from(&self.memo);
            let missing = if self.lacks { "boss" } else { "" };
            view.facts.push(Fact { name: "missing-secrets".into(), value: missing.into() });
            let report = next(&view, &declaration.goal("rights").unwrap(), &declaration);
            self.memo = report.memo;
            report.step
        }
    }

    fn why(step: Step) -> String {
        if let Step::Failed(why) = step { why } else { format!("not failed: {step:?}") }
    }

    fn leave() -> Step {
        Step::Send("leave-rights".into())
    }

    #[test]
    fn the_secret_is_given_and_the_prompt_ends_the_goal() {
        let mut play = Play::default();
        assert_eq!(play.see("r1>rights\n", "Password: ", "user"), Step::Secret("boss".into()));
        assert_eq!(play.see("r1>rights\nPassword:\n", "r1#", "boss"), Step::Done("boss".into()));
        assert_eq!(Play::default().see("r1>rights\n", "r1#", "boss"), Step::Done("boss".into()));
    }

    #[test]
    fn a_wrong_secret_is_given_once_and_the_question_is_left() {
        let mut play = Play::default();
        play.see("r1>rights\n", "Password: ", "user");
        assert_eq!(play.see("r1>rights\nPassword:\n", "Password: ", "user"), leave());
        assert_eq!(play.see("r1>rights\nPassword:\nPassword:\n", "Password: ", "user"), leave());
        let end = why(play.see("r1>rights\nPassword:\nsorry, no\n", "r1>", "user"));
        assert_eq!(
            end,
            "the device does not accept the secret `boss`, it said: sorry, no; check the value of the secret `boss` for this device before you try again"
        );
    }

    #[test]
    fn a_question_that_never_ends_is_not_answered_for_ever() {
        let mut play = Play::default();
        play.see("r1>rights\n", "Password: ", "user");
        for _ in 0..2 {
            assert_eq!(play.see("", "Password: ", "user"), leave());
        }
        assert!(why(play.see("", "Password: ", "user")).contains("close the session"));
    }

    #[test]
    fn a_refusal_in_words_fails_with_these_words() {
        let mut play = Play::default();
        play.see("r1>rights\n", "Password: ", "user");
        let end = why(play.see("r1>rights\nPassword:\nError: wrong.\n", "r1>", "user"));
        assert!(end.starts_with("the device is in mode `user` and not in `boss`, it said: Error: wrong.; check"), "{end}");
    }

    #[test]
    fn without_a_secret_the_question_is_left_and_the_key_is_named() {
        let mut play = Play { lacks: true, ..Play::default() };
        assert_eq!(play.see("r1>rights\n", "Password: ", "user"), leave());
        assert!(why(play.see("r1>rights\nPassword:\n", "r1>", "user")).contains("`secrets.boss`"));
    }

    #[test]
    fn other_questions_are_never_answered() {
        assert!(matches!(Play::default().see("r1>rights\n", "Sure? [y/n]", "user"), Step::Ask(question) if question.kind == "yes-no"));
    }
}
