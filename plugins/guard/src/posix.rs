//! POSIX shells: a command is parsed as a shell parses it, then read for a proof that it only reads, and
//! where there is none for what destroys.

use jackfield_plugin::text::{self, Search};
use std::iter;

use crate::verdict::{Assessment, Danger, Doubt, excerpt_of, first};

pub(crate) use self::destructive::Listing;
use self::syntax::{Faults, Parsed};

mod awk;
mod csh;
mod destructive;
mod lexer;
mod parse;
mod read;
mod sed;
mod syntax;

/// What nothing but a shell could mean.
const CERTAIN: [&str; 7] =
    ["posix.wipe", "posix.outage", "posix.lockout", "posix.device-write", "posix.critical-file", "posix.code-from-data", "posix.fork-bomb"];

/// Judges a command of a shell. `cwd` is the working directory where the host knows it.
pub(crate) fn assess(command: &str, cwd: Option<&str>) -> Assessment {
    let parsed = parse::parse(command);
    let (proof, replaces) = read::prove(&parsed);
    // A read gives away what it shows.
    let proof = proof.and_then(|()| match destructive::secret_shown(command, &parsed, replaces, cwd) {
        Some(line) => Err(Doubt::new("posix.secret-file", shows(&line))),
        None => Ok(()),
    });
    let danger = if proof.is_ok() { None } else { destructive::find(&parsed, cwd) };
    Assessment { proof, read_rule: "read.posix.allowed", unfinished: unfinished(&parsed), danger }
}

/// Why a line that shows a file of secrets is more than a read.
pub(crate) fn shows(line: &[String]) -> String {
    format!("{} shows what is secret", excerpt_of(line))
}

/// Does this path lead to a file that holds secrets, on whatever device?
pub(crate) fn is_secret_file(path: &str) -> bool {
    destructive::is_secret_file(path)
}

/// A line taken apart.
pub(crate) fn listing(command: &str, cwd: Option<&str>) -> Listing {
    destructive::listing(&parse::parse(command), cwd)
}

/// A line that is typed into a running program, in each way in which a shell may read it.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    line: &'a str,
    read: [Parsed; 3],
}

impl<'a> Answer<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self { line, read: readings(line).map(|text| parse::parse(&text)) }
    }

    pub(crate) fn danger(&self, cwd: Option<&str>) -> Option<Danger> {
        first(self.read.iter().filter_map(|parsed| destructive::find_in_answer(parsed, cwd)))
    }

    /// Taken apart.
    pub(crate) fn listings(&self, cwd: Option<&str>) -> impl Iterator<Item = Listing> {
        // Behind an open quote all of a line is one text where it holds nothing that ends the quote or works in it.
        let signs: [&[char]; 3] = [&[], &['\''], &['"', '$', '`', '\\']];
        let read = self.read.iter().zip(signs).filter(|(_, signs)| signs.is_empty() || self.line.contains(*signs));
        read.map(move |(parsed, _)| {
            let listing = destructive::listing_of_answer(parsed, cwd);
            // A proven read is stopped by nothing but the secrets that it shows.
            let commands = if read::prove(parsed).0.is_ok() { Vec::new() } else { listing.commands };
            Listing { commands, ..listing }
        })
    }
}

/// As for a shell whose quoting is not POSIX: only what reads alike in both is proven there.
pub(crate) fn assess_csh(command: &str, cwd: Option<&str>) -> Assessment {
    if csh::reads_alike(command) {
        return assess(command, cwd);
    }
    // At its prompt nothing is a comment, and each row is a line of its own, whatever quote is open.
    let parsed = parse::parse(command);
    let open = unfinished(&parsed);
    let rows = command.lines().map(|row| parse::parse(&row.replaced("#", "")));
    let danger = first(iter::once(parsed).chain(rows).filter_map(|parsed| destructive::find(&parsed, cwd)));
    let doubt = Doubt::new("posix.csh", "csh reads this otherwise than other shells, so it is not proven to be a read");
    Assessment { proof: Err(doubt), read_rule: "read.posix.allowed", unfinished: open, danger }
}

/// What a shell may read of such a line: it may end a quote that an earlier line opened, and a pager or an editor gives what
/// stands behind `!` to a shell.
fn readings(line: &str) -> [String; 3] {
    let line = bare(line);
    ["", "'", "\""].map(|quote| format!("{quote}{line}"))
}

/// The line without what tells an editor or a pager that it is a command. In `:()` the sign is the name of a function.
fn bare(line: &str) -> &str {
    let typed = text::trim_start(line);
    let bare = typed.trim_start_matches(':').trim_start_matches('!');
    let is_head = text::trim_start(bare).strip_prefix('(').is_some_and(|rest| text::trim_start(rest).starts_with(')'));
    if is_head { typed } else { bare }
}

/// Judges a line of which nobody knows whether a shell reads it: only what no other program could mean.
pub(crate) fn foreign_danger(line: &str) -> Option<Danger> {
    let line = bare(line);
    let plain = parse::parse(line);
    let alone = plain.faults.unexpected.is_none() && !a_quote_matters(line);
    let continued = if alone { &[][..] } else { &["'", "\""] };
    let continued = continued.iter().map(|quote| parse::parse(&format!("{quote}{line}")));
    // What no shell would take is a line of something else.
    let read_by_shells = iter::once(plain).chain(continued).filter(|parsed| parsed.faults.unexpected.is_none());
    first(read_by_shells.filter_map(|parsed| destructive::find_in_answer(&parsed, None)))?.counted(is_certain)
}

fn is_certain(danger: &Danger) -> bool {
    CERTAIN.contains(&danger.rule)
}

/// May a line mean something else behind an open quote? Most lines of devices are a single word there: with a blank in it a text of
/// its own, which was read already, and without `/` no program's path.
fn a_quote_matters(line: &str) -> bool {
    line.has_any("'\"$`\\") || line.has('/') && !line.has(' ')
}

/// Judges a program text of another language for the commands that it starts.
pub(crate) fn program_danger(text: &str) -> Option<Danger> {
    destructive::in_program(text)
}

fn unfinished(parsed: &Parsed) -> Option<Danger> {
    let Faults { unclosed, .. } = parsed.faults;
    let reason = format!("{} is not closed, the shell would wait for the rest", unclosed?);
    Some(Danger::new("posix.unfinished", reason).advise("Close it and send the whole command."))
}

/// The same by every way to read the line, with which the shorter ones are compared.
#[cfg(test)]
pub(crate) fn foreign_danger_in_full(line: &str) -> Option<Danger> {
    let continued = readings(line).map(|text| parse::parse(&text));
    let read_by_shells = continued.iter().filter(|parsed| parsed.faults.unexpected.is_none());
    first(read_by_shells.filter_map(|parsed| destructive::find_in_answer(parsed, None)))?.counted(is_certain)
}
