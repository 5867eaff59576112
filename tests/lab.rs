//! The lab over a real SSH connection.

use std::sync::Arc;
use std::time::Duration;

use jackfield::lab::{Description, Entry, Faults, Lab, LabError, Options};
use russh::client::{self, Handle};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelMsg};
use tokio::time::{Instant, timeout};

const ROUTER: &str = include_str!("../plugins/mikrotik-pager/lab.toml");
const SWITCH: &str = include_str!("../plugins/cisco-enable/lab.toml");
const LINUX: &str = include_str!("../plugins/posix-shell/lab.toml");

fn devices() -> Vec<Description> {
    [("router1", ROUTER), ("switch1", SWITCH), ("linux1", LINUX)].map(|(name, text)| Description::parse(name, text).unwrap()).into()
}

fn lab() -> Lab {
    Lab::start(devices(), Options::default()).unwrap()
}

struct Client(String);
impl client::Handler for Client {
    type Error = russh::Error;
    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        Ok(self.0.ends_with(key.to_openssh().unwrap().trim_end()))
    }
}

async fn connect(lab: &Lab) -> Handle<Client> {
    let config = Arc::new(client::Config { nodelay: true, ..client::Config::default() });
    client::connect(config, ("127.0.0.1", lab.port()), Client(lab.host_key_line().to_owned())).await.unwrap()
}

async fn login(lab: &Lab, user: &str) -> Handle<Client> {
    let mut handle = connect(lab).await;
    let name = user.split('+').next().unwrap();
    let device = lab.devices().into_iter().find(|device| device.name == name).unwrap();
    assert!(handle.authenticate_password(user, device.password).await.unwrap().success(), "{user}");
    handle
}

struct Term {
    _handle: Handle<Client>,
    channel: Channel<client::Msg>,
    seen: Vec<u8>,
    mark: usize,
    packets: Vec<usize>,
    status: Option<u32>,
    ended: bool,
}

impl Term {
    async fn open(lab: &Lab, user: &str, columns: u32, rows: u32) -> Self {
        let handle = login(lab, user).await;
        let channel = handle.channel_open_session().await.unwrap();
        channel.request_pty(true, "xterm", columns, rows, 0, 0, &[]).await.unwrap();
        channel.request_shell(true).await.unwrap();
        Self { _handle: handle, channel, seen: Vec::new(), mark: 0, packets: Vec::new(), status: None, ended: false }
    }
    async fn send(&mut self, text: &str) {
        self.channel.data_bytes(text.as_bytes().to_vec()).await.unwrap();
    }
    async fn pump(&mut self, wait: Duration) -> bool {
        match timeout(wait, self.channel.wait()).await {
            Ok(Some(ChannelMsg::Data { data })) => {
                self.packets.push(data.len());
                self.seen.extend_from_slice(&data);
                true
            }
            Ok(Some(ChannelMsg::ExitStatus { exit_status })) => {
                self.status = Some(exit_status);
                true
            }
            Ok(Some(_)) => true,
            Ok(None) => {
                self.ended = true;
                false
            }
            Err(_) => false,
        }
    }
    /// New text up to and with `end`.
    async fn until(&mut self, end: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let new = &self.seen[self.mark..];
            if let Some(at) = new.windows(end.len()).position(|window| window == end.as_bytes()) {
                let text = String::from_utf8_lossy(&new[..at + end.len()]).into_owned();
                self.mark += at + end.len();
                return text;
            }
            assert!(Instant::now() < deadline && !self.ended, "no {end:?} in {:?}", String::from_utf8_lossy(new));
            self.pump(Duration::from_millis(500)).await;
        }
    }
    async fn run(&mut self, line: &str, end: &str) -> String {
        self.send(line).await;
        self.until(end).await
    }
    /// Interrupts until the prompt is back: a key that comes while a shell starts a program stops that program alone.
    async fn interrupt(&mut self, prompt: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(90);
        while Instant::now() < deadline {
            self.send("\u{3}").await;
            let next = Instant::now() + Duration::from_secs(2);
            while Instant::now() < next {
                let new = &self.seen[self.mark..];
                if new.windows(prompt.len()).any(|window| window == prompt.as_bytes()) {
                    let text = self.until(prompt).await;
                    // A key too many brings one more prompt.
                    self.quiet().await;
                    return text;
                }
                self.pump(Duration::from_millis(200)).await;
            }
        }
        self.until(prompt).await
    }
    /// Sends something; what came of it, once this is in it and nothing follows any more.
    async fn answer(&mut self, line: &str, part: &str) -> String {
        self.send(line).await;
        let deadline = Instant::now() + Duration::from_secs(90);
        while !String::from_utf8_lossy(&self.seen[self.mark..]).contains(part) {
            let new = String::from_utf8_lossy(&self.seen[self.mark..]).into_owned();
            assert!(Instant::now() < deadline && !self.ended, "no {part:?} in {new:?}");
            self.pump(Duration::from_millis(500)).await;
        }
        self.quiet().await
    }
    async fn quiet(&mut self) -> String {
        while self.pump(Duration::from_millis(300)).await {}
        let text = String::from_utf8_lossy(&self.seen[self.mark..]).into_owned();
        self.mark = self.seen.len();
        text
    }
    async fn rest(&mut self) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.ended && Instant::now() < deadline {
            self.pump(Duration::from_millis(500)).await;
        }
        assert!(self.ended);
        String::from_utf8_lossy(&self.seen[self.mark..]).into_owned()
    }
}

#[tokio::test]
async fn only_the_right_password_opens_a_device() {
    let lab = lab();
    let mut handle = connect(&lab).await;
    assert!(!handle.authenticate_none("switch1").await.unwrap().success());
    assert!(!handle.authenticate_password("switch1", "wrong").await.unwrap().success());
    assert!(!handle.authenticate_password("nobody", "lab-switch-1").await.unwrap().success());
    assert!(!handle.authenticate_password("switch1+ct", "lab-switch-1").await.unwrap().success());
    assert!(handle.authenticate_password("switch1", "lab-switch-1").await.unwrap().success());
    let passwords: Vec<_> = lab.devices().into_iter().map(|device| device.password).collect();
    assert_eq!(passwords[2].len(), 32);
    lab.shutdown().await;
}

#[tokio::test]
async fn the_switch_has_one_channel_and_no_exec() {
    let lab = lab();
    let handle = login(&lab, "switch1").await;
    let mut channel = handle.channel_open_session().await.unwrap();
    assert!(handle.channel_open_session().await.is_err());
    channel.exec(true, "show version").await.unwrap();
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Failure) => break,
            Some(ChannelMsg::Success | ChannelMsg::Data { .. }) | None => panic!("exec was taken"),
            Some(_) => {}
        }
    }
}

#[tokio::test]
async fn enable_show_run_and_config_on_the_switch() {
    let lab = lab();
    let mut term = Term::open(&lab, "switch1", 80, 24).await;
    term.until("\r\nlab-sw1>").await;
    assert_eq!(
        term.run("show running-config\r", "lab-sw1>").await,
        "show running-config\r\n             ^\r\n% Invalid input detected at '^' marker.\r\n\r\nlab-sw1>"
    );
    assert_eq!(term.run("enable\r", "Password: ").await, "enable\r\nPassword: ");
    assert_eq!(term.run("a\r", "Password: ").await, "\r\nPassword: ");
    term.run("b\r", "Password: ").await;
    assert_eq!(term.run("c\r", "lab-sw1>").await, "\r\n% Bad secrets\r\n\r\nlab-sw1>");
    term.run("en\r", "Password: ").await;
    assert_eq!(term.run("lab-enable-1\r", "lab-sw1#").await, "\r\nlab-sw1#");
    assert_eq!(term.run("sh priv\r", "lab-sw1#").await, "sh priv\r\nCurrent privilege level is 15\r\nlab-sw1#");
    term.run("terminal length 0\r", "lab-sw1#").await;
    let expected = devices()[1].output("privileged", "show running-config").unwrap();
    assert_eq!(expected.lines().count(), 5121);
    term.send("show running-config\r").await;
    let mut text = term.until("\nend\r\n\r\nlab-sw1#").await;
    text = text.strip_prefix("show running-config\r\n").unwrap().strip_suffix("lab-sw1#").unwrap().replace("\r\n", "\n");
    assert!(text == expected, "{} {}", text.len(), expected.len());
    let count = term.run("show run | count ^interface\r", "lab-sw1#").await;
    assert!(count.contains("Number of lines which match regexp = "), "{count}");
    assert!(term.run("configure terminal\r", "(config)#").await.ends_with("End with CNTL/Z.\r\nlab-sw1(config)#"));
    term.run("int gi1/0/1\r", "lab-sw1(config-if)#").await;
    term.run("description a b  c\r", "lab-sw1(config-if)#").await;
    assert_eq!(
        term.run("do sho verx\r", "(config-if)#").await,
        "do sho verx\r\n                             ^\r\n% Invalid input detected at '^' marker.\r\n\r\nlab-sw1(config-if)#"
    );
    term.run("hostname a-very-long-name-for-a-switch\r", "\r\na-very-long-name-for(config)#").await;
    term.run("end\r", "a-very-long-name-for-a-switch#").await;
    assert!(term.run("reload\r", "[yes/no]: ").await.contains("Save?"));
    assert!(term.run("no\r", "[confirm]").await.contains("Proceed with reload?"));
    term.send("n").await;
    assert!(term.until("switch#").await.starts_with("n\r\n"));
    term.run("reload\r", "[yes/no]: ").await;
    term.run("yes\r", "[confirm]").await;
    term.send("\r").await;
    assert!(term.rest().await.contains("SHUTDOWN NOW"));
    let journal = lab.journal().await;
    let wrong = journal.iter().filter(|entry| entry.entry == Entry::Answer { dialog: "enable".into(), text: "wrong".into() }).count();
    assert_eq!(wrong, 3);
    lab.shutdown().await;
}

#[tokio::test]
async fn the_switch_pages_and_wipes_its_marker() {
    let lab = lab();
    let mut term = Term::open(&lab, "switch1", 132, 24).await;
    term.until("\r\nlab-sw1>").await;
    let page = term.run("show interfaces status\r", " --More-- ").await;
    assert_eq!(page.matches("\r\n").count(), 24, "{page}");
    term.send("\r").await;
    let line = term.until(" --More-- ").await;
    assert!(line.starts_with("\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}        \u{8}"), "{line:?}");
    assert_eq!(line.matches("\r\n").count(), 1);
    let page = term.run(" ", " --More-- ").await;
    assert_eq!(page.matches("\r\n").count(), 23);
    let rest = term.run("x", "lab-sw1>").await;
    assert_eq!(rest.matches("\r\n").count(), 0);
    // CR LF is two keys: the second one answers the pager.
    term.run("show interfaces status\r\n", " --More-- ").await;
    term.until(" --More-- ").await;
    term.send("q").await;
    term.until("lab-sw1>").await;
}

#[tokio::test]
async fn keys_help_and_cancel_on_the_switch() {
    let lab = lab();
    let mut term = Term::open(&lab, "switch1", 80, 24).await;
    term.until("\r\nlab-sw1>").await;
    let help = term.run("show c?", "lab-sw1>show c").await;
    assert_eq!(help, "show c?\r\nclock\r\nlab-sw1>show c");
    assert_eq!(term.run("\t", "clock ").await, "\r\nlab-sw1>show clock ");
    assert_eq!(term.run("\u{3}", "lab-sw1>").await, "\r\nlab-sw1>");
    assert_eq!(term.run("e\r", "lab-sw1>").await, "e\r\n% Ambiguous command:  \"e\"\r\nlab-sw1>");
    assert_eq!(term.run("show ip\r", "lab-sw1>").await, "show ip\r\n% Incomplete command.\r\n\r\nlab-sw1>");
    assert!(
        term.run("ping 10.0.0.1 repeat 4\r", "lab-sw1>")
            .await
            .ends_with("!!!!\r\nSuccess rate is 100 percent (4/4), round-trip min/avg/max = 1/2/4 ms\r\nlab-sw1>")
    );
    term.run("ping 10.0.0.1 repeat 100000\r", "!!!").await;
    let stop = term.run("\u{1e}", "lab-sw1>").await;
    assert!(stop.contains("Success rate"), "{stop}");
    let more = term.run("more flash:notes.txt\r", "end of notes\r\nlab-sw1>").await;
    assert!(more.contains("\r\nlab-sw1#\r\nlab-sw1>\r\n"));
    term.run("terminal monitor\r", "lab-sw1>").await;
    term.until("%LINEPROTO-5-UPDOWN").await;
    term.send("exit\r").await;
    term.rest().await;
    assert_eq!(term.status, Some(0));
}

fn answer_queries(text: &str) -> bool {
    text.contains("\u{1b}Z")
}

async fn router(lab: &Lab, user: &str, columns: u32, rows: u32) -> Term {
    let mut term = Term::open(lab, user, columns, rows).await;
    if !user.contains("+c") {
        assert!(answer_queries(&term.until("\u{1b}Z").await));
        term.send("\u{1b}/Z").await;
        term.until("\u{1b}[6n").await;
        term.send("\u{1b}[24;80R").await;
    }
    term.until("[Y/n]: ").await;
    term.send("n").await;
    term.until("[admin@lab-rb1] > ").await;
    let spaces = " ".repeat(usize::try_from(columns).unwrap().saturating_sub(18));
    if user == "router1" {
        assert_eq!(term.until("[admin@lab-rb1] > ").await, format!("{spaces}\r[admin@lab-rb1] > "));
    }
    term
}

#[tokio::test]
async fn the_router_redraws_and_pages() {
    let lab = lab();
    let mut term = router(&lab, "router1", 80, 24).await;
    let pad = " ".repeat(61);
    let drawn = format!("/\r\r[admin@lab-rb1] > /{pad}\u{1b}[K\r[admin@lab-rb1] > /");
    assert_eq!(term.answer("/", &drawn).await, drawn);
    let pad = " ".repeat(62);
    let end = format!(
        "\r[admin@lab-rb1] > /foo\r\n\rbad command name foo (line 1 column 2)\r\n\r\r\r\r[admin@lab-rb1] > {pad}\r[admin@lab-rb1] > \r\r[admin@lab-rb1] > {pad}\u{1b}[K\r[admin@lab-rb1] > "
    );
    let text = term.answer("foo\r\n", &end).await;
    assert!(text.ends_with(&end), "{text:?}");
    let page = term.run("/ip route print\r\n", "-- [Q quit|D dump|down]").await;
    assert_eq!(page.split("\r\n\r").nth(1).unwrap().matches("\r\n").count(), 23);
    term.send(" ").await;
    let page = term.until("\u{1b}[7m-- [Q quit|D dump|up|down]\u{1b}[27m").await;
    assert!(page.starts_with("\r                            \r"));
    term.send("\u{1b}[B").await;
    let line = term.until("\u{1b}[7m-- [Q quit|D dump|up|down]\u{1b}[27m").await;
    assert!(line.starts_with("\r\u{1b}[K") && line.matches("\r\n").count() == 1, "{line:?}");
    let rest = term.run("D", "\r\r\r\r[admin@lab-rb1] > ").await;
    assert_eq!(rest.matches("\r\n").count(), 202 - 23 - 23 - 1);
    term.until("\r[admin@lab-rb1] > ").await;
    assert!(!term.run("/ip/route/print without-paging\r\n", "\r\r\r\r[admin").await.contains("-- [Q"));
    term.quiet().await;
    term.run("/system reboot\r\n", "Reboot, yes? [y/N]: ").await;
    assert!(term.run("n", "\r\r\r\r").await.contains("action cancelled"));
    term.quiet().await;
    term.run("/system reboot\r\n", "Reboot, yes? [y/N]: ").await;
    term.send("y").await;
    assert!(term.rest().await.contains("system will reboot shortly"));
}

#[tokio::test]
async fn the_router_takes_login_options_menus_identity_and_safe_mode() {
    let lab = lab();
    let mut term = router(&lab, "router1+ct511w4098h", 80, 24).await;
    let (root, menu) = ("\r[admin@lab-rb1] > ", "\r[admin@lab-rb1] /ip/address> ");
    term.until(root).await;
    term.quiet().await;
    assert!(term.answer("/ip address\r\n", menu).await.ends_with(menu));
    assert!(term.answer("print\r\n", "192.0.2.1/24").await.contains("192.0.2.1/24"));
    assert!(term.answer("/\r\n", root).await.ends_with(root));
    assert!(!term.answer("/ip route print\r\n", root).await.contains("-- [Q"));
    let safe = term.answer("\u{18}", "<SAFE> ").await;
    assert!(safe.contains("[Safe Mode taken]") && safe.ends_with("\r[admin@lab-rb1] <SAFE> "), "{safe:?}");
    term.answer("\u{18}", "[admin@lab-rb1] > ").await;
    let named = "\r[admin@Test, Router (main).lab] > ";
    assert!(term.answer("/system identity set name=\"Test, Router (main).lab\"\r\n", named).await.ends_with(named));
    assert!(term.answer("/ip address add\r\n", "address: ").await.ends_with("address: "));
    assert!(term.answer("\u{3}", "> ").await.ends_with("> "));
    term.send("/ping 10.0.0.1\r\n").await;
    term.until("312us").await;
    assert!(term.answer("\r\n", "packet-loss=0%").await.contains("packet-loss=0%"));
    term.send("/ping 10.0.0.1 count=2\r\n").await;
    assert!(term.until("sent=2 received=2").await.contains("SEQ HOST"));
}

#[tokio::test]
async fn the_router_serves_exec_without_prompt_and_pages() {
    let lab = lab();
    let handle = login(&lab, "router1").await;
    let mut channel = handle.channel_open_session().await.unwrap();
    channel.exec(true, "/export").await.unwrap();
    channel.eof().await.unwrap();
    let (mut text, mut status) = (Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => text.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            _ => {}
        }
    }
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 3200);
    assert_eq!(text.replace("\r\n", "\n"), devices()[0].output("menu", "/export").unwrap());
    assert_eq!(status, Some(0));
}

#[tokio::test]
async fn linux_is_a_real_shell_with_a_pretended_sudo() {
    let lab = lab();
    let mut term = Term::open(&lab, "linux1", 100, 30).await;
    let prompt = "alice@lab-web1:~$ ";
    term.until(prompt).await;
    assert!(term.run("stty size; tty | cut -c1-8; echo $TERM $HOME\r", prompt).await.contains("30 100\r\n/dev/pts"));
    term.channel.window_change(120, 40, 0, 0).await.unwrap();
    // The shell draws its line again for the new size, whenever it comes to that.
    term.run("stty size\r", "40 120").await;
    term.until(prompt).await;
    assert!(
        term.run("id; whoami; id -u\r", prompt).await.contains("uid=1000(alice) gid=1000(alice) groups=1000(alice)\r\nalice\r\n1000\r\n")
    );
    term.run("sudo id -un\r", "[sudo] password for alice: ").await;
    assert_eq!(term.run("nope\r", "[sudo] password for alice: ").await, "\r\nSorry, try again.\r\n[sudo] password for alice: ");
    let done = term.run("lab-sudo-1\r", prompt).await;
    assert!(done.starts_with("\r\nroot\r\n"), "{done:?}");
    term.run("sudo -p 'JF-1234:' -k id -u\r", "id -u\r\n").await;
    term.until("JF-1234:").await;
    term.send("lab-sudo-1\r").await;
    assert!(term.until(prompt).await.contains("\r\n0\r\n"));
    term.run("export SUDO_PROMPT='P-%u-%h>'\r", prompt).await;
    term.run("sudo -s\r", "P-alice-lab-web1>").await;
    term.run("lab-sudo-1\r", "root@lab-web1:~# ").await;
    assert!(term.run("whoami; id -u; echo $SUDO_USER\r", "root@lab-web1:~# ").await.contains("root\r\n0\r\nalice\r\n"));
    term.run("exit\r", prompt).await;
    assert!(term.run("sudo -n true; echo rc=$?\r", prompt).await.contains("sudo: a password is required\r\nrc=1"));
    term.run("sudo true\r", "P-alice-lab-web1>").await;
    assert!(term.interrupt(prompt).await.contains("\r\n"));
    assert!(term.run("stty -a | grep -c -- ' echo '; echo done\r", prompt).await.contains("done"));
    term.run("sudo true\r", "lab-web1>").await;
    term.run("1\r", "lab-web1>").await;
    term.run("2\r", "lab-web1>").await;
    assert!(term.run("3\r", prompt).await.contains("sudo: 3 incorrect password attempts"));
    term.run("su -\r", "Password: ").await;
    term.run("lab-root-1\r", "root@lab-web1:~# ").await;
    term.run("exit\r", prompt).await;
    let started = Instant::now();
    term.run("sleep 100\r", "sleep 100\r\n").await;
    // A shell that was interrupted before it started the program would start it all the same.
    term.quiet().await;
    term.interrupt(prompt).await;
    assert!(started.elapsed() < Duration::from_secs(90));
    term.send("exit 7\r").await;
    term.rest().await;
    assert_eq!(term.status, Some(7));
    lab.shutdown().await;
}

async fn exec(handle: &Handle<Client>, command: &str, input: &[u8]) -> (Vec<u8>, Vec<u8>, Option<u32>) {
    let channel = handle.channel_open_session().await.unwrap();
    channel.exec(true, command).await.unwrap();
    let (mut read, write) = channel.split();
    let input = input.to_vec();
    let writer = tokio::spawn(async move {
        write.data_bytes(input).await.unwrap();
        write.eof().await.unwrap();
    });
    let (mut out, mut err, mut status) = (Vec::new(), Vec::new(), None);
    while let Some(message) = read.wait().await {
        match message {
            ChannelMsg::Data { data } => out.extend_from_slice(&data),
            ChannelMsg::ExtendedData { data, .. } => err.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            _ => {}
        }
    }
    writer.await.unwrap();
    (out, err, status)
}

#[tokio::test]
async fn linux_exec_keeps_streams_and_status_apart() {
    let lab = lab();
    let handle = login(&lab, "linux1").await;
    let (out, err, status) = exec(&handle, "cat; echo oops >&2; exit 3", b"hello").await;
    assert_eq!((out.as_slice(), err.as_slice(), status), (&b"hello"[..], &b"oops\n"[..], Some(3)));
    let big: Vec<u8> = (0..12_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (out, _, status) = timeout(Duration::from_secs(60), exec(&handle, "cat", &big)).await.unwrap();
    assert!(out == big && status == Some(0), "{} {status:?}", out.len());
    let (_, err, status) = exec(&handle, "sudo id", b"").await;
    assert!(String::from_utf8_lossy(&err).starts_with("sudo: a terminal is required"), "{}", String::from_utf8_lossy(&err));
    assert_eq!(status, Some(1));
    let (out, err, _) = exec(&handle, "sudo -S id -u", b"lab-sudo-1\n").await;
    assert_eq!((out.as_slice(), String::from_utf8_lossy(&err).as_ref()), (&b"0\n"[..], "[sudo] password for alice: "));
}

#[tokio::test]
async fn linux_is_a_jump_host_to_the_lab_only() {
    let lab = lab();
    let handle = login(&lab, "linux1").await;
    assert!(handle.channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 0).await.is_err());
    let stream = handle.channel_open_direct_tcpip("127.0.0.1", u32::from(lab.port()), "127.0.0.1", 0).await.unwrap().into_stream();
    let config = Arc::new(client::Config::default());
    let mut inner = client::connect_stream(config, stream, Client(lab.host_key_line().to_owned())).await.unwrap();
    assert!(inner.authenticate_password("switch1", "lab-switch-1").await.unwrap().success());
    let other = login(&lab, "switch1").await;
    assert!(other.channel_open_direct_tcpip("127.0.0.1", u32::from(lab.port()), "127.0.0.1", 0).await.is_err());
}

#[tokio::test]
async fn one_byte_packets_and_a_broken_line() {
    let faults = |faults| Options { faults: Some(faults), ..Options::default() };
    let lab = Lab::start(devices(), faults(Faults { chunk_bytes: 1, ..Faults::default() })).unwrap();
    let mut term = Term::open(&lab, "switch1", 80, 24).await;
    term.until("\r\nlab-sw1>").await;
    term.run("show version\r", " --More-- ").await;
    assert!(term.packets.iter().all(|size| *size == 1));
    let lab = Lab::start(devices(), faults(Faults { close_after_bytes: 300, ..Faults::default() })).unwrap();
    let mut term = Term::open(&lab, "switch1", 80, 24).await;
    term.until("\r\nlab-sw1>").await;
    term.send("show version\r").await;
    term.rest().await;
    assert_eq!((term.seen.len(), term.status), (300, None));
}

#[tokio::test]
async fn a_client_that_does_not_read_can_still_stop_the_output() {
    let lab = lab();
    let mut term = Term::open(&lab, "switch1", 80, 0).await;
    term.until("\r\nlab-sw1>").await;
    term.run("enable\r", "Password: ").await;
    term.run("lab-enable-1\r", "lab-sw1#").await;
    term.run("terminal length 0\r", "lab-sw1#").await;
    for _ in 0..300 {
        term.send("show running-config\r").await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    term.send("\u{3}").await;
    let started = Instant::now();
    let mut text = term.quiet().await;
    // On a busy machine there may be silence in the middle.
    while !text.ends_with("lab-sw1#") {
        assert!(started.elapsed() < Duration::from_secs(60) && !term.ended, "{}", text.len());
        text += &term.quiet().await;
    }
}

#[tokio::test]
async fn shutdown_ends_shells_and_removes_homes() {
    let lab = lab();
    let mut term = Term::open(&lab, "linux1", 80, 24).await;
    term.until("$ ").await;
    let home = term.run("echo H:$HOME:; sleep 1000\r", ":\r\n").await;
    let home = home.split("H:/").nth(1).map(|rest| format!("/{}", rest.trim_end_matches(":\r\n"))).unwrap();
    assert!(std::path::Path::new(&home).join(".labrc").exists(), "{home}");
    let started = Instant::now();
    lab.shutdown().await;
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    term.rest().await;
    assert!(!std::path::Path::new(&home).exists());
}

#[test]
fn wrong_descriptions_name_line_and_nearest_key() {
    let check = |text: &str, expected: &str| {
        let error = Description::parse("x", text).unwrap_err();
        assert!(matches!(error, LabError::Description { .. }));
        assert_eq!(error.to_string(), expected);
    };
    check("type = 't'\n[editor]\necoh = 'full'\n", "device description `x`, line 3: unknown field `ecoh`, did you mean `echo`?");
    let mode = "type = 't'\n[mode.user]\nprompt = '>'\nstart = true\n";
    check(
        &format!("{mode}[[command]]\nmatch = 'a'\nmode = 'usr'\n"),
        "device description `x`, line 7: unknown mode `usr`, did you mean `user`?",
    );
    check(
        &format!("{mode}[[command]]\nmatch = 'a'\nask = 'q'\n"),
        "device description `x`, line 7: unknown dialog `q`, there is no dialog at all",
    );
    check("type = 't'\n", "device description `x`, line 1: exactly one mode needs `start = true`");
}

#[tokio::test]
async fn keyboard_interactive_is_the_other_way_in() {
    let text = format!("auth = 'keyboard-interactive'\nauth_question = 'Password: '\n{SWITCH}");
    let lab = Lab::start(vec![Description::parse("x", &text).unwrap()], Options::default()).unwrap();
    let mut handle = connect(&lab).await;
    assert!(!handle.authenticate_password("switch1", "lab-switch-1").await.unwrap().success());
    for (answer, right) in [("no", false), ("lab-switch-1", true)] {
        let start = handle.authenticate_keyboard_interactive_start("switch1", None).await.unwrap();
        let client::KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } = start else { panic!("{start:?}") };
        assert_eq!((prompts[0].prompt.as_str(), prompts[0].echo), ("Password: ", false));
        let end = handle.authenticate_keyboard_interactive_respond(vec![answer.to_owned()]).await.unwrap();
        assert_eq!(matches!(end, client::KeyboardInteractiveAuthResponse::Success), right);
    }
}

#[tokio::test]
async fn any_keys_leave_a_session_that_still_answers_or_ended() {
    let lab = lab();
    let pieces = [
        "show ",
        "running",
        "\r",
        " ",
        "q",
        "enable\r",
        "lab-enable-1\r",
        "conf t\r",
        "\u{3}",
        "\u{1a}",
        "?",
        "\t",
        "reload\r",
        "n",
        "ping 1\r",
        "/export\r\n",
        "\u{18}",
        "/ip",
        "\u{1b}[B",
        "\u{8}",
        "| include x\r",
        "é",
        "\"",
        "terminal length 0\r",
        "delete x\r",
    ];
    for user in ["switch1", "router1"] {
        let mut random: u64 = 7;
        for _ in 0..12 {
            let term = Term::open(&lab, user, 80, 24).await;
            for _ in 0..60 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let piece = pieces[(random >> 33) as usize % pieces.len()];
                if term.channel.data_bytes(piece.as_bytes().to_vec()).await.is_err() {
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(term);
        }
    }
    let mut term = Term::open(&lab, "switch1", 80, 24).await;
    term.until("\r\nlab-sw1>").await;
}

#[tokio::test]
async fn a_long_output_in_one_byte_packets_is_whole() {
    let lab =
        Lab::start(devices(), Options { faults: Some(Faults { chunk_bytes: 1, ..Faults::default() }), ..Options::default() }).unwrap();
    let mut term = Term::open(&lab, "switch1", 80, 24).await;
    term.until("\r\nlab-sw1>").await;
    term.run("enable\r", "Password: ").await;
    term.run("lab-enable-1\r", "lab-sw1#").await;
    term.run("terminal length 0\r", "lab-sw1#").await;
    term.send("show running-config\r").await;
    while !term.seen.ends_with(b"\nend\r\n\r\nlab-sw1#") {
        assert!(term.pump(Duration::from_secs(60)).await);
    }
    let expected = devices()[1].output("privileged", "show running-config").unwrap();
    let text = String::from_utf8_lossy(&term.seen[term.mark..]).replace("\r\n", "\n");
    assert_eq!(text, format!("show running-config\n{expected}lab-sw1#"));
}

#[tokio::test]
async fn the_pretended_sudo_remembers_refuses_and_lectures() {
    let prompt = "alice@lab-web1:~$ ";
    let linux = |name: &str, value: &str| devices().remove(2).with_name(name).with_var("sudo_delay", "0").with_var(name, value);
    let all = vec![linux("sudo_ticket", "yes"), linux("sudo_allowed", "no"), linux("sudo_lecture", "yes")];
    let lab = Lab::start(all, Options::default()).unwrap();
    let mut term = Term::open(&lab, "sudo_ticket", 80, 24).await;
    term.until(prompt).await;
    term.run("sudo true\r", "for alice: ").await;
    term.run("lab-sudo-1\r", prompt).await;
    assert!(term.run("sudo -n id -u\r", prompt).await.contains("0\r\n"));
    term.run("sudo -k; sudo id -un\r", "for alice: ").await;
    term.run("lab-sudo-1\r", prompt).await;
    let mut other = Term::open(&lab, "sudo_ticket", 80, 24).await;
    other.until(prompt).await;
    assert!(other.run("sudo -n id -u\r", prompt).await.contains("a password is required"));
    let mut term = Term::open(&lab, "sudo_allowed", 80, 24).await;
    term.until(prompt).await;
    term.run("sudo true\r", "for alice: ").await;
    assert!(term.run("lab-sudo-1\r", prompt).await.contains("alice is not in the sudoers file."));
    let mut term = Term::open(&lab, "sudo_lecture", 80, 24).await;
    term.until(prompt).await;
    assert!(term.run("sudo true\r", "for alice: ").await.contains("usual lecture"));
    term.run("\u{4}", prompt).await;
    assert!(term.run("sudo nosuch\r", "for alice: ").await.contains("sudo"));
    assert!(term.run("lab-sudo-1\r", prompt).await.contains("sudo: nosuch: command not found"));
    assert!(term.run("sudo -p '100%% %u@%H %U:' true\r", "alice@lab-web1 root:").await.contains("100% alice@lab-web1 root:"));
}

/// `jackfield lab` writes over what it has written, and over nothing else.
#[test]
fn a_configuration_that_the_lab_has_not_written_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jackfield.toml");
    let own = "[plugin.acme]\npath = \"acme.wasm\"\n";
    std::fs::write(&file, own).unwrap();
    let lab = |arguments: &[&str]| {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_jackfield")).arg("lab").args(arguments).output().unwrap();
        assert!(!done.status.success());
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let told = lab(&["--device", "eos", "--write", file.to_str().unwrap()]);
    assert!(told.contains("jackfield.toml` is there, and `jackfield lab` has not written it"), "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), own);
    assert!(lab(&["--device", "box.toml"]).contains("there is no file `box.toml`;"));
}

#[test]
fn what_an_operator_adds_to_the_labs_configuration_stays_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.toml");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let write = |names: &[&str]| {
        let chosen = devices().into_iter().filter(|device| names.contains(&device.name())).collect();
        let lab = runtime.block_on(async { Lab::start(chosen, Options::default()).unwrap() });
        jackfield::demo::write_config(&lab, &file).unwrap();
        std::fs::read_to_string(&file).unwrap()
    };
    let first = write(&["router1", "switch1"]);
    let pin = "[plugin.acme]\npath = \"acme.wasm\"\n";
    std::fs::write(&file, format!("{first}\n{pin}")).unwrap();
    let again = write(&["switch1"]);
    assert!(again.contains(pin) && again.contains("[device.switch1]") && !again.contains("router1"), "{again}");
    assert_eq!(write(&["switch1"]).matches("acme.wasm").count(), 1);
}
