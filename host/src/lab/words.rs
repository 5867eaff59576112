//! A typed line into a command: words, unique beginnings, menus, placeholders.

use std::collections::BTreeMap;

use super::spec::Syntax;

/// Optional words that one pattern may have; each one doubles the number of its forms.
const OPTIONAL_WORDS_MAX: usize = 4;

/// The commands of one mode.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    root: Node,
}

#[derive(Debug, Clone, Default)]
struct Node {
    words: BTreeMap<String, Self>,
    /// Placeholders: the text before it and its name, and what follows.
    holes: BTreeMap<(String, String), Self>,
    /// A placeholder for the rest of the line, and its command.
    rest: Option<(String, usize)>,
    command: Option<usize>,
    menu: bool,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolved {
    /// Nothing to do.
    Empty,
    /// A command, by its number, with the values of its placeholders.
    Command(usize, BTreeMap<String, String>),
    /// A menu to go to.
    Menu(Vec<String>),
    /// No command.
    Wrong(Wrong),
}

/// Why a line is no command, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Why.
    pub(super) why: Why,
    /// The word.
    pub(super) word: String,
    /// Column of the word, from 0.
    pub(super) column: usize,
    /// Column of its first wrong character, from 0.
    pub(super) caret: usize,
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The first word is not known.
    Unknown,
    /// A later word is not known.
    Invalid,
    /// The command is complete, but more follows.
    Extra,
    /// Several words begin so.
    Ambiguous,
    /// Words are missing.
    Incomplete,
}

/// A word of the line and where it begins, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    column: usize,
    byte: usize,
}

impl Tree {
    /// Adds a pattern; the error says what is wrong with it.
    pub(super) fn insert(&mut self, pattern: &str, command: usize, syntax: &Syntax) -> Result<(), String> {
        let mut words = words(pattern);
        let menus = split_first(&mut words, syntax).saturating_sub(1);
        let optional = words.iter().filter(|word| is_optional(&word.text)).count();
        if words.is_empty() || optional > OPTIONAL_WORDS_MAX {
            return Err(format!("pattern `{pattern}` has no word, or more than {OPTIONAL_WORDS_MAX} optional ones"));
        }
        for form in 0..(1_usize << optional) {
            let mut bit = 0;
            let chosen = words.iter().filter_map(|word| {
                if !is_optional(&word.text) {
                    return Some(word.text.as_str());
                }
                bit += 1;
                (form >> (bit - 1) & 1 == 1).then(|| word.text.trim_matches(['[', ']']))
            });
            self.root.insert(&chosen.collect::<Vec<_>>(), menus, command)?;
        }
        Ok(())
    }

    /// What the line is, seen from a menu.
    pub(super) fn resolve(&self, line: &str, menu: &[String], syntax: &Syntax) -> Resolved {
        if syntax.comment.as_ref().is_some_and(|comment| line.trim_start().starts_with(comment.as_str())) {
            return Resolved::Empty;
        }
        let mut typed = words(line);
        if typed.is_empty() {
            return Resolved::Empty;
        }
        let absolute = split_first(&mut typed, syntax) > 0 && syntax.menu.is_some_and(|menu| line.trim_start().starts_with(menu));
        let mut path = if absolute { Vec::new() } else { menu.to_vec() };
        let ups = typed.iter().take_while(|word| syntax.menu.is_some() && word.text == "..").count();
        path.truncate(path.len().saturating_sub(ups));
        let Some(node) = self.root.descend(&path) else { return Resolved::Empty };
        node.walk(line, typed.get(ups..).unwrap_or_default(), path, syntax)
    }

    /// The words that may stand where the line ends, for help and completion; the second value is the unfinished word.
    pub(super) fn next_words(&self, line: &str, menu: &[String], syntax: &Syntax) -> (Vec<String>, String) {
        let mut typed = words(line);
        let absolute = split_first(&mut typed, syntax) > 0 && syntax.menu.is_some_and(|menu| line.trim_start().starts_with(menu));
        let open = !line.is_empty() && !line.ends_with(' ') && !syntax.menu.is_some_and(|menu| line.ends_with(menu));
        let partial = if open { typed.pop().map(|word| word.text).unwrap_or_default() } else { String::new() };
        let start = if absolute { Some(&self.root) } else { self.root.descend(menu) };
        let node = start.and_then(|node| {
            typed.iter().try_fold(node, |node, word| match node.step(&word.text, syntax) {
                Way::Into(next, ..) => Some(next),
                _ => None,
            })
        });
        (node.map(|node| node.names(&partial, syntax)).unwrap_or_default(), partial)
    }
}

/// Where a word leads.
enum Way<'a> {
    Into(&'a Node, String, Option<(String, String)>),
    Ambiguous,
    /// How many characters of it were right.
    Unknown(usize),
}

impl Node {
    fn insert(&mut self, words: &[&str], menus: usize, command: usize) -> Result<(), String> {
        let Some((first, rest)) = words.split_first() else {
            self.command.get_or_insert(command);
            return Ok(());
        };
        if let Some((before, name)) = hole(first) {
            if let Some(name) = name.strip_suffix("...") {
                self.rest.get_or_insert_with(|| (name.to_owned(), command));
                return if rest.is_empty() { Ok(()) } else { Err(format!("`<{name}...>` must be the last word")) };
            }
            let node = self.holes.entry((before.to_owned(), name.to_owned())).or_default();
            return node.insert(rest, menus.saturating_sub(1), command);
        }
        let node = self.words.entry((*first).to_owned()).or_default();
        node.menu |= menus > 0;
        node.insert(rest, menus.saturating_sub(1), command)
    }

    fn descend(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.words.get(name))
    }

    fn step(&self, typed: &str, syntax: &Syntax) -> Way<'_> {
        let same = |name: &str| name == typed || (syntax.ignore_case && name.eq_ignore_ascii_case(typed));
        if let Some((name, node)) = self.words.iter().find(|(name, _)| same(name)) {
            return Way::Into(node, name.clone(), None);
        }
        for ((before, name), node) in self.holes.iter().filter(|((before, _), _)| !before.is_empty()) {
            if let Some(value) = typed.strip_prefix(before.as_str()) {
                return Way::Into(node, String::new(), Some((name.clone(), unquoted(value))));
            }
        }
        let mut begun = self.words.iter().filter(|(name, _)| syntax.abbreviate && begins(name, typed, syntax));
        match (begun.next(), begun.next()) {
            (Some((name, node)), None) => return Way::Into(node, name.clone(), None),
            (Some(_), Some(_)) => return Way::Ambiguous,
            _ => {}
        }
        if let Some(((_, name), node)) = self.holes.iter().find(|((before, _), _)| before.is_empty()) {
            return Way::Into(node, String::new(), Some((name.clone(), unquoted(typed))));
        }
        let right = self.words.keys().map(|name| common(name, typed, syntax)).max().unwrap_or(0);
        Way::Unknown(if syntax.abbreviate { right } else { 0 })
    }

    fn walk(&self, line: &str, typed: &[Word], mut path: Vec<String>, syntax: &Syntax) -> Resolved {
        let mut node = self;
        let mut values = BTreeMap::new();
        for (index, word) in typed.iter().enumerate() {
            let wrong =
                |why, right| Resolved::Wrong(Wrong { why, word: word.text.clone(), column: word.column, caret: word.column + right });
            match node.step(&word.text, syntax) {
                Way::Into(next, name, value) => {
                    node = next;
                    path.extend(Some(name).filter(|name| !name.is_empty()));
                    values.extend(value);
                }
                Way::Ambiguous => return wrong(Why::Ambiguous, 0),
                Way::Unknown(right) => {
                    if let Some((name, command)) = &node.rest {
                        let rest = line.get(word.byte..).unwrap_or_default().trim_end();
                        values.insert(name.clone(), unquoted(rest));
                        return Resolved::Command(*command, values);
                    }
                    let why = match index {
                        0 => Why::Unknown,
                        _ if node.menu => Why::Unknown,
                        _ if node.command.is_some() => Why::Extra,
                        _ => Why::Invalid,
                    };
                    return wrong(why, right);
                }
            }
        }
        if let Some(command) = node.command {
            return Resolved::Command(command, values);
        }
        if node.menu || typed.is_empty() {
            return Resolved::Menu(path);
        }
        let end = line.trim_end().chars().count();
        Resolved::Wrong(Wrong { why: Why::Incomplete, word: String::new(), column: end, caret: end })
    }

    fn names(&self, partial: &str, syntax: &Syntax) -> Vec<String> {
        let mut names: Vec<_> = self.words.keys().filter(|name| begins(name, partial, syntax)).cloned().collect();
        if partial.is_empty() {
            names.extend(self.holes.keys().map(|(before, name)| format!("{before}<{name}>")));
            names.extend(self.rest.iter().map(|(name, _)| format!("<{name}>")));
            names.extend(self.command.map(|_| "<cr>".to_owned()));
        }
        names
    }
}

/// Words of a line; text in double quotes belongs together.
fn words(line: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let (mut quoted, mut inside) = (false, false);
    for (column, (byte, character)) in line.char_indices().enumerate() {
        if character.is_whitespace() && !quoted {
            inside = false;
            continue;
        }
        if !inside {
            found.push(Word { text: String::new(), column, byte });
            inside = true;
        }
        quoted ^= character == '"';
        if let Some(word) = found.last_mut() {
            word.text.push(character);
        }
    }
    found
}

/// Cuts the first word at the menu separator; returns how many pieces it gave, 0 without menus.
fn split_first(found: &mut Vec<Word>, syntax: &Syntax) -> usize {
    let (Some(separator), false) = (syntax.menu, found.is_empty()) else { return 0 };
    let first = found.remove(0);
    let mut pieces = Vec::new();
    let (mut column, mut byte) = (first.column, first.byte);
    for piece in first.text.split(separator) {
        if !piece.is_empty() {
            pieces.push(Word { text: piece.to_owned(), column, byte });
        }
        column += piece.chars().count() + 1;
        byte += piece.len() + separator.len_utf8();
    }
    let count = pieces.len();
    found.splice(0..0, pieces);
    count.max(1)
}

fn is_optional(word: &str) -> bool {
    word.starts_with('[') && word.ends_with(']')
}

/// `before<name>` as its two parts.
fn hole(word: &str) -> Option<(&str, &str)> {
    word.strip_suffix('>')?.split_once('<')
}

fn unquoted(value: &str) -> String {
    let inside = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    inside.filter(|inside| !inside.contains('"')).unwrap_or(value).to_owned()
}

fn begins(name: &str, typed: &str, syntax: &Syntax) -> bool {
    name.get(..typed.len()).is_some_and(|start| start == typed || (syntax.ignore_case && start.eq_ignore_ascii_case(typed)))
}

/// How many characters at the beginning are the same.
fn common(name: &str, typed: &str, syntax: &Syntax) -> usize {
    let same = |(a, b): &(char, char)| a == b || (syntax.ignore_case && a.eq_ignore_ascii_case(b));
    name.chars().zip(typed.chars()).take_while(same).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAT: [&str; 9] = [
        "show version",
        "show interfaces [status]",
        "show ip route",
        "interface <name>",
        "do <line...>",
        "configure terminal",
        "end",
        "ping <address> count=<count>",
        "enable",
    ];
    const MENUS: [&str; 4] = ["/ip/address/print [detail]", "/system/reboot", "/export", "/ping <address>"];

    fn flat() -> Syntax {
        Syntax { abbreviate: true, ignore_case: true, comment: Some("!".to_owned()), ..Syntax::default() }
    }

    fn menus() -> Syntax {
        Syntax { abbreviate: true, menu: Some('/'), ..Syntax::default() }
    }

    fn tree(patterns: &[&str], syntax: &Syntax) -> Tree {
        let mut tree = Tree::default();
        for (index, pattern) in patterns.iter().enumerate() {
            assert_eq!(tree.insert(pattern, index, syntax), Ok(()));
        }
        tree
    }

    fn told(resolved: Resolved) -> String {
        match resolved {
            Resolved::Empty => "empty".to_owned(),
            Resolved::Command(index, values) => format!("{index} {values:?}"),
            Resolved::Menu(path) => format!("menu {}", path.join("/")),
            Resolved::Wrong(wrong) => format!("{:?} {} {} {}", wrong.why, wrong.word, wrong.column, wrong.caret),
        }
    }

    fn check_flat(line: &str, expected: &str) {
        let syntax = flat();
        assert_eq!(told(tree(&FLAT, &syntax).resolve(line, &[], &syntax)), expected, "{line}");
    }

    fn check_menu(menu: &[&str], line: &str, expected: &str) {
        let syntax = menus();
        let menu: Vec<_> = menu.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(told(tree(&MENUS, &syntax).resolve(line, &menu, &syntax)), expected, "{line}");
    }

    #[test]
    fn words_and_their_unique_beginnings_are_commands() {
        check_flat("show version", "0 {}");
        check_flat("  SH   ver ", "0 {}");
        check_flat("sh int", "1 {}");
        check_flat("sh int st", "1 {}");
        check_flat("int Gi0/1", "3 {\"name\": \"Gi0/1\"}");
        check_flat("do show  ver ", "4 {\"line\": \"show  ver\"}");
        check_flat("ping 10.0.0.1 count=5", "7 {\"address\": \"10.0.0.1\", \"count\": \"5\"}");
    }

    #[test]
    fn wrong_lines_say_why_and_where() {
        check_flat("foo bar", "Unknown foo 0 0");
        check_flat("shwo version", "Unknown shwo 0 2");
        check_flat("show verbose", "Invalid verbose 5 8");
        check_flat("show version now", "Extra now 13 13");
        check_flat("sh i", "Ambiguous i 3 3");
        check_flat("e", "Ambiguous e 0 0");
        check_flat("show ip", "Incomplete  7 7");
        check_flat("! show", "empty");
        check_flat("", "empty");
    }

    #[test]
    fn menus_are_entered_left_and_looked_from() {
        check_menu(&[], "/ip address print", "0 {}");
        check_menu(&[], "/ip/address/print detail", "0 {}");
        check_menu(&[], "/ip/address", "menu ip/address");
        check_menu(&["ip", "address"], "print", "0 {}");
        check_menu(&["ip", "address"], "..", "menu ip");
        check_menu(&["ip", "address"], "/", "menu ");
        check_menu(&["ip", "address"], "/export", "2 {}");
        check_menu(&["ip"], "reboot", "Unknown reboot 0 0");
        check_menu(&[], "/ip foo", "Unknown foo 4 4");
        check_menu(&[], "/foo", "Unknown foo 1 1");
        check_menu(&[], "/export now", "Extra now 8 8");
        check_menu(&[], "/ping", "Incomplete  5 5");
    }

    #[test]
    fn quotes_keep_a_value_together() {
        let syntax = menus();
        let tree = tree(&["/system/identity/set name=<name>"], &syntax);
        let resolved = tree.resolve("/system identity set name=\"Test, Router (main).lab\"", &[], &syntax);
        assert_eq!(told(resolved), "0 {\"name\": \"Test, Router (main).lab\"}");
    }

    #[test]
    fn help_names_what_may_follow() {
        let syntax = flat();
        let tree = tree(&FLAT, &syntax);
        let next = |line| tree.next_words(line, &[], &syntax);
        assert_eq!(next("show "), (vec!["interfaces".to_owned(), "ip".to_owned(), "version".to_owned()], String::new()));
        assert_eq!(next("sh v"), (vec!["version".to_owned()], "v".to_owned()));
        assert_eq!(next("show interfaces "), (vec!["status".to_owned(), "<cr>".to_owned()], String::new()));
        assert_eq!(next("int "), (vec!["<name>".to_owned()], String::new()));
        assert_eq!(next("foo "), (Vec::new(), String::new()));
    }

    #[test]
    fn a_bad_pattern_is_refused() {
        let syntax = flat();
        assert!(Tree::default().insert("", 0, &syntax).is_err());
        assert!(Tree::default().insert("do <line...> more", 0, &syntax).is_err());
    }
}
