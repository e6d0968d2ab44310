use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::*;
use crate::{
    buffer::Buffers,
    testing::{Choppy, everything, soon},
};

/// Passes bytes both ways to the end; gives back how many went to the client.
async fn run<C, S>(
    mut client: Side<'_, C>,
    mut server: Side<'_, S>,
    buffers: &Buffers,
    half_open: Option<Duration>,
) -> u64
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut flow = Flow::default();
    poll_fn(|cx| flow.poll(cx, &mut client, &mut server, buffers, half_open)).await;
    flow.received()
}

/// Fills a buffer with `bytes`, as if they had come early.
async fn early(bytes: &[u8]) -> ReadBuffer {
    let mut input = ReadBuffer::default();
    let mut source = bytes;
    if !bytes.is_empty() {
        poll_fn(|cx| input.poll_fill(cx, &mut source, &Buffers::default())).await.unwrap();
    }
    input
}

#[tokio::test(start_paused = true)]
async fn bytes_pass_both_ways_early_ones_first() {
    let text: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    for (capacity, step) in [(64, 3), (1 << 20, 1 << 20)] {
        let (mut client, mut user) = Choppy::pair(capacity, step);
        let (mut server, mut origin) = Choppy::pair(capacity, step);
        let (mut from_client, mut from_server) = (early(b"ping").await, early(b"pong").await);
        let buffers = Buffers::default();
        let tunnel = run(
            Side { stream: &mut client, input: &mut from_client },
            Side { stream: &mut server, input: &mut from_server },
            &buffers,
            None,
        );
        let (mut user_reads, mut user_writes) = tokio::io::split(&mut user);
        let (mut origin_reads, mut origin_writes) = tokio::io::split(&mut origin);
        let mut at_user = Vec::new();
        let mut at_origin = Vec::new();
        let all = async {
            tokio::join!(
                async {
                    user_writes.write_all(&text).await.unwrap();
                    user_writes.shutdown().await.unwrap();
                },
                async {
                    origin_writes.write_all(&text[..5]).await.unwrap();
                    origin_writes.shutdown().await.unwrap();
                },
                async { user_reads.read_to_end(&mut at_user).await.unwrap() },
                async { origin_reads.read_to_end(&mut at_origin).await.unwrap() },
                tunnel,
            )
        };
        let (.., passed) = soon(all).await;
        assert_eq!(passed, 9);
        assert_eq!(at_user, [b"pong", &text[..5]].concat());
        assert_eq!(at_origin, [b"ping", &text[..]].concat());
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_tunnel_goes_on_until_its_other_side_is_silent() {
    let (mut client, mut user) = tokio::io::duplex(64);
    let (mut server, mut origin) = tokio::io::duplex(64);
    let (mut a, mut b, buffers) =
        (ReadBuffer::default(), ReadBuffer::default(), Buffers::default());
    let limit = Some(Duration::from_secs(180));
    let tunnel = async {
        run(
            Side { stream: &mut client, input: &mut a },
            Side { stream: &mut server, input: &mut b },
            &buffers,
            limit,
        )
        .await;
        tokio::time::Instant::now()
    };
    let start = tokio::time::Instant::now();
    let talk = async {
        // Silence is no matter while both sides are open.
        tokio::time::sleep(Duration::from_secs(1000)).await;
        user.shutdown().await.unwrap();
        assert_eq!(everything(&mut origin).await, b"");
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(100)).await;
            origin.write_all(b"x").await.unwrap();
            let mut byte = [0];
            user.read_exact(&mut byte).await.unwrap();
        }
    };
    let (ended, ()) = soon(async { tokio::join!(tunnel, talk) }).await;
    let lasted = ended - start;
    assert!((1480..1490).contains(&lasted.as_secs()), "{lasted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_side_that_breaks_ends_the_tunnel() {
    let (mut client, user) = tokio::io::duplex(64);
    let (mut server, mut origin) = tokio::io::duplex(64);
    let (mut a, mut b, buffers) =
        (ReadBuffer::default(), early(b"to nobody").await, Buffers::default());
    drop(user);
    let client = Side { stream: &mut client, input: &mut a };
    let passed = run(client, Side { stream: &mut server, input: &mut b }, &buffers, None);
    assert_eq!(soon(passed).await, 0);
    drop(server);
    assert_eq!(everything(&mut origin).await, b"");
}
