//! A command for a channel of its own, as every login shell leaves it alone.
//!
//! The SSH server has the account's login shell read what it is asked to start (RFC 4254 section 6.5), and that may be any shell, while
//! policy has read the command as a POSIX shell does. So the login shell is given a line that can only be read in one way: it becomes
//! `sh`, and the command is one quoted word of plain signs. `sh` puts the command together again and becomes bash where that is there,
//! else another `sh` that runs it. It is one process all the time, which a signal reaches, and standard input stays as it is.

use std::fmt::Write as _;

use crate::limits::PROGRAM_LINE_MAX_BYTES;

/// What stands before the command's word, which is `$1`. `$0` is the backslash, for the octal numbers in it: outside of quotes all shells
/// read that alike, within them they do not. The point keeps the newlines at the command's end, which `$( )` takes away.
const BEFORE: &str = concat!(
    r#"exec sh -c 'set -- "$(set -f; IFS=@; set -- $1; IFS=$0; printf %b. "$*")"; set -- "${1%.}"; "#,
    r#"command -v bash >/dev/null 2>&1 && exec bash -c "$1"; exec sh -c "$1"' \\ '"#,
);
/// What ends the word or means something in it: `'` to all, `\` to fish, `!` to csh, `@` to ourselves.
const SIGNS: &[u8] = b"'\\!@";

/// The line for the login shell.
///
/// # Errors
///
/// When no shell can be given the command.
pub(super) fn line(command: &str) -> Result<String, String> {
    if command.contains('\0') {
        return Err("it holds a zero byte, which no shell takes".to_owned());
    }
    let mut line = String::with_capacity(BEFORE.len() + command.len() + 1);
    line.push_str(BEFORE);
    for byte in command.bytes() {
        match byte {
            b' '..=b'~' if !SIGNS.contains(&byte) => line.push(char::from(byte)),
            // What is not ASCII too: a shell without the right locale takes parts of a letter for signs.
            _ => {
                let _ = write!(line, "@0{byte:03o}");
            }
        }
    }
    line.push('\'');
    if line.len() > PROGRAM_LINE_MAX_BYTES {
        return Err(format!(
            "written for any login shell it has {} bytes, at most {PROGRAM_LINE_MAX_BYTES} are started; run it in a session, or copy a file",
            line.len()
        ));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 12] = [
        "",
        "true",
        "echo \"a\\\"; touch /tmp/f; #\"",
        "it's ''quoted'' \"twice\" \\' \\\\ \\n",
        "!x !! ^a^b @ @@ @0047 @0101 7",
        "$HOME `x` $(x) ${x} * ? [a] {b,c} ~ # % & | ; < > ( ) =x",
        "a\tb\r\u{1}\u{1b}[A\u{7f}",
        "cat <<'E'\n it's\n\\\nE\n",
        "\n\nends with newlines\n\n\n",
        "é日本😀 \u{a7}\u{fdd0}\u{f6a7}",
        ".",
        " two  blanks  ",
    ];

    #[test]
    fn a_login_shell_sees_nothing_of_the_command_that_it_could_read() {
        for text in TEXTS {
            let line = line(text).unwrap();
            let word = line.strip_prefix(BEFORE).and_then(|word| word.strip_suffix('\'')).unwrap();
            assert!(word.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"'\\!".contains(&byte)), "{text:?}: {word}");
        }
        let script = BEFORE.split('\'').nth(1).unwrap();
        assert!(script.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"\\!".contains(&byte)), "{script}");
    }

    #[test]
    fn a_posix_shell_puts_it_together_again() {
        for text in TEXTS {
            let command = format!("printf '%s.' '{}'", text.replace('\'', "'\\''"));
            let done = std::process::Command::new("sh").arg("-c").arg(line(&command).unwrap()).output().unwrap();
            assert_eq!(String::from_utf8(done.stdout).unwrap(), format!("{text}."), "{text:?}");
        }
    }

    #[test]
    fn what_no_shell_can_be_given_is_refused() {
        assert!(line("a\0b").unwrap_err().contains("zero byte"));
        let most = PROGRAM_LINE_MAX_BYTES - BEFORE.len() - 1;
        assert!(line(&"x".repeat(most)).is_ok());
        assert!(line(&"x".repeat(most + 1)).unwrap_err().contains("at most 131071 are started"));
    }
}
