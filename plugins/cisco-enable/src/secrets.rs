//! What the manifest takes out of configurations, and what it leaves. Tests only. Most of the looks stand in the manifest of the
//! declared types as well, and are proven for both here.

use jackfield_plugin::testing::Secrets;

#[test]
fn what_is_secret_in_a_configuration_is_taken_out_and_nothing_else() {
    let own = Secrets::of(include_str!("../plugin.toml"));
    let declared = Secrets::of(include_str!("../../declared/plugin.toml"));
    let secret = |row: &str| row.replace('@', "S3cr3t");
    for row in ROWS.iter().chain(SERVER_ROWS).chain(NOT_SECRET) {
        assert_eq!(own.hidden(&secret(row)), *row);
    }
    for row in ROWS.iter().chain(DECLARED_ROWS).chain(NOT_SECRET) {
        assert_eq!(declared.hidden(&secret(row)), *row);
    }
}

#[test]
fn a_line_that_comes_back_behind_a_prompt_is_known_too() {
    let own = Secrets::of(include_str!("../plugin.toml"));
    let declared = Secrets::of(include_str!("../../declared/plugin.toml"));
    let check = |secrets: &Secrets, prompt: &str, row: &str| {
        let row = row.trim_start();
        assert_eq!(secrets.hidden(&format!("{prompt}{}", row.replace('@', "S3cr3t"))), format!("{prompt}{row}"));
    };
    for prompt in ["R1(config)#", "sw1.lab(config-if)# ", "sw(s1)(config)#"] {
        ROWS.iter().chain(SERVER_ROWS).chain(NOT_SECRET).for_each(|row| check(&own, prompt, row));
    }
    for prompt in DECLARED_PROMPTS {
        ROWS.iter().chain(DECLARED_ROWS).chain(NOT_SECRET).for_each(|row| check(&declared, prompt, row));
    }
}

/// Rows of configurations; `@` stands where a secret is.
const ROWS: &[&str] = &[
    "enable secret 5 @",
    "username Bob password 7 @",
    "username bob common-criteria-policy P password 0 @",
    "username bob privilege 15 algorithm-type scrypt secret @",
    " neighbor PEERS password 7 @",
    " neighbor 2001:DB8::1 password @",
    " pre-shared-key address 203.0.113.1 key @",
    " pre-shared-key address 203.0.113.0 255.255.255.0 key 6 @",
    " pre-shared-key hostname r2.example key @",
    "crypto isakmp key @ address 192.0.2.1",
    " key 0 @",
    " key 7 @",
    " server-private 192.0.2.1 key @",
    " server-private 192.0.2.1 auth-port 1812 acct-port 1813 key 7 @",
    " client 192.0.2.1 server-key @",
    " client 192.0.2.1 vrf MGMT server-key 7 @",
    " area-password @",
    " area-password @ authenticate snp validate",
    " area-password clear @",
    " domain-password @",
    " isis password @ level-2",
    " standby 1 authentication @",
    " standby 1 authentication text @",
    " standby authentication @",
    " standby 1 authentication md5 key-string @",
    " standby 1 authentication md5 key-string 7 @ timeout 30",
    " vrrp 1 authentication text @",
    " vrrp 1 peer authentication ietf-md5 key-string 7 @",
    " glbp 1 authentication text @",
    " ip nhrp authentication @",
    " ip ospf authentication-key 0 @",
    " ip ospf message-digest-key 1 md5 @",
    " authentication mode hmac-sha-256 7 @",
    "ntp authentication-key 1 md5 @ 7",
    "ntp authentication-key 1 hmac-sha2-256 @ 7",
    " security wpa psk set-key ascii 0 @",
    " ipv4 etr map-server 192.0.2.1 key 0 @",
    " set session-key inbound esp 256 cipher @",
    "snmp-server user u g v3 auth sha @ priv aes 128 @",
    "radius-server host 192.0.2.1 key @",
];

/// In the block of a server, where nothing else says what the row is.
const SERVER_ROWS: &[&str] = &[" key @", " server-key @"];

/// What stands before a line that other vendors' devices send back.
const DECLARED_PROMPTS: &[&str] = &[
    "RP/0/RSP0/CPU0:R1(config)#",
    "FGT (global) # ",
    "[~HUAWEI-aaa]",
    "HRP_M[FW1]",
    "admin@FW-1(active)# ",
    "*A:router>config>router# ",
    "(UBNT EdgeSwitch) (Interface 0/1)#",
    "* Slot-1 Stack.5 # ",
    "root@(bigip1)(cfg-sync In Sync)(Active)(/Common)(tmos)# ",
    "SW Building 4(config)# ",
];

/// Rows of other vendors.
const DECLARED_ROWS: &[&str] = &[
    "enable password @ pbkdf2",
    "username admin password @ pbkdf2 privilege 15",
    "set protocols ospf area 0.0.0.0 interface ge-0/0/0.0 authentication md5 1 key \"@\"",
    "mpls ldp md5-password cipher 192.0.2.1 @",
    " local-user admin password irreversible-cipher @",
    " ospf authentication-mode md5 1 cipher @",
    " lsp-password hmac-md5 encrypted @",
    "  message-digest-key 1 md5 encrypted @",
    "            authentication-key \"@\" hash2",
    "            authentication-key 1 key \"@\" hash2 type des",
];

const NOT_SECRET: &[&str] = &[
    " key 1",
    "key chain ospf",
    " standby 1 authentication md5 key-chain HSRP",
    " key-chain OSPF",
    "aaa authentication login default group tacacs+ local",
    "service password-encryption",
    " authentication pre-share",
    " client 192.0.2.1",
    " server-private 192.0.2.1 auth-port 1812",
    "ip nhrp authentication",
    "crypto key generate rsa modulus 2048",
    // In another vendor's words, which the same patterns know.
    "set system ntp authentication-key 1 type md5",
    "  key          Set the key",
    "drwx        4096  Nov 21 2024 13:45:00 +00:00  secret files",
];
