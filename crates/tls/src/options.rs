//! TLS options: versions, cipher suites, curves, client authentication, tickets.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use aws_lc_rs::digest;
use foldhash::fast::RandomState;
use portway_model::{
    Entry, Problem, Severity,
    dynamic::{ClientAuth, TlsOptions},
};
use rustls::{
    CipherSuite, ServerConfig, SupportedCipherSuite,
    crypto::CryptoProvider,
    server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{Certificates, crypto::is_chacha};

mod client_auth;
pub(crate) mod settings;
mod tickets;

/// The name of the options that apply where a router names none.
pub const DEFAULT_OPTIONS: &str = "default";

/// What comes of options that leave nothing to agree on.
const REFUSED: &str = "the hosts of these options are refused";

/// All TLS options of a configuration, compiled over one set of certificates.
#[derive(Debug)]
pub struct Options {
    /// The options, or why they are refused.
    by_name: HashMap<Arc<str>, Result<Arc<CompiledOptions>, String>, RandomState>,
}

/// TLS options that a handshake can run on.
pub struct CompiledOptions {
    name: Arc<str>,
    fingerprint: Fingerprint,
    /// With AES first, for clients with hardware for it.
    config: Arc<ServerConfig>,
    /// With ChaCha20 first, for those that put it first.
    chacha_first: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
    strict: bool,
    guards_clients: bool,
    tickets: Option<Arc<dyn ProducesTickets>>,
}

/// SHA-256 of all that the options say, authorities included.
type Fingerprint = [u8; 32];

impl Options {
    /// Compiles all options, and the built-in `default` ones where none are written.
    ///
    /// Ticket keys are taken over from `carried` for options whose name and settings are unchanged, so
    /// that sessions survive a change of the configuration, and never reach other settings.
    /// Options with a problem of severity error are kept as refused; the others' problems are
    /// warnings. The problems come by name.
    pub fn compile(
        options: &BTreeMap<String, Entry<TlsOptions>>,
        certificates: &Arc<Certificates>,
        carried: Option<&Self>,
    ) -> (Self, BTreeMap<String, Vec<Problem>>) {
        let mut by_name = HashMap::default();
        let mut problems = BTreeMap::new();
        let built_in = Entry::new(TlsOptions::default());
        let default =
            (!options.contains_key(DEFAULT_OPTIONS)).then_some((DEFAULT_OPTIONS, &built_in));
        let written = options.iter().map(|(name, entry)| (name.as_str(), entry));
        for (name, entry) in written.chain(default) {
            let mut found = Vec::new();
            let compiled = if entry.is_disabled() {
                None
            } else {
                let before = carried.and_then(|carried| carried.get(name));
                CompiledOptions::compile(name, &entry.spec, certificates, before, &mut found)
                    .map(Arc::new)
            };
            let compiled = compiled.ok_or_else(|| reason(entry.problems.iter().chain(&found)));
            by_name.insert(name.into(), compiled);
            if !found.is_empty() {
                problems.insert(name.to_owned(), found);
            }
        }
        (Self { by_name }, problems)
    }

    /// Options by name; `None` where there are none or they are refused.
    pub fn get(&self, name: &str) -> Option<&Arc<CompiledOptions>> {
        self.by_name.get(name)?.as_ref().ok()
    }

    /// Why options of this name are refused; `None` where they are not, or there are none.
    pub fn refused(&self, name: &str) -> Option<&str> {
        self.by_name.get(name)?.as_ref().err().map(String::as_str)
    }

    /// The names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(AsRef::as_ref)
    }
}

impl CompiledOptions {
    fn compile(
        name: &str,
        options: &TlsOptions,
        certificates: &Arc<Certificates>,
        carried: Option<&Arc<Self>>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let settings = settings::compile(options, REFUSED, problems);
        let verifier = client_auth::compile(&options.client_auth, problems);
        let (settings, verifier) = (settings?, verifier?);
        let fingerprint = fingerprint(options);

        let guards_clients = verifier.guards;
        let tickets = if options.disable_session_tickets {
            None
        } else {
            let kept = carried.filter(|before| before.fingerprint == fingerprint);
            match kept.and_then(|before| before.tickets.clone()) {
                Some(tickets) => Some(tickets),
                None => tickets::fresh(guards_clients),
            }
        };
        let suites = settings.provider.cipher_suites.iter().map(SupportedCipherSuite::suite);
        let suites = suites.collect();
        let resolver =
            Resolver { certificates: Arc::clone(certificates), strict: options.sni_strict, suites };
        let resolver = Arc::new(resolver);
        let build = |provider: CryptoProvider| -> Result<ServerConfig, rustls::Error> {
            let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
                .with_protocol_versions(&settings.versions)?
                .with_client_cert_verifier(Arc::clone(&verifier.verifier))
                .with_cert_resolver(Arc::clone(&resolver) as Arc<dyn ResolvesServerCert>);
            config.ignore_client_order = true;
            config.alpn_protocols.clone_from(&settings.protocols);
            // Without tickets there is no resumption at all, as in Go: the default storage would keep
            // sessions in memory behind a lock.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            if let Some(tickets) = &tickets {
                config.ticketer = Arc::clone(tickets);
                config.send_tls13_tickets = 1;
            }
            Ok(config)
        };
        let mut reordered = settings.provider.clone();
        reordered.cipher_suites.sort_by_key(|suite| !is_chacha(suite.suite()));
        let built = build(settings.provider).and_then(|config| Ok((config, build(reordered)?)));
        let (config, chacha_first) = match built {
            Ok(built) => built,
            Err(error) => {
                problems.push(Problem::error("", format!("the options cannot be served: {error}")));
                return None;
            }
        };
        Some(Self {
            name: name.into(),
            fingerprint,
            config: Arc::new(config),
            chacha_first: Arc::new(chacha_first),
            certificates: Arc::clone(certificates),
            strict: options.sni_strict,
            guards_clients,
            tickets,
        })
    }

    /// The name the options are known by.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether clients may be refused for the certificate that they show or lack.
    pub fn guards_clients(&self) -> bool {
        self.guards_clients
    }

    /// Whether a name that no certificate is good for is refused. Traefik: `sniStrict`.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// The configuration to run a handshake on.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The same with ChaCha20 before AES.
    pub(crate) fn chacha_first(&self) -> &Arc<ServerConfig> {
        &self.chacha_first
    }

    pub(crate) fn certificates(&self) -> &Certificates {
        &self.certificates
    }
}

impl fmt::Debug for CompiledOptions {
    /// The name: ticket keys are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompiledOptions({})", self.name)
    }
}

/// Finds the certificate for a ClientHello.
#[derive(Debug)]
struct Resolver {
    certificates: Arc<Certificates>,
    strict: bool,
    /// Those that the options leave.
    suites: Vec<CipherSuite>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let certificate = self.certificates.certified(hello.server_name());
        let default = || {
            let common = hello.cipher_suites().iter().filter(|suite| self.suites.contains(suite));
            let common: Vec<CipherSuite> = common.copied().collect();
            self.certificates.certified_default(&common, hello.signature_schemes())
        };
        certificate.or_else(|| (!self.strict).then(default))
    }
}

/// The first problem that disables.
fn reason<'a>(mut problems: impl Iterator<Item = &'a Problem>) -> String {
    problems
        .find(|problem| problem.severity == Severity::Error)
        .map(|problem| problem.message.clone())
        .unwrap_or_default()
}

fn fingerprint(options: &TlsOptions) -> Fingerprint {
    let TlsOptions {
        min_version,
        max_version,
        cipher_suites,
        curve_preferences,
        client_auth: ClientAuth { authorities, client_auth_type },
        sni_strict,
        alpn_protocols,
        disable_session_tickets,
    } = options;
    let mut context = digest::Context::new(&digest::SHA256);
    // Lengths keep neighbours apart.
    let mut add = |bytes: &[u8]| {
        context.update(&bytes.len().to_le_bytes());
        context.update(bytes);
    };
    for list in [cipher_suites, curve_preferences, alpn_protocols] {
        add(&list.len().to_le_bytes());
        list.iter().for_each(|item| add(item.as_bytes()));
    }
    for text in [min_version, max_version, client_auth_type] {
        add(text.as_bytes());
    }
    add(&[u8::from(*sni_strict), u8::from(*disable_session_tickets)]);
    authorities.iter().for_each(|authority| add(&authority.content));
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}
