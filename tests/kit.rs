//! The bundled plugins pass the kit that vendors' plugins must pass, and the kit finds what is wrong.

use std::path::Path;

use jackfield::kit::{self, Report, State, Wanted};
use jackfield::plugin::catalog::BUNDLED;
use jackfield::plugin::load::Source;
use serde_json::json;

/// Fewer than a vendor's: the recordings have a story of their own, and the views take a minute in all.
const VIEWS: u32 = 3_000;
const CUTS: u64 = 4;

fn wanted() -> Wanted {
    Wanted {
        source: Source::Embedded(&[]),
        settings: serde_json::Map::new(),
        max_parts: None,
        max_file_bytes: None,
        recordings: None,
        conformance: true,
        bench: false,
        fuel: false,
        views: VIEWS,
        seed: 7,
        cuts: CUTS,
    }
}

/// Its report; the best of some where only the time is wrong that calls take: the machine may be busy.
fn conformance(wasm: &'static [u8]) -> Report {
    let recordings = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings");
    let report = || kit::run(&Wanted { source: Source::Embedded(wasm), recordings: Some(recordings()), ..wanted() }).unwrap();
    let mut last = report();
    for _ in 0..2 {
        if states(&last, State::Failed) != ["times"] {
            break;
        }
        last = report();
    }
    last
}

fn states(report: &Report, state: State) -> Vec<&'static str> {
    report.checks.iter().filter(|check| check.state == state).map(|check| check.name).collect()
}

#[test]
fn the_bundled_plugins_conform() {
    let mut wrong = Vec::new();
    for (name, wasm) in BUNDLED {
        let report = conformance(wasm);
        for check in report.checks.iter().filter(|check| check.state == State::Failed) {
            wrong.push(format!("{name}, {}: {}", check.name, check.problems.join("\n  ")));
        }
        assert!(report.checks.len() >= 9, "{name}: {:?}", report.checks);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_plugin_with_dialogs_is_tried_in_all_of_them() {
    let (_, wasm) = BUNDLED.iter().find(|(name, _)| *name == "cisco-enable").unwrap();
    let report = conformance(wasm);
    assert_eq!(states(&report, State::NotTested), Vec::<&str>::new());
}

/// One from a site whose type has a plugin of its own.
#[test]
fn a_recording_with_settings_of_a_plugin_that_is_not_here_is_left_out() {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings/switch-lab.rec");
    let lab = std::fs::read_to_string(lab).unwrap();
    let site = lab.replace("settings guard {", "settings site-rules {\"deny\":\"^reload\"}\nsettings guard {");
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("lab.rec", &lab), ("site.rec", &site)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let (_, wasm) = BUNDLED.iter().find(|(name, _)| *name == "cisco-enable").unwrap();
    let wanted = Wanted { source: Source::Embedded(wasm), recordings: Some(folder.path().to_owned()), conformance: false, ..wanted() };
    let report = kit::run(&wanted).unwrap();
    assert_eq!(report.left_out, ["site.rec (it has settings of `site-rules`, which is no bundled plugin)"]);
    assert_eq!(states(&report, State::Passed), ["recordings"]);
}

/// What a secret is called is text of somebody else, and a recording is played by whoever got it.
#[test]
fn the_name_of_a_secret_leads_to_no_file() {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings/switch-lab.rec");
    let folder = tempfile::tempdir().unwrap();
    let (file, outside) = (folder.path().join("lab.rec"), folder.path().join("outside"));
    let lab = std::fs::read_to_string(lab).unwrap().replace("* enable ", &format!("* {} ", outside.display()));
    assert!(lab.contains("/outside "), "{lab}");
    std::fs::write(&file, lab).unwrap();
    let (_, wasm) = BUNDLED.iter().find(|(name, _)| *name == "cisco-enable").unwrap();
    let wanted = Wanted { source: Source::Embedded(wasm), recordings: Some(file), conformance: false, ..wanted() };
    let report = kit::run(&wanted).unwrap();
    assert_eq!(states(&report, State::Failed), ["recordings"]);
    assert!(!outside.exists(), "{:?}", std::fs::read_to_string(outside));
}

/// What a recording lacks is told, not that there is none.
#[test]
fn what_no_recording_shows_is_not_tested_and_it_is_said_why() {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings/switch-lab.rec");
    let lab = std::fs::read_to_string(lab).unwrap();
    let (enable, _) = lab.split_once("\n! run show version").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("enable.rec");
    std::fs::write(&file, enable).unwrap();
    let (_, wasm) = BUNDLED.iter().find(|(name, _)| *name == "cisco-enable").unwrap();
    let wanted = Wanted { source: Source::Embedded(wasm), recordings: Some(file), ..wanted() };
    let report = kit::run(&wanted).unwrap();
    assert!(states(&report, State::Passed).contains(&"recordings"), "{:?}", report.checks);
    let hostile = report.checks.iter().find(|check| check.name == "hostile output").unwrap();
    assert_eq!((hostile.state, hostile.about.split(',').next()), (State::NotTested, Some("no recording has a command that ends well")));
}

/// A file that was cut in the middle looks like a session in which all went well as far as it goes.
#[test]
fn a_recording_that_was_cut_off_does_not_pass() {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings/switch-lab.rec");
    let lab = std::fs::read_to_string(lab).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.rec");
    let (_, wasm) = BUNDLED.iter().find(|(name, _)| *name == "cisco-enable").unwrap();
    let test = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let recordings = Some(file.clone());
        kit::run(&Wanted { source: Source::Embedded(wasm), recordings, conformance: false, ..wanted() })
    };
    let cut = |at: &str| lab.split_once(at).unwrap().0;
    let told = test(cut("< ROM: Bootstrap")).unwrap_err();
    assert!(told.contains("cut.rec") && told.contains("`! run show version` has no `=` behind it"), "{told}");
    // Nothing was asked there: then the login is what is tried.
    assert_eq!(states(&test(cut("\n! run enable")).unwrap(), State::Passed), ["recordings"]);
    for at in ["> terminal width", "< lab-sw1>"] {
        assert_eq!(states(&test(cut(at)).unwrap(), State::Failed), ["recordings"], "{at}");
    }
}

/// A plugin that does what is forbidden is found by the check that forbids it.
#[test]
fn what_is_wrong_is_found() {
    let faulty = || Source::File(Path::new(env!("JACKFIELD_PLUGIN_FOLDER")).join("faulty.wasm"));
    for (fault, role, found) in [
        ("trap", "policy", "random views"),
        ("loop", "prompt", "random views"),
        ("memory", "prompt", "memory"),
        ("big-memo", "prompt", "random views"),
        ("long-mode", "prompt", "random views"),
        ("no-send", "prompt", "random views"),
        // Whatever the row is: without a fault it is careless enough.
        ("none", "prompt", "false prompts"),
    ] {
        let settings = json!({"fault": fault, "role": role}).as_object().unwrap().clone();
        let wanted = Wanted { source: faulty(), settings, views: 40, ..wanted() };
        let report = kit::run(&wanted).unwrap();
        assert!(states(&report, State::Failed).contains(&found), "{fault}: {:?}", report.checks);
    }
}

/// A check without a case says nothing good of a plugin.
#[test]
fn what_was_not_tried_has_not_passed() {
    let report = |fault: &str, views: u32| {
        let source = Source::File(Path::new(env!("JACKFIELD_PLUGIN_FOLDER")).join("faulty.wasm"));
        let settings = json!({"fault": fault, "role": "policy"}).as_object().unwrap().clone();
        kit::run(&Wanted { source, settings, views, ..wanted() }).unwrap()
    };
    let untried = report("none", 0);
    let untested = states(&untried, State::NotTested);
    assert!(["random views", "purity", "times", "memory"].iter().all(|name| untested.contains(name)), "{:?}", untried.checks);
    // Whatever it is asked, it traps.
    let trapped = report("trap", 40);
    assert!(states(&trapped, State::NotTested).contains(&"purity"), "{:?}", trapped.checks);
}

/// The kit's clock jumps over whatever is waited for, so a sleep would look like a short call.
#[test]
fn a_plugin_that_waits_fails_as_in_a_session() {
    let source = Source::File(Path::new(env!("JACKFIELD_PLUGIN_FOLDER")).join("hostile.wasm"));
    let settings = json!({"attack": "sleep", "at": "decide"}).as_object().unwrap().clone();
    let report = kit::run(&Wanted { source, settings, views: 40, ..wanted() }).unwrap();
    let views = report.checks.iter().find(|check| check.name == "random views").unwrap();
    assert!(views.state == State::Failed, "{:?}", report.checks);
    let told = views.problems.iter().any(|problem| problem.contains("`policy.decide`") && problem.contains("it waits for time to pass"));
    assert!(told, "{:?}", views.problems);
}
