//! Is it one of our devices? Nothing is typed to find out.

/// 0 is no, 100 is certain. `server_id` is the SSH identification string, `banner` what the server says before the login.
pub fn score(server_id: &str, banner: &str) -> u32 {
    if server_id.contains("-BoxOS_") {
        90
    } else if banner.contains("BoxOS") {
        60
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_says_who_it_is() {
        assert_eq!(score("SSH-2.0-BoxOS_1.0", ""), 90);
        assert_eq!(score("SSH-2.0-OpenSSH_9.6", "Welcome to BoxOS"), 60);
        assert_eq!(score("SSH-2.0-OpenSSH_9.6", ""), 0);
    }
}
