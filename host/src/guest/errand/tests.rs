//! Commands of people in a shell of this machine.

use std::path::Path;

use super::*;
use crate::config::Config;
use crate::limits::LOOK_EVERY;
use crate::startup;

const HERE: &str = "[device.here]\nlocal = true\ntype = \"linux\"\n[policy]\nmode = \"full\"\n";

fn directory() -> Arc<Directory> {
    directory_of(HERE)
}

fn directory_of(config: &str) -> Arc<Directory> {
    let config = Config::parse(config, Path::new("jackfield.toml"), None).unwrap();
    let catalog = startup::catalog(&config).unwrap();
    Arc::new(Directory::new(config, catalog, None))
}

fn wanted(session: &str, command: &str, by: &str) -> Run {
    let (session, command, by) = (session.to_owned(), command.to_owned(), Author::person(by));
    Run { session, command, kill_after_s: None, mode: None, commit: None, reason: String::new(), by }
}

/// What is told of a command: its output, and its end.
async fn told(directory: &Arc<Directory>, session: &str, command: &str, kill_after_s: Option<u64>) -> (String, Tell) {
    let (say, mut hear) = mpsc::channel(16);
    let wanted = Run { kill_after_s, ..wanted(session, command, "anna") };
    tokio::spawn(run(Arc::clone(directory), wanted, say));
    let mut output = String::new();
    loop {
        match hear.recv().await.unwrap() {
            Tell::Text { text } => output.push_str(&text),
            end => return (output, end),
        }
    }
}

fn finished(told: Tell) -> RunReport {
    match told {
        Tell::Finished { report } => report,
        other => panic!("{other:?}"),
    }
}

fn why(told: Tell) -> String {
    match told {
        Tell::Refused { why } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_comes_behind_a_question_is_told_at_once() {
    let directory = directory();
    let asked = finished(told(&directory, "here", "read -p 'Sure? [y/n] ' x", None).await.1);
    assert_eq!((asked.state.as_str(), asked.ask.as_deref()), ("needs_input", Some("Sure? [y/n]")));
    let second = timeout(Duration::from_secs(50), told(&directory, "here", "true", None));
    let why = why(second.await.expect("it waits").1);
    assert!(why.contains("asks `Sure? [y/n]` and waits; nothing was run") && why.contains("`jackfield attach here`"), "{why}");
    directory.shut_down().await;
}

#[tokio::test]
async fn a_turn_is_waited_for_no_longer_than_the_command_may_run() {
    let directory = directory();
    let (say, _hear) = mpsc::channel(16);
    tokio::spawn(run(Arc::clone(&directory), wanted("here", "sleep 5713", "bob"), say));
    let id = SessionId::parse("here");
    while directory.find(&id).and_then(|handle| handle.commons.activity().running).is_none() {
        sleep(LOOK_EVERY).await;
    }
    let why = why(told(&directory, "here", "true", Some(1)).await.1);
    assert!(why.contains("of person bob still runs; nothing was run") && why.contains("`here#2` is another session"), "{why}");
    directory.shut_down().await;
}

#[tokio::test]
async fn the_end_of_a_command_is_told_when_it_ends() {
    let directory = directory();
    told(&directory, "here", "true", None).await;
    let mut shortest = Duration::MAX;
    for _ in 0..50 {
        // It does not end before it is looked at for the first time.
        let begun = Instant::now();
        assert_eq!(finished(told(&directory, "here", "sleep 0.01", None).await.1).state, "done");
        shortest = shortest.min(begun.elapsed());
        if shortest < LOOK_EVERY {
            break;
        }
    }
    assert!(shortest < LOOK_EVERY, "{shortest:?}");
    directory.shut_down().await;
}

/// dash has no line editor: lines are typed one by one, with a prompt and an echo between their outputs.
#[tokio::test]
async fn of_several_lines_the_outputs_are_told_and_nothing_else() {
    for kind in ["linux", "generic"] {
        let directory = directory_of(&HERE.replace("linux", kind));
        told(&directory, "here", "exec dash", None).await;
        let (output, end) = told(&directory, "here", "echo 1\nsleep 1\necho 2\nsleep 1; echo 3", None).await;
        let report = finished(end);
        assert_eq!((output.as_str(), report.state.as_str()), ("1\n2\n3\n", "done"), "{kind}: {report:?}");
        directory.shut_down().await;
    }
}

#[test]
fn what_has_changed_since_it_was_told_is_told_again() {
    for (said, text, expected) in [
        ("", "a\n", "a\n"),
        ("a\n", "a\nb\n", "b\n"),
        ("a\n", "a\n", ""),
        ("a", "ab\nc", "b\nc"),
        ("a\n$ sleep 1\n", "a\nb\n", "b\n"),
        ("a\ncontext\n", "a\n", ""),
        ("echo a\na\n", "a\nb\n", "a\nb\n"),
        ("a\nbc\n", "a\nä\n", "ä\n"),
    ] {
        assert_eq!(untold(said, text), expected, "{said:?} {text:?}");
    }
}

/// Who goes in the moment in which their command begins leaves nothing behind that runs: it is not begun, or given, or stopped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_runs_on_for_who_has_gone_while_it_began() {
    let directory = directory();
    told(&directory, "here", "true", None).await;
    let handle = directory.find(&SessionId::parse("here")).unwrap();
    for after in (0..40).map(|step| Duration::from_micros(15 * step)) {
        let begun = Instant::now();
        let gone = async {
            while begun.elapsed() < after {
                tokio::task::yield_now().await;
            }
            "gone".to_owned()
        };
        let request = RunRequest::new("sleep 5719", Purpose::Run, "person anna");
        if let Ok(accepted) = handle.run_unless(request, gone).await {
            stop(&handle, accepted.id).await;
        }
        // What is asked now comes behind what was begun.
        let last = handle.run(RunRequest::new("true", Purpose::Run, "person anna"), Duration::from_secs(20)).await;
        let mut state = last.unwrap_or_else(|why| panic!("{after:?}: it still runs: {why:?}")).state;
        state.wait_for(|state| state.is_over()).await.unwrap();
    }
    directory.shut_down().await;
}

#[tokio::test]
async fn for_who_has_gone_while_it_connected_nothing_is_run() {
    let directory = directory();
    let (say, hear) = mpsc::channel(16);
    drop(hear);
    run(Arc::clone(&directory), wanted("here", "sleep 5721", "anna"), say).await;
    let handle = directory.find(&SessionId::parse("here")).unwrap();
    let log = handle.report(OutputQuery { offset: Some(0), max_chars: OUTPUT_MAX_CHARS, ..OutputQuery::default() }).await.unwrap();
    assert!(handle.commons.activity().running.is_none() && !log.output.contains("5721"), "{}", log.output);
    directory.shut_down().await;
}

#[tokio::test]
async fn what_was_stopped_or_lost_says_so() {
    let directory = directory();
    let (output, end) = told(&directory, "here", "echo part; sleep 5713", Some(5)).await;
    let report = finished(end);
    assert!(output.starts_with("part\n") && report.state == "interrupted" && report.timed_out, "{output:?} {report:?}");
    let (output, end) = told(&directory, "here", "echo part; kill -9 $$", None).await;
    let report = finished(end);
    assert_eq!((output.as_str(), report.state.as_str(), report.failed), ("part\n", "lost", true), "{report:?}");
    let failure = report.failure.unwrap();
    assert!(failure.starts_with("the line ended while it ran: "), "{failure}");
    let why = why(told(&directory, "hre", "true", None).await.1);
    assert_eq!(why, "there is no device `hre`; did you mean `here`? `jackfield devices` lists them");
    directory.shut_down().await;
}

#[tokio::test]
async fn a_word_that_says_nothing_of_a_candidate_configuration_is_refused_before_anything_is_opened() {
    let directory = directory();
    let (say, mut hear) = mpsc::channel(16);
    let commit = Run { commit: Some("later".to_owned()), ..wanted("here", "true", "anna") };
    run(Arc::clone(&directory), commit, say).await;
    let why = why(hear.recv().await.unwrap());
    assert!(why.contains("`later`") && why.contains("check, now, confirmed or confirm"), "{why}");
    assert!(directory.list().is_empty());
    directory.shut_down().await;
}
