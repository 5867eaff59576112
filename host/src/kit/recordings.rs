//! Recorded sessions, played through the real session and cut anywhere: the same bytes give the same result, and the same is typed.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::report::{Check, Report};
use super::subject::{Subject, runtime};
use crate::limits::{KIT_PAUSE_MAX, KIT_RECORDINGS_MAX};
use crate::plugin::device_type::DeviceType;
use crate::recording::{Entry, Recording};
use crate::replay::{self, Judge};
use crate::secret::SecretSource;
use crate::transport::replay::{Cut, stand_in};

/// Between two pieces of one sequence: there are thousands in a session, and together they must not be a silence.
const MOMENT: Duration = Duration::from_millis(1);

/// A recording ready to be played.
#[derive(Debug)]
pub struct Played {
    /// Its file's name.
    pub name: String,
    /// Itself.
    pub recording: Recording,
    /// The device type with the plugin under test.
    pub kind: Arc<DeviceType>,
    /// A file for each secret.
    secrets: Vec<(String, SecretSource)>,
    /// Where they are.
    _folder: tempfile::TempDir,
}

impl Played {
    /// Plays a variant of it.
    ///
    /// # Errors
    ///
    /// The first difference, as a sentence.
    pub fn play(&self, recording: &Recording, cut: Cut, judge: Judge<'_>) -> Result<(), String> {
        runtime()?.block_on(replay::run_judged(recording, Arc::clone(&self.kind), &self.secrets, cut, judge))
    }
}

/// The recordings of a folder, or one file.
///
/// # Errors
///
/// When one cannot be read.
pub fn read(path: Option<&Path>) -> Result<Vec<(String, Recording)>, String> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let cannot = |path: &Path, error: &dyn std::fmt::Display| format!("cannot read `{}`: {error}", path.display());
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| cannot(path, &error))?;
        files = entries.flatten().map(|entry| entry.path()).filter(|file| file.extension().is_some_and(|end| end == "rec")).collect();
        files.sort();
    }
    if files.len() > KIT_RECORDINGS_MAX {
        return Err(format!("`{}` has {} recordings, at most {KIT_RECORDINGS_MAX} are played", path.display(), files.len()));
    }
    let one = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).map_err(|error| cannot(&file, &error))?;
        let recording = Recording::parse(&text).map_err(|error| cannot(&file, &error))?;
        Ok((file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(), recording))
    };
    files.into_iter().map(one).collect()
}

/// Those that say something about the plugin.
///
/// # Errors
///
/// When a device type cannot be put together.
pub fn for_subject(subject: &Subject, all: Vec<(String, Recording)>, report: &mut Report) -> Result<Vec<Played>, String> {
    let mut played = Vec::new();
    let runtime = runtime()?;
    for (name, recording) in all {
        // Its site has plugins of its own, without which it may come out otherwise.
        if let Some(plugin) = subject.stranger(&recording.settings) {
            report.left_out.push(format!("{name} (it has settings of `{plugin}`, which is no bundled plugin)"));
            continue;
        }
        match runtime.block_on(subject.device_type(&recording.kind, &recording.settings)).map_err(|error| format!("`{name}`: {error}"))? {
            None => report.left_out.push(format!("{name} (type `{}` has not this plugin)", recording.kind)),
            Some(kind) => {
                let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
                let secrets = secrets(&recording, &kind, folder.path()).map_err(|error| error.to_string())?;
                played.push(Played { name, recording, kind, secrets, _folder: folder });
            }
        }
    }
    Ok(played)
}

/// A file with the stand-in of each secret that was typed or that a plugin might ask for: one that is there can be asked for wrongly.
fn secrets(recording: &Recording, kind: &DeviceType, folder: &Path) -> std::io::Result<Vec<(String, SecretSource)>> {
    let typed = recording.entries.iter().filter_map(|entry| match entry {
        Entry::Secret { name, .. } => Some(name.clone()),
        _ => None,
    });
    let mut names: Vec<String> = typed.chain(kind.secrets()).collect();
    names.sort();
    names.dedup();
    // A name is a plugin's or a recording's own text and no part of a path.
    let source = |(number, name): (usize, String)| {
        let file = folder.join(number.to_string());
        std::fs::write(&file, stand_in(&name))?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
        Ok((name, SecretSource::File(file)))
    };
    names.into_iter().enumerate().map(source).collect()
}

/// Plays each, cut in every way.
///
/// # Errors
///
/// When no runtime can be had.
pub fn check(played: &[Played], random: u64) -> Result<Check, String> {
    let mut check = Check::new("recordings", "sessions come out as recorded, cut anywhere");
    for one in played {
        for (name, cut) in cuts(&one.recording, random) {
            let result = one.play(&one.recording, cut, &mut replay::exact).map_err(|why| format!("{}, cut {name}: {why}", one.name));
            let failed = result.is_err();
            check.case(result);
            if failed {
                // The other cuts would say the same.
                break;
            }
        }
    }
    Ok(check.or_not_tested("no recordings of it were given; make one with `jackfield record`"))
}

/// As it came, one byte at a time, inside every character and sequence, and at random places with pauses.
#[must_use]
pub fn cuts(recording: &Recording, random: u64) -> Vec<(String, Cut)> {
    let whole: Cut = Box::new(|length| (length, Duration::ZERO));
    let bytes: Cut = Box::new(|_| (1, Duration::ZERO));
    let seeded = (0..random).map(|seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        // Pieces of a few bytes, of a row, of a screen.
        let longest = match seed % 3 {
            0 => 3,
            1 => 40,
            _ => 900,
        };
        let pause_max = u64::try_from(KIT_PAUSE_MAX.as_millis()).unwrap_or(1);
        let cut: Cut = Box::new(move |length| {
            let pause = if random.u8(..4) == 0 { random.u64(..=pause_max) } else { 0 };
            (random.usize(1..=longest).min(length), Duration::from_millis(pause))
        });
        (format!("with seed {seed}"), cut)
    });
    let inside = ("inside characters".to_owned(), inside(recording));
    [("nowhere".to_owned(), whole), ("at each byte".to_owned(), bytes), inside].into_iter().chain(seeded).collect()
}

/// Cuts only where a character of several bytes or a control sequence is not complete, and waits there.
fn inside(recording: &Recording) -> Cut {
    let output = recording.entries.iter().filter_map(|entry| match entry {
        Entry::Output(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    let bytes: Vec<u8> = output.flatten().copied().collect();
    let mut at = 0;
    Box::new(move |length| {
        let next = (at + 1..at + length).find(|&place| is_inside(&bytes, place));
        let piece = next.map_or(length, |place| place - at);
        at += piece;
        (piece, MOMENT)
    })
}

/// Does a cut before this byte part a character, or a control sequence?
fn is_inside(bytes: &[u8], place: usize) -> bool {
    let continues = bytes.get(place).is_some_and(|byte| byte & 0xc0 == 0x80);
    let since = bytes.get(place.saturating_sub(8)..place).unwrap_or_default();
    let escape = since.iter().rposition(|byte| *byte == 0x1b);
    continues || escape.is_some_and(|at| !since.get(at + 1..).unwrap_or_default().iter().any(u8::is_ascii_alphabetic))
}

/// The rows that the device sent, as far as they are text, each once.
#[must_use]
pub fn rows(recording: &Recording) -> Vec<String> {
    let mut rows = Vec::new();
    for entry in &recording.entries {
        if let Entry::Output(bytes) = entry {
            let text = plain(bytes);
            rows.extend(text.split('\n').map(|row| row.trim_end_matches('\r').to_owned()).filter(|row| !row.is_empty()));
        }
    }
    rows.sort();
    rows.dedup();
    rows
}

/// The complete rows and the last one, as far as they are text.
#[must_use]
pub fn last_row(bytes: &[u8]) -> (String, String) {
    let text = plain(bytes).replace('\r', "");
    let (before, last) = text.rsplit_once('\n').unwrap_or(("", &text));
    (before.to_owned(), last.to_owned())
}

/// Text without control sequences: enough for rows that no device draws twice.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(ch) = rest.next() {
        if ch != '\x1b' {
            out.push(ch);
            continue;
        }
        match rest.next() {
            // A command string ends with BEL or ST, a sequence with a letter.
            Some(']') => while rest.next().is_some_and(|ch| ch != '\x07' && ch != '\\') {},
            Some('[') => while rest.next().is_some_and(|ch| !ch.is_ascii_alphabetic() && ch != '~') {},
            _ => {}
        }
    }
    out.retain(|ch| !ch.is_control() || ch == '\n' || ch == '\r' || ch == '\t');
    out
}
