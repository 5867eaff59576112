//! The files of the page, which the build has put into the program.

/// A file that the browser loads.
pub(super) struct Asset {
    /// Its path, from `/`.
    pub(super) path: &'static str,
    /// Its media type.
    pub(super) kind: &'static str,
    pub(super) content: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/viewer.rs"));

/// The file at this path.
pub(super) fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}
