//! `jackfield plugin test`: recordings, the conformance kit, times and instructions.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::read;
use crate::cli::paint::{BAD, DIM, DOUBT, GOOD, HEAD, painted, say, table};
use crate::kit::report::{Figures, Reached};
use crate::kit::{self, Check, KIT_VERSION, Report, State, Wanted};
use crate::plugin::load::Source;
use crate::plugin::no_component;

/// The folder that is looked into unless another is named.
const RECORDINGS: &str = "recordings";

/// Tests a plugin.
///
/// # Errors
///
/// When it does not load or a recording cannot be read.
pub fn run(mut wanted: Wanted, json: bool) -> Result<ExitCode, String> {
    let here = PathBuf::from(RECORDINGS);
    if wanted.recordings.is_none() && here.is_dir() {
        if is_from_here(&wanted.source) {
            wanted.recordings = Some(here);
        } else {
            let _ = writeln!(
                anstream::stderr(),
                "jackfield: `{RECORDINGS}` here is not played, as the plugin is from elsewhere; name the folder to have it played"
            );
        }
    }
    if let Source::File(path) = &wanted.source
        && let Some(what) = no_component::what(&read(path, wanted.max_file_bytes)?)
    {
        return Err(format!("`{}` {what}", path.display()));
    }
    let report = kit::run(&wanted)?;
    say(&if json { format!("{}\n", report.as_json()) } else { as_text(&report, &wanted) });
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Is it a file below this folder, like that of a project whose recordings are here?
fn is_from_here(source: &Source) -> bool {
    let Source::File(path) = source else { return false };
    let folder = std::env::current_dir().and_then(std::fs::canonicalize).ok();
    std::fs::canonicalize(path).is_ok_and(|file| folder.is_some_and(|folder| file.starts_with(folder)))
}

fn as_text(report: &Report, wanted: &Wanted) -> String {
    let roles = report.roles.join(", ");
    let mut out = format!("{} {}  {roles}\n", painted(HEAD, &report.plugin), report.version);
    out.extend(report.checks.iter().map(check));
    if !report.left_out.is_empty() {
        let recordings = report.left_out.join(", ");
        let _ = writeln!(out, "{}", painted(DIM, &format!("left out: {recordings}")));
    }
    if !report.reached.is_empty() {
        let one = |reached: &Reached| format!("{} {} (answered {})", reached.role, reached.asked, reached.answered);
        let reached = report.reached.iter().map(one).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "{}", painted(DIM, &format!("of {} random views these reached a role: {reached}", report.views)));
    }
    out.push_str(&figures("microseconds of a call", &report.times, 1000));
    out.push_str(&figures("instructions of a call", &report.fuel, 1));
    let count = |state: State| report.checks.iter().filter(|check| check.state == state).count();
    let (failed, untested) = (count(State::Failed), count(State::NotTested));
    let verdict = match (failed, wanted.conformance) {
        (0, true) => format!("conforms to kit {KIT_VERSION}"),
        (0, false) => "passed; --conformance runs the whole kit".to_owned(),
        (1, _) => "1 check failed".to_owned(),
        (count, _) => format!("{count} checks failed"),
    };
    let untested = if untested == 0 { String::new() } else { format!(", {untested} not tested") };
    let style = if failed == 0 { GOOD } else { BAD };
    out + &format!("\n{}{untested}  sha256:{}\n", painted(style, &verdict), report.digest)
}

fn check(check: &Check) -> String {
    let (style, word) = match check.state {
        State::Passed => (GOOD, "passed"),
        State::Failed => (BAD, "failed"),
        State::NotTested => (DOUBT, "not tested"),
    };
    let cases = if check.cases > 0 { format!(" ({} cases)", check.cases) } else { String::new() };
    let mut out = format!("{}  {:<17}{}{}\n", painted(style, &format!("{word:<10}")), check.name, check.about, painted(DIM, &cases));
    for problem in &check.problems {
        let _ = writeln!(out, "              {problem}");
    }
    let more = check.wrong.saturating_sub(check.problems.len() as u64);
    if more > 0 {
        let _ = writeln!(out, "              and {more} more");
    }
    out
}

fn figures(what: &str, list: &[Figures], unit: u64) -> String {
    if list.is_empty() {
        return String::new();
    }
    let row = |one: &Figures| {
        let shown = |value: u64| if unit == 1 { value.to_string() } else { format!("{}.{}", value / unit, value % unit * 10 / unit) };
        vec![one.function.to_owned(), one.calls.to_string(), shown(one.p50), shown(one.p99), shown(one.max)]
    };
    let rows: Vec<Vec<String>> = list.iter().map(row).collect();
    format!("\n{what}\n{}", table(&["FUNCTION", "CALLS", "HALF", "99 OF 100", "MOST"], &rows))
}
