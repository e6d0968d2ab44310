use portway_http::{Status, codec::parse_request_head};
use tokio::{
    io::{AsyncReadExt, DuplexStream},
    time::Instant as Clock,
};

use super::*;
use crate::{
    buffer::ReadBuffer,
    testing::{Choppy, soon, upload_of},
};

/// One exchange of heads, with both peers in the hands of the test.
struct Scene {
    client: Choppy,
    server: Choppy,
    from_client: ReadBuffer,
    from_server: ReadBuffer,
    request: Request,
    response: Response,
    limits: Limits,
    state: HeadState,
    upload: Upload,
}

fn state_for(request: &Request) -> HeadState {
    let mut state = HeadState::default();
    state.begin(request);
    state
}

/// The peers.
struct Peers {
    client: DuplexStream,
    server: DuplexStream,
}

impl Scene {
    fn new(head: &str, step: usize) -> (Self, Peers) {
        let mut request = Request::new();
        parse_request_head(head.as_bytes(), &HeadLimits::default(), &mut request).unwrap();
        let (client, client_peer) = Choppy::pair(1 << 22, step);
        let (server, server_peer) = Choppy::pair(1 << 22, step);
        let scene = Self {
            client,
            server,
            from_client: ReadBuffer::default(),
            from_server: ReadBuffer::default(),
            response: Response::new(),
            limits: Limits {
                request: Deadline::after(Clock::now().into_std(), Some(Duration::from_secs(60))),
                write: None,
                thinking: None,
                idle: Idleness::default(),
            },
            state: state_for(&request),
            upload: upload_of(b"request head\r\n\r\n", request.body),
            request,
        };
        (scene, Peers { client: client_peer, server: server_peer })
    }

    async fn receive(&mut self) -> Result<u16, ForwardError> {
        let buffers = Buffers::default();
        let mut heads = Heads {
            buffers: &buffers,
            request: &self.request,
            response: &mut self.response,
            server_name: "http://server",
            limits: &mut self.limits,
            state: &mut self.state,
            hides_interim: false,
        };
        let mut client = Side { stream: &mut self.client, input: &mut self.from_client };
        let mut server = Side { stream: &mut self.server, input: &mut self.from_server };
        soon(heads.receive(&mut client, &mut server, &mut self.upload)).await?;
        Ok(self.response.status.code())
    }

    /// The result, and what the client has seen.
    async fn answered_by(
        &mut self,
        peers: &mut Peers,
        wire: &[u8],
    ) -> (Result<u16, ForwardError>, String) {
        peers.server.write_all(wire).await.unwrap();
        let received = self.receive().await;
        (received, seen(peers).await)
    }
}

/// What the client has seen so far.
async fn seen(peers: &mut Peers) -> String {
    let mut bytes = Vec::new();
    let read = peers.client.read_buf(&mut bytes);
    let _ = tokio::time::timeout(Duration::from_millis(1), read).await;
    String::from_utf8(bytes).unwrap()
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const UPGRADE: &str =
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const EXPECT: &str =
    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn heads_cut_at_any_byte_arrive_and_the_body_stays() {
    let wire = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    for cut in 0..=wire.len() {
        for step in [1, 1 << 16] {
            let (mut scene, mut peers) = Scene::new(GET, step);
            let (first, second) = wire.split_at(cut);
            peers.server.write_all(first).await.unwrap();
            let rest = async {
                tokio::task::yield_now().await;
                peers.server.write_all(second).await.unwrap();
            };
            let (received, ()) = tokio::join!(scene.receive(), rest);
            assert_eq!(received.unwrap(), 200);
            assert_eq!(seen(&mut peers).await, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
            let mut rest = scene.from_server.filled().to_vec();
            rest.extend(drain(scene.server).await);
            drop(peers);
            assert!(b"abc".starts_with(&rest[..]), "{rest:?}");
        }
    }
}

async fn drain(server: Choppy) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut stream = server.into_inner();
    let _ = tokio::time::timeout(Duration::from_millis(1), stream.read_buf(&mut bytes)).await;
    bytes
}

#[tokio::test(start_paused = true)]
async fn old_clients_get_no_interim_responses() {
    let (mut scene, mut peers) = Scene::new("GET / HTTP/1.0\r\n\r\n", 1 << 16);
    let wire = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    let (received, seen) = scene.answered_by(&mut peers, wire).await;
    assert_eq!((received.unwrap(), seen.as_str()), (204, ""));
}

#[tokio::test(start_paused = true)]
async fn a_continue_that_nobody_waits_for_is_dropped() {
    let (mut scene, mut peers) = Scene::new(GET, 1 << 16);
    let wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    let (received, seen) = scene.answered_by(&mut peers, wire).await;
    assert_eq!((received.unwrap(), seen.as_str()), (200, ""));
}

#[tokio::test(start_paused = true)]
async fn interim_responses_without_end_are_ended() {
    let (mut scene, mut peers) = Scene::new("GET / HTTP/1.0\r\n\r\n", 1 << 16);
    let storm = "HTTP/1.1 102 Processing\r\n\r\n".repeat(50_000);
    let (received, _) = scene.answered_by(&mut peers, storm.as_bytes()).await;
    let error = received.unwrap_err();
    assert!(matches!(error, ForwardError::BadResponse { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_head_without_end_is_refused_and_takes_bounded_memory() {
    for line in ["X-Endless: yes\r\n", "x"] {
        let (mut scene, mut peers) = Scene::new(GET, 1 << 20);
        let wire = format!("HTTP/1.1 200 OK\r\n{}", line.repeat((2 << 20) / line.len()));
        let (received, _) = scene.answered_by(&mut peers, wire.as_bytes()).await;
        let error = received.unwrap_err();
        assert!(matches!(error, ForwardError::BadResponse { .. }), "{error}");
        assert!(scene.from_server.filled().len() <= 2 << 20);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_before_and_within_its_head_are_told_apart() {
    let wire = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    for end in 0..wire.len() {
        let (mut scene, mut peers) = Scene::new(GET, 1 << 16);
        peers.server.write_all(&wire[..end]).await.unwrap();
        peers.server.shutdown().await.unwrap();
        let error = scene.receive().await.unwrap_err();
        assert_eq!(scene.state.answered, end > 0);
        let closed = matches!(error, ForwardError::Closed { .. });
        assert_eq!(closed, end == 0, "ended at {end}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn protocols_switch_only_to_what_was_asked_and_when_all_was_sent() {
    let switch = |protocol: &str| {
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: {protocol}\r\n\r\n"
        )
    };
    let (mut scene, mut peers) = Scene::new(UPGRADE, 1 << 16);
    let (received, _) = scene.answered_by(&mut peers, switch("WebSocket").as_bytes()).await;
    assert_eq!(received.unwrap(), 101);

    let posts = UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\n");
    for (head, protocol) in
        [(GET, "websocket"), (UPGRADE, "other"), (UPGRADE, "h2c"), (&posts, "websocket")]
    {
        let (mut scene, mut peers) = Scene::new(head, 1 << 16);
        let (received, seen) = scene.answered_by(&mut peers, switch(protocol).as_bytes()).await;
        let error = received.unwrap_err();
        assert!(matches!(error, ForwardError::BadUpgrade { .. }), "{error}");
        assert_eq!(seen, "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_client_gets_its_continue_after_a_second_and_only_once() {
    let (mut scene, mut peers) = Scene::new(EXPECT, 1 << 16);
    let start = Clock::now();
    let talk = async {
        let mut line = [0; 25];
        peers.client.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(start.elapsed().as_secs(), 1);
        peers.client.write_all(b"hello").await.unwrap();
        let wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        peers.server.write_all(wire).await.unwrap();
    };
    let (received, ()) = tokio::join!(scene.receive(), talk);
    assert_eq!(received.unwrap(), 200);
    assert_eq!(seen(&mut peers).await, "");
    assert_eq!(scene.upload.payload(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_server_has_its_time_from_the_end_of_the_request() {
    let (mut scene, peers) = Scene::new(GET, 1 << 16);
    scene.limits.thinking = Some(Duration::from_secs(7));
    let start = Clock::now();
    let error = scene.receive().await.unwrap_err();
    assert!(matches!(error, ForwardError::ResponseTimeout { .. }), "{error}");
    assert_eq!(start.elapsed().as_secs(), 7);
    drop(peers);
}

#[tokio::test(start_paused = true)]
async fn a_body_has_its_time_and_a_server_that_waits_for_it_does_not() {
    let (mut scene, peers) =
        Scene::new("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 1 << 16);
    scene.limits.thinking = Some(Duration::from_secs(7));
    let start = Clock::now();
    let error = scene.receive().await.unwrap_err();
    assert!(matches!(error, ForwardError::RequestTimeout), "{error}");
    assert_eq!(start.elapsed().as_secs(), 60);
    drop(peers);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_the_wait() {
    let (mut scene, peers) = Scene::new(GET, 1 << 16);
    let Peers { client, server } = peers;
    let leave = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        drop(client);
    };
    let (received, ()) = tokio::join!(scene.receive(), leave);
    assert!(matches!(received, Err(ForwardError::ClientGone)));
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn the_response_of_another_request_is_never_left_in_place() {
    let (mut scene, mut peers) = Scene::new(GET, 1 << 16);
    scene.response.status = Status::NOT_FOUND;
    peers.server.write_all(b"nonsense\r\n\r\n").await.unwrap();
    let error = scene.receive().await.unwrap_err();
    assert!(matches!(error, ForwardError::BadResponse { .. }), "{error}");
}
