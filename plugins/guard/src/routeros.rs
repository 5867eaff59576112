//! MikroTik RouterOS: a path, a verb, arguments, and commands inside brackets, braces and texts.

use crate::verdict::{Assessment, Danger, Doubt, Proof};

use self::parse::Parsed;

mod destructive;
mod parse;
mod read;

/// Judges a command.
pub(crate) fn assess(command: &str) -> Assessment {
    let parsed = parse::parse(command);
    let proof = prove(&parsed);
    let danger = if proof.is_ok() { None } else { destructive::find(&parsed) };
    let unfinished = parsed.unclosed.map(|what| {
        let reason = format!("{what} is not closed, the router would wait for the rest");
        Danger::new("routeros.unfinished", reason).advise("Close it and send the whole command.")
    });
    Assessment { proof, read_rule: "read.routeros.allowed", unfinished, danger }
}

/// The first danger in a line, proven to be a read or not.
pub(crate) fn danger(line: &str) -> Option<Danger> {
    destructive::find(&parse::parse(line))
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
