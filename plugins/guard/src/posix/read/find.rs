//! `find`: tests read, some actions do not, and a program that it starts is judged like any other.

use crate::verdict::{Doubt, Proof, excerpt, listed};
use jackfield_plugin::text::split_once;

use super::argument::Argument;
use super::programs;

/// Actions that write or ask. Those with `cpio` are Solaris's and AIX's.
const WRITES: [&str; 10] = ["-delete", "-fprint", "-fprint0", "-fprintf", "-fls", "-ok", "-okdir", "-files0-from", "-cpio", "-ncpio"];

/// Tests with one value in every `find`.
const TESTS: &str = "-name -iname -path -newer -user -group -size -mtime -mmin -type -maxdepth -mindepth";

pub(super) fn find(arguments: &[Argument]) -> Proof {
    let starts = arguments.iter().any(|argument| argument.is("-exec") || argument.is("-execdir"));
    let mut rest = arguments.iter().skip(1);
    // Does an action or a test stand here for sure, and is this for sure the value of a test?
    let (mut begins, mut is_value) = (true, false);
    while let Some(argument) = rest.next() {
        let may_be_action = argument.may_be_option() || !argument.exact && argument.text.starts_with('-');
        if may_be_action && (!is_value || argument.several || starts) {
            let reason = format!("the argument {} of `find`, known only later, may be an action", excerpt(&argument.text));
            return Err(Doubt::new("posix.unknown-argument", reason));
        }
        if WRITES.contains(&argument.text.as_str()) {
            return Err(Doubt::new("posix.find-action", format!("{} changes something", excerpt(&format!("find {}", argument.text)))));
        }
        if matches!(argument.text.as_str(), "-exec" | "-execdir") {
            started(&program(&mut rest, argument.is("-execdir"))?)?;
            (begins, is_value) = (true, false);
            continue;
        }
        let ends = is_value || !argument.text.starts_with('-') || listed("-o -or -a -and -not", &argument.text);
        is_value = begins && !is_value && argument.exact && listed(TESTS, &argument.text);
        begins = ends;
    }
    Ok(())
}

/// What is started: up to `;`, or up to a `+` behind `{}`. Another `+` is an argument, but not to every `find`.
fn program<'a>(rest: &mut impl Iterator<Item = &'a Argument>, by_name: bool) -> Result<Vec<Argument>, Doubt> {
    let mut program: Vec<Argument> = Vec::new();
    let mut before: Option<&Argument> = None;
    for argument in rest {
        let all = before.is_some_and(|before| before.is("{}"));
        match argument {
            argument if argument.is(";") => break,
            argument if all && argument.is("+") => {
                if let Some(files) = program.last_mut() {
                    files.several = true;
                }
                break;
            }
            argument if argument.is("+") => {
                return Err(Doubt::new("posix.find-action", "a `+` that is not behind `{}` may end `find -exec`"));
            }
            argument => program.push(found_file(argument, by_name)),
        }
        before = Some(argument);
    }
    Ok(program)
}

/// Programs that start others are not looked into from here.
fn started(program: &[Argument]) -> Proof {
    match program.first() {
        Some(name) if name.exact && !name.is("find") => programs::judge(program),
        _ => Err(Doubt::new("posix.find-action", "`find -exec` starts a program that is not known to read only")),
    }
}

/// `{}` becomes a path that begins like one of the starting points, so not like an option. Where `-execdir` starts the program, the
/// `find` of BSD puts the bare name there.
fn found_file(argument: &Argument, by_name: bool) -> Argument {
    match split_once(&argument.text, "{}") {
        Some(("", _)) if !by_name => Argument::operand(),
        Some((before, _)) => Argument { text: before.to_owned(), exact: false, splits: false, several: false },
        None => argument.clone(),
    }
}
