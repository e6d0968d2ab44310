//! What is known of one request when it is over: one access record, on every exit.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use portway_http::{Headers, Known, Response};
use portway_observe::{Needs, Origin, Reason, Record, Recorder, Served, Tls};
use portway_snapshot::{Route, Target};
use portway_upstream::{Picked, Server};

use crate::connection::Connection;

/// What is known of one request, gathered on its way; written by [`Facts::write`].
#[derive(Debug)]
pub(crate) struct Facts {
    /// The status sent to the client; 0 for a tunnel, as in Traefik.
    pub(crate) status: u16,
    /// Why Portway itself answered or broke off.
    pub(crate) reason: Option<Reason>,
    /// What the reason was about.
    pub(crate) detail: String,
    /// Bytes of the response's body sent to the client.
    pub(crate) sent: u64,
    /// Bytes of the request's body.
    pub(crate) request_bytes: u64,
    /// Who the client says it is.
    pub(crate) user: Option<String>,
    /// Whether the access log takes this request, as far as is known.
    logged: bool,
    needs: Needs,
    start: SystemTime,
    request: Option<Asked>,
    route: Option<Arc<str>>,
    served: Option<(Arc<str>, Arc<Server>, Instant)>,
    answered: Option<(u16, Duration)>,
    /// The request's fields as they went to the server, but for those of the hop.
    forwarded_headers: Option<Headers>,
    origin_headers: Headers,
    sent_headers: Headers,
}

/// The request as it came, before middlewares changed it.
#[derive(Debug)]
struct Asked {
    path: Vec<u8>,
    query: Option<Vec<u8>>,
    forwarded_for: Option<Vec<u8>>,
}

impl Facts {
    /// A request whose head is complete.
    pub(crate) fn begin(connection: &Connection) -> Self {
        let recorder = connection.worker.recorder.as_ref();
        let needs = recorder.map(|recorder| recorder.borrow().needs());
        Self {
            status: 0,
            reason: None,
            detail: String::new(),
            sent: 0,
            request_bytes: 0,
            user: None,
            logged: recorder.is_some(),
            needs: needs.unwrap_or_default(),
            start: if recorder.is_some() { SystemTime::now() } else { SystemTime::UNIX_EPOCH },
            request: None,
            route: None,
            served: None,
            answered: None,
            forwarded_headers: None,
            origin_headers: Headers::new(),
            sent_headers: Headers::new(),
        }
    }

    /// The request is in canonical form, and no middleware has changed it yet.
    pub(crate) fn take_request(&mut self, connection: &Connection) {
        if !self.logged {
            return;
        }
        let request = &connection.request;
        let target = &request.target;
        self.request = Some(Asked {
            path: target.escaped_path().as_bytes().to_vec(),
            query: target.has_query().then(|| target.query().to_vec()),
            forwarded_for: request.headers.get(Known::XForwardedFor).map(<[u8]>::to_vec),
        });
    }

    /// A router takes the request.
    pub(crate) fn routed(&mut self, route: &Route, connection: &Connection) {
        if !self.logged {
            return;
        }
        let internals = connection.worker.recorder.as_ref();
        let internals = internals.is_some_and(|recorder| recorder.borrow().logs_internals());
        let is_internal = matches!(route.target, Target::Internal(_));
        self.logged = route.access_log && (internals || !is_internal);
        self.route = Some(Arc::clone(&route.name));
    }

    /// A server was chosen.
    pub(crate) fn served_by(&mut self, picked: &Picked<'_>, headers: &Headers) {
        if self.logged {
            self.forwarded_headers = self.needs.request_headers.then(|| headers.clone());
            let (service, server) = (Arc::clone(picked.service), Arc::clone(picked.server));
            self.served = Some((service, server, Instant::now()));
        }
    }

    /// The server's final response head is here.
    pub(crate) fn received(&mut self, response: &Response) {
        let Some((_, _, since)) = &self.served else { return };
        self.answered = Some((response.status.code(), since.elapsed()));
        if self.needs.response_headers {
            self.origin_headers = response.headers.clone();
        }
    }

    /// These fields go to the client.
    pub(crate) fn sending(&mut self, headers: &Headers) {
        if self.logged && self.needs.response_headers {
            self.sent_headers = headers.clone();
        }
    }

    /// Writes the access record.
    pub(crate) fn write(self, connection: &Connection) {
        if let Some(recorder) = &connection.worker.recorder
            && self.logged
            && self.reason != Some(Reason::ServerOptions)
        {
            self.record(connection, &mut recorder.borrow_mut());
        }
    }

    fn record(&self, connection: &Connection, recorder: &mut Recorder) {
        let settings = connection.worker.entry_points.get(connection.entry_point);
        let request = &connection.request;
        let asked = self.request.as_ref();
        let address = self.served.as_ref().map(|(_, server, _)| server.authority.as_str());
        let served = self.served.as_ref().map(|(service, server, _)| Served {
            service,
            url: &server.url,
            address: address.unwrap_or_default(),
        });
        let origin = self.served.as_ref().map(|(_, _, since)| Origin {
            status: self.answered.map_or(self.status, |(status, _)| status),
            size: self.sent,
            duration: since.elapsed(),
        });
        let request_headers = self.forwarded_headers.as_ref().unwrap_or(&request.headers);
        let host = Some(request.authority()).filter(|host| !host.is_empty());
        recorder.write(&Record {
            entry_point: settings.map_or("", |settings| &settings.name),
            client: connection.peer,
            forwarded_for: asked.and_then(|asked| asked.forwarded_for.as_deref()),
            username: self.user.as_deref(),
            method: request.method.as_str(),
            host: host.map(str::as_bytes),
            path: asked.map_or(b"".as_slice(), |asked| &asked.path),
            query: asked.and_then(|asked| asked.query.as_deref()),
            protocol: request.version.as_str(),
            tls: connection.tls.as_ref().map(|tls| Tls {
                version: tls.version,
                cipher: tls.cipher,
                client_subject: tls.client_subject.as_deref(),
            }),
            start: self.start,
            duration: connection.started.elapsed(),
            status: self.status,
            request_size: self.request_bytes,
            response_size: self.sent,
            origin,
            router: self.route.as_deref(),
            served,
            // A stale connection that is replaced is no attempt of a `retry` middleware.
            retry_attempts: 0,
            reason: self.reason,
            reason_detail: &self.detail,
            request_headers: pairs(request_headers),
            origin_headers: pairs(&self.origin_headers),
            response_headers: pairs(&self.sent_headers),
        });
    }
}

fn pairs(headers: &Headers) -> impl Iterator<Item = (&str, &[u8])> + Clone {
    headers.iter().map(|field| (field.name, field.value))
}
