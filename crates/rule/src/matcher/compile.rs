//! Tree → matchers: the checks of arguments, which differ between the syntaxes.

use crate::error::{RuleError, Span};
use crate::matcher::address::AddressRange;
use crate::matcher::template::{Kind, Template, variable_names};
use crate::matcher::{Matcher, Node, Wildcard};
use crate::name::{MatcherName, Syntax};
use crate::pattern::Pattern;
use crate::tree::{Argument, Call, Tree};

/// Compiles `tree`, which was read from `rule`.
pub(crate) fn compile(tree: &Tree, rule: &str, syntax: Syntax) -> Result<Node, RuleError> {
    let all = |parts: &[Tree]| {
        parts.iter().map(|part| compile(part, rule, syntax)).collect::<Result<Box<[_]>, _>>()
    };
    Ok(match tree {
        Tree::And(parts) => Node::And(all(parts)?),
        Tree::Or(parts) => Node::Or(all(parts)?),
        Tree::Not(inner) => Node::Not(Box::new(compile(inner, rule, syntax)?)),
        Tree::Call(call) => {
            let compiled = check_arguments(call).and_then(|()| match syntax {
                Syntax::V2 => v2(call),
                Syntax::V3 => v3(call).map(Node::Leaf),
            });
            compiled.map_err(|refusal| {
                let message = format!("`{}`: {}", call.name, refusal.reason);
                RuleError::new(rule, refusal.span, message)
            })?
        }
    })
}

/// Why a call cannot be compiled.
struct Refusal {
    span: Span,
    reason: String,
}

impl Argument {
    fn refuse(&self, reason: impl Into<String>) -> Refusal {
        Refusal { span: self.span, reason: reason.into() }
    }

    fn pattern(&self) -> Result<Pattern, Refusal> {
        Pattern::compile(&self.value).map_err(|reason| self.refuse_expression(&reason))
    }

    fn refuse_expression(&self, reason: &str) -> Refusal {
        self.refuse(format!("the regular expression is invalid: {reason}"))
    }

    fn ascii(&self) -> Result<&str, Refusal> {
        std::str::from_utf8(&self.value).ok().filter(|text| text.is_ascii()).ok_or_else(|| {
            self.refuse("only ASCII is allowed; write an international name in punycode (xn--…)")
        })
    }

    fn path(&self) -> Result<Box<[u8]>, Refusal> {
        if self.value.starts_with(b"/") {
            Ok(self.value.as_slice().into())
        } else {
            Err(self.refuse("a path must start with `/`"))
        }
    }

    fn range(&self) -> Result<Matcher, Refusal> {
        let range = std::str::from_utf8(&self.value).ok().and_then(AddressRange::parse);
        range.map(Matcher::Client).ok_or_else(|| {
            self.refuse("this is neither an IP address nor a network such as 10.0.0.0/8")
        })
    }

    fn bytes(&self) -> Box<[u8]> {
        self.value.as_slice().into()
    }

    fn method(&self) -> Matcher {
        // A method is ASCII, so what is not UTF-8 matches none.
        match std::str::from_utf8(&self.value) {
            Ok(text) => {
                Matcher::Method(text.chars().map(upper).collect::<String>().into_bytes().into())
            }
            Err(_) => Matcher::Never,
        }
    }

    /// The name of a header in lower case; `None` if no request can have it.
    fn header_name(&self) -> Option<Box<str>> {
        let is_token =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        let text = std::str::from_utf8(&self.value).ok()?;
        let name = text.to_ascii_lowercase();
        // Go moves these two out of a request's headers before anything can look.
        let removed = matches!(name.as_str(), "host" | "transfer-encoding");
        (self.value.iter().all(is_token) && !removed).then(|| name.into())
    }
}

/// Upper case for one character, where it is one.
fn upper(character: char) -> char {
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => character,
    }
}

/// Both syntaxes want at least one argument, and none empty.
fn check_arguments(call: &Call) -> Result<(), Refusal> {
    if call.arguments.is_empty() {
        return Err(Refusal { span: call.name_span, reason: "an argument is missing".to_owned() });
    }
    match call.arguments.iter().find(|argument| argument.value.is_empty()) {
        Some(argument) => Err(argument.refuse("an argument must not be empty")),
        None => Ok(()),
    }
}

fn v3(call: &Call) -> Result<Matcher, Refusal> {
    use MatcherName as M;
    match (call.name, call.arguments.as_slice()) {
        (M::Host, [host]) => v3_host(host),
        (M::HostRegexp, [host]) => {
            host.ascii()?;
            let pattern = host.pattern()?;
            // Traefik also tries the flattened CNAME, which is empty when there is none.
            Ok(if pattern.is_match(b"") { Matcher::Always } else { Matcher::HostPattern(pattern) })
        }
        (M::Path, [path]) => path.path().map(Matcher::Path),
        (M::PathPrefix, [path]) => path.path().map(Matcher::PathPrefix),
        (M::PathRegexp, [path]) => path.pattern().map(Matcher::PathPattern),
        (M::Method, [method]) => Ok(method.method()),
        (M::Header, [name, value]) => Ok(header(name, value)),
        (M::HeaderRegexp, [name, value]) => header_pattern(name, value.pattern()?),
        (M::Query | M::QueryRegexp, [key]) => Ok(Matcher::Query(key.bytes(), Box::default())),
        (M::Query, [key, value]) => Ok(Matcher::Query(key.bytes(), value.bytes())),
        (M::QueryRegexp, [key, value]) => Ok(Matcher::QueryPattern(key.bytes(), value.pattern()?)),
        (M::ClientIP, [range]) => range.range(),
        (name, arguments) => Err(wrong_count(call, name, arguments)),
    }
}

fn wrong_count(call: &Call, name: MatcherName, arguments: &[Argument]) -> Refusal {
    use MatcherName as M;
    let (expected, at_most) = match name {
        M::Header | M::HeaderRegexp => ("two arguments: a name and a value", 2),
        M::Query | M::QueryRegexp => ("a key and at most one value", 2),
        _ => ("one argument; join several matchers with `||`", 1),
    };
    let span = arguments.get(at_most).map_or(call.name_span, |argument| argument.span);
    Refusal { span, reason: format!("it takes {expected}") }
}

fn v3_host(argument: &Argument) -> Result<Matcher, Refusal> {
    if argument.value == b"*" {
        return Ok(Matcher::Always);
    }
    let host = argument.ascii()?.to_ascii_lowercase();
    Ok(match Wildcard::new(&host) {
        Some(wildcard) => Matcher::HostWildcard(wildcard),
        None => Matcher::Host(host.into()),
    })
}

fn header(name: &Argument, value: &Argument) -> Matcher {
    match name.header_name() {
        Some(name) => Matcher::Header(name, value.bytes()),
        None => Matcher::Never,
    }
}

fn header_pattern(name: &Argument, pattern: Pattern) -> Result<Matcher, Refusal> {
    Ok(match name.header_name() {
        Some(name) => Matcher::HeaderPattern(name, pattern),
        None => Matcher::Never,
    })
}

/// Several arguments mean "any of them", except for headers and queries, where all must match.
fn v2(call: &Call) -> Result<Node, Refusal> {
    use MatcherName as M;
    match call.name {
        M::Host | M::HostHeader => {
            any(call, |argument| Ok(Matcher::Host(argument.ascii()?.to_ascii_lowercase().into())))
        }
        M::HostRegexp => any(call, |argument| {
            argument.ascii()?;
            template(
                argument,
                &argument.value,
                Kind::Host,
                |_| Matcher::Never,
                Matcher::HostPattern,
            )
        }),
        M::Path => any(call, |argument| {
            argument.path()?;
            template(argument, &argument.value, Kind::Path, Matcher::Path, Matcher::PathPattern)
        }),
        M::PathPrefix => any(call, |argument| {
            argument.path()?;
            let kind = Kind::PathPrefix;
            template(argument, &argument.value, kind, Matcher::PathPrefix, Matcher::PathPattern)
        }),
        M::Method => any(call, |argument| Ok(argument.method())),
        M::Headers => all(last_of_each(pairs(call)?).map(|(name, value)| Ok(header(name, value)))),
        M::HeadersRegexp => {
            let pairs = pairs(call)?;
            // Go compiles even those that a later pair of the same name replaces.
            for (_, value) in &pairs {
                value.pattern()?;
            }
            all(last_of_each(pairs).map(|(name, value)| header_pattern(name, value.pattern()?)))
        }
        M::Query => v2_query(call),
        M::ClientIP => any(call, Argument::range),
        M::PathRegexp | M::Header | M::HeaderRegexp | M::QueryRegexp => {
            // The parser knows no such name in this syntax.
            let reason = "it is a matcher of the v3 syntax".to_owned();
            Err(Refusal { span: call.name_span, reason })
        }
    }
}

fn any(
    call: &Call,
    compile: impl Fn(&Argument) -> Result<Matcher, Refusal>,
) -> Result<Node, Refusal> {
    let mut leaves = call.arguments.iter().map(|argument| compile(argument).map(Node::Leaf));
    match (leaves.next(), call.arguments.len()) {
        (Some(first), 1) => first,
        (first, _) => Ok(Node::Or(first.into_iter().chain(leaves).collect::<Result<_, _>>()?)),
    }
}

fn all(leaves: impl Iterator<Item = Result<Matcher, Refusal>>) -> Result<Node, Refusal> {
    Ok(Node::And(leaves.map(|leaf| leaf.map(Node::Leaf)).collect::<Result<_, _>>()?))
}

fn template(
    argument: &Argument,
    text: &[u8],
    kind: Kind,
    literal: impl Fn(Box<[u8]>) -> Matcher,
    pattern: impl Fn(Pattern) -> Matcher,
) -> Result<Matcher, Refusal> {
    match Template::compile(text, kind) {
        Ok(Template::Literal) => Ok(literal(text.into())),
        Ok(Template::Pattern(compiled)) => Ok(pattern(compiled)),
        Err(reason) => Err(argument.refuse(format!("the template is invalid: {reason}"))),
    }
}

/// Names and values in turn.
fn pairs(call: &Call) -> Result<Vec<(&Argument, &Argument)>, Refusal> {
    let (pairs, rest) = call.arguments.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|[name, value]| (name, value)).collect()),
        [odd, ..] => Err(odd.refuse("this name has no value; arguments come in pairs")),
    }
}

/// Of several pairs with the very same name, Traefik keeps the last.
fn last_of_each<'a>(
    pairs: Vec<(&'a Argument, &'a Argument)>,
) -> impl Iterator<Item = (&'a Argument, &'a Argument)> {
    let replaced = |position: usize, name: &Argument| {
        pairs.iter().skip(position + 1).any(|(later, _)| later.value == name.value)
    };
    let kept: Vec<_> = pairs
        .iter()
        .enumerate()
        .filter(|&(position, &(name, _))| !replaced(position, name))
        .map(|(_, &pair)| pair)
        .collect();
    kept.into_iter()
}

/// Each argument is split at its first `=`; the pieces are then keys and values in turn, wherever
/// they came from.
fn v2_query(call: &Call) -> Result<Node, Refusal> {
    let mut pieces: Vec<(&Argument, &[u8])> = Vec::new();
    for argument in &call.arguments {
        pieces
            .extend(argument.value.splitn(2, |&byte| byte == b'=').map(|piece| (argument, piece)));
    }
    let (pairs, rest) = pieces.as_chunks::<2>();
    if let [(argument, _), ..] = rest {
        return Err(argument.refuse("this key has no value; write `key=` for any value"));
    }
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut leaves = Vec::new();
    for &[(argument, key), (_, value)] in pairs {
        let text = [key, b"=", value].concat();
        // The key that is looked up ends at the first `=` of the whole template.
        let mut halves = text.splitn(2, |&byte| byte == b'=').map(Box::<[u8]>::from);
        let (key, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        let literal = |_| Matcher::QueryFirst(key.clone(), value.clone());
        let pattern = |pattern| Matcher::QueryPair(key.clone(), pattern);
        leaves.push(template(argument, &text, Kind::Query, literal, pattern)?);
        let own: Vec<Vec<u8>> = variable_names(&text).into_iter().map(<[u8]>::to_vec).collect();
        if let Some(name) = own.iter().find(|name| names.contains(name)) {
            let name = String::from_utf8_lossy(name);
            return Err(argument.refuse(format!("the variable `{name}` is used twice")));
        }
        names.extend(own);
    }
    all(leaves.into_iter().map(Ok))
}
