//! Programs that show the network.

use super::checks;
use super::options::Shape;
use super::programs::{Entry, MANY, Rule, Tool, at_most, first, needs, only};

const ANY: Rule = Rule::Any;
const SHOWS: Rule = first("|status show list sh st", "", "active order=");

const IPTABLES: Rule = at_most(2, "LSnvxwt:", "list list-rules numeric verbose exact line-numbers table=");
/// `-z` of FreeBSD and `-Z` of AIX set the counters back.
const NETSTAT: Rule = only(
    "0123456789aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyY",
    "all numeric numeric-hosts numeric-ports numeric-users listening tcp udp udplite sctp raw unix inet inet6 programs program timers route \
     interfaces groups statistics masquerade verbose wide continuous extend protocol= symbolic fib cache version help",
);
const PING: Rule = only("c:i:w:W:nqv46s:I:t:M:DOROab", "");

const NMCLI: Tool = Tool {
    options: Shape { letters: "tpf:g:m:c:e:", long: "terse pretty fields= get-values= mode= colors= escape= color", operands: 0 },
    bare: true,
    commands: &[
        ("g general", first("|status permissions", "", "")),
        ("c con conn connection", SHOWS),
        ("d dev device", Rule::Tool(&NMCLI_DEVICE)),
        ("n networking", Rule::Exactly(&["", "connectivity"])),
        ("r radio", Rule::Exactly(&["", "all", "wifi", "wwan"])),
    ],
};

const NMCLI_DEVICE: Tool = Tool {
    options: Shape { letters: "", long: "", operands: 0 },
    bare: true,
    commands: &[("status show list sh st", only("", "active order=")), ("wifi lldp", first("|list", "", ""))],
};

/// Without a value for it a setting is shown.
const RESOLVECTL: Tool = Tool {
    options: Shape { letters: "46i:p:t:", long: "no-pager json= legend= interface=", operands: MANY },
    bare: true,
    commands: &[
        ("status query statistics", only("46i:p:t:", "no-pager json= legend= interface=")),
        ("dns domain default-route llmnr mdns dnssec dnsovertls nta", at_most(1, "", "no-pager")),
    ],
};

/// What is logged, and where, is told by `-L` and `-D`, and any setting by `-Y`.
const SNMP: Rule = only("v:c:r:t:O:m:l:u:a:A:x:X:n:I:C?", "");

/// Sorted by name.
pub(super) const PROGRAMS: &[Entry] = &[
    ("arp", at_most(1, "anvei:H:", "all numeric verbose device=")),
    ("arptables", at_most(1, "Lnvt:", "list numeric verbose line-numbers")),
    ("birdc", Rule::Check(checks::birdc)),
    ("birdcl", Rule::Check(checks::birdc)),
    ("brctl", first("show showmacs showstp", "", "")),
    ("bridge", Rule::Check(checks::iproute)),
    ("conntrack", only("LSCo:p:s:d:f:n", "dump stats count output= proto= src= dst= family= dport= sport= state=")),
    ("dig", Rule::Check(checks::dig)),
    ("dnsdomainname", at_most(0, "", "")),
    ("ebtables", at_most(1, "Lt:", "list Lc Ln Lmac2")),
    (
        "ethtool",
        at_most(
            1,
            "iSkgaclTmnxPue",
            "driver statistics show-features show-ring show-pause show-coalesce show-channels show-time-stamping json",
        ),
    ),
    (
        "firewall-cmd",
        at_most(
            0,
            "",
            "state list-all list-all-zones list-services list-ports list-interfaces list-rich-rules list-sources get-default-zone get-active-zones \
             get-zones get-services zone= permanent info-zone= info-service= query-service= query-port= version",
        ),
    ),
    ("host", ANY),
    ("hostname", at_most(0, "aAdfiIsyV", "alias all-fqdns domain fqdn long ip-address all-ip-addresses short yp nis version")),
    ("ifconfig", Rule::Check(checks::ifconfig)),
    ("ip", Rule::Check(checks::iproute)),
    ("ip6tables", IPTABLES),
    ("ip6tables-save", at_most(0, "ct:", "counters table=")),
    ("ipfw", first("list show", "adetSN", "")),
    ("ipset", first("list save version", "o:nt", "name terse output=")),
    ("iptables", IPTABLES),
    ("iptables-save", at_most(0, "ct:", "counters table=")),
    ("ipvsadm", needs("L l list", 0, "Llnc", "list numeric stats rate connection exact")),
    ("iw", Rule::Check(checks::iw)),
    ("lldpcli", first("show", "f:", "")),
    ("lldpctl", only("f:", "")),
    (
        "mtr",
        only(
            "rwnbc:i:s:46uTP:zeo:m:f:jC",
            "report report-wide no-dns show-ips report-cycles= interval= psize= udp tcp port= json csv aslookup max-ttl=",
        ),
    ),
    ("named-checkconf", at_most(1, "vz", "")),
    ("named-checkzone", at_most(2, "qvd", "")),
    ("nc", Rule::Check(checks::port_scan)),
    ("ncat", Rule::Check(checks::port_scan)),
    ("netcat", Rule::Check(checks::port_scan)),
    ("netplan", first("status", "a", "all")),
    ("netstat", NETSTAT),
    ("networkctl", first("|list status lldp", "alsn:", "all full no-pager no-legend stats json=")),
    ("nfsstat", only("csnrmv234l", "")),
    ("nft", Rule::Check(checks::nft)),
    ("nmcli", Rule::Tool(&NMCLI)),
    ("nslookup", Rule::Check(checks::nslookup)),
    // Without it the clock is set.
    ("ntpdate", needs("q", MANY, "q46uv", "")),
    // Without it commands are read.
    ("ntpq", needs("p peers", MANY, "pn46", "peers numeric")),
    ("ovn-nbctl", Rule::Check(checks::ovs_vsctl)),
    ("ovn-sbctl", Rule::Check(checks::ovs_vsctl)),
    (
        "ovs-appctl",
        first(
            "version list-commands vlog/list vlog/list-pattern bfd/show bond/list bond/show bridge/dump-flows cfm/show coverage/show dpctl/dump-conntrack \
             dpctl/dump-dps dpctl/dump-flows dpctl/show dpif/dump-dps dpif/dump-flows dpif/show fdb/show fdb/stats-show lacp/show lacp/show-stats mdb/show \
             memory/show ofproto/list ofproto/list-tunnels ovs/route/show qos/show rstp/show stp/show tnl/arp/show tnl/neigh/show tnl/ports/show \
             upcall/show dpif-netdev/pmd-stats-show dpif-netdev/pmd-rxq-show dpif-netdev/pmd-perf-show ovsdb-server/sync-status \
             ovsdb-server/list-dbs cluster/status connection-status",
            "t:T:",
            "target= timeout=",
        ),
    ),
    ("ovs-dpctl", first("show dump-dps dump-flows dump-conntrack ct-stats-show", "mst:", "more statistics names no-names timeout=")),
    (
        "ovs-ofctl",
        first(
            "show dump-flows dump-ports dump-ports-desc dump-desc dump-tables dump-table-features dump-groups dump-group-stats dump-group-features dump-meters \
             meter-stats meter-features dump-aggregate queue-stats queue-get-config get-frags dump-tlv-map",
            "mO:t:",
            "more protocols= timeout= names no-names sort= rsort= no-stats color=",
        ),
    ),
    ("ovs-vsctl", Rule::Check(checks::ovs_vsctl)),
    (
        "ovsdb-client",
        first(
            "list-dbs get-schema get-schema-version list-tables list-columns dump",
            "f:d:t:",
            "format= data= no-headings pretty bare oneline timeout=",
        ),
    ),
    ("pciconf", needs("l", 1, "lvBbceV", "")),
    ("pfctl", needs("s", 0, "s:va:rnPq", "")),
    ("ping", PING),
    ("ping6", PING),
    ("resolvectl", Rule::Tool(&RESOLVECTL)),
    ("rndc", Rule::Exactly(&["status"])),
    ("route", first("|get show", "neFC46v", "")),
    ("rpcinfo", needs("p s m", 1, "psm", "")),
    ("scutil", Rule::Exactly(&["--dns", "--nwi", "--proxy"])),
    ("snmpbulkget", SNMP),
    ("snmpbulkwalk", SNMP),
    ("snmpget", SNMP),
    ("snmpgetnext", SNMP),
    ("snmpstatus", SNMP),
    ("snmpwalk", SNMP),
    ("sockstat", ANY),
    (
        "ss",
        only(
            "hHVnralmoeptwuxdiI460bsZzOTMf:A:N:",
            "numeric resolve all listening options extended memory processes info tcp udp unix raw packet ipv4 ipv6 summary family= query= socket= \
             no-header oneline inet-sockopt tos cgroup threads version help",
        ),
    ),
    ("ssh-add", Rule::Exactly(&["-l", "-L"])),
    ("ssh-keygen", needs("l F", 0, "lvf:E:F:", "")),
    ("tc", Rule::Check(checks::iproute)),
    ("tracepath", ANY),
    ("tracepath6", ANY),
    ("traceroute", ANY),
    ("traceroute6", ANY),
    ("ufw", first("status version show", "", "")),
    ("unbound-checkconf", at_most(1, "o:", "")),
    ("unbound-control", Rule::Exactly(&["stats_noreset", "status"])),
    ("vtysh", Rule::Check(checks::vtysh)),
    ("wg", Rule::Check(checks::wg)),
    ("whois", Rule::Check(checks::whois)),
];
