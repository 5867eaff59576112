//! The file: a table of commands, shared by all processes of the account.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Statement, Transaction, TransactionBehavior, named_params};

use super::query::{Cursor, Entry, Page, Query};
use super::{HistoryError, run};
use crate::instant;
use crate::limits::{
    HISTORY_AGE_MAX, HISTORY_BUSY_MAX, HISTORY_COMMAND_MAX_BYTES, HISTORY_EMPTY_MAX, HISTORY_NAME_MAX_BYTES, HISTORY_OPEN_PAUSE,
    HISTORY_OPEN_TRIES, HISTORY_ROWS_MAX,
};
use crate::private;
use crate::secret::prints::Prints;
use crate::session::journal::{Asked, Ended, Note, State};
use crate::terminal::text::first_bytes;

/// The format of the table below.
const FORMAT: i64 = 1;

/// A command that was refused has no id. Numbers of rows are never used again: cursors stay where they are.
const TABLE: &str = "
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL,
        command_id TEXT,
        at_ms INTEGER NOT NULL,
        who TEXT NOT NULL,
        target TEXT NOT NULL,
        session TEXT NOT NULL,
        command TEXT NOT NULL,
        command_bytes INTEGER NOT NULL,
        state TEXT NOT NULL,
        exit_code INTEGER,
        failed INTEGER NOT NULL DEFAULT 0,
        duration_ms INTEGER,
        output_bytes INTEGER,
        decision TEXT NOT NULL,
        rule TEXT NOT NULL
    );
    CREATE UNIQUE INDEX entries_command ON entries (run, command_id);
    CREATE INDEX entries_at ON entries (at_ms, id);
    CREATE INDEX entries_target ON entries (target, at_ms, id);
    CREATE INDEX entries_running ON entries (run) WHERE state = 'running';
    PRAGMA user_version = 1;
";

/// A column that files of before do not have. What knows nothing of it neither reads nor writes it, so the format is the same.
const WHY: &str = "ALTER TABLE entries ADD COLUMN why TEXT NOT NULL DEFAULT ''";

const WANTED: &str = "
    (:text = '' OR instr(lower(command), :text) OR instr(lower(target), :text) OR instr(lower(who), :text))
    AND (:target IS NULL OR target = :target OR session = :target)
    AND (:since IS NULL OR at_ms >= :since)
";

/// Where the file is in its folder.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("history.sqlite")
}

/// Is there one?
pub(super) fn exists(folder: &Path) -> bool {
    path(folder).exists()
}

/// Makes the file before SQLite does, which gives its other files the same mode.
///
/// A file that is there is never opened: closing it would drop SQLite's own locks.
fn private_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map(drop),
    }
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// The writer's connection.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
    /// Which file it is, whatever its name.
    identity: Option<(u64, u64)>,
    run: String,
}

impl Store {
    /// Opens or makes it, removes what is old, and marks what gone processes left running.
    pub(super) fn open(folder: &Path, run: &str) -> Result<Self, HistoryError> {
        let path = path(folder);
        let file = |cause| HistoryError::File { path: path.clone(), cause };
        private::folder(folder).map_err(file)?;
        private_file(&path).map_err(file)?;
        let connection = patiently(|| connect(&path))?;
        let identity = identity(&path);
        let mut store = Self { connection, path, identity, run: run.to_owned() };
        store.prune()?;
        store.mark_lost(folder)?;
        Ok(store)
    }

    /// Does the file still have its name? What is written to one that was moved away or removed is read by nobody.
    pub(super) fn has_its_name(&self) -> bool {
        self.identity.is_some() && identity(&self.path) == self.identity
    }

    /// Writes all of them or none.
    pub(super) fn write(&mut self, notes: &[Note], masks: &Prints) -> Result<(), HistoryError> {
        let run = self.run.clone();
        self.transact(|transaction| {
            let mut writing = Writing::prepare(transaction, &run)?;
            notes.iter().try_for_each(|note| writing.note(note, masks))
        })
    }

    /// Masks what this process wrote before these secrets were known. `true` when something was: the log of changes still has the old page.
    pub(super) fn mask_again(&mut self, masks: &Prints) -> Result<bool, HistoryError> {
        let run = self.run.clone();
        let mut changed = false;
        self.transact(|transaction| {
            let mut select = transaction.prepare("SELECT id, command, why FROM entries WHERE run = ?1")?;
            let rows = select.query_map([&run], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
            for row in rows {
                let (id, command, why) = row?;
                let (kept, kept_why) = (masked(&command, masks), masked(&why, masks));
                if kept != command || kept_why != why {
                    let update = "UPDATE entries SET command = ?2, command_bytes = command_bytes + ?3, why = ?4 WHERE id = ?1";
                    transaction.execute(update, (id, &kept, length(&kept) - length(&command), &kept_why))?;
                    changed = true;
                }
            }
            Ok(())
        })?;
        Ok(changed)
    }

    /// Moves the log of changes into the file and empties it. `false` when somebody still reads what was there before: that is no error.
    pub(super) fn empty_log(&self) -> Result<bool, HistoryError> {
        let emptied = self.connection.busy_timeout(HISTORY_EMPTY_MAX).and_then(|()| {
            // The first column is 1 where it was not done.
            let busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
            self.connection.busy_timeout(HISTORY_BUSY_MAX).and(busy)
        });
        emptied.map(|busy| busy == 0).map_err(|cause| self.database(cause))
    }

    /// Removes what is old or too much.
    pub(super) fn prune(&mut self) -> Result<(), HistoryError> {
        self.prune_to(HISTORY_ROWS_MAX)
    }

    pub(super) fn prune_to(&mut self, rows: u64) -> Result<(), HistoryError> {
        let age_ms = i64::try_from(HISTORY_AGE_MAX.as_millis()).unwrap_or(i64::MAX);
        let oldest = instant::millis(SystemTime::now()).saturating_sub(age_ms);
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        self.transact(|transaction| {
            transaction.execute("DELETE FROM entries WHERE at_ms < ?1", [oldest])?;
            let surplus = "DELETE FROM entries WHERE id IN (SELECT id FROM entries ORDER BY at_ms DESC, id DESC LIMIT -1 OFFSET ?1)";
            transaction.execute(surplus, [rows]).map(drop)
        })
    }

    /// What processes left running that are gone is lost.
    fn mark_lost(&mut self, folder: &Path) -> Result<(), HistoryError> {
        let mut runs = run::known(folder);
        runs.extend(self.running().map_err(|cause| self.database(cause))?);
        runs.retain(|run| *run != self.run && run::is_gone(folder, run));
        self.transact(|transaction| runs.iter().try_for_each(|run| lose(transaction, run)))
    }

    fn running(&self) -> rusqlite::Result<Vec<String>> {
        let mut select = self.connection.prepare("SELECT DISTINCT run FROM entries WHERE state = 'running'")?;
        select.query_map([], |row| row.get(0))?.collect()
    }

    /// This process ends: nothing of it runs any more.
    pub(super) fn finish(&mut self) -> Result<(), HistoryError> {
        let run = self.run.clone();
        self.transact(|transaction| lose(transaction, &run))
    }

    fn transact(&mut self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<(), HistoryError> {
        let path = self.path.clone();
        let done = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
            work(&transaction)?;
            transaction.commit()
        });
        done.map_err(|cause| HistoryError::Database { path, cause })
    }

    fn database(&self, cause: rusqlite::Error) -> HistoryError {
        HistoryError::Database { path: self.path.clone(), cause }
    }
}

/// Processes that start at once make the file at once; SQLite refuses some of them without waiting.
fn patiently<T>(mut work: impl FnMut() -> Result<T, HistoryError>) -> Result<T, HistoryError> {
    let mut tries = 1;
    loop {
        match work() {
            Err(HistoryError::Database { cause, .. }) if is_busy(&cause) && tries < HISTORY_OPEN_TRIES => {
                std::thread::park_timeout(HISTORY_OPEN_PAUSE);
                tries += 1;
            }
            done => return done,
        }
    }
}

fn is_busy(cause: &rusqlite::Error) -> bool {
    matches!(cause.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn connect(path: &Path) -> Result<Connection, HistoryError> {
    let failed = |cause| HistoryError::Database { path: path.to_owned(), cause };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(HISTORY_BUSY_MAX).map_err(failed)?;
    let found = prepare(&mut connection).map_err(failed)?;
    if found > FORMAT {
        return Err(HistoryError::Newer { path: path.to_owned(), found, known: FORMAT });
    }
    Ok(connection)
}

/// Sets what a connection needs and makes the table. Gives the file's format.
fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // A crash of the machine may cost the last commands, never the file. What is removed is overwritten: it may be a secret.
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;")?;
    let format = |connection: &Connection| connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    if format(connection)? == 0 {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        if format(&transaction)? == 0 {
            transaction.execute_batch(TABLE)?;
        }
        transaction.commit()?;
    }
    let found = format(connection)?;
    if found == FORMAT && !has_why(connection)? {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !has_why(&transaction)? {
            transaction.execute_batch(WHY)?;
        }
        transaction.commit()?;
    }
    Ok(found)
}

fn has_why(connection: &Connection) -> rusqlite::Result<bool> {
    let count = "SELECT count(*) FROM pragma_table_info('entries') WHERE name = 'why'";
    connection.query_row(count, [], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

/// The statements of a batch, read once by SQLite.
struct Writing<'a> {
    run: &'a str,
    insert: Statement<'a>,
    update: Statement<'a>,
}

impl<'a> Writing<'a> {
    fn prepare(transaction: &'a Transaction<'_>, run: &'a str) -> rusqlite::Result<Self> {
        let insert =
            "INSERT INTO entries (run, command_id, at_ms, who, target, session, command, command_bytes, state, decision, rule, why)
            VALUES (:run, :command_id, :at_ms, :who, :target, :session, :command, :command_bytes, :state, :decision, :rule, :why)";
        let update = "UPDATE entries SET state = :state, exit_code = :exit_code, failed = :failed, duration_ms = :duration_ms,
            output_bytes = :output_bytes WHERE run = :run AND command_id = :command_id";
        Ok(Self { run, insert: transaction.prepare(insert)?, update: transaction.prepare(update)? })
    }

    fn note(&mut self, note: &Note, masks: &Prints) -> rusqlite::Result<()> {
        match note {
            Note::Begun(id, asked) => self.row(Some(id.to_string()), State::Running, asked, masks),
            Note::Refused(state, asked) => self.row(None, *state, asked, masks),
            Note::Ended(id, ended) => self.end(&id.to_string(), ended),
            Note::Flush(_) | Note::Finish(_) => Ok(()),
        }
    }

    fn row(&mut self, command_id: Option<String>, state: State, asked: &Asked, masks: &Prints) -> rusqlite::Result<()> {
        let (command, why) = (masked(&asked.text, masks), masked(&asked.why, masks));
        let name = |text: &str| first_bytes(&masked(text, masks), HISTORY_NAME_MAX_BYTES).to_owned();
        let values = named_params! {
            ":run": self.run, ":command_id": command_id, ":at_ms": instant::millis(asked.at), ":who": name(&asked.who),
            ":target": name(&asked.session.device), ":session": name(&asked.session.to_string()),
            ":command": first_bytes(&command, HISTORY_COMMAND_MAX_BYTES), ":command_bytes": length(&command), ":state": state.word(),
            ":decision": asked.decision, ":rule": name(&asked.rule), ":why": first_bytes(&why, HISTORY_COMMAND_MAX_BYTES),
        };
        self.insert.execute(values).map(drop)
    }

    fn end(&mut self, command_id: &str, ended: &Ended) -> rusqlite::Result<()> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let values = named_params! {
            ":run": self.run, ":command_id": command_id, ":state": ended.state.word(), ":exit_code": ended.exit_code,
            ":failed": ended.failed, ":duration_ms": i64::try_from(ended.duration.as_millis()).unwrap_or(i64::MAX),
            ":output_bytes": number(ended.output_bytes),
        };
        self.update.execute(values).map(drop)
    }
}

fn lose(transaction: &Transaction<'_>, run: &str) -> rusqlite::Result<()> {
    let update = "UPDATE entries SET state = ?2, failed = 1 WHERE run = ?1 AND state = 'running'";
    transaction.execute(update, (run, State::Lost.word())).map(drop)
}

fn masked(text: &str, masks: &Prints) -> String {
    String::from_utf8_lossy(&masks.whole(text.as_bytes())).into_owned()
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// Reads a part of the list.
pub(super) fn read(folder: &Path, query: &Query) -> Result<Page, HistoryError> {
    let path = path(folder);
    if !path.exists() {
        return Ok(Page::default());
    }
    let connection = patiently(|| connect(&path))?;
    page(&connection, query).map_err(|cause| HistoryError::Database { path, cause })
}

fn page(connection: &Connection, query: &Query) -> rusqlite::Result<Page> {
    let text = query.text.to_ascii_lowercase();
    let count = format!("SELECT count(*) FROM entries WHERE {WANTED}");
    let wanted = named_params! { ":text": text, ":target": query.target, ":since": query.since_ms };
    let total: i64 = connection.query_row(&count, wanted, |row| row.get(0))?;
    let select = format!(
        "SELECT * FROM entries WHERE {WANTED} AND (:after_ms IS NULL OR (at_ms, id) < (:after_ms, :after_row))
         ORDER BY at_ms DESC, id DESC LIMIT :limit"
    );
    let mut select = connection.prepare(&select)?;
    // One more than wanted tells whether there is more.
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let values = named_params! {
        ":text": text, ":target": query.target, ":since": query.since_ms, ":limit": limit,
        ":after_ms": query.after.map(|cursor| cursor.at_ms), ":after_row": query.after.map(|cursor| cursor.row),
    };
    let found = select.query_map(values, |row| Ok((row.get::<_, i64>("id")?, entry(row)?)))?;
    let mut found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    let next = found.last().filter(|_| more).map(|(row, entry)| Cursor { at_ms: entry.at_ms, row: *row });
    let entries = found.into_iter().map(|(_, entry)| entry).collect();
    Ok(Page { entries, total: u64::try_from(total).unwrap_or_default(), next })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let positive = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(Entry {
        at_ms: row.get("at_ms")?,
        who: row.get("who")?,
        target: row.get("target")?,
        session: row.get("session")?,
        run: row.get("run")?,
        command_id: row.get("command_id")?,
        command: row.get("command")?,
        command_bytes: positive(row.get("command_bytes")?),
        state: row.get("state")?,
        exit_code: row.get("exit_code")?,
        failed: row.get("failed")?,
        duration_ms: row.get::<_, Option<i64>>("duration_ms")?.map(positive),
        output_bytes: row.get::<_, Option<i64>>("output_bytes")?.map(positive),
        decision: row.get("decision")?,
        rule: row.get("rule")?,
        why: row.get("why")?,
    })
}
