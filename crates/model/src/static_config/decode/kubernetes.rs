//! Providers of Kubernetes objects out of a tree.

use crate::{
    Fields, Node, Problem,
    decode::join,
    static_config::{
        ClusterConnection, IngressEndpoint, KubernetesCrd, KubernetesIngress, KubernetesManifests,
        KubernetesObjects,
    },
};

pub(super) fn manifests(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> KubernetesManifests {
    let mut fields = Fields::open(node, path, problems);
    let manifests = KubernetesManifests {
        directory: fields.string("directory"),
        watch: fields.boolean("watch").unwrap_or(true),
        objects: custom_resources(&mut fields),
        strict_prefix_matching: flag(&mut fields, "strictPrefixMatching"),
        ..KubernetesManifests::default()
    };
    if manifests.directory.is_empty() {
        let message = "needs `directory`, the folder of the manifests";
        problems.push(Problem::error(path, message).at(node.at));
    }
    manifests
}

pub(super) fn crd(node: &Node, path: &str, problems: &mut Vec<Problem>) -> KubernetesCrd {
    let mut fields = Fields::open(node, path, problems);
    KubernetesCrd {
        connection: connection(&mut fields),
        objects: custom_resources(&mut fields),
        throttle_duration: fields.period("throttleDuration").unwrap_or_default(),
        disable_cluster_scope_resources: flag(&mut fields, "disableClusterScopeResources"),
    }
}

pub(super) fn ingress(node: &Node, path: &str, problems: &mut Vec<Problem>) -> KubernetesIngress {
    let mut fields = Fields::open(node, path, problems);
    let provider = KubernetesIngress {
        connection: connection(&mut fields),
        objects: objects(&mut fields),
        ingress_endpoint: fields.section("ingressEndpoint", ingress_endpoint),
        throttle_duration: fields.period("throttleDuration").unwrap_or_default(),
        disable_ingress_class_lookup: flag(&mut fields, "disableIngressClassLookup"),
        disable_cluster_scope_resources: flag(&mut fields, "disableClusterScopeResources"),
        strict_prefix_matching: flag(&mut fields, "strictPrefixMatching"),
        report_node_internal_ips: flag(&mut fields, "reportNodeInternalIPs"),
        ..KubernetesIngress::default()
    };
    if provider.disable_ingress_class_lookup {
        let message = "deprecated; use `disableClusterScopeResources`";
        fields.report("disableIngressClassLookup", Problem::warning, message);
    }
    if provider.report_node_internal_ips {
        for (other, given) in [
            ("ingressEndpoint", provider.ingress_endpoint.is_some()),
            ("disableClusterScopeResources", provider.disable_cluster_scope_resources),
        ] {
            if given {
                let message = format!("excludes `{other}`: give one of the two");
                fields.report("reportNodeInternalIPs", Problem::error, message);
            }
        }
    }
    provider
}

/// The status of Ingresses. Traefik starts with a wrong one and reports it with every Ingress, so it is no
/// reason to stop here.
fn ingress_endpoint(node: &Node, path: &str, problems: &mut Vec<Problem>) -> IngressEndpoint {
    let mut fields = Fields::open(node, path, problems);
    let endpoint = IngressEndpoint {
        ip: fields.string("ip"),
        hostname: fields.string("hostname"),
        published_service: fields.string("publishedService"),
    };
    let service = endpoint.published_service.as_str();
    if service.is_empty() && endpoint.ip.is_empty() && endpoint.hostname.is_empty() {
        let message = "has no effect: publishedService or ip or hostname must be defined";
        problems.push(Problem::warning(path, message).at(node.at));
    } else if !service.is_empty() && service.split('/').count() != 2 {
        let message = format!("has no effect: expected `namespace/service`, found `{service}`");
        problems.push(Problem::warning(join(path, "publishedService"), message).at(node.at));
    }
    endpoint
}

/// How an API server is reached.
fn connection(fields: &mut Fields<'_>) -> ClusterConnection {
    ClusterConnection {
        endpoint: fields.string("endpoint"),
        token: fields.string("token"),
        cert_auth_file_path: fields.string("certAuthFilePath"),
    }
}

/// How custom resources are read.
fn custom_resources(fields: &mut Fields<'_>) -> KubernetesObjects {
    KubernetesObjects {
        allow_cross_namespace: flag(fields, "allowCrossNamespace"),
        safe_naming: flag(fields, "safeNaming"),
        default_tls_resources_namespace: fields.string("defaultTLSResourcesNamespace"),
        ..objects(fields)
    }
}

/// How objects are read, as far as all providers of Kubernetes objects have the options.
fn objects(fields: &mut Fields<'_>) -> KubernetesObjects {
    KubernetesObjects {
        namespaces: fields.strings("namespaces"),
        allow_external_name_services: flag(fields, "allowExternalNameServices"),
        allow_empty_services: flag(fields, "allowEmptyServices"),
        ingress_class: fields.string("ingressClass"),
        native_lb_by_default: flag(fields, "nativeLBByDefault"),
        cross_provider_namespaces: fields
            .present("crossProviderNamespaces")
            .map(|_| fields.strings("crossProviderNamespaces")),
        label_selector: fields.string("labelSelector"),
        ..KubernetesObjects::default()
    }
}

fn flag(fields: &mut Fields<'_>, name: &'static str) -> bool {
    fields.boolean(name).unwrap_or_default()
}
