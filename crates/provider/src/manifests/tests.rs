use std::{collections::BTreeMap, fs, path::PathBuf};

use portway_model::{
    dynamic::{Config, Middleware},
    static_config::KubernetesManifests,
};

use super::{Manifests, State, Text, read_directory, read_texts};

fn middleware(name: &str, prefix: &str) -> String {
    format!(
        "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata:\n  name: {name}\n\
         spec:\n  addPrefix:\n    prefix: {prefix}\n"
    )
}

/// A source fed with texts instead of files.
struct Folder {
    manifests: Manifests,
    texts: BTreeMap<String, Text>,
}

impl Folder {
    fn new() -> Self {
        let manifests = Manifests::new(&KubernetesManifests::default()).unwrap();
        Self { manifests, texts: BTreeMap::new() }
    }

    fn save(&mut self, path: &str, text: &str) -> Config {
        self.texts.insert(path.to_owned(), Text::Read(text.to_owned()));
        self.update()
    }

    /// What the folder says of Traefik's own objects.
    fn update(&mut self) -> Config {
        self.say("kubernetescrd")
    }

    /// What the folder says now, by one of its providers.
    fn say(&mut self, provider: &str) -> Config {
        let state = read_texts(self.texts.clone(), &self.manifests.state);
        self.manifests.update(state).remove(provider).unwrap()
    }
}

/// Names and prefixes of all middlewares.
fn prefixes(config: &Config) -> Vec<(&str, &str)> {
    let middlewares = config.http.middlewares.iter();
    let prefixes = middlewares.map(|(name, entry)| match &*entry.spec {
        Middleware::AddPrefix(add) => (&**name, add.prefix.as_str()),
        _ => (&**name, ""),
    });
    prefixes.collect()
}

fn diagnostics(config: &Config) -> Vec<String> {
    config.diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn saving_applies_and_removing_deletes() {
    let mut folder = Folder::new();
    let both = format!("{}---\n{}", middleware("a", "/1"), middleware("b", "/2"));
    let config = folder.save("x.yaml", &both);
    assert_eq!(prefixes(&config), [("default-a", "/1"), ("default-b", "/2")]);
    let config = folder.save("x.yaml", &middleware("b", "/3"));
    assert_eq!(prefixes(&config), [("default-b", "/3")]);
    folder.texts.clear();
    assert!(prefixes(&folder.update()).is_empty());
}

#[test]
fn a_broken_document_keeps_its_last_good_state_and_costs_no_other() {
    let mut folder = Folder::new();
    let three = |a: &str, b: &str, c: &str| format!("{a}---\n{b}--- # third\n{c}");
    let (a, b, c) = (middleware("a", "/1"), middleware("b", "/1"), middleware("c", "/1"));
    folder.save("x.yaml", &three(&a, &b, &c));
    let broken = "apiVersion: traefik.io/v1alpha1\nspec: [\n";
    let (a, c) = (middleware("a", "/2"), middleware("c", "/2"));
    let config = folder.save("x.yaml", &three(&a, broken, &c));
    let expected = [("default-a", "/2"), ("default-b", "/1"), ("default-c", "/2")];
    assert_eq!(prefixes(&config), expected);
    let [report] = &diagnostics(&config)[..] else { panic!("{:?}", config.diagnostics) };
    assert!(report.starts_with("file x.yaml: "), "{report}");
    assert!(report.ends_with("; the last good state is kept (x.yaml:11)"), "{report}");
}

#[test]
fn a_refused_object_keeps_its_last_good_state() {
    let mut folder = Folder::new();
    folder.save("x.yaml", &middleware("a", "/1"));
    let config = folder.save("x.yaml", &middleware("a", "no-slash"));
    assert_eq!(prefixes(&config), [("default-a", "/1")]);
    assert!(!config.http.middlewares["default-a"].is_disabled());
    assert_eq!(
        diagnostics(&config),
        ["Middleware default/a, spec.addPrefix.prefix: must start with a `/`; did you mean \
          `/no-slash`?; the last good state is kept (x.yaml:7)"]
    );
    let config = folder.save("x.yaml", &middleware("a", "/2"));
    assert_eq!(prefixes(&config), [("default-a", "/2")]);
    assert!(config.diagnostics.is_empty());
}

#[test]
fn a_refused_object_without_a_good_state_is_there_and_closed() {
    let mut folder = Folder::new();
    let config = folder.save("x.yaml", &middleware("a", "no-slash"));
    assert!(config.http.middlewares["default-a"].is_disabled());
}

#[test]
fn an_object_that_lost_its_name_keeps_its_last_good_state() {
    let mut folder = Folder::new();
    folder.save("x.yaml", &middleware("a", "/1"));
    let config =
        folder.save("x.yaml", &middleware("a", "/1").replace("  name: a\n", "  nmae: a\n"));
    assert_eq!(prefixes(&config), [("default-a", "/1")]);
    assert_eq!(
        diagnostics(&config),
        [
            "Middleware, metadata.name: required, but not there; the last good state is kept (x.yaml:4)"
        ]
    );
}

#[test]
fn the_first_path_wins_and_the_other_is_reported() {
    let mut folder = Folder::new();
    folder.save("b.yaml", &middleware("a", "/b"));
    let config = folder.save("a.yaml", &middleware("a", "/a"));
    assert_eq!(prefixes(&config), [("default-a", "/a")]);
    assert_eq!(
        diagnostics(&config),
        ["Middleware default/a: stands in a.yaml:1 already, which counts; this one has no effect \
          (b.yaml:1)"]
    );
}

#[test]
fn an_unreadable_file_keeps_its_last_good_state() {
    let mut folder = Folder::new();
    folder.save("x.yaml", &middleware("a", "/1"));
    folder.texts.insert("x.yaml".to_owned(), Text::Unreadable("Permission denied".to_owned()));
    let config = folder.update();
    assert_eq!(prefixes(&config), [("default-a", "/1")]);
    assert_eq!(
        diagnostics(&config),
        ["file x.yaml: cannot be read: Permission denied; the last good state is kept (x.yaml)"]
    );
}

#[test]
fn an_emptied_file_keeps_its_last_good_state_and_a_commented_one_does_not() {
    let mut folder = Folder::new();
    folder.save("x.yaml", &middleware("a", "/1"));
    let config = folder.save("x.yaml", "\n");
    assert_eq!(prefixes(&config), [("default-a", "/1")]);
    assert_eq!(
        diagnostics(&config),
        [
            "file x.yaml: is empty; its last good state is kept until it is written or deleted (x.yaml)"
        ]
    );
    let config = folder.save("x.yaml", "# nothing for now\n");
    assert!(prefixes(&config).is_empty());
    assert!(config.diagnostics.is_empty());
}

fn ingress(path_type: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: web}}\nspec:\n  rules:\n  \
         - host: a.test\n    http: {{paths: [{{path: /x, pathType: {path_type}, backend: {{service: \
         {{name: s, port: {{number: 80}}}}}}}}]}}\n"
    )
}

#[test]
fn ingresses_are_said_by_a_provider_of_their_own() {
    let mut folder = Folder::new();
    let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n";
    let text = format!("{service}---\n{}---\n{}", ingress("Prefix"), middleware("a", "/1"));
    folder.texts.insert("x.yaml".to_owned(), Text::Read(text));
    let config = folder.say("kubernetes");
    let rules: Vec<_> = config
        .http
        .routers
        .iter()
        .map(|(name, entry)| (&**name, entry.spec.rule.as_str(), entry.is_disabled()))
        .collect();
    let rule = "Host(\"a.test\") && PathPrefix(\"/x\")";
    assert_eq!(rules, [("default-web-a-test-x", rule, false)]);
    assert!(config.http.middlewares.is_empty());
    let config = folder.update();
    assert!(config.http.routers.is_empty());
    assert_eq!(prefixes(&config), [("default-a", "/1")]);
}

#[test]
fn a_refused_ingress_keeps_its_last_good_state() {
    let mut folder = Folder::new();
    folder.save("x.yaml", &ingress("Exact"));
    let report = folder.save("x.yaml", &ingress("exact"));
    let config = folder.say("kubernetes");
    let rules: Vec<_> =
        config.http.routers.values().map(|entry| entry.spec.rule.as_str()).collect();
    assert_eq!(rules, ["Host(\"a.test\") && Path(\"/x\")"]);
    assert_eq!(
        diagnostics(&report),
        [
            "Ingress default/web, spec.rules[0].http.paths[0].pathType: unsupported value `exact`; did \
          you mean `Exact`?; the last good state is kept (x.yaml:7)"
        ]
    );
}

#[test]
fn json_with_tabs_is_read() {
    let mut folder = Folder::new();
    let json = "{\n\t\"apiVersion\": \"traefik.io/v1alpha1\",\n\t\"kind\": \"Middleware\",\n\
                \t\"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\"addPrefix\": {\"prefix\": \"/1\"}}\n}\n";
    assert_eq!(prefixes(&folder.save("x.json", json)), [("default-a", "/1")]);
}

/// A folder of its own for one test, removed with it.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("portway-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn folders_are_read_with_their_folders() {
    let folder = Temporary::new("folders");
    fs::create_dir_all(folder.0.join("sub/.hidden")).unwrap();
    for (path, name) in [
        ("b.yml", "b"),
        ("sub/a.yaml", "a"),
        ("sub/.hidden/c.yaml", "c"),
        (".d.yaml", "d"),
        ("e.txt", "e"),
    ] {
        fs::write(folder.0.join(path), middleware(name, "/1")).unwrap();
    }
    let state = read_directory(&folder.0, &State::default());
    let names: Vec<_> = state.all().map(|object| object.key.name.as_str()).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(read_directory(&folder.0, &state), state);
}

#[test]
fn a_folder_that_went_away_keeps_its_last_good_state() {
    let folder = Temporary::new("gone");
    fs::write(folder.0.join("a.yaml"), middleware("a", "/1")).unwrap();
    let directory = folder.0.display().to_string();
    let mut manifests =
        Manifests::new(&KubernetesManifests { directory, ..KubernetesManifests::default() })
            .unwrap();
    assert!(diagnostics(&manifests.read()["kubernetescrd"]).is_empty());
    fs::remove_dir_all(&folder.0).unwrap();
    let config = manifests.read().remove("kubernetescrd").unwrap();
    assert_eq!(prefixes(&config), [("default-a", "/1")]);
    assert_eq!(config.diagnostics.len(), 1);
}
