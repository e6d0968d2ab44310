//! The differences that are wanted; the numbers are those of the table in `docs/compatibility.md`.
//!
//! Others are settled where texts are made, because they touch every case: 10, Go asks backends for
//! gzip of its own accord and unpacks it (`Seen::no_encoding`); 14, Portway passes the trailers of
//! requests on (`Depth::WithoutRequestTrailers`); 11, 12 and 22, the API and the access log say
//! more and hide hashes (`api::leaves`, `access_log::OWN_KEYS`).

use portway_testkit::client::Response;

use super::seen::Seen;

/// A wanted difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// 1: a router that cannot be built answers 500; Traefik drops it.
    KeepsItsClaim,
    /// 9: what two readers could frame differently is refused; Traefik repairs and forwards it.
    RefusesAmbiguous,
    /// 9: the same for what a backend answers.
    RefusesAmbiguousAnswer,
    /// 39: a response to a client of gRPC-Web that says its length comes whole; Traefik cuts it off.
    ComesWhole,
    /// 41: fields of an interim response are its own, and those that any response has stand in the final one, too.
    KeepsInterimApart,
    /// 42: an error whose length is not known stays one behind `retry`; Traefik says 200.
    StaysAnError,
    /// 30: headers of the PROXY protocol are read as it is written; Traefik takes some that are malformed, and
    /// refuses those without an address.
    ReadsProxyProtocol,
    /// 70: a head of HTTP/2 that is refused costs its stream alone, and one that used more of the table of fields than its
    /// client may have known of nothing (65); in Traefik the connection ends.
    CostsOneStream,
}

impl Difference {
    /// Its number in the table of the design.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::KeepsItsClaim => 1,
            Self::RefusesAmbiguous | Self::RefusesAmbiguousAnswer => 9,
            Self::ReadsProxyProtocol => 30,
            Self::ComesWhole => 39,
            Self::KeepsInterimApart => 41,
            Self::StaysAnError => 42,
            Self::CostsOneStream => 70,
        }
    }

    /// Whether `portway` differs from `traefik` in exactly the wanted way.
    pub(crate) fn holds(self, portway: &Seen, traefik: &Seen) -> bool {
        match self {
            Self::KeepsItsClaim => {
                portway.status() == Some(500)
                    && portway.received.is_empty()
                    && traefik.status() != Some(500)
            }
            Self::RefusesAmbiguous => {
                matches!(portway.status(), Some(400 | 417 | 501 | 505))
                    && portway.received.is_empty()
            }
            Self::StaysAnError => traefik.status() == Some(200) && portway.status() >= Some(400),
            Self::KeepsInterimApart => {
                let [mine, theirs] = [portway, traefik].map(|seen| seen.responses.first());
                let (Some(mine), Some(theirs)) = (mine, theirs) else { return false };
                let statuses = |response: &Response| -> Vec<String> {
                    response.interim.iter().map(|head| head.part(1).to_owned()).collect()
                };
                mine.status == theirs.status
                    && mine.body == theirs.body
                    && statuses(mine) == statuses(theirs)
                    && mine.headers.value("Link").is_none()
            }
            Self::CostsOneStream => traefik.is_cut_off() && portway.status().is_some(),
            Self::ComesWhole => traefik.is_cut_off() && !portway.is_cut_off(),
            Self::RefusesAmbiguousAnswer => matches!(portway.status(), Some(500 | 502)),
            Self::ReadsProxyProtocol => {
                let answered = |seen: &Seen| seen.responses.first().is_some_and(|one| one.complete);
                answered(portway) != answered(traefik)
                    // A handshake that nobody answers is given up by one of them sooner.
                    || !answered(portway) && !answered(traefik)
            }
        }
    }
}
