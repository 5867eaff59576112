//! The operator's one setting, `pagers`. It becomes part of a shell line, so only the two known words may pass.

use jackfield_plugin::Diagnostic;
use jackfield_plugin::text::trim;

/// The host has checked keys and types against the manifest; what is left is the choice of words.
pub(crate) fn check(json: &str) -> Result<(), Vec<Diagnostic>> {
    match text_of(json, "pagers") {
        None | Some("off" | "ask") => Ok(()),
        Some(other) => {
            Err(vec![Diagnostic { path: "pagers".to_owned(), message: ["`", other, "` is not known, choose `off` or `ask`"].concat() }])
        }
    }
}

/// The text value of a key in a flat object. Enough here: the host passes an object that it has checked.
fn text_of<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let mut pieces = json.split('"');
    pieces.find(|piece| *piece == key)?;
    (trim(pieces.next()?) == ":").then(|| pieces.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {

    use super::check;

    #[test]
    fn two_words_are_known() {
        for json in ["{}", "", r#"{"pagers":"off"}"#, "{ \"pagers\" : \"ask\" }"] {
            assert!(check(json).is_ok(), "{json}");
        }
        for json in [r#"{"pagers":"on"}"#, r#"{"pagers":""}"#, r#"{"pagers":"off; rm -r x"}"#, r#"{"pagers":"off\""}"#] {
            let diagnostics = check(json).unwrap_err();
            assert_eq!(diagnostics.first().unwrap().path, "pagers", "{json}");
        }
    }
}
