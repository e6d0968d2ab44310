//! Middlewares that call what follows them zero or more times: wrappers.
//!
//! Each is a method of [`Exchange`] in a file of its own. It gets the steps that follow it, leads the request
//! through them with [`Exchange::run`] as often as it wants, and returns a [`Reply`]: the head of a response whose
//! body is still to come, or an answer of Portway's own. Nothing of a reply has been sent yet, so it can be dropped
//! ([`Exchange::drop_reply`]) for another one. A request can be sent more than once if its body was held
//! ([`Exchange::hold_body`]), and a whole response can be waited for ([`Exchange::await_body`]).
//!
//! # Invariants
//! - What follows sees the request as it was when it came to the wrapper: who runs it twice restores it.
//! - A body that was taken from the client and not held is never sent again.
//! - What stands in a response before it is made stands in every response that follows, and joins what a wrapper with
//!   fields of its own lets out (`fields`).
//! - What is held is bounded.

mod buffering;
mod circuit_breaker;
mod compress;
mod errors;
mod fields;
mod filtered;
mod forward_auth;
mod grpc_web;
mod held;
mod reply;
mod retry;

use portway_middleware::Middleware;
use portway_snapshot::{Target, Wrapper};

pub(crate) use self::{
    fields::Join,
    filtered::Filtered,
    held::{HeldBody, HoldError},
    reply::AwaitError,
};
use crate::exchange::{Exchange, Reply};

impl<'s> Exchange<'_, 's> {
    /// Leads the request through a wrapper and what follows it.
    pub(crate) async fn wrap(&mut self, wrapper: &'s Wrapper) -> Reply<'s> {
        match &*wrapper.middleware {
            Middleware::Buffering(buffering) => self.buffering(buffering, &wrapper.rest).await,
            Middleware::CircuitBreaker(breaker) => {
                self.circuit_breaker(breaker, &wrapper.rest).await
            }
            Middleware::Compress(compress) => self.compress(compress, &wrapper.rest).await,
            Middleware::Errors(errors) => {
                self.errors(
                    errors,
                    wrapper.aside.as_ref().unwrap_or(&Target::Closed),
                    &wrapper.rest,
                )
                .await
            }
            Middleware::ForwardAuth(auth) => {
                let server = wrapper.aside.as_ref().unwrap_or(&Target::Closed);
                self.forward_auth(auth, server, &wrapper.rest).await
            }
            Middleware::GrpcWeb(grpc_web) => self.grpc_web(grpc_web, &wrapper.rest).await,
            Middleware::Retry(retry) => self.retry(retry, &wrapper.rest).await,
            // It may guard what follows.
            other => {
                debug_assert!(false, "{} is no wrapper", other.kind());
                self.closed()
            }
        }
    }
}
