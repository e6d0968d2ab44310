//! `circuitBreaker`: see [`portway_middleware::CircuitBreaker`].

use std::time::Instant;

use portway_middleware::CircuitBreaker;
use portway_observe::Reason;
use portway_snapshot::Steps;

use crate::exchange::{Exchange, Reply};

impl<'s> Exchange<'_, 's> {
    /// Leads the request through `rest`, unless that has failed too often. What came of it is recorded when the
    /// response has been sent, as in Traefik.
    pub(super) async fn circuit_breaker(
        &mut self,
        breaker: &CircuitBreaker,
        rest: &'s Steps,
    ) -> Reply<'s> {
        let place = self.memory.recordings.len();
        match breaker.admit(Instant::now()) {
            Ok(recording) => self.memory.recordings.push(recording),
            Err(answer) => {
                self.facts.reason = Some(Reason::Middleware);
                self.facts.detail = "circuitBreaker: open".to_owned();
                return self.answered(answer);
            }
        }
        let reply = self.run(rest).await;
        let status = self.status_of(&reply);
        if let Some(recording) = self.memory.recordings.get_mut(place) {
            recording.answered(status);
        }
        reply
    }
}
