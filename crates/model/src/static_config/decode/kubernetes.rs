//! The options of the providers that read Kubernetes objects.

use crate::{
    Fields, Node, Problem,
    static_config::{ClusterConnection, KubernetesCrd, KubernetesManifests, KubernetesObjects},
};

pub(super) fn crd(node: &Node, path: &str, problems: &mut Vec<Problem>) -> KubernetesCrd {
    let mut fields = Fields::open(node, path, problems);
    KubernetesCrd {
        connection: connection(&mut fields),
        objects: objects(&mut fields),
        throttle_duration: fields.period("throttleDuration").unwrap_or_default(),
        disable_cluster_scope_resources: fields
            .boolean("disableClusterScopeResources")
            .unwrap_or_default(),
    }
}

pub(super) fn manifests(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> KubernetesManifests {
    let mut fields = Fields::open(node, path, problems);
    let objects = objects(&mut fields);
    let directory = fields.string("directory");
    let watch = fields.boolean("watch").unwrap_or(true);
    if directory.is_empty() {
        let message = "needs `directory`, the folder of the manifests";
        problems.push(Problem::error(path, message).at(node.at));
    }
    KubernetesManifests { directory, watch, objects }
}

fn connection(fields: &mut Fields<'_>) -> ClusterConnection {
    ClusterConnection {
        endpoint: fields.string("endpoint"),
        token: fields.string("token"),
        cert_auth_file_path: fields.string("certAuthFilePath"),
    }
}

fn objects(fields: &mut Fields<'_>) -> KubernetesObjects {
    let mut flag = |name| fields.boolean(name).unwrap_or_default();
    let mut objects = KubernetesObjects {
        allow_cross_namespace: flag("allowCrossNamespace"),
        allow_external_name_services: flag("allowExternalNameServices"),
        allow_empty_services: flag("allowEmptyServices"),
        native_lb_by_default: flag("nativeLBByDefault"),
        ..KubernetesObjects::default()
    };
    objects.namespaces = fields.strings("namespaces");
    objects.ingress_class = fields.string("ingressClass");
    objects.label_selector = fields.string("labelSelector");
    if fields.present("crossProviderNamespaces").is_some() {
        objects.cross_provider_namespaces = Some(fields.strings("crossProviderNamespaces"));
    }
    objects
}
