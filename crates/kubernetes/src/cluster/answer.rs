//! What an API server answers, as bytes.
//!
//! # Invariants
//! - Each answer and each event of a watch has a largest size.
//! - Of what cannot be read, nothing is shown but where: it may hold secrets.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header::RETRY_AFTER};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::{Client, client::Body, core::Status};
use serde::de::DeserializeOwned;

use super::retry::Fault;

/// The largest list or page of a list, in bytes. The largest pages are those of Secrets.
const LARGEST_LIST: usize = 512 << 20;

/// The largest event of a watch, in bytes: an API server takes objects of 3 MiB.
const LARGEST_EVENT: usize = 16 << 20;

/// The largest refusal, in bytes. Proxies answer with whole pages.
const LARGEST_REFUSAL: usize = 64 << 10;

/// How many characters of a refusal are shown that is no `Status`.
const SHOWN: usize = 200;

/// A whole answer.
pub(super) async fn whole(client: &Client, request: Request<Vec<u8>>) -> Result<Bytes, Fault> {
    collect(send(client, request).await?, LARGEST_LIST).await
}

/// An answer that goes on, line by line.
pub(super) async fn lines(client: &Client, request: Request<Vec<u8>>) -> Result<Lines, Fault> {
    let body = send(client, request).await?;
    Ok(Lines { body, buffer: BytesMut::new(), searched: 0 })
}

/// What JSON says.
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(json).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Fault::Unreadable(match error.is_eof() {
            true => format!("its answer ends early, in line {line}, column {column}"),
            false => format!("its answer makes no sense in line {line}, column {column}"),
        })
    })
}

/// The lines of an answer.
pub(super) struct Lines {
    body: Body,
    buffer: BytesMut,
    /// Bytes of the buffer that hold no end of a line.
    searched: usize,
}

impl Lines {
    /// The next line; `None` at the end of the answer. What follows the last line's end is no line, as an answer that
    /// is cut off ends so.
    ///
    /// May be dropped and called again without losing anything.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(length) = fresh.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.searched + length + 1).freeze();
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.searched > LARGEST_EVENT {
                return Err(too_large("an event", LARGEST_EVENT));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

async fn send(client: &Client, request: Request<Vec<u8>>) -> Result<Body, Fault> {
    let response = client.send(request.map(Body::from)).await?;
    if response.status().is_success() {
        return Ok(response.into_body());
    }
    Err(refusal(response).await)
}

async fn collect(body: Body, largest: usize) -> Result<Bytes, Fault> {
    match Limited::new(body, largest).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large("its answer", largest)),
        Err(error) => Err(match error.downcast::<kube::Error>() {
            Ok(error) => Fault::from(*error),
            Err(error) => Fault::Unreadable(error.to_string()),
        }),
    }
}

/// Why a request was refused: in the words of a `Status`, or in those of whoever stands in between.
async fn refusal(response: Response<Body>) -> Fault {
    let code = response.status();
    let later = response.headers().get(RETRY_AFTER);
    let seconds = later.and_then(|later| later.to_str().ok()?.parse().ok()).unwrap_or_default();
    let later = Duration::from_secs(seconds);
    let body = match collect(response.into_body(), LARGEST_REFUSAL).await {
        Ok(body) => body,
        // The code says enough.
        Err(Fault::Unreadable(_)) => Bytes::new(),
        Err(fault) => return fault,
    };
    let mut status = match serde_json::from_slice::<Status>(&body) {
        Ok(status) => status,
        Err(_) => Status::failure(&first_words(&body, code), ""),
    };
    status.code = code.as_u16();
    match Fault::of_status(&status) {
        Fault::Busy(asked, message) => Fault::Busy(asked.max(later), message),
        fault => fault,
    }
}

fn first_words(body: &[u8], code: StatusCode) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let words = line.or(code.canonical_reason()).unwrap_or_default();
    words.chars().take(SHOWN).collect()
}

fn too_large(what: &str, largest: usize) -> Fault {
    Fault::Unreadable(format!("{what} is larger than {} MiB", largest >> 20))
}
