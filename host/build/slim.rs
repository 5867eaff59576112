//! A component without the names of its parts. The linker always writes them, in a section of their own; nothing reads them, and they are
//! a fortieth of a plugin.

#![expect(clippy::indexing_slicing, reason = "a build script fails by panic")]

/// What every component begins with: the magic number and the version.
const HEADER_BYTES: usize = 8;
/// The kind of section that holds whatever its name says.
const CUSTOM: u8 = 0;
const NAMES: &[u8] = b"component-name";

/// The component as it is kept.
pub(crate) fn slim(component: &[u8]) -> Vec<u8> {
    let (header, mut rest) = component.split_at(HEADER_BYTES);
    let mut kept = header.to_vec();
    while let Some((kind, behind)) = rest.split_first() {
        let (size, behind) = number(behind);
        let (content, next) = behind.split_at(size);
        if *kind != CUSTOM || name(content) != NAMES {
            kept.extend_from_slice(&rest[..rest.len() - next.len()]);
        }
        rest = next;
    }
    kept
}

fn name(content: &[u8]) -> &[u8] {
    let (size, behind) = number(content);
    &behind[..size]
}

/// A number in groups of seven bits, the lowest first, and what stands behind it.
fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let length = bytes.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let (digits, behind) = bytes.split_at(length);
    (digits.iter().rev().fold(0, |number, digit| number << 7 | usize::from(digit & 0x7f)), behind)
}
