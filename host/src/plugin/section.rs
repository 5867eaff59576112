//! Puts a manifest into a component, for languages whose tools cannot write a custom section.
//!
//! A component is a header of eight bytes and sections, each a number, a length in LEB128 and its bytes. A custom section has the number 0 and
//! begins with its name. One at the end of the file changes nothing of what the component does.

use std::path::Path;

use serde_json::{Map, Value};

use super::manifest::{Interfaces, Manifest, SECTION};
use super::no_component;

/// Bytes before the first section.
const HEADER_BYTES: usize = 8;
/// The number of a custom section.
const CUSTOM: u8 = 0;

/// The manifest of a `plugin.toml` as the section holds it.
///
/// # Errors
///
/// What is wrong with the text, in a sentence.
pub fn manifest_json(text: &str, file: &Path) -> Result<Vec<u8>, String> {
    let table: Map<String, Value> = toml::from_str(text).map_err(|error| format!("`{}`: {error}", file.display()))?;
    let missing: Vec<&str> = ["schema", "name", "version"].into_iter().filter(|key| !table.contains_key(*key)).collect();
    if !missing.is_empty() {
        return Err(format!("`{}` has no `{}`; a manifest that is packed names them itself", file.display(), missing.join("` and no `")));
    }
    serde_json::to_vec(&table).map_err(|error| error.to_string())
}

/// The component with this manifest; one that was packed before is replaced.
///
/// # Errors
///
/// When the file is no component, already carries a manifest inside, or the manifest is wrong.
pub fn pack(wasm: &[u8], manifest: &[u8]) -> Result<Vec<u8>, String> {
    Interfaces::from_component(wasm).map_err(|found| format!("it {}", no_component::told(wasm, &found)))?;
    let mut packed = without_manifest(wasm).ok_or("its sections cannot be read")?;
    let mut body = Vec::new();
    leb128(&mut body, SECTION.len());
    body.extend_from_slice(SECTION.as_bytes());
    body.extend_from_slice(manifest);
    packed.push(CUSTOM);
    leb128(&mut packed, body.len());
    packed.extend_from_slice(&body);
    // The whole file is read as the loader reads it: a second manifest inside, or a wrong key, shows here.
    Manifest::from_component(&packed)?;
    Ok(packed)
}

/// The file without a manifest among its outermost sections.
fn without_manifest(wasm: &[u8]) -> Option<Vec<u8>> {
    let mut kept = wasm.get(..HEADER_BYTES)?.to_vec();
    let mut rest = wasm.get(HEADER_BYTES..)?;
    while !rest.is_empty() {
        let (number, after) = rest.split_first()?;
        let (length, body) = read_leb128(after)?;
        let (body, next) = body.split_at_checked(length)?;
        let whole = rest.len() - next.len();
        if *number != CUSTOM || name(body) != Some(SECTION.as_bytes()) {
            kept.extend_from_slice(rest.get(..whole)?);
        }
        rest = next;
    }
    Some(kept)
}

fn name(body: &[u8]) -> Option<&[u8]> {
    let (length, rest) = read_leb128(body)?;
    rest.get(..length)
}

fn leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// A number of at most 32 bits and what follows it.
fn read_leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn json(text: &str) -> Result<Vec<u8>, String> {
        manifest_json(text, Path::new("plugin.toml"))
    }

    #[test]
    fn numbers_read_as_they_are_written() {
        for value in [0, 1, 127, 128, 300, 16_384, 4 << 20] {
            let mut bytes = Vec::new();
            leb128(&mut bytes, value);
            bytes.push(9);
            assert_eq!(read_leb128(&bytes), Some((value, &[9][..])));
        }
        assert_eq!(read_leb128(&[0xff; 6]), None);
    }

    #[test]
    fn a_manifest_is_added_and_then_replaced() {
        let first = json("schema = 1\nname = \"acme\"\nversion = \"1.0.0\"\n").unwrap();
        let packed = pack(EMPTY_COMPONENT, &first).unwrap();
        assert_eq!(Manifest::from_component(&packed).unwrap().version, "1.0.0");
        let second = json("schema = 1\nname = \"acme\"\nversion = \"1.0.1\"\n").unwrap();
        let again = pack(&packed, &second).unwrap();
        assert_eq!(Manifest::from_component(&again).unwrap().version, "1.0.1");
        assert_eq!(again.len(), packed.len());
    }

    #[test]
    fn what_is_wrong_is_told() {
        assert!(json("schema = 1\nname = \"a\"").unwrap_err().contains("no `version`"));
        assert!(pack(b"\0asm\x01\0\0\0", b"{}").unwrap_err().contains("core module"));
        let strange = json("schema = 1\nname = \"acme\"\nversion = \"1\"\ncolour = \"red\"\n").unwrap();
        assert!(pack(EMPTY_COMPONENT, &strange).unwrap_err().contains("colour"));
    }
}
