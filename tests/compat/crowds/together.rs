//! `inFlightReq` and `rateLimit` where clients are known by what proxies in front say of them.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;

use portway_testkit::client::Response;
use portway_testkit::random::Random;

use super::guests::{Gate, Guest, Leave, Manner, Welcome, come, leave};
use super::{doors, random, seeds, setup, text_of};
use crate::compat::pair::{Pair, Side};

/// How many middlewares there are, each behind a host of its own.
const GUARDS: usize = 8;

/// How many requests come, and how many of them may stay at once.
const COMERS: usize = 60;
const AT_ONCE: usize = 5;

const STRATEGIES: &[&str] = &[
    "ipStrategy: {depth: 0, ipv6Subnet: 128}",
    "ipStrategy: {depth: 1}",
    "ipStrategy: {depth: 2}",
    "ipStrategy: {depth: 1, ipv6Subnet: 64}",
    "ipStrategy: {ipv6Subnet: 32}",
    "ipStrategy: {excludedIPs: [\"127.0.0.1\", \"10.0.0.0/8\", \"2001:db8:1::/48\"]}",
    "ipStrategy: {excludedIPs: [\"192.0.2.0/24\"], depth: 1}",
    "ipStrategy: {excludedIPs: [\"::/0\", \"0.0.0.0/0\"]}",
    "requestHost: true",
    "requestHeaderName: X-Real-Ip",
    "requestHeaderName: x-forwarded-for",
    "requestHeaderName: X-Forwarded-Host",
    "requestHeaderName: Host",
];

const FIELDS: &[&str] = &[
    "",
    "",
    "X-Forwarded-For: 192.0.2.1\r\n",
    "X-Forwarded-For: 10.0.0.1, 192.0.2.1\r\n",
    "X-Forwarded-For: 192.0.2.1,10.0.0.1\r\n",
    "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1\r\n",
    "X-Forwarded-For: 192.0.2.1:1234\r\n",
    "X-Forwarded-For: 2001:db8:1::1\r\n",
    "X-Forwarded-For: 2001:db8:1::2\r\n",
    "X-Forwarded-For: 2001:db8:1:0:1::\r\n",
    "X-Forwarded-For: 2001:db8:2::1, 2001:db8:1::1\r\n",
    "X-Forwarded-For: [2001:db8:1::1]:9\r\n",
    "X-Forwarded-For: fe80::1%eth0\r\n",
    "X-Forwarded-For: ::ffff:192.0.2.1\r\n",
    "X-Forwarded-For:\r\n",
    "X-Forwarded-For: ,\r\n",
    "X-Forwarded-For: unknown, 192.0.2.1\r\n",
    "X-Forwarded-For:  192.0.2.1 \r\n",
    "X_Forwarded_For: 192.0.2.1\r\n",
    "X-Real-Ip: 192.0.2.1\r\n",
    "X-Real-Ip: 192.0.2.2\r\nX-Real-Ip: 192.0.2.1\r\n",
    "X-Real-Ip:\r\n",
    "X-Forwarded-Host: one.test\r\n",
    "X-Forwarded-Host: ONE.test\r\nX-Forwarded-For: 192.0.2.1\r\n",
];

const PREAMBLES: &[&str] = &[
    "PROXY TCP4 192.0.2.1 198.51.100.1 1234 80\r\n",
    "PROXY TCP4 192.0.2.2 198.51.100.1 1234 80\r\n",
    "PROXY TCP4 10.0.0.1 198.51.100.1 99 80\r\n",
    "PROXY TCP6 2001:db8:1::1 ::1 1234 80\r\n",
    "PROXY TCP6 2001:db8:1::2 ::1 1234 80\r\n",
    "PROXY TCP6 ::ffff:192.0.2.1 ::1 1234 80\r\n",
    "PROXY UNKNOWN\r\n",
];

/// What happens next.
#[derive(Debug)]
enum Act {
    Come(Box<Manner>),
    /// One of those that are inside, by its place among them, goes.
    Go(usize, Leave),
}

#[test]
fn crowds_are_let_in_as_by_traefik() {
    seeds(|seed| {
        let random = &mut random(seed, 1);
        let setup = setup(&configuration(random), &doors::of_proxies(random));
        let gates = RefCell::new(Vec::new());
        let mut pair = Pair::start_with(&setup, || {
            let gate = Arc::new(Gate::default());
            gates.borrow_mut().push(Arc::clone(&gate));
            vec![gate.backend()]
        })?;
        let gates = gates.into_inner();
        let acts = acts(random);
        let [portway, traefik] = pair.sides.each_ref();
        let lines = std::thread::scope(|scope| {
            let other = scope.spawn(|| play(traefik, &gates[1], &acts));
            [play(portway, &gates[0], &acts), other.join().expect("what was seen of Traefik")]
        });
        let [mine, theirs] = &lines;
        for (number, (act, (mine, theirs))) in acts.iter().zip(mine.iter().zip(theirs)).enumerate()
        {
            let name = format!("COMPAT_SEED={seed} {number} {act:?}\n{}", text_of(&setup));
            pair.compare_texts(&name, [mine.clone(), theirs.clone()]);
            if mine != theirs {
                // Who is inside differs from here on.
                break;
            }
        }
        Some(pair)
    });
}

fn configuration(random: &mut Random) -> String {
    let (mut routers, mut middlewares) = (String::new(), String::new());
    for number in 0..GUARDS {
        let criterion = random.pick(STRATEGIES);
        let guard = match random.below(3) {
            0 => format!("rateLimit: {{average: 1, period: 24h, burst: {}", 1 + random.below(3)),
            _ => format!("inFlightReq: {{amount: {}", 1 + random.below(2)),
        };
        let rule = format!("\"HostRegexp(`^g{number}[.]`)\"");
        let guarded = format!("service: s, middlewares: [g{number}]");
        let _ = write!(
            routers,
            "    g{number}: {{rule: {rule}, {guarded}}}\n    t{number}: {{rule: {rule}, {guarded}, tls: {{}}}}\n"
        );
        let _ =
            writeln!(middlewares, "    g{number}: {{{guard}, sourceCriterion: {{{criterion}}}}}}}");
    }
    format!(
        "http:\n  routers:\n{routers}  middlewares:\n{middlewares}  services:\n\
         \x20   s: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n"
    )
}

fn acts(random: &mut Random) -> Vec<Act> {
    // A few fields that come again and again.
    let fields: Vec<&str> = (0..6).map(|_| *random.pick(FIELDS)).collect();
    let guards: Vec<usize> = (0..3).map(|_| random.below(GUARDS)).collect();
    let mut acts = Vec::new();
    for number in 0..COMERS {
        let mut manner = manner(random, &fields, &guards);
        manner.path = format!("/{number}");
        acts.push(Act::Come(Box::new(manner)));
        if random.once_in(2) {
            let how = if random.once_in(3) { Leave::GiveUp } else { Leave::Finish };
            acts.push(Act::Go(random.below(AT_ONCE), how));
        }
    }
    acts
}

fn manner(random: &mut Random, fields: &[&str], guards: &[usize]) -> Manner {
    let http2 = random.once_in(4);
    let guard = *random.pick(guards);
    let preambled = !http2 && random.once_in(3);
    Manner {
        door: random.pick::<&str>(&doors::NAMES),
        from: random.pick::<&str>(&["127.0.0.1", "127.0.0.1", "127.0.0.2"]),
        preamble: if preambled { random.pick::<&str>(PREAMBLES) } else { "" },
        secure: random.once_in(4),
        http2,
        host: format!(
            "{}{guard}.{}",
            random.pick(&["g", "g", "G"]),
            random.pick(&["test", "test", "one:80"])
        ),
        fields: (*random.pick(fields)).to_owned(),
        path: String::new(),
    }
}

fn play(side: &Side, gate: &Gate, acts: &[Act]) -> Vec<String> {
    let mut inside: Vec<Guest> = Vec::new();
    let mut lines = Vec::new();
    for act in acts {
        let line = match act {
            Act::Go(place, how) if *place < inside.len() => {
                let answer = leave(side, gate, inside.remove(*place), *how);
                format!("goes {}\n", answer.as_ref().map(summary).unwrap_or_default())
            }
            Act::Go(..) => "nobody there\n".to_owned(),
            Act::Come(_) if inside.len() >= AT_ONCE => "full\n".to_owned(),
            Act::Come(manner) => match come(side, manner) {
                Welcome::LetIn(guest) => {
                    inside.push(guest);
                    "let in\n".to_owned()
                }
                Welcome::Answered(response) => format!("{}\n", summary(&response)),
                Welcome::NotAnswered => "not answered\n".to_owned(),
            },
        };
        lines.push(line);
    }
    lines
}

/// Status, fields and body, without times.
fn summary(response: &Response) -> String {
    let mut fields = response.headers.sorted();
    fields.retain(|(name, _)| {
        !["date", "retry-after", "x-retry-in", "content-length"].contains(&name.as_str())
    });
    format!("{} {} {fields:?} {:?}", response.version, response.status, response.text())
}
