//! Middleware, in the form that Kubernetes objects have: references and Secrets instead of values.

use portway_model::{
    Fields, Node, Position, Problem,
    dynamic::{
        self, AddPrefix, BasicAuth, Headers, RedirectScheme, StripPrefix, UNSERVED_MIDDLEWARES,
        Unserved,
    },
};

use super::Reference;

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
    /// `chain`, whose members are references.
    Chain(Vec<Reference>),
    /// Nothing that could be read; the object's problems say why.
    #[default]
    Unreadable,
}

impl Middleware {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let kinds: Vec<&'static str> = SERVED
            .iter()
            .chain(UNSERVED_MIDDLEWARES)
            .filter(|name| fields.node(name).is_some())
            .copied()
            .collect();
        let first = kinds.first().copied();
        let content = first.and_then(|name| {
            fields.object(name, |node, path, problems| read_kind(name, node, path, problems))
        });
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

/// The kinds that are served.
const SERVED: [&str; 6] =
    ["addPrefix", "basicAuth", "chain", "headers", "redirectScheme", "stripPrefix"];

fn read_kind(name: &str, node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    match name {
        "addPrefix" => add_prefix(node, path, problems),
        "basicAuth" => basic_auth(node, path, problems),
        "chain" => {
            let mut fields = Fields::open(node, path, problems);
            let members = fields.list("middlewares", Reference::read);
            fields.close_dropping(&["middlewares"]);
            Middleware::Chain(members)
        }
        "headers" => headers(node, path, problems),
        "redirectScheme" => redirect_scheme(node, path, problems),
        "stripPrefix" => strip_prefix(node, path, problems),
        _ => {
            let message = "not served by this version of Portway yet";
            problems.push(Problem::error(path, message).at(node.at));
            let settings = Unserved::from([(name.to_owned(), node.to_json())]);
            Middleware::Plain(dynamic::Middleware::Unserved(settings))
        }
    }
}

fn add_prefix(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let mut fields = Fields::open(node, path, problems);
    let prefix = fields.string("prefix");
    if !prefix.is_empty() && !prefix.starts_with('/') {
        let message = format!("must start with a `/`; did you mean `/{prefix}`?");
        fields.report("prefix", Problem::error, message);
    }
    fields.close_dropping(&["prefix"]);
    Middleware::Plain(dynamic::Middleware::AddPrefix(AddPrefix { prefix }))
}

fn basic_auth(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let mut fields = Fields::open(node, path, problems);
    let secret = fields.string("secret");
    let settings = BasicAuth {
        realm: fields.string("realm"),
        remove_header: fields.boolean("removeHeader").unwrap_or_default(),
        header_field: fields.string("headerField"),
        ..BasicAuth::default()
    };
    fields.close_dropping(&["secret", "removeHeader", "headerField"]);
    let secret_at = node.get("secret").map_or(node.at, |node| node.at);
    Middleware::BasicAuth { settings, secret, secret_at }
}

fn redirect_scheme(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let mut fields = Fields::open(node, path, problems);
    let settings = RedirectScheme {
        scheme: fields.string("scheme"),
        port: fields.string("port"),
        permanent: fields.boolean("permanent").unwrap_or_default(),
        forced: None,
    };
    fields.close_dropping(&["scheme"]);
    Middleware::Plain(dynamic::Middleware::RedirectScheme(settings))
}

fn strip_prefix(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let mut fields = Fields::open(node, path, problems);
    let settings = StripPrefix {
        prefixes: fields.strings("prefixes"),
        force_slash: fields.boolean("forceSlash"),
    };
    fields.close_dropping(&["prefixes"]);
    Middleware::Plain(dynamic::Middleware::StripPrefix(settings))
}

/// Fields of `headers` that are known but not served yet: CORS and security.
const UNSERVED_HEADERS: [&str; 27] = [
    "accessControlAllowCredentials",
    "accessControlAllowHeaders",
    "accessControlAllowMethods",
    "accessControlAllowOriginList",
    "accessControlAllowOriginListRegex",
    "accessControlExposeHeaders",
    "accessControlMaxAge",
    "addVaryHeader",
    "allowedHosts",
    "browserXssFilter",
    "contentSecurityPolicy",
    "contentSecurityPolicyReportOnly",
    "contentTypeNosniff",
    "customBrowserXSSValue",
    "customFrameOptionsValue",
    "featurePolicy",
    "forceSTSHeader",
    "frameDeny",
    "hostsProxyHeaders",
    "isDevelopment",
    "permissionsPolicy",
    "publicKey",
    "referrerPolicy",
    "sslProxyHeaders",
    "stsIncludeSubdomains",
    "stsPreload",
    "stsSeconds",
];

/// Fields of `headers` that Traefik 3 reads and gives no meaning.
const DEAD_HEADERS: [&str; 4] = ["sslForceHost", "sslHost", "sslRedirect", "sslTemporaryRedirect"];

fn headers(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let mut fields = Fields::open(node, path, problems);
    let mut settings = Headers {
        custom_request_headers: fields.string_map("customRequestHeaders"),
        custom_response_headers: fields.string_map("customResponseHeaders"),
        ..Headers::default()
    };
    for name in UNSERVED_HEADERS {
        let Some(json) = fields.node(name).map(Node::to_json).filter(means_something) else {
            continue;
        };
        let message = "not served by this version of Portway yet; a guard would be left out";
        fields.report(name, Problem::error, message);
        settings.unserved.insert(name.to_owned(), json);
    }
    for name in DEAD_HEADERS {
        if fields.node(name).is_some() {
            fields.report(name, Problem::warning, "has no effect, in Traefik 3 neither");
        }
    }
    fields.close_dropping(&["customRequestHeaders", "customResponseHeaders"]);
    Middleware::Plain(dynamic::Middleware::Headers(settings))
}

/// Whether a value differs from what an absent field means.
fn means_something(json: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    match json {
        Null => false,
        Bool(value) => *value,
        Number(value) => value.as_i64() != Some(0),
        String(value) => !value.is_empty(),
        Array(items) => !items.is_empty(),
        Object(fields) => !fields.is_empty(),
    }
}
