//! What a request says of itself: whose it is, what it carries, and what its server is to do.

use std::fmt;

/// What a server does with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Act {
    /// Reads it, then answers.
    Plain,
    /// The same with chunks and trailers, both ways.
    Chunks,
    /// Answers half before it has read the request.
    Early,
    /// Answers in full before it has read the request.
    Hasty,
    /// Says 103 first.
    Interim,
    /// Answers in small pieces.
    Slow,
    /// Breaks off in the body.
    Cut,
    /// Goes without an answer.
    Mute,
    /// A call of gRPC: so many messages each way, in turns where there are many of both.
    Call,
    /// A call of gRPC that never ends.
    Wait,
    /// A WebSocket.
    Talk,
}

const NAMES: &[(Act, &str)] = &[
    (Act::Plain, "plain"),
    (Act::Chunks, "chunks"),
    (Act::Early, "early"),
    (Act::Hasty, "hasty"),
    (Act::Interim, "interim"),
    (Act::Slow, "slow"),
    (Act::Cut, "cut"),
    (Act::Mute, "mute"),
    (Act::Call, "call"),
    (Act::Wait, "wait"),
    (Act::Talk, "talk"),
];

/// One request of the storm; it travels in a field, and its route and number in the path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Ticket {
    pub(super) id: u64,
    pub(super) route: String,
    /// The generation that was certainly live when it was sent.
    pub(super) since: u64,
    /// Bytes of body up (messages of a call).
    pub(super) up: usize,
    /// Bytes of body down (messages of a call).
    pub(super) down: usize,
    pub(super) act: Act,
    /// Whether the client may give it up.
    pub(super) rude: bool,
}

impl Ticket {
    pub(super) fn path(&self) -> String {
        format!("/{}/{:x}", self.route, self.id)
    }

    /// Its host is that of its route.
    pub(super) fn host(&self) -> String {
        format!("{}.test", self.route)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let mut next = || parts.next();
        let id = u64::from_str_radix(next()?, 16).ok()?;
        let route = next()?.to_owned();
        let since = next()?.parse().ok()?;
        let (up, down) = (next()?.parse().ok()?, next()?.parse().ok()?);
        let name = next()?;
        let act = NAMES.iter().find(|(_, known)| *known == name)?.0;
        let rude = next()? == "rude";
        Some(Self { id, route, since, up, down, act, rude })
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, route, since, up, down, act, rude } = self;
        let act = NAMES.iter().find(|(known, _)| known == act).map_or("", |(_, name)| name);
        let rude = if *rude { "rude" } else { "polite" };
        write!(f, "{id:x} {route} {since} {up} {down} {act} {rude}")
    }
}
