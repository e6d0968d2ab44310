//! Servers of HTTP/1.1.

use std::io;

use portway_testkit::line::Wire;
use portway_testkit::message::{Framing, Head};
use tokio::io::{AsyncRead, AsyncWriteExt as _, split};

use super::super::content::Content;
use super::super::http1::{Pace, Reader, Writer, write_body};
use super::super::ticket::{Act, Ticket};
use super::{Desk, contents};

/// Serves one connection to its end.
pub(super) async fn serve(wire: Box<dyn Wire>, desk: &Desk) -> io::Result<()> {
    let (reader, mut writer) = split(wire);
    let mut reader = Reader::new(reader);
    while let Some(head) = reader.head().await? {
        let ticket = desk.arrived(head.part(1), &head.headers)?;
        let exchange = Exchange { desk, head: &head, ticket: &ticket };
        if ticket.act == Act::Talk {
            return exchange.talk(&mut reader, &mut writer).await;
        }
        if !exchange.answer(&mut reader, &mut writer).await? {
            return Ok(());
        }
    }
    Ok(())
}

struct Exchange<'a> {
    desk: &'a Desk,
    head: &'a Head,
    ticket: &'a Ticket,
}

impl Exchange<'_> {
    fn is_chunked(&self) -> bool {
        self.ticket.act == Act::Chunks || self.ticket.id.is_multiple_of(3)
    }

    /// Whether the connection ends behind the answer.
    fn says_goodbye(&self) -> bool {
        self.ticket.id.is_multiple_of(13)
    }

    /// Answers as the ticket says; whether the connection goes on.
    async fn answer<R>(&self, reader: &mut Reader<R>, writer: &mut Writer) -> io::Result<bool>
    where
        R: AsyncRead + Unpin,
    {
        let Ticket { id, down, act, .. } = *self.ticket;
        let (mut up, mut content) = contents(self.ticket);
        let pace = &mut Pace::new(id, act == Act::Slow);
        let early = match act {
            Act::Early => down / 2,
            Act::Hasty => down,
            _ => 0,
        };
        if matches!(act, Act::Early | Act::Hasty) {
            self.begin(writer, &mut content, early, pace).await?;
        }
        if act == Act::Hasty {
            self.end(writer).await?;
        } else if act != Act::Early && self.head.headers.value("Expect").is_some() {
            writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let framing = Framing::of_request(self.head);
        let reading = &mut Pace::new(id, false);
        let trailers = reader.body(framing, reading, &mut |bytes| up.check(bytes)).await;
        let whole = trailers.is_ok();
        self.desk.uploaded(self.ticket, &up, trailers);
        if !whole || act == Act::Mute {
            return Ok(false);
        }
        match act {
            Act::Hasty => return Ok(!self.says_goodbye()),
            Act::Early => {}
            Act::Interim => {
                let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: <{id}>\r\n\r\n");
                writer.write_all(hint.as_bytes()).await?;
                self.begin(writer, &mut content, 0, pace).await?;
            }
            _ => self.begin(writer, &mut content, 0, pace).await?,
        }
        let left = down - content.position;
        if act == Act::Cut {
            write_body(writer, self.is_chunked(), &mut content, left / 2, pace).await?;
            return Ok(false);
        }
        write_body(writer, self.is_chunked(), &mut content, left, pace).await?;
        self.end(writer).await?;
        Ok(!self.says_goodbye())
    }

    /// The head, and so many bytes of the body.
    async fn begin(
        &self,
        writer: &mut Writer,
        content: &mut Content,
        length: usize,
        pace: &mut Pace,
    ) -> io::Result<()> {
        let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
        for (name, value) in self.desk.fields(self.ticket, &self.head.headers) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.says_goodbye() {
            head.push_str("Connection: close\r\n");
        }
        head.push_str(&match self.is_chunked() {
            true => "Transfer-Encoding: chunked\r\nTrailer: Ticket-Down\r\n\r\n".to_owned(),
            false => format!("Content-Length: {}\r\n\r\n", self.ticket.down),
        });
        writer.write_all(head.as_bytes()).await?;
        write_body(writer, self.is_chunked(), content, length, pace).await
    }

    async fn end(&self, writer: &mut Writer) -> io::Result<()> {
        if self.is_chunked() {
            let end = format!("0\r\nTicket-Down: {}\r\n\r\n", self.ticket.id);
            writer.write_all(end.as_bytes()).await?;
        }
        writer.flush().await
    }

    /// Sends and reads at once, as much as the ticket says.
    async fn talk<R>(&self, reader: &mut Reader<R>, writer: &mut Writer) -> io::Result<()>
    where
        R: AsyncRead + Unpin,
    {
        let Ticket { id, up, down, .. } = *self.ticket;
        let mut head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                        Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n"
            .to_owned();
        for (name, value) in self.desk.fields(self.ticket, &self.head.headers) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        writer.write_all(head.as_bytes()).await?;
        let (mut heard, mut content) = contents(self.ticket);
        let (listening, saying) =
            (&mut Pace::new(id, false), &mut Pace::new(id, id.is_multiple_of(2)));
        let listen = async {
            let framing = Framing::Length(up as u64);
            let trailers = reader.body(framing, listening, &mut |bytes| heard.check(bytes)).await;
            self.desk.uploaded(self.ticket, &heard, trailers);
        };
        let say = write_body(writer, false, &mut content, down, saying);
        let ((), said) = tokio::join!(listen, say);
        said?;
        writer.shutdown().await
    }
}
