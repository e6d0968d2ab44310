//! Tokens → tree, by recursive descent.
//!
//! The accepted language is what remains of Go's expressions when only calls with string literals,
//! `!`, `&&`, `||` and parentheses are left.

use crate::error::{RuleError, Span};
use crate::lexer::{Lexer, Token};
use crate::name::{MatcherName, Syntax, unknown};
use crate::tree::{Argument, Call, Tree};

/// The longest rule that is read, in bytes.
pub const MAX_LENGTH: usize = 1 << 20;

/// How deep parentheses may nest. (Traefik allows 100,000; a chain of `&&` or `||` does not count.)
pub const MAX_DEPTH: usize = 128;

/// Reads `rule` into a tree: grammar and matcher names only, arguments are not looked at.
///
/// # Errors
///
/// The rule is longer than [`MAX_LENGTH`], nests deeper than [`MAX_DEPTH`], is no expression, or
/// names a matcher that `syntax` does not have.
pub fn parse_tree(rule: &str, syntax: Syntax) -> Result<Tree, RuleError> {
    if rule.len() > MAX_LENGTH {
        let message = format!("the rule is longer than {MAX_LENGTH} bytes");
        return Err(RuleError::new("", Span::new(0, 0), message));
    }
    let mut lexer = Lexer::new(rule)?;
    let (token, span) = lexer.next()?;
    let mut parser = Parser { rule, syntax, lexer, token, span, depth: 0 };
    let tree = parser.any()?;
    if parser.token == Token::LineEnd {
        parser.advance()?;
    }
    if parser.token == Token::End { Ok(tree) } else { Err(parser.trailing()) }
}

struct Parser<'a> {
    rule: &'a str,
    syntax: Syntax,
    lexer: Lexer<'a>,
    /// The token that has not been consumed yet.
    token: Token,
    span: Span,
    depth: usize,
}

impl Parser<'_> {
    /// `all || all || …`
    fn any(&mut self) -> Result<Tree, RuleError> {
        let first = self.all()?;
        if self.token != Token::Or {
            return Ok(first);
        }
        let mut parts = Vec::new();
        flatten(first, &mut parts, as_or);
        while self.token == Token::Or {
            self.advance()?;
            let part = self.all()?;
            flatten(part, &mut parts, as_or);
        }
        Ok(Tree::Or(parts))
    }

    /// `unary && unary && …`
    fn all(&mut self) -> Result<Tree, RuleError> {
        let first = self.unary()?;
        if self.token != Token::And {
            return Ok(first);
        }
        let mut parts = Vec::new();
        flatten(first, &mut parts, as_and);
        while self.token == Token::And {
            self.advance()?;
            let part = self.unary()?;
            flatten(part, &mut parts, as_and);
        }
        Ok(Tree::And(parts))
    }

    /// `!…!operand`
    fn unary(&mut self) -> Result<Tree, RuleError> {
        let mut negated = false;
        while self.token == Token::Not {
            negated = !negated;
            self.advance()?;
        }
        let operand = self.operand()?;
        if !negated {
            return Ok(operand);
        }
        Ok(match operand {
            Tree::Not(inner) => *inner,
            other => Tree::Not(Box::new(other)),
        })
    }

    /// A call, or an expression in parentheses.
    fn operand(&mut self) -> Result<Tree, RuleError> {
        match self.token {
            Token::Word => self.call().map(Tree::Call),
            Token::Open => {
                let open = self.span;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    let message = format!("parentheses nest deeper than {MAX_DEPTH}");
                    return Err(self.error(open, message));
                }
                self.advance()?;
                let inner = self.any()?;
                if self.token != Token::Close {
                    return Err(self.unclosed(open));
                }
                self.advance()?;
                self.depth -= 1;
                Ok(inner)
            }
            Token::Text(_) => {
                Err(self.error(self.span, "a text alone is no condition; put it into a matcher"))
            }
            Token::End | Token::LineEnd => {
                let message = if self.rule.trim().is_empty() {
                    "the rule is empty"
                } else {
                    "a matcher is missing here"
                };
                Err(self.error(self.span, message))
            }
            _ => Err(self.error(self.span, "expected a matcher such as Host(`example.com`)")),
        }
    }

    /// `Name(text, …)`
    fn call(&mut self) -> Result<Call, RuleError> {
        let name_span = self.span;
        let word = self.rule.get(name_span.start..name_span.end).unwrap_or_default();
        let Some(name) = MatcherName::parse(word, self.syntax) else {
            return Err(self.error(name_span, unknown(word, self.syntax)));
        };
        self.advance()?;
        if self.token != Token::Open {
            let message =
                format!("`{name}` needs its argument in parentheses right after the name");
            return Err(self.error(self.span, message));
        }
        let open = self.span;
        self.advance()?;
        let mut arguments = Vec::new();
        while self.token != Token::Close {
            arguments.push(self.argument()?);
            // Go's `f(list...)`: after the ellipsis only the end may follow.
            let last = self.token == Token::Ellipsis;
            if last {
                self.advance()?;
            }
            match self.token {
                Token::Comma => self.advance()?,
                Token::Close => break,
                _ => return Err(self.unclosed(open)),
            }
            if last && self.token != Token::Close {
                return Err(self.error(self.span, "nothing may follow `...`"));
            }
        }
        self.advance()?;
        Ok(Call { name, name_span, arguments })
    }

    fn argument(&mut self) -> Result<Argument, RuleError> {
        let span = self.span;
        match std::mem::replace(&mut self.token, Token::Other) {
            Token::Text(value) => {
                self.advance()?;
                Ok(Argument { value, span })
            }
            Token::End | Token::LineEnd => Err(self.error(span, "an argument is missing here")),
            _ => Err(self.error(span, "an argument must be a text in back-quotes: `…`")),
        }
    }

    fn advance(&mut self) -> Result<(), RuleError> {
        (self.token, self.span) = self.lexer.next()?;
        Ok(())
    }

    /// The error for whatever stands where `)` should.
    fn unclosed(&self, open: Span) -> RuleError {
        match self.token {
            Token::End => self.error(open, "this parenthesis is not closed"),
            Token::LineEnd if self.span.start == self.span.end => {
                self.error(open, "this parenthesis is not closed")
            }
            Token::LineEnd => self.error(self.span, LINE_BREAK),
            _ => self.error(self.span, "expected `)`, `,` or an operator here"),
        }
    }

    /// The error for whatever follows a complete expression.
    fn trailing(&self) -> RuleError {
        let text = self.rule.get(self.span.start..self.span.end).unwrap_or_default();
        let before = self.rule.get(..self.span.start).unwrap_or_default();
        // A line break has already ended the expression when something follows it.
        if before.trim_end_matches([' ', '\t', '\r']).ends_with('\n') {
            return self.error(self.span, LINE_BREAK);
        }
        let message = match text {
            "AND" | "and" | "And" | "&" => "there is no `AND` here; use `&&`",
            "OR" | "or" | "Or" | "|" => "there is no `OR` here; use `||`",
            "," => "several conditions are joined by `&&` or `||`, not by a comma",
            ")" => "this parenthesis was never opened",
            _ => "expected `&&`, `||` or the end of the rule here",
        };
        self.error(self.span, message)
    }

    fn error(&self, span: Span, message: impl Into<String>) -> RuleError {
        RuleError::new(self.rule, span, message)
    }
}

const LINE_BREAK: &str =
    "a line break after a complete condition ends the rule; put the operator before the break";

/// Adds `tree` to `parts`, or its own parts if it is a chain of the same operator.
fn flatten(tree: Tree, parts: &mut Vec<Tree>, chain: impl Fn(Tree) -> Result<Vec<Tree>, Tree>) {
    match chain(tree) {
        Ok(inner) => parts.extend(inner),
        Err(other) => parts.push(other),
    }
}

fn as_and(tree: Tree) -> Result<Vec<Tree>, Tree> {
    match tree {
        Tree::And(parts) => Ok(parts),
        other => Err(other),
    }
}

fn as_or(tree: Tree) -> Result<Vec<Tree>, Tree> {
    match tree {
        Tree::Or(parts) => Ok(parts),
        other => Err(other),
    }
}
