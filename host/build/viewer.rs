//! Puts the page of the browser viewer into the program: its own files, and the terminal from npm.
//!
//! npm runs in a copy of the two package files, and again only when they have changed.

#![expect(clippy::expect_used, clippy::panic, reason = "a build script fails by panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What npm is told to install.
const LISTS: [&str; 2] = ["package.json", "package-lock.json"];

/// What is taken of it: the path in the program, and the file below `node_modules`.
const VENDOR: [(&str, &str); 5] = [
    ("/vendor/xterm.mjs", "@xterm/xterm/lib/xterm.mjs"),
    ("/vendor/xterm.css", "@xterm/xterm/css/xterm.css"),
    ("/vendor/addon-fit.mjs", "@xterm/addon-fit/lib/addon-fit.mjs"),
    ("/vendor/addon-search.mjs", "@xterm/addon-search/lib/addon-search.mjs"),
    ("/vendor/addon-unicode11.mjs", "@xterm/addon-unicode11/lib/addon-unicode11.mjs"),
];

/// Media types of our files.
const KINDS: [(&str, &str); 5] =
    [("js", "text/javascript"), ("mjs", "text/javascript"), ("css", "text/css"), ("html", "text/html"), ("svg", "image/svg+xml")];

/// Writes `OUT_DIR/viewer.rs`: the table of the page's files.
pub(crate) fn build(folder: &Path, out: &Path) {
    println!("cargo:rerun-if-changed={}", folder.display());
    let installed = install(folder, &out.join("viewer"));
    let mut files: Vec<(String, PathBuf)> = VENDOR.iter().map(|(path, file)| ((*path).to_owned(), installed.join(file))).collect();
    for (part, prefix) in [("", "/"), ("app", "/app/")] {
        let entries = fs::read_dir(folder.join(part)).expect("the viewer's folder is there").flatten().map(|entry| entry.path());
        let named = entries.filter(|path| path.is_file() && kind(path).is_some());
        files.extend(named.map(|path| (format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy()), path)));
    }
    files.sort();
    let mut table = String::from("/// The files of the page.\npub(super) const ASSETS: &[Asset] = &[\n");
    for (path, file) in &files {
        assert!(file.is_file(), "`{}` is not in the package any more: see VENDOR in build/viewer.rs", file.display());
        let kind = kind(file).expect("only such files are taken");
        writeln!(table, "    Asset {{ path: {path:?}, kind: {kind:?}, content: include_bytes!({file:?}) }},").expect("a String takes it");
    }
    fs::write(out.join("viewer.rs"), table + "];\n").expect("OUT_DIR is writable");
}

fn kind(file: &Path) -> Option<&'static str> {
    let extension = file.extension()?.to_str()?;
    KINDS.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind)
}

/// The folder with the packages.
fn install(folder: &Path, copy: &Path) -> PathBuf {
    let stamp = copy.join("installed");
    let wanted = LISTS.map(|name| fs::read(folder.join(name)).expect("the viewer has lists of its packages")).concat();
    let modules = copy.join("node_modules");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return modules;
    }
    fs::create_dir_all(copy).expect("OUT_DIR is writable");
    for name in LISTS {
        fs::copy(folder.join(name), copy.join(name)).expect("OUT_DIR is writable");
    }
    // No package of these needs a script to be installed.
    let done = Command::new("npm").current_dir(copy).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).status();
    match done {
        Ok(status) if status.success() => {}
        Ok(status) => {
            panic!("`npm ci` for the browser viewer failed ({status}); it needs the npm registry, or its packages in npm's cache")
        }
        Err(error) => {
            panic!("the browser viewer's terminal comes from npm, which is missing ({error}); install Node.js 20 or newer with npm")
        }
    }
    fs::write(&stamp, wanted).expect("OUT_DIR is writable");
    modules
}
