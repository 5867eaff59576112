//! Programs that show disks, file systems and hardware.

use super::checks;
use super::options::Shape;
use super::programs::{Entry, Rule, Tool, at_most, first, needs, only};

const ANY: Rule = Rule::Any;
const NONE: Shape = Shape { letters: "", long: "", operands: 0 };

const LVM: Rule = only(
    "avPso:O:S:",
    "noheadings units= nosuffix separator= all options= reportformat= sort= segments select= readonly unquoted maps columns",
);

const BTRFS: Tool = Tool {
    options: NONE,
    bare: false,
    commands: &[
        ("filesystem fi", first("show df usage du", "bhHkmgtTs", "raw human-readable all-devices mounted iec si")),
        ("subvolume sub", first("list show get-default", "pacgutsR", "")),
        ("device dev", first("stats usage", "bh", "raw check")),
        ("scrub balance", first("status", "dRv", "raw")),
        ("version", ANY),
    ],
};

/// Sorted by name.
pub(super) const PROGRAMS: &[Entry] = &[
    ("arc_summary", only("dgs:", "description graph section=")),
    ("arcstat", only("acdvxpf:s:", "")),
    ("blkid", only("o:s:t:L:U:lip", "output= match-tag= match-token= label= uuid= list-one probe info")),
    (
        "blockdev",
        only("", "report getsize64 getsz getss getpbsz getbsz getiomin getioopt getmaxsect getalignoff getra getfra getro getdiskseq"),
    ),
    ("btrfs", Rule::Tool(&BTRFS)),
    ("camcontrol", Rule::Exactly(&["devlist", "devlist -v"])),
    ("cryptsetup", first("status luksDump isLuks luksUUID", "v", "verbose")),
    ("diskutil", first("info list", "", "")),
    ("dmidecode", at_most(0, "t:s:qu", "type= string= quiet")),
    ("dmsetup", first("info ls status table targets version", "cC", "columns noheadings tree")),
    ("dumpe2fs", at_most(1, "hbx", "")),
    ("fdisk", needs("l list", usize::MAX, "lxo:", "list list-details output= color")),
    ("findmnt", ANY),
    ("gdisk", Rule::Check(checks::shows_table)),
    ("geom", Rule::Exactly(&["-t", "disk list", "disk status", "part list", "part status"])),
    ("gpart", first("list show status", "lpra", "")),
    ("hdparm", only("IigtT", "")),
    ("losetup", Rule::Exactly(&["", "-a", "-l", "--all", "--list"])),
    ("lsblk", ANY),
    ("lshw", Rule::Check(checks::lshw)),
    ("lspci", only("vnktxbDmqs:d:i:", "")),
    ("lsscsi", ANY),
    ("lsusb", ANY),
    ("lvdisplay", LVM),
    ("lvs", LVM),
    ("lvscan", at_most(0, "va", "all verbose")),
    ("mdadm", needs("D E Q detail examine query", usize::MAX, "DEQvs", "detail examine query scan export brief verbose")),
    ("mount", at_most(0, "lt:v", "")),
    ("mountpoint", ANY),
    ("nvme", first("list list-subsys smart-log id-ctrl id-ns error-log version", "o:vH", "output-format= verbose human-readable")),
    ("parted", Rule::Check(checks::parted)),
    ("pvdisplay", LVM),
    ("pvs", LVM),
    ("pvscan", at_most(0, "vsun", "")),
    ("quota", only("uvgqs", "")),
    ("repquota", only("avugs", "")),
    ("sensors", only("uAfj", "")),
    ("sfdisk", needs("l d J list dump json", usize::MAX, "ldJ", "list dump json")),
    ("sgdisk", Rule::Check(checks::shows_table)),
    ("smartctl", Rule::Check(checks::smartctl)),
    ("swapon", needs("s show summary", 0, "s", "show show-all summary noheadings raw bytes")),
    ("tune2fs", needs("l", 1, "l", "")),
    ("vgdisplay", LVM),
    ("vgs", LVM),
    ("wipefs", only("inpqJt:O:", "noheadings no-act parsable quiet json types= output=")),
    ("xfs_info", ANY),
    ("zfs", first("list get version", "HprPo:s:S:t:d:", "json")),
    ("zpool", first("status list iostat get history events version", "HpPvLgxo:lqrwynstiD", "json")),
];
