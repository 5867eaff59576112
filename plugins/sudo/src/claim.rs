//! Does a line run a sudo that will ask for a password?

use jackfield_plugin::shell::{self, file_name, is_assignment};

use crate::refusal;

/// How deep lines inside lines (`sh -c`, `eval`) are followed.
const DEPTH_MAX: usize = 4;

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"];

/// Is there a sudo in command position, asking in its own words on the terminal?
pub(crate) fn asks(line: &str) -> bool {
    line_asks(line, 0)
}

fn line_asks(line: &str, depth: usize) -> bool {
    // Most lines are decided without being read.
    depth < DEPTH_MAX && refusal::holds(line, "do") && shell::commands(line).iter().any(|command| command_asks(&command.words, depth))
}

/// Judges the words of one simple command.
fn command_asks(words: &[String], depth: usize) -> bool {
    let Some((first, rest)) = shell::program(words).split_first() else { return false };
    let name = file_name(first);
    match name {
        "sudo" | "sudoedit" => sudo_asks(rest),
        "eval" | "watch" => line_asks(&rest.join(" "), depth + 1),
        "find" => rest.split(|word| ["-exec", "-execdir", "-ok"].contains(&word.as_str())).skip(1).any(|part| command_asks(part, depth)),
        _ => SHELLS.contains(&name) && script(rest).is_some_and(|text| line_asks(text, depth + 1)),
    }
}

/// The text behind `-c` of a shell.
fn script(words: &[String]) -> Option<&str> {
    let at = words.iter().position(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('c'))?;
    words.get(at + 1).map(String::as_str)
}

/// Will this sudo ask here, in the words that SUDO_PROMPT gives it?
fn sudo_asks(arguments: &[String]) -> bool {
    let mut arguments = arguments.iter();
    while let Some(word) = arguments.next() {
        let silent = match word.strip_prefix('-') {
            Some("-") => return true,
            Some(option) => match option.strip_prefix('-') {
                Some(long) => long_option(long, &mut arguments),
                None => letters(option, &mut arguments),
            },
            None if is_assignment(word) => false,
            None => return true,
        };
        if silent {
            return false;
        }
    }
    true
}

/// Does a long option keep sudo from asking? A value of its own is skipped.
fn long_option<'a>(option: &str, rest: &mut impl Iterator<Item = &'a String>) -> bool {
    let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
    let takes_value =
        ["user", "group", "chdir", "chroot", "close-from", "host", "other-user", "role", "type", "command-timeout"].contains(&name);
    if takes_value && value.is_none() {
        rest.next();
    }
    ["non-interactive", "stdin", "askpass", "prompt", "version", "help", "remove-timestamp"].contains(&name)
}

/// The same for a group of letters, such as `-nu` or `-uroot`.
fn letters<'a>(group: &str, rest: &mut impl Iterator<Item = &'a String>) -> bool {
    let mut letters = group.chars();
    while let Some(letter) = letters.next() {
        if "nSApVK".contains(letter) {
            return true;
        }
        if "CDghRrtTUu".contains(letter) {
            if letters.as_str().is_empty() {
                rest.next();
            }
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::asks;

    #[test]
    fn a_sudo_that_runs_is_claimed() {
        for line in [
            "sudo id",
            "  sudo -u alice id",
            "/usr/bin/sudo -E id",
            "cd /srv && sudo make install",
            "cat key | sudo tee /etc/key >/dev/null",
            "LANG=C sudo id",
            "A=1 B='x y' sudo id",
            "env -i -u X LANG=C sudo id",
            "time -p sudo id",
            "nohup nice -n 5 sudo id &",
            "timeout -k 3 10 sudo id",
            "echo $(sudo cat /etc/shadow | wc -l)",
            "echo \"n: `sudo id -u`\"",
            "(cd /; sudo ls)",
            "{ sudo ls; }",
            "if sudo test -e /x; then ls; fi",
            "for f in a b; do sudo rm $f; done",
            "while ! sudo true; do sleep 1; done",
            "! sudo true",
            "sudo -i",
            "sudo -s",
            "sudo",
            "sudo -l",
            "sudo -v",
            "sudo -k id",
            "sudo -u root -- id -n",
            "sudo --user=root id -S",
            "sudo --user root id",
            "sudo -u n id",
            "sudo X=-n id",
            "sudoedit /etc/hosts",
            "\\sudo id",
            "'sudo' id",
            "find / -name x -exec sudo rm {} \\;",
            "ls | xargs -n 1 sudo rm",
            "bash -c 'sudo id'",
            "bash -lc \"cd /; sudo id\"",
            "eval sudo id",
            "watch -n 1 'sudo id' ; sudo id",
            "sudo -n true || sudo id",
            "2>/dev/null sudo id",
            "diff <(sudo cat a) b",
            "cat <<E | sudo tee x\ntext\nE",
        ] {
            assert!(asks(line), "{line}");
        }
    }

    #[test]
    fn a_sudo_that_does_not_ask_here_is_not() {
        for line in [
            "sudo -n id",
            "sudo -nu root id",
            "sudo -S id",
            "echo x | sudo -S id",
            "sudo -A id",
            "sudo -p 'pw: ' id",
            "sudo -ppw id",
            "sudo -Eu root -p x id",
            "sudo --prompt=x id",
            "sudo --prompt x id",
            "sudo --non-interactive id",
            "sudo --stdin id",
            "sudo -V",
            "sudo --version",
            "sudo -K",
        ] {
            assert!(!asks(line), "{line}");
        }
    }

    #[test]
    fn text_that_only_names_sudo_is_not() {
        for line in [
            "",
            "id",
            "echo sudo id",
            "grep sudo /etc/group",
            "man sudo",
            "echo 'a; sudo id'",
            "echo \"x | sudo id\"",
            "ls # sudo id",
            "cat <<E\nsudo id\nE",
            "pseudo id",
            "sudoers",
            "./sudo.sh",
            "apt install sudo",
            "x=sudo",
            "su -c 'sudo id'",
            "which sudo; type sudo",
            "for sudo in a; do ls; done",
        ] {
            assert!(!asks(line), "{line}");
        }
    }
}
