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

/// What stands in braces and is written like a name.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, behind) = rest.split_once('{')?;
            if let Some(behind) = behind.strip_prefix('{') {
                rest = behind;
                continue;
            }
            rest = behind;
            let Some((word, _)) = behind.split_once('}') else { continue };
            let is_name = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
            if word.starts_with(|first: char| first.is_ascii_alphabetic()) && is_name(word) {
                return Some(word);
            }
        }
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
}
