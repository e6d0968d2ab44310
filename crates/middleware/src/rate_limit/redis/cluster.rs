//! Several servers that share the keys by slots (Redis Cluster).
//!
//! Nothing is known of the slots at first: a server that is asked for a key of another one says whose it is, and that
//! is remembered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{ErrorKind, RedisResult, ServerErrorKind};

use super::Bucket;
use super::node::{Node, Reach};

/// The servers of a cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    /// Those that the user has named.
    seeds: Vec<Arc<Node>>,
    /// Which of them is asked where nothing is known.
    turn: AtomicUsize,
    reach: Arc<Reach>,
    known: Mutex<Known>,
}

/// What servers have said.
#[derive(Debug, Default)]
struct Known {
    by_address: HashMap<Box<str>, Arc<Node>>,
    by_slot: HashMap<u16, Arc<Node>>,
}

impl Cluster {
    pub(super) fn new(seeds: Vec<Arc<Node>>, reach: Arc<Reach>) -> Self {
        Self { seeds, turn: AtomicUsize::new(0), reach, known: Mutex::default() }
    }

    /// Asks the server that has the key, as far as servers know.
    pub(super) async fn ask(&self, bucket: &Bucket<'_>) -> RedisResult<f64> {
        let slot = slot(bucket.key);
        let known = self.known().by_slot.get(&slot).cloned();
        let mut node = known.or_else(|| self.seed()).ok_or_else(nobody)?;
        let mut asking = false;
        for _ in 0..MAX_STEPS {
            let answered = node.ask(bucket, asking).await;
            let Err(error) = &answered else { return answered };
            asking = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
            let next = match error.redirect_node() {
                Some((address, _)) => self.node(address, &node),
                None if error.is_io_error() => {
                    self.known().by_slot.remove(&slot);
                    self.seed().filter(|seed| !Arc::ptr_eq(seed, &node))
                }
                None => None,
            };
            let Some(next) = next else { return answered };
            if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) {
                self.known().by_slot.insert(slot, Arc::clone(&next));
            }
            node = next;
        }
        Err(nobody())
    }

    /// One of those that the user has named, another one each time.
    fn seed(&self) -> Option<Arc<Node>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.seeds.get(turn % self.seeds.len().max(1)).cloned()
    }

    /// The server at an address that `said` gave; one without a host is where that is.
    fn node(&self, address: &str, said: &Arc<Node>) -> Option<Arc<Node>> {
        let full = match address.strip_prefix(':') {
            Some(port) => said.beside(port),
            None => address.to_owned(),
        };
        let mut known = self.known();
        if let Some(node) = known.by_address.get(full.as_str()) {
            return Some(Arc::clone(node));
        }
        if known.by_address.len() >= MAX_SERVERS {
            *known = Known::default();
        }
        let seed = self.seeds.iter().find(|seed| seed.is_at(&full)).cloned();
        let node = seed.or_else(|| Node::new(&full, &self.reach).map(Arc::new))?;
        known.by_address.insert(full.into(), Arc::clone(&node));
        Some(node)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nobody() -> redis::RedisError {
    (ErrorKind::ClusterConnectionNotFound, "no server of the cluster has the key").into()
}

/// The slot of a key: CRC-16 (XMODEM) of it, or of what stands in its first pair of braces.
fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = key.get(open + 1..)?;
        let close = rest.iter().position(|byte| *byte == b'}')?;
        rest.get(..close).filter(|tag| !tag.is_empty())
    });
    let sum = tag.unwrap_or(key).iter().fold(0_u16, |sum, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| {
            if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
        })
    });
    sum % 16_384
}

/// Servers that are asked for one token, at most.
const MAX_STEPS: usize = 8;

/// Servers that are remembered, at most.
const MAX_SERVERS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // By CLUSTER KEYSLOT.
        for (key, expected) in [
            ("", 0),
            ("123456789", 12_739),
            ("foo", 12_182),
            ("a{foo}b", 12_182),
            ("a{foo}{bar}", 12_182),
            ("{foo", 13_308),
            ("{}foo", 9500),
        ] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
    }
}
