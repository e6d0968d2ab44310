//! HTTP/1.1 messages as they were on the wire, and a reader that judges framing strictly.

use std::io;

/// Header or trailer fields in order, names in their original case, values as Latin-1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value of `name`, compared without regard to case.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All values of `name`, in order.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Names in lower case with their values; sorted by name only, so that the order of equal names
    /// stays.
    #[must_use]
    pub fn sorted(&self) -> Vec<(String, String)> {
        let mut fields: Vec<_> =
            self.0.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        fields.sort_by(|left, right| left.0.cmp(&right.0));
        fields
    }

    fn names_token(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .iter()
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(token))
    }
}

/// A start line, its fields, and where the body ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The start line without its line end.
    pub line: String,
    /// The fields below it.
    pub headers: Headers,
}

impl Head {
    /// The space-separated part `index` of the start line, or "".
    #[must_use]
    pub fn part(&self, index: usize) -> &str {
        self.line.splitn(3, ' ').nth(index).unwrap_or("")
    }
}

/// How a body is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body, or exactly so many bytes.
    Length(u64),
    /// Chunked coding with trailers.
    Chunked,
    /// Everything until the connection closes.
    UntilClose,
}

impl Framing {
    /// The framing of a request: no length means no body.
    #[must_use]
    pub fn of_request(head: &Head) -> Self {
        Self::declared(&head.headers).unwrap_or(Self::Length(0))
    }

    /// The framing of a final response to `method`.
    #[must_use]
    pub fn of_response(head: &Head, method: &str) -> Self {
        let status = head.part(1);
        if method == "HEAD" || status == "204" || status == "304" || status.starts_with('1') {
            return Self::Length(0);
        }
        Self::declared(&head.headers).unwrap_or(Self::UntilClose)
    }

    fn declared(headers: &Headers) -> Option<Self> {
        if headers.names_token("Transfer-Encoding", "chunked") {
            return Some(Self::Chunked);
        }
        headers.value("Content-Length").and_then(|text| text.parse().ok()).map(Self::Length)
    }
}

/// Reads messages from any stream, keeping what came too early.
#[derive(Debug)]
pub struct Reader<S> {
    /// The stream below.
    pub stream: S,
    buffer: Vec<u8>,
    /// Every byte that was read so far, when recording is on.
    pub tape: Option<Vec<u8>>,
}

impl<S: io::Read> Reader<S> {
    /// A reader over `stream` that has read nothing.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new(), tape: None }
    }

    /// Bytes that were received and belong to no message yet.
    #[must_use]
    pub fn unread(&self) -> &[u8] {
        &self.buffer
    }

    /// Reads a head; `None` when the stream ends before its first byte.
    pub fn head(&mut self) -> io::Result<Option<Head>> {
        // Where its end may begin that was not looked for yet: heads may be long.
        let mut seen = 0;
        loop {
            if let Some(end) = find(&self.buffer[seen..], b"\r\n\r\n") {
                let end = seen + end;
                let text = latin1(&self.buffer[..end]);
                self.buffer.drain(..end + 4);
                return Ok(Some(parse_head(&text)));
            }
            seen = self.buffer.len().saturating_sub(3);
            if self.fill()? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(unexpected_end()) };
            }
        }
    }

    /// Reads a body and, if it was chunked, its trailers.
    pub fn body(&mut self, framing: Framing) -> io::Result<(Vec<u8>, Headers)> {
        let mut body = Vec::new();
        let trailers = self.body_into(framing, &mut body)?;
        Ok((body, trailers))
    }

    /// As [`Self::body`], keeping in `body` what arrived before an error.
    pub fn body_into(&mut self, framing: Framing, body: &mut Vec<u8>) -> io::Result<Headers> {
        match framing {
            Framing::Length(length) => self.exactly(length, body).map(|()| Headers::default()),
            Framing::Chunked => self.chunks(body),
            Framing::UntilClose => self.rest(body).map(|()| Headers::default()),
        }
    }

    fn rest(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            body.append(&mut self.buffer);
            if self.fill()? == 0 {
                return Ok(());
            }
        }
    }

    fn exactly(&mut self, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
        let mut left = usize::try_from(length).expect("a body that fits in memory");
        while left > 0 {
            if self.buffer.is_empty() && self.fill()? == 0 {
                return Err(unexpected_end());
            }
            let taken = left.min(self.buffer.len());
            body.extend(self.buffer.drain(..taken));
            left -= taken;
        }
        Ok(())
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> io::Result<Headers> {
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or("").trim();
            let size = u64::from_str_radix(digits, 16).map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidData, format!("chunk size {line:?}"))
            })?;
            if size == 0 {
                return self.trailers();
            }
            self.exactly(size, body)?;
            let mut end = Vec::new();
            self.exactly(2, &mut end)?;
            if end != b"\r\n" {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a chunk longer than its size",
                ));
            }
        }
    }

    fn trailers(&mut self) -> io::Result<Headers> {
        let mut fields = Headers::default();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            fields.0.push(split_field(&line));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                let text = latin1(&self.buffer[..end]);
                self.buffer.drain(..end + 2);
                return Ok(text);
            }
            if self.fill()? == 0 {
                return Err(unexpected_end());
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut block = [0_u8; 16 * 1024];
        let count = loop {
            match self.stream.read(&mut block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.buffer.extend_from_slice(&block[..count]);
        if let Some(tape) = &mut self.tape {
            tape.extend_from_slice(&block[..count]);
        }
        Ok(count)
    }
}

/// The head that `text` is, without the empty line at its end.
#[must_use]
pub fn parse_head(text: &str) -> Head {
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap_or("").to_owned();
    Head { line, headers: Headers(lines.map(split_field).collect()) }
}

fn split_field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name.to_owned(), value.trim_matches([' ', '\t']).to_owned())
}

/// Bytes as text in which every byte is one character.
#[must_use]
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Bytes as a readable literal, shortened in the middle when long.
#[must_use]
pub fn readable(bytes: &[u8]) -> String {
    if bytes.len() > 4096 {
        let (start, end) = (&bytes[..2048], &bytes[bytes.len() - 256..]);
        return format!("{}…({} bytes)…{}", start.escape_ascii(), bytes.len(), end.escape_ascii());
    }
    bytes.escape_ascii().to_string()
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn unexpected_end() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the connection closed in the middle of a message")
}
