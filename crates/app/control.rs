//! The configuration's way: providers → aggregate → compile → publish, and the log of what is wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use portway_model::{
    Diagnostic, Severity,
    dynamic::Config,
    name::INTERNAL,
    runtime::{Runtime, Status},
    static_config::StaticConfig,
};
use portway_provider::{Aggregator, FolderOfManifests, file::Files, run, updates};
use portway_snapshot::{Environment, Publisher, Settings, Snapshot, compile};
use rustls_pki_types::UnixTime;

use crate::internal::Internals;

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
) -> Result<()> {
    let (sender, receiver) = updates();
    let mut providers = Vec::new();
    if let Some(options) = &config.providers.file {
        providers.push("file".to_owned());
        tokio::spawn(run(Files::new(options), options.watch, sender.clone()));
    }
    if let Some(options) = &config.providers.kubernetes_manifests {
        providers.push("kubernetescrd".to_owned());
        let source = FolderOfManifests::new(options)
            .context("providers.kubernetesManifests.labelSelector")?;
        tokio::spawn(run(source, options.watch, sender.clone()));
    }
    drop(sender);
    let mut told = Told::default();
    if providers.is_empty() {
        told.tell(&publisher.current().runtime);
        internals.become_ready();
    }
    let throttle = config.providers.providers_throttle_duration.positive().unwrap_or_default();
    let mut aggregator = Aggregator::new(providers, internal, throttle, receiver);
    let compiler = Arc::new(compiler);
    while let Some(merged) = aggregator.next().await {
        let before = publisher.current();
        let compiler = Arc::clone(&compiler);
        // Compiling a large table takes longer than other tasks of this runtime should wait.
        let compiled =
            tokio::task::spawn_blocking(move || compiler.compile(&merged.configs, Some(&before)));
        let snapshot = match compiled.await {
            Ok(snapshot) => snapshot,
            Err(error) => {
                // A fault of ours; what is live goes on.
                tracing::error!("the compiler has failed, the last configuration stays: {error}");
                continue;
            }
        };
        publisher.publish(Arc::clone(&snapshot));
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
        }
    }
    // Sources that are not watched have said all they will say.
    std::future::pending().await
}

/// The routers of the static configuration, as their provider says them.
pub(crate) fn internal_configs(config: &StaticConfig) -> Configs {
    Configs::from([(INTERNAL.to_owned(), Arc::new(crate::internal::config(config)))])
}

/// Problems that the log has named already: each is told when it appears, not with every change.
#[derive(Debug, Default)]
struct Told {
    before: BTreeSet<String>,
}

impl Told {
    fn tell(&mut self, runtime: &Runtime) {
        let mut now = BTreeSet::new();
        let objects = (runtime.routers.iter().map(|(n, i)| ("router", n, i.status, &i.errors)))
            .chain(runtime.services.iter().map(|(n, i)| ("service", n, i.status, &i.errors)))
            .chain(runtime.middlewares.iter().map(|(n, i)| ("middleware", n, i.status, &i.errors)));
        for (kind, name, status, errors) in objects {
            for error in errors {
                let severity = match status {
                    Status::Disabled => Severity::Error,
                    _ => Severity::Warning,
                };
                self.once(&mut now, severity, format!("{kind} {name}: {error}"));
            }
        }
        for diagnostic in &runtime.diagnostics {
            self.once(&mut now, diagnostic.severity, diagnostic.to_string());
        }
        for text in self.before.difference(&now) {
            tracing::info!("no longer: {text}");
        }
        self.before = now;
    }

    fn once(&self, now: &mut BTreeSet<String>, severity: Severity, text: String) {
        if !self.before.contains(&text) && now.insert(text.clone()) {
            log(severity, &text);
        } else {
            now.insert(text);
        }
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
