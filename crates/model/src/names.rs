//! Objects by name, in versions that share what they have in common.

use std::{
    cmp::Ordering,
    fmt,
    ops::Index,
    slice,
    sync::{Arc, LazyLock},
};

/// Objects by name, sorted.
///
/// A clone shares everything; an edit of one of the two copies a block of names and leaves the rest shared. So
/// a new version costs as much as what changed in it, and [`Names::changes`] finds that by comparing
/// pointers. Sorted blocks under one list of blocks beat a tree here: a hundred thousand names are a
/// thousand blocks, a look-up is two binary searches, and there is nothing to balance.
pub struct Names<T> {
    /// None is empty; all names of a block come before those of the next.
    blocks: Vec<Arc<Block<T>>>,
    len: usize,
}

type Block<T> = Vec<(Arc<str>, Arc<T>)>;

/// Names in a block, at most.
const MAX_BLOCK: usize = 128;

/// One name whose object is another than before.
#[derive(Debug)]
pub struct Change<'a, T> {
    /// The name.
    pub name: &'a Arc<str>,
    /// The object before; `None` where the name is new.
    pub before: Option<&'a Arc<T>>,
    /// The object now; `None` where the name is gone.
    pub now: Option<&'a Arc<T>>,
}

impl<T> Names<T> {
    /// How many names there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The object of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<T>> {
        self.get_key_value(name).map(|(_, object)| object)
    }

    /// The name as it is kept here, and its object.
    pub fn get_key_value(&self, name: &str) -> Option<(&Arc<str>, &Arc<T>)> {
        let (block, Ok(at)) = self.find(name) else { return None };
        let (name, object) = self.blocks.get(block)?.get(at)?;
        Some((name, object))
    }

    /// Whether there is an object of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.find(name).1.is_ok()
    }

    /// Puts an object under a name, and returns the one that was there.
    pub fn insert(
        &mut self,
        name: impl Into<Arc<str>>,
        object: impl Into<Arc<T>>,
    ) -> Option<Arc<T>> {
        let (name, object) = (name.into(), object.into());
        let (number, found) = self.find(&name);
        let last = number + 1 >= self.blocks.len();
        let Some(block) = self.blocks.get_mut(number) else {
            // Most sets of names have one: room for more would be wasted.
            self.blocks.reserve_exact(1);
            self.blocks.push(Arc::new(vec![(name, object)]));
            self.len += 1;
            return None;
        };
        let block = Arc::make_mut(block);
        let at = match found {
            Ok(at) => {
                return block.get_mut(at).map(|(_, known)| std::mem::replace(known, object));
            }
            Err(at) => at,
        };
        self.len += 1;
        if block.len() < MAX_BLOCK {
            block.insert(at, (name, object));
        } else if last && at == block.len() {
            // Names that come in order fill their blocks.
            self.blocks.push(Arc::new(vec![(name, object)]));
        } else {
            let mut right = block.split_off(MAX_BLOCK / 2);
            match at.checked_sub(MAX_BLOCK / 2) {
                Some(at) if at > 0 => right.insert(at, (name, object)),
                _ => block.insert(at, (name, object)),
            }
            self.blocks.insert(number + 1, Arc::new(right));
        }
        None
    }

    /// Takes a name away with its object.
    pub fn remove(&mut self, name: &str) -> Option<Arc<T>> {
        let (number, Ok(at)) = self.find(name) else { return None };
        let block = Arc::make_mut(self.blocks.get_mut(number)?);
        let (_, object) = block.remove(at);
        self.len -= 1;
        let left = block.len();
        if left == 0 {
            self.blocks.remove(number);
        } else if let Some(next) = self.blocks.get(number + 1)
            && left + next.len() <= MAX_BLOCK / 2
        {
            let next = self.blocks.remove(number + 1);
            if let Some(block) = self.blocks.get_mut(number) {
                Arc::make_mut(block).extend(next.iter().cloned());
            }
        }
        Some(object)
    }

    /// The object of a name, to be edited; other versions keep theirs.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T>
    where
        T: Clone,
    {
        let (number, Ok(at)) = self.find(name) else { return None };
        let block = Arc::make_mut(self.blocks.get_mut(number)?);
        block.get_mut(at).map(|(_, object)| Arc::make_mut(object))
    }

    /// Names and objects, by name.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { blocks: self.blocks.iter(), items: [].iter() }
    }

    /// All names, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| &**name)
    }

    /// All objects, by name.
    pub fn values(&self) -> impl Iterator<Item = &Arc<T>> {
        self.iter().map(|(_, object)| object)
    }

    /// Every name whose object is another than in `before`, by name.
    ///
    /// Objects are compared by their pointers. What both versions share is passed over at no cost.
    pub fn changes<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = Change<'a, T>> {
        let (mut old, mut new) = (Cursor::new(&before.blocks), Cursor::new(&self.blocks));
        std::iter::from_fn(move || {
            loop {
                old.pass_shared(&mut new);
                let order = match (old.peek(), new.peek()) {
                    (None, None) => return None,
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (Some((old, _)), Some((new, _))) => old.cmp(new),
                };
                let before = if order.is_le() { old.next() } else { None };
                let now = if order.is_ge() { new.next() } else { None };
                let (name, _) = now.or(before)?;
                let (before, now) = (before.map(|(_, object)| object), now.map(|(_, o)| o));
                match (before, now) {
                    (Some(before), Some(now)) if Arc::ptr_eq(before, now) => {}
                    _ => return Some(Change { name, before, now }),
                }
            }
        })
    }

    /// Becomes `before` with what differs from it put in, so that everything equal is shared with it, objects and
    /// blocks, whatever way it came.
    pub fn share(&mut self, before: &Self)
    where
        T: PartialEq,
    {
        let mut shared = before.clone();
        for Change { name, before, now } in self.changes(before) {
            match now {
                Some(now) if before.is_some_and(|before| before == now) => {}
                Some(now) => drop(shared.insert(Arc::clone(name), Arc::clone(now))),
                None => drop(shared.remove(name)),
            }
        }
        *self = shared;
    }

    /// The block in which a name is or would be, and its place there.
    fn find(&self, name: &str) -> (usize, Result<usize, usize>) {
        let starts =
            |block: &Arc<Block<T>>| block.first().is_some_and(|(first, _)| **first <= *name);
        let number = self.blocks.partition_point(starts).saturating_sub(1);
        let found = self
            .blocks
            .get(number)
            .map_or(Err(0), |block| block.binary_search_by(|(known, _)| (**known).cmp(name)));
        (number, found)
    }
}

impl Names<()> {
    /// Adds a name that has no object.
    pub fn add(&mut self, name: impl Into<Arc<str>>) {
        static NOTHING: LazyLock<Arc<()>> = LazyLock::new(Arc::default);
        self.insert(name, Arc::clone(&NOTHING));
    }
}

/// A place in the sorted names of one version.
struct Cursor<'a, T> {
    blocks: &'a [Arc<Block<T>>],
    at: usize,
}

impl<'a, T> Cursor<'a, T> {
    fn new(blocks: &'a [Arc<Block<T>>]) -> Self {
        Self { blocks, at: 0 }
    }

    fn peek(&self) -> Option<&'a (Arc<str>, Arc<T>)> {
        self.blocks.first()?.get(self.at)
    }

    fn next(&mut self) -> Option<&'a (Arc<str>, Arc<T>)> {
        let block = self.blocks.first()?;
        let item = block.get(self.at);
        self.at += 1;
        if self.at == block.len() {
            self.pass();
        }
        item
    }

    fn pass(&mut self) {
        self.blocks = self.blocks.get(1..).unwrap_or_default();
        self.at = 0;
    }

    /// Leaves out the blocks that both versions have next.
    fn pass_shared(&mut self, other: &mut Self) {
        while self.at == 0
            && other.at == 0
            && let (Some(block), Some(same)) = (self.blocks.first(), other.blocks.first())
            && Arc::ptr_eq(block, same)
        {
            self.pass();
            other.pass();
        }
    }
}

/// The iterator of [`Names::iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    blocks: slice::Iter<'a, Arc<Block<T>>>,
    items: slice::Iter<'a, (Arc<str>, Arc<T>)>,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = (&'a Arc<str>, &'a Arc<T>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((name, object)) = self.items.next() {
                return Some((name, object));
            }
            self.items = self.blocks.next()?.iter();
        }
    }
}

impl<'a, T> IntoIterator for &'a Names<T> {
    type Item = (&'a Arc<str>, &'a Arc<T>);
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T, K: Into<Arc<str>>, V: Into<Arc<T>>> Extend<(K, V)> for Names<T> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, objects: I) {
        for (name, object) in objects {
            self.insert(name, object);
        }
    }
}

impl<T, K: Into<Arc<str>>, V: Into<Arc<T>>> FromIterator<(K, V)> for Names<T> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(objects: I) -> Self {
        let mut names = Self::default();
        names.extend(objects);
        names
    }
}

impl<T> Clone for Names<T> {
    fn clone(&self) -> Self {
        Self { blocks: self.blocks.clone(), len: self.len }
    }
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { blocks: Vec::new(), len: 0 }
    }
}

impl<T: PartialEq> PartialEq for Names<T> {
    fn eq(&self, other: &Self) -> bool {
        let same = |change: Change<'_, T>| match (change.before, change.now) {
            (Some(before), Some(now)) => **before == **now,
            _ => false,
        };
        self.len == other.len && self.changes(other).all(same)
    }
}

impl<T: fmt::Debug> fmt::Debug for Names<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<T> Index<&str> for Names<T> {
    type Output = T;

    /// # Panics
    /// Where there is no such name; for tests.
    #[expect(clippy::panic, reason = "what an index does, as in the maps of the standard library")]
    fn index(&self, name: &str) -> &T {
        self.get(name).unwrap_or_else(|| panic!("there is no `{name}`"))
    }
}

#[cfg(test)]
mod tests;
