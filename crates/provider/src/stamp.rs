//! What changes when a file does.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

/// What changes when a file does. A file whose stamp is the same says the same: besides the time of writing,
/// which programs may set, it holds the time of the last change, which they may not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
    size: u64,
    identity: (u64, u64),
}

impl Stamp {
    /// The stamp of what is at a path now, links followed; `None` where nothing is.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::from)
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            size: metadata.size(),
            identity: (metadata.dev(), metadata.ino()),
        }
    }
}
