//! The programs that are known, and what of them is a read.

use crate::verdict::{Doubt, Proof, excerpt, listed};
use jackfield_plugin::text::Search;

use super::argument::Argument;
use super::options::{Line, Shape};
use super::{disks, files, network, packages, services, system, tools};

/// What of a program is a read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// No argument makes it change anything.
    Any,
    /// With these options.
    Only(Shape),
    /// With these options, and with no word that may hold `-o`: it writes a file, and how the others take values is the program's own way.
    NoOutput(Shape),
    /// With these options, one of the named ones among them, before the operands.
    Needs(Shape, &'static str),
    /// With these options, and the first operand is one of these words; with `|` in front there may be none.
    First(Shape, &'static str),
    /// With exactly one of these argument lists.
    Exactly(&'static [&'static str]),
    /// With anything but these options.
    Without(&'static [&'static str]),
    /// A tool with commands of its own.
    Tool(&'static Tool),
    /// What a table cannot say. The first argument is the program.
    Check(fn(&[Argument]) -> Proof),
}

/// A tool like `git`: options, a command, and what that command takes.
#[derive(Debug)]
pub(super) struct Tool {
    /// Options before the command.
    pub(super) options: Shape,
    /// May stand without a command.
    pub(super) bare: bool,
    /// Command words, with a blank between, and the rule of them.
    pub(super) commands: &'static [(&'static str, Rule)],
}

/// A program's name and its rule.
pub(super) type Entry = (&'static str, Rule);

pub(super) const MANY: usize = usize::MAX;

pub(super) const fn only(letters: &'static str, long: &'static str) -> Rule {
    Rule::Only(Shape { letters, long, operands: MANY })
}

pub(super) const fn no_output(letters: &'static str, long: &'static str) -> Rule {
    Rule::NoOutput(Shape { letters, long, operands: MANY })
}

pub(super) const fn at_most(operands: usize, letters: &'static str, long: &'static str) -> Rule {
    Rule::Only(Shape { letters, long, operands })
}

pub(super) const fn needs(flags: &'static str, operands: usize, letters: &'static str, long: &'static str) -> Rule {
    Rule::Needs(Shape { letters, long, operands }, flags)
}

pub(super) const fn first(words: &'static str, letters: &'static str, long: &'static str) -> Rule {
    Rule::First(Shape { letters, long, operands: MANY }, words)
}

/// Each sorted by name.
pub(super) const TABLES: [&[Entry]; 7] =
    [files::PROGRAMS, system::PROGRAMS, disks::PROGRAMS, network::PROGRAMS, packages::PROGRAMS, services::PROGRAMS, tools::PROGRAMS];

/// All of them, sorted by name: one search instead of seven.
static PROGRAMS: [Entry; count()] = merged();

#[expect(clippy::indexing_slicing, reason = "it runs while compiling, where a wrong index does not compile")]
const fn count() -> usize {
    let (mut count, mut table) = (0, 0);
    while table < TABLES.len() {
        count += TABLES[table].len();
        table += 1;
    }
    count
}

#[expect(clippy::indexing_slicing, reason = "it runs while compiling, where a wrong index does not compile")]
const fn merged() -> [Entry; count()] {
    let mut merged = [TABLES[0][0]; count()];
    let (mut places, mut filled) = ([0; TABLES.len()], 0);
    while filled < merged.len() {
        let (mut least, mut table) = (None, 0);
        while table < TABLES.len() {
            if places[table] < TABLES[table].len() {
                let entry = TABLES[table][places[table]];
                least = match least {
                    Some((other, name)) if !is_before(entry.0, name) => Some((other, name)),
                    _ => Some((table, entry.0)),
                };
            }
            table += 1;
        }
        if let Some((table, _)) = least {
            merged[filled] = TABLES[table][places[table]];
            places[table] += 1;
        }
        filled += 1;
    }
    merged
}

#[expect(clippy::indexing_slicing, reason = "it runs while compiling, where a wrong index does not compile")]
const fn is_before(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut place = 0;
    while place < one.len() && place < other.len() {
        if one[place] != other[place] {
            return one[place] < other[place];
        }
        place += 1;
    }
    one.len() < other.len()
}

/// Programs of which only the question for their version is known to be a read, sorted by name, with the words that ask for it beside
/// `--version`. To others these words are options like any other, or the name of a file that is run: `bash -v` runs what it is fed.
const VERSION_ONLY: [(&str, &str); 32] = [
    ("ansible", ""),
    ("bash", ""),
    ("cargo", "-V version"),
    ("cc", "-v"),
    ("clang", "-v"),
    ("cmake", ""),
    ("curl", "-V"),
    ("gcc", "-v"),
    ("go", "version"),
    ("haproxy", "-v -vv"),
    ("java", "-version"),
    ("make", ""),
    ("mongod", ""),
    ("mysql", "-V"),
    ("mysqld", "-V"),
    ("nginx", "-v -V"),
    ("node", "-v"),
    ("npm", "-v version"),
    ("perl", "-v -V"),
    ("php", "-v -m"),
    ("postgres", "-V"),
    ("psql", "-V"),
    ("python", "-V"),
    ("python3", "-V"),
    ("redis-server", "-v"),
    ("rsync", "-V"),
    ("ruby", "-v"),
    ("rustc", "-V"),
    ("sshd", "-V"),
    ("sudo", "-V"),
    ("terraform", "-v -version version"),
    ("wget", "-V"),
];

/// Is anything of this program a read?
pub(super) fn knows(program: &str) -> bool {
    let name = base_name(program);
    lookup(name).is_some() || asks_for_version(name).is_some()
}

/// Does this program with these arguments only read?
pub(super) fn judge(arguments: &[Argument]) -> Proof {
    let Some((program, rest)) = arguments.split_first() else { return Ok(()) };
    let name = base_name(&program.text);
    if let Some(rule) = lookup(name) {
        // Whatever else a program of these takes: to those that do not know the word it is an error.
        let takes_options = matches!(rule, Rule::Only(_) | Rule::NoOutput(_) | Rule::Needs(..) | Rule::First(..));
        let asks = matches!(rest, [only] if only.is("--version") || only.is("--help"));
        return if takes_options && asks { Ok(()) } else { apply(&rule, arguments) };
    }
    if let ([only], Some(words)) = (rest, asks_for_version(name))
        && (only.is("--version") || only.exact && !only.text.is_empty() && listed(words, &only.text))
    {
        return Ok(());
    }
    Err(Doubt::new("posix.unknown-program", format!("{} is not known to read only", excerpt(&program.text))))
}

/// The words besides `--version` by which this program is asked for its version, where only that is known of it.
fn asks_for_version(name: &str) -> Option<&'static str> {
    let place = VERSION_ONLY.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    VERSION_ONLY.get(place).map(|(_, words)| *words)
}

/// The program's name; a path counts only where nobody but the system's owner puts programs.
fn base_name(path: &str) -> &str {
    const TRUSTED: [&str; 6] = ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"];
    TRUSTED.iter().find_map(|folder| path.strip_prefix(folder)).filter(|name| !name.has('/')).unwrap_or(path)
}

fn lookup(name: &str) -> Option<Rule> {
    let place = PROGRAMS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    PROGRAMS.get(place).map(|(_, rule)| *rule)
}

pub(super) fn apply(rule: &Rule, arguments: &[Argument]) -> Proof {
    match rule {
        Rule::Any => Ok(()),
        Rule::Only(shape) => shape.read(arguments).map(drop),
        Rule::NoOutput(shape) => {
            let letters = |argument: &Argument| argument.text.starts_with('-') && !argument.text.starts_with("--");
            let may_hold = |argument: &Argument| letters(argument) && (!argument.exact || argument.text.has('o'));
            if arguments.iter().skip(1).any(|argument| argument.may_be_option() || may_hold(argument)) {
                return Err(writes(arguments));
            }
            shape.read(arguments).map(drop)
        }
        Rule::Needs(shape, flags) => {
            let line = shape.read(arguments)?;
            if line.begins_with_any(flags) { Ok(()) } else { Err(writes(arguments)) }
        }
        Rule::First(shape, words) => first_word(&shape.read(arguments)?, words, arguments),
        Rule::Exactly(lines) => {
            let same = |line: &&str| line.split_whitespace().eq(arguments.iter().skip(1).map(|argument| argument.text.as_str()));
            let exact = arguments.iter().all(|argument| argument.exact);
            if exact && lines.iter().any(same) { Ok(()) } else { Err(writes(arguments)) }
        }
        Rule::Without(refused) => without(refused, arguments),
        Rule::Tool(tool) => command(tool, arguments),
        Rule::Check(check) => check(arguments),
    }
}

fn first_word(line: &Line<'_>, words: &str, arguments: &[Argument]) -> Proof {
    let known = match line.operands.first() {
        None => words.starts_with('|'),
        Some(operand) => operand.exact && words.trim_start_matches('|').split(' ').any(|word| word == operand.text),
    };
    if known { Ok(()) } else { Err(writes(arguments)) }
}

/// An option may be shortened, so the beginning of a refused one is refused. Some tools take `_` for `-` in it.
fn without(refused: &[&str], arguments: &[Argument]) -> Proof {
    for argument in arguments.iter().skip(1) {
        let name = argument.text.split('=').next().unwrap_or_default().replace('_', "-");
        let hits = |option: &&str| match option.strip_prefix("--") {
            Some(_) => name.len() > 2 && option.starts_with(&name) || name == *option,
            None => argument.text.starts_with(*option),
        };
        if argument.may_be_option() || refused.iter().any(hits) {
            return Err(writes(arguments));
        }
    }
    Ok(())
}

fn command(tool: &Tool, arguments: &[Argument]) -> Proof {
    if matches!(arguments, [_, only] if only.is("--version") || only.is("--help")) {
        return Ok(());
    }
    let place = tool.options.first_operand(arguments)?;
    let Some(word) = arguments.get(place) else {
        return if tool.bare { Ok(()) } else { Err(writes(arguments)) };
    };
    let rule = tool.commands.iter().find(|(names, _)| names.split(' ').any(|name| word.is(name))).map(|(_, rule)| rule);
    let program = arguments.first().map_or("", |program| program.text.as_str());
    let Some(rule) = rule else {
        let shown = excerpt(&format!("{program} {}", word.text));
        return Err(Doubt::new("posix.subcommand", format!("{shown} is not known to read only")));
    };
    // The reason shall name both words.
    let named = Argument { text: format!("{program} {}", word.text), ..word.clone() };
    let rest = arguments.get(place + 1..).unwrap_or_default();
    apply(rule, &[core::slice::from_ref(&named), rest].concat())
}

/// The doubt about a program with its arguments as a whole.
pub(super) fn writes(arguments: &[Argument]) -> Doubt {
    let words: Vec<String> =
        arguments.iter().map(|argument| if argument.exact { argument.text.clone() } else { format!("{}…", argument.text) }).collect();
    Doubt::new("posix.argument", format!("{} may change something", crate::verdict::excerpt_of(&words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_sorted_and_no_program_stands_twice() {
        let mut all = Vec::new();
        for table in TABLES {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0), "{:?}", table.windows(2).find(|pair| pair[0].0 >= pair[1].0));
            all.extend(table.iter().map(|(name, _)| *name));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(VERSION_ONLY.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn a_path_counts_only_in_the_folders_of_the_system() {
        assert_eq!(base_name("/usr/bin/cat"), "cat");
        for path in ["./cat", "/tmp/cat", "/usr/bin/x/cat", "bin/cat", "/usr/bin/../../tmp/cat"] {
            assert_eq!(base_name(path), path);
        }
    }
}
