//! Base64 that comes in pieces.

/// Reads base64 (RFC 4648 §4) piece by piece: texts behind one another, each with its own end, with line breaks
/// anywhere.
#[derive(Clone, Debug, Default)]
pub struct Base64Reader {
    /// The bits that do not fill a byte yet, and how many characters they stand for.
    bits: u32,
    count: u8,
    /// How many of these were padding.
    padding: u8,
}

/// What is no base64.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("malformed base64")]
pub struct BadBase64;

impl Base64Reader {
    /// Reads a piece into `out`.
    ///
    /// # Errors
    /// When it holds something else than base64.
    pub fn read(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), BadBase64> {
        for &byte in piece {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'\r' | b'\n' => continue,
                b'=' if self.count >= 2 => {
                    self.padding += 1;
                    0
                }
                _ => return Err(BadBase64),
            };
            if self.padding > 0 && byte != b'=' {
                return Err(BadBase64);
            }
            self.bits = self.bits << 6 | u32::from(value);
            self.count += 1;
            if self.count == 4 {
                let [_, bytes @ ..] = self.bits.to_be_bytes();
                let length = bytes.len().saturating_sub(usize::from(self.padding));
                out.extend_from_slice(bytes.get(..length).unwrap_or_default());
                *self = Self::default();
            }
        }
        Ok(())
    }

    /// The text has ended.
    ///
    /// # Errors
    /// When it ended in the middle of a byte.
    pub fn finish(&self) -> Result<(), BadBase64> {
        if self.count == 0 { Ok(()) } else { Err(BadBase64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> Result<String, BadBase64> {
        let (mut reader, mut out) = (Base64Reader::default(), Vec::new());
        pieces.iter().try_for_each(|piece| reader.read(piece.as_bytes(), &mut out))?;
        reader.finish()?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn texts_come_in_pieces_and_behind_one_another() {
        assert_eq!(read(&["aGVsbG8gd29ybGQ="]).unwrap(), "hello world");
        assert_eq!(read(&["a", "GVs\r\nbG8", "gd29ybGQ", "="]).unwrap(), "hello world");
        assert_eq!(read(&["aGk=aGk=", "aA==aGV5"]).unwrap(), "hihihhey");
        assert_eq!(read(&[]).unwrap(), "");
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for bad in ["aGk", "a", "aGk!", "aG=k", "=aaa", "a===", "aG-_", "aG k"] {
            assert_eq!(read(&[bad]), Err(BadBase64), "{bad}");
        }
    }
}
