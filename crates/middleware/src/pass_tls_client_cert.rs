//! Tells servers the client's certificate.
//!
//! Traefik: `passTLSClientCert`. Differences: a certificate that cannot be read, with which no handshake with Traefik
//! succeeds, is answered 400 where `info` is asked for; fields that read alike with `_` for `-` are removed as well.
//!
//! What clients say in these fields themselves is taken away at the entry point, unless they are trusted there.

use std::fmt::Write as _;

use portway_http::{Answer, Known, Request, Status};
use portway_model::dynamic::{self, ClientCertificateInfo, NameParts};
use portway_tls::{ClientCertificate, Name};

use crate::{Context, Flow};

/// A compiled `passTLSClientCert`.
#[derive(Debug)]
pub struct PassTlsClientCert {
    pem: bool,
    info: Option<ClientCertificateInfo>,
}

impl PassTlsClientCert {
    /// Compiles the user's settings.
    #[must_use]
    pub fn compile(config: &dynamic::PassTlsClientCert) -> Self {
        Self { pem: config.pem, info: config.info.clone() }
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let Some(certificates) = context.certificates else { return Flow::Continue };
        if self.pem {
            request.headers.set_alone(Known::XForwardedTlsClientCert, certificates.base64());
        }
        let Some(info) = &self.info else { return Flow::Continue };
        let Some(read) = certificates.read() else {
            context.reason = Some("passTLSClientCert: the client's certificate cannot be read");
            return Flow::Respond(Answer::proxy_error(Status::BAD_REQUEST));
        };
        let shown: Vec<String> = read.iter().map(|certificate| show(certificate, info)).collect();
        let value = escape(&shown.join(","));
        request.headers.set_alone(Known::XForwardedTlsClientCertInfo, value);
        Flow::Continue
    }
}

/// The parts of one certificate that servers are to see, such as `Subject="C=FR,CN=client";NB="0"`.
fn show(certificate: &ClientCertificate, info: &ClientCertificateInfo) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        let separator = if text.is_empty() { "" } else { ";" };
        // Writing to a text cannot fail.
        let _ = write!(text, "{separator}{name}=\"{value}\"");
    };
    for (key, parts, name) in [
        ("Subject", &info.subject, &certificate.subject),
        ("Issuer", &info.issuer, &certificate.issuer),
    ] {
        let parts = parts.as_ref().map(|parts| show_name(name, parts)).unwrap_or_default();
        if !parts.is_empty() {
            field(key, &parts);
        }
    }
    if info.serial_number {
        field("SerialNumber", &certificate.serial);
    }
    // Times before 1970 are shown as Go converts them.
    if info.not_before {
        field("NB", &certificate.not_before.cast_unsigned().to_string());
    }
    if info.not_after {
        field("NA", &certificate.not_after.cast_unsigned().to_string());
    }
    if info.sans && !certificate.alternatives.is_empty() {
        field("SAN", &certificate.alternatives.join(","));
    }
    text
}

/// The parts of a name, such as `DC=org,C=FR,CN=client`. Nothing is escaped in values, and those that are empty are
/// left out, but for domain components.
fn show_name(name: &Name, parts: &NameParts) -> String {
    let one = std::slice::from_ref;
    let listed = [
        (parts.country, "C", name.countries.as_slice()),
        (parts.province, "ST", &name.provinces),
        (parts.locality, "L", &name.localities),
        (parts.organization, "O", &name.organizations),
        (parts.organizational_unit, "OU", &name.units),
        (parts.serial_number, "SN", one(&name.serial)),
        (parts.common_name, "CN", one(&name.common)),
    ];
    let components = name.domain_components.iter().filter(|_| parts.domain_component);
    let components = components.map(|value| format!("DC={value}"));
    let others = listed.into_iter().filter(|(asked, ..)| *asked).flat_map(|(_, key, values)| {
        let present = values.iter().filter(|value| !value.is_empty());
        present.map(move |value| format!("{key}={value}"))
    });
    components.chain(others).collect::<Vec<_>>().join(",")
}

/// A text as a value of a query (Go: `url.QueryEscape`).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 3 / 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            b' ' => escaped.push('+'),
            // Writing to a text cannot fail.
            _ => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use portway_tls::ClientCertificates;

    use super::*;
    use crate::testing::{context, get, listed};

    fn certificate() -> ClientCertificate {
        let texts = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        let subject = Name {
            domain_components: texts(&["org", ""]),
            countries: texts(&["FR", ""]),
            organizations: texts(&["Edge, \"Inc\"", "Lab"]),
            units: texts(&["A"]),
            serial: "7".to_owned(),
            common: "client".to_owned(),
            ..Name::default()
        };
        ClientCertificate {
            issuer: Name { common: "authority".to_owned(), ..subject.clone() },
            subject,
            serial: "481535886039632329873080491016862977516759989652".to_owned(),
            not_before: -1,
            not_after: 1_607_166_960,
            alternatives: texts(&["a.test", "10.0.0.1"]),
        }
    }

    fn all() -> NameParts {
        NameParts {
            country: true,
            province: true,
            locality: true,
            organization: true,
            organizational_unit: true,
            common_name: true,
            serial_number: true,
            domain_component: true,
        }
    }

    #[track_caller]
    fn check(info: &ClientCertificateInfo, expected: &str) {
        assert_eq!(show(&certificate(), info), expected);
    }

    #[test]
    fn each_part_has_its_place() {
        let issuer = NameParts { common_name: true, ..NameParts::default() };
        check(
            &ClientCertificateInfo {
                not_after: true,
                not_before: true,
                sans: true,
                serial_number: true,
                subject: Some(all()),
                issuer: Some(issuer),
            },
            "Subject=\"DC=org,DC=,C=FR,O=Edge, \"Inc\",O=Lab,OU=A,SN=7,CN=client\";\
             Issuer=\"CN=authority\";SerialNumber=\"481535886039632329873080491016862977516759989652\";\
             NB=\"18446744073709551615\";NA=\"1607166960\";SAN=\"a.test,10.0.0.1\"",
        );
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let province = NameParts { province: true, ..NameParts::default() };
        check(&ClientCertificateInfo::default(), "");
        check(
            &ClientCertificateInfo {
                subject: Some(province),
                issuer: Some(NameParts::default()),
                not_after: true,
                ..Default::default()
            },
            "NA=\"1607166960\"",
        );
    }

    #[test]
    fn values_are_escaped_as_in_a_query() {
        assert_eq!(escape("C=FR, é/~-_.%"), "C%3DFR%2C+%C3%A9%2F~-_.%25");
    }

    fn ask(
        config: &dynamic::PassTlsClientCert,
        shown: &[&'static [u8]],
    ) -> Result<Vec<String>, Flow> {
        let chain: Vec<_> = shown.iter().map(|&der| der.into()).collect();
        let certificates = ClientCertificates::new(&chain);
        let mut request = get("/", &[]);
        let mut context = context();
        context.certificates = Some(&certificates).filter(|_| !shown.is_empty());
        match PassTlsClientCert::compile(config).on_request(&mut request, &mut context) {
            Flow::Continue => Ok(listed(&request.headers)),
            refused => Err(refused),
        }
    }

    #[test]
    fn a_chain_is_passed_whole_and_without_one_nothing_is() {
        let pem = dynamic::PassTlsClientCert { pem: true, info: None };
        assert_eq!(
            ask(&pem, &[b"one", b"two"]).unwrap(),
            ["X-Forwarded-Tls-Client-Cert: b25l,dHdv"]
        );
        assert!(ask(&pem, &[]).unwrap().is_empty());
        let info = dynamic::PassTlsClientCert { pem: true, info: Some(Default::default()) };
        assert!(ask(&info, &[]).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let info = dynamic::PassTlsClientCert { pem: false, info: Some(Default::default()) };
        assert!(
            matches!(ask(&info, &[b"one"]), Err(Flow::Respond(answer)) if answer.status == Status::BAD_REQUEST)
        );
    }
}
