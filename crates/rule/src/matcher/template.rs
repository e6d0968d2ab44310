//! Templates of the v2 syntax: text with `{name}` and `{name:expression}`.
//!
//! Traefik 2 and 3 hand them to gorilla/mux, whose `newRouteRegexp` this follows.

use crate::pattern::Pattern;

/// What a template is matched against, which decides its defaults and anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A host: case does not matter, `{name}` is one label.
    Host,
    /// A whole path: `{name}` is one segment.
    Path,
    /// The beginning of a path.
    PathPrefix,
    /// `key=value`: `{name}` is anything, and so is an empty value.
    Query,
}

/// A compiled template.
#[derive(Debug)]
pub(super) enum Template {
    /// No part is variable: the subject equals it (or begins with it).
    Literal,
    Pattern(Pattern),
}

impl Template {
    /// Compiles `template`, or says what is wrong with it.
    pub(super) fn compile(template: &[u8], kind: Kind) -> Result<Self, String> {
        let variables = variables(template)?;
        let empty_value = kind == Kind::Query
            && template.last() == Some(&b'=')
            && memchr::memchr(b'=', template) == Some(template.len() - 1);
        if variables.is_empty() && !empty_value && kind != Kind::Host {
            match std::str::from_utf8(template) {
                // U+FFFD in an expression matches bytes that are not UTF-8, too.
                Ok(text) if !text.contains(char::REPLACEMENT_CHARACTER) => {
                    return Ok(Self::Literal);
                }
                Ok(_) => {}
                Err(_) => return Err("it is not UTF-8".to_owned()),
            }
        }
        let default: &[u8] = match kind {
            Kind::Host => b"[^.]+",
            Kind::Path | Kind::PathPrefix => b"[^/]+",
            Kind::Query => b".*",
        };
        let mut pattern = Vec::from(if kind == Kind::Host { &b"(?i)^"[..] } else { b"^" });
        let mut end = 0;
        for variable in variables {
            quote(template.get(end..variable.start).unwrap_or_default(), &mut pattern);
            end = variable.end;
            let expression = variable.expression(template, default)?;
            Pattern::check(&[b"^", expression, b"$"].concat())?;
            // Named, lest an expression that begins with `?` turn into flags.
            pattern.extend_from_slice(b"(?P<v>");
            pattern.extend_from_slice(expression);
            pattern.push(b')');
        }
        quote(template.get(end..).unwrap_or_default(), &mut pattern);
        if empty_value {
            pattern.extend_from_slice(default);
        }
        if kind != Kind::PathPrefix {
            pattern.push(b'$');
        }
        Pattern::compile(&pattern).map(Self::Pattern)
    }
}

/// The names of the variables of a template that compiles.
pub(super) fn variable_names(template: &[u8]) -> Vec<&[u8]> {
    let inside = |variable: Variable| template.get(variable.start + 1..variable.end - 1);
    let name = |inside: &'_ [u8]| memchr::memchr(b':', inside).unwrap_or(inside.len());
    variables(template)
        .unwrap_or_default()
        .into_iter()
        .filter_map(inside)
        .filter_map(|inside| inside.get(..name(inside)))
        .collect()
}

/// Where a `{…}` stands.
struct Variable {
    start: usize,
    end: usize,
}

impl Variable {
    fn expression<'a>(&self, template: &'a [u8], default: &'a [u8]) -> Result<&'a [u8], String> {
        let inside = template.get(self.start + 1..self.end - 1).unwrap_or_default();
        let (name, expression) = match memchr::memchr(b':', inside) {
            Some(place) => {
                let (name, expression) = inside.split_at_checked(place).unwrap_or((inside, &[]));
                (name, expression.get(1..).unwrap_or_default())
            }
            None => (inside, default),
        };
        if name.is_empty() || expression.is_empty() {
            let shown =
                String::from_utf8_lossy(template.get(self.start..self.end).unwrap_or_default());
            return Err(format!("`{shown}` needs a name and, after a colon, an expression"));
        }
        Ok(expression)
    }
}

/// The outermost braces.
fn variables(template: &[u8]) -> Result<Vec<Variable>, String> {
    let unbalanced = || "its braces are not balanced".to_owned();
    let mut variables = Vec::new();
    let (mut level, mut start) = (0_usize, 0);
    for (place, &byte) in template.iter().enumerate() {
        match byte {
            b'{' => {
                level += 1;
                if level == 1 {
                    start = place;
                }
            }
            b'}' => {
                level = level.checked_sub(1).ok_or_else(unbalanced)?;
                if level == 0 {
                    variables.push(Variable { start, end: place + 1 });
                }
            }
            _ => {}
        }
    }
    if level == 0 { Ok(variables) } else { Err(unbalanced()) }
}

/// Go's `regexp.QuoteMeta`.
fn quote(text: &[u8], pattern: &mut Vec<u8>) {
    for &byte in text {
        if br"\.+*?()|[]{}^$".contains(&byte) {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
}
