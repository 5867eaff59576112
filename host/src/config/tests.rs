//! Whole files: what they give, and the errors of those that are wrong.

use std::num::{NonZeroU16, NonZeroU64};
use std::time::Duration;

use super::*;
use crate::limits::PLUGIN_CONFIG_MAX_BYTES;
use crate::secret::SecretSource;

fn parse(text: &str) -> Result<Config, Vec<Diagnostic>> {
    Config::parse(text, Path::new("/etc/jack/c.toml"), Some(Path::new("/home/me")))
}

/// The diagnostics, one in a line, without the file.
fn lines(diagnostics: &[Diagnostic]) -> String {
    let lines = diagnostics.iter().map(|diagnostic| diagnostic.to_string().replace("/etc/jack/c.toml:", "") + "\n");
    lines.collect()
}

/// Each input has these errors and no other.
fn check(text: &str, expected: &str) {
    assert_eq!(parse(text).map(|_| ()).map_err(|diagnostics| lines(&diagnostics)), Err(expected.to_owned()), "{text}");
}

const FULL: &str = r#"
[device.core-sw1]
host = "10.0.0.1"
port = 0x8AE
user = "netops"
type = "cisco-ios"
key = "~/.ssh/id"
certificate = "certs/id-cert.pub"
password = { command = "pass show net/core-sw1" }
secrets.enable = { env = "CORE_ENABLE" }
secrets.snmp = { file = "~/snmp" }
via = "bastion"
algorithms = "legacy"
known_hosts = ["/etc/ssh/known", "own"]
tags = ["core", "ams"]
policy = "read-only"
idle_close = "2h"
keepalive = 30
mask = false
conceal = true
secrets_elsewhere = ["snmp"]
answers."Code" = "snmp"

[device."web.example.com"]
agent = false
idle_close = "never"
known_hosts = "~"
type = "auto"

[device.bastion]
agent = "/run/agent"
proxy = ["nc", "%h", "%p"]
secrets = { sudo = { keyring = "bastion" } }

[device.here]
local = true
type = "my-linux"

[type.my-linux]
plugins = ["posix-shell", "guard"]

[plugin.acme-olt]
path = "plugins/acme-olt.wasm"
digest = "sha256:00000000000000000000000000000000000000000000000000000000000000ff"
secrets = ["enable"]
config = { paging = "scroll 512", depth = 3, ratio = 0.5, on = true, list = [1, "b"], sub = { x = 1 } }
isolation = "session"
max_file_bytes = 8_388_608

[policy]
mode = "full"
"#;

#[test]
fn every_key_is_read_into_its_type() {
    let config = parse(FULL).map_err(|diagnostics| lines(&diagnostics)).unwrap();
    let device = config.devices.get("core-sw1").unwrap();
    let expected = Device {
        host: Some("10.0.0.1".to_owned()),
        port: NonZeroU16::new(2222),
        user: Some("netops".to_owned()),
        device_type: TypeChoice::Named(TypeName::new("cisco_ios")),
        key: Some(PathBuf::from("/home/me/.ssh/id")),
        certificate: Some(PathBuf::from("/etc/jack/certs/id-cert.pub")),
        password: Some(SecretSource::Command("pass show net/core-sw1".to_owned())),
        known_hosts: vec![PathBuf::from("/etc/ssh/known"), PathBuf::from("/etc/jack/own")],
        via: Some("bastion".to_owned()),
        proxy: None,
        secrets: BTreeMap::from([
            ("enable".to_owned(), SecretSource::Env("CORE_ENABLE".to_owned())),
            ("snmp".to_owned(), SecretSource::File(PathBuf::from("/home/me/snmp"))),
        ]),
        algorithms: Algorithms::Legacy,
        tags: vec!["core".to_owned(), "ams".to_owned()],
        policy: Some(PolicyMode::ReadOnly),
        idle_close: Some(Delay::After(Duration::from_secs(7200))),
        keepalive: Some(Delay::After(Duration::from_secs(30))),
        agent: Agent::Environment,
        local: false,
        untrusted: false,
        mask: false,
        conceal: true,
        secrets_elsewhere: vec!["snmp".to_owned()],
        answers: vec![("Code".to_owned(), "snmp".to_owned())],
        forward_agent: false,
        update_host_keys: None,
        ..Device::default()
    };
    assert_eq!(*device, expected);
    assert_eq!((device.host_or("core-sw1"), device.port_or_default()), ("10.0.0.1", 2222));

    let web = config.devices.get("web.example.com").unwrap();
    let expected =
        Device { agent: Agent::Off, idle_close: Some(Delay::Never), known_hosts: vec![PathBuf::from("/home/me")], ..Device::default() };
    assert_eq!(*web, expected);
    assert_eq!((web.host_or("web.example.com"), web.port_or_default()), ("web.example.com", 22));

    let bastion = config.devices.get("bastion").unwrap();
    assert_eq!(bastion.agent, Agent::Socket(PathBuf::from("/run/agent")));
    assert_eq!(bastion.proxy, Some(Proxy::Command(["nc", "%h", "%p"].map(str::to_owned).to_vec())));
    assert_eq!(bastion.secrets.get("sudo"), Some(&SecretSource::Keyring("bastion".to_owned())));
    assert!(config.devices.get("here").unwrap().local);
}

#[test]
fn types_plugins_and_policy_are_read() {
    let config = parse(FULL).unwrap();
    assert_eq!(config.types.get("my_linux").unwrap().plugins, ["posix-shell", "guard"]);
    let plugin = config.plugins.get("acme-olt").unwrap();
    assert_eq!(plugin.path.as_deref(), Some(Path::new("/etc/jack/plugins/acme-olt.wasm")));
    assert_eq!(plugin.digest.unwrap().as_bytes().last(), Some(&0xff));
    assert_eq!(plugin.secrets, Some(vec!["enable".to_owned()]));
    let json = serde_json::json!({ "paging": "scroll 512", "depth": 3, "ratio": 0.5, "on": true, "list": [1, "b"], "sub": { "x": 1 } });
    assert_eq!(serde_json::Value::Object(plugin.config.clone()), json);
    assert_eq!((plugin.isolation, plugin.max_file_bytes), (Isolation::Session, NonZeroU64::new(8_388_608)));
    assert_eq!(config.policy, PolicyMode::Full);
    assert_eq!(config.policy_for(config.devices.get("core-sw1").unwrap()), PolicyMode::ReadOnly);
    assert_eq!(config.policy_for(config.devices.get("bastion").unwrap()), PolicyMode::Full);
}

#[test]
fn an_empty_file_is_a_safe_configuration() {
    let config = parse("").unwrap();
    assert!(config.devices.is_empty() && config.types.is_empty() && config.plugins.is_empty());
    assert_eq!(config.policy, PolicyMode::Safe);
}

#[test]
fn unknown_keys_are_errors_with_the_nearest_name() {
    check(
        "devices = 1\n\n[device.sw1]\n  usr = \"x\"\n[type.a]\nplugins = [\"x\"]\nplugin = 1\n[plugin.b]\nsha256 = \"\"\n[policy]\nmod = 1\n",
        "1:1: unknown key `devices` at the top; did you mean `device`? known keys: device, type, plugin, policy, limits, audit, signing, forward, ssh, files, tools, http\n\
         4:3: unknown key `usr` in [device.sw1]; did you mean `user`? known keys: host, port, user, type, key, certificate, password, \
         known_hosts, via, proxy, secrets, algorithms, tags, policy, idle_close, keepalive, agent, local, untrusted, mask, conceal, secrets_elsewhere, answers, forward_agent, update_host_keys, line, baud, login\n\
         7:1: unknown key `plugin` in [type.a]; did you mean `plugins`? known keys: plugins, declared, title, terminal, cancel, \
         clear_line, live_keys, line_max, context, query, mode, setup, pager, question, goal, transition, candidate, block, error, policy, banners, identify, sensitive\n\
         9:1: unknown key `sha256` in [plugin.b]; known keys: path, digest, signer, secrets, config, isolation, max_file_bytes, max_parts\n\
         11:1: unknown key `mod` in [policy]; did you mean `mode`? known keys: mode, rule\n",
    );
    check(
        "[device.web.example.com]\n",
        "1:13: unknown key `example` in [device.web]; a name with dots stands in quotes, as in `[device.\"a.example.com\"]`; \
         known keys: host, port, user, type, key, certificate, password, known_hosts, via, proxy, secrets, algorithms, tags, policy, \
         idle_close, keepalive, agent, local, untrusted, mask, conceal, secrets_elsewhere, answers, forward_agent, update_host_keys, line, baud, login\n",
    );
}

#[test]
fn wrong_types_say_what_is_there_and_what_is_wanted() {
    check(
        "[device.sw1]\nhost = 10\nport = \"22\"\nuser = true\ntype = 1.5\nkey = []\nvia = 1979-05-27\nsecrets = \"x\"\nalgorithms = false\n\
         tags = \"core\"\npolicy = 3\nidle_close = true\nagent = 1\nlocal = \"yes\"\nknown_hosts = 1\nproxy = 1080\npassword = true\n",
        "2:1: `host` in [device.sw1] must be a name or an address, got an integer; for example `host = \"10.0.0.1\"`\n\
         3:1: `port` in [device.sw1] must be an integer from 1 to 65535, got a text; for example `port = 2222`\n\
         4:1: `user` in [device.sw1] must be a login name, got true or false; for example `user = \"netops\"`\n\
         5:1: `type` in [device.sw1] must be the name of a device type, got a number with a point; for example `type = \"cisco_ios\"`\n\
         6:1: `key` in [device.sw1] must be a path, got a list; for example `key = \"~/.ssh/id_ed25519\"`\n\
         7:1: `via` in [device.sw1] must be the name of a device, got a date; for example `via = \"bastion\"`\n\
         8:1: `secrets` in [device.sw1] must be a table, got a text; for example `secrets = { enable = { env = \"CORE_ENABLE\" } }`\n\
         9:1: `algorithms` in [device.sw1] must be one of the words default, legacy, got true or false; for example `algorithms = \"default\"`\n\
         10:1: `tags` in [device.sw1] must be a list, got a text; for example `tags = [\"core\"]`\n\
         11:1: `policy` in [device.sw1] must be one of the words read-only, safe, full, got an integer; for example `policy = \"read-only\"`\n\
         12:1: `idle_close` in [device.sw1] must be a time, got true or false; for example `idle_close = \"5m\"`\n\
         13:1: `agent` in [device.sw1] must be true, false or the path of a socket, got an integer; for example `agent = true`\n\
         14:1: `local` in [device.sw1] must be true or false, got a text; for example `local = true`\n\
         15:1: `known_hosts` in [device.sw1] must be a path or a list of paths, got an integer; for example `known_hosts = \"~/.ssh/known_hosts\"`\n\
         16:1: `proxy` in [device.sw1] must be an address or a command as a list of words, got an integer; for example `proxy = \"socks5://10.0.0.1:1080\"`\n\
         17:1: `password` in [device.sw1] must be the source of a secret, got true or false; for example `password = { env = \"VARIABLE\" }`\n",
    );
    check("device = 3\n", "1:1: `device` must be a table, got an integer; for example `device = { NAME = { host = \"10.0.0.1\" } }`\n");
    check("policy = \"safe\"\n", "1:1: `policy` must be a table, got a text; for example `policy = { mode = \"safe\" }`\n");
    check(
        "[device]\nsw1 = \"10.0.0.1\"\n",
        "2:1: [device.sw1] must be a table, got a text; for example `[device.NAME]` and below it `host = \"10.0.0.1\"`\n",
    );
}

#[test]
fn wrong_values_are_refused() {
    check(
        "[device.sw1]\nhost = \"netops@sw1\"\nport = 65536\nuser = \"-x\"\ntype = \"a b\"\nkey = \"~root/id\"\nalgorithms = \"legasy\"\n\
         tags = [\"a\", \"a\", \"b c\", 3]\npolicy = \"read_only\"\nidle_close = \"5 minutes\"\nproxy = \"nc %h %p\"\ncertificate = \"\"\n\
         keepalive = -1\nknown_hosts = [\"x\\u0000\"]\n",
        "2:1: `host` in [device.sw1] is not a host; write the name or the address alone; `user` and `port` are keys of their own\n\
         3:1: `port` in [device.sw1] must be an integer from 1 to 65535, got 65536; for example `port = 2222`\n\
         4:1: `user` in [device.sw1] is not a login name; use no blanks, and do not begin with `-`\n\
         5:1: `a b` cannot be the name of a type; use up to 64 letters, digits, `.`, `_`, `-`, and begin with neither `-` nor `.`\n\
         6:1: `key` in [device.sw1] begins with the home folder of another user; write the whole path\n\
         7:1: `algorithms` in [device.sw1] cannot be `legasy`; did you mean `legacy`? known words: default, legacy\n\
         8:14: `tags` in [device.sw1] has `a` twice\n\
         8:19: `b c` cannot be the name of a tag; use up to 64 letters, digits, `.`, `_`, `-`, and begin with neither `-` nor `.`\n\
         8:26: `tags` in [device.sw1] must be a list of texts, got an integer; for example `tags = [\"core\"]`\n\
         9:1: `policy` in [device.sw1] cannot be `read_only`; did you mean `read-only`? known words: read-only, safe, full\n\
         10:1: `idle_close` in [device.sw1] is no time; write seconds, or a number with `s`, `m`, `h` or `d`, up to 366 days: \
         `idle_close = \"5m\"`; `0` means never\n\
         11:1: `proxy` in [device.sw1] is not a proxy; write `proxy = \"socks5://10.0.0.1:1080\"`, `http://HOST:PORT`, `unix:///PATH`, or a \
         command as a list: `[\"nc\", \"-X\", \"5\", \"%h\", \"%p\"]`\n\
         12:1: `certificate` in [device.sw1] is empty; for example `certificate = \"~/.ssh/id_ed25519\"`\n\
         13:1: `keepalive` in [device.sw1] is no time; write seconds, or a number with `s`, `m`, `h` or `d`, up to 366 days: \
         `keepalive = \"5m\"`; `0` means never\n\
         14:16: `known_hosts` in [device.sw1] holds a control character; for example `known_hosts = \"~/.ssh/id_ed25519\"`\n",
    );
}

#[test]
fn names_cannot_be_taken_for_options_paths_or_patterns() {
    for name in ["-oProxyCommand=x", "-v", "..", ".hidden", "a/b", "a b", "web*", "", "a#2", "b\\u00fc", "x\\u001b[31m"] {
        for kind in ["device", "plugin", "type"] {
            let found = parse(&format!("[{kind}.\"{name}\"]\nplugins = [\"x\"]\n")).unwrap_err();
            let text = lines(&found);
            assert!(text.contains(&format!("cannot be the name of a {kind}")) && !text.contains('\u{1b}'), "{text}");
        }
    }
    let long = "x".repeat(65);
    assert!(lines(&parse(&format!("[device.{long}]")).unwrap_err()).contains("cannot be the name"));
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let forms = "say where it comes from: `{ env = \"VARIABLE\" }`, `{ file = \"PATH\" }`, `{ command = \"pass show NAME\" }`, \
                 `{ keyring = \"NAME\" }` or `{ credential = \"NAME\" }`; change a secret that was stored here";
    check(
        "[device.sw1]\npassword = \"hunter2\"\nsecrets.enable = \"hunter3\"\nsecrets.pin = 4711\n",
        &format!(
            "2:1: `password` in [device.sw1] is written out: a secret must not stand in this file; {forms}\n\
             3:9: `secrets.enable` in [device.sw1] is written out: a secret must not stand in this file; {forms}\n\
             4:9: `secrets.pin` in [device.sw1] is written out: a secret must not stand in this file; {forms}\n"
        ),
    );
    // Not even where it stands by mistake: without quotes, in the wrong key, in the place of a name.
    for text in [
        "[device.a]\npassword = hunter2\n",
        "[device.a]\npassword = 'hunter2\n",
        "[device.a]\npassword = { env = hunter2 }\n",
        "[device.a]\npassword = { env = \"$hunter2\" }\n",
        "[device.a]\npassword = { value = \"hunter2\" }\n",
        "[device.a]\npassword = [\"hunter2\"]\n",
        "[device.a]\npasword = \"hunter2\"\n",
        "[device.a]\npassword = \"hunter2\\q\"\n",
    ] {
        let found = lines(&parse(text).unwrap_err());
        assert!(!found.contains("hunter") && found.starts_with("2:"), "{found}");
    }
}

#[test]
fn a_source_has_exactly_one_kind() {
    let forms = "write `{ env = \"VARIABLE\" }`, `{ file = \"PATH\" }`, `{ command = \"pass show NAME\" }`, `{ keyring = \"NAME\" }` or `{ credential = \"NAME\" }`";
    check(
        "[device.sw1]\npassword = {}\nsecrets.a = { env = \"A\", file = \"b\" }\nsecrets.b = { command = [\"pass\"] }\nsecrets.\"-c\" = { env = \"X\" }\n",
        &format!(
            "2:1: `password` in [device.sw1] needs exactly one source; {forms}\n\
             3:9: `secrets.a` in [device.sw1] needs exactly one source; {forms}\n\
             4:15: `secrets.b.command` in [device.sw1] must be a shell command, got a list; for example `secrets.b.command = \"pass show NAME\"`\n\
             5:9: `-c` cannot be the name of a secret; use up to 64 letters, digits, `.`, `_`, `-`, and begin with neither `-` nor `.`\n"
        ),
    );
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    check(
        "[device.here]\nlocal = true\nhost = \"x\"\nkeepalive = 3\n[device.a]\nvia = \"b\"\nproxy = \"http://p:80\"\n[device.b]\n",
        "3:1: `host` in [device.here] has no meaning together with `local = true`\n\
         4:1: `keepalive` in [device.here] has no meaning together with `local = true`\n\
         7:1: `proxy` in [device.a] cannot stand beside `via`; set `proxy` on the first device of the chain\n",
    );
}

#[test]
fn jumps_name_devices_and_come_to_an_end() {
    check(
        "[device.a]\nvia = \"b\"\n[device.b]\nvia = \"c\"\n[device.c]\nvia = \"a\"\n[device.d]\nvia = \"d\"\n[device.e]\nvia = \"a\"\n\
         [device.web1]\nvia = \"bastoin\"\n[device.bastion]\n[device.here]\nlocal = true\n[device.f]\nvia = \"here\"\n",
        "2:1: `via` in [device.a] goes in a circle: a -> b -> c -> a\n\
         8:1: `via` in [device.d] goes in a circle: d -> d\n\
         12:1: `via` in [device.web1] names no device: `bastoin`; did you mean `bastion`? known devices: a, b, bastion, c, d, e, f, here\n\
         17:1: `via` in [device.f] names `here`, which is a local shell: there is no jump through it\n",
    );
}

#[test]
fn one_slip_on_thousands_of_devices_is_told_on_each_with_some_of_the_names() {
    let devices: String = (0..2_000).map(|number| format!("[device.sw{number}]\nvia = \"basiton\"\n")).collect();
    let found = parse(&format!("{devices}[device.bastion]\n")).unwrap_err();
    assert_eq!(found.len(), 2_000);
    for told in found.iter().map(ToString::to_string) {
        assert!(told.contains("did you mean `bastion`? known devices: bastion, sw") && told.ends_with(" and 1936 more"), "{told}");
        assert!(told.len() < 1_000, "{told}");
    }
}

#[test]
fn types_and_plugins_are_checked() {
    check(
        "[type.a-b]\nplugins = [\"x\"]\n[type.a_b]\nplugins = [\"x\"]\n[type.c]\n[type.d]\nplugins = []\n[type.auto]\nplugins = [\"x\"]\n\
         [type.e]\nplugins = [\"x\", \"x\", \"-y\"]\n[plugin.p]\ndigest = \"md5:00\"\nconfig = { at = 1979-05-27, n = [nan] }\n\
         isolation = \"sesion\"\nmax_file_bytes = 0\nsecrets = [1]\n",
        "3:7: type `a_b` is there twice; `-` and `_` are the same in type names\n\
         5:7: [type.c] has no plugins; for example `plugins = [\"cisco-enable\", \"guard\"]`, or `declared = \"FILE.toml\"`\n\
         6:7: [type.d] has no plugins; for example `plugins = [\"cisco-enable\", \"guard\"]`, or `declared = \"FILE.toml\"`\n\
         8:7: type name `auto` is taken: it means that the type is found out\n\
         11:17: `plugins` in [type.e] has `x` twice\n\
         11:22: `-y` cannot be the name of a plugin; use up to 64 letters, digits, `.`, `_`, `-`, and begin with neither `-` nor `.`\n\
         13:1: `digest` in [plugin.p] is not a digest; write `sha256:` and 64 hexadecimal digits, as `sha256sum FILE` prints them\n\
         14:12: `config.at` in [plugin.p] cannot be handed to a plugin; dates, `inf`, `nan` and integers beyond 64 bits do not exist in JSON: \
         write a text\n\
         14:34: `config.n` in [plugin.p] cannot be handed to a plugin; dates, `inf`, `nan` and integers beyond 64 bits do not exist in JSON: \
         write a text\n\
         15:1: `isolation` in [plugin.p] cannot be `sesion`; did you mean `session`? known words: shared, session\n\
         16:1: `max_file_bytes` in [plugin.p] must be a number of bytes, got 0; for example `max_file_bytes = 8388608`\n\
         17:12: `secrets` in [plugin.p] must be a list of texts, got an integer; for example `secrets = [\"enable\"]`\n",
    );
    let large = format!("[plugin.p]\nconfig = {{ x = \"{}\" }}\n", "y".repeat(PLUGIN_CONFIG_MAX_BYTES));
    check(&large, "2:1: `config` in [plugin.p] is 16392 bytes of JSON, more than 16384\n");
}

#[test]
fn syntax_errors_stand_beside_the_others() {
    check(
        "[device.sw1]\nuser = netops\nprt = 22\nhost =\n[device.sw2\n[policy]\nmode = \"save\"\nmode = \"safe\"\n",
        "2:8: a text must stand in quotes; for example `user = \"netops\"`\n\
         3:1: unknown key `prt` in [device.sw1]; did you mean `port`? known keys: host, port, user, type, key, certificate, password, \
         known_hosts, via, proxy, secrets, algorithms, tags, policy, idle_close, keepalive, agent, local, untrusted, mask, conceal, secrets_elsewhere, answers, forward_agent, update_host_keys, line, baud, login\n\
         4:7: a value is missing after `=`\n\
         5:12: unclosed table, expected `]`\n\
         7:1: `mode` in [policy] cannot be `save`; did you mean `safe`? known words: read-only, safe, full\n\
         8:1: key `mode` is there twice\n",
    );
    check("hunter2\n", "1:8: key with no value, expected `=`\n");
}

#[test]
fn no_text_upsets_the_reader() {
    // Every part of a right file, and the file with one byte changed: an answer, and never a position outside the text.
    for end in 0..FULL.len() {
        let mut changed = FULL.as_bytes().to_vec();
        if let Some(byte) = changed.get_mut(end) {
            *byte = b"=[]{}\"'.,#\n1x".iter().copied().cycle().nth(end % 13).unwrap();
        }
        for text in [FULL.get(..end).unwrap_or_default(), &String::from_utf8_lossy(&changed)] {
            for diagnostic in parse(text).err().unwrap_or_default() {
                let line = text.split('\n').nth(diagnostic.line - 1).unwrap_or_else(|| unreachable!("{diagnostic} in {text}"));
                assert!(diagnostic.column <= line.chars().count() + 1, "{diagnostic} in {text}");
            }
        }
    }
}

#[test]
fn names_are_compared_with_what_there_is() {
    let config = parse(
        "[device.a]\ntype = \"cisco-iso\"\n[device.b]\ntype = \"cisco-ios\"\n[device.c]\ntype = \"my_type\"\nsecrets.enable = { env = \"X\" }\n\
         [type.my-type]\nplugins = [\"guard\", \"gaurd\", \"olt\"]\n[plugin.olt]\npath = \"x.wasm\"\nsecrets = [\"enabel\"]\n[plugin.gard]\n",
    )
    .unwrap();
    assert_eq!(
        lines(&config.check_names(&["cisco_ios", "linux"], &["guard", "sudo"])),
        "2:1: unknown device type `cisco_iso` in [device.a]; did you mean `cisco_ios`? known types: cisco_ios, linux, my_type, auto\n\
         9:21: unknown plugin `gaurd` in [type.my_type]; did you mean `guard`? known plugins: guard, sudo, gard, olt\n\
         10:9: [plugin.olt] has a `path` and no `digest`; add `digest = \"sha256:…\"` with what `sha256sum FILE` prints\n\
         12:12: [plugin.olt] is granted the secret `enabel`, which no device has; did you mean `enable`? devices have: enable\n\
         13:9: no plugin `gard` in the binary; did you mean `guard`? for a plugin on disk add its `path`; plugins in the binary: guard, sudo\n"
    );
    assert_eq!(lines(&parse(FULL).unwrap().check_names(&["cisco-ios"], &["posix-shell", "guard"])), "");
}

#[test]
fn grants_are_compared_with_the_manifest() {
    let config = parse(
        "[device.c]\ntype = \"my-type\"\nsecrets.enable = { env = \"X\" }\n[type.my-type]\nplugins = [\"olt\"]\n[plugin.olt]\nsecrets = [\"sudo\"]\n",
    )
    .unwrap();
    assert_eq!(
        lines(&config.check_grants("olt", &["enable", "other"])),
        "6:9: plugin `olt` asks for the secret `enable`, which [device.c] has, and may not have it; to allow it, add \"enable\" to `secrets` \
         in [plugin.olt]\n\
         7:12: plugin `olt` never asks for the secret `sudo`; it asks for: enable, other\n"
    );
    assert_eq!(lines(&config.check_grants("olt", &["sudo", "other"])), "");
    assert_eq!(lines(&config.check_grants("unnamed", &["enable"])), "");
}

#[test]
fn the_nearest_device_is_offered() {
    let config = parse(FULL).unwrap();
    assert_eq!(config.nearest_device("core_sw"), Some("core-sw1"));
    assert_eq!(config.nearest_device("printer"), None);
}

#[test]
fn a_home_folder_is_needed_only_for_a_tilde() {
    let parse = |text| Config::parse(text, Path::new("c.toml"), None);
    let config = parse("[device.a]\nkey = \"id\"\n").unwrap();
    assert_eq!(config.devices.get("a").unwrap().key.as_deref(), Some(Path::new("id")));
    let found = parse("[device.a]\nkey = \"~/id\"\n").unwrap_err();
    assert_eq!(
        found.first().unwrap().to_string(),
        "c.toml:2:1: `key` in [device.a] begins with `~`, but there is no home folder ($HOME); write the whole path"
    );
}

#[test]
fn a_declared_type_is_read_with_its_places() {
    let text = "[type.box]\ntitle = \"a box\"\n[[type.box.mode]]\nname = \"cli\"\nprompt = '^(?P<host>[a-z]+)> $'\nexamples = [\n  \"a> \",\n  \"b> \",\n]\n";
    let config = Config::parse(text, Path::new("jackfield.toml"), None).unwrap();
    let declaration = config.types.values().next().unwrap().declaration.clone().unwrap();
    let mode = declaration.modes.first().unwrap();
    assert_eq!((declaration.title.as_str(), mode.name.as_str()), ("a box", "cli"));
    assert_eq!(mode.examples.iter().map(|example| (example.text.as_str(), example.line)).collect::<Vec<_>>(), [("a> ", 7), ("b> ", 8)]);
}

/// Line and message of each error, one in a line.
fn wrong(text: &str) -> String {
    let diagnostics = Config::parse(text, Path::new("jackfield.toml"), None).unwrap_err();
    diagnostics.iter().map(|found| format!("{}: {}", found.line, found.message)).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_wrong_in_a_declared_type_is_told_by_line() {
    let mode = "[[type.box.mode]]\nname = \"cli\"\nprompt = '^> $'\n";
    for (text, expected) in [
        ("[type.box]\ntitle = \"x\"\n".to_owned(), "1: a declared device type needs at least one mode"),
        ("[[type.box.mode]]\nname = \"cli\"\n".to_owned(), "1: `mode` in [type.box] has no `prompt`"),
        (format!("{mode}kind = \"incomplete\"\n"), "1: a mode of the kind `incomplete` needs a `meaning`: what the device waits for"),
        (format!("{mode}cut = 0\n"), "4: `mode.cut` in [type.box] must be a positive whole number, got 0"),
        (format!("{mode}[type.box.terminal]\ncolumns = 70000\n"), "5: `terminal.columns` in [type.box] is 70000; 2 to 1000 is a terminal"),
        (format!("{mode}[type.box.terminal]\ncolumns = 65535\n"), "5: `terminal.columns` in [type.box] is 65535; 2 to 1000 is a terminal"),
        (format!("{mode}[type.box.terminal]\nrows = 1\n"), "5: `terminal.rows` in [type.box] is 1; 2 to 1000 is a terminal"),
        (format!("{mode}[[type.box.setup]]\nline = \"x\"\nmodes = [\"exec\"]\n"), "6: `setup.modes` in [type.box] names no mode: `exec`"),
        (
            format!("{mode}[[type.box.pager]]\nmatch = 'x'\nkey = \" \"\nend = 'y'\n"),
            "4: `pager` in [type.box] has only one of `end` and `end_key`",
        ),
        (format!("[type.box]\nplugins = [\"guard\"]\n{mode}"), "1: [type.box] is declared and has not the plugin `declared`"),
    ] {
        assert_eq!(wrong(&text), expected, "{text}");
    }
}

/// Each is told once, whatever else it makes wrong. The table stands behind three lines.
#[test]
fn what_is_wrong_in_a_table_of_a_declared_type_is_told_once() {
    let goal = "name = \"root\"\ncommand = \"root\"\nto = \"cli\"\nquestion = 'x'\nsecret = \"root\"\n";
    let missing = "[type.box] is not a pattern: unclosed group";
    for (table, keys, expected) in [
        // What can never act.
        ("setup", "line = 'x'\n", "4: `setup` in [type.box] has no `modes`"),
        ("setup", "line = 'x'\nmodes = []\n", "6: `setup.modes` in [type.box] is empty"),
        ("goal", goal, "4: `goal` in [type.box] has no `from`"),
        ("goal", &format!("from = []\n{goal}"), "5: `goal.from` in [type.box] is empty"),
        ("identify", "score = 90\n", "4: [[identify]] has none of `server_id`, `text` and `prompt`"),
        ("identify", "text = 'x'\n", "4: `identify` in [type.box] has no `score`"),
        ("identify", "text = 'x'\nscore = 101\n", "4: `score` of [[identify]] is 101, from 1 to 100 is allowed"),
        ("identify", "text = 'x'\nscore = 300\n", "4: `score` of [[identify]] is 300, from 1 to 100 is allowed"),
        ("identify", "text = 'x'\nscore = 0\n", "6: `identify.score` in [type.box] must be a positive whole number, got 0"),
        ("identify", "text = '('\nscore = 90\n", &format!("5: `identify.text` in {missing}")),
        ("block", "opens = 'x'\nshows = 'x'\n", "4: [[block]] `x` needs either `end` or a group `(?P<end>...)` in `opens`"),
        ("block", "shows = 'x'\n", "4: `block` in [type.box] has no `opens`"),
        ("block", "opens = '('\nshows = 'x'\n", &format!("5: `block.opens` in {missing}")),
        ("block", "opens = 'x'\nend = ''\nshows = 'x'\n", "6: `block.end` in [type.box] is empty"),
        ("block", "opens = 'x'\nend = 'x'\nshows = '('\n", &format!("7: `block.shows` in {missing}")),
        ("sensitive", "match = ['(']\n", &format!("5: `sensitive.match` in {missing}")),
        (
            "sensitive",
            "match = ['x']\n",
            "5: `sensitive.match` in [type.box] cannot be used: sensitive `x` captures nothing: put what is to be taken out in parentheses",
        ),
    ] {
        let text = format!("[[type.box.mode]]\nname = \"cli\"\nprompt = '^> $'\n[[type.box.{table}]]\n{keys}");
        assert_eq!(wrong(&text), expected, "{text}");
    }
}

#[test]
fn a_declared_block_may_have_a_sign() {
    let text = "[[type.box.mode]]\nname = \"cli\"\nprompt = '^> $'\n\
                [[type.box.block]]\nopens = '^banner'\nend = 'x'\nshows = 'Enter'\nsign = '>'\n";
    let config = Config::parse(text, Path::new("jackfield.toml"), None).unwrap();
    let declaration = config.types.values().next().unwrap().declaration.clone().unwrap();
    assert_eq!(declaration.blocks.first().unwrap().spec.sign, ">");
}

#[test]
fn rules_are_handed_to_the_plugin_that_judges_by_them() {
    let text = r#"
[[policy.rule]]
name = "no-reload"
effect = "deny"
command = ["reload", "write erase"]
tags = "core"
hours = "18:00-08:00"
reason = "only in a change window"
"#;
    let config = parse(text).unwrap();
    let told = config.plugins[RULES].config["rules"].as_str().unwrap();
    assert_eq!(
        told,
        "rule no-reload\neffect deny\nreason only in a change window\ncommand reload\ncommand write erase\ntag core\nhours 18:00-08:00\n"
    );
}

#[test]
fn a_rule_that_is_wrong_is_told_by_key() {
    check(
        "[[policy.rule]]\nname = \"a\"\neffect = \"forbid\"\nmatch = \"(\"\nlanes = [\"write\"]\ndays = \"monday\"\nhours = \"8-18\"\n",
        "3:1: `rule.effect` in [policy] cannot be `forbid`; known words: allow, ask, deny\n\
         4:1: `rule.match` in [policy] is no regular expression: unclosed group; put `\\\\` before a sign that stands for itself\n\
         5:10: `rule.lanes` in [policy] cannot be `write`; known lanes: read, change, privilege, exfiltration, destructive\n\
         6:1: `rule.days` in [policy] cannot be `monday`; days are: mon, tue, wed, thu, fri, sat, sun\n\
         7:1: `rule.hours` in [policy] cannot be `8-18`; write a part of the day like `08:00-18:00`\n",
    );
}

/// Each of them would be a rule that never counts, or one that counts for everything.
#[test]
fn bounds_that_do_not_mean_what_they_seem_to_are_refused() {
    let rule = "[[policy.rule]]\nname = \"a\"\neffect = \"deny\"\n";
    check(
        &format!(
            "{rule}match = \"systemctl stop *\"\ncommand = [\"reload\", \"systemctl stop *\"]\ndevices = []\ntags = \"core*\"\n\
             types = [\"cisco_*\"]\n"
        ),
        "4:1: `rule.match` in [policy] has ` *`, which is any number of blanks in a regular expression; write ` .*` for any text\n\
         5:22: `rule.command` in [policy] has a `*`, and `command` is words without patterns; it is how commands begin, so leave a `*` at the \
         end out; a pattern is `match = \"systemctl .* nginx\"`\n\
         6:1: `rule.devices` in [policy] is empty; name what the rule is for, or leave `devices` out where it is for all\n\
         7:1: `core*` cannot be the name of a tag; use up to 64 letters, digits, `.`, `_`, `-`, and begin with neither `-` nor `.`\n\
         8:10: `cisco_*` cannot be the name of a type; use up to 64 letters, digits, `.`, `_`, `-`, and begin with neither `-` nor `.`\n",
    );
    check(
        &format!("{rule}match = \"systemctl * nginx\"\n"),
        "4:1: `rule.match` in [policy] has ` *`, which is any number of blanks in a regular expression; write ` .*` for any text\n",
    );
    parse(&format!("{rule}match = ['clear ip bgp \\*', \"systemctl stop .*\"]\ndevices = \"core-*\"\n")).unwrap();
}

#[test]
fn a_rule_that_names_what_is_not_there_is_told() {
    let rule = "[[policy.rule]]\nname = \"a\"\neffect = \"deny\"\n";
    let bounds = "devices = [\"core-*\", \"cor-sw1\", \"edge-*\"]\ntags = \"cor\"\ntypes = [\"cisco-ios\", \"mine\", \"cisco_iso\"]\n";
    let config = parse(&format!("[device.core-sw1]\ntags = [\"core\"]\n[type.mine]\nplugins = [\"x\"]\n{rule}{bounds}")).unwrap();
    assert_eq!(
        lines(&config.check_rules(&["cisco_ios"])),
        "8:22: the rule `a` never counts for `cor-sw1`: `devices` names no device; did you mean `core-sw1`? devices: core-sw1\n\
         8:33: the rule `a` never counts for `edge-*`: `devices` names no device; devices: core-sw1\n\
         9:1: the rule `a` never counts for `cor`: `tags` names a tag that no device has; did you mean `core`? tags: core\n\
         10:31: the rule `a` never counts for `cisco_iso`: `types` names no device type; did you mean `cisco_ios`? known types: cisco_ios, mine\n"
    );
    // Rules that stand alone may be tried on a type.
    assert_eq!(lines(&parse(&format!("{rule}tags = \"core\"\n")).unwrap().check_rules(&[])), "");
}

#[test]
fn hours_that_end_where_they_begin_are_none() {
    let rule = "[[policy.rule]]\nname = \"a\"\neffect = \"deny\"\nmatch = \"x\"\n";
    check(
        &format!("{rule}hours = [\"00:00-24:00\", \"08:00-08:00\"]\n"),
        "5:25: `rule.hours` in [policy] cannot be `08:00-08:00`; write a part of the day like `08:00-18:00`\n",
    );
    parse(&format!("{rule}hours = [\"00:00-24:00\", \"22:00-06:00\", \"18:00-00:00\"]\n")).unwrap();
}

#[test]
fn limits_are_read_and_have_bounds_themselves() {
    let config = parse("[limits]\ncalls_per_minute = 30\nsessions = 4\n").unwrap();
    let expected = Limits { calls_per_minute: 30, sessions: 4, ..Limits::default() };
    assert_eq!(config.limits, expected);
    check(
        "[limits]\ncalls = 1\nsessions = 100000\ncommands = 0\n",
        "2:1: unknown key `calls` in [limits]; did you mean `calls_per_minute`? known keys: calls_per_minute, commands_per_device, commands, devices_per_hour, denials, output_chars, sessions\n\
         3:1: `sessions` in [limits] cannot be more than 8192; this program holds no more\n\
         4:1: `commands` in [limits] must be a positive integer, got 0; for example `commands = 100`\n",
    );
}

/// Every key that the schema gives for the table at this path, and every key that the reader takes there.
#[test]
fn the_schema_has_the_keys_that_the_reader_takes_and_no_others() {
    let schema = schema::schema();
    let tables = [
        ("", SECTIONS.to_vec()),
        ("/properties/device/additionalProperties", device::KEYS.to_vec()),
        ("/properties/type/additionalProperties", plugin::type_keys()),
        ("/properties/plugin/additionalProperties", plugin::KEYS.to_vec()),
        ("/properties/device/additionalProperties/properties/login/items", login::KEYS.to_vec()),
        ("/properties/policy", POLICY_KEYS.to_vec()),
        ("/properties/policy/properties/rule/items", policy::keys()),
        ("/properties/limits", limits::KEYS.to_vec()),
        ("/properties/audit", audit::KEYS.to_vec()),
        ("/properties/signing", SIGNING_KEYS.to_vec()),
        ("/properties/tools", tools::KEYS.to_vec()),
        ("/properties/http", http::KEYS.to_vec()),
        ("/$defs/source", source::KEYS.to_vec()),
    ];
    let declared = "/properties/type/additionalProperties/properties";
    let nested = declaration::TABLES.iter().map(|(name, keys)| {
        let path = format!("{declared}/{name}");
        let path = if schema.pointer(&format!("{path}/items")).is_some() { format!("{path}/items") } else { path };
        (path, keys.to_vec())
    });
    for (path, mut keys) in tables.into_iter().map(|(path, keys)| (path.to_owned(), keys)).chain(nested) {
        let table = schema.pointer(&path).unwrap_or_else(|| panic!("no {path}"));
        let mut found: Vec<&str> = table["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, keys, "{path}");
        assert_eq!(table["additionalProperties"], false, "{path}");
        assert!(table["properties"].as_object().unwrap().values().all(|value| !value.is_null()), "{path}: a key without a description");
    }
}

/// The reader takes exactly the keys of those tables: each known one is no error for its name, and another one is.
#[test]
fn the_reader_refuses_a_key_that_is_in_no_table() {
    for (head, keys) in [
        ("[device.a]", device::KEYS.to_vec()),
        ("[[device.a.login]]", login::KEYS.to_vec()),
        ("[type.a]", plugin::type_keys()),
        ("[plugin.a]", plugin::KEYS.to_vec()),
        ("[policy]", POLICY_KEYS.to_vec()),
        ("[[policy.rule]]", policy::keys()),
        ("[limits]", limits::KEYS.to_vec()),
        ("[audit]", audit::KEYS.to_vec()),
        ("[signing]", SIGNING_KEYS.to_vec()),
        ("[tools]", tools::KEYS.to_vec()),
        ("[http]", http::KEYS.to_vec()),
    ] {
        for key in keys.into_iter().chain(["no_such_key"]) {
            let told = parse(&format!("{head}\n{key} = 1979-05-27\n")).map_err(|diagnostics| lines(&diagnostics)).err().unwrap_or_default();
            assert_eq!(told.contains("unknown key"), key == "no_such_key", "{head} {key}: {told}");
        }
    }
}

mod consoles;

mod random {
    use proptest::prelude::*;

    use super::*;

    /// A valid configuration to start from.
    const README: &str = include_str!("../../../README.md");

    fn example() -> String {
        let parts = README.split("```toml").skip(1).filter_map(|part| part.split("```").next());
        parts.filter(|part| part.contains("[device.")).collect::<Vec<_>>().join("\n")
    }

    /// Reads it; each error has a place in the text.
    fn read(text: &str) -> Result<(), TestCaseError> {
        if let Err(diagnostics) = parse(text) {
            prop_assert!(!diagnostics.is_empty());
            let rows = text.split('\n').count();
            for diagnostic in diagnostics {
                prop_assert!((1..=rows).contains(&diagnostic.line), "{diagnostic}");
                let row = text.split('\n').nth(diagnostic.line - 1).unwrap_or_default();
                prop_assert!((1..=row.chars().count() + 1).contains(&diagnostic.column), "{diagnostic}");
                prop_assert!(!diagnostic.message.is_empty());
            }
        }
        Ok(())
    }

    /// A table of any shape, with keys that mean something as often as not.
    fn tables() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            prop::sample::select(
                ["host", "port", "user", "type", "password", "secrets", "via", "proxy", "tags", "mode", "plugins", "config"].to_vec()
            )
            .prop_map(str::to_owned),
            "[a-z_.\"]{1,8}",
        ];
        let value = prop_oneof![
            "\"[ -~]{0,12}\"",
            "-?[0-9]{1,20}",
            Just("true".to_owned()),
            Just("{ env = \"A\" }".to_owned()),
            Just("[1, \"a\", []]".to_owned()),
            Just("1979-05-27".to_owned()),
            "[\\PC]{0,6}",
        ];
        let head = prop_oneof![Just("[device.a]"), Just("[type.a]"), Just("[plugin.a]"), Just("[policy]"), Just("[[device]]"), Just("")];
        let row = (key, value).prop_map(|(key, value)| format!("{key} = {value}\n"));
        prop::collection::vec((head, prop::collection::vec(row, 0..5)), 0..5)
            .prop_map(|tables| tables.into_iter().map(|(head, rows)| format!("{head}\n{}", rows.concat())).collect())
    }

    #[test]
    fn the_example_is_right() {
        assert!(parse(&example()).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_told_with_its_place(text in "(\\PC|[\\n\\t\\r\"'=\\[\\]{}.,#]){0,200}") {
            read(&text)?;
        }

        #[test]
        fn any_tables_are_read_or_told_with_their_place(text in tables()) {
            read(&text)?;
        }

        #[test]
        fn a_changed_example_is_read_or_told_with_its_place(
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "\\PC{0,4}"), 1..6)
        ) {
            let mut text = example();
            for (at, length, by) in changes {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                let from = at.index(places.len().max(1));
                let (start, end) = (places.get(from).copied().unwrap_or(0), places.get(from + length).copied().unwrap_or(text.len()));
                text.replace_range(start..end, &by);
            }
            read(&text)?;
        }
    }
}
