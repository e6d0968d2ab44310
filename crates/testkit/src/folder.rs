//! A temporary folder that disappears with its owner.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder under the system's temporary directory, removed on drop (kept when `KEEP_FOLDERS` is
/// set).
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes an empty folder whose name holds `purpose`, the process id and a counter.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "portway-{purpose}-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary folder");
        Self { path }
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file by rename, so that a watcher never sees half of it, and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("a folder inside a temporary folder");
        }
        let draft = path.with_extension("draft");
        fs::write(&draft, content).expect("a file in a temporary folder");
        fs::rename(&draft, &path).expect("a rename in a temporary folder");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os("KEEP_FOLDERS").is_none() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
