//! Ingress and IngressClass of `networking.k8s.io/v1`: hosts, paths, and the Services behind them.

use std::net::IpAddr;

use portway_model::{Fields, Node, Position, Problem};

use super::{
    LoadBalancerAddress, Port,
    reading::{one_of, place, required},
};

/// The content of an Ingress.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ingress {
    /// `spec.ingressClassName`.
    pub class_name: Option<String>,
    /// Where requests go that no rule takes.
    pub default_backend: Option<Backend>,
    /// Secrets with certificates.
    pub tls: Vec<IngressTls>,
    /// The rules.
    pub rules: Vec<IngressRule>,
    /// `status.loadBalancer.ingress`, as somebody wrote it last.
    pub load_balancer: Vec<LoadBalancerAddress>,
}

/// A Secret with a certificate, for hosts that do not matter here: a certificate is chosen by its own names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IngressTls {
    /// The Secret's name; empty where there is none.
    pub secret_name: String,
    /// The item's path inside the object, such as `spec.tls[0]`.
    pub field: String,
    /// Where the Secret was named.
    pub at: Position,
}

/// Paths under one host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IngressRule {
    /// A host name, possibly with `*` for its first label; empty means every host.
    pub host: String,
    /// The paths.
    pub paths: Vec<IngressPath>,
    /// The rule's path inside the object, such as `spec.rules[0]`.
    pub field: String,
    /// Where the rule was written.
    pub at: Position,
    /// What is wrong with the rule, besides its paths.
    pub problems: Vec<Problem>,
}

/// A path and what is behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IngressPath {
    /// The path; empty means every path.
    pub path: String,
    /// How the path matches.
    pub path_type: PathType,
    /// What is behind it.
    pub backend: Backend,
    /// The path's path inside the object, such as `spec.rules[0].http.paths[0]`.
    pub field: String,
    /// Where it was written.
    pub at: Position,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// How a path of an Ingress matches.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PathType {
    /// The whole path.
    Exact,
    /// The beginning of the path.
    Prefix,
    /// As the controller likes it.
    #[default]
    ImplementationSpecific,
}

/// What is behind a path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backend {
    /// A Service's name and port; `None` where there is none.
    pub service: Option<(String, Port)>,
    /// Whether another object than a Service was named.
    pub is_resource: bool,
    /// The backend's path inside the object, such as `spec.defaultBackend`.
    pub field: String,
    /// Where it was written.
    pub at: Position,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl Ingress {
    pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        let load_balancer = LoadBalancerAddress::read_status(node, problems).unwrap_or_default();
        let empty = Node { at: node.at, ..Node::empty_map() };
        let spec = node.get("spec").unwrap_or(&empty);
        let mut fields = Fields::open(spec, "spec", problems);
        let class_name = fields.scalar("ingressClassName", "a text", |text| Some(text.to_owned()));
        let ingress = Self {
            class_name,
            default_backend: fields
                .node("defaultBackend")
                .map(|node| Backend::read(node, &fields.path("defaultBackend"))),
            tls: fields.list("tls", IngressTls::read),
            rules: fields.list("rules", |node, path, _| IngressRule::read(node, path)),
            load_balancer,
        };
        if ingress.rules.is_empty() && ingress.default_backend.is_none() {
            let message = "either `defaultBackend` or `rules` must be specified";
            problems.push(Problem::error("spec", message).at(spec.at));
            return ingress;
        }
        fields.close_dropping(&["defaultBackend", "rules", "ingressClassName"]);
        ingress
    }

    /// What is wrong with its rules, paths and backends.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        let rules = self.rules.iter().flat_map(|rule| {
            let paths = rule.paths.iter().flat_map(IngressPath::all_problems);
            rule.problems.iter().chain(paths)
        });
        self.default_backend.iter().flat_map(|backend| &backend.problems).chain(rules)
    }
}

impl IngressTls {
    fn read(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, path, problems);
        let secret_name = fields.string("secretName");
        fields.strings("hosts");
        fields.close_dropping(&["secretName"]);
        Self { secret_name, field: path.to_owned(), at: place(node, "secretName") }
    }
}

impl IngressRule {
    fn read(node: &Node, path: &str) -> Self {
        let mut problems = Vec::new();
        let mut fields = Fields::open(node, path, &mut problems);
        let host = fields.string("host");
        if let Err(reason) = check_host(&host) {
            fields.report("host", Problem::error, reason);
        }
        let paths = fields.object("http", |node, path, problems| {
            let mut fields = Fields::open(node, path, problems);
            let paths = fields.list("paths", |node, path, _| IngressPath::read(node, path));
            if paths.is_empty() {
                fields.report("paths", Problem::error, "required, but empty or not there");
            }
            fields.close_dropping(&["paths"]);
            paths
        });
        fields.close_dropping(&["host", "http"]);
        let paths = paths.unwrap_or_default();
        Self { host, paths, field: path.to_owned(), at: node.at, problems }
    }
}

impl IngressPath {
    fn read(node: &Node, path: &str) -> Self {
        let mut problems = Vec::new();
        let mut fields = Fields::open(node, path, &mut problems);
        let text = fields.string("path");
        let types = ["Exact", "Prefix", "ImplementationSpecific"];
        let path_type = match one_of(&mut fields, "pathType", &types).as_str() {
            "Exact" => PathType::Exact,
            "Prefix" => PathType::Prefix,
            "ImplementationSpecific" => PathType::ImplementationSpecific,
            written => {
                if written.is_empty() {
                    let message =
                        "must be specified: `Prefix`, `Exact` or `ImplementationSpecific`";
                    fields.report("pathType", Problem::error, message);
                }
                PathType::ImplementationSpecific
            }
        };
        if let Err(reason) = check_path(&text, path_type) {
            fields.report("path", Problem::error, reason);
        }
        let backend = fields.present("backend").map_or_else(
            || Backend::read(&Node { at: node.at, ..Node::empty_map() }, &fields.path("backend")),
            |node| Backend::read(node, &fields.path("backend")),
        );
        fields.close_dropping(&["path", "pathType", "backend"]);
        Self { path: text, path_type, backend, field: path.to_owned(), at: node.at, problems }
    }

    /// Whether it leaves to the controller how it matches.
    pub fn is_left_open(&self) -> bool {
        self.path_type == PathType::ImplementationSpecific && !self.path.is_empty()
    }

    /// What is wrong with it and its backend.
    pub fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().chain(&self.backend.problems)
    }
}

impl Backend {
    fn read(node: &Node, path: &str) -> Self {
        let mut problems = Vec::new();
        let mut fields = Fields::open(node, path, &mut problems);
        let service = match fields.node("service") {
            Some(_) => fields.object("service", service),
            None => None,
        };
        let is_resource = fields.node("resource").is_some();
        if service.is_some() && is_resource {
            let message = "cannot set both resource and service backends";
            fields.report("service", Problem::error, message);
        } else if service.is_none() && !is_resource {
            fields.report("service", Problem::error, "required, but not there");
        }
        fields.close_dropping(&["service", "resource"]);
        Self { service, is_resource, field: path.to_owned(), at: node.at, problems }
    }
}

/// A Service's name and port.
fn service(node: &Node, path: &str, problems: &mut Vec<Problem>) -> (String, Port) {
    let mut fields = Fields::open(node, path, problems);
    let name = required(&mut fields, node, "name");
    let port = fields.object("port", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let (name, number) = (fields.string("name"), fields.integer("number"));
        let port = match (name.as_str(), number) {
            ("", None | Some(0)) => Port::Absent,
            ("", Some(number)) => Port::Number(number),
            (_, None | Some(0)) => Port::Name(name),
            (_, Some(_)) => {
                fields.report("number", Problem::error, "cannot set both port name & port number");
                Port::Name(name)
            }
        };
        fields.close_dropping(&["name", "number"]);
        port
    });
    let port = port.unwrap_or_default();
    if port == Port::Absent {
        fields.report("port", Problem::error, "port name or number is required");
    }
    fields.close_dropping(&["name", "port"]);
    (name, port)
}

/// The content of an IngressClass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IngressClass {
    /// Who serves Ingresses of the class.
    pub controller: String,
}

impl IngressClass {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let class = Self { controller: fields.string("controller") };
        fields.node("parameters");
        fields.close_dropping(&["controller"]);
        class
    }
}

/// Whether an API server takes the host; the reason if not.
fn check_host(host: &str) -> Result<(), String> {
    let name = host.strip_prefix("*.").unwrap_or(host);
    if host.is_empty() || is_dns_name(name) && host.parse::<IpAddr>().is_err() {
        return Ok(());
    }
    if host.parse::<IpAddr>().is_ok() {
        return Err(format!("`{host}` must be a DNS name, not an IP address"));
    }
    let lower = host.to_ascii_lowercase();
    if lower != host && check_host(&lower).is_ok() {
        return Err(format!("`{host}` must be in lower case; did you mean `{lower}`?"));
    }
    if let Some((name, _)) = host.split_once(':').filter(|(name, _)| check_host(name).is_ok()) {
        return Err(format!("`{host}` must have no port; did you mean `{name}`?"));
    }
    Err(format!("`{host}` must be a DNS name; `*` may stand for its first label only"))
}

/// Whether a text is a DNS subdomain of RFC 1123, in lower case, of at most 253 bytes.
fn is_dns_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= 253
        && name.split('.').all(|label| {
            let edges = !label.starts_with('-') && !label.ends_with('-');
            !label.is_empty() && edges && label.bytes().all(is_inner)
        })
}

/// Whether an API server takes the path; the reason if not.
fn check_path(path: &str, path_type: PathType) -> Result<(), String> {
    if path.is_empty() && path_type == PathType::ImplementationSpecific {
        return Ok(());
    }
    if !path.starts_with('/') {
        let hint =
            if path.is_empty() { String::new() } else { format!("; did you mean `/{path}`?") };
        return Err(format!("must be an absolute path{hint}"));
    }
    if path_type == PathType::ImplementationSpecific {
        return Ok(());
    }
    if let Some(part) =
        ["//", "/./", "/../", "%2f", "%2F"].into_iter().find(|part| path.contains(part))
    {
        return Err(format!("must not contain `{part}`"));
    }
    match ["/..", "/."].into_iter().find(|end| path.ends_with(end)) {
        Some(end) => Err(format!("must not end with `{end}`")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{PathType, check_host, check_path};

    #[test]
    fn hosts_are_names_whose_first_label_may_be_a_star() {
        for host in ["", "a", "a.b-c.1", "*.example.com"] {
            assert_eq!(check_host(host), Ok(()), "{host}");
        }
        for (host, hint) in [
            ("10.0.0.1", "not an IP address"),
            ("A.com", "did you mean `a.com`?"),
            ("a.com:80", "did you mean `a.com`?"),
            ("*", "must be a DNS name"),
            ("a.*.com", "must be a DNS name"),
            ("a..com", "must be a DNS name"),
            ("-a.com", "must be a DNS name"),
            ("a_b.com", "must be a DNS name"),
        ] {
            let reason = check_host(host).unwrap_err();
            assert!(reason.contains(hint), "{reason}");
        }
    }

    #[test]
    fn paths_are_absolute_and_plain_unless_the_controller_decides() {
        use PathType::{Exact, ImplementationSpecific, Prefix};
        for (path, path_type) in [
            ("/", Prefix),
            ("/a/b", Exact),
            ("/a/", Prefix),
            ("", ImplementationSpecific),
            ("/a//%2F/../x", ImplementationSpecific),
            ("/...", Exact),
        ] {
            assert_eq!(check_path(path, path_type), Ok(()), "{path}");
        }
        for (path, path_type) in [
            ("", Prefix),
            ("a", Exact),
            ("a", ImplementationSpecific),
            ("/a//b", Prefix),
            ("/./a", Prefix),
            ("/a%2fb", Exact),
            ("/a/..", Exact),
            ("/.", Prefix),
        ] {
            assert!(check_path(path, path_type).is_err(), "{path}");
        }
    }
}
