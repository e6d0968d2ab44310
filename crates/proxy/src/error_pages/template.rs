//! Texts with placeholders: `{status}`, `{text}` and `{reason}`.

use portway_http::Status;
use portway_model::nearest;
use portway_observe::Reason;

/// What stands for a placeholder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filling {
    /// `{status}`, its number, and `{text}`, what it means.
    pub(super) status: Status,
    /// `{reason}`, as the access log has it.
    pub(super) reason: Reason,
}

/// A template that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("errorPages.{option}: {message}")]
pub struct InvalidTemplate {
    option: &'static str,
    message: String,
}

/// A template, ready to be filled.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    escape: fn(char, &mut String),
}

#[derive(Debug)]
enum Part {
    Literal(Box<str>),
    Value(Placeholder),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Placeholder {
    Status,
    Text,
    Reason,
}

const PLACEHOLDERS: [(&str, Placeholder); 3] =
    [("status", Placeholder::Status), ("text", Placeholder::Text), ("reason", Placeholder::Reason)];

impl Template {
    /// A page, in which values are escaped for elements and attributes in quotes.
    pub(super) fn html(text: &str) -> Result<Self, InvalidTemplate> {
        Self::parse("html", text, escape_html)
    }

    /// Data, in which values are escaped for strings. It must be JSON whatever the placeholders stand for.
    pub(super) fn json(text: &str) -> Result<Self, InvalidTemplate> {
        let template = Self::parse("json", text, escape_json)?;
        let sample = Filling { status: Status::BAD_GATEWAY, reason: Reason::ConnectFailed };
        let read = serde_json::from_str::<serde_json::Value>(&template.fill(&sample));
        let message = |error| {
            format!(
                "is no JSON once it is filled: {error}; `{{text}}` and `{{reason}}` need quotes"
            )
        };
        match read {
            Ok(_) => Ok(template),
            Err(error) => Err(InvalidTemplate { option: "json", message: message(error) }),
        }
    }

    fn parse(
        option: &'static str,
        text: &str,
        escape: fn(char, &mut String),
    ) -> Result<Self, InvalidTemplate> {
        if text.trim().is_empty() {
            return Err(InvalidTemplate { option, message: "is empty".to_owned() });
        }
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            literal.push_str(before);
            match name(after) {
                Some((name, behind)) => {
                    let found = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
                    let unknown = || InvalidTemplate { option, message: unknown(name) };
                    let (_, placeholder) = found.ok_or_else(unknown)?;
                    parts.push(Part::Literal(std::mem::take(&mut literal).into()));
                    parts.push(Part::Value(*placeholder));
                    rest = behind;
                }
                None => {
                    literal.push('{');
                    rest = after;
                }
            }
        }
        literal.push_str(rest);
        parts.push(Part::Literal(literal.into()));
        Ok(Self { parts, escape })
    }

    /// The text with these values.
    pub(super) fn fill(&self, filling: &Filling) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Value(placeholder) => {
                    filling.value(*placeholder).chars().for_each(|c| (self.escape)(c, &mut out));
                }
            }
        }
        out
    }
}

impl Filling {
    fn value(&self, placeholder: Placeholder) -> String {
        match placeholder {
            Placeholder::Status => self.status.code().to_string(),
            Placeholder::Text if self.status.text().is_empty() => {
                format!("status code {}", self.status.code())
            }
            Placeholder::Text => self.status.text().to_owned(),
            Placeholder::Reason => self.reason.as_str().to_owned(),
        }
    }
}

/// The name of a placeholder whose brace was just read, and what follows its other brace. Letters alone make one, so
/// that rules of CSS and objects of JSON are none.
fn name(text: &str) -> Option<(&str, &str)> {
    let (name, behind) = text.split_once('}')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_name.then_some((name, behind))
}

fn unknown(name: &str) -> String {
    let known = PLACEHOLDERS.map(|(known, _)| known);
    match nearest(name, known) {
        Some(near) => format!("unknown placeholder `{{{name}}}`; did you mean `{{{near}}}`?"),
        None => format!(
            "unknown placeholder `{{{name}}}`; there are {}. Blanks inside the braces make it plain text",
            known.map(|known| format!("`{{{known}}}`")).join(", ")
        ),
    }
}

fn escape_html(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&#34;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

fn escape_json(c: char, out: &mut String) {
    match c {
        '"' | '\\' => out.extend(['\\', c]),
        c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILLING: Filling = Filling { status: Status::TEAPOT, reason: Reason::Middleware };

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let filled = Template::html(text).map(|template| template.fill(&FILLING));
        assert_eq!(filled.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn placeholders_are_filled_and_escaped() {
        check("{status}", "418");
        check("a {status} {text}{reason} b", "a 418 I&#39;m a teapotMiddleware b");
        let other = Filling { status: Status::new(599).unwrap(), ..FILLING };
        assert_eq!(Template::html("{text}").unwrap().fill(&other), "status code 599");
        let json = Template::json("{\"a\": \"{text}\", \"b\": [{status}, {\"c\": \"{reason}\"}]}");
        assert_eq!(
            json.unwrap().fill(&FILLING),
            "{\"a\": \"I'm a teapot\", \"b\": [418, {\"c\": \"Middleware\"}]}"
        );
    }

    #[test]
    fn other_braces_are_plain_text() {
        for text in ["p{color:red}", "{ status }", "{}", "{", "a}b{", "{{1}}", "x{a b}", "{\"a\"}"]
        {
            check(text, text);
        }
        check("p{margin:0}{status}{", "p{margin:0}418{");
    }

    #[test]
    fn a_template_that_cannot_be_meant_is_refused() {
        let option = "errorPages.html: ";
        check(
            "{stauts}",
            &format!("{option}unknown placeholder `{{stauts}}`; did you mean `{{status}}`?"),
        );
        check(
            "{requestId}",
            &format!(
                "{option}unknown placeholder `{{requestId}}`; there are `{{status}}`, `{{text}}`, \
                 `{{reason}}`. Blanks inside the braces make it plain text"
            ),
        );
        check(" \n", &format!("{option}is empty"));
        let json = |text| Template::json(text).unwrap_err().to_string();
        assert!(
            json("{\"a\": {text}}").starts_with("errorPages.json: is no JSON once it is filled: ")
        );
        assert!(json("{\"a\": {status}").starts_with("errorPages.json: is no JSON"));
        assert!(json("<p>").starts_with("errorPages.json: is no JSON"));
    }

    #[test]
    fn what_markup_is_made_of_is_escaped() {
        let escaped = |escape: fn(char, &mut String), text: &str| {
            let mut out = String::new();
            text.chars().for_each(|c| escape(c, &mut out));
            out
        };
        assert_eq!(escaped(escape_html, "<a b='c\">&é"), "&lt;a b=&#39;c&#34;&gt;&amp;é");
        assert_eq!(escaped(escape_json, "\"\\\n\u{1}é"), "\\\"\\\\\\u000a\\u0001é");
    }
}
