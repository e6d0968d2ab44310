//! A service that answers, and others that get copies of its requests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use portway_model::dynamic;

use crate::Service;

/// A service that answers, and others that get copies of its requests. Traefik: `mirroring`.
#[derive(Debug)]
pub struct Mirroring {
    /// What answers.
    pub main: Arc<Service>,
    mirrors: Vec<Mirror>,
    /// Whether copies have bodies.
    copies_body: bool,
    /// Bytes of a body above which a request is not copied.
    max_body: Option<u64>,
    counts: Arc<Counts>,
}

#[derive(Debug)]
struct Mirror {
    service: Arc<Service>,
    name: String,
    /// Its share of the requests in percent.
    percent: u64,
}

/// What outlives a change of other settings.
#[derive(Debug)]
struct Counts {
    requests: AtomicU64,
    /// How many each mirror got.
    copies: Box<[AtomicU64]>,
}

impl Mirroring {
    /// Compiles what the user wrote; `mirrors` are its mirrors in their order. Counts go on from those of the
    /// generation `before` where names and shares are the same.
    pub(crate) fn compile(
        config: &dynamic::Mirroring,
        main: Arc<Service>,
        mirrors: Vec<Arc<Service>>,
        before: Option<&Self>,
    ) -> Self {
        let mirrors = mirrors.into_iter().zip(&config.mirrors).map(|(service, mirror)| Mirror {
            service,
            name: mirror.name.clone(),
            percent: u64::try_from(mirror.percent).unwrap_or_default(),
        });
        let mirrors: Vec<Mirror> = mirrors.collect();
        let counts = before.filter(|before| before.has_shares_of(&mirrors));
        let copies = || mirrors.iter().map(|_| AtomicU64::new(0)).collect();
        let new = || Arc::new(Counts { requests: AtomicU64::new(0), copies: copies() });
        Self {
            main,
            counts: counts.map_or_else(new, |before| Arc::clone(&before.counts)),
            mirrors,
            copies_body: config.mirror_body.unwrap_or(true),
            max_body: config.max_body_size.and_then(|limit| u64::try_from(limit).ok()),
        }
    }

    fn has_shares_of(&self, mirrors: &[Mirror]) -> bool {
        let share = |mirror: &Mirror| (mirror.name.clone(), mirror.percent);
        self.mirrors.iter().map(share).eq(mirrors.iter().map(share))
    }

    /// Counts a request, and gives the mirrors that are to get a copy of it: each when its copies have fallen behind
    /// its share.
    pub fn due(&self) -> Vec<Arc<Service>> {
        let requests = self.counts.requests.fetch_add(1, Relaxed).saturating_add(1);
        let due = |(mirror, copies): &(&Mirror, &AtomicU64)| {
            let behind = |copies: u64| {
                let is_behind =
                    copies.saturating_mul(100) < requests.saturating_mul(mirror.percent);
                is_behind.then_some(copies + 1)
            };
            copies.fetch_update(Relaxed, Relaxed, behind).is_ok()
        };
        let mirrors = self.mirrors.iter().zip(&self.counts.copies).filter(due);
        mirrors.map(|(mirror, _)| Arc::clone(&mirror.service)).collect()
    }

    /// Bytes of a body that copies have at most, 0 where they have none; `None` where there is no limit.
    pub fn max_body(&self) -> Option<u64> {
        if self.copies_body { self.max_body } else { Some(0) }
    }

    /// Whether copies have bodies.
    pub fn copies_body(&self) -> bool {
        self.copies_body
    }
}

#[cfg(test)]
mod tests {
    use portway_model::InternalService;

    use super::*;

    fn mirroring(shares: &[i64], before: Option<&Mirroring>) -> Mirroring {
        let service = || Arc::new(Service::Internal(InternalService::Noop));
        let mirror = |percent: &i64| dynamic::Mirror { name: String::new(), percent: *percent };
        let mirrors = shares.iter().map(mirror).collect();
        let config = dynamic::Mirroring { mirrors, ..Default::default() };
        let mirrors = shares.iter().map(|_| service()).collect();
        Mirroring::compile(&config, service(), mirrors, before)
    }

    #[test]
    fn each_mirror_gets_its_share_evenly() {
        let mirroring = mirroring(&[0, 1, 10, 33, 50, 100], None);
        for count in 1..=1_000_u64 {
            mirroring.due();
            for (mirror, copies) in mirroring.mirrors.iter().zip(&mirroring.counts.copies) {
                let exact = count * mirror.percent;
                let copies = 100 * copies.load(Relaxed);
                assert!(copies >= exact && copies < exact + 100, "{} % of {count}", mirror.percent);
            }
        }
    }

    #[test]
    fn counts_go_on_while_shares_stay() {
        let first = mirroring(&[50], None);
        assert_eq!(first.due().len(), 1);
        let second = mirroring(&[50], Some(&first));
        assert_eq!(second.due().len(), 0);
        assert_eq!(mirroring(&[60], Some(&second)).due().len(), 1, "another share begins anew");
    }
}
