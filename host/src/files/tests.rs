//! The engine against OpenSSH's own server program, against a POSIX shell, and against servers that mean harm.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::process::{Child, Command};

use super::local::within;
use super::plan::Wanted;
use super::program::{Boxed, Programs, Running};
use super::remote::Remote;
use super::running::Targets;
use super::sftp::Sftp;
use super::shell::Shell;
use super::transfer::{Direction, Options, Outcome, Transfer};
use super::tree::Ignore;
use super::write::{Change, Content, Expect, prepare};
use super::*;
use crate::secret::look::Mask;
use crate::secret::redact::Redactor;

/// Shared with the stories.
#[expect(unreachable_pub, reason = "the stories use it too")]
#[path = "../../../tests/support/apt.rs"]
mod apt;

const SERVER: &str = "/usr/lib/openssh/sftp-server";

/// Programs of this machine.
#[derive(Debug)]
struct Here;

impl Programs for Here {
    fn start<'a>(&'a self, command: &'a str) -> Boxed<'a, Result<Running, FilesError>> {
        Box::pin(async move { Ok(running(Command::new("sh").arg("-c").arg(command))) })
    }
}

/// Some of the programs of this machine, as small systems have them.
#[derive(Debug)]
struct Few(PathBuf);

impl Few {
    fn of(names: &[&str], folder: PathBuf) -> Self {
        std::fs::create_dir(&folder).unwrap();
        for name in names {
            let all = std::env::var_os("PATH").unwrap();
            let place = std::env::split_paths(&all).map(|folder| folder.join(name)).find(|place| place.exists()).unwrap();
            std::os::unix::fs::symlink(place, folder.join(name)).unwrap();
        }
        Self(folder)
    }
}

impl Programs for Few {
    fn start<'a>(&'a self, command: &'a str) -> Boxed<'a, Result<Running, FilesError>> {
        Box::pin(async move { Ok(running(Command::new("/bin/sh").arg("-c").arg(command).env("PATH", &self.0))) })
    }
}

fn running(command: &mut Command) -> Running {
    let mut child = piped(command);
    let (input, output, errors) = (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let status = Box::pin(async move { Ok::<_, FilesError>(child.wait().await.unwrap().code()) });
    Running { input: Box::new(input), output: Box::new(output), errors: Box::new(errors), status }
}

fn piped(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
}

/// A server process whose connection breaks after so many bytes.
struct Wire {
    child: Child,
    left: Arc<AtomicUsize>,
}

impl Wire {
    fn spend(&self, bytes: usize) -> io::Result<()> {
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        spent.map(drop).map_err(|_| io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(self.child.stdout.as_mut().unwrap()).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = read {
            self.spend(buffer.filled().len() - before)?;
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // In pieces, so that a cut falls within a packet too.
        let some = &bytes[..bytes.len().min(1000)];
        self.spend(some.len())?;
        Pin::new(self.child.stdin.as_mut().unwrap()).poll_write(context, some)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.child.stdin.as_mut().unwrap()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.child.stdin.as_mut().unwrap()).poll_shutdown(context)
    }
}

async fn cut_after(bytes: usize) -> Result<Remote, FilesError> {
    apt::install_missing(&[("sftp-server", "openssh-sftp-server")]);
    let wire = Wire { child: piped(&mut Command::new(SERVER)), left: Arc::new(AtomicUsize::new(bytes)) };
    Ok(Remote::Sftp(Sftp::start(wire).await?))
}

async fn sftp() -> Remote {
    cut_after(usize::MAX).await.unwrap()
}

/// Both ways to the files of a device.
async fn both() -> [Remote; 2] {
    [sftp().await, Remote::Shell(Shell::new(Arc::new(Here)))]
}

struct Folders {
    folder: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("here")).unwrap();
        std::fs::create_dir(folder.path().join("there")).unwrap();
        Self { folder }
    }

    fn here(&self) -> PathBuf {
        self.folder.path().join("here")
    }

    fn there(&self) -> PathBuf {
        self.folder.path().join("there")
    }

    fn transfer(&self, remote: Remote, direction: Direction, name: &str) -> Transfer {
        Transfer {
            remote,
            programs: Some(Arc::new(Here)),
            local: within(&[self.here()], name.as_bytes()).unwrap(),
            path: self.there().join(name).into_os_string().into_encoded_bytes(),
            direction,
            options: Options {
                wanted: Wanted { sync: true, delete: false },
                checksum: false,
                verify: true,
                ignore: Ignore::new(&["*.tmp".to_owned()]).unwrap(),
            },
            progress: Arc::default(),
            targets: Targets::default(),
        }
    }
}

async fn run(mut transfer: Transfer) -> Result<Outcome, FilesError> {
    let plan = transfer.plan().await?;
    transfer.carry_out(plan).await
}

fn bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| random.u8(..)).take(count).collect()
}

/// All names of a folder and below, with what they are.
fn listing(top: &Path) -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(top).unwrap().flatten() {
        let (path, metadata) = (entry.path(), entry.path().symlink_metadata().unwrap());
        let what = if metadata.is_symlink() {
            format!("-> {}", std::fs::read_link(&path).unwrap().display())
        } else if metadata.is_dir() {
            all.extend(listing(&path).into_iter().map(|(below, what)| (Path::new(&entry.file_name()).join(below), what)));
            format!("folder {:o}", metadata.mode() & 0o777)
        } else {
            format!("{:o} {} {}", metadata.mode() & 0o777, metadata.mtime(), name::sha2_hex(&std::fs::read(&path).unwrap()))
        };
        all.push((entry.file_name().into(), what));
    }
    all.sort();
    all
}

/// Names that are no usual ones, contents that are none, modes, links.
fn unusual(top: &Path) {
    let names: [&[u8]; 9] =
        [b"a b", b"-rf", b"new\nline", b"ends\n", b"\xff\xfe\x80", b"it's", b"$(id)`id`", b"back\\slash", "\u{202e}\u{e4}".as_bytes()];
    std::fs::create_dir_all(top.join("sub/empty")).unwrap();
    for (number, name) in names.into_iter().enumerate() {
        for folder in [top.to_owned(), top.join("sub")] {
            std::fs::write(folder.join(OsStr::from_bytes(name)), bytes(number * 1000, 7)).unwrap();
        }
    }
    std::fs::create_dir(top.join(OsStr::from_bytes(b"-d\n\xff"))).unwrap();
    std::fs::write(top.join(OsStr::from_bytes(b"-d\n\xff/x")), "x").unwrap();
    std::fs::write(top.join("secret"), "s").unwrap();
    std::fs::set_permissions(top.join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(top.join("left.tmp"), "t").unwrap();
    std::os::unix::fs::symlink("sub/a b", top.join("link")).unwrap();
    let old = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000));
    std::fs::File::open(top.join("secret")).unwrap().set_times(old).unwrap();
}

#[tokio::test]
async fn every_name_goes_up_and_comes_back_by_both_ways() {
    for remote in both().await {
        let folders = Folders::new();
        unusual(&folders.here());
        let up = run(folders.transfer(remote.clone(), Direction::Up, "")).await.unwrap();
        assert_eq!((up.problems, up.files, up.verified), (Vec::new(), 20, 20));
        let mut wanted = listing(&folders.here());
        wanted.retain(|(path, _)| path != Path::new("left.tmp"));
        assert_eq!(listing(&folders.there()), wanted);
        // Nothing is left to do; what was written elsewhere in between is seen.
        let again = run(folders.transfer(remote.clone(), Direction::Up, "")).await.unwrap();
        assert_eq!((again.files, again.skipped, again.made), (0, 21, 0), "{again:?}");
        std::fs::remove_dir_all(folders.here()).unwrap();
        std::fs::create_dir(folders.here()).unwrap();
        let down = run(folders.transfer(remote, Direction::Down, "")).await.unwrap();
        assert_eq!((down.problems, down.files, down.verified), (Vec::new(), 20, 20));
        assert_eq!(listing(&folders.here()), wanted);
    }
}

#[tokio::test]
async fn cut_at_any_point_and_called_again_the_bytes_are_equal() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let content = bytes(3_000_000, seed);
    for direction in [Direction::Up, Direction::Down] {
        for _ in 0..20 {
            let folders = Folders::new();
            let (source, destination) =
                if direction == Direction::Up { (folders.here(), folders.there()) } else { (folders.there(), folders.here()) };
            std::fs::write(source.join("f"), &content).unwrap();
            std::fs::write(destination.join("f"), "what was there").unwrap();
            let first = match cut_after(random.usize(0..3_000_000)).await {
                Ok(remote) => run(folders.transfer(remote, direction, "f")).await,
                Err(error) => Err(error),
            };
            assert!(first.is_err_and(|error| error.is_broken()));
            assert_eq!(std::fs::read(destination.join("f")).unwrap(), b"what was there", "only a part is left behind, seed {seed}");
            let kept = std::fs::metadata(destination.join(".f.jackfield-part")).map_or(0, |part| part.len());
            let second = run(folders.transfer(sftp().await, direction, "f")).await.unwrap();
            // The server may have written a little more after the look.
            assert!(second.resumed >= kept, "{second:?}");
            assert_eq!((second.files, second.verified), (1, 1), "{second:?}");
            assert_eq!(std::fs::read(destination.join("f")).unwrap(), content);
            assert_eq!(listing(&destination).len(), 1, "no part stays");
        }
    }
}

#[tokio::test]
async fn a_part_of_something_else_is_not_gone_on_with() {
    for direction in [Direction::Up, Direction::Down] {
        let folders = Folders::new();
        let (source, destination) =
            if direction == Direction::Up { (folders.here(), folders.there()) } else { (folders.there(), folders.here()) };
        let content = bytes(1_000_000, 1);
        std::fs::write(source.join("f"), &content).unwrap();
        std::fs::write(destination.join(".f.jackfield-part"), bytes(600_000, 2)).unwrap();
        let done = run(folders.transfer(sftp().await, direction, "f")).await.unwrap();
        assert_eq!((done.resumed, std::fs::read(destination.join("f")).unwrap() == content), (0, true));
    }
}

#[tokio::test]
async fn a_file_of_a_device_is_written_by_one_transfer_at_a_time() {
    for remote in both().await {
        for size in [10, 1_000_000] {
            let folders = Folders::new();
            std::fs::create_dir(folders.there().join("sub")).unwrap();
            std::fs::write(folders.here().join("f"), bytes(size, 1)).unwrap();
            let transfer = folders.transfer(remote.clone(), Direction::Up, "f");
            let taken = transfer.targets.take(&transfer.path).unwrap();
            // By another name, too.
            let other = folders.there().join("sub/../f").into_os_string().into_encoded_bytes();
            let done = run(Transfer { path: other, ..transfer.clone() }).await.unwrap();
            assert_eq!((done.files, done.problem_count), (0, 1), "{done:?}");
            assert!(done.problems.concat().contains("another transfer writes it just now"), "{done:?}");
            assert_eq!(listing(&folders.there()).len(), 1);
            drop(taken);
            assert_eq!(run(transfer).await.unwrap().files, 1);
        }
    }
}

#[tokio::test]
async fn of_a_small_file_that_is_not_copied_nothing_stays() {
    for remote in both().await {
        for direction in [Direction::Up, Direction::Down] {
            let folders = Folders::new();
            let (source, destination) =
                if direction == Direction::Up { (folders.here(), folders.there()) } else { (folders.there(), folders.here()) };
            std::fs::write(source.join("f"), "x").unwrap();
            let mut transfer = folders.transfer(remote.clone(), direction, "f");
            let plan = transfer.plan().await.unwrap();
            // Somebody makes a folder of that name meanwhile.
            std::fs::create_dir(destination.join("f")).unwrap();
            let done = transfer.carry_out(plan).await.unwrap();
            assert_eq!((done.files, done.problem_count), (0, 1), "{done:?}");
            assert_eq!(listing(&destination).len(), 1, "{:?}", listing(&destination));
        }
    }
}

#[tokio::test]
async fn deleting_is_only_on_wish_and_a_dry_run_changes_nothing() {
    for remote in both().await {
        let folders = Folders::new();
        unusual(&folders.here());
        std::fs::create_dir_all(folders.there().join("old/deep")).unwrap();
        std::fs::write(folders.there().join("old/deep/x"), "x").unwrap();
        std::fs::write(folders.there().join("keep.tmp"), "x").unwrap();
        let before = listing(&folders.there());
        let mut transfer = folders.transfer(remote, Direction::Up, "");
        transfer.options.wanted.delete = true;
        let plan = transfer.plan().await.unwrap();
        assert!(plan.lines(100).iter().any(|line| line == "delete folder old/deep"), "{:?}", plan.lines(100));
        assert_eq!(listing(&folders.there()), before);
        let done = transfer.carry_out(plan).await.unwrap();
        assert_eq!(done.deleted, ["old/deep/x", "old/deep", "old"]);
        assert!(folders.there().join("keep.tmp").exists(), "what is left out is not deleted either");
    }
}

#[tokio::test]
async fn same_size_and_time_are_told_apart_by_checksum() {
    let folders = Folders::new();
    for (place, text) in [(folders.here(), "one"), (folders.there(), "two")] {
        std::fs::write(place.join("f"), text).unwrap();
        let file = std::fs::File::open(place.join("f")).unwrap();
        file.set_times(std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH)).unwrap();
    }
    assert_eq!(run(folders.transfer(sftp().await, Direction::Up, "")).await.unwrap().files, 0);
    let mut transfer = folders.transfer(sftp().await, Direction::Up, "");
    transfer.options.checksum = true;
    assert_eq!(run(transfer).await.unwrap().files, 1);
    assert_eq!(std::fs::read(folders.there().join("f")).unwrap(), b"one");
}

#[tokio::test]
async fn where_times_are_not_told_bytes_are_compared() {
    let folders = Folders::new();
    let few = Few::of(&["sh", "dd", "ls", "head", "cat"], folders.folder.path().join("bin"));
    let remote = Remote::Shell(Shell::new(Arc::new(few)));
    let files = async || run(folders.transfer(remote.clone(), Direction::Down, "")).await.unwrap().files;
    std::fs::write(folders.there().join("f"), "one").unwrap();
    assert_eq!((files().await, files().await), (1, 0));
    assert!(std::fs::metadata(folders.here().join("f")).unwrap().mtime() > 0);
    std::fs::write(folders.there().join("f"), "two").unwrap();
    assert_eq!((files().await, files().await), (1, 0));
    assert_eq!(std::fs::read(folders.here().join("f")).unwrap(), b"two");
}

/// A device may say what it wants: nothing is made or written outside of the folder.
#[tokio::test]
async fn links_of_a_device_lead_nowhere_else() {
    let folders = Folders::new();
    let outside = folders.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folders.there().join(name)).unwrap();
    link("/etc", "absolute");
    link("../outside", "relative");
    link("fine", "inner");
    std::fs::write(folders.there().join("fine"), "x").unwrap();
    std::fs::write(folders.here().join("absolute"), "mine").unwrap();
    let done = run(folders.transfer(sftp().await, Direction::Down, "")).await.unwrap();
    assert_eq!((done.problem_count, done.deleted.len()), (2, 0), "{done:?}");
    assert_eq!(listing(&folders.here()).len(), 3);
    assert_eq!(std::fs::read(folders.here().join("absolute")).unwrap(), b"mine", "nothing came in its place");
    // A link that is here already is replaced by the folder, not gone through.
    std::os::unix::fs::symlink(&outside, folders.here().join("d")).unwrap();
    std::fs::create_dir(folders.there().join("d")).unwrap();
    std::fs::write(folders.there().join("d/x"), "x").unwrap();
    run(folders.transfer(sftp().await, Direction::Down, "")).await.unwrap();
    assert_eq!(listing(&outside), []);
    assert!(folders.here().join("d/x").symlink_metadata().unwrap().is_file());
}

/// Each link stays in the folder by its look; one behind the other they do not.
#[tokio::test]
async fn chains_of_links_of_a_device_lead_nowhere_else() {
    let folders = Folders::new();
    std::fs::create_dir_all(folders.there().join("d1/d2")).unwrap();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folders.there().join(name)).unwrap();
    link("../..", "d1/d2/s");
    link("d1/d2/s/../.ssh", "z");
    link("d1/d2", "fine");
    let done = run(folders.transfer(sftp().await, Direction::Down, "")).await.unwrap();
    assert_eq!(done.problem_count, 1, "{done:?}");
    assert!(done.problems.concat().contains("`z`"), "{done:?}");
    assert!(!folders.here().join("z").is_symlink());
    assert!(folders.here().join("fine").is_symlink() && folders.here().join("d1/d2/s").is_symlink());
}

fn change(path: &Path, content: &str) -> Change {
    Change {
        path: path.as_os_str().as_bytes().to_vec(),
        content: Content::Whole(content.as_bytes().to_vec()),
        expect: Expect::Anything,
        mode: None,
        backup: false,
    }
}

#[tokio::test]
async fn a_write_keeps_mode_and_owner_and_goes_through_links() {
    for remote in both().await {
        let folders = Folders::new();
        let (file, link) = (folders.there().join("-f\n"), folders.there().join("link"));
        std::fs::write(&file, "one\ntwo\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o4751)).unwrap();
        let is_root = std::fs::metadata(&file).unwrap().uid() == 0;
        if is_root {
            std::os::unix::fs::chown(&file, Some(12), Some(34)).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o4751)).unwrap();
        }
        std::os::unix::fs::symlink("-f\n", &link).unwrap();
        let content = Content::Replace { old: "two".to_owned(), new: "2".to_owned() };
        let wanted = Change { content, backup: true, expect: Expect::Sha256(name::sha2_hex(b"one\ntwo\n")), ..change(&link, "") };
        let prepared = prepare(&remote, &wanted).await.unwrap();
        assert!(prepared.difference(None, &Redactor::default()).0.contains("-two\n+2\n"));
        let written = prepared.carry_out(&remote, None).await.unwrap();
        assert_eq!((written.warnings, written.mode), (Vec::<String>::new(), 0o4751));
        let now = std::fs::symlink_metadata(&file).unwrap();
        assert_eq!((std::fs::read(&file).unwrap().as_slice(), now.mode() & 0o7777), (b"one\n2\n".as_slice(), 0o4751));
        assert!(!is_root || (now.uid(), now.gid()) == (12, 34));
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(OsStr::from_bytes(&written.backup.unwrap())).unwrap(), b"one\ntwo\n");
        assert_eq!(listing(&folders.there()).len(), 3, "nothing is left beside it");
        // It is another one now.
        let told = prepare(&remote, &wanted).await.unwrap_err().to_string();
        assert!(told.contains("not what was expected") && told.contains(&prepared.sha256_after), "{told}");
    }
}

/// Another account may write it, its group nothing: what the mode says of the group is the most that the list gives.
#[tokio::test]
async fn an_access_list_is_kept_or_the_group_gets_nothing_by_its_loss() {
    const LIST: &str = "system.posix_acl_access";
    let entries = [(1_u16, 6_u16, u32::MAX), (2, 6, 12_345), (4, 0, u32::MAX), (16, 6, u32::MAX), (32, 0, u32::MAX)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, may, who) in entries {
        list.extend_from_slice(&tag.to_le_bytes());
        list.extend_from_slice(&may.to_le_bytes());
        list.extend_from_slice(&who.to_le_bytes());
    }
    let list_of = |path: &Path| {
        let mut room = [0_u8; 100];
        let got = rustix::fs::getxattr(path, LIST, &mut room[..]).unwrap_or(0);
        room[..got].to_vec()
    };
    let folders = Folders::new();
    let few = ["sh", "dd", "ls", "head", "cut", "cat", "stat", "readlink", "chmod", "mv", "rm", "sync"];
    let few = Remote::Shell(Shell::new(Arc::new(Few::of(&few, folders.folder.path().join("bin")))));
    let [by_service, by_programs] = both().await;
    let own: Arc<dyn Programs> = Arc::new(Here);
    for (remote, programs, is_kept) in [(by_service, Some(&own), true), (by_programs, None, true), (few, None, false)] {
        let folders = Folders::new();
        let file = folders.there().join("f\n");
        std::fs::write(&file, "old\n").unwrap();
        rustix::fs::setxattr(file.as_path(), LIST, &list, rustix::fs::XattrFlags::empty()).unwrap();
        let prepared = prepare(&remote, &Change { backup: true, ..change(&file, "new\n") }).await.unwrap();
        let written = prepared.carry_out(&remote, programs).await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new\n");
        let backup = written.backup.unwrap();
        let backup = Path::new(OsStr::from_bytes(&backup));
        for path in [file.as_path(), backup] {
            let bits = std::fs::metadata(path).unwrap().mode() & 0o777;
            assert_eq!((list_of(path) == list, bits), (is_kept, if is_kept { 0o660 } else { 0o600 }), "{}", path.display());
        }
        assert_eq!(written.mode, if is_kept { 0o660 } else { 0o600 });
        assert_eq!(written.warnings.concat().contains("access list could not be kept"), !is_kept, "{:?}", written.warnings);
        assert_eq!(listing(&folders.there()).len(), 2);
    }
}

/// The disk is full before what is there was kept whole.
#[tokio::test]
async fn half_a_backup_is_not_left_behind() {
    apt::install_missing(&[("sftp-server", "openssh-sftp-server")]);
    let folders = Folders::new();
    let (file, old) = (folders.there().join("f"), "o".repeat(300_000));
    std::fs::write(&file, &old).unwrap();
    // Files of at most 100 or 50 KiB, by whose shell it is.
    let child = piped(Command::new("sh").arg("-c").arg(format!("trap '' XFSZ; ulimit -f 100; exec {SERVER}")));
    let wire = Wire { child, left: Arc::new(AtomicUsize::new(usize::MAX)) };
    let remote = Remote::Sftp(Sftp::start(wire).await.unwrap());
    let prepared = prepare(&remote, &Change { backup: true, ..change(&file, "new\n") }).await.unwrap();
    let error = prepared.carry_out(&remote, None).await.unwrap_err();
    assert!(!error.is_broken(), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), old.as_bytes());
    assert_eq!(listing(&folders.there()).len(), 1, "{:?}", listing(&folders.there()));
}

#[tokio::test]
async fn what_cannot_be_written_is_said() {
    for remote in both().await {
        let folders = Folders::new();
        let at = |name: &str| folders.there().join(name);
        let why = async |change: Change| prepare(&remote, &change).await.unwrap_err().to_string();
        assert!(why(change(&folders.there(), "x")).await.contains("is a folder"));
        assert!(why(change(Path::new("/dev/null"), "x")).await.contains("is a device"));
        assert!(why(change(&at("no/such"), "x")).await.contains("no such file"));
        std::os::unix::fs::symlink("b", at("a")).unwrap();
        std::os::unix::fs::symlink("a", at("b")).unwrap();
        assert!(why(change(&at("a"), "x")).await.contains("on and on"));
        let new = prepare(&remote, &Change { expect: Expect::Absent, mode: Some(0o640), ..change(&at("new"), "x\n") }).await.unwrap();
        assert_eq!(new.carry_out(&remote, None).await.unwrap().mode, 0o640);
        assert!(why(Change { expect: Expect::Absent, ..change(&at("new"), "y") }).await.contains("is there already"));
        // Somebody else writes it between the look and the work.
        let late = prepare(&remote, &change(&at("new"), "y\n")).await.unwrap();
        std::fs::write(at("new"), "z\n").unwrap();
        assert!(late.carry_out(&remote, None).await.unwrap_err().to_string().contains("by somebody else"));
        assert_eq!(std::fs::read(at("new")).unwrap(), b"z\n");
    }
}

#[tokio::test]
async fn a_file_is_replaced_also_where_the_server_cannot_in_one_step() {
    let Remote::Sftp(mut plain) = sftp().await else { panic!("it is SFTP") };
    plain.extras.replaces = false;
    let remote = Remote::Sftp(plain);
    for name in ["f".to_owned(), "n".repeat(255)] {
        let folders = Folders::new();
        let file = folders.there().join(&name);
        std::fs::write(&file, "old").unwrap();
        // What a connection left behind that was lost between two steps.
        std::fs::write(folders.there().join(".f.jackfield-part-old"), "older").unwrap();
        prepare(&remote, &change(&file, "new\n")).await.unwrap().carry_out(&remote, None).await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new\n");
        std::fs::write(folders.here().join(&name), "newer\n").unwrap();
        let up = run(folders.transfer(remote.clone(), Direction::Up, &name)).await.unwrap();
        assert_eq!((up.problems, std::fs::read(&file).unwrap()), (Vec::new(), b"newer\n".to_vec()));
        assert_eq!(listing(&folders.there()).len(), 2, "nothing of it stays");
    }
}

#[tokio::test]
async fn a_write_that_is_cut_leaves_the_old_file_or_the_new_one() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (old, new) = (vec![b'o'; 300_000], "n".repeat(300_000));
    let mut ends = [0, 0];
    for number in 0..60 {
        let folders = Folders::new();
        let file = folders.there().join("f");
        std::fs::write(&file, &old).unwrap();
        // The last ones fall about where the name changes.
        let cut = if number < 40 { random.usize(1000..1_700_000) } else { 900_000 + random.usize(0..700_000) };
        let write = async {
            let remote = cut_after(cut).await?;
            prepare(&remote, &change(&file, &new)).await?.carry_out(&remote, None).await
        };
        let done = write.await;
        let now = std::fs::read(&file).unwrap();
        assert!(now == old || now == new.as_bytes(), "half a file of {} bytes, seed {seed}", now.len());
        assert!(done.is_err() || now == new.as_bytes());
        ends[usize::from(now != old)] += 1;
    }
    assert!(ends.iter().all(|count| *count > 0), "both ends were seen: {ends:?}");
}

#[tokio::test]
async fn files_are_shown_by_both_ways() {
    let wanted = regex::bytes::Regex::new("^two").unwrap();
    for remote in both().await {
        let folders = Folders::new();
        unusual(&folders.there());
        let top = folders.there().into_os_string().into_encoded_bytes();
        let (items, total) = read::folder(&remote, &top, 1, 100).await.unwrap();
        assert_eq!(total, items.len());
        let link = items.iter().find(|item| item.path == b"link").unwrap();
        assert_eq!(link.leads_to.as_deref(), Some(b"sub/a b".as_slice()));
        assert!(items.iter().any(|item| item.path == b"\xff\xfe\x80" && item.attrs.size == Some(4000)));
        let part = read::Part { offset: 1, limit: 10, max_chars: 10_000 };
        let proc = remote.stat(b"/proc/self/status").await.unwrap();
        assert!(read::file(&remote, b"/proc/self/status", &proc, part).await.unwrap().masked(None).0.contains("Name:"));
        let path = name::join(&top, b"back\\slash");
        let attrs = remote.stat(&path).await.unwrap();
        let binary = read::file(&remote, &path, &attrs, read::Part { offset: 3, limit: 2, max_chars: 10_000 }).await.unwrap();
        assert!(
            binary.text.starts_with("00000020  ") && binary.text.lines().count() == 2 && binary.next_offset == Some(5),
            "{}",
            binary.text
        );
        let found = search::glob(&remote, &name::join(&top, b"**/s*")).await.unwrap();
        assert_eq!(found.iter().map(|item| item.path.clone()).collect::<Vec<_>>(), [name::join(&top, b"secret"), name::join(&top, b"sub")]);
        std::fs::write(folders.there().join("sub/text"), "one\ntwo two\n").unwrap();
        let (files, _) = search::candidates(&remote, &top).await.unwrap();
        let hits = search::search(&remote, files, &wanted, None, &Redactor::default()).await.unwrap().hits;
        assert_eq!(hits, [search::Hit { path: name::join(&top, b"sub/text"), line: 2, text: "two two".to_owned() }]);
    }
}

#[tokio::test]
async fn a_folder_of_many_files_is_listed_soon_by_programs_too() {
    let remote = Remote::Shell(Shell::new(Arc::new(Here)));
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().as_os_str().as_bytes();
    assert!(remote.list(top).await.unwrap().is_empty());
    let odd: [&[u8]; 5] = [b"...", b"..x", b".x", b"*", b".[!.]*"];
    for name in odd {
        std::fs::write(folder.path().join(OsStr::from_bytes(name)), "").unwrap();
        assert!(remote.list(top).await.unwrap().iter().any(|entry| entry.name == name), "{}", name.escape_ascii());
    }
    for number in 0..20_000 {
        std::fs::write(folder.path().join(number.to_string()), "").unwrap();
    }
    let began = std::time::Instant::now();
    assert_eq!(remote.list(top).await.unwrap().len(), 20_000 + odd.len());
    // To put them together one by one takes a minute.
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_goes_while_programs_list_its_folder_is_not_missed() {
    let folders = Folders::new();
    let bin = folders.folder.path().join("bin");
    let few = Few::of(&["sh", "dd"], bin.clone());
    std::fs::write(bin.join("stat"), "#!/bin/sh\nPATH=/usr/bin:/bin; rm -f ./gone; exec stat \"$@\"\n").unwrap();
    std::fs::set_permissions(bin.join("stat"), std::fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["gone", "stays"] {
        std::fs::write(folders.there().join(name), "").unwrap();
    }
    let remote = Remote::Shell(Shell::new(Arc::new(few)));
    let listed = remote.list(folders.there().as_os_str().as_bytes()).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.name.to_vec()).collect::<Vec<_>>(), [b"stays".to_vec()]);
}

#[tokio::test]
async fn where_a_file_without_a_size_is_looked_at_no_further_it_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "x\n".repeat(5 << 20)).unwrap();
    let path = file.path().as_os_str().as_bytes();
    for remote in both().await {
        let mut attrs = remote.stat(path).await.unwrap();
        attrs.size = Some(0);
        for (offset, said) in [(1, false), (6 << 20, true)] {
            let shown = read::file(&remote, path, &attrs, read::Part { offset, limit: 3, max_chars: 1000 }).await.unwrap();
            assert_eq!((shown.notes.concat().contains("does not say how large"), shown.next_offset.is_none()), (said, said), "{shown:?}");
        }
    }
}

/// Else who searches would find out what is hidden, letter by letter.
#[tokio::test]
async fn no_pattern_finds_what_looks_like_a_secret() {
    let row = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ";
    let key = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{row}\n{row}\n-----END OPENSSH PRIVATE KEY-----\n");
    for remote in both().await {
        let folders = Folders::new();
        let top = folders.there().into_os_string().into_encoded_bytes();
        std::fs::write(folders.there().join("settings"), format!("password=Zaphod-41\nother=Zaphod\n{key}")).unwrap();
        for (pattern, found) in [
            ("=Zaph", vec!["other=Zaphod"]),
            ("password=[Z]|b3Bl", vec![]),
            ("^password=|BEGIN", vec!["password=[secret removed]", "-----BEGIN OPENSSH PRIVATE KEY-----"]),
        ] {
            let (files, _) = search::candidates(&remote, &name::join(&top, b"settings")).await.unwrap();
            let (wanted, mask) = (regex::bytes::Regex::new(pattern).unwrap(), Mask::with(std::iter::empty()));
            let hits = search::search(&remote, files, &wanted, Some(&mask), &Redactor::default()).await.unwrap().hits;
            assert_eq!(hits.iter().map(|hit| hit.text.as_str()).collect::<Vec<_>>(), found, "{pattern}");
        }
    }
}

/// It has a size of 0 until it is read.
#[tokio::test]
async fn a_file_that_is_made_when_it_is_read_comes_down_whole() {
    for remote in both().await {
        let folders = Folders::new();
        let done = run(Transfer { path: b"/proc/version".to_vec(), ..folders.transfer(remote, Direction::Down, "f") }).await.unwrap();
        assert_eq!((done.files, done.problem_count), (1, 0), "{done:?}");
        let whole = std::fs::read("/proc/version").unwrap();
        assert_eq!(std::fs::read(folders.here().join("f")).unwrap(), whole);
        assert_eq!(done.bytes, whole.len() as u64);
    }
}

/// A server that takes less at once gives just as much as tells what a file is, and ends it in the middle of a letter.
#[tokio::test]
async fn a_letter_that_comes_in_two_pieces_makes_no_other_file() {
    let Remote::Sftp(mut small) = sftp().await else { panic!("it is SFTP") };
    small.read_bytes = 4096;
    let folders = Folders::new();
    let file = folders.there().join("f");
    std::fs::write(&file, format!("a{}\n", "\u{4e2d}".repeat(4000))).unwrap();
    let (remote, path) = (Remote::Sftp(small), file.as_os_str().as_bytes());
    let attrs = remote.stat(path).await.unwrap();
    let shown = read::file(&remote, path, &attrs, read::Part { offset: 1, limit: 1, max_chars: 10_000 }).await.unwrap();
    assert_eq!((shown.encoding, shown.lines), ("utf-8", Some(1)));
}

/// A server that says this to the hello, and this to what follows; `NNNN` becomes the number of the request.
async fn hostile(hello: &[u8], answers: &[&[u8]]) -> Result<Sftp, FilesError> {
    let (ours, mut theirs) = tokio::io::duplex(1 << 20);
    let (hello, answers): (Vec<u8>, Vec<Vec<u8>>) = (hello.to_vec(), answers.iter().map(|bytes| bytes.to_vec()).collect());
    tokio::spawn(async move {
        let mut first = [0; 9];
        theirs.read_exact(&mut first).await.unwrap();
        theirs.write_all(&hello).await.unwrap();
        for mut answer in answers {
            let length = theirs.read_u32().await.unwrap();
            let mut request = vec![0; length as usize];
            theirs.read_exact(&mut request).await.unwrap();
            if let Some(at) = answer.windows(4).position(|four| four == b"NNNN") {
                answer[at..at + 4].copy_from_slice(&request[1..5]);
            }
            theirs.write_all(&answer).await.unwrap();
        }
        // And then nothing, for ever.
        std::future::pending::<()>().await;
    });
    Sftp::start(ours).await
}

const HELLO: &[u8] = &[0, 0, 0, 5, 2, 0, 0, 0, 3];

fn packet(body: &[u8]) -> Vec<u8> {
    [u32::try_from(body.len()).unwrap().to_be_bytes().as_slice(), body].concat()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_means_harm_is_refused_and_never_waited_for() {
    let broken = |error: FilesError| {
        assert!(error.is_broken(), "{error}");
        error.to_string()
    };
    for (hello, words) in [
        (b"SSH-2.0-x\r\n".as_slice(), "packet of"),
        (&[0, 0, 0, 5, 2, 0, 0, 0, 2], "too old"),
        (&[0, 0, 0, 1, 99], "no SFTP"),
        (b"", "does not answer"),
    ] {
        assert!(broken(hostile(hello, &[]).await.unwrap_err()).contains(words), "{words}");
    }
    let huge = [0xff, 0xff, 0xff, 0xff];
    let stranger = packet(b"\x65\0\0\xff\xff\0\0\0\0");
    let half = packet(b"\x68NNNN\0\0\0\x05\0\0");
    for (answer, words) in
        [(huge.as_slice(), "packet of 4294967295 bytes"), (&stranger, "nobody made"), (&half, "shorter than it says"), (b"", "silent for")]
    {
        let sftp = hostile(HELLO, &[answer]).await.unwrap();
        let error = sftp.whole_path(b"x").await.unwrap_err().at("find", b"x");
        assert!(broken(error).contains(words), "{words}");
    }
    // A listing that leads elsewhere.
    for name in [b"../x".as_slice(), b"/etc/passwd", b"a\0b", b""] {
        let mut list = b"\x68NNNN\0\0\0\x01".to_vec();
        wire::put_string(&mut list, name);
        wire::put_string(&mut list, b"");
        list.extend_from_slice(&[0; 4]);
        let (open, end) = (packet(b"\x66NNNN\0\0\0\x01h"), packet(b"\x65NNNN\0\0\0\x01"));
        let sftp = hostile(HELLO, &[&open, &packet(&list), &end]).await.unwrap();
        let error = sftp.list(b"/").await.unwrap_err().at("list", b"/");
        assert!(broken(error).contains("a name that is none"));
    }
    // More bytes than were asked for.
    let (open, much) = (packet(b"\x66NNNN\0\0\0\x01h"), packet(b"\x67NNNN\0\0\0\x05abcde"));
    let sftp = hostile(HELLO, &[&open, &much]).await.unwrap();
    let handle = sftp.open_read(b"f").await.unwrap();
    let error = stream::Source::new(&sftp, handle, 0, Some(3)).next().await.unwrap_err().at("read", b"f");
    assert!(broken(error).contains("sent 5 bytes where 1 to 3"));
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_leaves_nothing_behind() {
    let sftp = hostile(HELLO, &[&packet(b"\x69NNNN\0\0\0\0")]).await.unwrap();
    // Dropped before its answer: the answer is nobody's fault.
    drop(tokio::time::timeout(std::time::Duration::ZERO, sftp.lstat(b"x")).await);
    tokio::task::yield_now().await;
    let error = sftp.lstat(b"y").await.unwrap_err().at("look at", b"y").to_string();
    assert!(error.contains("silent for"), "{error}");
}
