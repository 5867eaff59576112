//! Placeholders in what the host types for a plugin: `{enter}` and others, with `{{` for a brace.

use crate::nearest::nearest;

/// Those of a send.
pub const OF_SENDS: [&str; 3] = ["enter", "nonce", "user"];

/// Those of what a shell behind a pipe is told first.
pub const OF_PIPES: [&str; 2] = ["enter", "nonce"];

/// Those of a program that sends a signal.
pub const OF_SIGNALS: [&str; 2] = ["signal", "pid"];

/// Are all placeholders of this text among the known ones? A brace that no word follows is text.
///
/// # Errors
///
/// The first one that nobody fills in, and those that are.
pub fn check<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let known: Vec<&str> = known.into_iter().collect();
    let Some(wrong) = words(text).find(|word| !known.contains(word)) else { return Ok(()) };
    let guess = nearest(wrong, known.iter().copied()).map_or_else(String::new, |near| format!("did you mean `{{{near}}}`? "));
    let shown: Vec<String> = known.iter().map(|name| format!("`{{{name}}}`")).collect();
    let list = if shown.is_empty() { "there are none here".to_owned() } else { format!("known are {}", shown.join(", ")) };
    Err(format!("holds `{{{wrong}}}`, which is no placeholder; {guess}{list}; a brace is written `{{{{`"))
}

/// The text as it is typed, each placeholder with its value; one that has none stays as it is written.
#[must_use]
pub fn resolve<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    written(text, "{", value)
}

/// The text with some values in it, whose other placeholders have theirs later: no brace of a value is taken for one of the text then.
#[must_use]
pub fn fill<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    written(text, "{{", value)
}

/// How often the text holds this placeholder.
#[must_use]
pub fn count(text: &str, name: &str) -> usize {
    words(text).filter(|word| *word == name).count()
}

/// What stands before this placeholder, where the text ends with it.
#[must_use]
pub fn before_last<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let is_last = pieces(text).last() == Some(Piece::Word(name));
    text.strip_suffix('}')?.strip_suffix(name)?.strip_suffix('{').filter(|_| is_last)
}

fn written<'v>(text: &str, brace: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(own) => out.push_str(own),
            Piece::Brace => out.push_str(brace),
            Piece::Word(word) => match value(word) {
                Some(value) => out.push_str(&value.replace('{', brace)),
                None => out.extend(["{", word, "}"]),
            },
        }
    }
    out
}

/// A piece of a text with placeholders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// An opening brace that stands for itself.
    Brace,
    /// What stands in braces and is written like a name.
    Word(&'t str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let Some(inside) = rest.strip_prefix('{') else {
            let (own, behind) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
            rest = behind;
            return (!own.is_empty()).then_some(Piece::Text(own));
        };
        let (piece, behind) = match (inside.strip_prefix('{'), inside.split_once('}')) {
            (Some(behind), _) => (Piece::Brace, behind),
            (None, Some((word, behind))) if is_name(word) => (Piece::Word(word), behind),
            (None, _) => (Piece::Brace, inside),
        };
        rest = behind;
        Some(piece)
    })
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Word(word) => Some(word),
        Piece::Text(_) | Piece::Brace => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_like_a_placeholder_and_is_none_is_told() {
        let check = |text| check(text, OF_SENDS);
        for text in ["q", "echo {nonce}{enter}", "{{noncee}", "a={{b}{enter}", "f() { {{ x; }; }", "{", "}{", "{1,3}", "{a b}"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        let told = "holds `{noncee}`, which is no placeholder; did you mean `{nonce}`? known are `{enter}`, `{nonce}`, `{user}`; a brace is written `{{`";
        assert_eq!(check("echo {noncee}{enter}").unwrap_err(), told);
        assert!(check("{ {Enter}").unwrap_err().contains("did you mean `{enter}`"));
        assert!(check("{{{entr}").unwrap_err().contains("`{entr}`"));
    }

    #[test]
    fn each_placeholder_and_each_brace_is_read_once() {
        let value = |word: &str| match word {
            "nonce" => Some("n"),
            "config.x" => Some("{nonce}{{"),
            "config.end" => Some("ce}"),
            _ => None,
        };
        for (text, typed) in [
            ("", ""),
            ("é{nonce}é", "éné"),
            ("{{nonce}", "{nonce}"),
            ("{{{nonce}", "{n"),
            ("{{{{nonce}", "{{nonce}"),
            ("a={{b}{other}", "a={b}{other}"),
            ("{", "{"),
            ("}{", "}{"),
            ("${{1-$?}", "${1-$?}"),
            ("{ {nonce} {1,3} {a {nonce}", "{ n {1,3} {a n"),
            ("{{config.x}", "{config.x}"),
            ("{config.x}{config.x}", "{nonce}{{{nonce}{{"),
            ("{non{config.end}", "{nonce}"),
        ] {
            assert_eq!(resolve(text, value), typed, "{text}");
            // In two steps it is the same.
            let some = fill(text, |word| value(word).filter(|_| word.starts_with("config.")));
            assert_eq!(resolve(&some, value), typed, "{text}, filled in as {some}");
        }
    }

    #[test]
    fn a_placeholder_at_the_end_is_no_brace_and_a_word() {
        let before = |text| before_last(text, "enter");
        assert_eq!((before("up{enter}"), before("{enter}"), before("{{{enter}")), (Some("up"), Some(""), Some("{{")));
        assert_eq!((before("up"), before("{{enter}"), before("{enter}{nonce}"), before("enter}")), (None, None, None, None));
        assert_eq!((count("{a} {{a} {a}{b}", "a"), count("{{a}", "a")), (2, 0));
    }
}
