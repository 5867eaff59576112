use proptest::prelude::*;
use regex_lite::Regex;

use super::Expression;

const TEXTS: [&str; 16] =
    ["", "a", "A", "ab", "b a", "aab", "a-b", "a\nb", "a\r\nb\n", "\r", "é☃", "_1", "]^", "zZ@[`{", "x y#z", "systemctl stop x"];

/// Every piece of the syntax, used well and badly.
const PATTERNS: &[&str] = &[
    "",
    "a",
    "a|b",
    "a||b",
    "(a)(?:b)",
    "(?P<n>a)(?<m>b)",
    "(?<n>a)(?<n>b)",
    "(?<1>a)",
    "(?<>a)",
    "(?<n",
    "a*",
    "a+?",
    "a??",
    "a{2}",
    "a{1,}",
    "a{0}",
    "a{1}",
    "a{2,1}",
    "a{,2}",
    "a{ 1 , 2 }",
    "a{",
    "a{1",
    "a{1,",
    "a{x}",
    "{1}",
    "*",
    "a**",
    "(a*)*",
    "(a|b*)*c",
    "(|a)+",
    "(",
    ")",
    "a)|(b",
    "(?",
    "(?)",
    "(?i)A",
    "(?i:a)A",
    "(?i-i:a)",
    "(?-)",
    "(?i-",
    "(?ii)a",
    "(?--i)",
    "(?q)",
    "(?i",
    "(?=a)",
    "(?<=a)",
    "(?x) a # b\n b",
    "(?x)a {2}",
    "(?x)[ a - b ]",
    "(?x)[a #\n-b]",
    "(?x)[a-#\n]]",
    "(?U)a*",
    "(?u)a",
    "(?m)^b$",
    "(?mR)^b$",
    "(?R).",
    "(?s).",
    ".",
    "^a$",
    "[ab]",
    "[^a]",
    "[]a]",
    "[^]a]",
    "[-a]",
    "[a-]",
    "[--a]",
    "[a--b]",
    "[a&&b]",
    "[a~~b]",
    "[a-b-c]",
    "[b-a]",
    "[[:alpha:]]",
    "[[:^alpha:]]",
    "[[:nope:]]",
    "[[a]]",
    "[[:alpha:]",
    "[a",
    "[",
    "[^",
    "[-",
    "[]",
    "[a-",
    r"[\d\D]",
    r"[\w-a]",
    r"[\b]",
    r"[\x41-\x43]",
    r"(?i)[\x41-\x43]",
    "(?i)[^a]",
    "(?i)[Z-b]",
    "(?i)[A-Z]",
    r"\d",
    r"\D\S\W",
    r"\s",
    r"\w+",
    r"\bab\b",
    r"\B",
    r"\<a\>",
    r"\b{start}a",
    r"\b{end}",
    r"\b{start-half}",
    r"\b{end-half}",
    r"\b{x}",
    r"\b{2}",
    r"\b{",
    r"\b{start",
    r"\Aa\z",
    r"\x41",
    r"\x4",
    r"\x{41}",
    r"\x{}",
    r"\x{110000}",
    r"\x{d800}",
    r"\x{41",
    r"\u0041",
    r"\U00000041",
    r"\U0011",
    r"\1",
    r"\pL",
    r"\q",
    r"\-\.\[",
    r"\é",
    "\\",
    r"\a\f\t\n\r\v",
    "é",
    "[é-☃]",
    "(?i)é",
    "☃?",
    "a{4294967296}",
];

/// Both answer alike, or refuse it both.
fn check(pattern: &str, text: &str) {
    let whole = format!("(?s)^(?:{pattern})$");
    for pattern in [pattern, &whole] {
        let (own, other) = (Expression::new(pattern), Regex::new(pattern));
        assert_eq!(own.is_ok(), other.is_ok(), "{pattern:?}: {:?} {:?}", own.err(), other.err());
        if let (Ok(own), Ok(other)) = (own, other) {
            for text in TEXTS.into_iter().chain([text]) {
                assert_eq!(own.is_match(text), other.is_match(text), "{pattern:?} in {text:?}");
            }
        }
    }
}

#[test]
fn expressions_fit_what_they_fit_elsewhere() {
    for pattern in PATTERNS {
        check(pattern, pattern);
    }
    for depth in [10, 48, 49, 50, 51, 52] {
        check(&format!("{}a{}", "(".repeat(depth), ")".repeat(depth)), "a");
        check(&format!("{}a{}", "(?:".repeat(depth), ")".repeat(depth)), "a");
        check(&format!("a{}", "*".repeat(depth)), "a");
        check(&format!("{}a{}", "(b|".repeat(depth), ")".repeat(depth)), "a");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    assert!(Expression::new("(a{1000}){1000}").is_err() && Expression::new("((a{1000}){1000}){1000}").is_err());
    assert!(Expression::new("(a{100}){100}").is_ok() && Expression::new("((){1000000}){1000000}").is_ok());
}

/// Pieces of which expressions consist, whether they fit together or not.
fn pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a"),
        Just("b"),
        Just("|"),
        Just("("),
        Just(")"),
        Just("(?:"),
        Just("*"),
        Just("+"),
        Just("?"),
        Just("{2}"),
        Just("{1,3}"),
        Just("{0,}"),
        Just("."),
        Just("^"),
        Just("$"),
        Just("[ab]"),
        Just("[^a-c]"),
        Just("["),
        Just("]"),
        Just("-"),
        Just("\\w"),
        Just("\\b"),
        Just("\\"),
        Just("(?i)"),
        Just("(?m)"),
        Just("(?x)"),
        Just(" "),
        Just("#"),
        Just("\n"),
        Just("[[:digit:]"),
        Just("é"),
        Just("&&"),
        Just("{"),
        Just("}"),
        Just(","),
        Just("1"),
        Just("\\x4"),
        Just("(?<n>"),
        Just("(?s-i:"),
        Just("\\B"),
        Just("\\D"),
        Just(":"),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn random_expressions_fit_what_they_fit_elsewhere(pattern in pattern(), text in "[ab1_ é\n-]{0,8}") {
        check(&pattern, &text);
    }
}
