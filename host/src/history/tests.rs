//! The history on real files: what survives, what is masked, what goes.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use super::query::{Cursor, Entry, Query};
use super::run::Run;
use super::store::{self, Store};
use super::*;
use crate::ids::{CommandId, SessionId};
use crate::instant;
use crate::limits::{HISTORY_AGE_MAX, HISTORY_COMMAND_MAX_BYTES};
use crate::plugin::roles::{Decision, Effect};
use crate::policy::Verdict;
use crate::secret::Secret;
use crate::secret::prints::Prints;
use crate::session::journal::{Asked, Ended, Note, State};

fn asked(at: SystemTime, target: &str, text: &str) -> Asked {
    let rule = "a.rule".to_owned();
    let (who, session) = ("Tester".to_owned(), SessionId::parse(target));
    Asked { at, who, session, text: text.to_owned(), why: String::new(), decision: "allow", rule }
}

fn begun(text: &str) -> (CommandId, Note) {
    let id = CommandId::next();
    (id, Note::Begun(id, asked(SystemTime::now(), "web1", text)))
}

fn ended(id: CommandId) -> Note {
    Note::Ended(id, Ended { state: State::Done, exit_code: Some(3), failed: true, duration: Duration::from_millis(1250), output_bytes: 7 })
}

fn write(store: &mut Store, notes: &[Note]) {
    store.write(notes, &Prints::default()).unwrap();
}

fn all(folder: &Path) -> Page {
    store::read(folder, &Query { limit: 10_000, ..Query::default() }).unwrap()
}

fn states(folder: &Path) -> Vec<String> {
    all(folder).entries.into_iter().map(|entry| entry.state).collect()
}

fn verdict() -> Verdict {
    Verdict::of(Decision { effect: Effect::Allow, rule: "a.rule".to_owned(), reason: String::new() })
}

fn has_no(folder: &Path, secret: &str) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).unwrap();
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", entry.path().display());
        }
    }
}

#[test]
fn what_was_written_is_read_back_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), "aa").unwrap();
    let (id, note) = begun("echo one");
    write(&mut store, &[note, ended(id)]);
    write(&mut store, &[Note::Refused(State::Denied, asked(SystemTime::now(), "sw1#2", "reload"))]);
    let page = all(folder.path());
    let [denied, done] = page.entries.as_slice() else { panic!("{page:?}") };
    assert_eq!((denied.state.as_str(), denied.target.as_str(), denied.session.as_str()), ("denied", "sw1", "sw1#2"));
    assert_eq!((denied.command_id.as_ref(), denied.duration_ms), (None, None));
    assert_eq!((done.state.as_str(), done.exit_code, done.failed, done.duration_ms), ("done", Some(3), true, Some(1250)));
    assert_eq!((done.command_id.clone(), done.output_bytes, done.run.as_str()), (Some(id.to_string()), Some(7), "aa"));
    assert_eq!(page.total, 2);
}

#[test]
fn a_filter_is_a_part_of_the_command_the_target_or_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), "aa").unwrap();
    let old = SystemTime::now() - Duration::from_secs(3600);
    let refused = |at, target: &str, text: &str| Note::Refused(State::Denied, asked(at, target, text));
    write(&mut store, &[refused(old, "web1", "echo 100%"), refused(SystemTime::now(), "web1#2", "LS _a"), refused(old, "sw1", "show")]);
    let count = |query: Query| store::read(folder.path(), &query).unwrap().total;
    let text = |text: &str| count(Query { text: text.to_owned(), ..Query::default() });
    assert_eq!((text("ls"), text("0%"), text("%"), text("_"), text("SW1"), text("tester"), text("none")), (1, 1, 1, 1, 1, 3, 0));
    let target = |target: &str| count(Query { target: Some(target.to_owned()), ..Query::default() });
    assert_eq!((target("web1"), target("web1#2"), target("web")), (2, 1, 0));
    let since_ms = Some(instant::parse("10m", instant::millis(SystemTime::now())).unwrap());
    assert_eq!(count(Query { since_ms, ..Query::default() }), 1);
}

#[test]
fn pages_stay_where_they_are_while_others_write_and_prune() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), "aa").unwrap();
    let at = SystemTime::now();
    // Some of the same instant.
    for number in 0..50_u64 {
        let at = at + Duration::from_millis(number / 10);
        write(&mut store, &[Note::Refused(State::Denied, asked(at, "web1", &format!("command {number}")))]);
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = store::read(folder.path(), &Query { limit: 7, after, ..Query::default() }).unwrap();
        seen.extend(page.entries.into_iter().map(|entry| entry.command));
        let later = SystemTime::now() + Duration::from_secs(60);
        write(&mut store, &[Note::Refused(State::Denied, asked(later, "web1", "later"))]);
        let Some(next) = page.next else { break };
        after = Some(next.to_string().parse::<Cursor>().unwrap());
    }
    assert_eq!(seen, (0..50).rev().map(|number| format!("command {number}")).collect::<Vec<_>>());
    for wrong in ["", "5", "a-b", "1-2-3"] {
        assert_eq!(wrong.parse::<Cursor>(), Err(()), "{wrong}");
    }
}

#[test]
fn what_is_old_or_too_much_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), "aa").unwrap();
    let now = SystemTime::now();
    let old = now - HISTORY_AGE_MAX - Duration::from_secs(1);
    for (at, text) in [(old, "old"), (now, "one"), (now, "two"), (now, "three")] {
        write(&mut store, &[Note::Refused(State::Denied, asked(at, "web1", text))]);
    }
    drop(store);
    let mut store = Store::open(folder.path(), "bb").unwrap();
    assert_eq!(all(folder.path()).total, 3);
    store.prune_to(2).unwrap();
    let left: Vec<String> = all(folder.path()).entries.into_iter().map(|entry| entry.command).collect();
    assert_eq!(left, ["three", "two"]);
}

#[test]
fn only_what_gone_processes_left_running_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let living = Run::claim(folder.path(), "aa").unwrap();
    let mut store = Store::open(folder.path(), "aa").unwrap();
    write(&mut store, &[begun("sleep 600").1]);
    drop(store);
    drop(Store::open(folder.path(), "bb").unwrap());
    assert_eq!(states(folder.path()), ["running"]);
    drop(living);
    drop(Store::open(folder.path(), "bb").unwrap());
    assert_eq!(states(folder.path()), ["lost"]);
    // One that left its file but no lock, as a crash does.
    std::fs::write(folder.path().join("runs/cc"), "").unwrap();
    write(&mut Store::open(folder.path(), "cc").unwrap(), &[begun("sleep 600").1]);
    drop(Store::open(folder.path(), "dd").unwrap());
    assert_eq!(states(folder.path()), ["lost", "lost"]);
    assert!(!folder.path().join("runs/cc").exists());
}

#[test]
fn a_long_command_is_cut_at_a_character_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), "aa").unwrap();
    let long = format!("{}é tail", "x".repeat(HISTORY_COMMAND_MAX_BYTES - 1));
    write(&mut store, &[begun(&long).1, begun("a\n\u{1b}[2Jb").1]);
    let page = all(folder.path());
    let [escaped, cut] = page.entries.as_slice() else { panic!("{page:?}") };
    assert_eq!((cut.command.len(), cut.command_bytes, cut.is_cut()), (HISTORY_COMMAND_MAX_BYTES - 1, long.len() as u64, true));
    assert!(cut.line().ends_with("..."));
    assert_eq!(escaped.line(), "a\\n\\u{1b}[2Jb");
}

#[test]
fn a_line_hides_and_turns_nothing() {
    let entry = |command: &str| Entry { command: command.to_owned(), command_bytes: command.len() as u64, ..Entry::default() };
    assert_eq!(entry("rm \u{202e}txt.a\u{200b}").line(), "rm \\u{202e}txt.a\\u{200b}");
    assert_eq!(entry("grün → ok\t\u{85}").line(), "grün → ok\\t\\u{85}");
}

#[test]
fn files_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("jackfield");
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o755)).unwrap();
    let _run = Run::claim(&state, "aa").unwrap();
    let mut store = Store::open(&state, "aa").unwrap();
    write(&mut store, &[begun("true").1]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join("runs")), mode(&state.join("runs/aa"))), (0o700, 0o700, 0o600));
    for name in ["history.sqlite", "history.sqlite-wal", "history.sqlite-shm"] {
        assert_eq!(mode(&state.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_secret_is_masked_also_in_what_was_written_before_it_was_known() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::start(folder.path().to_owned()).unwrap();
    let journal = history.journal();
    let session = SessionId::main("web1");
    let run = |text: &str| journal.begun(CommandId::next(), &session, "hunter2", text, &verdict());
    run("echo swordfish before");
    assert_eq!(history.read(Query::default()).await.unwrap().total, 1);
    journal.learn("login", &Secret::from_bytes(b"swordfish".to_vec()));
    journal.learn("enable", &Secret::from_bytes(b"hunter2".to_vec()));
    let padding = "x".repeat(HISTORY_COMMAND_MAX_BYTES - 4);
    run(&format!("{padding}swordfish"));
    let page = history.read(Query::default()).await.unwrap();
    let [after, before] = page.entries.as_slice() else { panic!("{page:?}") };
    assert_eq!(before.command, "echo [secret:login] before");
    // One that is learned later is looked for alone, in all that is there.
    journal.learn("later", &Secret::from_bytes(b"echo".to_vec()));
    assert_eq!(history.read(Query::default()).await.unwrap().entries[1].command, "[secret:later] [secret:login] before");
    assert_eq!(after.command, format!("{padding}[sec"));
    assert_eq!(after.who, "[secret:enable]");
    has_no(folder.path(), "swordfish");
    history.finish().await;
    has_no(folder.path(), "swordfish");
    assert_eq!(states(folder.path()), ["lost", "lost"], "the process has ended");
}

#[test]
fn a_reason_is_kept_also_in_a_file_of_before_that_has_no_place_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), "aa").unwrap();
    write(&mut store, &[begun("old").1]);
    drop(store);
    let file = rusqlite::Connection::open(folder.path().join("history.sqlite")).unwrap();
    file.execute_batch("ALTER TABLE entries DROP COLUMN why").unwrap();
    drop(file);
    let mut store = Store::open(folder.path(), "aa").unwrap();
    let asked = Asked { why: "swordfish smells".to_owned(), ..asked(SystemTime::now(), "web1", "new") };
    write(&mut store, &[Note::Begun(CommandId::next(), asked)]);
    let mut masks = Prints::default();
    masks.learn("login", &Secret::from_bytes(b"swordfish".to_vec()));
    assert!(store.mask_again(&masks).unwrap());
    let reasons: Vec<(String, String)> = all(folder.path()).entries.into_iter().map(|entry| (entry.command, entry.why)).collect();
    let words = |command: &str, why: &str| (command.to_owned(), why.to_owned());
    assert_eq!(reasons, [words("new", "[secret:login] smells"), words("old", "")]);
}

#[tokio::test]
async fn a_secret_leaves_the_log_of_changes_once_nobody_reads_what_was_before() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::start(folder.path().to_owned()).unwrap();
    let journal = history.journal();
    let (session, patience) = (SessionId::main("web1"), Duration::from_secs(60));
    let run = |text: &str| journal.begun(CommandId::next(), &session, "tester", text, &verdict());
    run("echo swordfish");
    journal.flush(patience).await;
    let reader = rusqlite::Connection::open(folder.path().join("history.sqlite")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let seen: i64 = reader.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).unwrap();
    journal.learn("login", &Secret::from_bytes(b"swordfish".to_vec()));
    run("true");
    journal.flush(patience).await;
    let log = std::fs::metadata(folder.path().join("history.sqlite-wal")).unwrap().len();
    assert!(seen == 1 && log > 0, "{seen} {log}");
    drop(reader);
    run("true");
    journal.flush(patience).await;
    has_no(folder.path(), "swordfish");
    assert_eq!(history.health().unwrap().trouble(), None);
    history.finish().await;
}

#[tokio::test]
async fn a_file_that_is_moved_away_or_removed_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("jackfield");
    let history = History::start(state.clone()).unwrap();
    let runs = async |text: &str| {
        history.journal().begun(CommandId::next(), &SessionId::main("web1"), "test", text, &verdict());
        let page = history.read(Query::default()).await.unwrap();
        page.entries.into_iter().map(|entry| entry.command).collect::<Vec<_>>()
    };
    assert_eq!(runs("one").await, ["one"]);
    std::fs::rename(store::path(&state), state.join("old.sqlite")).unwrap();
    assert_eq!(runs("two").await, ["two"]);
    assert_eq!(runs("three").await, ["three", "two"]);
    std::fs::remove_dir_all(&state).unwrap();
    assert_eq!(runs("four").await, ["four"]);
    drop(Store::open(&state, "bb").unwrap());
    assert_eq!(states(&state), ["running"], "others know that this process lives");
    let health = history.health().unwrap();
    assert_eq!((health.dropped(), health.trouble()), (0, None));
    history.finish().await;
}

#[tokio::test]
async fn a_broken_disk_is_told_once_and_commands_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jackfield");
    std::fs::write(&file, "in the way").unwrap();
    let history = History::start(file.clone()).unwrap();
    history.journal().begun(CommandId::next(), &SessionId::main("web1"), "test", "true", &verdict());
    history.journal().flush(HISTORY_FLUSH_MAX).await;
    let health = history.health().unwrap();
    assert_eq!(health.dropped(), 1);
    assert!(health.trouble().unwrap().contains("jackfield"), "{:?}", health.trouble());
}

#[test]
fn what_is_no_history_is_told_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("history.sqlite"), "x".repeat(5000)).unwrap();
    let error = Store::open(folder.path(), "aa").unwrap_err().to_string();
    assert!(error.contains("history.sqlite") && error.contains("move the file away"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path(), "aa").unwrap());
    let connection = rusqlite::Connection::open(folder.path().join("history.sqlite")).unwrap();
    connection.execute_batch("PRAGMA user_version = 7").unwrap();
    let error = read(folder.path(), &Query::default()).unwrap_err().to_string();
    assert!(error.contains("newer jackfield (format 7"), "{error}");
}

#[test]
fn a_file_in_which_nothing_is_wrong_is_not_to_be_moved_away() {
    let told = |code: std::ffi::c_int| {
        let cause = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        HistoryError::Database { path: PathBuf::from("/state/history.sqlite"), cause }.to_string()
    };
    let cases = [(5, "`fuser -v /state/history.sqlite` names it"), (13, "free space there"), (8, "can be written"), (10, "its disk")];
    for (code, next) in cases {
        let told = told(code);
        assert!(told.contains(next) && !told.contains("move the file away"), "{told}");
    }
    assert!([11, 26].iter().all(|code| told(*code).ends_with("move the file away to start a new history")));
}

#[test]
fn several_may_open_and_write_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for run in ["a1", "a2", "a3", "a4"] {
            scope.spawn(|| {
                let _run = Run::claim(folder.path(), run).unwrap();
                let mut store = Store::open(folder.path(), run).unwrap();
                for _ in 0..25 {
                    let (id, note) = begun("true");
                    write(&mut store, &[note]);
                    write(&mut store, &[ended(id)]);
                }
            });
        }
    });
    let states = states(folder.path());
    assert_eq!((states.len(), states.iter().filter(|state| *state == "done").count()), (100, 100));
}
