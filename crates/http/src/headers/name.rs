//! Names and values that come from configuration, parsed once.

use super::{Known, canonicalize, is_token, is_value, trim};

/// A valid field name, by default in Go's canonical MIME form (`x-foo` becomes `X-Foo`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HeaderName {
    known: Option<Known>,
    text: Box<str>,
}

/// The text is no field name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a header name is one or more of the letters, digits and !#$%&'*+-.^_`|~")]
pub struct InvalidName;

impl HeaderName {
    /// Parses a name and brings it into canonical form.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] when the text is empty or holds a byte that no name may hold.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let mut name = Self::verbatim(text)?;
        let mut bytes = text.as_bytes().to_vec();
        canonicalize(&mut bytes);
        name.text = String::from_utf8(bytes).map_err(|_| InvalidName)?.into();
        Ok(name)
    }

    /// Parses a name and keeps its letter case, for receivers that depend on it.
    ///
    /// # Errors
    ///
    /// As [`HeaderName::parse`].
    pub fn verbatim(text: &str) -> Result<Self, InvalidName> {
        if !is_token(text.as_bytes()) {
            return Err(InvalidName);
        }
        Ok(Self { known: Known::classify(text.as_bytes()), text: text.into() })
    }

    /// The text as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Known> for HeaderName {
    fn from(known: Known) -> Self {
        Self { known: Some(known), text: known.as_str().into() }
    }
}

impl std::fmt::Display for HeaderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A field name that stands in the code, in Go's canonical form, where no known one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaticName(&'static str);

impl StaticName {
    /// The name `text`; another than a canonical one does not compile in a constant.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        let (mut rest, mut starts) = (text.as_bytes(), true);
        assert!(!rest.is_empty(), "a name is not empty");
        while let [byte, others @ ..] = rest {
            let letter_case =
                if starts { !byte.is_ascii_lowercase() } else { !byte.is_ascii_uppercase() };
            assert!(
                letter_case && (byte.is_ascii_alphanumeric() || *byte == b'-'),
                "no canonical name"
            );
            starts = *byte == b'-';
            rest = others;
        }
        Self(text)
    }

    /// The text as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// A valid field value: no control character but tab, no white space around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HeaderValue(Box<[u8]>);

/// The text cannot be a field value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a header value cannot hold line breaks or other control characters")]
pub struct InvalidValue;

impl HeaderValue {
    /// Parses a value; white space around it is dropped.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when it holds a control character other than tab.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, InvalidValue> {
        let text = trim(text.as_ref());
        if is_value(text) { Ok(Self(text.into())) } else { Err(InvalidValue) }
    }

    /// A value in which control characters other than tab are spaces (as Go writes them).
    #[must_use]
    pub fn lossy(text: &str) -> Self {
        let text = text.replace(|c: char| c.is_ascii_control() && c != '\t', " ");
        Self(trim(text.as_bytes()).into())
    }

    /// The bytes as they are written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for HeaderValue {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// What fields can be looked up by; the letter case never matters.
pub trait NameQuery {
    /// The known name, if it is one.
    fn known(&self) -> Option<Known>;
    /// The text of the name, in any letter case.
    fn text(&self) -> &[u8];
}

impl NameQuery for Known {
    fn known(&self) -> Option<Known> {
        Some(*self)
    }

    fn text(&self) -> &[u8] {
        self.as_str().as_bytes()
    }
}

impl NameQuery for HeaderName {
    fn known(&self) -> Option<Known> {
        self.known
    }

    fn text(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl NameQuery for StaticName {
    fn known(&self) -> Option<Known> {
        Known::classify(self.0.as_bytes())
    }

    fn text(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl NameQuery for str {
    fn known(&self) -> Option<Known> {
        Known::classify(self.as_bytes())
    }

    fn text(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<N: NameQuery + ?Sized> NameQuery for &N {
    fn known(&self) -> Option<Known> {
        N::known(self)
    }

    fn text(&self) -> &[u8] {
        N::text(self)
    }
}

/// What fields can be written under: names that are known to be valid.
pub trait FieldName: NameQuery {}

impl FieldName for Known {}
impl FieldName for HeaderName {}
impl FieldName for StaticName {}
impl<N: FieldName + ?Sized> FieldName for &N {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_code_are_those_of_configuration() {
        for name in [StaticName::new("X-Frame-Options"), StaticName::new("Vary")] {
            let parsed = HeaderName::parse(&name.as_str().to_lowercase()).unwrap();
            assert_eq!((name.known(), name.text()), (parsed.known(), parsed.text()));
        }
    }

    #[test]
    fn names_are_brought_into_canonical_form() {
        for (given, canonical) in [
            ("x-foo", "X-Foo"),
            ("ETAG", "Etag"),
            ("X_FORWARDED_for", "X_forwarded_for"),
            ("sec-WEBSOCKET-key", "Sec-Websocket-Key"),
            ("a-1b", "A-1b"),
        ] {
            assert_eq!(HeaderName::parse(given).unwrap().as_str(), canonical);
            assert_eq!(HeaderName::verbatim(given).unwrap().as_str(), given);
        }
    }

    #[test]
    fn bad_names_and_values_are_refused() {
        for bad in ["", "a b", "a:", "é", "a\r\n", "a\0", "(a)"] {
            assert_eq!(HeaderName::parse(bad), Err(InvalidName), "{bad:?}");
        }
        for bad in ["a\r\nb", "a\nb", "a\rb", "\0", "a\x7f", "\x1b"] {
            assert_eq!(HeaderValue::parse(bad), Err(InvalidValue), "{bad:?}");
        }
        assert_eq!(HeaderValue::parse(" a\tb ").unwrap().as_bytes(), b"a\tb");
        assert_eq!(HeaderValue::parse("é").unwrap().as_bytes(), "é".as_bytes());
    }
}
