//! The configuration's way: providers → merge → compile → publish, and the log of what is wrong.

use std::sync::Arc;

use anyhow::Result;
use portway_model::{dynamic::Config, name::INTERNAL, static_config::StaticConfig};
use portway_provider::manifests::Manifests;
use portway_snapshot::{Environment, Publisher, Settings, Snapshot};

use crate::{
    internal::Shared,
    wiring::{Configs, compile_now},
};

/// The compiler with all that providers have said so far.
pub(crate) struct Compiler {
    settings: Settings,
    environment: Environment,
    configs: Configs,
}

impl Compiler {
    pub(crate) fn new(settings: Settings, environment: Environment, internal: Config) -> Self {
        let configs = Configs::from([(INTERNAL.to_owned(), Arc::new(internal))]);
        Self { settings, environment, configs }
    }

    /// Compiles what providers have said so far.
    pub(crate) fn compile(&mut self, before: Option<&Snapshot>) -> Arc<Snapshot> {
        compile_now(&self.configs, &self.settings, &self.environment, before)
    }
}

/// Follows the providers for ever.
pub(crate) async fn control(
    config: &StaticConfig,
    mut compiler: Compiler,
    publisher: Arc<Publisher>,
    internals: Shared,
) -> Result<()> {
    if let Some(m) = &config.providers.kubernetes_manifests {
        let read = Manifests::new(m)?.read();
        for d in &read.diagnostics {
            tracing::warn!("{d}");
        }
        compiler.configs.insert("kubernetescrd".into(), Arc::new(read));
    }
    let before = publisher.current();
    publisher.publish(compiler.compile(Some(&before)));
    internals.become_ready();
    std::future::pending().await
}
