//! The folders of `tests/`.

use super::*;

/// In every fixture each value that is a secret has this in it.
const SECRET: &str = "hunter2";

fn check(case: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/import/tests").join(case);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.file_name().unwrap().to_string_lossy().starts_with(['.', 'e']))
        .collect();
    files.sort();
    let mut sources = gather(&files).unwrap();
    for source in &mut sources {
        source.path = source.path.strip_prefix(&folder).unwrap().to_owned();
    }
    let imported = import(&sources, &Options::default()).unwrap();
    assert!(!shown(&imported).contains(SECRET), "{case}: a secret is shown");
    for (name, found) in [("expected.toml", imported.toml.clone()), ("expected.txt", told(&imported))] {
        let path = folder.join(name);
        if std::env::var_os("JACKFIELD_WRITE_EXPECTED").is_some() {
            std::fs::write(&path, &found).unwrap();
        }
        assert_eq!(found, std::fs::read_to_string(&path).unwrap_or_default(), "{case}/{name}");
    }
    // What is made is a configuration.
    crate::config::Config::parse(&imported.toml, Path::new("jackfield.toml"), Some(Path::new("/home/anna"))).unwrap();
    let stored = import(&sources, &Options { store: true, ..Options::default() }).unwrap();
    assert!(!shown(&stored).contains(SECRET), "{case}: a secret is shown with --store-secrets");
    for kept in &stored.values {
        assert!(stored.toml.contains(&format!("{{ keyring = \"{}\" }}", kept.entry)), "{case}: {} is kept for nobody", kept.entry);
        assert!(kept.value.contains(SECRET), "{case}: {} is no secret of the files", kept.entry);
    }
}

macro_rules! cases {
    ($($name:ident $folder:literal),* $(,)?) => {
        $(#[test] fn $name() { check($folder); })*
    };
}

cases! {
    a_session_config_with_its_env "session-config",
    hosts_with_passwords_in_clear_text "hosts-json",
    variables_of_a_dotenv_file "env.d",
    variables_of_an_mcp_client "mcp-client",
    profiles_with_policies "profiles",
    an_ansible_inventory_with_its_folders "ansible-ini",
    an_ansible_inventory_in_yaml "ansible-yaml",
    what_ansible_inventory_lists "ansible-list",
    netmiko_devices "netmiko",
    nornir_hosts_with_groups_and_defaults "nornir",
    an_oxidized_source_with_its_config "oxidized",
    an_oxidized_source_alone "oxidized-alone",
    the_same_names_in_two_files "duplicates",
}
