//! The criteria of a `Match` line.

use super::tokens;
use super::words;

/// One criterion, perhaps negated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Criterion {
    /// Stands a `!` before it?
    pub(super) negated: bool,
    /// What is looked at.
    pub(super) subject: Subject,
}

/// What a criterion looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// Always met.
    All,
    /// Met when the configuration is read again.
    Canonical,
    /// Likewise, and has it read again.
    Final,
    /// The name to connect to.
    Host(String),
    /// The name that was asked for.
    OriginalHost(String),
    /// Who logs in there.
    User(String),
    /// Who is here.
    LocalUser(String),
    /// What `Tag` or the caller says.
    Tagged(String),
    /// How a command ends.
    Exec(String),
    /// Something that OpenSSH knows and this program cannot find out: the criterion and its argument.
    Beyond(&'static str, String),
}

/// Criteria that ask for what nobody here knows: the machine's networks, and what is typed after the host's name.
const BEYOND: [&str; 4] = ["localnetwork", "command", "sessiontype", "version"];

/// Reads what follows `Match`.
pub(super) fn parse(text: &str) -> Result<Vec<Criterion>, String> {
    let mut rest = Some(text);
    let mut criteria = Vec::new();
    while let Some(word) = words::next(&mut rest).filter(|word| !word.is_empty()) {
        if word.starts_with('#') {
            rest = None;
            break;
        }
        let (negated, name) = word.strip_prefix('!').map_or((false, word.as_str()), |name| (true, name));
        let subject = match name.to_ascii_lowercase().as_str() {
            "all" => {
                // OpenSSH lets it stand behind one other criterion, whichever that is.
                let next = words::next(&mut rest).filter(|next| !next.is_empty());
                if criteria.len() > 1 || next.as_ref().is_some_and(|next| !next.starts_with('#')) {
                    return Err("`all` must stand alone, or behind `canonical` or `final`".to_owned());
                }
                criteria.push(Criterion { negated, subject: Subject::All });
                return if next.is_some() { Ok(criteria) } else { whole(rest, criteria) };
            }
            "canonical" => Subject::Canonical,
            "final" => Subject::Final,
            other => with_argument(other, &mut rest)?,
        };
        criteria.push(Criterion { negated, subject });
    }
    if criteria.is_empty() {
        return Err("no criterion follows; `all` is always met".to_owned());
    }
    whole(rest, criteria)
}

fn with_argument(name: &str, rest: &mut Option<&str>) -> Result<Subject, String> {
    let argument = words::next(rest).filter(|argument| !argument.is_empty() && !argument.starts_with('#'));
    let argument = argument.ok_or_else(|| format!("an argument is missing behind `{name}`"))?;
    Ok(match name {
        "host" => Subject::Host(argument),
        "originalhost" => Subject::OriginalHost(argument),
        "user" => Subject::User(argument),
        "localuser" => Subject::LocalUser(argument),
        "tagged" => Subject::Tagged(argument),
        "exec" => {
            tokens::check(&argument, tokens::CONNECTION)?;
            Subject::Exec(argument)
        }
        _ => match BEYOND.iter().find(|known| **known == name) {
            Some(known) => Subject::Beyond(known, argument),
            None => {
                return Err(format!(
                    "`{name}` is not a criterion: `all`, `canonical`, `final`, `host`, `originalhost`, `user`, `localuser`, `tagged`, \
                     `localnetwork` or `exec`"
                ));
            }
        },
    })
}

fn whole(rest: Option<&str>, criteria: Vec<Criterion>) -> Result<Vec<Criterion>, String> {
    match rest.filter(|rest| !rest.is_empty()) {
        Some(rest) => Err(format!("`{rest}` is too much")),
        None => Ok(criteria),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_are_read_with_their_arguments() {
        let host = |negated, list: &str| Criterion { negated, subject: Subject::Host(list.to_owned()) };
        let all = |negated| Criterion { negated, subject: Subject::All };
        let last = |negated| Criterion { negated, subject: Subject::Final };
        for (text, expected) in [
            ("host a,b", vec![host(false, "a,b")]),
            ("HOST=a", vec![host(false, "a")]),
            ("!host \"a b\" # why", vec![host(true, "a b")]),
            ("all", vec![all(false)]),
            ("!all # why", vec![all(true)]),
            ("final all", vec![last(false), all(false)]),
            ("!final host h", vec![last(true), host(false, "h")]),
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        for bad in ["# nothing", "host", "host #a", "all host a", "host a user b all", "colour red", "exec %Z", "exec"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(matches!(parse("localnetwork 10.0.0.0/8").unwrap().as_slice(), [Criterion { subject: Subject::Beyond(..), .. }]));
    }
}
