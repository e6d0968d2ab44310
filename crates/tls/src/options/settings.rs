//! Versions, cipher suites, curves and protocols: Traefik's names as what rustls takes.

use portway_model::{Problem, dynamic::TlsOptions, nearest};
use rustls::{
    SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, SupportedKxGroup},
    version::{TLS12, TLS13},
};

use crate::crypto;

/// What the options leave of Portway's cryptography.
pub(crate) struct Settings {
    pub(crate) provider: CryptoProvider,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    pub(crate) protocols: Vec<Vec<u8>>,
}

/// The versions that are served, to suggest.
const VERSIONS: [&str; 2] = ["VersionTLS12", "VersionTLS13"];

/// Whether this is the name of a version of TLS that is known.
pub(crate) fn is_version(written: &str) -> bool {
    matches!(written, "VersionTLS10" | "VersionTLS11" | "VersionTLS12" | "VersionTLS13")
}

/// What is served; `None` with the reasons among the problems, which say with `outcome` what comes of it.
pub(crate) fn compile(
    options: &TlsOptions,
    outcome: &str,
    problems: &mut Vec<Problem>,
) -> Option<Settings> {
    let versions = versions(options, outcome, problems);
    let suites = cipher_suites(options, problems);
    let groups = curves(options, problems);
    let protocols = protocols(&options.alpn_protocols, problems);
    let (versions, mut cipher_suites, kx_groups) = (versions?, suites?, groups?);
    // What is left says which kinds of certificates a client can be shown.
    cipher_suites.retain(|suite| versions.contains(&suite.version()));
    if cipher_suites.is_empty() {
        problems.push(Problem::error(
            "cipherSuites",
            format!("no suite is left for the versions allowed: {outcome}"),
        ));
        return None;
    }
    if !options.cipher_suites.is_empty() && cipher_suites.iter().all(|s| s.tls13().is_some()) {
        let effect = useless_suites(&options.cipher_suites, &versions);
        problems.extend(effect.map(|effect| Problem::warning("cipherSuites", effect)));
    }
    let provider =
        CryptoProvider { cipher_suites, kx_groups, ..CryptoProvider::clone(crypto::provider()) };
    Some(Settings { provider, versions, protocols })
}

fn versions(
    options: &TlsOptions,
    outcome: &str,
    problems: &mut Vec<Problem>,
) -> Option<Vec<&'static SupportedProtocolVersion>> {
    let least = version("minVersion", &options.min_version, problems).unwrap_or(Version::Tls12);
    let most = version("maxVersion", &options.max_version, problems).unwrap_or(Version::Tls13);
    if least == Version::Old {
        problems.push(Problem::warning(
            "minVersion",
            format!("`{}` is not served: TLS 1.2 is the least", options.min_version),
        ));
    }
    if most == Version::Old {
        problems.push(Problem::error(
            "maxVersion",
            format!("`{}` is not served, TLS 1.2 is the least: {outcome}", options.max_version),
        ));
        return None;
    }
    if least > most {
        problems.push(Problem::error(
            "maxVersion",
            format!("`{}` is below `{}`", options.max_version, options.min_version),
        ));
        return None;
    }
    let allowed = |version: Version| least <= version && version <= most;
    let all = [(Version::Tls12, &TLS12), (Version::Tls13, &TLS13)];
    Some(all.into_iter().filter(|(version, _)| allowed(*version)).map(|(_, all)| all).collect())
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Version {
    /// 1.0 and 1.1.
    Old,
    Tls12,
    Tls13,
}

/// A version by Traefik's name; an unknown name means none written, as in Traefik, with a warning.
fn version(field: &str, written: &str, problems: &mut Vec<Problem>) -> Option<Version> {
    match written {
        "" => None,
        "VersionTLS10" | "VersionTLS11" => Some(Version::Old),
        "VersionTLS12" => Some(Version::Tls12),
        "VersionTLS13" => Some(Version::Tls13),
        _ => {
            let message = unknown("no effect: unknown version ", written, VERSIONS);
            problems.push(Problem::warning(field, message));
            None
        }
    }
}

fn cipher_suites(
    options: &TlsOptions,
    problems: &mut Vec<Problem>,
) -> Option<Vec<SupportedCipherSuite>> {
    let all = &crypto::provider().cipher_suites;
    if options.cipher_suites.is_empty() {
        return Some(all.clone());
    }
    let mut named = Vec::new();
    let mut weak = Vec::new();
    let mut good = true;
    for (position, written) in options.cipher_suites.iter().enumerate() {
        let name = crypto::SUITE_ALIASES
            .iter()
            .find(|(alias, _)| alias == written)
            .map_or(written.as_str(), |(_, name)| name);
        match crypto::SUITES.iter().find(|(known, _)| *known == name) {
            Some((_, Some(suite))) => named.push(*suite),
            Some((_, None)) => weak.push(written.as_str()),
            None => {
                good = false;
                let known = crypto::SUITES.iter().map(|(name, _)| *name);
                let field = format!("cipherSuites[{position}]");
                problems
                    .push(Problem::error(field, unknown("invalid CipherSuite: ", written, known)));
            }
        }
    }
    if !weak.is_empty() {
        let message = format!(
            "{} are never offered, as they lack forward secrecy or authenticated encryption",
            weak.join(", ")
        );
        problems.push(Problem::warning("cipherSuites", message));
    }
    // As in Go, the suites of TLS 1.3 cannot be chosen: all are safe, and all are offered.
    let kept = |suite: &&SupportedCipherSuite| suite.tls13().is_some() || named.contains(suite);
    good.then(|| all.iter().filter(kept).copied().collect())
}

/// What is to be said of suites that choose nothing: those of TLS 1.3 cannot be chosen. Where some are weak, or of another
/// version that is served, that has been said.
fn useless_suites(
    written: &[String],
    versions: &[&SupportedProtocolVersion],
) -> Option<&'static str> {
    let is_new = |name: &str| {
        let known = crypto::SUITES.iter().find(|(known, _)| *known == name);
        known.and_then(|(_, suite)| suite.as_ref()).is_some_and(|suite| suite.tls13().is_some())
    };
    match () {
        () if !versions.contains(&&TLS12) => {
            Some("no effect: TLS 1.3 is spoken alone, and all of its suites are offered")
        }
        () if written.iter().all(|name| is_new(name)) => Some(
            "only suites of TLS 1.3 are named, all of which are offered anyway: \
             TLS 1.2 is not spoken",
        ),
        () => None,
    }
}

fn curves(
    options: &TlsOptions,
    problems: &mut Vec<Problem>,
) -> Option<Vec<&'static dyn SupportedKxGroup>> {
    if options.curve_preferences.is_empty() {
        return Some(crypto::provider().kx_groups.clone());
    }
    let mut groups: Vec<&'static dyn SupportedKxGroup> = Vec::new();
    let mut missing = Vec::new();
    let mut good = true;
    for (position, written) in options.curve_preferences.iter().enumerate() {
        match crypto::GROUPS.iter().find(|(known, _)| known == written) {
            Some((_, Some(group))) => {
                if groups.iter().all(|other| other.name() != group.name()) {
                    groups.push(*group);
                }
            }
            Some((_, None)) => missing.push(written.as_str()),
            None => {
                good = false;
                let known = crypto::GROUPS.iter().map(|(name, _)| *name);
                let field = format!("curvePreferences[{position}]");
                problems.push(Problem::error(
                    field,
                    unknown("invalid CurveID in curvePreferences: ", written, known),
                ));
            }
        }
    }
    if good && groups.is_empty() {
        problems.push(Problem::error(
            "curvePreferences",
            format!("only curves that are not served: {}", missing.join(", ")),
        ));
        return None;
    }
    if !missing.is_empty() {
        let message = format!("not served: {}", missing.join(", "));
        problems.push(Problem::warning("curvePreferences", message));
    }
    good.then_some(groups)
}

/// The protocols offered by ALPN: HTTP/2 and HTTP/1.1, or the user's own list.
fn protocols(written: &[String], problems: &mut Vec<Problem>) -> Vec<Vec<u8>> {
    if written.is_empty() {
        return vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()];
    }
    let mut protocols: Vec<Vec<u8>> = Vec::new();
    for (position, name) in written.iter().enumerate() {
        let field = format!("alpnProtocols[{position}]");
        match name.as_bytes() {
            // The wire holds names of 1 to 255 bytes (RFC 7301 §3.1).
            bytes if bytes.is_empty() || bytes.len() > 255 => {
                problems.push(Problem::warning(field, "a name has 1 to 255 bytes: not offered"));
            }
            bytes => {
                if let Some(meant) = misspelt(name) {
                    let message = format!(
                        "`{name}` is another protocol: letters count; did you mean `{meant}`?"
                    );
                    problems.push(Problem::warning(field, message));
                }
                protocols.push(bytes.to_vec());
            }
        }
    }
    // A client that offers protocols and finds none in common is refused: HTTP/1.1 is always served.
    if protocols.is_empty() {
        protocols.push(HTTP_1_1.to_vec());
    }
    protocols
}

/// The known protocol that differs from what is written by the case of its letters alone.
fn misspelt(written: &str) -> Option<&'static str> {
    let known = ["h2", "http/1.1", "acme-tls/1"].into_iter();
    known.filter(|known| *known != written).find(|known| known.eq_ignore_ascii_case(written))
}

/// The names of HTTP/1.1, HTTP/2 and challenges of ACME in ALPN.
pub(crate) const HTTP_1_1: &[u8] = b"http/1.1";
pub(crate) const HTTP_2: &[u8] = b"h2";
pub(crate) const ACME: &[u8] = b"acme-tls/1";

/// Traefik's words, and the nearest name where there is one.
fn unknown(what: &str, written: &str, known: impl IntoIterator<Item = &'static str>) -> String {
    match nearest(written, known) {
        Some(near) => format!("{what}{written}; did you mean {near}?"),
        None => format!("{what}{written}"),
    }
}
