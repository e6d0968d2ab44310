//! The configuration's way: providers → aggregate → compile → publish, and the log of what is wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use portway_model::{
    Change, Diagnostic, Names, Severity,
    dynamic::Config,
    name::INTERNAL,
    runtime::{Runtime, Status},
    static_config::StaticConfig,
};
use portway_provider::{
    Aggregator, FolderOfManifests, Source as _, cluster::Live, file::Files, run, updates,
};
use portway_snapshot::{Environment, Publisher, Settings, Snapshot, compile};
use portway_upstream::News;
use rustls_pki_types::UnixTime;
use tokio::sync::{Notify, mpsc, watch};

use crate::{clusters, internal::Internals, staples::Staples};

/// The compiler with what never changes: settings, environment, and the routers of the static configuration.
#[derive(Debug)]
pub(crate) struct Compiler {
    settings: Settings,
    environment: Environment,
}

impl Compiler {
    pub(crate) fn new(settings: Settings, environment: Environment) -> Self {
        Self { settings, environment }
    }

    /// Compiles what providers say, as of now.
    pub(crate) fn compile(&self, configs: &Configs, before: Option<&Snapshot>) -> Arc<Snapshot> {
        let now = UnixTime::now();
        Arc::new(compile(configs, &self.settings, &self.environment, now, before))
    }
}

/// Dynamic configuration by the provider that says it.
pub(crate) type Configs = BTreeMap<String, Arc<Config>>;

/// Who hears of each configuration that goes live.
#[derive(Debug)]
pub(crate) struct Followers {
    /// Asks whether certificates are revoked.
    pub(crate) staples: Option<Staples>,
    /// Where servers are asked for their health.
    pub(crate) checks: mpsc::Sender<News>,
}

/// Follows the providers until the process ends.
///
/// # Errors
/// When a provider's options cannot be used.
pub(crate) async fn control(
    config: &StaticConfig,
    internal: Configs,
    compiler: Compiler,
    publisher: Arc<Publisher>,
    internals: Arc<Internals>,
    followers: Followers,
    ending: &watch::Sender<bool>,
) -> Result<()> {
    let (sender, receiver) = updates();
    let mut providers: Vec<&str> = Vec::new();
    if let Some(options) = &config.providers.file {
        let source = Files::new(options);
        providers.extend(source.providers());
        tokio::spawn(run(source, options.watch, sender.clone()));
    }
    if let Some(options) = &config.providers.kubernetes_manifests {
        let source = FolderOfManifests::new(options)
            .context("providers.kubernetesManifests.labelSelector")?;
        providers.extend(source.providers());
        tokio::spawn(run(source, options.watch, sender.clone()));
    }
    let (live, heard) = watch::channel(Arc::default());
    providers.extend(clusters::start(&config.providers, &heard, &sender, ending).await?);
    drop(heard);
    drop(sender);
    tokio::spawn(retire(Arc::clone(&publisher)));
    let changed = Arc::new(Notify::new());
    if let Some(staples) = followers.staples {
        tokio::spawn(staples.keep(Arc::clone(&publisher), Arc::clone(&changed)));
    }
    let mut told = Told::default();
    if providers.is_empty() {
        told.tell(&publisher.current().runtime);
        internals.become_ready();
    }
    let throttle = config.providers.providers_throttle_duration.positive().unwrap_or_default();
    let providers = providers.into_iter().map(str::to_owned);
    let mut aggregator = Aggregator::new(providers, internal, throttle, receiver);
    let compiler = Arc::new(compiler);
    while let Some(merged) = aggregator.next().await {
        let before = publisher.current();
        let compiler = Arc::clone(&compiler);
        // Compiling a large table takes longer than other tasks of this runtime should wait.
        let configs = merged.configs.clone();
        let compiled =
            tokio::task::spawn_blocking(move || compiler.compile(&configs, Some(&before)));
        let snapshot = match compiled.await {
            Ok(snapshot) => snapshot,
            Err(error) => {
                // A fault of ours; what is live goes on.
                tracing::error!("the compiler has failed, the last configuration stays: {error}");
                continue;
            }
        };
        let news = snapshot.checks_since(&publisher.current());
        publisher.publish(Arc::clone(&snapshot));
        changed.notify_one();
        if !news.is_empty() && followers.checks.send(news).await.is_err() {
            tracing::error!(
                "servers are not asked for their health any more: their thread has ended"
            );
        }
        // Before all providers have spoken, much of what one refers to is missing for no fault of its user.
        if merged.complete {
            told.tell(&snapshot.runtime);
        }
        let hash: String = snapshot.hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        tracing::info!(
            "configuration {hash} is live: {} routers, {} services, {} middlewares",
            snapshot.runtime.routers.len(),
            snapshot.runtime.services.len(),
            snapshot.runtime.middlewares.len(),
        );
        if merged.complete {
            internals.become_ready();
            let runtime = snapshot.runtime.clone();
            // Nobody may want to hear it.
            live.send_replace(Arc::new(Live { configs: merged.configs, runtime }));
        }
    }
    // Sources that are not watched have said all they will say.
    std::future::pending().await
}

/// Takes snapshots apart that no request runs on any more.
async fn retire(publisher: Arc<Publisher>) {
    const PERIOD: Duration = Duration::from_secs(1);
    loop {
        tokio::time::sleep(PERIOD).await;
        let unused = publisher.take_unused();
        if !unused.is_empty() {
            // Whether it ends well decides nothing.
            _ = tokio::task::spawn_blocking(move || drop(unused)).await;
        }
    }
}

/// The routers of the static configuration, as their provider says them.
pub(crate) fn internal_configs(config: &StaticConfig) -> Configs {
    Configs::from([(INTERNAL.to_owned(), Arc::new(crate::internal::config(config)))])
}

/// Problems that the log has named already: each is told when it appears, not with every change.
#[derive(Debug, Default)]
struct Told {
    before: Runtime,
    /// How often each problem is told of now.
    times: BTreeMap<String, usize>,
}

impl Told {
    /// Tells what is new since the last time, at the cost of what changed.
    fn tell(&mut self, now: &Runtime) {
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        let before = &self.before;
        compare("router", &before.routers, &now.routers, &mut gone, &mut come, |i| {
            (i.status, &i.errors)
        });
        compare("service", &before.services, &now.services, &mut gone, &mut come, |i| {
            (i.status, &i.errors)
        });
        compare("middleware", &before.middlewares, &now.middlewares, &mut gone, &mut come, |i| {
            (i.status, &i.errors)
        });
        gone.extend(before.diagnostics.iter().map(ToString::to_string));
        come.extend(now.diagnostics.iter().map(|d| (d.severity, d.to_string())));
        self.before = now.clone();
        self.exchange(gone, come);
    }

    fn exchange(&mut self, gone: Vec<String>, come: Vec<(Severity, String)>) {
        for text in &gone {
            self.times.entry(text.clone()).and_modify(|times| *times = times.saturating_sub(1));
        }
        let gone: BTreeSet<String> = gone.into_iter().collect();
        for (severity, text) in come {
            let times = self.times.entry(text.clone()).or_default();
            if *times == 0 && !gone.contains(&text) {
                log(severity, &text);
            }
            *times += 1;
        }
        for text in gone {
            if self.times.get(&text) == Some(&0) {
                self.times.remove(&text);
                tracing::info!("no longer: {text}");
            }
        }
    }
}

/// Problems of the objects of one kind that changed: those before, and those now.
fn compare<T>(
    kind: &str,
    before: &Names<T>,
    now: &Names<T>,
    gone: &mut Vec<String>,
    come: &mut Vec<(Severity, String)>,
    problems: impl Fn(&T) -> (Status, &Vec<String>),
) {
    for Change { name, before, now } in now.changes(before) {
        let texts = |object: &T| {
            let (status, errors) = problems(object);
            let severity = match status {
                Status::Disabled => Severity::Error,
                _ => Severity::Warning,
            };
            let texts = errors.iter().map(|error| (severity, format!("{kind} {name}: {error}")));
            texts.collect::<Vec<_>>()
        };
        gone.extend(before.into_iter().flat_map(|object| texts(object)).map(|(_, text)| text));
        come.extend(now.into_iter().flat_map(|object| texts(object)));
    }
}

fn log(severity: Severity, text: &str) {
    match severity {
        Severity::Error => tracing::error!("{text}"),
        Severity::Warning => tracing::warn!("{text}"),
    }
}

/// Logs what the options' user should know.
pub(crate) fn log_diagnostics(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        log(diagnostic.severity, &diagnostic.to_string());
    }
}
