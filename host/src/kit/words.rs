//! What a plugin answered, in the words of its contract (`wit/types.wit`).

use super::calls::Answers;
use crate::plugin::bindings::jackfield::plugin::types as contract;
use crate::plugin::roles::{Effect, Page, Question, Reading, Step};
use crate::replay::told::row;

/// A step of a dialog.
#[must_use]
pub fn step(step: &Step) -> String {
    match step {
        Step::Wait => "`wait`".to_owned(),
        Step::Send(name) => format!("`send` {}", row(name)),
        Step::Secret(name) => format!("`secret` {}", row(name)),
        Step::Ask(asked) => format!("`ask` ({})", question(asked)),
        Step::Done(mode) => format!("`done` in the mode {}", row(mode)),
        Step::Failed(why) => format!("`failed` ({})", row(why)),
    }
}

/// A reading of a row.
#[must_use]
pub fn reading(reading: &Reading) -> String {
    match reading {
        Reading::NotYet => "`not-yet`".to_owned(),
        Reading::Settle(ms) => format!("`settle` {ms} ms"),
        Reading::Incomplete(what) => format!("`incomplete` ({})", row(what)),
        Reading::Ready(ready) => {
            let mut told = format!("`ready` (prompt {}, mode {}, proof {}", row(&ready.prompt), row(&ready.mode), row(&ready.proof));
            told.extend(ready.privileged.then_some(", privileged"));
            told.extend(ready.status.map(|status| format!(", status {status}")));
            told.extend(ready.cwd.as_ref().map(|cwd| format!(", cwd {}", row(cwd))));
            told + ")"
        }
    }
}

fn question(asked: &Question) -> String {
    format!("kind {}, text {}, after {} ms", row(&asked.kind), row(&asked.text), asked.after_ms)
}

fn page(page: &Page) -> String {
    format!("send {}, strip {}", row(&page.send), row(&page.strip))
}

fn lane(said: &contract::Lane) -> String {
    let lane = if said.lane.is_empty() { "no lane".to_owned() } else { row(&said.lane) };
    format!("{lane} by the rule {}", row(&said.rule))
}

fn decision(said: &contract::Decision) -> String {
    let effect = match said.effect {
        Effect::Abstain => "abstain",
        Effect::Allow => "allow",
        Effect::Ask => "ask",
        Effect::Deny => "deny",
    };
    format!("`{effect}` by the rule {}", row(&said.rule))
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.iter().map(|name| row(name)).collect::<Vec<_>>().join(", ") }
}

fn or_none<T>(said: Option<&T>, told: impl FnOnce(&T) -> String) -> String {
    said.map_or_else(|| "`none`".to_owned(), told)
}

/// Each function that was called, and what it answered; memos stand aside.
fn all(answers: &Answers) -> Vec<(&'static str, String)> {
    let failure = |said: &contract::Failure| format!("kind {}, line {}", row(&said.kind), row(&said.line));
    let next = |report: &contract::DialogReport| format!("{}, strip {}", step(&report.step), row(&report.strip));
    [
        ("prompt.inspect", answers.prompt.as_ref().map(|report| reading(&report.reading))),
        ("prompt.prepare", answers.prepare.as_deref().map(list)),
        ("pager.inspect", answers.page.as_ref().map(|said| or_none(said.as_ref(), page))),
        ("dialog.goals", answers.goals.as_deref().map(list)),
        ("dialog.claim", answers.claim.as_ref().map(|said| or_none(said.as_ref(), |goal| row(goal)))),
        ("dialog.asking", answers.asking.as_ref().map(|said| or_none(said.as_ref(), question))),
        ("dialog.next", answers.next.as_ref().map(next)),
        ("outcome.judge", answers.failure.as_ref().map(|said| or_none(said.as_ref(), failure))),
        ("policy.classify", answers.lane.as_ref().map(lane)),
        ("policy.decide", answers.decision.as_ref().map(decision)),
        ("identify.score", answers.score.map(|score| score.to_string())),
    ]
    .into_iter()
    .filter_map(|(function, said)| Some((function, said?)))
    .collect()
}

/// The first function that answered otherwise the second time, and both answers.
#[must_use]
pub fn difference(first: &Answers, second: &Answers) -> String {
    let found = all(first).into_iter().zip(all(second)).find(|(one, other)| one != other);
    found.map_or_else(
        || "answers with another memo or another reason".to_owned(),
        |((function, one), (other, said))| {
            let said = if other == function { said } else { format!("nothing and `{other}` with {said}") };
            format!("answers `{function}` with {said} instead of {one}")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_in_the_words_of_the_contract() {
        let asked = Question { kind: "password".to_owned(), text: "Password: ".to_owned(), after_ms: 2_500 };
        for (said, told) in [
            (Step::Wait, "`wait`"),
            (Step::Send("enter".to_owned()), "`send` `enter`"),
            (Step::Secret("enable".to_owned()), "`secret` `enable`"),
            (Step::Ask(asked), "`ask` (kind `password`, text `Password: `, after 2500 ms)"),
            (Step::Done("privileged".to_owned()), "`done` in the mode `privileged`"),
            (Step::Failed("no".to_owned()), "`failed` (`no`)"),
        ] {
            assert_eq!(step(&said), told);
        }
        assert_eq!(reading(&Reading::Settle(300)), "`settle` 300 ms");
        let ready = contract::Ready {
            prompt: "r1# ".to_owned(),
            mode: "exec".to_owned(),
            privileged: true,
            status: Some(0),
            cwd: None,
            proof: "pattern".to_owned(),
        };
        assert_eq!(reading(&Reading::Ready(ready)), "`ready` (prompt `r1# `, mode `exec`, proof `pattern`, privileged, status 0)");
    }

    #[test]
    fn an_answer_that_does_not_repeat_is_shown_beside_the_first() {
        let report = |reading| Answers { prompt: Some(contract::PromptReport { reading, memo: Vec::new() }), ..Answers::default() };
        let told = difference(&report(Reading::NotYet), &report(Reading::Settle(50)));
        assert_eq!(told, "answers `prompt.inspect` with `settle` 50 ms instead of `not-yet`");
    }
}
