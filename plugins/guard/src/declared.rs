//! Device families whose words are data: the device type's own plugin tells them in its manifest, as facts of each request.
//!
//! `words.reads`, `words.filters`, `words.wipe`, `words.outage`, `words.lockout`, `words.code`, `words.remove`, `words.copy_out` and
//! `words.harmless` (exceptions from those that stop) hold one word pattern a line, `words.modes` the modes in which reads are known,
//! `words.separators` what separates commands on one line. Among the reads `do ..` and `run ..` say that the family has this word for a
//! command of the other modes: elsewhere `run` may start a shell. A read needs every word of the proof; a danger needs one match, in any
//! piece. What destroys by the words of any other grammar is stopped here too.

mod table;
mod windows;

use jackfield_plugin::Request;
use jackfield_plugin::text::{self, Search, split};
use jackfield_plugin::words::begin;

use self::table::{CODE, FACTS, fits};
pub(crate) use self::table::{PREFIXES, Table};
use crate::abbreviation::{calls_shell, clears};
use crate::filters::Bars;
use crate::other;
use crate::posix;
use crate::reach::{EXFILTRATION, Reach, shows_secret};
use crate::verdict::{Assessment, Danger, Doubt, Proof, excerpt, first, heaviest};

/// Characters that join, redirect or substitute somewhere. None of them belongs to the words of a read.
const SIGNS: [char; 10] = [';', '&', '`', '$', '<', '>', '(', ')', '{', '}'];
/// The same behind `|`, where an expression may stand.
const FILTER_SIGNS: [char; 5] = [';', '&', '`', '<', '>'];
/// A family where `show route` takes an expression: nothing there joins commands or redirects.
const GROUPS: &str = "bird_birdc";
const GROUPING: [char; 8] = ['(', ')', '{', '}', '<', '>', ';', '&'];

/// What begins like a read and writes a file, or sends something, by one of its options.
const WRITES: [&str; 8] = [
    "mon[itor] .. w[rite-file]",
    // Behind a word that leads there, too: `admin show tech-support file x`.
    ".. sh[ow] tec[h-support] .. fi[le]",
    ".. sh[ow] tec[h-support] .. log[to]",
    ".. sh[ow] tec[h-support] .. loc[al-file]",
    ".. sh[ow] tec[h-support] .. sav[e-uncompressed]",
    "ethana[lyzer] .. w[rite]",
    "packet-t[racer] .. tr[ansmit]",
    "packet-t[racer] .. per[sist]",
];
/// It goes to a file where one is named behind it.
const GATHERS: &str = "dis[play] diag[nostic-information]";

/// Reads of a configuration that is a tree: where it is looked at from changes nothing.
const TREE: [&str; 6] = ["top $", "top show", "up $", "up show", "compare", "status $"];

/// How many words may stand in front of what a shell is given.
const GIVEN_MAX: usize = 3;
/// The same of what will run later.
const LATER_MAX: usize = 8;

/// Does this request come with a family's words?
pub(crate) fn is_told(request: &Request) -> bool {
    request.facts.iter().any(|fact| fact.name.starts_with(FACTS))
}

/// Judges a command by the words of its family.
pub(crate) fn assess(command: &str, device_type: &str, mode: &str, table: &Table) -> Assessment {
    let place = Place { mode, table, groups: device_type == GROUPS };
    let proof = place.prove(command);
    // A key that shows help at once vanishes from the line.
    let proof = if proof.is_ok() && vanishes(command, table) { place.prove(&command.replaced("?", "")) } else { proof };
    // What the filters of a read look for is no command.
    let heads = || command.split(['\n', ';']).map(|piece| piece.split('|').next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let danger = if proof.is_ok() { find(&heads(), table) } else { find(command, table) };
    let proof = match &danger {
        Some(danger) => Err(Doubt::new("declared.danger", danger.reason.clone())),
        None => proof.and_then(|()| match leaves(&heads(), table) {
            Some(reach) => Err(Doubt::new("declared.copy-out", reach.reason)),
            None => Ok(()),
        }),
    };
    Assessment { proof, read_rule: "read.declared", unfinished: None, danger }
}

/// What stops it, in any piece of any line.
pub(crate) fn danger(command: &str, request: &Request) -> Option<Danger> {
    find(command, &Table::of(request))
}

/// What of it leaves the device.
pub(crate) fn copy_out(command: &str, request: &Request) -> Option<Reach> {
    leaves(command, &Table::of(request))
}

fn leaves(command: &str, table: &Table) -> Option<Reach> {
    let (started, _) = windows::read(command, table.is_windows);
    let mut meant = pieces(command, table).into_iter().chain(started.iter().map(String::as_str));
    let piece = meant.find(|piece| meanings(piece).into_iter().flatten().any(|text| fits(&table.copy_out, text)))?;
    let reason = format!("{} carries data to another machine or shows a secret", excerpt(piece));
    Some(Reach { lane: EXFILTRATION, rule: "device.copy-out", reason })
}

fn pieces<'a>(command: &'a str, table: &Table) -> Vec<&'a str> {
    let mut pieces = vec![command];
    for sign in table.separators.iter().map(String::as_str).chain(["\n", "|", "$(", "`"]) {
        pieces = pieces.into_iter().flat_map(|piece| split(piece, sign)).collect();
    }
    pieces
}

/// May a sign of the line be a key that acts at once? The shells of Windows take it for a part of a name.
fn vanishes(command: &str, table: &Table) -> bool {
    command.has('?') && !table.is_windows
}

/// In the line as it stands, and as what such keys leave of it.
fn find(command: &str, table: &Table) -> Option<Danger> {
    let acts = vanishes(command, table) || command.has('\t') && !table.is_windows;
    let joined = || find_in(&command.replaced("?", "").replaced("\t", ""), table);
    heaviest(find_in(command, table).into_iter().chain(core::iter::once_with(|| if acts { joined() } else { None }).flatten()))
}

fn find_in(command: &str, table: &Table) -> Option<Danger> {
    let (started, hidden) = windows::read(command, table.is_windows);
    // `shutdown` of a port is a change like others, unless the family's own words stop it.
    let elsewhere = || other::find(command, "config");
    let all = pieces(command, table).into_iter().chain(started.iter().map(String::as_str));
    heaviest(all.filter_map(|piece| stopped(piece, table)).chain(hidden).chain(core::iter::once_with(elsewhere).flatten()))
}

/// What a piece may mean: whether the family has the prefix or not. `top` and `up 2` go elsewhere in a configuration first.
fn meanings(piece: &str) -> [Option<&str>; 5] {
    let leads = |word: &str| PREFIXES.iter().chain(&["top", "up"]).any(|known| word.eq_ignore_ascii_case(known));
    let number = |word: &str| word.bytes().all(|c| c.is_ascii_digit());
    let step = |piece| behind(piece, leads).map(|rest| behind(rest, number).unwrap_or(rest));
    let inner = step(piece);
    let innermost = core::iter::successors(inner, |&piece| step(piece)).take(GIVEN_MAX).last();
    // Counted from the root, wherever the prompt stands, `/admin reboot`, or in the other of two command lines, `//admin reboot`.
    let bare = text::trim_start(piece);
    let rooted = Some(bare.trim_start_matches(['/', '\\'])).filter(|inner| inner.len() < bare.len());
    [Some(piece), inner, innermost, rooted, filtered(piece).flatten()]
}

/// What will run later by another name or by itself, or in another part of the device: `alias x reload`, `action 1 cli reload`,
/// `job x at 10:00 "reload"`, `sudo global execute reboot`. Which of its words begins the command differs from family to family.
fn later(piece: &str) -> impl Iterator<Item = String> {
    let words = || piece.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let is = |word: Option<&str>, names: &[&str]| word.is_some_and(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)));
    let sets = is(words().next(), &["set"]) && is(words().nth(1), &["script", "command"]);
    // `10 cli boot system`, a line of a job.
    let numbered = words().next().is_some_and(|word| word.bytes().all(|c| c.is_ascii_digit())) && is(words().nth(1), &["cli"]);
    let begins = is(words().next(), &["sudo", "action", "command", "job"]);
    let leads = begins || sets || numbered || words().take(3).any(|word| is(Some(word), &["alias", "command-alias"]));
    let starts = piece.match_indices(char::is_whitespace).filter_map(move |(at, blank)| piece.get(at + blank.len()..));
    let words = starts.filter(|text| !text.starts_with(char::is_whitespace)).take(if leads { LATER_MAX } else { 0 });
    words.map(|text| text.replace(['"', '\''], ""))
}

fn stopped(piece: &str, table: &Table) -> Option<Danger> {
    let meant = meanings(piece);
    let is_harmless = |text: &str| fits(&table.harmless, text) || other::is_harmless(text);
    let deferred: Vec<String> = later(text::trim(piece)).collect();
    let all = || meant.into_iter().flatten().chain(deferred.iter().map(String::as_str));
    let fit = |stop: &&table::Stop| all().any(|text| fits(&stop.words, text) && !is_harmless(text));
    let stop = table.stops.iter().find(fit)?;
    let danger = Danger::new(stop.rule, format!("{} {}", excerpt(piece), stop.what));
    // What a shell is given behind `run bash` or the like: it must be asked about even where everything else runs.
    let given = piece.match_indices(' ').take(GIVEN_MAX).filter_map(|(at, _)| posix::foreign_danger(text::trim_start(piece.get(at..)?)));
    first(core::iter::once(danger).chain(given.filter(|_| stop.rule == CODE)))
}

/// What keys that act at once may leave of the line.
pub(crate) fn left(command: &str, request: &Request) -> Option<String> {
    let acts = command.has_any("?\t") && !Table::of(request).is_windows;
    acts.then(|| command.replaced("?", "").replaced("\t", ""))
}

/// What separates the commands of a line.
pub(crate) fn separators(request: &Request) -> Vec<char> {
    Table::of(request).separators.iter().filter_map(|sign| sign.chars().next()).chain(['\n']).collect()
}

/// What leads to a command of another mode.
pub(crate) fn prefixes(request: &Request) -> Vec<String> {
    Table::of(request).prefixes.clone()
}

/// Where a line is typed.
struct Place<'a> {
    mode: &'a str,
    table: &'a Table,
    /// Brackets and signs belong to an expression.
    groups: bool,
}

impl Place<'_> {
    /// Is every line a read?
    fn prove(&self, command: &str) -> Proof {
        if command.trim().is_empty() {
            return Err(Doubt::new("declared.empty", "an empty line may confirm a question"));
        }
        command.lines().filter(|line| !line.trim().is_empty()).try_for_each(|line| self.line(line))
    }

    fn line(&self, line: &str) -> Proof {
        // Behind a quote it may separate nothing.
        let separates = self.table.separators.iter().any(|sign| sign == ";") && !line.has_any("\"'\\");
        let mut pieces = line.split(|c| separates && c == ';').filter(|piece| !piece.trim().is_empty()).peekable();
        if pieces.peek().is_none() {
            return Err(Doubt::new("declared.empty", "nothing stands before `;`"));
        }
        pieces.try_for_each(|piece| self.piece(piece))
    }

    fn piece(&self, piece: &str) -> Proof {
        // Two bars join expressions, and nothing takes a bar for a pipe.
        let joined = if self.groups { Some(piece.replaced("||", " or ")) } else { None };
        let piece = joined.as_deref().unwrap_or(piece);
        let (first, tail) = piece.split_once('|').map_or((piece, None), |(first, tail)| (first, Some(tail)));
        let inner = behind(first, |word| self.has_prefix(word)).filter(|_| self.is_known() || self.configures());
        if inner.is_none() && !self.is_known() && !self.looks(first) {
            return Err(Doubt::new("declared.mode", format!("in the mode {} no word is known to read only", excerpt(self.mode))));
        }
        // A shell that reads the words itself puts an earlier line there.
        let is_shell = !self.table.is_windows && self.table.separators.iter().any(|sign| sign == "&&");
        if is_shell && piece.match_indices('!').any(|(at, _)| piece.get(at + 1..).is_some_and(|rest| !is_blank(rest))) {
            return Err(Doubt::new("declared.history", "`!` may put in an earlier line"));
        }
        if shows_secret(piece) {
            return Err(Doubt::new("declared.secret-file", format!("{} shows what is secret", excerpt(piece))));
        }
        self.command(inner.unwrap_or(first), inner.is_some() || self.is_known())?;
        tail.map_or(Ok(()), |tail| self.filters(first, tail))
    }

    fn is_known(&self) -> bool {
        self.table.modes.iter().any(|known| known == self.mode)
    }

    fn configures(&self) -> bool {
        self.mode.starts_with("conf")
    }

    fn has_prefix(&self, word: &str) -> bool {
        self.table.prefixes.iter().any(|known| word.eq_ignore_ascii_case(known))
    }

    /// In a configuration `show` looks, at the configuration or as elsewhere. `sh` may be short for `shutdown` there.
    fn looks(&self, first: &str) -> bool {
        let shows = || begin("show", first) && fits(&self.table.reads, "show");
        let of_tree = || self.has_prefix("run") && TREE.iter().any(|pattern| begin(pattern, first));
        self.configures() && (shows() || of_tree())
    }

    /// The end of an expression substitutes nothing: `^65000$`.
    fn ends_word(&self, command: &str, at: usize) -> bool {
        let next = command.get(at + 1..).and_then(|rest| rest.chars().next());
        !self.table.is_windows && next.is_none_or(|c| c.is_whitespace() || c == '"')
    }

    fn command(&self, command: &str, is_known: bool) -> Proof {
        let groups = self.groups && begin("sh[ow] ro[ute]", command);
        let joins = |(at, c): &(usize, char)| {
            SIGNS.contains(c) && !(groups && GROUPING.contains(c)) && !(*c == '$' && self.ends_word(command, *at))
        };
        if let Some((_, sign)) = command.char_indices().find(joins) {
            return Err(Doubt::new("declared.sign", format!("`{sign}` may join, redirect or substitute")));
        }
        let words: Vec<&str> = command.split_ascii_whitespace().collect();
        let inner = filtered(command).map(|inner| inner.filter(|inner| filtered(inner).is_none()));
        let is_read = |text: &str| if is_known { fits(&self.table.reads, text) } else { self.looks(text) };
        let writes = WRITES.iter().any(|pattern| begin(pattern, command))
            || begin(GATHERS, command) && words.len() > 2
            // The running configuration goes to a script of this name.
            || words.iter().any(|word| word.ends_with(".scr")) && begin("sh[ow] run[ning-config]", command)
            || self.table.is_windows && (windows::reaches_out(command) || windows::asks_elsewhere(command));
        if writes || clears(&words) || calls_shell(&words) || !is_read(command) || inner.is_some_and(|inner| !inner.is_some_and(is_read)) {
            return Err(Doubt::new("declared.unknown-command", format!("{} is not known to read only", excerpt(command))));
        }
        Ok(())
    }

    /// Each must be known. A bar may stand in what a filter looks for, where it cannot be taken for one that leads elsewhere.
    fn filters(&self, first: &str, tail: &str) -> Proof {
        let doubt = |piece| Doubt::new("declared.filter", format!("{} behind `|` is not known to read only", excerpt(piece)));
        // A filter of Windows may take a block of commands.
        let signs: &[char] = if self.table.is_windows { &SIGNS } else { &FILTER_SIGNS };
        if tail.contains(signs) || tail.holds("$(") || self.table.is_windows && windows::reaches_out(tail) {
            return Err(doubt(tail));
        }
        let glues = fits(&self.table.filters, "include");
        let mut bars = Bars::new(first, tail);
        for piece in tail.split('|') {
            let is_text = bars.may_be_text(piece, glues);
            let is_filter = fits(&self.table.filters, piece);
            if !is_filter && !is_text {
                return Err(doubt(piece));
            }
            bars.pass(piece, is_text);
        }
        Ok(())
    }
}

/// Does nothing stand there, or a blank?
fn is_blank(rest: &str) -> bool {
    rest.chars().next().is_none_or(char::is_whitespace)
}

/// The command behind a word that takes one of the other modes.
fn behind(piece: &str, leads: impl Fn(&str) -> bool) -> Option<&str> {
    let (first, rest) = piece.trim().split_once(char::is_whitespace)?;
    leads(first).then_some(rest)
}

/// The command in the quotes of `grep include text "show x"`, as AireOS has it; nothing where it cannot be told.
fn filtered(piece: &str) -> Option<Option<&str>> {
    let is = |word: Option<&str>, names: &[&str]| word.is_some_and(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)));
    let mut words = piece.split_whitespace();
    let filters = is(words.next(), &["grep"]) && is(words.next(), &["include", "exclude"]);
    let past_word = |text: &str| text.find(char::is_whitespace);
    filters.then(|| {
        let mut rest = text::trim_start(piece);
        for _ in 0..2 {
            rest = text::trim_start(rest.get(past_word(rest)?..)?);
        }
        let behind = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?.1,
            None => rest.get(past_word(rest)?..)?,
        };
        behind.trim().strip_prefix('"')?.strip_suffix('"').filter(|command| !command.has('"'))
    })
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::Fact;

    use super::*;

    fn request(mode: &str) -> Request {
        let fact = |(name, value): (&str, &str)| Fact { name: name.to_owned(), value: value.to_owned() };
        Request {
            device: "box".to_owned(),
            device_type: "acme_olt".to_owned(),
            mode: mode.to_owned(),
            privileged: false,
            command: String::new(),
            purpose: "run".to_owned(),
            caller: String::new(),
            policy_mode: "safe".to_owned(),
            facts: [
                ("words.modes", "exec\nadmin"),
                ("words.reads", "sh[ow]\nping\ngrep include\ndo .."),
                ("words.filters", "match\ninc[lude]\ncount"),
                ("words.outage", "reb[oot]\nreq[uest] sys[tem] h[alt]"),
                ("words.wipe", "del[ete] $"),
                ("words.separators", ";"),
            ]
            .map(fact)
            .into(),
        }
    }

    fn judged(command: &str, request: &Request) -> Assessment {
        assess(command, &request.device_type, &request.mode, &Table::of(request))
    }

    fn rule(command: &str, mode: &str) -> &'static str {
        let assessment = judged(command, &request(mode));
        match (&assessment.danger, &assessment.proof) {
            (Some(danger), _) => danger.rule,
            (None, Ok(())) => assessment.read_rule,
            (None, Err(doubt)) => doubt.rule,
        }
    }

    #[test]
    fn a_read_needs_a_known_word_in_a_known_mode() {
        for (command, mode, expected) in [
            ("show version", "exec", "read.declared"),
            ("sh ver | match a.b | count", "admin", "read.declared"),
            ("show a\nping b", "exec", "read.declared"),
            ("do show version", "config", "read.declared"),
            ("do show version", "tclsh", "declared.mode"),
            ("show version", "config", "read.declared"),
            ("sh version", "config", "declared.mode"),
            ("show", "tclsh", "declared.mode"),
            ("top show", "config", "declared.mode"),
            ("show regexp ^65000$", "exec", "read.declared"),
            ("show regexp \"^65000$\" x", "exec", "read.declared"),
            ("show $x", "exec", "declared.sign"),
            ("show $'x'", "exec", "declared.sign"),
            ("set x", "exec", "declared.unknown-command"),
            ("showx", "exec", "declared.unknown-command"),
            ("show a\nset b", "exec", "declared.unknown-command"),
            ("show a | save b", "exec", "declared.filter"),
            ("show a | match b > c", "exec", "declared.filter"),
            ("show a; set b", "exec", "declared.unknown-command"),
            ("show a ; show b", "exec", "read.declared"),
            ("show \"a; show b", "exec", "declared.sign"),
            (";", "exec", "declared.empty"),
            // No prefix of this family.
            ("run show version", "exec", "declared.unknown-command"),
            ("run show version", "config", "declared.mode"),
            ("do sh -c x", "config", "declared.unknown-command"),
            ("sh ./x", "exec", "declared.unknown-command"),
            ("show $(set b)", "exec", "declared.sign"),
            ("show a > b", "exec", "declared.sign"),
            ("show ?", "exec", "read.declared"),
            ("show a | match x|sa?ve b", "exec", "declared.filter"),
            ("show a | inc x|sa?ve b", "exec", "declared.filter"),
            ("", "exec", "declared.empty"),
        ] {
            assert_eq!(rule(command, mode), expected, "{command} in {mode}");
        }
    }

    #[test]
    fn a_bar_in_what_a_filter_looks_for_is_text() {
        for (command, expected) in [
            ("show a | match \"up|down\"", "read.declared"),
            ("show a | match \"reboot|down\" | count", "read.declared"),
            ("show a | inc up|down", "read.declared"),
            ("show a | inc ^a x|^b y", "read.declared"),
            ("show a | match up|down", "read.declared"),
            ("show a | inc up | down", "declared.filter"),
            ("show a | match \"up\" | down\"", "declared.filter"),
            ("show a | match 'x\"y' | down z\"", "declared.filter"),
            ("show a | match \"x\\\"y | down z\"", "declared.filter"),
            ("show \"a | match b\" | down \"", "declared.filter"),
            ("show \"a|b\"", "declared.filter"),
            ("show a | match \"up|save x\"", "declared.filter"),
            ("show a | match \"up|tee\"", "declared.filter"),
            ("show a | inc up|red x", "declared.filter"),
            ("show a | inc up|vs", "declared.filter"),
            ("show a | inc up|save x", "declared.filter"),
            ("show a | count \"up|down\"", "declared.filter"),
        ] {
            assert_eq!(rule(command, "exec"), expected, "{command}");
        }
    }

    #[test]
    fn a_command_in_quotes_is_judged_where_it_runs() {
        for (command, expected) in [
            ("grep include x \"show a\"", "read.declared"),
            ("grep include \"x y\" \"show a\"", "read.declared"),
            ("grep include x \"reboot\"", "declared.outage"),
            ("grep  include x  \"show a\" ", "read.declared"),
            ("grep  include x \"set a\"", "declared.unknown-command"),
            (" GREP\tinclude\tx\t\"reboot\"", "declared.outage"),
            ("grep include", "declared.unknown-command"),
            ("grep include x \"set a\"", "declared.unknown-command"),
            ("grep include x show a", "declared.unknown-command"),
            ("grep include \"show a\" reboot", "declared.unknown-command"),
            ("grep include x \"grep include y \"reboot\"\"", "declared.unknown-command"),
        ] {
            assert_eq!(rule(command, "exec"), expected, "{command}");
        }
    }

    #[test]
    fn the_family_s_words_are_stopped_in_every_piece() {
        for command in [
            "reboot",
            "do\treboot",
            "top reboot",
            "/reboot",
            "show a; \\reboot",
            "reb now",
            "show a; reboot",
            "do reboot",
            "show a\nreboot",
            "show a | reboot",
            "re?boot",
            "re\tboot",
            "show a\nre?boot",
            "show `reboot`",
            "req sys h",
        ] {
            assert_eq!(rule(command, "exec"), "declared.outage", "{command}");
        }
        assert_eq!(rule("delete", "config"), "declared.wipe");
        assert_eq!(rule("delete interfaces x", "config"), "declared.mode");
        // Words of other grammars.
        assert_eq!(rule("write erase", "exec"), "other.wipe");
        assert_eq!(rule("shutdown", "config"), "declared.mode");
    }

    #[test]
    fn what_a_shell_is_given_counts_too() {
        let mut request = request("exec");
        request.facts.push(Fact { name: "words.code".to_owned(), value: "run".to_owned() });
        for (command, worst) in [
            ("run bash sudo reboot", "posix.outage"),
            ("run rm -rf /", "posix.wipe"),
            ("do run bash rm -rf /", "posix.wipe"),
            ("run bash ls", "declared.code"),
        ] {
            let danger = judged(command, &request).danger.unwrap();
            assert_eq!((danger.rule, danger.worst().rule), ("declared.code", worst), "{command}");
        }
    }

    #[test]
    fn only_a_request_with_words_is_judged_by_them() {
        let mut told = request("exec");
        assert!(is_told(&told));
        told.facts.clear();
        assert!(!is_told(&told));
    }
}
