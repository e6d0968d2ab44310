//! Asks OCSP responders about certificates, and shows clients what they say. Traefik: `ocsp`.
//!
//! Each certificate is asked about when it comes with the configuration, again half-way through the time for which the
//! answer is good, and every hour while nobody answers. An answer that has become too old is not shown any more.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Weak},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Uri, header::CONTENT_TYPE};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use portway_model::{dynamic::ServersTransport, static_config::Ocsp};
use portway_snapshot::Publisher;
use portway_tls::{ClientTls, LoadedCertificate, NativeRoots, StatusQuestion, Validity};
use rustls_pki_types::UnixTime;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

/// How often answers are looked at, and those asked again who did not answer.
const PERIOD: Duration = Duration::from_secs(3600);

/// How long a responder may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of an answer, at most; usual ones have some thousand.
const LONGEST: usize = 256 * 1024;

/// Certificates that are asked about at once, at most.
const AT_ONCE: usize = 16;

/// Asks about certificates.
#[derive(Debug)]
pub(crate) struct Staples {
    asker: Arc<Asker>,
    /// What is shown, by the address of its certificate. That is nobody else's while it stands here.
    shown: HashMap<usize, (Weak<LoadedCertificate>, Validity)>,
}

#[derive(Debug)]
struct Asker {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    overrides: BTreeMap<String, String>,
}

impl Staples {
    /// Asks whom the options name.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(options: &Ocsp, native_roots: &NativeRoots) -> Result<Self> {
        let (tls, _) = ClientTls::compile(&ServersTransport::default(), native_roots);
        let tls = tls.context("TLS to OCSP responders cannot be set up")?;
        let mut config = tls.config().as_ref().clone();
        // The connector says itself what it speaks.
        config.alpn_protocols.clear();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new()).build(connector.build());
        let overrides = options.responder_overrides.clone();
        Ok(Self { asker: Arc::new(Asker { client, overrides }), shown: HashMap::new() })
    }

    /// Keeps the certificates of the current configuration stapled until the process ends; `changed` tells of a new one.
    pub(crate) async fn keep(mut self, publisher: Arc<Publisher>, changed: Arc<Notify>) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = changed.notified() => {}
            }
            let due = self.due(&publisher.current().certificates(), UnixTime::now());
            self.ask(due).await;
        }
    }

    /// The certificates to ask about now. What is too old to be shown is not shown further.
    fn due(
        &mut self,
        certificates: &[Arc<LoadedCertificate>],
        now: UnixTime,
    ) -> Vec<(Arc<LoadedCertificate>, StatusQuestion)> {
        self.shown.retain(|_, (certificate, validity)| match certificate.upgrade() {
            Some(certificate) if validity.is_over(now) => {
                certificate.unstaple();
                false
            }
            certificate => certificate.is_some(),
        });
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let is_due = |certificate: &&Arc<LoadedCertificate>| {
            let shown = self.shown.get(&address(certificate));
            shown.is_none_or(|(_, validity)| seconds >= validity.ask_again())
        };
        let due = certificates.iter().filter(is_due);
        due.filter_map(|due| Some((Arc::clone(due), due.status_question()?))).collect()
    }

    async fn ask(&mut self, due: Vec<(Arc<LoadedCertificate>, StatusQuestion)>) {
        let mut due = due.into_iter();
        let mut asked = JoinSet::new();
        loop {
            while asked.len() < AT_ONCE
                && let Some((certificate, question)) = due.next()
            {
                let asker = Arc::clone(&self.asker);
                asked.spawn(async move {
                    let answer = asker.ask(&certificate, &question).await;
                    (certificate, answer)
                });
            }
            let Some(done) = asked.join_next().await else { return };
            match done {
                Ok((certificate, Ok(validity))) => {
                    let place = address(&certificate);
                    self.shown.insert(place, (Arc::downgrade(&certificate), validity));
                }
                Ok((certificate, Err(error))) => tracing::error!(
                    "no OCSP answer for the certificate of `{}`: {error:#}",
                    certificate.identity()
                ),
                Err(error) => tracing::error!("asking for an OCSP answer has failed: {error}"),
            }
        }
    }
}

impl Asker {
    /// Asks one responder after the other, until one gives an answer that clients will believe.
    async fn ask(&self, about: &LoadedCertificate, question: &StatusQuestion) -> Result<Validity> {
        let mut last = anyhow!("it names no responder");
        for responder in &question.responders {
            let url = self.overrides.get(responder).unwrap_or(responder);
            let answer = timeout(PATIENCE, self.post(url, &question.body)).await;
            let answer = answer.unwrap_or_else(|_| Err(anyhow!("it does not answer in time")));
            let stapled = answer.and_then(|answer| Ok(about.staple(answer, UnixTime::now())?));
            match stapled.with_context(|| format!("responder {url}")) {
                Ok(validity) => return Ok(validity),
                Err(error) => {
                    tracing::debug!("{error:#}");
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn post(&self, url: &str, question: &[u8]) -> Result<Vec<u8>> {
        let request = Request::post(url.parse::<Uri>()?)
            .header(CONTENT_TYPE, "application/ocsp-request")
            .body(Full::new(Bytes::copy_from_slice(question)))?;
        let response = self.client.request(request).await?;
        if !response.status().is_success() {
            bail!("it answers with status {}", response.status());
        }
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        Ok(body.map_err(|error| anyhow!(error))?.to_bytes().to_vec())
    }
}

fn address(certificate: &Arc<LoadedCertificate>) -> usize {
    Arc::as_ptr(certificate).addr()
}
