//! Whole objects over a [`Session`]: their kinds tell the paths.

use serde_json::{Value, json};

use super::Session;

/// Objects of an API server, as the user of one token.
#[derive(Debug)]
pub struct Objects {
    session: Session,
}

/// Why an API server did not do what was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The status code.
    pub status: u16,
    /// The server's reason.
    pub message: String,
}

/// A result, or why there is none.
pub type Answer = Result<Value, Refused>;

impl Objects {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Creates an object; what its `status` says is written after it, where it is kept apart.
    ///
    /// Fields that its schema does not know are dropped, as the server does when it is not asked to be strict.
    ///
    /// # Errors
    /// When the server refuses it, or has one of the name.
    pub fn create(&mut self, object: &Value) -> Answer {
        let created = self.ask("POST", &collection(object), JSON, object)?;
        if object.get("status").is_some() && created.get("status") != object.get("status") {
            let status = json!({"status": object["status"]});
            return self.ask("PATCH", &format!("{}/status", path(&created)), MERGE_PATCH, &status);
        }
        Ok(created)
    }

    /// Creates or changes an object; only the fields that are given change.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn apply(&mut self, object: &Value) -> Answer {
        let target = format!("{}?fieldManager=testkit&force=true", path(object));
        self.ask("PATCH", &target, APPLY, object)
    }

    /// Deletes the object of this kind and name; says whether there was one.
    pub fn delete(&mut self, object: &Value) -> bool {
        // Nothing runs that would end what is terminating.
        let options = json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"});
        self.ask("DELETE", &path(object), JSON, &options).is_ok()
    }

    /// The object of this kind and name, as the server has it.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(&mut self, object: &Value) -> Answer {
        self.ask("GET", &path(object), JSON, &Value::Null)
    }

    /// All objects of a kind, of all namespaces.
    ///
    /// # Errors
    /// When the server does not know the kind.
    pub fn list(&mut self, api_version: &str, kind: &str) -> Result<Vec<Value>, Refused> {
        let target = format!("{}/{}", group(api_version), plural(kind));
        let mut list = self.ask("GET", &target, JSON, &Value::Null)?;
        let Value::Array(items) = list["items"].take() else { return Ok(Vec::new()) };
        let typed = |mut item: Value| {
            item["apiVersion"] = api_version.into();
            item["kind"] = kind.into();
            item
        };
        Ok(items.into_iter().map(typed).collect())
    }

    fn ask(&mut self, method: &str, target: &str, content: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let response = self.session.send(method, target, content, &body);
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if (200..300).contains(&response.status) {
            return Ok(answer);
        }
        let message = answer["message"].as_str().map_or_else(|| response.text(), str::to_owned);
        Err(Refused { status: response.status, message })
    }
}

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// Kinds that belong to no namespace.
const CLUSTER_SCOPED: [&str; 6] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "Namespace",
    "Node",
];

fn group(api_version: &str) -> String {
    let prefix = if api_version.contains('/') { "apis" } else { "api" };
    format!("/{prefix}/{api_version}")
}

/// The kind's name in paths, as English forms it.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.as_str() {
        "endpoints" => kind,
        _ if kind.ends_with('s') => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}

fn text<'o>(object: &'o Value, pointer: &str) -> &'o str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn collection(object: &Value) -> String {
    let (group, kind) = (group(text(object, "/apiVersion")), text(object, "/kind"));
    if CLUSTER_SCOPED.contains(&kind) {
        return format!("{group}/{}", plural(kind));
    }
    let namespace = match text(object, "/metadata/namespace") {
        "" => "default",
        namespace => namespace,
    };
    format!("{group}/namespaces/{namespace}/{}", plural(kind))
}

fn path(object: &Value) -> String {
    format!("{}/{}", collection(object), text(object, "/metadata/name"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::path;

    #[track_caller]
    fn check(api_version: &str, kind: &str, namespace: Option<&str>, expected: &str) {
        let metadata = json!({"name": "a", "namespace": namespace});
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata});
        assert_eq!(path(&object), expected);
    }

    #[test]
    fn objects_have_the_paths_of_their_kinds() {
        check("v1", "Service", Some("apps"), "/api/v1/namespaces/apps/services/a");
        check("v1", "Endpoints", None, "/api/v1/namespaces/default/endpoints/a");
        check("v1", "Node", None, "/api/v1/nodes/a");
        let networking = "/apis/networking.k8s.io/v1";
        let ingress = format!("{networking}/namespaces/default/ingresses/a");
        check("networking.k8s.io/v1", "Ingress", None, &ingress);
        let class = format!("{networking}/ingressclasses/a");
        check("networking.k8s.io/v1", "IngressClass", None, &class);
        let route = "/apis/traefik.io/v1alpha1/namespaces/default/ingressroutetcps/a";
        check("traefik.io/v1alpha1", "IngressRouteTCP", None, route);
    }
}
