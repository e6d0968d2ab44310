//! One file: its text to its part of the configuration.

use std::{
    env,
    hash::{BuildHasher, RandomState},
    io,
    path::Path,
    sync::LazyLock,
};

use portway_model::{
    Diagnostic, Place, Severity,
    dynamic::{self, Config},
    toml, yaml,
    yaml::SyntaxError,
};

use super::{ending, fault, template};
use crate::{material::read_file, stamp::Stamp};

/// Bytes of one file, at most.
const MAX_FILE: u64 = 64 << 20;

/// What was last read of a file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Of the file as it was read; none where it must be read again whatever it is.
    stamp: Option<Stamp>,
    /// Of the text that `config` was made of, after templates.
    text: Option<(u64, usize)>,
    /// The last good state.
    pub(super) config: Option<Config>,
    /// Why the file as it is now is not used.
    pub(super) fault: Option<Diagnostic>,
}

impl File {
    /// Reads the file where it is not as it was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn refresh(&mut self, path: &Path) -> io::Result<()> {
        if self.stamp.is_some() && self.stamp == Stamp::of(path) {
            return Ok(());
        }
        self.stamp = None;
        let (bytes, stamp) = read_file(path, MAX_FILE)?;
        self.update(path, bytes);
        self.stamp = stamp;
        Ok(())
    }

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
        drop(text);
        let known = Some((hash(&filled), filled.len()));
        if self.config.is_some() && self.text == known {
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
            Ok(mut config) => {
                if let Some(before) = &self.config {
                    config.http.share(&before.http);
                }
                *self = Self { stamp: None, text: known, config: Some(config), fault: None };
            }
            Err(error) => {
                let kept = if self.config.is_some() { "; its last good state is used" } else { "" };
                let message = format!("cannot be parsed: {}{kept}", error.message);
                self.fault = Some(fault(path, error.at.line, message));
            }
        }
    }
}

/// Tells texts apart, under a key of this process alone.
fn hash(text: &str) -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEY.hash_one(text)
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

fn parse(path: &Path, text: &str) -> Result<Config, SyntaxError> {
    let name = path.display().to_string();
    if ending(path) == "toml" {
        let mut node = toml::parse(text)?;
        node.trim_items();
        return Ok(dynamic::decode::config(&node, &name));
    }
    let mut documents = yaml::parse(text)?.into_iter();
    let Some(mut first) = documents.next() else { return Ok(Config::default()) };
    first.node.trim_items();
    let mut config = dynamic::decode::config(&first.node, &name);
    if let Some(second) = documents.next() {
        // As in Traefik, but not in silence.
        let message = "has a second document, which has no effect".to_owned();
        let place = Some(Place { file: name.as_str().into(), line: second.line });
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
