//! The fields of responses on their way out through wrappers.
//!
//! In Traefik, handlers share one map of fields from the moment when a request comes: what one of them puts there early
//! stands in whatever response follows. Some wrappers give those behind them a map of their own, and join it to the
//! shared one when they let a response out. That shows: in what is written twice, and in what is guessed about a type.

use portway_http::{Headers, Status};
use portway_snapshot::{Service, Steps};

use crate::exchange::{Exchange, Reply};

/// What stood in the response before a wrapper let those behind it make one of their own.
#[derive(Debug)]
pub(crate) struct Outer {
    early: Option<Box<Headers>>,
    detects_type: bool,
    apart: bool,
}

/// How the fields of a response join those that stood there before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Join {
    /// Behind those of the same name.
    Beside,
    /// In the place of those of the same name.
    Instead,
}

impl<'s> Exchange<'_, 's> {
    /// Sets aside what stands in the response, so that what follows makes one of its own.
    pub(super) fn set_aside(&mut self) -> Outer {
        // Of a response of its own nobody has said that its type is not to be guessed.
        let detects_type = std::mem::replace(&mut self.context.detects_type, true);
        let apart = std::mem::replace(&mut self.apart, true);
        Outer { early: self.context.early.take(), detects_type, apart }
    }

    /// Takes back what was set aside.
    pub(crate) fn take_back(&mut self, outer: Outer) {
        self.context.early = outer.early;
        self.context.detects_type = outer.detects_type;
        self.apart = outer.apart;
    }

    /// Takes back what was set aside, and lets the fields of a reply join it.
    pub(crate) fn join(&mut self, outer: Outer, reply: &mut Reply<'_>, how: Join) {
        self.take_back(outer);
        let Some(early) = &self.context.early else { return };
        let fields = match reply {
            Reply::Answer(answer) => &mut answer.headers,
            // As in Traefik, a switch of protocols passes as it is.
            Reply::Server(_) if self.memory.response.status == Status::SWITCHING_PROTOCOLS => {
                return;
            }
            Reply::Server(_) => &mut self.memory.response.headers,
        };
        match how {
            Join::Beside => fields.put_before(early),
            Join::Instead => fields.put_missing_before(early),
        }
    }

    /// What follows has a copy of the request: who wants it later as it was before it was made ready for a server gets
    /// it as it is now. Says whether somebody wants it.
    pub(crate) fn copy_request(&mut self) -> bool {
        self.facts.keep_headers(&self.memory.request.headers);
        let wanted = std::mem::take(&mut self.keeps_unsent);
        if wanted {
            self.unsent = Some(self.memory.request.clone());
        }
        wanted
    }

    /// Leads the request through `rest`, and lets out the final response alone, if that is wanted.
    pub(super) async fn run_apart(&mut self, rest: &'s Steps) -> (Outer, Reply<'s>) {
        let outer = self.set_aside();
        let hides = std::mem::replace(&mut self.hides_interim, true);
        let reply = self.run(rest).await;
        self.hides_interim = hides;
        (outer, reply)
    }

    /// The same with a service that follows.
    pub(crate) async fn ask_apart(&mut self, service: &'s Service) -> (Outer, Reply<'s>) {
        let outer = self.set_aside();
        let hides = std::mem::replace(&mut self.hides_interim, true);
        let reply = self.ask_service(service).await;
        self.hides_interim = hides;
        (outer, reply)
    }
}
