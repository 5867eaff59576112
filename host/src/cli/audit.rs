//! `jackfield audit`: proves the audit record, shows it, and gives it to other programs.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use self::table::table;
use super::paint::say;
use super::since::since_ms;
use crate::audit::read::{self, Wanted};
use crate::audit::verify::{self, Place, Verified};
use crate::limits::AUDIT_SHOWN;
use crate::startup;

mod table;

/// The commands of `jackfield audit`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prove that nothing was changed, cut, moved, taken out or put in
    #[command(
        after_help = "Examples:\n  jackfield audit verify\n  jackfield audit verify --key audit.pub copy/audit.jsonl\n  jackfield audit verify --json | jq .problems"
    )]
    Verify {
        /// Only this file, without asking what comes before and after it
        file: Option<PathBuf>,
        /// The public key that must have signed, instead of the one beside the record
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show what was asked, decided and done, newest first
    #[command(
        after_help = "Examples:\n  jackfield audit show --target web1 --since 2h\n  jackfield audit show --since 2026-11-21 --limit 1000 --json"
    )]
    Show {
        /// Only this device, or this session as device#session
        #[arg(long)]
        target: Option<String>,
        /// Only since then: 2h, 3d, or an instant such as 2026-11-21T08:00:00Z
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = AUDIT_SHOWN)]
        limit: usize,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the records as JSON lines, as they are, after proving them
    #[command(
        after_help = "Examples:\n  jackfield audit export --since 1d > yesterday.jsonl\n  jackfield audit export --out /mnt/evidence/audit.jsonl"
    )]
    Export {
        /// Only since then: 2h, 3d, or an instant such as 2026-11-21T08:00:00Z
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// Write to this new file instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Runs one of them.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(command: Command, config: Option<&Path>) -> Result<ExitCode, String> {
    match command {
        Command::Verify { file, key, json } => {
            let verified = match &file {
                Some(file) => verify::file(file, key.as_deref()),
                None => verify::folder(&folder(config)?, key.as_deref()),
            };
            let verified = verified.map_err(|error| error.to_string())?;
            say(&if json { as_json(&verified) } else { as_text(&verified) });
            Ok(if verified.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Show { target, since, limit, json } => {
            let wanted = Wanted { target, since_ms: since.as_deref().map(since_ms).transpose()?, limit };
            show(&folder(config)?, &wanted, json)
        }
        Command::Export { since, out } => export(&folder(config)?, since.as_deref().map(since_ms).transpose()?, out.as_deref()),
    }
}

/// The record's folder, by the configuration.
fn folder(config: Option<&Path>) -> Result<PathBuf, String> {
    let config = startup::config(config)?;
    startup::audit_folder(&config).ok_or_else(|| "neither XDG_STATE_HOME nor HOME is set, so there is no audit record".to_owned())
}

fn as_text(verified: &Verified) -> String {
    let mut text: String = verified.problems.iter().map(|problem| format!("WRONG  {problem}\n")).collect();
    let more = verified.wrong.saturating_sub(verified.problems.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "WRONG  and {more} more");
    }
    text.extend(verified.torn.iter().map(|torn| format!("torn   {torn}\n")));
    let last = verified.last.map(|(seq, hash)| format!(", the last is {seq} sha256:{hash}")).unwrap_or_default();
    let span = verified.since.as_deref().zip(verified.until.as_deref()).map(|(since, until)| format!(" from {since} to {until}"));
    let word = if verified.wrong == 0 { "whole " } else { "BROKEN" };
    let signed = verified.key.as_ref().map(|key| format!(", {} signatures by {key}", verified.signatures)).unwrap_or_default();
    let _ = writeln!(text, "{word} {} records{}{last}{signed}", verified.records, span.unwrap_or_default());
    text
}

fn as_json(verified: &Verified) -> String {
    let place = |place: &Place| json!({"file": place.file.display().to_string(), "line": place.line, "what": place.what});
    let last = verified.last.map(|(seq, hash)| json!({"seq": seq, "sha256": hash.to_string()}));
    let files: Vec<String> = verified.files.iter().map(|file| file.display().to_string()).collect();
    let value = json!({
        "whole": verified.wrong == 0, "records": verified.records, "first": verified.first, "last": last,
        "since": verified.since, "until": verified.until, "signatures": verified.signatures, "key": verified.key, "files": files,
        "wrong": verified.wrong, "problems": verified.problems.iter().map(place).collect::<Vec<_>>(),
        "torn": verified.torn.iter().map(place).collect::<Vec<_>>(),
    });
    format!("{value}\n")
}

fn show(folder: &Path, wanted: &Wanted, json: bool) -> Result<ExitCode, String> {
    if wanted.limit == 0 {
        return Err("--limit is 0; it takes 1 or more".to_owned());
    }
    let events = read::events(folder, wanted).map_err(unreadable)?;
    if json {
        let with_end = |event: read::Event| {
            let mut fields = event.fields;
            fields.extend(event.end.map(|end| ("end".to_owned(), Value::Object(end))));
            Value::Object(fields)
        };
        let list: Vec<Value> = events.into_iter().map(with_end).collect();
        say(&format!("{}\n", json!({"events": list})));
    } else {
        say(&table(&events));
    }
    Ok(ExitCode::SUCCESS)
}

fn export(folder: &Path, since_ms: Option<i64>, out: Option<&Path>) -> Result<ExitCode, String> {
    let verified = verify::folder(folder, None).map_err(|error| error.to_string())?;
    if let Some(problem) = verified.problems.first() {
        return Err(format!(
            "the audit record is broken, so nothing is exported: {problem}; `jackfield audit verify` tells all, the files are in `{}`",
            folder.display()
        ));
    }
    let mut written = 0_u64;
    let mut write = |out: &mut dyn io::Write| {
        read::each(folder, |link, line| {
            if read::is_since(link, since_ms) {
                written += 1;
                out.write_all(line)?;
                out.write_all(b"\n")?;
            }
            Ok(())
        })
    };
    let Some(path) = out else {
        let mut out = BufWriter::new(io::stdout().lock());
        return match write(&mut out).and_then(|()| out.flush().map_err(|error| (PathBuf::from("standard output"), error))) {
            // A closed pipe is the reader's choice.
            Err((_, error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot export: {error}")),
            _ => Ok(ExitCode::SUCCESS),
        };
    };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("`{}` is there already: name a new file with `--out`", path.display()),
        _ => format!("cannot write `{}`: {error}", path.display()),
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let mut out = BufWriter::new(file);
    write(&mut out).map_err(unreadable)?;
    out.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all()).map_err(failed)?;
    say(&format!("{written} records in {}\n", path.display()));
    Ok(ExitCode::SUCCESS)
}

fn unreadable((path, error): (PathBuf, io::Error)) -> String {
    format!("cannot read `{}`: {error}", path.display())
}
