//! `buffering`: see [`portway_middleware::Buffering`].

use std::borrow::Cow;

use portway_http::{Answer, BodyFraming, Headers, Known, Method, Status};
use portway_middleware::Buffering;
use portway_observe::Reason;
use portway_snapshot::Steps;

use super::{AwaitError, HeldBody, HoldError, fields::Join, reply::Awaited};
use crate::{
    exchange::{Exchange, Reply},
    memory::Memory,
    relay::Recode,
};

/// Bytes of a whole body without a length up to which it gets one, as by Go's server.
const SHORT: u64 = 2048;

/// Bytes of a body that are held in any case where filters change it.
const UNFILTERED: u64 = 1024 * 1024;

impl<'s> Exchange<'_, 's> {
    /// Leads the request through `rest` once its body is here, and the reply back once its body is.
    pub(super) async fn buffering(&mut self, buffering: &Buffering, rest: &'s Steps) -> Reply<'s> {
        let bounds = buffering.request;
        if let BodyFraming::Length(length) = self.memory.request.body
            && bounds.max.is_some_and(|max| length > max)
        {
            return self.too_large(Buffering::request_too_large());
        }
        let held = match self.hold_body(Some(bounds.held)).await {
            Ok(()) => true,
            Err(HoldError::TooLarge) if bounds.max == Some(bounds.held) => {
                return self.too_large(Buffering::request_too_large());
            }
            Err(HoldError::TooLarge) => {
                self.memory.max_body = bounds.max;
                false
            }
            Err(HoldError::Failed(error)) => return self.failed(&error),
        };
        if held {
            self.measure_body();
            let is_empty = self.memory.held.as_ref().is_some_and(HeldBody::is_empty);
            if self.memory.recode == Recode::Chunked || is_empty {
                // The length is known again.
                self.memory.recode = Recode::AsIs;
            }
        }
        let has_body = !self.memory.held.as_ref().is_none_or(HeldBody::is_empty);
        let saved = (buffering.retries() && held && has_body).then(|| self.save());
        let asked = std::mem::replace(&mut self.asked, saved.as_ref().map(|_| Vec::new()));
        let mut attempt = 1;
        let reply = loop {
            let keeps_unsent = self.copy_request();
            let (outer, mut reply) = self.run_apart(rest).await;
            self.keeps_unsent = keeps_unsent;
            let refused = self.whole(buffering, &mut reply).await;
            if let Some(refused) = refused {
                self.take_back(outer);
                self.drop_reply(reply);
                self.abandon_body();
                break self.too_large(refused);
            }
            let status = self.status_of(&reply);
            let gone = self.facts.reason == Some(Reason::ClientGone);
            let again = !gone
                && status != Status::SWITCHING_PROTOCOLS.code()
                && buffering.again(attempt, status, self.memory.request.method.as_str());
            let Some(saved) = saved.as_ref().filter(|_| again) else {
                self.join(outer, &mut reply, Join::Beside);
                break reply;
            };
            self.take_back(outer);
            self.drop_reply(reply);
            self.rewind(saved);
            attempt += 1;
        };
        self.asked = asked;
        reply
    }

    /// Waits for the whole body of a reply; gives the answer in its place where that is too long.
    async fn whole(&mut self, buffering: &Buffering, reply: &mut Reply<'s>) -> Option<Answer> {
        let bounds = buffering.response;
        let length = match reply {
            Reply::Server(_) if self.memory.response.status == Status::SWITCHING_PROTOCOLS => {
                return None;
            }
            Reply::Server(_) => match self.memory.response.body {
                BodyFraming::Length(length) => Some(length),
                BodyFraming::None => Some(self.memory.hidden_body),
                _ => None,
            },
            Reply::Answer(answer) => Some(answer.body.len() as u64),
        };
        if length.is_some_and(|length| bounds.max.is_some_and(|max| length > max)) {
            return Some(Buffering::response_too_large());
        }
        if let Reply::Answer(answer) = reply {
            if self.memory.request.method == Method::Head && !answer.says_length {
                // The length of what is held back of nothing is not told.
                answer.body = Cow::default();
            }
            return None;
        }
        if length.is_some_and(|length| length > bounds.held) {
            return None;
        }
        // What filters make of a body may be shorter than it.
        let filtered = !self.memory.body_filters.is_empty();
        let most = if filtered { bounds.held.max(UNFILTERED) } else { bounds.held };
        match self.await_body(Some(most)).await {
            Ok(Awaited { trailers: Some(trailers), payload }) => {
                self.memory.whole_body = Some(payload);
                self.announce(&trailers);
                None
            }
            Ok(_) if filtered => {
                let answer = self.filtered_whole();
                if bounds.max.is_some_and(|max| answer.body.len() as u64 > max) {
                    return Some(Buffering::response_too_large());
                }
                self.abandon_body();
                self.drop_reply(std::mem::replace(reply, Reply::Answer(answer.into())));
                None
            }
            Ok(Awaited { payload, .. }) => {
                self.memory.whole_body = Some(payload);
                if length.is_none() && payload <= SHORT {
                    self.measure_response(payload);
                }
                None
            }
            Err(AwaitError::TooLarge) if bounds.max == Some(bounds.held) => {
                Some(Buffering::response_too_large())
            }
            // It passes as it comes, or breaks off as it would have.
            Err(AwaitError::TooLarge | AwaitError::Broken) => None,
        }
    }

    fn too_large(&mut self, answer: Answer) -> Reply<'s> {
        self.facts.reason = Some(Reason::Middleware);
        self.facts.detail = "buffering: the body is too long".to_owned();
        self.answered(answer)
    }

    /// Says trailers that a response has announced in its head as well, as Traefik does once it has them.
    fn announce(&mut self, trailers: &Headers) {
        let fields = &mut self.memory.response.headers;
        let mut announced = trailers.clone();
        announced.remove_where(|field| {
            matches!(field.known, Some(Known::ContentLength | Known::TransferEncoding))
                || !fields.has_token(Known::Trailer, field.name)
                || fields.iter().any(|one| one == field)
        });
        fields.extend_from(&announced);
    }

    /// The response, whose body is here, as filters make it.
    fn filtered_whole(&mut self) -> Answer {
        let mut body = self.whole_body();
        let Memory { response, body_filters, .. } = &mut *self.memory;
        for filter in body_filters {
            let mut made = Vec::new();
            filter.push(&body, &mut made);
            filter.finish(&mut None, &mut made);
            body = made;
        }
        let (status, headers) = (response.status, response.headers.clone());
        Answer {
            status,
            headers,
            body: body.into(),
            close: false,
            says_length: false,
            written: true,
        }
    }

    /// Gives the response, whose body is here, the length of that.
    fn measure_response(&mut self, payload: u64) {
        let memory = &mut *self.memory;
        let is_http2 = memory.server.as_mut().is_some_and(|server| server.stream.http2().is_some());
        if is_http2
            || !matches!(memory.response.body, BodyFraming::Chunked | BodyFraming::UntilClose)
        {
            return;
        }
        let body = self.whole_body();
        let memory = &mut *self.memory;
        let all = memory.from_server.filled().len();
        memory.from_server.consume(all);
        memory.from_server.put_back(&body);
        memory.response.body = BodyFraming::Length(payload);
    }
}
