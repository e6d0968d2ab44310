//! A body on its way through a compressor.

use std::{
    fmt,
    io::{self, Write},
};

use brotli::{CompressorWriter, enc::BrotliEncoderParams};
use flate2::{Compression, write::GzEncoder};
use portway_http::Headers;
use zstd::stream::{raw::CParameter, write::Encoder as ZstdEncoder};

use super::{
    Encoding,
    budget::{Budget, Share, memory},
};
use crate::BodyFilter;

/// zlib's own default, as that of Traefik's library.
const GZIP_LEVEL: u32 = 6;
/// The default of the brotli library that Traefik uses.
const BROTLI_QUALITY: i32 = 6;
/// zstd's own default, as that of Traefik's library.
const ZSTD_LEVEL: i32 = 3;

/// Bits of the window of brotli and zstd: how far back a repetition is found, and much of the memory that a response
/// needs while it is compressed. What brotli allocates for it grows with the body, up to that.
const WINDOW: u32 = 19;
/// Bits of the smallest window, for bodies that are known to be short. With fewer bits brotli searches by a table of
/// 32 MiB, which is made anew for each body: one of 10 KB then takes 5 ms instead of 0.15 ms.
const LEAST_WINDOW: u32 = 17;
/// Up to such a length brotli searches by a table of 2 MiB; it takes one of 4 MiB for what is said to be longer.
const LONGEST_HINT: u64 = 1 << 20;

/// What brotli writes in one piece, in bytes.
const BROTLI_PIECE: usize = 4096;

/// Compresses one body.
///
/// Its memory is not touched before the first of the body comes: it may never, and to clear it takes as long as to
/// compress a little.
///
/// What its library cannot do, which memory apart is nothing, ends the body early, and it is
/// [broken](BodyFilter::is_broken) from then on.
pub struct Encoder {
    /// What will compress, with a window of so many bits, and the length of the body; gone once it does.
    planned: Option<(Encoding, u32, Option<u64>)>,
    /// What compresses; gone once the body has come to its end.
    inner: Option<Inner>,
    /// Its memory.
    share: Option<Share>,
    broken: bool,
}

enum Inner {
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Zstd(Box<ZstdEncoder<'static, Vec<u8>>>),
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("broken", &self.broken).finish_non_exhaustive()
    }
}

impl Encoder {
    /// Begins a body, of this length where it is known; `None` where `budget` has not enough left.
    #[must_use]
    pub fn new(encoding: Encoding, length: Option<u64>, budget: &'static Budget) -> Option<Self> {
        let window = window(length);
        let share = budget.take(memory(encoding, window, length))?;
        let planned = Some((encoding, window, length));
        Some(Self { planned, inner: None, share: Some(share), broken: false })
    }

    /// What compresses.
    fn begun(&mut self) -> Option<&mut Inner> {
        if let Some((encoding, window, length)) = self.planned.take() {
            self.inner = Inner::new(encoding, window, length).ok();
            self.broken = self.inner.is_none();
        }
        self.inner.as_mut()
    }

    /// Does something to what compresses, and takes what that gave.
    fn run(&mut self, act: impl FnOnce(&mut Inner) -> io::Result<()>, out: &mut Vec<u8>) {
        let Some(inner) = self.begun() else { return };
        let done = act(inner);
        out.append(inner.made());
        if done.is_err() {
            self.inner = None;
            self.share = None;
            self.broken = true;
        }
    }
}

impl BodyFilter for Encoder {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.run(|inner| inner.writer().write_all(piece), out);
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        self.run(|inner| inner.writer().flush(), out);
    }

    fn finish(&mut self, _: &mut Option<Headers>, out: &mut Vec<u8>) {
        self.begun();
        let _share = self.share.take();
        let Some(inner) = self.inner.take() else { return };
        let made = match inner {
            Inner::Brotli(encoder) => Ok(encoder.into_inner()),
            Inner::Gzip(encoder) => encoder.finish(),
            Inner::Zstd(encoder) => encoder.finish(),
        };
        match made {
            Ok(made) => out.extend_from_slice(&made),
            Err(_) => self.broken = true,
        }
    }

    fn is_broken(&self) -> bool {
        self.broken
    }
}

impl Inner {
    fn new(encoding: Encoding, window: u32, length: Option<u64>) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Brotli => Self::Brotli(Box::new(brotli(window, length))),
            Encoding::Gzip => {
                let level = Compression::new(GZIP_LEVEL);
                Self::Gzip(Box::new(GzEncoder::new(Vec::new(), level)))
            }
            Encoding::Zstd => Self::Zstd(Box::new(zstd(window)?)),
        })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Brotli(encoder) => encoder,
            Self::Gzip(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        }
    }

    fn made(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }
}

/// The bits of a window in which a body of this length fits, as far as there are so many.
fn window(length: Option<u64>) -> u32 {
    let needed = length.map_or(WINDOW, |length| u64::BITS - length.leading_zeros());
    needed.clamp(LEAST_WINDOW, WINDOW)
}

fn brotli(window: u32, length: Option<u64>) -> CompressorWriter<Vec<u8>> {
    let parameters = BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: i32::try_from(window).unwrap_or(17),
        size_hint: usize::try_from(length.unwrap_or(0).min(LONGEST_HINT)).unwrap_or(0),
        ..BrotliEncoderParams::default()
    };
    CompressorWriter::with_params(Vec::new(), BROTLI_PIECE, &parameters)
}

fn zstd(window: u32) -> io::Result<ZstdEncoder<'static, Vec<u8>>> {
    let mut encoder = ZstdEncoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.set_parameter(CParameter::WindowLog(window))?;
    Ok(encoder)
}

#[cfg(test)]
mod tests;
