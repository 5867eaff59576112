//! What must hold for the lines of the manifest, whoever edits them.

const LINES: [&str; 8] = ["probe", "bash", "zsh", "fish", "sh", "mksh", "ksh93", "tcsh"];

/// The text of a send as the host types it.
fn typed(name: &str) -> String {
    let manifest = include_str!("../plugin.toml");
    let after = manifest.split_once(&format!("\n{name} = \"\"\"")).unwrap().1;
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
    for (name, most) in
        [("probe", 511), ("sh", 511), ("mksh", 4_095), ("ksh93", 1_014), ("tcsh", 1_023), ("bash", 3_500), ("zsh", 3_500), ("fish", 3_500)]
    {
        let length = typed(name).len();
        assert!(length <= most, "{name} has {length} bytes, at most {most} fit");
    }
}

#[test]
fn lines_are_one_line_and_begin_with_a_space() {
    for name in LINES {
        let text = typed(name);
        // The space keeps the line out of the history of bash, zsh and fish, where they are told to look at it.
        assert!(text.starts_with(' '), "{name}");
        assert_eq!(text.matches('\r').count(), 1, "{name}");
        assert!(text.ends_with('\r'), "{name}");
    }
}

#[test]
fn the_echo_of_a_line_is_no_mark() {
    for name in LINES {
        let text = typed(name);
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{1}']), "{name} holds a control byte");
        // History expansion would rewrite the line.
        assert!(!text.contains('!') || name == "fish", "{name}");
    }
}

#[test]
fn every_send_that_the_code_names_is_declared() {
    let manifest: Vec<&str> = include_str!("../plugin.toml").lines().collect();
    for name in ["page", "return", "quit", "next_file", "interrupt", "quit_signal", "kill_line"].iter().chain(LINES.iter()) {
        if !manifest.iter().any(|row| row.starts_with(&format!("{name} = "))) {
            panic!("`{name}` is not declared");
        }
    }
}
