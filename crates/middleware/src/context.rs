//! What middlewares know of a request beside its head, and what they leave to those after them.

use std::net::IpAddr;
use std::time::Instant;

use portway_http::Headers as Fields;
use portway_tls::ClientCertificates;

use crate::{PasswordPool, Permit};

/// One request's surroundings.
#[derive(Debug)]
pub struct Context<'a> {
    /// Whether the client's connection is encrypted.
    pub tls: bool,
    /// The address that the client's connection comes from.
    pub client: IpAddr,
    /// What the client has shown over TLS; `None` if that was nothing.
    pub certificates: Option<&'a ClientCertificates>,
    /// When the request came; a clock that is a little late does no harm.
    pub now: Instant,
    /// Where passwords are checked.
    pub passwords: &'a PasswordPool,
    /// The user name for the access log (Traefik: `ClientUsername`): `None` until a `basicAuth` is
    /// met, empty when the request has no credentials, and the name as sent even if it was refused.
    pub username: Option<String>,
    /// Whether the proxy adds the client's address to `X-Forwarded-For`; whoever makes the context
    /// may forbid it for good.
    pub append_forwarded_for: bool,
    /// Whether it was a middleware that forbade it, which another one may take back.
    hidden: bool,
    /// Bytes of the request's body that are sent on, at most.
    pub body_limit: u64,
    /// Whether a response without a type gets that which its beginning looks like.
    pub detects_type: bool,
    /// Fields that any response has that comes from here on, whoever makes it.
    pub early: Option<Box<Fields>>,
    /// What is to be held until the response has been sent.
    pub permits: Vec<Permit>,
    /// Why a middleware answered the request itself, for the log.
    pub reason: Option<&'static str>,
}

/// What middlewares have left to be done, at some point of a request's way.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    append_forwarded_for: bool,
    hidden: bool,
    detects_type: bool,
}

impl<'a> Context<'a> {
    /// The surroundings of a request that has met no middleware yet.
    #[must_use]
    pub fn new(tls: bool, client: IpAddr, now: Instant, passwords: &'a PasswordPool) -> Self {
        Self {
            tls,
            client,
            certificates: None,
            now,
            passwords,
            username: None,
            append_forwarded_for: true,
            hidden: false,
            body_limit: u64::MAX,
            detects_type: false,
            early: None,
            permits: Vec::new(),
            reason: None,
        }
    }

    /// What has been left to be done so far.
    #[must_use]
    pub fn marks(&self) -> Marks {
        let Self { append_forwarded_for, hidden, detects_type, .. } = *self;
        Marks { append_forwarded_for, hidden, detects_type }
    }

    /// Goes back to what was left to be done then.
    pub fn restore(&mut self, marks: Marks) {
        let Marks { append_forwarded_for, hidden, detects_type } = marks;
        self.append_forwarded_for = append_forwarded_for;
        self.hidden = hidden;
        self.detects_type = detects_type;
    }

    /// Lets the fields of a response begin, which something has just made.
    pub fn begin(&self, fields: &mut Fields) {
        if let Some(early) = &self.early {
            fields.put_before(early);
        }
    }

    /// The proxy is not to write `X-Forwarded-For`.
    pub(crate) fn hide_client(&mut self) {
        self.hidden |= self.append_forwarded_for;
        self.append_forwarded_for = false;
    }

    /// A middleware that came later has changed `X-Forwarded-For`, so the proxy goes on with it.
    pub(crate) fn show_client(&mut self) {
        self.append_forwarded_for |= self.hidden;
        self.hidden = false;
    }
}
