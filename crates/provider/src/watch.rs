//! Says when files or directories may have changed.
//!
//! The directories around each path are watched rather than the paths, so that a file replaced by a rename, a
//! ConfigMap whose `..data` link is swapped, and a directory that is deleted and made again are all seen. Where
//! the system's notices do not arrive (network file systems, a limit on watches), a slow look at times and sizes
//! finds the change.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use tokio::{sync::Notify, time};

use crate::stamp::Stamp;

/// How long it must be quiet before a change counts: an editor writes more than once.
const QUIET: Duration = Duration::from_millis(40);
/// How long a change waits at most for quiet.
const LONGEST: Duration = Duration::from_millis(100);
/// How often times and sizes are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// The same where the system gives no notices.
const LOOK_ALONE: Duration = Duration::from_millis(500);
/// A look at very many files is made seldom enough to take one part of the time in so many.
const IDLE_PART: u32 = 200;
/// Files that are told one by one, at most.
const MAX_HEARD: usize = 1000;
/// Links followed in one path, and directories inside one another, at most.
const MAX_DEPTH: usize = 32;
/// Paths that [`tree`] lists, at most.
const MAX_PATHS: usize = 100_000;

/// Watches a changing set of paths.
#[derive(Debug)]
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    shared: Arc<Shared>,
    /// Watched directories, each with what tells it from a later one of the same name.
    directories: BTreeMap<PathBuf, (u64, u64)>,
    look: Duration,
    /// How long the last look took.
    effort: Duration,
    seen: BTreeMap<PathBuf, Option<Stamp>>,
}

/// What may have changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heard {
    /// These plain files, some of which may be new or gone; links and directories are as they were.
    Files(BTreeSet<PathBuf>),
    /// Anything.
    Everything,
}

/// What the watcher's thread and the task share.
#[derive(Debug, Default)]
struct Shared {
    followed: Mutex<Followed>,
    changed: Notify,
}

/// Every path whose change matters: those asked for, the links on their way, and where they end.
#[derive(Debug, Default)]
struct Followed {
    paths: BTreeSet<PathBuf>,
    directories: BTreeSet<PathBuf>,
    /// Those of the paths that are plain files and that no link leads to: what happens to one concerns it alone.
    plain: BTreeSet<PathBuf>,
    /// Plain files that something was heard of.
    heard: BTreeSet<PathBuf>,
    /// Whether something was heard that may concern more than plain files.
    everything: bool,
}

impl Followed {
    /// Keeps what was heard of a path.
    fn hear(&mut self, path: &Path) {
        let is_new = || {
            let parent = path.parent();
            !self.paths.contains(path) && parent.is_some_and(|p| self.directories.contains(p))
        };
        if self.heard.len() < MAX_HEARD && (self.plain.contains(path) || is_new()) {
            self.heard.insert(path.to_path_buf());
        } else {
            self.everything = true;
        }
    }

    /// Hands out what was heard.
    fn take(&mut self) -> Heard {
        let mut heard = std::mem::take(&mut self.heard);
        let mut everything = std::mem::take(&mut self.everything);
        heard.retain(|path| match fs::symlink_metadata(path) {
            Ok(metadata) => {
                everything |= !metadata.is_file();
                true
            }
            // What came and went concerns nobody.
            Err(_) => self.paths.contains(path),
        });
        if everything { Heard::Everything } else { Heard::Files(heard) }
    }

    fn concerns(&self, path: &Path) -> bool {
        self.paths.contains(path)
            || path.parent().is_some_and(|parent| self.directories.contains(parent))
            // A directory above a path: the next path in order begins with it.
            || self.paths.range(path.to_path_buf()..).next().is_some_and(|p| p.starts_with(path))
    }
}

impl Watch {
    /// Watches nothing yet. Without the system's notices it looks twice a second.
    pub fn new() -> Self {
        let shared = Arc::new(Shared::default());
        let heard = Arc::clone(&shared);
        let watcher = notify::recommended_watcher(move |event| heard.hear(event));
        let watcher = match watcher {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(
                    "files are looked at twice a second, as they cannot be watched: {error}"
                );
                None
            }
        };
        let look = if watcher.is_some() { LOOK } else { LOOK_ALONE };
        Self {
            watcher,
            shared,
            directories: BTreeMap::new(),
            look,
            effort: Duration::ZERO,
            seen: BTreeMap::new(),
        }
    }

    /// Watches these paths instead of those before. Whether something is watched that was not: it may have
    /// changed before it was, so it must be read once more.
    pub fn follow(&mut self, paths: &BTreeSet<PathBuf>) -> bool {
        let mut followed = Followed::default();
        let mut linked = BTreeSet::new();
        for path in paths {
            let way = way(path);
            if way.len() > 1 {
                linked.extend(way.iter().cloned());
            }
            followed.paths.extend(way);
        }
        for path in &followed.paths {
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => followed.directories.insert(path.clone()),
                Ok(_) if !linked.contains(path) => followed.plain.insert(path.clone()),
                _ => false,
            };
        }
        let parents = followed.paths.iter().filter_map(|path| existing(path.parent()?));
        let wanted: BTreeSet<PathBuf> =
            parents.chain(followed.directories.iter().cloned()).collect();
        self.seen = followed.paths.iter().map(|path| (path.clone(), Stamp::of(path))).collect();
        let mut known = self.shared.followed.lock().unwrap_or_else(PoisonError::into_inner);
        // What was heard meanwhile is still to be handed out.
        followed.everything = known.everything || !known.heard.is_empty();
        *known = followed;
        drop(known);
        self.arm(&wanted)
    }

    /// Follows plain files that [`Watch::changed`] has named: those that are new too, those that are gone no more.
    pub fn follow_files(&mut self, files: &BTreeSet<PathBuf>) {
        let mut followed = self.shared.followed.lock().unwrap_or_else(PoisonError::into_inner);
        for path in files {
            match Stamp::of(path) {
                Some(stamp) => {
                    followed.paths.insert(path.clone());
                    followed.plain.insert(path.clone());
                    self.seen.insert(path.clone(), Some(stamp));
                }
                None => {
                    followed.paths.remove(path);
                    followed.plain.remove(path);
                    self.seen.remove(path);
                }
            }
        }
    }

    fn arm(&mut self, wanted: &BTreeSet<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let identities = wanted.iter().filter_map(|path| Some((path, identity(path)?)));
        let identities: BTreeMap<&PathBuf, (u64, u64)> = identities.collect();
        self.directories.retain(|path, known| {
            let stays = identities.get(path) == Some(known);
            if !stays {
                // A directory that is gone is not watched any more, which is no fault.
                let _gone = watcher.unwatch(path);
            }
            stays
        });
        let mut armed = false;
        for (path, identity) in identities {
            if self.directories.contains_key(path) {
                continue;
            }
            match watcher.watch(path, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.directories.insert(path.clone(), identity);
                    armed = true;
                }
                Err(error) => {
                    if self.look != LOOK_ALONE {
                        tracing::warn!("{} cannot be watched: {error}", path.display());
                    }
                    self.look = LOOK_ALONE;
                }
            }
        }
        armed
    }

    /// Says what may have changed when it has been quiet for a moment, at most 100 ms after the change was
    /// noticed. May be dropped and called again without losing a change.
    pub async fn changed(&mut self) -> Heard {
        loop {
            let look = self.look.max(self.effort * IDLE_PART);
            match time::timeout(look, self.shared.changed.notified()).await {
                Ok(()) => break,
                Err(_) if self.looks_different() => return Heard::Everything,
                Err(_) => {}
            }
        }
        let latest = time::Instant::now() + LONGEST;
        loop {
            let quiet = (time::Instant::now() + QUIET).min(latest);
            match time::timeout_at(quiet, self.shared.changed.notified()).await {
                Ok(()) if time::Instant::now() < latest => {}
                _ => break,
            }
        }
        self.shared.followed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn looks_different(&mut self) -> bool {
        let mut different = false;
        let begun = time::Instant::now();
        for (path, seen) in &mut self.seen {
            let now = Stamp::of(path);
            if *seen != now {
                *seen = now;
                different = true;
            }
        }
        self.effort = begun.elapsed();
        different
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    /// Hears of an event on the watcher's thread.
    fn hear(&self, event: notify::Result<notify::Event>) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let paths = match event {
            Ok(event) => {
                let read = matches!(event.kind, EventKind::Access(kind)
                    if kind != AccessKind::Close(AccessMode::Write));
                let lost = event.paths.is_empty() || event.need_rescan();
                let concern = event.paths.into_iter().filter(|path| followed.concerns(path));
                let paths: Vec<PathBuf> = concern.collect();
                if read || (paths.is_empty() && !lost) {
                    return;
                }
                // Without a path, events were lost and everything may have changed.
                followed.everything |= lost;
                paths
            }
            Err(error) => {
                tracing::debug!("watching files: {error}");
                followed.everything = true;
                Vec::new()
            }
        };
        paths.iter().for_each(|path| followed.hear(path));
        drop(followed);
        self.changed.notify_one();
    }
}

/// A directory with all files and directories in it, links followed.
pub fn tree(root: &Path) -> BTreeSet<PathBuf> {
    let mut paths = BTreeSet::from([root.to_path_buf()]);
    let mut open = vec![(root.to_path_buf(), 0)];
    while let Some((directory, depth)) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if paths.len() >= MAX_PATHS {
                return paths;
            }
            if path.is_dir() && depth < MAX_DEPTH {
                open.push((path.clone(), depth + 1));
            }
            paths.insert(path);
        }
    }
    paths
}

/// The path made absolute, the links on its way, and where it ends.
fn way(path: &Path) -> BTreeSet<PathBuf> {
    let mut way = BTreeSet::new();
    let Ok(absolute) = std::path::absolute(path) else { return way };
    let mut left: VecDeque<OsString> = parts(&absolute);
    let mut current = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        if part == ".." {
            current.pop();
            continue;
        }
        let next = current.join(&part);
        match fs::read_link(&next) {
            Ok(target) if links < MAX_DEPTH => {
                links += 1;
                if target.is_absolute() {
                    current = PathBuf::from("/");
                }
                for part in parts(&target).into_iter().rev() {
                    left.push_front(part);
                }
                way.insert(next);
            }
            _ => current = next,
        }
    }
    way.insert(current);
    way.insert(absolute);
    way
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    parts.collect()
}

/// The path, or the nearest directory above it that exists.
fn existing(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|path| path.is_dir()).map(Path::to_path_buf)
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests;
