//! Whether a server or a service takes requests now.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Whether a server or a service takes requests now, as those who watch it see it.
///
/// Balancers ask with one relaxed load, watchers tell at any time from any thread. What nobody watches has no
/// standing and is always up. As in Traefik, everything is up until somebody says otherwise.
#[derive(Debug, Default)]
pub struct Standing {
    down: AtomicBool,
    /// Whether the last question after its health had no good answer.
    sick: AtomicBool,
    /// Those of which one must be up for this to be; none where it stands alone.
    parts: Box<[Arc<Self>]>,
}

impl Standing {
    /// The standing of a whole that is up while one of its parts is. One without parts is always up, as in Traefik.
    pub fn of(parts: Vec<Arc<Self>>) -> Self {
        Self { parts: parts.into(), ..Self::default() }
    }

    /// Whether requests may be led there.
    pub fn is_up(&self) -> bool {
        !self.down.load(Relaxed) && (self.parts.is_empty() || self.parts.iter().any(|p| p.is_up()))
    }

    /// Tells whether requests may be led there; says whether that is news.
    pub fn set_up(&self, up: bool) -> bool {
        self.down.swap(!up, Relaxed) == up
    }

    /// Whether the last question after its health had no good answer. It may be up or down for other reasons.
    pub(crate) fn is_sick(&self) -> bool {
        self.sick.load(Relaxed)
    }

    /// Tells what came of a question after its health; says whether it changes whether requests are led there.
    pub(crate) fn examined(&self, well: bool) -> bool {
        self.sick.store(!well, Relaxed);
        self.set_up(well)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_is_news() {
        let standing = Standing::default();
        assert!(standing.is_up());
        assert!(!standing.set_up(true));
        assert!(standing.set_up(false));
        assert!(!standing.is_up());
        assert!(!standing.set_up(false));
        assert!(standing.set_up(true));
    }

    #[test]
    fn a_whole_is_up_while_one_of_its_parts_is() {
        let parts = [Arc::<Standing>::default(), Arc::default()];
        let inner = Arc::new(Standing::of(parts.to_vec()));
        let outer = Standing::of(vec![Arc::clone(&inner)]);
        parts[0].set_up(false);
        assert!(outer.is_up() && inner.is_up());
        parts[1].set_up(false);
        assert!(!outer.is_up() && !inner.is_up());
        parts[0].set_up(true);
        assert!(outer.is_up());
        assert!(Standing::of(Vec::new()).is_up());
    }
}
