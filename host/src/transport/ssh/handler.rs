//! What a connection tells beside data: the host key, the banner, what was agreed, why it ended, and channels that the server opens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::client::{self, Msg};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use russh::{Channel, ChannelOpenFailure};
use tokio::sync::{mpsc, watch};

use super::super::host_key::{self, HostKeyError, KnownHosts};
use super::super::server_id::{ServerId, ServerOffer};
use super::agent::Lent;
use super::channel::{Asked, Opened};
use super::error::{WORDS_MAX_BYTES, told, words};
use super::{Target, agent, algorithms};
use crate::limits::{HOST_KEYS_ANNOUNCED_MAX, VIEW_TAIL_MAX_BYTES};
use crate::terminal::text::first_bytes;

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) refused: Option<Box<HostKeyError>>,
    pub(super) server_id: ServerId,
    pub(super) server_offer: ServerOffer,
    /// Type and fingerprint.
    pub(super) host_key: String,
    /// The key itself; of a certificate the key that it certifies.
    pub(super) key: Option<PublicKey>,
    pub(super) banner: String,
    pub(super) end: Option<String>,
    /// Closed once the connection has ended.
    pub(super) alive: Option<watch::Receiver<()>>,
    pub(super) agreed: String,
    pub(super) weak: Vec<String>,
    /// How the account was proven.
    pub(super) logged_in_by: String,
    /// The agent, if it is lent to the device.
    pub(super) lent: Option<Lent>,
    /// All host keys of the server, as it says itself; empty until it does.
    pub(super) announced: watch::Sender<Vec<PublicKey>>,
    /// Where connections go that the server takes for us, by the address that it listens at.
    pub(super) listening: BTreeMap<String, mpsc::Sender<Asked>>,
}

impl Heard {
    /// Has what comes in at this address handed over from now on. Says whether nobody else waits for it.
    pub(super) fn expect(&mut self, name: String, waits: mpsc::Sender<Asked>) -> bool {
        let is_free = self.listening.get(&name).is_none_or(mpsc::Sender::is_closed);
        if is_free {
            self.listening.insert(name, waits);
        }
        is_free
    }

    /// Forgets who waited for what comes in at this address, unless somebody else does by now.
    pub(super) fn forget(&mut self, name: &str) {
        if self.listening.get(name).is_some_and(mpsc::Sender::is_closed) {
            self.listening.remove(name);
        }
    }
}

pub(super) type Hearing = Arc<Mutex<Heard>>;

/// What was told so far, locked.
pub(super) fn heard(hearing: &Hearing) -> MutexGuard<'_, Heard> {
    hearing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens to what the library tells.
#[derive(Debug)]
pub(super) struct Handler {
    device: String,
    host: String,
    port: u16,
    known: Arc<KnownHosts>,
    pub(super) hearing: Hearing,
    /// Any key is taken: to show it, not to log in.
    looks_only: bool,
    /// Gone with the library's task.
    _alive: watch::Sender<()>,
}

impl Handler {
    pub(super) fn new(target: &Target, known: Arc<KnownHosts>, looks_only: bool) -> Self {
        let (host, port) = target.host_key_name();
        let (alive, watch) = watch::channel(());
        let hearing = Arc::new(Mutex::new(Heard { alive: Some(watch), ..Heard::default() }));
        Self { device: target.device.clone(), host: host.to_owned(), port, known, hearing, looks_only, _alive: alive }
    }
}

/// The name under which connections to this address are waited for.
pub(super) fn listening_name(address: &str, port: u32) -> String {
    format!("{address}:{port}")
}

impl client::Handler for Handler {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let (key, verdict) = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => (key.clone(), self.known.verify(&self.device, &self.host, self.port, key)),
            PublicKeyOrCertificate::Certificate(certificate) => {
                let key = PublicKey::from(certificate.public_key().clone());
                (key, self.known.verify_certificate(&self.device, &self.host, self.port, certificate))
            }
        };
        let mut heard = heard(&self.hearing);
        heard.host_key = format!("{} {}", key.algorithm(), host_key::fingerprint(&key));
        heard.key = Some(key);
        heard.refused = verdict.err();
        Ok(heard.refused.is_none() || self.looks_only)
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut client::Session) -> Result<(), Self::Error> {
        let mut heard = heard(&self.hearing);
        let room = VIEW_TAIL_MAX_BYTES.saturating_sub(heard.banner.len());
        heard.banner.push_str(first_bytes(banner, room));
        Ok(())
    }

    async fn kex_done(&mut self, _: Option<&[u8]>, names: &russh::Names, _: &mut client::Session) -> Result<(), Self::Error> {
        let mut heard = heard(&self.hearing);
        heard.agreed = algorithms::agreed(names);
        heard.weak = algorithms::weak(names);
        Ok(())
    }

    async fn openssh_ext_host_keys_announced(&mut self, keys: Vec<PublicKey>, _: &mut client::Session) -> Result<(), Self::Error> {
        heard(&self.hearing).announced.send_replace(keys.into_iter().take(HOST_KEYS_ANNOUNCED_MAX).collect());
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        address: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        self.hand_over(&listening_name(address, port), channel, reply).await;
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        path: &str,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        self.hand_over(path, channel, reply).await;
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        channel: Channel<Msg>,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        let lent = heard(&self.hearing).lent.clone();
        match lent.map(|lent| (lent.place(), lent)) {
            Some((Some(place), lent)) => {
                reply.accept().await;
                tokio::spawn(agent::carry(lent, Opened::new(channel), place));
            }
            Some((None, _)) => reply.reject(ChannelOpenFailure::ResourceShortage).await,
            None => reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await,
        }
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    /// The library refuses such a channel a second time where it is not handed over.
    async fn should_accept_unknown_server_channel(&mut self, _: russh::ChannelId, _: &str) -> bool {
        true
    }

    async fn server_channel_open_unknown(
        &mut self,
        _: Channel<Msg>,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        reply.reject(ChannelOpenFailure::UnknownChannelType).await;
        Ok(())
    }

    async fn disconnected(&mut self, reason: client::DisconnectReason<Self::Error>) -> Result<(), Self::Error> {
        let text = match &reason {
            client::DisconnectReason::ReceivedDisconnect(info) => {
                format!("the device ended the connection: {}", words(&info.message, WORDS_MAX_BYTES))
            }
            client::DisconnectReason::Error(error) => format!("the connection broke: {}", told(error)),
        };
        let mut heard = heard(&self.hearing);
        heard.end = Some(text);
        heard.listening.clear();
        match reason {
            client::DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            client::DisconnectReason::Error(error) => Err(error),
        }
    }
}

impl Handler {
    /// Gives a channel to whoever asked the server to listen. One that nobody asked for is refused.
    async fn hand_over(&self, name: &str, channel: Channel<Msg>, reply: client::ChannelOpenHandle) {
        let waiting = heard(&self.hearing).listening.get(name).cloned();
        match waiting.and_then(|waiting| waiting.try_reserve_owned().ok()) {
            Some(place) => {
                reply.accept().await;
                place.send(Asked::new(channel));
            }
            None => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_somebody_waits_at_is_taken_until_he_goes() {
        let (name, mut heard) = (|| listening_name("127.0.0.1", 8080), Heard::default());
        let (first, waits) = mpsc::channel(1);
        let (second, _waits_too) = mpsc::channel(1);
        assert!(heard.expect(name(), first.clone()) && !heard.expect(name(), second.clone()));
        heard.forget(&name());
        assert!(heard.listening[&name()].same_channel(&first), "who waits goes on to");
        drop(waits);
        assert!(heard.expect(name(), second.clone()) && heard.listening[&name()].same_channel(&second));
        let (third, waits) = mpsc::channel(1);
        assert!(heard.expect(listening_name("127.0.0.1", 80), third));
        drop(waits);
        heard.forget(&listening_name("127.0.0.1", 80));
        assert_eq!(heard.listening.len(), 1);
    }
}
