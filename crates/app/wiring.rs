//! Puts the parts together: sockets, snapshot, workers, providers, and their end.

use std::{
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, anyhow, bail};
use portway_middleware::PasswordPool;
use portway_model::{
    InternalService, Severity,
    dynamic::Observability,
    static_config::{EntryPointObservability, RuleSyntax, StaticConfig},
};
use portway_observe::AccessLog;
use portway_provider::material::Materials;
use portway_proxy::{Drain, EntryPoint, Worker, WorkerParts, bind};
use portway_snapshot::{EntryPointSettings, Environment, Publisher, Settings};
use portway_tls::{GeneratedDefault, NativeRoots};
use portway_upstream::Checkups;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use crate::{
    control::{Compiler, Followers, control, internal_configs},
    errors,
    internal::{self, Internals},
    logging,
    shutdown::{self, Signals},
    staples::Staples,
};

/// Password checks that wait at most; more are answered with 503.
const PASSWORD_QUEUE: usize = 256;

/// How long a thread for blocking work waits for more of it.
///
/// The allocator gives freed memory back to the system a second later, but only when somebody allocates much or
/// a thread ends. What loading a configuration took would stay with a process that only answers requests since.
const BLOCKING_KEEP_ALIVE: Duration = Duration::from_secs(3);

/// How long what is given back at the end, such as a Lease, may take after the last connection has ended.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long the last access log lines may take to be written.
const LOG_TIME: Duration = Duration::from_secs(5);

/// Runs until a signal ends the process.
///
/// # Errors
/// When an entry point cannot be used, or the system refuses what every start needs.
pub(crate) fn run(mut config: StaticConfig, log: &logging::Output) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("control")
        .thread_keep_alive(BLOCKING_KEEP_ALIVE)
        .enable_all()
        .build()
        .context("the control plane's runtime cannot be built")?;
    let mut signals = runtime.block_on(async { Signals::hear() })?;
    let descriptors = allow_descriptors();
    config.add_default_entry_points();
    read_materials(&mut config)?;
    let config = Arc::new(config);
    let workers = workers(&config);
    let host_name = internal::host_name();
    let access_log = config.access_log.as_ref().map(AccessLog::open);
    let access_log = access_log.transpose().context("accessLog.filePath")?;
    let passwords = Arc::new(PasswordPool::new(2, PASSWORD_QUEUE)?);
    let (error_pages, proxy_status) = (errors::pages(&config)?, errors::proxy_status(&config)?);

    let mut entry_points = Vec::new();
    let mut sockets: Vec<Vec<_>> = (0..workers.get()).map(|_| Vec::new()).collect();
    for (name, settings) in config.tcp_entry_points() {
        let append = !config.keeps_x_forwarded_for(settings);
        entry_points.push(EntryPoint::compile(name, settings, append, &host_name)?);
        let bound = bind(name, &settings.address, settings.reuse_port, workers)?;
        tracing::info!("entry point `{name}` listens on {}", bound.address);
        for (socket, worker) in bound.sockets.into_iter().zip(&mut sockets) {
            worker.push(socket);
        }
    }

    let internal = internal_configs(&config);
    let environment = environment()?;
    let staples = config.ocsp.as_ref().map(|ocsp| Staples::new(ocsp, &environment.native_roots));
    let staples = staples.transpose()?;
    let compiler = Compiler::new(settings(&config), environment);
    let publisher = Arc::new(Publisher::new(compiler.compile(&internal, None)));
    let internals = Arc::new(Internals::new(&config, host_name));
    let drain = Drain::new();
    let entry_points: Arc<[EntryPoint]> = entry_points.into();
    let (failures, mut failed) = mpsc::channel(workers.get());
    let mut threads = Vec::new();
    for (number, sockets) in sockets.into_iter().enumerate() {
        threads.push(start_worker(
            number,
            WorkerParts {
                entry_points: Arc::clone(&entry_points),
                sockets,
                subscription: publisher.subscribe(),
                internal_services: internals.clone(),
                recorder: access_log.as_ref().map(AccessLog::recorder),
                error_pages: error_pages.clone(),
                proxy_status: proxy_status.clone(),
                passwords: Arc::clone(&passwords),
                descriptors,
                drain: drain.clone(),
            },
            failures.clone(),
        )?);
    }

    let checks = Checkups::start().context("the thread that asks servers for their health")?;
    let ending = watch::Sender::new(false);
    let ended = runtime.block_on(async {
        let providing = control(
            &config,
            internal,
            compiler,
            publisher,
            Arc::clone(&internals),
            Followers { staples, checks },
            &ending,
        );
        let work = async {
            tokio::select! {
                ended = providing => ended,
                Some(reason) = failed.recv() => Err(anyhow!(reason)),
            }
        };
        let mut work = std::pin::pin!(work);
        let ended =
            shutdown::until_signal(&mut signals, work.as_mut(), log, access_log.as_ref()).await;
        internals.terminate();
        ending.send_replace(true);
        let drained = shutdown::drain(&mut signals, &config, &drain);
        let ended = match ended {
            // Requests still come while others learn of the end, and servers still go.
            Ok(()) => tokio::select! {
                () = drained => Ok(()),
                ended = work => ended,
            },
            Err(error) => {
                drained.await;
                Err(error)
            }
        };
        // Most have long been done; what cannot be given back runs out by itself.
        _ = timeout(FAREWELL, ending.closed()).await;
        ended
    });
    // Connections that outlast the grace time end with the process.
    let in_time = drain.connections() == 0;
    if in_time {
        threads.into_iter().for_each(|thread| drop(thread.join()));
    }
    if let Some(log) = access_log {
        log.close(LOG_TIME);
    }
    tracing::info!("stopped{}", if in_time { "" } else { "; connections were cut" });
    ended
}

/// Lets the process have as many connections as the system permits, as Go's programs do: services are often
/// started with a limit of 1024 that they may raise themselves. Says how many it may have then.
fn allow_descriptors() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!("the limit of open files cannot be raised: {error}");
        rlimit::Resource::NOFILE.get_soft().unwrap_or(u64::MAX)
    })
}

/// Reads the files that the static servers transport names.
fn read_materials(config: &mut StaticConfig) -> Result<()> {
    let mut problems = Vec::new();
    Materials::default().transport(&mut config.servers_transport, &mut problems);
    for problem in problems {
        match problem.severity {
            Severity::Error => bail!("serversTransport.{problem}"),
            Severity::Warning => tracing::warn!("serversTransport.{problem}"),
        }
    }
    Ok(())
}

fn workers(config: &StaticConfig) -> NonZeroUsize {
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    config.workers.unwrap_or(cores)
}

/// Starts a worker's thread. A worker that ends before its time ends the process, in good order: it would
/// leave a part of the connections unserved, and whoever supervises the process starts it anew.
fn start_worker(
    number: usize,
    parts: WorkerParts,
    failures: mpsc::Sender<String>,
) -> Result<JoinHandle<()>> {
    thread::Builder::new()
        .name(format!("worker-{number}"))
        .spawn(move || {
            let reason = match panic::catch_unwind(AssertUnwindSafe(|| Worker::run(parts))) {
                Ok(Ok(())) => return,
                Ok(Err(error)) => format!("worker {number} cannot run: {error}"),
                Err(_) => format!("worker {number} has panicked"),
            };
            // There is room for one message of each worker.
            let _ = failures.try_send(reason);
        })
        .context("a worker's thread cannot be started")
}

fn environment() -> Result<Environment> {
    let (native_roots, problems) = NativeRoots::load();
    for problem in problems {
        tracing::warn!("system certificates: {problem}");
    }
    Ok(Environment { generated: GeneratedDefault::generate(SystemTime::now())?, native_roots })
}

fn settings(config: &StaticConfig) -> Settings {
    let defaults = config.default_entry_points();
    let entry_points = config.tcp_entry_points().map(|(name, entry_point)| EntryPointSettings {
        name: name.into(),
        is_default: defaults.contains(&name),
        middlewares: entry_point.http.middlewares.clone(),
        tls: entry_point.http.tls.clone(),
        observability: entry_point.observability.as_ref().map(records),
        encoded_characters: entry_point.http.encoded_characters.is_some(),
    });
    Settings {
        entry_points: entry_points.collect(),
        default_rule_syntax: match config.core.default_rule_syntax {
            RuleSyntax::V2 => Some(portway_rule::Syntax::V2),
            RuleSyntax::V3 => None,
        },
        internal_services: enabled(config).collect(),
        servers_transport: config.servers_transport.clone(),
    }
}

fn records(observability: &EntryPointObservability) -> Observability {
    Observability {
        access_logs: Some(observability.access_logs),
        metrics: Some(observability.metrics),
        tracing: Some(observability.tracing),
        trace_verbosity: Some(observability.trace_verbosity),
        metadata: None,
    }
}

/// The internal services that the options enable.
fn enabled(config: &StaticConfig) -> impl Iterator<Item = InternalService> {
    let api = config.api.as_ref();
    [
        (api.is_some(), InternalService::Api),
        (api.is_some_and(|api| api.dashboard), InternalService::Dashboard),
        (true, InternalService::Noop),
        (config.ping.is_some(), InternalService::Ping),
        (true, InternalService::Whoami),
    ]
    .into_iter()
    .filter(|(enabled, _)| *enabled)
    .map(|(_, service)| service)
}
