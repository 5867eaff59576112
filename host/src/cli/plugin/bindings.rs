//! What a plugin in C is written against: the contract as functions and types of C, for the roles of its world.

use std::path::Path;

use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{Resolve, SourceMap};

use crate::plugin::catalog::CONTRACT;

/// Header, glue and type information for this world, by file name.
///
/// # Errors
///
/// When the world's text is wrong.
pub fn c(world: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
    generate(world).map_err(|error| format!("no C can be made of `plugin.wit`: {error:#}"))
}

fn generate(world: &str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut resolve = Resolve::default();
    let mut contract = SourceMap::default();
    for (path, text) in CONTRACT.iter().filter(|(path, _)| Path::new(path).extension().is_some_and(|extension| extension == "wit")) {
        contract.push_str(path, *text);
    }
    let contract = contract.parse().map_err(|(_, error)| error)?;
    resolve.push_group(contract)?;
    let package = resolve.push_source("plugin.wit", world)?;
    let world = resolve.select_world(&[package], None)?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    Ok(files.iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect())
}
