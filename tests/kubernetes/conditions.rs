//! What became of objects, as their conditions and events say it: `tests/golden/conditions/<case>/in.yaml` gives
//! `out.txt`. No API server is needed: manifests are translated and compiled, and the outcome is shown.
//!
//! `UPDATE_GOLDEN=1` writes the outputs afresh. In inputs, `$CERT` and `$OTHER` are certificates and `$KEY` is the key of
//! the first, in base64. A condition that says nothing wrong is left out. The entry point `models` has settings of its
//! own, for which routers are named after it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use portway_kubernetes::{Condition, INGRESS_PROVIDER, Index, PROVIDER, Report, api, reports};
use portway_kubernetes::{translate, translate_ingresses};
use portway_model::dynamic::{RouterTls, ServersTransport};
use portway_model::static_config::{KubernetesIngress, KubernetesObjects};
use portway_model::{InternalService, yaml};
use portway_snapshot::{EntryPointSettings, Environment, Settings, Snapshot, compile};
use portway_testkit::certificate::Certificate;
use portway_tls::{GeneratedDefault, NativeRoots};
use rustls_pki_types::UnixTime;

#[test]
fn golden() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/conditions");
    let cases = fs::read_dir(root).expect("cases").map(|case| case.expect("a case").path());
    let mut cases: Vec<PathBuf> = cases.collect();
    cases.sort();
    let stage = Stage::new();
    let failed: Vec<_> = cases.iter().filter(|case| !stage.holds(case)).collect();
    assert!(failed.is_empty(), "{failed:#?} differ; UPDATE_GOLDEN=1 writes them afresh");
}

/// What all cases share.
struct Stage {
    environment: Environment,
    certificate: Certificate,
    other: Certificate,
}

impl Stage {
    fn new() -> Self {
        let authority = Certificate::for_names(&["authority"]);
        let native_roots = NativeRoots::new(vec![authority.certificate_der.into()]);
        let generated = GeneratedDefault::generate(SystemTime::now()).expect("a certificate");
        Self {
            environment: Environment { generated, native_roots },
            certificate: Certificate::for_names(&["a.test"]),
            other: Certificate::for_names(&["b.test"]),
        }
    }

    fn holds(&self, case: &Path) -> bool {
        let text = fs::read_to_string(case.join("in.yaml")).expect("an input");
        let actual = self.told(&text);
        let file = case.join("out.txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(file, actual).expect("an output");
            return true;
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if actual != expected {
            eprintln!("{}:\n{actual}", file.display());
        }
        actual == expected
    }

    fn told(&self, text: &str) -> String {
        let encoded = |pem: &str| STANDARD.encode(pem);
        let text = text
            .replace("$CERT", &encoded(&self.certificate.certificate_pem))
            .replace("$OTHER", &encoded(&self.other.certificate_pem))
            .replace("$KEY", &encoded(&self.certificate.key_pem));
        let mut index = Index::default();
        for document in yaml::parse(&text).expect("YAML") {
            for object in api::read(&document.node, "") {
                index.apply(object.expect("an object"));
            }
        }
        let said = [
            (PROVIDER, translate(&index, &KubernetesObjects::default())),
            (INGRESS_PROVIDER, translate_ingresses(&index, &KubernetesIngress::default())),
        ];
        let configs = said.iter().map(|(provider, translated)| {
            ((*provider).to_owned(), Arc::new(translated.config.clone()))
        });
        let runtime = self.compiled(configs.collect()).runtime;
        let all = said.iter().flat_map(|(of, said)| reports(of, &index, said, &runtime));
        all.map(|report| shown(&report)).collect()
    }

    fn compiled(&self, configs: BTreeMap<String, Arc<portway_model::dynamic::Config>>) -> Snapshot {
        let named = |name: &str| EntryPointSettings {
            name: name.into(),
            is_default: true,
            ..EntryPointSettings::default()
        };
        let models = EntryPointSettings {
            is_default: false,
            tls: Some(RouterTls::default()),
            ..named("models")
        };
        let settings = Settings {
            entry_points: vec![named("web"), named("websecure"), models],
            default_rule_syntax: None,
            internal_services: InternalService::ALL.into(),
            servers_transport: ServersTransport::default(),
        };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        compile(&configs, &settings, &self.environment, now, None)
    }
}

fn shown(report: &Report) -> String {
    let wrong = |condition: &&Condition| {
        (condition.status == "True") == (condition.kind == "Conflicted")
            || !condition.message.is_empty()
    };
    let group = report.key.group.traefik().unwrap_or_default();
    let mut text = format!("{} ({group})\n", report.key);
    for Condition { kind, status, reason, message, .. } in report.conditions.iter().filter(wrong) {
        text += &format!("  {kind} {status} {reason}: {message}\n");
    }
    text
}
