//! What the device asks, in the words of the contract.

use jackfield_plugin::dialog::of_its_host;
use jackfield_plugin::{Question, View};

/// Nothing but a question ends like this.
const SURE_MS: u32 = 300;
/// Rather sure: a default stands in brackets.
const LIKELY_MS: u32 = 500;
/// Words that nobody knows with a default in brackets and a space behind them. A row of output may look so while it is being
/// written; then more of it comes sooner.
const FORM_MS: u32 = 1_000;
/// Output may hold the same text.
const DOUBTFUL_MS: u32 = 2_500;

/// What is asked for outside goals. Inside one `next` handles the question.
pub(crate) fn asking(view: &View, enables: bool) -> Option<Question> {
    if !view.may_ask() {
        return None;
    }
    let mut question = question(view)?;
    if enables && view.hit("password").is_some() {
        question.after_ms = SURE_MS;
    }
    Some(of_its_host(view, question))
}

/// The question on the last row, if it is one.
pub(crate) fn question(view: &View) -> Option<Question> {
    let has = |trigger| view.hit(trigger).is_some();
    let (kind, after_ms) = match () {
        () if has("password") || has("new-password") => ("password", DOUBTFUL_MS),
        () if has("username") => ("username", DOUBTFUL_MS),
        () if has("code") => ("code", LIKELY_MS),
        () if has("confirm") => ("confirm", SURE_MS),
        () if has("yes-no") => ("yes-no", SURE_MS),
        () if has("press-return") => ("any-key", LIKELY_MS),
        () => value(view)?,
    };
    Some(Question { kind: kind.to_owned(), text: view.tail.trim().to_owned(), after_ms })
}

fn value(view: &View) -> Option<(&'static str, u32)> {
    let Some(hit) = view.hit("value") else { return view.hit("default").map(|_| ("unknown", FORM_MS)) };
    let kind = if hit.group("what") == Some("filename") { "filename" } else { "unknown" };
    Some((kind, if hit.group("default").is_some() { LIKELY_MS } else { DOUBTFUL_MS }))
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::*;
    use crate::facts::{NOT_QUESTIONS, QUESTIONS};

    fn view(tail: &str) -> View {
        Scene::new(include_str!("../plugin.toml")).view(tail)
    }

    #[test]
    fn every_known_question_has_its_kind() {
        for (kind, rows) in QUESTIONS {
            for row in *rows {
                assert_eq!(asking(&view(row), false).map(|question| question.kind).as_deref(), Some(*kind), "{row:?}");
            }
        }
    }

    #[test]
    fn what_only_holds_such_words_is_no_question() {
        for row in NOT_QUESTIONS {
            assert_eq!(asking(&view(row), false), None, "{row:?}");
        }
    }

    #[test]
    fn no_prompt_and_no_pager_is_a_question() {
        let rows = crate::facts::MODES.iter().filter(|(mode, _)| *mode != "rommon").flat_map(|(_, rows)| *rows);
        for row in rows.chain(crate::facts::MORE_MARKERS) {
            assert_eq!(asking(&view(row), false), None, "{row:?}");
        }
    }

    #[test]
    fn text_that_output_may_hold_has_to_stay() {
        let after = |row: &str, enables| asking(&view(row), enables).map(|question| question.after_ms);
        assert!(after("Password: ", false) > Some(2_000));
        assert_eq!(after("Password: ", true), Some(300));
        assert_eq!(after("Proceed with reload? [confirm]", false), Some(300));
        assert!(after("Target IP address: ", false) > Some(2_000));
        assert_eq!(after("Repeat count [5]: ", false), Some(500));
        assert_eq!(after("How many bits in the modulus [512]: ", false), Some(1_000));
    }

    #[test]
    fn the_text_is_the_row_without_its_spaces() {
        assert_eq!(question(&view("Username: ")).map(|question| question.text).as_deref(), Some("Username:"));
    }

    #[test]
    fn a_question_that_the_goal_has_answered_is_not_asked_again() {
        let mut answered = view("Password: ");
        answered.phase = "goal".into();
        answered.bytes_since_send = 0;
        assert_eq!(asking(&answered, true), None);
        answered.bytes_since_send = 12;
        assert!(asking(&answered, true).is_some());
    }

    #[test]
    fn before_the_echo_nothing_is_asked_but_at_login() {
        let mut early = view("Password: ");
        early.echoed = false;
        assert_eq!(asking(&early, false), None);
        early.phase = "login".into();
        assert!(asking(&early, false).is_some());
    }

    #[test]
    fn only_the_accepted_prompt_on_the_last_row_has_a_mode() {
        let mut ready = view("R1# ");
        ready.mode = "privileged".into();
        assert_eq!(ready.accepted_mode(), None);
        ready.prompt = Some("R1#".into());
        assert_eq!(ready.accepted_mode(), Some("privileged"));
        ready.tail = "Password: ".into();
        assert_eq!(ready.accepted_mode(), None);
        ready.prompt = Some(String::new());
        assert_eq!(ready.accepted_mode(), None);
    }
}
