//! Lists: filters, order and pages.

use std::cmp::Ordering;

use portway_model::Names;
use portway_model::runtime::{MiddlewareInfo, RouterInfo, ServiceInfo};
use serde_json::Value;

use crate::{
    Answer,
    query::Query,
    represent::{Represent, described, status_name},
};

/// Objects on a page when the client does not say.
const DEFAULT_PAGE_SIZE: i64 = 100;

/// What a list can be asked about its objects beside name and status.
pub(crate) trait Listed: Represent {
    /// Whether a filter of this kind of object keeps it, `search` aside.
    fn is_kept(&self, _query: &Query<'_>) -> bool {
        true
    }

    /// Texts beside the name in which `search` looks.
    fn searched(&self) -> &str {
        ""
    }

    /// Compares by a field of `sortBy` that only this kind has; equal for an unknown field.
    fn compare(&self, other: &Self, field: &str) -> Ordering;
}

impl Listed for RouterInfo {
    fn is_kept(&self, query: &Query<'_>) -> bool {
        let middleware = query.value("middlewareName");
        is_service(&self.router.service, query.value("serviceName"))
            && (middleware.is_empty() || self.middlewares.iter().any(|name| **name == *middleware))
    }

    fn searched(&self) -> &str {
        &self.router.rule
    }

    fn compare(&self, other: &Self, field: &str) -> Ordering {
        let (this, that) = (&self.router, &other.router);
        match field {
            "priority" => self.priority.cmp(&other.priority),
            "rule" => this.rule.cmp(&that.rule),
            "service" => this.service.cmp(&that.service),
            "entryPoints" => self.entry_points().len().cmp(&other.entry_points().len()),
            _ => Ordering::Equal,
        }
    }
}

impl Listed for ServiceInfo {
    fn compare(&self, other: &Self, field: &str) -> Ordering {
        match field {
            "type" => lower(self.service.kind()).cmp(&lower(other.service.kind())),
            "servers" => servers(self).cmp(&servers(other)),
            _ => Ordering::Equal,
        }
    }
}

impl Listed for MiddlewareInfo {
    fn compare(&self, other: &Self, field: &str) -> Ordering {
        match field {
            "type" => lower(self.middleware.kind()).cmp(&lower(other.middleware.kind())),
            _ => Ordering::Equal,
        }
    }
}

fn lower(kind: &str) -> String {
    kind.to_lowercase()
}

fn servers(service: &ServiceInfo) -> usize {
    match &*service.service {
        portway_model::dynamic::Service::LoadBalancer(balancer) => balancer.servers.len(),
        _ => 0,
    }
}

/// Whether a router's service is the one asked for; without a provider it fits each provider.
fn is_service(used: &str, asked: &str) -> bool {
    if asked.is_empty() {
        return true;
    }
    if used.contains('@') {
        return used == asked;
    }
    asked.split('@').next() == Some(used)
}

/// A page of the objects that the query keeps, in the order that it asks for.
pub(crate) fn objects<T: Listed>(all: &Names<T>, query: &Query<'_>) -> Answer {
    let search = query.value("search").to_lowercase();
    let status = query.value("status").to_lowercase();
    let mut kept: Vec<(&str, &T)> = all
        .iter()
        .map(|(name, object)| (&**name, &**object))
        .filter(|(name, object)| {
            (status.is_empty() || status_name(object.status()) == status)
                && contains(&[object.searched(), name], &search)
                && object.is_kept(query)
        })
        .collect();
    sort(&mut kept, query);
    page(&kept, query, |(name, object)| described(name, *object))
}

/// Whether any of the texts contains a text in lower case, whatever their case.
pub(crate) fn contains(texts: &[&str], search: &str) -> bool {
    search.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(search))
}

/// Sorts objects that come in the order of their names.
fn sort<T: Listed>(objects: &mut [(&str, &T)], query: &Query<'_>) {
    let field = query.value("sortBy");
    // The sort is stable, so that ties stay in the order of names.
    match field {
        "" | "name" => {}
        "provider" => objects.sort_by_key(|(name, _)| portway_model::name::provider(name)),
        "status" => objects.sort_by_key(|(_, object)| status_name(object.status())),
        field => objects.sort_by(|(_, this), (_, other)| this.compare(other, field)),
    }
    if is_descending(query) {
        objects.reverse();
    }
}

/// Whether the order is turned round: for every direction but `asc`, as Traefik does.
pub(crate) fn is_descending(query: &Query<'_>) -> bool {
    !matches!(query.value("direction"), "" | "asc")
}

/// The page of a list that the query asks for.
pub(crate) fn page<T>(items: &[T], query: &Query<'_>, represent: impl Fn(&T) -> Value) -> Answer {
    match Page::find(items.len(), query) {
        Ok(page) => {
            let shown = items.iter().skip(page.start).take(page.size).map(represent);
            Answer::json(&Value::Array(shown.collect()))
                .header("X-Next-Page", page.next.to_string())
        }
        Err(message) => Answer::error(400, message),
    }
}

/// Where a page begins and how many objects it holds.
#[derive(Debug, Eq, PartialEq)]
struct Page {
    start: usize,
    size: usize,
    /// The number of the next page; 1 after the last.
    next: i64,
}

impl Page {
    /// The page that a query asks for among so many objects, or what is wrong with the query.
    fn find(total: usize, query: &Query<'_>) -> Result<Self, String> {
        let per_page = positive(query, "per_page", DEFAULT_PAGE_SIZE)?;
        let page = positive(query, "page", 1)?;
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        let start = (page - 1).saturating_mul(per_page);
        if start != 0 && start >= total {
            return Err(format!("invalid request: page: {page}, per_page: {per_page}"));
        }
        let next = if page.saturating_mul(per_page) < total { page + 1 } else { 1 };
        Ok(Self {
            start: usize::try_from(start).unwrap_or(usize::MAX),
            size: usize::try_from(per_page).unwrap_or(usize::MAX),
            next,
        })
    }
}

/// A parameter that counts from 1. What is too large means the largest number, as Go's `Atoi` has it.
fn positive(query: &Query<'_>, name: &str, default: i64) -> Result<i64, String> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    let value = match query.value(name) {
        "" => return Ok(default),
        text => match text.parse::<i64>() {
            Ok(value) if value > 0 => return Ok(value),
            Ok(value) => value,
            Err(error) => match error.kind() {
                PosOverflow => i64::MAX,
                NegOverflow => i64::MIN,
                _ => 0,
            },
        },
    };
    Err(format!("invalid request: {name}: {value}"))
}

#[cfg(test)]
mod tests {
    use super::Page;
    use crate::query::Query;

    #[track_caller]
    fn check(total: usize, query: &str, expected: Result<(usize, usize, i64), &str>) {
        let page = Page::find(total, &Query::parse(query));
        let page = page.map(|page| (page.start, page.size, page.next));
        assert_eq!(page, expected.map_err(str::to_owned));
    }

    #[test]
    fn the_page_after_the_last_is_the_first() {
        check(0, "", Ok((0, 100, 1)));
        check(100, "", Ok((0, 100, 1)));
        check(101, "", Ok((0, 100, 2)));
        check(101, "page=2", Ok((100, 100, 1)));
        check(5, "per_page=2&page=2", Ok((2, 2, 3)));
        check(5, "per_page=2&page=3", Ok((4, 2, 1)));
    }

    #[test]
    fn a_page_beyond_the_end_is_refused() {
        check(5, "page=2", Err("invalid request: page: 2, per_page: 100"));
        check(0, "page=2", Err("invalid request: page: 2, per_page: 100"));
        check(
            5,
            "page=9223372036854775807&per_page=9223372036854775807",
            Err("invalid request: page: 9223372036854775807, per_page: 9223372036854775807"),
        );
    }

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        check(5, "page=x", Err("invalid request: page: 0"));
        check(5, "page=-1", Err("invalid request: page: -1"));
        check(5, "page=0&per_page=0", Err("invalid request: per_page: 0"));
        check(5, "page=99999999999999999999", Err("invalid request: page: 9223372036854775807"));
        check(5, "page=%2B1&per_page=002", Ok((0, 2, 2)));
    }
}
