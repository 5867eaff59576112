//! Typed bytes into keys: a character or an escape sequence is one key, wherever the bytes were cut.

use std::collections::VecDeque;

use super::limits::KEY_BYTES_MAX;
use crate::terminal::parser::ESC;

/// Takes the next whole key, or nothing while its end is still missing.
pub(super) fn next_key(input: &mut VecDeque<u8>) -> Option<Vec<u8>> {
    let length = key_length(input)?;
    Some(input.drain(..length).collect())
}

/// Whether `key` is one of `list`.
pub(super) fn is_one_of(key: &[u8], list: &[String]) -> bool {
    list.iter().any(|known| known.as_bytes() == key)
}

fn key_length(input: &VecDeque<u8>) -> Option<usize> {
    let first = *input.front()?;
    if first == ESC {
        return escape_length(input);
    }
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let broken = input.iter().take(length).skip(1).any(|byte| byte & 0xc0 != 0x80);
    if broken {
        return Some(1);
    }
    (input.len() >= length).then_some(length)
}

/// ESC [ parameters final, ESC O final, or ESC intermediates final.
fn escape_length(input: &VecDeque<u8>) -> Option<usize> {
    let second = *input.get(1)?;
    if second == b'O' {
        return (input.len() >= 3).then_some(3);
    }
    let (skip, low) = if second == b'[' { (2, 0x40) } else { (1, 0x30) };
    for (index, byte) in input.iter().enumerate().skip(skip) {
        if *byte >= low || *byte < 0x20 || index + 1 >= KEY_BYTES_MAX {
            return Some(index + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &[u8], expected: &[&[u8]]) {
        let mut whole: VecDeque<u8> = typed.iter().copied().collect();
        let keys: Vec<_> = std::iter::from_fn(|| next_key(&mut whole)).collect();
        assert_eq!(keys, expected, "{typed:?}");
        let mut input = VecDeque::new();
        let mut cut = Vec::new();
        for byte in typed {
            input.push_back(*byte);
            cut.extend(std::iter::from_fn(|| next_key(&mut input)));
        }
        assert_eq!(cut, expected, "byte by byte: {typed:?}");
    }

    #[test]
    fn sequences_and_characters_are_one_key_each() {
        check(b"ab\r\n", &[b"a", b"b", b"\r", b"\n"]);
        check(b"\x1b[24;80Rq", &[b"\x1b[24;80R", b"q"]);
        check(b"\x1b/Z\x1bOB\x1b[B", &[b"\x1b/Z", b"\x1bOB", b"\x1b[B"]);
        check("é€".as_bytes(), &["é".as_bytes(), "€".as_bytes()]);
    }

    #[test]
    fn broken_text_is_taken_byte_by_byte() {
        check(b"\xc3a\xff", &[b"\xc3", b"a", b"\xff"]);
    }

    #[test]
    fn an_unfinished_sequence_waits_and_a_endless_one_is_cut() {
        check(b"\x1b[1;", &[]);
        let mut input: VecDeque<u8> = b"\x1b[".iter().copied().chain(std::iter::repeat_n(b'1', 100)).collect();
        assert_eq!(next_key(&mut input).map(|key| key.len()), Some(KEY_BYTES_MAX));
    }
}
