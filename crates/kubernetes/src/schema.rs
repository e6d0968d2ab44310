//! What an API server accepts of Traefik's kinds.
//!
//! One tree per kind serves two purposes: [`definition()`] prints it as the CustomResourceDefinition that
//! an API server validates by, and [`crate::api::read`] checks what stands in a file against it, so that
//! a file is refused for what a cluster would refuse.
//!
//! Source: the definitions that Traefik 3.7 publishes. Fields, types, limits and rules are theirs, so that
//! every object of theirs stays valid; the status, the columns and the descriptions are ours.
//!
//! # Invariants
//! - Nothing here is stricter or laxer than Traefik's definitions: what is valid there and cannot be
//!   served is for the readers and the translation to say.
//! - Every field that a reader asks for is here, and every field here is read or reported.

use std::ops::{Bound, RangeBounds};

use portway_model::Node;

mod check;
mod definition;
mod ingress_route;
mod ingress_route_tcp;
mod ingress_route_udp;
mod json;
mod middleware;
mod middleware_tcp;
mod pattern;
mod reference;
mod route_tls;
mod servers_transport;
mod servers_transport_tcp;
mod service_reference;
mod tls_option;
mod tls_store;
mod traefik_service;

pub(crate) use check::check;
pub use definition::definition;

use pattern::Pattern;

/// What a value may be.
#[derive(Debug)]
pub(crate) struct Schema {
    /// One sentence, as `kubectl explain` shows it; empty where the field around it says all.
    description: &'static str,
    shape: Shape,
    rules: Vec<Rule>,
}

/// The type of a value, with the limits that its type has.
#[derive(Debug)]
enum Shape {
    Boolean,
    /// A whole number.
    Integer {
        /// Whether its width of 64 bits is told to clients; it has that width in any case.
        wide: bool,
        least: Option<i64>,
        most: Option<i64>,
    },
    Text {
        /// The only values; empty means any.
        one_of: &'static [&'static str],
        pattern: Option<Pattern>,
        /// What an API server writes where the field is absent.
        default: Option<&'static str>,
    },
    /// A whole number, or a text of the pattern.
    IntegerOrText {
        pattern: Option<Pattern>,
    },
    List(Box<Schema>),
    /// Names of the user's choice.
    Map(Box<Schema>),
    /// Fields.
    Object(Vec<Property>),
    /// Whatever it is, it is kept.
    Anything,
}

/// A field of an object.
#[derive(Debug)]
struct Property {
    name: &'static str,
    required: bool,
    schema: Schema,
}

/// What types cannot say: in CEL for an API server, and in Rust for files.
#[derive(Debug)]
struct Rule {
    cel: &'static str,
    /// What an API server says where the rule is broken.
    message: &'static str,
    /// What we say where the rule is broken; `None` where it holds.
    broken: fn(&Node) -> Option<String>,
}

impl Schema {
    fn new(description: &'static str, shape: Shape) -> Self {
        Self { description, shape, rules: Vec::new() }
    }

    fn text(
        one_of: &'static [&'static str],
        pattern: Option<Pattern>,
        description: &'static str,
    ) -> Self {
        Self::new(description, Shape::Text { one_of, pattern, default: None })
    }

    fn integer(wide: bool, range: impl RangeBounds<i64>, description: &'static str) -> Self {
        let least = match range.start_bound() {
            Bound::Included(least) => Some(*least),
            Bound::Excluded(below) => Some(below.saturating_add(1)),
            Bound::Unbounded => None,
        };
        let most = match range.end_bound() {
            Bound::Included(most) => Some(*most),
            Bound::Excluded(above) => Some(above.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Self::new(description, Shape::Integer { wide, least, most })
    }

    fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }
}

/// `true` or `false`.
fn boolean(description: &'static str) -> Schema {
    Schema::new(description, Shape::Boolean)
}

/// A whole number in a range.
fn integer(range: impl RangeBounds<i64>, description: &'static str) -> Schema {
    Schema::integer(false, range, description)
}

/// A whole number in a range, whose width of 64 bits Traefik's definitions tell.
fn wide_integer(range: impl RangeBounds<i64>, description: &'static str) -> Schema {
    Schema::integer(true, range, description)
}

/// Any text, the empty one too.
fn text(description: &'static str) -> Schema {
    Schema::text(&[], None, description)
}

/// One of a few words, to the letter.
fn one_of(words: &'static [&'static str], description: &'static str) -> Schema {
    Schema::text(words, None, description)
}

/// One of a few words; an API server writes the first where there is none.
fn first_of(words: &'static [&'static str], description: &'static str) -> Schema {
    let default = words.first().copied();
    Schema::new(description, Shape::Text { one_of: words, pattern: None, default })
}

/// Texts such as `404`, `500-599` and `404,410-418`.
fn status_codes(description: &'static str) -> Schema {
    list(description, Schema::text(&[], Some(Pattern::StatusCodes), ""))
}

/// A whole number or any text.
fn integer_or_text(description: &'static str) -> Schema {
    Schema::new(description, Shape::IntegerOrText { pattern: None })
}

/// A whole number of seconds, or a text such as `1m30s` whose form is checked.
fn period(description: &'static str) -> Schema {
    Schema::new(description, Shape::IntegerOrText { pattern: Some(Pattern::Period) })
}

fn list(description: &'static str, item: Schema) -> Schema {
    Schema::new(description, Shape::List(Box::new(item)))
}

fn texts(description: &'static str) -> Schema {
    list(description, text(""))
}

/// Names of the user's choice, each with a value.
fn map(description: &'static str, value: Schema) -> Schema {
    Schema::new(description, Shape::Map(Box::new(value)))
}

/// Whatever it is, it is kept.
fn anything() -> Schema {
    Schema::new("", Shape::Anything)
}

fn object(description: &'static str, properties: impl IntoIterator<Item = Property>) -> Schema {
    Schema::new(description, Shape::Object(properties.into_iter().collect()))
}

/// A field that may be absent.
fn optional(name: &'static str, schema: Schema) -> Property {
    Property { name, required: false, schema }
}

/// A field that must be there; its value may be empty.
fn required(name: &'static str, schema: Schema) -> Property {
    Property { name, required: true, schema }
}
