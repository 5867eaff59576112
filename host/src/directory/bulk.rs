//! Connections for files, apart from the interactive ones: what fills one of these delays nobody who types.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Mutex as Turn;

use super::{Directory, OpenError, failed};
use crate::ids::SessionId;
use crate::limits::BULK_IDLE_MAX;
use crate::session::errand::Errand;
use crate::transport::ssh::{Connection, Target};

type Slot = Turn<Option<Connection>>;

/// The connections, one for each device.
#[derive(Debug, Default)]
pub(super) struct Bulk(Mutex<BTreeMap<String, Arc<Slot>>>);

impl Bulk {
    fn slot(&self, device: &str) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(device.to_owned()).or_default())
    }
}

/// Name of the session that what is done with files belongs to.
const FILES: &str = "files";

impl Directory {
    /// A connection for files: the one that is there, or a new one. It closes when nobody has used it for a while.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn bulk(&self, device: &str) -> Result<Connection, OpenError> {
        let slot = self.bulk.slot(device);
        let mut kept = slot.lock().await;
        if let Some(connection) = kept.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let world = self.world();
        let own = world.device(device)?;
        let id = files_of(device);
        let kind = self.kind_of(device).await?;
        let size = kind.terminal.size(None, None);
        let mut profile = self.profile(&world, &id, own, kind, size)?;
        let target = Target { bulk: true, ..self.target(&id, own, &mut profile).await? };
        let connection = Connection::open(&target).await.map_err(failed)?;
        *kept = Some(connection.clone());
        tokio::spawn(close_when_idle(Arc::downgrade(&slot)));
        Ok(connection)
    }

    /// What judges and records the work on a device's files.
    ///
    /// # Errors
    ///
    /// When there is no such device, or what it is is not known.
    pub async fn errand(&self, device: &str) -> Result<Errand, OpenError> {
        let world = self.world();
        let own = world.device(device)?;
        if own.local {
            let why = format!("device `{device}` is a shell on this machine; its files are read and written there, with ssh_run");
            return Err(OpenError::Failed(why));
        }
        self.learn_secrets(own).await;
        let kind = self.kind_of(device).await?;
        let size = kind.terminal.size(None, None);
        Ok(Errand::new(self.profile(&world, &files_of(device), own, kind, size)?))
    }
}

fn files_of(device: &str) -> SessionId {
    SessionId { device: device.to_owned(), name: FILES.to_owned() }
}

async fn close_when_idle(slot: Weak<Slot>) {
    loop {
        tokio::time::sleep(BULK_IDLE_MAX).await;
        let Some(slot) = slot.upgrade() else { return };
        let mut kept = slot.lock().await;
        if kept.as_ref().is_none_or(|connection| connection.is_closed() || !connection.is_shared()) {
            *kept = None;
            return;
        }
    }
}
