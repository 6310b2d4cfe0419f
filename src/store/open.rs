//! Opening the database: who may read it, what format it has, and what to say when it is not ours.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use rusqlite_migration::{M, Migrations};

use super::StoreError;

/// Only ever added to.
const STEPS: &[M<'static>] = &[
    M::up(include_str!("migrations/001-tasks.sql")),
    M::up(include_str!("migrations/002-windows.sql")),
    M::up(include_str!("migrations/003-learned.sql")),
    M::up(include_str!("migrations/004-answers.sql")),
    M::up(include_str!("migrations/005-company.sql")),
    M::up(include_str!("migrations/007-batch.sql")),
    M::up(include_str!("migrations/008-kin.sql")),
    M::up(include_str!("migrations/011-writing.sql")),
    M::up(include_str!("migrations/009-batches.sql")),
    M::up(include_str!("migrations/010-money.sql")),
];
/// How long another program may keep the database locked.
const PATIENCE: Duration = Duration::from_secs(5);
/// Whoever has a lock on it may make and count things here that others must not make and count meanwhile.
pub(super) const DOOR: &str = "plantain.lock";
/// "PLNT", as the first step writes it.
const OURS: i64 = 0x504c_4e54;

/// Opens the database; `remote` names a file system of another machine.
pub(super) fn open(dir: &Path, path: &Path, remote: Option<&str>) -> Result<Connection, StoreError> {
    make_dir(dir).map_err(|error| unwritable(dir, &error))?;
    // Two programs that start at once would both bring the format up to date. Where locks do not work (some
    // network file systems), SQLite's own must do.
    let lock = private(&dir.join(DOOR)).map_err(|error| unwritable(dir, &error))?;
    let _ = lock.lock();
    // Made here, so that its content is never readable for others; SQLite gives its own files the same mode. One
    // that is there is not touched: closing it would drop the locks that this process may hold on it.
    if !path.exists() {
        private(path).map_err(|error| unwritable(path, &error))?;
    }
    let sql = |error: rusqlite::Error| translate(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(sql)?;
    conn.busy_timeout(PATIENCE).map_err(sql)?;
    if conn.is_readonly("main").map_err(sql)? {
        return Err(StoreError::Unwritable { path: path.to_owned(), why: "the file is read-only".into() });
    }
    let number = |name: &str| conn.query_row(name, [], |row| row.get::<_, i64>(0)).map_err(sql);
    let version = number("PRAGMA user_version")?;
    let owner = number("PRAGMA application_id")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    if owner != OURS && (owner != 0 || version != 0 || tables != 0) {
        let why = "it is a database of another program".into();
        return Err(StoreError::Broken { path: path.to_owned(), why });
    }
    if usize::try_from(version).is_ok_and(|version| version > STEPS.len()) {
        return Err(StoreError::Newer { path: path.to_owned(), version });
    }
    // Before anything is written: what is broken stays as it is.
    if usize::try_from(version) == Ok(STEPS.len()) {
        check(&conn, path)?;
    }
    if version > 0 && usize::try_from(version).is_ok_and(|version| version < STEPS.len()) {
        super::backup::keep(&conn, path, version).map_err(|why| StoreError::Unwritable {
            path: path.to_owned(),
            why: format!("its copy before the change to a newer format cannot be made: {why}"),
        })?;
    }
    conn.pragma_update(None, "synchronous", "full").map_err(sql)?;
    conn.pragma_update(None, "foreign_keys", true).map_err(sql)?;
    conn.set_prepared_statement_cache_capacity(64);
    Migrations::from_slice(STEPS).to_latest(&mut conn).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => translate(path, &err),
        other => StoreError::Broken { path: path.to_owned(), why: other.to_string() },
    })?;
    if usize::try_from(version) != Ok(STEPS.len()) {
        check(&conn, path)?;
    }
    // With a log, readers never wait for the writer, and a commit is one sync; but all must be on one machine.
    let journal = if remote.is_some() { "delete" } else { "wal" };
    conn.pragma_update_and_check(None, "journal_mode", journal, |_| Ok(())).map_err(sql)?;
    Ok(conn)
}

/// A table that is missing or strange shows here, and not in the middle of the work.
fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    for statement in super::write::STATEMENTS
        .iter()
        .chain(super::read::STATEMENTS)
        .chain(super::company::STATEMENTS)
        .chain(super::company::OF_WISHES)
        .chain(super::answers::STATEMENTS)
        .chain(super::relatives::STATEMENTS)
        .chain(super::batches::STATEMENTS)
        .chain(super::writing::STATEMENTS)
        .chain(super::ledger::STATEMENTS)
    {
        conn.prepare(statement)
            .map_err(|error| StoreError::Broken { path: path.to_owned(), why: error.to_string() })?;
    }
    Ok(())
}

pub(super) fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Opens or makes a file that only this user can read.
pub(super) fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn unwritable(path: &Path, error: &io::Error) -> StoreError {
    let why = match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "a part of the path is not a folder".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    };
    StoreError::Unwritable { path: path.to_owned(), why }
}

fn translate(path: &Path, error: &rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    let why = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Unwritable { path, why: "the disk is full".into() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Unwritable { path, why: "another program keeps it locked".into() }
        }
        // What cannot be given room to is a plain failure to SQLite.
        Some(ErrorCode::SystemIoFailure) if is_full(&path) => {
            StoreError::Unwritable { path, why: "the disk is full".into() }
        }
        Some(
            ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::SystemIoFailure,
        ) => StoreError::Unwritable { path, why },
        Some(ErrorCode::NotADatabase) => StoreError::Broken { path, why: "it is not a database".into() },
        _ => StoreError::Broken { path, why },
    }
}

/// Whether there is less room than a database needs to be opened.
fn is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < 64 << 10)
}
