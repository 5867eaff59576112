//! The conversation: answer sudo's question once, leave at the second one, and say what came of it.

use jackfield_plugin::{DialogReport, Hit, Question, Step, View};

use crate::{claim, refusal};

/// The one goal, and the name of the secret that it needs.
pub(crate) const GOAL: &str = "sudo";

/// How often the question is left; a list of commands may hold several sudo.
const LEAVE_MAX: u32 = 5;
/// sudo prints its question before it reads, and loses an interrupt that comes between: so long the question must stand.
const READS_MS: u32 = 250;

/// What has been done, kept in the memo together with a fingerprint of the rows above the question: as long as those
/// are the same, the question is the one that was dealt with.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Past {
    Nothing,
    Typed { above: u64 },
    Left { above: u64, times: u32 },
}

/// The next step.
pub(crate) fn next(view: &View) -> DialogReport {
    let past = Past::read(view.memo_text());
    let above = fingerprint(&view.recent);
    match own(view) {
        Some(question) => answer(view, question, past, above),
        None if view.hit("question").is_none() && at_prompt(view) => DialogReport::new(verdict(view, past), past.memo()),
        None => DialogReport::new(Step::Wait, past.memo()),
    }
}

/// The question outside of a goal: a script that runs sudo, for example. Only the caller can answer it.
pub(crate) fn asking(view: &View) -> Option<Question> {
    // Inside of the goal it is dealt with. Who answered one that reads elsewhere would type into the shell behind it.
    let hit = own(view).filter(|_| view.phase != "goal" && !claim::reads_elsewhere(&view.command))?;
    Some(question(hit, "sudo asks for a password"))
}

/// The question of this session's sudo. That of another session's carries another nonce.
fn own(view: &View) -> Option<&Hit> {
    let nonce = view.fact("nonce");
    view.hit("question").filter(|hit| !nonce.is_empty() && hit.group("nonce") == Some(nonce))
}

fn answer(view: &View, hit: &Hit, past: Past, above: u64) -> DialogReport {
    let (step, now) = match past {
        Past::Nothing if wants_code(hit) => (Step::Ask(question(hit, "sudo asks for a code")), past),
        Past::Nothing if view.lacks_secret(GOAL) => {
            (Step::Ask(question(hit, "sudo asks for a password, and this device has no secret `sudo`")), past)
        }
        Past::Nothing => (Step::Secret(GOAL.to_owned()), Past::Typed { above }),
        Past::Typed { above: before } | Past::Left { above: before, .. } if before != above && view.quiet_ms < READS_MS => {
            return DialogReport::new(Step::Wait, past.memo());
        }
        Past::Typed { above: before } if before != above => (Step::Send("interrupt".to_owned()), Past::Left { above, times: 1 }),
        Past::Left { above: before, times } if before != above && times < LEAVE_MAX => {
            (Step::Send("interrupt".to_owned()), Past::Left { above, times: times + 1 })
        }
        Past::Typed { .. } | Past::Left { .. } => (Step::Wait, past),
    };
    DialogReport::new(step, now.memo()).strip(asked(&view.tail))
}

/// The row's part that sudo wrote; what stands before it the command wrote. sudo-rs sets a bracket in front.
fn asked(tail: &str) -> &str {
    let start = tail.rfind("[sudo: jackfield-").or_else(|| tail.rfind("jackfield-")).unwrap_or(tail.len());
    tail.get(start..).unwrap_or_default()
}

/// sudo-rs shows PAM's words behind its own: a second factor is no password.
fn wants_code(hit: &Hit) -> bool {
    let words = hit.group("words").unwrap_or_default().to_ascii_lowercase();
    ["code", "otp", "token", "one-time", "passcode", "fingerprint"].iter().any(|factor| refusal::holds(&words, factor))
}

fn question(hit: &Hit, text: &str) -> Question {
    let kind = if wants_code(hit) { "code" } else { "password" };
    Question { kind: kind.to_owned(), text: text.to_owned(), after_ms: 0 }
}

fn at_prompt(view: &View) -> bool {
    view.prompt.as_deref().is_some_and(|prompt| view.tail.trim_ascii_end().ends_with(prompt.trim_ascii_end()))
}

fn verdict(view: &View, past: Past) -> Step {
    if matches!(past, Past::Left { .. }) {
        return Step::Failed(
            "sudo did not accept the secret `sudo` and asked again; the question was left with Ctrl-C. Correct the secret before \
             another try, because repeated failures can lock the account. If the line runs sudo more than once and no ticket is \
             kept, type each sudo as a line of its own"
                .to_owned(),
        );
    }
    match refusal::row(view) {
        Some(row) => Step::Failed(format!("sudo refused: {row}")),
        None => Step::Done(view.mode.clone()),
    }
}

impl Past {
    fn read(memo: &str) -> Self {
        let mut fields = memo.split(' ');
        let word = fields.next().unwrap_or_default();
        let above = fields.next().and_then(|field| field.parse().ok()).unwrap_or_default();
        let times = fields.next().and_then(|field| field.parse().ok()).unwrap_or(1);
        match word {
            "typed" => Self::Typed { above },
            "left" => Self::Left { above, times },
            _ => Self::Nothing,
        }
    }

    fn memo(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Typed { above } => format!("typed {above}"),
            Self::Left { above, times } => format!("left {above} {times}"),
        }
    }
}

/// FNV-1a: short, and the same on every machine, so that a replay repeats.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;
    use jackfield_plugin::{Fact, Step, View};

    use super::{READS_MS, asking, next};

    const WS: &str = "jackfield-0123456789abcdef: ";
    const RS: &str = "[sudo: jackfield-0123456789abcdef: ] Password: ";

    fn view(tail: &str, recent: &str) -> View {
        let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
        view.phase = "goal".to_owned();
        view.mode = "shell".to_owned();
        view.prompt = Some("alice@web1:~$ ".to_owned());
        view.command = "sudo id".to_owned();
        view.recent = recent.to_owned();
        view.quiet_ms = READS_MS;
        view
    }

    /// Feeds the views in order, carrying the memo, and gives the steps.
    fn steps(views: Vec<View>) -> Vec<Step> {
        let mut memo = Vec::new();
        let mut steps = Vec::new();
        for mut view in views {
            view.memo = memo;
            let report = next(&view);
            memo = report.memo;
            steps.push(report.step);
        }
        steps
    }

    fn secret() -> Step {
        Step::Secret("sudo".to_owned())
    }

    #[test]
    fn the_question_is_answered_once_and_the_prompt_is_the_end() {
        for question in [WS, RS, "[sudo: jackfield-0123456789abcdef: ] PIN: ", "[sudo: jackfield-0123456789abcdef:] Passwort: "] {
            let echo = "alice@web1:~$ sudo id";
            let done = format!("{echo}\n{question}\nroot");
            let found = steps(vec![view(question, echo), view(question, echo), view("alice@web1:~$ ", &done)]);
            assert_eq!(found, [secret(), Step::Wait, Step::Done("shell".to_owned())], "{question}");
        }
    }

    #[test]
    fn text_before_the_question_does_not_hide_it() {
        let warned = view(&format!("sudo: unable to resolve host{WS}"), "lecture");
        assert_eq!(steps(vec![warned]), [secret()]);
    }

    #[test]
    fn a_wrong_secret_is_not_typed_again() {
        for (question, sorry) in
            [(WS, "Sorry, try again."), (RS, "sudo: Authentication failed, try again."), (WS, "Das hat nicht funktioniert.")]
        {
            let echo = "alice@web1:~$ sudo id";
            let again = format!("{echo}\n{question}\n{sorry}");
            let end = format!("{again}\n{question}\nsudo: 1 incorrect password attempt");
            let found = steps(vec![view(question, echo), view(question, &again), view(question, &again), view("alice@web1:~$ ", &end)]);
            let [first, second, third, Step::Failed(why)] = found.as_slice() else { unreachable!("{found:?}") };
            assert_eq!([first, second, third], [&secret(), &Step::Send("interrupt".to_owned()), &Step::Wait]);
            assert!(why.contains("did not accept the secret `sudo`"), "{why}");
        }
    }

    #[test]
    fn the_second_question_is_left_once_sudo_reads() {
        let quiet = |quiet_ms: u32| View { quiet_ms, ..view(WS, "asked\nSorry") };
        let found = steps(vec![view(WS, "asked"), quiet(0), quiet(249), quiet(250), quiet(300)]);
        assert_eq!(found, [secret(), Step::Wait, Step::Wait, Step::Send("interrupt".to_owned()), Step::Wait]);
        assert_eq!(asking(&quiet(0)), None);
    }

    #[test]
    fn a_list_of_sudo_is_left_one_by_one_and_not_forever() {
        let rows = |count: usize| "asked\n".repeat(count);
        let found = steps((0..10).map(|count| view(WS, &rows(count))).collect());
        let left = found.iter().filter(|step| **step == Step::Send("interrupt".to_owned())).count();
        assert_eq!((found.first(), left, found.last()), (Some(&secret()), 5, Some(&Step::Wait)));
    }

    #[test]
    fn asterisks_are_not_a_new_question() {
        let half = "[sudo: jackfield-0123456789abcdef: ] Password: ****";
        assert_eq!(steps(vec![view(RS, "x"), view(half, "x"), view(RS, "x")]), [secret(), Step::Wait, Step::Wait]);
        assert_eq!(asking(&view("jackfield-0123456789abcdef: **", "")), None);
    }

    #[test]
    fn a_ticket_or_a_refusal_comes_without_a_question() {
        assert_eq!(steps(vec![view("alice@web1:~$ ", "alice@web1:~$ sudo id\nroot")]), [Step::Done("shell".to_owned())]);
        let refused = view("alice@web1:~$ ", "alice@web1:~$ sudo id\nsudo: I'm sorry alice. I'm afraid I can't do that");
        assert_eq!(steps(vec![refused]), [Step::Failed("sudo refused: sudo: I'm sorry alice. I'm afraid I can't do that".to_owned())]);
        let after = format!("alice@web1:~$ sudo id\n{WS}\nalice is not in the sudoers file.");
        let found = steps(vec![view(WS, "alice@web1:~$ sudo id"), view("alice@web1:~$ ", &after)]);
        assert_eq!(found, [secret(), Step::Failed("sudo refused: alice is not in the sudoers file.".to_owned())]);
    }

    #[test]
    fn only_this_sessions_question_counts() {
        for tail in [
            "Password: ",
            "[sudo] password for alice: ",
            "jackfield-fedcba9876543210: ",
            "[sudo: jackfield-fedcba9876543210: ] Password: ",
            "jackfield-0123456789abcdef: x",
            "jackfield-0123456789abcdef",
            "export SUDO_PROMPT='jackfield-0123456789abcdef: '",
        ] {
            assert_eq!(steps(vec![view(tail, "")]), [Step::Wait], "{tail}");
            assert_eq!(asking(&view(tail, "")), None, "{tail}");
        }
        let mut unknown = view(WS, "");
        unknown.facts.clear();
        assert_eq!(steps(vec![unknown]), [Step::Wait]);
    }

    #[test]
    fn without_a_secret_the_caller_is_asked() {
        let mut view = view(WS, "");
        view.facts.push(Fact { name: "missing-secrets".to_owned(), value: "root,sudo".to_owned() });
        let found = steps(vec![view]);
        let [Step::Ask(question)] = found.as_slice() else { unreachable!("{found:?}") };
        assert_eq!((question.kind.as_str(), question.after_ms), ("password", 0));
        assert!(!question.text.contains("0123"), "{}", question.text);
    }

    #[test]
    fn a_second_factor_is_not_a_password() {
        let found = steps(vec![view("[sudo: jackfield-0123456789abcdef: ] Verification code: ", "")]);
        let [Step::Ask(question)] = found.as_slice() else { unreachable!("{found:?}") };
        assert_eq!(question.kind, "code");
    }

    #[test]
    fn nobody_is_asked_where_a_sudo_of_the_line_reads_elsewhere() {
        for command in ["cat pw.txt | sudo -S sleep 3", "sudo -A id", "echo \"$PW\" | sudo -S true && sudo id"] {
            for tail in [WS, RS] {
                let running = View { phase: "running".to_owned(), command: command.to_owned(), ..view(tail, "") };
                assert_eq!(asking(&running), None, "{command}: {tail}");
            }
        }
    }

    #[test]
    fn outside_a_goal_the_question_reaches_the_caller_at_once() {
        for tail in [WS, RS] {
            let question = asking(&View { phase: "running".to_owned(), ..view(tail, "") });
            assert_eq!(question.map(|question| (question.kind, question.after_ms)), Some(("password".to_owned(), 0)), "{tail}");
        }
    }
}
