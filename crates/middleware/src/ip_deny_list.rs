//! Keeps out clients of some addresses.
//!
//! Portway's own: `ipDenyList`. A client whose address is not known (`ipStrategy` finds none) is kept out, too.

use portway_http::{Answer, Request, Status};
use portway_model::{Problem, dynamic};

use crate::client::{Addresses, Strategy};
use crate::ip_allow_list::reject_status;
use crate::{Context, Flow};

/// A compiled `ipDenyList`.
#[derive(Debug)]
pub struct IpDenyList {
    denied: Addresses,
    strategy: Strategy,
    reject: Status,
}

impl IpDenyList {
    /// Compiles the user's settings; an empty list is refused, and so is a status that `ipAllowList` refuses.
    pub fn compile(config: &dynamic::IpDenyList, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut refused = |field: &str, message: String| {
            problems.push(Problem::error(format!("ipDenyList{field}"), message));
        };
        if config.source_range.is_empty() {
            refused(".sourceRange", "is empty: nobody would be kept out".to_owned());
        }
        let denied = Addresses::compile(&config.source_range);
        let denied = denied.map_err(|reason| refused(".sourceRange", reason)).ok();
        let strategy = Strategy::compile(config.ip_strategy.as_ref());
        let strategy = strategy.map_err(|reason| refused(".ipStrategy", reason)).ok();
        let reject = reject_status(config.reject_status_code);
        let reject = reject.map_err(|reason| refused(".rejectStatusCode", reason)).ok();
        let compiled = Self { denied: denied?, strategy: strategy?, reject: reject? };
        (!config.source_range.is_empty()).then_some(compiled)
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let address = self.strategy.client(request, context).address();
        if address.is_some_and(|address| !self.denied.contain(address)) {
            return Flow::Continue;
        }
        context.reason = Some("ipDenyList: the client's address is in the list, or not known");
        Flow::Respond(Answer::proxy_error(self.reject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, get, shown};

    fn config(ranges: &[&str], status: i64) -> dynamic::IpDenyList {
        dynamic::IpDenyList {
            source_range: ranges.iter().map(|&range| range.to_owned()).collect(),
            ip_strategy: Some(dynamic::IpStrategy { depth: 1, ..Default::default() }),
            reject_status_code: status,
        }
    }

    #[track_caller]
    fn check(ranges: &[&str], forwarded: &str, expected: bool) {
        let filter = IpDenyList::compile(&config(ranges, 0), &mut Vec::new()).unwrap();
        let mut request = get("/", &[("X-Forwarded-For", forwarded)]);
        let flow = filter.on_request(&mut request, &mut context());
        assert_eq!(matches!(flow, Flow::Continue), expected, "{forwarded} in {ranges:?}");
    }

    #[test]
    fn addresses_in_the_list_are_kept_out_and_others_are_not() {
        check(&["10.0.0.0/8", "fe80::/10"], "10.1.2.3", false);
        check(&["10.0.0.0/8", "fe80::/10"], "::ffff:10.1.2.3", false);
        check(&["10.0.0.0/8", "fe80::/10"], "10.1.2.3:99", false);
        check(&["10.0.0.0/8", "fe80::/10"], "fe80::1%eth0", false);
        check(&["10.0.0.0/8", "fe80::/10"], "11.1.2.3", true);
        check(&["10.0.0.0/8", "fe80::/10"], "2001:db8::1", true);
        check(&["10.0.0.0/8"], "10.0.0.1, 11.1.2.3", true);
    }

    #[test]
    fn who_is_not_known_is_kept_out() {
        check(&["10.0.0.0/8"], "", false);
        check(&["10.0.0.0/8"], "nobody", false);
        check(&["10.0.0.0/8"], "11.1.2.3, ", false);
    }

    #[test]
    fn they_get_the_status_and_its_text() {
        let filter = IpDenyList::compile(&config(&["127.0.0.1"], 404), &mut Vec::new()).unwrap();
        let mut context = context();
        let flow = filter.on_request(&mut get("/", &[]), &mut context);
        assert!(matches!(flow, Flow::Respond(answer) if answer.status == Status::NOT_FOUND));
        assert!(context.reason.is_some());
    }

    #[test]
    fn settings_without_a_meaning_are_refused() {
        let mut problems = Vec::new();
        assert!(IpDenyList::compile(&config(&[], 103), &mut problems).is_none());
        assert!(IpDenyList::compile(&config(&["a"], 0), &mut problems).is_none());
        assert_eq!(
            shown(&problems),
            [
                "Error ipDenyList.sourceRange: is empty: nobody would be kept out",
                "Error ipDenyList.rejectStatusCode: invalid HTTP status code 103: it announces another response",
                "Error ipDenyList.sourceRange: parsing CIDR trusted IPs <nil>: invalid CIDR address: a",
            ]
        );
    }
}
