//! What the shell makes of a word, as far as the line itself tells: variables that it sets, braces, and the
//! output of `echo`.

use core::cell::Cell;

use super::super::syntax::{Part, Script, Word};
use super::paths::{TRUSTED, UNKNOWN};
use super::secrets;
use super::source::{self, Source};

/// How many ways a word is read where a variable has several values.
const WAYS_MAX: usize = 8;
/// How many words braces may make of one. What they would make beyond it is one word that is only known later.
const BRACES_MAX: usize = 64;
/// How many characters braces may make in all, for the same reason: a word may be long and have many of them.
const BRACED_MAX: usize = 64 * 1024;
/// How many variables are followed, more than anybody writes.
const NAMES_MAX: usize = 64;
/// Longest value of a variable that is followed, in bytes.
const VALUE_MAX_BYTES: usize = 256;

/// Variables that the line sets, with the values it gives them.
#[derive(Debug)]
pub(super) struct Variables {
    entries: Vec<(String, Vec<String>)>,
    /// How many characters braces may yet make.
    braced_left: Cell<usize>,
}

impl Default for Variables {
    fn default() -> Self {
        Self { entries: Vec::new(), braced_left: Cell::new(BRACED_MAX) }
    }
}

impl Variables {
    /// Adds what a variable may hold.
    pub(super) fn add(&mut self, name: &str, values: Vec<String>) {
        let mut values: Vec<String> =
            values.into_iter().map(|value| if value.len() > VALUE_MAX_BYTES { UNKNOWN.to_string() } else { value }).collect();
        if let Some((_, known)) = self.entries.iter_mut().find(|(known, _)| known == name) {
            known.append(&mut values);
            known.dedup();
            shorten(known);
        } else if self.entries.len() < NAMES_MAX {
            shorten(&mut values);
            self.entries.push((name.to_owned(), values));
        }
    }

    fn values(&self, name: &str) -> Vec<String> {
        if let Some((_, values)) = self.entries.iter().find(|(known, _)| known == name) {
            return values.clone();
        }
        vec![match name {
            "HOME" => "~".to_owned(),
            "PWD" => ".".to_owned(),
            "IFS" => " ".to_owned(),
            "TMPDIR" => "/tmp/x".to_owned(),
            // Never empty, and no path.
            "USER" | "LOGNAME" | "HOSTNAME" | "UID" | "EUID" | "PPID" | "RANDOM" | "SECONDS" | "$" | "?" | "#" => "x".to_owned(),
            _ => UNKNOWN.to_string(),
        }]
    }
}

/// A character, and whether it was quoted.
type Sign = (char, bool);
/// Where an unquoted variable falls apart into words.
const SPLIT: Sign = ('\0', false);
/// A quoted text, which makes a word even when it is empty.
const QUOTE: Sign = ('\0', true);

/// The command lines that these words may become.
pub(super) fn lines(words: &[Word], variables: &Variables) -> Vec<Vec<String>> {
    let ways: Vec<Vec<Vec<String>>> = words.iter().map(|word| fields(word, variables)).collect();
    let count = ways.iter().map(Vec::len).max().unwrap_or(0);
    if count == 1 {
        return vec![ways.into_iter().flatten().flatten().collect()];
    }
    let line = |way: usize| -> Vec<String> {
        let chosen = ways.iter().filter_map(|word| word.get(way.checked_rem(word.len())?));
        chosen.flatten().cloned().collect()
    };
    (0..count).map(line).collect()
}

/// The ways to read one word, each a list of words.
fn fields(word: &Word, variables: &Variables) -> Vec<Vec<String>> {
    if let Some(text) = as_typed(word) {
        return vec![vec![text]];
    }
    texts(word, variables)
        .into_iter()
        .map(|text| braces(text, &variables.braced_left).into_iter().flat_map(|one| split(&one)).collect())
        .collect()
}

/// The text of a word in which the shell replaces nothing but its quotes, as nearly all are.
fn as_typed(word: &Word) -> Option<String> {
    if word.has_braces() {
        return None;
    }
    let mut whole = String::new();
    let mut stands = false;
    for part in &word.parts {
        match part {
            Part::Text { text, quoted } if !text.as_bytes().contains(&0) => {
                stands |= *quoted || !text.is_empty();
                whole.push_str(text);
            }
            _ => return None,
        }
    }
    stands.then_some(whole)
}

/// The ways to read a word that is not split.
pub(super) fn values(word: &Word, variables: &Variables) -> Vec<String> {
    let plain = |text: Vec<Sign>| text.into_iter().filter(|sign| *sign != QUOTE).map(|(c, _)| if c == '\0' { ' ' } else { c }).collect();
    texts(word, variables).into_iter().map(plain).collect()
}

fn texts(word: &Word, variables: &Variables) -> Vec<Vec<Sign>> {
    let mut ways: Vec<Vec<Sign>> = vec![Vec::new()];
    for part in &word.parts {
        let (values, quoted) = match part {
            Part::Text { text, quoted } => {
                for way in &mut ways {
                    if *quoted {
                        way.push(QUOTE);
                    }
                    way.extend(text.chars().map(|c| (c, *quoted)));
                }
                continue;
            }
            Part::Variable { name, operator, operand, quoted } => (variable(name, operator, operand, variables), *quoted),
            Part::Command { script, quoted } => (vec![output(script, variables)], *quoted),
            Part::Process { script, .. } => (vec![format!("/dev/fd/{}", source_mark(script, variables))], true),
            Part::Arithmetic { .. } => (vec!["1".to_owned()], true),
            Part::History { .. } => (vec![UNKNOWN.to_string()], true),
        };
        if let [value] = values.as_slice() {
            ways.iter_mut().for_each(|way| way.extend(value.chars().map(|c| sign(c, quoted))));
        } else {
            ways = append(&ways, &values, quoted);
        }
    }
    ways
}

/// A character of a value: unquoted it may separate words.
fn sign(c: char, quoted: bool) -> Sign {
    if !quoted && c.is_whitespace() { SPLIT } else { (c, quoted) }
}

/// Leaves so many that each is followed: first those that may name a secret. What is left out is something that is only known later.
fn shorten(values: &mut Vec<String>) {
    if values.len() > WAYS_MAX {
        values.sort_by_key(|value| !secrets::may_be_named(value, None));
        values.truncate(WAYS_MAX - 1);
        values.push(UNKNOWN.to_string());
    }
}

fn append(ways: &[Vec<Sign>], values: &[String], quoted: bool) -> Vec<Vec<Sign>> {
    let unknown = [UNKNOWN.to_string()];
    let values = if ways.len() * values.len() > WAYS_MAX || values.is_empty() { &unknown } else { values };
    let with = |value: &String| {
        let signs: Vec<Sign> = value.chars().map(|c| sign(c, quoted)).collect();
        ways.iter().map(|way| [way.as_slice(), &signs].concat()).collect::<Vec<_>>()
    };
    values.iter().flat_map(with).collect()
}

fn variable(name: &str, operator: &str, operand: &Word, variables: &Variables) -> Vec<String> {
    let mut found = match operator {
        "" | "-" | ":-" | "=" | ":=" | "?" | ":?" => variables.values(name),
        signs if signs.starts_with('$') => variables.values(name),
        "+" | ":+" => vec![String::new()],
        "length" => vec!["1".to_owned()],
        _ => vec![UNKNOWN.to_string()],
    };
    if matches!(operator, "-" | ":-" | "=" | ":=" | "+" | ":+") {
        found.append(&mut values(operand, variables));
    }
    found
}

/// What a substitution prints.
fn output(script: &Script, variables: &Variables) -> String {
    match source::of_script(script, variables) {
        Source::Text(text) if text.len() <= VALUE_MAX_BYTES => text.trim_end_matches('\n').to_owned(),
        Source::Trusted => TRUSTED.to_string(),
        _ => UNKNOWN.to_string(),
    }
}

fn source_mark(script: &Script, variables: &Variables) -> char {
    match source::of_script(script, variables) {
        Source::File | Source::Trusted => TRUSTED,
        _ => UNKNOWN,
    }
}

/// `{a,b}` becomes two words.
fn braces(text: Vec<Sign>, left: &Cell<usize>) -> Vec<Vec<Sign>> {
    let mut done = Vec::new();
    let mut open = vec![text];
    let mut rest = None;
    while let Some(text) = open.pop() {
        let Some(brace) = first_brace(&text) else {
            done.push(text);
            continue;
        };
        let fits = done.len() + open.len() < BRACES_MAX;
        match left.get().checked_sub(brace.makes(&text)).filter(|_| fits) {
            Some(behind) => {
                left.set(behind);
                open.extend(brace.words(&text).into_iter().rev());
            }
            None => {
                rest = Some(vec![(UNKNOWN, true)]);
                done.push(text);
            }
        }
    }
    done.extend(rest);
    done
}

/// A pair of braces with commas inside, by their places.
struct Brace {
    start: usize,
    commas: Vec<usize>,
    end: usize,
}

impl Brace {
    /// How many characters it makes.
    fn makes(&self, text: &[Sign]) -> usize {
        let inside = self.end - self.start;
        inside + (text.len() - inside).saturating_mul(self.commas.len() + 1)
    }

    fn words(&self, text: &[Sign]) -> Vec<Vec<Sign>> {
        let of = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let (before, behind) = (of(0, self.start), of(self.end + 1, text.len()));
        let starts = core::iter::once(&self.start).chain(&self.commas);
        let ends = self.commas.iter().chain([&self.end]);
        starts.zip(ends).map(|(from, to)| [before, of(from + 1, *to), behind].concat()).collect()
    }
}

/// The first of them.
fn first_brace(text: &[Sign]) -> Option<Brace> {
    let mut start = None;
    let mut commas = Vec::new();
    let mut depth = 0_usize;
    for (place, sign) in text.iter().enumerate() {
        match sign {
            ('{', false) => {
                if depth == 0 {
                    start = Some(place);
                    commas.clear();
                }
                depth += 1;
            }
            (',', false) if depth == 1 => commas.push(place),
            ('}', false) if depth == 1 && !commas.is_empty() => return Some(Brace { start: start?, commas, end: place }),
            ('}', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn split(text: &[Sign]) -> Vec<String> {
    let field = |signs: &[Sign]| {
        let mut word = String::with_capacity(signs.len());
        word.extend(signs.iter().filter(|sign| **sign != QUOTE).map(|(c, _)| *c));
        (!word.is_empty() || signs.contains(&QUOTE)).then_some(word)
    };
    text.split(|sign| *sign == SPLIT).filter_map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::parse;
    use super::super::super::syntax::Kind;
    use super::*;

    fn expanded(command: &str) -> Vec<String> {
        let mut variables = Variables::default();
        variables.add("x", vec!["a b".to_owned()]);
        variables.add("two", vec!["rm".to_owned(), "ls".to_owned()]);
        let parsed = parse::parse(command);
        let kinds = parsed.script.pipelines.iter().flat_map(|pipeline| &pipeline.stages).map(|stage| &stage.kind);
        let found = kinds.filter_map(|kind| if let Kind::Simple(simple) = kind { Some(lines(&simple.words, &variables)) } else { None });
        found.flatten().map(|line| line.join("|").replace([UNKNOWN, TRUSTED], "?")).collect()
    }

    #[test]
    fn words_become_what_the_shell_makes_of_them() {
        for (command, expected) in [
            (r#"r\m -'r'f "/" ''"#, "rm|-rf|/|"),
            ("{rm,-rf,/}", "rm|-rf|/"),
            ("a{b,c{d,e}}f '{x,y}' {z}", "abf|acdf|acef|{x,y}|{z}"),
            (r#"echo $x "$x" $x$x"#, "echo|a|b|a b|a|ba|b"),
            ("rm${IFS}-rf${IFS}/", "rm|-rf|/"),
            ("$(echo rm) $(printf '%s' x) `which rm`", "rm|x|rm"),
            ("echo ${y:-rm} ${y} ~/$HOME", "echo|?|?|~/~"),
            ("echo $'\\x72m' $((1+1)) ${#x}", "echo|rm|1|1"),
            ("rm $(cat list) <(curl x)", "rm|?|/dev/fd/?"),
        ] {
            assert_eq!(expanded(command).first().map(String::as_str), Some(expected), "{command}");
        }
        assert_eq!(expanded("$two -x"), ["rm|-x", "ls|-x"]);
        assert_eq!(expanded("echo ${y:-rm}"), ["echo|?", "echo|rm"]);
    }

    #[test]
    fn growth_is_bounded() {
        assert!(expanded(&"{a,b}".repeat(40)).iter().all(|line| line.len() < 100_000));
        assert!(expanded(&"$two".repeat(1_000)).len() <= WAYS_MAX);
    }
}
