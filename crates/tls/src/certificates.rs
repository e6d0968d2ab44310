//! All certificates of a configuration, found by server name.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use aws_lc_rs::digest;
use foldhash::fast::RandomState;
use portway_model::{
    Entry, Problem,
    dynamic::{Certificate, TlsStore},
};
use rustls::{CipherSuite, SignatureScheme, pki_types::UnixTime, sign::CertifiedKey};

use crate::{BadCertificate, GeneratedDefault, LoadedCertificate};

/// The name of the only store that has a meaning, as in Traefik.
const DEFAULT_STORE: &str = "default";

/// The certificates of one configuration, indexed by the names they are good for.
///
/// A wildcard stands for exactly one label. Of certificates that are good for a name, the one whose joined names
/// sort last wins, which is what Traefik's reverse walk finds: an exact name beats a wildcard, unless a wildcard
/// stands beside it in the same certificate. The answer never depends on order or chance.
#[derive(Debug)]
pub struct Certificates {
    exact: HashMap<Box<str>, Arc<LoadedCertificate>, RandomState>,
    /// By what follows the first label; `*.example.com` is under `example.com`.
    wildcard: HashMap<Box<str>, Arc<LoadedCertificate>, RandomState>,
    default: Fallback,
    parsed: HashMap<Fingerprint, Parsed, RandomState>,
}

/// The certificate where no other fits.
#[derive(Debug)]
enum Fallback {
    Written(Arc<LoadedCertificate>),
    Generated(GeneratedDefault),
}

/// Problems found while compiling, for each object in the order and under the name it came with.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CertificateProblems {
    /// For each certificate, in the order given.
    pub certificates: Vec<Vec<Problem>>,
    /// For each store that has some.
    pub stores: BTreeMap<String, Vec<Problem>>,
}

/// SHA-256 of chain and key.
type Fingerprint = [u8; 32];
type Parsed = Result<Arc<LoadedCertificate>, BadCertificate>;

impl Certificates {
    /// Parses and indexes; what `carried` holds with the same bytes is taken over, not parsed again.
    ///
    /// A certificate that was disabled already is passed over. A bad one costs only itself; a bad
    /// default certificate is replaced by the generated one, as in Traefik.
    pub fn compile(
        certificates: &[Entry<Certificate>],
        stores: &BTreeMap<String, Entry<TlsStore>>,
        carried: Option<&Self>,
        generated: &GeneratedDefault,
        now: UnixTime,
    ) -> (Self, CertificateProblems) {
        let mut loader = Loader { carried, parsed: HashMap::default() };
        let mut problems = CertificateProblems::default();
        let mut kept: BTreeMap<Box<str>, Arc<LoadedCertificate>> = BTreeMap::new();
        for entry in certificates {
            let mut found = Vec::new();
            if !entry.is_disabled() {
                found.extend(misplaced(&entry.spec.stores));
                if let Some(loaded) = loader.load(&entry.spec, now, &mut found)
                    && serves_default(&entry.spec.stores)
                {
                    keep(&mut kept, loaded, &mut found);
                }
            }
            problems.certificates.push(found);
        }

        let mut default = Fallback::Generated(generated.clone());
        for (name, store) in stores {
            let mut found = Vec::new();
            if name != DEFAULT_STORE {
                found.push(Problem::warning("", "only the store named `default` has an effect"));
            } else if let Some(certificate) = &store.spec.default_certificate
                && !store.is_disabled()
                && let Some(loaded) = loader.load(certificate, now, &mut found)
            {
                default = Fallback::Written(loaded);
            }
            for problem in &mut found {
                if !problem.field.is_empty() {
                    problem.field = format!("defaultCertificate.{}", problem.field);
                }
            }
            if !found.is_empty() {
                problems.stores.insert(name.clone(), found);
            }
        }
        (Self::index(&kept, default, loader.parsed), problems)
    }

    fn index(
        kept: &BTreeMap<Box<str>, Arc<LoadedCertificate>>,
        default: Fallback,
        parsed: HashMap<Fingerprint, Parsed, RandomState>,
    ) -> Self {
        let mut this =
            Self { exact: HashMap::default(), wildcard: HashMap::default(), default, parsed };
        for certificate in kept.values().rev() {
            for name in certificate.names() {
                let (map, key) = match name.strip_prefix('*') {
                    Some("") => (&mut this.wildcard, ""),
                    Some(rest) if rest.starts_with('.') => {
                        (&mut this.wildcard, rest.trim_start_matches('.'))
                    }
                    _ => (&mut this.exact, name),
                };
                if !map.contains_key(key) {
                    map.insert(key.into(), Arc::clone(certificate));
                }
            }
        }
        this
    }

    /// The certificate for a server name, in any letter case and with or without a trailing dot;
    /// `None` where only the default one is left.
    pub fn find(&self, server_name: &str) -> Option<&Arc<LoadedCertificate>> {
        let name = canonical(server_name);
        let parent = name.split_once('.').map_or("", |(_, parent)| parent);
        let both = [self.exact.get(name.as_ref()), self.wildcard.get(parent)];
        both.into_iter().flatten().max_by_key(|certificate| certificate.identity())
    }

    /// The certificate for a client that names no server: one that holds the local address.
    pub fn find_address(&self, local: IpAddr) -> Option<&Arc<LoadedCertificate>> {
        self.exact.get(local.to_canonical().to_string().as_str())
    }

    /// The certificate where no other fits.
    pub fn default_certificate(&self) -> &Arc<LoadedCertificate> {
        match &self.default {
            Fallback::Written(certificate) => certificate,
            Fallback::Generated(generated) => generated.certificate(),
        }
    }

    /// All that came with the configuration and can be used, each once.
    pub fn loaded(&self) -> impl Iterator<Item = &Arc<LoadedCertificate>> {
        self.parsed.values().flatten()
    }

    /// The same as a client is shown it with which these suites are in common, and that understands these signatures.
    pub(crate) fn certified_default(
        &self,
        suites: &[CipherSuite],
        schemes: &[SignatureScheme],
    ) -> Arc<CertifiedKey> {
        match &self.default {
            Fallback::Written(certificate) => certificate.certified(),
            Fallback::Generated(generated) => generated.certified(suites, schemes),
        }
    }

    pub(crate) fn certified(&self, server_name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        server_name.and_then(|name| self.find(name)).map(|certificate| certificate.certified())
    }
}

/// Lower case without a trailing dot; borrowed where it is so already.
pub(crate) fn canonical(name: &str) -> Cow<'_, str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Parses certificates, or takes them over from the configuration before.
struct Loader<'a> {
    carried: Option<&'a Certificates>,
    parsed: HashMap<Fingerprint, Parsed, RandomState>,
}

impl Loader<'_> {
    /// The certificate, or `None` with the reason among the problems.
    fn load(
        &mut self,
        material: &Certificate,
        now: UnixTime,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<LoadedCertificate>> {
        let fingerprint = fingerprint(material);
        let parsed = self.parsed.entry(fingerprint).or_insert_with(|| {
            match self.carried.and_then(|carried| carried.parsed.get(&fingerprint)) {
                Some(parsed) => parsed.clone(),
                None => LoadedCertificate::load(material).map(Arc::new),
            }
        });
        match parsed {
            Ok(loaded) => {
                problems.extend(loaded.problem_at(now));
                Some(Arc::clone(loaded))
            }
            Err(bad) => {
                problems.push(bad.problem());
                None
            }
        }
    }
}

fn fingerprint(material: &Certificate) -> Fingerprint {
    let mut context = digest::Context::new(&digest::SHA256);
    // The length keeps chain and key apart.
    context.update(&material.cert.content.len().to_le_bytes());
    context.update(&material.cert.content);
    context.update(&material.key.content);
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}

fn serves_default(stores: &[String]) -> bool {
    stores.is_empty() || stores.iter().any(|store| store == DEFAULT_STORE)
}

/// A warning for a certificate that is in no store with an effect.
fn misplaced(stores: &[String]) -> Option<Problem> {
    (!serves_default(stores)).then(|| {
        Problem::warning(
            "stores",
            "only the store `default` has an effect: this certificate is not served",
        )
    })
}

/// Keeps the first of certificates with the same names.
fn keep(
    kept: &mut BTreeMap<Box<str>, Arc<LoadedCertificate>>,
    loaded: Arc<LoadedCertificate>,
    problems: &mut Vec<Problem>,
) {
    if loaded.identity().is_empty() {
        let message = "the certificate holds no name: it is not served";
        problems.push(Problem::warning("certFile", message));
        return;
    }
    match kept.get(loaded.identity()) {
        None => {
            kept.insert(loaded.identity().into(), loaded);
        }
        // The same bytes twice, such as one Secret named by many routers, is no mistake.
        Some(first) if Arc::ptr_eq(first, &loaded) => {}
        Some(_) => problems.push(Problem::warning(
            "",
            format!(
                "another certificate for the same names `{}` came first: this one is not served",
                loaded.identity()
            ),
        )),
    }
}
