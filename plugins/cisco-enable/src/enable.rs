//! The goal `enable`: from user exec to privileged, with one attempt and a way out.
//!
//! A second password question after the secret means that it was wrong. The secret is not given again:
//! empty lines use up the device's tries until the prompt is back. FRR has no such way, so there the goal
//! ends and the caller is told to close the session.

use jackfield_plugin::answer::{quote, rows as answer_rows};
use jackfield_plugin::dialog::{Attempt, Progress, Stage};
use jackfield_plugin::text::whole;
use jackfield_plugin::{DialogReport, Step, View};

use crate::config::Dialect;
use crate::questions;
use crate::words::is_rejection;

/// IOS and EOS ask three times, and an empty line is an answer.
const ATTEMPT: Attempt<'static> = Attempt { secret: "enable", leave: Some("empty-line"), tries: 3 };

/// Does this line start the goal? A level of 0 or 1 gives rights away, a view is another thing.
pub(crate) fn claims(command: &str, mode: &str) -> bool {
    if !matches!(mode, "user_exec" | "privileged") {
        return false;
    }
    let mut words = command.split_ascii_whitespace();
    let verb = words.next().is_some_and(|word| word.len() >= 2 && "enable".starts_with(word));
    let level = words.next().is_none_or(|word| whole(word).is_some_and(|level| (2..=15).contains(&level)));
    verb && level && words.next().is_none()
}

/// The next step.
pub(crate) fn next(view: &View, dialect: Dialect) -> DialogReport {
    let progress = Progress::parse(view.memo_text());
    let (step, progress) = if !view.echoed {
        (Step::Wait, progress)
    } else if let Some(mode) = view.accepted_mode() {
        at_prompt(view, mode, progress)
    } else {
        at_question(view, dialect, progress)
    };
    DialogReport::new(step, progress.memo()).strip(&view.tail)
}

fn at_question(view: &View, dialect: Dialect, progress: Progress) -> (Step, Progress) {
    // The row that was just answered stands until the device goes on.
    let old_row = progress.stage != Stage::Start && !view.is_new();
    let Some(question) = questions::question(view).filter(|_| !old_row) else { return (Step::Wait, progress) };
    let attempt = Attempt { leave: ATTEMPT.leave.filter(|_| dialect.question_can_be_left()), ..ATTEMPT };
    attempt.at_question(view, question, view.hit("password").is_some(), progress)
}

fn at_prompt(view: &View, mode: &str, progress: Progress) -> (Step, Progress) {
    let rejection = answer_rows(view).filter(|row| is_rejection(row)).last();
    let step = match (progress.stage, mode) {
        (Stage::Wrong, _) => ATTEMPT.failed(&ATTEMPT.not_accepted(), rejection),
        (Stage::Lacking, _) => ATTEMPT.lacking(),
        (Stage::Proving, "privileged") => proven(view),
        (_, "privileged") if progress.started_in == "user_exec" => done(),
        (_, "privileged") if rejection.is_some() => failed(&progress, "the device refused", rejection),
        // The prompt looked like this before, so it proves nothing.
        (Stage::Sent, "privileged") => return (Step::Send("show-privilege".to_owned()), progress.at(Stage::Proving)),
        (_, "privileged") => done(),
        (_, "user_exec") => failed(&progress, "the device stayed in user exec mode", rejection.or_else(|| last_words(view))),
        (_, other) => Step::Failed(["the device is in mode `", other, "` now; look at the screen before you go on"].concat()),
    };
    (step, progress)
}

/// A failure with the device's own words. What to check is the secret only where it was given: `% No password set` is said without
/// a question.
fn failed(progress: &Progress, what: &str, words: Option<&str>) -> Step {
    let check = match progress.stage {
        Stage::Start => "; it did not ask for the secret `enable`, so look at how the device is set up for this",
        Stage::Caller => "; check what was answered",
        Stage::Sent | Stage::Wrong | Stage::Lacking | Stage::Proving => return ATTEMPT.failed(what, words),
    };
    let said = words.map(|words| [", it said: ", &quote(words)].concat()).unwrap_or_default();
    Step::Failed([what, &said, check].concat())
}

/// The answer to `show privilege`. A device that does not know the command cannot be asked further.
fn proven(view: &View) -> Step {
    let level = answer_rows(view).filter_map(|row| row.strip_prefix("Current privilege level is ")).last();
    let wanted = view.command.split_ascii_whitespace().nth(1).and_then(whole).unwrap_or(15);
    match level.map(|level| (level, whole(level))) {
        Some((_, Some(level))) if level >= wanted => done(),
        Some((level, _)) => Step::Failed(format!("the privilege level is {} and not {wanted}; the secret was not accepted", quote(level))),
        None => done(),
    }
}

fn done() -> Step {
    Step::Done("privileged".to_owned())
}

fn last_words(view: &View) -> Option<&str> {
    answer_rows(view).filter(|row| !row.ends_with(':')).last()
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Fact;
    use jackfield_plugin::testing::Scene;

    use super::*;

    /// A device that is played row by row.
    struct Play {
        scene: Scene,
        dialect: Dialect,
        mode: &'static str,
        memo: Vec<u8>,
        missing: bool,
        command: &'static str,
    }

    impl Play {
        fn on(dialect: Dialect) -> Self {
            let scene = Scene::new(include_str!("../plugin.toml"));
            Self { scene, dialect, mode: "user_exec", memo: Vec::new(), missing: false, command: "enable" }
        }

        fn see(&mut self, recent: &str, tail: &str) -> Step {
            self.step(recent, tail, tail.len() as u64 + 2)
        }

        /// The host accepted this prompt.
        fn prompt(&mut self, recent: &str, tail: &str, mode: &'static str) -> Step {
            self.mode = mode;
            self.see(recent, tail)
        }

        fn step(&mut self, recent: &str, tail: &str, bytes: u64) -> Step {
            let mut view = self.scene.view(tail);
            view.phase = "goal".into();
            view.recent = recent.into();
            view.command = self.command.into();
            view.mode = self.mode.into();
            view.prompt = Some(if self.mode == "user_exec" { "R1>" } else { "R1#" }.into());
            view.bytes_since_send = bytes;
            view.memo.clone_from(&self.memo);
            let missing = if self.missing { "other,enable" } else { "" };
            view.facts.push(Fact { name: "missing-secrets".into(), value: missing.into() });
            let report = next(&view, self.dialect);
            self.memo = report.memo;
            // The host knows a send by its name in the manifest only.
            if let Step::Send(name) = &report.step {
                let listed = format!("\n{name} = ");
                assert!(include_str!("../plugin.toml").contains(&listed), "the manifest has no send `{name}`");
            }
            report.step
        }
    }

    fn secret() -> Step {
        Step::Secret("enable".into())
    }

    fn send(name: &str) -> Step {
        Step::Send(name.into())
    }

    fn why(step: Step) -> String {
        if let Step::Failed(why) = step { why } else { format!("not failed: {step:?}") }
    }

    const ASKED: &str = "R1>enable\n";

    #[test]
    fn the_secret_is_given_and_the_prompt_ends_the_goal() {
        for question in ["Password: ", "Password:", "Enable password: ", "password: "] {
            let mut play = Play::on(Dialect::Ios);
            assert_eq!(play.see(ASKED, question), secret(), "{question}");
            assert_eq!(play.prompt("R1>enable\nPassword: \n", "R1#", "privileged"), done());
        }
    }

    #[test]
    fn without_a_question_the_prompt_ends_the_goal() {
        assert_eq!(Play::on(Dialect::Eos).prompt(ASKED, "R1#", "privileged"), done());
    }

    #[test]
    fn the_old_prompt_of_a_started_goal_is_not_an_answer() {
        let mut play = Play::on(Dialect::Ios);
        assert_eq!(play.see("", "R1>enable"), Step::Wait);
        assert_eq!(play.see(ASKED, ""), Step::Wait);
    }

    #[test]
    fn before_the_echo_no_secret_is_asked_for() {
        let play = Play::on(Dialect::Ios);
        let mut view = play.scene.view("Password: ");
        view.echoed = false;
        assert_eq!(next(&view, Dialect::Ios).step, Step::Wait);
    }

    #[test]
    fn the_answered_question_is_not_a_new_one() {
        let mut play = Play::on(Dialect::Ios);
        assert_eq!(play.see(ASKED, "Password: "), secret());
        assert_eq!(play.step(ASKED, "Password: ", 0), Step::Wait);
        assert_eq!(play.step(ASKED, "Password: ", 2), Step::Wait);
        assert_eq!(play.prompt("R1>enable\nPassword: \n", "R1#", "privileged"), done());
    }

    #[test]
    fn a_wrong_secret_is_given_once_and_the_question_is_left() {
        let mut play = Play::on(Dialect::Ios);
        assert_eq!(play.see(ASKED, "Password: "), secret());
        assert_eq!(play.see("R1>enable\nPassword: \n", "Password: "), send("empty-line"));
        assert_eq!(play.see("R1>enable\nPassword: \nPassword: \n", "Password: "), send("empty-line"));
        let end = why(play.prompt("R1>enable\nPassword: \nPassword: \nPassword: \n% Bad secrets\n\n", "R1>", "user_exec"));
        assert!(end.starts_with("the device does not accept the secret `enable`, it said: % Bad secrets; check the value"), "{end}");
    }

    #[test]
    fn a_question_that_never_ends_is_not_answered_for_ever() {
        let mut play = Play::on(Dialect::Ios);
        assert_eq!(play.see(ASKED, "Password: "), secret());
        for _ in 0..3 {
            assert_eq!(play.see(ASKED, "Password: "), send("empty-line"));
        }
        assert!(why(play.see(ASKED, "Password: ")).contains("close the session"));
        assert!(matches!(play.see(ASKED, "Password: "), Step::Ask(_)));
    }

    #[test]
    fn frr_gets_one_answer_and_nothing_after_it() {
        let mut play = Play::on(Dialect::Frr);
        assert_eq!(play.see(ASKED, "Password: "), secret());
        assert!(why(play.see("R1>enable\nPassword: \n", "Password: ")).contains("close the session and open a new one"));
    }

    #[test]
    fn a_rejection_in_words_fails_with_these_words() {
        for words in crate::facts::REJECTIONS {
            let mut play = Play::on(Dialect::Ios);
            assert_eq!(play.see(ASKED, "Password: "), secret());
            let end = why(play.prompt(&format!("R1>enable\nPassword: \n{words}\n\n"), "R1>", "user_exec"));
            assert!(end.contains(words), "{end}");
        }
    }

    #[test]
    fn a_device_that_is_not_ready_fails_with_its_own_words() {
        let end = why(Play::on(Dialect::Ios).prompt("R1>enable\nSystem is still booting, try later\n", "R1>", "user_exec"));
        assert!(end.starts_with("the device stayed in user exec mode, it said: System is still booting, try later"), "{end}");
    }

    #[test]
    fn a_secret_that_was_not_asked_for_is_not_what_to_check() {
        for words in ["% No password set", "% Error in authentication."] {
            for (mode, prompt) in [("user_exec", "R1>"), ("privileged", "R1#")] {
                let mut play = Play::on(Dialect::Ios);
                play.mode = mode;
                let end = why(play.prompt(&format!("R1>enable\n{words}\n\n"), prompt, mode));
                assert!(end.contains(words) && end.contains("did not ask for the secret") && !end.contains("check the value"), "{end}");
            }
        }
        let mut play = Play::on(Dialect::Ios);
        assert!(matches!(play.see(ASKED, "Username: "), Step::Ask(_)));
        let end = why(play.prompt("R1>enable\nUsername: bob\n% Access denied\n", "R1>", "user_exec"));
        assert!(end.ends_with("% Access denied; check what was answered"), "{end}");
    }

    #[test]
    fn the_words_of_an_earlier_attempt_do_not_count() {
        let mut play = Play::on(Dialect::Ios);
        assert_eq!(play.prompt("R1>enable\n% Bad secrets\nR1>enable\n", "R1#", "privileged"), done());
    }

    #[test]
    fn a_missing_secret_leaves_the_question_on_ios() {
        let mut play = Play::on(Dialect::Ios);
        play.missing = true;
        assert_eq!(play.see(ASKED, "Password: "), send("empty-line"));
        assert_eq!(play.see(ASKED, "Password: "), send("empty-line"));
        assert_eq!(play.see(ASKED, "Password: "), send("empty-line"));
        assert!(why(play.prompt("R1>enable\n% Bad passwords\n", "R1>", "user_exec")).contains("`secrets.enable`"));
    }

    #[test]
    fn a_missing_secret_is_the_caller_s_business_on_frr() {
        let mut play = Play::on(Dialect::Frr);
        play.missing = true;
        assert!(matches!(play.see(ASKED, "Password: "), Step::Ask(question) if question.kind == "password"));
        assert!(matches!(play.see(ASKED, "Password: "), Step::Ask(_)));
        assert_eq!(play.prompt(ASKED, "R1#", "privileged"), done());
    }

    #[test]
    fn an_account_question_reaches_the_caller_and_so_does_its_password() {
        let mut play = Play::on(Dialect::Ios);
        assert!(matches!(play.see(ASKED, "Username: "), Step::Ask(question) if question.kind == "username"));
        assert!(matches!(play.see("R1>enable\nUsername: bob\n", "Password: "), Step::Ask(question) if question.kind == "password"));
        assert_eq!(play.prompt("R1>enable\n", "R1#", "privileged"), done());
    }

    #[test]
    fn other_questions_are_never_answered() {
        for question in ["Enter PASSCODE: ", "Enter new password: ", "Enter enable secret: ", "Proceed? [confirm]", "Save? [yes/no]: "] {
            assert!(matches!(Play::on(Dialect::Ios).see(ASKED, question), Step::Ask(_)), "{question}");
        }
    }

    #[test]
    fn from_a_lower_level_the_prompt_proves_nothing_and_the_device_is_asked() {
        for (answer, good) in [
            ("Current privilege level is 15", true),
            ("Current privilege level is 7", false),
            ("% Invalid input detected at '^' marker.", true),
        ] {
            let mut play = Play::on(Dialect::Ios);
            play.mode = "privileged";
            assert_eq!(play.see("R1#enable\n", "Password: "), secret());
            assert_eq!(play.prompt("R1#enable\nPassword: \n", "R1#", "privileged"), send("show-privilege"));
            let end = play.prompt(&format!("R1#enable\nPassword: \nR1#show privilege\n{answer}\n"), "R1#", "privileged");
            assert_eq!(end == done(), good, "{answer}: {end:?}");
        }
    }

    #[test]
    fn from_a_lower_level_a_rejection_fails_although_the_prompt_is_privileged() {
        let mut play = Play::on(Dialect::Ios);
        play.mode = "privileged";
        assert_eq!(play.see("R1#enable\n", "Password: "), secret());
        assert!(why(play.prompt("R1#enable\nPassword: \n% Access denied\n", "R1#", "privileged")).contains("% Access denied"));
        assert!(why(Play::on(Dialect::Ios).prompt("R1#enable\n% No password set\n", "R1#", "privileged")).contains("% No password set"));
    }

    #[test]
    fn a_level_is_reached_when_it_is_at_least_the_wanted_one() {
        let mut play = Play::on(Dialect::Ios);
        (play.mode, play.command) = ("privileged", "enable 7");
        assert_eq!(play.see("R1#enable 7\n", "Password: "), secret());
        assert_eq!(play.prompt("R1#enable 7\nPassword: \n", "R1#", "privileged"), send("show-privilege"));
        assert_eq!(play.prompt("R1#show privilege\nCurrent privilege level is 7\n", "R1#", "privileged"), done());
    }

    #[test]
    fn a_host_called_as_is_asked_like_any_other() {
        let mut play = Play::on(Dialect::Ios);
        assert_eq!(play.see("AS>enable\n", "Password: "), secret());
    }

    #[test]
    fn ends_in_a_strange_mode_are_failures() {
        assert!(why(Play::on(Dialect::Ios).prompt(ASKED, "R1#", "config")).contains("`config`"));
    }

    #[test]
    fn lines_that_start_the_goal() {
        for line in ["enable", "en", "ena", "enab", " enable ", "enable 15", "en 7", "enable 2"] {
            assert!(claims(line, "user_exec") && claims(line, "privileged"), "{line}");
        }
        for line in [
            "",
            "e",
            "enablex",
            "ENABLE",
            "enable 1",
            "enable 0",
            "enable 16",
            "enable view",
            "enable secret x",
            "enable 7 8",
            "show enable",
            "end",
        ] {
            assert!(!claims(line, "user_exec"), "{line}");
        }
        for mode in ["config", "shell", "rommon", "unknown", ""] {
            assert!(!claims("enable", mode), "{mode}");
        }
    }
}
