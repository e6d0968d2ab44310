//! `circuitBreaker` and `buffering` out of a tree.

use crate::{
    Fields, Node, Problem,
    dynamic::{Buffering, CircuitBreaker},
};

/// Reads `circuitBreaker`.
pub(super) fn circuit_breaker(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> CircuitBreaker {
    let mut fields = Fields::open(node, path, problems);
    let default = CircuitBreaker::default();
    let circuit_breaker = CircuitBreaker {
        expression: fields.string("expression"),
        check_period: fields.period("checkPeriod").unwrap_or(default.check_period),
        fallback_duration: fields.period("fallbackDuration").unwrap_or(default.fallback_duration),
        recovery_duration: fields.period("recoveryDuration").unwrap_or(default.recovery_duration),
        response_code: fields.integer("responseCode").unwrap_or(default.response_code),
    };
    fields.close();
    circuit_breaker
}

/// Reads `buffering`.
pub(super) fn buffering(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Buffering {
    let mut fields = Fields::open(node, path, problems);
    let mut bytes = |name| fields.integer(name).unwrap_or_default();
    let buffering = Buffering {
        max_request_body_bytes: bytes("maxRequestBodyBytes"),
        mem_request_body_bytes: bytes("memRequestBodyBytes"),
        max_response_body_bytes: bytes("maxResponseBodyBytes"),
        mem_response_body_bytes: bytes("memResponseBodyBytes"),
        retry_expression: fields.string("retryExpression"),
    };
    fields.close();
    buffering
}
