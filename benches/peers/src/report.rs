//! Tables for people, in Markdown.

use std::fmt::Write as _;

use crate::{
    contender::Kind,
    goal::{GOALS, Outcome},
    results::{LaneResult, Round, Run, Spread, Work},
    workload::{WORKLOADS, Workload},
};

/// One round in a line, while it runs.
pub(crate) fn round(round: &Round) -> String {
    if let Some(failure) = &round.failure {
        return format!("FAILED: {failure}");
    }
    format!(
        "{:.2} µs/request, {:.0} requests/s, p99 {:.2} ms, proxy core {:.0} %, load core {:.0} %",
        round.cpu_per_request(),
        round.rate(),
        round.p99_ms,
        round.proxy_core() * 100.0,
        round.load_core() * 100.0,
    )
}

/// A workload's table, and what Portway costs of each other.
pub(crate) fn work(workload: &Workload, work: &Work) -> String {
    let mut text = format!("\n## {}: {}\n\n", work.name, workload.about);
    if let Some(rate) = work.rate {
        line(&mut text, &format!("{rate:.0} requests a second.\n"));
    }
    let table: &[Column] = match workload {
        Workload { hold: true, .. } => HELD,
        Workload { paced: true, .. } => PACED,
        _ => COLUMNS,
    };
    let names: Vec<&str> = table.iter().map(|column| column.0).collect();
    line(&mut text, &format!("| contender | {} |", names.join(" | ")));
    line(&mut text, &format!("|---{}|", "|---".repeat(names.len())));
    for lane in &work.lanes {
        let cells: Vec<String> = match lane.failure() {
            Some(failure) => vec![format!("FAILED: {failure}")],
            None => table.iter().map(|column| column.1(work, lane)).collect(),
        };
        line(&mut text, &format!("| {} | {} |", lane.label, cells.join(" | ")));
    }
    text.push_str(&ratios(workload, work));
    text
}

/// A line of a string; writing to one cannot fail.
fn line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}");
}

/// What each lane of Portway costs, as a part of what the others cost.
fn ratios(workload: &Workload, work: &Work) -> String {
    let cost = |lane: &LaneResult| match workload.hold {
        true => lane.memory_per_connection(work.connections),
        false => lane.spread(Round::cpu_per_request),
    };
    let Some(first) = work.lanes.first() else { return String::new() };
    let Some(own) = cost(first) else { return String::new() };
    let others: Vec<String> = work
        .lanes
        .iter()
        .skip(1)
        .filter_map(|lane| Some(format!("{:.2} × {}", own.median / cost(lane)?.median, lane.label)))
        .collect();
    match others.is_empty() {
        true => String::new(),
        false => format!("\n{} costs {}.\n", first.label, others.join(", ")),
    }
}

type Column = (&'static str, fn(&Work, &LaneResult) -> String);

const COLUMNS: &[Column] = &[
    ("CPU µs/request", |_, lane| spread(lane.spread(Round::cpu_per_request), 2)),
    ("user", |_, lane| median(lane.spread(|round| round.cpu_per_request() * round.user_share), 2)),
    ("requests/s", |_, lane| median(lane.spread(Round::rate), 0)),
    ("p50 ms", |_, lane| median(lane.spread(|round| round.p50_ms), 2)),
    ("p99 ms", |_, lane| median(lane.spread(|round| round.p99_ms), 2)),
    ("MiB", |_, lane| median(lane.spread(Round::mebibytes), 0)),
    ("proxy core %", |_, lane| median(lane.spread(|round| round.proxy_core() * 100.0), 0)),
    ("load core %", |_, lane| median(lane.spread(|round| round.load_core() * 100.0), 0)),
    ("start s", |_, lane| format!("{:.2}", lane.start_seconds)),
];

const PACED: &[Column] = &[
    ("CPU µs/request", |_, lane| spread(lane.spread(Round::cpu_per_request), 2)),
    ("requests/s", |_, lane| spread(lane.spread(Round::rate), 0)),
    ("p50 ms", |_, lane| spread(lane.spread(|round| round.p50_ms), 3)),
    ("p90 ms", |_, lane| spread(lane.spread(|round| round.p90_ms), 3)),
    ("p99 ms", |_, lane| spread(lane.spread(|round| round.p99_ms), 3)),
    ("p99.9 ms", |_, lane| spread(lane.spread(|round| round.p999_ms), 3)),
    ("proxy core %", |_, lane| median(lane.spread(|round| round.proxy_core() * 100.0), 0)),
    ("load core %", |_, lane| median(lane.spread(|round| round.load_core() * 100.0), 0)),
];

const HELD: &[Column] = &[
    ("bytes/connection", |work, lane| spread(lane.memory_per_connection(work.connections), 0)),
    ("MiB before", |_, lane| {
        let before = Round { memory: lane.memory_before, ..Round::default() };
        format!("{:.1}", before.mebibytes())
    }),
    ("MiB with them", |_, lane| median(lane.spread(Round::mebibytes), 1)),
];

fn median(spread: Option<Spread>, digits: usize) -> String {
    spread.map(|spread| format!("{:.digits$}", spread.median)).unwrap_or_default()
}

fn spread(spread: Option<Spread>, digits: usize) -> String {
    let text = |it: Spread| {
        let Spread { median, lowest, highest } = it;
        format!("{median:.digits$} [{lowest:.digits$}–{highest:.digits$}]")
    };
    spread.map(text).unwrap_or_default()
}

/// CPU per request of every contender in every workload. What one contender does in several ways in a
/// workload makes a row for each.
pub(crate) fn overview(run: &Run) -> String {
    let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let mut text = format!(
        "\nCPU of the proxy in µs for a request, {}, {}, Linux {}\n\n",
        run.date, run.machine.processor, run.machine.kernel
    );
    line(&mut text, &format!("| work | {} |", names.join(" | ")));
    line(&mut text, &format!("|---{}|", "|---:".repeat(names.len())));
    for workload in WORKLOADS.iter().filter(|workload| !workload.hold) {
        let Some(work) = run.work(workload.name) else { continue };
        for suffix in suffixes(work, &names) {
            let cells = names.iter().map(|name| {
                let lane = work.lane(&format!("{name}{suffix}"));
                median(lane.and_then(|lane| lane.spread(Round::cpu_per_request)), 1)
            });
            let cells = cells.collect::<Vec<_>>().join(" | ");
            line(&mut text, &format!("| {}{suffix} | {cells} |", work.name));
        }
    }
    text
}

/// What lanes are called beyond the names of their contenders.
fn suffixes<'run>(work: &'run Work, names: &[&str]) -> Vec<&'run str> {
    let mut found = Vec::new();
    for lane in &work.lanes {
        let suffix = names.iter().find_map(|name| lane.label.strip_prefix(name));
        let suffix = suffix.filter(|suffix| suffix.is_empty() || suffix.starts_with('-'));
        found.extend(suffix.filter(|suffix| !found.contains(suffix)));
    }
    found
}

/// Which goals the run can judge, and whether they are met; nothing if there are none.
pub(crate) fn goals(run: &Run) -> String {
    let mut text = String::new();
    for goal in GOALS {
        let Some(Outcome { value, paired, against, met }) = goal.judge(run) else { continue };
        if text.is_empty() {
            line(
                &mut text,
                "\n## Goals\n\n| work | goal | measured | round by round | met |\n|---|---|---|---|---|",
            );
        }
        let limit = goal.limit_text(&against);
        let (measured, met) = (goal.value_text(value), if met { "yes" } else { "**no**" });
        let rounds = spread(paired, 2);
        line(&mut text, &format!("| {} | {limit} | {measured} | {rounds} | {met} |", goal.work));
    }
    text
}
