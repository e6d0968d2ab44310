//! What a path of the API names.

use percent_encoding::percent_decode_str;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `/version`.
    Version,
    /// `/healthz`, `/livez`, `/readyz`.
    Health,
    /// `/api`.
    CoreVersions,
    /// `/apis`.
    Groups,
    /// `/apis/<group>`.
    Group(String),
    /// `/api/v1`, `/apis/<group>/<version>`: the kinds of that version.
    Kinds(String),
    /// A collection, an object or a part of it.
    Objects(Place),
    /// Nothing of ours.
    Unknown,
}

/// A collection of objects, one object, or a subresource of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// `v1`, `traefik.io/v1alpha1`.
    pub(super) api_version: String,
    pub(super) plural: String,
    /// `""` for all namespaces and for what has none.
    pub(super) namespace: String,
    /// `""` for a collection.
    pub(super) name: String,
    /// `status`, or `""` for the object itself.
    pub(super) part: String,
}

impl Target {
    pub(super) fn parse(path: &str) -> Self {
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments[..] {
            ["version"] => Self::Version,
            ["healthz" | "livez" | "readyz"] => Self::Health,
            ["api"] => Self::CoreVersions,
            ["api", version] => Self::Kinds(version.to_owned()),
            ["api", version, ref rest @ ..] => Self::objects(version, rest),
            ["apis"] => Self::Groups,
            ["apis", group] => Self::Group(group.to_owned()),
            ["apis", group, version] => Self::Kinds(format!("{group}/{version}")),
            ["apis", group, version, ref rest @ ..] => {
                Self::objects(&format!("{group}/{version}"), rest)
            }
            _ => Self::Unknown,
        }
    }

    fn objects(api_version: &str, rest: &[&str]) -> Self {
        // A namespace is itself an object, and what follows `status` or nothing is about it.
        let (namespace, rest) = match rest {
            ["namespaces", _] | ["namespaces", _, "status"] => ("", rest),
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            _ => ("", rest),
        };
        let (plural, name, part) = match rest {
            [plural] => (*plural, "", ""),
            [plural, name] => (*plural, *name, ""),
            [plural, name, part] => (*plural, *name, *part),
            _ => return Self::Unknown,
        };
        Self::Objects(Place {
            api_version: api_version.to_owned(),
            plural: plural.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            part: part.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Target};

    #[track_caller]
    fn check(path: &str, expected: [&str; 5]) {
        let [api_version, plural, namespace, name, part] = expected.map(str::to_owned);
        let place = Place { api_version, plural, namespace, name, part };
        assert_eq!(Target::parse(path), Target::Objects(place));
    }

    #[test]
    fn paths_name_collections_objects_and_parts() {
        check("/api/v1/services", ["v1", "services", "", "", ""]);
        check("/api/v1/namespaces/a/services", ["v1", "services", "a", "", ""]);
        check("/api/v1/namespaces/a/services/b", ["v1", "services", "a", "b", ""]);
        check("/api/v1/namespaces/a/services/b/status", ["v1", "services", "a", "b", "status"]);
        check("/api/v1/nodes/n", ["v1", "nodes", "", "n", ""]);
        check(
            "/apis/traefik.io/v1alpha1/namespaces/a/middlewares/m%2Dx",
            ["traefik.io/v1alpha1", "middlewares", "a", "m-x", ""],
        );
    }

    #[test]
    fn namespaces_are_objects_too() {
        check("/api/v1/namespaces", ["v1", "namespaces", "", "", ""]);
        check("/api/v1/namespaces/a", ["v1", "namespaces", "", "a", ""]);
        check("/api/v1/namespaces/a/status", ["v1", "namespaces", "", "a", "status"]);
    }

    #[test]
    fn other_paths_are_discovery_or_unknown() {
        assert_eq!(Target::parse("/api/v1"), Target::Kinds("v1".to_owned()));
        assert_eq!(Target::parse("/apis/traefik.io"), Target::Group("traefik.io".to_owned()));
        assert_eq!(Target::parse("/apis/a/b"), Target::Kinds("a/b".to_owned()));
        assert_eq!(Target::parse("/metrics"), Target::Unknown);
        assert_eq!(Target::parse("/api/v1/services/a/b/c"), Target::Unknown);
    }
}
