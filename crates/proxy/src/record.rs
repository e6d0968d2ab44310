//! What is known of one request when it is over: one access record, on every exit.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use portway_http::{Headers, Known, Request, Response};
use portway_observe::{Needs, Origin, Reason, Record, Recorder, Served, Tls};
use portway_snapshot::{Route, Service, Target};
use portway_upstream::{Picked, Server};

use crate::{connection::Connection, forward::ForwardError, proxy_status::ErrorType};

/// What is known of one request, gathered on its way; written by [`Facts::write`].
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The status sent to the client; 0 for a tunnel, as in Traefik.
    pub(crate) status: u16,
    /// Why Portway itself answered or broke off.
    pub(crate) reason: Option<Reason>,
    /// What the reason was about.
    pub(crate) detail: String,
    /// What a failed exchange with a server was, and the reason that it was for.
    finer: Option<(Reason, ErrorType)>,
    /// Bytes of the response's body sent to the client.
    pub(crate) sent: u64,
    /// Bytes of the request's body.
    pub(crate) request_bytes: u64,
    /// How often the request was sent again by a `retry`.
    pub(crate) retries: u32,
    /// Who the client says it is.
    pub(crate) user: Option<String>,
    /// What only the access log needs, if it takes this request as far as is known.
    log: Option<Box<Log>>,
}

/// What only the access log needs of a request.
#[derive(Debug)]
struct Log {
    needs: Needs,
    start: SystemTime,
    request: Option<Asked>,
    route: Option<Arc<str>>,
    served: Option<(Arc<str>, Arc<Server>, Instant)>,
    answered: Option<(u16, Duration)>,
    /// The request's fields as they went to the server, but for those of the hop; without what is changed of a copy.
    headers: Option<Headers>,
    /// Whether these fields are not to follow the request any more.
    keeps_headers: bool,
    origin_headers: Headers,
    sent_headers: Headers,
}

/// The request as it came, before middlewares changed it.
#[derive(Debug)]
struct Asked {
    authority: String,
    path: Vec<u8>,
    query: Option<Vec<u8>>,
    forwarded_for: Option<Vec<u8>>,
}

impl Facts {
    /// A request whose head is complete.
    pub(crate) fn begin(connection: &Connection) -> Self {
        let recorder = connection.worker.recorder.as_ref();
        let log = recorder.map(|recorder| {
            Box::new(Log {
                needs: recorder.borrow().needs(),
                start: SystemTime::now(),
                request: None,
                route: None,
                served: None,
                answered: None,
                headers: None,
                keeps_headers: false,
                origin_headers: Headers::new(),
                sent_headers: Headers::new(),
            })
        });
        Self { log, ..Self::default() }
    }

    /// Whether an access record is to be written, as far as is known.
    pub(crate) fn are_logged(&self) -> bool {
        self.log.is_some()
    }

    /// An exchange with a server failed.
    pub(crate) fn failed(&mut self, error: &ForwardError) {
        let reason = error.reason();
        self.reason = Some(reason);
        self.detail = error.to_string();
        self.finer = Some((reason, ErrorType::of_error(error)));
    }

    /// What went wrong, if there is a reason.
    pub(crate) fn problem(&self) -> Option<(Reason, ErrorType)> {
        let reason = self.reason?;
        let finer = self.finer.filter(|(of, _)| *of == reason);
        Some(finer.unwrap_or_else(|| (reason, ErrorType::of_reason(reason))))
    }

    /// The request is in canonical form, and no middleware has changed it yet.
    pub(crate) fn take_request(&mut self, request: &Request) {
        let Some(log) = &mut self.log else { return };
        let target = &request.target;
        log.request = Some(Asked {
            authority: request.authority().to_owned(),
            path: target.escaped_path().as_bytes().to_vec(),
            query: target.has_query().then(|| target.query().to_vec()),
            forwarded_for: request.headers.get(Known::XForwardedFor).map(<[u8]>::to_vec),
        });
    }

    /// A router takes the request.
    pub(crate) fn routed(&mut self, route: &Route, connection: &Connection) {
        let Some(log) = &mut self.log else { return };
        let recorder = connection.worker.recorder.as_ref();
        let internals = recorder.is_some_and(|recorder| recorder.borrow().logs_internals());
        let is_internal = match route.steps.target() {
            Target::Service(service) => matches!(**service, Service::Internal(_)),
            Target::Closed => false,
        };
        log.route = Some(Arc::clone(&route.name));
        if !route.access_log || (is_internal && !internals) {
            self.log = None;
        }
    }

    /// A server was chosen.
    pub(crate) fn served_by(&mut self, picked: &Picked<'_>, headers: &Headers) {
        let Some(log) = &mut self.log else { return };
        if !log.keeps_headers {
            log.headers = log.needs.request_headers.then(|| headers.clone());
        }
        let (service, server) = (Arc::clone(picked.service), Arc::clone(picked.server));
        log.served = Some((service, server, Instant::now()));
    }

    /// Whether fields stay in the log as they are.
    pub(crate) fn keeps_headers(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.keeps_headers)
    }

    /// The fields of the request that goes to a server stand in the log again, unless they are to `stay`.
    pub(crate) fn follow_headers(&mut self, stay: bool) {
        if let Some(log) = &mut self.log {
            log.keeps_headers = stay;
        }
    }

    /// What follows has a copy of the request, or is another: the log shows these fields, unless it has others to show.
    pub(crate) fn keep_headers(&mut self, headers: &Headers) {
        let Some(log) = &mut self.log else { return };
        log.keeps_headers = true;
        if log.headers.is_none() && log.needs.request_headers {
            log.headers = Some(headers.clone());
        }
    }

    /// The server's final response head is here.
    pub(crate) fn received(&mut self, response: &Response) {
        let Some(log) = &mut self.log else { return };
        let Some((_, _, since)) = &log.served else { return };
        log.answered = Some((response.status.code(), since.elapsed()));
        if log.needs.response_headers {
            log.origin_headers = response.headers.clone();
        }
    }

    /// These fields go to the client.
    pub(crate) fn sending(&mut self, headers: &Headers) {
        if let Some(log) = &mut self.log
            && log.needs.response_headers
        {
            log.sent_headers = headers.clone();
        }
    }

    /// The request has become a tunnel, which has no status of its own in Traefik's log, neither here nor there.
    pub(crate) fn tunnelled(&mut self, headers: &Headers) {
        self.status = 0;
        self.sending(headers);
        if let Some(log) = &mut self.log
            && let Some((status, _)) = &mut log.answered
        {
            *status = 0;
        }
    }

    /// Writes the access record.
    pub(crate) fn write(self, connection: &Connection, request: &Request) {
        if let Some(recorder) = &connection.worker.recorder
            && let Some(log) = &self.log
            && self.reason != Some(Reason::ServerOptions)
            && (log.route.is_some() || logs_unrouted(connection))
        {
            self.record(log, connection, request, &mut recorder.borrow_mut());
        }
    }

    fn record(
        &self,
        log: &Log,
        connection: &Connection,
        request: &Request,
        recorder: &mut Recorder,
    ) {
        let settings = connection.worker.entry_points.get(connection.entry_point);
        let asked = log.request.as_ref();
        let address = log.served.as_ref().map(|(_, server, _)| server.authority.as_str());
        let served = log.served.as_ref().map(|(service, server, _)| Served {
            service,
            url: &server.url,
            address: address.unwrap_or_default(),
        });
        let origin = log.served.as_ref().map(|(_, _, since)| Origin {
            status: log.answered.map_or(self.status, |(status, _)| status),
            size: self.sent,
            duration: since.elapsed(),
        });
        let request_headers = log.headers.as_ref().unwrap_or(&request.headers);
        let host = asked.map_or(request.authority(), |asked| &asked.authority);
        let host = Some(host).filter(|host| !host.is_empty());
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
            start: log.start,
            duration: connection.started.elapsed(),
            status: self.status,
            request_size: self.request_bytes,
            response_size: self.sent,
            origin,
            router: log.route.as_deref(),
            served,
            // A stale connection that is replaced is no attempt of a `retry` middleware.
            retry_attempts: self.retries,
            reason: self.reason,
            reason_detail: &self.detail,
            request_headers: pairs(request_headers),
            origin_headers: pairs(&log.origin_headers),
            response_headers: pairs(&log.sent_headers),
        });
    }
}

/// Whether the entry point logs what no router takes: that has only its choice.
fn logs_unrouted(connection: &Connection) -> bool {
    let settings = connection.worker.entry_points.get(connection.entry_point);
    settings.is_none_or(|settings| settings.logs_unrouted)
}

fn pairs(headers: &Headers) -> impl Iterator<Item = (&str, &[u8])> + Clone {
    headers.iter().map(|field| (field.name, field.value))
}
