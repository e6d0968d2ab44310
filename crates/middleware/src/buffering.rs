//! Reads bodies whole before it passes them on, within limits, and may try again.
//!
//! Traefik: `buffering`. Differences: what is longer than `mem…BodyBytes` passes as it comes instead of by way of a file,
//! unless `max…BodyBytes` keeps it within 16 MiB; a request of such a length is not tried again, and a body without a
//! length that turns out too long breaks off. As in Traefik 3.7, a request without a body is not tried again.

use portway_http::{Answer, Status};
use portway_model::{Problem, dynamic};

use crate::predicate::{Function, Kind, Predicate, Value};

/// Attempts after which nothing is tried again, as in Traefik.
const MAX_ATTEMPTS: u32 = 10;

/// Bytes that are held where the user does not say.
const MEM: u64 = 1024 * 1024;

/// Bytes that are held where a body may have so many, whatever `mem…BodyBytes` says.
const SMALL: u64 = 16 * 1024 * 1024;

/// A compiled `buffering`.
#[derive(Debug)]
pub struct Buffering {
    /// What requests may have.
    pub request: BodyBounds,
    /// What responses may have.
    pub response: BodyBounds,
    retry: Option<Predicate<Measure>>,
}

/// How long a body may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BodyBounds {
    /// In bytes; `None` means no limit.
    pub max: Option<u64>,
    /// The bytes up to which it is held.
    pub held: u64,
}

/// What may be a reason to try again.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    NetworkError,
    Attempts,
    Status,
    Method,
}

impl Function for Measure {
    const NAMES: &'static [&'static str] =
        &["RequestMethod", "IsNetworkError", "Attempts", "ResponseCode"];

    fn call(name: &str, arguments: &[Value]) -> Option<Result<(Self, Kind), &'static str>> {
        let known = match name {
            "RequestMethod" => (Self::Method, Kind::Text),
            "IsNetworkError" => (Self::NetworkError, Kind::Truth),
            "Attempts" => (Self::Attempts, Kind::Int),
            "ResponseCode" => (Self::Status, Kind::Int),
            _ => return None,
        };
        Some(if arguments.is_empty() { Ok(known) } else { Err("nothing") })
    }
}

impl Buffering {
    /// Compiles the user's settings.
    pub fn compile(config: &dynamic::Buffering, problems: &mut Vec<Problem>) -> Option<Self> {
        let compiled = Self::compiled(config);
        compiled.map_err(|(field, reason)| problems.push(Problem::error(field, reason))).ok()
    }

    fn compiled(config: &dynamic::Buffering) -> Result<Self, (&'static str, String)> {
        let bounds = |max: (&'static str, i64), mem: (&'static str, i64)| {
            let bytes = |(field, bytes): (&'static str, i64), what: &str| {
                let message = || format!("{what} bytes should be >= 0 got {bytes}");
                u64::try_from(bytes).map_err(|_| (field, message()))
            };
            let (max, mem) = (bytes(max, "max")?, bytes(mem, "mem")?);
            let max = (max > 0).then_some(max);
            let mem = if mem == 0 { MEM } else { mem };
            let held = max.filter(|max| *max <= SMALL).unwrap_or(mem);
            Ok(BodyBounds { max, held })
        };
        let retry = match config.retry_expression.as_str() {
            "" => None,
            text => {
                let parsed = Predicate::parse(text);
                Some(parsed.map_err(|error| ("retryExpression", error.to_string()))?)
            }
        };
        Ok(Self {
            request: bounds(
                ("maxRequestBodyBytes", config.max_request_body_bytes),
                ("memRequestBodyBytes", config.mem_request_body_bytes),
            )?,
            response: bounds(
                ("maxResponseBodyBytes", config.max_response_body_bytes),
                ("memResponseBodyBytes", config.mem_response_body_bytes),
            )?,
            retry,
        })
    }

    /// Whether anything is ever tried again.
    pub fn retries(&self) -> bool {
        self.retry.is_some()
    }

    /// Whether another attempt follows the one of this number, from 1, that was answered with this status.
    pub fn again(&self, attempt: u32, status: u16, method: &str) -> bool {
        let Some(retry) = &self.retry else { return false };
        attempt <= MAX_ATTEMPTS
            && retry.holds(&mut |measure: &Measure| match measure {
                Measure::NetworkError => Value::Int(i64::from(status == 502 || status == 504)),
                Measure::Attempts => Value::Int(i64::from(attempt)),
                Measure::Status => Value::Int(i64::from(status)),
                Measure::Method => Value::Text(method.to_owned()),
            })
    }

    /// The answer to a request whose body is too long.
    pub fn request_too_large() -> Answer {
        Answer::proxy_error(Status::CONTENT_TOO_LARGE)
    }

    /// The answer in the place of a response whose body is too long.
    pub fn response_too_large() -> Answer {
        Answer::proxy_error(Status::INTERNAL_SERVER_ERROR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(change: impl FnOnce(&mut dynamic::Buffering)) -> Result<Buffering, String> {
        let mut config = dynamic::Buffering::default();
        change(&mut config);
        Buffering::compiled(&config).map_err(|(field, reason)| format!("{field}: {reason}"))
    }

    #[test]
    fn what_is_held_is_bounded() {
        let request = |max, mem| {
            let buffering = compiled(|config| {
                config.max_request_body_bytes = max;
                config.mem_request_body_bytes = mem;
            });
            buffering.unwrap().request
        };
        assert_eq!(request(0, 5), BodyBounds { max: None, held: 5 });
        assert_eq!(request(0, 0), BodyBounds { max: None, held: 1 << 20 });
        assert_eq!(request(100, 5), BodyBounds { max: Some(100), held: 100 });
        let large = 1 << 30;
        assert_eq!(request(large, 5), BodyBounds { max: Some(1 << 30), held: 5 });
        let reason = compiled(|config| config.max_response_body_bytes = -1).err();
        assert_eq!(reason.unwrap(), "maxResponseBodyBytes: max bytes should be >= 0 got -1");
    }

    #[test]
    fn attempts_follow_the_expression() {
        let retry = |text: &str| compiled(|config| config.retry_expression = text.to_owned());
        let buffering = retry("IsNetworkError() && Attempts() < 3").unwrap();
        assert!(buffering.again(1, 502, "GET") && buffering.again(2, 504, "GET"));
        assert!(!buffering.again(3, 502, "GET") && !buffering.again(1, 500, "GET"));
        let buffering = retry("ResponseCode() >= 500 && RequestMethod() == \"GET\"").unwrap();
        assert!(buffering.again(10, 500, "GET"));
        assert!(!buffering.again(11, 500, "GET") && !buffering.again(1, 500, "POST"));
        assert!(retry("Attempts() < 2.0").is_err());
        assert!(!retry("").unwrap().again(1, 502, "GET"));
    }
}
