use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use portway_http::Headers;
use portway_model::dynamic::{self, LoadBalancer, ServersTransport};
use portway_tls::{ClientTls, NativeRoots};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::coop,
};

use super::*;
use crate::{Asking, Carried, Opened, Random, Servers, Transport, connect};

/// A server, with a listener behind it.
async fn server(transport: &ServersTransport) -> (TcpListener, Arc<Server>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, compiled(&url, transport))
}

fn compiled(url: &str, transport: &ServersTransport) -> Arc<Server> {
    let (tls, _) = ClientTls::compile(transport, &NativeRoots::new(Vec::new()));
    let transport = Arc::new(Transport::compile(transport, tls.unwrap()));
    let servers = vec![dynamic::Server { url: url.to_owned(), ..Default::default() }];
    let config = LoadBalancer { servers, ..Default::default() };
    let servers = Servers::compile("s", &config, &transport, &Carried::default()).unwrap();
    let (headers, random) = (Headers::new(), Random::default());
    let client = Ipv4Addr::LOCALHOST.into();
    let asking = Asking { headers: &headers, client, random: &random };
    let picked = servers.pick(&asking, &mut Vec::new()).unwrap();
    Arc::clone(picked.server)
}

/// A pool with one connection, and the server's end of it.
async fn pooled(transport: &ServersTransport) -> (Pool, Arc<Server>, TcpStream) {
    let (listener, server) = server(transport).await;
    let (stream, accepted) = tokio::join!(connect(&server, false), listener.accept());
    let Ok(Opened::Http1(stream)) = stream else { panic!("no connection of HTTP/1.1") };
    let mut pool = Pool::default();
    let now = Instant::now();
    pool.put(&server, Connection::new(stream, now), now);
    (pool, server, accepted.unwrap().0)
}

/// Lets the runtime hear of what happened on its sockets.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[tokio::test]
async fn a_quiet_connection_is_taken_once() {
    let (mut pool, server, _peer) = pooled(&ServersTransport::default()).await;
    settle().await;
    assert!(pool.take(&server, Instant::now()).is_some());
    assert!(pool.take(&server, Instant::now()).is_none());
}

#[tokio::test]
async fn a_connection_whose_server_spoke_unasked_is_never_taken() {
    let (mut pool, server, mut peer) = pooled(&ServersTransport::default()).await;
    peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    settle().await;
    assert!(pool.take(&server, Instant::now()).is_none());
}

#[tokio::test]
async fn a_connection_whose_server_spoke_is_not_taken_by_a_tired_task_either() {
    let (mut pool, server, mut peer) = pooled(&ServersTransport::default()).await;
    peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    settle().await;
    let local = tokio::task::LocalSet::new();
    let tired = local.spawn_local(async move {
        while coop::has_budget_remaining() {
            coop::consume_budget().await;
        }
        assert!(pool.take(&server, Instant::now()).is_none());
    });
    local.run_until(tired).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_its_server_closed_is_not_taken_and_swept() {
    let (mut pool, server, peer) = pooled(&ServersTransport::default()).await;
    drop(peer);
    settle().await;
    pool.sweep(Instant::now());
    assert!(pool.is_empty());
    assert!(pool.take(&server, Instant::now()).is_none());
}

#[tokio::test]
async fn a_connection_is_kept_for_the_idle_timeout() {
    let (mut pool, server, _peer) = pooled(&ServersTransport::default()).await;
    let now = Instant::now();
    pool.sweep(now + Duration::from_secs(80));
    assert_eq!(pool.len(), 1);
    assert!(pool.take(&server, now + Duration::from_secs(100)).is_none());
}

#[tokio::test]
async fn no_more_connections_are_kept_than_configured() {
    let transport = ServersTransport { max_idle_conns_per_host: -1, ..Default::default() };
    let (pool, ..) = pooled(&transport).await;
    assert_eq!(pool.len(), 0);
}

#[tokio::test]
async fn workers_keep_no_more_than_configured_together() {
    let transport = ServersTransport { max_idle_conns_per_host: 1, ..Default::default() };
    let (listener, server) = server(&transport).await;
    let mut accepted = Vec::new();
    let mut put_one = async |pool: &mut Pool| {
        let (stream, peer) = tokio::join!(connect(&server, false), listener.accept());
        let Ok(Opened::Http1(stream)) = stream else { panic!("no connection of HTTP/1.1") };
        accepted.push(peer);
        let now = Instant::now();
        pool.put(&server, Connection::new(stream, now), now);
        pool.len()
    };
    let (mut one, mut other) = (Pool::default(), Pool::default());
    assert_eq!(put_one(&mut one).await, 1);
    assert_eq!(put_one(&mut other).await, 0, "the one place is taken");
    let in_use = one.take(&server, Instant::now()).unwrap();
    assert_eq!(put_one(&mut other).await, 0, "it is kept for what is in use");
    one.put(&server, in_use, Instant::now());
    assert_eq!(one.len(), 1);
    assert_eq!(put_one(&mut Pool::of_one_client()).await, 1, "a client's own count apart");
    drop(one.take(&server, Instant::now()));
    one.sweep(Instant::now());
    assert_eq!(put_one(&mut other).await, 1, "it was given back");
    drop(other);
    assert_eq!(put_one(&mut one).await, 1, "so it is at the end of a pool");
}

#[tokio::test]
async fn connections_of_other_servers_are_never_taken() {
    let (mut pool, server, _peer) = pooled(&ServersTransport::default()).await;
    let other = compiled(&server.url, &ServersTransport::default());
    assert!(pool.take(&other, Instant::now()).is_none(), "another transport, another server");
    assert_eq!(pool.len(), 1);
}

#[tokio::test]
async fn connections_that_their_server_has_ended_do_not_gather() {
    let local = tokio::task::LocalSet::new();
    let test = async {
        let (listener, server) = server(&ServersTransport::default()).await;
        let mut pool = Pool::default();
        for _ in 0..3 {
            let (stream, accepted) =
                tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
            let stream = crate::Stream::Plain(stream.unwrap());
            pool.share(&server, crate::http2::shake_hands(stream, &server, Instant::now()));
            drop(accepted);
            settle().await;
            assert!(pool.open_stream(&server, false, Instant::now()).is_none(), "it has ended");
            assert_eq!(pool.shared[&server.number()].len(), 1);
        }
    };
    local.run_until(test).await;
}
