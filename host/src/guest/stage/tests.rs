//! What guests of a session of this machine see, and what their coming and going does to it.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::config::Config;
use crate::directory::{Directory, LineKind};
use crate::session::Phase;
use crate::startup;

/// What comes, comes at once.
const SOON: Duration = Duration::from_secs(120);

/// A house with one session in it, which is ready.
async fn house() -> (Arc<Directory>, Arc<Guests>, SessionHandle) {
    let config = "[device.here]\nlocal = true\ntype = \"linux\"\n[policy]\nmode = \"full\"\n";
    let config = Config::parse(config, Path::new("jackfield.toml"), None).unwrap();
    let catalog = startup::catalog(&config).unwrap();
    let directory = Arc::new(Directory::new(config, catalog, None));
    let guests = Guests::start(Arc::clone(&directory), Handle::current()).unwrap();
    let (handle, _) = directory.open(&SessionId::parse("here"), LineKind::Terminal, (None, None)).await.unwrap();
    timeout(SOON, handle.until(|status| status.phase == Phase::Ready)).await.unwrap();
    (directory, guests, handle)
}

fn anna() -> Guest {
    Guest { name: "anna".to_owned(), by: "test".to_owned(), uid: None, may_type: true }
}

/// What a session that has brought so many bytes would give to those who watch, and the way to give them more.
fn watched(past: &[u8], end: u64) -> (mpsc::Sender<Scene>, Watched) {
    let (scenes, seen) = mpsc::channel(16);
    (scenes, Watched { past: past.to_vec(), is_cut: false, end, size: (80, 24), scenes: seen, missed: Arc::default() })
}

fn skipped(seat: &mut Seat) -> u64 {
    match seat.picture() {
        Tell::Screen { skipped, .. } => skipped,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_watches_is_told_however_the_playing_ends() {
    let (directory, guests, handle) = house().await;
    let (scenes, watched) = watched(b"", 0);
    let (id, stage) = (handle.id.clone(), Stage::of(handle, &watched));
    let mut seat = stage.seat(&anna()).unwrap();
    guests.stages().insert(id.clone(), Arc::clone(&stage));
    let playing = tokio::spawn(Arc::clone(&stage).play(watched, Arc::clone(&guests)));
    scenes.send(Scene::Output(Bytes::from_static(b"shown"))).await.unwrap();
    let shown = timeout(SOON, seat.frames.recv()).await.unwrap();
    assert!(matches!(shown, Ok(Frame::Output(..))), "{shown:?}");
    playing.abort();
    let ended = timeout(SOON, seat.frames.recv()).await.expect("nobody hears of it");
    assert!(matches!(ended, Ok(Frame::Ended(_))), "{ended:?}");
    assert!(!guests.stages().contains_key(&id));
    drop(seat);
    directory.shut_down().await;
}

#[tokio::test]
async fn what_was_missed_is_counted_in_bytes_of_the_session() {
    let (directory, _guests, handle) = house().await;
    let stage = Stage::of(handle, &watched(b"first", 5).1);
    let mut seat = stage.seat(&anna()).unwrap();
    assert_eq!(skipped(&mut seat), 0, "who has just come has missed nothing");
    // More came than there was room for: the past is taken up again, of which only the end is kept.
    *stage.picture() = Picture::of(&watched(b"last", 5_000_000).1);
    assert_eq!(skipped(&mut seat), 4_999_995);
    *stage.picture() = Picture::of(&watched(b"first", 5).1);
    assert_eq!(skipped(&mut seat), 0);
    drop(seat);
    directory.shut_down().await;
}

#[tokio::test]
async fn who_types_on_elsewhere_has_not_left() {
    let (directory, guests, handle) = house().await;
    let (id, lock) = (handle.id.clone(), handle.commons.lock.clone());
    let is_typing = || lock.state(Instant::now()).typing;
    let watches = Guest { may_type: false, ..anna() };
    let bob = Guest { name: "bob".to_owned(), ..anna() };
    let types = guests.enter(&id, &anna()).await.unwrap();
    for other in [&anna(), &watches, &bob] {
        let other = guests.enter(&id, other).await.unwrap();
        lock.on_typed(&types.author, Instant::now());
        drop(other);
        assert!(is_typing());
    }
    let _looks = guests.enter(&id, &watches).await.unwrap();
    drop(types);
    assert!(!is_typing(), "who only watches does not type");
    directory.shut_down().await;
}

#[tokio::test]
async fn who_comes_again_puts_back_what_they_changed_before() {
    let (directory, guests, handle) = house().await;
    let first = guests.enter(&handle.id, &anna()).await.unwrap();
    let size = first.stage.size;
    first.resize((90, 20)).await.unwrap();
    let second = guests.enter(&handle.id, &anna()).await.unwrap();
    drop(first);
    let stage = Arc::clone(&second.stage);
    let has_size = async |size: (u16, u16)| {
        while stage.size() != size {
            sleep(FRAME_EVERY).await;
        }
    };
    timeout(SOON, has_size((90, 20))).await.unwrap();
    let _looks = guests.enter(&handle.id, &Guest { may_type: false, ..anna() }).await.unwrap();
    drop(second);
    timeout(SOON, has_size(size)).await.expect("the size stays changed");
    directory.shut_down().await;
}

/// A terminal is left while a browser, which keeps the session's size, stays.
#[tokio::test]
async fn the_size_is_put_back_whoever_of_those_that_type_leaves_last() {
    let (directory, guests, handle) = house().await;
    let types = guests.enter(&handle.id, &anna()).await.unwrap();
    let stays = guests.enter(&handle.id, &Guest { name: "bob".to_owned(), ..anna() }).await.unwrap();
    let _looks = guests.enter(&handle.id, &Guest { may_type: false, ..anna() }).await.unwrap();
    let (stage, size) = (Arc::clone(&stays.stage), stays.stage.size);
    let has_size = async |size: (u16, u16)| {
        while stage.size() != size {
            sleep(FRAME_EVERY).await;
        }
    };
    types.resize((90, 20)).await.unwrap();
    drop(types);
    timeout(SOON, has_size((90, 20))).await.unwrap();
    drop(stays);
    timeout(SOON, has_size(size)).await.expect("the size stays changed");
    directory.shut_down().await;
}

/// A login's question, and what came before it: nobody has missed it.
#[tokio::test]
async fn what_was_kept_back_is_drawn_at_once() {
    let (directory, guests, handle) = house().await;
    let (scenes, watched) = watched(b"", 0);
    let stage = Stage::of(handle, &watched);
    let mut seat = stage.seat(&anna()).unwrap();
    skipped(&mut seat);
    let playing = tokio::spawn(Arc::clone(&stage).play(watched, guests));
    scenes.send(Scene::Again).await.unwrap();
    let told = timeout(SOON, seat.frames.recv()).await.expect("it stands there unseen");
    assert!(matches!(told, Ok(Frame::Redraw)), "{told:?}");
    assert_eq!(skipped(&mut seat), 0);
    playing.abort();
    drop(seat);
    directory.shut_down().await;
}

#[test]
fn what_a_terminal_would_answer_is_shown_to_nobody() {
    let mut picture = Picture::of(&watched(b"a\x1b[6n\x1b]11;?\x07b\x1b[", 20).1);
    assert_eq!(picture.drawn(), b"ab");
    assert_eq!(picture.take(b"6nc\x1b[1"), b"c");
    assert_eq!(picture.take(b"md"), b"\x1b[1md");
    assert_eq!((picture.drawn(), picture.total), (b"abc\x1b[1md".to_vec(), 28));
}
