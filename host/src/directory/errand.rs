//! Work on a device without a session: on its files.

use super::{Directory, OpenError};
use crate::ids::SessionId;
use crate::session::errand::Errand;

/// Name of the session that what is done with files belongs to.
const FILES: &str = "files";

impl Directory {
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
        let place = world.place(device).await?;
        let id = SessionId { device: device.to_owned(), name: FILES.to_owned() };
        Ok(Errand::new(self.profile(&world, &id, own, Some(&place), kind, size)?))
    }
}
