//! Which groups, versions and kinds there are.

use serde_json::{Value, json};

use super::failure::Failure;
use super::kind::{Kinds, split_api_version};

/// The answer to `/version`.
pub(super) fn version() -> Value {
    json!({
        "major": "1",
        "minor": "37",
        "gitVersion": "v1.37.2",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "go1.26.0",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

/// The answer to `/api`.
pub(super) fn core_versions() -> Value {
    json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })
}

/// The answer to `/apis`.
pub(super) fn groups(kinds: &Kinds) -> Value {
    let mut names: Vec<_> = kinds.all().map(|kind| kind.group.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let groups: Vec<_> = names.into_iter().filter_map(|name| group_of(kinds, name)).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// The answer to `/apis/<group>`; `None` when there is no such group.
pub(super) fn group(kinds: &Kinds, name: &str) -> Option<Value> {
    let mut group = group_of(kinds, name)?;
    group["kind"] = json!("APIGroup");
    group["apiVersion"] = json!("v1");
    Some(group)
}

/// The answer to `/api/v1` and `/apis/<group>/<version>`; `None` when there is no such version.
pub(super) fn kinds(kinds: &Kinds, api_version: &str) -> Option<Value> {
    let mut resources = Vec::new();
    for kind in kinds.all().filter(|kind| kind.api_version() == api_version) {
        resources.push(json!({
            "name": kind.plural,
            "singularName": kind.name.to_lowercase(),
            "namespaced": kind.namespaced,
            "kind": kind.name,
            "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
        }));
        if kind.status {
            resources.push(json!({
                "name": format!("{}/status", kind.plural),
                "singularName": "",
                "namespaced": kind.namespaced,
                "kind": kind.name,
                "verbs": ["get", "patch", "update"],
            }));
        }
    }
    if resources.is_empty() {
        return None;
    }
    Some(json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": api_version,
        "resources": resources,
    }))
}

/// Refuses a client that takes none of the representations that this server has: plain JSON alone.
pub(super) fn negotiate(accept: &str) -> Result<(), Failure> {
    let plain = |part: &str| {
        let mut parameters = part.split(';').map(str::trim);
        let media_type = parameters.next().unwrap_or_default();
        ["application/json", "application/*", "*/*"].contains(&media_type)
            && !parameters.any(|parameter| parameter.starts_with("as="))
    };
    if accept.is_empty() || accept.split(',').any(plain) {
        Ok(())
    } else {
        Err(Failure::not_acceptable())
    }
}

fn group_of(kinds: &Kinds, name: &str) -> Option<Value> {
    let mut versions: Vec<_> =
        kinds.all().filter(|kind| kind.group == name).map(super::kind::Kind::api_version).collect();
    versions.dedup();
    if name.is_empty() || versions.is_empty() {
        return None;
    }
    let versions: Vec<_> = versions
        .iter()
        .map(|version| json!({ "groupVersion": version, "version": split_api_version(version).1 }))
        .collect();
    Some(json!({ "name": name, "versions": versions, "preferredVersion": versions[0] }))
}
