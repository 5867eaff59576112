//! Package managers.

use crate::verdict::Proof;

use super::argument::Argument;
use super::options::Shape;
use super::programs::{Entry, MANY, Rule, Tool, apply, first, needs, only};

const YUM: Rule = first(
    "list info search repolist provides whatprovides check-update deplist repoquery repoinfo updateinfo",
    "qvC",
    "installed available updates upgrades all showduplicates recent obsoletes enabled disabled quiet verbose cacheonly requires provides \
     whatrequires= whatprovides= queryformat= qf= nevra",
);
const PIP: Rule = first("list show freeze check", "vqofl", "outdated format= user local not-required verbose files version uptodate");

/// An option in front of the command may mean something else there, and take a value: `-s`, `-t`.
const ZYPPER: Tool = Tool {
    options: Shape { letters: "qvn", long: "quiet verbose non-interactive no-refresh no-color", operands: MANY },
    bare: false,
    commands: &[
        ("search se", only("siuxCdt:r:", "details installed-only not-installed-only match-exact search-descriptions provides type= repo=")),
        ("info if", only("st:r:", "requires provides type= repo=")),
        ("repos lr", only("uUpPdnEN", "uri priority refresh details")),
        (
            "list-updates lu list-patches lp patches packages pa products pd patterns pt locks ll services ls",
            only("aiur:t:", "all repo= type="),
        ),
        ("what-provides wp", only("", "")),
        ("ps", only("s", "short")),
    ],
};

/// In front of the command `-o` takes a value.
const PKG: Tool =
    Tool { options: Shape { letters: "", long: "", operands: 0 }, bare: false, commands: &[("info query which", only("aldDrsoqx", ""))] };

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
    ("apt-config", Rule::Exactly(&["dump"])),
    // What is only simulated. `update` is done all the same.
    ("apt-get", Rule::Check(apt_get)),
    ("apt-mark", first("showhold showmanual showauto showinstall showremove", "", "")),
    ("dnf", Rule::Check(yum)),
    (
        "dpkg",
        needs(
            "l s L S p C V I c list status listfiles search print-avail audit verify get-selections print-architecture \
             print-foreign-architectures compare-versions info contents version",
            usize::MAX,
            "lsLSpCVIc",
            "list status listfiles search print-avail audit verify get-selections print-architecture print-foreign-architectures \
             compare-versions info contents version no-pager",
        ),
    ),
    ("dpkg-deb", needs("I c f info contents field", usize::MAX, "Icf", "info contents field")),
    (
        "dpkg-query",
        needs(
            "W l s L S p list status listfiles search show",
            usize::MAX,
            "WlsLSpf:",
            "list status listfiles search show showformat= no-pager print-avail control-list",
        ),
    ),
    ("needs-restarting", only("rsu", "reboothint services useronly")),
    ("opkg", first("list list-installed list-upgradable info status files search", "", "")),
    ("pacman", Rule::Check(pacman)),
    ("pip", PIP),
    ("pip3", PIP),
    ("pkg", Rule::Tool(&PKG)),
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
    ("yum", Rule::Check(yum)),
    ("zypper", Rule::Tool(&ZYPPER)),
];

/// `apt-get -s upgrade`
fn apt_get(arguments: &[Argument]) -> Proof {
    const LETTERS: &str = "sVuqy";
    const LONG: &str = "simulate just-print dry-run recon no-act verbose-versions show-upgraded quiet with-new-pkgs no-install-recommends";
    if matches!(arguments, [_, only] if only.is("--version") || only.is("--help")) {
        return Ok(());
    }
    apply(&needs("s simulate just-print dry-run recon no-act", MANY, LETTERS, LONG), arguments)?;
    apply(&first("upgrade dist-upgrade install remove purge autoremove", LETTERS, LONG), arguments)
}

/// `dnf list`, `dnf history info 3`. Behind `history` and `module` another word tells.
fn yum(arguments: &[Argument]) -> Proof {
    match arguments {
        [_, only] if only.is("--version") || only.is("--help") => Ok(()),
        [program, group, rest @ ..] if group.is("history") || group.is("module") => {
            let of = Argument { text: format!("{} {}", program.text, group.text), ..group.clone() };
            let words = if group.is("history") { "|list info" } else { "list info provides" };
            apply(&first(words, "qv", "installed enabled disabled all"), &[core::slice::from_ref(&of), rest].concat())
        }
        _ => apply(&YUM, arguments),
    }
}

/// `pacman -Q…`, and what looks into the lists of packages.
fn pacman(arguments: &[Argument]) -> Proof {
    const INSTALLED: Rule = needs("Q", MANY, "Qilkqoesdtmnucgp", "");
    let searches = |word: &Argument| ["-Ss", "-Ssq", "-Si", "-Sii", "-Sl", "-Sg"].iter().any(|option| word.is(option));
    let no_option = |word: &Argument| !word.may_be_option() && !word.text.starts_with('-');
    match arguments {
        [_, search, names @ ..] if searches(search) && names.iter().all(no_option) => Ok(()),
        _ => apply(&INSTALLED, arguments),
    }
}
