//! Whether a server or a service takes requests now.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether a server or a service takes requests now, as those who watch it see it.
///
/// Balancers ask with one relaxed load, watchers tell at any time from any thread. What nobody watches has no
/// standing and is always up. As in Traefik, everything is up until somebody says otherwise.
#[derive(Debug, Default)]
pub struct Standing {
    down: AtomicBool,
}

impl Standing {
    /// Whether requests may be led there.
    pub fn is_up(&self) -> bool {
        !self.down.load(Relaxed)
    }

    /// Tells whether requests may be led there; says whether that is news.
    pub fn set_up(&self, up: bool) -> bool {
        self.down.swap(!up, Relaxed) == up
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
}
