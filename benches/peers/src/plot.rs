//! A bar chart for the README, drawn from raw results.

use std::{fmt::Write as _, fs, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::{
    options::results_folder,
    report,
    results::{Round, Run, Work},
};

/// The workloads that are drawn, with their titles.
const PANELS: [(&str, &str); 5] = [
    ("h1", "HTTP/1.1 keep-alive, 1 KiB"),
    ("tls", "TLS 1.3 keep-alive, 1 KiB"),
    ("h2", "HTTP/2 over TLS 1.3, 8 connections with 16 streams, 1 KiB"),
    ("grpc", "gRPC, 8 connections with 16 unary calls"),
    ("body-1m", "bodies of 1 MiB"),
];

const WIDTH: usize = 760;
const LABELS: usize = 90;
const BARS: usize = 560;
const ROW: usize = 22;

/// Writes `plot.svg` beside the results and prints the figures of all workloads. Of several files, the
/// last that has a workload counts; without any, all of the results.
pub(crate) fn plot(files: &[PathBuf]) -> Result<()> {
    let mut files = files.to_vec();
    if files.is_empty() {
        files = saved()?;
    }
    let mut runs = files.iter().map(|file| Run::load(file)).collect::<Result<Vec<_>>>()?;
    runs.sort_by(|run, other| run.date.cmp(&other.date));
    let run = Run::latest(&runs);
    let works = PANELS.iter().filter_map(|(name, title)| Some((*title, run.work(name)?)));
    let svg = draw(&works.collect::<Vec<_>>());
    let folder = results_folder();
    fs::create_dir_all(&folder)?;
    let path = folder.join("plot.svg");
    fs::write(&path, svg)?;
    println!("{}{}\n{}", report::overview(&run), report::goals(&run), path.display());
    Ok(())
}

fn saved() -> Result<Vec<PathBuf>> {
    let folder = results_folder();
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let is_result = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    Ok(paths.into_iter().filter(is_result).collect())
}

/// Text takes the reader's colour where the picture is inlined, and a grey that reads on white and on
/// black where it is not.
fn draw(works: &[(&str, &Work)]) -> String {
    let mut body = String::new();
    let mut y = 10;
    for (title, work) in works {
        y = panel(&mut body, title, work, y);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" width=\"{WIDTH}\" height=\"{y}\" font-family=\"system-ui, sans-serif\" font-size=\"13\">
<title>CPU of the proxy for a request, in microseconds; shorter is better</title>
<style>
text {{ fill: #57606a }} .bar {{ fill: #8c959f }} .own {{ fill: #1f883d }} .relay {{ fill: none; stroke: #8c959f }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #c9d1d9 }} .bar {{ fill: #6e7681 }} .own {{ fill: #3fb950 }} }}
</style>
{body}</svg>
"
    )
}

/// Draws one workload from `y` down; answers where the next begins.
fn panel(body: &mut String, title: &str, work: &Work, y: usize) -> usize {
    let lanes = work.lanes.iter();
    let mut bars: Vec<(&str, f64)> = lanes
        .filter_map(|lane| Some((lane.label.as_str(), lane.spread(Round::cpu_per_request)?.median)))
        .collect();
    bars.sort_by(|left, right| left.1.total_cmp(&right.1));
    let longest = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    // Writing to a string cannot fail.
    let _ = writeln!(
        body,
        "<text x=\"0\" y=\"{}\" font-weight=\"bold\">{title}: µs of CPU for a request</text>",
        y + 12
    );
    let mut row = y + ROW;
    for (label, value) in bars {
        let class = match label {
            label if label.starts_with("portway") => "own",
            "relay" => "relay",
            _ => "bar",
        };
        let width = scaled(value / longest);
        let (base, middle) = (row + 13, row + 2);
        let (end, shown) = (LABELS + 6, figure(value));
        let _ = writeln!(
            body,
            "<text x=\"{LABELS}\" y=\"{base}\" text-anchor=\"end\">{label}</text><rect class=\"{class}\" x=\"{end}\" y=\"{middle}\" width=\"{width:.1}\" height=\"14\" rx=\"2\"/><text x=\"{:.1}\" y=\"{base}\">{shown}</text>",
            width + 102.0
        );
        row += ROW;
    }
    row + ROW / 2
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn scaled(share: f64) -> f64 {
    share * BARS as f64
}

fn figure(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::results::{LaneResult, Round, Work};

    #[test]
    fn bars_stand_in_the_order_of_their_length() {
        let lane = |label: &str, cpu_nanoseconds| LaneResult {
            label: label.to_owned(),
            rounds: vec![Round { requests: 1, cpu_nanoseconds, ..Round::default() }],
            ..LaneResult::default()
        };
        let lanes = vec![lane("nginx", 20_000), lane("portway", 10_000)];
        let svg = draw(&[("work", &Work { lanes, ..Work::default() })]);
        let at = |text: &str| svg.find(text).unwrap_or_else(|| panic!("no `{text}` in {svg}"));
        assert!(at("class=\"own\"") < at("class=\"bar\""));
        at("width=\"280.0\"");
        at("width=\"560.0\"");
    }
}
