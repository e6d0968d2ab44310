//! `failover`: see [`portway_snapshot::Failover`].

use portway_http::{Answer, Status};
use portway_observe::Reason;
use portway_snapshot::Failover;

use crate::{
    exchange::{Exchange, Reply},
    wrap::{HoldError, Join},
};

impl<'s> Exchange<'_, 's> {
    /// Asks the main service, and the fallback while that is down or for an answer that is none.
    pub(crate) async fn failover(&mut self, failover: &'s Failover) -> Reply<'s> {
        if failover.main_is_up() {
            let Some(errors) = &failover.errors else {
                return self.ask_service(&failover.main).await;
            };
            match self.hold_body(errors.max_body).await {
                Ok(()) => {}
                // Nobody wants it refused; it is sent once, as it comes.
                Err(HoldError::TooLarge) if errors.max_body.is_none() => {
                    return self.ask_service(&failover.main).await;
                }
                Err(HoldError::TooLarge) => {
                    self.facts.reason = Some(Reason::Middleware);
                    self.facts.detail = "failover: the body is too large".to_owned();
                    let status = Status::CONTENT_TOO_LARGE;
                    return self.answered(Answer::error(status, "Request body too large"));
                }
                Err(HoldError::Failed(error)) => return self.failed(&error),
            }
            let saved = self.save();
            let keeps_unsent = self.keeps_unsent;
            self.copy_request();
            let (outer, mut reply) = self.ask_apart(&failover.main).await;
            self.keeps_unsent = keeps_unsent;
            let is_gone = self.facts.reason == Some(Reason::ClientGone);
            if is_gone || !errors.covers(self.status_of(&reply)) {
                self.join(outer, &mut reply, Join::Beside);
                return reply;
            }
            self.take_back(outer);
            self.drop_reply(reply);
            self.rewind(&saved);
        }
        if failover.heeds_fallback && !failover.fallback.is_up() {
            self.facts.reason = Some(Reason::NoServer);
            let status = Status::SERVICE_UNAVAILABLE;
            return self.answered(Answer::error(status, status.text()));
        }
        self.ask_service(&failover.fallback).await
    }
}
