//! What the router asks, in the words of the contract.

use jackfield_plugin::dialog::of_its_host;
use jackfield_plugin::{Question, View};

/// Nothing but a question ends like this.
const SURE_MS: u32 = 300;
/// Output may hold the same text.
const DOUBTFUL_MS: u32 = 2_500;

/// What is asked for outside goals. Inside one `next` handles the question.
pub(crate) fn asking(view: &View) -> Option<Question> {
    if !view.may_ask() {
        return None;
    }
    question(view).map(|question| of_its_host(view, question))
}

/// The question on the last row, if it is one.
pub(crate) fn question(view: &View) -> Option<Question> {
    let has = |trigger| view.hit(trigger).is_some();
    let (kind, after_ms) = match () {
        () if has("new-password") => ("password", SURE_MS),
        () if has("password") => ("password", DOUBTFUL_MS),
        () if has("username") => ("username", DOUBTFUL_MS),
        () if has("take-over") => ("menu", SURE_MS),
        () if has("licence") || has("yes-no") => ("yes-no", SURE_MS),
        () if has("press-enter") || has("quit-only") => ("any-key", SURE_MS),
        () => missing_item(view)?,
    };
    Some(Question { kind: kind.to_owned(), text: view.tail.trim().to_owned(), after_ms })
}

/// The command lacked an argument; whatever is typed next becomes it.
fn missing_item(view: &View) -> Option<(&'static str, u32)> {
    match view.hit("missing-item")?.group("what")? {
        "numbers" => Some(("unknown", SURE_MS)),
        "file-name" => Some(("filename", DOUBTFUL_MS)),
        _ => Some(("unknown", DOUBTFUL_MS)),
    }
}

/// The mode of the prompt on the last row, if the host has accepted it.
pub(crate) fn accepted_mode(view: &View) -> Option<&str> {
    let prompt = view.prompt.as_deref().filter(|prompt| !prompt.is_empty())?;
    (view.tail.trim_end() == prompt.trim_end()).then_some(view.mode.as_str())
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::*;
    use crate::facts::{BANNERS, MARKERS, MODES, NOT_QUESTIONS, OUTPUT, QUESTIONS};

    fn view(tail: &str) -> View {
        Scene::new(include_str!("../plugin.toml")).view(tail)
    }

    #[test]
    fn every_known_question_has_its_kind() {
        for (kind, rows) in QUESTIONS {
            for row in *rows {
                assert_eq!(asking(&view(row)).map(|question| question.kind).as_deref(), Some(*kind), "{row:?}");
            }
        }
    }

    #[test]
    fn output_prompts_and_pages_ask_nothing() {
        let prompts = MODES.iter().flat_map(|(_, rows)| *rows);
        for row in NOT_QUESTIONS.iter().chain(BANNERS).chain(MARKERS).chain(OUTPUT).chain(prompts) {
            assert_eq!(asking(&view(row)), None, "{row:?}");
        }
    }

    #[test]
    fn a_page_without_a_key_is_a_question() {
        assert_eq!(asking(&view("-- [Q quit]")).map(|question| question.kind).as_deref(), Some("any-key"));
    }

    #[test]
    fn a_take_over_of_safe_mode_is_a_menu() {
        let row = "Hijacking Safe Mode from someone - unroll/release/don't take it [u/r/d]: ";
        assert_eq!(asking(&view(row)).map(|question| question.kind).as_deref(), Some("menu"));
    }

    #[test]
    fn text_that_output_may_hold_has_to_stay() {
        let after = |row: &str| asking(&view(row)).map(|question| question.after_ms);
        assert!(after("Password: ") > Some(2_000) && after("address: ") > Some(2_000));
        assert_eq!((after("numbers: "), after("Reboot, yes? [y/N]: ")), (Some(300), Some(300)));
    }

    #[test]
    fn before_the_echo_nothing_is_asked_but_at_login() {
        let mut early = view("numbers: ");
        early.echoed = false;
        assert_eq!(asking(&early), None);
        early.phase = "login".into();
        assert!(asking(&early).is_some());
        early.bytes_since_send = 0;
        assert_eq!(asking(&early), None);
    }
}
