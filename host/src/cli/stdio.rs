//! Standard input and output without a thread between them and the protocol, where they can wait by themselves.
//!
//! A pipe or a socket, which is what clients give, is read and written as such. The general way costs two hand-overs to other
//! threads for each message.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream as StdStream;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

/// Something to read from.
pub type Input = Box<dyn AsyncRead + Send + Unpin>;
/// Something to write to.
pub type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Standard input.
#[must_use]
pub fn input() -> Input {
    match kind(io::stdin().as_fd()) {
        Some((Kind::Pipe, file)) => pipe::Receiver::from_file(file).map_or_else(|_| general_input(), |pipe| Box::new(pipe)),
        Some((Kind::Socket, file)) => stream(file).map_or_else(|_| general_input(), |stream| Box::new(stream)),
        None => general_input(),
    }
}

/// Standard output.
#[must_use]
pub fn output() -> Output {
    if is_shared_with_errors() {
        return general_output();
    }
    match kind(io::stdout().as_fd()) {
        Some((Kind::Pipe, file)) => pipe::Sender::from_file(file).map_or_else(|_| general_output(), |pipe| Box::new(pipe)),
        Some((Kind::Socket, file)) => stream(file).map_or_else(|_| general_output(), |stream| Box::new(stream)),
        None => general_output(),
    }
}

fn general_input() -> Input {
    Box::new(tokio::io::stdin())
}

fn general_output() -> Output {
    Box::new(tokio::io::stdout())
}

enum Kind {
    Pipe,
    Socket,
}

fn kind(descriptor: BorrowedFd<'_>) -> Option<(Kind, File)> {
    let file = File::from(descriptor.try_clone_to_owned().ok()?);
    let kind = file.metadata().ok()?.file_type();
    match (kind.is_fifo(), kind.is_socket()) {
        (true, _) => Some((Kind::Pipe, file)),
        (_, true) => Some((Kind::Socket, file)),
        _ => None,
    }
}

fn stream(file: File) -> io::Result<UnixStream> {
    let stream = StdStream::from(OwnedFd::from(file));
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// Whoever writes to standard error does not expect that it may say "try again".
fn is_shared_with_errors() -> bool {
    let of = |descriptor: BorrowedFd<'_>| {
        let metadata = File::from(descriptor.try_clone_to_owned().ok()?).metadata().ok()?;
        Some((metadata.dev(), metadata.ino()))
    };
    of(io::stdout().as_fd()) == of(io::stderr().as_fd())
}
