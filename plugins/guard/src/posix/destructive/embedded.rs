//! Commands inside programs of another language: `python -c`, `perl -e`, `awk`.

use core::mem;
use jackfield_plugin::text::Search;

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

/// Is there a word by which some language starts a program?
fn has_start(text: &str) -> bool {
    STARTS.split(' ').any(|start| text.holds(start))
}

impl Finder {
    /// A program text of any language.
    pub(super) fn embedded(&mut self, line: &[String], text: &str) -> Option<Danger> {
        let starts = has_start(text);
        self.embedded_in(line, text, starts)
    }

    /// A line of which nobody knows what reads it: perhaps no program's text. Without a sign of a call only the word that begins a
    /// statement starts something: `show system reboot` starts nothing.
    pub(super) fn perhaps_embedded(&mut self, line: &[String], text: &str) -> Option<Danger> {
        let begins = |statement: &str| STARTS.split(' ').any(|start| statement.trim_start().starts_with(start));
        let starts = has_start(text) && (text.has_any("'\"`([{&") || text.split([';', '|', '\n', '\r']).any(begins));
        self.embedded_in(line, text, starts)
    }

    fn embedded_in(&mut self, line: &[String], text: &str, starts: bool) -> Option<Danger> {
        let words: Vec<String> = text
            .split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '`'))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        if !self.spend(text.len() + words.len() * WORDS_MAX) {
            return self.ends_at(Some(super::tangled()));
        }
        for place in 0..words.len() {
            let behind = words.get(place..words.len().min(place + WORDS_MAX)).unwrap_or_default();
            let Some((name, rest)) = behind.split_first() else { continue };
            let function = name.rsplit('.').next().unwrap_or(name);
            let removal = listed(REMOVES, function).then(|| ["rm", "-r", rest.first().map_or("", String::as_str)].map(str::to_owned));
            let command = match &removal {
                Some(removal) => removal,
                None if starts => behind,
                None => continue,
            };
            let found = self.destroys(command).map(|found| named(found.rule, line, &format!("runs {}", shown(&command.join(" ")))));
            if let Some(danger) = self.ends_at(found) {
                return Some(danger);
            }
        }
        None
    }

    /// The rules that need no more than the words.
    fn destroys(&mut self, command: &[String]) -> Option<Danger> {
        let program = super::base_name(command.first()?);
        if matches!(program, "init" | "stop" | "halt" | "service" | "find" | "route") {
            return None;
        }
        let told = self.told.take();
        let found = self.removal(program, command);
        // In any case it is as it was before.
        let lighter = mem::replace(&mut self.told, told);
        found
            .or(lighter)
            // Of a text that may be no command at all.
            .and_then(|danger| danger.counted(|danger| danger.rule != "posix.unknown-target"))
            .or_else(|| super::hazards::danger(program, command))
            .or_else(|| if program == "dd" { self.change(program, command) } else { None })
            .filter(|_| !read::is_read(command))
    }

    /// A program for a database.
    pub(super) fn database(&mut self, line: &[String], text: &str) -> Option<Danger> {
        sql(text).map(|what| named("posix.wipe", line, &format!("runs {}", shown(&what))))
    }
}
