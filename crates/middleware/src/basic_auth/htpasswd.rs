//! Password hashes as `htpasswd` writes them.
//!
//! The forms and their tolerance are those of go-http-auth, which Traefik uses. Comparisons take
//! the same time wherever the texts differ.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

use super::md5_crypt::md5_crypt;

/// A parsed hash.
pub(crate) enum Hash {
    /// `{SHA}` and the base64 of the password's SHA-1.
    Sha1(Box<[u8]>),
    /// `$magic$salt$hash`: `$apr1$`, `$1$` and whatever other magic somebody used.
    Md5Crypt(Md5Crypt),
    /// `$2a$`, `$2b$`, `$2x$` or `$2y$`.
    Bcrypt(Bcrypt),
    /// Any other text. No password matches it.
    Unusable,
}

/// How long one comparison takes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Effort {
    /// Nothing worth remembering.
    None,
    /// Less than a millisecond.
    Short,
    /// Too long for a worker.
    Long,
}

/// The parts of an MD5-crypt hash.
pub(crate) struct Md5Crypt {
    text: Box<[u8]>,
    magic: Box<[u8]>,
    salt: Box<[u8]>,
}

/// The parts of a bcrypt hash.
pub(crate) struct Bcrypt {
    text: Box<[u8]>,
    cost: u32,
    salt: [u8; 16],
    /// The 31 characters behind the salt.
    hash: Box<[u8]>,
}

impl Hash {
    /// Parses what is behind the colon of an htpasswd line.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.as_bytes();
        if let Some(encoded) = text.strip_prefix(b"{SHA}") {
            return Self::Sha1(encoded.into());
        }
        let bcrypt = [b"$2a$", b"$2b$", b"$2x$", b"$2y$"];
        let parsed = if let Some(rest) = bcrypt.iter().find_map(|form| text.strip_prefix(*form)) {
            parse_bcrypt(text, rest).map(Self::Bcrypt)
        } else {
            parse_md5_crypt(text).map(Self::Md5Crypt)
        };
        parsed.unwrap_or(Self::Unusable)
    }

    /// Whether this is the hash of the password. Takes as long as [`Hash::effort`] says.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        match self {
            Self::Sha1(encoded) => {
                let digest = STANDARD.encode(Sha1::digest(password));
                encoded.ct_eq(digest.as_bytes()).into()
            }
            Self::Md5Crypt(Md5Crypt { text, magic, salt }) => {
                let computed = [magic, salt, &b"$"[..], &md5_crypt(password, magic, salt)].concat();
                text.ct_eq(&computed).into()
            }
            Self::Bcrypt(bcrypt) => bcrypt.verify(password),
            Self::Unusable => false,
        }
    }

    /// How long a comparison with a password of this length takes.
    pub(super) fn effort(&self, password: usize) -> Effort {
        match self {
            Self::Sha1(_) | Self::Unusable => Effort::None,
            Self::Md5Crypt(hash) if password + hash.salt.len() <= SHORT => Effort::Short,
            Self::Md5Crypt(_) | Self::Bcrypt(_) => Effort::Long,
        }
    }

    /// The text as it was written.
    pub(super) fn text(&self) -> &[u8] {
        match self {
            Self::Sha1(text) => text,
            Self::Md5Crypt(hash) => &hash.text,
            Self::Bcrypt(hash) => &hash.text,
            Self::Unusable => b"",
        }
    }
}

impl Bcrypt {
    /// The binary logarithm of the number of rounds: 4 to 31.
    pub(super) fn cost(&self) -> u32 {
        self.cost
    }

    fn verify(&self, password: &[u8]) -> bool {
        // The key is the password with a zero byte behind it, of which 72 bytes count.
        let mut key = Vec::with_capacity(72);
        key.extend(password.iter().copied().chain([0]).take(72));
        let digest = bcrypt::bcrypt(self.cost, self.salt, &key);
        let computed = BASE64.encode(digest.get(..23).unwrap_or_default());
        self.hash.ct_eq(computed.as_bytes()).into()
    }
}

/// Parses what is behind the version of a bcrypt hash: two digits, a byte, 22 characters of salt
/// and 31 of hash. As Go, it looks neither at that byte nor behind the hash.
fn parse_bcrypt(text: &[u8], rest: &[u8]) -> Option<Bcrypt> {
    let (cost, rest) = rest.split_at_checked(2)?;
    let (salt, hash) = rest.get(1..)?.split_at_checked(22)?;
    let cost =
        std::str::from_utf8(cost).ok()?.parse().ok().filter(|cost| (4..=31).contains(cost))?;
    let salt = BASE64.decode(salt).ok()?.try_into().ok()?;
    Some(Bcrypt { text: text.into(), cost, salt, hash: hash.get(..31)?.into() })
}

fn parse_md5_crypt(text: &[u8]) -> Option<Md5Crypt> {
    let mut parts = text.splitn(4, |&byte| byte == b'$');
    let (before, magic, salt, _) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if !before.is_empty() {
        return None;
    }
    Some(Md5Crypt {
        text: text.into(),
        magic: [b"$", magic, b"$"].concat().into(),
        salt: salt.into(),
    })
}

/// The highest bcrypt cost that is used: a check takes seconds already.
pub(super) const MAX_COST: u32 = 16;

/// Up to this many bytes of password and salt MD5-crypt takes a fraction of a millisecond.
const SHORT: usize = 64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

#[cfg(test)]
mod tests;
