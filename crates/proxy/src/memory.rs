//! The memory of one exchange, passed on from connection to connection: what is idle holds none.

use std::cell::RefCell;

use portway_http::{BodyFraming, BodyReader, Request, Response, TrailerLimits};
use portway_middleware::{BodyFilter, Permit, Recording};
use portway_upstream::{Budget, Connection as ServerConnection, Part};

use crate::{
    buffer::ReadBuffer,
    copies::Copy,
    forward::{HeadState, Limits},
    relay::{Download, Recode, Upload},
    tunnel::Tunnel,
    wrap::HeldBody,
};

/// Heads and buffers of this many bytes are usual; memory of more than twice as many is not kept for the next exchange.
const USUAL: usize = 16 * 1024;

/// Memories that a worker keeps for reuse at most: as many as streams of a connection usually may be open
/// at a time, since those end together as they began.
const MAX_SPARE: usize = 256;

/// What an exchange works with, from the first bytes of a head to the last of the response.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) request: Request,
    pub(crate) response: Response,
    /// For what is written to the client.
    pub(crate) out: Vec<u8>,
    /// The request's body, where it is kept for another attempt.
    pub(crate) held: Option<HeldBody>,
    /// Whether some of the request's body is gone that was not kept: the request cannot be sent again.
    pub(crate) body_is_lost: bool,
    /// How servers get the request's body.
    pub(crate) recode: Recode,
    /// Bytes of the response's body that the client does not want, since it asked for the head alone.
    pub(crate) hidden_body: u64,
    /// Bytes of the response's body, where all of it is here, whatever its head says.
    pub(crate) whole_body: Option<u64>,
    /// What changes the response's body on its way to the client, in the order of the way.
    pub(crate) body_filters: Vec<Box<dyn BodyFilter>>,
    /// How the server delimits its body, where filters change it.
    pub(crate) unfiltered: BodyFraming,
    /// Bytes of the request's body at most, as a middleware lets it have.
    pub(crate) max_body: Option<u64>,
    /// What is recorded when the response has been sent.
    pub(crate) recordings: Vec<Recording>,
    /// Copies of the request that are sent when the response has been.
    pub(crate) copies: Vec<Copy>,
    /// The request on its way to the server.
    pub(crate) upload: Upload,
    /// The response on its way to the client.
    pub(crate) download: Download,
    /// The connection to the server, while one is at work.
    pub(crate) server: Option<ServerConnection>,
    /// What middlewares hold until the response has been sent.
    pub(crate) permits: Vec<Permit>,
    /// What bounds the waits.
    pub(crate) limits: Limits,
    /// How far the exchange of heads with the server has come.
    pub(crate) heads: HeadState,
    /// What was read from the server and not consumed.
    pub(crate) from_server: ReadBuffer,
    /// What the exchange has become, where that is a tunnel.
    pub(crate) tunnel: Option<Box<Tunnel>>,
    /// What its head of unusual size holds of what all clients may.
    part: Option<Part>,
}

impl Memory {
    /// What reads the body of the server's response.
    pub(crate) fn response_reader(&self, is_http2: bool) -> BodyReader {
        let filtered = !self.body_filters.is_empty();
        let framing = if filtered { self.unfiltered } else { self.response.body };
        if is_http2 && !framing.is_empty() {
            return BodyReader::Stream;
        }
        BodyReader::for_response(framing, TrailerLimits::default())
    }

    /// Whether there is room for a request's head of `size` bytes, which becomes as large a head for the server.
    pub(crate) fn may_hold_head(&mut self, size: usize) -> bool {
        let part = self.part.get_or_insert_with(|| Part::new(Budget::PROCESS));
        let fits = !part.holds(2 * size);
        if !fits {
            part.warn();
        }
        fits
    }

    /// Lets go of what one exchange had beyond its bytes.
    pub(crate) fn end(&mut self) {
        self.permits.clear();
        self.recordings.clear();
        self.max_body = None;
        self.held = None;
        self.body_is_lost = false;
        self.hidden_body = 0;
        self.whole_body = None;
        self.recode = Recode::AsIs;
        self.body_filters.clear();
    }

    fn is_usual(&self) -> bool {
        let (request, response) = (self.request.capacity(), self.response.capacity());
        let (out, upload) = (self.out.capacity(), self.upload.capacity());
        [request, response, out, upload].into_iter().all(|capacity| capacity <= 2 * USUAL)
    }
}

/// The spare memories of one worker. They are boxed, so that passing one on copies a pointer.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    #[expect(clippy::vec_box, reason = "connections hold the same boxes")]
    spare: RefCell<Vec<Box<Memory>>>,
}

impl Memories {
    pub(crate) fn take(&self) -> Box<Memory> {
        self.spare.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps `memory` for the next exchange, unless one of unusual size swelled it.
    pub(crate) fn put(&self, mut memory: Box<Memory>) {
        memory.part = None;
        let mut spare = self.spare.borrow_mut();
        if memory.is_usual() && spare.len() < MAX_SPARE {
            spare.push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_unusual_exchange_left_is_not_kept() {
        let memories = Memories::default();
        let large = vec![b'x'; 3 * USUAL];
        let mut swollen = Memory::default();
        swollen.request.headers.append(portway_http::Known::Cookie, &large);
        swollen.request.clear();
        memories.put(Box::new(swollen));
        let mut swollen = Memory::default();
        swollen.response.headers.append(portway_http::Known::SetCookie, &large);
        memories.put(Box::new(swollen));
        memories.put(Box::new(Memory { out: Vec::with_capacity(1 << 20), ..Memory::default() }));
        let mut swollen = Memory::default();
        swollen.upload.begin(BodyReader::Done, false, |head| head.resize(1 << 20, 0));
        memories.put(Box::new(swollen));
        assert!(memories.spare.borrow().is_empty());
        let mut usual = Memory::default();
        usual.request.headers.append(portway_http::Known::Cookie, vec![b'x'; USUAL - 100]);
        memories.put(Box::new(usual));
        assert_eq!(memories.spare.borrow().len(), 1);
    }
}
