//! Options as `getopt` reads them, against a list of those that change nothing.

use crate::verdict::{Doubt, excerpt};

use super::argument::Argument;
use super::programs::MANY;

/// The options of a program that change nothing, and how many operands may follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Single letters; `:` behind one that takes a value, `?` where the value must be attached.
    pub(super) letters: &'static str,
    /// Long names with a blank between; `=` behind one that takes a value.
    pub(super) long: &'static str,
    /// The most operands.
    pub(super) operands: usize,
}

/// What stands on a command line, when all its options are allowed.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    pub(super) operands: Vec<&'a Argument>,
    /// Letters and long names.
    flags: Vec<String>,
    /// So many of them stand before the first operand, if there is one.
    leading: Option<usize>,
}

impl Line<'_> {
    /// Is one of these options there?
    pub(super) fn has_any(&self, flags: &str) -> bool {
        flags.split(' ').any(|flag| self.flags.iter().any(|used| used == flag))
    }

    /// Does one of these options stand before the operands? Not every program looks for options behind them.
    pub(super) fn begins_with_any(&self, flags: &str) -> bool {
        let leading = self.leading.unwrap_or(self.flags.len());
        flags.split(' ').any(|flag| self.flags.iter().take(leading).any(|used| used == flag))
    }

    /// The operand at this place, if it is known.
    pub(super) fn operand(&self, place: usize) -> Option<&str> {
        self.operands.get(place).filter(|operand| operand.exact).map(|operand| operand.text.as_str())
    }
}

impl Shape {
    /// Reads a command line; the first argument is the program.
    pub(super) fn read<'a>(&self, arguments: &'a [Argument]) -> Result<Line<'a>, Doubt> {
        let mut line = Line::default();
        let (program, mut rest) = arguments.split_first().map_or(("", arguments), |(first, rest)| (first.text.as_str(), rest));
        while let Some((argument, behind)) = rest.split_first() {
            rest = behind;
            // A last letter may stand alone in one of several words, and takes what is behind it then.
            let may_take_next = argument.several && argument.text.starts_with('-') && !argument.text.starts_with("--");
            if may_take_next {
                return Err(unknown_value(program));
            }
            if argument.may_be_option() {
                return Err(unknown_argument(program));
            }
            if argument.is("--") {
                line.leading = line.leading.or(Some(line.flags.len()));
                line.operands.extend(rest);
                break;
            }
            let takes_next = match argument.text.strip_prefix('-') {
                None | Some("") => {
                    line.leading = line.leading.or(Some(line.flags.len()));
                    line.operands.push(argument);
                    false
                }
                // Where one operand is allowed a second one is written to, and not every system looks for
                // options behind the first.
                Some(_) if self.operands == 1 && !line.operands.is_empty() => {
                    line.operands.push(argument);
                    false
                }
                Some(option) => match option.strip_prefix('-') {
                    Some(long) => self.long_option(long, argument.exact, &mut line),
                    None => self.letters(option, argument.exact, &mut line),
                }
                .ok_or_else(|| unknown_option(program, argument))?,
            };
            if takes_next {
                let Some((value, behind)) = rest.split_first() else { break };
                if value.several {
                    if value.may_be_option() {
                        return Err(unknown_value(program));
                    }
                    // The first of them is the value.
                    line.operands.push(value);
                }
                // To another system's program the option may take none, and this is an option as well: `sort -S -o f` of NetBSD.
                if seems_an_option(&value.text) && !self.allows(value) {
                    return Err(unknown_option(program, value));
                }
                rest = behind;
            }
        }
        if line.operands.len() > self.operands || self.operands < MANY && line.operands.iter().any(|operand| operand.several) {
            let last = line.operands.last().map_or("", |operand| operand.text.as_str());
            return Err(Doubt::new("posix.operand", format!("{} with {} may write", excerpt(program), excerpt(last))));
        }
        Ok(line)
    }

    /// Is it an option of these, or several?
    fn allows(&self, argument: &Argument) -> bool {
        let mut line = Line::default();
        let option = argument.text.strip_prefix('-').unwrap_or_default();
        match option.strip_prefix('-') {
            Some(long) => self.long_option(long, argument.exact, &mut line),
            None => self.letters(option, argument.exact, &mut line),
        }
        .is_some()
    }

    /// The place of the first operand; options before it must be allowed.
    pub(super) fn first_operand(&self, arguments: &[Argument]) -> Result<usize, Doubt> {
        let mut place = 1;
        while let Some(argument) = arguments.get(place) {
            let mut line = Line::default();
            let option = argument.text.strip_prefix('-').filter(|option| !option.is_empty());
            let Some(option) = option else { break };
            let takes_next = match option.strip_prefix('-') {
                Some(long) => self.long_option(long, argument.exact, &mut line),
                None => self.letters(option, argument.exact, &mut line),
            };
            let program = arguments.first().map_or("", |program| program.text.as_str());
            place += 1 + usize::from(takes_next.ok_or_else(|| unknown_option(program, argument))?);
        }
        let skipped = arguments.get(1..place.min(arguments.len())).unwrap_or_default();
        let program = arguments.first().map_or("", |program| program.text.as_str());
        if skipped.iter().any(|argument| argument.several) || arguments.get(place).is_some_and(Argument::may_be_option) {
            return Err(unknown_value(program));
        }
        Ok(place)
    }

    /// Does the option take the next argument? None: it is not allowed.
    fn long_option(&self, text: &str, exact: bool, line: &mut Line<'_>) -> Option<bool> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if !exact && value.is_none() {
            return None;
        }
        let known = self.long.split(' ').find(|known| known.trim_end_matches('=') == name)?;
        line.flags.push(name.to_owned());
        Some(known.ends_with('=') && value.is_none())
    }

    fn letters(&self, text: &str, exact: bool, line: &mut Line<'_>) -> Option<bool> {
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let at = self.letters.find(letter).filter(|_| letter.is_ascii_alphanumeric())?;
            line.flags.push(letter.to_string());
            match self.letters.as_bytes().get(at + 1) {
                // The rest of the argument is the value, or the next argument is.
                Some(b':') => return (exact || !letters.as_str().is_empty()).then_some(letters.as_str().is_empty()),
                Some(b'?') => return Some(false),
                _ => {}
            }
        }
        exact.then_some(false)
    }
}

/// `-o`, `--output`, but not `-16`.
fn seems_an_option(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.trim_start_matches('-').starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn unknown_argument(program: &str) -> Doubt {
    let reason = "that is only known later may be an option, unless `--` stands in front of it";
    Doubt::new("posix.unknown-argument", format!("an argument of {} {reason}", excerpt(program)))
}

fn unknown_value(program: &str) -> Doubt {
    Doubt::new("posix.unknown-argument", format!("an argument of {} that is only known later may be an option", excerpt(program)))
}

fn unknown_option(program: &str, argument: &Argument) -> Doubt {
    let shown = excerpt(&format!("{program} {}", argument.text));
    Doubt::new("posix.option", format!("{shown} may change something"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { letters: "abn:w?", long: "all lines= color", operands: 2 };

    fn exact(words: &[&str]) -> Vec<Argument> {
        words.iter().map(|word| Argument { text: (*word).to_owned(), exact: true, splits: false, several: false }).collect()
    }

    #[test]
    fn known_options_are_taken_with_their_values() {
        for (words, operands) in [
            (&["p", "-ab", "x"][..], 1),
            (&["p", "-n", "-a", "x"], 1),
            (&["p", "-n", "-9", "x"], 1),
            (&["p", "-n5", "x", "y"], 2),
            (&["p", "-an5"], 0),
            (&["p", "-w9", "x"], 1),
            (&["p", "--lines", "-", "--color=always"], 0),
            (&["p", "--lines=3", "-"], 1),
            (&["p", "--", "-z"], 1),
        ] {
            let arguments = exact(words);
            assert_eq!(SHAPE.read(&arguments).map(|line| line.operands.len()), Ok(operands), "{words:?}");
        }
    }

    #[test]
    fn unknown_options_and_too_many_operands_are_not() {
        for (words, rule) in [
            (&["p", "-z"][..], "posix.option"),
            (&["p", "-az"], "posix.option"),
            (&["p", "-:"], "posix.option"),
            (&["p", "--al"], "posix.option"),
            (&["p", "-n", "-z", "x"], "posix.option"),
            (&["p", "--lines", "--zero"], "posix.option"),
            (&["p", "--lines="], ""),
            (&["p", "x", "y", "z"], "posix.operand"),
        ] {
            let arguments = exact(words);
            assert_eq!(SHAPE.read(&arguments).map_err(|doubt| doubt.rule).err().unwrap_or_default(), rule, "{words:?}");
        }
    }

    #[test]
    fn what_is_not_known_may_be_an_option() {
        let part = |text: &str, splits| Argument { text: text.to_owned(), exact: false, splits, several: splits };
        for (argument, fits) in [
            (part("", false), false),
            (part("-", false), false),
            (part("--li", false), false),
            (part("--lines=", false), true),
            (part("-n", false), false),
            (part("-n1", false), true),
            (part("-a", false), false),
            (part("/var/", false), true),
            (part("/var/", true), false),
        ] {
            let arguments = [exact(&["p"]), vec![argument.clone()]].concat();
            assert_eq!(SHAPE.read(&arguments).is_ok(), fits, "{argument:?}");
        }
    }
}
