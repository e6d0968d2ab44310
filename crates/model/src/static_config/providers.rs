//! Where the dynamic configuration comes from.

use crate::Period;

use super::RuleSyntax;

/// Where the dynamic configuration comes from. Traefik: `providers`.
#[derive(Clone, Debug, PartialEq)]
pub struct Providers {
    /// Files in Traefik's own format.
    pub file: Option<FileProvider>,
    /// Traefik's own kinds in a cluster.
    pub kubernetes_crd: Option<KubernetesCrd>,
    /// A folder of Kubernetes objects; Portway's own.
    pub kubernetes_manifests: Option<KubernetesManifests>,
    /// Ingresses of a cluster.
    pub kubernetes_ingress: Option<KubernetesIngress>,
    /// How long changes are gathered after one was used. Traefik's default is 2 s; Portway's is 300 ms, so
    /// that a saved file is live within a second. The first change after a quiet time is used at once.
    pub providers_throttle_duration: Period,
}

impl Default for Providers {
    fn default() -> Self {
        Self {
            file: None,
            kubernetes_crd: None,
            kubernetes_manifests: None,
            kubernetes_ingress: None,
            providers_throttle_duration: Period::milliseconds(300),
        }
    }
}

/// Files in Traefik's own format. Traefik: `providers.file`.
#[derive(Clone, Debug, PartialEq)]
pub struct FileProvider {
    /// One file; ignored where a directory is given.
    pub filename: String,
    /// A directory, read with all its directories.
    pub directory: String,
    /// Whether changes are followed, default yes.
    pub watch: bool,
}

impl Default for FileProvider {
    fn default() -> Self {
        Self { filename: String::new(), directory: String::new(), watch: true }
    }
}

/// A folder of Kubernetes objects, read as if it had been applied to a cluster. Portway's own
/// `providers.kubernetesManifests`.
#[derive(Clone, Debug, PartialEq)]
pub struct KubernetesManifests {
    /// The folder, read with all its folders.
    pub directory: String,
    /// Whether changes are followed, default yes.
    pub watch: bool,
    /// How the objects are read.
    pub objects: KubernetesObjects,
    /// Whether a path of an Ingress of type `Prefix` matches whole elements only, default no.
    pub strict_prefix_matching: bool,
    /// The syntax of rules that name none: `core.defaultRuleSyntax`.
    pub default_rule_syntax: RuleSyntax,
}

impl Default for KubernetesManifests {
    fn default() -> Self {
        Self {
            directory: String::new(),
            watch: true,
            objects: KubernetesObjects::default(),
            strict_prefix_matching: false,
            default_rule_syntax: RuleSyntax::default(),
        }
    }
}

impl KubernetesManifests {
    /// How the folder's Ingresses are read: as a cluster's are with the same options.
    pub fn ingress(&self) -> KubernetesIngress {
        KubernetesIngress {
            objects: self.objects.clone(),
            strict_prefix_matching: self.strict_prefix_matching,
            default_rule_syntax: self.default_rule_syntax,
            ..KubernetesIngress::default()
        }
    }
}

/// Traefik's own kinds in a cluster. Traefik: `providers.kubernetesCRD`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KubernetesCrd {
    /// How the API server is reached.
    pub connection: ClusterConnection,
    /// How the objects are read.
    pub objects: KubernetesObjects,
    /// How long changes are gathered before the objects are read again; endpoints do not wait. Default none.
    pub throttle_duration: Period,
    /// Whether cluster-wide kinds are left alone, for roles that may not read them. Default no.
    pub disable_cluster_scope_resources: bool,
}

/// How the API server of a cluster is reached. Traefik: the fields of the same names under
/// `providers.kubernetesCRD` and `providers.kubernetesIngress`.
///
/// Inside a cluster all of it may be empty: the Pod's own account is used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterConnection {
    /// The API server's URL; empty means that of the cluster around, or of the file in `KUBECONFIG`.
    pub endpoint: String,
    /// A bearer token, or the path of a file with one.
    pub token: String,
    /// The path of a file with the authority of the API server's certificate.
    pub cert_auth_file_path: String,
}

/// Ingresses of a cluster. Traefik: `providers.kubernetesIngress`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KubernetesIngress {
    /// How the API server is reached.
    pub connection: ClusterConnection,
    /// How the objects are read. An Ingress cannot refer to other namespaces, so `allow_cross_namespace` has no
    /// part in it; `label_selector` chooses among Ingresses.
    pub objects: KubernetesObjects,
    /// What to write into the status of Ingresses; `None` means nothing.
    pub ingress_endpoint: Option<IngressEndpoint>,
    /// How long to wait after a change was handled, gathering others; default not at all.
    pub throttle_duration: Period,
    /// Whether no IngressClass is looked up, so that no Ingress with `spec.ingressClassName` is served.
    /// Deprecated for `disable_cluster_scope_resources`.
    pub disable_ingress_class_lookup: bool,
    /// Whether neither IngressClasses nor Nodes are looked up.
    pub disable_cluster_scope_resources: bool,
    /// Whether a path of type `Prefix` matches whole elements only, as Kubernetes defines it; default no.
    pub strict_prefix_matching: bool,
    /// Whether the Nodes' internal addresses are written into the status of Ingresses.
    pub report_node_internal_ips: bool,
    /// The syntax of rules that name none: `core.defaultRuleSyntax`.
    pub default_rule_syntax: RuleSyntax,
}

/// What to write into the status of Ingresses. Traefik: `providers.kubernetesIngress.ingressEndpoint`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IngressEndpoint {
    /// An IP address to write as it is.
    pub ip: String,
    /// A host name to write as it is.
    pub hostname: String,
    /// `namespace/name` of a Service whose addresses are copied; wins over the others.
    pub published_service: String,
}

/// How Kubernetes objects are read, whatever they come from. Traefik: the fields of the same names under
/// `providers.kubernetesCRD`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KubernetesObjects {
    /// Namespaces to read; empty means all.
    pub namespaces: Vec<String>,
    /// Whether an object may refer to objects of other namespaces.
    pub allow_cross_namespace: bool,
    /// Whether Services of type ExternalName may be used.
    pub allow_external_name_services: bool,
    /// Whether a Service without endpoints yields a service that answers 503 rather than an error.
    pub allow_empty_services: bool,
    /// The value of `kubernetes.io/ingress.class` to read; empty means objects without one or with
    /// `traefik`.
    pub ingress_class: String,
    /// Whether Services are reached by their cluster address unless they say otherwise.
    pub native_lb_by_default: bool,
    /// Namespaces whose objects may refer to other providers; `None` means all.
    pub cross_provider_namespaces: Option<Vec<String>>,
    /// A Kubernetes label selector that Traefik's own kinds must satisfy; empty means all.
    pub label_selector: String,
    /// Whether what is made of custom resources has names that cannot collide.
    pub safe_naming: bool,
    /// The namespace whose TLSOption and TLSStore named `default` count; empty means any.
    pub default_tls_resources_namespace: String,
}
