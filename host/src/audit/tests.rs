//! The record on real files: what is written is found whole, and nothing that is done to it stays unseen.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use russh::keys::ssh_key::PublicKey;

use super::verify::{self, Verified};
use super::*;
use crate::limits::{AUDIT_HEAD_EVERY, AUDIT_PROBLEMS_MAX};

fn start(folder: &Path) -> Audit {
    Audit::start(Some(folder.to_owned()), About { version: "1".to_owned(), ..About::default() }, "0123")
}

fn decided(text: &str) -> Decided<'_> {
    Decided {
        caller: "tester".into(),
        session: "web1".to_owned(),
        device: "web1",
        text: text.into(),
        lane: "read",
        decision: "allow",
        ..Decided::default()
    }
}

async fn say(audit: &Audit, text: &str) -> u64 {
    audit.verdict(decided(text)).await.unwrap().unwrap()
}

fn verified(folder: &Path) -> Verified {
    verify::folder(folder, None).unwrap()
}

/// It is whole, with so many records.
fn is_whole(folder: &Path, records: u64) {
    let verified = verified(folder);
    assert_eq!((verified.problems.as_slice(), verified.wrong, verified.records), ([].as_slice(), 0, records), "{verified:?}");
}

fn first_problem(folder: &Path) -> String {
    verified(folder).problems.first().map(ToString::to_string).unwrap_or_default()
}

fn lines(folder: &Path) -> Vec<String> {
    fs::read_to_string(files::newest(folder)).unwrap().lines().map(str::to_owned).collect()
}

fn rewrite(folder: &Path, lines: &[String]) {
    fs::write(files::newest(folder), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

/// A folder with a record of `say 0` to `say 4` between a start and a head.
async fn made() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let audit = start(folder.path());
    for number in 0..5 {
        say(&audit, &format!("say {number}")).await;
    }
    audit.finish();
    folder
}

#[tokio::test]
async fn a_record_is_whole_private_and_goes_on_after_a_restart() {
    let folder = made().await;
    is_whole(folder.path(), 7);
    for file in ["audit.jsonl", "audit.key", "head"] {
        assert_eq!(fs::metadata(folder.path().join(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    let audit = start(folder.path());
    assert_eq!(say(&audit, "again").await, 9);
    audit.finish();
    is_whole(folder.path(), 10);
    let verdict: serde_json::Value = serde_json::from_str(&lines(folder.path())[8]).unwrap();
    assert_eq!((verdict["kind"].as_str(), verdict["text"].as_str(), verdict["approver"].is_null()), (Some("verdict"), Some("again"), true));
}

fn end(audit: &Audit, number: usize) {
    audit.end(&Ended { session: "web1".to_owned(), device: "web1", command_id: format!("c{number}"), ..Ended::default() });
}

/// Which kind of records the file has now, one letter each.
fn kinds(folder: &Path) -> String {
    let kind = |line: String| serde_json::from_str::<serde_json::Value>(&line).unwrap()["kind"].as_str().unwrap()[..1].to_owned();
    lines(folder).into_iter().map(kind).collect()
}

#[tokio::test]
async fn an_end_is_written_when_all_else_has_run_or_before_what_comes_next() {
    let folder = tempfile::tempdir().unwrap();
    let audit = start(folder.path());
    end(&audit, 1);
    end(&audit, 2);
    assert_eq!(kinds(folder.path()), "s");
    yield_now().await;
    yield_now().await;
    assert_eq!(kinds(folder.path()), "see");
    end(&audit, 3);
    say(&audit, "next").await;
    assert_eq!(kinds(folder.path()), "seeev");
    end(&audit, 4);
    audit.finish();
    assert_eq!(kinds(folder.path()), "seeeveh");
    end(&audit, 5);
    drop(audit);
    yield_now().await;
    yield_now().await;
    assert_eq!(kinds(folder.path()), "seeevehe");
    is_whole(folder.path(), 8);
}

#[test]
fn ends_are_written_at_once_where_nothing_else_runs_and_all_of_them_where_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let audit = start(folder.path());
    end(&audit, 1);
    assert_eq!(kinds(folder.path()), "se");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { end(&audit, 2) });
    assert_eq!(kinds(folder.path()), "se");
    drop(audit);
    drop(runtime);
    assert_eq!(kinds(folder.path()), "see");
    is_whole(folder.path(), 3);
}

#[tokio::test]
async fn many_ends_at_once_are_few_writes_and_are_signed_now_and_then_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let audit = start(folder.path());
    let many = usize::try_from(AUDIT_HEAD_EVERY).unwrap() + 1;
    for number in 1..=many {
        end(&audit, number);
        assert!(number < AUDIT_PUT_OFF_MAX || kinds(folder.path()).len() > number - AUDIT_PUT_OFF_MAX, "{number}");
    }
    drop(audit);
    yield_now().await;
    yield_now().await;
    let kinds = kinds(folder.path());
    assert_eq!((kinds.find('h'), kinds.len()), (Some(many - 2), many + 2), "{kinds}");
    is_whole(folder.path(), (many + 2) as u64);
}

#[test]
fn whoever_signs_is_there_however_soon_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let audits: Vec<Audit> = (0..100).map(|_| start(folder.path())).collect();
    // Its thread has the only weak name of what it signs for.
    let has_signer = |audit: &Audit| audit.0.as_ref().is_some_and(|shared| Arc::weak_count(shared) == 1);
    assert!(audits.iter().all(has_signer));
}

#[tokio::test]
async fn secrets_that_are_known_are_written_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let audit = start(folder.path());
    audit.learn("enable", &Secret::from_bytes(b"hunter\"22".to_vec()));
    let verdict = Decided { reason: "`hunter\"22` is no command".into(), ..decided("echo hunter\"22 | tee x") };
    audit.verdict(verdict).await.unwrap();
    let named = |name: &str| format!("/srv/{name}-hunter\"22");
    audit.file(&Filed { direction: "down", path: named("a"), local: Some(named("b")), ..Filed::default() });
    let text = fs::read_to_string(files::newest(folder.path())).unwrap();
    assert!(text.contains(r#""text":"echo [secret:enable] | tee x""#) && !text.contains("hunter"), "{text}");
    assert!(text.contains("/srv/a-[secret:enable]") && text.contains("/srv/b-[secret:enable]"), "{text}");
}

#[tokio::test]
async fn a_text_that_is_too_long_is_written_by_its_beginning_and_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let audit = start(folder.path());
    let long = "é".repeat(COMMAND_MAX_BYTES);
    say(&audit, &long).await;
    say(&audit, &"\u{1}".repeat(COMMAND_MAX_BYTES)).await;
    audit.finish();
    is_whole(folder.path(), 4);
    let verdict: serde_json::Value = serde_json::from_str(&lines(folder.path())[1]).unwrap();
    assert_eq!(verdict["text"].as_str().unwrap().len(), COMMAND_MAX_BYTES);
    assert_eq!(verdict["whole"], serde_json::to_value(Torn::of(long.as_bytes())).unwrap());
}

#[tokio::test]
async fn what_was_done_to_a_record_is_named_with_its_line() {
    type Deed = fn(&mut Vec<String>);
    let deeds: [(&str, Deed, &str); 8] = [
        ("changed", |lines| lines[3] = lines[3].replace("say 2", "say 9"), "audit.jsonl:4: record 4 is not the one that record 5 follows"),
        ("removed", |lines| drop(lines.remove(3)), "audit.jsonl:4: record 4 is missing before record 5"),
        ("two removed", |lines| drop(lines.drain(2..4)), "audit.jsonl:3: records 3 to 4 are missing before record 5"),
        ("moved", |lines| lines.swap(2, 4), "audit.jsonl:3: records 3 to 4 are missing before record 5"),
        ("put in", |lines| lines.insert(3, lines[2].clone()), "audit.jsonl:4: record 3 comes after record 3"),
        ("garbage", |lines| lines.insert(3, "{}".to_owned()), "audit.jsonl:4: is no record"),
        ("cut", |lines| lines.truncate(4), "audit.jsonl:4: records 5 to 7 are cut off: record 7 was signed at 2"),
        (
            "the last one changed",
            |lines| lines[6] = lines[6].replace(r#""v":1"#, r#""v": 1"#),
            "audit.jsonl:7: record 7 is not the one that was signed",
        ),
    ];
    for (name, deed, expected) in deeds {
        let folder = made().await;
        let mut changed = lines(folder.path());
        deed(&mut changed);
        rewrite(folder.path(), &changed);
        let told = first_problem(folder.path());
        assert!(told.contains(expected), "{name}: {told}");
    }
}

#[tokio::test]
async fn keys_and_heads_that_are_not_those_of_the_record_are_told() {
    let (folder, other) = (made().await, made().await);
    fs::remove_file(files::head_path(folder.path())).unwrap();
    assert!(first_problem(folder.path()).contains("head: the signed head cannot be read"), "{}", first_problem(folder.path()));
    fs::copy(files::head_path(other.path()), files::head_path(folder.path())).unwrap();
    assert!(first_problem(folder.path()).contains("head: its signature is not by the key SHA256:"));
    fs::copy(key::public_path(other.path()), key::public_path(folder.path())).unwrap();
    assert!(first_problem(folder.path()).contains("audit.jsonl:7: the signature of record 6 is not by the key"));
    let trusted = key::public_path(other.path());
    assert_eq!(verify::folder(other.path(), Some(&trusted)).unwrap().wrong, 0);
    let third = made().await;
    assert!(verify::folder(third.path(), Some(&trusted)).unwrap().wrong >= 2, "a record that was signed anew is not the trusted one");
    fs::remove_file(key::public_path(third.path())).unwrap();
    let told = first_problem(third.path());
    assert!(told.contains("audit.pub: no signature can be checked: ") && told.contains("`jackfield audit verify --key FILE`"), "{told}");
}

#[tokio::test]
async fn a_head_counts_when_it_is_whole_and_leaves_nothing_beside_it() {
    let folder = made().await;
    let folder = folder.path();
    let kept = files::head(folder).unwrap();
    let next = key::Head { seq: 99, ..kept.clone() };
    drop(Draft::write(folder, &next).unwrap());
    Draft::write(folder, &next).and_then(Draft::begin).unwrap();
    assert_eq!(files::head(folder).unwrap(), kept, "nobody kept it, or there was one already");
    Draft::write(folder, &next).and_then(Draft::keep).unwrap();
    assert_eq!(files::head(folder).unwrap(), next);
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["audit.jsonl", "audit.key", "audit.pub", "head"]);
}

#[tokio::test]
async fn an_interrupted_write_is_kept_and_told_and_is_no_break() {
    for left in [&b"{\"v\":1,\"seq\":8,\"at\":\"20"[..], b"\0\0\0\0", b"{\"v\":1\nsecond\n", b"x"] {
        let folder = made().await;
        let whole = fs::read(files::newest(folder.path())).unwrap();
        OpenOptions::new().append(true).open(files::newest(folder.path())).unwrap().write_all(left).unwrap();
        let at_end = verified(folder.path());
        assert_eq!((at_end.wrong, at_end.torn.len(), at_end.records), (0, 1, 7), "{at_end:?}");
        let audit = start(folder.path());
        say(&audit, "after").await;
        audit.finish();
        let after = verified(folder.path());
        assert_eq!((after.wrong, after.torn.len(), after.records), (0, 1, 11), "{after:?}");
        assert!(fs::read(files::newest(folder.path())).unwrap().starts_with(&[&whole, left].concat()), "what was left is evidence");
        // Evidence that is changed is found like anything else.
        let text = fs::read(files::newest(folder.path())).unwrap();
        let mut changed = text.clone();
        changed[whole.len()] ^= 1;
        fs::write(files::newest(folder.path()), changed).unwrap();
        assert_ne!(verified(folder.path()).wrong, 0);
        fs::write(files::newest(folder.path()), [&text[..whole.len()], &text[whole.len() + left.len()..]].concat()).unwrap();
        assert_ne!(verified(folder.path()).wrong, 0, "and so is evidence that was taken out");
    }
}

#[tokio::test]
async fn a_record_that_lacks_only_its_newline_is_whole() {
    let folder = made().await;
    let text = fs::read(files::newest(folder.path())).unwrap();
    fs::write(files::newest(folder.path()), text.strip_suffix(b"\n").unwrap()).unwrap();
    is_whole(folder.path(), 7);
    let audit = start(folder.path());
    say(&audit, "after").await;
    audit.finish();
    is_whole(folder.path(), 10);
}

#[tokio::test]
async fn what_is_counted_as_whole_is_shown_too() {
    let folder = tempfile::tempdir().unwrap();
    let audit = start(folder.path());
    say(&audit, "one").await;
    say(&audit, "the newest").await;
    let text = fs::read(files::newest(folder.path())).unwrap();
    fs::write(files::newest(folder.path()), text.strip_suffix(b"\n").unwrap()).unwrap();
    is_whole(folder.path(), 3);
    let events = read::events(folder.path(), &read::Wanted { limit: 10, ..read::Wanted::default() }).unwrap();
    let texts: Vec<&str> = events.iter().map(|event| event.text("text")).collect();
    assert_eq!(texts, ["the newest", "one", ""]);
    let mut lines = Vec::new();
    read::each(folder.path(), |_, line| {
        lines.extend([line, b"\n"].concat());
        Ok(())
    })
    .unwrap();
    assert_eq!(lines, text);
}

#[tokio::test]
async fn a_cut_is_told_for_ever_whoever_writes_next() {
    let folder = made().await;
    let all = lines(folder.path());
    rewrite(folder.path(), &all[..4]);
    let audit = start(folder.path());
    assert_eq!(say(&audit, "after").await, 10, "numbers are never used again");
    audit.finish();
    assert_eq!(verified(folder.path()).wrong, 1);
    assert!(
        first_problem(folder.path()).contains("audit.jsonl:5: records 5 to 7 were gone when a process looked"),
        "{}",
        first_problem(folder.path())
    );
    // A process that is there notices it by itself.
    let folder = tempfile::tempdir().unwrap();
    let audit = start(folder.path());
    say(&audit, "one").await;
    say(&audit, "two").await;
    let all = lines(folder.path());
    rewrite(folder.path(), &all[..2]);
    say(&audit, "three").await;
    assert!(first_problem(folder.path()).contains("records 3 to 3 were gone"), "{}", first_problem(folder.path()));
    fs::remove_file(files::newest(folder.path())).unwrap();
    say(&audit, "four").await;
    assert!(first_problem(folder.path()).contains("the first record is 6"), "{}", first_problem(folder.path()));
}

#[tokio::test]
async fn a_record_whose_folder_was_moved_away_goes_on_with_a_key_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("audit");
    let audit = start(&place);
    say(&audit, "one").await;
    fs::rename(&place, folder.path().join("before")).unwrap();
    say(&audit, "two").await;
    let other = start(&place);
    say(&other, "three").await;
    [audit, other].iter().for_each(Audit::finish);
    assert_eq!(verified(&place).wrong, 1, "{:?}", verified(&place));
    assert!(first_problem(&place).contains("the first record is 3"), "{}", first_problem(&place));
}

#[tokio::test]
async fn full_files_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let audits = [0, 1].map(|_| Audit::start_with(Some(folder.path().to_owned()), About::default(), "0123", 4096));
    for number in 0..120 {
        say(&audits[number % 2], &format!("say {number}")).await;
    }
    audits.iter().for_each(Audit::finish);
    let before = files::earlier(folder.path()).unwrap();
    assert!(before.len() >= 8, "{before:?}");
    let whole = verified(folder.path());
    assert_eq!((whole.wrong, whole.torn.len(), whole.files.len()), (0, 0, before.len() + 1), "{whole:?}");
    assert!(whole.signatures > before.len() as u64 * 2 - 2, "each file ends and begins with a signature: {whole:?}");
    let alone = verify::file(&before[3], None).unwrap();
    assert!(alone.wrong == 0 && alone.records > 5 && alone.first > Some(1), "{alone:?}");
    fs::remove_file(&before[3]).unwrap();
    assert!(first_problem(folder.path()).contains("are missing before record"), "{}", first_problem(folder.path()));
    fs::remove_file(&before[0]).unwrap();
    assert!(first_problem(folder.path()).contains("those before it are missing"));
}

#[tokio::test]
async fn what_is_read_has_no_gap_where_a_file_gets_full_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::start_with(Some(folder.path().to_owned()), About::default(), "0123", 4096);
    for number in 0..40 {
        say(&audit, &format!("say {number}")).await;
    }
    let last = say(&audit, "the newest").await;
    let mut seen = Vec::new();
    read::each(folder.path(), |link, _| {
        if seen.is_empty() {
            (0..40).for_each(|_| audit.closed(&Closed::default()));
        }
        seen.push(link.seq);
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());
}

#[test]
fn threads_and_handles_write_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let audits = [0, 1, 2].map(|_| start(folder.path()));
    thread::scope(|scope| {
        for audit in &audits {
            for thread in 0..2 {
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    for number in 0..200 {
                        runtime.block_on(say(audit, &format!("{thread} {number}")));
                    }
                });
            }
        }
    });
    audits.iter().for_each(Audit::finish);
    let whole = verified(folder.path());
    assert_eq!((whole.wrong, whole.torn.len()), (0, 0), "{whole:?}");
    // What was said, three starts, three ends, and the signature of every thousandth.
    assert_eq!(whole.records, 1200 + 6 + whole.records / AUDIT_HEAD_EVERY);
    assert_eq!(whole.signatures, whole.records / AUDIT_HEAD_EVERY + 3 + 1);
}

#[tokio::test]
async fn what_cannot_be_written_is_told_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("audit");
    fs::write(&place, "").unwrap();
    let audit = start(&place);
    let error = audit.verdict(decided("true")).await.unwrap_err().to_string();
    assert!(error.contains("cannot be written") && error.contains("`folder` in [audit]"), "{error}");
    let health = audit.health().unwrap();
    assert_eq!((health.missing, health.trouble), (2, Some(error)));
    fs::remove_file(&place).unwrap();
    assert_eq!(say(&audit, "true").await, 2, "after the record that says who writes");
    assert_eq!(audit.health().unwrap().trouble, None);
    let nowhere = Audit::start(None, About::default(), "0");
    assert!(nowhere.verdict(decided("true")).await.unwrap_err().to_string().contains("XDG_STATE_HOME"));
    assert_eq!(Audit::default().verdict(decided("true")).await.unwrap(), None);
}

#[tokio::test]
async fn a_process_that_holds_the_lock_for_ever_delays_once() {
    let folder = made().await;
    let held = OpenOptions::new().read(true).open(files::newest(folder.path())).unwrap();
    held.lock().unwrap();
    let audit = start(folder.path());
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        assert!(matches!(audit.verdict(decided("true")).await, Err(AuditError::Held { .. })));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    held.unlock().unwrap();
    say(&audit, "true").await;
}

/// A record and its key and head, made once: what follows works on its bytes.
fn sample() -> &'static (Vec<u8>, PublicKey, key::Head) {
    static SAMPLE: OnceLock<(Vec<u8>, PublicKey, key::Head)> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = runtime.block_on(made());
        let bytes = fs::read(files::newest(folder.path())).unwrap();
        (bytes, key::public(&key::public_path(folder.path())).unwrap(), files::head(folder.path()).unwrap())
    })
}

fn wrong(bytes: &[u8]) -> u64 {
    let (_, public, head) = sample();
    verify::text(bytes, public, Some(head.clone())).wrong
}

fn sample_lines() -> Vec<&'static [u8]> {
    sample().0.split_inclusive(|byte| *byte == b'\n').collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_changed_byte_is_found(at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let mut bytes = sample().0.clone();
        // The newline at the end says nothing: a record that lacks only that is whole.
        let at = at.index(bytes.len() - 1);
        bytes[at] ^= change;
        prop_assert_ne!(wrong(&bytes), 0);
    }

    #[test]
    fn every_cut_is_found(at in any::<prop::sample::Index>()) {
        let bytes = &sample().0;
        prop_assert_ne!(wrong(&bytes[..at.index(bytes.len() - 1)]), 0);
    }

    #[test]
    fn every_line_that_is_taken_out_moved_or_put_in_is_found(one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let lines = sample_lines();
        let (one, other) = (one.index(lines.len()), other.index(lines.len()));
        let mut removed = lines.clone();
        removed.remove(one);
        prop_assert_ne!(wrong(&removed.concat()), 0);
        let mut put_in = lines.clone();
        put_in.insert(other, lines[one]);
        prop_assert_ne!(wrong(&put_in.concat()), 0);
        if one != other {
            let mut swapped = lines.clone();
            swapped.swap(one, other);
            prop_assert_ne!(wrong(&swapped.concat()), 0);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..2000), at in any::<prop::sample::Index>()) {
        wrong(&bytes);
        let whole = &sample().0;
        let (before, after) = whole.split_at(at.index(whole.len()));
        let verified = verify::text(&[before, &bytes, after].concat(), &sample().1, Some(sample().2.clone()));
        prop_assert!(verified.problems.len() <= AUDIT_PROBLEMS_MAX);
        prop_assert!(bytes.is_empty() || verified.wrong + verified.torn.len() as u64 > 0);
    }
}

#[test]
fn a_new_record_is_begun_once_nobody_writes_to_the_one_before() {
    let path = PathBuf::from("audit.jsonl");
    let cause = Arc::new(std::io::Error::other("gone"));
    for error in [AuditError::Key { path: path.clone(), cause }, AuditError::Unreadable { path, bytes: 9 }] {
        let said = error.to_string();
        assert!(said.ends_with("stop jackfield (`jackfield stop --all`), then move the folder away"), "{said}");
    }
}

#[test]
fn a_record_as_it_was_is_right() {
    assert_eq!(wrong(&sample().0), 0);
}
