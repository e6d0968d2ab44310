//! The configuration's way: providers → merge → compile → publish, and the log of what is wrong.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::Result;
use portway_model::{Severity, dynamic::Config, name::INTERNAL, runtime::{Runtime, Status}, static_config::StaticConfig};
use portway_provider::{Update, file, manifests};
use portway_snapshot::{Environment, Publisher, Settings, Snapshot};
use tokio::{sync::mpsc, time::{Instant, timeout_at}};

use crate::{
    internal::Shared,
    wiring::{Configs, compile_now},
};
