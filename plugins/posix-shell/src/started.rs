//! What a command line starts that may show a prompt of its own.

use jackfield_plugin::shell::{self, SSH_VALUED, SUDO_VALUED, file_name, has_letter, operands};
use jackfield_plugin::text::listed;

/// What will ask for the next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// Nothing that reads lines at a prompt.
    Nothing,
    /// A shell on this host.
    Shell,
    /// A shell on another host, or in a container: this host's secrets are not for it.
    ElsewhereShell,
    /// Something on another host. It may be a shell, it may be a router.
    Elsewhere,
}

const SHELLS: &str = "sh bash rbash dash ash zsh ksh ksh93 mksh fish tcsh csh busybox";
/// Programs that change the user and start a shell unless a command is given: the options with a value of their own.
const USER_CHANGES: &[(&str, &str)] =
    &[("sudo", SUDO_VALUED), ("doas", "uC"), ("su", "gGswT"), ("runuser", "gGsuw"), ("newgrp", ""), ("login", "fhp")];
/// Programs that enter a container, a name space or another root, with a command in their arguments. Where none is there they
/// start a shell.
const ENTERED: &str = "chroot unshare nsenter systemd-nspawn toolbox distrobox nix-shell lxc-attach machinectl";
/// Programs that run a command in a container; it has a terminal only where one was asked for.
const CONTAINERS: &str = "docker podman nerdctl kubectl oc crictl ctr lxc incus docker-compose podman-compose pct";
/// Words behind which such a program gives the command a terminal without being asked.
const TERMINALS: &str = "rsh enter shell console";
/// Programs and words that give one to all that they run in a container, unless an option keeps them from that.
const ALWAYS: &str = "compose docker-compose podman-compose lxc incus pct";
/// Programs that connect to another host.
const CONNECTING: &str = "ssh mosh telnet autossh sshpass rlogin vagrant multipass nc ncat netcat socat minicom picocom cu adb \
    vtysh";

/// Programs that connect to another host and show no prompt of it.
const CARRYING: &str = "scp sftp rsync ssh-copy-id sshfs ftp lftp smbclient ansible ansible-playbook fab";

/// Does the line run something that talks to another host, or enters what is not this one? Then a password question is its.
pub(crate) fn reaches_out(line: &str) -> bool {
    let connects = |words: &[String]| words.iter().any(|word| listed(CONNECTING, file_name(word)) || listed(CARRYING, file_name(word)));
    let commands = shell::commands(line);
    // Behind `sudo`, `timeout` and their like the program is a word among others.
    commands.iter().any(|command| connects(command.words.get(..WORDS_LOOKED_AT.min(command.words.len())).unwrap_or_default()))
        || matches!(started(line), Started::Elsewhere | Started::ElsewhereShell)
}

/// So many words of a command are looked at for the name of a program that connects.
const WORDS_LOOKED_AT: usize = 8;

/// What the line starts. Of several commands the last one that starts something counts.
pub(crate) fn started(line: &str) -> Started {
    let commands = shell::commands(line);
    let mut all = commands.iter().filter(|command| !command.fed).map(|command| by_words(command.program()));
    all.rfind(|started| *started != Started::Nothing).unwrap_or(Started::Nothing)
}

fn by_words(words: &[String]) -> Started {
    let Some((name, arguments)) = words.split_first() else { return Started::Nothing };
    let name = file_name(name).trim_start_matches('-');
    if listed(SHELLS, name) {
        return if is_interactive(arguments) { Started::Shell } else { Started::Nothing };
    }
    if let Some((_, valued)) = USER_CHANGES.iter().find(|(change, _)| *change == name) {
        return user_change(name, arguments, valued);
    }
    match name {
        // A program in a terminal of its own; without `-c` it is the shell.
        "script" if !has_letter(arguments, 'c') => Started::Shell,
        _ if listed(ENTERED, name) => {
            let directory = usize::from(name == "chroot");
            let file = |word: &String| !word.starts_with('-') && word.contains('/') && !word.ends_with('/');
            match shell_among(arguments) {
                Some(true) => Started::ElsewhereShell,
                None if !arguments.iter().skip(directory).any(file) => Started::ElsewhereShell,
                _ => Started::Nothing,
            }
        }
        _ if listed(CONTAINERS, name) => {
            let verb = arguments.iter().find(|word| !word.starts_with('-')).map_or("-", String::as_str);
            let terminal =
                has_letter(arguments, 't') || listed(TERMINALS, verb) || arguments.iter().any(|word| word == "--tty" || word == "attach");
            match shell_among(arguments) {
                Some(true) if terminal || gives_terminal(name, arguments) => Started::ElsewhereShell,
                _ if terminal => Started::Elsewhere,
                _ => Started::Nothing,
            }
        }
        "ssh" => connection(arguments),
        // The console of a virtual machine.
        "virsh" | "qm" if arguments.iter().any(|word| listed("console terminal", word)) => Started::Elsewhere,
        _ if listed(CONNECTING, name) => Started::Elsewhere,
        _ => Started::Nothing,
    }
}

/// Does it run something in a container that has the caller's terminal, though nobody says so?
fn gives_terminal(name: &str, arguments: &[String]) -> bool {
    let runs = arguments.iter().any(|word| matches!(word.as_str(), "exec" | "run"));
    let refuses = has_letter(arguments, 'T') || has_letter(arguments, 'd') || arguments.iter().any(|word| word == "--no-TTY");
    let first = arguments.first().map_or("-", String::as_str);
    runs && !refuses && (listed(ALWAYS, name) || listed(ALWAYS, first))
}

/// Is a shell named there, and one that will ask for lines?
fn shell_among(arguments: &[String]) -> Option<bool> {
    let at = arguments.iter().rposition(|word| is_shell_name(word))?;
    Some(is_interactive(arguments.get(at + 1..).unwrap_or_default()))
}

/// `ssh host`: a login there. With a command only where a terminal was asked for.
fn connection(arguments: &[String]) -> Started {
    let behind = operands(arguments, SSH_VALUED);
    let options = arguments.get(..arguments.len().saturating_sub(behind.len())).unwrap_or_default();
    let behind_host = behind.get(1..).unwrap_or_default();
    let command = operands(behind_host, SSH_VALUED);
    let terminal = has_letter(options, 't') || has_letter(behind_host, 't');
    if behind.is_empty() || has_letter(options, 'N') || (!command.is_empty() && !terminal) {
        return Started::Nothing;
    }
    match by_words(shell::program(command)) {
        Started::Shell => Started::ElsewhereShell,
        _ => Started::Elsewhere,
    }
}

fn user_change(name: &str, arguments: &[String], valued: &str) -> Started {
    let words = operands(arguments, valued);
    let options = arguments.get(..arguments.len().saturating_sub(words.len())).unwrap_or_default();
    match name {
        "sudo" | "doas" => {
            let command = shell::program(words);
            let asked_for_shell =
                has_letter(options, 'i') || has_letter(options, 's') || options.iter().any(|word| word == "--login" || word == "--shell");
            if command.is_empty() {
                return if asked_for_shell { Started::Shell } else { Started::Nothing };
            }
            if asked_for_shell { Started::Nothing } else { by_words(command) }
        }
        _ => {
            let runs = arguments.iter().any(|word| word == "-c" || word.starts_with("--command") || word.starts_with("--session-command"));
            if runs { Started::Nothing } else { Started::Shell }
        }
    }
}

/// Options only: neither a script nor a command.
fn is_interactive(arguments: &[String]) -> bool {
    let mut before = "";
    let mut only_options = true;
    for word in arguments {
        let is_option = matches!(word.bytes().next(), Some(b'-' | b'+'));
        only_options &= is_option;
        if only_options && listed("--version --help --command", word) {
            return false;
        }
        let is_value = listed("-o +o -O +O --rcfile --init-file -C --init-command", before);
        if !is_option && !is_value && !is_shell_name(word) {
            return false;
        }
        before = word;
    }
    !has_letter(arguments, 'c')
}

fn is_shell_name(word: &str) -> bool {
    listed(SHELLS, file_name(word))
}

#[cfg(test)]
mod reaching {
    use super::reaches_out;

    #[test]
    fn a_line_that_goes_to_another_host_is_known() {
        for line in [
            "ssh web2",
            "ssh web2 sudo -S id",
            "sudo -u bob ssh web2",
            "scp a web2:",
            "timeout 5 sftp web2",
            "cd /x && rsync -a a b:",
            "docker exec -it c bash",
        ] {
            assert!(reaches_out(line), "{line}");
        }
        for line in ["sudo id", "su - bob", "cat ssh.txt", "systemctl restart sshd", "", "passwd"] {
            assert!(!reaches_out(line), "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Started, started};

    fn check(expected: Started, lines: &[&str]) {
        for line in lines {
            assert_eq!(started(line), expected, "{line}");
        }
    }

    #[test]
    fn shells_of_this_host() {
        check(
            Started::Shell,
            &[
                "bash",
                "exec bash -l",
                "/bin/sh",
                "zsh -f",
                "bash --norc -i",
                "bash -o vi",
                "bash --rcfile x",
                "env -i HOME=/ bash",
                "su",
                "su -",
                "su - alice",
                "su -l bob",
                "sudo -i",
                "sudo -s",
                "sudo -iu alice",
                "sudo -u bob -i",
                "sudo su -",
                "sudo bash",
                "sudo -u x bash -l",
                "doas -s",
                "doas sh",
                "cd /x && bash",
                "script -q /dev/null",
                "busybox sh",
                "ksh93",
                "newgrp adm",
            ],
        );
    }

    #[test]
    fn shells_that_are_elsewhere() {
        check(
            Started::ElsewhereShell,
            &[
                "docker exec -it c bash",
                "docker run --rm -ti alpine sh",
                "podman exec -it c /bin/sh -l",
                "kubectl exec -it pod -- bash",
                "sudo docker exec -it c sh",
                "chroot /mnt",
                "chroot /mnt /bin/bash",
                "nsenter -t 1 -m bash",
                "unshare -r",
                "ssh -t web2 bash",
                "ssh -tt web2 sudo -i",
                "machinectl shell web",
                "docker compose exec web bash",
                "docker compose -f x.yml run --rm web sh",
                "docker-compose exec -u 0 web bash",
                "sudo lxc exec c1 -- bash -l",
                "oc rsh pod sh",
                "pct exec 100 -- sh",
            ],
        );
    }

    #[test]
    fn what_may_be_a_router() {
        check(
            Started::Elsewhere,
            &[
                "ssh web2",
                "ssh -p 2222 bob@web2",
                "ssh -i k -o X=y web2",
                "ssh web2 -p 22",
                "telnet sw1 23",
                "ssh -t web2 top",
                "docker exec -it c top",
                "lxc shell c1",
                "incus console c1",
                "pct enter 100",
                "oc rsh pod",
                "virsh console vm1",
                "qm terminal 100",
            ],
        );
    }

    #[test]
    fn what_ends_by_itself() {
        check(
            Started::Nothing,
            &[
                "ls",
                "bash -c 'echo x'",
                "bash x.sh",
                "sh -xc id",
                "bash --version",
                "curl x | bash",
                "bash <x",
                "bash <<E\nid\nE",
                "su -c id",
                "su - bob -c id",
                "sudo id",
                "sudo -l",
                "sudo -i id",
                "sudo bash x.sh",
                "ssh web2 uptime",
                "ssh web2 bash",
                "ssh -N web2",
                "echo ssh",
                "echo bash; ./build",
                "docker exec c sh",
                "docker compose exec -T web bash",
                "docker compose run -d web sh",
                "docker compose up",
                "docker compose exec web make",
                "docker logs shell",
                "lxc list",
                "pct list",
                "virsh list",
                "kubectl exec pod -- sh",
                "docker ps",
                "grep bash x",
                "chroot /mnt /bin/ls",
                "python3",
                "ssh",
                "script -c id",
            ],
        );
    }
}
