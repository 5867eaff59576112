//! What holds for any typing, however it is cut.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What people and attackers type: text, keys, pieces of keys.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[ -~]{1,12}".prop_map(String::into_bytes),
        2 => prop::sample::select(KEY_NAMES.to_vec()).prop_map(|name| bytes(name, false, "\r").unwrap_or_default()),
        2 => prop::sample::select(vec!["\r", "\n", "\r\n", "\x7f", "\x08", "\x15", "\x03", "\x1b[200~", "\x1b[201~", "é", "☃", "😀"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..6),
    ]
}

fn typing() -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

/// A line editor that knows printable keys, the two keys that erase one, and Enter.
fn edited(keys: &[u8]) -> Vec<String> {
    let mut lines = vec![String::new()];
    for key in keys {
        let line = lines.last_mut().unwrap();
        match key {
            b'\r' => lines.push(String::new()),
            0x08 | 0x7f => drop(line.pop()),
            _ => line.push(char::from(*key)),
        }
    }
    lines.pop();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_does_not_matter_how_typing_is_cut(bytes in typing(), cuts in vec(any::<prop::sample::Index>(), 0..8)) {
        let mut whole = LineAssembler::default();
        let lines = whole.on_typed(&bytes);
        let mut cut = LineAssembler::default();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
        places.sort_unstable();
        let cut_lines: Vec<Assembled> = places.windows(2).flat_map(|pair| cut.on_typed(&bytes[pair[0]..pair[1]])).collect();
        prop_assert_eq!(lines, cut_lines);
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn what_a_line_editor_would_hold_is_told(
        keys in vec(prop_oneof![6 => b' '..=b'~', 1 => Just(0x7f), 1 => Just(0x08), 1 => Just(b'\r')], 0..200),
    ) {
        let mut typed = LineAssembler::default();
        let lines = typed.on_typed(&keys);
        prop_assert!(lines.iter().all(|line| !line.unknown));
        prop_assert_eq!(lines.into_iter().map(|line| line.text).collect::<Vec<_>>(), edited(&keys));
    }

    /// Whatever is typed, a key of which only the device knows what it does is not forgotten before the line ends.
    #[test]
    fn a_key_that_nobody_knows_stays_one(before in "[ -~]{0,20}", key in 0_u8..0x20, behind in "[ -~\x7f]{0,20}") {
        prop_assume!(![0x03, 0x08, b'\n', b'\r', 0x15].contains(&key));
        // At an empty line it only ends what reads it.
        prop_assume!(key != 0x04 || !before.is_empty());
        let mut typed = LineAssembler::default();
        typed.on_typed(before.as_bytes());
        typed.on_typed(&[key]);
        typed.on_typed(behind.as_bytes());
        let is_bracket = key == 0x1b && (behind.starts_with("[200~") || behind.starts_with("[201~"));
        prop_assert!(is_bracket || typed.on_typed(b"\r").iter().all(|line| line.unknown));
    }
}
