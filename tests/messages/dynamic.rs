//! Files of the file provider: a fault costs what it touches, is told, and nothing else stops.

use std::fs;

use portway_testkit::certificate::Certificate;
use portway_testkit::process::{Process, Setup};
use serde_json::json;

use super::{api_errors, logged, status};

/// A router `fine` that must go on, and one more with these lines.
fn site(lines: &str) -> String {
    format!(
        "http:\n  routers:\n    fine: {{rule: 'Host(`fine`)', service: noop@internal}}\n{lines}"
    )
}

#[track_caller]
fn start(dynamic: &str) -> Process {
    Process::start(&crate::portway(), &Setup::web(dynamic))
}

/// The router `r` is closed, its neighbour works, and log and API say why.
#[track_caller]
fn closed(lines: &str, error: &str) {
    let process = start(&site(lines));
    assert_eq!((status(&process, "r"), status(&process, "fine")), (500, 418));
    logged(&process, "ERROR", &format!("router r@file: {error}"));
    assert_eq!(api_errors(&process, "routers/r@file"), json!([process.expand(error)]));
}

#[test]
fn a_file_that_is_no_yaml_or_toml() {
    let mut process = start(&site(""));
    process.folder().write("dynamic/more.toml", "[http\n");
    logged(
        &process,
        "ERROR",
        "file @@folder@@/dynamic/more.toml: cannot be parsed: unclosed table, expected `]` \
         (@@folder@@/dynamic/more.toml:1)",
    );
    process.write_quietly("dynamic.yml", "http:\n\trouters: {}\n");
    logged(
        &process,
        "ERROR",
        "file @@folder@@/dynamic/dynamic.yml: cannot be parsed: tabs disallowed within this context (block \
         indentation); its last good state is used (@@folder@@/dynamic/dynamic.yml:2)",
    );
    // The last good state of one file, and what is new in another.
    assert_eq!(status(&process, "fine"), 418);
    process.reload(
        "other.yml",
        "http: {routers: {new: {rule: 'Host(`new`)', service: noop@internal}}}",
    );
    assert_eq!((status(&process, "fine"), status(&process, "new")), (418, 418));
}

#[test]
fn an_unknown_section_keeps_the_last_good_state() {
    let mut process = start(&site(""));
    process.reload("dynamic.yml", &site("").replace("routers", "routres"));
    logged(
        &process,
        "ERROR",
        "file @@folder@@/dynamic/dynamic.yml, http.routres: unknown field `routres`; did you mean \
         `routers`?; the file's last good state is used (@@folder@@/dynamic/dynamic.yml:2)",
    );
    assert_eq!(status(&process, "fine"), 418);
    process.reload("dynamic.yml", &site("    r: {rule: 'Host(`r`)', service: noop@internal}"));
    assert_eq!(status(&process, "r"), 418);
}

#[test]
fn a_file_that_cannot_be_read() {
    let process = start(&site(""));
    let folder = process.folder().path().join("dynamic");
    std::os::unix::fs::symlink("/nope/routes.yml", folder.join("link.yml")).unwrap();
    logged(
        &process,
        "ERROR",
        "file @@folder@@/dynamic/link.yml: cannot be read: No such file or directory (os error 2) \
         (@@folder@@/dynamic/link.yml)",
    );
    fs::write(folder.join("latin.yml"), b"http: {} # \xe9\n").unwrap();
    logged(
        &process,
        "ERROR",
        "file @@folder@@/dynamic/latin.yml: is no UTF-8 at byte 11 (@@folder@@/dynamic/latin.yml)",
    );
    assert_eq!(status(&process, "fine"), 418);
}

#[test]
fn a_folder_or_file_that_is_missing() {
    let mut setup = Setup::web(&site(""));
    setup.unmarked = true;
    let setup = setup.flag("--providers.file.directory=@@folder@@/nope");
    let process = Process::start(&crate::portway(), &setup);
    logged(
        &process,
        "ERROR",
        "directory @@folder@@/nope: cannot be read: No such file or directory (os error 2)",
    );
    process.folder().write("nope/late.yml", site(""));
    logged(
        &process,
        "INFO",
        "no longer: directory @@folder@@/nope: cannot be read: No such file or directory (os error 2)",
    );
    assert_eq!(status(&process, "fine"), 418);
}

#[test]
fn a_value_of_another_type() {
    closed(
        "    r: {rule: 'Host(`r`)', service: noop@internal, priority: high}",
        "priority: expected a whole number, found `high` (@@folder@@/dynamic/dynamic.yml:4)",
    );
    closed(
        "    r: {rule: 'Host(`r`)', service: noop@internal, middlewares: {a: b}}",
        "middlewares: expected a list of texts, found a mapping (@@folder@@/dynamic/dynamic.yml:4)",
    );
}

#[test]
fn an_unknown_field() {
    closed(
        "    r: {rule: 'Host(`r`)', service: noop@internal, midlewares: [auth]}",
        "midlewares: unknown field `midlewares`; did you mean `middlewares`? \
         (@@folder@@/dynamic/dynamic.yml:4)",
    );
}

#[test]
fn an_unknown_middleware() {
    closed(
        "    r: {rule: 'Host(`r`)', service: noop@internal, middlewares: [auht]}\n  \
         middlewares: {auth: {addPrefix: {prefix: /x}}}",
        "middleware \"auht@file\" does not exist; did you mean \"auth@file\"?",
    );
}

#[test]
fn an_unknown_service() {
    closed(
        "    r: {rule: 'Host(`r`)', service: sevrice}\n  services: {service: {loadBalancer: {}}}",
        "the service \"sevrice@file\" does not exist; did you mean \"service@file\"?",
    );
}

#[test]
fn a_kind_that_is_not_served_yet() {
    closed(
        "    r: {rule: 'Host(`r`)', service: noop@internal, middlewares: [m]}\n  \
         middlewares: {m: {plugin: {a: {b: c}}}}",
        "middleware \"m@file\": plugin: middleware kind `plugin` is not served by this version of Portway \
         yet (@@folder@@/dynamic/dynamic.yml:5)",
    );
}

#[test]
fn a_users_file_that_is_missing() {
    closed(
        "    r: {rule: 'Host(`r`)', service: noop@internal, middlewares: [m]}\n  \
         middlewares: {m: {basicAuth: {usersFile: /nope/users}}}",
        "middleware \"m@file\": basicAuth.usersFile: `/nope/users` cannot be read: No such file or \
         directory (os error 2) (@@folder@@/dynamic/dynamic.yml:5)",
    );
}

#[test]
fn a_bad_rule_points_to_its_place() {
    let process = start(&site("    r: {rule: 'Host(`r`) && Pth(`/x`)', service: noop@internal}"));
    let error = "error while parsing rule Host(`r`) && Pth(`/x`): unknown matcher `Pth`; did you mean \
                 `Path`?\n    Host(`r`) && Pth(`/x`)\n                 ^^^";
    logged(&process, "ERROR", &format!("router r@file: {error}"));
    assert_eq!(api_errors(&process, "routers/r@file"), json!([error]));
    assert_eq!((status(&process, "r"), status(&process, "fine")), (404, 418));
}

#[test]
fn a_bad_certificate() {
    let (one, other) =
        (Certificate::for_names(&["one.test"]), Certificate::for_names(&["two.test"]));
    let process = start(&site(""));
    let file = |name: &str, text: &str| process.folder().write(name, text);
    file("text.pem", "no certificate");
    file("one.pem", &one.certificate_pem);
    file("one.key", &one.key_pem);
    file("other.key", &other.key_pem);
    process.write_quietly(
        "tls.yml",
        "tls:
  certificates:
    - {certFile: '@@folder@@/text.pem', keyFile: '@@folder@@/one.key'}
    - {certFile: '@@folder@@/one.pem', keyFile: '@@folder@@/other.key'}
    - {certFile: '@@folder@@/one.pem', keyFile: '@@folder@@/text.pem'}
    - {certFile: '@@folder@@/nope.pem', keyFile: '@@folder@@/one.key'}
    - {certFile: '@@folder@@/one.pem', keyFile: '@@folder@@/one.key'}
",
    );
    for error in [
        "text.pem, certFile: the certificate is not PEM: no `-----BEGIN CERTIFICATE-----` is in it \
         (@@folder@@/dynamic/tls.yml:3)",
        "one.pem, keyFile: the private key does not belong to the certificate \
         (@@folder@@/dynamic/tls.yml:4)",
        "one.pem, keyFile: the private key is not PEM: no `-----BEGIN PRIVATE KEY-----` is in it \
         (@@folder@@/dynamic/tls.yml:5)",
        "nope.pem, certFile: `@@folder@@/nope.pem` cannot be read: No such file or directory (os error 2) \
         (@@folder@@/dynamic/tls.yml:6)",
    ] {
        logged(&process, "ERROR", &format!("certificate @@folder@@/{error}"));
    }
    assert_eq!(status(&process, "fine"), 418);
    let log = process.log();
    assert!(!log.contains("tls.yml:7"), "the good one is blamed:\n{log}");
    assert!(
        !log.contains("BEGIN EC") && !log.contains(&one.key_pem[40..60]),
        "a key is shown:\n{log}"
    );
}
