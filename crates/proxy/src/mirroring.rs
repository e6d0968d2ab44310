//! `mirroring`: see [`portway_snapshot::Mirroring`].

use std::sync::Arc;

use portway_http::BodyFraming;
use portway_snapshot::Mirroring;

use crate::{
    copies::{Copy, Payload},
    exchange::{Exchange, Reply},
    wrap::HoldError,
};

impl<'s> Exchange<'_, 's> {
    /// Asks the main service, and notes that the mirrors whose turn it is get copies once the client has its answer.
    ///
    /// The body is copied as it passes, so that nobody waits for it. One that is here already is held instead: then
    /// there is a copy of it even where the main service takes none of it.
    pub(crate) async fn mirroring(&mut self, mirroring: &'s Mirroring) -> Reply<'s> {
        let mirrors = mirroring.due();
        let framing = self.memory.request.body;
        let limit = mirroring.max_body();
        let is_copied = mirroring.copies_body() && !framing.is_empty();
        let is_too_long = match framing {
            BodyFraming::Length(length) => limit.is_some_and(|limit| length > limit),
            _ => false,
        };
        if mirrors.is_empty() || (is_copied && is_too_long) {
            return self.ask_service(&mirroring.main).await;
        }
        let mut copy = Copy {
            mirrors,
            request: self.memory.request.clone(),
            route: Arc::clone(self.route),
            marks: self.context.marks(),
            recode: self.memory.recode,
            limit,
            body: Payload::None,
        };
        if is_copied {
            if self.memory.held.is_none()
                && self.body_is_here().await
                && let Err(HoldError::Failed(error)) = self.hold_body(None).await
            {
                return self.failed(&error);
            }
            if self.memory.held.is_none() {
                self.memory.upload.copy(limit);
            }
        }
        let keeps_unsent = self.keeps_unsent;
        self.copy_request();
        let reply = self.ask_service(&mirroring.main).await;
        self.keeps_unsent = keeps_unsent;
        if is_copied {
            copy.body = match self.held_payload(framing) {
                Some(payload) => Payload::of(payload),
                None => self.memory.upload.copied(),
            };
        }
        self.memory.copies.push(copy);
        reply
    }
}
