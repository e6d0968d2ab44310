use super::*;
use crate::static_config::{Level, Protocol, RuleSyntax};

/// The arguments that Traefik's Helm chart gives by default.
const CHART: &[&str] = &[
    "--global.checkNewVersion",
    "--global.sendAnonymousUsage=false",
    "--entryPoints.metrics.address=:9100/tcp",
    "--entryPoints.traefik.address=:8080/tcp",
    "--entryPoints.web.address=:8000/tcp",
    "--entryPoints.websecure.address=:8443/tcp",
    "--api.dashboard=true",
    "--ping=true",
    "--metrics.prometheus=true",
    "--metrics.prometheus.entrypoint=metrics",
    "--providers.kubernetescrd",
    "--providers.kubernetescrd.allowEmptyServices=true",
    "--providers.kubernetesingress",
    "--providers.kubernetesingress.allowEmptyServices=true",
    "--providers.kubernetesingress.ingressendpoint.publishedservice=default/traefik",
    "--entryPoints.websecure.http.tls=true",
    "--log.level=INFO",
];

fn flags(arguments: &[&str]) -> (StaticConfig, Vec<String>) {
    shown(assemble([from_flags(arguments.iter().copied())]))
}

fn environment(variables: &[(&str, &str)]) -> (StaticConfig, Vec<String>) {
    shown(assemble([from_environment(variables.iter().copied())]))
}

fn shown((config, diagnostics): (StaticConfig, Vec<Diagnostic>)) -> (StaticConfig, Vec<String>) {
    let line = |d: &Diagnostic| match d.severity {
        Severity::Error => format!("error: {d}"),
        Severity::Warning => format!("warning: {d}"),
    };
    (config, diagnostics.iter().map(line).collect())
}

/// What one flag beside an entry point is answered with.
#[track_caller]
fn check(argument: &str, expected: &str) {
    let (_, messages) = flags(&["--entryPoints.web.address=:8000", argument]);
    assert_eq!(messages, [expected], "{argument}");
}

#[test]
fn the_arguments_of_traefiks_chart_start_portway() {
    let (config, messages) = flags(CHART);
    let names: Vec<_> = config.entry_points.keys().map(String::as_str).collect();
    assert_eq!(names, ["metrics", "traefik", "web", "websecure"]);
    assert!(config.entry_points["websecure"].http.tls.is_some());
    assert_eq!(config.entry_points["web"].address.port, 8000);
    assert_eq!(config.log.level, Level::Info);
    assert!(config.ping.is_some() && config.api.is_some_and(|api| !api.insecure));
    assert_eq!(
        messages,
        [
            "warning: options: options of Traefik that this version of Portway does not serve yet and that \
          have no effect: `metrics.prometheus.entryPoint`"
        ]
    );
}

#[test]
fn flags_are_read_in_any_letter_case_with_one_dash_or_two() {
    let (config, messages) = flags(&[
        "-ENTRYPOINTS.Web.ADDRESS=:1/TCP",
        "--entrypoints.web.asdefault",
        "--log.level",
        "debug",
        "--API",
        "--api.basepath=/x",
    ]);
    assert_eq!(messages, [""; 0]);
    assert!(config.entry_points["Web"].as_default);
    assert_eq!(config.entry_points["Web"].address.protocol, Protocol::Tcp);
    assert_eq!(config.log.level, Level::Debug);
    assert_eq!(config.api.unwrap().base_path, "/x");
}

#[test]
fn lists_stand_behind_commas_or_places() {
    let (config, messages) = flags(&[
        "--entryPoints.web.address=:80",
        "--entryPoints.web.http.middlewares=a@file, b@file",
        "--entryPoints.web.forwardedHeaders.trustedIPs[1]=10.0.0.0/8",
        "--entryPoints.web.forwardedHeaders.trustedIPs[0]=::1",
        "--entryPoints.web.http.tls.domains[0].main=a.test",
        "--entryPoints.web.http.tls.domains[0].sans=b.test,c.test",
    ]);
    assert_eq!(messages, [""; 0]);
    let web = &config.entry_points["web"];
    assert_eq!(web.http.middlewares, ["a@file", "b@file"]);
    assert_eq!(web.forwarded_headers.trusted_ips, ["::1", "10.0.0.0/8"]);
    let domains = &web.http.tls.as_ref().unwrap().domains;
    assert_eq!(domains[0].sans, ["b.test", "c.test"]);
}

#[test]
fn the_last_of_a_flag_counts_and_false_switches_a_group_off() {
    let (config, messages) = flags(&[
        "--entryPoints.web.address=:80",
        "--entryPoints.web.address=:81",
        "--api=false",
        "--api.insecure",
    ]);
    assert_eq!(messages, [""; 0]);
    assert_eq!(config.entry_points["web"].address.port, 81);
    assert!(config.api.is_none());
}

#[test]
fn an_unknown_option_names_the_nearest() {
    check(
        "--entrypoints.web.addres=:1",
        "error: flags, --entrypoints.web.addres: unknown option; did you mean `entryPoints.web.address`?",
    );
    check(
        "--provider.file.directory=x",
        "error: flags, --provider.file.directory: unknown option; did you mean `providers.file.directory`?",
    );
    check("extra", "error: flags: unexpected argument `extra`; options begin with `--`");
    check("--log.level", "error: flags, --log.level: needs a value: `--log.level=…`");
    check(
        "--providers.file",
        "error: flags, --providers.file: `providers.file` says nothing by itself; give one of its options",
    );
    check(
        "--pilot.token=x",
        "error: flags, --pilot.token: Traefik Pilot has ended and Traefik 3 has no `pilot`; remove it",
    );
}

#[test]
fn a_wrong_value_is_reported_with_what_was_expected() {
    check(
        "--api.dashboard=maybe",
        "error: flags, --api.dashboard: expected a boolean (`true` or `false`), found `maybe`",
    );
    check(
        "--entryPoints.web.transport.respondingTimeouts.readTimeout=abc",
        "error: flags, --entryPoints.web.transport.respondingTimeouts.readTimeout: expected a duration such as `30s`, `250ms` or a number of seconds, found `abc`",
    );
    check(
        "--entryPoints.web.address=8000",
        "error: flags, --entryPoints.web.address: `8000` is no address; write `[host]:port`, such as `:8000` or `127.0.0.1:8000/tcp`",
    );
    check(
        "--entryPoints.other",
        "error: flags, --entryPoints.other.address: is missing; write `[host]:port`, such as `:8000`",
    );
    check(
        "--entryPoints.web.forwardedHeaders.trustedIPs=foo",
        "error: flags, --entryPoints.web.forwardedHeaders.trustedIPs: expected addresses such as `10.0.0.1` or networks such as `10.0.0.0/8`, found `foo`",
    );
    check(
        "--core.defaultRuleSyntax=v4",
        "error: flags, --core.defaultRuleSyntax: expected one of `v2`, `v3`, found `v4`",
    );
    check(
        "--errorPages.htm=a",
        "error: flags, --errorPages.htm: unknown option; did you mean `errorPages.html`?",
    );
    check(
        "--proxyStatus=maybe",
        "error: flags, --proxyStatus: expected fields or a boolean, found `maybe`",
    );
    check("--workers=0", "error: flags, --workers: expected a number of threads from 1, found `0`");
    check(
        "--ping.entryPoint=wbe",
        "warning: flags, --ping.entryPoint: there is no entry point `wbe`; did you mean `web`?",
    );
    check(
        "--providers.file.watch",
        "error: flags, --providers.file: needs `directory` or `filename`: neither is given",
    );
}

#[test]
fn names_with_underscores_have_one_strategy() {
    let strategies = |underscores: &str, aliases: &str| {
        let of = |name: &str, value: &str| format!("--entryPoints.w.http.{name}={value}");
        let underscores = of("underscoreHeadersStrategy", underscores);
        flags(&["--entryPoints.w.address=:1", &underscores, &of("aliasHeadersStrategy", aliases)]).1
    };
    assert_eq!(strategies("delete", "delete"), [""; 0]);
    assert_eq!(strategies("", "delete"), [""; 0]);
    for (underscores, aliases) in [("delete", "reject"), ("keep", "delete")] {
        let [problem] = &strategies(underscores, aliases)[..] else { panic!("not one problem") };
        assert!(problem.starts_with("error: "), "{problem}");
        assert!(problem.contains("`underscoreHeadersStrategy`"), "{problem}");
    }
}

#[test]
fn an_entry_point_of_udp_is_named_among_what_is_not_served() {
    let (_, problems) = flags(&["--entryPoints.w.address=127.0.0.3:34760/UDP"]);
    let [problem] = &problems[..] else { panic!("not one problem: {problems:?}") };
    assert!(problem.starts_with("warning: "), "{problem}");
    assert!(problem.ends_with(": `entryPoints.w.address=127.0.0.3:34760/UDP`"), "{problem}");
}

#[test]
fn what_clients_are_told_of_errors_is_off_until_it_is_set() {
    let told = |arguments: &[&str]| {
        let (config, messages) = flags(arguments);
        assert_eq!(messages, Vec::<String>::new());
        let pages = config.error_pages.map(|pages| [pages.html, pages.json]);
        (pages, config.proxy_status.map(|status| status.name))
    };
    let texts = |texts: [&str; 2]| Some(texts.map(str::to_owned));
    assert_eq!(told(&[]), (None, None));
    assert_eq!(told(&["--errorPages=false", "--proxyStatus=false"]), (None, None));
    let both = told(&["--errorPages", "--proxyStatus"]);
    assert_eq!(both, (texts(["", ""]), Some("portway".to_owned())));
    let both = told(&["--errorpages.json=/a", "--proxystatus.name=edge"]);
    assert_eq!(both, (texts(["", "/a"]), Some("edge".to_owned())));
}

#[test]
fn variables_are_options_and_portways_count_over_traefiks() {
    let (config, messages) = environment(&[
        ("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ":1"),
        ("PORTWAY_ENTRYPOINTS_WEB_ADDRESS", ":2"),
        ("TRAEFIK_ENTRYPOINTS_WEB_HTTP_TLS_DOMAINS_0_MAIN", "a.test"),
        ("TRAEFIK_CORE_DEFAULTRULESYNTAX", "v2"),
        ("TRAEFIK_PING", "true"),
        ("PATH", "/bin"),
    ]);
    assert_eq!(messages, [""; 0]);
    assert_eq!(config.entry_points["web"].address.port, 2);
    assert_eq!(config.entry_points["web"].http.tls.as_ref().unwrap().domains[0].main, "a.test");
    assert_eq!(config.core.default_rule_syntax, RuleSyntax::V2);
    assert_eq!(config.entry_points["traefik"].address.port, 8080);
}

#[test]
fn variables_of_kubernetes_services_are_no_options() {
    let (_, messages) = environment(&[
        ("TRAEFIK_SERVICE_HOST", "10.0.0.1"),
        ("TRAEFIK_PORT", "tcp://10.0.0.1:80"),
        ("TRAEFIK_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("TRAEFIK_API_SERVICE_PORT_WEB", "80"),
        ("PORTWAY_METRICS_PORT_9100_TCP", "tcp://10.0.0.1:9100"),
        ("TRAEFIK_COLOUR", "red"),
        ("TRAEFIK_API_INSECUR", "true"),
        ("TRAEFIK_ENTRYPOINT_WEB_ADDRESS", ":80"),
    ]);
    assert_eq!(
        messages,
        [
            "error: environment, TRAEFIK_API_INSECUR: unknown option; did you mean `api.insecure`?",
            "warning: environment, TRAEFIK_COLOUR: is passed over: there is no option `colour`",
            "error: environment, TRAEFIK_ENTRYPOINT_WEB_ADDRESS: unknown option; did you mean `entryPoints.web.address`?",
        ]
    );
}

#[test]
fn flags_go_over_environment_over_file() {
    let text = "entryPoints:\n  Web: {address: ':1', asDefault: true}\n  b: {address: ':10'}\napi: {dashboard: false}\nlog: {level: WARN}\n";
    let file = from_file("portway.yml", text).unwrap();
    let environment = from_environment([
        ("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ":2"),
        ("TRAEFIK_LOG_LEVEL", "INFO"),
    ]);
    let flags = from_flags(["--entryPoints.web.address=:3", "--api"]);
    let (config, messages) = shown(assemble([file, environment, flags]));
    assert_eq!(messages, [""; 0]);
    assert_eq!(config.entry_points.keys().collect::<Vec<_>>(), ["Web", "b"]);
    assert_eq!(config.entry_points["Web"].address.port, 3);
    assert!(config.entry_points["Web"].as_default);
    assert!(!config.api.unwrap().dashboard);
    assert_eq!(config.log.level, Level::Info);
}

#[test]
fn a_file_names_its_lines() {
    let (_, messages) = shown(assemble([from_file(
        "a.yml",
        "entryPoints:\n  web:\n    addres: ':80'\n    asDefault: maybe\nproviders: {docker: {}}\n",
    )
    .unwrap()]));
    assert_eq!(
        messages,
        [
            "error: file a.yml, entryPoints.web.addres: unknown option; did you mean `entryPoints.web.address`? (a.yml:3)",
            "warning: options: options of Traefik that this version of Portway does not serve yet and that have no effect: `providers.docker`",
            "error: options, entryPoints.web.address: is missing; write `[host]:port`, such as `:8000`",
            "error: file a.yml, entryPoints.web.asDefault: expected a boolean (`true` or `false`), found `maybe` (a.yml:4)",
        ]
    );
    let fault = from_file("a.toml", "a = 1\nb = \n").unwrap_err();
    assert_eq!(fault.place.unwrap().line, 2);
    assert!(from_file("a.json", "{}").is_err());
    assert!(from_file("a.yml", "log: {}\n---\nlog: {}\n").is_err());
}

#[test]
fn a_group_without_a_value_is_absent_in_a_file() {
    let source = from_file("a.yml", "ping:\napi: {}\nlog:\nentryPoints: {web: {address: ':80'}}\n");
    let (config, messages) = shown(assemble([source.unwrap()]));
    assert_eq!(messages, [""; 0]);
    assert!(config.ping.is_none() && config.api.is_some());
}

#[test]
fn entry_points_exist_by_default() {
    let (config, _) = flags(&[]);
    assert_eq!(config.entry_points["http"].address.to_string(), ":80");
    assert_eq!(config.entry_points.len(), 1);
    let (config, _) = flags(&["--entryPoints.web.address=:81", "--api.insecure"]);
    assert_eq!(config.entry_points["traefik"].address.to_string(), ":8080");
    assert_eq!(config.default_entry_points(), ["web"]);
    let (config, _) = flags(&[
        "--entryPoints.a.address=:1",
        "--entryPoints.b.address=:2",
        "--entryPoints.b.asDefault",
    ]);
    assert_eq!(config.default_entry_points(), ["b"]);
}

#[test]
fn options_of_the_ingress_provider_are_read() {
    let (config, messages) = flags(&[
        "--providers.kubernetesIngress.endpoint=https://10.0.0.1:6443",
        "--providers.kubernetesIngress.token=/token",
        "--providers.kubernetesIngress.certAuthFilePath=/ca.crt",
        "--providers.kubernetesIngress.namespaces=a,b",
        "--providers.kubernetesIngress.labelSelector=app=x",
        "--providers.kubernetesIngress.ingressClass=internal",
        "--providers.kubernetesIngress.ingressEndpoint.publishedService=kube-system/portway",
        "--providers.kubernetesIngress.throttleDuration=2s",
        "--providers.kubernetesIngress.crossProviderNamespaces=",
        "--providers.kubernetesIngress.strictPrefixMatching",
        "--core.defaultRuleSyntax=v2",
    ]);
    assert_eq!(messages, [""; 0]);
    let ingress = config.providers.kubernetes_ingress.unwrap();
    let connection = (
        ingress.connection.endpoint.as_str(),
        ingress.connection.token.as_str(),
        ingress.connection.cert_auth_file_path.as_str(),
    );
    assert_eq!(connection, ("https://10.0.0.1:6443", "/token", "/ca.crt"));
    assert_eq!(ingress.objects.namespaces, ["a", "b"]);
    assert_eq!(ingress.objects.label_selector, "app=x");
    assert_eq!(ingress.objects.ingress_class, "internal");
    assert_eq!(ingress.objects.cross_provider_namespaces, Some(Vec::new()));
    assert_eq!(ingress.ingress_endpoint.unwrap().published_service, "kube-system/portway");
    assert_eq!(ingress.throttle_duration, crate::Period::seconds(2));
    assert!(ingress.strict_prefix_matching && !ingress.objects.allow_empty_services);
    assert_eq!(ingress.default_rule_syntax, RuleSyntax::V2);
    let (config, messages) =
        flags(&["--providers.kubernetesManifests.directory=m", "--core.defaultRuleSyntax=v2"]);
    assert_eq!(messages, [""; 0]);
    let manifests = config.providers.kubernetes_manifests.unwrap();
    assert_eq!(manifests.ingress().default_rule_syntax, RuleSyntax::V2);
}

#[test]
fn options_of_the_crd_provider_are_read() {
    let (config, messages) = flags(&[
        "--providers.kubernetesCRD.endpoint=https://10.0.0.1:6443",
        "--providers.kubernetesCRD.token=/token",
        "--providers.kubernetesCRD.certAuthFilePath=/ca.crt",
        "--providers.kubernetesCRD.namespaces=a,b",
        "--providers.kubernetesCRD.labelSelector=app=x",
        "--providers.kubernetesCRD.ingressClass=internal",
        "--providers.kubernetesCRD.allowCrossNamespace",
        "--providers.kubernetesCRD.allowExternalNameServices",
        "--providers.kubernetesCRD.nativeLBByDefault",
        "--providers.kubernetesCRD.throttleDuration=2s",
        "--providers.kubernetesCRD.disableClusterScopeResources",
    ]);
    assert_eq!(messages, [""; 0]);
    let crd = config.providers.kubernetes_crd.unwrap();
    assert_eq!(crd.connection.endpoint, "https://10.0.0.1:6443");
    assert_eq!((crd.connection.token.as_str(), crd.objects.namespaces.len()), ("/token", 2));
    assert_eq!(crd.connection.cert_auth_file_path, "/ca.crt");
    assert_eq!(crd.objects.label_selector, "app=x");
    assert_eq!(crd.objects.ingress_class, "internal");
    assert!(crd.objects.allow_cross_namespace && crd.objects.allow_external_name_services);
    assert!(crd.objects.native_lb_by_default && crd.disable_cluster_scope_resources);
    assert_eq!(crd.throttle_duration, crate::Period::seconds(2));
}

#[test]
fn a_folder_of_manifests_excludes_the_cluster_that_is_the_same_provider() {
    let (_, messages) =
        flags(&["--providers.kubernetesManifests.directory=m", "--providers.kubernetesCRD"]);
    assert_eq!(
        messages,
        [
            "error: flags, --providers.kubernetesManifests: is the same provider as providers.kubernetesCRD; remove one of the two"
        ]
    );
}

#[test]
fn options_of_the_ingress_provider_that_do_not_fit_are_told() {
    let (_, messages) = flags(&[
        "--providers.kubernetesIngress.reportNodeInternalIPs",
        "--providers.kubernetesIngress.disableClusterScopeResources",
        "--providers.kubernetesIngress.disableIngressClassLookup",
        "--providers.kubernetesIngress.ingressEndpoint.publishedService=portway",
    ]);
    assert_eq!(
        messages,
        [
            "warning: flags, --providers.kubernetesIngress.ingressEndpoint.publishedService: has no effect: expected `namespace/service`, found `portway`",
            "warning: flags, --providers.kubernetesIngress.disableIngressClassLookup: deprecated; use `disableClusterScopeResources`",
            "error: flags, --providers.kubernetesIngress.reportNodeInternalIPs: excludes `ingressEndpoint`: give one of the two",
            "error: flags, --providers.kubernetesIngress.reportNodeInternalIPs: excludes `disableClusterScopeResources`: give one of the two",
        ]
    );
    let (_, messages) = flags(&["--providers.kubernetesIngress.ingressEndpoint.ip="]);
    assert_eq!(
        messages,
        [
            "warning: flags, --providers.kubernetesIngress.ingressEndpoint: has no effect: publishedService or ip or hostname must be defined"
        ]
    );
}

#[test]
fn every_served_option_is_read() {
    // A value that no option takes must be refused, or be found in the configuration.
    for known in known::all().iter().filter(|known| known.served) {
        if ["configFile", "global.checkNewVersion"].contains(&known.path) {
            continue;
        }
        let path = known.path.replace("<name>", "web").replace("[n]", "[0]");
        let base = [
            "--entryPoints.web.address=:8000",
            "--providers.file.directory=d",
            "--entryPoints.web.http.redirections.entryPoint.to=web",
            "--accessLog",
            "--providers.kubernetesManifests.directory=m",
        ];
        let (plain, before) = flags(&base);
        let argument = format!("--{path}=/odd");
        let (changed, after) = flags(&[&base[..], &[argument.as_str()]].concat());
        assert!(plain != changed || before != after, "{path} changes nothing");
    }
}

/// Numbers that look random and are the same each time.
fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap()
}

#[test]
fn no_input_panics_and_the_same_input_gives_the_same_options() {
    let parts = [
        "--",
        "-",
        "=",
        ".",
        "[0]",
        "[",
        "]",
        "[99999999999999999999]",
        "entryPoints",
        "web",
        "address",
        ":80",
        "true",
        "false",
        "api",
        "http",
        "tls",
        "domains",
        "main",
        "providers",
        "plugin",
        "x",
        "accessLog",
        "fields",
        "headers",
        "names",
        "_",
        "TRAEFIK_",
        "PORTWAY_",
        "ENTRYPOINTS_WEB_ADDRESS",
        "ä",
        "",
        " ",
        ",",
        "1s",
        "/udp",
        "{",
        "}",
        ": ",
        "\n  ",
        "- ",
        "null",
        "*",
        "&a",
        "log",
        "level",
        "pilot",
        "experimental",
        "metrics.otlp.http.headers.",
    ];
    let mut seed = 7;
    for _ in 0..400 {
        let mut text = || {
            (0..random(&mut seed) % 9)
                .map(|_| parts[random(&mut seed) % parts.len()])
                .collect::<String>()
        };
        let flags = [text(), text()];
        let variables = [(format!("TRAEFIK_{}", text()), text()), (text(), text())];
        let file = format!("{}\n{}\n{}", text(), text(), text());
        let read = || {
            let file = from_file("a.yml", &file).or_else(|_| from_file("a.toml", &file)).ok();
            let variables =
                from_environment(variables.iter().map(|(a, b)| (a.as_str(), b.as_str())));
            let flags = from_flags(flags.iter().map(String::as_str));
            assemble(file.into_iter().chain([variables, flags]))
        };
        assert_eq!(read(), read());
    }
}

#[test]
fn a_long_name_costs_no_more_than_a_short_one() {
    let long = format!("--entryPoints.{}={}", "a.".repeat(100_000), "b".repeat(100_000));
    let name = format!("--{}", "x".repeat(1_000_000));
    let (_, messages) = flags(&[&long, &name]);
    assert_eq!(messages.len(), 2);
}
