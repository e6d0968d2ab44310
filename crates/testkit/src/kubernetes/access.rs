//! Who may do what: one token, and verbs taken away as RBAC would.

use std::collections::BTreeSet;
use std::time::Instant;

use super::failure::Failure;
use super::kind::Kind;
use super::path::Place;

/// What is refused now. At first nothing is.
#[derive(Debug, Default)]
pub(super) struct Access {
    token: Option<String>,
    refused: BTreeSet<Rule>,
    /// The tokens of all clients count as expired until then.
    unauthorized_until: Option<Instant>,
    /// These resources are refused until then.
    forbidden_until: Vec<(String, Instant)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    /// A plural of any group, or with its group.
    resource: String,
    verb: String,
    cluster_wide_only: bool,
}

impl Access {
    pub(super) fn require_token(&mut self, token: Option<&str>) {
        self.token = token.map(str::to_owned);
    }

    pub(super) fn forbid(&mut self, resource: &str, verbs: &[&str], cluster_wide_only: bool) {
        for verb in verbs {
            let (resource, verb) = (resource.to_owned(), (*verb).to_owned());
            self.refused.insert(Rule { resource, verb, cluster_wide_only });
        }
    }

    pub(super) fn allow(&mut self, resource: &str, verbs: &[&str]) {
        self.refused
            .retain(|rule| rule.resource != resource || !verbs.contains(&rule.verb.as_str()));
    }

    pub(super) fn refuse_tokens_until(&mut self, end: Instant) {
        self.unauthorized_until = Some(end);
    }

    pub(super) fn forbid_until(&mut self, resource: String, end: Instant) {
        self.forbidden_until.push((resource, end));
    }

    /// True when nothing is refused for a time only.
    pub(super) fn is_settled(&self, now: Instant) -> bool {
        self.unauthorized_until.is_none_or(|end| now >= end)
            && self.forbidden_until.iter().all(|(_, end)| now >= *end)
    }

    /// Judges the value of the header `Authorization`.
    pub(super) fn authenticate(&self, authorization: &str, now: Instant) -> Result<(), Failure> {
        let expired = self.unauthorized_until.is_some_and(|end| now < end);
        let known = self.token.as_ref().is_none_or(|token| {
            authorization.strip_prefix("Bearer ").is_some_and(|sent| sent.trim() == token)
        });
        if expired || !known { Err(Failure::unauthorized()) } else { Ok(()) }
    }

    pub(super) fn authorize(
        &self,
        kind: &Kind,
        verb: &str,
        place: &Place,
        now: Instant,
    ) -> Result<(), Failure> {
        let resource = kind.resource();
        let for_now =
            self.forbidden_until.iter().any(|(name, end)| *name == resource && now < *end);
        let refused = self.refused.iter().any(|rule| {
            [&kind.plural, &resource].contains(&&rule.resource)
                && (rule.verb == verb || rule.verb == "*")
                && (!rule.cluster_wide_only || place.namespace.is_empty())
        });
        if for_now || refused {
            let (namespace, name, part) = (&place.namespace, &place.name, &place.part);
            return Err(Failure::forbidden(kind, verb, namespace, name, part));
        }
        Ok(())
    }
}
