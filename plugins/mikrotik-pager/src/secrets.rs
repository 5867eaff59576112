//! What the manifest takes out of exports, and what it leaves. Tests only.

use jackfield_plugin::testing::Scene;

/// The manifest with its `[[sensitive]]` as triggers whose groups have names, so that what they capture can be seen.
fn scene() -> Scene {
    let (_, looks) = include_str!("../plugin.toml").split_once("[[sensitive]]").unwrap();
    let mut manifest = String::from("[[trigger]]\nname = \"look\"");
    let (mut before, mut in_class, mut groups) = (' ', false, 0);
    for line in looks.replace("[[sensitive]]", "[[trigger]]\nname = \"look\"").split_inclusive('\n') {
        let is_pattern = line.starts_with("match = ");
        let mut signs = line.chars().peekable();
        while let Some(sign) = signs.next() {
            manifest.push(sign);
            if is_pattern && before != '\\' {
                in_class = (in_class || sign == '[') && sign != ']';
                if sign == '(' && !in_class && signs.peek() != Some(&'?') {
                    groups += 1;
                    manifest.push_str(&format!("?P<g{groups}>"));
                }
            }
            before = if before == '\\' { ' ' } else { sign };
        }
    }
    Scene::new(&manifest)
}

/// The row with `@` in the place of what is not shown.
fn shown(scene: &Scene, row: &str) -> String {
    let hits = scene.view(row).hits;
    let secrets = hits.iter().flat_map(|hit| &hit.captures).map(|capture| &capture.value);
    secrets.filter(|secret| !secret.is_empty()).fold(row.to_owned(), |row, secret| row.replace(secret.as_str(), "@"))
}

#[test]
fn what_is_secret_in_an_export_is_taken_out_and_nothing_else() {
    let scene = scene();
    for row in ROWS {
        assert_eq!(shown(&scene, &row.replace('@', "S3cr3t")), *row);
    }
    for row in NOT_SECRET {
        assert_eq!(shown(&scene, row), *row);
    }
}

/// Rows of exports; `@` stands where a secret is.
const ROWS: &[&str] = &[
    "add name=vpn password=@ profile=default",
    "add name=bgp1 remote.address=192.0.2.1 tcp-md5-key=@",
    "add key=@ key-id=1",
    "/system ntp key add key-id=1 key=\"@\"",
    "/snmp community add name=@",
    "/snmp/community set [ find default=yes ] name=@ read-access=yes",
    "add addresses=192.0.2.0/24 name=@",
    "add addresses=::/0 authentication-protocol=SHA1 name=\"@\" security=private",
    "add name=@ write-access=yes",
    "set [ find default=yes ] name=@",
    "set [ find default=yes ] addresses=192.0.2.0/24 name=@ write-access=yes",
];

const NOT_SECRET: &[&str] = &[
    "add address=192.0.2.1/24 interface=ether1 name=lan",
    "set [ find default-name=ether1 ] name=wan",
    "add name=cfg1 security=home ssid=net",
    "add name=p1 public-key=\"abcdefgh\" interface=wg0",
    "add group=full name=bob",
];
