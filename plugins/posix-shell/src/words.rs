//! What a command line runs, told roughly: enough to expect a pager or a program with a prompt of its own.

use jackfield_plugin::shell::{self, SSH_VALUED, SUDO_VALUED, file_name, operands};
use jackfield_plugin::text::{self, holds, is_one_of, trim};

/// Programs that are a pager or start one.
const PAGING: &str = "less more most pg man info git systemctl journalctl loginctl networkctl timedatectl hostnamectl resolvectl \
    coredumpctl machinectl busctl systemd-analyze zless zmore bzless xzless psql mysql mariadb aws apropos perldoc pydoc bat batcat \
    vtysh nmcli gh hg svn dpkg-query delta";

/// Programs whose screen is a text that is edited.
const EDITING: &str = "vi vim nvim view vimdiff vimtutor nano rnano pico emacs mg jed joe jmacs ne micro kak hx helix ed mcedit visudo vipw vigr \
    sudoedit crontab edit";
/// Programs that may start an editor as well as a pager, and for what: a text of one's own is never shown by a pager.
const WRITING: &str = "git hg svn";
const WRITTEN: &str = "commit ci rebase merge pull revert cherry-pick am histedit --edit --edit-description";
const SHELLS: &str = "bash sh dash ash ksh mksh zsh fish tcsh csh";

/// Does this line start an editor?
pub(crate) fn edits(command: &str) -> bool {
    any(command, &|word| listed(EDITING, file_name(word)))
}

/// Could this line have started the editor of a program that has a text written for it?
pub(crate) fn has_written(line: &str) -> bool {
    starts(line, &|name, arguments| {
        let what = operands(arguments, "Cc").first().map_or("", String::as_str);
        let is_option = |option: &String| option.starts_with('-') && text::listed(WRITTEN, option);
        let by_letter = matches!(what, "tag" | "config") && arguments.iter().any(|word| matches!(word.as_str(), "-a" | "-s" | "-e"));
        let is_shown = arguments.iter().any(|word| word == "--help" || word.starts_with("--show-current-patch"));
        listed(WRITING, name) && !is_shown && (text::listed(WRITTEN, what) || by_letter || arguments.iter().any(is_option))
    })
}

/// Could this line have started a pager? Only a program that it runs counts, not a word in its arguments: keys are typed for it.
pub(crate) fn may_page(line: &str) -> bool {
    holds(line, "PAGER") || starts(line, &|name, _| listed(PAGING, name))
}

/// Does the line run a program, of this name with these arguments, that passes?
fn starts(line: &str, test: &dyn Fn(&str, &[String]) -> bool) -> bool {
    shell::commands(line).iter().any(|command| is_run(command.program(), test))
}

fn is_run(words: &[String], test: &dyn Fn(&str, &[String]) -> bool) -> bool {
    let Some((name, arguments)) = words.split_first() else { return false };
    match file_name(name) {
        "sudo" | "doas" => is_run(shell::program(operands(arguments, SUDO_VALUED)), test),
        "ssh" => operands(arguments, SSH_VALUED).get(1..).is_some_and(|words| is_run(shell::program(words), test)),
        // The text behind `-c` is a line of its own.
        name if listed(SHELLS, name) => {
            let text = arguments.iter().position(|word| word.starts_with('-') && word.ends_with('c'));
            text.and_then(|at| arguments.get(at + 1)).is_some_and(|text| starts(text, test))
        }
        name => test(name, arguments),
    }
}

/// Does the line name this program?
pub(crate) fn runs(command: &str, program: &str) -> bool {
    any(command, &|word| file_name(word) == program)
}

/// Does the line set this variable?
pub(crate) fn sets(command: &str, name: &str) -> bool {
    holds(command, &[name, "="].concat())
}

/// Does the line do nothing else than to empty this variable? Then it takes no time.
pub(crate) fn empties(command: &str, name: &str) -> bool {
    let command = trim(command).trim_end_matches(';');
    let (verb, word) = command.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or(("", command));
    let value = trim(word).strip_prefix(name);
    match verb {
        "unset" => value == Some(""),
        "" | "export" => matches!(value, Some("=" | "=''" | "=\"\"")),
        _ => false,
    }
}

/// Does the line do nothing else than to send what the shell prints elsewhere? Then it takes no time.
pub(crate) fn only_redirects(line: &str) -> bool {
    let commands = shell::commands(line);
    let is_alone = |words: &[String]| matches!(words, [word] if word == "exec");
    redirects_output(line) && !commands.is_empty() && commands.iter().all(|command| is_alone(&command.words))
}

/// Standard output, or where errors go. To open a descriptor of the caller's own (a pipe, a connection) may take long.
fn redirects_output(line: &str) -> bool {
    line.match_indices('>').any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let name = before.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = before.get(name.len()..).unwrap_or_default();
        matches!(number, "" | "1" | "2") && !matches!(name.bytes().next_back(), Some(b'<' | b'>' | b'}'))
    })
}

/// Does the line run lines that are not to be seen in it?
pub(crate) fn runs_unseen(command: &str) -> bool {
    any(command, &|word| matches!(word, "." | "source" | "eval"))
}

/// Is this word, as a file, one of the line's words?
pub(crate) fn has_word(command: &str, file: &str) -> bool {
    any(command, &|word| word == file || file_name(word) == file)
}

/// With or without a version: `python3.11` counts as `python`.
fn listed(list: &str, name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    text::listed(list, name) || text::listed(list, stem)
}

/// Does one of the line's words pass?
#[inline(never)]
fn any(command: &str, test: &dyn Fn(&str) -> bool) -> bool {
    command.split(|c: char| c.is_ascii_whitespace() || is_one_of(c, "|&;()<>{}`'\"$")).any(|word| !word.is_empty() && test(word))
}

#[cfg(test)]
mod tests {
    use super::{empties, has_word, has_written, may_page, only_redirects};

    #[test]
    fn a_pager_is_expected_where_one_is_named() {
        for line in [
            "less x",
            "git log",
            "man ls",
            "dmesg | less",
            "sudo -u bob journalctl -u ssh",
            "SYSTEMD_PAGER=less foo",
            "seq 9 | ${PAGER:-less}",
            "cd x && LC_ALL=C /usr/bin/less y",
            "if git diff; then ls; fi",
            "bash -c 'cd x; less y'",
            "ssh -t -p 22 web2 less x",
            "timeout 9 man ls",
        ] {
            assert!(may_page(line), "{line}");
        }
        for line in [
            "ls",
            "cat lesson.txt",
            "printf ':'",
            "echo less",
            "./x less",
            "echo 'a; less b'",
            "bash x.sh less",
            "grep -r more .",
            "which git",
        ] {
            assert!(!may_page(line), "{line}");
        }
    }

    #[test]
    fn a_text_is_written_for_a_program() {
        for line in ["git commit", "sudo -u a git -C /srv commit", "sh -c 'cd x; git rebase -i HEAD~2'", "git tag -a v1", "git config -e"] {
            assert!(has_written(line) && may_page(line), "{line}");
        }
        for line in ["git log", "git log commit", "git grep -e x", "git tag", "echo git commit", "systemctl status merge", "commit"] {
            assert!(!has_written(line), "{line}");
        }
        // The manual, and what is being applied.
        for line in ["git rebase --help", "git am --show-current-patch=diff"] {
            assert!(!has_written(line) && may_page(line), "{line}");
        }
    }

    #[test]
    fn a_line_that_only_empties_the_prompt_is_known() {
        for line in ["PS1=", "PS1=''", "PS1=\"\" ", "export PS1=", "unset PS1", "PS1=;"] {
            assert!(empties(line, "PS1"), "{line}");
        }
        for line in ["PS1= sleep 9", "PS1=x", "PS1=; sleep 9", "unset PS1 PS2", "PS10=", "export", "", "PS1=$(sleep 9)"] {
            assert!(!empties(line, "PS1"), "{line}");
        }
    }

    #[test]
    fn a_line_that_only_sends_the_shells_own_output_elsewhere_is_known() {
        for line in ["exec 2>f", "exec 2>>~/log", "exec >f 2>&1", "exec >f; exec 2>&1", " exec 2>&- ", "exec &>f", "exec 3>&1 >f"] {
            assert!(only_redirects(line), "{line}");
        }
        for line in ["", "exec", "exec bash", "exec 2>f; make", "make 2>f", "exec make 2>f", "exec 2>$(mktemp)", "echo '>'; exec"] {
            assert!(!only_redirects(line), "{line}");
        }
        // These may wait until somebody reads, or until a host answers.
        for line in ["exec 3>pipe", "exec 3>>pipe", "exec 3<>/dev/tcp/web2/80", "exec {out}>pipe", "exec 3<in"] {
            assert!(!only_redirects(line), "{line}");
        }
    }

    #[test]
    fn a_file_is_found_among_the_words() {
        assert!(has_word("less -N /var/log/syslog", "/var/log/syslog"));
        assert!(has_word("less -N /var/log/syslog", "syslog"));
        assert!(!has_word("less -N /var/log/syslog", "log"));
    }
}
