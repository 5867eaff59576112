//! The goal `enable`: one attempt at the secret, and a way out.

use jackfield_plugin::answer::rows;
use jackfield_plugin::dialog::{Attempt, Progress, Stage};
use jackfield_plugin::{DialogReport, Question, Step, View};

/// The goal.
pub const GOAL: &str = "enable";
/// `break` leaves the question when the secret was wrong or is not there.
const ATTEMPT: Attempt<'static> = Attempt { secret: "enable", leave: Some("break"), tries: 2 };
/// Output may hold the same words: a question stands for a while.
const QUESTION_AFTER_MS: u32 = 2_500;

/// Does this line start the goal?
pub fn claims(command: &str) -> bool {
    command.trim() == "enable"
}

/// The question on the last row, for the caller.
pub fn asking(view: &View) -> Option<Question> {
    view.hit("password").map(|_| Question {
        kind: "password".to_owned(),
        text: view.tail.trim_end().to_owned(),
        after_ms: QUESTION_AFTER_MS,
    })
}

/// The next step. The host types the secret: its value never comes here.
pub fn next(view: &View) -> DialogReport {
    let progress = Progress::parse(view.memo_text());
    let (step, progress) = if !view.echoed {
        (Step::Wait, progress)
    } else if let Some(mode) = view.accepted_mode() {
        (at_prompt(view, mode, &progress), progress)
    } else {
        at_question(view, progress)
    };
    DialogReport::new(step, progress.memo()).strip(&view.tail)
}

fn at_question(view: &View, progress: Progress) -> (Step, Progress) {
    // The row that was just answered stands until the device goes on.
    let old = progress.stage != Stage::Start && !view.is_new();
    match asking(view).filter(|_| !old) {
        Some(question) => ATTEMPT.at_question(view, question, true, progress),
        None => (Step::Wait, progress),
    }
}

fn at_prompt(view: &View, mode: &str, progress: &Progress) -> Step {
    let said = rows(view).last();
    match progress.stage {
        Stage::Lacking => ATTEMPT.lacking(),
        _ if view.tail.trim_end().ends_with('#') => Step::Done(mode.to_owned()),
        Stage::Start => ATTEMPT.failed("the device stayed as it was", said),
        _ => ATTEMPT.failed(&ATTEMPT.not_accepted(), said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jackfield_plugin::Fact;
    use jackfield_plugin::testing::Scene;

    fn question(missing: &str, memo: &[u8]) -> DialogReport {
        let mut view = Scene::new(include_str!("../plugin.toml")).view("Password: ");
        view.phase = "goal".to_owned();
        view.facts.push(Fact { name: "missing-secrets".to_owned(), value: missing.to_owned() });
        view.memo = memo.to_vec();
        next(&view)
    }

    #[test]
    fn the_secret_is_asked_for_once() {
        let first = question("", b"");
        assert_eq!(first.step, Step::Secret("enable".to_owned()));
        assert_eq!(question("", &first.memo).step, Step::Send("break".to_owned()));
    }

    #[test]
    fn a_device_without_the_secret_is_left_alone() {
        assert_eq!(question("enable", b"").step, Step::Send("break".to_owned()));
    }
}
