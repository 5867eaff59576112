//! What a command line runs, told roughly: enough to expect a pager or a program with a prompt of its own.

/// Programs that read lines at a prompt of their own, or start one that does.
const PROMPTING: &str = "ssh mosh telnet su sudo doas runuser bash sh dash ash ksh mksh zsh fish tcsh csh pwsh nu busybox login newgrp sg \
    chroot unshare nsenter exec docker podman kubectl oc crictl ctr nerdctl lxc lxc-attach incus machinectl systemd-nspawn screen tmux \
    script expect vagrant multipass toolbox distrobox nix-shell nix poetry pipenv conda guestfish adb python ipython bpython pypy node \
    deno bun ruby irb pry rails php lua luajit ghci scala jshell julia R octave gnuplot bc dc ocaml erl iex guile sbcl tclsh gdb lldb \
    pdb mysql mariadb psql sqlite sqlplus redis-cli valkey-cli mongo mongosh clickhouse-client cqlsh isql ftp sftp lftp smbclient nc \
    ncat netcat socat openssl minicom picocom cu virsh vtysh birdc bluetoothctl nmcli wpa_cli parted fdisk gdisk cfdisk gpg bconsole \
    ipmitool nslookup ed debugfs xfs_db rbd ceph zkCli.sh etcdctl";
/// Programs that are a pager or start one.
const PAGING: &str = "less more most pg man info git systemctl journalctl loginctl networkctl timedatectl hostnamectl resolvectl \
    coredumpctl machinectl busctl systemd-analyze zless zmore bzless xzless psql mysql mariadb aws apropos perldoc pydoc bat batcat \
    vtysh nmcli gh hg svn dpkg-query delta";

/// Programs whose screen is a text that is edited.
const EDITING: &str = "vi vim nvim view vimdiff vimtutor nano rnano pico emacs mg jed joe jmacs ne micro kak hx helix ed mcedit visudo vipw vigr \
    sudoedit crontab edit";

/// Those among them that are given a file or a text to run, and then read no lines at a prompt: the options that take a value of
/// their own, and the letters that give a text.
const RUNNING: &[(&str, &str, &str)] = &[
    ("bash sh dash ash ksh mksh zsh fish tcsh csh", "oO", "c"),
    ("python ipython pypy", "WX", "cm"),
    ("node deno bun", "r", "ep"),
    ("ruby lua luajit perl", "IrCEl", "e"),
    ("php", "dcz", "rf"),
];
/// Those that run what follows, with the options that take a value of their own and the letters that start a shell.
const WRAPPING: &[(&str, &str, &str)] = &[("sudo", "CDghpRrtTUu", "is"), ("doas", "Cu", "s")];

/// Could this line have started something with a prompt of its own?
pub(crate) fn may_prompt(command: &str) -> bool {
    command.split(['|', '&', ';', '(', ')', '<', '>', '{', '}', '`', '\n']).any(part_may_prompt)
}

/// The same of a simple command, roughly: each of its words may be the program.
fn part_may_prompt(part: &str) -> bool {
    let mut words = part.split(|c: char| c.is_ascii_whitespace() || "'\"$".contains(c)).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let name = last_part(word);
        if listed(PROMPTING, name) && prompts(name, words.clone()) {
            return true;
        }
    }
    false
}

/// Does this program prompt with these arguments?
fn prompts<'a>(name: &str, mut arguments: impl Iterator<Item = &'a str> + Clone) -> bool {
    if let Some((_, valued, shells)) = WRAPPING.iter().find(|(names, _, _)| listed(names, name)) {
        let shell =
            |option: &str| !option.starts_with('-') && option.contains(|c| shells.contains(c)) || option == "-login" || option == "-shell";
        return options(&mut arguments, valued, &shell).unwrap_or_else(|| arguments.next().is_none());
    }
    if let Some((_, valued, texts)) = RUNNING.iter().find(|(names, _, _)| listed(names, name)) {
        let asked =
            arguments.clone().take_while(|word| word.starts_with('-')).any(|word| !word.starts_with("--") && word.contains(['i', 's']));
        let text = |option: &str| !option.starts_with('-') && option.contains(|c| texts.contains(c));
        return asked || !options(&mut arguments, valued, &text).unwrap_or_else(|| arguments.next().is_some());
    }
    if name == "ssh" {
        let terminal = |option: &str| option.starts_with('t');
        // Behind the device's name stands a command, which has no terminal.
        return options(&mut arguments, "BbcDEeFIiJLlmOopQRSWw", &terminal).unwrap_or_else(|| arguments.nth(1).is_none());
    }
    if name == "su" {
        return !arguments.any(|word| word == "-c" || word == "--command");
    }
    true
}

/// Skips options and their values; says at once if one of them is looked for. `None` where the other arguments begin.
fn options<'a>(arguments: &mut (impl Iterator<Item = &'a str> + Clone), valued: &str, wanted: &dyn Fn(&str) -> bool) -> Option<bool> {
    loop {
        let mut ahead = arguments.clone();
        let option = ahead.next().and_then(|word| word.strip_prefix('-'))?;
        if wanted(option) {
            return Some(true);
        }
        let takes_value =
            !option.starts_with('-') && option.ends_with(|c| valued.contains(c)) || option == "-rcfile" || option == "-init-file";
        if takes_value {
            ahead.next();
        }
        *arguments = ahead;
    }
}

/// Does this line start an editor?
pub(crate) fn edits(command: &str) -> bool {
    any(command, &|word| listed(EDITING, last_part(word)))
}

/// Could this line have started a pager? Only a program that it runs counts, not a word in its arguments: keys are typed for it.
pub(crate) fn may_page(command: &str) -> bool {
    let mut quote = None;
    let mut start = 0;
    for (at, c) in command.char_indices() {
        match quote {
            Some(open) => quote = (c != open).then_some(open),
            None if c == '\'' || c == '"' => quote = Some(c),
            None if "|&;()`\n".contains(c) => {
                if part_may_page(command.get(start..at).unwrap_or_default()) {
                    return true;
                }
                start = at + c.len_utf8();
            }
            None => {}
        }
    }
    part_may_page(command.get(start..).unwrap_or_default())
}

/// The same of a simple command, behind what may stand before the program.
fn part_may_page(part: &str) -> bool {
    let mut rest = part;
    loop {
        let Some((word, behind)) = first_word(rest) else { return false };
        rest = behind;
        let name = last_part(word.trim_start_matches('\\'));
        if holds(word, "PAGER") {
            return true;
        }
        if holds(word, "=") || KEYWORDS.contains(&name) {
            continue;
        }
        if let Some((_, valued, more)) = BEFORE.iter().find(|(names, _, _)| listed(names, name)) {
            rest = behind_options(rest, valued, *more);
        } else if listed("bash sh dash ash ksh mksh zsh fish", name) {
            let Some((option, text)) = first_word(rest) else { return false };
            // The text behind `-c` is a line of its own.
            return option.starts_with('-') && option.ends_with('c') && may_page(text.trim_matches(['\'', '"', ' ']));
        } else {
            return listed(PAGING, name);
        }
    }
}

/// Words of the grammar that may stand before a program.
const KEYWORDS: &[&str] = &["if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", "and", "or", "not", "begin"];
/// Programs that run what follows: their options with a value, and how many words stand before it.
const BEFORE: &[(&str, &str, usize)] = &[
    ("sudo", "CDghpRrtTUu", 0),
    ("doas", "Cu", 0),
    ("env", "uCS", 0),
    ("nohup nice command exec builtin stdbuf setsid ionice", "naioec", 0),
    ("timeout", "ks", 1),
    ("ssh", "BbcDEeFIiJLlmOopQRSWw", 1),
];

fn behind_options<'a>(mut rest: &'a str, valued: &str, more: usize) -> &'a str {
    let mut skip = more;
    while let Some((word, behind)) = first_word(rest) {
        match word.strip_prefix('-') {
            Some(option) => {
                rest = if option.ends_with(|c| valued.contains(c)) { first_word(behind).map_or("", |(_, behind)| behind) } else { behind }
            }
            None if skip > 0 => (rest, skip) = (behind, skip - 1),
            None => break,
        }
    }
    rest
}

/// The first word without its quotes, and what follows it.
fn first_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii();
    let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (!word.is_empty()).then(|| (word.trim_matches(['\'', '"']), rest))
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
    use super::{has_word, may_page, may_prompt};

    #[test]
    fn a_program_with_a_prompt_is_expected_where_one_is_named() {
        for line in ["python3", "/usr/bin/python3.11 -i", "sudo -u x psql", "docker exec -it c sh", "cd /x && (ssh web2)", "su -"] {
            assert!(may_prompt(line), "{line}");
        }
        for line in [
            "bash",
            "bash -l",
            "bash --rcfile x",
            "bash -o vi",
            "zsh -i x.sh",
            "bash -ic true",
            "python3",
            "python3 -i x.py",
            "sudo -i",
            "sudo -u bob -s",
            "sudo",
            "sudo -E bash",
            "ssh -p 22 -l bob web2",
            "ssh -t web2 top",
            "su - bob",
            "true; exec zsh",
        ] {
            assert!(may_prompt(line), "{line}");
        }
        for line in [
            "bash x.sh",
            "sh -c 'cd /x; ls'",
            "bash -lc ls",
            "bash -o pipefail x.sh arg",
            "python3 x.py",
            "python3 -m http.server",
            "sudo -u bob ls",
            "sudo sh x.sh",
            "ssh -p 22 web2 uptime",
            "su - bob -c id",
        ] {
            assert!(!may_prompt(line), "{line}");
        }
        for line in ["ls -l", "cat shadow", "printf '# '; sleep 9", "make", "grep x file", ""] {
            assert!(!may_prompt(line), "{line}");
        }
    }

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
    fn a_file_is_found_among_the_words() {
        assert!(has_word("less -N /var/log/syslog", "/var/log/syslog"));
        assert!(has_word("less -N /var/log/syslog", "syslog"));
        assert!(!has_word("less -N /var/log/syslog", "log"));
    }
}
