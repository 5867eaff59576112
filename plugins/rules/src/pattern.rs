//! Which commands a rule means.
//!
//! A pattern is an expression that fits the whole command, or words that begin it. A device may take shortened words, and a shell
//! may put in a word that nobody knows yet. What stops must not be passed by either; what lets through must fit as it stands.

use regex_lite::Regex;

/// How a word is listed that is only known later.
const UNKNOWN: &str = "…";
/// Programs of a shell that start what their last words say.
const STARTERS: [&str; 48] = [
    "builtin",
    "busybox",
    "chroot",
    "chrt",
    "command",
    "coproc",
    "doas",
    "env",
    "eval",
    "exec",
    "fakeroot",
    "find",
    "firejail",
    "flock",
    "gosu",
    "ionice",
    "ltrace",
    "nice",
    "nohup",
    "nsenter",
    "numactl",
    "parallel",
    "pkexec",
    "prlimit",
    "run0",
    "runcon",
    "runuser",
    "screen",
    "script",
    "setarch",
    "setpriv",
    "setsid",
    "ssh",
    "sshpass",
    "stdbuf",
    "strace",
    "su",
    "su-exec",
    "sudo",
    "systemd-cat",
    "systemd-inhibit",
    "systemd-run",
    "taskset",
    "time",
    "timeout",
    "unshare",
    "watch",
    "xargs",
];
/// In so many ways a line with options is read. One with more may mean anything.
const OPTION_WAYS_MAX: usize = 64;
/// In so many ways the commands of a line are read together, for the time to decide is short. What is left then may mean anything.
pub(crate) const READINGS_MAX: usize = 2_048;
/// Words of a starter's line that are read. A longer one may start anything.
const STARTED_MAX_WORDS: usize = 512;
/// In so many ways an expression may begin. Of one with more, only what stands before its choices counts.
const BEGINNINGS_MAX: usize = 64;
/// So many of its groups are looked into.
const GROUPS_MAX: usize = 512;

/// Commands that a rule means.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The whole command; none where words are given.
    expression: Option<Regex>,
    /// The same where case does not count.
    any_case: Option<Regex>,
    /// How it begins, one for each of its choices.
    beginnings: Vec<Beginning>,
}

/// Words that a command begins with, as far as the pattern says them plainly.
#[derive(Debug, PartialEq, Eq)]
struct Beginning {
    words: Vec<String>,
    /// The last of them may go on.
    open: bool,
}

/// A command, and what else it may be: what stops must not be passed by.
#[derive(Debug)]
pub(crate) struct Meant<'a> {
    text: &'a str,
    /// None where nobody reads so far.
    readings: Option<Vec<String>>,
}

impl<'a> Meant<'a> {
    /// In at most so many ways, which are taken off.
    pub(crate) fn of(text: &'a str, reading: Reading, left: &mut usize) -> Self {
        let readings = if reading.shortens { Some(Vec::new()) } else { readings(text, *left) };
        *left = left.saturating_sub(readings.as_ref().map_or(0, Vec::len));
        Self { text, readings }
    }
}

/// How a command may be other than it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Its words may be shortened, and their case does not count.
    pub(crate) shortens: bool,
}

impl Pattern {
    /// From an expression. It must fit the whole command.
    pub(crate) fn expression(text: &str) -> Result<Self, String> {
        let wrong = |error: regex_lite::Error| format!("`match` is no regular expression: {error}");
        let compiled = |flags: &str| Regex::new(&format!("(?{flags})^(?:{text})$")).map_err(wrong);
        Ok(Self { expression: Some(compiled("s")?), any_case: Some(compiled("is")?), beginnings: beginnings(text) })
    }

    /// From words that begin the command.
    pub(crate) fn words(text: &str) -> Self {
        Self { expression: None, any_case: None, beginnings: vec![Beginning { words: words(text), open: false }] }
    }

    /// Does it fit the command as it stands? What it lets through must do so.
    pub(crate) fn fits(&self, command: &str) -> bool {
        if command.contains(UNKNOWN) {
            return false;
        }
        match &self.expression {
            Some(expression) => expression.is_match(command),
            None => {
                let typed: Vec<&str> = command.split_whitespace().collect();
                self.beginnings.iter().any(|beginning| beginning.begins(&typed))
            }
        }
    }

    /// May the device take the command for one that it fits?
    pub(crate) fn may_fit(&self, command: &Meant<'_>, reading: Reading) -> bool {
        self.may_be(command.text, reading) || command.readings.as_ref().is_none_or(|all| all.iter().any(|one| self.may_be(one, reading)))
    }

    fn may_be(&self, command: &str, reading: Reading) -> bool {
        let expression = if reading.shortens { &self.any_case } else { &self.expression };
        if expression.as_ref().is_some_and(|expression| expression.is_match(command)) {
            return true;
        }
        let unknown = command.contains(UNKNOWN);
        if expression.is_some() && !unknown && !reading.shortens {
            return false;
        }
        let typed: Vec<&str> = command.split_whitespace().collect();
        self.beginnings.iter().any(|beginning| beginning.may_begin(&typed, unknown, reading))
    }
}

impl Beginning {
    /// As it stands.
    fn begins(&self, typed: &[&str]) -> bool {
        self.words.len() <= typed.len() && self.words.iter().zip(typed).all(|(full, word)| full == word)
    }

    /// With words that are shortened, or not known yet.
    fn may_begin(&self, typed: &[&str], unknown: bool, reading: Reading) -> bool {
        // Without a plain beginning there is nothing to compare: what is not known may be anything.
        let Some(last) = self.words.len().checked_sub(1) else { return unknown };
        let same = |place: usize, word: &str, full: &str| {
            let short = reading.shortens && starts(full, word);
            word == full || word.contains(UNKNOWN) || short || self.open && place == last && starts(word, full)
        };
        for (place, full) in self.words.iter().enumerate() {
            match typed.get(place) {
                Some(word) if same(place, word, full) => {}
                // One that is only known later may be several.
                None if unknown => return true,
                _ => return false,
            }
        }
        true
    }
}

/// What a shell's command may be as well: its program without the folder, without options, and what that starts. None where nobody reads
/// so far.
fn readings(command: &str, most: usize) -> Option<Vec<String>> {
    let words: Vec<&str> = command.split(' ').collect();
    let program = |word: &str| {
        let name = word.rsplit_once('/').map_or(word, |(_, name)| name);
        // A name with a pattern in it is one of many.
        if name.contains(['*', '?', '[']) { UNKNOWN.to_owned() } else { name.to_owned() }
    };
    let first = program(words.first()?);
    let last = if STARTERS.contains(&first.as_str()) { words.len() } else { 1 };
    let read = |from: usize| {
        let (word, rest) = words.get(from..)?.split_first()?;
        // `find -exec` ends with a sign of its own.
        let rest = rest.iter().copied().filter(|word| !matches!(*word, ";" | "+"));
        Some(std::iter::once(program(word)).chain(rest.map(str::to_owned)).collect::<Vec<_>>().join(" "))
    };
    if last > STARTED_MAX_WORDS {
        return None;
    }
    let mut all = Vec::new();
    for one in (0..last).filter_map(read) {
        all.extend(without_options(&one)?);
        all.push(one);
        if all.len() > most {
            return None;
        }
    }
    Some(all)
}

/// A command without its options: programs take them between their words. Which of them have a word of their own behind them only the
/// program knows, so both are read. None where that is too many ways.
fn without_options(command: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = command.split(' ').collect();
    let is_option = |word: &&str| word.starts_with('-');
    if !words.iter().any(is_option) {
        return Some(Vec::new());
    }
    let mut read = vec![Vec::new()];
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if !is_option(&word) {
            read.iter_mut().for_each(|so_far: &mut Vec<&str>| so_far.push(word));
            continue;
        }
        // `--host=x` has its word already.
        let Some(value) = words.next_if(|next| !is_option(next) && !word.contains('=')) else { continue };
        let without = read.clone();
        read.iter_mut().for_each(|so_far| so_far.push(value));
        read.extend(without);
        if read.len() > OPTION_WAYS_MAX {
            return None;
        }
    }
    Some(read.into_iter().map(|words| words.join(" ")).collect())
}

fn starts(word: &str, beginning: &str) -> bool {
    word.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn is_special(c: char) -> bool {
    matches!(c, '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' | '|' | '\\')
}

/// How an expression may begin. Its first choices are taken apart, for each of them may be shortened: `(reload|write erase).*`.
fn beginnings(expression: &str) -> Vec<Beginning> {
    // One blank stands between the words of a command.
    let expression = expression.replace("\\s+", " ").replace("\\s", " ").replace(" +", " ");
    let mut left: Vec<String> = branches(&expression).into_iter().map(str::to_owned).collect();
    let (mut all, mut groups) = (Vec::new(), 0);
    while let Some(text) = left.pop() {
        // It stands for the whole command anyway.
        let text = text.strip_prefix('^').unwrap_or(&text);
        groups += 1;
        match choices(text).filter(|choices| groups < GROUPS_MAX && all.len() + left.len() + choices.len() <= BEGINNINGS_MAX) {
            Some(choices) => left.extend(choices),
            None => all.push(plain(text)),
        }
    }
    all
}

/// What the text is with each of the choices of its first group, where only plain words stand before that.
fn choices(text: &str) -> Option<Vec<String>> {
    let at = text.find(is_special).filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with('(')))?;
    let (before, rest) = (text.get(..at)?, text.get(at + 1..)?);
    let end = depths(rest).find(|(_, c, depth)| *c == ')' && *depth == 0).map(|(at, ..)| at)?;
    let (inner, after) = (rest.get(..end)?, rest.get(end + 1..)?);
    let inner = inner.strip_prefix("?:").unwrap_or(inner);
    // A name, or flags that change what is meant.
    if inner.starts_with('?') || after.starts_with(['*', '+', '{']) {
        return None;
    }
    let (after, may_lack) = after.strip_prefix('?').map_or((after, false), |after| (after.strip_prefix('?').unwrap_or(after), true));
    let chosen = branches(inner).into_iter().chain(may_lack.then_some(""));
    Some(chosen.map(|chosen| [before, chosen, after].concat()).collect())
}

/// The choices at the top of an expression.
fn branches(expression: &str) -> Vec<&str> {
    let bars = depths(expression).filter(|(_, c, depth)| *c == '|' && *depth == 0).map(|(at, ..)| at);
    let (mut all, mut from) = (Vec::new(), 0);
    for at in bars.chain([expression.len()]) {
        all.extend(expression.get(from..at));
        from = at + 1;
    }
    all
}

/// The signs of an expression that stand for themselves neither behind `\` nor in a class, and in how many groups each stands.
fn depths(expression: &str) -> impl Iterator<Item = (usize, char, usize)> {
    let (mut depth, mut class, mut escaped) = (0_usize, 0_usize, false);
    expression.char_indices().filter_map(move |(at, c)| {
        if core::mem::take(&mut escaped) {
            return None;
        }
        match c {
            '\\' => escaped = true,
            '[' => class += 1,
            ']' => class = class.saturating_sub(1),
            _ if class > 0 => {}
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ')' | '|' => return Some((at, c, depth)),
            _ => {}
        }
        None
    })
}

/// The words with which an expression begins plainly.
fn plain(expression: &str) -> Beginning {
    let end = expression.find(is_special).unwrap_or(expression.len());
    let (mut text, rest) = expression.split_at(end);
    // What may be missing is not plain.
    if rest.starts_with(['?', '*', '{']) {
        text = text.get(..text.char_indices().next_back().map_or(0, |(at, _)| at)).unwrap_or_default();
    }
    Beginning { words: words(text), open: !text.ends_with(' ') && !rest.is_empty() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: Reading = Reading { shortens: false };
    const DEVICE: Reading = Reading { shortens: true };

    fn may_fit(pattern: &Pattern, command: &str, reading: Reading) -> bool {
        let mut left = READINGS_MAX;
        pattern.may_fit(&Meant::of(command, reading, &mut left), reading)
    }

    #[test]
    fn what_lets_through_fits_as_it_stands() {
        let rule = Pattern::expression("systemctl restart (nginx|php.*)").unwrap();
        for (command, expected) in [
            ("systemctl restart nginx", true),
            ("systemctl restart nginx x", false),
            ("x systemctl restart nginx", false),
            ("systemctl restart php8.2-fpm", true),
            ("systemctl restart …", false),
        ] {
            assert_eq!(rule.fits(command), expected, "{command}");
        }
        let words = Pattern::words("write  memory");
        assert!(words.fits("write memory") && !words.fits("wr mem") && !words.fits("write"));
        assert!(Pattern::expression(".*").unwrap().fits("a\nb"));
    }

    #[test]
    fn what_stops_is_not_passed_by_short_or_unknown_words() {
        for (pattern, command, reading, expected) in [
            ("reload.*", "reload in 5", DEVICE, true),
            ("reload.*", "rel in 5", DEVICE, true),
            ("reload.*", "RELOAD", DEVICE, true),
            ("reload.*", "rel", SHELL, false),
            ("reload.*", "redundancy", DEVICE, false),
            ("show running-config.*", "sh run", DEVICE, true),
            ("show running-config.*", "sh ver", DEVICE, false),
            ("show running-config.*", "show running-config-x y", DEVICE, true),
            ("systemctl stop .*", "systemctl … nginx", SHELL, true),
            ("systemctl stop .*", "systemctl …", SHELL, true),
            ("systemctl stop .*", "kill …", SHELL, false),
            (".*stop.*", "kill …", SHELL, true),
            ("a|b", "a …", SHELL, true),
            ("colou?r", "col", DEVICE, true),
            ("colou?r", "rm", DEVICE, false),
            ("(reload|write erase).*", "rel in 5", DEVICE, true),
            ("(reload|write erase).*", "WR ER", DEVICE, true),
            ("(reload|write erase).*", "wr mem", DEVICE, false),
            ("reload.*|write (?:erase|memory)", "wr mem", DEVICE, true),
            ("reload.*|write (?:erase|memory)", "wr term", DEVICE, false),
            ("show (running|startup)-config.*", "sh run", DEVICE, true),
            ("show (running|startup)-config.*", "show version", DEVICE, false),
            ("^(do )?write\\s+erase$", "wr er", DEVICE, true),
            ("^(do )?write\\s+erase$", "do wr er", DEVICE, true),
            ("^(do )?write\\s+erase$", "wr mem", DEVICE, false),
            (".*reload.*", "show x | RELOAD", DEVICE, true),
            (".*reload.*", "RELOAD", SHELL, false),
            ("(?i)reload|[(|]x", "y", DEVICE, false),
            ("(a|b) c", "b …", SHELL, true),
            ("(a|b) c", "d …", SHELL, false),
        ] {
            assert_eq!(may_fit(&Pattern::expression(pattern).unwrap(), command, reading), expected, "{pattern}: {command}");
        }
        for command in [
            "/usr/bin/systemctl stop x",
            "./systemctl stop x",
            "sudo -u root /bin/systemctl stop x",
            "env A=1 timeout 5 systemctl stop x",
            "find . -exec systemctl stop x ;",
            "systemct? stop x",
            "/usr/bin/system* stop x",
            "systemctl --now stop x",
            "systemctl -H host stop x",
            "systemctl --host=h -q --now -M box stop --no-block x",
            "sudo -u root systemctl --user stop -f x",
            "systemctl -- stop x",
            "a -1 b -2 b -3 b -4 b -5 b -6 b -7 b",
        ] {
            assert!(may_fit(&Pattern::expression("systemctl stop x").unwrap(), command, SHELL), "{command}");
            assert!(may_fit(&Pattern::words("systemctl stop"), command, SHELL), "{command}");
            assert!(!Pattern::expression("systemctl stop .*").unwrap().fits(command), "{command}");
        }
        for command in [
            "echo systemctl stop x",
            "git commit -m systemctl stop x",
            "sudo systemctl status x",
            "/srv/stop x",
            "systemctl --now status x",
            "systemctl status stop x",
            "ls -l -a --color",
        ] {
            assert!(!may_fit(&Pattern::expression("systemctl stop .*").unwrap(), command, SHELL), "{command}");
        }
        let long = format!("env {}true", "A=1 ".repeat(STARTED_MAX_WORDS));
        assert!(may_fit(&Pattern::expression("systemctl stop .*").unwrap(), &long, SHELL));
        let words = Pattern::words("write erase");
        assert!(may_fit(&words, "wr er", DEVICE) && !may_fit(&words, "wr er", SHELL) && !may_fit(&words, "wr", DEVICE));
        assert!(!may_fit(&Pattern::words("rmdir"), "rm x", SHELL));
    }

    #[test]
    fn an_expression_begins_in_at_most_so_many_ways() {
        let all = |text: &str| {
            let mut all: Vec<String> = beginnings(text).into_iter().map(|one| one.words.join(" ")).collect();
            all.sort();
            all
        };
        assert_eq!(all("a|(b|c(d|e)) f|[x|]y|g\\|h"), ["", "a", "b f", "cd f", "ce f", "g"]);
        assert_eq!(all("a((b)"), ["a"]);
        assert_eq!(all("a )b| (?P<n>c)d"), ["", "a"]);
        let many = "(a|b)".repeat(12);
        assert!(beginnings(&many).len() <= BEGINNINGS_MAX);
        assert!(may_fit(&Pattern::expression(&many).unwrap(), "abababababab", DEVICE));
        assert!(may_fit(&Pattern::expression(&many).unwrap(), "bb", DEVICE));
    }

    #[test]
    fn the_commands_of_a_line_are_read_in_so_many_ways_together() {
        let options = format!("sudo {}-a b -c d -e f -g h -i j", "x ".repeat(400));
        let mut left = READINGS_MAX;
        assert!(Meant::of(&options, SHELL, &mut left).readings.is_none());
        let plain = format!("sudo {}", "x ".repeat(400).trim_end());
        let read = (0..8).filter(|_| Meant::of(&plain, SHELL, &mut left).readings.is_some()).count();
        assert_eq!(read, READINGS_MAX / 401);
        assert!(Meant::of("ls", SHELL, &mut left).readings.is_some());
    }
}
