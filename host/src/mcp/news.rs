//! What clients are told without a call: the tools or the sessions are others now, or a resource that they watch is.
//!
//! A client of the older era hears of lists as long as its connection lasts, and names each resource that it wants to watch. One of the
//! newer era opens a stream for what it wants to hear.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{Peer, RoleServer, SubscriptionContext, SubscriptionSink};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use super::resources;
use crate::directory::Directory;
use crate::ids::SessionId;
use crate::limits::{RESOURCE_NEWS_EVERY, RESOURCES_WATCHED_MAX};
use crate::session::{SessionHandle, Status};

/// Where news go.
#[derive(Clone)]
enum Ear {
    Connection(Peer<RoleServer>),
    Stream(SubscriptionSink),
}

impl Ear {
    // Each says whether somebody still listens.

    async fn tools(&self) -> bool {
        match self {
            Self::Connection(peer) => peer.notify_tool_list_changed().await.is_ok(),
            Self::Stream(sink) if sink.accepted().tools_list_changed == Some(true) => sink.notify_tool_list_changed().await.is_ok(),
            Self::Stream(_) => true,
        }
    }

    async fn sessions(&self) -> bool {
        match self {
            Self::Connection(peer) => peer.notify_resource_list_changed().await.is_ok(),
            Self::Stream(sink) if sink.accepted().resources_list_changed == Some(true) => sink.notify_resource_list_changed().await.is_ok(),
            Self::Stream(_) => true,
        }
    }

    async fn resource(&self, uri: &str) -> bool {
        match self {
            Self::Connection(peer) => peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await.is_ok(),
            Self::Stream(sink) => sink.notify_resource_updated(uri).await.is_ok(),
        }
    }
}

/// What one connection of the older era hears. It ends with the value.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<BTreeMap<String, JoinHandle<()>>>);

/// In place of an address: the lists.
const LISTS: &str = "";

impl Heard {
    fn tasks(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the client hear of the lists from now on.
    pub(super) fn lists(&self, directory: &Arc<Directory>, peer: &Peer<RoleServer>) {
        let hearing = || tokio::spawn(lists(Arc::clone(directory), Ear::Connection(peer.clone())));
        self.tasks().entry(LISTS.to_owned()).or_insert_with(hearing);
    }

    /// Has it hear of this resource.
    ///
    /// # Errors
    ///
    /// When there can be no such resource, or the connection watches as many as it may.
    pub(super) fn watch(&self, directory: &Arc<Directory>, peer: &Peer<RoleServer>, uri: &str) -> Result<(), String> {
        if !resources::can_be(&directory.world().config, uri) {
            return Err(format!("there is no resource `{uri}`; {} is the list of sessions", resources::SESSIONS));
        }
        let mut tasks = self.tasks();
        if tasks.keys().filter(|known| *known != LISTS && *known != uri).count() >= RESOURCES_WATCHED_MAX {
            return Err(format!("{RESOURCES_WATCHED_MAX} resources are watched, the most that a connection may; unsubscribe from one"));
        }
        let watching = || tokio::spawn(resource(Arc::clone(directory), Ear::Connection(peer.clone()), uri.to_owned()));
        tasks.entry(uri.to_owned()).or_insert_with(watching);
        Ok(())
    }

    /// Has it no longer hear of this one.
    pub(super) fn unwatch(&self, uri: &str) {
        if let Some(watching) = self.tasks().remove(uri).filter(|_| uri != LISTS) {
            watching.abort();
        }
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.tasks().values().for_each(JoinHandle::abort);
    }
}

/// Tells a client of the newer era what it wants to hear, until it has enough.
pub(super) async fn stream(directory: &Arc<Directory>, subscription: &SubscriptionContext) {
    let ear = Ear::Stream(subscription.sink().clone());
    let mut watching = JoinSet::new();
    watching.spawn(lists(Arc::clone(directory), ear.clone()));
    for uri in subscription.accepted().resource_subscriptions.iter().flatten() {
        watching.spawn(resource(Arc::clone(directory), ear.clone(), uri.clone()));
    }
    subscription.cancelled().await;
}

async fn lists(directory: Arc<Directory>, ear: Ear) {
    let (mut world, mut sessions) = (directory.news().world(), directory.news().sessions());
    let mut known = directory.world().config.tools.clone();
    loop {
        let listens = tokio::select! {
            Ok(()) = world.changed() => {
                let now = directory.world().config.tools.clone();
                let is_known = now == known;
                known = now;
                is_known || ear.tools().await
            }
            // Whoever was not offered resources hears of none.
            Ok(()) = sessions.changed() => !resources::are_offered(&directory.world().config) || ear.sessions().await,
            else => false,
        };
        if !listens {
            return;
        }
    }
}

async fn resource(directory: Arc<Directory>, ear: Ear, uri: String) {
    let session = resources::session_of(&uri);
    let mut sessions = directory.news().sessions();
    let mut told = session.as_ref().and_then(|id| live(&directory, id)).map(|handle| handle.status());
    loop {
        match &session {
            // What changes while it is told, and in the pause behind that, is news again.
            Some(id) => told = another(&directory, id, told, &mut sessions).await,
            // Of all of them: one was opened or closed. The directory lives: the caller holds it.
            None => drop(sessions.changed().await),
        }
        if !ear.resource(&uri).await {
            return;
        }
        sleep(RESOURCE_NEWS_EVERY).await;
    }
}

fn live(directory: &Directory, id: &SessionId) -> Option<SessionHandle> {
    directory.find(id).filter(|handle| handle.closed().is_none())
}

/// Waits until what is known of the session is something else than was told, or what stands beside it may be. Nobody is woken by a count
/// of bytes: it is looked at.
async fn another(directory: &Directory, id: &SessionId, told: Option<Status>, sessions: &mut watch::Receiver<()>) -> Option<Status> {
    loop {
        let handle = live(directory, id);
        let now = handle.as_ref().map(SessionHandle::status);
        if now != told {
            return now;
        }
        let changed = async {
            match &handle {
                Some(handle) => handle.until(|status| Some(status) != told.as_ref()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed => {}
            _ = sessions.changed() => return now,
            () = sleep(RESOURCE_NEWS_EVERY) => {}
        }
    }
}
