//! Builds the plugins of `plugins/` to WebAssembly and puts them into the program, and the page of the browser viewer.
//!
//! They have a target folder of their own inside `OUT_DIR`'s target folder, so that the two builds do not wait for each other,
//! and are built again only when their sources or the contract change.

#![expect(clippy::expect_used, clippy::panic, reason = "a build script fails by panic")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[path = "build/slim.rs"]
mod slim;
#[path = "build/viewer.rs"]
mod viewer;

const TARGET: &str = "wasm32-wasip2";

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for path in ["plugins", "wit", "tests/plugins", "Cargo.lock", "host/templates"] {
        println!("cargo:rerun-if-changed={}", root.join(path).display());
    }
    let bundled = packages(&root.join("plugins"));
    let faulty = packages(&root.join("tests/plugins"));
    let target = out.join("plugins");
    build(&root, &target, bundled.iter().chain(&faulty));
    let wasm = out.join("components");
    keep(&target.join(TARGET).join("plugin"), &wasm, bundled.iter().chain(&faulty));
    let table = table(&root, &wasm, &bundled) + &projects(&root);
    fs::write(out.join("bundled.rs"), table).expect("OUT_DIR is writable");
    viewer::build(&root.join("viewer"), &out);
    // The tests load these from disk, as an operator would.
    println!("cargo:rustc-env=JACKFIELD_PLUGIN_FOLDER={}", wasm.display());
}

/// Folders with a plugin: those with a manifest.
fn packages(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    let folders = entries.flatten().filter(|entry| entry.path().join("plugin.toml").exists() && entry.path().join("Cargo.toml").exists());
    folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The TOML files of a folder, in order.
fn toml_files(folder: &Path) -> BTreeSet<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "toml")).collect()
}

fn build<'a>(root: &Path, target: &Path, packages: impl Iterator<Item = &'a String>) {
    let cargo = env::var_os("CARGO").expect("cargo sets it");
    let mut command = Command::new(&cargo);
    command.current_dir(root).args(["build", "--profile", "plugin", "--locked", "--target", TARGET, "--target-dir"]).arg(target);
    for package in packages {
        command.args(["--package", package]);
    }
    // What cargo set for this package must not reach the other build.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_") && name != "CARGO_HOME" || name.starts_with("RUSTC") || name == "RUSTFLAGS" {
            command.env_remove(name);
        }
    }
    if run(&mut command) {
        return;
    }
    // Most likely the target is missing: rustup can add it.
    let added = Command::new("rustup").args(["target", "add", TARGET]).status().is_ok_and(|status| status.success());
    assert!(added && run(&mut command), "the plugins could not be built for {TARGET}; run `rustup target add {TARGET}` and build again");
}

/// Copies the components as they are kept.
fn keep<'a>(from: &Path, to: &Path, packages: impl Iterator<Item = &'a String>) {
    fs::create_dir_all(to).expect("OUT_DIR is writable");
    for package in packages {
        let name = component(package);
        let built = fs::read(from.join(&name)).unwrap_or_else(|error| panic!("`{package}` was not built: {error}"));
        let slim = slim::slim(&built);
        let kept = to.join(&name);
        // What stays the same is not written: whatever includes it would be built again.
        if fs::read(&kept).is_ok_and(|before| before == slim) {
            continue;
        }
        fs::write(kept, slim).expect("OUT_DIR is writable");
    }
}

/// The file of a package's component.
fn component(package: &str) -> String {
    format!("{}.wasm", package.replace('-', "_"))
}

fn run(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// What a new plugin project is made of: templates, the contract, the SDK.
fn projects(root: &Path) -> String {
    let mut text = String::new();
    for (name, about, folder) in [
        ("TEMPLATES", "Files of new plugin projects, by language.", "host/templates"),
        ("CONTRACT", "The contract with plugins.", "wit"),
        ("SDK", "What plugins in Rust are written with, but for its `Cargo.toml`.", "plugins/sdk"),
    ] {
        let folder = root.join(folder);
        let mut files = BTreeSet::new();
        all_files(&folder, &mut files);
        writeln!(text, "\n/// {about}\npub const {name}: &[(&str, &str)] = &[").expect("a String takes it");
        for file in files.iter().filter(|file| name != "SDK" || !file.ends_with("Cargo.toml")) {
            let path = file.strip_prefix(&folder).expect("it is below").to_string_lossy().into_owned();
            writeln!(text, "    ({path:?}, include_str!({file:?})),").expect("a String takes it");
        }
        text.push_str("];\n");
    }
    text
}

fn all_files(folder: &Path, out: &mut BTreeSet<PathBuf>) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            all_files(&path, out);
        } else {
            out.insert(path);
        }
    }
}

/// The source text of the embedded plugins and lab devices.
fn table(root: &Path, wasm: &Path, packages: &BTreeSet<String>) -> String {
    let mut plugins = String::new();
    let mut devices = String::new();
    let mut demos = String::new();
    for package in packages {
        let file = wasm.join(component(package));
        writeln!(plugins, "    ({package:?}, include_bytes!({file:?})),").expect("a String takes it");
        let folder = root.join("plugins").join(package);
        for (name, list) in [("lab.toml", &mut devices), ("demo.toml", &mut demos)] {
            let file = folder.join(name);
            if file.exists() {
                writeln!(list, "    ({package:?}, include_str!({file:?})),").expect("a String takes it");
            }
        }
        // A plugin for several devices has a folder of them.
        for file in toml_files(&folder.join("lab")) {
            writeln!(devices, "    ({package:?}, include_str!({file:?})),").expect("a String takes it");
        }
    }
    let mut types = String::new();
    for file in packages.iter().flat_map(|package| toml_files(&root.join("plugins").join(package).join("types"))) {
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        writeln!(types, "    ({name:?}, include_str!({file:?})),").expect("a String takes it");
    }
    format!(
        "/// The plugins in this program.\npub const PLUGINS: &[(&str, &[u8])] = &[\n{plugins}];\n\n\
         /// Device types that are declared: name and text of each file.\npub const DECLARED_TYPES: &[(&str, &str)] = &[\n{types}];\n\n\
         /// Devices that the lab plays, as their plugins' folders describe them.\npub const LAB_DEVICES: &[(&str, &str)] = &[\n{devices}];\n\n\
         /// What the demo does on them.\npub const DEMOS: &[(&str, &str)] = &[\n{demos}];\n"
    )
}
