//! Addresses that stand for hosts, in the one form that the system prints.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The address as the system prints it; nothing when the text is a name.
pub(super) fn canonical(text: &str) -> Option<String> {
    if let Some(address) = ipv4(text) {
        return Some(address.to_string());
    }
    let (digits, scope) = text.split_once('%').map_or((text, None), |(digits, scope)| (digits, Some(scope)));
    let address: Ipv6Addr = digits.parse().ok()?;
    let shown = ipv6(&address);
    // The zone's name belongs to this machine; a number in its place is left as it is.
    Some(scope.map_or_else(|| shown.clone(), |scope| format!("{shown}%{scope}")))
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
            ("256.1.1.1", None),
            ("1.2.3.4.5", None),
            ("1.2.3.", None),
            ("08.1.1.1", None),
            ("web1", None),
            ("", None),
            ("2001:DB8:0:0::1", Some("2001:db8::1")),
            ("::102:304", Some("::1.2.3.4")),
            ("::ffff:1.2.3.4", Some("::ffff:1.2.3.4")),
            ("::1", Some("::1")),
            ("fe80::1%lo", Some("fe80::1%lo")),
            ("[::1]", None),
        ] {
            assert_eq!(canonical(text).as_deref(), expected, "{text}");
        }
    }
}
