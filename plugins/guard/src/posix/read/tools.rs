//! Tools with commands of their own: version control, containers, clusters.

use jackfield_plugin::text::Search;

use crate::verdict::Proof;

use super::argument::Argument;
use super::checks;
use super::options::Shape;
use super::programs::{Entry, MANY, Rule, Tool, apply, at_most, first, only, writes};

const ANY: Rule = Rule::Any;

/// A diff may write its output to a file or run a program.
const SHOWS_DIFF: Rule = Rule::Without(&["--output", "--ext-diff", "--textconv"]);

/// `-c` and `--exec-path` bring in programs, so they are not here.
const GIT: Tool = Tool {
    options: Shape { letters: "C:P", long: "no-pager no-optional-locks git-dir= work-tree= literal-pathspecs", operands: MANY },
    bare: false,
    commands: &[
        ("status rev-parse describe ls-files ls-tree show-ref for-each-ref name-rev count-objects merge-base cherry version", ANY),
        ("check-attr show-branch", ANY),
        ("log show diff rev-list shortlog whatchanged blame diff-files diff-index diff-tree annotate", SHOWS_DIFF),
        ("cat-file", Rule::Without(&["--textconv", "--filters"])),
        (
            "grep",
            only(
                "inlLcwEFGPvhHroIe:A:B:C:m:qW",
                "count files-with-matches files-without-match ignore-case line-number name-only cached untracked no-index and or not all-match \
                 heading break color max-depth= recursive word-regexp fixed-strings extended-regexp perl-regexp",
            ),
        ),
        ("branch tag", Rule::Check(checks::git_list)),
        ("config", Rule::Check(checks::git_config)),
        ("remote", first("|show get-url", "vn", "verbose all push")),
        ("stash", first("list show", "puw", "stat patch oneline name-only name-status no-color")),
        ("reflog", first("|show exists", "n:", "oneline date= all no-color")),
        ("worktree", first("list", "vz", "porcelain verbose")),
        ("submodule", first("|status summary", "", "cached recursive")),
        ("symbolic-ref", at_most(1, "q", "short quiet")),
        ("check-ignore", only("vnqz", "verbose quiet no-index")),
        ("fsck", only("v", "full no-full connectivity-only strict no-dangling no-progress")),
        ("bisect", first("log", "", "")),
        ("notes", first("|list show", "", "")),
    ],
};

/// `docker image ls`, `docker system df`: no option of these changes anything.
const DOCKER_OBJECT: Tool = Tool {
    options: Shape { letters: "", long: "", operands: MANY },
    bare: false,
    commands: &[("ls list inspect ps logs top stats port diff history events df du info show services", ANY)],
};

/// A host may be reached by `ssh`, with whatever options its name holds, so `-H` is not here.
const DOCKER: Tool = Tool {
    options: Shape { letters: "l:Dc:n:", long: "context= log-level= debug tls tlsverify namespace=", operands: MANY },
    bare: false,
    commands: &[
        ("ps images logs inspect version info stats top port diff history events search", ANY),
        ("container image pod network volume system context node service stack config secret plugin manifest", Rule::Tool(&DOCKER_OBJECT)),
        ("buildx", first("ls du version", "", "verbose")),
        ("compose", Rule::Tool(&COMPOSE)),
    ],
};

const COMPOSE: Tool = Tool {
    options: Shape { letters: "f:p:", long: "file= project-name= profile= env-file= ansi= project-directory=", operands: MANY },
    bare: false,
    commands: &[
        ("ps logs images top ls version port events", ANY),
        ("config", only("q", "services volumes images profiles hash= format= quiet no-interpolate resolve-image-digests")),
    ],
};

const KUBECTL_READS: Rule = Rule::Check(kubectl);

/// A configuration may name a program that logs in; a profile or a cache is written; another server is handed what logs in.
fn kubectl(arguments: &[Argument]) -> Proof {
    const REFUSED: Rule = Rule::Without(&[
        "--kubeconfig",
        "--kuberc",
        "--kustomize",
        "--cache-dir",
        "--profile",
        "--profile-output",
        "--log-file",
        "--log-dir",
        "--output-directory",
        "--server",
    ]);
    // Behind letters without a value another one may stand in the same word: `-As URL`.
    let hides = |argument: &Argument| {
        let letters = argument.text.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
        letters.is_some_and(|letters| {
            let last = letters.trim_start_matches(|letter: char| !"Lclnosvk".has(letter));
            last.starts_with(['s', 'k']) || last.is_empty() && !argument.exact
        })
    };
    if arguments.iter().skip(1).any(hides) { Err(writes(arguments)) } else { apply(&REFUSED, arguments) }
}

const KUBECTL: Tool = Tool {
    options: Shape { letters: "n:v:", long: "namespace= context= cluster= user= request-timeout=", operands: MANY },
    bare: false,
    commands: &[
        ("get describe logs top explain version api-resources api-versions events wait", KUBECTL_READS),
        ("cluster-info", at_most(0, "", "")),
        ("config", first("view get-contexts current-context get-clusters get-users", "o:", "minify output= no-headers")),
        ("auth", first("can-i whoami", "n:Aqo:", "namespace= all-namespaces list quiet as= output=")),
        ("rollout", first("status history", "n:wo:f:", "namespace= revision= watch timeout= output=")),
    ],
};

const HELM: Tool = Tool {
    options: Shape { letters: "n:", long: "namespace= kube-context=", operands: MANY },
    bare: false,
    commands: &[
        (
            "list ls status history get version env",
            Rule::Without(&[
                "--kubeconfig",
                "--kube-apiserver",
                "--registry-config",
                "--repository-cache",
                "--repository-config",
                "--post-renderer",
            ]),
        ),
        ("repo", first("list ls", "o:", "output=")),
        ("search", first("repo hub", "lro:", "versions devel regexp output= max-col-width=")),
    ],
};

/// Sorted by name.
pub(super) const PROGRAMS: &[Entry] = &[
    (
        "crictl",
        first(
            "ps images logs inspect inspecti inspectp pods info stats statsp version imagefsinfo",
            "aqo:fn:",
            "all quiet output= no-trunc name= namespace= tail= latest",
        ),
    ),
    ("docker", Rule::Tool(&DOCKER)),
    ("docker-compose", Rule::Tool(&COMPOSE)),
    ("git", Rule::Tool(&GIT)),
    ("helm", Rule::Tool(&HELM)),
    ("kubectl", Rule::Tool(&KUBECTL)),
    ("nerdctl", Rule::Tool(&DOCKER)),
    ("oc", Rule::Tool(&KUBECTL)),
    ("openssl", Rule::Check(checks::openssl)),
    ("pct", first("list status config listsnapshot pending", "", "")),
    ("podman", Rule::Tool(&DOCKER)),
    ("pvesm", first("list status", "", "")),
    ("pveversion", only("v", "verbose")),
    ("qm", first("list status config listsnapshot pending", "", "")),
    (
        "virsh",
        first(
            "list dominfo domstate domblklist domblkinfo domblkstat domiflist domifaddr domifstat domid domname domuuid dumpxml nodeinfo \
             version hostname pool-list pool-info vol-list vol-info net-list net-info net-dumpxml net-dhcp-leases domstats capabilities \
             vcpuinfo snapshot-list uri",
            "qr",
            "all inactive name title table quiet readonly",
        ),
    ),
];
