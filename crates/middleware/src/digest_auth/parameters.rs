//! The parameters of an `Authorization` field, as Traefik's library reads them.

/// Names and values; of several with one name the last counts.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads `Digest name=value, name="value"`; `None` for other schemes.
    pub(super) fn parse(field: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(field).ok()?;
        let list = text.strip_prefix("Digest ")?;
        let pairs = split(list.trim()).into_iter().map(|part| {
            let Some((name, value)) = part.split_once('=') else { return (part, String::new()) };
            let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            (name.to_owned(), inner.unwrap_or(value).to_owned())
        });
        Some(Self(pairs.collect()))
    }

    /// The value of a name; `None` if it is absent.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().rev().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// The value of a name; empty if it is absent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }
}

/// What stands between commas that are not quoted; a backslash in quotes is taken away.
fn split(list: &str) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut escaped, mut quoted) = (false, false);
    for character in list.chars() {
        match character {
            _ if escaped => {
                part.push(character);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            ',' if !quoted => parts.push(std::mem::take(&mut part).trim().to_owned()),
            _ => {
                quoted ^= character == '"';
                part.push(character);
            }
        }
    }
    if !part.is_empty() {
        parts.push(part.trim().to_owned());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: &str, name: &str, expected: Option<&str>) {
        let parameters = Parameters::parse(field.as_bytes()).unwrap();
        assert_eq!(parameters.find(name), expected, "{field}");
    }

    #[test]
    fn values_are_read_with_and_without_quotes() {
        check(r#"Digest a=1, b="2", c = 3"#, "a", Some("1"));
        check(r#"Digest a=1, b="2", c = 3"#, "b", Some("2"));
        check(r#"Digest a=1, b="2", c = 3"#, "c", None);
        check(r#"Digest a="x,y\"z", b"#, "a", Some("x,y\"z"));
        check(r#"Digest a="x,y\"z", b"#, "b", Some(""));
        check("Digest a=1,a=2,", "a", Some("2"));
        check(r#"Digest a="#, "a", Some(""));
        check(r#"Digest a=""#, "a", Some("\""));
    }

    #[test]
    fn other_schemes_have_no_parameters() {
        for field in ["", "Digest", "digest a=1", "Basic dTpw", "Digest\ta=1"] {
            assert!(Parameters::parse(field.as_bytes()).is_none(), "{field}");
        }
    }
}
