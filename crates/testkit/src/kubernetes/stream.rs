//! A watch as it goes: waits for changes, bookmarks and its end.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::serve::Shared;
use super::watch::{End, Step, Watch};

type Sink = mpsc::Sender<io::Result<Bytes>>;

/// Says what a watch has to say until it ends, the client leaves or the server does.
pub(super) async fn stream(mut watch: Watch, first: Step, sink: Sink, shared: Arc<Shared>) {
    let end = tokio::select! {
        end = speak(&mut watch, first, &sink, &shared) => end,
        () = sink.closed() => None,
    };
    shared.state().leave_watch(watch.number);
    match end {
        None | Some(End::Clean) => {}
        Some(End::Abrupt) => abort(&sink).await,
        Some(End::Hang) => sink.closed().await,
    }
}

/// Breaks the connection after what was said has left: an HTTP server drops what it holds when a
/// body fails.
pub(super) async fn abort(sink: &Sink) {
    sleep(FLUSH).await;
    let _ = sink.send(Err(io::ErrorKind::ConnectionAborted.into())).await;
}

/// Speaks until there is a reason to end; `None` when the client has left.
async fn speak(watch: &mut Watch, first: Step, sink: &Sink, shared: &Shared) -> Option<End> {
    let mut changed = shared.announcements();
    let mut next_bookmark = Instant::now() + shared.state().bookmark_period;
    let mut step = first;
    loop {
        if !step.wait.is_zero() {
            sleep(step.wait).await;
        }
        for line in step.lines {
            sink.send(Ok(line)).await.ok()?;
        }
        if step.end.is_some() {
            return step.end;
        }
        changed.mark_unchanged();
        let now = Instant::now();
        if watch.deadline.is_some_and(|deadline| now >= deadline) {
            return Some(End::Clean);
        }
        step = watch.advance(&mut shared.state(), now);
        if !step.lines.is_empty() || step.end.is_some() || !step.wait.is_zero() {
            continue;
        }
        if watch.bookmarks && now >= next_bookmark {
            let state = shared.state();
            next_bookmark = now + state.bookmark_period;
            step.lines.extend(watch.bookmark(&state));
            continue;
        }
        let wake = if watch.bookmarks { Some(next_bookmark) } else { None };
        let wake = wake.into_iter().chain(watch.deadline).min();
        let wait = wake.map_or(FOREVER, |wake| wake.saturating_duration_since(now));
        let _ = timeout(wait, changed.changed()).await;
    }
}

/// Long enough for a loopback connection to take what was written.
const FLUSH: Duration = Duration::from_millis(2);

/// Longer than any test.
const FOREVER: Duration = Duration::from_secs(86_400);
