//! A real kube-apiserver with its etcd, without anything that would run pods.
//!
//! The binaries are those that `KUBEBUILDER_ASSETS` names (`kube-apiserver`, `etcd`, `kubectl`), as in
//! Kubernetes' own envtest; `cargo xtask test` builds them from `tests/kubernetes/apiserver`.
//!
//! No controller runs: tests make EndpointSlices themselves, and nothing is collected.

mod objects;
mod session;

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::certificate::Certificate;
use crate::folder::Folder;
use crate::process::free_port;

pub use objects::{Answer, Objects, Refused};
pub use session::Session;

/// How long the servers may take to be ready.
const START: Duration = Duration::from_secs(60);

/// The token of a user who may do everything.
pub const ADMIN: &str = "admin-token";

/// The token of the user [`USER_NAME`], who may do what roles permit.
pub const USER: &str = "portway-token";

/// The user whose token is [`USER`].
pub const USER_NAME: &str = "portway";

/// A running API server and its etcd; killed on drop.
#[derive(Debug)]
pub struct ControlPlane {
    assets: PathBuf,
    folder: Folder,
    etcd_port: u16,
    peer_port: u16,
    port: u16,
    etcd: Option<Child>,
    api_server: Option<Child>,
}

impl ControlPlane {
    /// Starts both and waits until the API server is ready; `None` where there are no binaries, which
    /// in CI is a failure.
    #[must_use]
    #[track_caller]
    pub fn start() -> Option<Self> {
        let mut plane = Self {
            assets: assets()?,
            folder: Folder::new("control-plane"),
            etcd_port: free_port(),
            peer_port: free_port(),
            port: free_port(),
            etcd: None,
            api_server: None,
        };
        plane.write_files();
        plane.start_etcd();
        plane.start_api_server();
        Some(plane)
    }

    fn write_files(&self) {
        let certificate = Certificate::for_names(&["127.0.0.1", "localhost"]);
        self.folder.write("server.crt", &certificate.certificate_pem);
        self.folder.write("server.key", &certificate.key_pem);
        let accounts = Certificate::for_names(&["accounts"]);
        self.folder.write("accounts.crt", &accounts.certificate_pem);
        self.folder.write("accounts.key", &accounts.key_pem);
        let audit = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n";
        self.folder.write("audit.yaml", audit);
        let tokens = format!(
            "{ADMIN},admin,1,\"system:masters\"\n{USER},{USER_NAME},2,\"system:authenticated\"\n"
        );
        self.folder.write("tokens.csv", tokens);
        let _ = self.kubeconfig(ADMIN);
    }

    /// A file that leads clients to the API server as the user of `token`.
    #[must_use]
    pub fn kubeconfig(&self, token: &str) -> PathBuf {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: own\n\
             clusters: [{{name: c, cluster: {{server: \"{}\", certificate-authority: {}}}}}]\n\
             users: [{{name: own, user: {{token: {token}}}}}]\n\
             contexts: [{{name: own, context: {{cluster: c, user: own}}}}]\n",
            self.url(),
            self.authority().display(),
        );
        self.folder.write(&format!("kubeconfig-{token}"), text)
    }

    /// A connection as the user of `token`.
    ///
    /// # Panics
    /// When there is no API server.
    #[must_use]
    #[track_caller]
    pub fn session(&self, token: &str) -> Session {
        Session::new(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)), token)
    }

    /// Starts etcd where it is not running; its data are those it had.
    #[track_caller]
    pub fn start_etcd(&mut self) {
        let client = format!("http://127.0.0.1:{}", self.etcd_port);
        let peer = format!("http://127.0.0.1:{}", self.peer_port);
        let data = self.folder.path().join("etcd");
        self.etcd = Some(self.spawn("etcd", |command| {
            command.arg(format!("--data-dir={}", data.display()));
            command.arg(format!("--listen-client-urls={client}"));
            command.arg(format!("--advertise-client-urls={client}"));
            command.arg(format!("--listen-peer-urls={peer}"));
            command.arg(format!("--initial-advertise-peer-urls={peer}"));
            command.arg(format!("--initial-cluster=default={peer}"));
            command.args(["--unsafe-no-fsync=true", "--log-level=error"]);
        }));
    }

    /// Starts the API server where it is not running, and waits until it is ready.
    ///
    /// # Panics
    /// When it ends, or that takes longer than a minute; the panic shows its log.
    #[track_caller]
    pub fn start_api_server(&mut self) {
        let folder = self.folder.path().to_owned();
        let (etcd, port) = (self.etcd_port, self.port);
        let file = |name: &str| folder.join(name).display().to_string();
        self.api_server = Some(self.spawn("kube-apiserver", |command| {
            command.arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"));
            command.arg(format!("--secure-port={port}"));
            command.args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"]);
            command.arg(format!("--tls-cert-file={}", file("server.crt")));
            command.arg(format!("--tls-private-key-file={}", file("server.key")));
            command.arg(format!("--token-auth-file={}", file("tokens.csv")));
            command.arg("--service-account-issuer=https://kubernetes.default.svc");
            command.arg(format!("--service-account-key-file={}", file("accounts.crt")));
            command.arg(format!("--service-account-signing-key-file={}", file("accounts.key")));
            // The addresses of k3s are among these.
            command.args(["--service-cluster-ip-range=10.32.0.0/12", "--authorization-mode=RBAC"]);
            command.arg(format!("--audit-policy-file={}", file("audit.yaml")));
            command.arg(format!("--audit-log-path={}", file("audit.log")));
            // Nobody makes service accounts here, and nobody may publish the server's own address.
            command.args(["--disable-admission-plugins=ServiceAccount"]);
            command.args(["--endpoint-reconciler-type=none", "--allow-privileged=true"]);
        }));
        let start = Instant::now();
        while !self.kubectl(&["get", "--raw", "/readyz"], "").status.success() {
            let ended = self
                .api_server
                .as_mut()
                .is_none_or(|server| !matches!(server.try_wait(), Ok(None)));
            let waits = !ended && start.elapsed() < START;
            assert!(waits, "no API server: {}", self.log("kube-apiserver"));
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn spawn(&self, name: &str, options: impl FnOnce(&mut Command)) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join(format!("{name}.log")))
            .expect("a log file");
        let mut command = Command::new(self.assets.join(name));
        options(&mut command);
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Kills the API server; etcd goes on.
    pub fn kill_api_server(&mut self) {
        kill(&mut self.api_server);
    }

    /// Kills etcd.
    pub fn kill_etcd(&mut self) {
        kill(&mut self.etcd);
    }

    /// The URL of the API server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The file with the certificate that vouches for the API server.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("server.crt")
    }

    /// The flags of a provider that reads this cluster, such as `kubernetesCRD`, as the user of `token`.
    #[must_use]
    pub fn flags(&self, provider: &str, token: &str) -> Vec<String> {
        let flag = |name: &str, value: String| format!("--providers.{provider}.{name}={value}");
        vec![
            flag("endpoint", self.url()),
            flag("token", token.to_owned()),
            flag("certAuthFilePath", self.authority().display().to_string()),
        ]
    }

    /// The objects of the API server, as the user of `token`.
    #[must_use]
    pub fn objects(&self, token: &str) -> Objects {
        Objects::new(self.session(token))
    }

    /// Runs kubectl as the administrator.
    #[must_use]
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(self.assets.join("kubectl"))
            .arg("--kubeconfig")
            .arg(self.folder.path().join(format!("kubeconfig-{ADMIN}")))
            .args(arguments)
            .env("HOME", self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl");
        // A command that does not read its input may end before it is written.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("kubectl's output")
    }

    /// Runs kubectl, and returns what it prints.
    ///
    /// # Panics
    /// When it fails; the panic shows why.
    #[track_caller]
    pub fn run(&self, arguments: &[&str], input: &str) -> String {
        let output = self.kubectl(arguments, input);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {error}\n{input}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Applies objects written as YAML, on the server's side: no last-applied annotations.
    ///
    /// # Panics
    /// When the API server refuses one.
    #[track_caller]
    pub fn apply(&self, yaml: &str) {
        self.run(&["apply", "--server-side", "--force-conflicts", "-f", "-"], yaml);
    }

    /// The rights that a user has used so far, as `verb group/resource`, sorted.
    #[must_use]
    pub fn rights_used(&self, user: &str) -> Vec<String> {
        let text =
            std::fs::read_to_string(self.folder.path().join("audit.log")).unwrap_or_default();
        let of_user = format!("\"username\":\"{user}\"");
        let lines = text.lines().filter(|line| line.contains(&of_user));
        let events = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let rights = events.filter_map(|event| {
            let text = |path: &str| event.pointer(path).and_then(serde_json::Value::as_str);
            let resource = text("/objectRef/resource")?.to_owned();
            let part = text("/objectRef/subresource").map(|part| format!("/{part}"));
            let group = text("/objectRef/apiGroup").unwrap_or_default();
            Some(format!("{} {group}/{resource}{}", text("/verb")?, part.unwrap_or_default()))
        });
        rights.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// What a server has logged.
    #[must_use]
    pub fn log(&self, name: &str) -> String {
        let path = self.folder.path().join(format!("{name}.log"));
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.kill_api_server();
        self.kill_etcd();
    }
}

fn kill(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn assets() -> Option<PathBuf> {
    let folder = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let found = folder.filter(|folder| {
        ["kube-apiserver", "etcd", "kubectl"]
            .iter()
            .all(|name| Path::new(folder).join(name).is_file())
    });
    if found.is_none() {
        let advice = "no kube-apiserver, etcd and kubectl found in KUBEBUILDER_ASSETS; \
                      `cargo xtask test` builds them with Go";
        assert!(std::env::var_os("CI").is_none(), "{advice}");
        eprintln!("SKIPPED: {advice}");
    }
    found
}
