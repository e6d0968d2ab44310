//! One of several replicas leads: who holds a Lease.
//!
//! A holder renews its Lease; a Lease that nobody has renewed for its duration may be taken. Whether that is so is told
//! by the clock of whoever waits, never by comparing two machines' clocks. Kubernetes' own components elect the same
//! way (client-go `leaderelection`).

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{Api, Client, api::PostParams};
use tokio::{sync::watch, time::Instant};

/// How long a Lease holds without being renewed.
const DURATION: Duration = Duration::from_secs(15);

/// How often a holder renews it, and others look at it.
const PERIOD: Duration = Duration::from_secs(3);

/// How long a holder that cannot renew it goes on: less than the duration, so that two never lead.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long to wait where Leases may not be used.
const FORBIDDEN: Duration = Duration::from_secs(60);

/// A candidate for a Lease.
#[derive(Debug)]
pub struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
    /// What the Lease said when it last changed, and when that was seen.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Candidate {
    /// A candidate for the Lease `name` in `namespace`; no two candidates may have the same identity.
    pub fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        let leases = Api::namespaced(client, namespace);
        Self { leases, name: name.to_owned(), identity: identity.to_owned(), seen: None }
    }

    /// Takes part until `ending` says that the process ends, and gives the Lease back then; tells whether it
    /// `leads`.
    pub async fn run(mut self, leads: watch::Sender<bool>, mut ending: watch::Receiver<bool>) {
        let mut renewed = Instant::now();
        let mut told = false;
        loop {
            let tried = Instant::now();
            let wait = match self.attempt().await {
                Ok(true) => {
                    renewed = tried;
                    leads.send_if_modified(|leads| !std::mem::replace(leads, true));
                    PERIOD
                }
                Ok(false) => {
                    leads.send_if_modified(|leads| std::mem::replace(leads, false));
                    PERIOD
                }
                Err(error) => {
                    if renewed.elapsed() > DEADLINE {
                        leads.send_if_modified(|leads| std::mem::replace(leads, false));
                    }
                    let forbidden = matches!(&error, kube::Error::Api(s) if s.code == 403);
                    if forbidden && !std::mem::replace(&mut told, true) {
                        tracing::warn!(
                            "no status is written to objects, because Lease `{}` may not be used: {error}",
                            self.name
                        );
                    }
                    if forbidden { FORBIDDEN } else { PERIOD }
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = ending.wait_for(|ending| *ending) => break,
            }
        }
        if leads.send_replace(false) {
            self.release().await;
        }
    }

    /// Makes, renews or takes the Lease; whether it is held now.
    async fn attempt(&mut self) -> kube::Result<bool> {
        let Some(mut lease) = self.leases.get_opt(&self.name).await? else {
            let mut lease = Lease::default();
            lease.metadata.name = Some(self.name.clone());
            lease.spec = Some(self.held(None));
            return self.settled(self.leases.create(&PostParams::default(), &lease).await);
        };
        let spec = lease.spec.take().unwrap_or_default();
        let since = match &self.seen {
            Some((seen, since)) if *seen == spec => *since,
            _ => Instant::now(),
        };
        let holder = spec.holder_identity.clone().unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let duration = seconds.map_or(DURATION, Duration::from_secs);
        let free = holder.is_empty() || holder == self.identity || since.elapsed() > duration;
        self.seen = Some((spec.clone(), since));
        if !free {
            return Ok(false);
        }
        lease.spec = Some(self.held(Some(&spec)));
        let replaced = self.leases.replace(&self.name, &PostParams::default(), &lease).await;
        self.settled(replaced)
    }

    /// What the Lease says when this candidate holds it after `before`.
    fn held(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = Some(MicroTime(Timestamp::now()));
        let mine = before.is_some_and(|b| b.holder_identity.as_ref() == Some(&self.identity));
        let transitions = before.and_then(|before| before.lease_transitions).unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: before.filter(|_| mine).map_or(now.clone(), |b| b.acquire_time.clone()),
            renew_time: now,
            lease_transitions: Some(
                transitions.saturating_add(i32::from(!mine && before.is_some())),
            ),
            ..LeaseSpec::default()
        }
    }

    /// Whether a write made this candidate the holder; another's write in between is no error.
    fn settled(&mut self, written: kube::Result<Lease>) -> kube::Result<bool> {
        match written {
            Ok(lease) => {
                self.seen = lease.spec.map(|spec| (spec, Instant::now()));
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives the Lease back, so that another need not wait for it.
    async fn release(&self) {
        let given_back = async {
            let mut lease = self.leases.get(&self.name).await?;
            if let Some(spec) = &mut lease.spec
                && spec.holder_identity.as_ref() == Some(&self.identity)
            {
                spec.holder_identity = None;
                self.leases.replace(&self.name, &PostParams::default(), &lease).await?;
            }
            Ok::<_, kube::Error>(())
        };
        // It runs out by itself where that fails.
        _ = tokio::time::timeout(PERIOD, given_back).await;
    }
}
