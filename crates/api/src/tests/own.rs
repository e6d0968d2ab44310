//! What Traefik does not have, or was not recorded with.

use portway_model::{Diagnostic, InternalService, Place, Severity, runtime::Runtime};
use serde_json::{Value, json};

use crate::{Answer, Facts, RequestView, View, answer};

fn ask(path: &str, runtime: &Runtime, facts: &Facts, status: u16) -> Answer {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = RequestView {
        method: "GET",
        path,
        query,
        host: "api.test",
        remote_address: "127.0.0.1:5",
        protocol: "HTTP/1.1",
        tls: false,
        headers: &[("X-Forwarded-Prefix", b"/pp")],
    };
    let entry_points = std::collections::BTreeMap::new();
    let certificates = None;
    let view =
        View { runtime, entry_points: &entry_points, certificates, ping_status: status, facts };
    answer(
        if status == 200 { InternalService::Api } else { InternalService::Ping },
        &request,
        &view,
    )
}

fn read(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
fn problems_of_sources_are_listed_with_their_place() {
    let problem = |object: &str, line| Diagnostic {
        severity: Severity::Error,
        object: object.to_owned(),
        field: "spec".to_owned(),
        message: "does not fit".to_owned(),
        place: Some(Place { file: "a.yaml".into(), line }),
    };
    let runtime = Runtime {
        diagnostics: vec![problem("Secret default/a", 3), problem("Secret default/b", 9)],
        ..Runtime::default()
    };
    let facts = Facts::default();
    let answer = ask("/api/problems?search=DEFAULT/B", &runtime, &facts, 200);
    assert_eq!(
        read(&answer),
        json!([{"severity": "error", "object": "Secret default/b", "field": "spec",
            "message": "does not fit", "place": {"file": "a.yaml", "line": 9}}])
    );
    let answer = ask("/api/problems?per_page=1", &runtime, &facts, 200);
    assert!(answer.headers.contains(&("X-Next-Page", "2".into())));
}

#[test]
fn a_base_path_goes_before_api_and_dashboard() {
    let facts = |base: &str| Facts {
        base_path: base.to_owned(),
        dashboard: true,
        version: "1".to_owned(),
        ..Facts::default()
    };
    let status = |path: &str, base: &str| ask(path, &Runtime::default(), &facts(base), 200).status;
    for base in ["/foo/bar", "/foo/bar/"] {
        assert_eq!(status("/foo/bar/api/version", base), 200, "{base}");
        assert_eq!(status("/foo/bar/dashboard/", base), 200, "{base}");
        assert_eq!(status("/foo/bar/dashboard", base), 404, "{base}");
        assert_eq!(status("/api/version", base), 404, "{base}");
        assert_eq!(status("/dashboard/", base), 404, "{base}");
        assert_eq!(status("/", base), 404, "{base}");
        assert_eq!(status(base, base), 302, "{base}");
        let root = ask(base, &Runtime::default(), &facts(base), 200);
        assert_eq!(root.headers, [("Location", "/pp/foo/bar/dashboard/".into())]);
    }
    assert_eq!(status("/foo/bar/", "/foo/bar"), 404);
}

#[test]
fn a_dashboard_that_is_off_does_not_exist() {
    let facts = Facts { version: "1".to_owned(), ..Facts::default() };
    for (path, status) in [("/", 404), ("/dashboard/", 404), ("/api/version", 200)] {
        assert_eq!(ask(path, &Runtime::default(), &facts, 200).status, status, "{path}");
    }
}

#[test]
fn the_version_names_what_was_configured() {
    let facts = Facts {
        version: "1.2.3".to_owned(),
        codename: "c".to_owned(),
        start_date: "2026-01-02T03:04:05Z".to_owned(),
        uuid: Some("u".to_owned()),
        disable_dashboard_ad: true,
        dashboard_name: "My".to_owned(),
        ..Facts::default()
    };
    assert_eq!(
        read(&ask("/api/version", &Runtime::default(), &facts, 200)),
        json!({"Version": "1.2.3", "Codename": "c", "startDate": "2026-01-02T03:04:05Z",
            "uuid": "u", "disableDashboardAd": true, "dashboardName": "My"})
    );
}

#[test]
fn an_empty_runtime_has_empty_lists_and_no_maps() {
    let (runtime, facts) = (Runtime::default(), Facts::default());
    assert_eq!(read(&ask("/api/rawdata", &runtime, &facts, 200)), json!({}));
    assert_eq!(read(&ask("/api/http/routers", &runtime, &facts, 200)), json!([]));
    assert_eq!(ask("/api/certificates", &runtime, &facts, 200).status, 404);
    assert_eq!(ask("/api/http/routers/%ff%", &runtime, &facts, 200).status, 400);
}

#[test]
fn ping_answers_the_status_of_the_end() {
    let answer = ask("/ping", &Runtime::default(), &Facts::default(), 503);
    assert_eq!((answer.status, answer.body.as_ref()), (503, &b"Service Unavailable"[..]));
}
