//! What advisories about Traefik told of middlewares, each as a test of its own.
//!
//! - Two readers of one path: CVE-2023-47106, CVE-2025-32431, CVE-2025-47952, CVE-2025-66490, CVE-2026-40912,
//!   CVE-2026-48020, CVE-2026-65600. (CVE-2026-67309 is of a provider that Portway does not have.)
//! - Fields that clients must not say, or take away: CVE-2024-45410, CVE-2024-52003, CVE-2026-29054, CVE-2026-33433,
//!   CVE-2026-39858, CVE-2026-54763; with `forwardAuth`, CVE-2026-35051, CVE-2026-54764.
//! - Answers without end: CVE-2026-26998.
//! - Passwords and time: CVE-2026-32595, CVE-2026-41263, CVE-2026-71326.
//! - Addresses in two forms: GHSA-7jmw-8259-q9jx. (CVE-2024-39321 needs early data, which is never accepted.)
//! - Failing open: CVE-2026-54762, and Redis beside it.
//! - Secrets in logs: CVE-2022-23469.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portway_testkit::backend::Backend;
use portway_testkit::client::{Client, Response};
use portway_testkit::process::Setup;

use super::Site;

mod forward_auth;

/// `/guarded` asks for a password, everything else passes, some of it changed on its way.
const GUARDED: &str = r#"
http:
  routers:
    guarded: {rule: "PathPrefix(`/guarded`)", service: s, middlewares: [auth]}
    strip: {rule: "PathPrefix(`/strip`)", service: s, middlewares: [strip]}
    regex: {rule: "PathPrefix(`/regex`)", service: s, middlewares: [regex]}
    replace: {rule: "PathPrefix(`/replace`)", service: s, middlewares: [replace]}
    rest: {rule: "PathPrefix(`/`)", service: s, priority: 1}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
  middlewares:
    auth: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    strip: {stripPrefix: {prefixes: [/strip]}}
    regex: {stripPrefixRegex: {regex: ["^/regex[a-z]*"]}}
    replace: {replacePathRegex: {regex: "^/replace(.*)", replacement: "/open$1"}}
"#;

/// Characters that some servers read as others than they are, refused where they are encoded.
const STRICT: &[&str] = &[
    "--entryPoints.web.http.encodedCharacters.allowEncodedSlash=false",
    "--entryPoints.web.http.encodedCharacters.allowEncodedBackSlash=false",
    "--entryPoints.web.http.encodedCharacters.allowEncodedNullCharacter=false",
    "--entryPoints.web.http.encodedCharacters.allowEncodedSemicolon=false",
    "--entryPoints.web.http.encodedCharacters.allowEncodedPercent=false",
    "--entryPoints.web.http.encodedCharacters.allowEncodedQuestionMark=false",
    "--entryPoints.web.http.encodedCharacters.allowEncodedHash=false",
];

fn site(dynamic: &str) -> Site {
    Site::with(Backend::start(), &Setup::web(dynamic), &["--log.level=DEBUG"])
}

#[track_caller]
fn ask(site: &Site, target: &str, fields: &str) -> Response {
    let request = format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n");
    site.client().ask(request).expect("an answer")
}

/// No server may read one of these targets as a path that is guarded; where encoded separators are refused, not even
/// one that takes them for separators.
#[track_caller]
fn nobody_gets_behind(targets: &[&str]) {
    for flags in [&[][..], STRICT] {
        let site = Site::with(Backend::start(), &Setup::web(GUARDED), flags);
        nobody_gets_behind_in(&site, targets, !flags.is_empty());
    }
}

#[track_caller]
fn nobody_gets_behind_in(site: &Site, targets: &[&str], strict: bool) {
    for target in targets {
        let status = ask(site, target, "").status;
        for received in site.backend.take() {
            let path = as_read(received.head.part(1), strict);
            let open = !path.starts_with("/guarded");
            assert!(open, "{target}: {status}, and `{}` reads as {path}", received.head.part(1));
        }
    }
    // What should pass does.
    for target in ["/strip/open", "/regex/open", "/replace/x", "/open", "/guarded2x"] {
        let expected = if target.starts_with("/guarded") { 401 } else { 200 };
        assert_eq!(ask(site, target, "").status, expected, "{target}");
    }
}

/// A target as a lenient server reads it: without fragment, query and parameters, decoded, with slashes for
/// backslashes, one slash for several, and no dots; encoded separators are some to it only with `separators`.
fn as_read(target: &str, separators: bool) -> String {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if *first == b'%' && (separators || !b"/\\\0;%?#".contains(&byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    let text = String::from_utf8_lossy(&bytes).replace('\\', "/");
    let text = text.split(['\0', '#', '?']).next().unwrap_or_default();
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part.split(';').next().unwrap_or_default() {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part.to_owned()),
        }
    }
    format!("/{}", parts.join("/"))
}

#[test]
fn cve_2023_47106_a_fragment_hides_no_path() {
    nobody_gets_behind(&["/#/../guarded", "/open#/../guarded", "/guarded#/../open", "/#guarded"]);
}

#[test]
fn cve_2025_32431_dots_lead_to_the_router_of_where_they_lead() {
    nobody_gets_behind(&[
        "/open/../guarded",
        "/./guarded",
        "//guarded",
        "/open/..//guarded",
        "/open/./../guarded/.",
        "///guarded/../guarded",
    ]);
}

#[test]
fn cve_2025_47952_encoded_dots_are_dots() {
    nobody_gets_behind(&[
        "/open/%2e%2e/guarded",
        "/open/%2E./guarded",
        "/open/.%2e/guarded",
        "/%2e/guarded",
        "/%67uarded",
        "/guarde%64",
    ]);
}

#[test]
fn cve_2025_66490_encoded_separators_hide_no_path() {
    nobody_gets_behind(&[
        "/open/..%2fguarded",
        "/open%2f..%2fguarded",
        "/%2fguarded",
        "/open/..%5cguarded",
        "/open%5c..%5cguarded",
        "/open/..%00/guarded",
        "/open/..%3b/guarded",
        "/guarded%3bx",
        "/%5cguarded",
        "/open/..%23/../guarded",
        "/open/..%3f/../guarded",
    ]);
}

#[test]
fn cve_2026_40912_an_expression_strips_the_path_that_is_sent() {
    nobody_gets_behind(&[
        "/regex../guarded",
        "/regex/../guarded",
        "/regex%2f..%2fguarded",
        "/regex%2fguarded/../../guarded",
        "/re%67ex/..%2f..%2fguarded",
        "/regexa%2e%2e/guarded",
        "/regex%2e%2e%2fguarded",
    ]);
    // Stripping alone leads there, as it is written.
    let site = site(GUARDED);
    assert_eq!(ask(&site, "/regex/guarded", "").status, 200);
    assert_eq!(site.backend.take()[0].head.part(1), "/guarded");
}

#[test]
fn cve_2026_48020_what_is_left_of_a_stripped_path_goes_nowhere_else() {
    nobody_gets_behind(&[
        "/strip../guarded",
        "/strip%2e%2e/guarded",
        "/strip..%2fguarded",
        "/strip/..%2fguarded",
        "/strip%2f../guarded",
        "/strip;/../guarded",
    ]);
}

#[test]
fn cve_2026_65600_a_replaced_path_goes_nowhere_else() {
    nobody_gets_behind(&[
        "/replace/../guarded",
        "/replace/..%2fguarded",
        "/replace/%2e%2e/guarded",
        "/replace/x/..%2f..%2fguarded",
        "/replace..%2f..%2fguarded",
        "/replace/.%2e/guarded",
    ]);
}

const FIELDS: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s, middlewares: [auth, told]}
    digest: {rule: "PathPrefix(`/digest`)", service: s, middlewares: [auth]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
  middlewares:
    auth: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="], headerField: x-auth-User}}
    told: {headers: {customRequestHeaders: {X-Told: "yes"}}}
"#;

const KNOWN: &str = "Authorization: Basic dGVzdDp0ZXN0\r\n";

/// The fields that the server got, by their names in small letters with `-` for `_`.
#[track_caller]
fn received(site: &Site, fields: &str) -> Vec<(String, String)> {
    assert_eq!(ask(site, "/", &format!("{KNOWN}{fields}")).status, 200, "{fields}");
    let [received] = &site.backend.take()[..] else { panic!("not one request") };
    let fields = received.head.headers.0.iter();
    fields.map(|(name, value)| (name.to_lowercase().replace('_', "-"), value.clone())).collect()
}

#[track_caller]
fn check(received: &[(String, String)], name: &str, expected: &[&str]) {
    let values = received.iter().filter(|(other, _)| other == name);
    let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, expected, "{name}");
}

#[test]
fn cve_2024_45410_connection_takes_no_field_of_the_proxy_away() {
    let site = site(FIELDS);
    let names = "X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Port, X-Real-Ip, X-Forwarded-Server";
    for lines in [
        format!("Connection: {names}\r\n"),
        format!("Connection: close\r\nConnection: {names}\r\n"),
        format!("Connection: keep-alive,{}\r\n", names.replace(' ', "")),
    ] {
        let received = received(&site, &lines);
        check(&received, "x-forwarded-for", &["127.0.0.1"]);
        check(&received, "x-forwarded-host", &["a.test"]);
        check(&received, "x-forwarded-proto", &["http"]);
        check(&received, "x-forwarded-port", &["80"]);
        check(&received, "x-real-ip", &["127.0.0.1"]);
        assert!(received.iter().any(|(name, _)| name == "x-forwarded-server"));
    }
}

#[test]
fn cve_2026_29054_nor_does_it_in_small_letters() {
    let site = site(FIELDS);
    for lines in [
        "connection: x-real-ip\r\n",
        "CONNECTION: x-REAL-ip, x-forwarded-FOR\r\n",
        "Connection: x-forwarded-host\r\nconnection: x-real-ip, x-forwarded-for\r\n",
    ] {
        let received = received(&site, lines);
        check(&received, "x-real-ip", &["127.0.0.1"]);
        check(&received, "x-forwarded-for", &["127.0.0.1"]);
        check(&received, "x-forwarded-host", &["a.test"]);
    }
}

#[test]
fn cve_2024_52003_a_prefix_leads_the_dashboard_to_no_other_host() {
    let flags = ["--entryPoints.traefik.forwardedHeaders.insecure=true"];
    let site = Site::with(Backend::start(), &Setup::web(FIELDS), &flags);
    let mut client = Client::connect(site.process.address("traefik")).expect("a connection");
    for prefix in [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/%2fevil.test",
        "///evil.test",
        "a:b",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Prefix: {prefix}\r\n\r\n");
        let response = client.ask(request).expect("an answer");
        let to = response.headers.value("location").unwrap_or_default().to_owned();
        let inside = to.starts_with("http://a/") && !to.contains('\\') && !to[8..].contains("//");
        assert!(inside && to.ends_with("/dashboard/"), "{prefix} leads to {to}");
    }
}

#[test]
fn cve_2026_33433_no_client_names_the_user_in_another_letter_case() {
    let site = site(FIELDS);
    for name in ["X-Auth-User", "x-auth-user", "x-auth-User", "X-AUTH-USER"] {
        let received = received(&site, &format!("{name}: admin\r\n{name}: root\r\n"));
        check(&received, "x-auth-user", &["test"]);
    }
}

#[test]
fn cve_2026_54763_nor_with_an_underscore() {
    let site = site(FIELDS);
    for name in ["X_Auth_User", "X-Auth_User", "x_auth-user"] {
        let received = received(&site, &format!("{name}: admin\r\nX-Auth-User: root\r\n"));
        check(&received, "x-auth-user", &["test"]);
    }
}

#[test]
fn cve_2026_39858_no_client_says_fields_of_the_proxy_under_another_name() {
    let site = site(FIELDS);
    let received = received(
        &site,
        "X_Forwarded_For: 1.1.1.1\r\nx-forwarded_proto: https\r\nX_Real_Ip: 1.1.1.1\r\n\
         X_Forwarded-Host: evil\r\nX_Forwarded_Tls_Client_Cert: forged\r\nX-Forwarded_Uri: /evil\r\n",
    );
    check(&received, "x-forwarded-for", &["127.0.0.1"]);
    check(&received, "x-forwarded-proto", &["http"]);
    check(&received, "x-forwarded-host", &["a.test"]);
    check(&received, "x-real-ip", &["127.0.0.1"]);
    check(&received, "x-forwarded-tls-client-cert", &[]);
    check(&received, "x-forwarded-uri", &[]);
}

/// One user whose hash takes its time (bcrypt, cost 8), and one whose does not.
const SLOW: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s, middlewares: [auth]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
  middlewares:
    auth: {basicAuth: {users: ["known:$2y$08$yxsN.Pd9DjWzTP4wvBhmUu8pTfIkDvFeOLAz4Xp1Ig1jFP/oZ/T7q"]}}
"#;

/// How long a refusal takes.
fn refusal(site: &Site, credentials: &str) -> Duration {
    let start = Instant::now();
    assert_eq!(ask(site, "/", &format!("Authorization: Basic {credentials}\r\n")).status, 401);
    start.elapsed()
}

#[test]
fn cve_2026_32595_a_refusal_takes_as_long_whoever_is_refused() {
    let site = site(SLOW);
    // `known:wrong`, `nobody:wrong` and `:wrong`, by turns, so that all meet the same load.
    let whom = ["a25vd246d3Jvbmc=", "bm9ib2R5Ondyb25n", "Ondyb25n"];
    let mut least = [Duration::MAX; 3];
    for _ in 0..25 {
        for (least, credentials) in least.iter_mut().zip(whom) {
            *least = refusal(&site, credentials).min(*least);
        }
    }
    let [known, unknown @ ..] = least.map(|time| time.as_secs_f64());
    let alike = unknown.iter().all(|time| (0.6..1.7).contains(&(time / known)));
    assert!(alike, "{least:?}: the first is known");
}

#[test]
fn cve_2026_41263_nor_does_its_answer_say_who_is_known() {
    let site = site(SLOW);
    let answers = ["a25vd246d3Jvbmc=", "bm9ib2R5Ondyb25n", "Ondyb25n", "a25vd24=", ""].map(|one| {
        let answer = ask(&site, "/", &format!("Authorization: Basic {one}\r\n"));
        let mut fields = answer.headers.sorted();
        fields.retain(|(name, _)| name != "date");
        (answer.status, fields, answer.body)
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

/// A user whose password is `secret`.
const HASH: &str = "$2b$06$XajjQvNhvvRt5GSeFk1xFewWNSu2qJZ7O4J6iN5Ik9sLhr0edCM9q";

#[test]
fn cve_2026_71326_what_is_checked_for_one_user_lets_in_no_other() {
    let hash = SLOW.split_once("known:").and_then(|(_, rest)| rest.split_once('"')).unwrap().0;
    let site = site(&SLOW.replace(hash, HASH));
    let ask = |user: &str, password: &str| {
        let credentials = STANDARD.encode(format!("{user}:{password}"));
        ask(&site, "/", &format!("Authorization: Basic {credentials}\r\n")).status
    };
    // Password and hash one behind the other are the password of a user who does not exist: he must not pass while
    // the other's is being checked, nor once it is remembered.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(ask("known", "secret"), 200)));
            scope.spawn(|| {
                (0..20).for_each(|_| assert_eq!(ask("nobody", &format!("secret{HASH}")), 401))
            });
        }
    });
    for (user, password) in [
        ("nobody", "secret"),
        ("known", HASH),
        ("", HASH),
        ("known", "secret "),
        ("Known", "secret"),
    ] {
        assert_eq!(ask(user, password), 401, "{user}:{password}");
    }
}

#[test]
fn ghsa_7jmw_8259_q9jx_an_address_counts_in_both_forms() {
    let site = Site::with(
        Backend::start(),
        &Setup::web(
            r#"
http:
  routers:
    allow: {rule: "PathPrefix(`/allow`)", service: s, middlewares: [allow]}
    deny: {rule: "PathPrefix(`/deny`)", service: s, middlewares: [deny]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
  middlewares:
    allow: {ipAllowList: {sourceRange: [10.0.0.0/8], ipStrategy: {depth: 1}}}
    deny: {ipDenyList: {sourceRange: [10.0.0.0/8], ipStrategy: {depth: 1}}}
"#,
        ),
        &["--entryPoints.web.forwardedHeaders.insecure=true"],
    );
    for (address, inside) in [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("::ffff:a01:203", true),
        ("11.1.2.3", false),
        ("::ffff:11.1.2.3", false),
    ] {
        let fields = format!("X-Forwarded-For: {address}\r\n");
        let statuses = ["/allow", "/deny"].map(|path| ask(&site, path, &fields).status);
        assert_eq!(statuses, if inside { [200, 403] } else { [403, 200] }, "{address}");
    }
}

#[test]
fn cve_2026_54762_a_guard_whose_secret_is_missing_lets_nobody_in() {
    let objects = "
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: auth}
spec: {basicAuth: {secret: nobody}}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: digest}
spec: {digestAuth: {secret: nobody}}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: limit}
spec: {rateLimit: {average: 1, redis: {secret: nobody}}}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: guarded}
spec:
  routes:
    - {match: 'PathPrefix(`/auth`)', middlewares: [{name: auth}], services: [{name: noop@internal, kind: TraefikService}]}
    - {match: 'PathPrefix(`/digest`)', middlewares: [{name: digest}], services: [{name: noop@internal, kind: TraefikService}]}
    - {match: 'PathPrefix(`/limit`)', middlewares: [{name: limit}], services: [{name: noop@internal, kind: TraefikService}]}
    - {match: 'PathPrefix(`/`)', priority: 1, services: [{name: noop@internal, kind: TraefikService}]}
";
    let folder = portway_testkit::folder::Folder::new("advisories");
    folder.write("objects.yaml", objects);
    let flag = format!("--providers.kubernetesManifests.directory={}", folder.path().display());
    let mut setup = Setup::web(FIELDS);
    setup.files[0].1 = setup.files[0].1.replace("PathPrefix(`/`)", "PathPrefix(`/file`)");
    let site = Site::with(Backend::start(), &setup, &[&flag]);
    let start = Instant::now();
    while ask(&site, "/open", "").status != 418 {
        assert!(start.elapsed() < Duration::from_secs(5), "{}", site.process.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    for path in ["/auth", "/digest", "/limit"] {
        assert_eq!(ask(&site, path, KNOWN).status, 500, "{path}");
    }
}

#[test]
fn cve_2022_23469_no_credential_stands_in_the_log() {
    let site = Site::with(
        Backend::start(),
        &Setup::web(FIELDS),
        &["--log.level=TRACE", "--accesslog=true"],
    );
    for credentials in ["dGVzdDp0ZXN0", "dGVzdDp3cm9uZw==", "bm9ib2R5OnNlY3JldA=="] {
        let _ = ask(
            &site,
            "/?a=b",
            &format!("Authorization: Basic {credentials}\r\nCookie: session=c00kie\r\n"),
        );
    }
    std::thread::sleep(Duration::from_millis(300));
    let log = site.process.log();
    assert!(log.contains("/?a=b"), "{log}");
    for secret in [
        "dGVzdDp0ZXN0",
        "dGVzdDp3cm9uZw",
        "bm9ib2R5OnNlY3JldA",
        "c00kie",
        "qUqP5cyxm6YcTAhz05Hph5gvu9M",
    ] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}
