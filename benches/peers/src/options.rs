//! The command line.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    contender::Kind,
    workload::{WORKLOADS, Workload},
};

/// What a run does.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) rounds: u32,
    pub(crate) window: Duration,
    /// Names of contenders; empty means all.
    only: Vec<String>,
    /// Other builds of Portway, by name.
    pub(crate) binaries: Vec<(String, PathBuf)>,
    /// The backend's port; contenders take those from ten above it.
    pub(crate) port: u16,
    pub(crate) results: PathBuf,
}

impl Options {
    /// Reads arguments; `None` when help was asked for.
    pub(crate) fn parse(arguments: &[String]) -> Result<Option<Self>> {
        let mut options = Self {
            workloads: Vec::new(),
            rounds: 5,
            window: Duration::from_secs(3),
            only: Vec::new(),
            binaries: Vec::new(),
            port: 21_000,
            results: results_folder(),
        };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if matches!(word, "--help" | "-h") {
                return Ok(None);
            }
            if !word.starts_with("--") {
                let workload = Workload::named(word);
                options.workloads.push(*workload.with_context(|| format!("no workload `{word}`"))?);
                continue;
            }
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, words.next()),
            };
            let value = value.with_context(|| format!("`{name}` needs a value"))?;
            options.set(name, value).with_context(|| format!("`{name}`"))?;
        }
        if options.workloads.is_empty() {
            options.workloads = WORKLOADS.to_vec();
        }
        Ok(Some(options))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "--rounds" => self.rounds = value.parse()?,
            "--seconds" => self.window = Duration::try_from_secs_f64(value.parse()?)?,
            "--port" => self.port = value.parse()?,
            "--results" => self.results = value.into(),
            "--only" => {
                self.only = value.split(',').map(str::to_owned).collect();
                for name in &self.only {
                    let known = Kind::ALL.iter().any(|kind| kind.name() == name);
                    ensure!(known, "there is no contender `{name}`");
                }
            }
            "--binary" => {
                let (label, path) = value.split_once('=').context("expected NAME=PATH")?;
                self.binaries.push((label.to_owned(), path.into()));
            }
            _ => bail!("there is no such option"),
        }
        Ok(())
    }

    /// Who takes part.
    pub(crate) fn contenders(&self) -> impl Iterator<Item = Kind> {
        let wants = |kind: &Kind| self.only.iter().any(|wanted| wanted == kind.name());
        Kind::ALL.into_iter().filter(move |kind| self.only.is_empty() || wants(kind))
    }
}

/// Where results are kept.
pub(crate) fn results_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../results")
}

/// The help text.
pub(crate) fn help() -> String {
    let mut text = "\
cargo xtask bench peers [workload…] [options]

Runs Portway beside other proxies and prints a table for each workload. Without a workload, all of them.

  --rounds N          rounds, each with every contender in turn (default 5)
  --seconds S         the window of a round (default 3)
  --only A,B          these contenders only
  --binary NAME=PATH  another build of Portway, beside the others; may be repeated
  --port N            the backend's port; contenders take those from ten above it (default 21000)
  --results FOLDER    where the raw results go (default benches/results)

workloads
"
    .to_owned();
    for workload in WORKLOADS {
        text.push_str(&format!("  {:<14} {}\n", workload.name, workload.about));
    }
    let names = Kind::ALL.map(Kind::name).join(", ");
    text.push_str(&format!("\ncontenders: {names}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::{Kind, Options, WORKLOADS};

    fn parse(words: &[&str]) -> anyhow::Result<Options> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Ok(Options::parse(&words)?.unwrap())
    }

    #[test]
    fn options_are_read_in_both_forms() {
        let options = parse(&["h1", "--rounds=2", "--only", "nginx,relay", "--binary", "old=a/b"]);
        let options = options.unwrap();
        assert_eq!(options.rounds, 2);
        assert_eq!(options.workloads.len(), 1);
        assert_eq!(options.contenders().collect::<Vec<_>>(), [Kind::Nginx, Kind::Relay]);
        assert_eq!(options.binaries, [("old".to_owned(), "a/b".into())]);
        assert_eq!(parse(&[]).unwrap().workloads.len(), WORKLOADS.len());
    }

    #[test]
    fn what_does_not_exist_is_an_error() {
        for words in [&["h9"][..], &["--only", "nginz"], &["--rounds"], &["--fast", "1"]] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
