//! What the server says when it refuses: Kubernetes' `Status`.

use serde_json::{Value, json};

use super::kind::Kind;

/// A refusal with all that its `Status` says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) code: u16,
    /// `""` for none.
    reason: &'static str,
    message: String,
    details: Value,
    continue_token: Option<String>,
    /// Seconds, also sent as the header `Retry-After`.
    pub(super) retry_after: Option<u32>,
}

impl Failure {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code,
            reason,
            message,
            details: Value::Null,
            continue_token: None,
            retry_after: None,
        }
    }

    fn about(self, kind: &Kind, name: &str) -> Self {
        let mut details = json!({ "kind": kind.plural });
        if !kind.group.is_empty() {
            details["group"] = json!(kind.group);
        }
        if !name.is_empty() {
            details["name"] = json!(name);
        }
        Self { details, ..self }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// As RBAC refuses.
    pub(super) fn forbidden(
        kind: &Kind,
        verb: &str,
        namespace: &str,
        name: &str,
        part: &str,
    ) -> Self {
        let slash = if part.is_empty() { "" } else { "/" };
        let scope = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{namespace}\"")
        };
        let object = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
        let message = format!(
            "{}{object} is forbidden: User \"{USER}\" cannot {verb} resource \"{}{slash}{part}\" in API group \
             \"{}\" {scope}",
            kind.resource(),
            kind.plural,
            kind.group
        );
        Self::new(403, "Forbidden", message).about(kind, name)
    }

    pub(super) fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.resource());
        Self::new(404, "NotFound", message).about(kind, name)
    }

    /// The group is known and what follows is not.
    pub(super) fn unknown_resource() -> Self {
        let message = "the server could not find the requested resource";
        Self { details: json!({}), ..Self::new(404, "NotFound", message) }
    }

    /// The path exists, but not for this method.
    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self { details: json!({}), ..Self::new(405, "MethodNotAllowed", message) }
    }

    pub(super) fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json";
        Self::new(406, "NotAcceptable", message)
    }

    pub(super) fn already_exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.resource());
        Self::new(409, "AlreadyExists", message).about(kind, name)
    }

    pub(super) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message =
            format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.resource());
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// A precondition of a deletion does not hold. Unlike other refusals, this one names the kind.
    pub(super) fn precondition(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.name);
        let details = json!({ "kind": kind.name, "name": name });
        Self { details, ..Self::new(409, "Conflict", message) }
    }

    /// The object changed since the client read it.
    pub(super) fn modified(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and \
                   try again";
        Self::conflict(kind, name, why)
    }

    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// A page of a list whose revision is gone; `token` continues at the present revision.
    pub(super) fn continue_expired(token: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. \
                       You can start a new list without the continue parameter, or use the continue \
                       token in this response to retrieve the remainder of the results. Continuing with \
                       the provided token results in an inconsistent list - objects that were created, \
                       modified, or deleted between the time the first chunk was returned and now may \
                       show up in the list.";
        Self { continue_token: Some(token), ..Self::expired(message) }
    }

    pub(super) fn unsupported_media_type(media_type: &str) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: \
             {media_type}"
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// An object of `what` (a kind or a plural, as the real server has it) is refused for a field;
    /// `cause` is Kubernetes' name for why.
    pub(super) fn invalid(
        (what, kind): (&str, &Kind),
        name: &str,
        field: &str,
        cause: &str,
        why: &str,
    ) -> Self {
        let dot = if kind.group.is_empty() { "" } else { "." };
        let message = format!("{what}{dot}{} \"{name}\" is invalid: {field}: {why}", kind.group);
        let mut refused = Self::new(422, "Invalid", message).about(kind, name);
        refused.details["kind"] = json!(what);
        refused.details["causes"] = json!([{ "reason": cause, "message": why, "field": field }]);
        refused
    }

    /// An option in the query is refused.
    pub(super) fn invalid_option(options: &str, field: &str, cause: &str, why: &str) -> Self {
        let message = format!("{options}.meta.k8s.io \"\" is invalid: {field}: {why}");
        Self {
            details: json!({
                "group": "meta.k8s.io",
                "kind": options,
                "causes": [{ "reason": cause, "message": why, "field": field }],
            }),
            ..Self::new(422, "Invalid", message)
        }
    }

    /// An option of a list or watch does not go with the others.
    pub(super) fn forbidden_option(field: &str, why: &str) -> Self {
        let why = format!("Forbidden: {why}");
        Self::invalid_option("ListOptions", field, "FieldValueForbidden", &why)
    }

    pub(super) fn too_many_requests(seconds: u32) -> Self {
        let message = "Too many requests, please try again later.";
        Self::new(429, "TooManyRequests", message).after(seconds)
    }

    pub(super) fn internal_error(cause: &str) -> Self {
        let message = format!("Internal error occurred: {cause}");
        let details = json!({ "causes": [{ "message": cause }] });
        Self { details, ..Self::new(500, "InternalError", message) }
    }

    /// A new object brings a version. The real server has no better word for that either.
    pub(super) fn version_on_create() -> Self {
        Self::new(500, "", "resourceVersion should not be set on objects to be created")
    }

    pub(super) fn unavailable(seconds: u32) -> Self {
        let message = "apiserver is shutting down";
        Self::new(503, "ServiceUnavailable", message).after(seconds)
    }

    pub(super) fn timeout() -> Self {
        let message = "Timeout: request did not complete within the allotted timeout";
        Self { details: json!({}), ..Self::new(504, "Timeout", message) }
    }

    /// A revision that this server has not reached.
    pub(super) fn version_too_large(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let causes = json!([{
            "reason": "ResourceVersionTooLarge",
            "message": "Too large resource version",
        }]);
        Self { details: json!({ "causes": causes }), ..Self::new(504, "Timeout", message) }.after(1)
    }

    fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        if seconds > 0 {
            if self.details.is_null() {
                self.details = json!({});
            }
            self.details["retryAfterSeconds"] = json!(seconds);
        }
        self
    }

    /// The `Status` object.
    pub(super) fn body(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        if let Some(token) = &self.continue_token {
            status["metadata"]["continue"] = json!(token);
        }
        status
    }
}

/// What refusals call the client.
const USER: &str = "system:serviceaccount:portway:portway";
