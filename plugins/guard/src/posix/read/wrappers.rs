//! Programs that start another one, which is then judged.

use core::cell::Cell;
use jackfield_plugin::text::{Search, split_once};

use crate::verdict::{Doubt, Proof, excerpt};

use super::super::parse;
use super::argument::Argument;
use super::options::Shape;
use super::programs::{self, MANY, writes};

/// How many programs and shells may start one another.
pub(super) const CHAIN_MAX: usize = 8;

/// Judges a program, which comes first, with its arguments. `left` is how many may start one another yet.
pub(super) fn started(arguments: &[Argument], left: usize) -> Proof {
    let Some(program) = arguments.first() else { return Ok(()) };
    if !program.exact {
        return Err(Doubt::new("posix.unknown-word", format!("{} may become any program", excerpt(&program.text))));
    }
    if left == 0 {
        return Err(Doubt::new("posix.too-deep", "too many programs start one another"));
    }
    let behind = |shape: Shape| behind(arguments, shape.first_operand(arguments)?, left);
    match program.text.as_str() {
        "sudo" | "doas" | "su" | "pkexec" | "run0" => {
            Err(Doubt::new("posix.privilege", format!("{} raises the rights", excerpt(&program.text))))
        }
        "ip" if arguments.get(2).is_some_and(|verb| verb.is("exec")) => in_namespace(arguments, left),
        "command" => command(arguments, left),
        "builtin" => started(arguments.get(1..).unwrap_or_default(), left - 1),
        "nice" => behind(Shape { letters: "n:", long: "adjustment=", operands: MANY }),
        "ionice" => behind(Shape { letters: "c:n:t", long: "", operands: MANY }),
        "stdbuf" => behind(Shape { letters: "i:o:e:", long: "input= output= error=", operands: MANY }),
        "timeout" => timeout(arguments, left),
        "env" => environment(arguments, left),
        "xargs" => xargs(arguments, left),
        "watch" => watch(arguments, left),
        "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" if arguments.get(1).is_some_and(|option| option.is("-c")) => script(arguments, left),
        _ => programs::judge(arguments),
    }
}

/// `ip netns exec NAME PROGRAM`, `ip vrf exec NAME PROGRAM`
fn in_namespace(arguments: &[Argument], left: usize) -> Proof {
    let leads = arguments.get(1).is_some_and(|object| object.is("netns") || object.is("vrf"));
    let is_name = |name: &Argument| !name.may_be_option() && !name.text.starts_with('-');
    if leads && arguments.len() > 4 && arguments.get(3).is_some_and(is_name) { behind(arguments, 4, left) } else { Err(writes(arguments)) }
}

/// `command -v NAME` only looks.
fn command(arguments: &[Argument], left: usize) -> Proof {
    match arguments.get(1) {
        Some(option) if option.is("-v") || option.is("-V") => Ok(()),
        Some(option) if option.text.starts_with('-') => Err(writes(arguments)),
        _ => started(arguments.get(1..).unwrap_or_default(), left - 1),
    }
}

/// `timeout 5s PROGRAM`. Older ones of busybox want `-t` in front of the time, and start what stands in its place.
fn timeout(arguments: &[Argument], left: usize) -> Proof {
    const SHAPE: Shape = Shape { letters: "k:s:v", long: "kill-after= signal= preserve-status foreground verbose", operands: MANY };
    let place = SHAPE.first_operand(arguments)?;
    let is_time = |word: &Argument| {
        let number = word.text.trim_end_matches(['s', 'm', 'h', 'd']);
        word.exact && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    if !arguments.get(place).is_some_and(is_time) {
        return Err(writes(arguments));
    }
    behind(arguments, place + 1, left)
}

/// What stands there is started. A word in front of it that may become several may put another one in its place.
fn behind(arguments: &[Argument], place: usize, left: usize) -> Proof {
    if arguments.iter().take(place).any(|argument| argument.several) {
        return Err(writes(arguments));
    }
    started(arguments.get(place..).unwrap_or_default(), left - 1)
}

/// Without a program `env` shows the variables.
fn environment(arguments: &[Argument], left: usize) -> Proof {
    let rest = arguments.get(1..).unwrap_or_default();
    let set = rest.iter().take_while(|argument| argument.text.has('=') && !argument.text.starts_with('-')).count();
    let harmless = rest.iter().take(set).all(|argument| {
        let name = argument.text.split('=').next().unwrap_or_default();
        argument.exact && (matches!(name, "LANG" | "TZ" | "COLUMNS" | "LINES" | "TERM" | "NO_COLOR") || name.starts_with("LC_"))
    });
    let behind = rest.get(set..).unwrap_or_default();
    if !harmless || behind.first().is_some_and(|argument| argument.text.starts_with('-') || argument.may_be_option()) {
        return Err(writes(arguments));
    }
    started(behind, left - 1)
}

/// What is appended is not known.
fn xargs(arguments: &[Argument], left: usize) -> Proof {
    const SHAPE: Shape =
        Shape { letters: "0rtn:P:I:d:L:s:E:", long: "null no-run-if-empty max-args= max-procs= delimiter= verbose", operands: MANY };
    let place = SHAPE.first_operand(arguments)?;
    let options = arguments.get(1..place).unwrap_or_default();
    let replaced = options.iter().zip(options.iter().skip(1)).find(|(option, _)| option.is("-I")).map(|(_, sign)| sign.text.clone());
    // Which sign counts is plain only where it is told once, by itself.
    if options.iter().filter(|option| option.text.has('I')).count() > 1 {
        return Err(writes(arguments));
    }
    let attached = options.iter().find_map(|option| option.text.strip_prefix("-I").filter(|sign| !sign.is_empty()).map(str::to_owned));
    let sign = replaced.or(attached);
    if sign.is_none() && options.iter().any(|option| option.text.has('I')) {
        return Err(writes(arguments));
    }
    let known = |argument: &Argument| match sign.as_deref().and_then(|sign| split_once(&argument.text, sign)) {
        Some((before, _)) => Argument { text: before.to_owned(), exact: false, splits: false, several: false },
        None => argument.clone(),
    };
    // Where `-n` or `-L` counts, `-I` does not.
    let counts = |option: &Argument| match option.text.strip_prefix('-') {
        Some(letters) if !letters.starts_with('-') => letters.has_any("nL"),
        Some(long) => long.starts_with("-max-a"),
        None => false,
    };
    let appends = sign.is_none() || options.iter().any(counts);
    let mut program: Vec<Argument> = arguments.get(place..).unwrap_or_default().iter().map(known).collect();
    if appends {
        program.push(Argument::unknown());
    }
    if program.len() == 1 && sign.is_none() { Ok(()) } else { started(&program, left - 1) }
}

/// `watch` gives its words to a shell.
fn watch(arguments: &[Argument], left: usize) -> Proof {
    let place = Shape { letters: "n:dtbegcw", long: "interval= differences no-title color", operands: MANY }.first_operand(arguments)?;
    let words = arguments.get(place..).unwrap_or_default();
    if words.is_empty() || !words.iter().all(|word| word.exact) {
        return Err(writes(arguments));
    }
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    inner(&text, left)
}

/// `sh -c 'text'`.
fn script(arguments: &[Argument], left: usize) -> Proof {
    let text = arguments.get(2).filter(|text| text.exact).ok_or_else(|| writes(arguments))?;
    inner(&text.text, left)
}

/// A text that a shell will read.
fn inner(text: &str, left: usize) -> Proof {
    // Whoever starts it counts as replacing already.
    super::prove_within(&parse::parse(text), left - 1, &Cell::new(false))
}
