//! Objects to look at.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{
    Diagnostic, Place, Severity,
    dynamic::{
        AddPrefix, BasicAuth, Chain, Headers, LoadBalancer, Middleware, Observability,
        RedirectScheme, Router, RouterTls, Server, Service, StripPrefix, TraceVerbosity, Weighted,
        WeightedService,
    },
    runtime::{MiddlewareInfo, RouterInfo, Runtime, ServerHealth, ServiceInfo, Status},
};

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

fn router(rule: &str, service: &str, middlewares: &[&str], tls: bool) -> RouterInfo {
    let entry_point = if tls { "websecure" } else { "web" };
    let priority = i64::try_from(rule.len()).unwrap();
    let tls = tls.then(|| RouterTls { options: "default".to_owned(), ..RouterTls::default() });
    RouterInfo {
        router: Arc::new(Router {
            entry_points: names(&[entry_point]),
            service: service.to_owned(),
            rule: rule.to_owned(),
            tls: tls.map(Box::new),
            ..Router::default()
        }),
        middlewares: middlewares.iter().map(|name| (*name).into()).collect(),
        priority,
        observability: Observability {
            access_logs: Some(true),
            metrics: Some(true),
            tracing: Some(true),
            trace_verbosity: Some(TraceVerbosity::Minimal),
            metadata: None,
        },
        errors: Vec::new(),
        status: Status::Enabled,
        using: [entry_point.into()].into(),
        ..RouterInfo::default()
    }
}

fn balancer(servers: &[&str]) -> ServiceInfo {
    let server = |url: &&str| Server { url: (*url).to_owned(), ..Server::default() };
    ServiceInfo {
        service: Arc::new(Service::LoadBalancer(LoadBalancer {
            servers: servers.iter().map(server).collect(),
            ..LoadBalancer::default()
        })),
        reached: true,
        ..ServiceInfo::default()
    }
}

fn middleware(middleware: Middleware) -> MiddlewareInfo {
    MiddlewareInfo { middleware: Arc::new(middleware), ..MiddlewareInfo::default() }
}

/// A small house where everything works.
pub(super) fn working() -> Runtime {
    let mut runtime = Runtime::default();
    let auth = BasicAuth {
        users: vec!["admin:$apr1$.E0xwugA$R0f./9ZwI5vVDS2Gav.kD/".to_owned()],
        ..BasicAuth::default()
    };
    let strip = StripPrefix { prefixes: names(&["/shop", "/store"]), force_slash: None };
    let headers = Headers {
        custom_request_headers: [("X-Forwarded-By".to_owned(), "portway".to_owned())].into(),
        custom_response_headers: [("Server".to_owned(), String::new())].into(),
        ..Headers::default()
    };
    let redirect =
        RedirectScheme { scheme: "https".to_owned(), port: "8443".to_owned(), permanent: true };
    runtime.middlewares = [
        ("auth@file", Middleware::BasicAuth(auth)),
        ("shop-strip@file", Middleware::StripPrefix(strip)),
        ("secure-headers@file", Middleware::Headers(headers.into())),
        ("api-prefix@file", Middleware::AddPrefix(AddPrefix { prefix: "/v2".to_owned() })),
        (
            "shop-chain@file",
            Middleware::Chain(Chain {
                middlewares: names(&["shop-strip@file", "secure-headers@file"]),
            }),
        ),
        ("redirect-web-to-websecure@internal", Middleware::RedirectScheme(redirect)),
    ]
    .map(|(name, one)| (name, middleware(one)))
    .into_iter()
    .collect();
    let weighted = Service::Weighted(Weighted {
        services: [("shop-blue", 9), ("shop-green", 1)]
            .map(|(name, weight)| WeightedService { name: name.to_owned(), weight: Some(weight) })
            .into(),
        ..Weighted::default()
    });
    runtime.services = [
        ("shop@file", ServiceInfo { service: Arc::new(weighted), ..ServiceInfo::default() }),
        (
            "shop-blue@file",
            balancer(&["http://10.0.0.11:8080", "http://10.0.0.12:8080", "http://10.0.0.13:8080"]),
        ),
        ("shop-green@file", balancer(&["http://10.0.1.11:8080"])),
        ("api@internal", ServiceInfo::default()),
        ("noop@internal", ServiceInfo::default()),
        ("whoami@internal", ServiceInfo::default()),
    ]
    .into_iter()
    .collect();
    runtime.routers = [
        (
            "dashboard@file",
            router(
                "Host(`traefik.example.com`) && (PathPrefix(`/api`) || PathPrefix(`/dashboard`))",
                "api@internal",
                &["auth@file"],
                true,
            ),
        ),
        (
            "shop@file",
            router(
                "Host(`www.example.com`) && PathPrefix(`/shop`, `/store`)",
                "shop",
                &["auth@file", "shop-chain@file", "api-prefix@file"],
                true,
            ),
        ),
        ("whoami@file", router("Host(`whoami.example.com`)", "whoami@internal", &[], false)),
        (
            "web-to-websecure@internal",
            RouterInfo {
                priority: i64::MAX - 1,
                ..router(
                    "HostRegexp(`^.+$`)",
                    "noop@internal",
                    &["redirect-web-to-websecure@internal"],
                    false,
                )
            },
        ),
    ]
    .into_iter()
    .collect();
    link(&mut runtime);
    runtime
}

/// Fills in who uses what.
fn link(runtime: &mut Runtime) {
    for (name, info) in &runtime.routers {
        let provider = name.rsplit_once('@').unwrap().1;
        let qualified = portway_model::name::qualify(&info.router.service, provider);
        if let Some(service) = runtime.services.get_mut(&qualified) {
            service.used_by.add(Arc::clone(name));
        }
        for used in &info.router.middlewares {
            if let Some(middleware) = runtime.middlewares.get_mut(used) {
                middleware.used_by.add(Arc::clone(name));
            }
        }
    }
}

fn broken(mut router: RouterInfo, status: Status, error: &str) -> RouterInfo {
    router.status = status;
    router.errors.push(error.to_owned());
    router
}

/// The same house with every kind of fault.
pub(super) fn faulty() -> Runtime {
    let mut runtime = working();
    let caret = "unknown matcher `Pathprefix`; did you mean `PathPrefix`?\n  Host(`a.test`) && Pathprefix(`/x`)\n                    ^^^^^^^^^^";
    let mut half = broken(
        router("Host(`half.example.com`)", "shop", &[], true),
        Status::Warning,
        "entryPoint \"websceure\" doesn't exist; did you mean `websecure`?",
    );
    Arc::make_mut(&mut half.router).entry_points.push("websceure".to_owned());
    let all = [
        (
            "admin@file",
            broken(
                router("Host(`admin.example.com`)", "shop", &["two-factor@file"], true),
                Status::Disabled,
                "middleware \"two-factor@file\" does not exist",
            ),
        ),
        ("half@file", half),
        (
            "lost@file",
            broken(
                router("Host(`lost.example.com`)", "nowhere", &[], false),
                Status::Disabled,
                "the service \"nowhere@file\" does not exist",
            ),
        ),
        (
            "typo@file",
            broken(
                router("Host(`a.test`) && Pathprefix(`/x`)", "shop", &[], false),
                Status::Disabled,
                caret,
            ),
        ),
        (
            "<img src=x onerror=\"document.title='broken in'\">@file",
            router("Host(`<script>document.title='broken in'</script>`)", "shop", &[], false),
        ),
    ];
    runtime.routers.extend(all.map(|(name, one)| (name.to_owned(), one)));
    let mut slow = balancer(&["http://10.0.2.11:9000", "http://10.0.2.12:9000"]);
    slow.health = Some(Arc::new(Down("http://10.0.2.12:9000")));
    let without = ServiceInfo {
        status: Status::Warning,
        errors: names(&["no server; requests are answered with 503"]),
        ..balancer(&[])
    };
    runtime.services.extend([("slow@file".to_owned(), slow), ("empty@file".to_owned(), without)]);
    let limit = Middleware::Unserved(BTreeMap::from([(
        "rateLimit".to_owned(),
        serde_json::json!({"average": 100, "burst": 50}),
    )]));
    let limit = MiddlewareInfo {
        status: Status::Disabled,
        errors: names(&["rateLimit is not served yet; routers that use it are closed"]),
        ..middleware(limit)
    };
    runtime.middlewares.insert("limit@file".to_owned(), limit);
    runtime.diagnostics = vec![
        Diagnostic {
            severity: Severity::Error,
            object: "file manifests/shop.yaml".to_owned(),
            field: String::new(),
            message: "did not find expected key; the last good state stays".to_owned(),
            place: Some(Place { file: "manifests/shop.yaml".into(), line: 14 }),
        },
        Diagnostic {
            severity: Severity::Warning,
            object: "Service default/whoami".to_owned(),
            field: "spec.ports[0].targetPort".to_owned(),
            message: "no EndpointSlice names this Service yet".to_owned(),
            place: None,
        },
    ];
    link(&mut runtime);
    runtime
}

/// A large table: one router in fifty has an error.
pub(super) fn large(routers: usize) -> Runtime {
    let mut runtime = working();
    for number in 0..routers {
        let rule = format!("Host(`tenant-{number}.example.com`) && PathPrefix(`/app`)");
        let mut one = router(&rule, "shop", &["auth@file"], number % 2 == 0);
        if number % 50 == 7 {
            one = broken(one, Status::Disabled, "middleware \"tenant-auth@file\" does not exist");
        }
        runtime.routers.insert(format!("tenant-{number:05}@file"), one);
    }
    link(&mut runtime);
    runtime
}

/// A server that takes no requests, by its URL.
#[derive(Debug)]
struct Down(&'static str);

impl ServerHealth for Down {
    fn is_up(&self, url: &str) -> bool {
        url != self.0
    }
}
