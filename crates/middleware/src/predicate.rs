//! The expressions of `circuitBreaker` and `buffering`: functions compared with constants, joined by `&&` and `||`.
//!
//! The language is that of the library that Traefik reads them with (vulcand/predicate): the syntax of Go, without
//! `!`; a function stands left of a comparison, a constant of exactly its type right.

use std::fmt;

/// Parentheses inside one another at most.
const MAX_DEPTH: usize = 64;

/// A constant, or what a function gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    Float(f64),
    Text(String),
}

/// What a function gives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// It holds or not, and is not compared.
    Truth,
    Int,
    Float,
    Text,
}

/// The functions of a language.
pub(crate) trait Function: Sized {
    /// The names of all, for hints.
    const NAMES: &'static [&'static str];

    /// The function of this name with these arguments, and what it gives; `None` for an unknown name.
    ///
    /// # Errors
    /// With what it takes instead.
    fn call(name: &str, arguments: &[Value]) -> Option<Result<(Self, Kind), &'static str>>;
}

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Predicate<F> {
    Any(Vec<Self>),
    All(Vec<Self>),
    Holds(F),
    Compare(F, Comparison, Value),
}

/// How a function's value is compared with a constant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Why a text is no expression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PredicateError {
    /// The character, from 1.
    at: usize,
    reason: String,
}

impl fmt::Display for PredicateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.at, self.reason)
    }
}

impl<F: Function> Predicate<F> {
    /// Parses an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, PredicateError> {
        let mut parser = Parser { text, at: 0, depth: 0, functions: std::marker::PhantomData };
        let predicate = parser.any()?;
        parser.space();
        match parser.rest().chars().next() {
            None => Ok(predicate),
            Some('!') => Err(parser.error("`!` is not known, as in Traefik")),
            Some(other) => {
                Err(parser.error(&format!("expected `&&`, `||` or the end, found `{other}`")))
            }
        }
    }

    /// Whether it holds; `value` says what functions give, where one that is not compared gives 1 if it holds.
    pub(crate) fn holds(&self, value: &mut impl FnMut(&F) -> Value) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(value)),
            Self::All(parts) => parts.iter().all(|part| part.holds(value)),
            Self::Holds(function) => value(function) == Value::Int(1),
            Self::Compare(function, comparison, constant) => {
                comparison.holds(value(function).partial_cmp_to(constant))
            }
        }
    }
}

impl Value {
    fn kind(&self) -> Kind {
        match self {
            Self::Int(_) => Kind::Int,
            Self::Float(_) => Kind::Float,
            Self::Text(_) => Kind::Text,
        }
    }

    fn partial_cmp_to(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Int(one), Self::Int(other)) => one.partial_cmp(other),
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.partial_cmp(other),
            _ => None,
        }
    }
}

impl Comparison {
    fn holds(self, ordering: Option<std::cmp::Ordering>) -> bool {
        let Some(ordering) = ordering else { return self == Self::NotEqual };
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Truth => "nothing: it holds by itself",
            Self::Int => "a whole number such as `100`",
            Self::Float => "a number with a point such as `0.30`",
            Self::Text => "a text such as `\"GET\"`",
        }
    }
}

struct Parser<'a, F> {
    text: &'a str,
    at: usize,
    depth: usize,
    functions: std::marker::PhantomData<F>,
}

impl<F: Function> Parser<'_, F> {
    fn any(&mut self) -> Result<Predicate<F>, PredicateError> {
        let mut parts = vec![self.all()?];
        while self.take("||") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Predicate::Any))
    }

    fn all(&mut self) -> Result<Predicate<F>, PredicateError> {
        let mut parts = vec![self.one()?];
        while self.take("&&") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Predicate::All))
    }

    fn one(&mut self) -> Result<Predicate<F>, PredicateError> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(
                    self.error(&format!("more than {MAX_DEPTH} parentheses inside one another"))
                );
            }
            let inner = self.any()?;
            self.expect(")")?;
            self.depth -= 1;
            return Ok(inner);
        }
        self.space();
        let start = self.at;
        if self.rest().starts_with('!') {
            return Err(self.error("`!` is not known, as in Traefik"));
        }
        let (function, kind) = self.function()?;
        let comparison = self.comparison();
        match (comparison, kind) {
            (None, Kind::Truth) => Ok(Predicate::Holds(function)),
            (None, kind) => {
                let text = format!("this is to be compared with {}", kind.name());
                Err(self.error_at(start, &text))
            }
            (Some(comparison), kind) => {
                self.space();
                let start = self.at;
                let value = self.constant()?;
                let fits = value.kind() == kind
                    // Texts are equal or not.
                    && (kind != Kind::Text || matches!(comparison, Comparison::Equal | Comparison::NotEqual));
                if !fits {
                    let text = format!("this is compared with {}", kind.name());
                    return Err(self.error_at(start, &text));
                }
                Ok(Predicate::Compare(function, comparison, value))
            }
        }
    }

    fn function(&mut self) -> Result<(F, Kind), PredicateError> {
        let start = self.at;
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(self.error(&format!("expected one of {}", F::NAMES.join(", "))));
        }
        self.at += end;
        self.expect("(")?;
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.constant()?);
                if self.take(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        match F::call(&name, &arguments) {
            Some(Ok(function)) => Ok(function),
            Some(Err(takes)) => Err(self.error_at(start, &format!("`{name}` takes {takes}"))),
            None => {
                let near = portway_model::nearest(&name, F::NAMES.iter().copied());
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                Err(self.error_at(start, &format!("unsupported function: {name}{hint}")))
            }
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        // Longer signs first.
        [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ]
        .into_iter()
        .find_map(|(sign, comparison)| self.take(sign).then_some(comparison))
    }

    fn constant(&mut self) -> Result<Value, PredicateError> {
        self.space();
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"');
            let text = end.and_then(|end| quoted.get(..end)).filter(|text| !text.contains('\\'));
            let Some(text) = text else {
                return Err(self.error("expected a text in quotes, without `\\`"));
            };
            let value = Value::Text(text.to_owned());
            self.at += text.len() + 2;
            return Ok(value);
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        let whole = word.bytes().all(|byte| byte.is_ascii_digit());
        let value = match word.parse::<i64>() {
            Ok(number) if whole && (word == "0" || !word.starts_with('0')) => {
                Some(Value::Int(number))
            }
            _ if word.contains('.') => word.parse().ok().map(Value::Float),
            _ => None,
        };
        let value = value.ok_or_else(|| self.error("expected a number or a text in quotes"))?;
        self.at += end;
        Ok(value)
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, sign: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), PredicateError> {
        if self.take(sign) {
            return Ok(());
        }
        let found = self.rest().chars().next().map_or("the end".to_owned(), |c| format!("`{c}`"));
        Err(self.error(&format!("expected `{sign}`, found {found}")))
    }

    fn error(&self, reason: &str) -> PredicateError {
        self.error_at(self.at, reason)
    }

    fn error_at(&self, at: usize, reason: &str) -> PredicateError {
        let before = self.text.get(..at).unwrap_or_default();
        PredicateError { at: before.chars().count() + 1, reason: reason.to_owned() }
    }
}

fn one_or<F>(
    mut parts: Vec<Predicate<F>>,
    several: impl FnOnce(Vec<Predicate<F>>) -> Predicate<F>,
) -> Predicate<F> {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => several(parts),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    enum Test {
        Yes,
        Number(i64),
        Share,
    }

    impl Function for Test {
        const NAMES: &'static [&'static str] = &["Yes", "Number", "Share"];

        fn call(name: &str, arguments: &[Value]) -> Option<Result<(Self, Kind), &'static str>> {
            Some(match (name, arguments) {
                ("Yes", []) => Ok((Self::Yes, Kind::Truth)),
                ("Number", [Value::Int(number)]) => Ok((Self::Number(*number), Kind::Int)),
                ("Share", []) => Ok((Self::Share, Kind::Float)),
                ("Number", _) => Err("a whole number"),
                ("Yes" | "Share", _) => Err("nothing"),
                _ => return None,
            })
        }
    }

    fn value(function: &Test) -> Value {
        match function {
            Test::Yes => Value::Int(1),
            Test::Number(number) => Value::Int(*number),
            Test::Share => Value::Float(0.5),
        }
    }

    fn holds(text: &str) -> Result<bool, String> {
        let predicate = Predicate::<Test>::parse(text).map_err(|error| error.to_string())?;
        Ok(predicate.holds(&mut value))
    }

    #[test]
    fn expressions_hold_or_not() {
        for (text, expected) in [
            ("Yes()", true),
            ("Number(3) > 2", true),
            ("Number(3)>=4 || Yes ( )", true),
            ("Number(3) == 4 || Yes() && Share() < 0.5", false),
            ("(Number(3) == 4 || Yes()) && Share() <= .5", true),
            ("Share() != 0.50", false),
            ("Number(1) != 2 && Number(1) < 2 && ((Yes()))", true),
        ] {
            assert_eq!(holds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, expected) in [
            ("", "at character 1: expected one of Yes, Number, Share"),
            ("Yes", "at character 4: expected `(`, found the end"),
            ("Yess()", "at character 1: unsupported function: Yess; did you mean `Yes`?"),
            ("Yes() &", "at character 7: expected `&&`, `||` or the end, found `&`"),
            (
                "Number(1)",
                "at character 1: this is to be compared with a whole number such as `100`",
            ),
            ("Number(1.0) > 1", "at character 1: `Number` takes a whole number"),
            (
                "Number(1) > 1.0",
                "at character 13: this is compared with a whole number such as `100`",
            ),
            (
                "Share() > 1",
                "at character 11: this is compared with a number with a point such as `0.30`",
            ),
            ("Yes() == 1", "at character 10: this is compared with nothing: it holds by itself"),
            ("!Yes()", "at character 1: `!` is not known, as in Traefik"),
            ("(Yes()", "at character 7: expected `)`, found the end"),
            ("1 < Number(1)", "at character 3: expected `(`, found `<`"),
        ] {
            assert_eq!(holds(text), Err(expected.to_owned()), "{text}");
        }
        assert!(holds(&"(".repeat(100_000)).is_err());
    }

    /// A tree, its text, and whether it holds.
    fn any_tree() -> impl Strategy<Value = (String, bool)> {
        let leaf = (0..5_i64, 0..6_usize, 0..5_i64).prop_map(|(left, sign, right)| {
            let (sign, holds) = [
                ("==", left == right),
                ("!=", left != right),
                ("<", left < right),
                ("<=", left <= right),
                (">", left > right),
                (">=", left >= right),
            ][sign];
            (format!("Number({left}) {sign} {right}"), holds)
        });
        leaf.prop_recursive(5, 40, 4, |inner| {
            (prop::collection::vec(inner, 1..4), any::<bool>()).prop_map(|(parts, all)| {
                let texts: Vec<_> = parts.iter().map(|(text, _)| format!("({text})")).collect();
                match all {
                    true => (texts.join(" && "), parts.iter().all(|(_, holds)| *holds)),
                    false => (texts.join("||"), parts.iter().any(|(_, holds)| *holds)),
                }
            })
        })
    }

    proptest! {
        #[test]
        fn an_expression_holds_as_its_parts_say((text, expected) in any_tree()) {
            prop_assert_eq!(holds(&text), Ok(expected));
        }

        #[test]
        fn no_text_panics(text in "[a-zA-Z()!<>=&|.,0-9\" ö]{0,40}") {
            let _ = holds(&text);
        }
    }
}
