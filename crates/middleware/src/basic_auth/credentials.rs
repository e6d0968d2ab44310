//! The user and the password that a request brings (RFC 7617, as Go's `Request.BasicAuth`).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A user and a password, any bytes.
pub(super) struct Credentials {
    decoded: Vec<u8>,
    colon: usize,
}

impl Credentials {
    /// Parses the value of an `Authorization` field: `Basic`, in any letter case, one space,
    /// padded base64 of `user:password`. The first colon ends the user.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let (scheme, encoded) = value.split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") || encoded.len() > MAX_LENGTH {
            return None;
        }
        let decoded = BASE64.decode(encoded).ok()?;
        let colon = decoded.iter().position(|&byte| byte == b':')?;
        Some(Self { decoded, colon })
    }

    /// The user's name.
    pub(super) fn user(&self) -> &[u8] {
        self.decoded.get(..self.colon).unwrap_or_default()
    }

    /// The password.
    pub(super) fn password(&self) -> &[u8] {
        self.decoded.get(self.colon + 1..).unwrap_or_default()
    }
}

/// The longest text that is decoded; what is longer holds no acceptable password.
const MAX_LENGTH: usize = 16 << 10;

/// Go demands padding but does not look at the bits that the last character has to spare.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

#[cfg(test)]
mod tests;
