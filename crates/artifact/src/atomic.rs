//! Files that are there whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Writes a file: to a temporary one in the same folder, which is flushed, synced and renamed.
///
/// # Errors
/// The folder cannot be written to, or there is no room.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_all_atomic(&[(path.to_path_buf(), bytes)], true).map_err(|(_, e)| e)
}

/// Writes another text into a file of the user's, as [`write_atomic`] does: the file behind a link is replaced and
/// not the link, and its permissions stay as they are.
///
/// # Errors
/// There is no such file, it is read-only, the folder cannot be written to, or there is no room.
pub fn rewrite_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = path.canonicalize()?;
    let permissions = path.metadata()?.permissions();
    if permissions.readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"));
    }
    let mut file = temporary(&path)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|e| e.error)?;
    Ok(())
}

/// Writes several files, each as [`write_atomic`] does. All are written before the first is synced: a disk
/// that is asked for one file after the other takes ten times as long.
///
/// Without `sync` the files are still there whole or not at all, unless the machine itself loses power in
/// the seconds after; a busy disk makes one wait for more than a small run takes.
///
/// # Errors
/// The first file that could not be written; the ones before it may be there.
pub fn write_all_atomic(files: &[(PathBuf, &[u8])], sync: bool) -> Result<(), (PathBuf, io::Error)> {
    let mut written = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        let file = temporary(path).and_then(|mut file| file.write_all(bytes).map(|()| file));
        written.push(file.map_err(|e| (path.clone(), e))?);
    }
    for (file, (path, _)) in written.iter().zip(files).filter(|_| sync) {
        file.as_file().sync_all().map_err(|e| (path.clone(), e))?;
    }
    for (file, (path, _)) in written.into_iter().zip(files) {
        file.persist(path).map_err(|e| (path.clone(), e.error))?;
    }
    Ok(())
}

/// A temporary file beside a path; it is gone when it is dropped.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".nnc-");
    // Temporary files are for their owner alone; this one becomes an ordinary file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Whether files can be made in a folder; better known before a long run than after it.
///
/// # Errors
/// Why they cannot.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    temporary(&folder.join("file")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        write_atomic(&path, b"one").expect("written");
        write_atomic(&path, b"two").expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), b"two");
        check_writable(folder.path()).expect("writable");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_rewritten_file_keeps_its_link_and_permissions() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("f"), folder.path().join("link"));
        std::fs::write(&file, b"one").expect("written");
        let mode =
            |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
        mode(0o750);
        symlink(&file, &link).expect("linked");
        rewrite_atomic(&link, b"two").expect("written");
        assert!(link.symlink_metadata().expect("there").file_type().is_symlink());
        assert_eq!(std::fs::read(&file).expect("read"), b"two");
        assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o750);
        mode(0o440);
        assert!(rewrite_atomic(&file, b"three").is_err());
        assert!(rewrite_atomic(&folder.path().join("none"), b"").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 2);
    }

    #[test]
    fn of_several_files_none_is_renamed_before_all_are_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let (good, bad) = (folder.path().join("good"), folder.path().join("no/bad"));
        let error =
            write_all_atomic(&[(good.clone(), b"1"), (bad.clone(), b"2")], true).expect_err("no folder");
        assert_eq!(error.0, bad);
        assert!(!good.exists());
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(write_atomic(&folder.path().join("no/f"), b"").is_err());
        assert!(check_writable(&folder.path().join("no")).is_err());
    }
}
