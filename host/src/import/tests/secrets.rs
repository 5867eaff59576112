//! No value that a file marks as a secret is in any output, whatever the rest of the file is.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A secret: recognisable, and with whatever signs may break a form out of its quotes.
fn secret() -> impl Strategy<Value = String> {
    ("[A-Za-z0-9]{12}", "[ -~]{0,12}").prop_map(|(core, rest)| format!("S3CR{core}{rest}"))
}

/// What is left of a secret wherever it is shown: its begin.
fn core(secret: &str) -> &str {
    secret.get(..16).unwrap()
}

/// Names and the like, which may be anything.
fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9-]{0,11}", "[ -~]{0,12}", "\\PC{0,8}"]
}

fn check(sources: &[Source], from: Kind, secrets: &[String]) -> Result<(), TestCaseError> {
    for store in [false, true] {
        let all = match import(sources, &Options { from: Some(from), store, out: None }) {
            Ok(imported) => {
                let parsed: Result<toml::Table, _> = toml::from_str(&imported.toml);
                prop_assert!(parsed.is_ok(), "{:?}\n{}", parsed, imported.toml);
                shown(&imported)
            }
            Err(why) => why,
        };
        for secret in secrets {
            prop_assert!(!all.contains(core(secret)), "{} is shown", core(secret));
        }
    }
    Ok(())
}

/// A file of JSON, which YAML is too.
fn tree(path: &str, tree: serde_json::Value) -> Source {
    source(path, &tree.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_hosts_and_profiles(name in word(), host in word(), user in word(), first in secret(), second in secret()) {
        let secrets = [first.clone(), second.clone()];
        let entry = json!({ "id": name, "host": host, "username": user, "password": first, "extra": second });
        check(&[tree("hosts.json", json!({ "hosts": [entry] }))], Kind::HostsJson, &secrets)?;
        let profile = json!({ "host": host, "username": user, "password": first, "passphrase": second });
        check(&[tree("profiles.json", json!({ "profiles": { name: profile } }))], Kind::Profiles, &secrets)?;
    }

    #[test]
    fn of_variables(alias in "[a-z0-9.-]{1,8}", first in secret(), second in secret(), quote in prop_oneof!["", "'", "\""]) {
        let secrets = [first.clone(), second.clone()];
        let of_alias = format!("OVRD_{alias}_HOST=h\nOVRD_{alias}_PASS={quote}{first}{quote}\nOVRD_{alias}_ENABLE_PASS={second}\n");
        let text = format!("{of_alias}SSH_HOST=x\nSSH_PASSWORD={first}\n");
        check(&[source(".env", &text)], Kind::Env, &secrets)?;
        let words = json!(["--host=h", format!("--password={first}"), "--sudoPassword", second]);
        check(&[tree("mcp.json", json!({ "mcpServers": { alias: { "args": words } } }))], Kind::Env, &secrets)?;
        let device = json!({ "id": "a", "host": "h", "auth": { "passwordEnv": "SSH_PASSWORD", "passphrase": second } });
        let config = tree("ssh-session-mcp.config.json", json!({ "devices": [device] }));
        check(&[config, beside(".env", &text)], Kind::SessionConfig, &secrets)?;
    }

    #[test]
    fn of_an_inventory(name in word(), first in secret(), second in secret(), method in word(), os in word()) {
        let secrets = [first.clone(), second.clone()];
        let hosts = format!("[g]\n{name} ansible_password='{first}' ansible_network_os={os}\nok ansible_ssh_pass={first}\n");
        let ini = format!("{hosts}[g:vars]\nansible_become_pass={second}\nansible_become_method={method}\n");
        check(&[source("hosts", &ini)], Kind::Ansible, &secrets)?;
        let host = json!({ "ansible_password": "{{ vault_pw }}", "ansible_network_os": os });
        let group = json!({ "ansible_become_password": second, "ansible_become_method": method, "vault_pw": first });
        let variables = Source { role: Role::Beside, ..tree("group_vars/g.yml", group) };
        check(&[tree("hosts.yml", json!({ "g": { "hosts": { name: host } } })), variables], Kind::Ansible, &secrets)?;
    }

    #[test]
    fn of_network_tools(name in word(), kind in word(), first in secret(), second in secret(), extra in word()) {
        let secrets = [first.clone(), second.clone()];
        let device = json!({ "device_type": kind, "host": "h", "password": first, "secret": second, "passphrase": second, &extra: first });
        check(&[tree("devices.yml", json!({ &name: device }))], Kind::Netmiko, &secrets)?;
        let host = json!({ "hostname": "h", "platform": kind, "groups": ["g"] });
        let options = json!({ "netmiko": { "extras": { "secret": second, extra: second } } });
        let groups = tree("groups.yaml", json!({ "g": { "password": first, "connection_options": options } }));
        check(&[tree("hosts.yaml", json!({ name: host })), Source { role: Role::Beside, ..groups }], Kind::Nornir, &secrets)?;
    }

    #[test]
    fn of_a_router_db(name in word(), model in word(), password in secret(), enable in secret(), delimiter in "[:;,|]") {
        let row = [name, model, password.clone(), enable.clone()].join(&delimiter);
        let columns = "source: {csv: {delimiter: ':', map: {name: 0, model: 1, password: 2}, vars_map: {enable: 3}}}\n";
        check(&[source("router.db", &row), beside("config", columns)], Kind::Oxidized, &[password.clone(), enable.clone()])?;
        check(&[source("router.db", &row)], Kind::Oxidized, &[password, enable])?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", kind in 0..Kind::ALL.len()) {
        let read = import(&[source("file", &text)], &Options { from: Some(Kind::ALL[kind]), ..Options::default() });
        if let Ok(imported) = read {
            prop_assert!(toml::from_str::<toml::Table>(&imported.toml).is_ok(), "{}", imported.toml);
        }
        let _ = import(&[source("file", &text)], &Options::default());
    }
}
