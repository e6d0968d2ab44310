//! The request target: path and query with the meaning that Go's `net/url` gives them, cleaned
//! the way Traefik's entry points clean them.
//!
//! A path exists in three forms. The *decoded* path is what prefixes are compared with and
//! stripped from; the *raw* path is the encoding that came, where it is not the default one; the
//! *escaped* path follows from both and is what routers match (after decoding what is not
//! reserved) and what the server receives.

mod clean;
mod escape;
mod parse;
mod prefix;
mod routing;

pub use prefix::Stripped;
pub use routing::{deny_encoded, routing_path};

use crate::words::refill;

/// The form in which a target came (RFC 9112 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TargetForm {
    /// `/path?query`
    #[default]
    Origin,
    /// `http://host/path?query`; its authority replaces the `Host` field.
    Absolute,
    /// `host:port`, with `CONNECT` only.
    Authority,
    /// `*`
    Asterisk,
}

/// The path and query of a request.
#[derive(Debug, Clone, Default)]
pub struct Target {
    form: TargetForm,
    /// Go's `URL.Path`.
    path: Vec<u8>,
    /// Go's `URL.RawPath`; empty when the default encoding of `path` is the one that came.
    raw_path: Vec<u8>,
    /// Go's `URL.EscapedPath()`.
    escaped: String,
    /// The routing path, when it differs from `escaped`.
    routing: Vec<u8>,
    query: Vec<u8>,
    /// The query with its semicolons, where they became separators; otherwise empty.
    query_as_sent: Vec<u8>,
    /// Go's `URL.ForceQuery`: a question mark with nothing behind it.
    bare_question_mark: bool,
    scratch: Vec<u8>,
}

/// The text holds a `%` that is not followed by two hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid percent-encoding in a path")]
pub struct InvalidPath;

impl Target {
    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.form = TargetForm::Origin;
        self.path.clear();
        self.raw_path.clear();
        self.escaped.clear();
        self.routing.clear();
        self.query.clear();
        self.query_as_sent.clear();
        self.bare_question_mark = false;
    }

    /// The bytes of its memory.
    pub(crate) fn capacity(&self) -> usize {
        let path = self.path.capacity() + self.raw_path.capacity() + self.escaped.capacity();
        let query = self.query.capacity() + self.query_as_sent.capacity();
        path + self.routing.capacity() + query
    }

    /// Sets path and query as a URL without scheme and host would (`/path?query`).
    ///
    /// # Errors
    ///
    /// [`InvalidPath`]; the target is then empty.
    pub fn set_path_and_query(&mut self, text: &[u8]) -> Result<(), InvalidPath> {
        self.clear();
        self.parse_path_and_query(text).map_err(|_| InvalidPath)
    }

    /// Go's `URL.setPath`: path and raw path from an encoded path.
    fn assign_encoded(&mut self, encoded: &[u8]) -> Result<(), InvalidPath> {
        self.path.clear();
        self.raw_path.clear();
        if escape::is_all_plain(encoded) {
            self.path.extend_from_slice(encoded);
            self.routing.clear();
            return refill(&mut self.escaped, encoded).map_err(|_| InvalidPath);
        }
        let sound = escape::unescape(encoded, &mut self.path);
        if !sound {
            self.path.clear();
        } else if !escape::is_default_encoding(&self.path, encoded) {
            self.raw_path.extend_from_slice(encoded);
        }
        self.refresh();
        if sound { Ok(()) } else { Err(InvalidPath) }
    }

    /// Go's `URL.EscapedPath`, and the routing path that follows from it.
    fn refresh(&mut self) {
        self.escaped.clear();
        if self.raw_path_is_sound() {
            match std::str::from_utf8(&self.raw_path) {
                Ok(raw) => self.escaped.push_str(raw),
                Err(_) => escape::escape(&self.path, &mut self.escaped),
            }
        } else if self.path == b"*" {
            self.escaped.push('*');
        } else {
            escape::escape(&self.path, &mut self.escaped);
        }
        self.routing.clear();
        if self.escaped.contains('%') {
            routing_path(&self.escaped, &mut self.routing);
        }
    }

    /// Whether the raw path may be sent and still means the path.
    fn raw_path_is_sound(&mut self) -> bool {
        if self.raw_path.is_empty() || !escape::is_valid_encoding(&self.raw_path) {
            return false;
        }
        self.scratch.clear();
        escape::unescape(&self.raw_path, &mut self.scratch) && self.scratch == self.path
    }

    /// The form in which the target came.
    #[must_use]
    pub fn form(&self) -> TargetForm {
        self.form
    }

    /// The decoded path (Go: `URL.Path`); any bytes.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// The encoding that came, unless it is the default one (Go: `URL.RawPath`).
    #[must_use]
    pub fn raw_path(&self) -> Option<&[u8]> {
        if self.raw_path.is_empty() { None } else { Some(&self.raw_path) }
    }

    /// The encoded path that is sent (Go: `URL.EscapedPath()`); ASCII, may be empty.
    #[must_use]
    pub fn escaped_path(&self) -> &str {
        &self.escaped
    }

    /// What path matchers compare: the escaped path with all but the reserved characters
    /// decoded (Traefik: `withRoutingPath`).
    #[must_use]
    pub fn routing_path(&self) -> &[u8] {
        if self.routing.is_empty() { self.escaped.as_bytes() } else { &self.routing }
    }

    /// The query without its question mark, as it came.
    #[must_use]
    pub fn query(&self) -> &[u8] {
        &self.query
    }

    /// Whether there is a question mark.
    #[must_use]
    pub fn has_query(&self) -> bool {
        self.bare_question_mark || !self.query.is_empty()
    }

    /// Replaces the query (without question mark); empty removes it. Bytes that no request line
    /// can hold are percent-encoded.
    pub fn set_query(&mut self, query: &[u8]) {
        self.query.clear();
        self.query_as_sent.clear();
        self.bare_question_mark = false;
        for &byte in query {
            if byte <= b' ' || byte == 0x7f {
                let mut encoded = String::new();
                escape::push_escaped(byte, &mut encoded);
                self.query.extend_from_slice(encoded.as_bytes());
            } else {
                self.query.push(byte);
            }
        }
    }

    /// Sets the decoded path and, if the default encoding is not wanted, an encoding of it.
    ///
    /// As in Go, an encoding that does not mean the path is remembered but not sent.
    pub fn set_path(&mut self, path: &[u8], raw_path: Option<&[u8]>) {
        self.path.clear();
        self.path.extend_from_slice(path);
        self.raw_path.clear();
        self.raw_path.extend_from_slice(raw_path.unwrap_or_default());
        self.query_as_sent.clear();
        self.refresh();
    }

    /// Sets the path from an encoded one (Go: `URL.setPath`).
    ///
    /// # Errors
    ///
    /// [`InvalidPath`]; the path is then empty.
    pub fn set_escaped_path(&mut self, encoded: &[u8]) -> Result<(), InvalidPath> {
        self.query_as_sent.clear();
        self.assign_encoded(encoded)
    }

    /// Removes dot segments and repeated slashes (Go: `URL.JoinPath()`).
    pub fn clean(&mut self) {
        if clean::is_clean(self.escaped.as_bytes()) {
            // Go parses the result again, after which a default encoding is not remembered.
            if !self.raw_path.is_empty()
                && escape::is_default_encoding(&self.path, self.escaped.as_bytes())
            {
                self.raw_path.clear();
            }
            return;
        }
        let mut cleaned = String::with_capacity(self.escaped.len() + 1);
        clean::clean(&self.escaped, &mut cleaned);
        // The escaped path decodes, and so does every part of it between slashes.
        let assigned = self.assign_encoded(cleaned.as_bytes());
        debug_assert!(assigned.is_ok());
    }

    /// Whether a raw `#` came in the path, which Traefik refuses (`denyFragment`).
    pub(crate) fn has_fragment(&self) -> bool {
        self.raw_path.contains(&b'#')
    }

    /// Decodes escaped unreserved characters and capitalises the digits of other escapes
    /// (Traefik: `normalizePath`).
    pub(crate) fn normalize(&mut self) {
        if memchr::memchr(b'%', &self.raw_path).is_none() {
            return;
        }
        self.scratch.clear();
        let mut rest = self.raw_path.as_slice();
        while let [first, after @ ..] = rest {
            rest = after;
            let (b'%', [high, low, behind @ ..]) = (*first, after) else {
                self.scratch.push(*first);
                continue;
            };
            match escape::unhex(*high, *low) {
                Some(byte) if escape::is_unreserved(byte) => self.scratch.push(byte),
                _ => self.scratch.extend_from_slice(&[
                    b'%',
                    high.to_ascii_uppercase(),
                    low.to_ascii_uppercase(),
                ]),
            }
            rest = behind;
        }
        std::mem::swap(&mut self.raw_path, &mut self.scratch);
        self.refresh();
    }

    /// Settles what a `;` in the query means: `%3B`, or a separator like `&`.
    pub(crate) fn settle_semicolons(&mut self, encode: bool) {
        if memchr::memchr(b';', &self.query).is_none() {
            return;
        }
        if encode {
            self.scratch.clear();
            for part in self.query.split_inclusive(|&byte| byte == b';') {
                match part.split_last() {
                    Some((b';', before)) => {
                        self.scratch.extend_from_slice(before);
                        self.scratch.extend_from_slice(b"%3B");
                    }
                    _ => self.scratch.extend_from_slice(part),
                }
            }
            std::mem::swap(&mut self.query, &mut self.scratch);
        } else {
            self.query_as_sent.extend_from_slice(&self.query);
            self.query.iter_mut().filter(|byte| **byte == b';').for_each(|byte| *byte = b'&');
        }
    }

    /// Writes the request URI (Go: `URL.RequestURI()`): escaped path, `/` if empty, and query.
    pub fn write_request_uri(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.escaped.is_empty() { b"/" } else { self.escaped.as_bytes() });
        if self.has_query() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
    }

    /// The target becomes what [`Self::write_client_uri`] says, as a redirection to itself makes it: an empty
    /// path is `/` from here on, and everybody sees each `;` of the query but the server.
    pub fn resume_client_uri(&mut self) {
        if self.escaped.is_empty() {
            self.path.push(b'/');
            self.escaped.push('/');
        }
        if !self.query_as_sent.is_empty() {
            std::mem::swap(&mut self.query, &mut self.query_as_sent);
            self.query_as_sent.clear();
        }
    }

    /// Writes the request URI for a server, which sees an `&` for a `;` of the query: what it means
    /// to routers and middlewares.
    pub(crate) fn write_server_uri(&self, out: &mut Vec<u8>) {
        self.write_request_uri(out);
        if memchr::memchr(b';', &self.query).is_some() {
            let start = out.len().saturating_sub(self.query.len());
            let query = out.get_mut(start..).unwrap_or_default();
            query.iter_mut().filter(|byte| **byte == b';').for_each(|byte| *byte = b'&');
        }
    }

    /// Writes the request URI with the query as the client sent it, for redirections: as in
    /// Traefik they see a `;` that is already a separator for everybody else, until a middleware
    /// changes path or query.
    pub fn write_client_uri(&self, out: &mut Vec<u8>) {
        let query = self.query.len();
        self.write_request_uri(out);
        if !self.query_as_sent.is_empty() {
            out.truncate(out.len().saturating_sub(query));
            out.extend_from_slice(&self.query_as_sent);
        }
    }

    /// The request URI as text for logs and `Location`; bytes beyond ASCII in the query are
    /// replaced where they are not UTF-8.
    #[must_use]
    pub fn request_uri(&self) -> String {
        let mut uri = Vec::with_capacity(self.escaped.len() + self.query.len() + 1);
        self.write_request_uri(&mut uri);
        match String::from_utf8(uri) {
            Ok(uri) => uri,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
