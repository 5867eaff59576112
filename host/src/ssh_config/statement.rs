//! One line of a configuration, read once into what it does.

use std::path::PathBuf;

use super::check::{check, is_agent};
use super::criteria::{self, Criterion};
use super::forward::{Direction, Forward};
use super::jump::Jump;
use super::keyword::{self, Kind};
use super::{value, words};

/// What a line does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Statement {
    /// Begins a block for hosts that fit the patterns.
    Host(Vec<String>),
    /// Begins a block for connections that meet all criteria.
    Match(Vec<Criterion>),
    /// Names files to be read in its place.
    Include(Vec<PathBuf>),
    /// Sets something.
    Set(&'static str, Value),
    /// Has a keyword that nobody knows; that is an error unless it is to be ignored.
    Unknown(String),
}

/// What a line sets, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    Choice(&'static str),
    Number(u32),
    Port(u16),
    Text(String),
    Words(Vec<String>),
    Jump(Jump),
    Forward(Direction, Forward),
    /// Counts as not set.
    Nothing,
}

/// Reads a line; nothing when it is empty or a comment. A path of `Include` is as it is written.
pub(super) fn parse(line: &str) -> Result<Option<Statement>, String> {
    let line = words::trimmed(line);
    let Some((word, rest)) = words::keyword(line) else { return Ok(None) };
    if rest.is_empty() {
        return Err(format!("nothing follows the keyword `{word}`"));
    }
    let Some(arguments) = words::arguments(rest) else {
        return Err("a quote has no end; write \\\" or \\' for one that stands for itself".to_owned());
    };
    let Some((name, kind)) = keyword::find(&word) else { return Ok(Some(Statement::Unknown(word))) };
    let told = |problem: String| format!("{word}: {problem}");
    statement(name, kind, rest, &arguments).map(Some).map_err(told)
}

fn statement(name: &'static str, kind: Kind, rest: &str, arguments: &[String]) -> Result<Statement, String> {
    let statement = match kind {
        Kind::Host => Statement::Host(not_empty(arguments)?.to_vec()),
        Kind::Match => Statement::Match(criteria::parse(rest)?),
        Kind::Include => Statement::Include(not_empty(arguments)?.iter().map(PathBuf::from).collect()),
        Kind::Command => {
            let text = rest.trim_start_matches([' ', '\t', '\r', '\n', '=']);
            Statement::Set(name, Value::Text(text.to_owned()))
        }
        Kind::Jump => Statement::Set(name, Jump::parse(rest).map(Value::Jump).ok_or_else(|| jump_problem(rest))?),
        Kind::Anything => Statement::Set(name, Value::Nothing),
        Kind::Words | Kind::Domains | Kind::Pairs => Statement::Set(name, Value::Words(listed(kind, arguments)?)),
        Kind::SendEnv | Kind::SetEnv => Statement::Set(name, Value::Words(variables(kind, arguments)?)),
        Kind::Forward(direction) => Statement::Set(name, forward(direction, arguments)?),
        Kind::Checked(how) => {
            no_more(arguments.get(check(how, arguments)?..))?;
            Statement::Set(name, Value::Nothing)
        }
        _ => {
            let first = arguments.first().filter(|word| !word.is_empty()).ok_or("an argument is missing")?;
            no_more(arguments.get(1..))?;
            Statement::Set(name, single(kind, first)?)
        }
    };
    Ok(statement)
}

/// A value of one word.
fn single(kind: Kind, word: &str) -> Result<Value, String> {
    let not = |what: &str| Err(format!("`{word}` is not {what}"));
    match kind {
        Kind::Flag => keyword::flag(word).map_or_else(|| not("`yes` or `no`"), |flag| Ok(Value::Flag(flag))),
        Kind::Choice(choices) => keyword::chosen(choices, word).map_or_else(
            || {
                let known: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                not(&format!("one of `{}`", known.join("`, `")))
            },
            |chosen| Ok(Value::Choice(chosen)),
        ),
        Kind::Number => value::number(word).map_or_else(|| not("a number"), |number| Ok(Value::Number(number))),
        // OpenSSH keeps `none` like a value that was never set, so that a later line may set one.
        Kind::Seconds if word == "none" => Ok(Value::Nothing),
        Kind::Seconds => value::seconds(word).map_or_else(|| not("a time like `90` or `1h30m`"), |number| Ok(Value::Number(number))),
        Kind::Port => value::port(word).map_or_else(|| not("a port from 1 to 65535"), |port| Ok(Value::Port(port))),
        Kind::ForwardAgent => match keyword::flag(word) {
            Some(flag) => Ok(Value::Flag(flag)),
            None => single(Kind::Agent, word),
        },
        Kind::Agent if !is_agent(word) => not("a path or the name of a variable"),
        _ => Ok(Value::Text(word.to_owned())),
    }
}

/// Words of which `none` stands alone.
fn listed(kind: Kind, words: &[String]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for word in not_empty(words)? {
        if word.eq_ignore_ascii_case("none") {
            if words.len() > 1 {
                return Err("`none` must stand alone".to_owned());
            }
            found.push(word.clone());
            continue;
        }
        let right = match kind {
            Kind::Domains => value::domain(word).is_some(),
            Kind::Pairs => word.split_once(':').is_some_and(|(from, to)| !from.is_empty() && !to.is_empty()),
            _ => true,
        };
        if !right {
            return Err(format!("`{word}` is not {}", if kind == Kind::Domains { "the name of a domain" } else { "a pair of domains" }));
        }
        found.push(word.clone());
    }
    Ok(found)
}

fn variables(kind: Kind, words: &[String]) -> Result<Vec<String>, String> {
    let wants_value = kind == Kind::SetEnv;
    if words.is_empty() {
        return Err("an argument is missing".to_owned());
    }
    match words.iter().find(|word| word.is_empty() || word.contains('=') != wants_value) {
        Some(bad) if wants_value => Err(format!("`{bad}` is not a variable with its value, like `NAME=value`")),
        Some(bad) => Err(format!("`{bad}` is not the name of a variable")),
        None => Ok(words.to_vec()),
    }
}

fn forward(direction: Direction, words: &[String]) -> Result<Value, String> {
    let listen = words.first().filter(|word| !word.is_empty()).ok_or("an argument is missing")?;
    let target = words.get(1).filter(|word| !word.is_empty() && direction != Direction::Dynamic);
    if direction == Direction::Local && target.is_none() {
        return Err("the target is missing, like `host:port`".to_owned());
    }
    let forward = Forward::parse(direction, listen, target.map(String::as_str));
    // The second word of a forward without target is taken all the same when it is empty.
    no_more(words.get(if direction == Direction::Dynamic { 1 } else { 2 }..))?;
    forward.map(|forward| Value::Forward(direction, forward)).ok_or_else(|| format!("`{}` is not a forward", words.join(" ")))
}

fn not_empty(words: &[String]) -> Result<&[String], String> {
    if words.iter().any(String::is_empty) { Err("an argument is empty".to_owned()) } else { Ok(words) }
}

fn no_more(words: Option<&[String]>) -> Result<(), String> {
    match words.and_then(<[String]>::first) {
        Some(word) => Err(format!("`{word}` is one argument too many; put quotes around a value with blanks")),
        None => Ok(()),
    }
}

fn jump_problem(rest: &str) -> String {
    format!("`{rest}` is not a list of `[user@]host[:port]` without blanks, and not `none`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        for (line, expected) in [
            ("Port", "nothing follows the keyword `port`"),
            ("Port x", "port: `x` is not a port from 1 to 65535"),
            ("User a b", "user: `b` is one argument too many; put quotes around a value with blanks"),
            ("User \"\"", "user: an argument is missing"),
            ("User it's", "a quote has no end; write \\\" or \\' for one that stands for itself"),
            ("CheckHostIP maybe", "checkhostip: `maybe` is not `yes` or `no`"),
            ("AddressFamily ipv6", "addressfamily: `ipv6` is not one of `inet`, `inet6`, `any`"),
            ("ConnectTimeout soon", "connecttimeout: `soon` is not a time like `90` or `1h30m`"),
            ("UserKnownHostsFile a none", "userknownhostsfile: `none` must stand alone"),
            ("ProxyJump a, b", "proxyjump: `a, b` is not a list of `[user@]host[:port]` without blanks, and not `none`"),
            ("SetEnv A", "setenv: `A` is not a variable with its value, like `NAME=value`"),
            ("LocalForward 80", "localforward: the target is missing, like `host:port`"),
        ] {
            assert_eq!(parse(line).unwrap_err(), expected, "{line}");
        }
    }
}
