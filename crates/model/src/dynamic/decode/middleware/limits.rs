//! Middlewares that let in some clients, or so many, out of a tree.

use super::redis::redis;
use crate::{
    Fields, Node, Problem,
    dynamic::{
        InFlightReq, IpAllowList, IpStrategy, IpWhiteList, RateLimit, Redis, SourceCriterion,
    },
};

/// Reads `ipAllowList`.
pub fn ip_allow_list(node: &Node, path: &str, problems: &mut Vec<Problem>) -> IpAllowList {
    let mut fields = Fields::open(node, path, problems);
    let ip_allow_list = IpAllowList {
        source_range: fields.strings("sourceRange"),
        ip_strategy: fields.section("ipStrategy", ip_strategy),
        reject_status_code: fields.integer("rejectStatusCode").unwrap_or_default(),
    };
    fields.close();
    ip_allow_list
}

/// Reads `ipWhiteList`.
pub fn ip_white_list(node: &Node, path: &str, problems: &mut Vec<Problem>) -> IpWhiteList {
    let mut fields = Fields::open(node, path, problems);
    let ip_white_list = IpWhiteList {
        source_range: fields.strings("sourceRange"),
        ip_strategy: fields.section("ipStrategy", ip_strategy),
    };
    fields.close();
    ip_white_list
}

/// Reads `ipStrategy`.
pub fn ip_strategy(node: &Node, path: &str, problems: &mut Vec<Problem>) -> IpStrategy {
    let mut fields = Fields::open(node, path, problems);
    let ip_strategy = IpStrategy {
        depth: fields.integer("depth").unwrap_or_default(),
        excluded_ips: fields.strings("excludedIPs"),
        ipv6_subnet: fields.integer("ipv6Subnet"),
    };
    fields.close();
    ip_strategy
}

/// Reads `inFlightReq`.
pub fn in_flight_req(node: &Node, path: &str, problems: &mut Vec<Problem>) -> InFlightReq {
    let mut fields = Fields::open(node, path, problems);
    let in_flight_req = InFlightReq {
        amount: fields.integer("amount").unwrap_or_default(),
        source_criterion: fields.section("sourceCriterion", source_criterion),
    };
    fields.close();
    in_flight_req
}

/// Reads `rateLimit`.
pub fn rate_limit(node: &Node, path: &str, problems: &mut Vec<Problem>) -> RateLimit {
    rate_limit_with(node, path, problems, redis)
}

/// Reads `rateLimit`, with `redis` for what that has in another form where the settings stand.
pub fn rate_limit_with(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
    redis: impl FnOnce(&Node, &str, &mut Vec<Problem>) -> Redis,
) -> RateLimit {
    let mut fields = Fields::open(node, path, problems);
    let default = RateLimit::default();
    let rate_limit = RateLimit {
        average: fields.integer("average").unwrap_or(default.average),
        period: fields.period("period").unwrap_or(default.period),
        burst: fields.integer("burst").unwrap_or(default.burst),
        source_criterion: fields.section("sourceCriterion", source_criterion),
        redis: fields.section("redis", redis).map(Box::new),
    };
    fields.close();
    rate_limit
}

/// Reads `sourceCriterion`.
pub fn source_criterion(node: &Node, path: &str, problems: &mut Vec<Problem>) -> SourceCriterion {
    let mut fields = Fields::open(node, path, problems);
    let source_criterion = SourceCriterion {
        ip_strategy: fields.section("ipStrategy", ip_strategy),
        request_header_name: fields.string("requestHeaderName"),
        request_host: fields.boolean("requestHost").unwrap_or_default(),
    };
    fields.close();
    source_criterion
}
