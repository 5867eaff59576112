//! What a component's bytes are spent on.

use wasmtime::wasmparser::{Parser, Payload};

use super::manifest::SECTION;

/// Bytes by what they are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The whole file.
    pub file: u64,
    /// Functions.
    pub code: u64,
    /// Texts and tables that the functions use.
    pub data: u64,
    /// The manifest.
    pub manifest: u64,
    /// Other custom sections: names of functions, debug information, notes of the tools.
    pub custom: u64,
    /// Types, imports, exports: what holds the rest together.
    pub rest: u64,
}

impl Sizes {
    /// Of a component. What cannot be parsed counts as the rest.
    #[must_use]
    pub fn of(wasm: &[u8]) -> Self {
        let mut sizes = Self { file: wasm.len() as u64, ..Self::default() };
        for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
            match payload {
                Payload::CodeSectionStart { size, .. } => sizes.code += u64::from(size),
                Payload::DataSection(section) => sizes.data += section.range().len() as u64,
                Payload::CustomSection(section) if section.name() == SECTION => sizes.manifest += section.data().len() as u64,
                Payload::CustomSection(section) => sizes.custom += section.data().len() as u64,
                _ => {}
            }
        }
        sizes.rest = sizes.file.saturating_sub(sizes.code + sizes.data + sizes.manifest + sizes.custom);
        sizes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::catalog::BUNDLED;

    /// A section: its number, its length, what is in it.
    fn section(id: u8, inside: &[u8]) -> Vec<u8> {
        [&[id, u8::try_from(inside.len()).unwrap()], inside].concat()
    }

    fn custom(name: &str, data: &[u8]) -> Vec<u8> {
        section(0, &[&[u8::try_from(name.len()).unwrap()], name.as_bytes(), data].concat())
    }

    /// A component with a module of one function and one byte of data in it.
    fn component(manifest: &[u8], names: &[u8]) -> Vec<u8> {
        let body = [2, 0, 0x0b];
        let module = [
            b"\0asm\x01\0\0\0".to_vec(),
            section(1, &[1, 0x60, 0, 0]),
            section(3, &[1, 0]),
            section(10, &[&[1], &body[..]].concat()),
            section(11, &[1, 1, 1, b'x']),
            custom("name", names),
        ];
        let outer = [b"\0asm\x0d\0\x01\0".to_vec(), section(1, &module.concat()), custom(SECTION, manifest)];
        outer.concat()
    }

    #[test]
    fn each_byte_is_counted_once_and_for_what_it_is() {
        let (manifest, names) = (b"{\"schema\": 1}", b"functions");
        let wasm = component(manifest, names);
        let sizes = Sizes::of(&wasm);
        // Two heads, the types, the functions' types, and what comes before the content of each section.
        let rest = 8 + 8 + 6 + 4 + 2 + 3 + 2 + (2 + 5) + (2 + 1 + SECTION.len() as u64);
        let (manifest, custom) = (manifest.len() as u64, names.len() as u64);
        assert_eq!(sizes, Sizes { file: wasm.len() as u64, code: 3, data: 4, manifest, custom, rest });
    }

    #[test]
    fn the_bundled_plugins_are_code_for_the_most_part() {
        for (name, wasm) in BUNDLED {
            let sizes = Sizes::of(wasm);
            assert_eq!(sizes.file, wasm.len() as u64, "{name}");
            assert!(sizes.code > sizes.file / 2 && sizes.manifest > 100 && sizes.rest < sizes.file / 4, "{name}: {sizes:?}");
        }
    }
}
