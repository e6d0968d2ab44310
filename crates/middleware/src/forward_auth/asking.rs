//! The request to the server that is asked.

use std::net::IpAddr;

use portway_http::{
    Field, HeaderName, Headers, Known, Request, Version, append_forwarded_for, is_managed,
    split_host_port,
};

use super::{ForwardAuth, Trust};

/// The fields that tell of the client, which Traefik manages.
pub(super) const MANAGED: &[Known] = &[
    Known::XForwardedFor,
    Known::XForwardedHost,
    Known::XForwardedMethod,
    Known::XForwardedPort,
    Known::XForwardedPrefix,
    Known::XForwardedProto,
    Known::XForwardedScheme,
    Known::XForwardedServer,
    Known::XForwardedTlsClientCert,
    Known::XForwardedTlsClientCertInfo,
    Known::XForwardedUri,
    Known::XRealIp,
    Known::XScheme,
];

/// Whether a field is of the hop, so that the server does not see it, nor the client that of the answer. As in
/// Traefik, `Proxy-Authorization` passes.
pub(super) fn is_of_hop(field: Field<'_>) -> bool {
    let of_hop = [
        Known::Connection,
        Known::KeepAlive,
        Known::Te,
        Known::Trailer,
        Known::TransferEncoding,
        Known::Upgrade,
    ];
    field.known.is_some_and(|known| of_hop.contains(&known)) || field.name == "Trailers"
}

/// Whether a field says how a message is framed or whom it is for, which is not for headers to change.
pub(super) fn frames(name: &str) -> bool {
    let ours = [Known::ContentLength, Known::Host, Known::TransferEncoding, Known::Trailer];
    ours.iter().any(|known| known.as_str().eq_ignore_ascii_case(name))
}

impl ForwardAuth {
    /// What the server is asked about a request of this client, which came over TLS or not.
    #[must_use]
    pub fn request(&self, request: &Request, client: IpAddr, tls: bool) -> Request {
        let mut asking = Request::new();
        // Whoever speaks an old version is sent no interim responses: those of this server are not for the client.
        asking.version = Version::Http10;
        asking.keep_alive = true;
        if self.keeps_method {
            asking.method = request.method.clone();
        }
        asking.target = self.target.clone();
        if self.max_body.is_some() {
            asking.body = request.body;
        }
        asking.headers = self.fields(request);
        let fields = &mut asking.headers;
        match self.trust {
            Trust::Unsaid => tell_anew(fields, request, client, tls),
            Trust::No | Trust::Yes => tell_more(fields, request, client, tls),
        }
        if let Some(credentials) = &self.credentials
            && !fields.contains(Known::Authorization)
        {
            fields.set(Known::Authorization, credentials);
        }
        asking
    }

    /// The fields of the request that the server sees.
    fn fields(&self, request: &Request) -> Headers {
        let mut fields = request.headers.clone();
        remove_named_by_connection(&mut fields);
        fields.remove_where(|field| is_of_hop(field) || frames(field.name));
        // The server is sent all at once.
        fields.remove(Known::Expect);
        if self.trust == Trust::No {
            fields.remove_where(|field| is_managed(field.name));
        }
        if self.shown.is_empty() {
            return fields;
        }
        let is_shown = |name: &str| self.shown.iter().any(|one| one.as_str() == name);
        fields.remove_where(|field| !is_shown(field.name));
        fields
    }
}

/// Removes the fields that `Connection` names.
fn remove_named_by_connection(fields: &mut Headers) {
    let parse = |token| HeaderName::parse(std::str::from_utf8(token).ok()?).ok();
    let named: Vec<HeaderName> = fields.tokens(Known::Connection).filter_map(parse).collect();
    for name in &named {
        fields.remove(name);
    }
}

/// Tells of the client what the proxy knows, over whatever the client said. Traefik: `oldWriteHeader`.
fn tell_anew(fields: &mut Headers, request: &Request, client: IpAddr, tls: bool) {
    fields.remove(Known::XForwardedFor);
    append_forwarded_for(fields, client);
    fields.set(Known::XForwardedProto, scheme(tls));
    fields.set(Known::XForwardedMethod, request.method.as_str());
    fields.set(Known::XForwardedHost, request.authority());
    fields.set(Known::XForwardedUri, uri(request));
}

/// Tells of the client what no field says yet, and appends its address. Traefik: `writeHeader`.
fn tell_more(fields: &mut Headers, request: &Request, client: IpAddr, tls: bool) {
    append_forwarded_for(fields, client);
    let mut tell = |name: Known, value: &[u8]| {
        if !fields.contains(name) {
            fields.set(name, value);
        }
    };
    tell(Known::XForwardedMethod, request.method.as_str().as_bytes());
    tell(Known::XForwardedProto, scheme(tls).as_bytes());
    tell(Known::XForwardedHost, request.authority().as_bytes());
    tell(Known::XForwardedUri, &uri(request));
    let secure = tls || matches!(fields.get(Known::XForwardedProto), Some(b"https" | b"wss"));
    let port = match split_host_port(request.authority()) {
        Some((_, port)) if !port.is_empty() => port,
        _ if secure => "443",
        _ => "80",
    };
    if !fields.contains(Known::XForwardedPort) {
        fields.set(Known::XForwardedPort, port);
    }
}

fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}

fn uri(request: &Request) -> Vec<u8> {
    let mut uri = Vec::new();
    request.target.write_request_uri(&mut uri);
    uri
}
