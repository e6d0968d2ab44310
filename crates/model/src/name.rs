//! Names of dynamic objects: `name@provider`.

/// The provider of objects that Portway makes itself.
pub const INTERNAL: &str = "internal";

/// `name` as seen from `provider`: qualified already, or with `@provider` added.
///
/// ```
/// assert_eq!(portway_model::name::qualify("auth", "file"), "auth@file");
/// assert_eq!(portway_model::name::qualify("api@internal", "file"), "api@internal");
/// ```
pub fn qualify(name: &str, provider: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@{provider}") }
}

/// The part after the last `@`; empty when the name is not qualified.
pub fn provider(name: &str) -> &str {
    name.rsplit_once('@').map_or("", |(_, provider)| provider)
}

/// The part before the last `@`.
pub fn base(name: &str) -> &str {
    name.rsplit_once('@').map_or(name, |(base, _)| base)
}
