//! Files of objects. Lines `# option: NAME [VALUE]` of a file set options of its provider, as in the golden tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Report;
use super::stage::{Provider, Stage, objects};

/// Folders of files or of cases with a file `in.yaml`, and the provider that reads them.
const FOLDERS: [(&str, Provider); 4] = [
    ("tests/golden/ingress", Provider::Ingress),
    ("tests/golden/kubernetes", Provider::Crd),
    ("tests/kubernetes/oracle/crd", Provider::Crd),
    ("tests/kubernetes/oracle/ingress", Provider::Ingress),
];

/// Options that change nothing but the status of Ingresses.
const OF_STATUS: [&str; 2] = [".ingressEndpoint", ".reportNodeInternalIPs"];

/// Applies each file alone, and compares what both make of it.
pub(super) fn compare(stage: &mut Stage, report: &mut Report) {
    for ((provider, options), files) in groups() {
        let pair = stage.pair(&[provider], &options);
        for file in files {
            let text = fs::read_to_string(&file).expect("a file of objects");
            // Traefik 3 reads the new group alone.
            let objects = objects(&text.replace("traefik.containo.us/", "traefik.io/"));
            report.add(&file.display().to_string(), stage.compare(&pair, &objects));
            let ours = file.starts_with(root().join("tests/kubernetes"));
            assert!(!ours || stage.held() > 0, "the API server refused all of {}", file.display());
        }
    }
}

/// Objects and options that say what the status of Ingresses should be.
pub(super) struct AboutStatus {
    pub(super) name: String,
    pub(super) flags: Vec<String>,
    pub(super) objects: Vec<Value>,
}

/// The files whose options are about the status of Ingresses, but for the option that Traefik 3.7 does not have yet.
pub(super) fn about_status() -> Vec<AboutStatus> {
    let mut all = Vec::new();
    for case in files(&root().join("tests/golden/ingress")) {
        let text = fs::read_to_string(&case).expect("a file of objects");
        let flags = flags(Provider::Ingress, &text);
        let is = |name: &str| flags.iter().any(|flag| flag.contains(name));
        if is_selected(&case) && is(".ingressEndpoint") && !is(".reportNodeInternalIPs") {
            let (name, objects) = (case.display().to_string(), objects(&text));
            all.push(AboutStatus { name, flags, objects });
        }
    }
    all
}

/// The files by provider and options, so that both programs are started once for each.
fn groups() -> BTreeMap<(Provider, Vec<String>), Vec<PathBuf>> {
    let mut groups: BTreeMap<_, Vec<PathBuf>> = BTreeMap::new();
    for (folder, provider) in FOLDERS {
        for file in files(&root().join(folder)) {
            if !is_selected(&file) {
                continue;
            }
            let text = fs::read_to_string(&file).expect("a file of objects");
            let options = flags(provider, &text);
            if options.iter().any(|option| OF_STATUS.iter().any(|name| option.contains(name))) {
                continue;
            }
            groups.entry((provider, options)).or_default().push(file);
        }
    }
    groups
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_selected(file: &Path) -> bool {
    let only = std::env::var("ORACLE_ONLY").unwrap_or_default();
    file.to_string_lossy().contains(&only)
}

fn flags(provider: Provider, text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# option: "));
    lines.map(|line| flag(provider, line)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of objects");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| if path.is_dir() { path.join("in.yaml") } else { path })
        .collect();
    files.sort();
    files
}

/// An option of a golden test as a flag: `ingressClass own`, `crossProviderNamespaces a b`.
fn flag(provider: Provider, option: &str) -> String {
    let (name, value) = option.split_once(' ').unwrap_or((option, "true"));
    if name == "defaultRuleSyntax" {
        return format!("--core.defaultRuleSyntax={value}");
    }
    format!("--providers.{}.{name}={}", provider.option(), value.replace(' ', ","))
}
