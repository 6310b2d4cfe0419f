//! A copy of the database before its format changes, so that an older program can go back to it.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// What is added to the database's name, before the number of the format.
const BEFORE: &str = ".before-";

/// Keeps a copy in the present format: `plantain.db.before-2`. Of older copies none is kept.
///
/// # Errors
/// What went wrong, in words. Then there is no half copy either.
pub(super) fn keep(conn: &Connection, path: &Path, version: i64) -> Result<(), String> {
    let Some((dir, name)) = path.parent().zip(path.file_name().and_then(|name| name.to_str())) else {
        return Err("its name is not Unicode".to_owned());
    };
    let ours = format!("{name}{BEFORE}");
    let (copy, part) = (dir.join(format!("{ours}{version}")), dir.join(format!("{ours}{version}.part")));
    let words = |error: std::io::Error| error.to_string();
    // Left by a kill; or a copy that was made before, and then the older program was used again.
    let _ = fs::remove_file(&part);
    let result = write(conn, &part).and_then(|()| fs::rename(&part, &copy).map_err(words)).and_then(|()| {
        let folder = fs::File::open(dir).map_err(words)?;
        folder.sync_all().map_err(words)
    });
    if let Err(why) = result {
        let _ = fs::remove_file(&part);
        return Err(why);
    }
    tracing::warn!(copy = %copy.display(), "the format of the history changes; a copy of it is kept");
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let other = entry.file_name().to_string_lossy().into_owned();
        let old = other.strip_prefix(&ours).is_some_and(|rest| rest.parse().is_ok_and(|of: i64| of != version));
        if old && let Err(error) = fs::remove_file(entry.path()) {
            tracing::warn!(%error, "an older copy of the history cannot be removed");
        }
    }
    Ok(())
}

/// Through SQLite, so that what is only in the log comes along. The file is made here, so that it is never readable
/// for others.
fn write(conn: &Connection, to: &Path) -> Result<(), String> {
    let file = super::open::private(to).map_err(|error| error.to_string())?;
    let to = to.to_str().ok_or("its name is not Unicode")?;
    conn.execute("VACUUM INTO ?1", [to]).map_err(|error| error.to_string())?;
    file.sync_all().map_err(|error| error.to_string())
}
