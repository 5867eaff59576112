//! Bytes as hexadecimal digits.

/// Two digits for each byte, in lower case.
#[must_use]
pub fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    text.extend(nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)));
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_byte_has_two_digits() {
        assert_eq!(super::digits(&[0, 0x0f, 0xa5, 0xff]), "000fa5ff");
    }
}
