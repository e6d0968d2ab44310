//! Random exchanges with the `h2` crate at the other end.

use bytes::Bytes;
use portway_http::h2::Limits;
use portway_http::{BodyFraming, HeaderName, Headers, Method, Request};
use proptest::prelude::*;
use tokio::io::duplex;

use super::client::{Asked, fetch};
use super::server::serve;

/// A request as both sides of the test make it.
#[derive(Debug, Clone)]
struct Plan {
    path: String,
    fields: Vec<(String, String)>,
    body: usize,
    trailers: Vec<(String, String)>,
}

impl Plan {
    fn body(&self) -> Vec<u8> {
        (0..self.body).map(|index| u8::try_from(index % 251).unwrap()).collect()
    }

    fn head(&self) -> http::Request<()> {
        let mut request =
            http::Request::post(format!("http://a.test{}", self.path)).body(()).unwrap();
        *request.headers_mut() = map(&self.fields);
        request
    }

    fn asked(&self) -> Asked {
        let mut request = Request::new();
        request.method = Method::Post;
        request.target.set_path_and_query(self.path.as_bytes()).unwrap();
        request.headers = headers(&self.fields);
        request.body = BodyFraming::Chunked;
        let trailers = (!self.trailers.is_empty()).then(|| headers(&self.trailers));
        Asked { request, body: self.body(), trailers }
    }
}

fn map(fields: &[(String, String)]) -> http::HeaderMap {
    fields
        .iter()
        .map(|(name, value)| {
            (http::HeaderName::try_from(name).unwrap(), http::HeaderValue::try_from(value).unwrap())
        })
        .collect()
}

fn headers(fields: &[(String, String)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in fields {
        headers.append(HeaderName::parse(name).unwrap(), value);
    }
    headers
}

/// The fields whose names begin with `x-`, sorted.
fn own(fields: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut fields: Vec<_> = fields.filter(|(name, _)| name.starts_with("x-")).collect();
    fields.sort();
    fields
}

fn own_of_map(fields: &http::HeaderMap) -> Vec<(String, String)> {
    own(fields.iter().map(|(name, value)| {
        (name.to_string(), String::from_utf8(value.as_bytes().to_vec()).unwrap())
    }))
}

fn own_of(fields: &Headers) -> Vec<(String, String)> {
    own(fields.iter().map(|field| {
        (field.name.to_ascii_lowercase(), String::from_utf8(field.value.to_vec()).unwrap())
    }))
}

fn fields(most: usize) -> impl Strategy<Value = Vec<(String, String)>> {
    let name = "x-[a-z]{1,3}";
    let value = prop_oneof![5 => "[!-~]{1,30}", 1 => "[!-~]{2000,6000}"];
    proptest::collection::vec((name, value), 0..most)
}

fn plan() -> impl Strategy<Value = Plan> {
    let body = prop_oneof![Just(0), 1..100_usize, 10_000..400_000_usize];
    ("/[a-z0-9/]{0,20}", fields(8), body, fields(3))
        .prop_map(|(path, fields, body, trailers)| Plan { path, fields, body, trailers })
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limit = std::time::Duration::from_secs(30);
    tokio::task::LocalSet::new()
        .block_on(&runtime, async { tokio::time::timeout(limit, test).await })
        .unwrap();
}

/// Sends the requests with `h2` as the client and checks what comes back.
async fn theirs_asks(plans: &[Plan], window: u32, frame: u32, pipe: usize) {
    let (ours, theirs) = duplex(pipe);
    let serving = tokio::task::spawn_local(async move { serve(ours, &Limits::default()).await });
    let (mut sender, connection) = h2::client::Builder::new()
        .initial_window_size(window)
        .max_frame_size(frame)
        .handshake::<_, Bytes>(theirs)
        .await
        .unwrap();
    let connection = tokio::task::spawn_local(connection);
    let mut answers = Vec::new();
    for plan in plans {
        sender = sender.ready().await.unwrap();
        let bare = plan.body == 0 && plan.trailers.is_empty();
        let (answer, mut stream) = sender.send_request(plan.head(), bare).unwrap();
        if plan.body > 0 {
            stream.send_data(plan.body().into(), plan.trailers.is_empty()).unwrap();
        }
        if !plan.trailers.is_empty() {
            stream.send_trailers(map(&plan.trailers)).unwrap();
        }
        answers.push((plan.clone(), answer));
    }
    let mut reading = Vec::new();
    for (plan, answer) in answers {
        reading.push(tokio::task::spawn_local(async move {
            let response = answer.await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(own_of_map(response.headers()), own(plan.fields.clone().into_iter()));
            let mut body = response.into_body();
            let mut received = Vec::new();
            while let Some(piece) = body.data().await {
                let piece = piece.unwrap();
                body.flow_control().release_capacity(piece.len()).unwrap();
                received.extend_from_slice(&piece);
            }
            assert!(received == plan.body());
            let trailers = body.trailers().await.unwrap().unwrap_or_default();
            assert_eq!(own_of_map(&trailers), own(plan.trailers.into_iter()));
        }));
    }
    for reading in reading {
        reading.await.unwrap();
    }
    drop(sender);
    connection.await.unwrap().unwrap();
    assert_eq!(serving.await.unwrap(), Ok(()));
}

/// A server of the `h2` crate that sends back what it gets.
async fn echo(io: tokio::io::DuplexStream, window: u32, streams: u32) {
    let mut connection = h2::server::Builder::new()
        .initial_window_size(window)
        .max_concurrent_streams(streams)
        .handshake::<_, Bytes>(io)
        .await
        .unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        tokio::task::spawn_local(async move {
            let (head, mut body) = request.into_parts();
            if head.uri.path().contains('0') {
                let early = http::Response::builder().status(103).body(()).unwrap();
                respond.send_informational(early).unwrap();
            }
            let mut response = http::Response::new(());
            *response.headers_mut() = head.headers;
            let mut stream = respond.send_response(response, false).unwrap();
            while let Some(piece) = body.data().await {
                let piece = piece.unwrap();
                body.flow_control().release_capacity(piece.len()).unwrap();
                stream.send_data(piece, false).unwrap();
            }
            match body.trailers().await.unwrap() {
                Some(trailers) => stream.send_trailers(trailers).unwrap(),
                None => stream.send_data(Bytes::new(), true).unwrap(),
            }
        });
    }
}

async fn ours_asks(plans: &[Plan], window: u32, streams: u32, pipe: usize) {
    let (ours, theirs) = duplex(pipe);
    tokio::task::spawn_local(echo(theirs, window, streams));
    let asked: Vec<_> = plans.iter().map(Plan::asked).collect();
    let answers = fetch(ours, &Limits::default(), &asked).await;
    for (plan, answer) in plans.iter().zip(answers) {
        assert_eq!(answer.reset, None);
        let response = answer.response.unwrap();
        assert_eq!(response.status.code(), 200);
        assert_eq!(own_of(&response.headers), own(plan.fields.clone().into_iter()));
        assert!(answer.body == plan.body());
        let trailers = answer.trailers.unwrap_or_default();
        assert_eq!(own_of(&trailers), own(plan.trailers.clone().into_iter()));
        let early = if plan.path.contains('0') { vec![103] } else { vec![] };
        assert_eq!(answer.interim, early);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

    #[test]
    fn their_client_gets_from_our_server_what_it_sent(
        plans in proptest::collection::vec(plan(), 1..12),
        window in prop_oneof![100..5000_u32, 50_000..1_000_000_u32],
        frame in 16_384..100_000_u32,
        pipe in prop_oneof![50..500_usize, 10_000..100_000_usize],
    ) {
        run(theirs_asks(&plans, window, frame, pipe));
    }

    #[test]
    fn our_client_gets_from_their_server_what_it_sent(
        plans in proptest::collection::vec(plan(), 1..12),
        window in prop_oneof![100..5000_u32, 50_000..1_000_000_u32],
        streams in 1..10_u32,
        pipe in prop_oneof![50..500_usize, 10_000..100_000_usize],
    ) {
        run(ours_asks(&plans, window, streams, pipe));
    }
}

#[test]
fn our_client_and_our_server_understand_each_other() {
    let plan = |body, trailers: &[(&str, &str)]| Plan {
        path: "/".into(),
        fields: vec![("x-a".into(), "b".into())],
        body,
        trailers: trailers.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect(),
    };
    let plans: Vec<_> = (0..300).map(|index| plan(index * 700, &[("x-t", "1")])).collect();
    run(async move {
        let (ours, theirs) = duplex(30_000);
        tokio::task::spawn_local(async move { serve(theirs, &Limits::default()).await });
        let asked: Vec<_> = plans.iter().map(Plan::asked).collect();
        let answers = fetch(ours, &Limits::default(), &asked).await;
        for (plan, answer) in plans.iter().zip(answers) {
            assert!(answer.body == plan.body());
            assert_eq!(own_of(&answer.trailers.unwrap()), own(plan.trailers.clone().into_iter()));
        }
    });
}

/// Heads whose fields come again and again, and some that never do.
fn heads() -> impl Strategy<Value = Vec<Plan>> {
    let name = prop_oneof!["x-[ab]", "x-[a-z]{1,30}"];
    let value = prop_oneof![4 => "[!-~]", 1 => "[!-~é]{20,80}", 1 => "[!-~]{300,500}"];
    let fields = proptest::collection::vec((name, value), 0..30);
    let plan = ("/[a-z]{0,5}", fields).prop_map(|(path, fields)| Plan {
        path,
        fields,
        body: 0,
        trailers: Vec::new(),
    });
    proptest::collection::vec(plan, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

    #[test]
    fn heads_are_compressed_as_the_other_understands_them(heads in heads()) {
        run(async {
            ours_asks(&heads, 65_535, 100, 50_000).await;
            theirs_asks(&heads, 65_535, 16_384, 50_000).await;
        });
    }
}
