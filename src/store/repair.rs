//! A broken database: set aside under a dated name, never deleted, and what can be read of it put into a new one.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use super::{FILE, StoreError, open};

/// What SQLite keeps beside a database; it goes where that goes, for it holds the latest changes.
const BESIDE: &[&str] = &["-wal", "-shm", "-journal"];
/// What is taken over, tasks before what belongs to them. Leases and wishes are of programs that have ended.
const TABLES: &[&str] = &["batches", "tasks", "outputs", "drafts", "snippets"];

/// What a repair brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Where the old database is now.
    pub aside: PathBuf,
    /// Tasks that could be read.
    pub tasks: u64,
    /// Rows that could not be read or did not fit, as far as that can be told.
    pub lost: u64,
    /// A part of the old database could not be read: there may have been more.
    pub torn: bool,
}

/// Why there was no repair. The database is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepairError {
    /// Another program has it open.
    #[error("another plantain uses this data folder; end it first")]
    InUse,
    /// There is none.
    #[error("there is no history in {}", .0.display())]
    Missing(PathBuf),
    /// It is not broken.
    #[error("{} is whole; there is nothing to repair", .0.display())]
    Whole(PathBuf),
    /// A newer program wrote it, or it cannot be reached: that is nothing that a repair could mend.
    #[error(transparent)]
    Other(#[from] StoreError),
    /// The new one cannot be made.
    #[error("{0}")]
    Disk(String),
}

/// Repairs the database in a folder; `stamp` becomes part of the name under which the old one is kept. Blocks for as
/// long as it takes to read all of it.
///
/// # Errors
/// See [`RepairError`].
pub fn repair(dir: &Path, stamp: &str) -> Result<Repaired, RepairError> {
    let path = dir.join(FILE);
    if !path.exists() {
        return Err(RepairError::Missing(dir.to_owned()));
    }
    let lease = open::private(&dir.join(super::lease::LEASE)).map_err(|error| disk(&error))?;
    if matches!(lease.try_lock(), Err(fs::TryLockError::WouldBlock)) {
        return Err(RepairError::InUse);
    }
    match open::open(dir, &path, None) {
        Ok(conn) if is_whole(&conn) => return Err(RepairError::Whole(path)),
        Ok(_) | Err(StoreError::Broken { .. }) => {}
        Err(other) => return Err(other.into()),
    }
    // The new one is complete before the old one is moved.
    let new = dir.join(format!("{FILE}.new-{stamp}"));
    let made = fill(dir, &new, &path);
    let (tasks, lost, torn) = match made {
        Ok(made) => made,
        Err(error) => {
            for end in std::iter::once(&"").chain(BESIDE) {
                let _ = fs::remove_file(beside(&new, end));
            }
            return Err(error);
        }
    };
    let aside = free(&dir.join(format!("{FILE}.broken-{stamp}")));
    for end in std::iter::once(&"").chain(BESIDE) {
        match fs::rename(beside(&path, end), beside(&aside, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(disk(&error)),
            _ => {}
        }
    }
    fs::rename(&new, &path).map_err(|error| disk(&error))?;
    let folder = fs::File::open(dir).and_then(|dir| dir.sync_all());
    folder.map_err(|error| disk(&error))?;
    Ok(Repaired { aside, tasks, lost, torn })
}

fn disk(error: &impl ToString) -> RepairError {
    RepairError::Disk(error.to_string())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A name that nothing has yet.
fn free(wish: &Path) -> PathBuf {
    let names = (1_u32..).map(|n| if n == 1 { wish.to_owned() } else { beside(wish, &format!("-{n}")) });
    names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| wish.to_owned())
}

fn is_whole(conn: &Connection) -> bool {
    conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0)).is_ok_and(|word| word == "ok")
}

/// Makes the new database and takes over what can be read: tasks, rows lost, whether reading broke off.
fn fill(dir: &Path, new: &Path, old: &Path) -> Result<(u64, u64, bool), RepairError> {
    let mut to = open::open(dir, new, None)?;
    // Whoever reads a broken database must not write to it, and not trust its order either.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(old, flags).and_then(|from| {
        from.pragma_update(None, "query_only", true)?;
        Ok(from)
    });
    let (mut tasks, mut lost, mut torn) = (0, 0, false);
    let all = to.transaction().map_err(|error| disk(&error))?;
    if let Ok(from) = &from {
        let salt = from.query_row("SELECT bytes FROM salt WHERE one = 1", [], |row| row.get::<_, Vec<u8>>(0)).ok();
        for table in TABLES {
            let (kept, missed, whole) = take(from, &all, table);
            if *table == "tasks" {
                tasks = kept;
            }
            lost += missed;
            torn |= !whole;
        }
        // Names of keys mean something only with the salt that they were made with.
        match salt {
            Some(salt) => all.execute("UPDATE salt SET bytes = ?1", [salt]),
            None => all.execute("UPDATE tasks SET account = NULL", []),
        }
        .map_err(|error| disk(&error))?;
    } else {
        torn = true;
    }
    all.commit().map_err(|error| disk(&error))?;
    to.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).map_err(|error| disk(&error))?;
    drop(to);
    Ok((tasks, lost, torn))
}

/// Takes a table over, row by row, from both ends if it breaks in between: rows kept, rows lost, whether all were
/// read.
fn take(from: &Connection, to: &Connection, table: &str) -> (u64, u64, bool) {
    let (kept, lost, whole) = walk(from, to, table, "");
    if whole {
        return (kept, lost, true);
    }
    let (more, missed, _) = walk(from, to, table, "DESC");
    (kept + more, lost + missed, false)
}

fn walk(from: &Connection, to: &Connection, table: &str, order: &str) -> (u64, u64, bool) {
    let by = if table == "outputs" { format!("task {order}, idx {order}") } else { format!("rowid {order}") };
    let Ok(mut read) = from.prepare(&format!("SELECT * FROM {table} ORDER BY {by}")) else { return (0, 0, false) };
    let names: Vec<String> = read.column_names().into_iter().map(str::to_owned).collect();
    // Of an older format some columns are missing; of a newer one there is none.
    let marks = vec!["?"; names.len()].join(", ");
    let insert = format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({marks})", names.join(", "));
    let Ok(mut write) = to.prepare(&insert) else { return (0, 0, false) };
    let (mut kept, mut lost) = (0, 0);
    let Ok(mut rows) = read.query([]) else { return (0, 0, false) };
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                let values: Result<Vec<Value>, _> = (0..names.len()).map(|index| row.get(index)).collect();
                match values.and_then(|values| write.execute(rusqlite::params_from_iter(values))) {
                    Ok(written) => kept += written as u64,
                    Err(_) => lost += 1,
                }
            }
            Ok(None) => return (kept, lost, true),
            Err(_) => return (kept, lost, false),
        }
    }
}
