//! Recorded sessions, cut anywhere: the same bytes give the same result, and the same is typed.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jackfield::plugin::catalog::{BUNDLED, Catalog};
use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::load::Spec;
use jackfield::recording::{Entry, Recording};
use jackfield::replay;
use jackfield::secret::SecretSource;
use jackfield::transport::replay::{Cut, stand_in};
use serde_json::{Map, Value};

use crate::support::catalog::loader;

/// Random cuts of each recording.
const RANDOM: u64 = 24;
/// The longest pause between two pieces of what came without a pause. Shorter than any silence that means something.
const PAUSE_MAX_MS: u64 = 15;

fn recordings() -> Vec<(PathBuf, Recording)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), Recording::parse(&std::fs::read_to_string(&file).unwrap()).unwrap())).collect()
}

/// The bundled plugins with the settings of the recording.
async fn kind(recording: &Recording) -> Arc<DeviceType> {
    let configured = recording.settings.iter().map(|(name, settings)| {
        let (_, wasm) = BUNDLED.iter().find(|(bundled, _)| bundled == name).unwrap();
        Spec { settings: serde_json::from_str(settings).unwrap(), ..Spec::embedded(name, wasm) }
    });
    let catalog = Catalog::new(configured.collect(), BTreeMap::new(), loader());
    let plugins = catalog.plugins_of(&recording.kind).unwrap();
    Arc::new(DeviceType::load(&recording.kind, &plugins, &catalog).await.unwrap())
}

/// A file with the stand-in of each secret that was typed.
fn secrets(recording: &Recording, folder: &Path) -> Vec<(String, SecretSource)> {
    let typed = recording.entries.iter().filter_map(|entry| match entry {
        Entry::Secret { name, .. } => Some(name.clone()),
        _ => None,
    });
    let source = |name: String| {
        let file = folder.join(&name);
        std::fs::write(&file, stand_in(&name)).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        (name, SecretSource::File(file))
    };
    typed.map(source).collect()
}

/// As it came, one byte at a time, and at random places with pauses.
fn cuts() -> Vec<(String, Cut)> {
    let whole: Cut = Box::new(|length| (length, Duration::ZERO));
    let bytes: Cut = Box::new(|_| (1, Duration::ZERO));
    let random = (0..RANDOM).map(|seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let longest = [3, 40, 900][usize::try_from(seed % 3).unwrap()];
        let cut: Cut = Box::new(move |length| {
            let pause = if random.u8(..4) == 0 { random.u64(..=PAUSE_MAX_MS) } else { 0 };
            (random.usize(1..=longest).min(length), Duration::from_millis(pause))
        });
        (format!("seed {seed}"), cut)
    });
    [("whole".to_owned(), whole), ("bytes".to_owned(), bytes)].into_iter().chain(random).collect()
}

/// What policy says is the operator's own, and no replay depends on it.
#[tokio::test]
async fn a_recording_has_no_settings_of_policy() {
    let (_, wasm) = BUNDLED.iter().find(|(bundled, _)| *bundled == "rules").unwrap();
    let settings = Map::from_iter([("rules".to_owned(), Value::from("rule no-reload\neffect deny\nmatch ^reload\n"))]);
    let rules = Spec { settings, ..Spec::embedded("rules", wasm) };
    let catalog = Catalog::new(vec![rules], BTreeMap::new(), loader()).with_everywhere("rules");
    let plugins = catalog.plugins_of("linux").unwrap();
    let kind = DeviceType::load("linux", &plugins, &catalog).await.unwrap();
    assert!(kind.plugin("rules").unwrap().settings().contains("no-reload"));
    assert_eq!(kind.played_settings(), [("posix-shell".to_owned(), "{\"pagers\":\"off\"}".to_owned())]);
}

#[test]
fn the_same_bytes_cut_anywhere_give_the_same_result() {
    let recordings = recordings();
    assert!(recordings.len() >= 10, "there are {}", recordings.len());
    let mut wrong = Vec::new();
    for (file, recording) in recordings {
        let folder = tempfile::tempdir().unwrap();
        let secrets = secrets(&recording, folder.path());
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let kind = runtime().block_on(kind(&recording));
        for (name, cut) in cuts() {
            if let Err(why) = runtime().block_on(replay::run(&recording, Arc::clone(&kind), &secrets, cut)) {
                wrong.push(format!("{}, {name}: {why}", file.file_name().unwrap().to_string_lossy()));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
