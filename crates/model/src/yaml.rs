//! YAML text to [`Node`] trees.

use std::{borrow::Cow, collections::HashMap, hash::BuildHasher as _};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use crate::{Node, Position, Value, node::Key};

/// Mappings and lists inside one another, at most.
const MAX_DEPTH: usize = 64;
/// Nodes of one text with its aliases resolved, at most: aliases of aliases grow without bound.
const MAX_NODES: usize = 1_000_000;

/// One document of a YAML text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The line of the document's first content, from 1.
    pub line: u32,
    /// The content; [`Value::Null`] when the document is empty.
    pub node: Node,
}

/// A text that is no YAML, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {}, column {}: {message}", at.line, at.column)]
pub struct SyntaxError {
    /// The place of the fault.
    pub at: Position,
    /// What is wrong.
    pub message: String,
}

/// Parses all documents of a text.
///
/// Anchors, aliases and merge keys (`<<`) are resolved; keys of a mapping are unique.
///
/// # Errors
/// At the first fault, which makes the whole text unreadable.
pub fn parse(text: &str) -> Result<Vec<Document>, SyntaxError> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|e| error(e.marker(), e.info()))?;
        builder.event(event, span)?;
    }
    Ok(builder.documents)
}

/// Builds trees out of the parser's events, with a stack of its own so that depth is bounded.
#[derive(Default)]
struct Builder {
    documents: Vec<Document>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

/// A mapping or list that is not closed yet.
struct Open {
    at: Position,
    anchor: usize,
    entries: Entries,
}

enum Entries {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, key: Option<Key>, merges: Vec<Node>, known: Known },
}

/// The keys of a mapping so far.
///
/// Most mappings have a few, which are looked through; those of a mapping with very many are hashed.
#[derive(Default)]
struct Known {
    /// Places among the entries.
    places: HashTable<usize>,
    hasher: RandomState,
}

/// Keys that are looked through one by one, at most.
const FEW: usize = 16;

impl Known {
    /// The entry that has the key `text` already.
    fn find<'a>(&mut self, text: &str, entries: &'a [(Key, Node)]) -> Option<&'a Key> {
        let at = |place: usize| entries.get(place).map(|(key, _)| key);
        if entries.len() <= FEW {
            return entries.iter().map(|(key, _)| key).find(|key| key.text == text);
        }
        let hasher = &self.hasher;
        let hash = |place: &usize| at(*place).map_or(0, |key| hasher.hash_one(key.text.as_str()));
        for place in self.places.len()..entries.len() {
            self.places.insert_unique(hash(&place), place, hash);
        }
        let same = |place: &usize| at(*place).is_some_and(|key| key.text == text);
        self.places.find(hasher.hash_one(text), same).and_then(|place| at(*place))
    }
}

impl Entries {
    fn map() -> Self {
        Self::Map { entries: Vec::new(), key: None, merges: Vec::new(), known: Known::default() }
    }

    /// The finished value, without room for more: most lists and mappings have one to three entries, and a text
    /// may have half a million of them.
    fn close(self) -> Value {
        match self {
            Self::List(mut items) => {
                items.shrink_to_fit();
                Value::List(items)
            }
            Self::Map { entries, merges, .. } => {
                let mut entries = merge(entries, merges);
                entries.shrink_to_fit();
                Value::Map(entries)
            }
        }
    }
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let at = position(&span.start);
        match event {
            Event::Scalar(text, style, anchor, _tag) => {
                let node = Node { value: scalar(text, style), at };
                self.complete(node, anchor)?;
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| error(&span.start, "alias to an unknown anchor"))?;
                self.count(size(&node), &span.start)?;
                self.complete(Node { at, ..node }, 0)?;
            }
            Event::SequenceStart(anchor, _) => self.start(at, anchor, Entries::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => {
                self.start(at, anchor, Entries::map())?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { at, anchor, entries }) = self.open.pop() {
                    let value = entries.close();
                    self.complete(Node { value, at }, anchor)?;
                }
            }
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn start(&mut self, at: Position, anchor: usize, entries: Entries) -> Result<(), SyntaxError> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(SyntaxError { at, message });
        }
        self.open.push(Open { at, anchor, entries });
        Ok(())
    }

    /// Hands a finished node to what it stands in.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), SyntaxError> {
        self.nodes += 1;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.entries) {
            None => self.documents.push(Document { line: node.at.line, node }),
            Some(Entries::List(items)) => items.push(node),
            Some(Entries::Map { entries, key, merges, known }) => match key.take() {
                None => *key = Some(as_key(node, entries, known)?),
                Some(name) if name.text == "<<" => merges.push(node),
                Some(name) => entries.push((name, node)),
            },
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, marker: &Marker) -> Result<(), SyntaxError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(error(marker, "aliases make this text too large"));
        }
        Ok(())
    }
}

fn as_key(node: Node, entries: &[(Key, Node)], known: &mut Known) -> Result<Key, SyntaxError> {
    let at = node.at;
    let text = match node.value {
        Value::Scalar { text, .. } => text,
        Value::Null => String::new(),
        _ => {
            let message = "a key must be a single value".to_owned();
            return Err(SyntaxError { at, message });
        }
    };
    if let Some(first) = known.find(&text, entries) {
        let message = format!("key `{text}` stands twice, first in line {}", first.at.line);
        return Err(SyntaxError { at, message });
    }
    Ok(Key { text, at })
}

/// Adds what `<<` names without replacing what is written.
fn merge(mut entries: Vec<(Key, Node)>, merges: Vec<Node>) -> Vec<(Key, Node)> {
    let sources = merges.into_iter().flat_map(|node| match node.value {
        Value::List(items) => items,
        _ => vec![node],
    });
    for source in sources {
        let Value::Map(more) = source.value else { continue };
        for (key, node) in more {
            if entries.iter().all(|(known, _)| known.text != key.text) {
                entries.push((key, node));
            }
        }
    }
    entries
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Scalar { text: text.into_owned(), plain }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, node)| size(node)).sum::<usize>(),
        _ => 1,
    }
}

fn position(marker: &Marker) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: number(marker.line()), column: number(marker.col().saturating_add(1)) }
}

fn error(marker: &Marker, message: &str) -> SyntaxError {
    SyntaxError { at: position(marker), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn documents_know_their_lines() {
        let documents = parse("# first\na: 1\n---\n\nb: [x, 'y']\n").unwrap();
        let lines: Vec<_> = documents.iter().map(|d| d.line).collect();
        assert_eq!(lines, [2, 5]);
        assert_eq!(documents[1].node.to_json(), serde_json::json!({"b": ["x", "y"]}));
        assert_eq!(documents[0].node.get("a").unwrap().at.line, 2);
    }

    #[test]
    fn merge_keys_fill_in_what_is_not_written() {
        let documents = parse("base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\n").unwrap();
        let more = documents[0].node.get("more").unwrap().to_json();
        assert_eq!(more, serde_json::json!({"x": 1, "y": 3}));
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(parse("a: 1\nb: [\n").unwrap_err().at.line, 3);
        let twice = parse("a: 1\na: 2\n").unwrap_err();
        assert_eq!(twice.to_string(), "line 2, column 1: key `a` stands twice, first in line 1");
    }

    #[test]
    fn a_key_that_stands_twice_is_found_among_many() {
        let mut text: String = (0..100).map(|n| format!("k{n}: {n}\n")).collect();
        assert_eq!(parse(&text).unwrap().len(), 1);
        text.push_str("k77: again\n");
        let twice = parse(&text).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "line 101, column 1: key `k77` stands twice, first in line 78"
        );
    }

    #[test]
    fn aliases_cannot_grow_without_bound() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            let alias = format!("*a{}, ", i - 1).repeat(10);
            text.push_str(&format!("a{i}: &a{i} [{alias}]\n"));
        }
        assert!(parse(&text).unwrap_err().message.contains("too large"));
        assert!(parse(&"[".repeat(500)).is_err());
    }
}
