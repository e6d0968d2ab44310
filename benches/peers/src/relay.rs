//! A blind byte relay on the runtime that Portway uses: what proxying costs when nothing is understood.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::{Builder, LocalOptions},
    task::spawn_local,
};

/// As large as what Portway reads at a time.
const BUFFER: usize = 32 * 1024;

/// Relays each connection to a server connection of its own, until the process ends.
pub(crate) fn run(listen: SocketAddr, server: SocketAddr) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(listen).await?;
        serve(listener, server).await
    })
}

/// Relays what `listener` accepts.
async fn serve(listener: TcpListener, server: SocketAddr) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        // An end of one connection concerns nobody else; the load generator counts what it misses.
        spawn_local(async move { drop(relay(client, server).await) });
    }
}

async fn relay(client: TcpStream, server: SocketAddr) -> io::Result<()> {
    client.set_nodelay(true)?;
    let server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let back = spawn_local(copy(from_server, to_client));
    copy(from_client, to_server).await?;
    back.await?
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
            return to.shutdown().await;
        };
        to.write_all(bytes).await?;
    }
}
