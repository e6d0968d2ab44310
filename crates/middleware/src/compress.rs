//! Compresses the bodies of responses.
//!
//! Traefik: `compress`. Differences: a body that says its length and is shorter than `minResponseBodyBytes` is never
//! compressed, where Traefik does it to one that pauses for a tenth of a second; the window of brotli and zstd is
//! smaller (see [`Encoder`]), so that many responses at once need less memory, and what would take more than
//! [`Budget::PROCESS`] passes as it is.

mod accept;
mod budget;
mod encoder;
mod media_type;

use portway_http::{BodyFraming, Headers as Fields, Known, Method, Request, StaticName};
use portway_model::{Problem, dynamic, nearest};

use self::accept::Offered;
use crate::detect_content_type;

pub use self::budget::Budget;
pub use self::encoder::Encoder;
pub(crate) use self::media_type::media_type;

/// Bytes of a body below which it is not compressed, where the settings do not say.
const DEFAULT_MIN_SIZE: u64 = 1024;

/// What a server says so that nothing is compressed; heeded and taken away where gzip would be taken.
const NO_COMPRESSION: StaticName = StaticName::new("No-Gzip-Compression");
const ACCEPT_RANGES: StaticName = StaticName::new("Accept-Ranges");

/// A compiled `compress`.
#[derive(Debug)]
pub struct Compress {
    /// Media types of requests of which the response is left as it is, in lower case.
    excluded_requests: Box<[Box<str>]>,
    types: Types,
    min_size: u64,
    offered: Offered,
}

/// A content coding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// Which media types of responses are compressed, in lower case.
#[derive(Debug)]
enum Types {
    AllBut(Box<[Box<str>]>),
    Only(Box<[Box<str>]>),
}

/// What is done to the response to one request.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    compress: &'a Compress,
    encoding: Encoding,
    /// Whether the encoding was chosen, but by a word of the client that does not name it: Traefik says then that the
    /// response depends on that word, and leaves it as it is.
    idle: bool,
}

/// What the head of a response says about whether the body is compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is left as it is.
    Leave,
    /// It is compressed.
    Compress,
    /// It is compressed if anything of it comes, and [`Offer::takes`] what that is.
    Await,
}

/// What the head of a response says about its body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Judgement {
    /// Whether it is compressed.
    pub verdict: Verdict,
    /// Whether a response without a type gets one for the beginning of its body, where that is wanted at all.
    pub detects_type: bool,
}

impl Encoding {
    /// Its name in `Accept-Encoding`, `Content-Encoding` and the settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Brotli, Self::Gzip, Self::Zstd].into_iter().find(|one| one.as_str() == name)
    }
}

impl Compress {
    /// Compiles the user's settings; a media type or an encoding that is none is refused, and so are included and
    /// excluded types together.
    pub fn compile(config: &dynamic::Compress, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut refused = |message: String| problems.push(Problem::error("", message));
        let compiled = Self::try_compile(config);
        compiled.map_err(&mut refused).ok()
    }

    /// The reasons are Traefik's words.
    fn try_compile(config: &dynamic::Compress) -> Result<Self, String> {
        let dynamic::Compress { excluded_content_types, included_content_types, .. } = config;
        if !excluded_content_types.is_empty() && !included_content_types.is_empty() {
            let message =
                "excludedContentTypes and includedContentTypes options are mutually exclusive";
            return Err(message.to_owned());
        }
        let excluded = media_types(excluded_content_types, "excluded")?;
        let excluded: Box<[Box<str>]> =
            std::iter::once("application/grpc".into()).chain(excluded).collect();
        let included: Box<[Box<str>]> = media_types(included_content_types, "included")?.into();
        let min_size = u64::try_from(config.min_response_body_bytes).unwrap_or_default();
        Ok(Self {
            types: match included.is_empty() {
                true => Types::AllBut(excluded.clone()),
                false => Types::Only(included),
            },
            excluded_requests: excluded,
            min_size: if min_size == 0 { DEFAULT_MIN_SIZE } else { min_size },
            offered: offered(config)?,
        })
    }

    /// What is done to the response to this request; `None` where nothing.
    #[must_use]
    pub fn offer(&self, request: &Request) -> Option<Offer<'_>> {
        if request.method == Method::Head {
            return None;
        }
        let kind = request.headers.get(Known::ContentType).unwrap_or_default();
        if is_one_of(&self.excluded_requests, media_type(kind).name) {
            return None;
        }
        let encoding = self.offered.choose(&request.headers)?;
        let idle = encoding == Encoding::Gzip && !accept::names_gzip(&request.headers);
        Some(Offer { compress: self, encoding, idle })
    }
}

impl Offer<'_> {
    /// Says that the response depends on `Accept-Encoding`, whatever it will be.
    pub fn announce(&self, early: &mut Fields) {
        early.append(Known::Vary, "Accept-Encoding");
    }

    /// Looks at the head of a response, whose body is framed like that; `says_length` says whether that is told in the
    /// head.
    pub fn judge(&self, fields: &mut Fields, body: BodyFraming, says_length: bool) -> Judgement {
        let gzip = self.encoding == Encoding::Gzip;
        let unwanted = gzip && fields.remove(NO_COMPRESSION);
        let says = |name| fields.get(name).is_some_and(|value: &[u8]| !value.is_empty());
        if self.idle
            || unwanted
            || says(Known::ContentEncoding)
            || (gzip && says(Known::ContentRange))
        {
            return Judgement { verdict: Verdict::Leave, detects_type: false };
        }
        let short = match body {
            BodyFraming::None => true,
            BodyFraming::Length(length) => length == 0 || length < self.compress.min_size,
            BodyFraming::Chunked | BodyFraming::UntilClose => false,
        };
        let known = self.takes_type(fields);
        let verdict = match body {
            _ if short || known == Some(false) => Verdict::Leave,
            BodyFraming::Length(_) if known == Some(true) => Verdict::Compress,
            _ => Verdict::Await,
        };
        Judgement { verdict, detects_type: gzip && !(short && says_length) }
    }

    /// Whether the head waits for the beginning of the body, whatever becomes of that.
    #[must_use]
    pub fn holds_head(&self) -> bool {
        self.encoding == Encoding::Gzip && !self.idle
    }

    /// Whether the body is compressed that begins so; empty where nothing of it came before its end.
    #[must_use]
    pub fn takes(&self, fields: &Fields, beginning: &[u8]) -> bool {
        let detected = || self.compress.types.take(detect_content_type(beginning).as_bytes());
        !beginning.is_empty() && self.takes_type(fields).unwrap_or_else(detected)
    }

    /// Makes what compresses the body and says so in the head, where `budget` has enough left for it; the response is
    /// left as it is otherwise. `length` is that of the body, where it is known.
    pub fn begin(
        &self,
        fields: &mut Fields,
        length: Option<u64>,
        budget: &'static Budget,
    ) -> Option<Encoder> {
        let encoder = Encoder::new(self.encoding, length, budget)?;
        fields.remove(Known::ContentLength);
        if self.encoding == Encoding::Gzip {
            fields.remove(ACCEPT_RANGES);
        }
        fields.set(Known::ContentEncoding, self.encoding.as_str());
        Some(encoder)
    }

    /// Whether a response of this type is compressed; `None` where its beginning decides.
    fn takes_type(&self, fields: &Fields) -> Option<bool> {
        let types = &self.compress.types;
        match fields.get(Known::ContentType).filter(|kind| !kind.is_empty()) {
            // Of the two libraries behind Traefik's middleware only one looks at the body, and the other one at
            // parameters.
            Some(kind) if self.encoding == Encoding::Gzip => Some(types.take(kind)),
            Some(kind) => Some(media_type(kind).sound && types.take(kind)),
            None if self.encoding == Encoding::Gzip && !types.take_any() => None,
            None => Some(true),
        }
    }
}

impl Types {
    /// Whether what a body holds cannot matter.
    fn take_any(&self) -> bool {
        matches!(self, Self::AllBut(excluded) if excluded.len() <= 1)
    }

    fn take(&self, kind: &[u8]) -> bool {
        let kind = media_type(kind);
        match self {
            Self::AllBut(excluded) => !(kind.sound && is_one_of(excluded, kind.name)),
            Self::Only(included) => kind.sound && is_one_of(included, kind.name),
        }
    }
}

fn is_one_of(types: &[Box<str>], name: &[u8]) -> bool {
    types.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(name))
}

fn media_types(written: &[String], which: &str) -> Result<Vec<Box<str>>, String> {
    let parse = |text: &String| {
        let parsed = media_type(text.as_bytes());
        match parsed.reason {
            None => Ok(String::from_utf8_lossy(parsed.name).to_ascii_lowercase().into()),
            Some(reason) => Err(format!("parsing {which} media type: {reason} (`{text}`)")),
        }
    };
    written.iter().map(parse).collect()
}

fn offered(config: &dynamic::Compress) -> Result<Offered, String> {
    if config.encodings.is_empty() {
        return Err("at least one encoding must be specified".to_owned());
    }
    let parse = |name: &String| {
        Encoding::parse(name).ok_or_else(|| {
            let near = nearest(name, ["gzip", "br", "zstd"]);
            let hint = near.map_or_else(
                || "; `gzip`, `br` and `zstd` are".to_owned(),
                |near| format!("; did you mean `{near}`?"),
            );
            format!("unsupported encoding: {name}{hint}")
        })
    };
    let encodings = config.encodings.iter().map(parse).collect::<Result<Box<[_]>, _>>()?;
    let default = match config.default_encoding.as_str() {
        "" => None,
        name => {
            let one = encodings.iter().find(|one| one.as_str() == name);
            let listed = config.encodings.join(", ");
            let refused =
                || format!("unsupported default encoding: {name}; it must be one of {listed}");
            Some(*one.ok_or_else(refused)?)
        }
    };
    Ok(Offered { encodings, default })
}

#[cfg(test)]
mod tests;
