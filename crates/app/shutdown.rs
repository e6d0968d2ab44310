//! Signals, and the graceful end.

use std::{future::Future, pin::Pin, time::Duration};

use anyhow::{Context as _, Result};
use portway_model::static_config::StaticConfig;
use portway_observe::AccessLog;
use portway_proxy::Drain;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep},
};

use crate::logging;

/// How long the workers may take to cut what outlasts the grace time, and to log it.
const CUT_TIME: Duration = Duration::from_millis(250);

/// The signals that Portway hears, from the moment that this exists: none is lost while it starts.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reopen: Signal,
}

impl Signals {
    /// Begins to hear; to be called inside a runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn hear() -> Result<Self> {
        let hear = |kind| signal(kind).context("signals cannot be heard");
        Ok(Self {
            terminate: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
            reopen: hear(SignalKind::user_defined1())?,
        })
    }
}

/// Runs `work` until SIGTERM or SIGINT; SIGUSR1 opens log files anew.
///
/// # Errors
/// When `work` fails.
pub(crate) async fn until_signal(
    signals: &mut Signals,
    mut work: Pin<&mut impl Future<Output = Result<()>>>,
    log: &logging::Output,
    access_log: Option<&AccessLog>,
) -> Result<()> {
    loop {
        let signal = tokio::select! {
            worked = work.as_mut() => return worked,
            _ = signals.terminate.recv() => "SIGTERM",
            _ = signals.interrupt.recv() => "SIGINT",
            _ = signals.reopen.recv() => {
                reopen_logs(log, access_log);
                continue;
            }
        };
        tracing::info!("{signal}: stopping");
        return Ok(());
    }
}

fn reopen_logs(log: &logging::Output, access_log: Option<&AccessLog>) {
    if let Err(error) = log.reopen() {
        tracing::error!("the log cannot be opened anew: {error}");
    }
    if let Some(Err(error)) = access_log.map(AccessLog::reopen) {
        tracing::error!("{error}");
    }
}

/// Ends the data plane and waits until every connection has ended, at most as long as the entry points'
/// own times together allow. A second signal ends the wait.
pub(crate) async fn drain(signals: &mut Signals, config: &StaticConfig, drain: &Drain) {
    drain.begin();
    let times = config.entry_points.values().map(|entry_point| {
        let cycle = &entry_point.transport.life_cycle;
        let time = |period: portway_model::Period| period.positive().unwrap_or_default();
        (time(cycle.request_accept_grace_timeout), time(cycle.grace_time_out))
    });
    let (accepts, graces): (Vec<Duration>, Vec<Duration>) = times.unzip();
    let accept = accepts.into_iter().max().unwrap_or_default();
    let end = Instant::now() + accept + graces.into_iter().max().unwrap_or_default() + CUT_TIME;
    let waits = async {
        sleep(accept).await;
        while drain.connections() > 0 && Instant::now() < end {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = waits => {}
        _ = signals.terminate.recv() => {}
        _ = signals.interrupt.recv() => {}
    }
}
