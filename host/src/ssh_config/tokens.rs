//! Tokens like `%h`, variables like `${HOME}`, and `~`.

use std::collections::BTreeMap;

use super::local::Local;

/// Tokens of most keywords, and of `Match exec`.
pub(super) const CONNECTION: &str = "CLdhijklnpru";
/// Tokens of `HostName`.
pub(super) const NAME: &str = "h";
/// Tokens of `ProxyCommand` and `ProxyJump`.
pub(super) const PROXY: &str = "hknpr";

/// What each token stands for.
pub(super) type Facts = BTreeMap<char, String>;

/// Are all tokens in the text among these?
pub(super) fn check(text: &str, allowed: &str) -> Result<(), String> {
    let any = |token| if allowed.contains(token) { Some("") } else { None };
    replaced(text, allowed, any, None).map(drop)
}

/// The text with its tokens replaced.
pub(super) fn expand(text: &str, allowed: &str, facts: &Facts) -> Result<String, String> {
    let known = |token| facts.get(&token).map(String::as_str).filter(|_| allowed.contains(token));
    replaced(text, allowed, known, None)
}

/// The text with its tokens and variables replaced. What a variable holds stays as it is.
pub(super) fn expand_with_variables(text: &str, allowed: &str, facts: &Facts, who: &Local) -> Result<String, String> {
    let known = |token| facts.get(&token).map(String::as_str).filter(|_| allowed.contains(token));
    replaced(text, allowed, known, Some(who))
}

/// Are all variables in the text set?
pub(super) fn check_variables(text: &str, who: &Local) -> Result<(), String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        rest = variable(after, who)?.1;
    }
    Ok(())
}

fn replaced<'a>(text: &str, allowed: &str, fact: impl Fn(char) -> Option<&'a str>, variables: Option<&Local>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['%', '$']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        if let (Some(named), Some(who)) = (after.strip_prefix("${"), variables) {
            let (value, after) = variable(named, who)?;
            out.push_str(&value);
            rest = after;
            continue;
        }
        let mut letters = after.chars();
        if letters.next() == Some('$') {
            out.push('$');
        } else {
            match letters.next() {
                Some('%') => out.push('%'),
                None => return Err(format!("`{text}` ends with `%`; write `%%` for the sign itself")),
                Some(token) => out.push_str(fact(token).ok_or_else(|| unknown(text, token, allowed))?),
            }
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    Ok(out)
}

fn unknown(text: &str, token: char, allowed: &str) -> String {
    let known: Vec<String> = allowed.chars().map(|letter| format!("%{letter}")).collect();
    format!("`%{token}` in `{text}` is not a token here; known are %% {}", known.join(" "))
}

/// The value of the variable whose name the text begins with, and what follows its brace.
fn variable<'t>(text: &'t str, who: &Local) -> Result<(String, &'t str), String> {
    let (name, after) = text.split_once('}').ok_or_else(|| format!("`${{{text}` has no `}}`"))?;
    let value = who.variable(name).filter(|_| !name.is_empty()).ok_or_else(|| format!("the variable `{name}` is not set"))?;
    Ok((value, after))
}

/// The path with a `~` or `~user` before it replaced by the home folder.
pub(super) fn home(path: &str, who: &Local) -> Result<String, String> {
    let Some(after) = path.strip_prefix('~') else { return Ok(path.to_owned()) };
    let (user, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
    let folder = if user.is_empty() { Some(who.home_text()) } else { who.home_of(user) };
    let folder = folder.ok_or_else(|| format!("`{path}`: nobody here is called `{user}`; write the home folder's path"))?;
    Ok(format!("{}/{}", folder.strip_suffix('/').unwrap_or(&folder), rest.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tokens_of_a_keyword_are_replaced() {
        let facts = Facts::from([('h', "web1".to_owned()), ('p', "22".to_owned())]);
        let who = Local::for_tests();
        let with = |text: &str| expand_with_variables(text, CONNECTION, &facts, &who);
        assert_eq!(expand("%h:%p %%h ${HOME} $x", PROXY, &facts).unwrap(), "web1:22 %h ${HOME} $x");
        assert_eq!(with("${SOCK}/%h/$SOCK/${PERCENT}").unwrap(), "/run/agent/web1/$SOCK/%h");
        assert!(expand("%p", NAME, &facts).unwrap_err().contains("known are %% %h"));
        for bad in ["%", "x%", "%Z", "${", "${SOCK", "${NOPE}", "${}"] {
            assert!(with(bad).is_err(), "{bad}");
        }
        assert!(check("%C %u %%", CONNECTION).is_ok() && check("%Z", CONNECTION).is_err());
        assert!(check_variables("$NOPE ${SOCK}", &who).is_ok() && check_variables("${SOCK}${NOPE}", &who).is_err());
    }

    #[test]
    fn a_tilde_stands_for_a_home_folder() {
        let who = Local::for_tests();
        for (path, expected) in
            [("~", "/home/ann/"), ("~/", "/home/ann/"), ("~//x", "/home/ann/x"), ("~ann/x", "/home/ann/x"), ("a~", "a~")]
        {
            assert_eq!(home(path, &who).unwrap(), expected, "{path}");
        }
        assert!(home("~no-such-user/x", &who).is_err());
    }
}
