//! Addresses that stand for hosts, in the one form that the system prints.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// The address as the system prints it; nothing when the text is a name. What only looks like an address is left as it is.
pub(super) fn canonical(text: &str) -> Option<String> {
    if let Some(address) = ipv4(text) {
        return Some(address.to_string());
    }
    let (digits, zone) = text.split_once('%').map_or((text, None), |(digits, zone)| (digits, Some(zone)));
    let looks = text.contains(':') || zone.is_some() || text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let address: Option<Ipv6Addr> = digits.parse().ok();
    let shown = match (address, zone) {
        (Some(address), None) => Some(ipv6(&address)),
        (Some(address), Some(zone)) if is_number(zone) && !address.is_unicast_link_local() => {
            let number = zone.trim_start_matches('0');
            Some(format!("{}{}{number}", ipv6(&address), if number.is_empty() { "" } else { "%" }))
        }
        (Some(address), Some(zone)) if address.is_unicast_link_local() && is_interface(zone) => Some(format!("{}%{zone}", ipv6(&address))),
        _ => None,
    };
    // OpenSSH keeps the letters' case where nothing else differs.
    match shown {
        Some(shown) if !shown.eq_ignore_ascii_case(text) => Some(shown),
        shown => (looks || shown.is_some()).then(|| text.to_owned()),
    }
}

/// Is it the number of a zone?
fn is_number(zone: &str) -> bool {
    zone.bytes().all(|byte| byte.is_ascii_digit()) && zone.parse::<u32>().is_ok()
}

/// Has this machine such an interface?
fn is_interface(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '.']) && Path::new("/sys/class/net").join(name).exists()
}

/// As C reads it: one to four numbers, also octal and hexadecimal, and the last one fills what is left.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let parts = text.split('.').map(part).collect::<Option<Vec<u32>>>()?;
    let (last, heads) = parts.split_last()?;
    if heads.len() > 3 || heads.iter().any(|head| *head > 255) {
        return None;
    }
    let free = 32 - 8 * u32::try_from(heads.len()).ok()?;
    if u64::from(*last) >= 1_u64 << free {
        return None;
    }
    let high = heads.iter().zip([24_u32, 16, 8]).fold(0_u32, |sum, (head, shift)| sum | (head << shift));
    Some(Ipv4Addr::from(high | last))
}

fn part(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.len() > 1 && text.starts_with('0') { u32::from_str_radix(text, 8).ok() } else { text.parse().ok() }
}

/// The system writes the last four bytes of an old compatible address with dots.
fn ipv6(address: &Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
            let [.., a, b, c, d] = address.octets();
            format!("::{}", Ipv4Addr::new(a, b, c, d))
        }
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        for (text, expected) in [
            ("10.0.0.1", Some("10.0.0.1")),
            ("10.1", Some("10.0.0.1")),
            ("0x7f.1", Some("127.0.0.1")),
            ("010.1.1.1", Some("8.1.1.1")),
            ("1", Some("0.0.0.1")),
            ("256.1.1.1", Some("256.1.1.1")),
            ("08.1.1.1", Some("08.1.1.1")),
            ("A:B", Some("A:B")),
            ("A%B", Some("A%B")),
            ("web1", None),
            ("2001:DB8:0:0::1", Some("2001:db8::1")),
            ("::102:304", Some("::1.2.3.4")),
            ("::ffff:1.2.3.4", Some("::ffff:1.2.3.4")),
            ("::A", Some("::A")),
            ("FE80::1%no-such-link", Some("FE80::1%no-such-link")),
            ("::%001", Some("::%1")),
            ("::ffff%00", Some("::ffff")),
            ("[::A]", Some("[::A]")),
        ] {
            assert_eq!(canonical(text).as_deref(), expected, "{text}");
        }
    }
}
