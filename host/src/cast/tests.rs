//! Recordings on real files: what is in them, what is said of the rest, what goes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::format::Decoder;
use super::keep::{PART, Swept, WHOLE, sweep};
use super::*;

fn settings(keep_bytes: u64) -> AuditSettings {
    AuditSettings { recordings: true, keep_bytes, ..AuditSettings::default() }
}

fn begin(folder: &Path, keep_bytes: u64) -> (Casts, Cast) {
    let casts = Casts::start(folder.to_owned(), "0123", None, &settings(keep_bytes)).unwrap();
    let session = SessionId::parse("web/1#a b");
    let heading = Heading { session: &session, user: "ops", kind: "linux", terminal: "xterm", size: (100, 30) };
    let cast = casts.record(&heading, now());
    (casts, cast)
}

fn now() -> Instant {
    Instant::now()
}

/// The names of the files that end so.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.to_str().unwrap().ends_with(end));
    found.sort();
    found
}

/// The lines of the only whole recording.
fn lines(folder: &Path) -> Vec<Value> {
    let [file] = files(folder, WHOLE).try_into().unwrap();
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn all(folder: &Path, code: &str) -> String {
    lines(folder).iter().filter(|line| line[1] == code).map(|line| line[2].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_recording_has_what_was_shown_and_typed_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let (casts, cast) = begin(folder.path(), 1 << 20);
    cast.mark("c1", now());
    cast.input(b"echo \xc3\xa9\r", now());
    cast.output(b"\x1b[1m\xc3", now());
    cast.output(b"\xa9\x1b[0m\r\n", now());
    cast.size((250, 70), now());
    cast.lines(b"one\ntwo\n", now());
    assert_eq!(casts.health(), Some(Health { open: 1, ..Health::default() }));
    let name = cast.name().unwrap().to_owned();
    assert!(name.contains("Z-web_1-a_b-") && name.ends_with(WHOLE), "{name}");
    let part = cast.part(0.0, now()).unwrap();
    assert!(part.file == name && part.to_s > 0.0, "{part:?}");
    cast.end();
    cast.output(b"too late", now());
    casts.finish();
    assert_eq!(casts.health(), Some(Health::default()));
    let file = folder.path().join(&name);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let heading = &lines(folder.path())[0];
    assert_eq!((heading["version"].as_u64(), heading["width"].as_u64(), heading["height"].as_u64()), (Some(2), Some(100), Some(30)));
    assert_eq!(heading["env"]["TERM"], "xterm");
    assert_eq!((all(folder.path(), "o").as_str(), all(folder.path(), "i").as_str()), ("\x1b[1mé\x1b[0m\r\none\r\ntwo\r\n", "echo é\r"));
    assert_eq!((all(folder.path(), "m").as_str(), all(folder.path(), "r").as_str()), ("c1", "250x70"));
    let codes: String = lines(folder.path()).iter().skip(1).map(|line| line[1].as_str().unwrap().to_owned()).collect();
    assert_eq!(codes, "miooro", "a size stands before what is drawn for it");
    let times: Vec<f64> = lines(folder.path()).iter().skip(1).map(|line| line[0].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn without_the_wish_nothing_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (casts, cast) = begin(folder.path(), 1 << 20);
    drop(cast);
    let heading = Heading { session: &SessionId::main("a"), user: "", kind: "", terminal: "", size: (80, 24) };
    let none = casts.with(&AuditSettings::default()).record(&heading, now());
    none.output(b"x", now());
    assert_eq!((none.name(), none.seconds(now())), (None, 0.0));
    casts.finish();
    assert_eq!(lines(folder.path()).len(), 1);
}

#[test]
fn what_a_changed_configuration_does_not_keep_goes_also_where_nothing_more_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (casts, cast) = begin(folder.path(), 1 << 20);
    cast.output(b"x", now());
    cast.end();
    casts.finish();
    assert_eq!(files(folder.path(), WHOLE).len(), 1);
    casts.keep(&AuditSettings { recordings: false, keep_bytes: 1, ..AuditSettings::default() });
    casts.finish();
    assert_eq!(files(folder.path(), WHOLE), Vec::<PathBuf>::new());
}

#[test]
fn the_text_is_the_same_wherever_the_bytes_are_cut() {
    let bytes = "a\u{e9}\u{20ac}\u{1f600}\u{7f}z".bytes().chain([0xff, 0xe2, 0x82, b'x', 0xf0, 0x9f]).collect::<Vec<u8>>();
    let whole = |pieces: &[&[u8]]| {
        let mut decoder = Decoder::default();
        let text: String = pieces.iter().map(|piece| decoder.push(piece)).collect();
        text + &decoder.end()
    };
    let expected = whole(&[&bytes]);
    assert_eq!(expected, String::from_utf8_lossy(&bytes));
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            assert_eq!(whole(&[&bytes[..first], &bytes[first..second], &bytes[second..]]), expected, "{first} {second}");
        }
    }
    let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(whole(&bytewise), expected);
}

#[test]
fn what_is_too_much_is_counted_in_the_file_and_in_the_health() {
    let folder = tempfile::tempdir().unwrap();
    let (casts, cast) = begin(folder.path(), 4096);
    for _ in 0..10 {
        cast.output(&[b'x'; 1000], now());
    }
    cast.end();
    casts.finish();
    let shown = all(folder.path(), "o");
    let kept = shown.matches('x').count();
    assert!((3000..6000).contains(&kept), "{kept}");
    assert!(shown.contains(&format!("[{} bytes are not recorded]", 10_000 - kept)), "{shown}");
    assert_eq!(casts.health().unwrap().lost_bytes, 10_000 - kept as u64);
}

#[test]
fn a_writer_that_stands_still_delays_nobody() {
    let (notes, received) = sync_channel(4);
    let shared = Arc::<Shared>::default();
    let open = Open {
        folder: PathBuf::new(),
        run: String::new(),
        configuration: PathBuf::new(),
        settings: settings(1 << 20),
        notes,
        shared: Arc::clone(&shared),
    };
    let casts = Casts(Some(open));
    let heading = Heading { session: &SessionId::main("a"), user: "", kind: "", terminal: "", size: (80, 24) };
    let cast = casts.record(&heading, now());
    let begun = Instant::now();
    for _ in 0..100_000 {
        cast.output(b"0123456789", now());
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let health = casts.health().unwrap();
    assert_eq!((health.lost_bytes, health.trouble.is_some()), ((100_000 - 3) * 10, true));
    // There is room again: the next event says what is missing.
    let notes: Vec<Note> = received.try_iter().collect();
    assert_eq!(notes.len(), 4);
    shared.queued.store(0, Ordering::Relaxed);
    cast.output(b"again", now());
    let Ok(Note::Event { lost, .. }) = received.try_recv() else { panic!("no event") };
    assert_eq!(lost, (100_000 - 3) * 10);
}

#[test]
fn old_ones_go_and_live_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let day = Duration::from_secs(24 * 3600);
    let (now, none) = (SystemTime::now(), Path::new(""));
    let make = |name: &str, days: u32, bytes: usize| {
        let path = folder.path().join(name);
        fs::write(&path, "x".repeat(bytes)).unwrap();
        fs::File::options().append(true).open(&path).unwrap().set_modified(now - day * days).unwrap();
    };
    make("old.cast", 40, 10);
    make("first.cast", 3, 400);
    make("second.cast", 2, 400);
    make("third.cast", 1, 400);
    make("live.cast.part", 50, 100);
    make("notes.txt", 90, 5000);
    fs::write(folder.path().join("left.cast.part"), "{}\n[1, \"o\", \"whole\"]\n[2, \"o\", \"begu").unwrap();
    let live = fs::File::open(folder.path().join("live.cast.part")).unwrap();
    live.lock().unwrap();
    assert_eq!(sweep(folder.path(), none, (day * 30, 1000), now).unwrap(), Swept { closed: 1, removed: 2 });
    let names =
        |end| files(folder.path(), end).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(".cast"), ["left.cast", "second.cast", "third.cast"]);
    assert_eq!((names(PART), names(".txt")), (vec!["live.cast.part".to_owned()], vec!["notes.txt".to_owned()]));
    assert_eq!(fs::read_to_string(folder.path().join("left.cast")).unwrap(), "{}\n[1, \"o\", \"whole\"]\n");
    assert_eq!(sweep(folder.path(), none, (day * 30, 0), now).unwrap().removed, 3);
    assert_eq!(names(PART), ["live.cast.part"]);
    drop(live);
    assert_eq!(sweep(folder.path(), none, (day * 30, 1000), now).unwrap(), Swept { closed: 1, removed: 1 });
}

#[test]
fn what_another_configuration_has_recorded_is_kept_as_that_one_says() {
    let folder = tempfile::tempdir().unwrap();
    let recordings = folder.path().join("recordings");
    let [long, short] = ["long.toml", "short.toml"].map(|name| folder.path().join(name));
    fs::write(&long, "").unwrap();
    fs::write(&short, "").unwrap();
    let settings = |recordings, keep_bytes| AuditSettings { recordings, ..settings(keep_bytes) };
    let casts = Casts::start(recordings.clone(), "0123", Some(&long), &settings(true, 1 << 20)).unwrap();
    let heading = Heading { session: &SessionId::main("a"), user: "", kind: "", terminal: "", size: (80, 24) };
    casts.record(&heading, now()).output(b"x", now());
    casts.finish();
    let sweeps = |configuration: &Path| {
        Casts::start(recordings.clone(), "4567", Some(configuration), &settings(false, 1)).unwrap().finish();
        files(&recordings, WHOLE).len()
    };
    assert_eq!(sweeps(&short), 1);
    assert_eq!(sweeps(&long), 0);
    casts.record(&heading, now()).output(b"x", now());
    casts.finish();
    fs::remove_file(&long).unwrap();
    assert_eq!(sweeps(&short), 0, "nobody else says how long it is kept");
}
