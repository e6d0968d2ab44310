//! Lets in clients of some addresses only.
//!
//! Traefik: `ipAllowList` and its old name `ipWhiteList`. Differences: a `rejectStatusCode` that
//! announces another response, with which Traefik answers 200, is refused when the configuration
//! is read.

use portway_http::{Answer, Request, Status};
use portway_model::{Problem, dynamic};

use crate::client::{Addresses, Strategy};
use crate::{Context, Flow};

/// A compiled `ipAllowList` or `ipWhiteList`.
#[derive(Debug)]
pub struct IpAllowList {
    allowed: Addresses,
    strategy: Strategy,
    reject: Status,
}

impl IpAllowList {
    /// Compiles the user's settings; an empty list is refused, and so is a status that Go has no text for.
    pub fn compile(config: &dynamic::IpAllowList, problems: &mut Vec<Problem>) -> Option<Self> {
        let refused = |message| problems.push(Problem::error("", message));
        allow_list(config).map_err(refused).ok()
    }

    /// Compiles the settings of `ipWhiteList`; an empty list is refused.
    pub fn compile_white_list(
        config: &dynamic::IpWhiteList,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let message = "IPWhiteList is deprecated, please use IPAllowList instead";
        problems.push(Problem::warning("ipWhiteList", message));
        let refused = |message| problems.push(Problem::error("", message));
        white_list(config).map_err(refused).ok()
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let address = self.strategy.client(request, context).address();
        if address.is_some_and(|address| self.allowed.contain(address)) {
            return Flow::Continue;
        }
        context.reason = Some("ipAllowList: the client's address is not in the list");
        Flow::Respond(Answer::proxy_error(self.reject))
    }
}

fn allow_list(config: &dynamic::IpAllowList) -> Result<IpAllowList, String> {
    let ranges = &config.source_range;
    if ranges.is_empty() {
        return Err("sourceRange is empty, IPAllowLister not created".to_owned());
    }
    let reject = reject_status(config.reject_status_code)?;
    let allowed = Addresses::compile(ranges)
        .map_err(|reason| format!("cannot parse CIDRs [{}]: {reason}", ranges.join(" ")))?;
    let strategy = Strategy::compile(config.ip_strategy.as_ref())?;
    Ok(IpAllowList { allowed, strategy, reject })
}

fn white_list(config: &dynamic::IpWhiteList) -> Result<IpAllowList, String> {
    let ranges = &config.source_range;
    if ranges.is_empty() {
        return Err("sourceRange is empty, IPWhiteLister not created".to_owned());
    }
    let allowed = Addresses::compile(ranges).map_err(|reason| {
        format!("cannot parse CIDR whitelist [{}]: {reason}", ranges.join(" "))
    })?;
    let strategy = Strategy::compile(config.ip_strategy.as_ref())?;
    Ok(IpAllowList { allowed, strategy, reject: Status::FORBIDDEN })
}

pub(crate) fn reject_status(code: i64) -> Result<Status, String> {
    if code == 0 {
        return Ok(Status::FORBIDDEN);
    }
    let status = u16::try_from(code).ok().and_then(Status::new);
    // The text of 499 is Traefik's own, and not known to what checks this.
    let known =
        |status: &Status| !status.text().is_empty() && *status != Status::CLIENT_CLOSED_REQUEST;
    match status.filter(known) {
        Some(status) if status.code() < 200 => {
            Err(format!("invalid HTTP status code {code}: it announces another response"))
        }
        Some(status) => Ok(status),
        None => Err(format!("invalid HTTP status code {code}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, get, shown};

    fn config(ranges: &[&str], status: i64) -> dynamic::IpAllowList {
        dynamic::IpAllowList {
            source_range: ranges.iter().map(|&range| range.to_owned()).collect(),
            ip_strategy: Some(dynamic::IpStrategy { depth: 1, ..Default::default() }),
            reject_status_code: status,
        }
    }

    #[track_caller]
    fn check(ranges: &[&str], forwarded: &str, expected: bool) {
        let filter = IpAllowList::compile(&config(ranges, 0), &mut Vec::new()).unwrap();
        let mut request = get("/", &[("X-Forwarded-For", forwarded)]);
        let flow = filter.on_request(&mut request, &mut context());
        assert_eq!(matches!(flow, Flow::Continue), expected, "{forwarded} in {ranges:?}");
    }

    #[test]
    fn addresses_in_the_list_are_let_in() {
        check(&["10.0.0.0/8"], "10.1.2.3", true);
        check(&["10.0.0.0/8"], "::ffff:10.1.2.3", true);
        check(&["10.0.0.0/8"], "10.1.2.3:99", true);
        check(&["192.0.2.1", "fe80::/10"], "fe80::1%eth0", true);
        check(&["0.0.0.0/0", "::/0"], "2001:db8::1", true);
    }

    #[test]
    fn others_are_not() {
        check(&["10.0.0.0/8"], "11.1.2.3", false);
        check(&["0.0.0.0/0"], "::1", false);
        check(&["0.0.0.0/0", "::/0"], "", false);
        check(&["0.0.0.0/0", "::/0"], "nobody", false);
        check(&["0.0.0.0/0", "::/0"], "10.0.0.1, ", false);
    }

    #[test]
    fn others_get_the_status_and_its_text() {
        let filter = IpAllowList::compile(&config(&["::1"], 404), &mut Vec::new()).unwrap();
        let mut context = context();
        let Flow::Respond(answer) = filter.on_request(&mut get("/", &[]), &mut context) else {
            panic!("let in")
        };
        assert_eq!(answer, Answer::proxy_error(Status::NOT_FOUND));
        assert!(context.reason.is_some());
    }

    #[test]
    fn settings_without_a_meaning_are_refused_in_the_words_of_traefik() {
        for (config, expected) in [
            (config(&[], 0), "sourceRange is empty, IPAllowLister not created"),
            (config(&["::1"], 999), "invalid HTTP status code 999"),
            (config(&["::1"], 499), "invalid HTTP status code 499"),
            (config(&["::1"], -1), "invalid HTTP status code -1"),
            (config(&["::1"], 103), "invalid HTTP status code 103: it announces another response"),
            (
                config(&["::1", "1.2.3.4/33"], 0),
                "cannot parse CIDRs [::1 1.2.3.4/33]: parsing CIDR trusted IPs <nil>: invalid CIDR \
                 address: 1.2.3.4/33",
            ),
        ] {
            let mut problems = Vec::new();
            assert!(IpAllowList::compile(&config, &mut problems).is_none());
            assert_eq!(shown(&problems), [format!("Error {expected}")]);
        }
    }

    #[test]
    fn the_old_name_does_the_same_and_warns() {
        let mut problems = Vec::new();
        let source_range = vec!["127.0.0.1".to_owned()];
        let config = dynamic::IpWhiteList { source_range, ip_strategy: None };
        let filter = IpAllowList::compile_white_list(&config, &mut problems).unwrap();
        assert!(matches!(filter.on_request(&mut get("/", &[]), &mut context()), Flow::Continue));
        assert!(shown(&problems)[0].starts_with("Warning ipWhiteList: "));
        assert!(IpAllowList::compile_white_list(&Default::default(), &mut problems).is_none());
        assert_eq!(shown(&problems)[2], "Error sourceRange is empty, IPWhiteLister not created");
    }
}
