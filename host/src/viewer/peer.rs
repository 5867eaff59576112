//! Which account has the other end of a connection.
//!
//! Every account of a machine reaches its loopback interface, and may come by what lets a browser in: a link stands in the arguments of the
//! program that opens the browser, where all can read it, and a browser sends its cookie to every port of a host. So the system is asked
//! whose the other end is, as it is for a socket in a folder.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};

/// The system's tables of connections. A socket of IPv6 can be connected by IPv4: it stands in the second.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
/// Both ends are there. The account of one that is being closed is not told any more.
const ESTABLISHED: &str = "01";
/// May do everything anyway, and is who carries the connections of browsers outside of a virtual machine into it.
const ROOT: u32 = 0;

/// Whether what has connected from `from` to our `to` belongs to the account `own`. An end that is in no table is not on this system: the
/// machine around it has let it in.
pub(super) fn is_own(from: SocketAddr, to: SocketAddr, own: Option<u32>) -> bool {
    let ends: Vec<_> = written(from).into_iter().zip(written(to)).collect();
    for table in TABLES {
        // Some systems show their tables to nobody.
        let Ok(table) = File::open(table) else { continue };
        match account(BufReader::new(table), &ends) {
            Ok(None) => {}
            Ok(Some(account)) => return account.is_some_and(|account| account == ROOT || own == Some(account)),
            Err(_) => return false,
        }
    }
    true
}

/// The account of the end that is connected in one of these ways: the inner one is absent where it is being closed.
fn account(table: impl BufRead, ends: &[(String, String)]) -> io::Result<Option<Option<u32>>> {
    for line in table.lines() {
        let line = line?;
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, near, far, state, _, _, _, account, ..] = fields.as_slice() else { continue };
        if ends.iter().any(|(from, to)| near == from && far == to) {
            return Ok(Some(account.parse().ok().filter(|_| *state == ESTABLISHED)));
        }
    }
    Ok(None)
}

/// An address in each way in which the tables may have it.
fn written(address: SocketAddr) -> Vec<String> {
    let in_words = |octets: &[u8]| {
        // The tables have words of four bytes in the machine's own order.
        let words = octets.chunks_exact(4).filter_map(|word| word.try_into().ok()).map(u32::from_ne_bytes);
        let words: Vec<String> = words.map(|word| format!("{word:08X}")).collect();
        format!("{}:{:04X}", words.concat(), address.port())
    };
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => vec![in_words(&ip.octets()), in_words(&ip.to_ipv6_mapped().octets())],
        IpAddr::V6(ip) => vec![in_words(&ip.octets())],
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

    use super::*;
    use crate::private::own_user;

    /// Of a machine whose words begin with their lowest byte.
    #[cfg(target_endian = "little")]
    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
        \x20  0: 0100007F:BE47 00000000:0000 0A 00000000:00000002 00:00000000 00000000  1000        0 5017903 3 000000004df09379 100 0 0 10 0\n\
        \x20  1: 0100007F:BE47 0100007F:8FD0 01 00000000:00000000 00:00000000 00000000  1000        0 0 1 000000001f7e3c70 20 0 0 10 -1\n\
        \x20  2: 0100007F:8FD0 0100007F:BE47 01 00000000:00000000 00:00000000 00000000  1001        0 5017904 2 000000001a7dce7f 20 0 0 10 -1\n\
        \x20  3: 0100007F:8FD1 0100007F:BE47 04 00000001:00000000 01:00000014 00000000     0        0 0 2 000000001a7dce7f 20 0 0 10 -1\n\
        \x20  4: 0000000000000000FFFF00000100007F:8FD4 0000000000000000FFFF00000100007F:BE47 01 00000000:00000000 00:00000000 00000000  1002        0 5017905 2 0000000087ecf046 20 0 0 10 -1\n";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_end_that_has_connected_is_found_not_ours() {
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, 0xbe47));
        let of = |port: u16| {
            let from = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let ends: Vec<_> = written(from).into_iter().zip(written(to)).collect();
            account(TABLE.as_bytes(), &ends).unwrap()
        };
        assert_eq!(of(0x8fd0), Some(Some(1001)));
        assert_eq!(of(0x8fd1), Some(None), "an end that is being closed counts as root's in the table");
        assert_eq!(of(0x8fd4), Some(Some(1002)), "a socket of IPv6");
        assert_eq!(of(0x8fd5), None);
        let six = SocketAddr::from((Ipv6Addr::LOCALHOST, 80));
        assert_eq!(written(six), ["00000000000000000000000001000000:0050"]);
    }

    #[test]
    fn what_this_account_connects_is_its_own_and_a_closed_end_is_nobodys() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let to = listener.local_addr().unwrap();
        let stream = TcpStream::connect(to).unwrap();
        let (held, from) = listener.accept().unwrap();
        let own = own_user().ok();
        let ends: Vec<_> = written(from).into_iter().zip(written(to)).collect();
        let found = account(BufReader::new(File::open("/proc/net/tcp").unwrap()), &ends).unwrap();
        assert_eq!(found, Some(own));
        assert!(is_own(from, to, own));
        drop(stream);
        assert!(!is_own(from, to, own), "our end is still open");
        drop(held);
    }
}
