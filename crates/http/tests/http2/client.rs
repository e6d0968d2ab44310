//! A client that sends requests with bodies and collects what comes back.

use std::collections::HashMap;
use std::time::Instant;

use portway_http::h2::{Client, Connection, ErrorCode, Event, Limits, RequestHead, StreamId};
use portway_http::{Headers, Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A request that is to be sent.
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<Headers>,
}

/// What came back.
#[derive(Default)]
pub(crate) struct Answered {
    pub(crate) interim: Vec<u16>,
    pub(crate) response: Option<Response>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<Headers>,
    pub(crate) reset: Option<ErrorCode>,
}

struct Exchange {
    place: usize,
    sent: usize,
}

/// Sends all requests over one connection, as many at once as the server takes.
pub(crate) async fn fetch<T: AsyncRead + AsyncWrite>(
    io: T,
    limits: &Limits,
    asked: &[Asked],
) -> Vec<Answered> {
    let (mut from, mut to) = tokio::io::split(io);
    let mut connection = Connection::client(limits);
    let mut answers: Vec<Answered> = asked.iter().map(|_| Answered::default()).collect();
    let mut exchanges: HashMap<StreamId, Exchange> = HashMap::new();
    let (mut next, mut done) = (0, 0);
    let mut response = Response::new();
    let mut buffer = vec![0; 7000];
    while done < asked.len() {
        while next < asked.len() && connection.is_settled() {
            let Asked { request, body, trailers } = &asked[next];
            let head = RequestHead { request, scheme: "http", authority: "a.test", protocol: None };
            let end = body.is_empty() && trailers.is_none();
            let Ok(stream) = connection.request(&head, end) else { break };
            exchanges.insert(stream, Exchange { place: next, sent: 0 });
            next += 1;
            pump(&mut connection, &mut exchanges, asked, stream);
        }
        let output = connection.output();
        tokio::select! {
            written = to.write(output), if !output.is_empty() => {
                connection.written(written.unwrap());
            }
            read = from.read(&mut buffer) => {
                let read = read.unwrap();
                assert!(read > 0, "the server has closed");
                let mut input = &buffer[..read];
                loop {
                    let step = connection.next(input, &mut response, Instant::now()).unwrap();
                    let Some(event) = step.event else { break };
                    let of = |stream| exchanges.get(&stream).map(|exchange: &Exchange| exchange.place);
                    match event {
                        Event::Head { stream, end } => {
                            let answer = &mut answers[of(stream).unwrap()];
                            if response.status.is_interim() {
                                answer.interim.push(response.status.code());
                            } else {
                                answer.response = Some(response.clone());
                                done += usize::from(end);
                            }
                        }
                        Event::Data { stream, payload, end } => {
                            let length = payload.len();
                            answers[of(stream).unwrap()].body.extend_from_slice(&input[payload]);
                            connection.release(stream, length);
                            done += usize::from(end);
                        }
                        Event::Trailers { stream } => {
                            let trailers = connection.trailers();
                            answers[of(stream).unwrap()].trailers = Some(trailers);
                            done += 1;
                        }
                        Event::Reset { stream, code } => {
                            answers[of(stream).unwrap()].reset = Some(code);
                            done += 1;
                        }
                        Event::GoAway { .. } | Event::Pong { .. } | Event::Refused { .. } | Event::Wasted => {}
                    }
                    input = &input[step.consumed..];
                }
            }
        }
        while let Some(stream) = connection.next_writable() {
            pump(&mut connection, &mut exchanges, asked, stream);
        }
    }
    answers
}

fn pump(
    connection: &mut Connection<Client>,
    exchanges: &mut HashMap<StreamId, Exchange>,
    asked: &[Asked],
    stream: StreamId,
) {
    let Some(exchange) = exchanges.get_mut(&stream) else { return };
    let Asked { body, trailers, .. } = &asked[exchange.place];
    if body.is_empty() && trailers.is_none() {
        return;
    }
    let rest = &body[exchange.sent..];
    if !rest.is_empty() || trailers.is_none() {
        let Ok(taken) = connection.send_data(stream, rest, trailers.is_none()) else { return };
        exchange.sent += taken;
    }
    if exchange.sent == body.len()
        && let Some(trailers) = trailers
    {
        let _ = connection.send_trailers(stream, trailers);
    }
}
