//! Texts to objects, keeping the last good state of what cannot be read. No IO.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::Arc,
};

use portway_kubernetes::api::{self, Object, Refusal};
use portway_model::{Diagnostic, Place, Position, Severity, yaml};

use crate::stamp::Stamp;

/// What a folder says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    files: BTreeMap<String, Arc<File>>,
    /// Of the files that need not be read again while they keep theirs.
    stamps: BTreeMap<String, Stamp>,
}

/// What one file says.
#[derive(Debug, Default, PartialEq)]
struct File {
    /// Of the text; `None` when it could not be read.
    hash: Option<u64>,
    /// In the order written, then those kept of an earlier state.
    objects: Vec<Object>,
    diagnostics: Vec<Diagnostic>,
}

/// What became of reading a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// Its text.
    Read(String),
    /// It is there, but cannot be read, and why.
    Unreadable(String),
    /// It is taken to be as it was.
    Unchanged,
}

impl State {
    /// The paths of all files, sorted.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The stamp that a file had when it was read.
    pub(super) fn stamp(&self, path: &str) -> Option<Stamp> {
        self.stamps.get(path).copied()
    }

    /// The same with the stamps of its files.
    pub(super) fn stamped(self, stamps: BTreeMap<String, Stamp>) -> Self {
        Self { stamps, ..self }
    }

    /// All objects in the order of files and documents.
    pub(super) fn all(&self) -> impl Iterator<Item = &Object> {
        self.files.values().flat_map(|file| &file.objects)
    }

    /// What is wrong with files, and with objects that keep an earlier state.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.files.values().flat_map(|file| &file.diagnostics)
    }
}

/// What texts by path say; a path that is missing is a file that was deleted.
pub fn read_texts(texts: BTreeMap<String, Text>, previous: &State) -> State {
    let files = texts.into_iter().filter_map(|(path, text)| {
        let before = previous.files.get(&path);
        let file = match text {
            Text::Unchanged => Arc::clone(before?),
            Text::Unreadable(reason) => Arc::new(unreadable(&path, &reason, before)),
            Text::Read(text) => {
                let hash = hash(&text);
                match before {
                    Some(before) if before.hash == Some(hash) => Arc::clone(before),
                    _ => Arc::new(read_text(&path, &text, hash, before)),
                }
            }
        };
        Some((path, file))
    });
    State { files: files.collect(), stamps: BTreeMap::new() }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn unreadable(path: &str, reason: &str, before: Option<&Arc<File>>) -> File {
    let objects = before.map(|file| file.objects.clone()).unwrap_or_default();
    let message = format!("cannot be read: {reason}{}", kept(!objects.is_empty()));
    let diagnostics = vec![diagnostic(path, Position::default(), path_object(path), "", message)];
    File { hash: None, objects, diagnostics }
}

fn read_text(path: &str, text: &str, hash: u64, before: Option<&Arc<File>>) -> File {
    let before = before.map(|file| file.objects.as_slice()).unwrap_or_default();
    let mut file = File { hash: Some(hash), ..File::default() };
    // Whether there is a document that cannot be told: it may be any object that is no longer found.
    let mut untold = false;
    if text.trim().is_empty() && !before.is_empty() {
        // A shell empties the file that it is about to write; `kubectl apply` refuses an empty one too.
        untold = true;
        let message = "is empty; its last good state is kept until it is written or deleted";
        let object = path_object(path);
        file.diagnostics.push(diagnostic(
            path,
            Position::default(),
            object,
            "",
            message.to_owned(),
        ));
    }
    for document in documents(text) {
        let objects = match document {
            Ok(document) => api::read(&document.node, path),
            Err(error) => {
                untold = true;
                let (object, message) =
                    (path_object(path), error.message + kept(!before.is_empty()));
                file.diagnostics.push(diagnostic(path, error.at, object, "", message));
                continue;
            }
        };
        for object in objects {
            match object {
                Ok(object) => file.add(path, object, before),
                Err(Refusal { object, problem }) => {
                    untold = true;
                    let message = problem.message + kept(!before.is_empty());
                    let report = diagnostic(path, problem.at, object, &problem.field, message);
                    file.diagnostics.push(report);
                }
            }
        }
    }
    if untold {
        for object in before {
            if file.objects.iter().all(|known| known.key != object.key) {
                file.objects.push(object.clone());
            }
        }
    }
    file
}

impl File {
    /// Adds an object as written, or as it was when an API server would refuse what is written now.
    fn add(&mut self, path: &str, object: Object, before: &[Object]) {
        let good = before.iter().find(|old| old.key == object.key && !old.is_refused());
        let Some(good) = good.filter(|_| object.is_refused()) else {
            self.objects.push(object);
            return;
        };
        for problem in object.all_problems().filter(|problem| problem.severity == Severity::Error) {
            let message = problem.message.clone() + kept(true);
            let name = object.key.to_string();
            self.diagnostics.push(diagnostic(path, problem.at, name, &problem.field, message));
        }
        self.objects.push(good.clone());
    }
}

fn kept(anything: bool) -> &'static str {
    if anything { "; the last good state is kept" } else { "" }
}

fn path_object(path: &str) -> String {
    format!("file {path}")
}

fn diagnostic(
    path: &str,
    at: Position,
    object: String,
    field: &str,
    message: String,
) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        object,
        field: field.to_owned(),
        message,
        place: Some(Place { file: path.into(), line: at.line }),
    }
}

/// The documents of a text. A fault in one of them costs only that one: no other thing in YAML than the
/// mark between two documents begins a line with `---`.
fn documents(text: &str) -> Vec<Result<yaml::Document, yaml::SyntaxError>> {
    if let Ok(documents) = yaml::parse(text) {
        return documents.into_iter().map(Ok).collect();
    }
    let mut documents = Vec::new();
    for (line, part) in parts(text) {
        // Empty lines before it keep the part's line numbers those of the file.
        match yaml::parse(&("\n".repeat(line) + part)) {
            Ok(found) => documents.extend(found.into_iter().map(Ok)),
            Err(error) => documents.push(Err(error)),
        }
    }
    documents
}

/// The parts of a text between lines that begin with `---`, with the number of lines before each.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let (mut parts, mut from, mut from_line, mut at) = (Vec::new(), 0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let rest = line.strip_prefix("---");
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            parts.push((from_line, text.get(from..at).unwrap_or_default()));
            (from, from_line) = (at, number);
        }
        at += line.len();
    }
    parts.push((from_line, text.get(from..).unwrap_or_default()));
    parts
}
