//! Removing: `rm`, `find -delete`, and names that come from elsewhere.

use crate::verdict::{Danger, first, listed};
use jackfield_plugin::text::Search;

use super::paths::{self, Act, Harm, UNKNOWN};
use super::source::Source;
use super::start;
use super::{Finder, Input, WRITE_PATH_OUT, base_name, danger};

/// How many of the names that another program prints are looked at.
const NAMES_MAX: usize = 64;

/// Tests of `find` that leave most files alone.
const TESTS: &str = "-amin -anewer -atime -cmin -cnewer -ctime -empty -gid -group -iname -inum -ipath -iregex -lname -mmin -mtime -name \
    -newer -nogroup -nouser -path -perm -regex -size -uid -user";

impl Finder {
    pub(super) fn removal(&mut self, program: &str, line: &[String]) -> Option<Danger> {
        match program {
            "rm" | "grm" | "srm" | "unlink" | "rimraf" => self.rm(line),
            "find" | "gfind" | "fd" | "fdfind" => self.find_actions(line),
            _ if program.has(UNKNOWN) => self.unknown_rm(line),
            _ => None,
        }
    }

    fn rm(&self, line: &[String]) -> Option<Danger> {
        let (options, operands) = options_and_operands(line);
        if options.iter().any(|option| option.len() > 5 && "--no-preserve-root".starts_with(option.as_str())) {
            return Some(danger("posix.wipe", line, "may remove the root of the file system"));
        }
        let recursive = line.first().is_some_and(|program| base_name(program) == "rimraf")
            || options.iter().any(|option| match option.strip_prefix("--") {
                Some(long) => !long.is_empty() && "recursive".starts_with(long),
                None => option.has_any("rR"),
            });
        if recursive { self.trees(line, &operands) } else { operands.iter().find_map(|target| self.file(line, target)) }
    }

    /// A program that is only known later, with arguments that only `rm` is given.
    fn unknown_rm(&self, line: &[String]) -> Option<Danger> {
        let (options, _) = options_and_operands(line);
        let forced = options.iter().any(|option| option == "--force" || !option.starts_with("--") && option.has('f'));
        self.rm(line).filter(|_| forced)?.counted(|danger| danger.rule == "posix.wipe")
    }

    /// Paths that go with all below them.
    fn trees(&self, line: &[String], targets: &[String]) -> Option<Danger> {
        let mut harmed = targets.iter().filter_map(|target| Some((target, self.harm(target, Act::Remove)?)));
        let told = harmed.next()?;
        let behind = if told.1 == Harm::Unknown { harmed.find(|(_, harm)| *harm != Harm::Unknown) } else { None };
        first([Some(told), behind].into_iter().flatten().map(|(target, harm)| tree(line, target, harm)))
    }

    /// A file that goes alone.
    fn file(&self, line: &[String], target: &str) -> Option<Danger> {
        let critical = paths::is_critical_file(target, self.cwd()) || paths::is_device(target, self.cwd());
        let all = target.ends_with('*') && self.harm(target, Act::Remove) == Some(Harm::System);
        (critical || all).then(|| danger("posix.wipe", line, "removes a part of the system"))
    }

    fn find_actions(&mut self, line: &[String]) -> Option<Danger> {
        let names = found(line);
        let mut rest = line.iter();
        while let Some(word) = rest.next() {
            let danger = match word.as_str() {
                "-delete" => {
                    let found = self.trees(line, &names);
                    self.ends_at(found)
                }
                "-exec" | "-execdir" | "-ok" | "-okdir" | "-x" | "-X" | "--exec" | "--exec-batch" => {
                    let inner: Vec<String> = rest.by_ref().take_while(|word| *word != ";" && *word != "+").cloned().collect();
                    self.with_names(&inner, "{}", &Source::Paths(names.clone()))
                }
                _ => None,
            };
            if danger.is_some() {
                return danger;
            }
        }
        None
    }

    /// A command that gets names from elsewhere, in the place of a sign or at its end.
    fn with_names(&mut self, line: &[String], sign: &str, source: &Source) -> Option<Danger> {
        let names: Vec<String> = match source {
            Source::Paths(paths) => paths.clone(),
            Source::Text(text) => text.split_whitespace().take(NAMES_MAX).map(str::to_owned).collect(),
            _ => vec![UNKNOWN.to_string()],
        };
        let program = start::peel(line).line.first().map(|program| base_name(program).to_owned())?;
        // Without `-r` these names are files of a whole tree all the same.
        if matches!(program.as_str(), "rm" | "unlink" | "shred") && matches!(source, Source::Paths(_)) {
            let found = self.trees(line, &names);
            if let Some(danger) = self.ends_at(found) {
                return Some(danger);
            }
        }
        if !sign.is_empty() && line.iter().any(|word| word.holds(sign)) {
            return names.iter().find_map(|name| {
                let one: Vec<String> = line.iter().map(|word| word.replaced(sign, name)).collect();
                self.command(&one, &Input::Terminal)
            });
        }
        self.command(&[line, &names].concat(), &Input::Terminal)
    }

    /// `xargs`, which takes its names from its input.
    pub(super) fn xargs(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        let mut rest = line.get(1..)?;
        let mut sign = "";
        while let Some((option, behind)) = rest.split_first() {
            let Some(letters) = option.strip_prefix('-') else { break };
            rest = behind;
            if option == "-I" || option == "-J" {
                sign = behind.first().map_or("{}", String::as_str);
            } else if letters.starts_with(['I', 'i']) || letters.starts_with("-replace") {
                sign = letters.get(1..).filter(|sign| !sign.is_empty() && !sign.starts_with("replace")).unwrap_or("{}");
            }
            if letters.len() == 1 && "IJRLnPdsEa".holds(letters) {
                rest = behind.get(1..).unwrap_or_default();
            }
        }
        let source = match input {
            Input::From(source) => source.clone(),
            Input::Terminal => Source::Data("the terminal".to_owned()),
        };
        self.with_names(rest, sign, &source)
    }

    /// `parallel`, which gives its words to a shell.
    pub(super) fn parallel(&mut self, line: &[String], input: &Input) -> Option<Danger> {
        let words = line.get(1..)?;
        let end = words.iter().position(|word| word.starts_with(":::")).unwrap_or(words.len());
        let template = words.get(..end)?;
        let command = template.iter().position(|word| !word.starts_with('-') && !word.chars().all(|c| c.is_ascii_digit()));
        let names: Vec<String> = words.get(end + 1..).unwrap_or_default().iter().take(NAMES_MAX).cloned().collect();
        let Some(command) = command else {
            let source = if names.is_empty() { input.clone() } else { Input::From(Source::Text(names.join("\n"))) };
            return self.fed_shell(line, &source);
        };
        let template = template.get(command..)?.join(" ");
        let names = if names.is_empty() { vec![UNKNOWN.to_string()] } else { names };
        names.iter().find_map(|name| {
            let text = if template.holds("{}") { template.replaced("{}", name) } else { format!("{template} {name}") };
            self.text(&text)
        })
    }
}

/// Removing a path with all below it.
fn tree(line: &[String], target: &str, harm: Harm) -> Danger {
    match harm {
        Harm::System => danger("posix.wipe", line, "removes a part of the system").advise("Name the one directory to remove."),
        Harm::Home => danger("posix.wipe", line, "removes a home directory").advise("Name the one directory to remove."),
        Harm::Tmp => danger("posix.wipe", line, "removes /tmp itself").advise("Remove what is in it."),
        Harm::Unknown if target.contains([UNKNOWN, paths::TRUSTED]) => {
            danger("posix.unknown-target", line, "removes what is only known later").advise(WRITE_PATH_OUT)
        }
        Harm::Unknown => danger("posix.unknown-target", line, "depends on the directory it runs in").advise("Name the directory."),
    }
}

/// The paths that `find` may come upon. With a test they are below its starting points, not these themselves.
pub(super) fn found(line: &[String]) -> Vec<String> {
    let rest = line.get(1..).unwrap_or_default();
    let skipped = rest.iter().take_while(|word| matches!(word.as_str(), "-H" | "-L" | "-P") || word.starts_with("-O")).count();
    let rest = rest.get(skipped..).unwrap_or_default();
    let mut starts: Vec<&str> =
        rest.iter().map(String::as_str).take_while(|word| !word.starts_with(['-', '(', '!'])).take(NAMES_MAX).collect();
    if starts.is_empty() {
        starts.push(".");
    }
    let tests = rest.iter().zip(rest.iter().skip(1).map(String::as_str).chain([""]));
    let tested = tests.into_iter().any(|(test, value)| {
        let known = listed(TESTS, test) || test.starts_with("-newer");
        known && value != "*" && !(test == "-size" && value.starts_with("+0"))
    });
    let name = |start: &&str| match tested {
        true if !paths::is_top(start) => format!("{start}/found"),
        _ => format!("{start}/*"),
    };
    starts.iter().map(name).collect()
}

/// Options up to `--`, and the rest.
pub(super) fn options_and_operands(line: &[String]) -> (Vec<String>, Vec<String>) {
    let mut rest = line.iter().skip(1);
    let (mut options, mut operands) = (Vec::new(), Vec::new());
    for word in rest.by_ref() {
        if word == "--" {
            break;
        }
        if word.len() > 1 && word.starts_with('-') { options.push(word.clone()) } else { operands.push(word.clone()) }
    }
    operands.extend(rest.cloned());
    (options, operands)
}
