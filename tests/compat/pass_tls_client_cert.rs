//! `passTLSClientCert`: what servers see of clients that show certificates of all kinds, or none.

use portway_testkit::certificate::{Authority, Certificate};
use portway_testkit::client::Tls;
use portway_testkit::process::Setup;

use super::pair::{Case, Pair};
use super::{tls, told};

const DYNAMIC: &str = r#"
http:
  routers:
    none: {rule: "Host(`none.test`)", service: s, tls: {options: asks}, middlewares: [none]}
    pem: {rule: "Host(`pem.test`)", service: s, tls: {options: asks}, middlewares: [pem]}
    all: {rule: "Host(`all.test`)", service: s, tls: {options: asks}, middlewares: [all]}
    empty: {rule: "Host(`empty.test`)", service: s, tls: {options: asks}, middlewares: [empty]}
    subject: {rule: "Host(`subject.test`)", service: s, tls: {options: asks}, middlewares: [subject]}
    issuer: {rule: "Host(`issuer.test`)", service: s, tls: {options: asks}, middlewares: [issuer]}
    sans: {rule: "Host(`sans.test`)", service: s, tls: {options: asks}, middlewares: [sans]}
    twice: {rule: "Host(`twice.test`)", service: s, tls: {options: asks}, middlewares: [sans, named, subject]}
    never: {rule: "Host(`never.test`)", service: s, tls: {}, middlewares: [all]}
    plain: {rule: "Host(`plain.test`)", service: s, middlewares: [all]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    none: {passTLSClientCert: {pem: false}}
    pem: {passTLSClientCert: {pem: true}}
    all:
      passTLSClientCert:
        pem: true
        info:
          notAfter: true
          notBefore: true
          sans: true
          serialNumber: true
          subject: {country: true, province: true, locality: true, organization: true, organizationalUnit: true, commonName: true, serialNumber: true, domainComponent: true}
          issuer: {country: true, province: true, locality: true, organization: true, commonName: true, serialNumber: true, domainComponent: true}
    empty: {passTLSClientCert: {info: {sans: false}}}
    subject: {passTLSClientCert: {info: {subject: {commonName: true, organizationalUnit: true}}}}
    issuer: {passTLSClientCert: {info: {issuer: {domainComponent: true, province: true}, serialNumber: true}}}
    sans: {passTLSClientCert: {info: {sans: true, notAfter: true}}}
    named: {headers: {customRequestHeaders: {X-Forwarded-Tls-Client-Cert: own}}}
tls:
  certificates:
    - {certFile: "@@folder@@/dynamic/own.pem", keyFile: "@@folder@@/dynamic/own.key"}
  options:
    asks: {clientAuth: {clientAuthType: RequestClientCert}}
"#;

const HOSTS: &[&str] = &[
    "none.test",
    "pem.test",
    "all.test",
    "empty.test",
    "subject.test",
    "issuer.test",
    "sans.test",
    "twice.test",
    "never.test",
];

/// What clients say themselves.
const FORGED: &[&str] = &[
    "",
    "X-Forwarded-Tls-Client-Cert: forged\r\nX-Forwarded-Tls-Client-Cert-Info: forged\r\n",
    "X_Forwarded_Tls_Client_Cert: forged\r\nX-Forwarded_Tls-Client-Cert-Info: forged\r\n",
    "Connection: X-Forwarded-Tls-Client-Cert, X-Forwarded-Tls-Client-Cert-Info\r\n",
];

fn identities() -> Vec<(&'static str, Option<Certificate>)> {
    let authority = Authority::new("authority");
    let signed = authority.sign("client", false);
    let file = |certificate, key| Some(Certificate::of_files(certificate, key));
    let many = file(
        include_str!("pass_tls_client_cert/many.pem"),
        include_str!("pass_tls_client_cert/many.key"),
    );
    vec![
        ("nobody", None),
        ("signed", Some(signed.clone())),
        ("a chain", Some(signed.followed_by(&authority.certificate))),
        (
            "T61",
            file(
                include_str!("pass_tls_client_cert/t61.pem"),
                include_str!("pass_tls_client_cert/t61.key"),
            ),
        ),
        (
            "BMP",
            file(
                include_str!("pass_tls_client_cert/bmp.pem"),
                include_str!("pass_tls_client_cert/bmp.key"),
            ),
        ),
        ("much", many),
    ]
}

#[test]
fn servers_see_the_certificates_that_traefik_shows_them() {
    let own = Certificate::for_names(&["*.test"]);
    let mut setup = Setup::web(DYNAMIC)
        .entry_point("trusting")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true");
    setup.files.push(("own.pem".to_owned(), own.certificate_pem.clone()));
    setup.files.push(("own.key".to_owned(), own.key_pem.clone()));
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    tls::settle(&pair, "pem.test", &own);
    for (whose, identity) in identities() {
        for host in HOSTS {
            for (entry_point, forged) in
                FORGED.iter().map(|forged| ("web", forged)).chain([("trusting", &FORGED[1])])
            {
                let tls = Tls { identity: identity.clone(), ..Tls::to(host) };
                let mut case = Case::get(host, "/", forged).at(entry_point).over(tls);
                case.rename(&format!("{whose} {host} {entry_point} {forged}"));
                pair.compare(&case);
            }
            let mut tls = Tls { identity: identity.clone(), ..Tls::to(host) };
            tls.application_protocols = vec![b"h2".to_vec()];
            let mut case = Case::get(host, "/", "").over(tls).over_http2();
            case.rename(&format!("{whose} {host} over HTTP/2"));
            pair.compare(&case);
        }
    }
    for forged in FORGED {
        pair.compare(&Case::get("plain.test", "/", forged));
    }
    pair.compare(&Case::get("plain.test", "/", FORGED[1]).at("trusting"));
    told::compare(&mut pair, &[]);
    pair.finish();
}
