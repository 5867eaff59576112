//! Is this a router of this kind? Nothing is typed to find out.

use jackfield_plugin::View;

/// 0 to 100, from the SSH identification, the banner and the first screen.
pub(crate) fn score(server_id: &str, banner: &str, screen: &View) -> u32 {
    let software = server_id.splitn(3, '-').nth(2).unwrap_or_default();
    if software.starts_with("ROSSSH") {
        return 100;
    }
    let mut rows = banner.lines().chain(screen.recent.lines());
    if rows.any(|row| row.trim_start().starts_with("MikroTik RouterOS ")) {
        return 95;
    }
    // Nobody else writes a user and a name in brackets with a space on both sides of the sign.
    let is_prompt = ["root", "menu", "safe"].iter().any(|mode| screen.hit(mode).is_some_and(|hit| hit.group("name").is_some()));
    if is_prompt { 85 } else { 0 }
}

#[cfg(test)]
mod tests {
    use jackfield_plugin::testing::Scene;

    use super::*;

    #[test]
    fn the_server_names_itself() {
        let empty = Scene::new("").view("");
        assert_eq!(score("SSH-2.0-ROSSSH", "", &empty), 100);
        for other in ["SSH-2.0-OpenSSH_9.2p1 Debian-2", "SSH-2.0-Cisco-1.25", "SSH-2.0-", "", "ROSSSH", "SSH-2.0-x-ROSSSH"] {
            assert_eq!(score(other, "", &empty), 0, "{other}");
        }
    }

    #[test]
    fn behind_a_proxy_the_greeting_tells() {
        let mut screen = Scene::new("").view("[admin@MikroTik] > ");
        screen.recent = "\n  MikroTik RouterOS 7.16 (c) 1999-2024       https://www.mikrotik.com/\n".to_owned();
        assert_eq!(score("SSH-2.0-proxy", "", &screen), 95);
        screen.recent = "ssh to the MikroTik RouterOS box".to_owned();
        assert_eq!(score("SSH-2.0-proxy", "", &screen), 0);
        assert_eq!(score("SSH-2.0-proxy", "MikroTik RouterOS 7.16\n", &screen), 95);
    }

    #[test]
    fn without_a_greeting_the_prompt_tells() {
        let scene = Scene::new(include_str!("../plugin.toml"));
        for (row, expected) in [
            ("[admin@MikroTik] > ", 85),
            ("[admin@Test Router] /ip/address> ", 85),
            ("<VERY-LONG] > ", 0),
            ("[root@vm ~]# ", 0),
            ("<core>", 0),
        ] {
            assert_eq!(score("SSH-2.0-OpenSSH_9.2", "", &scene.view(row)), expected, "{row}");
        }
    }
}
