//! Programs that read lines: databases' clients, debuggers and languages. Few lines are proven to be reads there: what a name means is
//! up to who defined it.
//!
//! A statement is proven when it shows or describes, or selects from the catalogue or from nothing, with functions of a
//! short list. What destroys data, reaches for files, locks out or starts something is stopped wherever it stands in a line.

use jackfield_plugin::text::{self, Search};
use std::iter;

use crate::abbreviation::shortens;
use crate::other;
use crate::posix;
use crate::verdict::{Assessment, Danger, Doubt, Proof, excerpt, first, heaviest, listed};

use self::language::Language;

mod language;

/// The programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Psql,
    Mysql,
    Sqlite,
    /// A language.
    Code(&'static Language),
    Redis,
    Gdb,
    Bc,
}

const CODE: &str = "program.code";
const OUTAGE: &str = "program.outage";
const LOCKOUT: &str = "program.lockout";
const WIPE: &str = "program.wipe";
const REMOVE: &str = "program.remove";

/// Functions that only compute or tell.
const FUNCTIONS: &str = "version sqlite_version count sum min max avg lower upper length char_length trim coalesce nullif abs round now \
                         current_database current_schema current_user pg_size_pretty pg_database_size pg_total_relation_size pg_relation_size pg_table_size \
                         pg_indexes_size pg_postmaster_start_time pg_is_in_recovery pg_wal_lsn_diff pg_current_wal_lsn pg_last_wal_receive_lsn \
                         pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_blocking_pids pg_backend_pid pg_conf_load_time cardinality \
                         date_trunc extract age inet_server_addr inet_server_port any exists over filter in values and or not on from as";
/// The same of MySQL alone: elsewhere anybody may define a function of this name.
const FUNCTIONS_OF_MYSQL: &str = "concat concat_ws from_unixtime unix_timestamp substring substring_index left right ifnull isnull if \
                                  group_concat date date_add date_sub timediff timestampdiff sec_to_time format cast convert hex replace \
                                  locate greatest least user database schema connection_id uuid gtid_subset gtid_subtract";
const FUNCTIONS_OF_SQLITE: &str = "date datetime time strftime julianday typeof ifnull substr printf group_concat total";
/// What MySQL tells of itself; elsewhere anybody may have a schema of this name.
const CATALOGUES_OF_MYSQL: [&str; 2] = ["performance_schema.", "sys."];
/// What sqlite3 tells when nothing is given to it, and what takes a name.
const PRAGMAS: &str = "application_id auto_vacuum busy_timeout cache_size collation_list compile_options data_version database_list encoding \
                       foreign_key_check foreign_keys freelist_count function_list integrity_check journal_mode journal_size_limit locking_mode \
                       mmap_size module_list page_count page_size pragma_list query_only quick_check recursive_triggers schema_version synchronous \
                       table_list temp_store user_version wal_autocheckpoint";
const PRAGMAS_WITH_NAME: &str =
    "foreign_key_check foreign_key_list index_info index_list index_xinfo integrity_check quick_check table_info table_list table_xinfo";
/// Commands of Redis that only show. What may take long, such as `keys`, or never ends is left out.
const REDIS: &str = "ping echo time info dbsize lastsave role get mget getrange strlen exists ttl pttl expiretime pexpiretime type hget hmget \
                     hgetall hkeys hvals hlen hexists hstrlen hscan llen lrange lindex lpos scard smembers sismember smismember srandmember sscan \
                     zcard zcount zlexcount zrange zrevrange zrangebyscore zrevrangebyscore zscore zmscore zrank zrevrank zscan xlen xrange xrevrange \
                     xpending bitcount bitpos getbit geopos geodist geohash randomkey scan";
/// The same of those with a second word.
const REDIS_PAIRS: [(&str, &str); 15] = [
    ("acl", "whoami users cat"),
    ("client", "list info getname id"),
    ("cluster", "info nodes slots shards links myid keyslot countkeysinslot replicas slaves"),
    ("command", "count info docs list"),
    ("config", "get"),
    ("function", "list stats"),
    ("latency", "latest history doctor graph histogram"),
    ("memory", "usage stats doctor malloc-stats"),
    ("module", "list"),
    ("object", "encoding refcount idletime freq"),
    ("pubsub", "channels numsub numpat"),
    ("script", "exists"),
    ("sentinel", "masters master replicas slaves sentinels get-master-addr-by-name ckquorum myid"),
    ("slowlog", "get len"),
    ("xinfo", "stream groups consumers"),
];
/// Settings of Redis that hold passwords, or signs of a pattern that may stand for such a one, and of quotes within a word.
const REDIS_SECRETS: [&str; 9] = ["pass", "auth", "user", "*", "?", "[", "\\", "\"", "'"];
/// The beginning of names in catalogues, which hold no code of anybody.
const CATALOGUES: [&str; 39] = [
    "pg_catalog.",
    "information_schema.",
    "pg_stat_activity",
    "pg_stat_replication",
    "pg_stat_database",
    "pg_stat_user_tables",
    "pg_stat_user_indexes",
    "pg_locks",
    "pg_settings",
    "pg_database",
    "pg_roles",
    "pg_tables",
    "pg_indexes",
    "pg_replication_slots",
    "pg_stat_all_tables",
    "pg_stat_all_indexes",
    "pg_stat_archiver",
    "pg_stat_bgwriter",
    "pg_stat_checkpointer",
    "pg_stat_database_conflicts",
    "pg_stat_io",
    "pg_stat_progress_analyze",
    "pg_stat_progress_create_index",
    "pg_stat_progress_vacuum",
    "pg_stat_ssl",
    "pg_stat_wal",
    "pg_stat_wal_receiver",
    "pg_statio_user_tables",
    "pg_statio_user_indexes",
    "pg_available_extensions",
    "pg_class",
    "pg_extension",
    "pg_namespace",
    "pg_prepared_xacts",
    "pg_publication",
    "pg_tablespace",
    "pg_views",
    "sqlite_master",
    "sqlite_schema",
];
/// What shows passwords and their hashes: catalogues, tables and columns by their names.
const SECRETS: &str = "pg_authid pg_shadow pg_user_mapping pg_user_mappings user_mapping_options pg_subscription mysql.user \
                       mysql.global_priv authentication_string rolpassword";
/// Dot commands of sqlite3 that only show.
const DOTS: &str = ".tables .schema .fullschema .indexes .indices .databases .show .help .dbinfo .version .headers .header .mode .width .timer \
                    .stats";
/// Names that reach out of the database: functions as they are called.
const REACHING: &str = "pg_read_file pg_read_binary_file pg_ls_dir pg_reload_conf lo_import lo_export load_file sys_exec sys_eval \
                        load_extension writefile readfile edit pg_write_file dblink_exec";
/// The same for those that end what others do.
const ENDING: &str = "pg_terminate_backend pg_cancel_backend pg_rotate_logfile pg_promote pg_drop_replication_slot";

/// What the guard says of a line in this mode, if it is that of a program known here.
pub(crate) fn assess(command: &str, mode: &str) -> Option<Assessment> {
    let program = of_mode(mode)?;
    let danger = danger(command, mode);
    let proof = match &danger {
        Some(danger) => Err(Doubt::new("program.danger", danger.reason.clone())),
        None => prove(command, program),
    };
    Some(Assessment { proof, read_rule: "read.program", unfinished: None, danger })
}

/// What stops a line in this mode, in any grammar and in that of the program, where it is one that is known here.
pub(crate) fn danger(command: &str, mode: &str) -> Option<Danger> {
    let own = || find(command, of_mode(mode)?);
    first(other::find(command, mode).into_iter().chain(iter::once_with(own).flatten()))
}

/// What stops a text that a client of a database is started with. Nothing in it is read as a shell would.
pub(crate) fn given_danger(text: &str, mode: &str) -> Option<Danger> {
    find(text, of_mode(mode)?)
}

fn of_mode(mode: &str) -> Option<Program> {
    match mode {
        "psql" => Some(Program::Psql),
        "mysql" => Some(Program::Mysql),
        "sqlite" => Some(Program::Sqlite),
        "redis" => Some(Program::Redis),
        "gdb" => Some(Program::Gdb),
        "bc" => Some(Program::Bc),
        _ => language::of_mode(mode).map(Program::Code),
    }
}

fn prove(command: &str, program: Program) -> Proof {
    let text = command.trim();
    let lower = text.to_ascii_lowercase();
    let shows = match program {
        Program::Psql | Program::Mysql => tells_secret(&lower),
        Program::Redis => redis_tells_secret(&lower),
        _ => false,
    };
    if shows {
        return Err(Doubt::new("program.secret", format!("{} may show passwords or their hashes", excerpt(text))));
    }
    let unknown = || Doubt::new("program.unknown", format!("{} is not known to read only", excerpt(text)));
    let proven = match program {
        Program::Code(language) => language.counts && is_arithmetic(text),
        Program::Bc => is_calculation(text),
        Program::Redis => looks_in_redis(&lower),
        Program::Gdb => looks_in_gdb(&lower),
        Program::Mysql if listed("status \\s help \\h ? \\?", text.trim_end_matches(';').trim_end()) => true,
        Program::Psql if text.starts_with('\\') => is_description(text),
        Program::Sqlite if text.starts_with('.') => is_dot(text),
        // A line of its own may end a statement there, and the next one may be a command of the program.
        Program::Sqlite if text.has('\n') => false,
        // What a variable of the program stands for is not known.
        Program::Psql if text.has(':') => false,
        _ => {
            // MySQL's ends of a statement, of which one shows a row below the other.
            let ended = ["\\G", "\\g"].iter().find_map(|end| text.strip_suffix(end)).filter(|_| program == Program::Mysql);
            let whole = ended.unwrap_or(text);
            let plain = (program == Program::Psql).then(|| plain_quotes(whole)).flatten();
            let whole = plain.as_deref().unwrap_or(whole);
            let statements = other::behind_comments(whole).unwrap_or_default();
            !whole.has('\\')
                && !statements.is_empty()
                && statements.split(';').map(str::trim).all(|part| part.is_empty() || is_reading(part, program))
        }
    };
    if proven { Ok(()) } else { Err(unknown()) }
}

/// Does a line of a database's client show passwords or their hashes?
pub(crate) fn shows_secret(command: &str, mode: &str) -> bool {
    let lower = command.to_ascii_lowercase();
    match of_mode(mode) {
        Some(Program::Psql | Program::Mysql) => tells_secret(&other::uncommented(&lower)),
        Some(Program::Redis) => lower.lines().any(redis_tells_secret),
        _ => false,
    }
}

/// The words of a line for Redis, in small letters. A number in front says how often.
fn redis_words(lower: &str) -> Vec<&str> {
    let is_number = |word: &&str| word.bytes().all(|digit| digit.is_ascii_digit());
    lower.split_whitespace().map(|word| word.trim_matches(['"', '\''])).skip_while(is_number).collect()
}

/// Does it show a password, or what proves one?
fn redis_tells_secret(lower: &str) -> bool {
    let words = redis_words(lower);
    let names = |settings: &[&str]| settings.iter().any(|setting| REDIS_SECRETS.iter().any(|part| setting.holds(part)));
    match words.as_slice() {
        ["acl", "list" | "getuser", ..] => true,
        ["config", "get", settings @ ..] => names(settings),
        _ => false,
    }
}

/// One command of Redis that only shows, once.
fn looks_in_redis(lower: &str) -> bool {
    let words = redis_words(lower);
    let once = lower.starts_with(|c: char| !c.is_ascii_digit()) && !lower.has('\n');
    let second = words.get(1).copied().unwrap_or_default();
    let first = words.first().copied().unwrap_or_default();
    once && (listed(REDIS, first) || REDIS_PAIRS.iter().any(|(name, seconds)| *name == first && listed(seconds, second)))
}

/// One command of a debugger that looks at the program and calls nothing of it.
fn looks_in_gdb(lower: &str) -> bool {
    const LOOKS: &str = "bt backtrace where info frame f up down list l help h show disassemble disas";
    const PRINTS: &str = "p print ptype whatis x output";
    let (first, rest) = lower.split_once(char::is_whitespace).unwrap_or((lower, ""));
    let name = first.split('/').next().unwrap_or_default();
    let is_plain = !rest.has_any("(|=!;`{") && !["++", "--"].iter().any(|sign| rest.holds(sign));
    let is_thread = || match text::words(lower).as_slice() {
        ["thread" | "t"] | ["thread" | "t", "apply", "all", "bt" | "backtrace", ..] => true,
        ["thread" | "t", number] => number.bytes().all(|digit| digit.is_ascii_digit()),
        _ => false,
    };
    // `frame apply all` runs what follows.
    let shows = listed(LOOKS, name) && !rest.holds("apply") || listed(PRINTS, name) && !rest.is_empty();
    !lower.has('\n') && is_plain && (shows || is_thread())
}

/// In small letters: a name of theirs, the options of `\deu+` and `\dRs+`, or what MySQL and MariaDB show of an account.
fn tells_secret(lower: &str) -> bool {
    let bare = lower.replace(['`', '"'], "");
    let words = words(&bare);
    let is_named = |word: &&str| listed(SECRETS, word) || listed(SECRETS, word.rsplit('.').next().unwrap_or_default());
    let grants = || words.windows(2).any(|pair| matches!(pair, ["show", "grants"]));
    let account = || words.windows(3).any(|row| matches!(row, ["show", "create", "user"]));
    words.iter().any(is_named) || grants() || account() || ["\\deu+", "\\drs+"].iter().any(|sign| lower.holds(sign))
}

/// Numbers and signs: nothing there can have been given another meaning. What is open would wait for the next line. What grows
/// without end is left out.
fn is_arithmetic(text: &str) -> bool {
    let closed = text.matches('(').count() == text.matches(')').count();
    closed
        && text.ends_with(|c: char| c.is_ascii_digit() || c == ')')
        && text.chars().all(|c| c.is_ascii_digit() || " +-*/%().,<>=".has(c))
        && !text.holds("**")
        && !text.holds("<<")
        && !text.has(',')
}

/// For bc: the same with powers that stay small, and how many digits are shown.
fn is_calculation(text: &str) -> bool {
    let is_small = |number: &str| (1..=3).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit());
    let power = |behind: &str| is_small(behind.trim_start().split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    !text.has('\n')
        && text.split(';').map(str::trim).all(|part| match part.split_once('=') {
            Some((name, value)) => listed("scale ibase obase", name.trim()) && is_small(value.trim()),
            None => {
                let bare = part.replace('^', "*").replaced("sqrt(", "(");
                part.matches('^').count() < 2 && part.split('^').skip(1).all(power) && is_arithmetic(&bare)
            }
        })
}

/// `\d`, `\dt+ name`, `\l`: one command alone on its line, for psql takes several.
fn is_description(text: &str) -> bool {
    let one = text.matches('\\').count() == 1 && !text.has_any("`|\n:");
    let name = text.trim_start_matches('\\').split_whitespace().next().unwrap_or_default();
    let shows = matches!(name, "l" | "l+" | "conninfo" | "z" | "sf" | "sf+" | "sv" | "sv+" | "h" | "?");
    // How the terminal shows it.
    let displays = matches!(name, "x" | "timing");
    one && (name.starts_with('d') && name.len() <= 4 || shows || displays)
}

/// A text for psql with another sign for the backslashes in its quotes, which begin no command there. None where it is not certain what is
/// quoted: a variable may hold a quote, a comment and `$$` hide one, a row may be data of `copy`, and whether a backslash takes the
/// meaning of a quote away is a setting of the server.
fn plain_quotes(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let (mut open, mut before, mut colons) = (None, ' ', 0_usize);
    for c in text.chars() {
        if open.is_none() {
            // Two of them are a cast.
            match c {
                ':' => colons += 1,
                _ if colons % 2 == 1 => return None,
                _ => colons = 0,
            }
        }
        match (open, c) {
            (None, '\\' | '$') | (Some(_), '\n' | '\r') => return None,
            (None, '-' | '*') if matches!((before, c), ('-', '-') | ('/', '*')) => return None,
            (None, '\'' | '"') => open = Some(c),
            (Some(quote), _) if c == quote && before == '\\' => return None,
            (Some(quote), _) if c == quote => open = None,
            _ => {}
        }
        plain.push(if c == '\\' { '_' } else { c });
        before = c;
    }
    open.is_none().then_some(plain)
}

fn is_dot(text: &str) -> bool {
    let name = text.split_whitespace().next().unwrap_or_default();
    !text.has_any("\n|") && listed(DOTS, name)
}

/// One statement that only reads.
fn is_reading(statement: &str, program: Program) -> bool {
    let lower = statement.to_ascii_lowercase();
    let words = words(&lower);
    // What a comment hides is not the same everywhere.
    if ["--", "#", "/*", "*/"].iter().any(|sign| lower.holds(sign)) {
        return false;
    }
    // Asked to analyse, it runs the statement.
    let analyses = || words.iter().any(|word| matches!(*word, "analyze" | "analyse"));
    match words.first().copied().unwrap_or_default() {
        "describe" | "desc" | "explain" if words.contains(&"select") => !analyses() && selects(&lower, &words, program),
        // Behind `where` a function may be called.
        "show" | "describe" | "desc" => !analyses() && called(&lower).all(|name| is_harmless(name, program)),
        "pragma" => program == Program::Sqlite && is_telling_pragma(&lower),
        // Some settings change as soon as the statement is read.
        "explain" => !analyses() && !words.contains(&"pragma") && selects(&lower, &words, program),
        "select" => selects(&lower, &words, program),
        _ => false,
    }
}

fn is_harmless(function: &str, program: Program) -> bool {
    let own = match program {
        Program::Mysql => FUNCTIONS_OF_MYSQL,
        Program::Sqlite => FUNCTIONS_OF_SQLITE,
        _ => "",
    };
    listed(FUNCTIONS, function) || listed(own, function)
}

/// `pragma table_info(t)`: without a value a setting is only shown.
fn is_telling_pragma(lower: &str) -> bool {
    let rest = lower.trim_start_matches("pragma").trim();
    let (name, value) = rest.split_once('(').map_or((rest, None), |(name, value)| (name.trim(), Some(value)));
    let name = name.split_once('.').map_or(name, |(_, name)| name);
    let known = if value.is_some() { PRAGMAS_WITH_NAME } else { PRAGMAS };
    !rest.has('=') && listed(known, name) && value.is_none_or(|value| value.ends_with(')') && value.matches([')', '(']).count() == 1)
}

fn selects(lower: &str, words: &[&str], program: Program) -> bool {
    let writes = words.iter().any(|word| matches!(*word, "into" | "update" | "delete" | "insert" | "lock" | "share" | "procedure"));
    // A database may read `1e0into` as a number and a word.
    let glued = words.iter().any(|word| {
        let bare = word.trim_start_matches('.');
        bare.starts_with(|c: char| c.is_ascii_digit()) && bare.chars().any(char::is_alphabetic)
    });
    let whole = words.windows(2).any(|pair| matches!(pair, ["union" | "all" | "distinct" | "except" | "intersect", "table"]));
    let leads = |pair: &[&str]| matches!(pair, ["from" | "join" | "straight_join", _]);
    let from = words.windows(2).filter(|pair| leads(pair)).filter_map(|pair| pair.last().copied());
    let is_of = |name: &str, catalogue: &str| if catalogue.ends_with('.') { name.starts_with(catalogue) } else { name == catalogue };
    let own: &[&str] = if program == Program::Mysql { &CATALOGUES_OF_MYSQL } else { &[] };
    let known = |name: &str| CATALOGUES.iter().chain(own).any(|catalogue| is_of(name, catalogue));
    // Variables of the server have two of these signs; what has one is the session's.
    let unmarked = if program == Program::Mysql { lower.replaced("@@", "") } else { lower.to_owned() };
    let quoted = unmarked.has_any("\"`@:");
    let alone = !writes && !glued && !whole && !quoted && !several_tables(lower);
    alone && from.into_iter().all(known) && called(lower).all(|name| is_harmless(name, program))
}

/// Does a comma stand among the tables? Only the first of them is looked at.
fn several_tables(lower: &str) -> bool {
    let mut among = false;
    lower.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')')).any(|word| {
        among = word == "from" || among && !listed("where group order having limit union on join", word);
        among && word.has(',')
    })
}

/// Words of letters, digits, dots and underscores.
fn words(text: &str) -> Vec<&str> {
    text.split(|c| !is_inside(c)).filter(|word| !word.is_empty()).collect()
}

/// May it stand in a word?
fn is_inside(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

/// Names in front of an opening bracket.
fn called(text: &str) -> impl Iterator<Item = &str> {
    let before = text.match_indices('(').map(|(at, _)| text.get(..at).unwrap_or_default().trim_end());
    before.map(|before| before.rsplit(|c| !is_inside(c)).next().unwrap_or_default()).filter(|name| !name.is_empty())
}

fn find(command: &str, program: Program) -> Option<Danger> {
    let lower = command.to_ascii_lowercase();
    let lower = if program == Program::Psql { plain_quotes(&lower).unwrap_or(lower) } else { lower };
    let danger = |(rule, what)| Danger::new(rule, format!("{} {what}", excerpt(command)));
    match program {
        Program::Code(language) => first(language.find(&lower).map(danger)),
        Program::Redis => first(lower.lines().filter_map(in_redis).map(danger)),
        Program::Gdb => {
            // What a shell is given must be asked about even where everything else runs.
            let given = lower.lines().filter_map(|line| text::trim_start(line).split_once(char::is_whitespace));
            let given = given.filter(|(name, _)| shortens(name, "shell", 3)).filter_map(|(_, line)| posix::foreign_danger(line));
            heaviest(given.chain(lower.lines().filter_map(in_gdb).map(danger)))
        }
        Program::Bc => None,
        Program::Psql | Program::Mysql | Program::Sqlite => first(in_sql(&lower, &other::uncommented(&lower)).map(danger)),
    }
}

/// A rule, and what it says that the text does.
type Found = (&'static str, &'static str);

/// A line of Redis, in small letters.
fn in_redis(lower: &str) -> Option<Found> {
    let words = redis_words(lower);
    let everybody = Some((OUTAGE, "changes the server for everybody, or ends what others do"));
    match (words.first().copied().unwrap_or_default(), words.get(1).copied().unwrap_or_default()) {
        ("config", "set" | "rewrite") | ("client", "kill" | "pause") | ("failover" | "swapdb" | "shutdown", _) => everybody,
        ("cluster", "failover" | "reset" | "forget" | "meet" | "replicate" | "delslots" | "flushslots" | "setslot") => everybody,
        ("sentinel", "failover" | "remove" | "reset" | "set") => everybody,
        ("debug", second) if !matches!(second, "" | "object" | "help") => everybody,
        ("acl", "setuser" | "deluser" | "load") => Some((LOCKOUT, "changes rights")),
        ("module", "load" | "loadex" | "unload") | ("function", "load" | "restore") | ("eval" | "evalsha" | "fcall", _) => {
            Some((CODE, "runs or loads code"))
        }
        ("migrate", _) | ("function", "flush" | "delete") => Some((WIPE, "takes data away")),
        _ => None,
    }
}

/// What starts something else in a debugger, with the shortest form.
const STARTING: [(&str, usize); 11] = [
    ("shell", 3),
    ("make", 3),
    ("pipe", 2),
    ("source", 2),
    ("python", 2),
    ("python-interactive", 2),
    ("pi", 2),
    ("guile", 2),
    ("compile", 4),
    ("script", 4),
    ("platform", 4),
];

/// A line of a debugger, in small letters.
fn in_gdb(lower: &str) -> Option<Found> {
    let line = text::trim_start(lower);
    let first = line.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
    let is_one = |names: &[(&str, usize)]| names.iter().any(|(full, least)| shortens(first, full, *least));
    // `thread apply all`, `with print pretty -- `: a command stands behind.
    let leads = is_one(&[("thread", 1), ("frame", 1), ("with", 1), ("taas", 2), ("faas", 2), ("tfaas", 2)]);
    let starts = |word: &str| word.starts_with('!') || STARTING.iter().any(|(full, _)| word == *full);
    if line.starts_with(['!', '|']) || is_one(&STARTING) || leads && line.split_whitespace().skip(1).any(starts) {
        return Some((CODE, "starts a program or runs code"));
    }
    if is_one(&[("generate-core-file", 3), ("gcore", 2), ("dump", 3), ("append", 3), ("restore", 4), ("save", 3)]) {
        return Some((WIPE, "writes a file or memory"));
    }
    is_one(&[("kill", 1)]).then_some((OUTAGE, "ends the program that is looked at"))
}

/// In a text and in what it is without comments.
fn in_sql<'a>(lower: &'a str, bare: &'a str) -> impl Iterator<Item = Found> + 'a {
    let calls = |list: &str| called(lower).any(|name| listed(list, name.rsplit('.').next().unwrap_or(name)));
    let reaches = calls(REACHING).then_some((CODE, "reaches for files or runs code"));
    let ends = calls(ENDING).then_some((OUTAGE, "ends what others do"));
    reaches.into_iter().chain(ends).chain([lower, bare].into_iter().flat_map(|text| text.split([';', '\n'])).filter_map(statement))
}

fn statement(text: &str) -> Option<Found> {
    let words: Vec<&str> = text::words(text);
    let has = |word: &str| words.contains(&word);
    let (first, second) = (words.first().copied().unwrap_or_default(), words.get(1).copied().unwrap_or_default());
    let starts_code = ["\\!", "\\i", "\\.", "\\o |", "\\g |", "\\gexec", "\\copy", "\\w "].iter().any(|sign| text.holds(sign));
    let names_file = |sign: &str| text::split_once(text, sign).is_some_and(|(_, name)| !name.trim().is_empty());
    let edits = words.iter().any(|word| matches!(*word, "\\e" | "\\edit" | "\\ef" | "\\ev"));
    match first {
        _ if starts_code || edits => Some((CODE, "starts a program or writes a file")),
        // Signs of MySQL: with a value they are none of psql, but for how that shows rows.
        "\\p" if !second.is_empty() => Some((CODE, "starts a program")),
        "\\t" if !matches!(second, "" | "on" | "off") => Some((WIPE, "writes a file")),
        _ if ["\\o ", "\\out ", "\\g ", "\\gx ", "\\s ", "\\lo_export "].iter().any(|sign| names_file(sign)) => {
            Some((WIPE, "writes a file"))
        }
        "tee" => Some((WIPE, "writes a file")),
        "pager" | "edit" => Some((CODE, "starts a program")),
        _ if is_dot_of(first, "shell system load read edit excel") => Some((CODE, "runs code")),
        // Back to the terminal.
        _ if is_dot_of(first, "output once log trace") && matches!(second, "" | "off" | "stdout") => None,
        _ if is_dot_of(first, "open restore import save backup output once archive clone log trace") => Some((WIPE, "replaces files")),
        "source" | "system" => Some((CODE, "runs code")),
        "copy" if has("program") => Some((CODE, "starts a program")),
        // A file of the server, for it is named in quotes.
        "copy" if words.windows(2).any(|pair| matches!(pair, ["to", name] if name.starts_with(['\'', 'e', '$']) && name.has('\''))) => {
            Some((WIPE, "writes a file"))
        }
        "install" | "load" if has("plugin") || has("extension") => Some((CODE, "loads code")),
        "attach" => Some((WIPE, "replaces files")),
        "vacuum" if has("into") => Some((WIPE, "writes a file")),
        "vacuum" if words.iter().any(|word| word.trim_matches(['(', ')', ',']) == "full") => Some((OUTAGE, "locks every table for long")),
        "reindex" if matches!(second, "system" | "database") => Some((OUTAGE, "locks tables for long")),
        "reset" if ["master", "slave", "replica", "binary"].iter().any(|what| second.starts_with(what)) => {
            Some((WIPE, "discards logs or what replication has reached"))
        }
        "purge" if matches!(second, "binary" | "master") => Some((WIPE, "discards logs that replication may need")),
        "stop" | "change" if matches!(second, "slave" | "replica" | "master" | "replication" | "group_replication") => {
            Some((OUTAGE, "stops or redirects replication"))
        }
        "flush" if has("lock") => Some((OUTAGE, "locks every table")),
        "set" if second.starts_with("password") => Some((LOCKOUT, "changes a password")),
        "kill" | "shutdown" => Some((OUTAGE, "ends what others do")),
        "restart" if second.is_empty() => Some((OUTAGE, "restarts the server")),
        "call" if second.starts_with("mysql.rds_") => Some((OUTAGE, "ends what others do or changes the server")),
        "set" if words.iter().skip(1).any(|word| is_for_everybody(word)) => Some((OUTAGE, "changes the server for everybody")),
        "create" if has("soname") => Some((CODE, "loads code")),
        "uninstall" if matches!(second, "plugin" | "component") => Some((OUTAGE, "takes a part of the server away")),
        // Of this machine, as by `\copy`, or a library of psql's server.
        "load" if matches!(second, "data" | "xml") && has("local") || second.starts_with('\'') => {
            Some((CODE, "reaches for files or loads code"))
        }
        "clone" if second == "instance" => Some((WIPE, "replaces all data")),
        "alter" if matches!(second, "user" | "role" | "system" | "database") => Some((LOCKOUT, "changes rights or the server")),
        "grant" | "revoke" => Some((LOCKOUT, "changes rights")),
        "pragma" if text.holds("writable_schema") => Some((WIPE, "opens the schema to writing")),
        "update" if !has("where") => Some((WIPE, "changes every row")),
        // `1e0into` is a number and this word.
        _ if words.iter().any(|word| word.ends_with("into")) && (has("outfile") || has("dumpfile")) => Some((WIPE, "writes a file")),
        _ => None,
    }
}

/// `global`, `@@persist.x`: a setting of MySQL that is not the session's own.
fn is_for_everybody(word: &str) -> bool {
    let scope = word.trim_start_matches("@@").split('.').next().unwrap_or_default();
    matches!(scope, "global" | "persist" | "persist_only")
}

/// Is it one of these commands of sqlite3, or what is short for it?
fn is_dot_of(word: &str, names: &str) -> bool {
    let name = word.strip_prefix('.').filter(|name| name.len() > 1 && !listed(DOTS, word));
    name.is_some_and(|typed| names.split(' ').any(|name| name.starts_with(typed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(command: &str, mode: &str) -> &'static str {
        let assessment = assess(command, mode).unwrap();
        match (&assessment.danger, &assessment.proof) {
            (Some(danger), _) => danger.rule,
            (None, Ok(())) => assessment.read_rule,
            (None, Err(doubt)) => doubt.rule,
        }
    }

    #[test]
    fn what_only_shows_is_a_read() {
        for (mode, command) in [
            ("psql", "select version()"),
            ("psql", "select version();"),
            ("psql", "\\dt"),
            ("psql", "\\d+ users"),
            ("psql", "show server_version"),
            ("psql", "-- how old is it?\nshow server_version;"),
            ("psql", "/* how old is it? */ select version()"),
            ("mysql", "# what is there\nshow tables;"),
            ("psql", "select count(*) from pg_catalog.pg_class"),
            ("psql", "select relname from pg_class where relname ~ '\\.log\\s \\w x/\\*' and relname = 'it''s \\i x'"),
            ("mysql", "show tables"),
            ("mysql", "show replica status\\G"),
            ("mysql", "select version()\\g"),
            ("mysql", "describe users"),
            ("mysql", "select table_name from information_schema.tables where table_schema = 'app'"),
            ("sqlite", ".tables"),
            ("sqlite", "explain query plan select 1"),
            ("sqlite", "select sqlite_version()"),
            ("sqlite", "pragma integrity_check"),
            ("sqlite", "pragma main.table_info('users');"),
            ("sqlite", "select datetime('now')"),
            ("mysql", "select @@version, @@global.read_only"),
            ("mysql", "select concat(user, ' ', host) from information_schema.processlist"),
            ("mysql", "select * from performance_schema.data_locks"),
            ("mysql", "\\s"),
            ("mysql", "status;"),
            ("python", "1+1"),
            ("node", "1+1"),
            ("bc", "2^32"),
            ("bc", "scale=3; sqrt(2)/3"),
            ("redis", "INFO replication"),
            ("redis", "client list"),
            ("redis", "config get maxmemory"),
            ("redis", "hgetall \"user:1\""),
            ("gdb", "bt full"),
            ("gdb", "thread apply all bt"),
            ("gdb", "info sharedlibrary"),
            ("gdb", "x/10x $sp"),
            ("gdb", "p *head->next"),
        ] {
            assert_eq!(rule(command, mode), "read.program", "{mode}: {command}");
        }
    }

    #[test]
    fn what_may_mean_anything_is_no_read() {
        for (mode, command) in [
            ("psql", "select harm()"),
            ("psql", "select * from view_of_somebody"),
            ("psql", "\\dt \\watch"),
            ("psql", "show server_version\\g"),
            ("psql", "insert into t values ('\\s x', \"\\o x\"::text)"),
            ("psql", "select 'a\\' union select 'b'"),
            ("psql", "select 'a\nb\\d'"),
            ("mysql", "show tables\\G\\G"),
            ("mysql", "\\G"),
            ("psql", "\\dt :name"),
            ("psql", "select 1; insert into t values (1)"),
            ("psql", "with x as (delete from t where a returning 1) select 1"),
            ("psql", "explain analyze select 1"),
            ("psql", "explain delete from t where a = 1"),
            ("psql", "select 1 for update"),
            ("psql", "select 1 into t2"),
            ("psql", "create table t (a int)"),
            ("psql", ""),
            ("psql", "select \"version\"()"),
            ("psql", "-- show the old rows, then\ndelete from orders where id = 3;"),
            ("psql", "/* a /* show */ insert into t values (1); */"),
            ("psql", "/*! show */ insert into t values (1)"),
            ("psql", "show x; -- show\ninsert into t values (1)"),
            ("mysql", "# describe\ninsert into t values (1)"),
            ("mysql", "show tables /*! ; */"),
            ("mysql", "/*! insert into t values (1) */"),
            ("sqlite", "/* desc */ insert into t values (1)"),
            ("sqlite", "-- x\n.tables"),
            ("mysql", "update t set a = 1 /* all? */ where b = 2"),
            ("sqlite", ".dump"),
            ("sqlite", ".tables\n.quit"),
            ("python", "version()"),
            ("python", "x"),
            ("python", "1<<999999999"),
            ("python", "(1,)*999999999"),
            ("psql", "select 1into t2"),
            ("mysql", "select 1e0into t2"),
            ("psql", "select .5from v"),
            ("mysql", "select 1 from information_schema.tables where 1=1e0union select 1 from v"),
            ("mysql", "select 1 union table v"),
            ("mysql", "select * from information_schema.tables straight_join v"),
            ("mysql", "select * from(information_schema.tables,v)"),
            ("mysql", "show tables where f()"),
            ("mysql", "desc select * from (select f()) x"),
            ("sqlite", "explain pragma foreign_keys = 0"),
            ("sqlite", "pragma user_version = 3"),
            ("sqlite", "pragma journal_mode(wal)"),
            ("sqlite", "pragma wal_checkpoint"),
            ("psql", "pragma table_info(t)"),
            ("psql", "select concat(a) from pg_class"),
            ("mysql", "select @x := 1"),
            ("mysql", "select x.concat(1)"),
            ("python", "9**9**9"),
            ("python", ""),
            ("irb", "1+1"),
            ("php", "1+1"),
            ("node", "x"),
            ("bc", "9^9^9"),
            ("bc", "2^99999"),
            ("bc", "while(1){}"),
            ("bc", ""),
            ("redis", "keys *"),
            ("redis", "monitor"),
            ("redis", "1000000 get x"),
            ("redis", "get x\nset x y"),
            ("redis", "set x y"),
            ("gdb", "p f(1)"),
            ("gdb", "p x = 1"),
            ("gdb", "p x--"),
            ("gdb", "continue"),
            ("gdb", "frame apply all p x"),
        ] {
            assert_eq!(rule(command, mode), "program.unknown", "{mode}: {command}");
        }
    }

    #[test]
    fn what_shows_passwords_is_no_read() {
        for (mode, command) in [
            ("psql", "select rolname, rolpassword from pg_catalog.pg_authid"),
            ("psql", "select * from PG_CATALOG.pg_shadow"),
            ("psql", "select * from information_schema.user_mapping_options"),
            ("psql", "select subconninfo from pg_catalog.pg_subscription"),
            ("psql", "\\deu+"),
            ("psql", "\\dRs+ x"),
            ("mysql", "show create user root@localhost"),
            ("mysql", "show grants for root"),
            ("redis", "config get requirepass"),
            ("redis", "CONFIG GET *"),
            ("redis", "config get requirep?ss"),
            ("redis", "config get requirep[a]ss"),
            ("redis", "config get requirep\"a\"ss"),
            ("redis", "config get \"requirep\\x61ss\""),
            ("redis", "acl getuser default"),
        ] {
            assert_eq!(rule(command, mode), "program.secret", "{mode}: {command}");
            assert!(shows_secret(command, mode), "{mode}: {command}");
        }
        assert!(shows_secret("select * from mysql.user", "mysql") && !shows_secret("-- mysql.user\nshow tables", "mysql"));
        assert!(shows_secret("select/**/*/**/from/**/mysql.user", "mysql"));
        for (mode, command) in [("psql", "\\deu"), ("mysql", "show create table user"), ("psql", "select * from pg_catalog.pg_roles")] {
            assert_eq!(rule(command, mode), "read.program", "{mode}: {command}");
        }
    }

    #[test]
    fn what_destroys_or_reaches_out_is_stopped() {
        for (mode, command, expected) in [
            ("psql", "alter role app superuser", LOCKOUT),
            ("psql", "copy t to program 'sh'", CODE),
            ("psql", "select 1; \\! id", CODE),
            ("psql", "select 'a' \\s x", WIPE),
            ("psql", "select 'a\\' \\s x'", WIPE),
            ("psql", "select :q 'x \\! id'", CODE),
            ("psql", "select :::q 'x \\! id'", CODE),
            ("psql", "/* ' */ \\! id '", CODE),
            ("psql", "-- '\n\\! id '", CODE),
            ("psql", "select $$ ' $$ \\! id '", CODE),
            ("psql", "copy t from stdin;\n'\n\\.\n\\! id\n'", CODE),
            ("psql", "vacuum full", OUTAGE),
            ("psql", "reindex system x", OUTAGE),
            ("psql", "select pg_catalog.pg_terminate_backend (1)", OUTAGE),
            ("psql", "select pg_read_file('/etc/passwd')", CODE),
            ("mysql", "select 1 into outfile '/tmp/x'", WIPE),
            ("mysql", "select 1e0into outfile '/tmp/x'", WIPE),
            ("mysql", "select 1.into dumpfile '/tmp/x'", WIPE),
            ("mysql", "source /tmp/x.sql", CODE),
            ("mysql", "/* show\nit */ kill 3", OUTAGE),
            ("mysql", "/*!50000 set global read_only = 1 */", OUTAGE),
            ("mysql", "SET GLOBAL read_only = 1", OUTAGE),
            ("mysql", "grant all on *.* to x", LOCKOUT),
            ("sqlite", ".system sh", CODE),
            ("sqlite", "attach database '/tmp/x' as y", WIPE),
            ("sqlite", "update t set a=1", WIPE),
            ("python", "open('/etc/passwd','w')", WIPE),
            ("python", "exec(input())", CODE),
            ("python", "from subprocess import run", CODE),
            ("python", "os.kill(1,9)", CODE),
            ("python", "os.remove('x')", REMOVE),
            ("python", "os.system('rm -rf /')", "posix.wipe"),
            ("node", "fs.unlinkSync('x')", REMOVE),
            ("node", "child_process.exec('reboot')", "posix.outage"),
            ("mysql", "SET @@GLOBAL.read_only=1", OUTAGE),
            ("mysql", "set session x = 1, @@persist.y = 2", OUTAGE),
            ("mysql", "restart", OUTAGE),
            ("mysql", "load data local infile '/etc/passwd' into table x", CODE),
            ("mysql", "create function x returns string soname 'y'", CODE),
            ("mysql", "clone instance from u@h:3306", WIPE),
            ("redis", "config set dir /x", OUTAGE),
            ("redis", "2 client kill x", OUTAGE),
            ("redis", "debug segfault", OUTAGE),
            ("redis", "cluster reset hard", OUTAGE),
            ("redis", "module load /x.so", CODE),
            ("redis", "acl deluser x", LOCKOUT),
            ("gdb", "shell ls", CODE),
            ("gdb", "she ls", CODE),
            ("gdb", "!ls", CODE),
            ("gdb", "pipe bt | sh", "posix.code-from-data"),
            ("gdb", "thread apply all shell ls", CODE),
            ("gdb", "shell reboot", "posix.outage"),
            ("gdb", "kill", OUTAGE),
            ("gdb", "gcore /tmp/x", WIPE),
        ] {
            assert_eq!(rule(command, mode), expected, "{mode}: {command}");
        }
        assert_eq!(rule("update t set a=1 where b=2", "sqlite"), "program.unknown");
        assert_eq!(rule("open('/etc/hosts').read()", "python"), "program.unknown");
    }

    #[test]
    fn other_modes_are_judged_elsewhere() {
        assert!(assess("select 1", "shell").is_none() && of_mode("julia").is_none());
    }
}
