//! Keeps the recorded keys of hosts up to date after each login, as `UpdateHostKeys` asks for.

use super::reach::Errand;
use super::{Directory, OpenError};
use crate::audit::Audit;
use crate::audit::record::HostKeysChanged;
use crate::transport::host_key::{Rotation, fingerprint};
use crate::transport::ssh::{Connection, HostKeys, Target};

impl Directory {
    /// A connection for whoever looks after the host keys of a device: nothing is learned on it by itself.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn for_host_keys(&self, name: &str) -> Result<(Connection, Target), OpenError> {
        let mut reached = self.reach_host(name, Errand::LogIn).await?;
        reached.target.learning.by_itself = false;
        let connection = self.pool.connect(&reached.target, &self.book).await?;
        Ok((connection, reached.target))
    }

    /// Records that keys of a host have changed in the user's files.
    pub fn host_keys_changed(&self, device: &str, rotation: &Rotation) {
        self.audit.host_keys(&changed(device, rotation));
    }
}

/// Does it for a new connection, beside whatever else happens there. The connection is not kept for it.
pub(super) fn keep_up_to_date(connection: &Connection, target: &Target, audit: &Audit) {
    if !target.learning.by_itself {
        return;
    }
    // Its algorithms were good enough to connect with.
    let Ok(keys) = HostKeys::of(target) else { return };
    let (announcement, known) = (connection.announcement(), connection.known());
    let (device, audit) = (target.device.clone(), audit.clone());
    tokio::spawn(async move {
        let Ok(Some(announced)) = keys.announced(announcement).await else { return };
        let Some(connection) = known.get() else { return };
        match keys.learn(&connection, announced).await {
            Ok(rotation) if rotation.is_empty() => {}
            Ok(rotation) => audit.host_keys(&changed(&device, &rotation)),
            Err(error) => audit.host_keys(&HostKeysChanged { device, refused: Some(error.to_string()), ..HostKeysChanged::default() }),
        }
        // Everybody else may have let go of it in between.
        connection.leave().await;
    });
}

fn changed(device: &str, rotation: &Rotation) -> HostKeysChanged {
    HostKeysChanged {
        device: device.to_owned(),
        learned: rotation.new.iter().map(|key| format!("{} {}", key.algorithm(), fingerprint(key))).collect(),
        forgotten: rotation.gone.iter().map(|gone| format!("{} {}", gone.key_type, gone.fingerprint)).collect(),
        refused: None,
    }
}
