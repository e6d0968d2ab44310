//! `retry`: see [`portway_middleware::Retry`].

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use portway_middleware::{Attempt, Retry};
use portway_observe::Reason;
use portway_snapshot::Steps;

use super::{HoldError, fields::Join};
use crate::{
    exchange::{Exchange, Reply, Tried},
    relay::{Side, watch},
};

impl<'s> Exchange<'_, 's> {
    /// Leads the request through `rest`, again where that did not come to anything.
    pub(super) async fn retry(&mut self, retry: &Retry, rest: &'s Steps) -> Reply<'s> {
        let mut heeds_status = retry.heeds_status(&self.memory.request.method);
        if heeds_status {
            match self.hold_body(retry.max_body()).await {
                Ok(()) => {}
                Err(HoldError::TooLarge) => heeds_status = false,
                Err(HoldError::Failed(error)) => return self.failed(&error),
            }
        }
        let saved = self.save();
        let outer = self.asked.replace(Vec::new());
        let keeps_headers = self.facts.keeps_headers();
        let began = Instant::now();
        let mut attempts = 1;
        let reply = loop {
            let sent_before = self.sent.take();
            let tried_before = std::mem::take(&mut self.tried);
            let last = attempts >= retry.attempts();
            let keeps_unsent = self.keeps_unsent;
            if heeds_status || (!last && retry.heeds_network()) {
                self.copy_request();
            } else {
                self.facts.follow_headers(keeps_headers);
            }
            // The last attempt has nothing to be held back for.
            let (outer, mut reply) = if last {
                (None, self.run(rest).await)
            } else {
                let (outer, reply) = self.run_apart(rest).await;
                (Some(outer), reply)
            };
            self.keeps_unsent = keeps_unsent;
            let attempt = match self.tried {
                Tried { asked: true, sent: false } => Attempt::Unsent,
                _ => Attempt::Answered(self.status_of(&reply)),
            };
            self.sent = self.sent.or(sent_before);
            // As in Traefik, a `retry` further out knows of the last attempt alone.
            self.tried = match last {
                true => Tried {
                    asked: self.tried.asked || tried_before.asked,
                    sent: self.tried.sent || tried_before.sent,
                },
                false => tried_before,
            };
            let elapsed = began.elapsed();
            let again = attempts < retry.attempts()
                && retry.again(attempt, elapsed, heeds_status)
                && !self.memory.body_is_lost
                && self.facts.reason != Some(Reason::ClientGone);
            let pause = retry.pause(attempts, elapsed, fastrand::f64()).filter(|_| again);
            let Some(pause) = pause else {
                if let Some(outer) = outer {
                    self.join(outer, &mut reply, Join::Instead);
                }
                break reply;
            };
            if let Some(outer) = outer {
                self.take_back(outer);
            }
            self.drop_reply(reply);
            self.rewind(&saved);
            if self.client_leaves_within(pause).await {
                break self.client_gone();
            }
            attempts += 1;
            self.facts.retries += 1;
        };
        self.asked = outer;
        reply
    }

    /// Waits so long; says whether the client went away meanwhile.
    async fn client_leaves_within(&mut self, pause: Duration) -> bool {
        if pause.is_zero() {
            return false;
        }
        let mut pause = pin!(tokio::time::sleep(pause));
        let connection = &mut *self.connection;
        poll_fn(|cx| {
            if pause.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
            watch(cx, &mut client, &connection.worker.buffers).map(|_| true)
        })
        .await
    }
}
