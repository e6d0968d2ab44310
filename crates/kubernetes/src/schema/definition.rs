//! The CustomResourceDefinition of each kind.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Value, json};

use super::{
    Schema, ingress_route, ingress_route_tcp, ingress_route_udp, middleware, middleware_tcp,
    servers_transport, servers_transport_tcp, tls_option, tls_store, traefik_service,
};
use crate::api::{Group, Kind};

/// The schema of `spec` of a kind of Traefik's; `None` for Kubernetes' own kinds, which it validates itself.
pub(super) fn spec(kind: Kind) -> Option<&'static Schema> {
    static SPECS: LazyLock<BTreeMap<Kind, Schema>> = LazyLock::new(|| {
        let described =
            Kind::TRAEFIK.iter().filter_map(|kind| Some((*kind, describe(*kind)?.spec)));
        described.collect()
    });
    SPECS.get(&kind)
}

/// The CustomResourceDefinition of a kind in one of Traefik's groups; `None` for Kubernetes' own kinds and
/// groups.
///
/// Names are Traefik's. The category `traefik` lists the objects of all kinds in both groups. There are no
/// short names, as each would mean two kinds where both groups are installed.
pub fn definition(kind: Kind, group: Group) -> Option<Value> {
    let Described { description, spec } = describe(kind)?;
    let group = group.traefik()?;
    let singular = kind.as_str().to_lowercase();
    let plural = format!("{singular}s");
    Some(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{group}"),
            // A chart that is removed must not take the users' objects with it.
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": group,
            "names": {
                "categories": ["traefik"],
                "kind": kind.as_str(),
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": singular,
            },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns(kind),
                "schema": {"openAPIV3Schema": {
                    "description": description,
                    "type": "object",
                    "properties": {
                        "apiVersion": {"type": "string", "description": "The group and its version."},
                        "kind": {"type": "string", "description": "The kind of the object."},
                        "metadata": {"type": "object"},
                        "spec": spec.to_json(),
                        "status": status(),
                    },
                    "required": ["metadata", "spec"],
                }},
            }],
        },
    }))
}

struct Described {
    description: &'static str,
    spec: Schema,
}

fn describe(kind: Kind) -> Option<Described> {
    let (description, spec) = match kind {
        Kind::IngressRoute => ("Routes HTTP requests to services.", ingress_route::spec()),
        Kind::IngressRouteTcp => ("Routes TCP connections to services.", ingress_route_tcp::spec()),
        Kind::IngressRouteUdp => ("Routes UDP datagrams to services.", ingress_route_udp::spec()),
        Kind::Middleware => {
            ("Does something to requests before they reach a service.", middleware::spec())
        }
        Kind::MiddlewareTcp => {
            ("Does something to connections before they reach a service.", middleware_tcp::spec())
        }
        Kind::ServersTransport => ("Says how HTTP servers are reached.", servers_transport::spec()),
        Kind::ServersTransportTcp => {
            ("Says how TCP servers are reached.", servers_transport_tcp::spec())
        }
        Kind::TlsOption => ("Says how TLS is spoken with clients.", tls_option::spec()),
        Kind::TlsStore => ("Holds certificates.", tls_store::spec()),
        Kind::TraefikService => ("Makes one service of others.", traefik_service::spec()),
        Kind::ConfigMap
        | Kind::EndpointSlice
        | Kind::Endpoints
        | Kind::Ingress
        | Kind::IngressClass
        | Kind::Node
        | Kind::Secret
        | Kind::Service => {
            return None;
        }
    };
    Some(Described { description, spec })
}

/// What `kubectl get` shows of an object besides its name.
fn columns(kind: Kind) -> Value {
    let mut columns = Vec::new();
    if matches!(kind, Kind::IngressRoute | Kind::IngressRouteTcp | Kind::IngressRouteUdp) {
        columns.push(json!({
            "name": "EntryPoints",
            "type": "string",
            "jsonPath": ".spec.entryPoints",
            "description": "Where requests come in.",
        }));
    }
    let conditions = [
        ("Accepted", "Whether the object is valid."),
        ("ResolvedRefs", "Whether everything that it names is there."),
        ("Programmed", "Whether it is served."),
    ];
    columns.extend(conditions.map(|(name, description)| {
        json!({
            "name": name,
            "type": "string",
            "jsonPath": format!(".status.conditions[?(@.type==\"{name}\")].status"),
            "description": description,
        })
    }));
    columns.push(json!({
        "name": "Age",
        "type": "date",
        "jsonPath": ".metadata.creationTimestamp",
    }));
    columns.into()
}

/// What became of an object. Source: `metav1.Condition`, with its limits.
fn status() -> Value {
    json!({
        "description": "What became of the object.",
        "type": "object",
        "properties": {
            "conditions": {
                "description": "What holds of the object, one condition of each type.",
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": {
                    "description": "One thing that holds of the object, or does not.",
                    "type": "object",
                    "properties": {
                        "lastTransitionTime": {
                            "description": "When `status` last changed.",
                            "type": "string",
                            "format": "date-time",
                        },
                        "message": {
                            "description": "The reason in words.",
                            "type": "string",
                            "maxLength": 32768,
                        },
                        "observedGeneration": {
                            "description": "The generation of the object that this is said of.",
                            "type": "integer",
                            "format": "int64",
                            "minimum": 0,
                        },
                        "reason": {
                            "description": "The reason in one word.",
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 1024,
                            "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                        },
                        "status": {
                            "description": "Whether it holds.",
                            "type": "string",
                            "enum": ["True", "False", "Unknown"],
                        },
                        "type": {
                            "description": "What holds, such as `Accepted`.",
                            "type": "string",
                            "maxLength": 316,
                            "pattern": concat!(
                                r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?",
                                r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                            ),
                        },
                    },
                    "required": ["lastTransitionTime", "message", "reason", "status", "type"],
                },
            },
        },
    })
}
