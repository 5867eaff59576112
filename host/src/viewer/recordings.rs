//! The recordings in a folder, as the list shows them. Only the beginning and the end of each file are read.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::RecordingInfo;
use crate::limits::{VIEWER_RECORDING_EDGE_BYTES, VIEWER_RECORDING_NAME_MAX_BYTES, VIEWER_RECORDINGS_MAX};

/// What the name of a whole recording ends with.
const WHOLE: &str = ".cast";
/// What the name of one that is being written ends with.
const PART: &str = ".cast.part";

/// Whether a file of this name can be a recording: it has no path in it and is not hidden.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let stem = name.strip_suffix(PART).or_else(|| name.strip_suffix(WHOLE)).unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    name.len() <= VIEWER_RECORDING_NAME_MAX_BYTES && !stem.is_empty() && !stem.starts_with('.') && stem.bytes().all(is_plain)
}

/// The recording of this name in a folder.
///
/// # Errors
///
/// A sentence, when there is none.
pub fn path(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let path = folder.join(name);
    // No link is followed: it may lead out of the folder.
    let is_file = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    if is_name(name) && is_file(&path) {
        return Ok(path);
    }
    // One that was written when it was listed may be whole by now.
    let whole = name.strip_suffix(".part").filter(|whole| is_name(whole)).map(|whole| folder.join(whole));
    whole.filter(|path| is_file(path)).ok_or_else(|| format!("There is no recording `{name}`: recordings are kept for a while only."))
}

/// The newest recordings of a folder, newest first. What cannot be read is left out.
#[must_use]
pub fn list(folder: &Path) -> Vec<RecordingInfo> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| is_name(name)).collect();
    // Names begin with the time.
    names.sort_unstable_by(|one, other| other.cmp(one));
    names.truncate(VIEWER_RECORDINGS_MAX);
    names.into_iter().filter_map(|name| info(folder, name).ok()).collect()
}

fn info(folder: &Path, name: String) -> io::Result<RecordingInfo> {
    let mut file = File::open(path(folder, &name).map_err(io::Error::other)?)?;
    let bytes = file.metadata()?.len();
    let mut heading = String::new();
    BufReader::new(Read::take(&mut file, VIEWER_RECORDING_EDGE_BYTES)).read_line(&mut heading)?;
    let heading: Value = serde_json::from_str(&heading)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (title, began_s) = (text(heading.get("title").unwrap_or(&Value::Null)), heading.get("timestamp").and_then(Value::as_u64));
    let session = heading.pointer("/jackfield/session").map(text).unwrap_or_default();
    let length_s = last_time(&mut file, bytes)?.unwrap_or_default();
    let is_open = name.ends_with(PART);
    Ok(RecordingInfo { name, title, session, began_s: began_s.unwrap_or_default(), length_s, bytes, is_open })
}

/// The time of the last event that is whole and near the end.
fn last_time(file: &mut File, bytes: u64) -> io::Result<Option<f64>> {
    file.seek(SeekFrom::Start(bytes.saturating_sub(VIEWER_RECORDING_EDGE_BYTES)))?;
    let mut end = Vec::new();
    file.take(VIEWER_RECORDING_EDGE_BYTES).read_to_end(&mut end)?;
    let time = |line: &[u8]| serde_json::from_slice::<Value>(line).ok()?.get(0)?.as_f64();
    Ok(end.rsplit(|byte| *byte == b'\n').find_map(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for name in ["a.cast", "20261121T173000Z-web1-main-0123456789abcdef.cast", "a.b.cast.part"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".cast", ".a.cast", "..cast", "../a.cast", "a/b.cast", "a\\b.cast", "/etc/passwd", "a.cast\0", "a.txt", "ä.cast"]
        {
            assert!(!is_name(name), "{name}");
        }
        assert!(!is_name(&format!("{}.cast", "a".repeat(VIEWER_RECORDING_NAME_MAX_BYTES))));
    }

    #[test]
    fn the_list_tells_what_each_one_is_of() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let heading =
            r#"{"version":2,"width":80,"height":24,"timestamp":1700000000,"title":"web1 (linux) as root","jackfield":{"session":"web1"}}"#;
        write("2-web1.cast.part", &format!("{heading}\n[0.5, \"o\", \"a\"]\n[2.25, \"o\", \"b\"]\n[3.0, \"o\", \"cu"));
        write("1-empty.cast", "{\"version\":2}\n");
        write("3-broken.cast", "not json\n");
        write("notes.txt", heading);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("4-link.cast")).unwrap();
        let listed = list(folder.path());
        let names: Vec<&str> = listed.iter().map(|info| info.name.as_str()).collect();
        assert_eq!(names, ["2-web1.cast.part", "1-empty.cast"]);
        let first = &listed[0];
        assert_eq!((first.title.as_str(), first.session.as_str(), first.began_s), ("web1 (linux) as root", "web1", 1_700_000_000));
        assert_eq!((first.length_s, first.is_open, listed[1].length_s), (2.25, true, 0.0));
        assert!(path(folder.path(), "4-link.cast").is_err());
        fs::rename(folder.path().join("2-web1.cast.part"), folder.path().join("2-web1.cast")).unwrap();
        assert!(path(folder.path(), "2-web1.cast.part").unwrap().ends_with("2-web1.cast"));
    }
}
