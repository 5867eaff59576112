//! Lines that csh and tcsh read as every other shell does: plain words, simple quotes, pipes.

use jackfield_plugin::text::{listed, trim};

/// Commands of the shell itself that do the same everywhere.
const SAME: &str = "cd chdir echo printenv which";

/// Commands of the shell itself: of the same name as programs, or with a syntax of their own (`alias ls reboot`).
const BUILTINS: &str = ": @ alias alloc bg bindkey break breaksw builtins bye case chdir complete continue default dirs echotc else end \
    endif endsw eval exec exit fg filetest foreach getspath getxvers glob goto hashstat history hup if inlib jobs kill limit log login logout \
    ls-F migrate newgrp nice nohup notify onintr popd pushd rehash repeat rootnode sched set setenv setpath setspath settc setty setxvers \
    shift source stop suspend switch telltc termname time umask unalias uncomplete unhash universe unlimit unset unsetenv ver wait warp \
    watchlog where while";

/// Is it a line of which the grammar of POSIX shells says what csh makes of it?
pub(super) fn reads_alike(line: &str) -> bool {
    let (mut quote, mut before) = (None, ' ');
    let mut commands = vec![String::new()];
    for sign in trim(line).chars() {
        match (quote, sign) {
            // A quote ends with its row, `!` is history, and the rest works inside quotes too.
            (_, '\n' | '\r' | '!' | '\\' | '`' | '$') => return false,
            (Some(open), sign) if open == sign => quote = None,
            (Some(_), _) => {}
            // A quote is a word of its own.
            (None, '\'' | '"') if before == ' ' => quote = Some(sign),
            (None, sign) if matches!(before, '\'' | '"') && !matches!(sign, ' ' | '|' | ';') => return false,
            (None, '|' | ';') => {
                commands.push(String::new());
                before = ' ';
                continue;
            }
            (None, sign) if sign.is_alphanumeric() || " \t_-./:,@+%*?[]~=".contains(sign) => {}
            (None, _) => return false,
        }
        before = sign;
        if let Some(command) = commands.last_mut() {
            command.push(sign);
        }
    }
    quote.is_none() && commands.iter().all(|command| is_same(command))
}

/// Does its first word name a program, or a command that does the same?
fn is_same(command: &str) -> bool {
    let mut words = command.split([' ', '\t']).filter(|word| !word.is_empty());
    let Some(name) = words.next() else { return false };
    let is_plain = name.chars().all(|sign| sign.is_ascii_alphanumeric() || "_-./+".contains(sign));
    let is_own = listed(BUILTINS, name) && !listed(SAME, name);
    // `=2` is an entry of the directory stack.
    is_plain && !is_own && words.all(|word| !word.starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_read_alike() {
        for line in ["ls -la /tmp", "cat /etc/hosts | grep -v 'a b; c'", "df -h; uptime", "echo \"x # y\"", "ls *.c", "cd ~"] {
            assert!(reads_alike(line), "{line}");
        }
        for line in [
            "ls / #; touch /tmp/x",
            "echo 'a\ntouch /tmp/x\nb'",
            "echo \"a\\\"; touch /tmp/f\"",
            "alias ls reboot",
            "ls; alias ls reboot",
            "set x = 1",
            "@ x = 1",
            "ls 2>&1",
            "ls & ls",
            "ls |& cat",
            "ls || ls",
            "cat =1",
            "echo !!",
            "echo $x",
            "echo `id`",
            "ls {a,b}",
            "%1",
            "'ls'",
            "echo 'open",
            "echo \"a\"'; touch f'",
            "echo a'b'",
            "echo 'a'b",
            "grep -e'a' f",
            "",
        ] {
            assert!(!reads_alike(line), "{line}");
        }
    }
}
