//! What holds for any bytes that a device sends, however they are cut.

use proptest::collection::vec;
use proptest::prelude::*;

use super::parser::{Csi, Parser, Sink};
use super::row::{ROW_MAX_BYTES, Row};
use super::sieve::Sieve;

/// Pieces that terminals stumble over, and any bytes.
pub(crate) fn stream() -> impl Strategy<Value = Vec<u8>> {
    let sequence = prop::sample::select(vec![
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\x1b\\",
        "\x07",
        "\x1b[2J",
        "\x1b[?1049h",
        "\x1b[?1049l",
        "\x1b[99999;99999H",
        "\x1b[65535C",
        "\x1b[65535D",
        "\x1b[K",
        "\x1b[1K",
        "\x1b[5P",
        "\x1b[5X",
        "\x1b[5@",
        "\x1b[65535@",
        "\x1b[1;1r",
        "\x1b[4h",
        "\x1b7",
        "\x1b8",
        "\x1bM",
        "\x1bc",
        "\x1b(0",
        "\x0e",
        "\x0f",
        "\r",
        "\n",
        "\r\n",
        "\t",
        "\x08",
        "\x7f",
        "\x18",
        "\x1a",
        "\x0b",
        "é",
        "☃",
        "😀",
        "e\u{301}",
        "☎\u{fe0f}",
        "\u{fe0f}",
        "\u{200b}",
        "漢字",
        "\x1b]133;D;0\x07",
        "\x1b[6n",
        "\x1bZ",
        "\x1b]11;?\x07",
        "\x05",
        "\u{9b}",
        "\u{9c}",
    ]);
    let piece = prop_oneof![
        3 => "[ -~]{1,40}".prop_map(String::into_bytes),
        5 => sequence.prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..12),
        1 => (vec(0_u32..70_000, 0..20), b'@'..=b'~').prop_map(|(numbers, function)| {
            let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
            format!("\x1b[{}{}", numbers.join(";"), char::from(function)).into_bytes()
        }),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The bytes cut at these places.
pub(crate) fn chunks<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
    places.sort_unstable();
    places.windows(2).filter_map(|pair| bytes.get(pair[0]..pair[1])).collect()
}

/// A row, with all events that are not its own.
#[derive(Default)]
struct Shown {
    row: Row,
    others: Vec<(Vec<u8>, u64)>,
}

impl Sink for Shown {
    fn print(&mut self, bytes: &[u8], _: u64) {
        self.row.print(bytes);
    }
    fn control(&mut self, byte: u8, end: u64) {
        self.others.push((vec![byte], end));
        self.row.control(byte);
    }
    fn csi(&mut self, csi: &Csi<'_>, end: u64) {
        self.others.push((vec![csi.private, csi.intermediate, csi.function], end));
        self.row.csi(csi);
    }
    fn osc(&mut self, body: &[u8], _: u64, end: u64) {
        self.others.push((body.to_vec(), end));
    }
    fn esc(&mut self, intermediate: u8, function: u8, end: u64) {
        self.others.push((vec![intermediate, function], end));
    }
}

fn shown(chunks: &[&[u8]]) -> (String, usize, Vec<(Vec<u8>, u64)>) {
    let (mut parser, mut shown) = (Parser::at(0), Shown::default());
    for chunk in chunks {
        parser.advance(chunk, &mut shown);
        assert!(shown.row.len() <= ROW_MAX_BYTES, "a row of {} cells", shown.row.len());
    }
    (shown.row.text(), shown.row.column(), shown.others)
}

fn sieved(chunks: &[&[u8]]) -> Vec<u8> {
    let (mut sieve, mut out) = (Sieve::new(12), Vec::new());
    sieve.set_repeat_max(80);
    chunks.iter().for_each(|chunk| sieve.add(chunk, &mut out));
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_sieve_passes_the_same_on_however_its_bytes_are_cut(bytes in stream(), cuts in vec(any::<prop::sample::Index>(), 0..12)) {
        let whole = sieved(&[&bytes]);
        prop_assert_eq!(&whole, &sieved(&chunks(&bytes, &cuts)));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&whole, &sieved(&single));
        // Nothing that it takes out leaves something behind that should be, too.
        prop_assert_eq!(&whole, &sieved(&[&whole]));
        let asks = [vec![0, 0, b'c'], vec![b'>', 0, b'c'], vec![0, 0, b'n'], vec![b'?', 0, b'n'], vec![0, b'Z']];
        prop_assert!(!shown(&[&whole]).2.iter().any(|(event, _)| asks.contains(event)), "{:?}", whole);
    }

    #[test]
    fn a_row_is_the_same_however_its_bytes_are_cut(bytes in stream(), cuts in vec(any::<prop::sample::Index>(), 0..12)) {
        let whole = shown(&[&bytes]);
        prop_assert_eq!(&whole, &shown(&chunks(&bytes, &cuts)));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&whole, &shown(&single));
    }
}
