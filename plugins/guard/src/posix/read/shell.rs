//! Commands of the shell itself that need a closer look.

use crate::verdict::{Doubt, Proof, excerpt};
use jackfield_plugin::text::Search;

use super::super::syntax::{Part, Word};
use super::argument::Argument;
use super::harmless_variable;
use super::options::Shape;
use super::programs::{MANY, writes};

/// Ends the shell that others may share.
pub(super) fn session(arguments: &[Argument]) -> Proof {
    let program = arguments.first().map_or("", |program| program.text.as_str());
    Err(Doubt::new("posix.session", format!("{} ends the shell", excerpt(program))))
}

/// `declare -p NAME`. Some shells compute an index, and zsh what stands behind `-F`.
pub(super) fn declare(arguments: &[Argument]) -> Proof {
    let line = Shape { letters: "pfF", long: "", operands: MANY }.read(arguments)?;
    // `+x` takes a mark away from a variable in mksh.
    let named = line.operands.iter().all(|name| name.exact && !name.text.has_any("=[+"));
    let computes = line.has_any("F") && !line.operands.is_empty();
    if line.has_any("p f F") && named && !computes { Ok(()) } else { Err(writes(arguments)) }
}

/// `history`, `history 20`.
pub(super) fn history(arguments: &[Argument]) -> Proof {
    let rest = arguments.get(1..).unwrap_or_default();
    let number = |argument: &Argument| argument.exact && argument.text.chars().all(|c| c.is_ascii_digit());
    if rest.len() <= 1 && rest.iter().all(number) { Ok(()) } else { Err(writes(arguments)) }
}

/// `wait`, `wait -n`, `wait %1`. Behind `-p` stands a variable.
pub(super) fn wait(arguments: &[Argument]) -> Proof {
    let is_job =
        |argument: &Argument| argument.exact && (argument.text == "-n" || argument.text.chars().all(|c| c.is_ascii_digit() || c == '%'));
    if arguments.iter().skip(1).all(is_job) { Ok(()) } else { Err(writes(arguments)) }
}

/// `kill -0 1234` asks whether it runs, `kill -l` shows the names of signals. Another option behind `-0` counts to some.
pub(super) fn kill(arguments: &[Argument]) -> Proof {
    let number = |argument: &Argument| argument.exact && !argument.text.is_empty() && argument.text.chars().all(|c| c.is_ascii_digit());
    let shows = match arguments.get(1..).unwrap_or_default() {
        [zero, processes @ ..] if zero.is("-0") => !processes.is_empty() && processes.iter().all(number),
        [list, signals @ ..] if list.is("-l") => signals.len() <= 1 && signals.iter().all(number),
        _ => false,
    };
    if shows { Ok(()) } else { Err(writes(arguments)) }
}

/// Fills variables that nobody looks at.
pub(super) fn read(arguments: &[Argument]) -> Proof {
    // zsh computes what stands behind `-t`, and fish runs what stands behind `-p`.
    let computed = |argument: &Argument| !argument.exact || argument.text.contains(['[', '(', '$', '`']);
    // These take no value in each shell: what stands behind one may be a name.
    let counts = |option: &Argument| option.text.starts_with('-') && option.text.ends_with(['t', 'n', 'N', 'u']);
    let is_number = |value: &Argument| value.text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let names = arguments.iter().zip(arguments.iter().skip(1)).any(|(option, value)| counts(option) && !is_number(value));
    if names || arguments.iter().any(computed) {
        return Err(writes(arguments));
    }
    let line = Shape { letters: "rst:n:N:d:u:", long: "", operands: MANY }.read(arguments)?;
    line.operands.iter().try_for_each(|name| if name.exact { harmless_variable(&name.text) } else { Err(writes(arguments)) })
}

/// `[[ ]]`: a comparison of numbers, and a question for an index or a terminal, evaluate what a variable holds.
pub(super) fn double_bracket(words: &[Word]) -> Proof {
    const EVALUATES: [&str; 8] = ["-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v", "-R"];
    let plain = |word: &Word| word.literal().is_some_and(|text| text.chars().all(|c| c.is_ascii_digit()));
    for (place, word) in words.iter().enumerate() {
        let [Part::Text { text, .. }] = word.parts.as_slice() else { continue };
        if text == "-t" && !words.get(place + 1).is_none_or(plain) {
            return Err(Doubt::new("posix.arithmetic", "`-t` in `[[ ]]` runs what a variable may hold in some shells"));
        }
        let sides = [place.checked_sub(1), Some(place + 1)].into_iter().flatten().filter_map(|side| words.get(side));
        if EVALUATES.contains(&text.as_str()) && !sides.into_iter().all(plain) {
            let reason = format!("{} in `[[ ]]` runs what a variable may hold, `[ ]` does not", excerpt(text));
            return Err(Doubt::new("posix.arithmetic", reason));
        }
    }
    Ok(())
}
