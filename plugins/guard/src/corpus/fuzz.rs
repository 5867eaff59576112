//! Lines that no person would write, by grammar: what is judged must hold whatever the line is.

use proptest::prelude::*;

use super::*;

/// A word of a shell in one of many clothes, and the same without.
fn dressed(word: &'static str) -> impl Strategy<Value = String> {
    (0_usize..7, any::<prop::sample::Index>()).prop_map(move |(dress, place)| {
        let at = place.index(word.len());
        let (before, behind) = word.split_at(at);
        match dress {
            0 => word.to_owned(),
            1 => format!("{before}\\{behind}"),
            2 => format!("{before}''{behind}"),
            3 => format!("\"{before}\"{behind}"),
            4 => format!("{before}\\\n{behind}"),
            5 => format!("$'{before}'{behind}"),
            _ => format!("{before}\"\"'{behind}'"),
        }
    })
}

/// Something that writes to `/jft/f`, whatever stands around it.
fn change() -> impl Strategy<Value = String> {
    let program = prop::sample::select(vec!["touch", "tee", "cp /jft/in", "rm", "mkdir", "truncate -s 0", "install /jft/in", "ln -s x"])
        .prop_flat_map(|text| {
            dressed(text.split(' ').next().unwrap_or(text)).prop_map(move |word| {
                let rest = text.split_once(' ').map_or("", |(_, rest)| rest);
                format!("{word} {rest} /jft/f")
            })
        });
    prop_oneof![
        4 => program,
        1 => Just("> /jft/f".to_owned()),
        1 => Just("sort -o /jft/f /jft/in".to_owned()),
        1 => Just("find /jft -delete".to_owned()),
        1 => Just("sed -i s/a/b/ /jft/in".to_owned()),
    ]
}

/// A place in which a shell runs what stands in it.
fn placed() -> impl Strategy<Value = String> {
    let read = prop::sample::select(vec!["ls", "cat /etc/hosts", "echo x", "ps aux | head", "df -h", "uptime"]);
    change().prop_recursive(3, 16, 2, move |inner| {
        let read = read.clone();
        (inner, read, 0_usize..17).prop_map(|(inner, read, place)| match place {
            0 => format!("{read}; {inner}"),
            1 => format!("{inner}; {read}"),
            2 => format!("{read} && {inner}"),
            3 => format!("{read} || {inner}"),
            4 => format!("{read} | {inner}"),
            5 => format!("{read}\n{inner}"),
            6 => format!("echo \"$({inner})\""),
            7 => format!("( {inner} )"),
            8 => format!("{{ {inner}; }}"),
            9 => format!("if {read}; then {inner}; fi"),
            10 => format!("for x in 1 2; do {inner}; done"),
            11 => format!("while {inner}; do {read}; done"),
            12 => format!("case x in y) {read};; *) {inner};; esac"),
            13 => format!("cat <({inner})"),
            14 => format!("cat <<E\n$({inner})\nE"),
            15 => format!("{read} # a word\n{inner}"),
            _ => format!("x=$({inner}); {read}"),
        })
    })
}

fn is_read(device_type: &str, mode: &str, command: &str) -> bool {
    let request = Request { facts: declared(device_type), ..request(device_type, mode, command, "query", "read-only") };
    classify(&request, Setting::Auto).lane == "read"
}

/// A word as a person may shorten it.
fn shortened(words: &'static str, least: usize) -> impl Strategy<Value = String> {
    let each: Vec<_> =
        words.split(' ').map(|word| (least.min(word.len())..=word.len()).prop_map(move |end| word.get(..end).unwrap_or(word))).collect();
    each.prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_time: 10_000, ..ProptestConfig::with_cases(1_500) })]

    #[test]
    fn a_change_is_none_the_less_one_in_any_place_and_dress(command in placed()) {
        prop_assert!(!is_read("linux", "shell", &command), "{}", command);
    }

    #[test]
    fn signs_of_a_shell_in_any_order_stop_nobody(command in "[ls;&|<>(){}$`'\"\\\\\n\t#!*?\\[\\]=~^ 0-9-]{0,60}") {
        properties::check("linux", "shell", &command);
    }

    #[test]
    fn signs_of_a_router_in_any_order_stop_nobody(command in "[/:\\[\\](){}\"\\\\$;=, \n?a-f0-9print*!-]{0,60}") {
        properties::check("mikrotik_routeros", "root_menu", &command);
        properties::check("cisco_ios", "privileged", &command);
        properties::check("arista_eos", "privileged", &command);
    }

    /// Shortened, in any case, in front of a line and behind it.
    #[test]
    fn what_changes_a_switch_is_no_read_however_it_is_written(
        change in prop::sample::select(vec![
            "configure terminal", "reload", "write memory", "copy running-config startup-config", "erase startup-config", "delete flash:x",
            "clear counters", "debug all", "format flash:", "tclsh",
        ]).prop_flat_map(|words| shortened(words, 2)),
        before in prop::sample::select(vec!["", "show clock\n", "!\n", "show ip route | include x\n", " ", "do "]),
        behind in prop::sample::select(vec!["", "\nshow clock", " ", " | include x"]),
        upper in any::<bool>(),
        device in prop::sample::select(vec!["cisco_ios", "arista_eos", "frr_vtysh"]),
    ) {
        let change = if upper { change.to_ascii_uppercase() } else { change };
        let command = format!("{before}{change}{behind}");
        prop_assert!(!is_read(device, "privileged", &command), "{}", command);
    }

    #[test]
    fn what_changes_a_router_is_no_read_wherever_it_stands(
        change in prop::sample::select(vec![
            "/file remove x", "/system reboot", "/ip address add address=1.1.1.1", "/user set 0 password=x", "/ip route disable 0", "/export file=x",
        ]),
        place in prop::sample::select(vec![
            "@", ":put [@]", ":put \"$[@]\"", "{@}", ":if (true) do={@}", ":foreach i in={1} do={@}", ":local x [@]", "/ip address print; @",
            "/ip address print where a=[@]", "/ip address print\n@", ":do {} on-error={@}", ":put ({@})", ":put (1 . [@])", ":put [:put [@]]",
        ]),
        outer in prop::sample::select(vec!["@", "{@}", ":put [@]", ":if (1=1) do={@}", "/log print\n@"]),
    ) {
        let command = outer.replace('@', &place.replace('@', change));
        prop_assert!(!is_read("mikrotik_routeros", "root_menu", &command), "{}", command);
    }

    #[test]
    fn what_changes_a_declared_device_is_no_read_however_it_is_written(
        change in prop::sample::select(vec![
            "configure", "request system reboot", "clear bgp neighbor", "restart routing", "file delete x", "start shell", "commit", "set date now",
        ]).prop_flat_map(|words| shortened(words, 4)),
        before in prop::sample::select(vec!["", "show version\n", "show version; ", "show version | ", "run ", "do "]),
        behind in prop::sample::select(vec!["", "\nshow version", " | match x", " | no-more"]),
    ) {
        let command = format!("{before}{change}{behind}");
        prop_assert!(!is_read("juniper_junos", "operational", &command), "{}", command);
    }

    #[test]
    fn any_text_is_judged_on_any_device(command in "\\PC{0,80}") {
        for (device_type, mode) in properties::DEVICES {
            properties::check(device_type, mode, &command);
        }
        for mode in ["psql", "mysql", "sqlite", "python", "ipython", "node", "irb", "perldb"] {
            properties::check("linux", mode, &command);
        }
    }
}
