//! Patterns with `*` (any number of letters) and `?` (one): in `known_hosts`, in OpenSSH's configuration, in what operators write.

/// Does the pattern fit the whole text? Byte by byte, and upper case is not lower case.
///
/// Walks back only to the last `*`, so the work is at most pattern times text.
#[must_use]
pub fn fits(pattern: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> bool {
    let (pattern, text) = (pattern.as_ref(), text.as_ref());
    let (mut at, mut in_pattern) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(at) {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                in_pattern += 1;
                star = Some((at, in_pattern));
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => {
                at += 1;
                in_pattern += 1;
            }
            _ => {
                let Some((from, after)) = star else { return false };
                at = from + 1;
                in_pattern = after;
                star = Some((at, after));
            }
        }
    }
    pattern.iter().skip(in_pattern).all(|byte| *byte == b'*')
}
