//! `jackfield import`: the configuration of another system as ours, and what could not be carried over.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use zeroize::Zeroizing;

use super::paint::{BAD, DIM, DOUBT, GOOD, HEAD, NAME, painted, say};
use crate::atomic;
use crate::import::{Fate, Imported, KeptValue, Kind, Note, Options, Report, gather, import};
use crate::limits::IMPORT_NAMES_SHOWN;

/// Mode of the file that is written: it holds no secret, but says whom to log in as, and where.
const FILE_MODE: u32 = 0o600;

/// The words behind `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  jackfield import ~/.ssh-mcp/hosts.json --out jackfield.toml\n  jackfield import inventory.ini --store-secrets --out jackfield.toml\n  jackfield import hosts.yaml > jackfield.toml\n  env | grep OVRD_ | jackfield import - --from env\n  jackfield import ~/.config/oxidized/router.db --json\n\nWhat lies beside a file is read with it: group_vars and host_vars, groups.yaml and defaults.yaml, .env, Oxidized's config.\nPasswords are never written: the configuration names entries of the keyring."
)]
pub struct ImportArgs {
    /// Files, or the folder of an inventory; `-` is standard input
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// What the files are, where their content does not tell
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Kind::ALL.map(Kind::word)))]
    pub from: Option<String>,
    /// Write the configuration to this file instead of standard output
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Put passwords of the files into the keyring at once
    #[arg(long)]
    pub store_secrets: bool,
    /// Print the report as one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// Puts a value into the keyring and says where it is now; it returns why not, without the value.
pub type Store<'s> = &'s mut dyn FnMut(&str, &Zeroizing<String>) -> Result<String, String>;

/// Imports.
///
/// The configuration goes to `--out` or standard output, the report to standard error, or with `--json` to standard output; there it has
/// the configuration in it unless `--out` names a file.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(args: &ImportArgs, store: Store<'_>) -> Result<ExitCode, String> {
    if let Some(out) = &args.out {
        refuse_to_replace(out, args.force)?;
    }
    let options = Options { from: args.from.as_deref().and_then(Kind::of_word), store: args.store_secrets, out: args.out.clone() };
    let mut imported = import(&gather(&args.files)?, &options)?;
    // The file first: a value in the keyring that no configuration names would be lost sight of.
    if let Some(out) = &args.out {
        refuse_to_replace(out, args.force)?;
        atomic::write(out, imported.toml.as_bytes(), FILE_MODE).map_err(|error| format!("cannot write {}: {error}", out.display()))?;
    }
    let complaints = store_all(&mut imported, store);
    match (args.json, &args.out) {
        (true, out) => say(&as_json(&imported, out.as_deref(), &complaints)),
        (false, None) => {
            say(&imported.toml);
            tell(&as_text(&imported.report, None, &complaints));
        }
        (false, Some(out)) => tell(&as_text(&imported.report, Some(out), &complaints)),
    }
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn refuse_to_replace(out: &Path, force: bool) -> Result<(), String> {
    // A link that leads nowhere is there too.
    if force || std::fs::symlink_metadata(out).is_err() {
        return Ok(());
    }
    Err(format!("{} is there already: name another file with `--out`, or say `--force` to replace it", out.display()))
}

/// Stores each value, and says of those that are not stored why.
fn store_all(imported: &mut Imported, store: Store<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    for KeptValue { entry, value } in std::mem::take(&mut imported.values) {
        match store(&entry, &value) {
            Ok(_) => {
                for needed in imported.report.secrets.iter_mut().filter(|needed| needed.from == "keyring" && needed.name == entry) {
                    needed.stored = true;
                }
            }
            Err(why) => complaints.push(format!("`{entry}` is not in the keyring: {why}; `jackfield secret set {entry}` asks for it")),
        }
    }
    complaints
}

/// Writes to standard error: standard output may be the configuration.
fn tell(text: &str) {
    // A closed pipe is the reader's choice.
    let _ = write!(anstream::stderr(), "{text}");
}

fn as_json(imported: &Imported, out: Option<&Path>, complaints: &[String]) -> String {
    let mut whole = json!({ "ok": complaints.is_empty(), "report": imported.report, "problems": complaints });
    if let Some(object) = whole.as_object_mut() {
        match out {
            Some(out) => object.insert("out".to_owned(), json!(out.display().to_string())),
            None => object.insert("toml".to_owned(), json!(imported.toml)),
        };
    }
    format!("{whole}\n")
}

/// The report for a person.
fn as_text(report: &Report, out: Option<&Path>, complaints: &[String]) -> String {
    let mut text = String::new();
    for file in &report.files {
        let _ = writeln!(text, "{}  {}: {}, {}", painted(GOOD, "read"), file.path, file.title, devices(file.devices));
    }
    if let Some(out) = out {
        let _ = writeln!(text, "{}  {}: {}", painted(GOOD, "made"), out.display(), devices(report.devices.len()));
    }
    for (fate, heading) in [(Fate::Changed, "Changed on the way"), (Fate::Left, "Left behind")] {
        let notes: Vec<&Note> = report.notes.iter().filter(|note| note.fate == fate).collect();
        if !notes.is_empty() {
            let _ = writeln!(text, "\n{}", painted(HEAD, heading));
        }
        for note in notes {
            let _ = writeln!(text, "  {}{}: {}", painted(DOUBT, &note.what), whose(&note.devices), note.why);
        }
    }
    if !report.secrets.is_empty() {
        let _ = writeln!(text, "\n{}", painted(HEAD, "Secrets"));
    }
    for needed in &report.secrets {
        let state = match (needed.from, needed.stored) {
            ("keyring", true) => "stored",
            ("keyring", false) => "to be set",
            _ => "named",
        };
        let (from, name, role) = (needed.from, painted(NAME, &needed.name), needed.role);
        let _ = writeln!(text, "  {from} {name}: {role}{}, {state}; it was {}", whose(&needed.devices), needed.origin);
    }
    for complaint in complaints {
        let _ = writeln!(text, "\n{}  {complaint}", painted(BAD, "wrong"));
    }
    let _ = writeln!(text, "\n{}", painted(HEAD, "Now"));
    for (number, step) in report.next.iter().enumerate() {
        let _ = writeln!(text, "  {}. {step}", number + 1);
    }
    text
}

fn devices(count: usize) -> String {
    if count == 1 { "1 device".to_owned() } else { format!("{count} devices") }
}

/// ` of a, b and 3 more`.
fn whose(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let shown = names.iter().take(IMPORT_NAMES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(IMPORT_NAMES_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{DIM} of {shown}{more}{DIM:#}")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        import: ImportArgs,
    }

    const HOSTS: &str = "{\"hosts\": [{\"id\": \"web\", \"host\": \"192.0.2.1\", \"username\": \"ops\", \"password\": \"hunter2\"}]}";

    /// Runs the words in a folder with `hosts.json`; gives what came of it, and what was stored.
    fn check(folder: &Path, words: &[&str]) -> (Result<ExitCode, String>, Vec<(String, String)>) {
        let hosts = folder.join("hosts.json");
        fs::write(&hosts, HOSTS).unwrap();
        let words = ["import"].into_iter().chain(words.iter().copied()).chain(hosts.to_str());
        let args = Program::try_parse_from(words).unwrap().import;
        let stored = RefCell::new(Vec::new());
        let ran = run(&args, &mut |entry, value| {
            stored.borrow_mut().push((entry.to_owned(), value.to_string()));
            Ok("the keyring of this test".to_owned())
        });
        (ran, stored.into_inner())
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("jackfield.toml");
        let word = out.to_str().unwrap();
        fs::write(&out, "mine").unwrap();
        let (ran, stored) = check(folder.path(), &["--store-secrets", "--out", word]);
        assert!(ran.unwrap_err().contains("is there already"));
        assert_eq!((fs::read_to_string(&out).unwrap().as_str(), stored.len()), ("mine", 0));
        check(folder.path(), &["--force", "--out", word]).0.unwrap();
        assert!(fs::read_to_string(&out).unwrap().contains("[device.web]"));
        // A link that leads nowhere is there as well.
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
        assert!(check(folder.path(), &["--out", link.to_str().unwrap()]).0.unwrap_err().contains("is there already"));
    }

    #[test]
    fn a_new_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new.toml");
        check(folder.path(), &["--out", out.to_str().unwrap()]).0.unwrap();
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn secrets_are_stored_only_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check(folder.path(), &["--json"]).1, []);
        assert_eq!(check(folder.path(), &["--json", "--store-secrets"]).1, [("web".to_owned(), "hunter2".to_owned())]);
    }

    #[test]
    fn a_secret_that_is_not_taken_is_said_without_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().join("hosts.json");
        fs::write(&hosts, HOSTS).unwrap();
        let options = Options { store: true, ..Options::default() };
        let mut imported = import(&gather(&[hosts]).unwrap(), &options).unwrap();
        let complaints = store_all(&mut imported, &mut |_, _| Err("there is no keyring".to_owned()));
        assert_eq!(complaints, ["`web` is not in the keyring: there is no keyring; `jackfield secret set web` asks for it"]);
        let text = as_text(&imported.report, None, &complaints) + &as_json(&imported, None, &complaints);
        assert!(text.contains("to be set") && !text.contains("hunter2"), "{text}");
        assert!(!imported.report.secrets.iter().any(|needed| needed.stored));
    }

    #[test]
    fn the_report_says_what_was_stored() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().join("hosts.json");
        fs::write(&hosts, HOSTS).unwrap();
        let mut imported = import(&gather(&[hosts]).unwrap(), &Options { store: true, ..Options::default() }).unwrap();
        assert!(store_all(&mut imported, &mut |_, _| Ok(String::new())).is_empty());
        assert!(as_text(&imported.report, None, &[]).contains("stored"));
        let whole: serde_json::Value = serde_json::from_str(&as_json(&imported, None, &[])).unwrap();
        assert_eq!(whole.pointer("/report/secrets/0/stored"), Some(&serde_json::Value::Bool(true)));
        assert!(whole.pointer("/toml").is_some());
    }

    #[test]
    fn kinds_are_named_when_one_is_wrong() {
        let error = Program::try_parse_from(["import", "--from", "ansibel", "x"]).err().map(|error| error.to_string());
        assert!(error.unwrap_or_default().contains("session-config"));
    }
}
