//! Adding and removing prefixes of the path with Traefik's care for encoded paths.

use super::{Target, clean, escape};

/// What stripping a prefix did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stripped {
    /// The path does not begin with the prefix; nothing changed.
    NoMatch,
    /// The prefix is gone.
    Done,
    /// What is left would mean another path after cleaning; Traefik answers 400.
    Ambiguous,
}

impl Target {
    /// Removes a decoded prefix from the path (Traefik: `stripPrefix`).
    ///
    /// The rest gets a leading slash unless it is empty; with `force_slash` always.
    pub fn strip_prefix(&mut self, prefix: &[u8], force_slash: bool) -> Stripped {
        if self.path.starts_with(prefix) {
            self.strip_length(prefix.len(), force_slash)
        } else {
            Stripped::NoMatch
        }
    }

    /// As [`Target::strip_prefix`], for the first bytes of the decoded path.
    pub fn strip_length(&mut self, length: usize, force_slash: bool) -> Stripped {
        let raw_length = encoded_length(&self.raw_path, length);
        cut(&mut self.path, length, force_slash);
        if !self.raw_path.is_empty() {
            cut(&mut self.raw_path, raw_length, force_slash);
        }
        self.query_as_sent.clear();
        self.refresh();
        if self.settle() { Stripped::Done } else { Stripped::Ambiguous }
    }

    /// Cleans a path that was changed, unless it is empty; says whether it still means the same, without which
    /// Traefik refuses the request.
    #[must_use]
    pub fn settle(&mut self) -> bool {
        if self.path.is_empty() {
            return true;
        }
        if clean::is_clean(self.escaped.as_bytes()) {
            self.clean();
            return true;
        }
        let before = self.path.clone();
        self.clean();
        self.path == before
    }

    /// Puts a prefix before the path, which afterwards begins with a slash (Traefik:
    /// `addPrefix`).
    pub fn add_prefix(&mut self, prefix: &[u8]) {
        put_before(&mut self.path, prefix);
        if !self.raw_path.is_empty() {
            put_before(&mut self.raw_path, prefix);
        }
        self.query_as_sent.clear();
        self.refresh();
    }

    /// Puts the path of a server's URL before the path, with one slash between them (Traefik:
    /// `preservePath`; Go's `JoinURLPath`). `base` is percent-encoded as in a URL.
    pub fn join_base(&mut self, base: &str) {
        let encoded = join(base.as_bytes(), self.escaped_path().as_bytes());
        let mut decoded = Vec::with_capacity(encoded.len());
        if escape::unescape(&encoded, &mut decoded) {
            self.set_path(&decoded, Some(&encoded));
        }
    }
}

/// `a` and `b` with exactly one slash between them.
fn join(a: &[u8], b: &[u8]) -> Vec<u8> {
    match (a.ends_with(b"/"), b.strip_prefix(b"/")) {
        (true, Some(rest)) => [a, rest].concat(),
        (false, None) => [a, b"/", b].concat(),
        _ => [a, b].concat(),
    }
}

/// How many bytes of an encoded path stand for the first `decoded` bytes of the path.
fn encoded_length(raw: &[u8], decoded: usize) -> usize {
    let mut position = 0;
    for _ in 0..decoded {
        match raw.get(position) {
            None => break,
            Some(b'%') if position + 2 < raw.len() => position += 3,
            Some(_) => position += 1,
        }
    }
    position
}

/// Removes the start of a path; the rest begins with a slash unless it is empty and no slash is
/// forced.
fn cut(path: &mut Vec<u8>, length: usize, force_slash: bool) {
    path.drain(..length.min(path.len()));
    if path.is_empty() && !force_slash {
        return;
    }
    if path.first() != Some(&b'/') {
        path.insert(0, b'/');
    }
}

fn put_before(path: &mut Vec<u8>, prefix: &[u8]) {
    path.splice(..0, prefix.iter().copied());
    if path.first().is_some_and(|&first| first != b'/') {
        path.insert(0, b'/');
    }
}
