//! Is this a router of this kind? Nothing is typed to find out.

use jackfield_plugin::View;

/// 0 to 100, from the SSH identification and the first screen.
pub(crate) fn score(server_id: &str, screen: &View) -> u32 {
    let software = server_id.splitn(3, '-').nth(2).unwrap_or_default();
    if software.starts_with("ROSSSH") {
        return 100;
    }
    let greets = screen.recent.lines().any(|row| row.trim_start().starts_with("MikroTik RouterOS "));
    if greets { 90 } else { 0 }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::*;

    #[test]
    fn the_server_names_itself() {
        let empty = Scene::new("").view("");
        assert_eq!(score("SSH-2.0-ROSSSH", &empty), 100);
        for other in ["SSH-2.0-OpenSSH_9.2p1 Debian-2", "SSH-2.0-Cisco-1.25", "SSH-2.0-", "", "ROSSSH", "SSH-2.0-x-ROSSSH"] {
            assert_eq!(score(other, &empty), 0, "{other}");
        }
    }

    #[test]
    fn behind_a_proxy_the_greeting_tells() {
        let mut screen = Scene::new("").view("[admin@MikroTik] > ");
        screen.recent = "\n  MikroTik RouterOS 7.16 (c) 1999-2024       https://www.mikrotik.com/\n".to_owned();
        assert_eq!(score("SSH-2.0-proxy", &screen), 90);
        screen.recent = "ssh to the MikroTik RouterOS box".to_owned();
        assert_eq!(score("SSH-2.0-proxy", &screen), 0);
    }
}
