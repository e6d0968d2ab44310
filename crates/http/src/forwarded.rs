//! The `X-Forwarded-*` fields: what of them is believed, and what is written.
//!
//! Traefik: `forwardedHeaders` of an entry point.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::connection::upgrade_type;
use crate::headers::{HeaderName, HeaderValue, Headers, Known, KnownSet};
use crate::host::split_host_port;

/// Peers that are believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedPeers {
    /// Whether every peer is.
    pub insecure: bool,
    /// Those that are.
    pub networks: Vec<IpNet>,
}

impl TrustedPeers {
    /// Whether what this peer says is believed.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.insecure || self.networks.iter().any(|network| network.contains(&peer))
    }
}

/// The settings of one entry point, ready to run.
#[derive(Debug, Clone, Default)]
pub struct ForwardedRules {
    /// The peers whose fields are believed.
    pub peers: TrustedPeers,
    /// Fields that stay although `Connection` names them.
    pub connection: Vec<HeaderName>,
    /// Whether `X-Forwarded-Scheme` and `X-Scheme` are written.
    pub scheme_headers: bool,
    /// What `X-Forwarded-Server` says, usually the name of the machine; `None` leaves it alone.
    pub server: Option<HeaderValue>,
}

impl ForwardedRules {
    /// Brings the managed fields of a request into order and applies `Connection`.
    ///
    /// `authority` is the valid host as it was sent, with its port; `peer` is where the connection
    /// comes from; `tls` says whether it is encrypted.
    pub fn apply(&self, headers: &mut Headers, authority: &str, peer: IpAddr, tls: bool) {
        let peer = peer.to_canonical();
        if !self.peers.trusts(peer) {
            remove_managed(headers);
        }
        self.write(headers, authority, peer, tls);
        self.apply_connection(headers);
    }

    fn write(&self, headers: &mut Headers, authority: &str, peer: IpAddr, tls: bool) {
        let absent = |headers: &Headers, name| headers.get(name).is_none_or(<[u8]>::is_empty);
        if absent(headers, Known::XRealIp) {
            set_ip(headers, Known::XRealIp, peer);
        }
        if absent(headers, Known::XForwardedProto) {
            let scheme = match (is_websocket_request(headers), tls) {
                (true, true) => "wss",
                (true, false) => "ws",
                (false, true) => "https",
                (false, false) => "http",
            };
            headers.set_clean(Known::XForwardedProto, scheme.as_bytes());
        }
        if absent(headers, Known::XForwardedPort) {
            let secure =
                tls || matches!(headers.get(Known::XForwardedProto), Some(b"https" | b"wss"));
            let port = match split_host_port(authority) {
                Some((_, port)) if !port.is_empty() => port,
                _ if secure => "443",
                _ => "80",
            };
            headers.set_clean(Known::XForwardedPort, port.as_bytes());
        }
        if self.scheme_headers {
            copy(headers, Known::XForwardedProto, Known::XForwardedScheme);
            copy(headers, Known::XForwardedProto, Known::XScheme);
        }
        if absent(headers, Known::XForwardedHost) && !authority.is_empty() {
            headers.set_clean(Known::XForwardedHost, authority.as_bytes());
        }
        if headers.count(Known::XForwardedFor) > 1 {
            // Not trimmed: where the last is empty, the peer comes behind a blank.
            let joined = joined(headers, Known::XForwardedFor);
            headers.set_clean(Known::XForwardedFor, &joined);
        }
        if let Some(server) = &self.server {
            headers.set_clean(Known::XForwardedServer, server.as_bytes());
        }
    }

    /// Removes what `Connection` names, but neither managed fields nor those of the settings.
    fn apply_connection(&self, headers: &mut Headers) {
        if !headers.contains(Known::Connection) {
            return;
        }
        let plain = |token: &[u8]| {
            token.eq_ignore_ascii_case(b"keep-alive") || token.eq_ignore_ascii_case(b"close")
        };
        if self.connection.is_empty() && headers.every_token(Known::Connection, plain) {
            headers.remove(Known::Connection);
            headers.remove(Known::KeepAlive);
            return;
        }
        let upgrade = upgrade_type(headers).and_then(|name| HeaderValue::parse(name).ok());
        let named: Vec<HeaderName> = headers
            .tokens(Known::Connection)
            .filter_map(|token| HeaderName::parse(std::str::from_utf8(token).ok()?).ok())
            .filter(|name| !is_managed(name.as_str()))
            .collect();
        let mut kept: Vec<&str> = Vec::new();
        for name in &named {
            if self.connection.iter().any(|keep| keep.as_str().eq_ignore_ascii_case(name.as_str()))
            {
                kept.push(name.as_str());
            } else {
                headers.remove(name);
            }
        }
        if let Some(protocol) = &upgrade {
            kept.push("Upgrade");
            headers.set(Known::Upgrade, protocol);
        }
        if kept.is_empty() {
            headers.remove(Known::Connection);
        } else {
            headers.set(Known::Connection, kept.join(","));
        }
    }
}

/// Appends the peer to `X-Forwarded-For`, as the proxy does for each request that it forwards.
pub fn append_forwarded_for(headers: &mut Headers, peer: IpAddr) {
    let peer = peer.to_canonical();
    if !headers.contains(Known::XForwardedFor) {
        return set_ip(headers, Known::XForwardedFor, peer);
    }
    let mut list = joined(headers, Known::XForwardedFor);
    list.extend_from_slice(b", ");
    list.extend_from_slice(AddressText::new().format(peer));
    headers.set(Known::XForwardedFor, list);
}

/// Whether a name is one of the fields that Traefik manages, also with `_` for `-` and in any
/// letter case: servers that map both to one variable must not be told two stories.
#[must_use]
pub fn is_managed(name: &str) -> bool {
    let bytes = name.as_bytes();
    if !matches!(bytes.first(), Some(b'X' | b'x')) || bytes.len() > 32 {
        return false;
    }
    let same = |known: &Known| {
        let managed = known.as_str().as_bytes();
        managed.len() == bytes.len()
            && managed.iter().zip(bytes).all(|(managed, byte)| {
                managed.eq_ignore_ascii_case(byte) || (*managed == b'-' && *byte == b'_')
            })
    };
    MANAGED.iter().any(same)
}

const MANAGED: &[Known] = &[
    Known::XForwardedFor,
    Known::XForwardedHost,
    Known::XForwardedMethod,
    Known::XForwardedPort,
    Known::XForwardedPrefix,
    Known::XForwardedProto,
    Known::XForwardedServer,
    Known::XForwardedTlsClientCert,
    Known::XForwardedTlsClientCertInfo,
    Known::XForwardedUri,
    Known::XRealIp,
];

fn remove_managed(headers: &mut Headers) {
    headers.remove_all(const { KnownSet::of(MANAGED) });
    if headers.may_have_underscores() {
        headers.remove_where(|field| is_managed(field.name));
    }
}

/// As Traefik's `isWebsocketRequest`: `websocket` anywhere in the first fields.
fn is_websocket_request(headers: &Headers) -> bool {
    let first_lists = |name: Known, wanted: &[u8]| {
        headers.get(name).is_some_and(|value| {
            value
                .split(|&byte| byte == b',')
                .any(|token| token.trim_ascii().eq_ignore_ascii_case(wanted))
        })
    };
    first_lists(Known::Upgrade, b"websocket") && first_lists(Known::Connection, b"upgrade")
}

fn copy(headers: &mut Headers, from: Known, to: Known) {
    let value = headers.get(from).and_then(|value| HeaderValue::parse(value).ok());
    if let Some(value) = value {
        headers.set(to, &value);
    }
}

fn joined(headers: &Headers, name: Known) -> Vec<u8> {
    let mut list = Vec::new();
    for (index, value) in headers.get_all(name).enumerate() {
        if index > 0 {
            list.extend_from_slice(b", ");
        }
        list.extend_from_slice(value);
    }
    list
}

/// Writes an address without allocating.
fn set_ip(headers: &mut Headers, name: Known, address: IpAddr) {
    let mut text = AddressText::new();
    headers.set_clean(name, text.format(address));
}

/// Room for the text of an address.
struct AddressText([u8; 48]);

impl AddressText {
    fn new() -> Self {
        Self([0; 48])
    }

    fn format(&mut self, address: IpAddr) -> &[u8] {
        use std::io::Write as _;
        if let IpAddr::V4(address) = address {
            return self.format_v4(address);
        }
        let capacity = self.0.len();
        let mut rest = self.0.as_mut_slice();
        // The longest address has 45 characters.
        let written = write!(rest, "{address}");
        debug_assert!(written.is_ok());
        let length = capacity - rest.len();
        self.0.get(..length).unwrap_or_default()
    }

    /// As `Display`, at a fraction of the cost: each request needs it twice.
    fn format_v4(&mut self, address: Ipv4Addr) -> &[u8] {
        let mut length = 0;
        for octet in address.octets() {
            let (Some(place), Some(digits)) = (
                self.0.get_mut(length..).and_then(<[u8]>::first_chunk_mut),
                OCTETS.get(usize::from(octet)),
            ) else {
                break;
            };
            *place = *digits;
            length += 2 + usize::from(octet >= 10) + usize::from(octet >= 100);
        }
        // A dot stands behind the last as well.
        self.0.get(..length.saturating_sub(1)).unwrap_or_default()
    }
}

/// The decimal digits of each octet and a dot.
static OCTETS: [[u8; 4]; 256] = octets();

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a panic is an error")]
const fn octets() -> [[u8; 4]; 256] {
    let mut table = [[b'.'; 4]; 256];
    let mut octet = 0;
    while octet < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 255")]
        let number = octet as u8;
        let (hundreds, tens, ones) =
            (b'0' + number / 100, b'0' + number / 10 % 10, b'0' + number % 10);
        table[octet] = match number {
            0..10 => [ones, b'.', b'.', b'.'],
            10..100 => [tens, ones, b'.', b'.'],
            _ => [hundreds, tens, ones, b'.'],
        };
        octet += 1;
    }
    table
}

#[cfg(test)]
mod tests;
