//! `grpcWeb`: see [`portway_middleware::GrpcWeb`].

use portway_http::{BodyFraming, Known, Status};
use portway_middleware::{BodyFilter as _, GrpcWeb, Spoken};
use portway_snapshot::Steps;

use super::fields::Join;
use crate::{
    exchange::{Exchange, Reply},
    relay::Recode,
};

impl<'s> Exchange<'_, 's> {
    /// Leads the request through `rest` as one of gRPC, and makes the reply one of gRPC-Web.
    pub(super) async fn grpc_web(&mut self, grpc_web: &'s GrpcWeb, rest: &'s Steps) -> Reply<'s> {
        let mut translation = match grpc_web.on_request(&mut self.memory.request) {
            Spoken::Other => return self.run(rest).await,
            Spoken::Preflight(answer) => {
                self.facts.reason = Some(portway_observe::Reason::Middleware);
                "grpcWeb: a preflight request".clone_into(&mut self.facts.detail);
                return self.answered(answer);
            }
            Spoken::Web(translation) => translation,
        };
        self.memory.recode = if translation.is_text() { Recode::Base64 } else { Recode::Chunked };
        let outer = self.set_aside();
        let mut reply = self.run(rest).await;
        self.join(outer, &mut reply, Join::Instead);
        self.memory.recode = Recode::AsIs;
        translation.restore(&mut self.memory.request);
        let detects_type = self.context.detects_type;
        if let Reply::Answer(answer) = &mut reply {
            let (status, says_length) = (answer.status, answer.says_length);
            let fields = &mut answer.headers;
            if let Some(mut body) =
                translation.on_response(fields, status, says_length, detects_type)
            {
                let mut made = Vec::new();
                body.push(&answer.body, &mut made);
                body.finish(&mut None, &mut made);
                answer.body = made.into();
            }
            return reply;
        }
        let response = &mut self.memory.response;
        if response.status != Status::SWITCHING_PROTOCOLS {
            let status = response.status;
            let says_length = matches!(response.body, BodyFraming::Length(_))
                && response.headers.contains(Known::ContentLength);
            let filter =
                translation.on_response(&mut response.headers, status, says_length, detects_type);
            if let Some(filter) = filter {
                self.filter_body(&mut reply, Box::new(filter));
            }
        }
        reply
    }
}
