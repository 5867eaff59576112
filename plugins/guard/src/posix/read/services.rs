//! Clients of servers, clusters and clouds, and what shows the state of machines. Most of them change as well: only lines that are
//! known word by word, or whose first word tells, are reads.

use crate::verdict::Proof;

use super::argument::Argument;
use super::checks;
use super::options::Shape;
use super::programs::{Entry, MANY, Rule, at_most, first, only, writes};

/// `mysqladmin` takes several commands, so one at most.
const MYSQLADMIN: Rule = Rule::First(
    Shape { letters: "u:h:P:S:p?", long: "user= host= port= socket=", operands: 1 },
    "status extended-status ping processlist variables version",
);

const ANY: Rule = Rule::Any;
const APACHECTL: Rule = Rule::Exactly(&["-S", "-M", "-V", "-v", "-l", "-t", "configtest", "-t -D DUMP_VHOSTS", "-t -D DUMP_MODULES"]);
const EXIM: Rule = Rule::Exactly(&["-bV", "-bp", "-bpc"]);

/// Sorted by name.
pub(super) const PROGRAMS: &[Entry] = &[
    ("apache2ctl", APACHECTL),
    ("apachectl", APACHECTL),
    ("aws", Rule::Check(aws)),
    ("az", Rule::Exactly(&["account list", "account show", "group list", "version", "vm list"])),
    (
        "ceph",
        Rule::Exactly(&[
            "-s",
            "df",
            "df detail",
            "health",
            "health detail",
            "mon stat",
            "osd df",
            "osd stat",
            "osd tree",
            "pg stat",
            "quorum_status",
            "status",
            "versions",
        ]),
    ),
    ("consul", first("members info version", "", "")),
    ("cpupower", Rule::Exactly(&["frequency-info", "idle-info", "info"])),
    ("dnsmasq", Rule::Exactly(&["--test"])),
    ("doveadm", Rule::Exactly(&["who"])),
    ("doveconf", Rule::Exactly(&["-n"])),
    (
        "etcdctl",
        Rule::Exactly(&[
            "alarm list",
            "endpoint health",
            "endpoint health --cluster",
            "endpoint status",
            "endpoint status --cluster",
            "endpoint status -w table",
            "member list",
            "member list -w table",
            "version",
        ]),
    ),
    ("exim", EXIM),
    ("exim4", EXIM),
    ("exportfs", Rule::Exactly(&["", "-s", "-v"])),
    ("fail2ban-client", first("ping status version", "", "")),
    ("gcloud", Rule::Exactly(&["auth list", "compute instances list", "config list", "info", "projects list", "version"])),
    // Of busybox `-v` starts the server.
    ("httpd", Rule::Exactly(&["-S", "-M", "-V", "-l", "-t", "-t -D DUMP_VHOSTS", "-t -D DUMP_MODULES"])),
    (
        "ipmitool",
        Rule::Exactly(&[
            "chassis power status",
            "chassis status",
            "dcmi power reading",
            "fru",
            "fru print",
            "lan print",
            "lan print 1",
            "mc info",
            "power status",
            "sdr",
            "sdr elist",
            "sdr list",
            "sel",
            "sel elist",
            "sel info",
            "sel list",
            "sensor",
            "sensor list",
            "user list",
            "user list 1",
        ]),
    ),
    ("iscsiadm", Rule::Exactly(&["-m iface", "-m node", "-m session", "-m session -P 1", "-m session -P 3"])),
    ("lsb_release", only("airdcvs", "all id release description codename short version")),
    ("mailq", at_most(0, "v", "")),
    ("multipath", Rule::Exactly(&["-l", "-ll"])),
    ("mysqladmin", MYSQLADMIN),
    ("nfsiostat", ANY),
    ("nomad", first("status version", "", "")),
    ("numactl", Rule::Exactly(&["--hardware", "--show", "-H", "-s"])),
    ("nvidia-smi", Rule::Check(nvidia_smi)),
    ("pg_isready", only("h:p:U:d:t:q", "host= port= username= dbname= timeout= quiet")),
    ("pg_lsclusters", only("hj", "no-header json")),
    ("pmap", only("xXdqp", "extended device quiet show-path")),
    ("postconf", Rule::Check(checks::postconf)),
    ("postfix", Rule::Exactly(&["status"])),
    ("postqueue", Rule::Exactly(&["-j", "-p"])),
    ("qshape", only("", "")),
    (
        "rabbitmqctl",
        first(
            "cluster_status environment list_bindings list_channels list_connections list_consumers list_exchanges list_permissions list_policies \
             list_queues list_users list_vhosts status version",
            "p:n:q",
            "vhost= node= quiet",
        ),
    ),
    (
        "redis-cli",
        first(
            "DBSIZE EXISTS GET HGETALL HLEN INFO LASTSAVE LLEN PING ROLE SCARD STRLEN TIME TTL TYPE ZCARD dbsize exists get hgetall hlen info \
             lastsave llen ping role scard strlen time ttl type zcard",
            "h:p:n:a:",
            "no-auth-warning raw no-raw",
        ),
    ),
    ("showmount", at_most(1, "ade", "all directories exports no-headers")),
    ("smbstatus", only("bdLpSvu:", "")),
    ("sshd", Rule::Exactly(&["-G", "-T", "-V", "-t"])),
    ("testparm", at_most(1, "sv", "suppress-prompt verbose")),
    ("vault", Rule::Exactly(&["status", "version"])),
];

/// Its options may have several letters: `-lgc` is none of `-l`.
fn nvidia_smi(arguments: &[Argument]) -> Proof {
    const SHAPE: Shape = Shape {
        letters: "Lqxd:i:l:",
        long: "list-gpus query display= id= loop= query-gpu= query-compute-apps= format= version",
        operands: 0,
    };
    let several = |argument: &Argument| argument.text.starts_with('-') && !argument.text.starts_with("--") && argument.text.len() > 2;
    if arguments.iter().skip(1).any(several) { Err(writes(arguments)) } else { SHAPE.read(arguments).map(drop) }
}

/// `aws SERVICE describe-…` and `list-…` of the cloud. `get-…` may write a file.
fn aws(arguments: &[Argument]) -> Proof {
    let word = |place: usize| arguments.get(place).filter(|word| word.exact).map_or("", |word| word.text.as_str());
    let (service, verb) = (word(1), word(2));
    let shows = match service {
        "sts" => verb == "get-caller-identity",
        "s3" => verb == "ls",
        "configure" => verb == "list",
        _ => !service.starts_with('-') && (verb.starts_with("describe-") || verb.starts_with("list-")),
    };
    let plain = Shape {
        letters: "",
        long: "region= profile= output= query= filters= no-cli-pager no-paginate max-items= instance-ids= cluster= service= services= \
               log-group-name= stack-name= db-instance-identifier= names= recursive human-readable summarize",
        operands: MANY,
    };
    plain.read(arguments)?;
    if shows { Ok(()) } else { Err(writes(arguments)) }
}
