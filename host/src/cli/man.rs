//! `jackfield man`: manual pages, one for each command, made of what `--help` says.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Command;
use clap_mangen::Man;

use super::paint::{put, say};
use crate::atomic;

/// Mode of a page: everybody may read it.
const PAGE_MODE: u32 = 0o644;
/// Commands below commands; a deeper one has no page.
const DEPTH_MAX: usize = 8;

/// A page.
struct Page {
    /// Name of its file, such as `jackfield-secret-set.1`.
    file: String,
    text: Vec<u8>,
}

/// Prints the page of the program, or writes the pages of all commands into a folder.
///
/// # Errors
///
/// When a page cannot be made or written.
pub fn run(out: Option<&Path>, command: &Command) -> Result<ExitCode, String> {
    let command = built(command);
    let Some(folder) = out else {
        let page = page(&command)?;
        put(&page.text);
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(folder).map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    let mut all = Vec::new();
    pages(&command, DEPTH_MAX, &mut all)?;
    for page in &all {
        let path: PathBuf = folder.join(&page.file);
        atomic::write(&path, &page.text, PAGE_MODE).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let first = all.first().map(|page| folder.join(&page.file).display().to_string()).unwrap_or_default();
    say(&format!("{} pages in {}; `man -l {first}` shows the first\n", all.len(), folder.display()));
    Ok(ExitCode::SUCCESS)
}

/// The command with all its names, and without `help`, which repeats all the others.
fn built(command: &Command) -> Command {
    let mut command = command.clone().disable_help_subcommand(true);
    command.build();
    command
}

/// The pages of a command and of those below it that are shown. The command has been built.
fn pages(command: &Command, left: usize, all: &mut Vec<Page>) -> Result<(), String> {
    all.push(page(command)?);
    let Some(left) = left.checked_sub(1) else { return Ok(()) };
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        pages(inner, left, all)?;
    }
    Ok(())
}

fn page(command: &Command) -> Result<Page, String> {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render(&mut text).map_err(|error| format!("cannot make the page of `{}`: {error}", command.get_name()))?;
    // What stands behind the help of our commands is mostly examples, and pages have a heading of their own for these.
    let mut text = String::from_utf8_lossy(&text).replace(".SH EXTRA\n", ".SH EXAMPLES\n");
    let own = format!("-{}", command.get_name());
    if let Some(above) = command.get_display_name().and_then(|name| name.strip_suffix(&own)) {
        let _ = write!(text, ".SH \"SEE ALSO\"\n\\fB{}\\fR(1)\n", above.replace('-', "\\-"));
    }
    Ok(Page { file: man.get_filename(), text: text.into_bytes() })
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn program() -> Command {
        let set = Command::new("set")
            .about("Put a value there")
            .arg(Arg::new("name").required(true))
            .after_help("Examples:\n  jackfield secret set a");
        let secret = Command::new("secret").about("Keep secrets").subcommand(set);
        Command::new("jackfield").version("1.2.3").about("Lines to devices").subcommands([secret, Command::new("internal").hide(true)])
    }

    #[test]
    fn each_command_has_a_page_and_hidden_ones_have_none() {
        let command = built(&program());
        let mut all = Vec::new();
        pages(&command, DEPTH_MAX, &mut all).unwrap();
        let files: Vec<&str> = all.iter().map(|page| page.file.as_str()).collect();
        assert_eq!(files, ["jackfield.1", "jackfield-secret.1", "jackfield-secret-set.1"]);
        let text = String::from_utf8_lossy(&all[2].text).into_owned();
        assert!(text.contains("Put a value there") && text.contains("jackfield secret set"), "{text}");
        assert!(text.contains(".SH EXAMPLES") && text.ends_with(".SH \"SEE ALSO\"\n\\fBjackfield\\-secret\\fR(1)\n"), "{text}");
        assert!(!String::from_utf8_lossy(&all[0].text).contains("help(1)"));
    }

    #[test]
    fn pages_are_written_into_a_folder_that_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("man/man1");
        run(Some(&out), &program()).unwrap();
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 3);
    }
}
