//! Attacks that no compiler makes: code that runs before the plugin's first function, tables, allocators and answers that break the
//! rules by which host and plugin pass data. They are written as WebAssembly text.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::{End, digest, judge, with_section};
use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};

const WORLD: &str = "
    package jackfield:unusual;
    world plugin {
        export jackfield:plugin/setup@0.1.0;
        export jackfield:plugin/outcome@0.1.0;
    }
";

const FOR_EVER: &str = "(loop $again (br $again))";
const TABLE: &str = "(loop $again (drop (table.grow 0 (ref.null func) (i32.const 100))) (br $again))";
const MEMORY: &str = "(loop $again (drop (memory.grow (i32.const 16))) (br $again))";
const PAGES: &str = "(memory (export \"memory\") 4)";

/// A failure whose line begins at this address and has so many bytes.
macro_rules! failure {
    ($at:literal, $bytes:literal) => {
        concat!(
            "(i32.store8 (i32.const 32) (i32.const 1)) (i32.store (i32.const 36) (i32.const ",
            $at,
            ")) (i32.store (i32.const 40) (i32.const ",
            $bytes,
            "))"
        )
    };
}

/// What is attacked, the place in the text, what stands there, and what must be told.
const ATTACKS: &[(&str, &str, &str, End)] = &[
    ("nothing", "judge", "", End::Fine),
    // Before its first function.
    ("a start function that loops", "start", FOR_EVER, End::Refused("did not return within 1000 ms")),
    ("a start function that traps", "start", "unreachable", End::Refused("trapped")),
    ("a start function that calls itself", "start", "(call $start)", End::Refused("trapped")),
    ("a start function whose table grows", "start", TABLE, End::Refused("wanted larger tables than a plugin may have")),
    ("a start function whose memory grows", "start", MEMORY, End::Refused("wanted more memory than a plugin may have")),
    // Too large from the beginning.
    ("a table of four billion", "globals", "(table 4000000000 funcref)", End::Refused("larger tables")),
    ("a memory of four gigabytes", "memory", "(memory (export \"memory\") 65536)", End::Refused("more memory")),
    ("many tables", "globals", "(table 9000 funcref) (table 9000 funcref)", End::Refused("larger tables")),
    ("two memories", "memory", "(memory (export \"memory\") 4) (memory 4)", End::Refused("resource limit exceeded")),
    // While it is asked.
    ("settings without end", "configure", FOR_EVER, End::Refused("did not return within 1000 ms")),
    ("a table without end", "judge", TABLE, End::Warned("`outcome.judge`: wanted larger tables than a plugin may have")),
    ("a memory without end", "judge", MEMORY, End::Warned("`outcome.judge`: wanted more memory than a plugin may have")),
    ("a verdict without end", "judge", FOR_EVER, End::Warned("`outcome.judge`: did not return within 20 ms")),
    ("a thank-you without end", "post", FOR_EVER, End::Warned("`outcome.judge`: did not return within 20 ms")),
    ("an allocator without end", "realloc", FOR_EVER, End::Refused("did not return within 1000 ms")),
    ("an allocator that traps", "realloc", "unreachable", End::Refused("trapped")),
    (
        "an allocator that gives what it has not",
        "realloc",
        "(return (i32.const -16))",
        End::Refused("realloc return: beyond end of memory"),
    ),
    ("an allocator that gives one odd place for all", "realloc", "(return (i32.const 65537))", End::Fine),
    ("an answer outside the memory", "judge", "(return (i32.const -4))", End::Warned("`outcome.judge`: trapped")),
    ("a verdict that there is not", "judge", "(i32.store8 (i32.const 32) (i32.const 7))", End::Warned("`outcome.judge`: trapped")),
    ("a text outside the memory", "judge", failure!("-16", "64"), End::Warned("`outcome.judge`: trapped")),
    ("a text of four gigabytes", "judge", failure!("0", "-1"), End::Warned("`outcome.judge`")),
    (
        "a text that is none",
        "judge",
        concat!(failure!("64", "2"), "(i32.store16 (i32.const 64) (i32.const 0xffff))"),
        End::Warned("`outcome.judge`: trapped"),
    ),
];

/// The component with the attack in its place.
fn component(place: &str, attack: &str) -> Vec<u8> {
    let mut text = include_str!("unusual.wat").to_owned();
    for known in ["globals", "memory", "start", "realloc", "configure", "judge", "post"] {
        let more = if known == place { attack } else { "" };
        let more = match known {
            "globals" => format!("(table 1 funcref) {more}"),
            "memory" if more.is_empty() => PAGES.to_owned(),
            "start" => format!("(func $start {more}) (start $start)"),
            _ => more.to_owned(),
        };
        text = text.replace(&format!("{{{known}}}"), &more);
    }
    let mut module = wat::parse_str(&text).unwrap();
    let mut resolve = Resolve::default();
    resolve.push_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")).unwrap();
    let package = resolve.push_str("unusual.wit", WORLD).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let component = ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap();
    let manifest = json!({"schema": 1, "name": "unusual", "version": "1.0"});
    with_section(&component, "jackfield:manifest", manifest.to_string().as_bytes())
}

#[test]
#[expect(clippy::print_stdout, reason = "the figure is for whoever reads the log")]
fn every_attack_below_the_language_is_told_and_the_session_beside_it_goes_on() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let mut text = server.device("healthy", "jft-bash", "linux");
    for (number, (_, place, attack, _)) in ATTACKS.iter().enumerate() {
        let bytes = component(place, attack);
        let path = folder.path().join(format!("u{number}.wasm"));
        std::fs::write(&path, &bytes).unwrap();
        text.push_str(&server.device(&format!("d{number}"), "jft-bash", &format!("t{number}")));
        write!(text, "[type.t{number}]\nplugins = [\"generic-prompt\", \"u{number}\", \"guard\"]\n").unwrap();
        write!(text, "[plugin.u{number}]\npath = {path:?}\ndigest = \"sha256:{}\"\n", digest(&bytes)).unwrap();
    }
    text.push_str(super::UNHURRIED);
    let mut client = Client::start(&text);
    client.run("healthy", "true");
    // All at once.
    let call = |number| json!({"target": format!("d{number}"), "command": "echo fine", "wait_s": 45});
    let calls: Vec<u64> = (0..ATTACKS.len()).map(|number| client.post("ssh_run", call(number))).collect();
    let mut results = HashMap::new();
    let mut beside = 0;
    while results.len() < ATTACKS.len() {
        let own = client.post("ssh_run", json!({"target": "healthy", "command": "echo fine"}));
        loop {
            let (of, result) = client.answer();
            if of == own {
                assert_eq!(result["output"], "fine\n", "{result}");
                break;
            }
            results.insert(of, result);
        }
        beside += 1;
    }
    let told = calls.iter().zip(ATTACKS).filter_map(|(call, (name, .., end))| {
        let result = &results[call];
        judge(result, *end).err().map(|why| format!("{name}: {why}\n  {result}"))
    });
    let wrong: Vec<String> = told.collect();
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
    // How many is up to the machine; somebody who is held up runs one or two.
    println!("the session beside them ran {beside} commands");
    assert!(beside > 5, "the session beside them ran {beside} commands only");
}
