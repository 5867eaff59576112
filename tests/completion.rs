//! Completion in real shells: each loads the script that the program prints, and completes a line that is typed at a terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_jackfield");

/// A home with a configuration of three devices, and the program on the search path.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        crate::support::install_missing(&[("bash", "bash"), ("zsh", "zsh"), ("fish", "fish"), ("groff", "groff")]);
        let home = tempfile::tempdir().unwrap();
        let devices =
            "[device.core-sw1]\nhost = \"192.0.2.1\"\n[device.core-sw2]\nhost = \"192.0.2.2\"\n[device.web1]\nhost = \"192.0.2.3\"\n";
        fs::write(home.path().join("jackfield.toml"), devices).unwrap();
        fs::write(home.path().join("other.toml"), "[device.elsewhere]\nhost = \"192.0.2.4\"\n").unwrap();
        Self(home)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let bin = PathBuf::from(PROGRAM).parent().unwrap().to_owned();
        let search = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path()).env("HOME", self.path()).env("PATH", search).env("TERM", "dumb");
        command.env_remove("JACKFIELD_CONFIG").env("XDG_CONFIG_HOME", self.path()).env("LC_ALL", "C.UTF-8");
        command.output().unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"))
    }

    fn text(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{program}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}

/// Lines, and what is offered for their last words.
const LINES: [(&str, &[&str]); 5] = [
    ("jackfield doc", &["doctor"]),
    ("jackfield doctor core", &["core-sw1", "core-sw2"]),
    ("jackfield history --target core-sw1", &["core-sw1"]),
    ("jackfield --config other.toml doctor e", &["elsewhere"]),
    ("jackfield import --from an", &["ansible"]),
];

#[test]
fn bash_completes() {
    let home = Home::new();
    for (line, expected) in LINES {
        // What readline does: the words of the line, the number of the last, and its function.
        let script = format!(
            "source <(jackfield completion bash); read -ra COMP_WORDS <<< '{line}'; COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_TYPE=9; \
             words=(\"${{COMP_WORDS[@]}}\"); spec=$(complete -p jackfield); fn=${{spec##*-F }}; fn=${{fn%% *}}; \
             \"$fn\" jackfield \"${{words[COMP_CWORD]}}\" \"${{words[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let text = home.text("bash", &["--norc", "-c", &script]);
        let offered: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(offered, expected, "{line}");
    }
}

#[test]
fn fish_completes() {
    let home = Home::new();
    for (line, expected) in LINES {
        let script = format!("jackfield completion fish | source; complete --do-complete '{line}'");
        let text = home.text("fish", &["--no-config", "-c", &script]);
        let offered: Vec<&str> = text.lines().map(|row| row.split('\t').next().unwrap_or_default()).collect();
        assert_eq!(offered, expected, "{line}");
    }
}

/// A zsh at a terminal of its own, which is shown the line and Tab, and then a key that prints what the line has become.
#[test]
fn zsh_completes() {
    let home = Home::new();
    for (line, expected) in [
        ("jackfield doc", "jackfield doctor"),
        ("jackfield doctor w", "jackfield doctor web1"),
        ("jackfield doctor core", "jackfield doctor core-sw"),
        ("jackfield --config other.toml doctor e", "jackfield --config other.toml doctor elsewhere"),
        ("jackfield import --from an", "jackfield import --from ansible"),
    ] {
        let script = format!(
            r#"zmodload zsh/zpty; zpty -b inner zsh -f -i
say() {{ zpty -w inner "$1"; }}
say "PS1='> '; unsetopt beep prompt_cr; autoload -Uz compinit; compinit -u -d $PWD/.dump"
say 'source <(jackfield completion zsh)'
say 'show() {{ print -r -- "<<$BUFFER>>" > '"$PWD"'/shown; BUFFER=""; zle accept-line }}; zle -N show; bindkey "^X" show'
say 'print ready > ready'
for step in {{1..900}}; do [[ -s ready ]] && break; sleep 0.1; zpty -r -t inner out; done
zpty -w -n inner '{line}'$'\t\x18'
for step in {{1..900}}; do [[ -s shown ]] && break; sleep 0.1; zpty -r -t inner out; done
cat shown; zpty -d inner"#
        );
        let _ = fs::remove_file(home.path().join("ready"));
        let _ = fs::remove_file(home.path().join("shown"));
        let text = home.text("zsh", &["-f", "-c", &script]);
        assert_eq!(text.trim().trim_end_matches(">>").trim_end(), format!("<<{expected}"), "{line}");
    }
}

#[test]
fn a_variable_that_was_left_in_the_environment_changes_nothing() {
    let output = Command::new(PROGRAM).arg("--version").env("JACKFIELD_COMPLETE", "bash").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("jackfield "), "{output:?}");
}

#[test]
fn manual_pages_have_no_fault() {
    let home = Home::new();
    home.text("jackfield", &["man", "--out", "man1"]);
    for page in fs::read_dir(home.path().join("man1")).unwrap() {
        let page = page.unwrap().path();
        let output = home.run("groff", &["-man", "-Tutf8", "-ww", "-z", page.to_str().unwrap()]);
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {}", page.display(), String::from_utf8_lossy(&output.stderr));
    }
}
