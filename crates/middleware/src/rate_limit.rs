//! Limits the requests of one source in a time.
//!
//! Traefik: `rateLimit`. Differences: a negative `average`, with which Traefik limits nothing, is refused; of more than
//! 65,536 sources those are forgotten that would be first, some at a time; those of counting in Redis are told in
//! `rate_limit/redis.rs`.

mod bucket;
mod redis;

use std::sync::Arc;
use std::time::{Duration, Instant};

use portway_http::{Answer, Request, StaticName, Status};
use portway_model::{Period, Problem, dynamic};

use self::bucket::{Bucket, Rate};
use self::redis::Redis;
use crate::client::Strategy;
use crate::source::{Criterion, Instances, Name, PARTS, Part, Sources};
use crate::{Context, Flow, Origin};

/// A compiled `rateLimit`.
#[derive(Clone, Debug)]
pub struct RateLimit {
    settings: Arc<Settings>,
    /// Where it counts itself.
    buckets: Arc<Buckets>,
}

#[derive(Debug)]
struct Settings {
    /// `None` lets every request pass, or none where Redis counts.
    rate: Option<Rate>,
    criterion: Criterion,
    /// Where others count, too; `None` where it counts itself.
    redis: Option<Redis>,
    instances: Instances<Buckets>,
}

/// The bucket of each source.
type Buckets = Sources<Bucket>;

impl RateLimit {
    /// Compiles the user's settings; two criteria are refused, and so are a negative period and average. No criterion
    /// means the address of the connection.
    pub fn compile(
        config: &dynamic::RateLimit,
        origin: &Origin<'_>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let refused = |message| problems.push(Problem::error("", message));
        let settings = settings(config, origin).map_err(refused).ok()?;
        Some(Self { settings: Arc::new(settings), buckets: Arc::default() })
    }

    /// The same with the buckets of a router.
    pub(crate) fn of_router(&self, router: &str, number: usize) -> Self {
        let buckets = self.settings.instances.of_router(router, number);
        Self { settings: Arc::clone(&self.settings), buckets }
    }

    /// Takes a token. A request that comes a little too early waits for it.
    pub(crate) async fn on_request(
        &self,
        request: &mut Request,
        context: &mut Context<'_>,
    ) -> Flow {
        if let Some(redis) = &self.settings.redis {
            // Rare and large: it must not swell the future of every exchange.
            return Box::pin(self.count_in(redis, request, context)).await;
        }
        let Some(rate) = &self.settings.rate else { return Flow::Continue };
        let name = self.settings.criterion.name(request, context);
        match self.take(rate, &name, context.now) {
            Ok(Duration::ZERO) => Flow::Continue,
            Ok(delay) => {
                tokio::time::sleep(delay).await;
                Flow::Continue
            }
            Err(delay) => {
                context.reason = Some("rateLimit: too many requests");
                Flow::Respond(refusal(delay))
            }
        }
    }

    /// Takes a token in Redis.
    async fn count_in(&self, redis: &Redis, request: &Request, context: &mut Context<'_>) -> Flow {
        let Some(rate) = &self.settings.rate else {
            context.reason = Some("rateLimit: an average of 0 lets nobody in where Redis counts");
            let status = Status::TOO_MANY_REQUESTS;
            return Flow::Respond(Answer::error(status, "No bursty traffic allowed"));
        };
        let source = self.settings.criterion.text(request, context);
        match redis.take(rate, &source).await {
            Ok(Duration::ZERO) => Flow::Continue,
            Ok(delay) if delay > rate.max_delay() => {
                context.reason = Some("rateLimit: too many requests");
                Flow::Respond(refusal(delay))
            }
            Ok(delay) => {
                tokio::time::sleep(delay).await;
                Flow::Continue
            }
            Err(error) => {
                tracing::debug!("rateLimit: {error}");
                context.reason = Some("rateLimit: Redis gives no answer");
                let status = Status::INTERNAL_SERVER_ERROR;
                Flow::Respond(Answer::error(status, "Could not insert/update bucket"))
            }
        }
    }

    /// How long a request of this source has to wait; or too long, after which there is a token for it.
    fn take(&self, rate: &Rate, name: &Name, now: Instant) -> Result<Duration, Duration> {
        let mut part = self.buckets.part(name);
        if let Some(bucket) = part.get_mut(name).filter(|bucket| !bucket.has_expired(now)) {
            return bucket.take(rate, now);
        }
        make_room(&mut part, now);
        let mut bucket = Bucket::new(rate, now);
        let taken = bucket.take(rate, now);
        part.insert(*name, bucket);
        taken
    }
}

fn settings(config: &dynamic::RateLimit, origin: &Origin<'_>) -> Result<Settings, String> {
    let criterion = Criterion::compile(config.source_criterion.as_ref())
        .map_err(|reason| format!("getting source extractor: {reason}"))?;
    let criterion = criterion.unwrap_or(Criterion::Client(Strategy::Connection(None)));
    if config.average < 0 {
        return Err(format!("negative value not valid for average: {}", config.average));
    }
    if config.period.nanoseconds < 0 {
        return Err(format!("negative value not valid for period: {}", config.period));
    }
    let period = config.period.positive().unwrap_or(Duration::from_secs(1));
    let rate = (config.average > 0).then(|| Rate::new(config.average, period, config.burst));
    let redis = config.redis.as_ref().map(|redis| {
        Redis::compile(origin.name, redis, origin.authorities)
            .map_err(|reason| format!("creating redis limiter: {reason}"))
    });
    let redis = redis.transpose()?;
    Ok(Settings { rate, criterion, redis, instances: Instances::default() })
}

/// The answer to a request that would wait too long.
fn refusal(delay: Duration) -> Answer {
    let mut answer = Answer::proxy_error(Status::TOO_MANY_REQUESTS);
    let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    answer.headers.append(RETRY_AFTER, seconds.to_string());
    let nanoseconds = i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX);
    answer.headers.append(RETRY_IN, Period { nanoseconds }.to_string());
    answer
}

/// Forgets sources so that there is room for another one.
fn make_room(part: &mut Part<Bucket>, now: Instant) {
    if part.len() < MAX_SOURCES {
        return;
    }
    part.retain(|_, bucket| !bucket.has_expired(now));
    // Some at a time, so that not every new source costs a look at all others.
    let some = MAX_SOURCES / 16;
    if part.len() + some <= MAX_SOURCES {
        return;
    }
    let mut expiries: Vec<Instant> = part.values().map(Bucket::expiry).collect();
    let (_, last, _) = expiries.select_nth_unstable(some);
    let last = *last;
    part.retain(|_, bucket| bucket.expiry() > last);
}

/// Sources in a part at most. Traefik keeps 65,536 in all.
const MAX_SOURCES: usize = 65_536 / PARTS;

const RETRY_AFTER: StaticName = StaticName::new("Retry-After");
const RETRY_IN: StaticName = StaticName::new("X-Retry-In");

#[cfg(test)]
mod tests;
