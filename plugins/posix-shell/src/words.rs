//! What a command line runs, told roughly: enough to expect a pager or a program with a prompt of its own.

/// Programs that are a pager or start one.
const PAGING: &str = "less more most pg man info git systemctl journalctl loginctl networkctl timedatectl hostnamectl resolvectl \
    coredumpctl machinectl busctl systemd-analyze zless zmore bzless xzless psql mysql mariadb aws apropos perldoc pydoc bat batcat \
    vtysh nmcli gh hg svn dpkg-query delta";

/// Could this line have started a pager?
pub(crate) fn may_page(command: &str) -> bool {
    any(command, &|word| listed(PAGING, last_part(word))) || holds(command, "PAGER")
}

/// Does the line name this program?
pub(crate) fn runs(command: &str, program: &str) -> bool {
    any(command, &|word| last_part(word) == program)
}

/// Does the line set this variable?
pub(crate) fn sets(command: &str, name: &str) -> bool {
    holds(command, &format!("{name}="))
}

/// Does the line run lines that are not to be seen in it?
pub(crate) fn runs_unseen(command: &str) -> bool {
    any(command, &|word| matches!(word, "." | "source" | "eval"))
}

/// Is this word, as a file, one of the line's words?
pub(crate) fn has_word(command: &str, file: &str) -> bool {
    any(command, &|word| word == file || last_part(word) == file)
}

/// Is the part somewhere in the text? Does without the search machinery of `str`, which would be a fifth of the component.
pub(crate) fn holds(text: &str, part: &str) -> bool {
    part.is_empty() || text.as_bytes().windows(part.len()).any(|window| window == part.as_bytes())
}

/// With or without a version: `python3.11` counts as `python`.
fn listed(list: &str, name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    list.split(' ').any(|known| known == name || known == stem)
}

/// Does one of the line's words pass?
fn any(command: &str, test: &dyn Fn(&str) -> bool) -> bool {
    command.split(|c: char| c.is_ascii_whitespace() || "|&;()<>{}`'\"$".contains(c)).any(|word| !word.is_empty() && test(word))
}

fn last_part(piece: &str) -> &str {
    piece.rsplit('/').next().unwrap_or(piece)
}

#[cfg(test)]
mod tests {
    use super::{has_word, may_page};

    #[test]
    fn a_pager_is_expected_where_one_is_named() {
        for line in ["less x", "git log", "man ls", "dmesg | less", "sudo journalctl -u ssh", "SYSTEMD_PAGER=less foo"] {
            assert!(may_page(line), "{line}");
        }
        for line in ["ls", "cat lesson.txt", "printf ':'"] {
            assert!(!may_page(line), "{line}");
        }
    }

    #[test]
    fn a_file_is_found_among_the_words() {
        assert!(has_word("less -N /var/log/syslog", "/var/log/syslog"));
        assert!(has_word("less -N /var/log/syslog", "syslog"));
        assert!(!has_word("less -N /var/log/syslog", "log"));
    }
}
