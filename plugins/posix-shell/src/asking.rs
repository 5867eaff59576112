//! Questions that programs ask. They are reported, never answered: which answer is right only the caller knows.

use jackfield_plugin::dialog::names_its_host;
use jackfield_plugin::text::{listed, trim, trim_end};
use jackfield_plugin::{Question, View};

use crate::marks::{Marks, Stage};
use crate::memory::is_shell;
use crate::started::{Started, reaches_out, started};
use crate::{full_screen, pager, unmarked, words};

/// A pager's marker in a line that names no pager. No key is pressed: the program may be any.
const PAGER_MS: u32 = 5_000;

/// A row that may be the prompt of a shell which no word of the line names, or a text that only looks so.
const SHELL_MS: u32 = 6_000;

/// Trigger, kind, silence in milliseconds. Text that plain output may also end in waits long. The first that matches counts.
const QUESTIONS: &[(&str, &str, u32)] = &[
    ("host_key", "yes-no", 200),
    ("host_key_again", "yes-no", 200),
    ("conffile", "menu", 500),
    ("yes_no", "yes-no", 1_000),
    ("overwrite", "yes-no", 1_000),
    ("login_password", "password", 500),
    ("new_password", "password", 1_500),
    ("enter_password", "password", 2_000),
    ("code", "code", 3_000),
    ("password", "password", 5_000),
    ("user_name", "username", 3_000),
    ("any_key", "any-key", 2_500),
    ("help", "menu", 500),
    ("file_name", "filename", 3_000),
    ("choice", "menu", 3_000),
    ("question", "unknown", 5_000),
    ("colon", "unknown", 6_000),
];

/// The question in the last row, if it is one. A pager's marker is none. A prompt proven by a mark is none, whatever its
/// text is, and neither is the prompt for the rest of a line.
pub(crate) fn question(view: &View) -> Option<Question> {
    if view.fact("shown") == "screen" {
        // What it shows may be a shell of its own, with the same prompt: a terminal multiplexer.
        return Some(full_screen::question(view));
    }
    if matches!(Marks::read(&view.marks).stage, Stage::Prompt(_) | Stage::Rest) {
        return None;
    }
    if is_known(view) {
        // The same shell within itself has the same prompt.
        return inner_shell(view);
    }
    if pager::page(view).is_some() {
        return None;
    }
    // Where a pager runs, its marker only has to stand a little longer.
    let foreign = pager::marker(view) && !words::may_page(&view.command);
    known(view, "").or_else(|| foreign.then(|| asked(view, "pager", PAGER_MS))).or_else(|| inner_shell(view))
}

/// Is it the very prompt that was accepted before?
fn is_known(view: &View) -> bool {
    view.prompt.as_deref().is_some_and(|prompt| trim_end(prompt) == trim_end(&view.tail))
}

/// The command runs and shows what a plain shell has for a prompt. It ends nothing: the caller is asked. Where the line names a
/// shell, or a line editor waits, it is told by that.
fn inner_shell(view: &View) -> Option<Question> {
    let is_plain = view.hit("inner_shell").is_some() && !view.takes_paste();
    if !is_plain || view.phase != "running" || !is_shell(&view.mode) || !is_inside(view) || started(&view.command) != Started::Nothing {
        return None;
    }
    let text = [trim(&view.tail), " (looks like a shell's prompt; whether the command has ended is not known)"].concat();
    Some(Question { kind: "unknown".to_owned(), text, after_ms: SHELL_MS })
}

/// Does what the line has started hold the terminal? A mark tells that it runs. In a shell that tells no start, its own prompt would
/// come with marks. Where nothing has come behind the line, the row is that in which it was typed, without an echo.
fn is_inside(view: &View) -> bool {
    let is_marked = || view.fact("proof") == "mark" && view.echoed && view.bytes_since_send > 0 && unmarked::replaced(view).is_none();
    let stage = Marks::read(&view.marks).stage;
    matches!(stage, Stage::Running) && !is_known(view) || matches!(stage, Stage::Unknown) && is_marked()
}

/// The row as a question of the table, but for these kinds.
pub(crate) fn known(view: &View, without: &str) -> Option<Question> {
    let fits = |(trigger, kind, _): &&(&str, &str, u32)| view.hit(trigger).is_some() && !listed(without, kind);
    let (_, kind, after_ms) = QUESTIONS.iter().find(fits)?;
    let kind = if matches!(*kind, "password" | "code") && asked_elsewhere(view) { "remote-password" } else { kind };
    Some(asked(view, kind, *after_ms))
}

/// Does another host ask, because the command goes there? Then the device's secrets are not for it. ssh says so itself, unless
/// the server asks in words of its own.
fn asked_elsewhere(view: &View) -> bool {
    let tail = trim_end(&view.tail);
    let by_ssh = tail.ends_with("'s password:") || names_its_host(tail);
    by_ssh || reaches_out(&view.command)
}

fn asked(view: &View, kind: &str, after_ms: u32) -> Question {
    Question { kind: kind.to_owned(), text: trim(&view.tail).to_owned(), after_ms }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::question;

    fn kind(tail: &str) -> Option<(String, u32)> {
        question(&Scene::new(include_str!("../plugin.toml")).view(tail)).map(|question| (question.kind, question.after_ms))
    }

    fn check(expected: &str, after_ms: u32, tails: &[&str]) {
        for tail in tails {
            assert_eq!(kind(tail), Some((expected.to_owned(), after_ms)), "{tail:?}");
        }
    }

    #[test]
    fn questions_with_one_form_are_seen_soon() {
        check(
            "yes-no",
            200,
            &[
                "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
                "Are you sure you want to continue connecting (yes/no)? ",
                "Please type 'yes', 'no' or the fingerprint: ",
            ],
        );
        check(
            "yes-no",
            1_000,
            &[
                "Do you want to continue? [Y/n] ",
                "Proceed? [y/N]: ",
                "rm: remove 3 arguments? (y/n) ",
                "Overwrite (y/n)? ",
                "Is this ok [y/N]: ",
                "Is this ok [y/d/N]: ",
                "Abort? [yes/no]",
                "zsh: correct 'gti' to 'git' [nyae]? ",
                "zsh: sure you want to delete all 3 files in /tmp/x [yn]? ",
                "CORRECT>git (y|n|e|a)? ",
                "Quit anyway? (y or n) ",
                "Make breakpoint pending on future shared library load? (y or [n]) ",
                "Really go back? ([y] or n) ",
                "Do you want to continue? [Y/n/?] ",
                "Proceed? (y)es/(n)o: ",
                "Go on? (Y)es/(N)o",
                "Ok to proceed? (y) ",
                "Proceed anyway? (y,N) ",
                "overwrite b? (y/n [n]) ",
                "Continue? [y/n/v/...? shows all options] (y): ",
                "Do you want to continue (Y/n)?  ",
                "Do you agree? (yes|no) ",
                "Overwrite? [yes|no]: ",
                "¿Desea continuar? [S/n] ",
                "Хотите продолжить? [Д/н] ",
                "Ist dies in Ordnung? [j/N]: ",
                "¿Está de acuerdo [s/N]?: ",
            ],
        );
        check(
            "yes-no",
            1_000,
            &[
                "cp: overwrite 'b'? ",
                "rm: remove write-protected regular file 'x'? ",
                "replace a.txt? [y]es, [n]o, [A]ll, [N]one, [r]ename: ",
                "mv: replace 'b', overriding mode 0444 (r--r--r--)? ",
                "gzip: x.gz already exists; do you wish to overwrite (y or n)? ",
            ],
        );
        check("menu", 500, &["*** sshd_config (Y/I/N/O/D/Z) [default=N] ? "]);
    }

    #[test]
    fn password_questions_have_their_own_forms() {
        check("remote-password", 500, &["root@10.0.0.5's password: ", "(alice@10.0.0.5) Password: "]);
        check(
            "password",
            500,
            &[
                "Enter passphrase for key '/home/alice/.ssh/id_ed25519': ",
                "[sudo] password for alice: ",
                "[sudo] Passwort für alice: ",
                "[sudo: authenticate] Password: ",
                "[su: authenticate] Password: ",
                "doas (alice@vm) password: ",
                "Password for 'https://alice@example.net': ",
                "Enter password: ",
                "Enter PEM pass phrase:",
                "Verifying - Enter PEM pass phrase:",
                "🔐 Password: (press TAB for no echo) ",
                "? Master password: [input is hidden] ",
            ],
        );
        check(
            "password",
            1_500,
            &[
                "Current password: ",
                "New password: ",
                "Retype new password: ",
                "(current) UNIX password: ",
                "Enter current password for root (enter for none): ",
                "Re-enter new password:  ",
                "Geben Sie das neue Passwort erneut ein: ",
            ],
        );
        check(
            "password",
            2_000,
            &[
                "Enter the password of the vault: ",
                "enter AES-256-CBC encryption password:",
                "Type your password again: ",
                "Enter keystore password:  ",
            ],
        );
        check("password", 5_000, &["Password: ", "password:", "Passwort: ", "Mot de passe : ", "LDAP Password: ", "Contraseña: "]);
        check("password", 5_000, &["Password:  ", "Password (again): ", "LDAP password for admin: ", "Mot de passe actuel : "]);
        check("code", 3_000, &["Verification code: ", "One-time password (OTP): "]);
    }

    #[test]
    fn other_questions_wait_longer() {
        check("username", 3_000, &["Username for 'https://example.net': ", "login: ", "Username: "]);
        check("any-key", 2_500, &["Press any key to continue . . .", "Hit Enter to continue", "Press [Enter] to exit: ", "[More] "]);
        check("any-key", 2_500, &["--Type <RET> for more, q to quit, c to continue without paging--"]);
        check("menu", 3_000, &["  Enter a value: ", "Please select an option: ", "Your choice: ", "Enter a number [1-5]: ", "#? "]);
        check("unknown", 5_000, &["What is your name? "]);
        check("unknown", 6_000, &["Name: ", "Country Name (2 letter code) [AU]: ", "total: "]);
        check("unknown", 6_000, &["Country Name (2 letter code) [AU]:", "\tFull Name []: ", " (Enter 'c' to cancel): "]);
        check("unknown", 6_000, &["Trust this certificate? [no]:  ", "  [Unknown]:  "]);
        check("filename", 3_000, &["Enter file in which to save the key (/root/.ssh/id_ed25519): "]);
        check("menu", 500, &["Command (m for help): "]);
        check("pager", 5_000, &["(END)", "--More--(37%)", "lines 1-23/60 37%"]);
    }

    #[test]
    fn rows_that_cannot_be_a_question() {
        for tail in [
            "",
            "Password changed for alice.",
            "passwd: password updated successfully",
            "password: hunter2",
            "Bad password: try again",
            "alice@web1:~$ ",
            "Reading... 50% ",
            "see https://example.net/a?",
            "foo:bar",
            "Compressing objects: 50% ",
            "Name: web1",
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? yes",
            "[sudo: x] Password: ***",
            "12:30: ",
            "  12:30: ",
            "  total: ",
            "[section]:",
            ": ",
        ] {
            assert_eq!(kind(tail), None, "{tail:?}");
        }
    }

    #[test]
    fn the_prompt_of_a_shell_that_no_word_names_is_asked_about() {
        let asked = |command: &str, tail: &str, marks: &[&str]| {
            let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
            (view.phase, view.mode, view.command) = ("running".to_owned(), "shell".to_owned(), command.to_owned());
            (view.prompt, view.marks) = (Some("alice@web1:~$ ".to_owned()), marks.iter().map(|mark| (*mark).to_owned()).collect());
            question(&view).map(|question| (question.kind, question.after_ms))
        };
        for tail in ["$ ", "# ", "~ $ ", "/srv/a # "] {
            assert_eq!(asked("./enter.sh", tail, &["C;n"]), Some(("unknown".to_owned(), super::SHELL_MS)), "{tail}");
            // What the line names is told by the prompt, and so is what stands behind an end.
            assert_eq!(asked("dash", tail, &["C;n"]), None, "{tail}");
            assert_eq!(asked("./enter.sh", tail, &["C;n", "D;0;n;/"]), None, "{tail}");
            assert_eq!(asked("./enter.sh", tail, &[]), None, "{tail}");
        }
        for tail in ["sw1# ", "50% ", "price $ ", "> ", "#", "##### "] {
            assert_eq!(asked("./enter.sh", tail, &["C;n"]), None, "{tail}");
        }
    }

    #[test]
    fn a_shell_that_tells_no_start_is_known_by_the_marks_of_its_own_prompt() {
        let asked = |command: &str, tail: &str, proof: &str, bytes: u64| {
            let mut view = Scene::new(include_str!("../plugin.toml")).view(tail);
            (view.phase, view.mode, view.command) = ("running".to_owned(), "shell".to_owned(), command.to_owned());
            (view.prompt, view.bytes_since_send) = (Some("$ ".to_owned()), bytes);
            view.facts.push(jackfield_plugin::Fact { name: "proof".to_owned(), value: proof.to_owned() });
            question(&view).map(|question| (question.kind, question.after_ms))
        };
        let told = Some(("unknown".to_owned(), super::SHELL_MS));
        // The same prompt, and another one.
        for tail in ["$ ", "# ", "/srv $ "] {
            assert_eq!(asked("./enter.sh", tail, "mark", 20), told, "{tail}");
            for proof in ["learned", "pattern"] {
                assert_eq!(asked("./enter.sh", tail, proof, 20), None, "{tail}");
            }
        }
        // It is named, its prompt is another one now, it is the row in which the line was typed without an echo.
        for (command, tail, bytes) in [("dash", "$ ", 20), ("PS1='# '", "# ", 20), (". ./x", "/srv $ ", 20), ("./enter.sh", "$ ", 0)] {
            assert_eq!(asked(command, tail, "mark", bytes), None, "{command}");
        }
        // A line that is not sent back yet, or a prompt that has come.
        let mut view = Scene::new(include_str!("../plugin.toml")).view("$ ");
        (view.mode, view.echoed, view.command) = ("shell".to_owned(), false, "./enter.sh".to_owned());
        view.facts.push(jackfield_plugin::Fact { name: "proof".to_owned(), value: "mark".to_owned() });
        assert_eq!(question(&view), None);
        view.echoed = true;
        assert!(question(&view).is_some());
        view.marks = ["D;0;n;/", "A;n", "B;n"].map(str::to_owned).to_vec();
        assert_eq!(question(&view), None);
    }

    #[test]
    fn a_marker_that_does_not_stand_yet_is_left_to_the_pager() {
        let mut view = Scene::new(include_str!("../plugin.toml")).view("--More--");
        (view.command, view.quiet_ms) = ("more x".to_owned(), 0);
        assert_eq!(question(&view), None);
        view.command = "./show".to_owned();
        assert!(question(&view).is_some());
    }

    #[test]
    fn a_prompt_that_reads_like_a_question_is_a_prompt() {
        let mut view = Scene::new(include_str!("../plugin.toml")).view("what now? ");
        assert!(question(&view).is_some());
        view.marks = ["D;0;n;/", "A;n", "B;n"].map(str::to_owned).to_vec();
        assert_eq!(question(&view), None);
        view.marks = vec!["P;k=c;n".to_owned()];
        assert_eq!(question(&view), None);
        view.marks.clear();
        view.prompt = Some("what now? ".to_owned());
        assert_eq!(question(&view), None);
    }
}
