//! Adding and removing prefixes of the path with Traefik's care for encoded paths.

use super::{Target, escape};

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
        let Some(rest) = self.path.strip_prefix(prefix) else { return Stripped::NoMatch };
        let path = with_leading_slash(rest, force_slash);
        let raw = (!self.raw_path.is_empty()).then(|| {
            let rest = self.raw_path.get(encoded_length(&self.raw_path, prefix.len())..);
            with_leading_slash(rest.unwrap_or_default(), force_slash)
        });
        self.set_path(&path, raw.as_deref());
        if path.is_empty() {
            return Stripped::Done;
        }
        self.clean();
        if self.path == path { Stripped::Done } else { Stripped::Ambiguous }
    }

    /// Puts a prefix before the path, which afterwards begins with a slash (Traefik:
    /// `addPrefix`).
    pub fn add_prefix(&mut self, prefix: &[u8]) {
        let path = with_leading_slash(&[prefix, &self.path].concat(), false);
        let raw = (!self.raw_path.is_empty())
            .then(|| with_leading_slash(&[prefix, &self.raw_path].concat(), false));
        self.set_path(&path, raw.as_deref());
        // Traefik sends the request URI, which is parsed again before it leaves.
        debug_assert!(escape::is_valid_encoding(self.escaped_path().as_bytes()));
    }
}

impl Target {
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

fn with_leading_slash(path: &[u8], force: bool) -> Vec<u8> {
    match path.first() {
        None if !force => Vec::new(),
        Some(b'/') => path.to_vec(),
        _ => [b"/", path].concat(),
    }
}
