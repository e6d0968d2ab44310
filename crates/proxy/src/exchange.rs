//! One request from head to last byte: the straight line.

use std::{
    fmt,
    future::poll_fn,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use portway_http::{Answer, BodyFraming, Method, Request, Status, TargetForm, deny_encoded};
use portway_middleware::{Chain, Context, detect_type_of_answer};
use portway_model::InternalService;
use portway_observe::Reason;
use portway_snapshot::{Choice, Held, Route, Service, Snapshot, Steps, Taker, Target, Then};
use portway_upstream::{Asking, InFlight, Picked, Server};

use tokio::{task::spawn_blocking, time::timeout_at};

use crate::{
    EntryPoint, answer,
    connection::{Connection, Next},
    copies,
    forward::{self, ForwardError},
    memory::Memory,
    record::Facts,
    stick::stick,
    subject::Asked,
    worker::Worker,
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

/// How often a server is chosen to find one that was not asked yet.
const MAX_PICKS: usize = 100;

/// Why a request got an answer of our own.
type Refused = (Reason, Box<Answer>);

/// One request on its way through its router, with all that it meets there.
pub(crate) struct Exchange<'a, 's> {
    pub(crate) connection: &'a mut Connection,
    pub(crate) memory: &'a mut Memory,
    pub(crate) facts: &'a mut Facts,
    pub(crate) settings: &'a EntryPoint,
    pub(crate) snapshot: &'s Held,
    pub(crate) route: &'s Arc<Route>,
    /// What its middlewares know of it, and leave to be done.
    pub(crate) context: Context<'s>,
    /// The servers that were asked in vain, where another one is to be preferred.
    pub(crate) asked: Option<Vec<&'s Arc<Server>>>,
    /// Whether anything of the request was sent to the server that was asked last; `None` where none was.
    pub(crate) sent: Option<bool>,
    /// What is known of servers to the `retry` that stands nearest around.
    pub(crate) tried: Tried,
    /// Whether the request is wanted as it is before it is made ready for a server.
    pub(crate) keeps_unsent: bool,
    /// The request as it was then.
    pub(crate) unsent: Option<Request>,
    /// Whether the response has fields of its own, which a wrapper further out will join to the client's.
    pub(crate) apart: bool,
    /// Whether interim responses are kept from the client.
    pub(crate) hides_interim: bool,
    /// Counts the request at its server while it is under way, where the strategy asks for that.
    pub(crate) in_flight: Option<InFlight<'s>>,
}

/// How far a request has come in an attempt.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tried {
    /// Whether a server was to be asked.
    pub(crate) asked: bool,
    /// Whether anything was sent to one.
    pub(crate) sent: bool,
}

/// What a request gets.
pub(crate) enum Reply<'s> {
    /// The response of this server: its head is in the exchange's memory, its body is still to come.
    Server(Picked<'s>),
    /// An answer of our own.
    Answer(Box<Answer>),
}

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
        // The task is woken for it, see `until_cut`: nothing needs to be registered here. It is looked at first,
        // since a stream of HTTP/2 whose connection has been cut looks as if its client were gone.
        () = poll_fn(|_| if ending.is_cut() { Poll::Ready(()) } else { Poll::Pending }) => {
            facts.reason = Some(Reason::GraceOver);
            Next::Abort
        }
        next = serve(connection, memory, &mut facts, settings, &worker, &snapshot) => next,
    };
    if !memory.copies.is_empty() {
        let is_gone = next == Next::Abort || facts.reason == Some(Reason::ClientGone);
        copies::send(connection, copies::take(memory), &snapshot, is_gone);
    }
    memory.end();
    facts.write(connection, &memory.request);
    next
}

/// Finds the router, leads the request through it, and delivers what comes of that.
async fn serve(
    connection: &mut Connection,
    memory: &mut Memory,
    facts: &mut Facts,
    settings: &EntryPoint,
    worker: &Worker,
    snapshot: &Held,
) -> Next {
    let request = &mut memory.request;
    let normal = normalize(connection, request, settings);
    if normal.is_err() {
        connection.discount();
    }
    let routed = normal.and_then(|()| {
        facts.take_request(request);
        find(connection, request, settings, snapshot)
    });
    let route = match routed {
        Ok(route) => route,
        Err((reason, answer)) => {
            facts.reason = Some(reason);
            return answer::send(connection, memory, facts, &answer).await;
        }
    };
    facts.routed(route, connection);
    let (secure, peer) = (connection.tls.is_some(), connection.peer.ip());
    let certificates = connection.tls.as_ref().and_then(|tls| tls.certificates.clone());
    let mut context = Context::new(secure, peer, connection.started, &worker.passwords);
    context.certificates = certificates.as_deref();
    context.append_forwarded_for = settings.append_forwarded_for;
    let mut exchange = Exchange::new(connection, memory, facts, settings, snapshot, route, context);
    // It may be one of very many (CVE-2023-44487): no server hears of it.
    let given_up = exchange.connection.stream.is_given_up();
    if let Some(total) = route.timeouts.total
        && !given_up
    {
        // Rare: it must not swell the future of every exchange.
        return Box::pin(exchange.run_within(total)).await;
    }
    let reply = match route.steps.bare_target() {
        _ if given_up => exchange.client_gone(),
        Some(target) => exchange.ask(target).await,
        None => exchange.run(&route.steps).await,
    };
    exchange.deliver(reply).await
}

impl<'a, 's> Exchange<'a, 's> {
    /// A request that `route` takes, before anything was done about it.
    pub(crate) fn new(
        connection: &'a mut Connection,
        memory: &'a mut Memory,
        facts: &'a mut Facts,
        settings: &'a EntryPoint,
        snapshot: &'s Held,
        route: &'s Arc<Route>,
        context: Context<'s>,
    ) -> Self {
        Self {
            connection,
            memory,
            facts,
            settings,
            snapshot,
            route,
            context,
            asked: None,
            sent: None,
            tried: Tried::default(),
            keeps_unsent: false,
            unsent: None,
            apart: false,
            hides_interim: false,
            in_flight: None,
        }
    }

    /// Leads the request through and delivers the reply, all within `total` of its head.
    async fn run_within(&mut self, total: Duration) -> Next {
        let until = self.connection.started + total;
        let Ok(reply) = timeout_at(until.into(), self.run(&self.route.steps)).await else {
            let worker = Rc::clone(&self.connection.worker);
            forward::end(self.memory, &worker, self.facts);
            // Who knows how much of the body came: the answer ends the connection.
            self.memory.request.body = BodyFraming::None;
            let reply = self.failed(&ForwardError::TotalTimeout);
            return self.deliver(reply).await;
        };
        let is_server = matches!(reply, Reply::Server(_));
        if is_server && self.memory.response.status == Status::SWITCHING_PROTOCOLS {
            return self.deliver(reply).await;
        }
        match timeout_at(until.into(), self.deliver(reply)).await {
            Ok(next) => next,
            Err(_) => {
                self.facts.reason = Some(Reason::TotalTimeout);
                self.facts.sent = self.memory.download.payload();
                let worker = Rc::clone(&self.connection.worker);
                forward::end(self.memory, &worker, self.facts);
                Next::Abort
            }
        }
    }

    /// Leads the request through filters to what follows them, and the head of the reply back through them.
    pub(crate) async fn run(&mut self, steps: &'s Steps) -> Reply<'s> {
        let filters = &steps.filters;
        if !filters.is_empty()
            && let Err(answer) = self.filter(filters).await
        {
            return Reply::Answer(answer);
        }
        let mut reply = match &steps.then {
            Then::Target(target) => self.ask(target).await,
            Then::Wrapper(wrapper) => Box::pin(self.wrap(wrapper)).await,
        };
        let Memory { request, response, .. } = &mut *self.memory;
        let fields = match &mut reply {
            Reply::Answer(answer) => &mut answer.headers,
            // As in Traefik, a switch of protocols passes as it is.
            Reply::Server(_) if response.status == Status::SWITCHING_PROTOCOLS => return reply,
            Reply::Server(_) => &mut response.headers,
        };
        filters.on_response(fields, request, self.context.tls);
        reply
    }

    /// Leads the request through filters.
    async fn filter(&mut self, filters: &Chain) -> Result<(), Box<Answer>> {
        let Self { memory, facts, context, .. } = self;
        context.permits = std::mem::take(&mut memory.permits);
        let passed = filters.on_request(&mut memory.request, context).await;
        memory.permits = std::mem::take(&mut context.permits);
        if let Some(user) = context.username.take() {
            facts.user = Some(user);
        }
        passed.map_err(|answer| {
            facts.reason = Some(Reason::Middleware);
            facts.detail = context.reason.take().unwrap_or_default().to_owned();
            answer.into()
        })
    }

    /// Leads the request to a target.
    pub(crate) async fn ask(&mut self, target: &'s Target) -> Reply<'s> {
        match target {
            Target::Closed => self.closed(),
            Target::Service(service) => self.ask_service(service).await,
        }
    }

    /// Leads the request to a service. The cookies that keep the client with what takes it go into the reply.
    pub(crate) async fn ask_service(&mut self, service: &'s Service) -> Reply<'s> {
        let Choice { taker, cookies } = self.pick(service);
        let mut reply = match taker {
            Some(Taker::Server(picked)) => return self.forward(picked, &cookies).await,
            // Rare: it must not swell the future of every exchange.
            Some(Taker::Service(service)) => Box::pin(self.enter(service)).await,
            None => {
                self.facts.reason = Some(Reason::NoServer);
                self.answered(Answer::no_available_server())
            }
        };
        match &mut reply {
            Reply::Answer(answer) => stick(&mut answer.headers, &cookies),
            Reply::Server(_) => stick(&mut self.memory.response.headers, &cookies),
        }
        reply
    }

    /// Leads the request into a service that chooses no server, or not at once.
    async fn enter(&mut self, service: &'s Service) -> Reply<'s> {
        match service {
            Service::Behind(steps) => self.run(steps).await,
            Service::Failover(failover) => self.failover(failover).await,
            Service::Mirroring(mirroring) => self.mirroring(mirroring).await,
            Service::Internal(service) => {
                let Self { connection, memory, snapshot, .. } = self;
                let answer = ask_internal(connection, &memory.request, *service, snapshot).await;
                self.answered(answer)
            }
            // What chooses has chosen.
            Service::Servers(_) | Service::Weighted(_) => self.closed(),
        }
    }

    /// The reply of a router that could not be built.
    pub(crate) fn closed(&mut self) -> Reply<'s> {
        self.facts.reason = Some(Reason::RouterClosed);
        self.answered(Answer::error(Status::INTERNAL_SERVER_ERROR, "Internal Server Error"))
    }

    /// Chooses a server: one that was not asked in vain, while there is one.
    fn pick(&mut self, service: &'s Service) -> Choice<'s> {
        let asking = Asking {
            headers: &self.memory.request.headers,
            client: self.connection.peer.ip(),
            random: &self.connection.worker.random,
        };
        let choice = service.pick(&asking);
        let Some(asked) = &mut self.asked else { return choice };
        let is_fresh = |choice: &Choice<'_>| {
            choice.taker.is_some_and(|taker| match taker {
                Taker::Server(picked) => !asked.iter().any(|one| Arc::ptr_eq(one, picked.server)),
                Taker::Service(_) => true,
            })
        };
        let choice = if is_fresh(&choice) {
            choice
        } else {
            let mut others = (0..MAX_PICKS).map(|_| service.pick(&asking));
            others.find(is_fresh).unwrap_or(choice)
        };
        if let Some(Taker::Server(picked)) = choice.taker {
            asked.push(picked.server);
        }
        choice
    }

    /// Asks a server. The cookies that keep the client with it go into the reply.
    async fn forward(&mut self, picked: Picked<'s>, cookies: &[&str]) -> Reply<'s> {
        let (settings, timeouts) = (self.settings, self.route.timeouts);
        let Context { append_forwarded_for, body_limit, .. } = self.context;
        if self.keeps_unsent {
            self.unsent = Some(self.memory.request.clone());
        }
        let job = forward::Job {
            settings,
            picked,
            append_forwarded_for,
            body_limit,
            timeouts,
            aside: false,
            hides_interim: self.hides_interim,
        };
        self.in_flight = picked.load.map(|load| load.begin(Instant::now()));
        let fetched = forward::fetch(self.connection, self.memory, &job, self.facts).await;
        let begun = self.memory.upload.begun();
        self.sent = Some(begun);
        self.tried = Tried { asked: true, sent: self.tried.sent || begun };
        match fetched {
            Ok(()) => {
                if let Some(in_flight) = &self.in_flight {
                    in_flight.answered(Instant::now());
                }
                if let Some(passive) = &picked.server.passive {
                    match self.memory.response.status.code() {
                        ..500 => passive.succeeded(),
                        _ => passive.failed(),
                    }
                }
                let fields = &mut self.memory.response.headers;
                stick(fields, cookies);
                self.context.begin(fields);
                Reply::Server(picked)
            }
            Err(error) => {
                self.in_flight = None;
                if let Some(passive) = &picked.server.passive
                    && error.is_of_server()
                {
                    passive.failed();
                }
                let mut reply = self.failed(&error);
                if let Reply::Answer(answer) = &mut reply {
                    stick(&mut answer.headers, cookies);
                }
                reply
            }
        }
    }

    /// Sends the reply to the client.
    pub(crate) async fn deliver(&mut self, reply: Reply<'s>) -> Next {
        let Self { connection, memory, facts, settings, context, .. } = self;
        match reply {
            Reply::Server(_) if memory.response.status == Status::SWITCHING_PROTOCOLS => {
                // Rare and large: it must not swell the future of every exchange.
                Box::pin(self.switch_protocols()).await
            }
            Reply::Server(picked) => {
                let detects_type = context.detects_type;
                forward::pass_on(connection, memory, settings, picked.server, detects_type, facts)
                    .await
            }
            Reply::Answer(mut answer) => {
                if context.detects_type {
                    detect_type_of_answer(&mut answer);
                }
                answer::send(connection, memory, facts, &answer).await
            }
        }
    }
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
) -> Result<&'s Arc<Route>, Refused> {
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
        && !matches!(route.steps.target(), Target::Closed)
    {
        let answer = Answer::error(Status::MISDIRECTED, "Misdirected Request");
        return Err((Reason::Misdirected, answer.into()));
    }
    Ok(route)
}

/// The answer of an internal service. The API's may take long, so the worker does not wait for it.
async fn ask_internal(
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
