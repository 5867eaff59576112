//! MikroTik RouterOS: a path, a verb, arguments, and commands inside brackets, braces and texts.

use jackfield_plugin::text::Search;

use crate::verdict::{Assessment, Danger, Doubt, Proof, heaviest};

use self::parse::{Parsed, Statement};

mod destructive;
mod parse;
mod read;

/// Judges a command.
pub(crate) fn assess(command: &str) -> Assessment {
    let parsed = parse::parse(command);
    let left = || without_help(command).map_or(Ok(()), |left| prove(&parse::parse(&left)));
    let proof = prove(&parsed).and_then(|()| left());
    let danger = if proof.is_ok() { None } else { danger(command) };
    let unfinished = parsed.unclosed.map(|what| {
        let reason = format!("{what} is not closed, the router would wait for the rest");
        Danger::new("routeros.unfinished", reason).advise("Close it and send the whole command.")
    });
    Assessment { proof, read_rule: "read.routeros.allowed", unfinished, danger }
}

/// The first danger in a line, proven to be a read or not.
pub(crate) fn danger(line: &str) -> Option<Danger> {
    let find = |text: &str| destructive::find(&parse::parse(text));
    heaviest(find(line).into_iter().chain(without_help(line).and_then(|left| find(&left))))
}

/// A key that shows help at once vanishes from the line. Later releases take it for a part of it.
fn without_help(command: &str) -> Option<String> {
    command.has('?').then(|| command.replaced("?", ""))
}

/// Every command of a text, where they can be told.
pub(crate) fn commands(command: &str) -> Option<Vec<Vec<String>>> {
    let mut found = listed(command)?;
    if let Some(left) = without_help(command) {
        found.extend(listed(&left)?);
    }
    Some(found)
}

fn listed(command: &str) -> Option<Vec<Vec<String>>> {
    let parsed = parse::parse(command);
    let told = !parsed.too_deep && parsed.unclosed.is_none() && parsed.unexpected.is_none();
    let mut found = Vec::new();
    (told && list(&parsed.statements, &mut found)).then_some(found)
}

/// Adds the commands of these statements, the inner ones first. Is each of them known by its words?
fn list(statements: &[Statement], found: &mut Vec<Vec<String>>) -> bool {
    statements.iter().all(|statement| {
        let inner = statement.words.iter().flat_map(|word| &word.inner);
        let listed = inner.into_iter().all(|inner| list(&inner.statements, found));
        let mut words = statement.path();
        let bare = statement.words.iter().take_while(|word| word.is_bare()).count();
        words.extend(statement.words.iter().skip(bare).map(|word| word.text.clone()).filter(|text| !text.is_empty()));
        let known = words.first().is_none_or(|word| !word.starts_with('$'));
        if !words.is_empty() {
            found.push(words);
        }
        listed && known
    })
}

fn prove(parsed: &Parsed) -> Proof {
    if parsed.too_deep {
        return Err(Doubt::new("routeros.too-deep", "it nests deeper than is read"));
    }
    if let Some(what) = parsed.unclosed {
        return Err(Doubt::new("routeros.unfinished", format!("{what} is not closed")));
    }
    if let Some(what) = parsed.unexpected {
        return Err(Doubt::new("routeros.syntax", format!("{what} stands where none may")));
    }
    if parsed.statements.is_empty() {
        return Err(Doubt::new("routeros.empty", "an empty line may answer a question"));
    }
    parsed.statements.iter().try_for_each(read::prove)
}
