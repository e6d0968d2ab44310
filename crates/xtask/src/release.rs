//! `release`: the binary as it is given to users, laid out by what it did under load.
//!
//! Profile-guided optimisation as rustc has it (`-Cprofile-generate`, `-Cprofile-use`): a build that counts does the work
//! of `bench peers` for a minute, and a second build of the same source keeps together and inlines what ran often.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context as _, Result, bail, ensure};
use memchr::memmem;

use crate::{bench::peers, cargo, root, run, tools};

/// The work that is counted: every protocol and what most requests meet. What does not run in it is taken for rare, so
/// it must be broad rather than long.
const WORK: [&str; 15] = [
    "h1",
    "tls",
    "h2",
    "h2-100",
    "grpc",
    "tls-full",
    "tls-resumed",
    "browser",
    "body-100k",
    "body-100k-tls",
    "post-10k",
    "connect",
    "chain",
    "basic-auth",
    "access-log",
];

/// How many functions are looked for in the binary.
const BUSIEST: usize = 60;

/// Builds the binary and answers where it is.
///
/// # Errors
/// When a build fails, when there is no `llvm-profdata` (the component `llvm-tools` of rustup), when the second build
/// made no use of the counts, and when either gives a wrong answer to anything of the work.
pub(crate) fn build() -> Result<PathBuf> {
    let host = host()?;
    let profdata = profdata()?
        .context("there is no llvm-profdata; `rustup component add llvm-tools` brings it")?;
    let runner = peers::runner()?;
    let folder = root().join("target/pgo");
    let (counts, profile) = (folder.join("counts"), folder.join("portway.profdata"));
    if counts.exists() {
        // Those of another source.
        fs::remove_dir_all(&counts)?;
    }
    // All else is as in the second build: cargo names functions after every setting, and counts are found by name.
    let counting = compile(&host, "counting", &flag("-Cprofile-generate=", &counts))?;
    work(&runner, &counting, &folder)?;
    let mut merge = Command::new(&profdata);
    run(merge.arg("merge").arg("--output").arg(&profile).arg(&counts))?;
    let built = compile(&host, "final", &flag("-Cprofile-use=", &profile))?;
    check_use(&profdata, &profile, &built)?;
    // Answers are checked: a binary that was laid out wrongly does not leave.
    work(&runner, &built, &folder)?;
    let binary = folder.join("portway");
    fs::copy(&built, &binary).with_context(|| format!("cannot write {}", binary.display()))?;
    println!("{}", binary.display());
    Ok(binary)
}

/// Builds it as a test, where that can be done.
pub(crate) fn test() -> Result<()> {
    if thread::available_parallelism()?.get() < 2 {
        return tools::missing("a second processor", "a larger machine");
    }
    if profdata()?.is_none() {
        return tools::missing("llvm-profdata", "`rustup component add llvm-tools`");
    }
    build().map(drop)
}

/// Builds Portway into a folder of its own, with one more flag for the compiler.
fn compile(host: &str, name: &str, flag: &str) -> Result<PathBuf> {
    let folder = root().join("target/pgo").join(name);
    let mut build =
        cargo(["build", "--release", "--locked", "--package", "portway", "--target", host]);
    // With a target named, build scripts and macros are compiled without the flag.
    build.env("CARGO_TARGET_DIR", &folder).env("CARGO_ENCODED_RUSTFLAGS", flags(flag));
    run(&mut build)?;
    Ok(folder.join(host).join("release/portway"))
}

fn flag(name: &str, path: &Path) -> String {
    format!("{name}{}", path.display())
}

/// The flags that the user wants, and one more. Encoded, since a path may hold blanks.
fn flags(flag: &str) -> String {
    let wanted = env::var("RUSTFLAGS").unwrap_or_default();
    wanted.split_whitespace().chain([flag]).collect::<Vec<_>>().join("\x1f")
}

/// Lets a binary do the work, and checks its answers.
fn work(runner: &Path, binary: &Path, folder: &Path) -> Result<()> {
    let mut work = Command::new(runner);
    work.arg("run").args(WORK).args(["--only", "portway", "--rounds", "1", "--seconds", "1"]);
    work.arg("--results").arg(folder.join("results")).env("PORTWAY_BINARY", binary);
    // The tables are of no use: what counts is slow, and the machine is busy.
    run(work.stdout(Stdio::null()))
}

/// What joins counts. It must be of the compiler's version, so it comes with it.
fn profdata() -> Result<Option<PathBuf>> {
    let libraries = rustc(&["--print", "target-libdir"])?;
    let profdata = Path::new(&libraries).with_file_name("bin").join("llvm-profdata");
    if !profdata.is_file() {
        let mut add = Command::new("rustup");
        // Where there is no rustup, the file tells.
        let _ = run(add.args(["component", "add", "llvm-tools"]));
    }
    Ok(profdata.is_file().then_some(profdata))
}

/// Fails unless the functions that did most are in the binary by their names: the compiler says nothing of counts that
/// it finds no function for, and optimises without them.
fn check_use(profdata: &Path, profile: &Path, built: &Path) -> Result<()> {
    let mut show = Command::new(profdata);
    let shown = show.args(["show", &format!("--topn={BUSIEST}")]).arg(profile).output()?;
    let shown = String::from_utf8(shown.stdout)?;
    let names = shown.lines().filter_map(|line| line.trim().split_once(", max count"));
    // A function that no other crate sees stands behind its module's name.
    let names = names.map(|(name, _)| name.rsplit(';').next().unwrap_or(name));
    let binary = fs::read(built)?;
    let found = names.filter(|name| memmem::find(&binary, name.as_bytes()).is_some()).count();
    // Some are inlined wherever they are called.
    ensure!(
        found >= BUSIEST / 3,
        "only {found} of the {BUSIEST} busiest functions are in {}: it makes no use of the counts",
        built.display()
    );
    Ok(())
}

/// The triple of the machine that this is.
fn host() -> Result<String> {
    let version = rustc(&["--version", "--verbose"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it runs on")?.to_owned())
}

fn rustc(arguments: &[&str]) -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(rustc).args(arguments).current_dir(root()).output()?;
    if !output.status.success() {
        bail!("`rustc {}` failed with {}", arguments.join(" "), output.status);
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
