//! Secrets that the runtime never typed are taken out by their look, whatever is asked for and however.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use jackfield::plugin::catalog::Catalog;
use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::engine::Engine;
use jackfield::plugin::load::Loader;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sshd::{PASSWORD, Sshd, account, sudoers};

/// Device type, a row of its output, what is left of it; `@` stands for what is taken out.
const ROWS: [(&str, &str, &str); 54] = [
    ("cisco_ios", "enable secret 5 $1$mERr$hx5rVt7rPNoS4wqbXKX7m0", "enable secret 5 @"),
    ("cisco_ios", "enable secret 9 $9$nhEmQVczB7dqsO$X.HsgL6x1il0RxkOSSvyQYwucySCt7qFm4v7pqCxkKM", "enable secret 9 @"),
    ("cisco_ios", "enable password 7 0822455D0A16", "enable password 7 @"),
    (
        "cisco_ios",
        "username admin privilege 15 secret 8 $8$dsYGNam3K1SIJO$7nv/35M/qr6t.dVc7UY9zrJDWRVqncHub1PE9UlMQFs",
        "username admin privilege 15 secret 8 @",
    ),
    ("cisco_ios", "username bob password 0 hunter2", "username bob password 0 @"),
    ("cisco_ios", " password 7 104D000A0618", " password 7 @"),
    ("cisco_ios", "snmp-server community s3cr3tRO RO 10", "snmp-server community @ RO 10"),
    ("cisco_ios", "snmp-server host 192.0.2.9 version 2c s3cr3tTrap", "snmp-server host 192.0.2.9 version 2c @"),
    ("cisco_ios", "tacacs-server host 192.0.2.5 key 7 01100F175804", "tacacs-server host 192.0.2.5 key 7 @"),
    ("cisco_ios", "radius-server key s3cr3t", "radius-server key @"),
    ("cisco_ios", " key 7 02050D480809", " key 7 @"),
    ("cisco_ios", "  key-string 7 14141B180F0B", "  key-string 7 @"),
    ("cisco_ios", "crypto isakmp key s3cr3t address 192.0.2.1", "crypto isakmp key @ address 192.0.2.1"),
    ("cisco_ios", " neighbor 192.0.2.1 password 7 1511021F0725", " neighbor 192.0.2.1 password 7 @"),
    ("cisco_ios", " ip ospf message-digest-key 1 md5 7 070C285F4D06", " ip ospf message-digest-key 1 md5 7 @"),
    ("cisco_ios", "ntp authentication-key 1 md5 060506324F41 7", "ntp authentication-key 1 md5 @ 7"),
    (
        "cisco_ios",
        "snmp-server user u g v3 auth sha authS3cret priv aes 128 privS3cret",
        "snmp-server user u g v3 auth sha @ priv aes 128 @",
    ),
    ("cisco_ios", " pre-shared-key local s3cr3t", " pre-shared-key local @"),
    (
        "juniper_junos",
        "        encrypted-password \"$6$abc$defghijklmnop\"; ## SECRET-DATA",
        "        encrypted-password \"@\"; ## SECRET-DATA",
    ),
    ("juniper_junos", "    authentication-key \"$9$kqmTIEyKvL\"; ## SECRET-DATA", "    authentication-key \"@\"; ## SECRET-DATA"),
    ("juniper_junos", "set system radius-server 192.0.2.3 secret \"$9$abcDEFghi\"", "set system radius-server 192.0.2.3 secret \"@\""),
    (
        "juniper_junos",
        "        pre-shared-key ascii-text \"$9$abcDEFghi\"; ## SECRET-DATA",
        "        pre-shared-key ascii-text \"@\"; ## SECRET-DATA",
    ),
    ("juniper_junos", "    community s3cr3t {", "    community @ {"),
    ("huawei_vrp", " local-user admin password irreversible-cipher $1a$x\"y$abcdefgh", " local-user admin password irreversible-cipher @"),
    ("huawei_vrp", "snmp-agent community read cipher %^%#abcdef%^%#", "snmp-agent community read cipher @"),
    ("fortinet", "        set passwd ENC AK1Vdyq6fBF5xKrLZ0", "        set passwd ENC @"),
    ("fortinet", "        set psksecret ENC abcDEF123==", "        set psksecret ENC @"),
    (
        "nokia_sros",
        "                password \"$2y$10$TQrZlpBDra86.qoexZUzQeBXDY1FcdDhGWdD9lLxMuFyPVSm0OGy6\"",
        "                password \"@\"",
    ),
    ("nokia_sros", "            authentication-key \"abcdefgh\" hash2", "            authentication-key \"@\" hash2"),
    ("paloalto_panos", "          phash $5$abcdefgh$ijklmnop;", "          phash @;"),
    ("aruba_cx", "user admin group administrators password ciphertext AQBapabc", "user admin group administrators password ciphertext @"),
    ("vyos", "    plaintext-password s3cr3t", "    plaintext-password s3cr3t"),
    (
        "cisco_nxos",
        "snmp-server user admin network-admin auth md5 0xabcdef01 priv 0xabcdef01 localizedkey",
        "snmp-server user admin network-admin auth md5 0x@ priv 0xabcdef01 localizedkey",
    ),
    ("mikrotik_routeros", "add name=vpn password=hunter2 profile=default", "add name=vpn password=@ profile=default"),
    ("mikrotik_routeros", "set wpa2-pre-shared-key=\"my long phrase\" name=home", "set wpa2-pre-shared-key=\"@\" name=home"),
    ("linux", "root:$y$j9T$saltsaltsalt$hashhashhashhash:19000:0:99999:7:::", "root:@:19000:0:99999:7:::"),
    ("linux", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=@"),
    // Typed lines, as the device sends them back.
    ("cisco_ios", "R1(config)#username bob secret Hunter2x", "R1(config)#username bob secret @"),
    ("cisco_ios", "R1(config-radius-server)#key Hunter2x", "R1(config-radius-server)#key @"),
    ("fortinet", "FGT (admin) # set password ENC AK1Vdyq6fBF5xKrLZ0", "FGT (admin) # set password ENC @"),
    ("huawei_vrp", "[~HUAWEI-aaa]local-user bob password cipher Hunter2x", "[~HUAWEI-aaa]local-user bob password cipher @"),
    ("mikrotik_routeros", "<r1] /snmp/community> add addresses=::/0 name=Hunter2x", "<r1] /snmp/community> add addresses=::/0 name=@"),
    // What only looks like one.
    ("cisco_ios", "service password-encryption", "service password-encryption"),
    ("cisco_ios", "aaa authentication login default group tacacs+ local", "aaa authentication login default group tacacs+ local"),
    ("cisco_ios", "key chain ospf", "key chain ospf"),
    ("cisco_ios", " key 1", " key 1"),
    ("cisco_ios", "no ip http server", "no ip http server"),
    ("cisco_ios", "set community 65000:100 additive", "set community 65000:100 additive"),
    ("juniper_junos", "    community CUSTOMER members 65000:100;", "    community CUSTOMER members 65000:100;"),
    ("cisco_ios", "username bob password 0 hunter2 role network-operator", "username bob password 0 @ role network-operator"),
    (
        "cisco_ios",
        "Nov 21 13:45:00 host sshd[812]: Failed password for root from 192.0.2.7 port 4022 ssh2",
        "Nov 21 13:45:00 host sshd[812]: Failed password for root from 192.0.2.7 port 4022 ssh2",
    ),
    ("cisco_ios", "% Password required, but none set", "% Password required, but none set"),
    ("linux", "passwd: password updated successfully", "passwd: password updated successfully"),
    ("linux", "PasswordAuthentication no", "PasswordAuthentication no"),
];

#[tokio::test]
async fn a_device_types_secrets_are_known_by_their_rows() {
    let catalog = Catalog::new(Vec::new(), BTreeMap::new(), Loader::new(Engine::start().unwrap(), None));
    let mut kinds: BTreeMap<&str, Arc<DeviceType>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, row, expected) in ROWS {
        if !kinds.contains_key(name) {
            let plugins = catalog.plugins_of(name).unwrap();
            kinds.insert(name, Arc::new(DeviceType::load(name, &plugins, &catalog).await.unwrap()));
        }
        let shown = kinds[name].mask.text(row).0;
        if shown != expected.replace('@', "[secret removed]") {
            wrong.push(format!("{name}: {row}\n  gives {shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn server(user: &str) -> (Sshd, String) {
    let home = account(user, Path::new("/bin/bash"));
    let server = Sshd::start();
    let _ = fs::remove_file(home.join("key"));
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f"]).arg(home.join("key")).status();
    assert!(made.unwrap().success());
    assert!(Command::new("chown").arg(user).arg(home.join("key")).status().unwrap().success());
    let key = fs::read_to_string(home.join("key")).unwrap();
    (server, key)
}

#[test]
fn a_private_key_and_a_token_are_not_given_in_any_way() {
    let (server, key) = server("jft-mask");
    let inside: Vec<&str> = key.lines().filter(|line| !line.contains("-----")).collect();
    assert!(inside.len() > 20);
    let mut client = Client::start(&server.device("web1", "jft-mask", "linux"));
    // Put together on the server, so that the caller's own line does not hold it.
    let token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    let command = "seq 3; cat key; printf 'T=%s_%s\\n' ghp abcdefghijklmnopqrstuvwxyz0123456789; echo end";
    for (target, lane) in [("web1", "session"), ("web1#pipe", "session"), ("web1", "exec")] {
        if target.contains('#') {
            client.call("ssh_open", json!({"host": "web1", "tty": false, "wait_s": 40}));
        }
        let ran = client.call("ssh_run", json!({"target": target, "command": command, "lane": lane, "wait_s": 40}));
        let output = ran["output"].as_str().unwrap_or_else(|| panic!("{ran}"));
        let expected =
            "1\n2\n3\n-----BEGIN RSA PRIVATE KEY-----\n[private key removed]\n-----END RSA PRIVATE KEY-----\nT=[secret removed]\nend\n";
        assert_eq!(output, expected, "{target} {lane}");
        let warnings = ran["warnings"].to_string();
        assert!(warnings.contains("2 secrets were taken out"), "{warnings}");
        let id = ran["command_id"].as_str().unwrap();
        let (start, end) = (ran["range"]["start"].as_u64().unwrap(), ran["range"]["end"].as_u64().unwrap());
        let mut replies = Vec::new();
        for offset in (start..end).step_by(97) {
            for extra in [json!({}), json!({"format": "base64"}), json!({"max_chars": 40}), json!({"grep": "."})] {
                let mut arguments = extra;
                arguments["command_id"] = id.into();
                arguments["offset"] = offset.into();
                replies.push((arguments.clone(), client.call("ssh_output", arguments)));
            }
        }
        for tail in 1..20 {
            let arguments = json!({"command_id": id, "tail": tail});
            replies.push((arguments.clone(), client.call("ssh_output", arguments)));
        }
        for (arguments, reply) in replies {
            let mut text = reply["output"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned();
            if arguments["format"] == "base64" {
                text = String::from_utf8_lossy(&from_base64(&text)).into_owned();
            }
            let part = inside.iter().find(|line| text.contains(line.get(..8).unwrap_or(line)) || text.contains(&line[line.len() - 8..]));
            assert!(part.is_none() && !text.contains("ghp_") && !text.contains("uvwxyz"), "{arguments}: {text}");
        }
        // A search cannot be used to guess what stands there.
        let guess = client.call("ssh_output", json!({"command_id": id, "grep": inside[3].get(..12).unwrap().replace('+', ".")}));
        assert_eq!(guess["output"], "", "{guess}");
    }
    let screen = client.call("ssh_screen", json!({"session": "web1"}));
    assert!(!screen.to_string().contains(inside[inside.len() - 2]) && screen.to_string().contains("[private key removed]"), "{screen}");
    // A caller's own line is kept without it.
    client.run("web1", &format!("echo {token} >/dev/null"));
    let history = client.call("ssh_history", json!({"query": "echo"}));
    assert!(!history.to_string().contains("ghp_a") && history.to_string().contains("echo [secret removed] >/dev/null"), "{history}");
}

fn from_base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn what_was_typed_once_is_masked_on_every_way_to_the_device() {
    let home = account("jft-typed", Path::new("/bin/bash"));
    sudoers("jft-typed", "jft-typed ALL=(ALL) ALL\nDefaults:jft-typed timestamp_timeout=0\n");
    let server = Sshd::start_with(|folder| {
        fs::write(folder.join("banner"), format!("hello {PASSWORD}\n")).unwrap();
        format!("Banner {}", folder.join("banner").display())
    });
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("sudo");
    fs::write(&source, format!("{PASSWORD}\n")).unwrap();
    fs::set_permissions(&source, fs::Permissions::from_mode(0o600)).unwrap();
    let way = server.device("web1", "jft-typed", "linux");
    let mut client = Client::start(&format!(
        "{way}mask = false\nsecrets.sudo = {{ file = \"{}\" }}\n[files]\nroots = [\"{}\"]\n",
        source.display(),
        folder.path().display()
    ));
    // These are there before it is typed.
    client.call("ssh_open", json!({"host": "web1", "tty": false, "wait_s": 40}));
    client.call("ssh_run", json!({"target": "web1", "command": "true", "lane": "exec", "wait_s": 40}));
    assert_eq!(client.run("web1", "sudo id -un")["output"], "root\n");
    fs::write(home.join("pw.txt"), format!("one\nthe word: {PASSWORD}\nthree\n")).unwrap();
    fs::write(home.join("pw.bin"), [b"\0\x01\x02".as_slice(), PASSWORD.as_bytes(), b"\xff\0"].concat()).unwrap();
    // A terminal shows it whole, and the bytes never do.
    let (first, rest) = PASSWORD.split_at(4);
    fs::write(home.join("drawn.txt"), format!("{}{rest}\r{first}\n", "_".repeat(first.len()))).unwrap();
    let inside = PASSWORD.get(2..5).unwrap();
    let mut replies = Vec::new();
    let ways = |client: &mut Client, replies: &mut Vec<Value>| {
        for (target, lane) in [("web1", "session"), ("web1#pipe", "session"), ("web1", "exec"), ("web1#later", "session")] {
            if target.contains("#pipe") {
                client.call("ssh_open", json!({"host": "web1", "tty": false, "wait_s": 40}));
            }
            for command in ["cat pw.txt", &format!("grep --color=always {inside} pw.txt"), "cat pw.txt >&2", "cat drawn.txt"] {
                let ran = client.call("ssh_run", json!({"target": target, "command": command, "lane": lane, "wait_s": 40}));
                assert!(ran.to_string().contains("[secret:sudo]"), "{target} {lane} {command}: {ran}");
                replies.push(ran);
            }
        }
        replies.push(client.call("ssh_screen", json!({"session": "web1"})));
        let read = client.call("ssh_file_read", json!({"target": "web1", "path": "pw.txt"}));
        assert!(read["text"].as_str().unwrap().contains("the word: [secret:sudo]\n"), "{read}");
        let bytes = client.call("ssh_file_read", json!({"target": "web1", "path": "pw.bin"}));
        assert!(bytes["text"].as_str().unwrap().contains("00 01 02 ** "), "{bytes}");
        let found = client.call("ssh_file_read", json!({"target": "web1", "path": ".", "grep": "the word"}));
        assert_eq!(found["matches"][0]["text"], "the word: [secret:sudo]", "{found}");
        // A pattern cannot be used to guess it.
        let drawn = client.call("ssh_output", json!({"session": "web1", "grep": PASSWORD}));
        assert_eq!(drawn["output"], "", "{drawn}");
        let guess = client.call("ssh_file_read", json!({"target": "web1", "path": ".", "grep": format!(": .*{inside}")}));
        assert_eq!(guess["matches"], json!([]), "{guess}");
        replies.extend([read, bytes, found]);
    };
    ways(&mut client, &mut replies);
    // What only begins like it is shown once nothing follows.
    let begin = PASSWORD.get(..7).unwrap();
    for (target, lane) in [("web1", "session"), ("web1#pipe", "session"), ("web1", "exec")] {
        let command = format!("printf '{begin}'; sleep 9");
        let ran = client.call("ssh_run", json!({"target": target, "command": command, "lane": lane, "wait_s": 5}));
        assert_eq!((ran["state"].as_str(), ran["output"].as_str()), (Some("running"), Some(begin)), "{target} {lane}: {ran}");
        client.call("ssh_output", json!({"command_id": ran["command_id"], "wait_s": 20}));
    }
    fs::write(home.join(PASSWORD), "").unwrap();
    let listed = client.call("ssh_file_read", json!({"target": "web1", "path": "."}));
    assert!(listed["entries"].to_string().contains("\"[secret:sudo]\""), "{listed}");
    let written = client.call("ssh_file_write", json!({"target": "web1", "path": "pw.txt", "old": "three", "new": "3"}));
    assert!(written["diff"].as_str().unwrap().contains(" the word: [secret:sudo]\n-three\n+3\n"), "{written}");
    let opened = client.call("ssh_open", json!({"host": "web1", "name": "more", "wait_s": 40}));
    assert_eq!(opened["banner"], "hello [secret:sudo]", "{opened}");
    let kept = home.join("kept");
    // What stands there from an earlier time belongs to the account.
    drop(fs::remove_dir_all(&kept));
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join(PASSWORD), "").unwrap();
    fs::set_permissions(kept.join(PASSWORD), fs::Permissions::from_mode(0o600)).unwrap();
    let down = json!({"target": "web1", "direction": "down", "local": folder.path().join("copies"), "remote": "kept", "wait_s": 40});
    let copied = client.call("ssh_transfer", down);
    assert!(copied["problems"].to_string().contains("[secret:sudo]"), "{copied}");
    let refused = client.error("ssh_file_read", json!({"target": "web1", "path": format!("kept/{PASSWORD}")}));
    assert!(refused.contains("[secret:sudo]"), "{refused}");
    replies.extend([listed, written, opened, copied, refused.into()]);
    // Also for those who come when everybody has gone.
    for session in ["web1", "web1#pipe", "web1#exec", "web1#later", "web1#more"] {
        client.call("ssh_close", json!({"session": session}));
    }
    ways(&mut client, &mut replies);
    for reply in replies {
        let text = reply.to_string();
        let hex = PASSWORD.bytes().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        assert!(!text.contains(PASSWORD) && !text.contains(&hex), "{text}");
        let parted = PASSWORD.split_once(inside).unwrap();
        assert!(!text.contains(&format!("[K{inside}")) && !text.contains(&format!("{}\\u001b", parted.0)), "{text}");
    }
}

#[test]
fn the_operator_may_want_the_exact_text() {
    let (server, key) = server("jft-exact");
    let mut client = Client::start(&format!("{}mask = false\n", server.device("web1", "jft-exact", "linux")));
    let ran = client.run("web1", "cat key");
    assert_eq!(ran["output"].as_str(), Some(key.as_str()));
    assert_eq!(ran["warnings"], Value::Null);
}
