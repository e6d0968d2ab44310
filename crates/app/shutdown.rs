//! Signals, and the graceful end.

use std::{future::Future, time::Duration};

use anyhow::Result;
use portway_model::static_config::StaticConfig;
use portway_observe::AccessLog;
use portway_proxy::Drain;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep},
};

/// How long the workers may take to cut what outlasts the grace time, and to log it.
const CUT_TIME: Duration = Duration::from_millis(250);

/// Runs `work` until SIGTERM or SIGINT; SIGUSR1 opens log files anew.
///
/// # Errors
/// When `work` fails, or signals cannot be listened to.
pub(crate) async fn until_signal(
    work: impl Future<Output = Result<()>>,
    log: Option<&AccessLog>,
) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let reopen = signal(SignalKind::user_defined1())?;
    tokio::select! {
        worked = work => worked?,
        () = reopen_logs(reopen, log) => {}
        _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
    }
    Ok(())
}

/// Never returns.
async fn reopen_logs(mut reopen: Signal, log: Option<&AccessLog>) {
    loop {
        reopen.recv().await;
        if let Some(log) = log
            && let Err(error) = log.reopen()
        {
            tracing::error!("{error}");
        }
    }
}

/// Ends the data plane and waits until every connection has ended, at most as long as the entry points'
/// own times together allow. A second signal ends the wait.
pub(crate) async fn drain(config: &StaticConfig, drain: &Drain) {
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
    let impatience = async {
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
        let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return };
        tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
    };
    tokio::select! { () = waits => {} () = impatience => {} }
}
