//! The file provider: Traefik's own format in one file or a directory.
//!
//! A file that cannot be read or parsed keeps its last good state and is reported; its neighbours are used. In
//! Traefik one such file voids the whole directory.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use portway_model::{
    Diagnostic, Entry, Place, Severity,
    dynamic::{self, Config},
    static_config::FileProvider,
    toml, yaml,
    yaml::SyntaxError,
};

use crate::{
    Reading, Source,
    material::{Materials, read_file},
};

mod template;

/// Bytes of one file, at most.
const MAX_FILE: u64 = 16 << 20;
/// Directories inside one another, at most: a link may lead back to where it stands.
const MAX_DEPTH: usize = 32;

/// The source: a file or a directory, and what was last read of each file.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    is_directory: bool,
    files: BTreeMap<PathBuf, File>,
    materials: Materials,
}

/// What was last read of a file.
#[derive(Debug, Default)]
struct File {
    /// The text that `config` was made of, after templates.
    text: String,
    /// The last good state.
    config: Option<Config>,
    /// Why the file as it is now is not used.
    fault: Option<Diagnostic>,
}

impl Files {
    /// A source that has read nothing yet; a directory counts over a file.
    pub fn new(provider: &FileProvider) -> Self {
        let is_directory = !provider.directory.is_empty();
        let root = if is_directory { &provider.directory } else { &provider.filename };
        let (files, materials) = (BTreeMap::new(), Materials::default());
        Self { root: PathBuf::from(root), is_directory, files, materials }
    }

    fn merge(&self, diagnostics: Vec<Diagnostic>) -> Config {
        let mut whole = Config { diagnostics, ..Config::default() };
        for file in self.files.values() {
            whole.diagnostics.extend(file.fault.clone());
            let Some(config) = file.config.clone() else { continue };
            let seen = &mut whole.diagnostics;
            let (http, tls) = (config.http, config.tls);
            join("router", &mut whole.http.routers, http.routers, seen);
            join("service", &mut whole.http.services, http.services, seen);
            join("middleware", &mut whole.http.middlewares, http.middlewares, seen);
            let transports = &mut whole.http.servers_transports;
            join("serversTransport", transports, http.servers_transports, seen);
            join("TLS options", &mut whole.tls.options, tls.options, seen);
            join("TLS store", &mut whole.tls.stores, tls.stores, seen);
            whole.tls.certificates.extend(tls.certificates);
            seen.extend(config.diagnostics);
        }
        whole
    }

    /// Reads every file again. Files that are gone are forgotten where the directory could be read.
    fn refresh(&mut self) -> Vec<Diagnostic> {
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
            let is_directory = self.is_directory;
            let file = self.files.entry(path.clone()).or_default();
            match read_file(&path, MAX_FILE) {
                Ok(bytes) => file.update(&path, bytes),
                // It went between the listing and the reading.
                Err(error)
                    if is_directory
                        && error.kind() == std::io::ErrorKind::NotFound
                        && !path.is_symlink() =>
                {
                    self.files.remove(&path);
                }
                Err(error) => {
                    file.fault = Some(fault(&path, 0, format!("cannot be read: {error}")))
                }
            }
        }
        let faults = faults.into_iter().map(|(path, reason)| Diagnostic {
            object: format!("directory {}", path.display()),
            place: None,
            ..fault(&path, 0, reason)
        });
        faults.collect()
    }
}

impl Source for Files {
    fn provider(&self) -> &'static str {
        "file"
    }

    fn read(&mut self) -> Reading {
        let faults = self.refresh();
        let mut config = self.merge(faults);
        let mut paths = self.materials.fill(&mut config);
        paths.extend(self.files.keys().cloned());
        if self.is_directory {
            paths.extend(crate::tree(&self.root));
        } else {
            paths.insert(self.root.clone());
        }
        Reading { config, paths }
    }
}

impl File {
    /// Parses the text when it is another; keeps the last good state when it cannot be parsed.
    fn update(&mut self, path: &Path, bytes: Vec<u8>) {
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let place = error.utf8_error().valid_up_to();
                self.fault = Some(fault(path, 0, format!("is no UTF-8 at byte {place}")));
                return;
            }
        };
        let variable = |name: &str| env::var(name).unwrap_or_default();
        let filled = match template::fill(&text, variable) {
            Ok(filled) => filled,
            Err(error) => {
                self.fault = Some(fault(path, error.at.line, error.message));
                return;
            }
        };
        if self.config.is_some() && self.text == filled {
            self.fault = None;
            return;
        }
        match parse(path, &filled) {
            // A section that cannot be read would take its routers away, and with them what they guard.
            Ok(config) if self.config.is_some() && config.diagnostics.iter().any(is_error) => {
                let mut first = config.diagnostics.into_iter().find(is_error);
                if let Some(fault) = &mut first {
                    fault.message.push_str("; the file's last good state is used");
                }
                self.fault = first;
            }
            Ok(config) => *self = Self { text: filled, config: Some(config), fault: None },
            Err(error) => {
                let kept = if self.config.is_some() { "; its last good state is used" } else { "" };
                let message = format!("cannot be parsed: {}{kept}", error.message);
                self.fault = Some(fault(path, error.at.line, message));
            }
        }
    }
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

fn parse(path: &Path, text: &str) -> Result<Config, SyntaxError> {
    let name = path.display().to_string();
    if ending(path) == "toml" {
        return Ok(dynamic::decode::config(&toml::parse(text)?, &name));
    }
    let mut documents = yaml::parse(text)?.into_iter();
    let Some(first) = documents.next() else { return Ok(Config::default()) };
    let mut config = dynamic::decode::config(&first.node, &name);
    if let Some(second) = documents.next() {
        // As in Traefik, but not in silence.
        let message = "has a second document, which has no effect".to_owned();
        let place = Some(Place { file: name.clone(), line: second.line });
        config.diagnostics.push(Diagnostic {
            severity: Severity::Warning,
            object: format!("file {name}"),
            field: String::new(),
            message,
            place,
        });
    }
    Ok(config)
}

/// The files of a directory and its directories, and the directories that cannot be read. Names with `..` in front
/// are those that mounted ConfigMaps keep their own things under, names with `.#` are editors' locks.
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
        let name = path.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
        if name.starts_with(b"..") || name.starts_with(b".#") {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                list(&path, depth + 1, found, faults);
            }
        } else if ["yml", "yaml", "toml"].contains(&ending(&path).as_str()) {
            found.insert(path);
        }
    }
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Adds objects whose names are new; the first file in order counts, as in Traefik.
fn join<T>(
    kind: &str,
    whole: &mut BTreeMap<String, Entry<T>>,
    more: BTreeMap<String, Entry<T>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for (name, entry) in more {
        let Some(first) = whole.get(&name) else {
            whole.insert(name, entry);
            continue;
        };
        let place = first.place.as_ref().map(Place::to_string).unwrap_or_default();
        diagnostics.push(Diagnostic {
            severity: Severity::Warning,
            object: format!("{kind} {name}"),
            field: String::new(),
            message: format!("stands in {place} already, which counts; this one has no effect"),
            place: entry.place,
        });
    }
}

fn fault(path: &Path, line: u32, message: String) -> Diagnostic {
    let file = path.display().to_string();
    Diagnostic {
        severity: Severity::Error,
        object: format!("file {file}"),
        field: String::new(),
        message,
        place: Some(Place { file, line }),
    }
}

#[cfg(test)]
mod tests;
