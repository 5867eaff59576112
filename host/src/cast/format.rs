//! The lines of a recording.

/// Text from bytes that come in pieces: a character that is cut by two of them comes out whole.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The beginning of a character.
    open: Vec<u8>,
}

impl Decoder {
    /// The text of these bytes, as far as it is complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        let joined = [self.open.as_slice(), bytes].concat();
        let mut rest = joined.as_slice();
        let mut text = String::with_capacity(rest.len());
        loop {
            match std::str::from_utf8(rest) {
                Ok(whole) => {
                    text.push_str(whole);
                    self.open.clear();
                    return text;
                }
                Err(error) => {
                    let (whole, behind) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(whole));
                    let Some(wrong) = error.error_len() else {
                        self.open = behind.to_vec();
                        return text;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = behind.get(wrong..).unwrap_or_default();
                }
            }
        }
    }

    /// What is left at the end is no character.
    pub(super) fn end(&mut self) -> String {
        if std::mem::take(&mut self.open).is_empty() { String::new() } else { char::REPLACEMENT_CHARACTER.to_string() }
    }
}

/// An event: seconds, its code, its text.
pub(super) fn event(at: std::time::Duration, code: char, text: &str) -> String {
    format!("[{:.6}, \"{code}\", {}]\n", at.as_secs_f64(), serde_json::Value::from(text))
}

/// What stands for bytes that are missing.
pub(super) fn lost(bytes: u64) -> String {
    format!("\r\n[{bytes} bytes are not recorded]\r\n")
}
