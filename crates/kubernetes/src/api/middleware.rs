//! Middleware, in the form that Kubernetes objects have: references and Secrets instead of values.

use portway_model::{
    Fields, Node, Position, Problem, Value,
    decode::join,
    dynamic::{
        self, BasicAuth, ClientTls, ForwardAuth, RateLimit, RedirectScheme, Redis,
        SERVED_MIDDLEWARES, UNSERVED_MIDDLEWARES, Unserved, decode,
    },
};

use super::{Reference, ServiceReference, unserved::shown};

/// The content of a Middleware.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Middleware {
    /// A kind whose settings are complete as they are.
    Plain(dynamic::Middleware),
    /// `basicAuth`, whose users are in a Secret of the same namespace.
    BasicAuth {
        /// All but the users.
        settings: BasicAuth,
        /// The Secret's name.
        secret: String,
        /// Where it was named.
        secret_at: Position,
    },
    /// `digestAuth`, in the same way.
    DigestAuth {
        /// All but the users.
        settings: BasicAuth,
        /// The Secret's name.
        secret: String,
        /// Where it was named.
        secret_at: Position,
    },
    /// `forwardAuth`, whose keys and authorities are in Secrets of the same namespace.
    ForwardAuth {
        /// All but these.
        settings: Box<ForwardAuth>,
        /// Where they were written.
        at: Position,
        /// The name of the Secret with the authorities; empty means none.
        authority: (String, Position),
        /// The name of the Secret with the certificate that the server is shown; empty means none.
        certificate: (String, Position),
    },
    /// `rateLimit` that counts in Redis, whose credentials are in Secrets of the same namespace.
    RateLimit(Box<RateLimit>, RedisSecrets),
    /// `chain`, whose members are references.
    Chain(Vec<Reference>),
    /// `errors`, whose service is a reference.
    Errors(dynamic::Errors, Box<ServiceReference>),
    /// Nothing that could be read; the object's problems say why.
    #[default]
    Unreadable,
}

/// The Secrets that a Redis needs, with the places where they were named; empty names mean none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RedisSecrets {
    /// That with user and password.
    pub user: (String, Position),
    /// That with the authorities.
    pub authority: (String, Position),
    /// That with the client's certificate and its key.
    pub certificate: (String, Position),
}

impl Middleware {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let kinds: Vec<&'static str> = SERVED_MIDDLEWARES
            .iter()
            .chain(UNSERVED_MIDDLEWARES)
            .filter(|name| fields.node(name).is_some())
            .copied()
            .collect();
        let content = match kinds.as_slice() {
            [] => None,
            [name] => {
                fields.object(name, |node, path, problems| read_kind(name, node, path, problems))
            }
            several => {
                let settings = several
                    .iter()
                    .filter_map(|name| Some(((*name).to_owned(), shown(name, fields.node(name)?))));
                Some(Self::Plain(dynamic::Middleware::Unserved(settings.collect())))
            }
        };
        fields.close_dropping(&[]);
        let mut report = |message: String| {
            problems.push(Problem::error("spec", message).at(spec.at));
        };
        if kinds.len() > 1 {
            report(format!(
                "cannot create middleware: multi-types middleware not supported, consider declaring \
                 two different pieces of middleware instead (found {})",
                portway_model::decode::quoted(&kinds)
            ));
        }
        content.unwrap_or_else(|| {
            report("invalid middleware type or middleware does not exist".to_owned());
            Self::Unreadable
        })
    }
}

/// Settings that stand in the object as they stand in a file are read as a file's are: an unknown field in them is
/// an error, because what it was meant to guard would be left out.
fn read_kind(name: &str, node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let plain = match name {
        "basicAuth" => {
            let (settings, secret, secret_at) = users(node, path, problems);
            return Middleware::BasicAuth { settings, secret, secret_at };
        }
        "digestAuth" => {
            let (settings, secret, secret_at) = users(node, path, problems);
            return Middleware::DigestAuth { settings, secret, secret_at };
        }
        "forwardAuth" => return forward_auth(node, path, problems),
        "chain" => {
            let mut fields = Fields::open(node, path, problems);
            let members = fields.list("middlewares", Reference::read);
            fields.close();
            return Middleware::Chain(members);
        }
        "errors" => return errors(node, path, problems),
        "redirectScheme" => {
            Some(dynamic::Middleware::RedirectScheme(redirect_scheme(node, path, problems)))
        }
        "rateLimit" => return rate_limit(node, path, problems),
        "compress" => compress(node, path, problems),
        _ => decode::settings(name, node, path, problems),
    };
    plain.map_or_else(|| unserved(name, node, path, problems), Middleware::Plain)
}

/// `compress`, where an empty list of encodings is one, as in Traefik; in a file it means the default.
fn compress(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Option<dynamic::Middleware> {
    let mut settings = decode::settings("compress", node, path, problems);
    if let Some(dynamic::Middleware::Compress(compress)) = &mut settings
        && let Some(Value::List(written)) = node.get("encodings").map(|node| &node.value)
        && written.is_empty()
    {
        compress.encodings.clear();
    }
    settings
}

/// The settings of `rateLimit`, and the names of Secrets in them.
fn rate_limit(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let mut secrets = RedisSecrets::default();
    let settings = decode::rate_limit_with(node, path, problems, |node, path, problems| {
        redis(node, path, &mut secrets, problems)
    });
    match settings.redis {
        Some(_) => Middleware::RateLimit(settings.into(), secrets),
        None => Middleware::Plain(dynamic::Middleware::RateLimit(settings)),
    }
}

fn redis(
    node: &Node,
    path: &str,
    secrets: &mut RedisSecrets,
    problems: &mut Vec<Problem>,
) -> Redis {
    let mut fields = Fields::open(node, path, problems);
    secrets.user = (fields.string("secret"), place(node, "secret"));
    let tls = fields.section("tls", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        secrets.authority = (fields.string("caSecret"), place(node, "caSecret"));
        secrets.certificate = (fields.string("certSecret"), place(node, "certSecret"));
        let insecure_skip_verify = fields.boolean("insecureSkipVerify").unwrap_or_default();
        fields.close();
        ClientTls { insecure_skip_verify, ..ClientTls::default() }
    });
    let redis = Redis { tls, ..decode::redis_fields(&mut fields) };
    fields.close();
    redis
}

/// Where a field stands.
fn place(node: &Node, field: &str) -> Position {
    node.get(field).map_or(node.at, |node| node.at)
}

/// Settings of a kind that is not served yet.
fn unserved(name: &str, node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let message = "not served by this version of Portway yet";
    problems.push(Problem::error(path, message).at(node.at));
    let settings = shown(name, node);
    Middleware::Plain(dynamic::Middleware::Unserved(Unserved::from([(name.to_owned(), settings)])))
}

/// `errors`, which must name its service.
fn errors(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let mut node = node.clone();
    let mut service = None;
    if let Value::Map(fields) = &mut node.value
        && let Some(place) = fields.iter().position(|(key, _)| key.text == "service")
    {
        service = Some(fields.remove(place).1);
    }
    let settings = decode::errors(&node, path, problems);
    let written = service.unwrap_or_else(|| Node { at: node.at, ..Node::empty_map() });
    let service = ServiceReference::read(&written, &join(path, "service"));
    Middleware::Errors(settings, Box::new(service))
}

/// Without the field that only other providers of Traefik's can set.
fn redirect_scheme(node: &Node, path: &str, problems: &mut Vec<Problem>) -> RedirectScheme {
    let mut fields = Fields::open(node, path, problems);
    let redirect_scheme = RedirectScheme {
        scheme: fields.string("scheme"),
        port: fields.string("port"),
        permanent: fields.boolean("permanent").unwrap_or_default(),
    };
    fields.close();
    redirect_scheme
}

/// The settings of `basicAuth` or `digestAuth`, the name of the Secret with the users, and where that was named.
fn users(node: &Node, path: &str, problems: &mut Vec<Problem>) -> (BasicAuth, String, Position) {
    let mut fields = Fields::open(node, path, problems);
    let secret = fields.string("secret");
    let settings = BasicAuth {
        realm: fields.string("realm"),
        remove_header: fields.boolean("removeHeader").unwrap_or_default(),
        header_field: fields.string("headerField"),
        ..BasicAuth::default()
    };
    fields.close();
    let secret_at = node.get("secret").map_or(node.at, |node| node.at);
    (settings, secret, secret_at)
}

fn forward_auth(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let mut authority = Default::default();
    let mut certificate = Default::default();
    let (settings, _) = decode::forward_auth_with(node, path, problems, |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let mut secret = |name: &'static str| {
            let at = node.get(name).map_or(node.at, |node| node.at);
            (fields.string(name), at)
        };
        (authority, certificate) = (secret("caSecret"), secret("certSecret"));
        let tls = ClientTls {
            insecure_skip_verify: fields.boolean("insecureSkipVerify").unwrap_or_default(),
            ca_optional: fields.boolean("caOptional"),
            ..ClientTls::default()
        };
        fields.close();
        (tls, ())
    });
    Middleware::ForwardAuth { settings: settings.into(), at: node.at, authority, certificate }
}
