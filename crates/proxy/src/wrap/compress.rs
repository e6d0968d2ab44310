//! `compress`: the body of the response, smaller.

use portway_http::{Answer, BodyFraming, Known, Response};
use portway_middleware::{
    BodyFilter, Budget, Compress, Encoder, Judgement, Offer, Verdict, detect_content_type,
    detect_type_of_answer, lacks_type,
};
use portway_snapshot::Steps;
use tokio::task::spawn_blocking;

use crate::{
    exchange::{Exchange, Reply},
    memory::Memory,
};

/// Bodies of our own from so many bytes on are compressed off the worker.
const LONG: usize = 64 * 1024;

impl<'s> Exchange<'_, 's> {
    /// Leads the request through what follows, and lets the body of the reply be compressed.
    pub(super) async fn compress(&mut self, compress: &'s Compress, rest: &'s Steps) -> Reply<'s> {
        let Some(offer) = compress.offer(&self.memory.request) else {
            return self.run(rest).await;
        };
        let early = self.context.early.clone();
        offer.announce(self.context.early.get_or_insert_default());
        let reply = self.run(rest).await;
        self.context.early = early;
        match reply {
            Reply::Answer(mut answer) => {
                compress_answer(offer, &mut answer, self.context.detects_type).await;
                Reply::Answer(answer)
            }
            mut reply @ Reply::Server(_) => {
                if let Some(encoder) = self.encoder(offer).await {
                    self.filter_body(&mut reply, Box::new(encoder));
                }
                reply
            }
        }
    }

    /// What compresses the body of the server's response, if anything does.
    async fn encoder(&mut self, offer: Offer<'_>) -> Option<Encoder> {
        let Memory { response, whole_body, .. } = &mut *self.memory;
        let Response { status, headers, body, .. } = response;
        let says_length = headers.contains(Known::ContentLength);
        let framing = match *whole_body {
            Some(length) if !body.is_empty() => BodyFraming::Length(length),
            _ => *body,
        };
        let length = match framing {
            BodyFraming::Length(length) => Some(length),
            _ => None,
        };
        let Judgement { verdict, detects_type } = offer.judge(headers, framing, says_length);
        // Of what it leaves as it is nothing goes out before something of the body has come, which is looked at then.
        let held = !self.apart && framing == BodyFraming::Chunked && offer.holds_head();
        let detects = self.context.detects_type && (detects_type || held);
        let detects = detects && !body.is_empty() && lacks_type(*status, headers);
        // What another filter makes of it has a beginning.
        let filtered = !self.memory.body_filters.is_empty();
        if filtered || (!detects && verdict != Verdict::Await) {
            let headers = &mut self.memory.response.headers;
            return match verdict {
                Verdict::Leave => None,
                _ => offer.begin(headers, length, Budget::PROCESS),
            };
        }
        let beginning = self.await_beginning().await;
        let headers = &mut self.memory.response.headers;
        let takes = match verdict {
            Verdict::Leave => false,
            Verdict::Compress => true,
            Verdict::Await => offer.takes(headers, &beginning),
        };
        if detects && !beginning.is_empty() {
            headers.append(Known::ContentType, detect_content_type(&beginning));
        }
        if takes { offer.begin(headers, length, Budget::PROCESS) } else { None }
    }
}

/// Compresses an answer of our own.
async fn compress_answer(offer: Offer<'_>, answer: &mut Answer, detects_type: bool) {
    let length = match answer.status.allows_body() {
        true => u64::try_from(answer.body.len()).unwrap_or(u64::MAX),
        false => 0,
    };
    let body = BodyFraming::Length(length);
    let judged = offer.judge(&mut answer.headers, body, answer.says_length);
    if detects_type && judged.detects_type {
        detect_type_of_answer(answer);
    }
    let takes = || offer.takes(&answer.headers, &answer.body);
    if judged.verdict == Verdict::Leave || (judged.verdict == Verdict::Await && !takes()) {
        return;
    }
    let Some(encoder) = offer.begin(&mut answer.headers, Some(length), Budget::PROCESS) else {
        return;
    };
    let body = std::mem::take(&mut answer.body);
    answer.body = if body.len() < LONG {
        compressed(encoder, &body).into()
    } else {
        // It fails where the runtime ends.
        spawn_blocking(move || compressed(encoder, &body)).await.unwrap_or_default().into()
    };
}

fn compressed(mut encoder: Encoder, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.push(body, &mut out);
    encoder.finish(&mut None, &mut out);
    out
}
