//! What a file is that is no WebAssembly component, in one sentence. What a parser says of such a file is seldom what is wrong with it.

use wasmtime::wasmparser::{Parser, Validator, WasmFeatures};

use crate::terminal::text::{escaped, lossy};

/// What every WebAssembly file begins with.
const MAGIC: &[u8] = b"\0asm";
/// Bytes that are shown of a file that is none.
const SHOWN_BYTES: usize = 24;

/// What is wrong with the bytes themselves, as the end of a sentence that names the file. Nothing where they are a component.
#[must_use]
pub fn what(wasm: &[u8]) -> Option<String> {
    if wasm.is_empty() {
        return Some("is empty; build it or copy it again".to_owned());
    }
    if !wasm.starts_with(MAGIC) {
        let first = wasm.split(|byte| b"\r\n".contains(byte)).next().unwrap_or_default();
        let begins = lossy(first.get(..SHOWN_BYTES).unwrap_or(first)).into_owned();
        return Some(format!(
            "is no WebAssembly file: it begins with `{}`; name the `.wasm` file that the build has made",
            escaped(&begins)
        ));
    }
    // What this host does not run is still whole.
    if let Err(error) = Validator::new_with_features(WasmFeatures::all()).validate_all(wasm) {
        let why = error.message().lines().next().unwrap_or_default();
        return Some(format!("is damaged or cut off: {why} at byte {}; build it or copy it again", error.offset()));
    }
    let hint = "`jackfield plugin pack FILE --manifest plugin.toml` makes a component of it, or build it for wasm32-wasip2";
    Parser::is_core_wasm(wasm).then(|| format!("is a core module and no component; {hint}"))
}

/// The same where somebody has found that it is none, and why.
#[must_use]
pub fn told(wasm: &[u8], found: &str) -> String {
    let found = found.lines().next().unwrap_or_default();
    what(wasm).unwrap_or_else(|| format!("is no WebAssembly component ({found}); build it for wasm32-wasip2"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::catalog::BUNDLED;

    fn check(wasm: &[u8], words: &str) {
        let what = what(wasm).unwrap_or_default();
        assert!(what.contains(words) && what.lines().count() == 1, "{words}: {what}");
    }

    #[test]
    fn what_a_file_is_instead_is_told_in_one_line() {
        check(b"", "is empty; build it");
        check(b"#!/bin/sh\necho\n", "is no WebAssembly file: it begins with `#!/bin/sh`");
        check(&[0x7f, b'E', b'L', b'F', 2], "begins with `\\x7fELF\\x02`");
        check(b"\0asm\x01\0\0\0", "`jackfield plugin pack FILE --manifest plugin.toml`");
        assert_eq!(what(b"\0asm\x0d\0\x01\0"), None);
    }

    #[test]
    fn a_component_that_lost_some_bytes_is_damaged() {
        let (_, wasm) = BUNDLED[0];
        assert_eq!(what(wasm), None);
        check(&wasm[..wasm.len() / 2], "is damaged or cut off");
        let mut spoilt = wasm.to_vec();
        let middle = spoilt.len() / 2;
        spoilt[middle..middle + 64].fill(0xff);
        check(&spoilt, "is damaged or cut off");
    }
}
