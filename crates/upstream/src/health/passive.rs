//! Health that requests tell. Traefik: `passiveHealthCheck`.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use portway_model::dynamic::PassiveHealthCheck;
use tokio::time::{Instant, sleep};

use crate::Standing;

/// Hears what comes of a server's requests, and takes it out when too many fail.
///
/// As in Traefik: so many failures within the window, with no success between them, take the server out for as long as
/// the window is. Where servers are asked for their health too, the next good answer brings it back instead.
#[derive(Debug)]
pub struct Passive {
    service: Arc<str>,
    url: String,
    window: Duration,
    most: usize,
    has_active: bool,
    standing: Arc<Standing>,
    /// Whether there are failures to forget, so that a success takes no lock where there is none.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The latest failures, as many as matter.
    failures: VecDeque<Instant>,
    /// Whether the server is out and comes back by itself.
    out: bool,
}

impl Passive {
    pub(super) fn new(
        service: Arc<str>,
        url: &str,
        config: &PassiveHealthCheck,
        has_active: bool,
        standing: Arc<Standing>,
    ) -> Self {
        let window = config.failure_window.positive();
        let most = config.max_failed_attempts.clamp(1, PassiveHealthCheck::MOST);
        Self {
            service,
            url: url.to_owned(),
            window: window.or_else(|| PassiveHealthCheck::WINDOW.positive()).unwrap_or_default(),
            most: usize::try_from(most).unwrap_or(1),
            has_active,
            standing,
            any: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// A request went well.
    pub fn succeeded(&self) {
        if self.any.load(Relaxed) {
            self.lock().failures.clear();
            self.any.store(false, Relaxed);
        }
    }

    /// A request failed by the server's fault. Called on a runtime, which brings the server back.
    pub fn failed(self: &Arc<Self>) {
        let now = Instant::now();
        let mut state = self.lock();
        state.failures.push_back(now);
        let counts = |failure: &Instant| now.saturating_duration_since(*failure) < self.window;
        while state.failures.len() > self.most || !state.failures.front().is_none_or(counts) {
            state.failures.pop_front();
        }
        self.any.store(true, Relaxed);
        if state.failures.len() < self.most || state.out {
            return;
        }
        if !self.has_active {
            state.out = true;
            let (passive, over) = (Arc::clone(self), sleep(self.window));
            tokio::spawn(async move {
                over.await;
                passive.come_back();
            });
        }
        drop(state);
        if self.standing.set_up(false) {
            let Self { service, url, most, window, .. } = &**self;
            tracing::warn!(
                "service {service}: {url} is down: {most} failed requests within {window:?}"
            );
        }
    }

    fn come_back(&self) {
        self.lock().out = false;
        if self.standing.set_up(true) {
            let Self { service, url, window, .. } = self;
            tracing::info!("service {service}: {url} is up again after {window:?}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use portway_model::Period;
    use tokio::time::advance;

    use super::*;

    fn passive(most: i64, has_active: bool) -> Arc<Passive> {
        let config =
            PassiveHealthCheck { failure_window: Period::seconds(10), max_failed_attempts: most };
        Arc::new(Passive::new("s".into(), "http://a", &config, has_active, Arc::default()))
    }

    async fn pass(seconds: u64) {
        advance(Duration::from_secs(seconds)).await;
        tokio::task::yield_now().await;
    }

    #[tokio::test(start_paused = true)]
    async fn failures_within_the_window_take_a_server_out_for_as_long() {
        let passive = passive(2, false);
        passive.failed();
        pass(10).await;
        passive.failed();
        assert!(passive.standing.is_up(), "the first one is too old");
        pass(9).await;
        passive.failed();
        assert!(!passive.standing.is_up());
        pass(9).await;
        assert!(!passive.standing.is_up());
        pass(1).await;
        assert!(passive.standing.is_up());
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_forgets_failures_but_brings_nobody_back() {
        let passive = passive(2, false);
        passive.failed();
        passive.succeeded();
        passive.failed();
        assert!(passive.standing.is_up());
        passive.failed();
        assert!(!passive.standing.is_up());
        passive.succeeded();
        assert!(!passive.standing.is_up());
    }

    #[tokio::test(start_paused = true)]
    async fn where_servers_are_asked_an_answer_brings_them_back() {
        let passive = passive(1, true);
        passive.failed();
        pass(60).await;
        assert!(!passive.standing.is_up());
        assert!(passive.standing.examined(true));
        passive.failed();
        assert!(!passive.standing.is_up(), "it can be taken out again");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let passive = passive(3, true);
        (0..1000).for_each(|_| passive.failed());
        assert_eq!(passive.lock().failures.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_failure_does_not_prolong_it() {
        let passive = passive(1, false);
        passive.failed();
        pass(6).await;
        passive.failed();
        pass(4).await;
        assert!(passive.standing.is_up());
        passive.failed();
        assert!(!passive.standing.is_up());
    }
}
