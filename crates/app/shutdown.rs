//! Signals, and the graceful end.

use std::{future::Future, time::Duration};

use anyhow::Result;
use portway_model::static_config::StaticConfig;
use portway_observe::AccessLog;
use portway_proxy::Drain;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep, timeout},
};

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

/// Lets load balancers notice (`requestAcceptGraceTimeout`), then stops accepting and waits for requests to
/// end (`graceTimeOut`); each entry point's longest time counts. A second signal ends the wait.
pub(crate) async fn drain(config: &StaticConfig, drain: &Drain) {
    let cycles = || config.entry_points.values().map(|e| &e.transport.life_cycle);
    let longest = |periods: &mut dyn Iterator<Item = portway_model::Period>| {
        periods.max().and_then(portway_model::Period::positive).unwrap_or_default()
    };
    let accept = longest(&mut cycles().map(|cycle| cycle.request_accept_grace_timeout));
    let grace = longest(&mut cycles().map(|cycle| cycle.grace_time_out));
    let waits = async {
        sleep(accept).await;
        drain.begin();
        let end = Instant::now() + grace;
        while drain.connections() > 0 && Instant::now() < end {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let impatience = async {
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
        let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return };
        tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
    };
    let whole = accept + grace + Duration::from_secs(1);
    // Without signals the wait alone decides.
    let _ = timeout(whole, async {
        tokio::select! { () = waits => {} () = impatience => {} }
    })
    .await;
}
