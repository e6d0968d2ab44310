//! Go's `regexp/syntax` (Perl flags, Go 1.26) → the syntax of the `regex` crate.
//!
//! Works like Go's parser, on a stack of items, so that a repetition binds to exactly the item that
//! Go binds it to (after `\Q…\E` or `(?i)` too).

use super::class;

/// What a translated expression may nest; the `regex` crate allows 250 and writes one level for
/// each group, repetition and flag.
const MAX_NESTING: usize = 60;

/// Go: the largest number of copies that repetitions may ask for, inner ones multiplied.
const MAX_COPIES: u32 = 1000;

/// What an expression became.
pub(super) struct Translated {
    /// The expression.
    pub(super) text: String,
    /// The names of its groups in the order of their numbers, from 1; empty where it has none.
    pub(super) names: Vec<Box<str>>,
}

/// Whether the groups of an expression are kept. Names go either way: Go allows some that stand twice or begin with
/// a digit.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Groups {
    Keep,
    Drop,
}

/// Translates `source` or says what is wrong with it.
pub(super) fn translate(source: &str, groups: Groups) -> Result<Translated, String> {
    let mut translator = Translator {
        rest: source,
        flags: Flags::default(),
        groups: Vec::new(),
        items: Vec::new(),
        opening: if groups == Groups::Keep { "(" } else { "(?:" },
        names: Vec::new(),
    };
    translator.run()?;
    if !translator.groups.is_empty() {
        return Err("a `(` is not closed".to_owned());
    }
    let text = translator.items.into_iter().map(|item| item.text).collect();
    Ok(Translated { text, names: translator.names })
}

/// The flags that a group can switch.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    /// `(?i)`
    pub(super) fold_case: bool,
    /// `(?m)`
    multi_line: bool,
    /// `(?s)`
    dot_is_any: bool,
    /// `(?U)`
    lazy: bool,
}

/// Something that a repetition can apply to.
struct Item {
    text: String,
    /// A bar, to which no repetition applies.
    is_bar: bool,
    depth: usize,
    /// How many copies of its innermost part its repetitions ask for.
    copies: u32,
}

impl Item {
    fn simple(text: String) -> Self {
        Self { text, is_bar: false, depth: 0, copies: 1 }
    }
}

/// An open group: how it begins, and what was before it.
struct Group {
    opening: &'static str,
    flags: Flags,
    items: Vec<Item>,
}

struct Translator<'a> {
    rest: &'a str,
    flags: Flags,
    groups: Vec<Group>,
    /// The items of the innermost open group.
    items: Vec<Item>,
    /// How a group with a number begins.
    opening: &'static str,
    names: Vec<Box<str>>,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), String> {
        // Go refuses `a**`, but only when the operators touch.
        let mut after_repetition = false;
        while let Some(character) = self.rest.chars().next() {
            let mut repetition = false;
            match character {
                '(' if self.rest.starts_with("(?") => self.flags_or_group()?,
                '(' => {
                    self.skip(1);
                    self.open_numbered("");
                }
                ')' => self.close()?,
                '|' => {
                    self.skip(1);
                    self.items.push(Item { is_bar: true, ..Item::simple("|".to_owned()) });
                }
                '^' => self.assertion(if self.flags.multi_line { "(?m:^)" } else { r"\A" }, 1),
                '$' => self.assertion(if self.flags.multi_line { "(?m:$)" } else { r"\z" }, 1),
                '.' => self.assertion(if self.flags.dot_is_any { "(?s:.)" } else { r"[^\n]" }, 1),
                '[' => {
                    let text = class::bracketed(&mut self.rest, self.flags)?;
                    self.items.push(Item::simple(text));
                }
                '*' | '+' | '?' => {
                    self.skip(1);
                    self.repeat(&character.to_string(), None, after_repetition)?;
                    repetition = true;
                }
                '{' => match counts(self.rest) {
                    Some((counts, length)) => {
                        let written = self.rest.get(..length).unwrap_or_default();
                        self.skip(length);
                        let (minimum, maximum) = counts.within_limit(written)?;
                        self.repeat(written, Some((minimum, maximum)), after_repetition)?;
                        repetition = true;
                    }
                    None => self.literal('{', 1),
                },
                '\\' => self.escape()?,
                other => self.literal(other, other.len_utf8()),
            }
            after_repetition = repetition;
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.rest.chars().nth(1) {
            Some('A') => self.assertion(r"\A", 2),
            Some('z') => self.assertion(r"\z", 2),
            Some('b') => self.assertion(r"(?-u:\b)", 2),
            Some('B') => self.assertion(r"(?-u:\B)", 2),
            Some('Q') => {
                let quoted = self.rest.get(2..).unwrap_or_default();
                let (literals, rest) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
                for literal in literals.chars() {
                    self.literal(literal, 0);
                }
                self.rest = rest;
            }
            _ => {
                let text = match class::escaped_class(&mut self.rest, self.flags)? {
                    Some(text) => text,
                    None => class::character(class::escaped_character(&mut self.rest)?, self.flags),
                };
                self.items.push(Item::simple(text));
            }
        }
        Ok(())
    }

    /// `(?flags)`, `(?flags:`, `(?P<name>` or `(?<name>`
    fn flags_or_group(&mut self) -> Result<(), String> {
        let whole = self.rest;
        let named = whole
            .strip_prefix("(?P<")
            .or_else(|| whole.strip_prefix("(?<"))
            .filter(|name| !name.is_empty());
        if let Some(name) = named {
            let (name, rest) = name.split_once('>').ok_or("the name of a group is not closed")?;
            if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
                return Err(format!("`{name}` is no name for a group"));
            }
            self.rest = rest;
            self.open_numbered(name);
            return Ok(());
        }
        let outer = self.flags;
        let (mut value, mut saw_flag) = (true, false);
        for (position, character) in whole.char_indices().skip(2) {
            match character {
                'i' => self.flags.fold_case = value,
                'm' => self.flags.multi_line = value,
                's' => self.flags.dot_is_any = value,
                'U' => self.flags.lazy = value,
                '-' if value => {
                    (value, saw_flag) = (false, false);
                    continue;
                }
                ':' | ')' if value || saw_flag => {
                    self.rest = whole.get(position + 1..).unwrap_or_default();
                    if character == ':' {
                        self.open("(?:", outer);
                    }
                    return Ok(());
                }
                _ => break,
            }
            saw_flag = true;
        }
        let shown: String = whole.chars().take(4).collect();
        Err(format!("`{shown}` starts no group that is supported"))
    }

    fn open_numbered(&mut self, name: &str) {
        self.names.push(name.into());
        self.open(self.opening, self.flags);
    }

    fn open(&mut self, opening: &'static str, flags_outside: Flags) {
        let items = std::mem::take(&mut self.items);
        self.groups.push(Group { opening, flags: flags_outside, items });
    }

    fn close(&mut self) -> Result<(), String> {
        let group = self.groups.pop().ok_or("a `)` has no `(`")?;
        self.skip(1);
        self.flags = group.flags;
        let inner = std::mem::replace(&mut self.items, group.items);
        let depth = 1 + inner.iter().map(|item| item.depth).max().unwrap_or(0);
        let copies = inner.iter().map(|item| item.copies).max().unwrap_or(1);
        check_depth(depth + self.groups.len())?;
        let mut text = String::from(group.opening);
        text.extend(inner.into_iter().map(|item| item.text));
        text.push(')');
        self.items.push(Item { text, is_bar: false, depth, copies });
        Ok(())
    }

    /// Applies the repetition `written` to the last item; `counts` are those of `{…}`.
    fn repeat(
        &mut self,
        written: &str,
        counts: Option<(u32, Option<u32>)>,
        after_repetition: bool,
    ) -> Result<(), String> {
        let marked = self.rest.starts_with('?');
        if marked {
            self.skip(1);
        }
        let lazy = if marked != self.flags.lazy { "?" } else { "" };
        if after_repetition {
            return Err(format!("`{written}` follows another repetition"));
        }
        let item = self.items.last_mut().filter(|item| !item.is_bar);
        let item = item.ok_or_else(|| format!("`{written}` has nothing to repeat"))?;
        item.depth += 1;
        check_depth(item.depth + self.groups.len())?;
        if let Some((minimum, maximum)) = counts {
            item.copies = match (minimum, maximum) {
                (_, Some(0)) => 0,
                (minimum, maximum) => item.copies.saturating_mul(maximum.unwrap_or(minimum.max(1))),
            };
            if item.copies > MAX_COPIES {
                return Err(format!("`{written}` repeats more than {MAX_COPIES} times in all"));
            }
        }
        item.text = format!("(?:{}){written}{lazy}", item.text);
        Ok(())
    }

    fn literal(&mut self, character: char, length: usize) {
        self.skip(length);
        self.items.push(Item::simple(class::character(u32::from(character), self.flags)));
    }

    fn assertion(&mut self, text: &str, length: usize) {
        self.skip(length);
        self.items.push(Item::simple(text.to_owned()));
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }
}

fn check_depth(depth: usize) -> Result<(), String> {
    if depth > MAX_NESTING { Err("it nests too deep".to_owned()) } else { Ok(()) }
}

/// The numbers of a `{…}`; `None` for one that is too large to hold.
struct Counts {
    minimum: Option<u32>,
    maximum: Maximum,
}

enum Maximum {
    Unbounded,
    At(Option<u32>),
}

impl Counts {
    fn within_limit(&self, written: &str) -> Result<(u32, Option<u32>), String> {
        let limit = |number: Option<u32>| number.filter(|&number| number <= MAX_COPIES);
        let valid = match (limit(self.minimum), &self.maximum) {
            (Some(minimum), Maximum::Unbounded) => Some((minimum, None)),
            (Some(minimum), Maximum::At(maximum)) => limit(*maximum)
                .filter(|&maximum| minimum <= maximum)
                .map(|maximum| (minimum, Some(maximum))),
            (None, _) => None,
        };
        valid.ok_or_else(|| format!("`{written}` is no valid repetition (at most {MAX_COPIES})"))
    }
}

/// Reads `{n}`, `{n,}` or `{n,m}` and its length; anything else is literal text to Go.
fn counts(text: &str) -> Option<(Counts, usize)> {
    let (minimum, rest) = number(text.strip_prefix('{')?)?;
    let (maximum, rest) = match rest.strip_prefix(',') {
        None => (Maximum::At(minimum), rest),
        Some(rest) if rest.starts_with('}') => (Maximum::Unbounded, rest),
        Some(rest) => {
            let (maximum, rest) = number(rest)?;
            (Maximum::At(maximum), rest)
        }
    };
    let rest = rest.strip_prefix('}')?;
    Some((Counts { minimum, maximum }, text.len() - rest.len()))
}

/// Reads a number without leading zeros; the inner `None` is one that is too large.
fn number(text: &str) -> Option<(Option<u32>, &str)> {
    let length = text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(length)?;
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().ok(), rest))
}
