//! The rule language of routers: text → tree → matchers → index.
//!
//! A router's rule such as ``Host(`a.example`) && PathPrefix(`/api`)`` is read by [`parse`] into a
//! [`Rule`], which answers whether a [`Subject`] (a canonical request) matches. An [`Index`] holds
//! the rules of one entry point and finds the first that matches by priority, at a cost that does
//! not grow with their number.
//!
//! Language and meaning are those of Traefik 3.7, in both syntaxes ([`Syntax::V3`] and the
//! deprecated [`Syntax::V2`]): the grammar of Go expressions, Go string literals, and regular
//! expressions of Go's `regexp`, which `pattern` translates so that they mean the same here.
//!
//! # Invariants
//!
//! - This crate does no IO and knows no other crate of the workspace.
//! - No text makes it panic or overflow the stack: length ([`MAX_LENGTH`]), nesting
//!   ([`MAX_DEPTH`]) and the size of a compiled expression are bounded, each with its own error.
//! - [`Index::find`] equals trying every rule in order of priority; it allocates only when a
//!   regular expression meets bytes that are not UTF-8 or a decoded query value.

mod error;
mod index;
mod lexer;
mod matcher;
mod name;
mod parser;
mod path;
mod pattern;
mod query;
mod rule;
mod subject;
mod tree;

pub use error::{RuleError, Span};
pub use index::{Claim, Index};
pub use matcher::AddressRange;
pub use name::{MatcherName, Syntax};
pub use parser::{MAX_DEPTH, MAX_LENGTH, parse_tree};
pub use path::{DanglingPercent, routing_path};
pub use pattern::{Expression, Found};
pub use rule::{Rule, default_priority, parse};
pub use subject::Subject;
pub use tree::{Argument, Call, Tree};
