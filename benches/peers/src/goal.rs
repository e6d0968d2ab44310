//! What Portway wants to reach beside the others, as ratios of medians within one run.

use crate::results::{LaneResult, Round, Run, Spread, Work};

/// One goal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// The workload.
    pub(crate) work: &'static str,
    /// Whose figure it is.
    lane: &'static str,
    measure: Measure,
    limit: Limit,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Cpu,
    P99,
    Rate,
    StartSeconds,
    Mebibytes,
    BytesPerConnection,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    /// At most so many times another lane's figure.
    Times(f64, &'static str),
    /// At most so many times the lowest figure of all other proxies.
    TimesBest(f64),
    /// At least so many times another lane's figure.
    AtLeastTimes(f64, &'static str),
    /// At most that.
    AtMost(f64),
}

/// A goal's figure, whose figure it is compared with, and whether it is met.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Of medians.
    pub(crate) value: f64,
    /// The ratio of each round, where there is another lane: neighbours in time, so that what a machine
    /// does to one it likely does to the other.
    pub(crate) paired: Option<Spread>,
    pub(crate) against: String,
    pub(crate) met: bool,
}

const fn cpu(work: &'static str, times: f64, other: &'static str) -> Goal {
    Goal { work, lane: "portway", measure: Measure::Cpu, limit: Limit::Times(times, other) }
}

const fn cpu_of_best(work: &'static str, times: f64) -> Goal {
    Goal { work, lane: "portway", measure: Measure::Cpu, limit: Limit::TimesBest(times) }
}

/// All goals.
pub(crate) const GOALS: &[Goal] = &[
    cpu("h1", 0.85, "nginx"),
    cpu("h1", 0.75, "haproxy"),
    cpu("h1", 0.27, "envoy"),
    cpu("h1", 0.17, "traefik"),
    cpu("h1", 0.45, "pingora"),
    cpu("h1", 1.35, "relay"),
    cpu("tls", 0.70, "nginx"),
    cpu("tls", 0.60, "haproxy"),
    cpu("h2", 0.60, "nginx"),
    cpu("h2", 0.60, "haproxy"),
    cpu("h2", 0.25, "envoy"),
    cpu("grpc", 0.50, "envoy"),
    cpu("tls-full", 0.65, "nginx"),
    cpu("tls-full", 0.75, "envoy"),
    cpu_of_best("tls-resumed", 1.0),
    cpu("browser", 0.90, "nginx"),
    cpu("body-1m", 0.65, "nginx"),
    cpu_of_best("body-1m", 0.85),
    cpu_of_best("body-1m-tls", 1.0),
    Goal {
        work: "rate",
        lane: "portway",
        measure: Measure::P99,
        limit: Limit::Times(1.0, "nginx"),
    },
    Goal {
        work: "routers",
        lane: "portway-100k",
        measure: Measure::Cpu,
        limit: Limit::Times(1.10, "portway-1"),
    },
    Goal {
        work: "routers",
        lane: "portway-10k",
        measure: Measure::Cpu,
        limit: Limit::Times(0.02, "traefik-10k"),
    },
    Goal {
        work: "routers",
        lane: "portway-100k",
        measure: Measure::StartSeconds,
        limit: Limit::AtMost(5.0),
    },
    Goal {
        work: "routers",
        lane: "portway-100k",
        measure: Measure::Mebibytes,
        limit: Limit::AtMost(300.0),
    },
    Goal {
        work: "idle",
        lane: "portway",
        measure: Measure::BytesPerConnection,
        limit: Limit::AtMost(2048.0),
    },
    Goal {
        work: "basic-auth",
        lane: "portway",
        measure: Measure::Rate,
        limit: Limit::AtLeastTimes(0.70, "portway-open"),
    },
];

impl Goal {
    /// Judges a run; `None` if it has not measured what is needed.
    pub(crate) fn judge(&self, run: &Run) -> Option<Outcome> {
        let work = run.work(self.work)?;
        let own = self.figures(work, work.lane(self.lane)?)?;
        let (limit, other) = match self.limit {
            Limit::AtMost(limit) => {
                let value = median(own)?;
                let against = String::new();
                return Some(Outcome { value, paired: None, against, met: value <= limit });
            }
            Limit::Times(limit, other) | Limit::AtLeastTimes(limit, other) => (limit, other),
            Limit::TimesBest(limit) => (limit, self.best(work)?),
        };
        let others = self.figures(work, work.lane(other)?)?;
        let paired = own.iter().zip(&others).map(|(own, other)| own / other).collect();
        let value = median(own)? / median(others)?;
        let met = match self.limit {
            Limit::AtLeastTimes(..) => value >= limit,
            _ => value <= limit,
        };
        let against = match self.limit {
            Limit::TimesBest(_) => format!("the best peer ({other})"),
            _ => other.to_owned(),
        };
        Some(Outcome { value, paired: Spread::of(paired), against, met })
    }

    /// The other proxy with the lowest median.
    fn best<'run>(&self, work: &'run Work) -> Option<&'run str> {
        let peers = work.lanes.iter().filter(|lane| PEERS.contains(&lane.label.as_str()));
        let medians =
            peers.filter_map(|lane| Some((median(self.figures(work, lane)?)?, &lane.label)));
        let best = medians.min_by(|left, right| left.0.total_cmp(&right.0));
        best.map(|(_, label)| label.as_str())
    }

    /// The goal in words.
    pub(crate) fn limit_text(&self, against: &str) -> String {
        let what = self.measure.name();
        let lane = self.lane;
        match self.limit {
            Limit::Times(limit, _) | Limit::TimesBest(limit) => {
                format!("{what} of {lane} ≤ {limit:.2} × {against}")
            }
            Limit::AtLeastTimes(limit, _) => format!("{what} of {lane} ≥ {limit:.2} × {against}"),
            Limit::AtMost(limit) => format!("{what} of {lane} ≤ {limit}"),
        }
    }

    /// A figure as text.
    pub(crate) fn value_text(&self, value: f64) -> String {
        match self.limit {
            Limit::AtMost(_) if value >= 10.0 => format!("{value:.0}"),
            _ if value < 0.1 => format!("{value:.3}"),
            _ => format!("{value:.2}"),
        }
    }

    /// The figure of every round; `None` without rounds or with failed ones.
    fn figures(&self, work: &Work, lane: &LaneResult) -> Option<Vec<f64>> {
        match self.measure {
            Measure::Cpu => lane.figures(Round::cpu_per_request),
            Measure::P99 => lane.figures(|round| round.p99_ms),
            Measure::Rate => lane.figures(Round::rate),
            Measure::StartSeconds => lane.figures(|_| lane.start_seconds),
            Measure::Mebibytes => lane.figures(Round::mebibytes),
            Measure::BytesPerConnection => {
                lane.figures(|round| lane.bytes_per_connection(round, work.connections))
            }
        }
    }
}

fn median(figures: Vec<f64>) -> Option<f64> {
    Spread::of(figures).map(|spread| spread.median)
}

/// Who counts as another proxy.
const PEERS: &[&str] = &["nginx", "haproxy", "envoy", "traefik", "caddy", "pingora"];

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::P99 => "p99",
            Self::Rate => "requests/s",
            Self::StartSeconds => "seconds to the first answer",
            Self::Mebibytes => "MiB",
            Self::BytesPerConnection => "bytes a connection",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GOALS;
    use crate::results::{LaneResult, Round, Run, Work};

    fn run(portway: u64, nginx: u64, relay: u64) -> Run {
        let lane = |label: &str, cpu_nanoseconds| LaneResult {
            label: label.to_owned(),
            rounds: vec![Round { requests: 1, cpu_nanoseconds, ..Round::default() }],
            ..LaneResult::default()
        };
        let lanes = vec![lane("portway", portway), lane("nginx", nginx), lane("relay", relay)];
        let work =
            |name: &str| Work { name: name.to_owned(), lanes: lanes.clone(), ..Work::default() };
        Run { workloads: vec![work("h1"), work("body-1m")], ..Run::default() }
    }

    fn judged(run: &Run) -> Vec<(&'static str, String, bool)> {
        let judged = GOALS.iter().filter_map(|goal| Some((goal.work, goal.judge(run)?)));
        judged.map(|(work, outcome)| (work, outcome.against, outcome.met)).collect()
    }

    #[test]
    fn goals_are_judged_by_ratios_of_what_was_measured() {
        let met = |run: &Run| judged(run).iter().map(|(.., met)| *met).collect::<Vec<_>>();
        // h1 against nginx and the relay; 1 MiB against nginx and the best peer, which a relay is not.
        assert_eq!(met(&run(60, 100, 50)), [true, true, true, true]);
        assert_eq!(met(&run(80, 100, 50)), [true, false, false, true]);
        assert_eq!(met(&run(90, 100, 50)), [false, false, false, false]);
        let best = judged(&run(60, 100, 50)).pop().unwrap();
        assert_eq!(best.1, "the best peer (nginx)");
    }
}
