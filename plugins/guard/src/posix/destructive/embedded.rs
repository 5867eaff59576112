//! Commands inside programs of another language: `python -c`, `perl -e`, `awk`.

use super::super::super::other::sql;
use super::{Finder, danger as named, read, shown};
use crate::verdict::{Danger, listed};

/// Words by which languages start a program.
const STARTS: &str = "system exec popen spawn subprocess check_output check_call Popen os. Process Runtime qx shell_exec passthru proc_open ` \
    run( sh(";
/// Functions that remove a whole tree.
const REMOVES: &str = "rmtree remove_tree rm_rf rm_r rimraf rmSync rmdirSync remove_dir_all RemoveAll";
/// How many words behind the name of a program are looked at.
const WORDS_MAX: usize = 16;

impl Finder {
    /// A program text of any language.
    pub(super) fn embedded(&mut self, line: &[String], text: &str) -> Option<Danger> {
        let words: Vec<String> = text
            .split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '`'))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        if !self.spend(text.len() + words.len() * WORDS_MAX) {
            return Some(super::tangled());
        }
        let starts = STARTS.split(' ').any(|start| text.contains(start));
        for place in 0..words.len() {
            let behind = words.get(place..words.len().min(place + WORDS_MAX)).unwrap_or_default();
            let Some((name, rest)) = behind.split_first() else { continue };
            let function = name.rsplit('.').next().unwrap_or(name);
            let command = if listed(REMOVES, function) {
                let target = rest.first().cloned().unwrap_or_default();
                vec!["rm".to_owned(), "-r".to_owned(), target]
            } else if starts {
                behind.to_vec()
            } else {
                continue;
            };
            let found = self.destroys(&command);
            if let Some(found) = found {
                let rule = found.rule;
                return Some(named(rule, line, &format!("runs {}", shown(&command.join(" ")))));
            }
        }
        None
    }

    /// The rules that need no more than the words.
    fn destroys(&mut self, command: &[String]) -> Option<Danger> {
        let program = super::base_name(command.first()?);
        if read::is_read(command) || matches!(program, "init" | "stop" | "halt" | "service" | "find" | "route") {
            return None;
        }
        self.removal(program, command)
            .filter(|danger| danger.rule != "posix.unknown-target")
            .or_else(|| super::hazards::danger(program, command))
            .or_else(|| if program == "dd" { self.change(program, command) } else { None })
    }

    /// A program for a database.
    pub(super) fn database(&mut self, line: &[String], text: &str) -> Option<Danger> {
        sql(text).map(|what| named("posix.wipe", line, &format!("runs {}", shown(what))))
    }
}
