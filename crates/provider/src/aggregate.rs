//! Keeps the latest state of each provider and says when there is something new to compile.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use portway_model::dynamic::Config;
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use crate::Update;

/// Keeps the latest state of each provider.
///
/// The first change after a quiet time is handed out at once; changes that follow within the throttle are gathered
/// (Traefik: `providers.providersThrottleDuration`), unless one is urgent. A state that equals the one before is no change.
#[derive(Debug)]
pub struct Aggregator {
    configs: BTreeMap<String, Arc<Config>>,
    silent: BTreeSet<String>,
    throttle: Duration,
    updates: mpsc::Receiver<Update>,
    handed_out: Option<Instant>,
}

/// What all providers say now.
#[derive(Clone, Debug)]
pub struct Merged {
    /// By provider.
    pub configs: BTreeMap<String, Arc<Config>>,
    /// Whether every provider has said something; readiness waits for it.
    pub complete: bool,
}

impl Aggregator {
    /// An aggregator for these providers, which have said nothing yet; `configs` are those that never change.
    pub fn new(
        providers: impl IntoIterator<Item = String>,
        configs: BTreeMap<String, Arc<Config>>,
        throttle: Duration,
        updates: mpsc::Receiver<Update>,
    ) -> Self {
        let silent = providers.into_iter().collect();
        Self { configs, silent, throttle, updates, handed_out: None }
    }

    /// Waits for a change and for the throttle, and hands out the whole; `None` when all providers have ended.
    /// May be dropped and called again without losing a change.
    pub async fn next(&mut self) -> Option<Merged> {
        loop {
            let update = self.updates.recv().await?;
            let mut urgent = update.urgent;
            if !self.take(update) {
                continue;
            }
            let ready = self.handed_out.map_or_else(Instant::now, |before| before + self.throttle);
            while !urgent
                && let Ok(Some(update)) = time::timeout_at(ready, self.updates.recv()).await
            {
                urgent = update.urgent;
                self.take(update);
            }
            while let Ok(update) = self.updates.try_recv() {
                self.take(update);
            }
            self.handed_out = Some(Instant::now());
            return Some(Merged {
                configs: self.configs.clone(),
                complete: self.silent.is_empty(),
            });
        }
    }

    /// Keeps what providers say; whether any of it is new.
    fn take(&mut self, update: Update) -> bool {
        let mut new = false;
        for (provider, config) in update.configs {
            let spoke = self.silent.remove(&provider);
            let same = self.configs.get(&provider).is_some_and(|known| {
                Arc::ptr_eq(known, &config) || known.as_ref() == config.as_ref()
            });
            if !same {
                self.configs.insert(provider, config);
            }
            new |= spoke || !same;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use portway_model::{Entry, dynamic::Router};

    use super::*;
    use crate::updates;

    fn update(provider: &str, rule: &str) -> Update {
        let mut config = Config::default();
        let router = Router { rule: rule.to_owned(), ..Router::default() };
        config.http.routers.insert("r", Entry::new(router));
        Update::of(provider, Arc::new(config))
    }

    fn rules(merged: &Merged) -> Vec<(&str, &str)> {
        let rule = |config: &Arc<Config>| config.http.routers.get("r").map(|r| r.spec.rule.clone());
        merged
            .configs
            .iter()
            .map(|(name, config)| (name.as_str(), &*rule(config).unwrap_or_default().leak()))
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_change_is_handed_out_at_once_and_the_next_ones_are_gathered() {
        let (sender, receiver) = updates();
        let throttle = Duration::from_millis(300);
        let mut all = Aggregator::new(["a".to_owned()], BTreeMap::new(), throttle, receiver);
        let start = Instant::now();
        sender.send(update("a", "1")).await.unwrap();
        let first = all.next().await.unwrap();
        assert_eq!((rules(&first), first.complete), (vec![("a", "1")], true));
        assert_eq!(start.elapsed(), Duration::ZERO);
        sender.send(update("a", "2")).await.unwrap();
        sender.send(update("a", "3")).await.unwrap();
        assert_eq!(rules(&all.next().await.unwrap()), [("a", "3")]);
        assert_eq!(start.elapsed(), throttle);
        time::sleep(Duration::from_secs(10)).await;
        let quiet = Instant::now();
        sender.send(update("a", "4")).await.unwrap();
        assert_eq!(rules(&all.next().await.unwrap()), [("a", "4")]);
        assert_eq!(quiet.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_urgent_change_waits_for_nothing() {
        let (sender, receiver) = updates();
        let throttle = Duration::from_secs(2);
        let mut all = Aggregator::new(["a".to_owned()], BTreeMap::new(), throttle, receiver);
        let start = Instant::now();
        sender.send(update("a", "1")).await.unwrap();
        assert!(all.next().await.is_some());
        sender.send(update("a", "2")).await.unwrap();
        sender.send(Update { urgent: true, ..update("a", "3") }).await.unwrap();
        assert_eq!(rules(&all.next().await.unwrap()), [("a", "3")]);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_state_that_equals_the_one_before_is_no_change() {
        let (sender, receiver) = updates();
        let mut all = Aggregator::new([], BTreeMap::new(), Duration::ZERO, receiver);
        sender.send(update("a", "1")).await.unwrap();
        assert!(all.next().await.is_some());
        sender.send(update("a", "1")).await.unwrap();
        drop(sender);
        assert!(all.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_whole_is_complete_when_every_provider_has_spoken() {
        let (sender, receiver) = updates();
        let names = ["a", "b"].map(str::to_owned);
        let mut all = Aggregator::new(names, BTreeMap::new(), Duration::ZERO, receiver);
        sender.send(update("a", "1")).await.unwrap();
        assert!(!all.next().await.unwrap().complete);
        let empty = Update::of("b", Arc::default());
        sender.send(empty).await.unwrap();
        let merged = all.next().await.unwrap();
        assert!(merged.complete && merged.configs.len() == 2);
    }
}
