//! Does a row read like a prompt? A name and a sign do, a sentence does not.

/// The characters that prompts end with.
const SIGNS: [char; 10] = ['$', '#', '>', '%', ']', ':', '❯', '➜', 'λ', '»'];
/// Names of devices have words in them, sentences have more.
const WORDS_MAX: usize = 3;

/// Does this row read like a prompt?
pub(crate) fn reads_like_prompt(row: &str) -> bool {
    let body = row.trim_end_matches(' ');
    let Some(sign) = body.chars().next_back().filter(|last| SIGNS.contains(last) || *last == '⟩') else { return false };
    let name = body.strip_suffix(sign).unwrap_or_default().trim_end_matches(' ');
    if row.starts_with(' ') {
        return false;
    }
    if name.is_empty() || body == ">>>" {
        // A sign alone is a prompt with its space only: `#` may begin a comment, `$` end a price.
        return !matches!(sign, ']' | ':') && row.len() > body.len();
    }
    let names_something = name.contains(|c: char| c.is_alphanumeric() || matches!(c, '~' | '/'));
    match sign {
        ']' | ':' => names_something && !name.contains(' '),
        _ => names_something && reads_like_name(name),
    }
}

/// A few words outside brackets, none of them punctuation.
fn reads_like_name(name: &str) -> bool {
    let mail = !name.starts_with('[') && name.split(' ').skip(1).any(|word| word.starts_with('<'));
    let wide = name.split(' ').any(str::is_empty);
    let words = words_outside_brackets(name);
    !mail && !wide && words.len() <= WORDS_MAX && words.iter().all(|word| is_name_word(word))
}

fn words_outside_brackets(name: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let mut words = Vec::new();
    for word in name.split(' ') {
        if depth == 0 && !word.starts_with('(') && !word.starts_with('[') {
            words.push(word);
        }
        let opened = word.matches(['(', '[']).count();
        let closed = word.matches([')', ']']).count();
        depth = (depth + i32::try_from(opened).unwrap_or(0) - i32::try_from(closed).unwrap_or(0)).max(0);
    }
    words
}

fn is_name_word(word: &str) -> bool {
    let punctuated = word.ends_with([':', ',', ';', '?', '.']) && !word.ends_with("]:");
    let says_something = word.contains(char::is_alphanumeric) || matches!(word, "*" | "~" | "/" | "✗" | "✔");
    says_something && !punctuated
}

/// The device's part of a prompt: the first name in it, behind the user's.
pub(crate) fn device_name(row: &str) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@');
    let name = row.split(|c| !is_part(c)).find(|part| part.contains(char::is_alphanumeric)).unwrap_or_default();
    name.rsplit('@').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::PROMPTS;

    #[test]
    fn prompts_of_every_known_platform_read_like_one() {
        for row in PROMPTS {
            assert!(reads_like_prompt(row), "{row:?}");
        }
    }

    #[test]
    fn sentences_tables_and_rulers_do_not() {
        for row in [
            "",
            " ",
            "  <cr>",
            "------>",
            "==> ",
            "=> ",
            "################",
            "## ",
            " # ",
            "a > b > ",
            "WORD  the name> ",
            "foo bar: baz> ",
            "| -> Nested loop> ",
            "(y/n)",
            "# # #",
            "interface description uplink to core # ",
            "-- > ",
            "$",
            "#",
            "$$ ",
            "Total cost: 15$ ",
            "see user@example.net for US$ ",
            "Device      Boot Start #",
            "From: alice@web1 <alice@example.net>",
            "contact admin <a@b.c>",
            "cp: alice@web1 -> /tmp> ",
            "snmp-server contact NOC <noc@example.net>",
            "! Command: show running-config #",
            "alice@web1 ~> ls",
            " *>  10.20.0.0/16     192.0.2.1                0             0 65001 i",
            "[  OK  ]",
            "done.",
            "] ",
            ": ",
            "Enter a number: ",
        ] {
            assert!(!reads_like_prompt(row), "{row:?}");
        }
    }

    #[test]
    fn the_device_s_name_is_found_in_every_form() {
        for (row, name) in [
            ("alice@web1:~$ ", "web1"),
            ("[root@web1 log]# ", "web1"),
            ("R1(config-if)#", "R1"),
            ("<HUAWEI>", "HUAWEI"),
            ("[~HUAWEI-diagnose]", "HUAWEI-diagnose"),
            ("*A:router>config# ", "A"),
            ("$ ", ""),
        ] {
            assert_eq!(device_name(row), name, "{row:?}");
        }
    }
}
