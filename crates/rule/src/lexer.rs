//! Tokens of a rule: the part of Go's scanner that a rule can use.
//!
//! Kept from Go because rules in the wild depend on it: comments, the semicolon that a line break
//! after an operand inserts, raw and interpreted string literals, and the refusal of NUL and of a
//! byte order mark that is not the first character.

use crate::error::{RuleError, Span};

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name.
    Word,
    /// The value of a string literal.
    Text(Vec<u8>),
    Open,
    Close,
    Comma,
    And,
    Or,
    Not,
    /// `...`, which Go allows after the last argument.
    Ellipsis,
    /// A line break after a complete operand, which ends the expression; also the end of the text
    /// there.
    LineEnd,
    /// A number, a keyword's operator or any other token that no rule has.
    Other,
    /// The end of the text.
    End,
}

/// Cuts a rule into tokens, one at a time.
pub(crate) struct Lexer<'a> {
    rule: &'a str,
    offset: usize,
    /// The token before was one that can end an expression.
    after_operand: bool,
}

impl<'a> Lexer<'a> {
    /// Starts at the beginning of `rule`; refuses characters that Go refuses anywhere.
    pub(crate) fn new(rule: &'a str) -> Result<Self, RuleError> {
        let offset = if rule.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let rest = rule.get(offset..).unwrap_or_default();
        if let Some(place) = rest.find(['\0', BYTE_ORDER_MARK]) {
            let start = offset + place;
            let width =
                rest.get(place..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            let span = Span::new(start, start + width);
            return Err(RuleError::new(rule, span, "this character is not allowed in a rule"));
        }
        Ok(Self { rule, offset, after_operand: false })
    }

    /// The next token and its place. After [`Token::End`] it repeats.
    pub(crate) fn next(&mut self) -> Result<(Token, Span), RuleError> {
        if let Some(line_end) = self.skip_blanks()? {
            self.after_operand = false;
            return Ok((Token::LineEnd, line_end));
        }
        let start = self.offset;
        let Some(first) = self.rest().chars().next() else {
            let token = if self.after_operand { Token::LineEnd } else { Token::End };
            self.after_operand = false;
            return Ok((token, Span::new(start, start)));
        };
        let token = match first {
            '"' => Token::Text(self.interpreted()?),
            '`' => Token::Text(self.raw()?),
            '\'' => {
                let message = "single quotes do not make a text; use back-quotes: `…`";
                return Err(self.error(start, start + 1, message));
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                self.take_while(|letter| letter.is_alphanumeric() || letter == '_');
                Token::Word
            }
            digit if digit.is_numeric() => {
                self.take_while(|letter| {
                    letter.is_alphanumeric() || letter == '.' || letter == '_'
                });
                Token::Other
            }
            _ => self.operator(first),
        };
        self.after_operand =
            matches!(token, Token::Word | Token::Text(_) | Token::Close | Token::Other);
        Ok((token, Span::new(start, self.offset)))
    }

    fn operator(&mut self, first: char) -> Token {
        const OPERATORS: [(&str, Token); 7] = [
            ("...", Token::Ellipsis),
            ("&&", Token::And),
            ("||", Token::Or),
            ("(", Token::Open),
            (")", Token::Close),
            (",", Token::Comma),
            ("!", Token::Not),
        ];
        // `!=` and `&^` are tokens of their own in Go.
        if !self.rest().starts_with("!=") {
            for (text, token) in OPERATORS {
                if self.rest().starts_with(text) {
                    self.offset += text.len();
                    return token;
                }
            }
        }
        self.offset += first.len_utf8();
        Token::Other
    }

    /// Skips spaces and comments; returns the place of a line break that ends an expression.
    fn skip_blanks(&mut self) -> Result<Option<Span>, RuleError> {
        loop {
            let start = self.offset;
            let rest = self.rest();
            if rest.starts_with("//") {
                self.take_while(|character| character != '\n');
            } else if rest.starts_with("/*") {
                let Some(length) = rest.get(2..).and_then(|body| body.find("*/")) else {
                    return Err(self.error(
                        start,
                        start + 2,
                        "this comment is not closed; add `*/`",
                    ));
                };
                self.offset += length + 4;
                let line_break = rest.get(..length + 4).and_then(|comment| comment.find('\n'));
                if let (true, Some(place)) = (self.after_operand, line_break) {
                    return Ok(Some(Span::new(start + place, start + place + 1)));
                }
            } else if rest.starts_with('\n') && self.after_operand {
                self.offset += 1;
                return Ok(Some(Span::new(start, start + 1)));
            } else if rest.starts_with([' ', '\t', '\r', '\n']) {
                self.offset += 1;
            } else {
                return Ok(None);
            }
        }
    }

    /// A raw literal: no escapes, and carriage returns are dropped.
    fn raw(&mut self) -> Result<Vec<u8>, RuleError> {
        let start = self.offset;
        let body = self.rest().get(1..).unwrap_or_default();
        let Some(length) = body.find('`') else {
            return Err(self.error(start, start + 1, "this text is not closed; add a back-quote"));
        };
        self.offset += length + 2;
        Ok(body.bytes().take(length).filter(|&byte| byte != b'\r').collect())
    }

    /// An interpreted literal, with Go's escapes.
    fn interpreted(&mut self) -> Result<Vec<u8>, RuleError> {
        let start = self.offset;
        self.offset += 1;
        let mut value = Vec::new();
        loop {
            let rest = self.rest();
            match rest.chars().next() {
                Some('"') => {
                    self.offset += 1;
                    return Ok(value);
                }
                Some('\\') => self.escape(&mut value)?,
                Some(character) if character != '\n' => {
                    self.offset += character.len_utf8();
                    value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => {
                    return Err(self.error(
                        start,
                        self.offset,
                        "this text is not closed; add `\"`",
                    ));
                }
            }
        }
    }

    fn escape(&mut self, value: &mut Vec<u8>) -> Result<(), RuleError> {
        let start = self.offset;
        let kind = self.rest().chars().nth(1);
        let simple = match kind {
            Some('a') => Some(0x07),
            Some('b') => Some(0x08),
            Some('f') => Some(0x0c),
            Some('n') => Some(b'\n'),
            Some('r') => Some(b'\r'),
            Some('t') => Some(b'\t'),
            Some('v') => Some(0x0b),
            Some('\\') => Some(b'\\'),
            Some('"') => Some(b'"'),
            _ => None,
        };
        if let Some(byte) = simple {
            self.offset += 2;
            value.push(byte);
            return Ok(());
        }
        let (digits_at, count, radix) = match kind {
            Some('0'..='7') => (1, 3, 8),
            Some('x') => (2, 2, 16),
            Some('u') => (2, 4, 16),
            Some('U') => (2, 8, 16),
            _ => {
                let end = start + 1 + kind.map_or(0, char::len_utf8);
                let message =
                    "unknown escape in \"…\"; write `\\\\` for a backslash, or use back-quotes";
                return Err(self.error(start, end, message));
            }
        };
        let end = digits_at + count;
        let digits = self.rest().get(digits_at..end).filter(|digits| digits.len() == count);
        // `from_str_radix` would accept a sign.
        let digits = digits.filter(|digits| digits.chars().all(|digit| digit.is_digit(radix)));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, radix).ok());
        let is_byte = matches!(kind, Some('0'..='7' | 'x'));
        match number {
            Some(number) if is_byte => match u8::try_from(number) {
                Ok(byte) => value.push(byte),
                Err(_) => return Err(self.error(start, start + end, "this escape is above \\377")),
            },
            Some(number) => match char::from_u32(number) {
                Some(character) => {
                    value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                None => {
                    return Err(self.error(start, start + end, "this escape names no character"));
                }
            },
            None => {
                let message = format!("this escape needs {count} digits");
                return Err(self.error(start, start + digits_at, message));
            }
        }
        self.offset += end;
        Ok(())
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.offset += rest.find(|character| !belongs(character)).unwrap_or(rest.len());
    }

    fn rest(&self) -> &'a str {
        self.rule.get(self.offset..).unwrap_or_default()
    }

    fn error(&self, start: usize, end: usize, message: impl Into<String>) -> RuleError {
        RuleError::new(self.rule, Span::new(start, end), message)
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';
