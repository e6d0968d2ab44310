//! What is wrong with what the user wrote, and where.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use serde::Serialize;

use crate::Position;

/// How much a problem costs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The object works; something in it has no effect.
    Warning,
    /// The object is disabled; what refers to it is closed.
    Error,
}

/// What a problem is about, for those who report it by kinds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// What is written cannot be used.
    #[default]
    Value,
    /// What is named does not exist, or may not be used here.
    Reference,
    /// Something else has the same name or says otherwise.
    Conflict,
    /// This version does not serve it.
    Unserved,
}

/// One thing wrong inside one object.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Problem {
    /// What it costs.
    pub severity: Severity,
    /// The field's path inside the object, such as `basicAuth.users[1]`; empty for the whole object.
    pub field: String,
    /// The reason, with the nearest valid name where there is one.
    pub message: String,
    /// Where it was written.
    #[serde(skip)]
    pub at: Position,
    /// What it is about.
    #[serde(skip)]
    pub cause: Cause,
}

impl Problem {
    /// A problem that disables its object.
    pub fn error(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            field: field.into(),
            message: message.into(),
            at: Position::default(),
            cause: Cause::default(),
        }
    }

    /// A problem that its object survives.
    pub fn warning(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(field, message) }
    }

    /// Whether it disables its object.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The errors of `problems` in one line.
    pub fn errors(problems: &[Self]) -> String {
        let errors = problems.iter().filter(|problem| problem.is_error());
        errors.map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    /// The same problem, about something.
    #[must_use]
    pub fn about(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// The same problem, at a place.
    #[must_use]
    pub fn at(self, at: Position) -> Self {
        Self { at, ..self }
    }
}

impl Hash for Problem {
    /// Without its place: the same problem may stand on another line.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.severity, &self.field, &self.message).hash(state);
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// A file and a line in it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Place {
    /// The file's path as configured.
    pub file: Arc<str>,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// One object of a configuration: what it says, what is wrong with it, where it came from.
///
/// An object with a problem of [`Severity::Error`] is kept, so that it can be shown and so that a router
/// keeps its claim; it is disabled and closes what refers to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry<T> {
    /// What could be read of the object. Shared with what is shown of it.
    pub spec: Arc<T>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Whether it loses ties whatever its age: it is of an API group that another has replaced.
    pub yields: bool,
    /// When the object was created (RFC 3339 in UTC), where the source knows; older wins a tie.
    pub created: Option<String>,
    /// Where it was written, where the source is a file.
    pub place: Option<Place>,
}

impl<T: Hash> Hash for Entry<T> {
    /// Without its place, which decides nothing.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.spec, self.yields, &self.created, &self.problems).hash(state);
    }
}

impl<T> Entry<T> {
    /// An object without problems.
    pub fn new(spec: T) -> Self {
        let spec = Arc::new(spec);
        Self { spec, problems: Vec::new(), yields: false, created: None, place: None }
    }

    /// The same object with its problems.
    #[must_use]
    pub fn with(self, problems: Vec<Problem>) -> Self {
        Self { problems, ..self }
    }

    /// What could be read of the object, to be edited; others who share it keep theirs.
    pub fn spec_mut(&mut self) -> &mut T
    where
        T: Clone,
    {
        Arc::make_mut(&mut self.spec)
    }

    /// The first problem that disables the object.
    pub fn first_error(&self) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.is_error())
    }

    /// Whether a problem disables the object.
    pub fn is_disabled(&self) -> bool {
        self.first_error().is_some()
    }
}

/// A problem that belongs to a source rather than to one object of the dynamic configuration:
/// a file that cannot be parsed, a Kubernetes object that yields nothing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Diagnostic {
    /// What it costs.
    pub severity: Severity,
    /// The object in the user's words, such as `IngressRoute default/web` or `file dynamic.yaml`.
    pub object: String,
    /// The field's path inside the object; empty for the whole.
    pub field: String,
    /// The reason.
    pub message: String,
    /// Where it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        if !self.field.is_empty() {
            write!(f, ", {}", self.field)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}
