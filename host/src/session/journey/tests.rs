//! Journeys over a device that answers from a list.

use super::*;
use crate::plugin::manifest::Manifest;

/// A device with three modes and a candidate configuration.
fn modes(candidate: bool) -> Modes {
    let mut table = serde_json::json!({"schema": 1, "name": "p", "version": "1",
        "sends": {"up": "up{enter}", "down": "down{enter}", "in": "edit{enter}", "out": "leave{enter}",
            "diff": "diff{enter}", "check": "check{enter}", "commit": "commit{enter}", "drop": "drop{enter}"},
        "transition": [
            {"from": "user", "to": "boss", "send": "up"}, {"from": "boss", "to": "user", "send": "down"},
            {"from": "boss", "to": "config", "send": "in"}, {"from": "config", "to": "boss", "send": "out"}]});
    if candidate {
        table["candidate"] =
            serde_json::json!([{"mode": "config", "diff": "diff", "check": "check", "commit": "commit", "discard": "drop"}]);
    }
    let manifest: Manifest = serde_json::from_value(table).unwrap();
    Modes::of("t", [("p", &manifest)])
}

fn journey(modes: &Modes, home: &str, mode: &str, keep: Option<Keep>, lines: &[&str]) -> Journey {
    Journey::new(Route::to(modes, home, mode, keep).unwrap(), approved(lines))
}

fn approved(lines: &[&str]) -> VecDeque<Approved> {
    crate::policy::approved::for_tests(lines)
}

/// A device that answers each step with the next mode of a list, and with a failure where one is given.
struct Device<'a> {
    modes: &'a Modes,
    mode: String,
    answers: Vec<(&'static str, &'a str, Option<&'a str>)>,
    /// Before this line the journey's time is over.
    stops_at: Option<&'static str>,
    /// While this line runs it is stopped, or its line ends.
    cut_at: Option<(&'static str, State)>,
    /// Behind this line it is played no further.
    ends_behind: Option<&'static str>,
}

impl Device<'_> {
    /// Plays the journey to its end; what was typed, in order.
    fn play(&mut self, journey: &mut Journey) -> Vec<String> {
        let mut typed = Vec::new();
        while let Some(mut step) = journey.next(self.modes, &self.mode) {
            if self.stops_at.is_some_and(|line| line == line_of(&step, journey)) && !journey.is_clearing_away() {
                journey.run_out(self.modes, &self.mode);
                let Some(next) = journey.next(self.modes, &self.mode) else { break };
                step = next;
            }
            let (line, rest) = match step {
                Step::Go(way) => (way.line, VecDeque::new()),
                Step::Act(act, _) => (format!("{act:?}").to_lowercase(), VecDeque::new()),
                Step::Lines => {
                    let mut lines = journey.take_lines();
                    let first = lines.pop_front().unwrap();
                    (first.echo().unwrap().to_owned(), lines)
                }
            };
            assert!(typed.len() < 40, "it never ends: {typed:?}");
            let answer = self.answers.iter().find(|(known, ..)| *known == line);
            let (mode, failure) = answer.map_or((self.mode.as_str(), None), |(_, mode, failure)| (*mode, *failure));
            self.mode = mode.to_owned();
            let at = typed.len() as u64 * 10;
            let state = self.cut_at.filter(|(cut, _)| *cut == line).map_or(State::Done, |(_, state)| state);
            let is_last = self.ends_behind.is_some_and(|last| last == line);
            typed.push(line);
            journey.on_ended(
                self.modes,
                Ended {
                    state: Some(state),
                    mode: self.mode.clone(),
                    failure: failure.map(str::to_owned),
                    typed: 1,
                    pieces: vec![(at, at + 5)],
                    rest,
                    ..Ended::default()
                },
            );
            if is_last {
                break;
            }
        }
        typed
    }
}

const WAYS: [(&str, &str, Option<&str>); 4] =
    [("up", "boss", None), ("down", "user", None), ("edit", "config", None), ("leave", "boss", None)];

fn device<'a>(modes: &'a Modes, mode: &str, answers: &[(&'static str, &'a str, Option<&'a str>)]) -> Device<'a> {
    // What a test says comes before the usual.
    Device {
        modes,
        mode: mode.to_owned(),
        answers: answers.iter().chain(&WAYS).copied().collect(),
        stops_at: None,
        cut_at: None,
        ends_behind: None,
    }
}

/// What a step types.
fn line_of(step: &Step, journey: &Journey) -> String {
    match step {
        Step::Go(way) => way.line.clone(),
        Step::Act(act, _) => format!("{act:?}").to_lowercase(),
        Step::Lines => journey.next_text().to_owned(),
    }
}

#[test]
fn lines_are_typed_in_their_mode_and_the_session_comes_back() {
    let modes = modes(false);
    let mut journey = journey(&modes, "user", "config", None, &["a", "b"]);
    assert_eq!(device(&modes, "user", &[]).play(&mut journey), ["up", "edit", "a", "b", "leave", "down"]);
    let outcome = journey.outcome();
    assert_eq!((outcome.typed, outcome.of, outcome.sentence(), outcome.candidate), (2, 2, None, None));
    assert_eq!(outcome.pieces, [(20, 25), (30, 35)], "only what the lines brought is output");
}

#[test]
fn a_mode_that_is_not_reached_gets_no_line() {
    let modes = modes(true);
    let mut journey = journey(&modes, "user", "config", Some(Keep::Now), &["a"]);
    let typed = device(&modes, "user", &[("edit", "boss", Some("locked by bob"))]).play(&mut journey);
    assert_eq!(typed, ["up", "edit", "down"]);
    let outcome = journey.outcome();
    assert_eq!(outcome.sentence().as_deref(), Some("mode `config` was not reached, no line was typed: locked by bob"));
    assert_eq!((outcome.typed, outcome.candidate), (0, None));
}

#[test]
fn the_first_line_that_fails_is_the_last_one_and_the_candidate_is_thrown_away() {
    let modes = modes(true);
    let mut journey = journey(&modes, "boss", "config", Some(Keep::Now), &["a", "b", "c"]);
    let typed = device(&modes, "boss", &[("b", "config", Some("no such b"))]).play(&mut journey);
    assert_eq!(typed, ["edit", "a", "b", "discard", "leave"]);
    let outcome = journey.outcome();
    assert_eq!(outcome.errors, [LineError { number: 2, line: "b".to_owned(), error: "no such b".to_owned() }]);
    assert_eq!(outcome.sentence().as_deref(), Some("line 2 of 3, `b`: no such b"));
    assert_eq!((outcome.typed, outcome.candidate), (2, Some(DISCARDED)));
}

#[test]
fn a_line_that_leads_out_of_the_mode_is_the_last_one() {
    let modes = modes(false);
    let mut journey = journey(&modes, "boss", "config", None, &["leave", "reload"]);
    let typed = device(&modes, "boss", &[]).play(&mut journey);
    assert_eq!(typed, ["edit", "leave"]);
    let sentence = journey.outcome().sentence().unwrap();
    assert_eq!(sentence, "line 1 of 2, `leave`: it led out of mode `config` to `boss`");
}

#[test]
fn a_candidate_is_shown_and_checked_and_thrown_away_unless_it_is_wanted() {
    let modes = modes(true);
    for (keep, acts, candidate) in [
        (None, vec!["diff", "check", "discard"], DISCARDED),
        (Some(Keep::Check), vec!["diff", "check", "discard"], DISCARDED),
        (Some(Keep::Now), vec!["diff", "commit"], "committed"),
    ] {
        let mut journey = journey(&modes, "boss", "config", keep, &["a"]);
        let typed = device(&modes, "boss", &[]).play(&mut journey);
        assert_eq!(typed, [vec!["edit", "a"], acts, vec!["leave"]].concat());
        assert_eq!(journey.outcome().candidate, Some(candidate));
    }
}

#[test]
fn a_commit_that_fails_is_told_and_the_candidate_thrown_away() {
    let modes = modes(true);
    let mut journey = journey(&modes, "boss", "config", Some(Keep::Now), &["a"]);
    let typed = device(&modes, "boss", &[("commit", "config", Some("missing statement"))]).play(&mut journey);
    assert_eq!(typed, ["edit", "a", "diff", "commit", "discard", "leave"]);
    let outcome = journey.outcome();
    assert_eq!((outcome.sentence().as_deref(), outcome.candidate), (Some("the commit failed: missing statement"), Some(DISCARDED)));
}

/// What is in force for a time is not thrown away with a candidate, and nobody is told so.
#[test]
fn a_confirmation_that_fails_throws_only_its_own_lines_away() {
    let table = serde_json::json!({"schema": 1, "name": "p", "version": "1",
        "sends": {"in": "edit{enter}", "out": "leave{enter}", "commit": "commit{enter}", "drop": "drop{enter}"},
        "transition": [{"from": "boss", "to": "config", "send": "in"}, {"from": "config", "to": "boss", "send": "out"}],
        "candidate": [{"mode": "config", "commit": "commit", "confirm": "commit", "discard": "drop"}]});
    let manifest: Manifest = serde_json::from_value(table).unwrap();
    let modes = Modes::of("t", [("p", &manifest)]);
    for (lines, stops_at, typed, candidate) in [
        (vec![], None, vec!["edit", "confirm", "leave"], None),
        (vec![], Some("confirm"), vec!["edit", "leave"], None),
        (vec!["a"], None, vec!["edit", "a", "confirm", "discard", "leave"], Some(DISCARDED)),
    ] {
        let mut journey = journey(&modes, "boss", "config", Some(Keep::Confirm), &lines);
        let mut device = device(&modes, "boss", &[("confirm", "config", Some("nothing to confirm"))]);
        device.stops_at = stops_at;
        assert_eq!(device.play(&mut journey), typed);
        let outcome = journey.outcome();
        let why = stops_at.is_none().then_some("the commit could not be confirmed: nothing to confirm");
        assert_eq!((outcome.sentence().as_deref(), outcome.candidate), (why, candidate), "{outcome:?}");
    }
}

#[test]
fn a_candidate_that_is_not_thrown_away_is_pending() {
    let modes = modes(true);
    let mut journey = journey(&modes, "boss", "config", None, &["a"]);
    device(&modes, "boss", &[("discard", "config", Some("no such command"))]).play(&mut journey);
    let outcome = journey.outcome();
    let sentence = outcome.sentence();
    assert_eq!((sentence.as_deref(), outcome.candidate), (Some("the changes could not be discarded: no such command"), Some(PENDING)));
}

#[test]
fn an_act_that_leaves_the_mode_needs_no_way_back() {
    let modes = modes(true);
    let mut journey = journey(&modes, "boss", "config", None, &["a"]);
    assert_eq!(device(&modes, "boss", &[("discard", "boss", None)]).play(&mut journey), ["edit", "a", "diff", "check", "discard"]);
    assert!(journey.outcome().warnings.is_empty());
}

#[test]
fn levels_are_left_one_at_a_time_but_not_for_ever() {
    let modes = modes(false);
    let mut journey = journey(&modes, "boss", "config", None, &["a"]);
    let mut stuck = device(&modes, "boss", &[("leave", "config", None)]);
    let typed = stuck.play(&mut journey);
    assert_eq!(typed.iter().filter(|line| *line == "leave").count(), LEVELS_MAX);
    assert_eq!(journey.outcome().warnings, ["the session stays in mode `config`: the way back to `boss` did not work"]);
}

#[test]
fn lines_that_lead_anywhere_stop_where_a_way_did_not_lead_to_its_mode() {
    let modes = modes(false);
    let mut journey = Journey::new(Route::free("boss"), approved(&["edit", "shutdown"]));
    let typed = device(&modes, "boss", &[("edit", "boss", None)]).play(&mut journey);
    assert_eq!(typed, ["edit"]);
    let sentence = journey.outcome().sentence().unwrap();
    assert_eq!(sentence, "line 1 of 2, `edit`: it did not lead to mode `config`, the device is in mode `boss`");
    let mut journey = Journey::new(Route::free("boss"), approved(&["bad", "edit", "a"]));
    let typed = device(&modes, "boss", &[("bad", "boss", Some("no such command"))]).play(&mut journey);
    assert_eq!(typed, ["bad", "edit", "a"], "others go on behind a refused line, and stay where they led");
    assert_eq!(journey.outcome().errors.len(), 1);
}

#[test]
fn what_cannot_be_is_told_with_what_can() {
    let (plain, candidate) = (modes(false), modes(true));
    let why = |modes: &Modes, home: &str, name: &str, keep| Route::to(modes, home, name, keep).unwrap_err();
    assert_eq!(why(&plain, "user", "cofig", None), "there is no mode `cofig` here; modes: boss, config, user");
    assert_eq!(why(&plain, "boot", "config", None), "the session is in mode `boot`, and no way is known from there to `config`");
    assert!(why(&plain, "user", "config", Some(Keep::Now)).contains("no candidate configuration"));
    assert_eq!(why(&candidate, "user", "config", Some(Keep::Confirmed)), "this device type has no `commit=confirmed`; it has: check, now");
}

#[test]
fn a_lost_line_ends_it() {
    let modes = modes(true);
    let mut journey = journey(&modes, "boss", "config", Some(Keep::Now), &["a"]);
    journey.next(&modes, "boss");
    journey.on_ended(&modes, Ended { state: Some(State::Lost), ..Ended::default() });
    assert_eq!(journey.next(&modes, ""), None);
    assert!(journey.outcome().lost);
}

/// What a journey is at when its time runs out, what it types then, and what becomes of the candidate.
#[test]
fn when_the_time_is_over_only_what_clears_away_is_typed() {
    let modes = modes(true);
    for (stops_at, typed, candidate) in [
        ("edit", vec![], None),
        ("a", vec!["edit", "discard", "leave"], Some(DISCARDED)),
        ("b", vec!["edit", "a", "discard", "leave"], Some(DISCARDED)),
        ("diff", vec!["edit", "a", "b", "discard", "leave"], Some(DISCARDED)),
        ("commit", vec!["edit", "a", "b", "diff", "discard", "leave"], Some(DISCARDED)),
        ("leave", vec!["edit", "a", "b", "diff", "commit", "leave"], Some("committed")),
    ] {
        let mut journey = journey(&modes, "boss", "config", Some(Keep::Now), &["a", "b"]);
        let mut device = device(&modes, "boss", &[]);
        device.stops_at = Some(stops_at);
        assert_eq!(device.play(&mut journey), typed, "{stops_at}");
        let outcome = journey.outcome();
        assert_eq!((outcome.candidate, outcome.interrupted), (candidate, stops_at != "leave"), "{stops_at}: {outcome:?}");
        let untyped = ["0 of 2 lines were typed, the rest was not", "1 of 2 lines were typed, the rest was not"];
        let untyped = ["a", "b"].iter().position(|line| *line == stops_at).map(|at| untyped[at]);
        assert_eq!(outcome.warnings.first().map(String::as_str), untyped, "{stops_at}");
    }
}

#[test]
fn a_line_that_commits_by_itself_is_refused() {
    let candidate = modes(true);
    let route = Route::to(&candidate, "user", "config", None).unwrap();
    for line in ["commit", "  commit confirmed 3", "comm", "commit-confirm 5", "commit and-quit"] {
        let why = route.check_line("commit", line).unwrap_err();
        assert!(why.contains(&format!("leave `{}` out", line.trim())) && why.contains("now"), "{why}");
    }
    for line in ["set system commit", "comment x", "co", "", "show"] {
        route.check_line("commit", line).unwrap();
    }
    let plain = modes(false);
    Route::to(&plain, "user", "config", None).unwrap().check_line("commit", "commit").unwrap();
}

#[test]
fn what_a_stopped_commit_has_done_is_not_known() {
    let modes = modes(true);
    for (line, state, typed, candidate) in [
        ("diff", State::Interrupted, vec!["edit", "a", "diff", "discard", "leave"], Some(DISCARDED)),
        ("commit", State::Interrupted, vec!["edit", "a", "diff", "commit", "discard", "leave"], Some(UNKNOWN)),
        ("commit", State::Lost, vec!["edit", "a", "diff", "commit"], Some(UNKNOWN)),
    ] {
        let mut journey = journey(&modes, "boss", "config", Some(Keep::Now), &["a"]);
        let mut device = device(&modes, "boss", &[]);
        device.cut_at = Some((line, state));
        assert_eq!((device.play(&mut journey), journey.outcome().candidate), (typed.iter().map(ToString::to_string).collect(), candidate));
    }
}

/// A person's stop is obeyed at once; what is left as it is, is told.
#[test]
fn behind_a_persons_stop_nothing_is_typed() {
    let modes = modes(true);
    let mut journey = journey(&modes, "boss", "config", Some(Keep::Now), &["a", "b"]);
    let mut device = device(&modes, "boss", &[]);
    device.ends_behind = Some("a");
    assert_eq!(device.play(&mut journey), ["edit", "a"]);
    journey.stop(&device.mode, "anna has stopped it");
    assert_eq!(journey.next(&modes, "config"), None);
    let outcome = journey.outcome();
    assert!(outcome.interrupted);
    assert_eq!(outcome.candidate, Some(PENDING));
    let told = [
        "anna has stopped it",
        "1 of 2 lines were typed, the rest was not",
        "the session stays in mode `config`: the way back was not typed either",
    ];
    assert_eq!(outcome.warnings, told);
}
