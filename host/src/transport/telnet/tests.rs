//! What is agreed, what is data, and that the place of a cut makes no difference.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

fn end() -> Telnet {
    Telnet::new("vt100", (80, 255))
}

fn heard(data: &[u8], answers: &[u8]) -> Heard {
    Heard { data: data.to_vec(), answers: answers.to_vec() }
}

#[test]
fn what_a_server_asks_first_is_agreed_once() {
    let mut end = end();
    let hello = [IAC, DO, ECHO, IAC, DO, WINDOW_SIZE, IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, DO, TERMINAL_TYPE];
    let mut answers = vec![IAC, WONT, ECHO, IAC, WILL, WINDOW_SIZE];
    // The rows are 255, which is doubled.
    answers.extend([IAC, SB, WINDOW_SIZE, 0, 80, 0, IAC, IAC, IAC, SE]);
    answers.extend([IAC, DO, ECHO, IAC, DO, SUPPRESS_GO_AHEAD, IAC, WILL, TERMINAL_TYPE]);
    assert_eq!(end.take(&hello), heard(b"", &answers));
    // Said again, only what is refused is answered.
    assert_eq!(end.take(&hello), heard(b"", &[IAC, WONT, ECHO]));
    let asked = [IAC, SB, TERMINAL_TYPE, SEND, IAC, SE];
    let told = [&[IAC, SB, TERMINAL_TYPE, IS], b"vt100".as_slice(), &[IAC, SE]].concat();
    assert_eq!(end.take(&asked), heard(b"", &told));
    assert_eq!(end.take(&[IAC, WONT, ECHO, IAC, WONT, ECHO]), heard(b"", &[IAC, DONT, ECHO]));
}

#[test]
fn options_that_nobody_knows_are_refused_and_taken_back_in_silence() {
    let mut end = end();
    assert_eq!(end.take(&[IAC, DO, 39, IAC, WILL, 70, IAC, DO, 255]), heard(b"", &[IAC, WONT, 39, IAC, DONT, 70, IAC, WONT, 255]));
    assert_eq!(end.take(&[IAC, DONT, 39, IAC, WONT, 70]), heard(b"", b""));
    // Its type is told only once that was agreed.
    assert_eq!(end.take(&[IAC, SB, TERMINAL_TYPE, SEND, IAC, SE]), heard(b"", b""));
}

#[test]
fn data_is_what_is_left() {
    let mut end = end();
    assert_eq!(end.take(b"a\r\nb\r\0c\0"), heard(b"a\r\nb\rc\0", b""));
    assert_eq!(end.take(&[b'x', IAC, IAC, IAC, 241, IAC, 249, b'y']), heard(&[b'x', IAC, b'y'], b""));
    assert_eq!(end.take(&[b'\r', IAC, 241, b'z']), heard(b"\rz", b""));
    assert_eq!(end.take(&[IAC, WILL, BINARY, b'\r', 0]), heard(b"\r\0", &[IAC, DO, BINARY]));
}

#[test]
fn an_aside_is_bounded_and_may_lack_its_end() {
    let mut end = end();
    let long = [&[IAC, SB, TERMINAL_TYPE, SEND], [0; 4 * TELNET_ASIDE_MAX_BYTES].as_slice(), &[IAC, SE, b'x']].concat();
    assert_eq!(end.take(&long), heard(b"x", b""));
    assert!(end.aside.len() <= TELNET_ASIDE_MAX_BYTES);
    assert_eq!(end.take(&[IAC, SB, TERMINAL_TYPE, IAC, DO, SUPPRESS_GO_AHEAD, b'x']), heard(b"x", &[IAC, WILL, SUPPRESS_GO_AHEAD]));
}

#[test]
fn who_asks_for_ever_is_not_answered_for_ever() {
    let asks = [IAC, DO, 39].repeat(10 * TELNET_ANSWERS_MAX);
    assert_eq!(end().take(&asks).answers, [IAC, WONT, 39].repeat(TELNET_ANSWERS_MAX));
}

#[test]
fn typed_bytes_are_sent_so_that_they_come_back() {
    assert_eq!(*sent(b"a\r", false), b"a\r\0");
    assert_eq!(*sent(b"a\r\n\xff\r", false), b"a\r\n\xff\xff\r\0");
    assert_eq!(*sent(b"a\r\xff", true), b"a\r\xff\xff");
}

proptest! {
    #[test]
    fn cuts_make_no_difference(pieces in vec(piece(), 0..60), cuts in vec(any::<Index>(), 0..8)) {
        let bytes = pieces.concat();
        let mut whole = end();
        let at_once = whole.take(&bytes);
        let (mut cut, mut bit_by_bit) = (end(), Heard::default());
        for chunk in crate::terminal::properties::chunks(&bytes, &cuts) {
            let heard = cut.take(chunk);
            bit_by_bit.data.extend(heard.data);
            bit_by_bit.answers.extend(heard.answers);
        }
        prop_assert_eq!(at_once, bit_by_bit);
    }

    /// Two ends of this kind come to rest, whatever one of them asks first.
    #[test]
    fn nobody_loops(words in vec(any::<bool>(), 0..40)) {
        let asks = words.iter().zip(0..).flat_map(|(does, option)| [IAC, if *does { DO } else { WILL }, option]);
        let (mut left, mut right) = (end(), end());
        let mut to_right = left.take(&asks.collect::<Vec<_>>()).answers;
        let mut rounds = 0;
        while !to_right.is_empty() {
            let to_left = right.take(&to_right).answers;
            to_right = left.take(&to_left).answers;
            rounds += 1;
            prop_assert!(rounds < 4, "{:?}", to_right);
        }
    }

    #[test]
    fn what_is_typed_arrives(typed in vec(any::<u8>(), 0..200)) {
        // A line feed behind a return is the end of a line, and a zero there is none; both are for the writer to avoid.
        prop_assume!(!typed.windows(2).any(|pair| pair == b"\r\0"));
        let arrived = end().take(&sent(&typed, false));
        prop_assert_eq!(arrived, heard(&typed, b""));
    }
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let option = prop_oneof![Just(BINARY), Just(ECHO), Just(SUPPRESS_GO_AHEAD), Just(TERMINAL_TYPE), Just(WINDOW_SIZE), any::<u8>()];
    prop_oneof![
        3 => (WILL..=DONT, option.clone()).prop_map(|(word, option)| vec![IAC, word, option]),
        2 => (option, vec(any::<u8>(), 0..6)).prop_map(|(option, what)| [&[IAC, SB, option], what.as_slice(), &[IAC, SE]].concat()),
        1 => Just(vec![IAC, SB, TERMINAL_TYPE, SEND, IAC, SE]),
        2 => vec(prop_oneof![Just(IAC), Just(b'\r'), Just(b'\n'), Just(0), any::<u8>()], 0..6),
    ]
}
