//! What the manifest takes out of exports, and what it leaves. Tests only.

use jackfield_plugin::testing::Secrets;

#[test]
fn what_is_secret_in_an_export_is_taken_out_and_nothing_else() {
    let secrets = Secrets::of(include_str!("../plugin.toml"));
    for row in ROWS {
        assert_eq!(secrets.hidden(&row.replace('@', "S3cr3t")), *row);
    }
    for row in NOT_SECRET {
        assert_eq!(secrets.hidden(row), *row);
    }
}

#[test]
fn a_line_that_comes_back_behind_a_prompt_is_known_too() {
    let secrets = Secrets::of(include_str!("../plugin.toml"));
    for prompt in ["[noc@r1] > ", "[noc@r1] /snmp/community> ", "<c@r1] /ip address<SAFE> "] {
        for row in ROWS.iter().chain(NOT_SECRET) {
            assert_eq!(secrets.hidden(&format!("{prompt}{}", row.replace('@', "S3cr3t"))), format!("{prompt}{row}"));
        }
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
