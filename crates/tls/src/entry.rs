//! Which TLS options a connection gets: chosen by server name, before any HTTP is read.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
};

use foldhash::fast::RandomState;
use portway_model::{Problem, nearest};
use rustls::{ServerConfig, server::ClientHello, sign::SingleCertAndKey};

use crate::{
    CompiledOptions, DEFAULT_OPTIONS, Options,
    certificates::canonical,
    crypto::{is_aes, is_chacha},
    options::settings::{ACME, HTTP_1_1, HTTP_2},
};

/// What a router with TLS says about the choice.
#[derive(Clone, Copy, Debug)]
pub struct TlsRouter<'a> {
    /// The rule as written, for messages.
    pub rule: &'a str,
    /// The values of all `Host` matchers in the rule; `*.example.com` is good for one label.
    pub hosts: &'a [String],
    /// The qualified name of its TLS options; `None` means the default ones.
    pub options: Option<&'a str>,
}

/// What became of a router's TLS options on one entry point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Applied {
    /// The options that apply. A request of the router that came over a connection with options of
    /// another name is answered 421 (Misdirected Request).
    pub options: Arc<str>,
    /// Whether the router's own options were given up for the default ones. Traefik then shows the
    /// router as `<entry point>-conflicted-<name>`.
    pub conflicted: bool,
    /// What is wrong. An error where the options do not exist, cannot be used, or ask for client certificates and had
    /// to be given up: then the router must not serve.
    pub problem: Option<Problem>,
}

/// The TLS options of one entry point, by server name.
#[derive(Debug)]
pub struct EntryPointTls {
    exact: HashMap<Box<str>, Usable, RandomState>,
    /// By what follows the first label.
    wildcard: HashMap<Box<str>, Usable, RandomState>,
    /// For names that no router claims, and clients that send none.
    otherwise: Usable,
}

/// Options that can be used, or `None` where connections are closed.
type Usable = Option<Arc<CompiledOptions>>;

/// What a ClientHello says that the choice depends on.
#[derive(Clone, Debug, Default)]
pub struct Hello<'a> {
    /// The name asked for.
    pub server_name: Option<&'a str>,
    /// The local address, which stands for the name of a client that sends none.
    pub local: Option<IpAddr>,
    /// Whether the client likes ChaCha20 better than AES, for want of hardware.
    pub prefers_chacha: bool,
    /// The application protocols that it offers (ALPN).
    pub protocols: Vec<&'a [u8]>,
}

/// What happens to a connection.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The handshake goes on.
    Serve {
        /// To run the handshake on.
        config: Arc<ServerConfig>,
        /// The name of the options, to compare with [`Applied::options`] of each request's router.
        options: Arc<str>,
    },
    /// The connection is closed.
    Refuse(Refusal),
}

/// Why a connection is closed before its handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The options of the name cannot be used.
    #[error("the TLS options of this host are invalid")]
    InvalidOptions,
    /// No certificate is good for the name, and the options are strict.
    #[error("no certificate is good for this name and the TLS options are strict")]
    UnknownServerName,
    /// The client is ACME's, and there is no challenge to answer.
    #[error("a challenge of ACME is asked for and there is none")]
    NoChallenge,
}

impl Refusal {
    /// The alert record to send before closing, ready for the wire; none where Traefik sends none.
    pub fn alert(self) -> Option<&'static [u8]> {
        match self {
            Self::InvalidOptions => None,
            // Alert record of TLS 1.2, two bytes: fatal, unrecognized_name (RFC 6066 §3).
            Self::UnknownServerName | Self::NoChallenge => Some(&[21, 3, 3, 0, 2, 2, 112]),
        }
    }
}

impl<'a> Hello<'a> {
    /// Reads a ClientHello that came in on the local address `local`.
    pub fn new(hello: &'a ClientHello<'_>, local: Option<IpAddr>) -> Self {
        let mut suites = hello.cipher_suites().iter();
        let first = suites.find(|suite| is_aes(**suite) || is_chacha(**suite));
        Self {
            server_name: hello.server_name(),
            local,
            prefers_chacha: first.is_some_and(|suite| is_chacha(*suite)),
            protocols: hello.alpn().into_iter().flatten().collect(),
        }
    }
}

impl EntryPointTls {
    /// Maps hosts to options.
    ///
    /// As in Traefik, a host served with different options by several routers makes all of them
    /// fall back to the default options, on all their hosts; so does a router without hosts, which takes nothing from
    /// one of `Host(*)`: its own requests are misdirected there.
    /// The answers come in the order of the routers.
    pub fn compile(routers: &[TlsRouter<'_>], options: &Options) -> (Self, Vec<Applied>) {
        let hosts: Vec<BTreeSet<String>> = routers
            .iter()
            .map(|router| router.hosts.iter().map(|host| host.to_ascii_lowercase()).collect())
            .collect();
        let conflicted = conflicts(routers, &hosts);
        let applied: Vec<Applied> = routers
            .iter()
            .zip(&hosts)
            .enumerate()
            .map(|(position, (router, hosts))| {
                apply(router, hosts, conflicted.contains(&position), options)
            })
            .collect();

        let mut by_host: BTreeMap<&str, &Applied> = BTreeMap::new();
        for (hosts, applied) in hosts.iter().zip(&applied) {
            for host in hosts {
                // A router that fell back leaves a host to one that did not: its own requests there
                // are misdirected, and nobody's options are lowered.
                let kept = by_host.entry(host).or_insert(applied);
                if kept.conflicted && !applied.conflicted {
                    *kept = applied;
                }
            }
        }
        let mut this = Self {
            exact: HashMap::default(),
            wildcard: HashMap::default(),
            otherwise: options.get(DEFAULT_OPTIONS).cloned(),
        };
        // A name with a dot at its end is another one where options conflict, and comes after the one without.
        for (host, applied) in by_host {
            let host = canonical(host);
            let usable = options.get(&applied.options).cloned();
            match host.strip_prefix('*') {
                Some("") => this.otherwise = usable,
                Some(rest) if rest.starts_with('.') => {
                    this.wildcard.insert(rest.trim_start_matches('.').into(), usable);
                }
                _ => {
                    this.exact.insert(host.as_ref().into(), usable);
                }
            }
        }
        (this, applied)
    }

    /// The options and certificate for a connection.
    pub fn choose(&self, hello: &Hello<'_>) -> Choice {
        if hello.protocols.contains(&ACME) {
            // Whatever the name is, as in Traefik: nobody but an ACME server asks so, and for nothing else.
            let refusal = match self.otherwise {
                Some(_) => Refusal::NoChallenge,
                None => Refusal::InvalidOptions,
            };
            return Choice::Refuse(refusal);
        }
        let Some(options) = self.options(hello.server_name) else {
            return Choice::Refuse(Refusal::InvalidOptions);
        };
        let certificates = options.certificates();
        let by_address = match hello.server_name {
            None => hello.local.and_then(|local| certificates.find_address(local)),
            Some(_) => None,
        };
        let named = hello.server_name.is_some_and(|name| certificates.find(name).is_some());
        if by_address.is_none() && options.is_strict() && !named {
            return Choice::Refuse(Refusal::UnknownServerName);
        }
        let mut config = match hello.prefers_chacha {
            true => Arc::clone(options.chacha_first()),
            false => Arc::clone(options.config()),
        };
        if let Some(certificate) = by_address {
            let only = SingleCertAndKey::from(certificate.certified());
            Arc::make_mut(&mut config).cert_resolver = Arc::new(only);
        }
        if is_not_understood(&hello.protocols, &config.alpn_protocols) {
            Arc::make_mut(&mut config).alpn_protocols.clear();
        }
        Choice::Serve { config, options: Arc::clone(options.name()) }
    }

    fn options(&self, server_name: Option<&str>) -> Option<&Arc<CompiledOptions>> {
        let Some(name) = server_name else { return self.otherwise.as_ref() };
        let name = canonical(name);
        let parent = || name.split_once('.').and_then(|(_, parent)| self.wildcard.get(parent));
        self.exact.get(name.as_ref()).or_else(parent).unwrap_or(&self.otherwise).as_ref()
    }
}

/// Whether a client that offers HTTP/1.1 meets options with HTTP/2 and nothing that it offers: as in Go it is then
/// served as if it had offered nothing.
fn is_not_understood(offered: &[&[u8]], served: &[Vec<u8>]) -> bool {
    offered.contains(&HTTP_1_1)
        && served.iter().any(|protocol| protocol == HTTP_2)
        && !served.iter().any(|protocol| offered.contains(&protocol.as_slice()))
}

/// The positions of routers that have to give up their options.
fn conflicts(routers: &[TlsRouter<'_>], hosts: &[BTreeSet<String>]) -> BTreeSet<usize> {
    let mut by_host: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, hosts) in hosts.iter().enumerate() {
        for host in hosts {
            by_host.entry(host).or_default().push(position);
        }
    }
    let asked = |position: &usize| routers.get(*position).map_or(DEFAULT_OPTIONS, name);
    let mut conflicted: BTreeSet<usize> = by_host
        .values()
        .filter(|positions| {
            let mut asked = positions.iter().map(asked);
            let first = asked.next();
            asked.any(|other| Some(other) != first)
        })
        .flatten()
        .copied()
        .collect();
    for (position, (router, hosts)) in routers.iter().zip(hosts).enumerate() {
        if hosts.is_empty() {
            if name(router) == DEFAULT_OPTIONS {
                conflicted.remove(&position);
            } else {
                conflicted.insert(position);
            }
        }
    }
    conflicted
}

fn apply(
    router: &TlsRouter<'_>,
    hosts: &BTreeSet<String>,
    conflicted: bool,
    options: &Options,
) -> Applied {
    let asked = name(router);
    let field = "tls.options";
    let unusable = unusable(asked, options).map(|reason| Problem::error(field, reason));
    let guards = options.get(asked).is_some_and(|options| options.guards_clients());
    let given_up = conflicted && asked != DEFAULT_OPTIONS;
    let problem = match unusable {
        Some(problem) => Some(problem),
        None if !conflicted => None,
        None => {
            let message = if hosts.is_empty() {
                format!(
                    "no domain found in rule {}, the TLS option {asked} cannot be applied",
                    router.rule
                )
            } else if given_up {
                CONFLICT.to_owned()
            } else {
                String::new()
            };
            match message.is_empty() {
                true => None,
                // Requests that the options would have asked a certificate for must not pass without.
                false if given_up && guards => {
                    let consequence =
                        "they ask for client certificates, so that the router is closed";
                    Some(Problem::error(field, format!("{message}; {consequence}")))
                }
                false => Some(Problem::warning(field, message)),
            }
        }
    };
    let name = if conflicted { DEFAULT_OPTIONS } else { asked };
    Applied { options: name.into(), conflicted, problem }
}

/// Traefik's words.
const CONFLICT: &str = "router's TLSOptions configuration is conflicting with other routers on the \
                        same entrypoint and host, default TLS options will be used instead";

/// Why options cannot be used.
fn unusable(name: &str, options: &Options) -> Option<String> {
    if options.get(name).is_some() {
        return None;
    }
    if let Some(reason) = options.refused(name) {
        return Some(format!("building TLS config: {reason}"));
    }
    Some(match nearest(name, options.names()) {
        Some(near) => format!("unknown TLS options: {name}; did you mean {near}?"),
        None => format!("unknown TLS options: {name}"),
    })
}

fn name<'a>(router: &TlsRouter<'a>) -> &'a str {
    router.options.filter(|name| !name.is_empty()).unwrap_or(DEFAULT_OPTIONS)
}
