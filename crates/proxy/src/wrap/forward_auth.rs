//! `forwardAuth`: see [`portway_middleware::ForwardAuth`].
//!
//! # Invariants
//! - A request passes only if the server said so, in an answer that came whole and in time.
//! - What follows, and the client, see nothing of the exchange with the server but what the settings name.

use std::{future::Future, rc::Rc, time::Duration};

use portway_http::{Answer, Response, Status};
use portway_middleware::ForwardAuth;
use portway_observe::Reason;
use portway_snapshot::{Steps, Taker, Target, Timeouts};
use portway_upstream::{Asking, Picked};
use tokio::time::timeout;

use super::{HoldError, reply::AwaitError};
use crate::{
    exchange::{Exchange, Reply},
    forward::{self, ForwardError},
    relay::Recode,
};

/// Why there is no answer to go by.
#[derive(Debug)]
enum Unanswered {
    /// The exchange with the server failed.
    Failed(ForwardError),
    /// The answer is longer than the limit.
    TooLarge,
    /// The answer did not come whole.
    Broken,
    /// It took too long.
    Late,
    /// There is no server to ask.
    NoServer,
}

/// What comes of asking, unless that takes too long.
async fn in_time<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, Unanswered>>,
) -> Result<T, Unanswered> {
    timeout(limit, asked).await.unwrap_or(Err(Unanswered::Late))
}

impl<'s> Exchange<'_, 's> {
    /// Asks the server whether the request may pass, and leads it through `rest` if so.
    pub(super) async fn forward_auth(
        &mut self,
        auth: &'s ForwardAuth,
        server: &'s Target,
        rest: &'s Steps,
    ) -> Reply<'s> {
        if let Some(limit) = auth.max_body() {
            match self.hold_body(Some(limit)).await {
                Ok(()) if self.held_length() <= limit => {}
                Ok(()) | Err(HoldError::TooLarge) => {
                    let answer = Answer::empty(Status::UNAUTHORIZED);
                    return self.refuse(answer, "the request body is larger than `maxBodySize`");
                }
                Err(HoldError::Failed(error)) => return self.failed(&error),
            }
        }
        let saved = self.save();
        let answered = self.ask_auth(auth, server).await;
        self.rewind(&saved);
        let (answer, body) = match answered {
            Ok(answered) => answered,
            Err(unanswered) => return self.unanswered(&unanswered),
        };
        if let Some(user) = auth.user(&answer.headers) {
            self.facts.user = Some(user);
        }
        if !auth.lets_in(answer.status) {
            let detects_type = self.context.detects_type;
            let refusal = auth.refusal(&self.memory.request, &answer, body, detects_type);
            return self.refuse(refusal, &format!("the answer was {}", answer.status.code()));
        }
        auth.admit(&mut self.memory.request, &answer.headers);
        let cookies = auth.cookies(&answer.headers);
        let mut reply = self.run(rest).await;
        if let Some(cookies) = cookies {
            match &mut reply {
                Reply::Answer(answer) => cookies.set(&mut answer.headers),
                Reply::Server(_) => {
                    let response = &mut self.memory.response;
                    // As in Traefik, a switch of protocols passes as it is.
                    if response.status != Status::SWITCHING_PROTOCOLS {
                        cookies.set(&mut response.headers);
                    }
                }
            }
        }
        reply
    }

    /// Asks the server; the request is its own afterwards.
    async fn ask_auth(
        &mut self,
        auth: &ForwardAuth,
        server: &'s Target,
    ) -> Result<(Response, Vec<u8>), Unanswered> {
        let Target::Service(service) = server else { return Err(Unanswered::NoServer) };
        let asking = Asking {
            headers: &self.memory.request.headers,
            client: self.connection.peer.ip(),
            random: &self.connection.worker.random,
        };
        let Some(Taker::Server(picked)) = service.pick(&asking).taker else {
            return Err(Unanswered::NoServer);
        };
        let (client, tls) = (self.context.client, self.context.tls);
        self.memory.request = auth.request(&self.memory.request, client, tls);
        let recode = self.memory.recode;
        self.memory.recode = match (auth.max_body(), self.memory.request.body.is_empty()) {
            (Some(_), false) => recode,
            (Some(_), true) if auth.frames_nothing() => Recode::Chunked,
            _ => Recode::AsIs,
        };
        let asked = in_time(auth.timeout(), self.fetch_whole(picked, auth.max_answer())).await;
        self.memory.recode = recode;
        if let Err(unanswered) = asked {
            let worker = Rc::clone(&self.connection.worker);
            forward::end(self.memory, &worker, self.facts);
            return Err(unanswered);
        }
        let body = self.whole_body();
        self.drop_reply(Reply::Server(picked));
        Ok((std::mem::take(&mut self.memory.response), body))
    }

    /// Waits for the whole response of a server that is asked aside.
    async fn fetch_whole(&mut self, picked: Picked<'s>, limit: u64) -> Result<(), Unanswered> {
        let (settings, timeouts) = (self.settings, Timeouts::default());
        let job = forward::Job {
            settings,
            picked,
            append_forwarded_for: false,
            body_limit: u64::MAX,
            timeouts,
            aside: true,
            hides_interim: true,
        };
        let fetched = forward::fetch(self.connection, self.memory, &job, self.facts).await;
        fetched.map_err(Unanswered::Failed)?;
        self.await_body(Some(limit)).await.map(drop).map_err(|error| match error {
            AwaitError::TooLarge => Unanswered::TooLarge,
            AwaitError::Broken => Unanswered::Broken,
        })
    }

    fn refuse(&mut self, answer: Answer, why: &str) -> Reply<'s> {
        self.facts.reason = Some(Reason::Middleware);
        self.facts.detail = format!("forwardAuth: {why}");
        self.answered(answer)
    }

    /// The reply to a request of which the server did not say whether it may pass.
    fn unanswered(&mut self, unanswered: &Unanswered) -> Reply<'s> {
        let (status, reason, why) = match unanswered {
            Unanswered::Failed(ForwardError::ClientGone) => return self.client_gone(),
            Unanswered::Failed(error) => {
                self.facts.failed(error);
                (Status::INTERNAL_SERVER_ERROR, error.reason(), error.to_string())
            }
            Unanswered::TooLarge => {
                let why = "the answer is larger than `maxResponseBodySize`".to_owned();
                (Status::UNAUTHORIZED, Reason::Middleware, why)
            }
            Unanswered::Broken => {
                let why = "the answer broke off".to_owned();
                (Status::INTERNAL_SERVER_ERROR, Reason::UpstreamClosed, why)
            }
            Unanswered::Late => {
                let why = "the server did not answer in time".to_owned();
                (Status::INTERNAL_SERVER_ERROR, Reason::ResponseTimeout, why)
            }
            Unanswered::NoServer => {
                let why = "there is no server to ask".to_owned();
                (Status::INTERNAL_SERVER_ERROR, Reason::NoServer, why)
            }
        };
        tracing::debug!("{}: forwardAuth: {why}", self.route.name);
        self.facts.reason = Some(reason);
        self.facts.detail = format!("forwardAuth: {why}");
        self.answered(Answer::empty(status))
    }
}

#[cfg(test)]
mod tests {
    use portway_model::dynamic;
    use tokio::time::{Instant, sleep};

    use super::*;

    fn limit() -> Duration {
        let config = dynamic::ForwardAuth {
            address: "http://a".to_owned(),
            ..dynamic::ForwardAuth::default()
        };
        ForwardAuth::compile(&config, &mut Vec::new()).unwrap().timeout()
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up_after_thirty_seconds() {
        let began = Instant::now();
        let asked = in_time(limit(), std::future::pending::<Result<(), _>>()).await;
        assert!(matches!(asked, Err(Unanswered::Late)), "{asked:?}");
        assert_eq!(began.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_slow_is_waited_for() {
        let slow = async {
            sleep(Duration::from_secs(29)).await;
            Ok(5)
        };
        assert!(matches!(in_time(limit(), slow).await, Ok(5)));
    }
}
