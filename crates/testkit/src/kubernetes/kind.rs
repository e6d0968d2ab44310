//! The kinds of objects that the server serves, and how each is stored.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::object::text;

/// One kind in one version of its group.
///
/// The flags are what differs between the real server's kinds; a kind that a test installs behaves
/// as a custom resource with a status subresource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// `""` for the core group.
    pub(super) group: String,
    pub(super) version: String,
    pub(super) name: String,
    pub(super) plural: String,
    pub(super) namespaced: bool,
    /// Defined by a CustomResourceDefinition: its items in lists say their kind, and an update must
    /// name the version that it replaces.
    pub(super) custom: bool,
    /// `/status` exists, and writes to the object itself leave the status alone.
    pub(super) status: bool,
    /// `metadata.generation` counts changes of what the user wants.
    pub(super) generation: bool,
    /// An update may leave out `metadata.resourceVersion`.
    pub(super) unconditional: bool,
    /// An update of an object that there is not creates it.
    pub(super) create_on_update: bool,
}

impl Kind {
    /// A kind as a test installs it.
    pub(super) fn custom(api_version: &str, name: &str, plural: &str, namespaced: bool) -> Self {
        let (group, version) = split_api_version(api_version);
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            name: name.to_owned(),
            plural: plural.to_owned(),
            namespaced,
            custom: true,
            status: true,
            generation: true,
            unconditional: false,
            create_on_update: false,
        }
    }

    /// Each served version that a CustomResourceDefinition defines.
    pub(super) fn of_definition(definition: &Value) -> Vec<Self> {
        let group = text(definition, "/spec/group");
        let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
        versions
            .into_iter()
            .flatten()
            .filter(|version| version["served"] == json!(true))
            .map(|version| Self {
                status: version.pointer("/subresources/status").is_some(),
                ..Self::custom(
                    &format!("{group}/{}", text(version, "/name")),
                    text(definition, "/spec/names/kind"),
                    text(definition, "/spec/names/plural"),
                    text(definition, "/spec/scope") == "Namespaced",
                )
            })
            .collect()
    }

    /// The CustomResourceDefinition of a kind that a test installs.
    pub(super) fn definition(&self) -> Value {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": { "name": self.resource() },
            "spec": {
                "group": self.group,
                "scope": if self.namespaced { "Namespaced" } else { "Cluster" },
                "names": {
                    "plural": self.plural,
                    "singular": self.name.to_lowercase(),
                    "kind": self.name,
                    "listKind": format!("{}List", self.name),
                },
                "versions": [{
                    "name": self.version,
                    "served": true,
                    "storage": true,
                    "subresources": { "status": {} },
                    "schema": { "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": true,
                    } },
                }],
            },
        })
    }

    /// `v1`, `traefik.io/v1alpha1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `services`, `middlewares.traefik.io`: what messages and the store call it.
    pub(super) fn resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

/// The kinds that are installed now, by version and plural.
#[derive(Debug)]
pub(super) struct Kinds(BTreeMap<(String, String), Kind>);

impl Kinds {
    /// What a cluster serves before anyone installs anything, as far as Portway reads or writes it.
    pub(super) fn of_a_new_cluster() -> Self {
        let mut kinds = Self(BTreeMap::new());
        for (api_version, name, plural, flags) in BUILT_IN {
            kinds.insert(Kind {
                namespaced: flags.contains('n'),
                custom: false,
                status: flags.contains('s'),
                generation: flags.contains('g'),
                unconditional: flags.contains('u'),
                create_on_update: flags.contains('c'),
                ..Kind::custom(api_version, name, plural, true)
            });
        }
        kinds
    }

    pub(super) fn insert(&mut self, kind: Kind) {
        self.0.insert((kind.api_version(), kind.plural.clone()), kind);
    }

    pub(super) fn remove(&mut self, api_version: &str, plural: &str) -> Option<Kind> {
        self.0.remove(&(api_version.to_owned(), plural.to_owned()))
    }

    pub(super) fn by_plural(&self, api_version: &str, plural: &str) -> Option<&Kind> {
        self.0.get(&(api_version.to_owned(), plural.to_owned()))
    }

    pub(super) fn by_name(&self, api_version: &str, name: &str) -> Option<&Kind> {
        self.0.values().find(|kind| kind.name == name && kind.api_version() == api_version)
    }

    /// All kinds, by version and plural.
    pub(super) fn all(&self) -> impl Iterator<Item = &Kind> {
        self.0.values()
    }
}

/// The group (`""` for the core group) and the version.
pub(super) fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// Version, kind, plural and flags: `n`amespaced, has a `s`tatus subresource, counts `g`enerations,
/// may be updated `u`nconditionally, is `c`reated by an update.
const BUILT_IN: [(&str, &str, &str, &str); 12] = [
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", "sg"),
    ("coordination.k8s.io/v1", "Lease", "leases", "nc"),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", "ngu"),
    ("networking.k8s.io/v1", "Ingress", "ingresses", "nsgu"),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", "gu"),
    ("v1", "ConfigMap", "configmaps", "nu"),
    ("v1", "Endpoints", "endpoints", "nuc"),
    ("v1", "Event", "events", "nuc"),
    ("v1", "Namespace", "namespaces", "su"),
    ("v1", "Node", "nodes", "su"),
    ("v1", "Secret", "secrets", "nu"),
    ("v1", "Service", "services", "nsuc"),
];
