//! One request from head to last byte: the straight line.

use std::{fmt, future::poll_fn, net::SocketAddr, rc::Rc, sync::Arc, task::Poll};

use portway_http::{Answer, Method, Request, Status, TargetForm, deny_encoded};
use portway_middleware::{Context, detect_type_of_answer};
use portway_model::InternalService;
use portway_observe::Reason;
use portway_snapshot::{Held, Route, Snapshot, Target};

use tokio::task::spawn_blocking;

use crate::{
    EntryPoint, answer,
    connection::{Connection, Next},
    forward::{self, Outcome, Passed},
    memory::Memory,
    record::Facts,
    subject::Asked,
};

/// What answers for `api@internal` and its kin.
pub trait InternalServices: fmt::Debug + Send + Sync {
    /// The answer of `service` to a request as it is behind the router's middlewares.
    ///
    /// May take as long as printing a large table does; it is then called off the worker.
    fn answer(&self, service: InternalService, inbound: &Inbound) -> Answer;
}

/// A request for an internal service.
#[derive(Debug)]
pub struct Inbound {
    /// The request.
    pub request: Request,
    /// The snapshot that it runs on.
    pub snapshot: Arc<Snapshot>,
    /// Who sent it.
    pub peer: SocketAddr,
    /// Whether it came over TLS.
    pub secure: bool,
}

/// Why a request got an answer of our own.
type Refused = (Reason, Box<Answer>);

/// Serves one request: canonical form, route, middlewares, service, answer; then the access record.
///
/// The snapshot is loaded once, here; everything below borrows it.
pub(crate) async fn exchange(connection: &mut Connection, memory: &mut Memory) -> Next {
    let worker = Rc::clone(&connection.worker);
    let snapshot = worker.snapshots.load();
    let settings = worker.entry_points.get(connection.entry_point);
    let ending = worker.ending(connection.entry_point);
    let (Some(settings), Some(ending)) = (settings, ending) else { return Next::Abort };
    let mut facts = Facts::begin(connection);
    let next = tokio::select! {
        biased;
        next = serve(connection, memory, settings, &snapshot, &mut facts) => next,
        // The task is woken for it, see `until_cut`: nothing needs to be registered here.
        () = poll_fn(|_| if ending.is_cut() { Poll::Ready(()) } else { Poll::Pending }) => {
            facts.reason = Some(Reason::GraceOver);
            Next::Abort
        }
    };
    memory.permits.clear();
    facts.write(connection, &memory.request);
    next
}

/// Leads the request through, and sends the answer where it is one of our own.
async fn serve(
    connection: &mut Connection,
    memory: &mut Memory,
    settings: &EntryPoint,
    snapshot: &Held,
    facts: &mut Facts,
) -> Next {
    match lead(connection, memory, settings, snapshot, facts).await {
        Outcome::Done(next) => next,
        Outcome::Answer(answer) => answer::send(connection, memory, facts, &answer).await,
    }
}

/// Leads the request to its router, through its middlewares, and to its target.
async fn lead(
    connection: &mut Connection,
    memory: &mut Memory,
    settings: &EntryPoint,
    snapshot: &Held,
    facts: &mut Facts,
) -> Outcome {
    let request = &mut memory.request;
    let routed = normalize(connection, request, settings).and_then(|()| {
        facts.take_request(request);
        find(connection, request, settings, snapshot)
    });
    let route = match routed {
        Ok(route) => route,
        Err((reason, answer)) => {
            facts.reason = Some(reason);
            return Outcome::Answer(answer);
        }
    };
    facts.routed(route, connection);
    let passed = match filter(connection, memory, settings, route, facts).await {
        Ok(passed) => passed,
        Err(answer) => return Outcome::Answer(answer),
    };
    let mut outcome = reach(connection, memory, settings, route, snapshot, passed, facts).await;
    if let Outcome::Answer(answer) = &mut outcome {
        let secure = connection.tls.is_some();
        route.chain.on_response(&mut answer.headers, &memory.request, secure);
        if passed.detects_type {
            detect_type_of_answer(answer);
        }
    }
    outcome
}

/// Brings the request into canonical form and its `X-Forwarded-*` fields into order.
fn normalize(
    connection: &Connection,
    request: &mut Request,
    settings: &EntryPoint,
) -> Result<(), Refused> {
    if request.method == Method::Connect {
        // What follows may be meant for the tunnel that there is not: it must not be read as a request.
        let mut answer = Answer::empty(Status::NOT_IMPLEMENTED);
        answer.close = true;
        return Err((Reason::BadRequest, answer.into()));
    }
    if request.target.form() == TargetForm::Asterisk {
        // Go's server answers this itself, and has no other use for the form.
        let status =
            if request.method == Method::Options { Status::OK } else { Status::BAD_REQUEST };
        return Err((Reason::ServerOptions, Answer::empty(status).into()));
    }
    request
        .canonicalize(&settings.canonical)
        .map_err(|(_, answer)| (Reason::BadRequest, answer.into()))?;
    let secure = connection.tls.is_some();
    request.apply_forwarded(&settings.forwarded, connection.peer.ip(), secure);
    Ok(())
}

/// The router that takes the request, unless the connection or the path forbids it.
fn find<'s>(
    connection: &Connection,
    request: &Request,
    settings: &EntryPoint,
    snapshot: &'s Held,
) -> Result<&'s Route, Refused> {
    let not_found = || (Reason::NoRouter, Answer::not_found().into());
    let tables = snapshot.entry_points.get(connection.entry_point).ok_or_else(not_found)?;
    let table = if connection.tls.is_some() { &tables.secure } else { &tables.plain };
    let asked = Asked { request, peer: connection.peer.ip() };
    let route = table.find(&asked).ok_or_else(not_found)?;
    let path = request.target.escaped_path();
    if !settings.denied_octets.is_empty() && deny_encoded(path, &settings.denied_octets) {
        return Err((Reason::BadRequest, Answer::empty(Status::BAD_REQUEST).into()));
    }
    if let Some(tls) = &connection.tls
        && tls.options != route.tls_options
        && !matches!(route.target, Target::Closed)
    {
        let answer = Answer::error(Status::MISDIRECTED, "Misdirected Request");
        return Err((Reason::Misdirected, answer.into()));
    }
    Ok(route)
}

/// Leads the request through the router's middlewares.
async fn filter(
    connection: &Connection,
    memory: &mut Memory,
    settings: &EntryPoint,
    route: &Route,
    facts: &mut Facts,
) -> Result<Passed, Box<Answer>> {
    let append_forwarded_for = settings.append_forwarded_for;
    if route.chain.is_empty() {
        return Ok(Passed { append_forwarded_for, detects_type: false });
    }
    let (secure, peer) = (connection.tls.is_some(), connection.peer.ip());
    let mut context = Context::new(secure, peer, connection.started, &connection.worker.passwords);
    context.certificates = connection.tls.as_ref().and_then(|tls| tls.certificates.as_deref());
    context.append_forwarded_for = append_forwarded_for;
    context.permits = std::mem::take(&mut memory.permits);
    let passed = route.chain.on_request(&mut memory.request, &mut context).await;
    memory.permits = context.permits;
    facts.user = context.username.take();
    let Context { append_forwarded_for, detects_type, .. } = context;
    match passed {
        Ok(()) => Ok(Passed { append_forwarded_for, detects_type }),
        Err(mut answer) => {
            if detects_type {
                detect_type_of_answer(&mut answer);
            }
            facts.reason = Some(Reason::Middleware);
            facts.detail = context.reason.unwrap_or_default().to_owned();
            Err(answer.into())
        }
    }
}

/// Leads the request to the router's target.
async fn reach(
    connection: &mut Connection,
    memory: &mut Memory,
    settings: &EntryPoint,
    route: &Route,
    snapshot: &Held,
    passed: Passed,
    facts: &mut Facts,
) -> Outcome {
    let answer = match &route.target {
        Target::Closed => {
            facts.reason = Some(Reason::RouterClosed);
            Answer::error(Status::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Target::Internal(service) => ask(connection, &memory.request, *service, snapshot).await,
        Target::Service(service) => {
            if let Some(picked) = service.pick() {
                let job = forward::Job { settings, route, picked, passed };
                return forward::forward(connection, memory, &job, facts).await;
            }
            facts.reason = Some(Reason::NoServer);
            Answer::no_available_server()
        }
    };
    Outcome::Answer(answer.into())
}

/// The answer of an internal service. The API's may take long, so the worker does not wait for it.
async fn ask(
    connection: &Connection,
    request: &Request,
    service: InternalService,
    snapshot: &Held,
) -> Answer {
    let inbound = Inbound {
        request: request.clone(),
        snapshot: snapshot.share(),
        peer: connection.peer,
        secure: connection.tls.is_some(),
    };
    let worker = &connection.worker;
    let services = Arc::clone(&worker.internal_services);
    if service != InternalService::Api {
        return services.answer(service, &inbound);
    }
    // They share their threads with look-ups of names, which must not queue behind a flood of them.
    let Ok(_turn) = worker.api_turns.try_acquire() else {
        return Answer::error(Status::SERVICE_UNAVAILABLE, "too many requests to the API at once");
    };
    let answered = spawn_blocking(move || services.answer(service, &inbound)).await;
    answered.unwrap_or_else(|_| Answer::proxy_error(Status::INTERNAL_SERVER_ERROR))
}
