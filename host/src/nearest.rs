//! The name that somebody probably meant.

/// Longer names are not compared: the work grows with the product of the lengths.
const COMPARED_MAX_CHARS: usize = 64;

/// Fewest letters that are taken for the beginning of a name.
const PREFIX_MIN_CHARS: usize = 3;

/// The choice that is most like `wanted`: one slip in three letters at most, or the only one that begins like it.
///
///
/// Case does not count, and `-` and `_` are the same.
pub fn nearest<'a>(wanted: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = letters(wanted);
    if wanted.is_empty() || wanted.len() > COMPARED_MAX_CHARS {
        return None;
    }
    let limit = (wanted.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    let mut begins_alike = Vec::new();
    for choice in choices {
        let compared = letters(choice);
        if wanted.len() >= PREFIX_MIN_CHARS && compared.starts_with(&wanted) {
            begins_alike.push(choice);
        }
        if compared.len() > COMPARED_MAX_CHARS {
            continue;
        }
        let slips = distance(&wanted, &compared);
        if slips <= limit && best.is_none_or(|(fewest, _)| slips < fewest) {
            best = Some((slips, choice));
        }
    }
    match (best, begins_alike.as_slice()) {
        (Some((_, choice)), _) => Some(choice),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

fn letters(name: &str) -> Vec<char> {
    name.chars().map(|letter| if letter == '_' { '-' } else { letter.to_ascii_lowercase() }).collect()
}

/// Letters to insert, delete, replace or swap with their neighbour to get from one word to the other.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let replaced = cell(&last, column) + usize::from(letter != other);
            let mut fewest = replaced.min(cell(&last, column + 1) + 1).min(cell(&current, column) + 1);
            let swapped = row > 0 && column > 0 && from.get(row - 1) == Some(other) && to.get(column - 1) == Some(letter);
            if swapped {
                fewest = fewest.min(cell(&before_last, column - 1) + 1);
            }
            current.push(fewest);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_slips() {
        for (from, to, expected) in
            [("user", "user", 0), ("usr", "user", 1), ("uesr", "user", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("abc", "", 3)]
        {
            let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
            assert_eq!(distance(&from, &to), expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn the_nearest_name_is_found_or_none() {
        let names = ["core-sw1", "core-sw2", "web1", "bastion", "cisco_ios"];
        for (wanted, expected) in [
            ("web", Some("web1")),
            ("WEB1", Some("web1")),
            ("core_sw2", Some("core-sw2")),
            ("core-sw", Some("core-sw1")),
            ("bas", Some("bastion")),
            ("core", None),
            ("batsion", Some("bastion")),
            ("cisco-ios-xe", Some("cisco_ios")),
            ("printer", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, names), expected, "{wanted}");
        }
    }
}
