//! The file provider: Traefik's own format in one file or a directory.
//!
//! A file that cannot be read or parsed keeps its last good state and is reported; its neighbours are used. In
//! Traefik one such file voids the whole directory. What a change costs is the reading of the files that changed:
//! what the others say is kept and shared.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use portway_model::{Diagnostic, Place, Severity, dynamic::Config, static_config::FileProvider};

use crate::{Reading, Said, Source, material::Materials};

mod merge;
mod parsed;
mod template;

use merge::Whole;
use parsed::File;

/// The provider's name.
const PROVIDER: &str = "file";

/// Directories inside one another, at most: a link may lead back to where it stands.
const MAX_DEPTH: usize = 32;

/// The source: a file or a directory, and what was last read of each file.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    is_directory: bool,
    files: BTreeMap<PathBuf, File>,
    /// What is wrong with directories.
    faults: Vec<Diagnostic>,
    whole: Whole,
    materials: Materials,
    /// What was last said, for the next to share.
    last: Config,
}

impl Files {
    /// A source that has read nothing yet; a directory counts over a file.
    pub fn new(provider: &FileProvider) -> Self {
        let is_directory = !provider.directory.is_empty();
        let root = if is_directory { &provider.directory } else { &provider.filename };
        Self {
            root: PathBuf::from(root),
            is_directory,
            files: BTreeMap::new(),
            faults: Vec::new(),
            whole: Whole::default(),
            materials: Materials::default(),
            last: Config::default(),
        }
    }

    /// Reads every file that is not as it was. Files that are gone are forgotten where the directory could be read.
    fn refresh(&mut self) {
        let mut found = BTreeSet::new();
        let mut faults = Vec::new();
        if self.is_directory {
            list(&self.root, 0, &mut found, &mut faults);
        } else {
            found.insert(self.root.clone());
        }
        let lost: Vec<PathBuf> = faults.iter().map(|(directory, _)| directory.clone()).collect();
        self.files.retain(|path, _| {
            found.contains(path) || lost.iter().any(|directory| path.starts_with(directory))
        });
        for path in found {
            self.refresh_file(path);
        }
        let faults = faults.into_iter().map(|(path, reason)| Diagnostic {
            object: format!("directory {}", path.display()),
            place: None,
            ..fault(&path, 0, reason)
        });
        self.faults = faults.collect();
    }

    /// Reads a file again if it is not as it was.
    fn refresh_file(&mut self, path: PathBuf) {
        let file = self.files.entry(path.clone()).or_default();
        let Err(error) = file.refresh(&path) else { return };
        if self.is_directory && error.kind() == io::ErrorKind::NotFound && !path.is_symlink() {
            // It went between the listing and the reading.
            self.files.remove(&path);
        } else {
            file.fault = Some(fault(&path, 0, format!("cannot be read: {error}")));
        }
    }

    /// The path under which an absolute path is known here; `None` for what is no file of this source.
    fn known_as(&self, absolute: &Path) -> Option<PathBuf> {
        let root = std::path::absolute(&self.root).ok()?;
        if !self.is_directory {
            return (root == absolute).then(|| self.root.clone());
        }
        let below = absolute.strip_prefix(root).ok()?;
        let plain = below.iter().all(|name| !is_hidden(name));
        (plain && is_configuration(absolute)).then(|| self.root.join(below))
    }

    /// What all files say, with what they only name filled in, and the paths of that.
    fn say(&mut self) -> (Config, BTreeSet<PathBuf>) {
        let mut config = self.whole.config(&self.files, &self.faults);
        let named = self.materials.fill(&mut config);
        // What is filled in is another object each time; all else is shared already.
        config.http.middlewares.share(&self.last.http.middlewares);
        config.http.servers_transports.share(&self.last.http.servers_transports);
        self.last = config.clone();
        (config, named)
    }
}

impl Source for Files {
    fn providers(&self) -> &'static [&'static str] {
        &[PROVIDER]
    }

    fn read(&mut self) -> Reading {
        self.refresh();
        self.whole = Whole::merge(&self.files, &self.whole);
        let (config, mut paths) = self.say();
        paths.extend(self.files.keys().cloned());
        if self.is_directory {
            paths.extend(crate::tree(&self.root));
        } else {
            paths.insert(self.root.clone());
        }
        Reading { said: Said::from([(PROVIDER, config)]), paths }
    }

    fn reread(&mut self, files: &BTreeSet<PathBuf>) -> Option<Said> {
        for absolute in files {
            let path = self.known_as(absolute)?;
            let before = self.files.get(&path).map(|file| file.config.clone()).unwrap_or_default();
            self.refresh_file(path.clone());
            let now = self.files.get(&path).and_then(|file| file.config.as_ref());
            if !self.whole.replace(&before.unwrap_or_default(), now.unwrap_or(&Config::default())) {
                return None;
            }
        }
        let named_before = self.materials.paths();
        let (config, named) = self.say();
        // What is named for the first time is not watched yet.
        (named == named_before).then(|| Said::from([(PROVIDER, config)]))
    }
}

/// The files of a directory and its directories, and the directories that cannot be read.
fn list(
    directory: &Path,
    depth: usize,
    found: &mut BTreeSet<PathBuf>,
    faults: &mut Vec<(PathBuf, String)>,
) {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push((directory.to_path_buf(), format!("cannot be read: {error}")));
            return;
        }
    };
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => {
                faults.push((directory.to_path_buf(), format!("cannot be read: {error}")));
                return;
            }
        };
        if path.file_name().is_some_and(is_hidden) {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                list(&path, depth + 1, found, faults);
            }
        } else if is_configuration(&path) {
            found.insert(path);
        }
    }
}

/// Names with `..` in front are those that mounted ConfigMaps keep their own things under, names with `.#` are
/// editors' locks.
fn is_hidden(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"..") || name.starts_with(b".#")
}

fn is_configuration(path: &Path) -> bool {
    ["yml", "yaml", "toml"].contains(&ending(path).as_str())
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn fault(path: &Path, line: u32, message: String) -> Diagnostic {
    let file = path.display().to_string();
    Diagnostic {
        severity: Severity::Error,
        object: format!("file {file}"),
        field: String::new(),
        message,
        place: Some(Place { file: file.into(), line }),
    }
}

#[cfg(test)]
mod tests;
