//! A reference to a Service or TraefikService, with how to use it. Traefik: `LoadBalancerSpec`.

use std::fmt;

use portway_model::{
    Fields, Node, Period, Position, Problem, Value,
    decode::quoted,
    dynamic::{HealthCheck, PassiveHealthCheck, Sticky, Strategy, decode},
    nearest,
};

use super::{Reference, reading::required};

/// A reference to a Service or TraefikService, with how to use it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceReference {
    /// The name, possibly with `@provider`.
    pub name: String,
    /// `Service`, `TraefikService` or empty, which means the first.
    pub kind: String,
    /// The namespace; empty means the referring object's.
    pub namespace: String,
    /// The Service's port.
    pub port: Port,
    /// `http`, `https`, `h2c` or empty, which means to tell by the port.
    pub scheme: String,
    /// How a server is chosen.
    pub strategy: Strategy,
    /// Its share among several; absent means 1.
    pub weight: Option<i64>,
    /// Whether servers see the client's Host; absent means yes.
    pub pass_host_header: Option<bool>,
    /// How long response bytes may wait; absent means the default.
    pub flush_interval: Option<Period>,
    /// The name of the ServersTransport; empty means the default.
    pub servers_transport: String,
    /// Whether the Service's virtual address is used instead of its endpoints.
    pub native_lb: Option<bool>,
    /// Whether the port on every Node is used instead of the endpoints, of Services of type NodePort.
    pub node_port_lb: bool,
    /// Middlewares of the service itself, which are not served yet.
    pub middlewares: Vec<Reference>,
    /// Whether clients stay with a server.
    pub sticky: Option<Box<Sticky>>,
    /// Whether servers are asked for their health.
    pub health_check: Option<Box<HealthCheck>>,
    /// Whether requests that fail take servers out.
    pub passive_health_check: Option<PassiveHealthCheck>,
    /// The reference's path inside the object, such as `spec.routes[0].services[0]`.
    pub path: String,
    /// Where the reference was written.
    pub at: Position,
    /// What is wrong with the reference.
    pub problems: Vec<Problem>,
}

/// A port of a Service, by number or by name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Port {
    /// None was written.
    #[default]
    Absent,
    /// Its number.
    Number(i64),
    /// Its name; a number in quotes is a name.
    Name(String),
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("0"),
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Port {
    fn read(node: Option<&Node>) -> Self {
        match node.map(|node| &node.value) {
            Some(Value::Scalar { text, plain }) => match text.parse() {
                Ok(0) if *plain => Self::Absent,
                Ok(number) if *plain => Self::Number(number),
                _ if text.is_empty() => Self::Absent,
                _ => Self::Name(text.clone()),
            },
            _ => Self::Absent,
        }
    }
}

impl ServiceReference {
    pub(super) fn read(node: &Node, path: &str) -> Self {
        let mut problems = Vec::new();
        let mut fields = Fields::open(node, path, &mut problems);
        let mut reference = Self::fields(&mut fields, node, path);
        fields.close_dropping(&["middlewares"]);
        reference.problems = problems;
        reference
    }

    /// Reads a reference out of a mapping that holds other fields too.
    pub(super) fn among(node: &Node, path: &str) -> Self {
        let mut problems = Vec::new();
        let mut fields = Fields::open(node, path, &mut problems);
        let mut reference = Self::fields(&mut fields, node, path);
        reference.problems = problems;
        reference
    }

    fn fields(fields: &mut Fields<'_>, node: &Node, path: &str) -> Self {
        Self {
            name: required(fields, node, "name"),
            kind: fields.string("kind"),
            namespace: fields.string("namespace"),
            port: Port::read(fields.node("port")),
            scheme: fields.string("scheme"),
            strategy: strategy(fields),
            weight: fields.integer("weight"),
            pass_host_header: fields.boolean("passHostHeader"),
            flush_interval: fields
                .object("responseForwarding", |node, path, problems| {
                    let mut fields = Fields::open(node, path, problems);
                    let interval = fields.period("flushInterval");
                    fields.close_dropping(&[]);
                    interval
                })
                .flatten(),
            servers_transport: fields.string("serversTransport"),
            native_lb: fields.boolean("nativeLB"),
            node_port_lb: fields.boolean("nodePortLB").unwrap_or_default(),
            middlewares: fields.list("middlewares", Reference::read),
            sticky: sticky(fields),
            health_check: fields.object("healthCheck", health_check).map(Box::new),
            passive_health_check: fields.object("passiveHealthCheck", passive_health_check),
            path: path.to_owned(),
            at: node.at,
            problems: Vec::new(),
        }
    }
}

fn strategy(fields: &mut Fields<'_>) -> Strategy {
    let written = fields.string("strategy");
    match written.as_str() {
        // The last is the name that it had before.
        "" | "wrr" | "RoundRobin" => Strategy::Wrr,
        "p2c" => Strategy::P2c,
        "hrw" => Strategy::Hrw,
        "leasttime" => Strategy::LeastTime,
        unknown => {
            let hint = match nearest(unknown, STRATEGIES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("use one of {}", quoted(&STRATEGIES)),
            };
            let message = format!("load-balancer strategy {unknown} is not supported; {hint}");
            fields.report("strategy", Problem::error, message);
            Strategy::Wrr
        }
    }
}

const STRATEGIES: [&str; 4] = ["wrr", "p2c", "hrw", "leasttime"];

/// How servers are asked for their health. As in Traefik, those that are down are asked as often as the others, which
/// is written out.
fn health_check(node: &Node, path: &str, problems: &mut Vec<Problem>) -> HealthCheck {
    let mut fields = Fields::open(node, path, problems);
    let mut check = decode::health_check_fields(&mut fields);
    check.unhealthy_interval.get_or_insert(check.interval);
    fields.close_dropping(&[]);
    check
}

/// How requests tell of servers' health.
fn passive_health_check(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> PassiveHealthCheck {
    let mut fields = Fields::open(node, path, problems);
    let check = decode::passive_health_check_fields(&mut fields);
    fields.close_dropping(&[]);
    check
}

/// Stickiness; without a cookie there is none.
pub(super) fn sticky(fields: &mut Fields<'_>) -> Option<Box<Sticky>> {
    let cookie = fields.object("sticky", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let cookie = fields.node("cookie").is_some().then(|| {
            fields.object("cookie", |node, path, problems| {
                let mut fields = Fields::open(node, path, problems);
                let cookie = decode::cookie(&mut fields);
                fields.close_dropping(&[]);
                cookie
            })
        });
        fields.close_dropping(&[]);
        cookie.flatten()
    });
    let cookie = cookie.flatten()?;
    Some(Box::new(Sticky { cookie: Some(cookie) }))
}
