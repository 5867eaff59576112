//! Keys as they lie on disk, an agent that never signs, and a server that does not go on.

use std::borrow::Cow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::client::GexParams;
use russh::kex::dh::groups::DhGroup;
use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::public::{Ed25519PublicKey, KeyData};
use russh::keys::ssh_key::{LineEnding, private, public};
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelMsg, MethodKind, MethodSet};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::{Answer, ConnectError, Connection, KeyFile, Manner, Method, Offer, Target, Way};
use super::keys::{self, Loaded};
use crate::limits::{CLOSE_MAX, CONNECT_MAX, WRITE_MAX};
use crate::secret::Secret;
use crate::transport::host_key::Learning;
use crate::transport::questions::Questions;
use crate::transport::route::Dialing;

/// A host here that nothing is known of.
fn target() -> Target {
    Target {
        device: "web1".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 22,
        host_key_alias: None,
        way: Way::Direct,
        user: "bob".to_owned(),
        login_suffix: String::new(),
        keys: Vec::new(),
        certificates: Vec::new(),
        passphrase: None,
        password: None,
        answers: Vec::new(),
        questions: None,
        agents: Vec::new(),
        forward_agent: false,
        named_keys_only: false,
        known_hosts: Vec::new(),
        learning: Learning::default(),
        revoked: None,
        keepalive: None,
        offer: Offer::default(),
        manner: Manner::default(),
        notes: Vec::new(),
        bulk: false,
        terminal: String::new(),
        size: (80, 24),
    }
}

fn with_agent() -> Target {
    Target { agents: vec![PathBuf::from("/nowhere/agent")], ..target() }
}

/// Who signs with the key of this file, and which key it is.
fn signer(target: &Target, path: &Path) -> Result<(&'static str, KeyData), String> {
    let file = KeyFile { path: path.to_owned(), optional: false };
    match keys::load(target, &file) {
        Ok(Loaded::Private(key)) => Ok(("we", key.public_key().key_data().clone())),
        Ok(Loaded::Public(key)) => Ok(("the agent", key.key_data().clone())),
        Err(error) => Err(error.to_string()),
    }
}

fn ssh_keygen(path: &Path, arguments: &[&str]) -> KeyData {
    let done = Command::new("ssh-keygen").args(["-q", "-f"]).arg(path).args(arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    PublicKey::from_openssh(&text).unwrap().key_data().clone()
}

#[test]
fn a_key_of_a_hardware_token_is_the_agents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id_ed25519_sk");
    let token = private::SkEd25519::new(public::SkEd25519::from(Ed25519PublicKey([7; 32])), 1, vec![7; 32]).unwrap();
    let key = PrivateKey::from(token);
    std::fs::write(&path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    // With a password configured the login goes on without it.
    for target in [target(), with_agent()] {
        assert_eq!(signer(&target, &path), Ok(("the agent", key.public_key().key_data().clone())));
    }
}

#[test]
fn a_private_key_that_others_may_read_is_refused_as_ssh_refuses_it() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("open");
    let public = ssh_keygen(&key, &["-t", "ed25519", "-N", ""]);
    assert!(signer(&target(), &key).is_ok());
    for mode in [0o640, 0o604] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let why = signer(&target(), &key).unwrap_err();
        assert!(why.contains(&format!("{mode:o}")) && why.contains(&format!("`chmod 600 {}`", key.display())), "{why}");
        // An agent may have it all the same.
        assert_eq!(signer(&with_agent(), &key), Ok(("the agent", public.clone())));
    }
    // Of its public half nothing needs to be hidden.
    assert!(signer(&with_agent(), &key.with_extension("pub")).is_ok());
}

#[test]
fn an_ecdsa_key_whose_number_begins_with_a_zero_byte_is_told_with_what_helps() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("short");
    // One in 256 is.
    let why = (0..5000).find_map(|_| {
        let _ = std::fs::remove_file(&key);
        ssh_keygen(&key, &["-t", "ecdsa", "-N", ""]);
        signer(&target(), &key).err()
    });
    let why = why.expect("none was");
    assert!(why.contains("cannot use key `") && why.contains("`ssh-keygen -p -m PKCS8 -f FILE`"), "{why}");
    assert!(Command::new("ssh-keygen").args(["-q", "-p", "-N", "", "-m", "PKCS8", "-f"]).arg(&key).status().unwrap().success());
    assert!(signer(&target(), &key).is_ok());
}

#[test]
fn the_public_half_beside_a_key_that_cannot_be_read_is_the_agents() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let made = [
        ("pem", ssh_keygen(&path("pem"), &["-t", "rsa", "-m", "PEM", "-N", "open sesame"])),
        ("pkcs8", ssh_keygen(&path("pkcs8"), &["-t", "ecdsa", "-m", "PKCS8", "-N", "open sesame"])),
        ("absent", ssh_keygen(&path("absent"), &["-t", "ed25519", "-N", ""])),
    ];
    std::fs::remove_file(path("absent")).unwrap();
    for (name, public) in made {
        assert_eq!(signer(&with_agent(), &path(name)), Ok(("the agent", public)), "{name}");
        let why = signer(&target(), &path(name)).unwrap_err();
        assert!(why.contains("cannot use key"), "{name}: {why}");
    }
    // A passphrase that does not open the key is told.
    let wrong = Target { passphrase: Some(Arc::new(Secret::from_bytes(b"wrong horse".to_vec()))), ..with_agent() };
    assert!(signer(&wrong, &path("pkcs8")).is_err());
}

/// Asks for a signature of whatever key it is offered.
struct Willing;

impl Handler for Willing {
    type Error = russh::Error;
}

/// Takes every key.
struct Trusting;

impl Handler for Trusting {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }
}

/// Lets anybody in, and answers nothing from the first session on that it is asked for. From then on time is virtual.
struct Silent;

impl Handler for Silent {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(&mut self, _: Channel<Msg>, _: ChannelOpenHandle, _: &mut Session) -> Result<(), Self::Error> {
        tokio::time::pause();
        std::future::pending().await
    }
}

/// Takes any password or answer, this way, after a person has agreed elsewhere, who takes his time.
struct Patient(MethodKind);

impl Patient {
    async fn agreed() -> Auth {
        tokio::time::pause();
        tokio::time::sleep(CONNECT_MAX * 4).await;
        // What is left is the network's work, and a clock that jumps does not wait for that.
        tokio::time::resume();
        Auth::Accept
    }
}

impl Handler for Patient {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        Ok(Auth::Reject { proceed_with_methods: Some(MethodSet::from([self.0].as_slice())), partial_success: false })
    }

    async fn auth_password(&mut self, _: &str, _: &str) -> Result<Auth, Self::Error> {
        Ok(Self::agreed().await)
    }

    async fn auth_keyboard_interactive<'a>(&'a mut self, _: &str, _: &str, response: Option<Response<'a>>) -> Result<Auth, Self::Error> {
        if response.is_some() {
            return Ok(Self::agreed().await);
        }
        Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: Cow::Owned(vec![("Password: ".into(), false)]) })
    }
}

/// Has no group for a key exchange, and says what was wanted: the least, the best and the most bits.
struct Bounded(tokio::sync::mpsc::Sender<[usize; 3]>);

impl Handler for Bounded {
    type Error = russh::Error;

    async fn lookup_dh_gex_group(&mut self, wanted: &GexParams) -> Result<Option<DhGroup>, Self::Error> {
        self.0.send([wanted.min_group_size(), wanted.preferred_group_size(), wanted.max_group_size()]).await.unwrap();
        Ok(None)
    }
}

/// Nobody is let in without answers.
fn only_questions() -> Auth {
    let methods = MethodSet::from([MethodKind::KeyboardInteractive].as_slice());
    Auth::Reject { proceed_with_methods: Some(methods), partial_success: false }
}

/// Asks for the password, and says it back.
struct Parrot;

impl Handler for Parrot {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        Ok(only_questions())
    }

    async fn auth_keyboard_interactive<'a>(&'a mut self, _: &str, _: &str, response: Option<Response<'a>>) -> Result<Auth, Self::Error> {
        let answer = response.and_then(|mut answers| answers.next());
        let refusal = |answer: &[u8]| format!("Not {}:\n\nNext: ", String::from_utf8_lossy(answer));
        let question = answer.map_or_else(|| "Password: ".to_owned(), |answer| refusal(&answer));
        Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: Cow::Owned(vec![(Cow::Owned(question), false)]) })
    }
}

/// Asks for two things at once, or one after the other; refuses what it is answered, or hangs up.
struct Refusing {
    questions: Vec<&'static str>,
    at_once: bool,
    hangs_up: bool,
    round: usize,
}

impl Handler for Refusing {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        Ok(only_questions())
    }

    async fn auth_keyboard_interactive<'a>(&'a mut self, _: &str, _: &str, _: Option<Response<'a>>) -> Result<Auth, Self::Error> {
        let count = if self.at_once { self.questions.len() } else { 1 };
        let asked: Vec<&'static str> = self.questions.iter().skip(self.round * count).take(count).copied().collect();
        self.round += 1;
        if asked.is_empty() && self.hangs_up {
            return Err(russh::Error::Disconnect);
        }
        if asked.is_empty() {
            return Ok(Auth::reject());
        }
        let prompts = asked.into_iter().map(|question| (Cow::Borrowed(question), false)).collect();
        Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: Cow::Owned(prompts) })
    }
}

#[tokio::test]
async fn what_a_server_refuses_is_named_to_be_counted() {
    let folder = tempfile::tempdir().unwrap();
    let secret = |text: &str| Arc::new(Secret::from_bytes(text.as_bytes().to_vec()));
    let refused = async |questions: &[&'static str], at_once: bool, hangs_up: bool| {
        let handler = Refusing { questions: questions.to_vec(), at_once, hangs_up, round: 0 };
        let answers = vec![Answer { asks: "code".to_owned(), name: "otp".to_owned(), secret: secret("314159") }];
        let target = Target { password: Some(secret("correct horse")), answers, ..server(folder.path(), handler).await };
        match Connection::open(&target).await.unwrap_err() {
            ConnectError::Refused { secrets_refused, .. } => secrets_refused.join(" "),
            other => other.to_string(),
        }
    };
    for hangs_up in [false, true] {
        assert_eq!(refused(&["Password: "], true, hangs_up).await, "password");
        assert_eq!(refused(&["Code: "], true, hangs_up).await, "otp");
        // Whoever goes on to ask for a code has taken the password; of two answers at once nobody knows which one was wrong.
        assert_eq!(refused(&["Password: ", "Code: "], false, hangs_up).await, "otp");
        assert_eq!(refused(&["Password: ", "Code: "], true, hangs_up).await, "password otp");
    }
    // The same question again is a refusal, too.
    assert_eq!(refused(&["Password: ", "Code: ", "Code: "], false, false).await, "otp");
    assert_eq!(refused(&["Password: ", "Token: "], false, false).await, "");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_does_not_keep_the_next_one_from_being_tried() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    ssh_keygen(&path("locked"), &["-t", "ed25519", "-N", "open sesame"]);
    ssh_keygen(&path("open"), &["-t", "ed25519", "-N", ""]);
    let opened = async |names: &[&str]| {
        let keys = names.iter().map(|name| KeyFile { path: path(name), optional: false }).collect();
        let target = Target { keys, ..server(folder.path(), Trusting).await };
        Connection::open(&target).await.map(|connection| connection.logged_in_by()).map_err(|error| error.to_string())
    };
    for names in [["locked", "open"], ["absent", "open"]] {
        let by = opened(names.as_slice()).await.unwrap();
        assert!(by.ends_with("open`"), "{by}");
    }
    let why = opened(["locked"].as_slice()).await.unwrap_err();
    assert!(why.starts_with("cannot use key `") && why.contains("is encrypted"), "{why}");
}

#[tokio::test]
async fn a_usual_key_that_is_left_out_because_others_may_use_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id_ed25519");
    ssh_keygen(&path, &["-t", "ed25519", "-N", ""]);
    for (mode, is_taken) in [(0o600, true), (0o644, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let keys = vec![KeyFile { path: path.clone(), optional: true }, KeyFile { path: folder.path().join("absent"), optional: true }];
        let target = Target { keys, ..server(folder.path(), Trusting).await };
        let why = Connection::open(&target).await.map_or_else(|error| error.to_string(), |_| "open".to_owned());
        let told = why.contains(&format!("`chmod 600 {}`", path.display()));
        assert_eq!((why == "open", told, why.contains("absent")), (is_taken, !is_taken, false), "{mode:o}: {why}");
    }
}

#[tokio::test]
async fn an_rsa_key_that_is_shorter_than_the_ssh_configuration_wants_is_not_offered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rsa");
    ssh_keygen(&path, &["-t", "rsa", "-b", "2048", "-N", ""]);
    for (rsa_bits, expected) in [(None, true), (Some(2048), true), (Some(3072), false)] {
        let keys = vec![KeyFile { path: path.clone(), optional: false }];
        let offer = Offer { rsa_bits, ..Offer::default() };
        let target = Target { keys, offer, ..server(folder.path(), Trusting).await };
        let why = Connection::open(&target).await.map_or_else(|error| error.to_string(), |_| "open".to_owned());
        let short = format!("key `{}` is an RSA key of 2048 bits, and `RequiredRSASize` wants 3072", path.display());
        assert_eq!((why == "open", why.contains(&short)), (expected, !expected), "{rsa_bits:?}: {why}");
    }
}

/// Takes no key, and counts those that it is offered.
struct Counting(Arc<AtomicUsize>);

impl Handler for Counting {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Auth::reject())
    }
}

#[tokio::test]
async fn a_certificate_that_is_a_file_and_in_the_agent_is_offered_once() {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[3; 32]));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut builder = Builder::new([7; 16], key.public_key().key_data().clone(), now - 100, now + 3600).unwrap();
    builder.cert_type(CertType::User).unwrap();
    builder.key_id("bob").unwrap();
    builder.valid_principal("bob").unwrap();
    let certificate = builder.sign(&PrivateKey::from(Ed25519Keypair::from_seed(&[4; 32]))).unwrap();
    for is_key_here in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (socket, path) = (folder.path().join("agent"), folder.path().join("id"));
        let beside = folder.path().join("id-cert.pub");
        std::fs::write(&beside, format!("{} of a file\n", certificate.to_openssh().unwrap().trim())).unwrap();
        std::fs::write(&path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
        idle_agent(&socket, [key.public_key().to_bytes().unwrap(), certificate.to_bytes().unwrap()]);
        let (keys, certificates) =
            if is_key_here { (vec![KeyFile { path, optional: false }], Vec::new()) } else { (Vec::new(), vec![beside]) };
        let offered = Arc::<AtomicUsize>::default();
        let target = Target { keys, certificates, agents: vec![socket], ..server(folder.path(), Counting(Arc::clone(&offered))).await };
        let why = Connection::open(&target).await.unwrap_err().to_string();
        assert_eq!(offered.load(Ordering::SeqCst), 2, "the certificate and its key: {why}");
    }
}

/// A server here, for one connection.
async fn server(folder: &Path, handler: impl Handler<Error = russh::Error> + Send + 'static) -> Target {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[9; 32]));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let known = folder.join("known_hosts");
    std::fs::write(&known, format!("[127.0.0.1]:{port} {}\n", key.public_key().to_openssh().unwrap())).unwrap();
    let config = Arc::new(Config { keys: vec![key], auth_rejection_time: Duration::ZERO, ..Config::default() });
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        run_stream(config, stream, handler).await.unwrap().await
    });
    Target { port, known_hosts: vec![known], ..target() }
}

/// Text as agents write it: its length, then itself.
fn text(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// An agent with two keys, or a key and its certificate, that nobody ever touches. From the first signature on that it is asked for, time
/// is virtual.
fn idle_agent(socket: &Path, keys: [Vec<u8>; 2]) {
    let listener = UnixListener::bind(socket).unwrap();
    let [one, two] = keys.map(|key| text(&key));
    let identities = text(&[&[12_u8, 0, 0, 0, 2][..], &one, &text(b""), &two, &text(b"")].concat());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while let Ok(length) = stream.read_u32().await {
            let mut request = vec![0_u8; usize::try_from(length).unwrap()];
            stream.read_exact(&mut request).await.unwrap();
            match request[0] {
                11 => stream.write_all(&identities).await.unwrap(),
                13 => {
                    tokio::time::pause();
                    std::future::pending::<()>().await;
                }
                // Old agents do not know what binds them to a connection.
                _ => stream.write_all(&text(&[5])).await.unwrap(),
            }
        }
    });
}

#[tokio::test]
async fn a_key_that_nobody_touches_ends_the_login_with_that_reason() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    idle_agent(&socket, [1, 2].map(|number| PublicKey::from(KeyData::Ed25519(Ed25519PublicKey([number; 32]))).to_bytes().unwrap()));
    let password = Some(Arc::new(Secret::from_bytes(b"correct horse".to_vec())));
    let target = Target { agents: vec![socket], password, ..server(folder.path(), Willing).await };
    let why = Connection::open(&target).await.unwrap_err().to_string();
    // Neither the other key nor the password is tried: the library would not hear of them.
    assert_eq!(why.matches("did not sign in time").count(), 1, "{why}");
    assert!(why.starts_with("`bob` cannot log in to `web1`: agent `"), "{why}");
}

#[tokio::test]
async fn what_a_server_was_given_is_in_no_reason_that_it_makes() {
    let folder = tempfile::tempdir().unwrap();
    for long in [0, 200] {
        let password = format!("correct horse{}", "x".repeat(long));
        let secret = Some(Arc::new(Secret::from_bytes(password.into_bytes())));
        let target = Target { password: secret, ..server(folder.path(), Parrot).await };
        let why = Connection::open(&target).await.unwrap_err().to_string();
        assert!(why.contains("it asks `Not [secret:password]: Next:`") && !why.contains("horse"), "{why}");
    }
}

#[tokio::test]
async fn a_server_that_offers_to_ask_and_asks_nothing_has_refused_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target { questions: Some(Questions::default()), ..server(folder.path(), Willing).await };
    let why = Connection::open(&target).await.unwrap_err().to_string();
    assert!(why.contains(": it offers to ask and asks nothing, no password is configured; the server takes "), "{why}");
}

#[tokio::test]
async fn a_way_to_log_in_that_the_ssh_configuration_leaves_out_is_not_gone() {
    let folder = tempfile::tempdir().unwrap();
    let password = Some(Arc::new(Secret::from_bytes(b"correct horse".to_vec())));
    for (methods, tried) in [(None, true), (Some(vec![Method::Keys, Method::Questions]), false), (Some(vec![Method::Password]), true)] {
        let manner = Manner { methods: methods.clone(), ..Manner::default() };
        let target = Target { password: password.clone(), manner, ..server(folder.path(), Willing).await };
        let why = Connection::open(&target).await.unwrap_err().to_string();
        assert_eq!(why.contains("the password is not accepted"), tried, "{methods:?}: {why}");
        assert_eq!(why.contains("the ssh configuration leaves out"), methods.is_some(), "{methods:?}: {why}");
    }
}

#[test]
fn a_connection_that_no_missed_keepalive_ends_is_not_ended_sooner_by_the_system() {
    let idle = |keepalives_missed| {
        let manner = Manner { keepalives_missed, ..Manner::default() };
        Target { keepalive: Some(Duration::from_secs(10)), manner, ..target() }.idle()
    };
    assert_eq!([None, Some(5), Some(0)].map(idle), [Duration::from_secs(30), Duration::from_secs(50), Duration::MAX]);
}

#[tokio::test]
async fn a_server_that_asks_a_person_elsewhere_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let password = Some(Arc::new(Secret::from_bytes(b"open sesame".to_vec())));
        let target = Target { password, ..server(folder.path(), Patient(kind)).await };
        assert!(Connection::open(&target).await.is_ok(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_server_that_chooses_the_group_is_asked_for_one_that_old_devices_have() {
    let folder = tempfile::tempdir().unwrap();
    let (says, mut wanted) = tokio::sync::mpsc::channel(1);
    let offer = Offer { kex: Some("diffie-hellman-group-exchange-sha256".to_owned()), ..Offer::default() };
    let target = Target { offer, ..server(folder.path(), Bounded(says)).await };
    Connection::open(&target).await.unwrap_err();
    let [least, best, most] = wanted.recv().await.unwrap();
    assert_eq!((least, best), (2048, 4096));
    assert!(most >= 4096, "{most}");
}

#[tokio::test]
async fn a_server_that_is_slower_than_the_ssh_configuration_allows_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dialing = Dialing { timeout: Some(Duration::from_secs(3)), ..Dialing::default() };
    let manner = Manner { dialing, ..Manner::default() };
    let target = Target { port: listener.local_addr().unwrap().port(), manner, ..target() };
    let silent = tokio::spawn(async move {
        let taken = listener.accept().await.unwrap();
        tokio::time::pause();
        std::future::pending::<()>().await;
        drop(taken);
    });
    let why = Connection::open(&target).await.unwrap_err().to_string();
    silent.abort();
    assert!(why.contains("did not finish the key exchange within 3 s"), "{why}");
}

#[tokio::test]
async fn a_connection_that_is_given_up_while_keys_are_exchanged_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target { port: listener.local_addr().unwrap().port(), ..target() };
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-silent\r\n").await.unwrap();
        // Its offer has come once there is more than its first line may hold.
        let mut heard = Vec::new();
        while heard.len() < 300 {
            assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0);
        }
        tokio::time::pause();
        let _ = stream.read_to_end(&mut heard).await;
    });
    let why = Connection::open(&target).await.unwrap_err().to_string();
    assert!(why.contains("did not finish the key exchange"), "{why}");
    // Its last words have had their time. What is left is the network's work, and a clock that jumps does not wait for that.
    tokio::time::sleep(WRITE_MAX * 2).await;
    tokio::time::resume();
    timeout(Duration::from_secs(60), served).await.expect("nobody keeps it").unwrap();
}

#[tokio::test]
async fn a_connection_that_answers_nothing_is_given_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(&server(folder.path(), Silent).await).await.unwrap();
    assert!(connection.has_room());
    let why = connection.subsystem("sftp").await.unwrap_err().to_string();
    assert!(why.contains("no answer within"), "{why}");
    assert!(!connection.has_room());
}

/// Leads to where all is said at once, and tells whether the client closed the channel although both had said all.
struct Brief(Option<oneshot::Sender<bool>>);

impl Handler for Brief {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        mut channel: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        let told = self.0.take().unwrap();
        tokio::spawn(async move {
            channel.eof().await.unwrap();
            while !matches!(channel.wait().await, Some(ChannelMsg::Eof) | None) {}
            let closed = async { while !matches!(channel.wait().await, Some(ChannelMsg::Close) | None) {} };
            let is_closed = timeout(CLOSE_MAX / 4, closed).await.is_ok();
            told.send(is_closed).unwrap();
            channel.close().await
        });
        Ok(())
    }
}

/// The library keeps something of a channel that is closed here first.
#[tokio::test]
async fn a_channel_on_which_both_ends_have_said_all_is_closed_by_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let (told, closed) = oneshot::channel();
    let connection = Connection::open(&server(folder.path(), Brief(Some(told))).await).await.unwrap();
    let mut stream = connection.tcp("192.0.2.1", 80, ("127.0.0.1", 0)).await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    assert!(said.is_empty() && !closed.await.unwrap());
}
