//! Every option of Traefik 3.7 and of Portway, by its dotted path.
//!
//! The table beside this file holds one option a line: the path, with `<name>` for a name that users choose
//! and `[n]` for the place in a list; `switch` (stands alone or with a boolean), `value` or `any` (has
//! options of its own that are not known); `served` or `later`.

use std::sync::LazyLock;

use crate::nearest;

/// An option.
#[derive(Debug)]
pub struct Known {
    /// The path as the documentation writes it.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether this version of Portway serves it.
    pub served: bool,
    segments: Vec<&'static str>,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Nothing, or a boolean: a switch, or a group of options that may be enabled as it is.
    Switch,
    /// A value.
    Value,
    /// Anything: its own options are not known.
    Any,
}

/// What a written path is.
#[derive(Clone, Copy, Debug)]
pub enum Class {
    /// An option.
    Option(&'static Known),
    /// A group of options that means nothing by itself.
    Group,
    /// An option that Traefik 3 has no more, and what to do about it.
    Removed(&'static str),
    /// None of these.
    Unknown,
}

static TABLE: LazyLock<Vec<Known>> =
    LazyLock::new(|| include_str!("options.txt").lines().filter_map(Known::parse).collect());

static GONE: LazyLock<Vec<(Vec<&'static str>, &'static str)>> =
    LazyLock::new(|| REMOVED.iter().map(|(path, reason)| (segments(path), *reason)).collect());

/// All options, sorted by path.
pub fn all() -> &'static [Known] {
    &TABLE
}

impl Known {
    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let path = words.next()?;
        let kind = match words.next()? {
            "switch" => Kind::Switch,
            "any" => Kind::Any,
            _ => Kind::Value,
        };
        let served = words.next()? == "served";
        Some(Self { path, kind, served, segments: segments(path) })
    }

    /// Whether a written path is this option, an item of its list, or a part of its free contents.
    fn is(&self, path: &[&str]) -> bool {
        if !starts_with(path, &self.segments) {
            return false;
        }
        match path.get(self.segments.len()..) {
            None | Some([]) => true,
            Some([index]) if is_index(index) => true,
            Some(_) => self.kind == Kind::Any || self.has_free_names(),
        }
    }

    /// Whether the last part is a name that users choose and that may have dots.
    fn has_free_names(&self) -> bool {
        self.kind == Kind::Value && self.segments.last() == Some(&NAME)
    }
}

/// The parts of a dotted path; a place in a list is a part of its own.
pub fn segments(path: &str) -> Vec<&str> {
    path.split('.').flat_map(|part| part.split_inclusive(']').flat_map(split_index)).collect()
}

fn split_index(part: &str) -> impl Iterator<Item = &str> {
    let at = part.find('[').unwrap_or(part.len());
    let (name, index) = part.split_at_checked(at).unwrap_or((part, ""));
    [name, index].into_iter().filter(|part| !part.is_empty())
}

/// What a written path is, in any letter case.
pub fn classify(path: &[&str]) -> Class {
    if let Some((_, reason)) = GONE.iter().find(|(gone, _)| starts_with(path, gone)) {
        return Class::Removed(reason);
    }
    if let Some(known) = all().iter().find(|known| known.is(path)) {
        return Class::Option(known);
    }
    if all().iter().any(|known| starts_with(&known.segments, path)) {
        return Class::Group;
    }
    Class::Unknown
}

/// What to say about a path that is no option: the nearest option, or what its group has.
pub fn unknown_option(path: &[&str]) -> String {
    match nearest_option(path) {
        Some(near) => format!("unknown option; did you mean `{near}`?"),
        None => match group_of(path) {
            (group, names) if !group.is_empty() && names.len() <= 16 => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                format!("unknown option; `{group}` has {}", names.join(", "))
            }
            _ => "unknown option".to_owned(),
        },
    }
}

/// The option that a path was probably meant to be, with the names that its writer chose.
fn nearest_option(path: &[&str]) -> Option<String> {
    let at = (0..path.len()).find(|at| !is_prefix(path.get(..=*at).unwrap_or_default()))?;
    let (before, written) = (path.get(..at)?, path.get(at)?);
    let mut corrected: Vec<&str> = path.to_vec();
    if let Some(near) = nearest(written, children(before)) {
        *corrected.get_mut(at)? = near;
        if matches!(classify(&corrected), Class::Option(_) | Class::Group) {
            return Some(spell(&corrected));
        }
        return Some(spell(corrected.get(..=at)?));
    }
    // The option may stand elsewhere in the same part of the tree: `entryPoints.web.tls`.
    let last = path.last()?;
    let first = path.first()?;
    let moved = all().iter().filter(|known| {
        let ends = known.segments.last().is_some_and(|name| name.eq_ignore_ascii_case(last));
        ends && known.segments.first().is_some_and(|name| name.eq_ignore_ascii_case(first))
    });
    let shortest = moved.min_by_key(|known| known.segments.len())?;
    let chosen: Vec<&str> =
        shortest.segments.iter().enumerate().map(|(i, part)| named(part, path.get(i))).collect();
    Some(spell(&chosen))
}

/// The longest group that a path begins with, and the names in it.
fn group_of(path: &[&str]) -> (String, Vec<&'static str>) {
    let known = (0..path.len()).take_while(|at| is_prefix(path.get(..=*at).unwrap_or_default()));
    let group = path.get(..known.count()).unwrap_or_default();
    let mut names: Vec<&'static str> = children(group).collect();
    names.dedup();
    (spell(group), names)
}

/// The parts that may follow a path.
fn children(path: &[&str]) -> impl Iterator<Item = &'static str> {
    all()
        .iter()
        .filter(|known| starts_with(&known.segments, path))
        .filter_map(|known| known.segments.get(path.len()).copied())
        .filter(|part| *part != NAME && *part != INDEX)
}

fn is_prefix(path: &[&str]) -> bool {
    !matches!(classify(path), Class::Unknown)
}

/// A path in the spelling of the documentation, with the names that its writer chose.
pub fn spell(path: &[&str]) -> String {
    let known = all().iter().find(|known| starts_with(&known.segments, path) || known.is(path));
    let mut text = String::new();
    for (i, written) in path.iter().enumerate() {
        let part = known.and_then(|known| known.segments.get(i)).copied().unwrap_or(written);
        let part = named(part, Some(written));
        if i > 0 && !part.starts_with('[') {
            text.push('.');
        }
        text.push_str(part);
    }
    text
}

/// A part of a path, or what was written for it where users choose.
fn named<'a>(part: &'a str, written: Option<&&'a str>) -> &'a str {
    match (part, written) {
        (NAME | INDEX, Some(written)) => written,
        _ => part,
    }
}

/// Whether a path begins with another; on either side a chosen name fits every name.
fn starts_with(path: &[&str], start: &[&str]) -> bool {
    path.len() >= start.len() && path.iter().zip(start).all(|(part, other)| fits(part, other))
}

fn fits(part: &str, other: &str) -> bool {
    match (part, other) {
        (INDEX, index) | (index, INDEX) => is_index(index),
        (NAME, name) | (name, NAME) => !is_index(name),
        _ => part.eq_ignore_ascii_case(other),
    }
}

/// Whether a part of a path is a place in a list, such as `[0]`.
pub fn is_index(part: &str) -> bool {
    part == INDEX || index(part).is_some()
}

/// The number in `[0]`.
pub fn index(part: &str) -> Option<usize> {
    part.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

const NAME: &str = "<name>";
const INDEX: &str = "[n]";

/// Options of Traefik 2 that Traefik 3 has no more.
const REMOVED: &[(&str, &str)] = &[
    ("pilot", "Traefik Pilot has ended and Traefik 3 has no `pilot`; remove it"),
    (
        "experimental.http3",
        "HTTP/3 is no experiment since Traefik 3: remove this and set `entryPoints.<name>.http3`",
    ),
    ("experimental.hub", "Traefik 3 has no `experimental.hub`; remove it"),
    ("hub", "Traefik 3 has no `hub`; remove it"),
    ("metrics.influxDB", "InfluxDB 1 has no exporter since Traefik 3; use `metrics.influxDB2`"),
    ("providers.marathon", "Traefik 3 has no Marathon provider; remove it"),
    ("providers.rancher", "Traefik 3 has no Rancher provider; remove it"),
    (
        "providers.docker.swarmMode",
        "Docker Swarm has a provider of its own since Traefik 3: `providers.swarm`",
    ),
    ("providers.docker.tls.caOptional", CA_OPTIONAL),
    ("providers.swarm.tls.caOptional", CA_OPTIONAL),
    ("providers.consul.tls.caOptional", CA_OPTIONAL),
    ("providers.consulCatalog.endpoint.tls.caOptional", CA_OPTIONAL),
    ("providers.nomad.endpoint.tls.caOptional", CA_OPTIONAL),
    ("providers.etcd.tls.caOptional", CA_OPTIONAL),
    ("providers.redis.tls.caOptional", CA_OPTIONAL),
    ("providers.http.tls.caOptional", CA_OPTIONAL),
    ("providers.consul.namespace", NAMESPACES),
    ("providers.consulCatalog.namespace", NAMESPACES),
    ("providers.nomad.namespace", NAMESPACES),
    ("tracing.datadog", TRACING),
    ("tracing.elastic", TRACING),
    ("tracing.haystack", TRACING),
    ("tracing.instana", TRACING),
    ("tracing.jaeger", TRACING),
    ("tracing.zipkin", TRACING),
    ("tracing.spanNameLimit", "span names have a fixed length since Traefik 3; remove this"),
];
const CA_OPTIONAL: &str =
    "client authentication is the server's choice, so Traefik 3 has no `caOptional`; remove it";
const NAMESPACES: &str = "since Traefik 3 this option is a list: use `namespaces`";
const TRACING: &str = "since Traefik 3 traces leave by OpenTelemetry only; use `tracing.otlp`";

#[cfg(test)]
mod tests;
