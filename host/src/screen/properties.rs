//! What holds for any bytes on a screen, however they are cut.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::terminal::properties::{chunks, stream};

fn shown(chunks: &[&[u8]], size: (u16, u16)) -> (String, String, (u16, u16), bool) {
    let mut screen = Screen::replay(&ByteLog::in_memory(), size);
    for chunk in chunks {
        screen.on_bytes(chunk);
    }
    let (cursor, text) = screen.shown();
    let report = screen.report(None, None);
    (cursor, text, report.cursor, report.alternate)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_screen_is_the_same_however_its_bytes_are_cut(
        bytes in stream(),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
        size in (0_u16..100, 0_u16..40),
    ) {
        let whole = shown(&[&bytes], size);
        prop_assert_eq!(&whole, &shown(&chunks(&bytes, &cuts), size));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&whole, &shown(&single, size));
    }

    #[test]
    fn a_screen_stands_whatever_comes_while_its_size_changes(
        parts in vec((stream(), (0_u16..12, 0_u16..8)), 1..6),
        size in (0_u16..12, 0_u16..8),
    ) {
        let mut screen = Screen::blank(size);
        for (bytes, size) in parts {
            screen.on_bytes(&bytes);
            prop_assert!(!screen.drawn().is_empty());
            screen.set_size(size);
            screen.report(None, None);
            prop_assert_eq!(screen.size(), (size.0.max(1), size.1.max(1)));
        }
    }
}
