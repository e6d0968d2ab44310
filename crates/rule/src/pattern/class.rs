//! Characters and character classes of Go's expressions.

use std::fmt::Write as _;

use super::translate::Flags;
use super::unicode;

/// Matches no character. (Go can name surrogates, which no text holds.)
const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";

/// The expression for one character, given as its code point.
pub(super) fn character(code: u32, flags: Flags) -> String {
    match char::from_u32(code) {
        None => NOTHING.to_owned(),
        Some(plain) if plain.is_ascii_digit() => plain.to_string(),
        Some(plain) if plain.is_ascii_alphabetic() && !flags.fold_case => plain.to_string(),
        Some(_) if flags.fold_case => format!(r"(?i:\x{{{code:X}}})"),
        Some(_) => format!(r"\x{{{code:X}}}"),
    }
}

/// Reads `[…]`.
pub(super) fn bracketed(rest: &mut &str, flags: Flags) -> Result<String, String> {
    let mut text = rest.get(1..).unwrap_or_default();
    let negated = text.starts_with('^');
    if negated {
        text = text.get(1..).unwrap_or_default();
    }
    let mut body = String::new();
    let mut first = true;
    while first || !text.starts_with(']') {
        first = false;
        if let Some(set) = posix(&mut text)? {
            body.push_str(&set);
        } else if let Some(set) = escaped_set(&mut text)? {
            body.push_str(&set);
        } else {
            range(&mut text, &mut body)?;
        }
    }
    *rest = text.get(1..).unwrap_or_default();
    if body.is_empty() {
        // All that it named were surrogates.
        body.push_str(NOTHING);
    }
    let class = format!("[{}{body}]", if negated { "^" } else { "" });
    Ok(with_case(class, flags))
}

/// Reads `\d`, `\pL`, `\p{Greek}` and the like, if that is what follows.
pub(super) fn escaped_class(rest: &mut &str, flags: Flags) -> Result<Option<String>, String> {
    Ok(escaped_set(rest)?.map(|set| with_case(format!("[{set}]"), flags)))
}

fn with_case(class: String, flags: Flags) -> String {
    if flags.fold_case { format!("(?i:{class})") } else { class }
}

/// One character or a range of two.
fn range(text: &mut &str, body: &mut String) -> Result<(), String> {
    let before = *text;
    let low = class_character(text)?;
    let mut high = low;
    if text.starts_with('-') && text.len() >= 2 && !text.starts_with("-]") {
        *text = text.get(1..).unwrap_or_default();
        high = class_character(text)?;
        if high < low {
            let written = before.get(..before.len() - text.len()).unwrap_or_default();
            return Err(format!("the range `{written}` runs backwards"));
        }
    }
    // Surrogates are no characters: the range is cut around them.
    for (low, high) in [(low, high.min(0xD7FF)), (low.max(0xE000), high)] {
        if low <= high {
            let _ = write!(body, r"\x{{{low:X}}}-\x{{{high:X}}}");
        }
    }
    Ok(())
}

fn class_character(text: &mut &str) -> Result<u32, String> {
    match text.chars().next() {
        None => Err("a `[` is not closed".to_owned()),
        Some('\\') => escaped_character(text),
        Some(plain) => {
            *text = text.get(plain.len_utf8()..).unwrap_or_default();
            Ok(u32::from(plain))
        }
    }
}

/// Reads `[:name:]`, if that is what follows.
fn posix(text: &mut &str) -> Result<Option<String>, String> {
    let Some((name, rest)) = text.strip_prefix("[:").and_then(|body| body.split_once(":]")) else {
        return Ok(None);
    };
    let (negated, class) = match name.strip_prefix('^') {
        Some(class) => ("^", class),
        None => ("", name),
    };
    let set = match class {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "ascii" => r"\x00-\x7F",
        "blank" => r"\t\x20",
        "cntrl" => r"\x00-\x1F\x7F",
        "digit" => "0-9",
        "graph" => r"\x21-\x7E",
        "lower" => "a-z",
        "print" => r"\x20-\x7E",
        "punct" => r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E",
        "space" => r"\t\n\x0B\x0C\r\x20",
        "upper" => "A-Z",
        "word" => "0-9A-Za-z_",
        "xdigit" => "0-9A-Fa-f",
        _ => return Err(format!("`[:{name}:]` is no known class")),
    };
    *text = rest;
    Ok(Some(format!("[{negated}{set}]")))
}

/// Reads an escape that stands for a set; the result goes between brackets.
fn escaped_set(text: &mut &str) -> Result<Option<String>, String> {
    let Some(kind) = text.strip_prefix('\\').and_then(|rest| rest.chars().next()) else {
        return Ok(None);
    };
    let set = match kind {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\x0C\r\x20]",
        'S' => r"[^\t\n\x0C\r\x20]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'p' | 'P' => return unicode_set(text, kind == 'P').map(Some),
        _ => return Ok(None),
    };
    *text = text.get(2..).unwrap_or_default();
    Ok(Some(set.to_owned()))
}

/// Reads `\pN`, `\p{Name}`, `\p{^Name}` and their negations.
fn unicode_set(text: &mut &str, negated: bool) -> Result<String, String> {
    let body = text.get(2..).unwrap_or_default();
    let (name, rest) = match body.strip_prefix('{') {
        Some(braced) => {
            braced.split_once('}').ok_or("the name of a Unicode class is not closed")?
        }
        None => {
            let length = body.chars().next().map_or(0, char::len_utf8);
            body.split_at_checked(length).unwrap_or((body, ""))
        }
    };
    let (class, inner_negated) = match name.strip_prefix('^') {
        Some(class) => (class, true),
        None => (name, false),
    };
    let sign = if negated != inner_negated { 'P' } else { 'p' };
    let set = match unicode::class(class) {
        // Surrogates: no text holds one.
        Some("Cs") if sign == 'p' => NOTHING.to_owned(),
        Some("Cs") => r"\x{0}-\x{10FFFF}".to_owned(),
        Some(class) => format!(r"\{sign}{{{class}}}"),
        None => return Err(format!("`{name}` is no known Unicode class")),
    };
    *text = rest;
    Ok(set)
}

/// Reads an escape that stands for one character, given as its code point.
pub(super) fn escaped_character(text: &mut &str) -> Result<u32, String> {
    let whole = *text;
    let mut characters = whole.chars();
    characters.next();
    let invalid = |length: usize| {
        let shown: String = whole.chars().take(length).collect();
        format!("`{shown}` is no known escape")
    };
    let Some(kind) = characters.next() else {
        return Err("it ends in a backslash".to_owned());
    };
    let rest = characters.as_str();
    let (code, rest) = match kind {
        '0'..='7' => octal(kind, rest).ok_or_else(|| invalid(2))?,
        'x' => hexadecimal(rest).ok_or_else(|| invalid(4))?,
        'a' => (0x07, rest),
        'f' => (0x0C, rest),
        'n' => (0x0A, rest),
        'r' => (0x0D, rest),
        't' => (0x09, rest),
        'v' => (0x0B, rest),
        mark if mark.is_ascii() && !mark.is_ascii_alphanumeric() => (u32::from(mark), rest),
        _ => return Err(invalid(2)),
    };
    *text = rest;
    Ok(code)
}

/// Up to three octal digits; one digit other than zero would be a back-reference, which Go lacks.
fn octal(first: char, rest: &str) -> Option<(u32, &str)> {
    let more = rest.bytes().take(2).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
    if first != '0' && more == 0 {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(more)?;
    let code = digits
        .chars()
        .filter_map(|digit| digit.to_digit(8))
        .fold(first.to_digit(8)?, |code, digit| code * 8 + digit);
    Some((code, rest))
}

/// Two hexadecimal digits, or any number of them in braces.
fn hexadecimal(rest: &str) -> Option<(u32, &str)> {
    let (digits, rest) = match rest.strip_prefix('{') {
        Some(braced) => braced.split_once('}')?,
        None => rest.split_at_checked(2)?,
    };
    if digits.is_empty() {
        return None;
    }
    let mut code: u32 = 0;
    for digit in digits.chars() {
        code = code.checked_mul(16)?.checked_add(digit.to_digit(16)?)?;
        if code > u32::from(char::MAX) {
            return None;
        }
    }
    Some((code, rest))
}
