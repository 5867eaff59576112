//! What a file has beyond its mode: an access list, attributes by name, a label. A file that is to take the place of another one gets these
//! from programs on the device, before it has any bytes.

use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::program::{Programs, Running, Script};
use super::{Code, FilesError};
use crate::limits::PROGRAM_LIKE_MAX;

/// What could not be kept of another file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Its access list. Then the group's bits of its mode say what the list gives at most, not what the group has.
    pub list: bool,
    /// Its label.
    pub label: bool,
    /// Other attributes.
    pub attributes: bool,
}

impl Lost {
    fn of(said: &str) -> Self {
        let has = |word: &str| said.split_ascii_whitespace().any(|found| found == word);
        Self { list: has("list"), label: has("label"), attributes: has("attributes") }
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> Vec<String> {
        let known = [(self.list, "access list"), (self.label, "security label"), (self.attributes, "extended attributes")];
        known.into_iter().filter(|(is_lost, _)| *is_lost).map(|(_, what)| format!("its {what} could not be kept")).collect()
    }
}

/// Makes the file `$p`, which is open as descriptor 3, like `$o`, and opens it to the account alone. By the descriptor, because somebody else
/// may write the folder: a link in the place of `$p` would give what it leads to other rights. Says in a line what could not be kept.
///
/// A `+` behind the mode is an access list. `cp` of GNU takes away one that the folder gives, too.
pub const LIKE: &str = r#"
more() { ls -ldL -- "$1" 2>/dev/null | head -n 1 | cut -c 11; }
label() { stat -L -c %C -- "$1" 2>/dev/null; }
f=/proc/self/fd/3; k=
if [ "$(readlink $f 2>/dev/null)" = "$p" ]; then
  if cp --attributes-only --preserve=all --no-preserve=ownership,timestamps,context -- "$o" $f 2>/dev/null; then k=y
  elif a=$(getfacl -cp -- "$o" 2>/dev/null) && printf '%s\n' "$a" | setfacl --set-file=- $f 2>/dev/null; then k=y; fi
  [ "$(label "$o")" = "$(label $f)" ] || chcon --reference="$o" $f 2>/dev/null
  chmod 600 $f || exit 1
else f=$p; fi
a=$(more "$o"); b=$(more "$f")
case $a$b in *+*) [ "$k$a" = "y$b" ] || printf 'list ';; esac
[ "$a" = @ ] && [ "$b" != @ ] && printf 'attributes '
[ "$(label "$o")" = "$(label "$f")" ] || printf 'label '
echo .
"#;

/// Makes a file that is there like another one.
///
/// # Errors
///
/// When there are no such programs, or they do not find both.
pub async fn onto(programs: &dyn Programs, path: &[u8], like: &[u8]) -> Result<Lost, FilesError> {
    let script = Script::new(&[("p", path), ("o", like)], &format!("exec 3< \"$p\" || exit 1\n{LIKE}"));
    let run = script.run(programs, &[], "set attributes of", path);
    let said = timeout(PROGRAM_LIKE_MAX, run).await.unwrap_or_else(|_| Err(late()))?;
    Ok(Lost::of(&String::from_utf8_lossy(&said)))
}

/// The line that [`LIKE`] says in a program that goes on.
///
/// # Errors
///
/// When it has ended instead: why.
pub async fn told(running: &mut Running, path: &[u8]) -> Result<Lost, FilesError> {
    let mut said = Vec::new();
    loop {
        match timeout(PROGRAM_LIKE_MAX, running.output.read_u8()).await {
            Ok(Ok(b'\n')) => return Ok(Lost::of(&String::from_utf8_lossy(&said))),
            Ok(Ok(byte)) if said.len() < 100 => said.push(byte),
            Ok(Ok(_)) => {
                return Err(FilesError::remote("write", path, Code::Unsupported, "its programs answer in a way that is not known"));
            }
            Ok(Err(_)) => {
                running.ended("write", path).await?;
                return Err(FilesError::remote("write", path, Code::Failure, "the program ended before anything was written"));
            }
            Err(_) => return Err(late()),
        }
    }
}

fn late() -> FilesError {
    FilesError::Broken(format!("did not set the attributes of a file in {} s", PROGRAM_LIKE_MAX.as_secs()))
}
