//! The paths that a pattern of `Include` stands for.

use std::fs;
use std::path::{Path, PathBuf};

/// The paths that exist, sorted by their bytes. A name with a dot before it wants a dot in the pattern.
pub(super) fn paths(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "" })];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let letters: Vec<char> = part.chars().collect();
        if part.contains(['*', '?', '[']) {
            found = found.iter().flat_map(|folder| inside(folder, &letters)).collect();
        } else {
            let name = unescaped(&letters);
            found.iter_mut().for_each(|folder| folder.push(&name));
        }
    }
    found.retain(|path| fs::symlink_metadata(path).is_ok());
    found.sort_by(|one, other| one.as_os_str().as_encoded_bytes().cmp(other.as_os_str().as_encoded_bytes()));
    found
}

fn inside(folder: &Path, pattern: &[char]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name());
    let fitting = names.filter(|name| {
        let letters: Vec<char> = name.to_string_lossy().chars().collect();
        (letters.first() != Some(&'.') || pattern.first() == Some(&'.')) && fits(&letters, pattern)
    });
    fitting.map(|name| folder.join(name)).collect()
}

fn unescaped(letters: &[char]) -> String {
    let mut letters = letters.iter();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        text.push(if *letter == '\\' { *letters.next().unwrap_or(letter) } else { *letter });
    }
    text
}

/// Only the last star is tried again.
fn fits(text: &[char], pattern: &[char]) -> bool {
    let (mut at, mut in_pattern) = (0, 0);
    let mut star = None;
    while let Some(letter) = text.get(at) {
        if pattern.get(in_pattern) == Some(&'*') {
            in_pattern += 1;
            star = Some((at, in_pattern));
            continue;
        }
        match one(*letter, pattern.get(in_pattern..).unwrap_or_default()) {
            Some(taken) => {
                at += 1;
                in_pattern += taken;
            }
            None => {
                let Some((from, after)) = star else { return false };
                at = from + 1;
                in_pattern = after;
                star = Some((at, after));
            }
        }
    }
    pattern.iter().skip(in_pattern).all(|letter| *letter == '*')
}

/// How much of the pattern stands for this one letter.
fn one(letter: char, pattern: &[char]) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == letter).then_some(2),
        ['[', set @ ..] => match in_set(letter, set) {
            // A bracket without its other half stands for itself.
            None => (letter == '[').then_some(1),
            Some((fits, taken)) => fits.then_some(taken + 1),
        },
        [same, ..] => (*same == letter).then_some(1),
        [] => None,
    }
}

/// Does the set behind a bracket hold the letter, and how long is it? Nothing when it has no end.
fn in_set(letter: char, set: &[char]) -> Option<(bool, usize)> {
    let negated = matches!(set.first(), Some('!' | '^'));
    let start = usize::from(negated);
    let mut at = start;
    let mut found = false;
    loop {
        match set.get(at..)? {
            [']', ..] if at > start => return Some((found != negated, at + 1)),
            [low, '-', high, ..] if *high != ']' => {
                found |= (low..=high).contains(&&letter);
                at += 3;
            }
            ['\\', same, ..] => {
                found |= *same == letter;
                at += 2;
            }
            [same, ..] => {
                found |= *same == letter;
                at += 1;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_files_in_the_order_of_their_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        for name in ["b.conf", "a.conf", "B.conf", ".c.conf", "d/1.conf", "e/1.conf", "a[1]", "x y"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        for (pattern, expected) in [
            ("*.conf", "B.conf a.conf b.conf"),
            (".*.conf", ".c.conf"),
            ("[ab].conf", "a.conf b.conf"),
            ("[!a].conf", "B.conf b.conf"),
            ("[A-C].conf", "B.conf"),
            ("?.conf", "B.conf a.conf b.conf"),
            ("*/1.conf", "d/1.conf e/1.conf"),
            ("a.conf", "a.conf"),
            ("absent", ""),
            ("a[[]1]", "a[1]"),
            (r"a\[1\]*", "a[1]"),
            (r"x\ y", "x y"),
            ("a[", ""),
            ("none*/x", ""),
        ] {
            let found = paths(&format!("{root}/{pattern}"));
            let found: Vec<_> = found.iter().map(|path| path.strip_prefix(root).unwrap().to_str().unwrap()).collect();
            assert_eq!(found.join(" "), expected, "{pattern}");
        }
    }
}
