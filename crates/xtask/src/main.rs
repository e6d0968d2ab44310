//! The one command surface of development: `cargo xtask help` lists it.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};

mod bench;
mod kubernetes;
mod manifests;
mod release;
mod tools;

use tools::Tools;

const HELP: &str = "\
cargo xtask <command>

  test          everything that must hold: check, every layer of tests, fuzz targets for a short while,
                instructions of each stage, the release
  check         formatting, lints, documentation, files that are generated
  crds [--check]
                write the CustomResourceDefinitions into deploy/crds; or fail when those there differ
  fuzz [secs]   each fuzz target for that many seconds (default 20)
  golden        run the golden tests and write what they give as what is expected
  bench peers [workload…] [options]
                Portway beside other proxies on the same work; `bench peers --help` lists workloads and options
  bench scale   load 100,000 routers, change one, take all away; time, CPU and memory of each
  bench plot [FILE…]
                draw the results of that, benches/results/plot.svg
  bench stages [--record WHY | NAME]
                count the instructions of each stage (of those with NAME in theirs) and compare with the
                record; or record them with the reason for the change
  release       the binary as it is given to users, target/pgo/portway: a first build does the work of `bench
                peers` for a minute, a second one is optimised for what that counted
  manifests [--check]
                render deploy/k3s/portway.yaml out of the chart and the CRDs; or say whether it is up to date
  setup         install what the tests need besides Rust (Python packages, Chromium, cargo-fuzz, valgrind,
                testssl.sh, Helm, h2spec, Python libraries, a kube-apiserver built with Go)
  help          this text

Tests that need a tool which cannot be had are skipped with a message; with CI set that is a failure.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        ["test"] => test(),
        ["check"] => check(),
        ["crds"] => run(crds().env("UPDATE_GOLDEN", "1")),
        ["crds", "--check"] => run(&mut crds()),
        ["fuzz"] => Tools::install().and_then(|_| fuzz(20)),
        ["fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => Tools::install().and_then(|_| fuzz(seconds)),
            Err(_) => Err(anyhow::anyhow!("`{seconds}` is no number of seconds")),
        },
        ["golden"] => golden(),
        ["bench", "peers", arguments @ ..] => bench::peers::run_peers(arguments),
        ["bench", "scale"] => bench::peers::scale(),
        ["bench", "plot", files @ ..] => bench::peers::plot(files),
        ["bench", "stages"] => bench::stages::compare(""),
        ["bench", "stages", "--record", reason] => bench::stages::record(reason),
        ["bench", "stages", name] => bench::stages::compare(name),
        ["manifests"] => manifests::write(),
        ["manifests", "--check"] => manifests::check(),
        ["release"] => release::build().map(drop),
        ["setup"] => Tools::install().map(drop),
        _ => Err(anyhow::anyhow!("there is no such command\n\n{HELP}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<()> {
    let tools = Tools::install()?;
    check()?;
    let mut tests = cargo(["test", "--workspace"]);
    tools.tell(&mut tests);
    run(&mut tests)?;
    fuzz(20)?;
    bench::stages::compare("")?;
    release::test()
}

fn check() -> Result<()> {
    run(&mut cargo(["fmt", "--all", "--check"]))?;
    run(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    let mut docs = cargo(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    run(docs.env("RUSTDOCFLAGS", "-D warnings"))?;
    run(&mut crds())?;
    manifests::check()
}

/// The test that holds `deploy/crds` and the schema together. It writes the files too, so that this crate need
/// not be built with all that the provider needs.
fn crds() -> Command {
    let mut crds = cargo(["test", "--quiet", "--package", "portway-kubernetes", "--test", "crds"]);
    // Set from outside, it would write what is to be checked.
    crds.env_remove("UPDATE_GOLDEN");
    crds
}

fn golden() -> Result<()> {
    run(cargo(["test", "--workspace", "--test", "golden"]).env("UPDATE_GOLDEN", "1"))
}

fn fuzz(seconds: u32) -> Result<()> {
    let Some(cargo_fuzz) = tools::cargo_fuzz() else {
        return tools::missing("cargo-fuzz", "`cargo install cargo-fuzz`");
    };
    let folder = root().join("tests/fuzz");
    for target in fuzz_targets(&folder)? {
        let seeds = folder.join("corpus").join(&target);
        // What is found new goes into a folder that is not committed, the seeds are only read.
        let found = root().join("target/fuzz-corpus").join(&target);
        std::fs::create_dir_all(&found)?;
        let mut fuzz = Command::new(&cargo_fuzz);
        fuzz.args(["fuzz", "run", "--fuzz-dir"]).arg(&folder).arg(&target).arg(&found);
        if seeds.is_dir() {
            fuzz.arg(&seeds);
        }
        fuzz.arg("--").arg(format!("-max_total_time={seconds}")).args([
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-print_final_stats=0",
        ]);
        // There is one toolchain, the stable one; the sanitizer's flags need this key.
        run(fuzz.env("RUSTC_BOOTSTRAP", "1").current_dir(root()))?;
    }
    Ok(())
}

fn fuzz_targets(folder: &Path) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(folder.join("fuzz_targets"))? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("rs"))
            && let Some(name) = path.file_stem()
        {
            targets.push(name.to_string_lossy().into_owned());
        }
    }
    targets.sort();
    Ok(targets)
}

fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(root());
    cargo
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn run(command: &mut Command) -> Result<()> {
    eprintln!("+ {}", shown(command));
    let status = command.status().with_context(|| format!("`{}` cannot run", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed with {status}", shown(command));
    }
    Ok(())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
