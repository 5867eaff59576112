//! Who may write a file that the program obeys.
//!
//! Whoever writes the configuration, or a plugin, decides what is typed on devices and which commands run on this machine (a secret's
//! `command`). So such a file, and the folder in which it could be replaced, belong to the user or to root, and nobody else may write.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::private::own_user;

/// Permission bits that let the group or others write. The group's bit also shows what an access list allows.
const OTHERS_WRITE: u32 = 0o022;
/// In such a folder only a file's owner may replace it.
const STICKY: u32 = 0o1000;
/// The user who may do everything.
const ROOT: u32 = 0;

/// Refuses a file that somebody else may change. `what` names it in the sentence: `configuration`, `plugin`.
///
/// A file that cannot be looked at is left to whoever reads it.
///
/// # Errors
///
/// A sentence with the mode and the command that sets it right.
pub fn check(path: &Path, what: &str) -> Result<(), String> {
    let Ok(own) = own_user() else { return Ok(()) };
    looked_at(path, what, |user| user == own || user == ROOT)
}

/// Refuses a file that the caller's own user may change, too. What root calls is root's own.
///
/// # Errors
///
/// A sentence with the mode and the command that sets it right.
pub fn check_managed(path: &Path, what: &str) -> Result<(), String> {
    let own = own_user().map_err(|error| format!("cannot tell whose process this is: {error}"))?;
    looked_at(path, what, |user| user == ROOT || (own != ROOT && user != own))
}

fn looked_at(path: &Path, what: &str, may_own: impl Fn(u32) -> bool) -> Result<(), String> {
    // The file itself counts, not a link to it.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Ok(file) = fs::metadata(&path) else { return Ok(()) };
    one(&path, &format!("the {what} `{}`", path.display()), &file, 0, &may_own)?;
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let Ok(metadata) = fs::metadata(&folder) else { return Ok(()) };
    one(&folder, &format!("the folder `{}` of the {what}", folder.display()), &metadata, STICKY, &may_own)
}

/// `unless`: permission bits with which a folder is safe although others may write it.
fn one(path: &Path, name: &str, metadata: &Metadata, unless: u32, may_own: impl Fn(u32) -> bool) -> Result<(), String> {
    let (mode, user) = (metadata.mode() & 0o7777, metadata.uid());
    let word = path.display().to_string().replace('\'', r"'\''");
    if mode & OTHERS_WRITE != 0 && mode & unless == 0 {
        return Err(format!("other users may write {name} (mode {mode:03o}), and so decide what it says; run `chmod go-w '{word}'`"));
    }
    if !may_own(user) {
        return Err(format!(
            "{name} belongs to the user with the number {user}, who may change what it says; run `chown root '{word}'`, or use a file of your own"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_or_folder_that_others_may_write_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jackfield.toml");
        fs::write(&path, "").unwrap();
        for (file, parent, right) in [
            (0o600, 0o700, true),
            (0o644, 0o755, true),
            (0o664, 0o700, false),
            (0o646, 0o700, false),
            (0o644, 0o775, false),
            (0o644, 0o777, false),
            (0o644, 0o1777, true),
        ] {
            set(&path, file);
            set(folder.path(), parent);
            assert_eq!(check(&path, "configuration").is_ok(), right, "{file:o} {parent:o}");
        }
        set(folder.path(), 0o700);
        set(&path, 0o664);
        let text = check(&path, "configuration").unwrap_err();
        assert!(text.starts_with("other users may write the configuration `") && text.contains("(mode 664)"), "{text}");
        assert!(text.ends_with(&format!("run `chmod go-w '{}'`", path.display())), "{text}");
        // A link is as safe as what it leads to.
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(check(&link, "configuration").is_err());
        assert_eq!(check(&folder.path().join("absent"), "configuration"), Ok(()));
    }
}
