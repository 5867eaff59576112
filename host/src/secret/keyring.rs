//! Secrets in the system's keyring: the Secret Service of a desktop, or the kernel's where there is none.
//!
//! The crate `keyring` is a front for the two crates that are used here; its release 4 talks to the Secret Service from a second
//! asynchronous runtime. `secret-service` does so on tokio, without OpenSSL and without a C library. The Secret Service keeps entries
//! across reboots, encrypted with the person's password. The kernel's persistent keyring forgets after some days without use and at a
//! reboot, but is there on every server, and nobody but the account (and root) can read it.

use std::collections::HashMap;

use linux_keyutils::{KeyRing, KeyRingIdentifier};
use secret_service::{EncryptionType, Error, SecretService};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{COMMAND_LIMIT, Secret, SecretError};

/// Entries belong to this service; `keyring set jackfield NAME` of other programs makes the same ones.
const SERVICE: &str = "jackfield";

/// The value of an entry, of the Secret Service or else of the kernel's keyring.
pub(super) async fn read(entry: &str) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let name = entry.to_owned();
    // A task of its own: whoever waits for it goes on reading his line.
    let found = tokio::spawn(async move { find(&name).await }).await;
    found.unwrap_or_else(|error| Err(error.to_string())).map_err(|why| SecretError::Keyring { entry: entry.to_owned(), why })
}

async fn find(entry: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    // A locked collection asks a person to unlock it, who may not be there.
    let from_service = timeout(COMMAND_LIMIT, read_service(entry)).await;
    let from_service = from_service.unwrap_or_else(|_| Err(format!("it did not answer within {COMMAND_LIMIT:?}")));
    let service_said = match from_service {
        Ok(Some(value)) => return Ok(value),
        Ok(None) => "the Secret Service has no such entry".to_owned(),
        Err(why) => format!("there is no Secret Service: {why}"),
    };
    read_kernel(&description(entry)).map_err(|kernel| format!("{service_said}; the kernel's keyring: {kernel}"))
}

/// Puts a value there and says where it is now.
///
/// # Errors
///
/// A sentence, when neither keyring takes it.
pub async fn store(entry: &str, value: &Secret) -> Result<&'static str, SecretError> {
    let in_service = timeout(COMMAND_LIMIT, store_service(entry, value)).await;
    let in_service = in_service.unwrap_or_else(|_| Err(format!("it did not answer within {COMMAND_LIMIT:?}")));
    let Err(service) = in_service else { return Ok("the Secret Service, which keeps it") };
    let stored = persistent().and_then(|ring| ring.add_key(&description(entry), value.expose()).map_err(|error| error.to_string()));
    match stored {
        Ok(_) => Ok("the kernel's keyring, which forgets it at a reboot, because there is no Secret Service"),
        Err(kernel) => {
            let why = format!("there is no Secret Service: {service}; the kernel's keyring: {kernel}");
            Err(SecretError::Keyring { entry: entry.to_owned(), why })
        }
    }
}

fn attributes(entry: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", SERVICE), ("username", entry)])
}

async fn read_service(entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let work = async {
        let service = SecretService::connect(EncryptionType::Dh).await?;
        let found = service.search_items(attributes(entry)).await?;
        let Some(item) = found.unlocked.first().or_else(|| found.locked.first()) else { return Ok::<_, Error>(None) };
        if item.is_locked().await? {
            item.unlock().await?;
        }
        Ok(Some(Zeroizing::new(item.get_secret().await?)))
    };
    work.await.map_err(|error| error.to_string())
}

async fn store_service(entry: &str, value: &Secret) -> Result<(), String> {
    let work = async {
        let service = SecretService::connect(EncryptionType::Dh).await?;
        let collection = service.get_default_collection().await?;
        if collection.is_locked().await? {
            collection.unlock().await?;
        }
        let label = format!("{SERVICE}: {entry}");
        collection.create_item(&label, attributes(entry), value.expose(), true, "text/plain").await?;
        Ok::<_, Error>(())
    };
    work.await.map_err(|error| error.to_string())
}

fn description(entry: &str) -> String {
    format!("{SERVICE}:{entry}")
}

/// The keyring of the account: it outlasts logins, until nobody has used it for some days. Where the kernel has none, the one that
/// lives as long as the account has a process.
fn persistent() -> Result<KeyRing, String> {
    let persistent = KeyRing::get_persistent(KeyRingIdentifier::Process);
    let ring = persistent.or_else(|_| KeyRing::from_special_id(KeyRingIdentifier::User, true));
    ring.map_err(|error| error.to_string())
}

fn read_kernel(description: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let key = persistent()?.search(description).map_err(|error| format!("no such entry ({error})"))?;
    key.read_to_vec().map(Zeroizing::new).map_err(|error| error.to_string())
}
