//! Programs and commands of programs that destroy, stop or cut off whatever they are given.

use crate::verdict::Danger;
use jackfield_plugin::text::Search;

use super::{base_name, danger as named, paths};

/// A row of the table.
struct Hazard {
    /// `|` between those that take the same words.
    program: &'static str,
    /// Words that must stand in this order among the operands; `|` between choices. None: always.
    words: &'static [&'static str],
    /// Options, one of which must be there; `|` between them. Empty: none must.
    option: &'static str,
    /// Options that make it harmless.
    unless: &'static str,
    rule: &'static str,
    what: &'static str,
}

const fn always(program: &'static str, rule: &'static str, what: &'static str) -> Hazard {
    Hazard { program, words: &[], option: "", unless: HELP, rule, what }
}

const fn with(program: &'static str, words: &'static [&'static str], rule: &'static str, what: &'static str) -> Hazard {
    Hazard { program, words, option: "", unless: HELP, rule, what }
}

const fn option(program: &'static str, option: &'static str, rule: &'static str, what: &'static str) -> Hazard {
    Hazard { program, words: &[], option, unless: HELP, rule, what }
}

const HELP: &str = "--help|--version";
const WIPE: &str = "posix.wipe";
const OUTAGE: &str = "posix.outage";
const LOCKOUT: &str = "posix.lockout";
const DISK: &str = "destroys what is on a disk";
const DATA: &str = "destroys data";
const STOPS: &str = "stops or restarts the system";
const ACCOUNTS: &str = "takes an account away, perhaps the one that is logged in";
const CUTS: &str = "may cut this session off";
/// Services by which one gets in.
const ACCESS: &str = "ssh|sshd|ssh@*|networking|network|NetworkManager|systemd-networkd|systemd-logind|dropbear|wpa_supplicant|dhcpcd|ssh*|sshd*|netif|routing|wg-quick@*|tailscaled";
/// Services that take the network away before they set it up again.
const NETWORK: &str = "networking|network|NetworkManager|systemd-networkd|dhcpcd|netif|routing|wg-quick@*";
const STOP: &str = "stop|onestop|faststop|forcestop";
const RESTART: &str = "restart|onerestart|try-restart|force-reload|reload-or-restart";
/// Packages by which one gets in, or without which nothing starts.
const PACKAGES: &str = "openssh-server|openssh|dropbear|network-manager|NetworkManager|systemd|systemd-sysv|netplan.io|ifupdown|libc6|glibc|bash|sudo|coreutils|kernel|linux-image-*";
const REMOVES: &str = "remove|purge|erase|del|rm|autoremove|uninstall";
const CONTAINERS: &str = "docker|podman|nerdctl";
/// What holds much else in a cluster.
const KINDS: &str = "ns|namespace|namespaces|project|node|nodes|no|pv|pvc|persistentvolume|persistentvolumes|persistentvolumeclaim|persistentvolumeclaims|crd|crds|customresourcedefinition|customresourcedefinitions|ns/*|namespace/*|project/*|node/*|pv/*|pvc/*|crd/*";
const POWER: &str =
    "reboot|poweroff|halt|kexec|rescue|emergency|isolate|soft-reboot|suspend|hibernate|hybrid-sleep|suspend-then-hibernate|default";
const TARGETS: &str = "reboot.target|poweroff.target|halt.target|rescue.target|emergency.target|kexec.target|shutdown.target|suspend.target|hibernate.target|systemd-reboot|systemd-poweroff|systemd-halt";

/// Words of Redis behind which a pattern says what is looked for.
const LOOKS: &str = "keys|scan|--scan|match|get|channels|psubscribe";

const SWITCH: &str = "takes away what a virtual switch carries, perhaps this session";

/// By program.
const HAZARDS: &[Hazard] = &[
    always("blkdiscard", WIPE, DISK),
    always("userdel", LOCKOUT, ACCOUNTS),
    always("deluser", LOCKOUT, ACCOUNTS),
    option("passwd", "-l|--lock|-d|--delete", LOCKOUT, ACCOUNTS),
    option("usermod", "-L|--lock|-e|--expiredate", LOCKOUT, ACCOUNTS),
    always("cfdisk", WIPE, DISK),
    always("cgdisk", WIPE, DISK),
    always("fdisk", WIPE, DISK),
    always("gdisk", WIPE, DISK),
    always("lvremove", WIPE, DISK),
    always("mke2fs", WIPE, DISK),
    always("mkfs", WIPE, DISK),
    always("mkswap", WIPE, DISK),
    always("parted", WIPE, DISK),
    always("pvremove", WIPE, DISK),
    always("sfdisk", WIPE, DISK),
    always("sg_format", WIPE, DISK),
    always("sgdisk", WIPE, DISK),
    always("shred", WIPE, DATA),
    always("vgremove", WIPE, DISK),
    always("wipefs", WIPE, DISK),
    option("badblocks", "-w", WIPE, DISK),
    option("mdadm", "--zero-superblock|--create|-C", WIPE, DISK),
    always("lvreduce", WIPE, DISK),
    option("pvcreate", "-f|--force|-y|--yes", WIPE, DISK),
    with("dmsetup", &["remove_all|suspend|wipe_table"], OUTAGE, "takes disks away that are in use"),
    option(
        "hdparm",
        "--security-erase|--security-erase-enhanced|--trim-sector-ranges|--write-sector|--yes-i-know-what-i-am-doing|--please-destroy-my-drive",
        WIPE,
        DISK,
    ),
    with("zpool", &["destroy|labelclear"], WIPE, DISK),
    with("zfs", &["destroy|rollback"], WIPE, DISK),
    with("cryptsetup", &["erase|luksErase|luksFormat|luksKillSlot|reencrypt"], WIPE, DISK),
    with("nvme", &["format|sanitize|format-ns|delete-ns|write|write-zeroes|write-uncor|dsm"], WIPE, DISK),
    with("btrfs", &["su*", "delete|del|d"], WIPE, DISK),
    always("dropdb", WIPE, DATA),
    with("mysqladmin", &["drop"], WIPE, DATA),
    with("redis-cli", &["flushall|flushdb|FLUSHALL|FLUSHDB"], WIPE, DATA),
    with("terraform|tofu", &["destroy"], WIPE, DATA),
    Hazard { program: "terraform|tofu", words: &["apply"], option: "-destroy", unless: HELP, rule: WIPE, what: DATA },
    with("mongosh|mongo", &["*.dropDatabase(*|*.drop(*"], WIPE, DATA),
    option("crontab", "-r", WIPE, "removes every planned job"),
    with(CONTAINERS, &["volume", "prune"], WIPE, DATA),
    Hazard { program: CONTAINERS, words: &["system", "prune"], option: "--volumes", unless: HELP, rule: WIPE, what: DATA },
    Hazard { program: CONTAINERS, words: &["compose", "down"], option: "-v|--volumes", unless: HELP, rule: WIPE, what: DATA },
    Hazard { program: "docker-compose|podman-compose", words: &["down"], option: "-v|--volumes", unless: HELP, rule: WIPE, what: DATA },
    with("podman", &["system", "reset"], WIPE, DATA),
    Hazard { program: "crictl|podman", words: &["rm|rmp"], option: "-a|--all", unless: HELP, rule: WIPE, what: "removes all there are" },
    with("kubectl|oc", &["delete", KINDS], WIPE, DATA),
    Hazard { program: "kubectl|oc", words: &["delete"], option: "--all", unless: HELP, rule: WIPE, what: DATA },
    always("firstboot", WIPE, DATA),
    always("jffs2reset", WIPE, DATA),
    with("mtd", &["erase|write"], WIPE, DATA),
    with("qm", &["destroy"], WIPE, DATA),
    with("pct", &["destroy"], WIPE, DATA),
    Hazard { program: "virsh", words: &["undefine"], option: "--remove-all-storage|--storage", unless: HELP, rule: WIPE, what: DATA },
    Hazard { program: "shutdown", words: &[], option: "", unless: "-c|--help|--version|--show", rule: OUTAGE, what: STOPS },
    Hazard {
        program: "sysupgrade",
        words: &[],
        option: "",
        unless: "-b|-l|-r|-T|-h|--create-backup|--list-backup|--restore-backup|--test|--help",
        rule: OUTAGE,
        what: STOPS,
    },
    always("reboot", OUTAGE, STOPS),
    always("halt", OUTAGE, STOPS),
    always("poweroff", OUTAGE, STOPS),
    always("telinit", OUTAGE, STOPS),
    always("kexec", OUTAGE, STOPS),
    always("rtcwake", OUTAGE, STOPS),
    always("pm-suspend", OUTAGE, STOPS),
    always("pm-hibernate", OUTAGE, STOPS),
    always("switch_root", OUTAGE, STOPS),
    always("pivot_root", OUTAGE, STOPS),
    always("killall5", OUTAGE, STOPS),
    with("init", &["0|1|6|s|S"], OUTAGE, STOPS),
    with("systemctl", &[POWER], OUTAGE, STOPS),
    with("systemctl", &["start|restart", TARGETS], OUTAGE, STOPS),
    with(
        "busctl|dbus-send|gdbus",
        &["Reboot|PowerOff|Halt|Suspend|Hibernate|*.Reboot|*.PowerOff|*.Halt|*.Suspend|*.Hibernate"],
        OUTAGE,
        STOPS,
    ),
    with("loginctl", &["reboot|poweroff|halt|suspend|hibernate"], OUTAGE, STOPS),
    with("umount", &["/|/usr|/var|/home"], OUTAGE, "takes a file system away that is in use"),
    option("umount", "-a|--all", OUTAGE, "takes every file system away"),
    with("ipmitool", &["power|chassis", "off|cycle|reset|soft|diag"], OUTAGE, STOPS),
    with("swapoff", &["/|-"], OUTAGE, STOPS),
    with("systemctl", &["stop|disable|mask|kill", ACCESS], LOCKOUT, CUTS),
    with("systemctl", &[RESTART, NETWORK], LOCKOUT, CUTS),
    with("service", &[ACCESS, STOP], LOCKOUT, CUTS),
    with("service", &[NETWORK, RESTART], LOCKOUT, CUTS),
    with("rc-service", &[ACCESS, "stop"], LOCKOUT, CUTS),
    with("rc-service", &[NETWORK, "restart"], LOCKOUT, CUTS),
    with("rcctl", &["stop|disable", ACCESS], LOCKOUT, CUTS),
    with("svcadm", &["disable", "*ssh*|*network*"], LOCKOUT, CUTS),
    with("launchctl", &["unload|bootout|disable|stop|remove|kill", "*ssh*"], LOCKOUT, CUTS),
    Hazard { program: "systemsetup", words: &["off"], option: "-setremotelogin", unless: HELP, rule: LOCKOUT, what: CUTS },
    with("loginctl", &["terminate-session|kill-session|terminate-user|kill-user|terminate-seat"], LOCKOUT, CUTS),
    with("invoke-rc.d", &[ACCESS, "stop"], LOCKOUT, CUTS),
    with("invoke-rc.d", &[NETWORK, RESTART], LOCKOUT, CUTS),
    with("update-rc.d", &[ACCESS, "remove|disable"], LOCKOUT, CUTS),
    with("rc-update", &["del|delete", ACCESS], LOCKOUT, CUTS),
    with("chkconfig", &[ACCESS, "off"], LOCKOUT, CUTS),
    with("initctl", &["stop", ACCESS], LOCKOUT, CUTS),
    with("stop", &[ACCESS], LOCKOUT, CUTS),
    with("pkill", &["ssh|sshd|systemd|init|NetworkManager|dropbear"], LOCKOUT, CUTS),
    with("killall", &["ssh|sshd|systemd|init|NetworkManager|dropbear"], LOCKOUT, CUTS),
    Hazard { program: "fuser", words: &["22/tcp|ssh/tcp"], option: "-k|--kill", unless: HELP, rule: LOCKOUT, what: CUTS },
    always("ifdown", LOCKOUT, CUTS),
    always("ifreload", LOCKOUT, CUTS),
    with("wicked", &["ifdown|ifreload"], LOCKOUT, CUTS),
    with("netplan", &["apply"], LOCKOUT, CUTS),
    with("networkctl", &["down|delete"], LOCKOUT, CUTS),
    with("brctl", &["delbr|delif"], LOCKOUT, CUTS),
    with("vconfig", &["rem"], LOCKOUT, CUTS),
    option("ifenslave", "-d|--detach", LOCKOUT, CUTS),
    option("dhclient", "-r|-x", LOCKOUT, CUTS),
    option("dhcpcd", "-k|-x|--release|--exit", LOCKOUT, CUTS),
    with("wg-quick", &["down"], LOCKOUT, CUTS),
    with("tailscale", &["down|logout"], LOCKOUT, CUTS),
    with("zerotier-cli", &["leave"], LOCKOUT, CUTS),
    with("wpa_cli", &["disconnect|terminate|disable_network|remove_network"], LOCKOUT, CUTS),
    with("iw", &["disconnect"], LOCKOUT, CUTS),
    with("rfkill", &["block"], LOCKOUT, CUTS),
    with("wifi", &["down"], LOCKOUT, CUTS),
    with("ubus", &["call", "network|network.interface.*", "restart|down"], LOCKOUT, CUTS),
    with("shorewall", &["stop"], LOCKOUT, CUTS),
    Hazard { program: "iptables-restore", words: &[], option: "", unless: "-t|--test|-h|--help|--version", rule: LOCKOUT, what: CUTS },
    Hazard { program: "ip6tables-restore", words: &[], option: "", unless: "-t|--test|-h|--help|--version", rule: LOCKOUT, what: CUTS },
    with("ipfw", &["flush"], LOCKOUT, CUTS),
    Hazard { program: "pfctl", words: &[], option: "-F|-e|-f", unless: "-n", rule: LOCKOUT, what: CUTS },
    with("ovs-vsctl", &["del-br|del-port|emer-reset|destroy|del-controller|set-controller|set-fail-mode"], LOCKOUT, SWITCH),
    with("ovs-ofctl", &["del-flows|replace-flows|del-groups|bundle"], LOCKOUT, SWITCH),
    with("ovs-ofctl", &["mod-port", "down"], LOCKOUT, SWITCH),
    with("ovs-appctl", &["exit|dpctl/del-dp|dpctl/del-if|dpctl/del-flows|bond/disable-slave|bond/disable-member"], LOCKOUT, SWITCH),
    with("ovs-appctl", &["ovsdb-server/remove-db|cluster/leave|cluster/kick"], WIPE, DATA),
    with("ovs-dpctl", &["del-dp|del-if|del-flows"], LOCKOUT, SWITCH),
    with("ovs-ctl", &["stop|restart|force-reload-kmod"], LOCKOUT, SWITCH),
    with("ovn-nbctl", &["ls-del|lr-del|lsp-del|lrp-del|destroy|lr-route-del"], LOCKOUT, SWITCH),
    with("apt", &[REMOVES, PACKAGES], LOCKOUT, CUTS),
    with("apt-get", &[REMOVES, PACKAGES], LOCKOUT, CUTS),
    with("aptitude", &[REMOVES, PACKAGES], LOCKOUT, CUTS),
    with("yum", &[REMOVES, PACKAGES], LOCKOUT, CUTS),
    with("dnf", &[REMOVES, PACKAGES], LOCKOUT, CUTS),
    with("zypper", &[REMOVES, PACKAGES], LOCKOUT, CUTS),
    with("apk", &[REMOVES, PACKAGES], LOCKOUT, CUTS),
    Hazard { program: "dpkg", words: &[PACKAGES], option: "-r|-P|--remove|--purge", unless: HELP, rule: LOCKOUT, what: CUTS },
    Hazard { program: "rpm", words: &[PACKAGES], option: "-e|--erase", unless: HELP, rule: LOCKOUT, what: CUTS },
    Hazard { program: "pacman", words: &[PACKAGES], option: "-R|-Rs|-Rns|-Rn|-Rc|-Rsc", unless: HELP, rule: LOCKOUT, what: CUTS },
];

pub(super) fn danger(program: &str, line: &[String]) -> Option<Danger> {
    let path = line.first().map_or("", String::as_str);
    if path.starts_with("/etc/init.d/") || path.starts_with("/etc/rc.d/") {
        let has = |choices: &str| line.iter().skip(1).any(|word| is_one(choices, word));
        let cuts = is_one(ACCESS, program) && has(STOP) || is_one(NETWORK, program) && has(RESTART);
        return cuts.then(|| named(LOCKOUT, line, CUTS));
    }
    if program.starts_with("mkfs.") {
        return Some(named(WIPE, line, DISK));
    }
    if program == "mount" && remounts_root(line) {
        return Some(named(OUTAGE, line, "takes the right to write away from the root of the file system"));
    }
    if let Some(plain) = without_patterns(program, line) {
        return danger(program, &plain);
    }
    let is_of =
        |names: &str| names == program || names.len() > program.len() && names.has('|') && names.split('|').any(|name| name == program);
    HAZARDS.iter().find(|hazard| is_of(hazard.program) && hazard.hits(line)).map(|hazard| named(hazard.rule, line, hazard.what))
}

/// The line without the patterns that Redis itself looks for, if it has such.
fn without_patterns(program: &str, line: &[String]) -> Option<Vec<String>> {
    let is_look = |word: &String| LOOKS.split('|').any(|look| look.eq_ignore_ascii_case(word));
    let looks = line.iter().position(is_look).filter(|_| program == "redis-cli")?;
    let (front, behind) = line.split_at(looks);
    let plain: Vec<String> = front.iter().chain(behind.iter().filter(|word| !word.has('*'))).cloned().collect();
    (plain.len() < line.len()).then_some(plain)
}

impl Hazard {
    fn hits(&self, line: &[String]) -> bool {
        let mut operands = line.iter().skip(1).map(String::as_str).filter(|word| !word.starts_with('-') || *word == "-");
        let in_order = self.words.iter().all(|choices| operands.by_ref().any(|operand| is_one(choices, operand)));
        let has = |options: &str| line.iter().skip(1).any(|word| options.split('|').any(|option| is_option(word, option)));
        // Beside others it means something else.
        let version = matches!(line, [_, only] if only == "-V");
        in_order && (self.option.is_empty() || has(self.option)) && !has(self.unless) && !version
    }
}

/// The option alone, with a value, or a letter among others.
fn is_option(word: &str, option: &str) -> bool {
    word.split('=').next() == Some(option)
        || option.len() == 2
            && !word.starts_with("--")
            && word.starts_with('-')
            && option.get(1..).is_some_and(|letter| word.contains(letter))
}

fn is_one(choices: &str, operand: &str) -> bool {
    let name = operand.strip_suffix(".service").or_else(|| operand.strip_suffix(".socket")).unwrap_or(operand);
    choices.split('|').any(|choice| {
        name == choice || operand == choice || choice.has('*') && paths::fits(choice, name) || name.has('*') && paths::fits(name, choice)
    })
}

/// `mount -o remount,ro /`
fn remounts_root(line: &[String]) -> bool {
    line.iter().any(|word| word.holds("remount") && word.split(',').any(|option| option.strip_prefix("-o").unwrap_or(option) == "ro"))
        && line.last().is_some_and(|target| target == "/" || base_name(target).is_empty())
}
