//! The connection to an API server, found as Traefik finds it.

use std::{
    env, io,
    path::{Path, PathBuf},
    time::Duration,
};

use http::Uri;
use kube::{
    Client, Config,
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig},
};
use portway_model::static_config::ClusterConnection;
use tower::filter::FilterLayer;

use super::token::TokenFile;

/// How long an API server may take to accept a connection, and to answer what is no watch.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why no API server can be asked.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConnection {
    /// No API server is named anywhere.
    #[error(
        "endpoint: no API server is known; Portway runs in no cluster (no KUBERNETES_SERVICE_HOST and \
         KUBERNETES_SERVICE_PORT), KUBECONFIG is not set, and no endpoint is given"
    )]
    Nowhere,
    /// The endpoint is no URL.
    #[error("endpoint: `{0}` is no URL such as `https://10.0.0.1:6443`")]
    Endpoint(String),
    /// The file that KUBECONFIG names cannot be used.
    #[error("KUBECONFIG: {0}")]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    /// The service account's files cannot be used.
    #[error("the service account of the pod cannot be used: {0}")]
    InCluster(#[source] Box<kube::config::InClusterError>),
    /// The file that should hold the token cannot be read.
    #[error("the token file {}: {source}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is configured does not make a client.
    #[error("{0}")]
    Client(#[source] Box<kube::Error>),
}

/// A client of the API server: that of the cluster Portway runs in (whose address `endpoint` may replace), else that
/// of `KUBECONFIG`, else the one at `endpoint`.
///
/// Nothing is sent yet: an API server that does not answer is waited for later.
///
/// # Errors
/// When no API server is known, or what is configured cannot be used.
pub async fn connect(connection: &ClusterConnection) -> Result<Client, InvalidConnection> {
    let mut config = if in_cluster() {
        in_cluster_config(connection)?
    } else if let Some(path) = env::var_os("KUBECONFIG").filter(|path| !path.is_empty()) {
        of_kubeconfig(Path::new(&path)).await?
    } else if connection.endpoint.is_empty() {
        return Err(InvalidConnection::Nowhere);
    } else {
        let mut config = Config::new(endpoint(connection)?);
        of_options(&mut config, connection);
        config
    };
    config.connect_timeout = Some(PATIENCE);
    // Who asks decides how long an answer may take, and when to ask again.
    config.read_timeout = None;
    config.write_timeout = Some(PATIENCE);
    config.default_retry = false;
    client(config)
}

/// A client. A token that stands in a file is read from it for each request.
///
/// # Errors
/// When the configuration does not make a client, or the token file cannot be read.
pub fn client(mut config: Config) -> Result<Client, InvalidConnection> {
    let invalid = |error| InvalidConnection::Client(Box::new(error));
    // kube reads a token file once a minute, and for as long a token that was replaced would be refused.
    let file = match config.auth_info.token {
        None => config.auth_info.token_file.take().map(PathBuf::from),
        Some(_) => None,
    };
    let builder = ClientBuilder::try_from(config).map_err(invalid)?;
    match file {
        None => Ok(builder.build()),
        Some(path) => {
            let token = TokenFile::open(path)?;
            let layer = FilterLayer::new(move |request| token.clone().sign(request));
            Ok(builder.with_layer(&layer).build())
        }
    }
}

fn in_cluster() -> bool {
    ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"]
        .into_iter()
        .all(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn in_cluster_config(connection: &ClusterConnection) -> Result<Config, InvalidConnection> {
    let invalid = |error| InvalidConnection::InCluster(Box::new(error));
    let mut config = Config::incluster_env().map_err(invalid)?;
    if !connection.endpoint.is_empty() {
        config.cluster_url = endpoint(connection)?;
    }
    Ok(config)
}

async fn of_kubeconfig(path: &Path) -> Result<Config, InvalidConnection> {
    let invalid = |error| InvalidConnection::Kubeconfig(Box::new(error));
    let kubeconfig = Kubeconfig::read_from(path).map_err(invalid)?;
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(invalid)
}

fn of_options(config: &mut Config, connection: &ClusterConnection) {
    if Path::new(&connection.token).is_file() {
        config.auth_info.token_file = Some(connection.token.clone());
    } else if !connection.token.is_empty() {
        config.auth_info.token = Some(connection.token.clone().into());
    }
    if !connection.cert_auth_file_path.is_empty() {
        config.root_cert_file = Some(PathBuf::from(&connection.cert_auth_file_path));
    }
}

fn endpoint(connection: &ClusterConnection) -> Result<Uri, InvalidConnection> {
    let endpoint = &connection.endpoint;
    let invalid = || InvalidConnection::Endpoint(endpoint.clone());
    let uri: Uri = endpoint.parse().map_err(|_| invalid())?;
    if uri.scheme().is_none() || uri.host().is_none() {
        return Err(invalid());
    }
    Ok(uri)
}
