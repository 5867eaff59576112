//! `jackfield replay`: a recording of a session in this terminal.

use std::fs::File;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::paint::{DIM, painted, say, say_line, table};
use super::runtime::block_on;
use super::sessions::attach::PLAIN;
use crate::instant;
use crate::limits::SHOWN_STRING_MAX_BYTES;
use crate::startup;
use crate::terminal::sieve::Sieve;
use crate::viewer::{RecordingInfo, recordings};

/// The longest silence that is kept: nobody watches a prompt.
const SILENCE_MAX: Duration = Duration::from_secs(2);

/// How much slower or faster than it was.
const SPEEDS: RangeInclusive<f64> = 0.01..=1000.0;

/// What is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// A recording, or the session whose newest is meant; none lists them.
    pub name: Option<&'a str>,
    /// So many times as fast.
    pub speed: f64,
    /// Print the list as JSON.
    pub json: bool,
}

/// Plays one, or lists them.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(wanted: &Wanted<'_>) -> Result<ExitCode, String> {
    let folder = startup::recordings_folder()?;
    let all = recordings::list(&folder);
    let Some(name) = wanted.name else {
        list(&all, wanted.json);
        return Ok(ExitCode::SUCCESS);
    };
    // The newest is the first.
    let of_session = || all.iter().find(|known| known.session == name).map(|known| known.name.as_str());
    let chosen = all.iter().find(|known| known.name == name).map(|known| known.name.as_str()).or_else(of_session);
    let chosen = chosen.ok_or_else(|| {
        format!("there is no recording `{name}` and none of a session of that name; `jackfield replay` lists them. `[audit] recordings = true` has sessions recorded")
    })?;
    check_speed(wanted.speed)?;
    let path = recordings::path(&folder, chosen)?;
    let played = block_on(async {
        let mut out = std::io::stdout();
        tokio::select! {
            played = play(&path, wanted.speed, &mut out) => played,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    })?;
    if std::io::stdout().is_terminal() {
        say(PLAIN);
        say_line(&painted(DIM, &format!("\r\nend of {chosen}")));
    }
    played.map(|()| ExitCode::SUCCESS)
}

fn check_speed(speed: f64) -> Result<(), String> {
    let (least, most) = (SPEEDS.start(), SPEEDS.end());
    let wrong = || format!("--speed is {speed}; it is how many times as fast, from {least} to {most}, for example 2 or 0.5");
    SPEEDS.contains(&speed).then_some(()).ok_or_else(wrong)
}

fn list(all: &[RecordingInfo], json: bool) {
    if json {
        return say(&format!("{}\n", json!({"recordings": all})));
    }
    if all.is_empty() {
        return say_line("there is no recording; `[audit] recordings = true` has sessions recorded");
    }
    let row = |one: &RecordingInfo| {
        let began = instant::shown(instant::millis(UNIX_EPOCH + Duration::from_secs(one.began_s)));
        let length = if one.is_open { "goes on".to_owned() } else { format!("{:.0} s", one.length_s) };
        vec![began.chars().take(19).collect(), one.session.clone(), length, one.name.clone()]
    };
    say(&table(&["BEGAN (UTC)", "SESSION", "LENGTH", "NAME"], &all.iter().map(row).collect::<Vec<_>>()));
}

/// Prints what was shown, as it came (asciicast v2: a heading, then `[seconds, kind, data]` a line), but for what asks a terminal
/// something: this one would type the answer into the shell that it belongs to.
async fn play(path: &Path, speed: f64, out: &mut impl Write) -> Result<(), String> {
    let file = File::open(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let (mut at, begun) = (0.0_f64, Instant::now());
    let mut shown = Duration::ZERO;
    let (mut sieve, mut passed) = (Sieve::new(SHOWN_STRING_MAX_BYTES), Vec::new());
    for line in BufReader::new(file).lines().skip(1) {
        let line = line.map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        // The last line of one that goes on may not be whole yet.
        let Ok(Value::Array(event)) = serde_json::from_str(&line) else { continue };
        let [Value::Number(seconds), Value::String(kind), Value::String(data)] = event.as_slice() else { continue };
        if kind != "o" {
            continue;
        }
        let seconds = seconds.as_f64().unwrap_or(at).max(at);
        shown += Duration::from_secs_f64((seconds - at).min(SILENCE_MAX.as_secs_f64()) / speed);
        at = seconds;
        sleep_until(begun + shown).await;
        // As it was shown: what a terminal makes of it is the point.
        passed.clear();
        sieve.add(data.as_bytes(), &mut passed);
        if out.write_all(&passed).and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_one_that_a_pause_can_be_divided_by() {
        assert!([0.01, 0.5, 1.0, 1000.0].iter().all(|speed| check_speed(*speed).is_ok()));
        for wrong in [0.0, -1.0, 1e-300, 1e9, f64::NAN, f64::INFINITY] {
            assert!(check_speed(wrong).unwrap_err().contains("from 0.01 to 1000"), "{wrong}");
        }
    }

    #[tokio::test]
    async fn what_a_terminal_would_answer_is_not_played() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.cast");
        let lines =
            ["{\"version\":2}", r#"[0.0, "o", "a\u001b["]"#, r#"[0.0, "i", "x"]"#, r#"[0.0, "o", "6nb\u001b[1mc\u001b]11;?\u0007"]"#];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let mut out = Vec::new();
        play(&path, 1.0, &mut out).await.unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "ab\x1b[1mc");
    }
}
