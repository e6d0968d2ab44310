//! How an exchange becomes a tunnel.

use portway_http::{BodyFraming, Known, Request, Status, codec::ResponseHead};
use portway_upstream::InFlight;

use super::{Due, Tunnel, flow::Flow};
use crate::{
    answer,
    connection::{Connection, Next},
    copies,
    exchange::Exchange,
    forward,
    memory::Memory,
};

impl Exchange<'_, '_> {
    /// Passes 101 on. The tunnel is in the exchange's memory then, for [`super::run`], and the access record is its.
    pub(crate) async fn switch_protocols(&mut self) -> Next {
        let Self { connection, memory, facts, in_flight, .. } = self;
        let is_written = write_head(connection, memory).await;
        facts.tunnelled(&memory.response.headers);
        if !is_written {
            forward::end(memory, &connection.worker, facts);
            return Next::Abort;
        }
        let Some(server) = memory.server.take() else { return Next::Abort };
        let from_server = std::mem::take(&mut memory.from_server);
        forward::end(memory, &connection.worker, facts);
        let mut due = Due {
            facts: std::mem::take(facts),
            request: Request::default(),
            permits: std::mem::take(&mut memory.permits),
            recordings: std::mem::take(&mut memory.recordings),
            copies: copies::take(memory),
            in_flight: in_flight.take().map(InFlight::into_tunnel),
        };
        let due = (!due.is_nothing()).then(|| {
            if due.facts.are_logged() {
                due.request = std::mem::take(&mut memory.request);
                due.request.headers.shrink_to_fit();
            }
            Box::new(due)
        });
        let flow = Flow::default();
        memory.tunnel = Some(Box::new(Tunnel { server: server.stream, from_server, flow, due }));
        Next::Tunnel
    }
}

/// Writes the head of the switch; `false` when the client is gone.
async fn write_head(connection: &mut Connection, memory: &mut Memory) -> bool {
    let Memory { request, response, out, .. } = memory;
    out.clear();
    if connection.stream.http2().is_some() {
        // Over HTTP/2 the stream itself becomes the tunnel (RFC 8441 §5).
        response.status = Status::OK;
        response.body = BodyFraming::Chunked;
        response.headers.remove(Known::SecWebsocketAccept);
    }
    let head = ResponseHead {
        version: request.version,
        status: response.status,
        headers: &response.headers,
        body: response.body,
        connection: Default::default(),
        date: b"",
    };
    let put = answer::put_head(&mut connection.stream, out, &head).is_ok();
    put && connection.write_some(out).await
}
