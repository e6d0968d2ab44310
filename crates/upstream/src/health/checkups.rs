//! Asking servers for their health, regularly. Traefik: `ServiceHealthChecker`.

use std::{cell::RefCell, collections::HashMap, io, rc::Rc, sync::Arc, thread, time::Duration};

use portway_model::{
    Period,
    dynamic::{CheckMode, HealthCheck},
};
use tokio::{
    runtime::{Builder, LocalOptions},
    sync::{Semaphore, mpsc},
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use super::{Check, Target, grpc, probe};

/// Questions under way at most; more of them wait.
const AT_ONCE: usize = 64;

/// Longer periods make no difference.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// What is to be asked from now on: services by their qualified names, without a check where nobody wants to know any
/// more.
pub type News = Vec<(Arc<str>, Option<Arc<Check>>)>;

/// All services whose servers are asked for their health. Lives on one thread, on a runtime for local tasks.
#[derive(Debug)]
pub struct Checkups {
    running: HashMap<Arc<str>, Running>,
    room: Arc<Semaphore>,
}

/// The clock of one service.
#[derive(Debug)]
struct Running {
    current: Rc<RefCell<Arc<Check>>>,
    rounds: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.rounds.abort();
    }
}

impl Checkups {
    /// Asks as the news say that it is sent, on a thread of its own that ends when there will be none any more.
    ///
    /// # Errors
    /// When the system refuses the thread or what its runtime needs.
    pub fn start() -> io::Result<mpsc::Sender<News>> {
        let (sender, news) = mpsc::channel(1);
        let (started, has_started) = std::sync::mpsc::channel();
        thread::Builder::new().name("health".to_owned()).spawn(move || {
            let runtime =
                Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
            match runtime {
                Ok(runtime) => {
                    _ = started.send(Ok(()));
                    runtime.block_on(Self::run(news));
                }
                Err(error) => _ = started.send(Err(error)),
            }
        })?;
        has_started.recv().map_err(io::Error::other)??;
        Ok(sender)
    }

    /// Asks as the news say, until there will be none any more.
    async fn run(mut news: mpsc::Receiver<News>) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut checkups = Self { running: HashMap::new(), room };
        while let Some(news) = news.recv().await {
            for (service, check) in news {
                checkups.put(service, check);
            }
        }
    }

    /// From now on the servers of the service are asked by this check.
    ///
    /// Where the settings are the same the clock goes on: no edit makes servers be asked more or less often.
    fn put(&mut self, service: Arc<str>, check: Option<Arc<Check>>) {
        let Some(check) = check else {
            self.running.remove(&service);
            return;
        };
        if let Some(running) = self.running.get(&service)
            && running.current.borrow().config == check.config
        {
            *running.current.borrow_mut() = check;
            return;
        }
        let current = Rc::new(RefCell::new(check));
        let rounds = tokio::task::spawn_local(watch(Rc::clone(&current), Arc::clone(&self.room)));
        self.running.insert(service, Running { current, rounds });
    }
}

/// Asks the servers that are well and those that are not, each in their own time.
async fn watch(current: Rc<RefCell<Arc<Check>>>, room: Arc<Semaphore>) {
    let periods = Periods::of(&current.borrow().config);
    let rounds = async |sick: bool, period: Duration| {
        let mut ticks = interval_at(Instant::now() + period, period);
        // As Go's tickers: a round that takes long swallows ticks, and the grid stays.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            round(&current, &room, sick, periods.timeout).await;
        }
    };
    tokio::join!(rounds(false, periods.interval), rounds(true, periods.unhealthy));
}

/// Asks all servers that are as `sick` says when it begins.
async fn round(
    current: &Rc<RefCell<Arc<Check>>>,
    room: &Arc<Semaphore>,
    sick: bool,
    limit: Duration,
) {
    let check = Arc::clone(&current.borrow());
    let mut asked = JoinSet::new();
    for target in check.targets.iter().filter(|target| target.standing.is_sick() == sick) {
        let Ok(permit) = Arc::clone(room).acquire_owned().await else { return };
        let (check, current, target) = (Arc::clone(&check), Rc::clone(current), target.clone());
        asked.spawn_local(async move {
            let outcome = ask(&check.config, &target, limit).await;
            drop(permit);
            // It may have gone meanwhile.
            let remains = current.borrow().targets.iter().any(|t| t.is_of(&target));
            if remains {
                tell(&check.service, &target, outcome);
            }
        });
    }
    while asked.join_next().await.is_some() {}
}

impl Target {
    fn is_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.standing, &other.standing)
    }
}

/// Asks a server within the limit; the error says why it is not well.
async fn ask(config: &HealthCheck, target: &Target, limit: Duration) -> Result<(), String> {
    let late = || format!("no answer within {limit:?}");
    match config.mode {
        Some(CheckMode::Grpc) => timeout(limit, grpc::ask(config, &target.server, limit))
            .await
            .unwrap_or_else(|_| Err(format!("gRPC health check timeout: {}", late())))
            .map_err(|error| format!("checking gRPC health: {error}")),
        _ => timeout(limit, probe::ask(config, &target.server))
            .await
            .unwrap_or_else(|_| Err(format!("HTTP request failed: {}", late())))
            .map_err(|error| format!("checking HTTP health: {error}")),
    }
}

fn tell(service: &str, target: &Target, outcome: Result<(), String>) {
    let url = &target.server.url;
    let is_news = target.standing.examined(outcome.is_ok());
    match outcome {
        Ok(()) if is_news => tracing::info!("service {service}: {url} is up: it is well again"),
        Err(why) if is_news => {
            tracing::warn!("service {service}: {url} is down: health check failed: {why}");
        }
        Err(why) => tracing::debug!("service {service}: {url}: health check failed: {why}"),
        Ok(()) => {}
    }
}

/// How often, and for how long. Defaults stand in for what is not positive, as in Traefik.
#[derive(Debug, Eq, PartialEq)]
struct Periods {
    interval: Duration,
    unhealthy: Duration,
    timeout: Duration,
}

impl Periods {
    fn of(config: &HealthCheck) -> Self {
        let or = |period: Period, default: Period| {
            period.positive().or_else(|| default.positive()).unwrap_or(LONGEST).min(LONGEST)
        };
        let interval = or(config.interval, HealthCheck::INTERVAL);
        let unhealthy = config.unhealthy_interval;
        Self {
            interval,
            unhealthy: unhealthy.map_or(interval, |period| or(period, HealthCheck::INTERVAL)),
            timeout: or(config.timeout, HealthCheck::TIMEOUT),
        }
    }
}

#[cfg(test)]
mod tests;
