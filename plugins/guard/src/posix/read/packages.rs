//! Package managers.

use super::programs::{Entry, Rule, first, needs};

const YUM: Rule = first(
    "list info search repolist provides whatprovides check-update deplist repoquery repoinfo updateinfo",
    "qvC",
    "installed available updates upgrades all showduplicates recent obsoletes enabled disabled quiet verbose cacheonly requires provides \
     whatrequires= whatprovides= queryformat= qf= nevra",
);
const PIP: Rule = first("list show freeze check", "vqofl", "outdated format= user local not-required verbose files version uptodate");

/// Sorted by name.
pub(super) const PROGRAMS: &[Entry] = &[
    ("apk", first("info list search policy version stats", "veLRrdwtaiIuo", "installed upgradable available orphaned verbose quiet all")),
    (
        "apt",
        first(
            "list show search policy depends rdepends showsrc madison",
            "anqi",
            "installed upgradable upgradeable all-versions manual-installed names-only full version recurse",
        ),
    ),
    (
        "apt-cache",
        first(
            "show showpkg showsrc search policy depends rdepends madison pkgnames stats unmet",
            "anqfig",
            "names-only full all-versions installed recurse important",
        ),
    ),
    ("apt-mark", first("showhold showmanual showauto showinstall showremove", "", "")),
    ("dnf", YUM),
    (
        "dpkg",
        needs(
            "l s L S p C V list status listfiles search print-avail audit verify get-selections print-architecture version",
            usize::MAX,
            "lsLSpCV",
            "list status listfiles search print-avail audit verify get-selections print-architecture version no-pager",
        ),
    ),
    (
        "dpkg-query",
        needs(
            "W l s L S p list status listfiles search show",
            usize::MAX,
            "WlsLSpf:",
            "list status listfiles search show showformat= no-pager print-avail control-list",
        ),
    ),
    ("pacman", needs("Q", usize::MAX, "Qilkqoesdtmnucgp", "")),
    ("pip", PIP),
    ("pip3", PIP),
    (
        "rpm",
        needs(
            "q query",
            usize::MAX,
            "qaildcpfRsv",
            "query all list info docfiles configfiles state file package last changelog requires provides scripts triggers whatprovides= \
             whatrequires= queryformat= qf= nosignature nodigest",
        ),
    ),
    ("snap", first("list info find version services connections changes tasks", "", "all color= unicode=")),
    ("yum", YUM),
];
