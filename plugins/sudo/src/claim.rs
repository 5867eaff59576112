//! Does a line run a sudo that will ask for a password at the terminal?

use jackfield_plugin::shell::{self, file_name, is_assignment};

use crate::refusal;

/// How deep lines inside lines (`sh -c`, `eval`) are followed.
const DEPTH_MAX: usize = 4;

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"];

/// Is there a sudo in command position, asking in its own words on the terminal, and none that asks in these words but reads elsewhere?
pub(crate) fn asks(line: &str) -> bool {
    line_asks(line, 0) && !reads_elsewhere(line)
}

/// Does any sudo of the line take its password from elsewhere than the terminal?
///
/// It asks in the same words as one that reads the terminal, so what is typed for it may end as a command at the shell's prompt.
/// Looked for in each word, also where no command seems to begin: a sudo too many costs a question, one too few the password.
pub(crate) fn reads_elsewhere(line: &str) -> bool {
    line_reads_elsewhere(line, 0)
}

fn line_reads_elsewhere(line: &str, depth: usize) -> bool {
    if !refusal::holds(line, "do") {
        return false;
    }
    // Nobody knows what stands deeper.
    depth >= DEPTH_MAX || shell::commands(line).iter().any(|command| command_reads_elsewhere(&command.words, depth))
}

fn command_reads_elsewhere(words: &[String], depth: usize) -> bool {
    // What a variable names may be a sudo.
    let unknown = shell::program(words).split_first().filter(|(first, _)| first.starts_with('$'));
    unknown.is_some_and(|(_, rest)| Options::of(rest).elsewhere)
        || words.iter().enumerate().any(|(at, word)| {
            let rest = words.get(at..).unwrap_or_default();
            // A line in quotes, as `su -c` takes it; `eval` and `ssh` join it with what follows.
            let is_line = word.contains([' ', '\t', '\n']) && line_reads_elsewhere(&rest.join(" "), depth + 1);
            is_line || (is_sudo(word) && Options::of(rest.get(1..).unwrap_or_default()).elsewhere)
        })
}

/// The program itself, or what an alias or a variable is to stand for.
fn is_sudo(word: &str) -> bool {
    ["sudo", "sudoedit"].contains(&word.rsplit(['/', '=']).next().unwrap_or(word))
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
        "sudo" | "sudoedit" => Options::of(rest).asks(),
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

/// What the options of one sudo say of its question.
#[derive(Debug, Default)]
struct Options {
    /// It asks nothing, or in words of the caller's.
    silent: bool,
    /// It takes the password from standard input or from a program.
    elsewhere: bool,
    /// It forgets the ticket, which alone asks nothing.
    forgets: bool,
    /// There is something to do: a command, a shell, a list.
    works: bool,
}

impl Options {
    fn of(arguments: &[String]) -> Self {
        let mut found = Self::default();
        let mut arguments = arguments.iter();
        while let Some(word) = arguments.next() {
            match word.strip_prefix('-') {
                Some("-") => {
                    found.works |= arguments.next().is_some();
                    break;
                }
                Some(option) => match option.strip_prefix('-') {
                    Some(long) => found.long(long, &mut arguments),
                    None => found.letters(option, &mut arguments),
                },
                None if is_assignment(word) => {}
                None => {
                    found.works = true;
                    break;
                }
            }
        }
        found
    }

    /// Will this sudo ask here, in the words that SUDO_PROMPT gives it?
    fn asks(&self) -> bool {
        !self.silent && !self.elsewhere && (self.works || !self.forgets)
    }

    /// A long option, which may be shortened as far as it is the only one. A value of its own is skipped.
    fn long<'a>(&mut self, option: &str, rest: &mut impl Iterator<Item = &'a String>) {
        let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        let is = |names: &[&str]| !name.is_empty() && names.iter().any(|known| known.starts_with(name));
        self.elsewhere |= is(&["stdin", "askpass"]);
        self.silent |= is(&["non-interactive", "prompt", "version", "remove-timestamp"]) || name == "help";
        self.forgets |= is(&["reset-timestamp"]);
        self.works |= is(&["login", "shell", "list", "validate", "edit"]);
        let takes_value =
            is(&["user", "group", "chdir", "chroot", "close-from", "host", "other-user", "prompt", "role", "type", "command-timeout"]);
        if takes_value && value.is_none() {
            rest.next();
        }
    }

    /// The same for a group of letters, such as `-nu` or `-uroot`.
    fn letters<'a>(&mut self, group: &str, rest: &mut impl Iterator<Item = &'a String>) {
        let mut letters = group.chars();
        while let Some(letter) = letters.next() {
            self.elsewhere |= "SA".contains(letter);
            self.silent |= "npVK".contains(letter);
            self.forgets |= letter == 'k';
            self.works |= "islve".contains(letter);
            if shell::SUDO_VALUED.contains(letter) {
                if letters.as_str().is_empty() {
                    rest.next();
                }
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{asks, reads_elsewhere};

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
            "sudo -kv",
            "sudo -k -s",
            "sudo -k -l",
            "sudo -k; sudo id",
            "sudo -k -u alice id",
            "sudo --reset-timestamp id",
            "sudo --list",
            "sudo --validate",
            "sudo id -S",
            "sudo tee -A x",
            "ls -A; sudo id",
            "sort -S 1G x | sudo tee y",
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
            "sudo -k",
            "sudo --reset-timestamp",
            "sudo -K; sudo -k",
            "sudo -kn id",
            "sudo -l -n",
            "sudo -nv",
            "sudo --non-int id",
        ] {
            assert!(!asks(line), "{line}");
        }
    }

    #[test]
    fn a_line_with_a_password_from_elsewhere_is_not_claimed_as_a_whole() {
        for line in [
            "sudo -k; echo bad | sudo -S id",
            "echo \"$PW\" | sudo -S true && sudo id",
            "read -r P < pw.txt; echo $P | sudo -S sleep 3",
            "cat pw.txt | sudo -S sleep 3",
            "sudo id; sudo -S id < pw.txt",
            "sudo -v && sudo -kS id <<< x",
            "sudo -Sk id; sudo id",
            "sudo -nS id; sudo id",
            "sudo -ES id; sudo id",
            "sudo -u root -S id; sudo id",
            "sudo -p '' -S id; sudo id",
            "sudo -pS -S id; sudo id",
            "sudo A=1 -S id; sudo id",
            "sudo --stdin id; sudo id",
            "sudo --std id; sudo id",
            "sudo --user root --stdin id; sudo id",
            "sudo --prompt x --stdin id; sudo id",
            "SUDO_ASKPASS=/x sudo -A id; sudo id",
            "sudo --askpass id; sudo id",
            "sudo id | sudo '-S' tee x",
            "sudo id; (cat pw | /usr/bin/sudo -S id)",
            "sudo id; x=$(echo x | sudo -S id)",
            "sudo id; echo \"`echo x | sudo -S id`\"",
            "sudo id; bash -c 'cat pw | sudo -S id'",
            "sudo bash -c 'cat pw | sudo -S id'",
            "sudo id; su bob -c 'cat pw | sudo -S id'",
            "sudo id; eval 'cat pw | sudo' -S id",
            "sudo id; script -qc \"sh -c 'sudo -S id'\" /dev/null",
            "alias s='sudo -S'; sudo id",
            "S='sudo -S'; cat pw | $S id; sudo id",
            "S=sudo; cat pw | $S -S id; sudo id",
            "for i in 1 2; do cat pw | sudo -S id; done; sudo id",
            "echo x | xargs sudo -S id; sudo id",
            "sudo id; find . -exec sudo -S rm {} \\;",
            "sudo sudo -S id",
            "sudoedit -A /etc/hosts; sudo id",
        ] {
            assert!(!asks(line) && reads_elsewhere(line), "{line}");
        }
        for line in
            ["sudo id -S", "ls -S; sudo id", "sudo -u S id", "sudo -uS id", "sudo -pS id", "sudo -- id -S", "grep -A 3 sudo x", "id"]
        {
            assert!(!reads_elsewhere(line), "{line}");
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
