//! What must hold for the lines of the manifest, whoever edits them.

use std::collections::BTreeSet;

const MANIFEST: &str = include_str!("../plugin.toml");

/// The rows that begin a send.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let section = MANIFEST.split_once("\n[sends]\n").unwrap().1.split_once("\n[[trigger]]\n").unwrap().0;
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    section.lines().filter_map(|row| row.split_once(" = ")).filter(move |(name, value)| is_name(name) && value.starts_with('"'))
}

/// Every send.
fn declared() -> impl Iterator<Item = &'static str> {
    rows().map(|(name, _)| name)
}

/// The sends that are lines for a shell.
fn lines() -> impl Iterator<Item = &'static str> {
    rows().filter(|(_, value)| value.starts_with("\"\"\"")).map(|(name, _)| name)
}

/// The text of a send as the host types it.
pub(crate) fn typed(name: &str) -> String {
    let after = MANIFEST.split_once(&format!("\n{name} = \"\"\"")).unwrap().1;
    let body = after.split_once("\"\"\"").unwrap().0;
    // As TOML does it: a backslash at the end of a row joins the rows, a pair is one.
    let joined = body.replace("\\\n", "").replace("\\\\", "\\").replace("\\\"", "\"");
    assert!(!joined.contains('\n'), "{name} has a row without a backslash at its end");
    joined
        .replace("{{", "\u{1}")
        .replace("{nonce}", "0123456789abcdef")
        .replace("{config.pagers}", "off")
        .replace("{enter}", "\r")
        .replace('\u{1}', "{")
}

#[test]
fn lines_fit_the_editors_that_read_them() {
    // busybox: 512 bytes where it is built small, with the end of the string. A terminal in canonical mode: 4,095.
    let bounds = [
        ("probe", 511),
        ("bash", 3_500),
        ("zsh", 3_500),
        ("fish", 3_500),
        ("sh", 511),
        ("forget", 511),
        ("exec", 511),
        ("unmark", 511),
        ("tty", 511),
        ("mksh", 4_095),
        ("ksh93", 1_014),
        ("tcsh", 1_023),
    ];
    assert!(lines().eq(bounds.map(|(name, _)| name)));
    for (name, most) in bounds {
        let length = typed(name).len();
        assert!(length <= most, "{name} has {length} bytes, at most {most} fit");
    }
}

#[test]
fn lines_are_one_line_and_begin_with_a_space() {
    for name in lines() {
        let text = typed(name);
        // The space keeps the line out of the history of bash, zsh and fish, where they are told to look at it.
        assert!(text.starts_with(' '), "{name}");
        assert_eq!(text.matches('\r').count(), 1, "{name}");
        assert!(text.ends_with('\r'), "{name}");
    }
}

#[test]
fn the_echo_of_a_line_is_no_mark() {
    for name in lines() {
        let text = typed(name);
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{1}']), "{name} holds a control byte");
        // History expansion would rewrite the line.
        assert!(!text.contains('!') || name == "fish", "{name}");
    }
}

/// Where `correct` is `complete`, tcsh takes no line in which a name stands there that is no command's.
#[test]
fn nothing_within_quotes_looks_like_a_command_to_tcsh() {
    for name in ["probe", "tcsh"] {
        let text = typed(name);
        let (mut quote, mut before) = (None, ' ');
        for (at, c) in text.char_indices() {
            match quote {
                _ if before == '\\' => {}
                None if matches!(c, '\'' | '"') => quote = Some(c),
                Some(open) if open == c => quote = None,
                Some(_) if matches!(c, ';' | '&' | '|') => {
                    let rest = text[at + 1..].trim_start_matches(' ');
                    assert!(rest.starts_with(['\\', '&', '|']), "{name}: {rest}");
                }
                _ => {}
            }
            before = c;
        }
        assert_eq!(quote, None, "{name}");
    }
}

/// FreeBSD's sh cuts its prompt, so a mark might have no end there.
#[test]
fn a_shell_that_expands_nothing_in_its_prompt_gets_no_marks() {
    for (system, is_marked) in [("FreeBSD", false), ("DragonFly", false), ("NetBSD", true), ("Linux", true)] {
        let line = typed("sh");
        let script = format!("uname() {{ echo {system}; }}; PS1='x '; {}\nprintf '%s' \"$SUDO_PROMPT|$PS1\"", line.trim());
        let done = std::process::Command::new("sh").args(["-c", &script]).env_remove("KSH_VERSION").output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let prompt = said.strip_prefix("jackfield-0123456789abcdef: |").unwrap();
        assert_eq!((prompt.contains("133;D;$?;"), prompt == "x "), (is_marked, !is_marked), "{system}: {said:?}");
    }
}

/// Builds of busybox with a file for it write each line there at Enter.
#[test]
fn what_was_typed_at_login_is_cut_off_the_end_of_a_history() {
    let file = std::env::temp_dir().join(format!("jackfield-history-{}", std::process::id()));
    let lines = |names: &[&str]| names.iter().map(|name| typed(name).replace('\r', "\n")).collect::<String>();
    for (before, behind, after) in [
        ("old one\n", &["probe", "sh", "forget"][..], "old one\n"),
        ("PS1=\"v $PS1\"\n", &["unmark", "probe", "sh", "forget"][..], "PS1=\"v $PS1\"\n"),
        ("", &["probe", "sh", "forget"][..], ""),
    ] {
        std::fs::write(&file, format!("{before}{}", lines(behind))).unwrap();
        // Also where nothing may fail.
        let done = std::process::Command::new("sh").args(["-euc", typed("forget").trim()]).env("HISTFILE", &file).status().unwrap();
        assert!(done.success(), "{done}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), after);
    }
    std::fs::remove_file(&file).unwrap();
    let none = std::process::Command::new("sh").args(["-euc", typed("forget").trim()]).env_remove("HISTFILE").status().unwrap();
    assert!(none.success(), "{none}");
}

/// Another session of the account may write its own line there at that moment.
#[test]
fn no_line_of_a_history_is_cut_in_the_middle() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = std::env::temp_dir().join(format!("jackfield-history-beside-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, tail) = (folder.join("history"), folder.join("tail"));
    std::fs::write(&tail, "#!/bin/sh\ncommand -p tail \"$@\"; echo beside >>\"$3\"\n").unwrap();
    std::fs::set_permissions(&tail, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(&file, format!("old one\n{}{}", typed("sh"), typed("forget")).replace('\r', "\n")).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut shell = std::process::Command::new("sh");
    assert!(shell.args(["-c", typed("forget").trim()]).env("HISTFILE", &file).env("PATH", path).status().unwrap().success());
    // Those that came behind a line which was not ours.
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "old one\nbeside\nbeside\n");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The line that puts marks on the terminal leaves code in the prompt.
#[test]
fn what_stands_in_a_prompt_is_quiet_and_runs_only_where_it_was_made() {
    let said = |rest: &str| {
        let script = format!("PS1='max=;x ' PS2='> '; {}\n{rest}", typed("tty").trim());
        let done = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let elsewhere = said("export PS1; exec sh -uc 'eval \"printf %s \\\"$PS1\\\"\"'");
    assert_eq!(elsewhere, ("max=;x ".to_owned(), String::new()));
    // Also where the status is split into nothing.
    let (prompt, trace) = said("__jft() { printf %s \"$#\"; }; IFS=0123456789; set -x; eval \"printf %s \\\"$PS1\\\"\"");
    assert!(prompt == "max=;x 1" && trace.contains("+ ") && !trace.contains("+ __jft"), "{prompt}: {trace}");
    assert!(said("printf %s \"$PS2\"").0.contains("__jft"));
}

/// The alias may have been passed by, so that the other line is typed, too.
#[test]
fn what_looks_where_a_prompt_goes_stands_in_it_once() {
    let prompts = |lines: &[&str], version: Option<&str>| {
        let lines = lines.iter().map(|name| typed(name).replace('\r', "\n")).collect::<String>();
        let script = format!("PS1='x ' PS2='> '\n{lines}printf '%s|%s' \"$PS1\" \"$PS2\"");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-uec", &script]).env_remove("KSH_VERSION").envs(version.map(|version| ("KSH_VERSION", version)));
        String::from_utf8(shell.output().unwrap().stdout).unwrap()
    };
    let once = prompts(&["exec"], None);
    assert_eq!(once.matches("__jft").count(), 2, "{once}");
    assert_eq!((prompts(&["tty"], None), prompts(&["exec", "exec", "tty"], None)), (once.clone(), once));
    // mksh shows such code as it is.
    let of_mksh = prompts(&["exec", "tty"], Some("@(#)MIRBSD KSH R59"));
    assert!(of_mksh.ends_with("|> ") && of_mksh.matches("__jft").count() == 1, "{of_mksh}");
}

/// Behind these stands a text that the code asks for, not one that it sends.
const ASKED: [&str; 13] = [
    "hit(",
    "fact(",
    "group(",
    "has(",
    "said(",
    "holds(answer, ",
    "holds(row, ",
    "runs(&view.command, ",
    "== ",
    "const PROBE: &str = ",
    "const PLAIN: &str = ",
    "const MKSH: &str = ",
    "const UNMARK: &str = ",
];
/// So ends a list of triggers.
const TRIGGERS_END: &str = ".into_iter().any(hit)";

/// Every text in the code that is not known to be something else, so that none is missed.
fn named_in(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code: String = code.lines().filter(|row| !row.trim_start().starts_with("//")).collect();
    assert!(!code.contains("\\\"") && !code.contains("'\"'"), "texts are told by their quotes alone");
    let mut parts: Vec<&str> = code.split(TRIGGERS_END).collect();
    let last = parts.pop();
    let code: String = parts.into_iter().map(|part| part.rsplit_once('[').unwrap().0).chain(last).collect();
    let pieces: Vec<&str> = code.split('"').collect();
    let texts = pieces.chunks_exact(2).filter(|pair| !ASKED.iter().any(|asked| pair[0].ends_with(asked)));
    texts.map(|pair| pair[1].to_owned()).collect()
}

#[test]
fn every_send_that_the_code_names_is_declared_and_no_other() {
    let keys: String = MANIFEST.lines().filter(|row| row.starts_with("cancel = ") || row.starts_with("clear_line = ")).collect();
    let named: BTreeSet<String> = [include_str!("pager.rs"), include_str!("prepare.rs"), &keys].into_iter().flat_map(named_in).collect();
    assert_eq!(named, declared().map(str::to_owned).collect());
}

#[test]
fn nothing_but_the_pager_and_the_preparation_names_a_send() {
    let glue = include_str!("lib.rs");
    assert!(
        glue.contains("{\n        prepare::next(&at, &view).map(str::to_owned).into_iter().collect()\n"),
        "its sends are not looked at"
    );
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        let names = source.contains(concat!("Page", " {")) || source.contains(concat!("Step::", "Send"));
        assert_eq!(names, path.ends_with("pager.rs"), "{}", path.display());
    }
}
