//! Several middlewares in the order in which a request meets them.

use std::sync::Arc;

use portway_http::{Answer, Headers as Fields, Request};

use crate::{Context, Flow, Middleware};

/// The middlewares of a router, chains resolved.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    items: Box<[Arc<Middleware>]>,
}

impl Chain {
    /// A chain that runs these in this order; one that is named twice runs twice.
    #[must_use]
    pub fn new(items: Vec<Arc<Middleware>>) -> Self {
        Self { items: items.into() }
    }

    /// Whether there is nothing to run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Leads a request through the chain.
    ///
    /// # Errors
    ///
    /// The answer of the first middleware that answers the request itself. Those before it have
    /// already changed its fields, as they would have changed the fields of any response.
    pub async fn on_request(
        &self,
        request: &mut Request,
        context: &mut Context<'_>,
    ) -> Result<(), Answer> {
        for (position, item) in self.items.iter().enumerate() {
            let flow = match item.on_request_now(request, context) {
                Some(flow) => flow,
                None => item.on_request(request, context).await,
            };
            if let Flow::Respond(mut answer) = flow {
                context.begin(&mut answer.headers);
                let outer = self.items.get(..position).unwrap_or_default();
                for item in outer.iter().rev() {
                    item.on_response(&mut answer.headers, request, context.tls);
                }
                return Err(answer);
            }
        }
        Ok(())
    }

    /// Leads the fields of a response back through the chain, from the last middleware to the
    /// first.
    ///
    /// For each final response to a request that passed [`Chain::on_request`], whether a server,
    /// an internal service or the proxy itself made it; neither for 1xx nor for 101 (as Traefik).
    /// `request` is as it was sent on; `tls` says whether it came encrypted.
    pub fn on_response(&self, headers: &mut Fields, request: &Request, tls: bool) {
        self.items.iter().rev().for_each(|item| item.on_response(headers, request, tls));
    }
}

#[cfg(test)]
mod tests;
