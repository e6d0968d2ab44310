//! Messages of HTTP/1.1 as clients and servers of the storm read and write them.

use std::io;
use std::time::Duration;

use portway_testkit::line::Wire;
use portway_testkit::message::{Framing, Head, Headers, latin1, parse_head};
use portway_testkit::random::Random;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader, WriteHalf};
use tokio::time::sleep;

use super::content::Content;

/// How large a piece of a body is at most.
const PIECE: usize = 16 * 1024;

/// Rests between pieces.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    random: Random,
    slow: bool,
    rests: usize,
}

impl Pace {
    pub(super) fn new(seed: u64, slow: bool) -> Self {
        Self { random: Random::new(seed), slow, rests: 0 }
    }

    /// How long the next piece is.
    pub(super) fn piece(&mut self) -> usize {
        let most = if self.slow { 3_000 } else { PIECE };
        1 + self.random.below(most)
    }

    /// Long bodies are not slow for ever.
    pub(super) async fn rest(&mut self) {
        if self.slow && self.rests < 60 && self.random.once_in(2) {
            self.rests += 1;
            sleep(Duration::from_millis(1 + self.random.below(15) as u64)).await;
        }
    }
}

/// The side that messages come from.
pub(super) struct Reader<R> {
    half: BufReader<R>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(half: R) -> Self {
        Self { half: BufReader::new(half) }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.half.read_until(b'\n', &mut line).await?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => Ok(latin1(line)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The next head; `None` where the connection ends before its first byte.
    pub(super) async fn head(&mut self) -> io::Result<Option<Head>> {
        if self.half.fill_buf().await?.is_empty() {
            return Ok(None);
        }
        let mut lines = vec![self.line().await?];
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(Some(parse_head(&lines.join("\r\n"))));
            }
            lines.push(line);
        }
    }

    /// The next bytes, of which there are so many at most; none where the connection has ended.
    pub(super) async fn some(
        &mut self,
        most: u64,
        take: &mut (dyn FnMut(&[u8]) + Send),
    ) -> io::Result<u64> {
        let bytes = self.half.fill_buf().await?;
        let length = bytes.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        take(&bytes[..length]);
        self.half.consume(length);
        Ok(length as u64)
    }

    async fn exactly(
        &mut self,
        mut length: u64,
        pace: &mut Pace,
        take: &mut (dyn FnMut(&[u8]) + Send),
    ) -> io::Result<()> {
        while length > 0 {
            let most = length.min(pace.piece() as u64);
            match self.some(most, take).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => length -= count,
            }
            pace.rest().await;
        }
        Ok(())
    }

    /// A whole body, and its trailers.
    pub(super) async fn body(
        &mut self,
        framing: Framing,
        pace: &mut Pace,
        take: &mut (dyn FnMut(&[u8]) + Send),
    ) -> io::Result<Headers> {
        match framing {
            Framing::Length(length) => self.exactly(length, pace, take).await?,
            Framing::UntilClose => while self.some(u64::MAX, take).await? > 0 {},
            Framing::Chunked => loop {
                let line = self.line().await?;
                let length = u64::from_str_radix(&line, 16).map_err(io::Error::other)?;
                if length == 0 {
                    let mut lines = vec![String::new()];
                    loop {
                        let line = self.line().await?;
                        if line.is_empty() {
                            return Ok(parse_head(&lines.join("\r\n")).headers);
                        }
                        lines.push(line);
                    }
                }
                self.exactly(length, pace, take).await?;
                if !self.line().await?.is_empty() {
                    return Err(io::Error::other("no line end behind a chunk"));
                }
            },
        }
        Ok(Headers::default())
    }
}

/// The side that messages go to.
pub(super) type Writer = WriteHalf<Box<dyn Wire>>;

/// Writes so many bytes of a body.
pub(super) async fn write_body(
    writer: &mut Writer,
    chunked: bool,
    content: &mut Content,
    mut length: usize,
    pace: &mut Pace,
) -> io::Result<()> {
    while length > 0 {
        let bytes = content.next(length.min(pace.piece()));
        length -= bytes.len();
        if chunked {
            let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
            writer.write_all(&chunk).await?;
        } else {
            writer.write_all(bytes).await?;
        }
        writer.flush().await?;
        pace.rest().await;
    }
    Ok(())
}
