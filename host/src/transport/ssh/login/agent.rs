//! Keys of an agent, certificates and hardware keys among them.

use russh::MethodKind;
use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::PublicKey;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::super::{KeyFile, Target};
use super::Login;
use super::keys::{self, Loaded, rsa_hash};
use crate::limits::{AGENT_KEYS_MAX, CONNECT_MAX, LOGIN_ANSWER_MAX};

type Client = AgentClient<UnixStream>;

impl Login<'_> {
    /// Offers the agent's keys: those that a file of the configuration stands for first, as ssh does.
    pub(super) async fn by_agent(&mut self) {
        let late = || Err("the agent does not answer".to_owned());
        let (socket, mut agent, identities) = match timeout(CONNECT_MAX, self.identities()).await.unwrap_or_else(|_| late()) {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(what) => return self.tried.push(what),
        };
        let mut refused = 0;
        for identity in identities {
            let key = identity.public_key().key_data().clone();
            let is_plain = matches!(identity, AgentIdentity::PublicKey { .. });
            if refused == AGENT_KEYS_MAX || !self.takes(MethodKind::PublicKey) {
                break;
            }
            if is_plain && self.offered.contains(&key) {
                continue;
            }
            if is_plain {
                self.offered.push(key);
            }
            // A person may have to touch a key or type a PIN.
            let signed = timeout(LOGIN_ANSWER_MAX, self.sign(&identity, &mut agent)).await;
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

    /// The first agent that answers, and its keys in the order to offer them. `None` where no agent is configured.
    async fn identities(&self) -> Result<Option<(String, Client, Vec<AgentIdentity>)>, String> {
        let Some((socket, mut agent)) = connect(self.target).await? else { return Ok(None) };
        // Keys for certain destinations are shown only to who says what it is connected to. Old agents do not know the question.
        if let Some(binding) = self.handle.agent_session_binding() {
            let _ = agent.bind_session(binding, false).await;
        }
        let identities = agent.request_identities().await.map_err(|error| format!("agent `{socket}`: {error}"))?;
        let named: Vec<PublicKey> = self.target.keys.iter().filter_map(|file| public(self.target, file)).collect();
        let is_named = |identity: &AgentIdentity| named.iter().any(|key| key.key_data() == identity.public_key().key_data());
        let (mut wanted, others): (Vec<_>, Vec<_>) = identities.into_iter().partition(is_named);
        if !self.target.named_keys_only {
            wanted.extend(others);
        }
        Ok(Some((socket, agent, wanted)))
    }

    async fn sign(&mut self, identity: &AgentIdentity, agent: &mut Client) -> Result<AuthResult, String> {
        let is_rsa = identity.public_key().algorithm().is_rsa();
        let hash = rsa_hash(self.handle, is_rsa, self.target.offer.legacy).await.map_err(|error| error.to_string())?;
        let user = self.user.clone();
        let result = match identity {
            AgentIdentity::PublicKey { key, .. } => self.handle.authenticate_publickey_with(user, key.clone(), hash, agent).await,
            AgentIdentity::Certificate { certificate, .. } => {
                self.handle.authenticate_certificate_with(user, certificate.clone(), hash, agent).await
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
