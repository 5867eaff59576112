//! `jackfield plugin new`: a project that builds, passes its first tests and the kit.
//!
//! The program carries the contract, the SDK's sources and what makes C of the contract, and writes them into the project: a vendor needs
//! this binary and a compiler.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::paint::{DIM, GOOD, painted, say};
use crate::plugin::catalog::{CONTRACT, SDK, TEMPLATES};

use super::bindings;

/// The roles, in the order of the contract.
pub const ROLES: [&str; 6] = ["identify", "prompt", "pager", "dialog", "outcome", "policy"];
/// Roles whose functions are shown a view.
const VIEWERS: [&str; 4] = ["identify", "prompt", "pager", "dialog"];
/// The language whose projects carry the SDK.
const RUST: &str = "rust";
/// The language whose projects carry the contract as C.
const C: &str = "c";
/// The folder of templates that every language has.
const COMMON: &str = "common";
/// Where the SDK goes in a project.
const VENDORED: &str = "vendor/jackfield-plugin";

/// What is wanted.
#[derive(Debug)]
pub struct Wanted {
    /// The plugin's name and the folder's.
    pub name: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// The language.
    pub lang: String,
    /// The device type that it serves.
    pub kind: Option<String>,
}

/// Makes the project.
///
/// # Errors
///
/// When an argument is wrong, the folder is there already, or a file cannot be written.
pub fn run(wanted: &Wanted) -> Result<ExitCode, String> {
    check(wanted)?;
    let folder = PathBuf::from(&wanted.name);
    if folder.exists() {
        return Err(format!("`{}` is there already; choose another name, or remove it", folder.display()));
    }
    let files = files(wanted)?;
    for (path, bytes) in &files {
        write(&folder.join(path), bytes)?;
    }
    let (name, count, roles) = (&wanted.name, files.len(), wanted.roles.join(", "));
    let made = painted(GOOD, "made");
    say(&format!("{made}  {name}/ with {count} files: {roles}\n{}\n  cd {name}\n{}", painted(DIM, "next:"), next_steps(&files)));
    Ok(ExitCode::SUCCESS)
}

/// The commands of the project's own page.
fn next_steps(files: &[(String, Vec<u8>)]) -> String {
    let page = files.iter().find(|(path, _)| path == "README.md").map_or(Cow::Borrowed(""), |(_, text)| String::from_utf8_lossy(text));
    let commands = page.lines().skip_while(|line| *line != "```sh").skip(1).take_while(|line| *line != "```");
    commands.map(|line| format!("  {line}\n")).collect()
}

fn check(wanted: &Wanted) -> Result<(), String> {
    let fits = |name: &str| {
        let mut letters = name.bytes();
        letters.next().is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
            && !name.ends_with(['-', '_'])
    };
    for (what, name) in [("name", Some(&wanted.name)), ("--type", wanted.kind.as_ref())] {
        if let Some(name) = name.filter(|name| !fits(name)) {
            return Err(format!("the {what} is `{name}`; write lower-case letters, digits, `-` and `_`, with a letter first"));
        }
    }
    let known = languages();
    if !known.contains(&wanted.lang.as_str()) {
        let known: Vec<&str> = known.into_iter().collect();
        return Err(format!("there is no project for the language `{}`; known are: {}", wanted.lang, known.join(", ")));
    }
    match wanted.roles.iter().find(|role| !ROLES.contains(&role.as_str())) {
        Some(role) => Err(format!("`{role}` is no role; roles are {}", ROLES.join(", "))),
        None if wanted.roles.is_empty() => Err(format!("name a role with --role; roles are {}", ROLES.join(", "))),
        None => Ok(()),
    }
}

/// A folder of templates for each.
fn languages() -> BTreeSet<&'static str> {
    TEMPLATES.iter().filter_map(|(path, _)| Some(path.split_once('/')?.0)).filter(|language| *language != COMMON).collect()
}

/// Every file of the project with its content.
fn files(wanted: &Wanted) -> Result<Vec<(String, Vec<u8>)>, String> {
    let own = TEMPLATES.iter().filter_map(|(path, text)| {
        let (folder, path) = path.split_once('/')?;
        (folder == wanted.lang || folder == COMMON).then_some((path, *text))
    });
    let chosen = own.filter(|(path, _)| {
        let stem = path.strip_prefix("src/").and_then(|file| file.split_once('.')).map_or("", |(stem, _)| stem);
        !ROLES.contains(&stem) || wanted.roles.iter().any(|role| role == stem)
    });
    let mut texts: Vec<(String, String)> = chosen
        .map(|(path, text)| match path {
            // A file of that name in our own folder would count there.
            "gitignore" => (".gitignore".to_owned(), text.to_owned()),
            path => (path.to_owned(), filled(text, wanted)),
        })
        .collect();
    texts.extend(CONTRACT.iter().map(|(path, text)| (format!("wit/{path}"), (*text).to_owned())));
    if wanted.lang == RUST {
        texts.extend(SDK.iter().map(|(path, text)| (format!("{VENDORED}/{path}"), (*text).to_owned())));
        texts.push((format!("{VENDORED}/Cargo.toml"), sdk_manifest()));
    }
    let bindings = match texts.iter().find(|(path, _)| path == "plugin.wit") {
        Some((_, world)) if wanted.lang == C => bindings::c(world)?,
        _ => Vec::new(),
    };
    let bindings = bindings.into_iter().map(|(name, bytes)| (format!("bindings/{name}"), bytes));
    Ok(texts.into_iter().map(|(path, text)| (path, text.into_bytes())).chain(bindings).collect())
}

/// The SDK's own `Cargo.toml` inherits from our workspace; a project's copy stands alone.
fn sdk_manifest() -> String {
    let text = include_str!("../../../templates/sdk.toml");
    text.replace("{{version}}", env!("CARGO_PKG_VERSION"))
}

/// A template with its names filled in and the parts of other roles and languages left out: `%% ROLE` begins a part, `%% end` ends it.
fn filled(text: &str, wanted: &Wanted) -> String {
    let has = |role: &str| match role {
        "view" => VIEWERS.iter().any(|viewer| wanted.roles.iter().any(|own| own == viewer)),
        part => part == wanted.lang || wanted.roles.iter().any(|own| own == part),
    };
    let mut out = String::new();
    let mut shown = true;
    for line in text.lines() {
        match line.strip_prefix("%% ") {
            Some("end") => shown = true,
            Some(role) => shown = has(role),
            None if shown => {
                out.push_str(line);
                out.push('\n');
            }
            None => {}
        }
    }
    // Without a prompt of its own, the plugin of last resort reads it and knows one mode.
    let (mode, privileged) = if has("prompt") { ("exec", "privileged") } else { ("unknown", "unknown") };
    let kind = wanted.kind.clone().unwrap_or_else(|| wanted.name.replace('-', "_"));
    let names = [
        ("name", wanted.name.clone()),
        ("file", wanted.name.replace('-', "_")),
        ("struct", camel_case(&wanted.name)),
        ("type", kind),
        ("roles", wanted.roles.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(", ")),
        ("mode", mode.to_owned()),
        ("privileged", privileged.to_owned()),
    ];
    names.iter().fold(out, |out, (name, value)| out.replace(&format!("{{{{{name}}}}}"), value))
}

fn camel_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split(['-', '_']).map(word).collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(roles: &[&str]) -> Wanted {
        Wanted {
            name: "acme-olt".to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            lang: "rust".to_owned(),
            kind: None,
        }
    }

    /// The files, but for those that are no text.
    fn texts(wanted: &Wanted) -> Vec<(String, String)> {
        files(wanted).unwrap().into_iter().filter_map(|(path, bytes)| Some((path, String::from_utf8(bytes).ok()?))).collect()
    }

    #[test]
    fn a_project_has_only_what_its_roles_need() {
        let files = texts(&wanted(&["pager"]));
        let text = |path: &str| files.iter().find(|(name, _)| name == path).map(|(_, text)| text.as_str());
        assert!(text("src/pager.rs").is_some() && text("src/prompt.rs").is_none());
        let glue = text("src/lib.rs").unwrap();
        assert!(
            glue.contains("struct AcmeOlt;") && glue.contains("export jackfield:plugin/pager@0.1.0;") && !glue.contains("prompt"),
            "{glue}"
        );
        assert!(text("plugin.toml").unwrap().contains("types = [\"acme_olt\"]"));
        assert!(text("wit/types.wit").is_some() && text("vendor/jackfield-plugin/src/lib.rs").is_some());
        for (path, text) in &files {
            assert!(!text.contains("%% ") && (path.starts_with("vendor") || path.starts_with("wit") || !text.contains("{{")), "{path}");
        }
    }

    #[test]
    fn a_project_in_c_carries_the_contract_as_c() {
        let wanted = Wanted { lang: "c".to_owned(), ..wanted(&["outcome", "policy"]) };
        let made: Vec<String> = files(&wanted).unwrap().into_iter().map(|(path, _)| path).collect();
        assert!(
            made.iter().any(|path| path == "bindings/plugin_component_type.o") && made.iter().any(|path| path == "src/policy.c"),
            "{made:?}"
        );
        assert!(made.iter().all(|path| !path.ends_with(".rs") && path != "src/pager.c"), "{made:?}");
        let files = texts(&wanted);
        let text = |path: &str| files.iter().find(|(name, _)| name == path).map(|(_, text)| text.as_str()).unwrap();
        let header = text("bindings/plugin.h");
        assert!(
            header.contains("exports_jackfield_plugin_policy_decide(") && !header.contains("exports_jackfield_plugin_pager_"),
            "{header}"
        );
        assert!(text("plugin.toml").contains("name = \"acme-olt\"") && !text("src/text.h").contains("view_t"));
    }

    #[test]
    fn what_cannot_be_made_is_told() {
        let wrong = |change: fn(&mut Wanted)| {
            let mut wanted = wanted(&["pager"]);
            change(&mut wanted);
            check(&wanted).unwrap_err()
        };
        assert!(wrong(|wanted| wanted.name = "../acme".to_owned()).contains("lower-case letters"));
        assert!(wrong(|wanted| wanted.roles = vec!["pagers".to_owned()]).contains("roles are identify, prompt"));
        assert!(wrong(|wanted| wanted.roles.clear()).contains("name a role"));
        assert!(wrong(|wanted| wanted.lang = "cobol".to_owned()).contains("known are: c, rust"));
    }
}
