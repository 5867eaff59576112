//! Device text made safe to show: what cannot be seen is written out.

use std::borrow::Cow;

/// Characters that change how text reads without being seen: bidirectional controls, zero-width and tag
/// characters, variation selectors are left (they are part of emoji).
fn is_invisible(ch: char) -> bool {
    matches!(ch,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Characters that one takes where it is shown: more than one if it is written out.
#[must_use]
pub fn shown_chars(ch: char) -> usize {
    if must_escape(ch) { write_out(ch).len() } else { 1 }
}

/// Is it ASCII that is shown as it is?
#[must_use]
pub fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_plain_byte(*byte))
}

fn is_plain_byte(byte: u8) -> bool {
    (b' '..0x7f).contains(&byte) || matches!(byte, b'\n' | b'\t')
}

fn write_out(ch: char) -> String {
    let code = u32::from(ch);
    if code < 0x100 { format!("\\x{code:02x}") } else { format!("\\u{{{code:x}}}") }
}

fn must_escape(ch: char) -> bool {
    (ch.is_control() && ch != '\n' && ch != '\t') || is_invisible(ch)
}

/// Bytes that are looked at together.
const BLOCK_BYTES: usize = 16;

/// How many bytes at the beginning are ASCII that is shown as it is, in whole blocks. Nearly all text is, and looking at each character
/// costs a fifth of showing it.
fn plain(text: &str) -> usize {
    let blocks = text.as_bytes().chunks_exact(BLOCK_BYTES);
    BLOCK_BYTES * blocks.take_while(|block| is_plain(block)).count()
}

/// Appends `text` with control characters as `\x1b` and invisible ones as `\u{202e}`.
pub fn escape_into(text: &str, out: &mut String) {
    let (beginning, mut rest) = text.split_at(plain(text));
    out.push_str(beginning);
    while let Some((at, ch)) = rest.char_indices().find(|&(_, ch)| must_escape(ch)) {
        let (plain, after) = rest.split_at(at);
        out.push_str(plain);
        out.push_str(&write_out(ch));
        rest = after.get(ch.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The text with control and invisible characters written out.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape_into(text, &mut out);
    out
}

/// The same in one line: line feeds are written out too.
#[must_use]
pub fn escaped_line(text: &str) -> String {
    let shown = escaped(text);
    if shown.contains('\n') { shown.replace('\n', "\\n") } else { shown }
}

/// The longest end of `text` within `max_bytes`, on a character boundary.
#[must_use]
pub fn last_bytes(text: &str, max_bytes: usize) -> &str {
    let from = text.len().saturating_sub(max_bytes);
    let from = (from..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    text.get(from..).unwrap_or_default()
}

/// Bytes as text, with U+FFFD for what is none.
#[must_use]
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly all of it is text, and to find that out costs a tenth of looking for what is not.
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The longest beginning of `text` within `max_bytes`, on a character boundary.
#[must_use]
pub fn first_bytes(text: &str, max_bytes: usize) -> &str {
    let to = (0..=max_bytes.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.get(..to).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(escaped("a\x01b\u{202e}c\u{e0041}\td\n"), "a\\x01b\\u{202e}c\\u{e0041}\td\n");
        assert_eq!(escaped("grün → ok"), "grün → ok");
        for at in 0..40 {
            let (before, after) = ("-".repeat(at), "-".repeat(40 - at));
            for (odd, shown) in [("\x1b", "\\x1b"), ("\x7f", "\\x7f"), ("\u{202e}", "\\u{202e}"), ("ü", "ü"), ("\n", "\n")] {
                assert_eq!(escaped(&format!("{before}{odd}{after}")), format!("{before}{shown}{after}"));
            }
        }
    }

    #[test]
    fn cuts_keep_characters_whole() {
        assert_eq!(last_bytes("aäb", 2), "b");
        assert_eq!(last_bytes("aäb", 3), "äb");
        assert_eq!(first_bytes("aäb", 2), "a");
        assert_eq!(first_bytes("aäb", 9), "aäb");
    }
}
