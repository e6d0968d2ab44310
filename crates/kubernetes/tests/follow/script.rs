//! Objects at random: few names, so that they refer to each other, miss each other and clash.

use portway_kubernetes::api::{self, Object};
use portway_model::yaml;
use portway_testkit::random::Random;

/// With names such as `b-c` and `c`, objects of different namespaces have one name in the configuration.
const NAMESPACES: [&str; 3] = ["a", "a-b", "default"];
const NAMES: [&str; 4] = ["b-c", "c", "default", "web"];
const GROUPS: [&str; 3] = ["traefik.io", "traefik.io", "traefik.containo.us"];
const PORTS: [&str; 4] = ["80", "81", "web", "443"];

/// What the text of an object is made of.
pub(crate) struct Writer<'r> {
    pub(crate) random: &'r mut Random,
}

impl Writer<'_> {
    /// An object of any kind.
    pub(crate) fn object(&mut self) -> Object {
        let text = match self.random.below(28) {
            0..=5 => self.ingress_route(),
            6..=9 => self.ingress(),
            10 | 11 => self.middleware(),
            12 => self.traefik_service(),
            13 => self.servers_transport(),
            14 => self.tls_option(),
            15 => self.tls_store(),
            16 => self.unserved(),
            17 | 18 => self.service(),
            19 | 20 => self.slice(),
            21 => self.endpoints(),
            22 => self.node(),
            23 | 24 => self.secret(),
            25 => self.config_map(),
            _ => self.ingress_class(),
        };
        let file = if self.random.once_in(2) { "objects.yaml" } else { "" };
        let documents = yaml::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let object = api::read(&documents[0].node, file).remove(0);
        object.unwrap_or_else(|refusal| panic!("{refusal:?}\n{text}"))
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        self.random.pick::<&str>(choices)
    }

    fn name(&mut self) -> &'static str {
        self.pick(&NAMES)
    }

    /// One of the texts, or mostly none.
    fn rarely(&mut self, choices: &[&'static str]) -> &'static str {
        if self.random.once_in(4) { self.pick(choices) } else { "" }
    }

    fn metadata(&mut self, more: &str) -> String {
        let created = self.pick(&[
            "",
            "2020-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z",
            "2021-01-01T00:00:00Z",
        ]);
        let created = if created.is_empty() {
            String::new()
        } else {
            format!(", creationTimestamp: {created}")
        };
        let (namespace, name) = (self.pick(&NAMESPACES), self.name());
        format!("metadata: {{name: {name}, namespace: {namespace}{created}{more}}}\n")
    }

    fn traefik(&mut self, kind: &str, spec: &str) -> String {
        let (group, metadata) = (self.pick(&GROUPS), self.metadata(""));
        format!("apiVersion: {group}/v1alpha1\nkind: {kind}\n{metadata}spec: {spec}\n")
    }

    fn core(&mut self, api: &str, kind: &str, more: &str, rest: &str) -> String {
        let metadata = self.metadata(more);
        format!("apiVersion: {api}\nkind: {kind}\n{metadata}{rest}\n")
    }

    fn reference(&mut self) -> String {
        let (name, port) = (self.pick(&["c", "web", "web", "webb", "b-c"]), self.pick(&PORTS));
        let more = self.rarely(&[
            ", kind: TraefikService",
            ", namespace: a",
            ", namespace: a-b",
            ", nativeLB: true",
            ", nodePortLB: true",
            ", scheme: https",
            ", passHostHeader: false",
            ", serversTransport: c",
            ", colour: blue",
        ]);
        format!("{{name: {name}, port: {port}{more}}}")
    }

    fn references(&mut self) -> String {
        let some: Vec<_> = (0..1 + self.random.below(2)).map(|_| self.reference()).collect();
        some.join(", ")
    }

    fn ingress_route(&mut self) -> String {
        let mut routes = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let host = self.pick(&["a", "b", "c"]);
            let (services, kind) = (self.references(), self.pick(&["Rule", "Rule", "Rule", "Odd"]));
            let more = self.rarely(&[
                ", middlewares: [{name: c}, {name: web, namespace: a}]",
                ", middlewares: [{name: c@file}]",
                ", priority: 7",
                ", priority: high",
            ]);
            routes.push(format!(
                "{{match: Host(`{host}`), kind: {kind}, services: [{services}]{more}}}"
            ));
        }
        let more = self.rarely(&[
            ", tls: {secretName: web}",
            ", tls: {secretName: c, options: {name: c}}",
            ", tls: {options: {name: web, namespace: a}}",
            ", parentRefs: [{name: web}]",
            ", parentRefs: [{name: c}, {name: b-c, namespace: a}]",
            ", ingressClassName: other",
        ]);
        let spec = format!("{{routes: [{}]{more}}}", routes.join(", "));
        self.traefik("IngressRoute", &spec)
    }

    fn ingress(&mut self) -> String {
        let annotations = self.rarely(&[
            ", annotations: {kubernetes.io/ingress.class: traefik}",
            ", annotations: {kubernetes.io/ingress.class: other}",
            ", annotations: {traefik.ingress.kubernetes.io/router.middlewares: x@file}",
            ", annotations: {traefik.ingress.kubernetes.io/router.pathmatcher: Odd}",
        ]);
        let class = self.pick(&["", "", "ingressClassName: web, ", "ingressClassName: traefik, "]);
        let tls = self.rarely(&["tls: [{secretName: web}], ", "tls: [{secretName: c}], "]);
        let backend = |writer: &mut Self| {
            let name = writer.pick(&["c", "web", "webb"]);
            let port = writer.pick(&["number: 80", "name: web", "number: 81"]);
            format!("{{service: {{name: {name}, port: {{{port}}}}}}}")
        };
        let spec = if self.random.once_in(3) {
            match self.random.once_in(5) {
                true => "defaultBackend: {resource: {kind: Bucket, name: b}}".to_owned(),
                false => format!("defaultBackend: {}", backend(self)),
            }
        } else {
            let mut paths = Vec::new();
            for _ in 0..1 + self.random.below(2) {
                let (path, kind) =
                    (self.pick(&["/", "/x", "/x/"]), self.pick(&["Prefix", "Exact"]));
                let backend = backend(self);
                paths.push(format!("{{path: {path}, pathType: {kind}, backend: {backend}}}"));
            }
            let host = self.pick(&["", "host: x.com, "]);
            format!("rules: [{{{host}http: {{paths: [{}]}}}}]", paths.join(", "))
        };
        let spec = format!("spec: {{{class}{tls}{spec}}}");
        self.core("networking.k8s.io/v1", "Ingress", annotations, &spec)
    }

    fn middleware(&mut self) -> String {
        let reference = self.reference();
        let spec = match self.random.below(5) {
            0 => "{addPrefix: {prefix: /x}}".to_owned(),
            1 => "{basicAuth: {secret: web}}".to_owned(),
            2 => "{chain: {middlewares: [{name: c}, {name: web, namespace: a}]}}".to_owned(),
            3 => "{addPrefix: {prefix: 1, odd: 2}}".to_owned(),
            _ => format!("{{errors: {{status: ['500'], query: /x, service: {reference}}}}}"),
        };
        self.traefik("Middleware", &spec)
    }

    fn traefik_service(&mut self) -> String {
        let (references, reference) = (self.references(), self.reference());
        let spec = match self.random.below(3) {
            0 => format!("{{weighted: {{services: [{references}]}}}}"),
            1 => format!("{{mirroring: {{name: web, port: 80, mirrors: [{reference}]}}}}"),
            _ => "{}".to_owned(),
        };
        self.traefik("TraefikService", &spec)
    }

    fn servers_transport(&mut self) -> String {
        let spec = self.pick(&[
            "{serverName: x}",
            "{rootCAs: [{secret: web}, {configMap: web}]}",
            "{certificatesSecrets: [web], rootCAsSecrets: [c]}",
        ]);
        self.traefik("ServersTransport", spec)
    }

    fn tls_option(&mut self) -> String {
        let spec = self.pick(&[
            "{minVersion: VersionTLS13}",
            "{clientAuth: {secretNames: [web], clientAuthType: RequireAndVerifyClientCert}}",
        ]);
        self.traefik("TLSOption", spec)
    }

    fn tls_store(&mut self) -> String {
        let spec = self.pick(&[
            "{}",
            "{defaultCertificate: {secretName: web}}",
            "{certificates: [{secretName: web}, {secretName: c}]}",
        ]);
        self.traefik("TLSStore", spec)
    }

    fn unserved(&mut self) -> String {
        self.traefik("IngressRouteTCP", "{routes: [{match: HostSNI(`*`), services: []}]}")
    }

    fn service(&mut self) -> String {
        let annotations = self.rarely(&[
            ", annotations: {traefik.ingress.kubernetes.io/service.serversscheme: https}",
            ", annotations: {traefik.ingress.kubernetes.io/service.serversscheme: odd}",
            ", annotations: {traefik.ingress.kubernetes.io/service.nodeportlb: 'true'}",
        ]);
        let spec = self.pick(&[
            "{ports: [{name: web, port: 80}]}",
            "{ports: [{name: web, port: 80}, {name: s, port: 443}], clusterIP: 10.9.9.9}",
            "{type: NodePort, ports: [{name: web, port: 80, nodePort: 30080}]}",
            "{type: ExternalName, externalName: x.com, ports: [{port: 80}]}",
            "{ports: [{name: web, port: many}]}",
        ]);
        self.core("v1", "Service", annotations, &format!("spec: {spec}"))
    }

    fn slice(&mut self) -> String {
        let label = self.pick(&["c", "web", "web", "b-c"]);
        let labels = match self.random.once_in(8) {
            true => String::new(),
            false => format!(", labels: {{kubernetes.io/service-name: {label}}}"),
        };
        let address = self.pick(&["10.0.0.1", "10.0.0.2"]);
        let ready = self.pick(&["true", "false"]);
        let port = self.pick(&["80", "8080", "many"]);
        let rest = format!(
            "addressType: IPv4\nports: [{{name: web, port: {port}}}, {{name: '', port: 81}}]\n\
             endpoints: [{{addresses: [{address}], conditions: {{ready: {ready}}}}}]"
        );
        self.core("discovery.k8s.io/v1", "EndpointSlice", &labels, &rest)
    }

    fn endpoints(&mut self) -> String {
        let address = self.pick(&["10.2.0.1", "10.2.0.2"]);
        let rest = format!(
            "subsets: [{{addresses: [{{ip: {address}}}], ports: [{{name: web, port: 80}}]}}]"
        );
        self.core("v1", "Endpoints", "", &rest)
    }

    fn node(&mut self) -> String {
        let address = self.pick(&["InternalIP, address: 10.3.0.1", "ExternalIP, address: 1.1.1.1"]);
        let rest = format!("status: {{addresses: [{{type: {address}}}]}}");
        self.core("v1", "Node", "", &rest)
    }

    fn secret(&mut self) -> String {
        let labels = self.rarely(&[", labels: {owner: helm}"]);
        let rest = self.pick(&[
            "data: {tls.crt: eA==, tls.key: eQ==}",
            "data: {tls.crt: eA==, tls.key: eQ==}",
            "data: {tls.crt: eg==, tls.key: eQ==, ca.crt: eA==}",
            "data: {tls.crt: eA==}",
            "data: {users: dTpw}",
            "data: {users: '!'}",
        ]);
        self.core("v1", "Secret", labels, rest)
    }

    fn config_map(&mut self) -> String {
        let rest = self.pick(&["data: {ca.crt: x}", "data: {ca.crt: y}", "data: {other: y}"]);
        self.core("v1", "ConfigMap", "", rest)
    }

    fn ingress_class(&mut self) -> String {
        let controller = self.pick(&["traefik.io/ingress-controller", "other.io/controller"]);
        let name = self.pick(&["web", "traefik", "webb"]);
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {{name: {name}}}\n\
             spec: {{controller: {controller}}}\n"
        )
    }
}
