//! Keys of an agent, certificates and hardware keys among them.

use std::path::PathBuf;

use russh::client::AuthResult;
use russh::keys::HashAlg;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::PublicKey;
use russh::{MethodKind, Signer};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::super::{KeyFile, Target};
use super::Login;
use super::keys::{self, Loaded, rsa_hash};
use crate::limits::{AGENT_KEYS_MAX, CONNECT_MAX, LOGIN_ANSWER_MAX};

type Client = AgentClient<UnixStream>;

/// What the agent has, and the file of the configuration that stands for it.
type Held = (AgentIdentity, Option<PathBuf>);

/// What the server is shown, and what of the agent's signs for it: the agent may have the key of a certificate that is only a file.
struct Shown {
    what: AgentIdentity,
    signs: AgentIdentity,
}

/// An agent that signs with this, whatever was shown.
struct With<'a>(&'a mut Client, &'a AgentIdentity);

impl Signer for With<'_> {
    type Error = <Client as Signer>::Error;

    async fn auth_sign(&mut self, _: &AgentIdentity, hash: Option<HashAlg>, to_sign: Vec<u8>) -> Result<Vec<u8>, Self::Error> {
        self.0.auth_sign(self.1, hash, to_sign).await
    }
}

impl Login<'_> {
    /// Offers the agent's keys: those that a file of the configuration stands for first, and certificates before their keys, as ssh does.
    pub(super) async fn by_agent(&mut self) {
        let late = || Err("the agent does not answer".to_owned());
        let (socket, mut agent, identities) = match timeout(CONNECT_MAX, self.identities()).await.unwrap_or_else(|_| late()) {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(what) => return self.tried.push(what),
        };
        let mut refused = 0;
        for one in self.shown(identities) {
            if refused == AGENT_KEYS_MAX || !self.takes(MethodKind::PublicKey) {
                break;
            }
            if let AgentIdentity::Certificate { certificate, .. } = &one.what
                && !self.is_new(certificate)
            {
                continue;
            }
            if let AgentIdentity::PublicKey { key, .. } = &one.signs {
                self.offered.push(key.key_data().clone());
            }
            // A person may have to touch a key or type a PIN.
            let signed = timeout(LOGIN_ANSWER_MAX, self.sign(&one, &mut agent)).await;
            let Ok(signed) = signed else {
                // The library goes on waiting for this signature and hears of nothing else.
                let waited = LOGIN_ANSWER_MAX.as_secs();
                return self
                    .give_up(format!("agent `{socket}` did not sign in time: a touch of the key or its PIN was waited for {waited} s"));
            };
            match signed {
                Ok(result @ AuthResult::Failure { partial_success: false, .. }) => {
                    refused += 1;
                    self.result = result;
                }
                Ok(result) => return self.came_to(result, &format!("a key of agent `{socket}`")),
                Err(what) => self.tried.push(format!("agent `{socket}`: {what}")),
            }
        }
        self.tried.push(match refused {
            0 => format!("agent `{socket}` has no further key"),
            1 => format!("a key of agent `{socket}` is not accepted"),
            more => format!("{more} keys of agent `{socket}` are not accepted"),
        });
    }

    /// What was not offered yet, each key behind its certificates that are files.
    fn shown(&mut self, identities: Vec<Held>) -> Vec<Shown> {
        let mut shown = Vec::new();
        for (identity, file) in identities {
            if self.is_short(identity.public_key().key_data(), "a key of the agent") {
                continue;
            }
            if let AgentIdentity::PublicKey { key, .. } = &identity {
                if self.offered.contains(key.key_data()) {
                    continue;
                }
                let certificates = self.certificates.of(key.key_data(), file.as_deref());
                shown.extend(certificates.into_iter().map(|one| Shown { what: one.into(), signs: identity.clone() }));
            }
            shown.push(Shown { what: identity.clone(), signs: identity });
        }
        shown
    }

    /// The first agent that answers, and its keys in the order to offer them. `None` where no agent is configured.
    async fn identities(&self) -> Result<Option<(String, Client, Vec<Held>)>, String> {
        let Some((socket, mut agent)) = connect(self.target).await? else { return Ok(None) };
        // Keys for certain destinations are shown only to who says what it is connected to. Old agents do not know the question.
        if let Some(binding) = self.handle.agent_session_binding() {
            let _ = agent.bind_session(binding, false).await;
        }
        let identities = agent.request_identities().await.map_err(|error| format!("agent `{socket}`: {error}"))?;
        let file = |file: &KeyFile| Some((public(self.target, file)?, file.path.clone()));
        let named: Vec<(PublicKey, PathBuf)> = self.target.keys.iter().filter_map(file).collect();
        let held = |identity: AgentIdentity| -> Held {
            let named = named.iter().find(|(key, _)| key.key_data() == identity.public_key().key_data());
            (identity, named.map(|(_, path)| path.clone()))
        };
        let (mut wanted, others): (Vec<Held>, Vec<Held>) = identities.into_iter().map(held).partition(|(_, file)| file.is_some());
        if !self.target.named_keys_only {
            // A server counts what it refuses: those that a certificate of the configuration is for come before the rest.
            let is_certified = |held: &Held| self.certificates.is_for(held.0.public_key().key_data());
            let (certified, rest): (Vec<Held>, Vec<Held>) = others.into_iter().partition(is_certified);
            wanted.extend(certified.into_iter().chain(rest));
        }
        Ok(Some((socket, agent, wanted)))
    }

    async fn sign(&mut self, one: &Shown, agent: &mut Client) -> Result<AuthResult, String> {
        let is_rsa = one.signs.public_key().algorithm().is_rsa();
        let hash = rsa_hash(self.handle, is_rsa, self.target.offer.signs_with_sha1()).await.map_err(|error| error.to_string())?;
        let user = self.user.clone();
        let mut signer = With(agent, &one.signs);
        let result = match &one.what {
            AgentIdentity::PublicKey { key, .. } => self.handle.authenticate_publickey_with(user, key.clone(), hash, &mut signer).await,
            AgentIdentity::Certificate { certificate, .. } => {
                self.handle.authenticate_certificate_with(user, certificate.clone(), hash, &mut signer).await
            }
        };
        result.map_err(|error| error.to_string())
    }
}

/// The public half of a key file, as far as it can be had without its passphrase.
fn public(target: &Target, file: &KeyFile) -> Option<PublicKey> {
    match keys::load(target, file).ok()? {
        Loaded::Private(key) => Some(key.public_key().clone()),
        Loaded::Public(key) => Some(key),
    }
}

async fn connect(target: &Target) -> Result<Option<(String, Client)>, String> {
    let mut failed = Vec::new();
    for socket in &target.agents {
        match AgentClient::connect_uds(socket).await {
            Ok(client) => return Ok(Some((socket.display().to_string(), client))),
            Err(error) => failed.push(format!("agent `{}`: {error}", socket.display())),
        }
    }
    if failed.is_empty() { Ok(None) } else { Err(failed.join(", ")) }
}
