//! The little of Go's templates that files of Traefik commonly have.
//!
//! Traefik runs each file as a Go template. Portway fills in `{{ env "NAME" }}`, texts (`{{ "a" }}`) and comments
//! (`{{/* a */}}`); everything else is refused with its line.

use portway_model::{Position, yaml::SyntaxError};

/// The text with its templates filled in; `variable` gives environment variables, empty where there is none as in
/// Go.
///
/// # Errors
/// At the first template that is none of these.
pub(super) fn fill(text: &str, variable: impl Fn(&str) -> String) -> Result<String, SyntaxError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let offset = text.len() - rest.len() + before.len();
        filled.push_str(before);
        let fail =
            |message: &str| SyntaxError { at: position(text, offset), message: message.to_owned() };
        let (action, left) = split_action(after)
            .ok_or_else(|| fail("`{{` begins a template that does not end with `}}`"))?;
        // A dash trims the space on its side.
        if action.starts_with("- ") {
            filled.truncate(filled.trim_end().len());
        }
        rest = if action.ends_with(" -") { left.trim_start() } else { left };
        let inner = action.strip_prefix("- ").unwrap_or(action);
        let inner = inner.strip_suffix(" -").unwrap_or(inner).trim();
        if inner.starts_with("/*") && inner.ends_with("*/") {
            continue;
        }
        let value = match inner.strip_prefix("env").map(str::trim_start).map(literal) {
            Some(Some(name)) => Some(variable(name)),
            Some(None) => None,
            None => literal(inner).map(str::to_owned),
        };
        let value = value.ok_or_else(|| {
            fail("templates other than `{{ env \"NAME\" }}` are not served; write what it stands for")
        })?;
        filled.push_str(&value);
    }
    filled.push_str(rest);
    Ok(filled)
}

/// What stands before `}}`, and what follows it; quotes hide it.
fn split_action(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, ch) in text.char_indices() {
        match (quote, ch) {
            (None, '"' | '`') => quote = Some(ch),
            (Some(open), ch) if open == ch => quote = None,
            (None, '}') => {
                let (action, rest) = text.split_at_checked(at)?;
                if let Some(rest) = rest.strip_prefix("}}") {
                    return Some((action, rest));
                }
            }
            _ => {}
        }
    }
    None
}

/// A quoted text without escapes.
fn literal(text: &str) -> Option<&str> {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('`')).filter(|text| !text.contains(['"', '`', '\\']))
}

fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: number(line), column: number(column) }
}

#[cfg(test)]
mod tests {
    use super::fill;

    fn filled(text: &str) -> Result<String, String> {
        let variable = |name: &str| if name == "A" { "x".to_owned() } else { String::new() };
        fill(text, variable).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_texts_and_comments_are_filled_in() {
        assert_eq!(filled("a: {{ env \"A\" }}.{{env `A`}}\n").unwrap(), "a: x.x\n");
        assert_eq!(filled("a{{/* no */}}b{{ \"}}\" }}c{{ env \"NONE\" }}").unwrap(), "ab}}c");
        assert_eq!(filled("a  {{- env \"A\" -}}  b").unwrap(), "axb");
        assert_eq!(filled("rule: Host(`{a}`)").unwrap(), "rule: Host(`{a}`)");
    }

    #[test]
    fn other_templates_are_refused_with_their_line() {
        let message = "line 2, column 4: templates other than `{{ env \"NAME\" }}` are not served; write \
                       what it stands for";
        for template in
            ["{{ range .x }}", "{{ environ }}", "{{ env A }}", "{{ env \"A\" | lower }}", "{{}}"]
        {
            assert_eq!(filled(&format!("a: 1\nb: {template}")).unwrap_err(), message, "{template}");
        }
        assert!(filled("{{ \"}}").unwrap_err().contains("does not end"));
    }
}
