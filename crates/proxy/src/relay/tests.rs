use std::{future::poll_fn, io::IoSlice, pin::Pin};

use portway_http::{
    BodyFraming, BodyReader, TrailerLimits,
    codec::{write_chunk_end, write_chunk_start, write_last_chunk},
};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::{
    passage::{ENOUGH, SMALL},
    *,
};
use crate::testing::{Choppy, download_of, everything, soon, upload_of};

const HEAD: &[u8] = b"POST / HTTP/1.1\r\n\r\n";
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\n\r\n";
const CHUNKED: &[u8] = b"3\r\nabc\r\n10;ext=\"1\"\r\n0123456789abcdef\r\n0\r\nX-Sum: 9\r\n\r\n";
const PAYLOAD: &[u8] = b"abc0123456789abcdef";

/// What a reader finds behind `head`: the payload and a trailer, if the body has an end.
fn read(wire: &[u8], head: &[u8], framing: BodyFraming) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let mut rest = wire.strip_prefix(head)?;
    let mut reader = BodyReader::for_response(framing, TrailerLimits::default());
    let mut payload = Vec::new();
    while !rest.is_empty() {
        let step = reader.step(rest).unwrap();
        payload.extend_from_slice(&rest[step.payload.clone()]);
        assert!(step.consumed > 0, "more than one body was written");
        rest = &rest[step.consumed..];
    }
    let trailer = reader.trailers().and_then(|trailers| trailers.get("X-Sum")).map(<[u8]>::to_vec);
    reader.finish().is_ok().then_some((payload, trailer))
}

/// Sends until the request is complete, broken, or fails.
async fn send<C, S>(
    upload: &mut Upload,
    client: &mut C,
    input: &mut ReadBuffer,
    server: &mut S,
) -> Result<(), UploadError>
where
    C: Peer,
    S: Peer,
{
    let buffers = Buffers::default();
    let mut client = Side { stream: client, input };
    soon(poll_fn(|cx| match upload.poll(cx, &mut client, server, &buffers) {
        Poll::Ready(error) => Poll::Ready(Err(error)),
        Poll::Pending if upload.is_complete() || upload.is_broken() => Poll::Ready(Ok(())),
        Poll::Pending => Poll::Pending,
    }))
    .await
}

/// The same, from bytes that come in two pieces; gives back what reached the server and what is left over.
async fn send_cut(
    wire: &[u8],
    framing: BodyFraming,
    cut: usize,
    step: usize,
    closes: bool,
) -> (Result<(), UploadError>, Upload, Vec<u8>, Vec<u8>) {
    let (mut client, mut peer) = Choppy::pair(1 << 16, step);
    let (mut server, mut sink) = Choppy::pair(1 << 16, step);
    let (first, second) = wire.split_at(cut);
    let mut upload = upload_of(HEAD, framing);
    let mut input = ReadBuffer::default();
    let feed = async {
        peer.write_all(first).await.unwrap();
        tokio::task::yield_now().await;
        peer.write_all(second).await.unwrap();
        if closes { None } else { Some(peer) }
    };
    let sent = send(&mut upload, &mut client, &mut input, &mut server);
    let (_peer, sent) = tokio::join!(feed, sent);
    drop(server);
    let mut left = input.filled().to_vec();
    drop(_peer);
    left.extend(everything(&mut client.into_inner()).await);
    (sent, upload, everything(&mut sink).await, left)
}

#[tokio::test(start_paused = true)]
async fn a_request_cut_at_any_byte_is_sent_whole_and_the_next_stays() {
    let length = BodyFraming::Length(3);
    for (body, framing, expected) in [
        (&b"abc"[..], length, &b"abc"[..]),
        (CHUNKED, BodyFraming::Chunked, PAYLOAD),
        (b"", BodyFraming::None, b""),
    ] {
        let wire = [body, NEXT].concat();
        for cut in 0..=wire.len() {
            for step in [1, 7, 1 << 16] {
                let (sent, upload, seen, left) = send_cut(&wire, framing, cut, step, false).await;
                assert_eq!(sent, Ok(()), "cut at {cut}");
                assert!(upload.is_complete() && upload.body_is_behind());
                assert_eq!(upload.is_spent(), !body.is_empty());
                let trailer = (framing == BodyFraming::Chunked).then(|| b"9".to_vec());
                let expected = Some((expected.to_vec(), trailer));
                assert_eq!(read(&seen, HEAD, framing), expected, "cut at {cut}");
                assert_eq!(left, NEXT, "cut at {cut}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_early_is_never_completed() {
    for (body, framing) in
        [(&b"abcdef"[..], BodyFraming::Length(6)), (CHUNKED, BodyFraming::Chunked)]
    {
        for end in 0..body.len() {
            let (sent, upload, seen, _) = send_cut(&body[..end], framing, end / 2, 5, true).await;
            assert_eq!(sent, Err(UploadError::ClientGone), "ended at {end}");
            assert!(!upload.is_complete() && !upload.body_is_behind());
            assert!(
                read(&seen, HEAD, framing).is_none(),
                "{end}: {}",
                String::from_utf8_lossy(&seen)
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_malformed_body_is_never_completed() {
    let wire = b"3\r\nabc\r\nzz\r\n0\r\n\r\n";
    for cut in 0..=wire.len() {
        let (sent, upload, seen, _) =
            send_cut(wire, BodyFraming::Chunked, cut, 1 << 16, false).await;
        assert!(matches!(sent, Err(UploadError::Body(_))), "{sent:?}");
        assert!(!upload.is_complete());
        assert!(read(&seen, HEAD, BodyFraming::Chunked).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn framing_that_was_taken_counts_as_taken() {
    let (mut client, mut peer) = Choppy::pair(1 << 16, 1 << 16);
    let (mut server, sink) = Choppy::pair(1 << 16, 1 << 16);
    peer.write_all(b"5\r\n").await.unwrap();
    drop(sink);
    let mut upload = upload_of(b"", BodyFraming::Chunked);
    let mut input = ReadBuffer::default();
    let buffers = Buffers::default();
    let mut side = Side { stream: &mut client, input: &mut input };
    for _ in 0..4 {
        poll_fn(|cx| {
            let polled = upload.poll(cx, &mut side, &mut server, &buffers);
            assert!(polled.is_pending());
            Poll::Ready(())
        })
        .await;
    }
    assert_eq!((upload.payload(), upload.is_spent()), (0, true));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_more_is_no_error_but_a_client_that_leaves_is_seen() {
    let (mut client, peer) = Choppy::pair(64, 64);
    let (mut server, sink) = Choppy::pair(64, 64);
    drop(sink);
    let mut upload = upload_of(HEAD, BodyFraming::Length(10));
    let mut input = ReadBuffer::default();
    assert_eq!(send(&mut upload, &mut client, &mut input, &mut server).await, Ok(()));
    assert!(upload.is_broken() && !upload.is_complete() && !upload.begun());
    drop(peer);
    let buffers = Buffers::default();
    let mut side = Side { stream: &mut client, input: &mut input };
    let gone = soon(poll_fn(|cx| upload.poll(cx, &mut side, &mut server, &buffers))).await;
    assert_eq!(gone, UploadError::ClientGone);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_seen_while_the_server_takes_nothing() {
    let (mut client, mut peer) = Choppy::pair(64, 64);
    let (mut server, _sink) = Choppy::pair(1, 1);
    peer.write_all(b"abc").await.unwrap();
    let mut upload = upload_of(HEAD, BodyFraming::Length(10));
    let mut input = ReadBuffer::default();
    let leave = async { drop(peer) };
    let sent = send(&mut upload, &mut client, &mut input, &mut server);
    assert_eq!(tokio::join!(sent, leave).0, Err(UploadError::ClientGone));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_talks_on_is_heard_up_to_one_buffer_and_costs_no_time() {
    let (mut client, mut peer) = tokio::io::duplex(1 << 20);
    peer.write_all(&vec![b'x'; 1 << 20]).await.unwrap();
    let buffers = Buffers::default();
    let mut input = ReadBuffer::default();
    let mut side = Side { stream: &mut client, input: &mut input };
    // A busy loop would never give the other future its turn.
    let watching = poll_fn(|cx| watch(cx, &mut side, &buffers));
    let waited = tokio::time::timeout(std::time::Duration::from_secs(1), watching).await;
    assert!(waited.is_err());
    assert_eq!(input.filled().len(), crate::buffer::BUFFER_SIZE);
}

/// Passes a response on to its end; gives back the result, what the client got, and what is left over.
async fn receive(
    wire: &[u8],
    from: BodyFraming,
    chunked: bool,
    cut: usize,
    (step, capacity): (usize, usize),
    closes: bool,
) -> (Result<bool, DownloadError>, Vec<u8>, Vec<u8>) {
    let (mut server, mut source) = Choppy::pair(1 << 20, step.max(1000));
    let (mut client, mut sink) = Choppy::pair(capacity, step);
    let (first, second) = wire.split_at(cut);
    let mut download = download_of(b"HEAD".to_vec(), from, chunked);
    let mut input = ReadBuffer::default();
    let feed = async {
        source.write_all(first).await.unwrap();
        tokio::task::yield_now().await;
        source.write_all(second).await.unwrap();
        if closes { None } else { Some(source) }
    };
    let pass = async {
        let buffers = Buffers::default();
        let mut side = Side { stream: &mut server, input: &mut input };
        let passed = soon(poll_fn(|cx| download.poll(cx, &mut client, &mut side, &buffers))).await;
        drop(client);
        passed
    };
    let (_source, passed, seen) = tokio::join!(feed, pass, everything(&mut sink));
    (passed.map(|()| download.is_clean()), seen, input.filled().to_vec())
}

#[tokio::test(start_paused = true)]
async fn a_response_cut_at_any_byte_is_passed_on_whole() {
    for (body, from, chunked, expected, clean) in [
        (&b"abc"[..], BodyFraming::Length(3), false, &b"abc"[..], true),
        (CHUNKED, BodyFraming::Chunked, true, PAYLOAD, true),
        (CHUNKED, BodyFraming::Chunked, false, PAYLOAD, true),
        (b"", BodyFraming::None, false, b"", true),
        (b"", BodyFraming::Length(0), false, b"", true),
        (b"abc", BodyFraming::UntilClose, false, b"abc", false),
        (b"abc", BodyFraming::UntilClose, true, b"abc", false),
    ] {
        for cut in 0..=body.len() {
            for step in [1, 5, 1 << 16] {
                let until_close = from == BodyFraming::UntilClose;
                let (passed, seen, left) =
                    receive(body, from, chunked, cut, (step, 1 << 16), until_close).await;
                assert_eq!(passed, Ok(clean), "cut at {cut}");
                let to = if chunked { BodyFraming::Chunked } else { BodyFraming::UntilClose };
                let trailer = (chunked && !until_close).then(|| b"9".to_vec());
                let expected = Some((expected.to_vec(), trailer));
                assert_eq!(read(&seen, b"HEAD", to), expected, "cut at {cut}");
                assert_eq!(left, b"");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_response_is_left_over_and_never_passed_on() {
    for (body, from, chunked) in [
        (&b"abc"[..], BodyFraming::Length(3), false),
        (b"3\r\nabc\r\n0\r\n\r\n", BodyFraming::Chunked, true),
        (b"", BodyFraming::None, false),
    ] {
        let wire = [body, b"HTTP/1.1 200 OK\r\n\r\n"].concat();
        let (passed, seen, left) =
            receive(&wire, from, chunked, wire.len(), (1 << 16, 1 << 16), false).await;
        assert_eq!((passed, seen), (Ok(true), [b"HEAD", body].concat()));
        // Without a body nothing is read at all.
        assert!(left.is_empty() == body.is_empty(), "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_breaks_off_never_looks_complete() {
    for (body, from, chunked) in
        [(&b"abcdef"[..], BodyFraming::Length(6), false), (CHUNKED, BodyFraming::Chunked, true)]
    {
        for end in 0..body.len() {
            let (passed, seen, _) =
                receive(&body[..end], from, chunked, end / 2, (9, 1 << 16), true).await;
            assert_eq!(passed, Err(DownloadError::Server), "ended at {end}");
            assert!(
                read(&seen, b"HEAD", from).is_none(),
                "{end}: {}",
                String::from_utf8_lossy(&seen)
            );
        }
    }
    let wire = b"3\r\nabc\r\nzz\r\n";
    let (passed, seen, _) =
        receive(wire, BodyFraming::Chunked, true, 4, (1 << 16, 1 << 16), false).await;
    assert_eq!(passed, Err(DownloadError::Server));
    assert!(read(&seen, b"HEAD", BodyFraming::Chunked).is_none());
}

#[tokio::test(start_paused = true)]
async fn pieces_of_all_sizes_pass_through_narrow_clients() {
    let bytes = |count: usize| -> Vec<u8> { (b'a'..=b'w').cycle().take(count).collect() };
    let sizes = [
        1,
        100,
        SMALL - 1,
        SMALL,
        SMALL + 1,
        ENOUGH - 1,
        ENOUGH + 1,
        32 * 1024,
        32 * 1024 + 1,
        100_000,
    ];
    for size in sizes {
        for other in [1, SMALL, SMALL + 1, 70_000] {
            let parts = [bytes(size), bytes(other), bytes(3)];
            let mut chunks = Vec::new();
            for part in &parts {
                write_chunk_start(&mut chunks, part.len());
                chunks.extend_from_slice(part);
                write_chunk_end(&mut chunks);
            }
            write_last_chunk(&mut chunks, None);
            let plain = parts.concat();
            let length = BodyFraming::Length(plain.len() as u64);
            for (step, capacity) in [(1 << 20, 1 << 20), (997, 100), (1 << 20, 4097)] {
                let narrow = (step, capacity);
                let cut = size / 2;
                let passed = receive(&plain, length, false, cut, narrow, false).await;
                assert_eq!(passed, (Ok(true), [b"HEAD", &plain[..]].concat(), vec![]));
                let passed =
                    receive(&chunks, BodyFraming::Chunked, false, cut, narrow, false).await;
                assert_eq!(passed, (Ok(true), [b"HEAD", &plain[..]].concat(), vec![]));
                let (passed, seen, left) =
                    receive(&chunks, BodyFraming::Chunked, true, cut, narrow, false).await;
                assert_eq!((passed, left), (Ok(true), vec![]));
                let body = read(&seen, b"HEAD", BodyFraming::Chunked);
                assert_eq!(body, Some((plain.clone(), None)));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_does_not_wait_for_more() {
    let (mut server, mut source) = tokio::io::duplex(1 << 16);
    let (mut client, mut sink) = tokio::io::duplex(1 << 16);
    let mut download = download_of(b"HEAD".to_vec(), BodyFraming::UntilClose, true);
    let mut input = ReadBuffer::default();
    let buffers = Buffers::default();
    let mut side = Side { stream: &mut server, input: &mut input };
    let watch = async {
        let mut seen = [0; 12];
        source.write_all(b"one").await.unwrap();
        soon(sink.read_exact(&mut seen)).await.unwrap();
        assert_eq!(&seen, b"HEAD3\r\none\r\n");
        source.write_all(b"two").await.unwrap();
        soon(sink.read_exact(&mut seen[..8])).await.unwrap();
        assert_eq!(&seen[..8], b"3\r\ntwo\r\n");
        drop(source);
        soon(sink.read_exact(&mut seen[..5])).await.unwrap();
        assert_eq!(&seen[..5], b"0\r\n\r\n");
    };
    let pass = soon(poll_fn(|cx| download.poll(cx, &mut client, &mut side, &buffers)));
    assert_eq!(tokio::join!(pass, watch).0, Ok(()));
}

/// Takes each write whole and keeps them apart.
#[derive(Default)]
struct Writes(Vec<Vec<u8>>);

impl Peer for Writes {}

impl AsyncRead for Writes {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Writes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.push(bytes.to_vec());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let count = whole.len();
        self.0.push(whole);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// An input in which `bytes` came together.
async fn input_of(bytes: &[u8]) -> ReadBuffer {
    let mut input = ReadBuffer::default();
    let mut source = bytes;
    let buffers = Buffers::default();
    while !source.is_empty() {
        poll_fn(|cx| input.poll_fill(cx, &mut source, &buffers)).await.unwrap();
    }
    input
}

#[tokio::test(start_paused = true)]
async fn what_came_of_a_body_leaves_with_the_head() {
    for size in [1, SMALL, SMALL + 1, 20_000] {
        let body = vec![b'x'; size];
        let mut input = input_of(&[&body, NEXT].concat()).await;
        let mut upload = upload_of(HEAD, BodyFraming::Length(size as u64));
        let (mut client, _peer) = tokio::io::duplex(64);
        let mut server = Writes::default();
        send(&mut upload, &mut client, &mut input, &mut server).await.unwrap();
        assert!(upload.body_is_behind() && upload.is_spent());
        assert_eq!(server.0, [[HEAD, &body].concat()], "{size}");
        assert_eq!(input.filled(), NEXT, "{size}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_no_server_took_can_be_sent_again() {
    for size in [5, 20_000] {
        let body = vec![b'x'; size];
        let mut input = input_of(&[&body, NEXT].concat()).await;
        let framing = BodyFraming::Length(size as u64);
        let mut upload = upload_of(HEAD, framing);
        let (mut client, _peer) = tokio::io::duplex(64);
        let (mut closed, _) = tokio::io::duplex(64);
        send(&mut upload, &mut client, &mut input, &mut closed).await.unwrap();
        assert!(upload.is_broken() && !upload.begun() && !upload.is_spent());
        assert!(upload.body_has_come() && !upload.body_is_behind(), "{size}");

        upload = upload_of(HEAD, framing);
        let mut server = Writes::default();
        send(&mut upload, &mut client, &mut input, &mut server).await.unwrap();
        assert_eq!(server.0.concat(), [HEAD, &body].concat(), "{size}");
        assert_eq!(input.filled(), NEXT, "{size}");
    }
}
