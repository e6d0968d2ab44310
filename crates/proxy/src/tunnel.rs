//! After `101 Switching Protocols`: bytes both ways until either side ends.

use std::rc::Rc;

use portway_upstream::ServerStream;
use tokio::io::{AsyncWriteExt, copy_bidirectional};

use crate::{buffer::ReadBuffer, connection::Connection};

/// Passes bytes both ways until both sides have ended or one breaks; gives back how many went to the
/// client. What either side sent early goes first. There is no idle limit, as in Traefik.
pub(crate) async fn run(
    connection: &mut Connection,
    mut server: ServerStream,
    mut early: ReadBuffer,
) -> u64 {
    let worker = Rc::clone(&connection.worker);
    let sent = early.filled().len() as u64;
    let first = async {
        connection.stream.write_all(early.filled()).await?;
        connection.stream.flush().await?;
        server.write_all(connection.input.filled()).await?;
        server.flush().await
    };
    if first.await.is_err() {
        return 0;
    }
    for input in [&mut early, &mut connection.input] {
        input.consume(input.filled().len());
        input.release(&worker.buffers);
    }
    match copy_bidirectional(&mut connection.stream, &mut server).await {
        Ok((_, to_client)) => sent + to_client,
        Err(_) => sent,
    }
}
