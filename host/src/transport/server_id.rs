//! What the server says of itself in clear: its identification string (RFC 4253 section 4.2) and the algorithms that it offers
//! (section 7.1), noted while the SSH library reads them. The library tells the first only to a handler of a kind that cannot be
//! written outside of it, the second only when both sides have nothing in common.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What every identification string begins with; other lines may come before it.
const START: &str = "SSH-";
/// The longest line that is looked at: the RFC's bound of the identification string.
const LINE_MAX_BYTES: usize = 255;

/// The longest first packet that is looked at: the bound that every implementation must take (RFC 4253 section 6.1).
const PACKET_MAX_BYTES: usize = 35_000;
/// `SSH_MSG_KEXINIT`.
const KEXINIT: u8 = 20;
/// Its random bytes.
const COOKIE_BYTES: usize = 16;

/// Where the string will be, once it has come.
pub(super) type ServerId = Arc<OnceLock<String>>;
/// Where the offer will be, once it has come.
pub(super) type ServerOffer = Arc<OnceLock<Offered>>;

/// The algorithms that a server offers, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offered {
    /// Key exchanges.
    pub kex: Vec<String>,
    /// Host key algorithms.
    pub host_keys: Vec<String>,
    /// Ciphers for what it sends.
    pub ciphers: Vec<String>,
    /// MACs for what it sends.
    pub macs: Vec<String>,
}

impl Offered {
    /// Reads the packet with the offer.
    fn read(packet: &[u8]) -> Option<Self> {
        let (length, rest) = packet.split_at_checked(4)?;
        let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
        let packet = rest.get(..length)?;
        let (&padding, packet) = packet.split_first()?;
        let payload = packet.get(..packet.len().checked_sub(padding.into())?)?;
        let (&kind, payload) = payload.split_first()?;
        if kind != KEXINIT {
            return None;
        }
        let mut lists = payload.get(COOKIE_BYTES..)?;
        let mut next = || {
            let (length, rest) = lists.split_at_checked(4)?;
            let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
            let (list, rest) = rest.split_at_checked(length)?;
            lists = rest;
            let text = String::from_utf8_lossy(list);
            Some(text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>())
        };
        let (kex, host_keys, _to_server, ciphers, _macs_to_server, macs) = (next()?, next()?, next()?, next()?, next()?, next()?);
        Some(Self { kex, host_keys, ciphers, macs })
    }
}

/// A stream whose first line that begins with `SSH-` is noted, and the packet after it.
pub(super) struct Noted<S> {
    inner: S,
    line: Vec<u8>,
    id: ServerId,
    packet: Vec<u8>,
    offer: ServerOffer,
    done: bool,
}

impl<S> Noted<S> {
    pub(super) fn new(inner: S, id: ServerId, offer: ServerOffer) -> Self {
        Self { inner, line: Vec::new(), id, packet: Vec::new(), offer, done: false }
    }

    fn note(&mut self, bytes: &[u8]) {
        let packet = if self.id.get().is_some() { bytes } else { self.note_id(bytes) };
        if self.id.get().is_some() {
            self.note_offer(packet);
        }
    }

    fn note_offer(&mut self, bytes: &[u8]) {
        let room = PACKET_MAX_BYTES.saturating_sub(self.packet.len());
        self.packet.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        let length = self.packet.first_chunk().map(|length| u32::from_be_bytes(*length));
        let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else { return };
        if self.packet.len() >= length.saturating_add(4) || self.packet.len() >= PACKET_MAX_BYTES {
            if let Some(offered) = Offered::read(&self.packet) {
                // Nobody else sets it.
                let _ = self.offer.set(offered);
            }
            self.packet = Vec::new();
            self.done = true;
        }
    }

    /// Gives what comes after the string.
    fn note_id<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        for (at, &byte) in bytes.iter().enumerate() {
            if byte != b'\n' {
                // What is longer is no identification string; its beginning is enough to know that.
                if self.line.len() < LINE_MAX_BYTES {
                    self.line.push(byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&self.line).trim_end_matches('\r').to_owned();
            self.line.clear();
            if line.starts_with(START) {
                // Nobody else sets it.
                let _ = self.id.set(line);
                return bytes.get(at + 1..).unwrap_or_default();
            }
        }
        &[]
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let done = Pin::new(&mut this.inner).poll_read(context, buffer);
        if !this.done {
            this.note(buffer.filled().get(before..).unwrap_or_default());
        }
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, pieces: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(pieces: &[&[u8]]) -> Option<String> {
        let id = ServerId::default();
        let mut stream = Noted::new((), Arc::clone(&id), ServerOffer::default());
        for piece in pieces {
            stream.note(piece);
        }
        id.get().cloned()
    }

    #[test]
    fn the_offer_is_found_however_it_is_cut() {
        let names = ["kex-1,kex-2", "key-1", "up", "down-1,down-2", "mac-up", "mac-down", "none", "none", "", ""];
        let lists: Vec<u8> =
            names.iter().flat_map(|list| [&u32::try_from(list.len()).unwrap().to_be_bytes()[..], list.as_bytes()].concat()).collect();
        let payload = [&[KEXINIT][..], &[7; COOKIE_BYTES], &lists, &[0; 5]].concat();
        let length = u32::try_from(payload.len() + 1 + 6).unwrap();
        let packet = [&length.to_be_bytes()[..], &[6], &payload, &[0; 6], b"what follows"].concat();
        let all = [b"hello\r\nSSH-2.0-acme\r\n".as_slice(), &packet].concat();
        let words = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let expected =
            Offered { kex: words("kex-1,kex-2"), host_keys: words("key-1"), ciphers: words("down-1,down-2"), macs: words("mac-down") };
        for size in [1, 2, 7, 64, all.len()] {
            let offer = ServerOffer::default();
            let mut stream = Noted::new((), ServerId::default(), Arc::clone(&offer));
            all.chunks(size).for_each(|piece| stream.note(piece));
            assert_eq!(offer.get(), Some(&expected), "{size}");
        }
        for cut in 0..packet.len() - 12 {
            // Nothing is read out of a part, and nothing panics.
            assert_eq!(Offered::read(&packet[..cut]), None);
        }
    }

    #[test]
    fn the_string_is_found_behind_other_lines_and_in_pieces() {
        assert_eq!(noted(&[b"SSH-2.0-acme\r\n\x00\x00"]).as_deref(), Some("SSH-2.0-acme"));
        assert_eq!(noted(&[b"hello\r\nSS", b"H-2.0-a", b"cme x\n"]).as_deref(), Some("SSH-2.0-acme x"));
        assert_eq!(noted(&[b"SSH-2.0-no end"]), None);
        let long = [b"SSH-2.0-".as_slice(), &[b'x'; 10_000], b"\n"].concat();
        assert_eq!(noted(&[&long]).map(|line| line.len()), Some(LINE_MAX_BYTES));
    }
}
