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

    #[test]
    fn the_parts_are_the_whole() {
        for (name, wasm) in BUNDLED {
            let sizes = Sizes::of(wasm);
            assert!(sizes.code > 10_000 && sizes.manifest > 100, "{name}: {sizes:?}");
            assert_eq!(sizes.code + sizes.data + sizes.manifest + sizes.custom + sizes.rest, sizes.file, "{name}");
        }
    }
}
