//! Which file systems are on another machine. SQLite's write-ahead log needs memory that is shared by all who use
//! the file, and those have none.

use std::path::Path;

/// What the system says is mounted where.
const MOUNTS: &str = "/proc/self/mountinfo";
/// Names of file systems that are, or may be, on another machine. `fuse.` and `9p` can be local; nothing tells, and
/// nothing is lost by care.
const REMOTE: &[&str] =
    &["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs", "davfs", "vboxsf"];

/// The name of the file system that the folder is on, if that is on another machine. Where the system does not tell
/// what is mounted, nothing is found.
pub(super) fn remote(dir: &Path) -> Option<String> {
    let dir = dir.canonicalize().ok()?;
    remote_in(&std::fs::read_to_string(MOUNTS).ok()?, &dir)
}

/// The same, with the list of what is mounted.
fn remote_in(mounts: &str, dir: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        // Fields before the dash vary in number; after it come the type, the source and its options.
        let Some((place, kind)) = line.split_once(" - ") else { continue };
        let (Some(point), Some(kind)) = (place.split(' ').nth(4), kind.split(' ').next()) else { continue };
        let point = unescape(point);
        // The deepest one counts, and of two at the same place the later: it hides the earlier.
        if dir.starts_with(&point) && best.is_none_or(|(length, _)| point.len() >= length) {
            best = Some((point.len(), kind));
        }
    }
    let (_, kind) = best?;
    (REMOTE.contains(&kind) || kind.starts_with("fuse.")).then(|| kind.to_owned())
}

/// Spaces and the like are written as octal numbers.
fn unescape(point: &str) -> String {
    point.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C13.
    #[test]
    fn what_is_on_another_machine_is_named() {
        let mounts = "\
            22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
            40 22 0:40 / /home rw shared:1 - nfs4 server:/home rw,vers=4.2\n\
            41 40 0:41 / /home/me/local rw - xfs /dev/vdb rw\n\
            42 22 0:42 / /mnt/my\\040share rw - cifs //server/share rw\n\
            43 22 0:43 / /mnt/ssh rw master:2 - fuse.sshfs me@host: rw\n\
            44 22 0:44 / /mnt/usb rw - fuseblk /dev/sdb1 rw\n\
            45 22 0:45 / /mnt/ssh rw - tmpfs tmpfs rw\n";
        let found = |dir: &str| remote_in(mounts, Path::new(dir));
        assert_eq!(found("/var/lib/plantain"), None);
        assert_eq!(found("/home/me/.local/share/plantain").as_deref(), Some("nfs4"));
        assert_eq!(found("/home/me/local/plantain"), None);
        assert_eq!(found("/homely"), None);
        assert_eq!(found("/mnt/my share/x").as_deref(), Some("cifs"));
        assert_eq!(found("/mnt/usb"), None);
        assert_eq!(found("/mnt/ssh"), None, "hidden by what was mounted over it");
        assert_eq!(remote_in(&mounts[..mounts.len() - 60], Path::new("/mnt/ssh/x")).as_deref(), Some("fuse.sshfs"));
        assert_eq!(remote_in("nonsense\n - \n", Path::new("/")), None);
    }
}
