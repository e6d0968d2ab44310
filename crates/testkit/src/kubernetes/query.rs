//! The query of a request.

use super::failure::Failure;

/// Names and values in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value of `name`, or `""`.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// As the real server reads flags: present and neither `false` nor `0`.
    pub(super) fn flag(&self, name: &str) -> bool {
        let present = self.0.iter().any(|(key, _)| key == name);
        present && !["false", "0"].contains(&self.text(name))
    }

    /// A number, or `None` when it is absent.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            Failure::bad_request(format!("invalid value \"{text}\" of parameter {name}"))
        })
    }

    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }
}
