use std::{env, os::unix::fs::symlink};

use portway_model::dynamic::Middleware;

use super::*;

/// A directory of its own for one test; removed when it ends.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("portway-file-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn files(&self) -> Files {
        let directory = self.0.display().to_string();
        Files::new(&FileProvider { directory, ..FileProvider::default() })
    }

    /// Diagnostics without the directory's own path.
    fn shown(&self, config: &Config) -> Vec<String> {
        let own = format!("{}/", self.0.display());
        config.diagnostics.iter().map(|d| d.to_string().replace(&own, "")).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(mut reading: Reading) -> Config {
    reading.said.remove(PROVIDER).unwrap()
}

fn rule(config: &Config, router: &str) -> String {
    config.http.routers.get(router).map(|entry| entry.spec.rule.clone()).unwrap_or_default()
}

fn router(name: &str, rule: &str) -> String {
    format!("http: {{routers: {{{name}: {{rule: {rule}, service: s}}}}}}\n")
}

#[test]
fn a_directory_is_read_with_its_directories_and_both_formats() {
    let directory = Directory::new("tree");
    directory.write("a.yml", &router("a", "A"));
    directory.write("deep/er/b.toml", "[http.routers.b]\nrule = \"B\"\nservice = \"s\"\n");
    directory.write("notes.txt", "no");
    directory.write("..old/c.yml", &router("c", "C"));
    let config = said(directory.files().read());
    assert_eq!(config.http.routers.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert!(directory.shown(&config).is_empty());
    let place = config.http.routers["b"].place.clone().unwrap();
    assert!(place.to_string().ends_with("deep/er/b.toml:1"), "{place}");
}

#[test]
fn a_file_that_cannot_be_parsed_keeps_its_last_good_state() {
    let directory = Directory::new("good");
    let mut files = directory.files();
    directory.write("a.yml", &router("a", "A"));
    directory.write("b.yml", &router("b", "B"));
    assert_eq!(rule(&said(files.read()), "a"), "A");
    directory.write("a.yml", "http:\n  routers: [\n");
    directory.write("b.yml", &router("b", "B2"));
    let config = said(files.read());
    assert_eq!((rule(&config, "a"), rule(&config, "b")), ("A".to_owned(), "B2".to_owned()));
    let shown = directory.shown(&config);
    assert!(shown[0].starts_with("file a.yml: cannot be parsed: "), "{shown:?}");
    assert!(shown[0].ends_with("; its last good state is used (a.yml:3)"), "{shown:?}");
    directory.write("a.yml", &router("a", "A3"));
    let config = said(files.read());
    assert_eq!(rule(&config, "a"), "A3");
    assert!(directory.shown(&config).is_empty());
}

#[test]
fn a_file_that_is_deleted_takes_its_objects_and_a_lost_directory_does_not() {
    let directory = Directory::new("gone");
    let mut files = directory.files();
    directory.write("a.yml", &router("a", "A"));
    directory.write("b.yml", &router("b", "B"));
    files.read();
    fs::remove_file(directory.0.join("a.yml")).unwrap();
    assert_eq!(said(files.read()).http.routers.keys().collect::<Vec<_>>(), ["b"]);
    fs::remove_dir_all(&directory.0).unwrap();
    let config = said(files.read());
    assert_eq!(rule(&config, "b"), "B");
    assert_eq!(config.diagnostics.len(), 1);
    assert!(config.diagnostics[0].message.starts_with("cannot be read: No such file"));
}

#[test]
fn one_name_in_two_files_is_the_first_ones() {
    let directory = Directory::new("twice");
    directory.write("a.yml", &router("x", "A"));
    directory.write("b.yml", &format!("\n{}", router("x", "B")));
    let config = said(directory.files().read());
    assert_eq!(rule(&config, "x"), "A");
    assert_eq!(
        directory.shown(&config),
        ["router x: stands in a.yml:1 already, which counts; this one has no effect (b.yml:2)"]
    );
}

#[test]
fn unknown_fields_and_wrong_types_name_object_field_and_line() {
    let directory = Directory::new("fields");
    directory.write(
        "a.yml",
        "http:\n  routers:\n    x:\n      rule: R\n      priority: high\n      servce: s\nhttps: {}\n",
    );
    let config = said(directory.files().read());
    let problems = &config.http.routers["x"].problems;
    let shown: Vec<_> = problems.iter().map(|p| format!("{}: {p}", p.at.line)).collect();
    assert_eq!(
        shown,
        [
            "5: priority: expected a whole number, found `high`",
            "6: servce: unknown field `servce`; did you mean `service`?"
        ]
    );
    assert_eq!(
        directory.shown(&config),
        ["file a.yml, https: unknown field `https`; did you mean `http`? (a.yml:7)"]
    );
}

#[test]
fn users_and_certificates_are_read_and_read_again() {
    let directory = Directory::new("material");
    let path = |name: &str| directory.0.join(name).display().to_string();
    directory.write("users", "# who\na:b\n\n  c:d  \n");
    directory.write("a.pem", "-----BEGIN CERTIFICATE-----");
    let text = format!(
        "http: {{middlewares: {{m: {{basicAuth: {{usersFile: {}}}}}}}}}\ntls: {{certificates: [{{certFile: {}, keyFile: {}}}]}}\n",
        path("users"),
        path("a.pem"),
        path("a.key"),
    );
    directory.write("a.yml", &text);
    let mut files = directory.files();
    let reading = files.read();
    let users = |config: &Config| match &*config.http.middlewares["m"].spec {
        Middleware::BasicAuth(auth) => auth.users_of_file.clone(),
        _ => Vec::new(),
    };
    assert_eq!(users(&reading.said["file"]), ["a:b", "c:d"]);
    let certificate = &reading.said["file"].tls.certificates[0];
    assert_eq!(certificate.spec.cert.content, b"-----BEGIN CERTIFICATE-----");
    let problem = certificate.problems[0].to_string();
    assert!(problem.starts_with("keyFile: `") && problem.contains("cannot be read: No such file"));
    assert!(reading.paths.contains(&directory.0.join("a.key")));

    directory.write("a.key", "-----BEGIN PRIVATE KEY-----");
    fs::remove_file(directory.0.join("users")).unwrap();
    let config = said(files.read());
    assert!(config.tls.certificates[0].problems.is_empty());
    assert_eq!(users(&config), ["a:b", "c:d"]);
    let entry = &config.http.middlewares["m"];
    assert!(!entry.is_disabled() && entry.problems[0].message.contains("its last content is used"));
}

#[test]
fn a_mounted_config_map_is_read_once() {
    let directory = Directory::new("configmap");
    directory.write("..2026/a.yml", &router("a", "A"));
    symlink("..2026", directory.0.join("..data")).unwrap();
    symlink("..data/a.yml", directory.0.join("a.yml")).unwrap();
    let config = said(directory.files().read());
    assert_eq!(rule(&config, "a"), "A");
    assert!(directory.shown(&config).is_empty());
}

#[test]
fn one_file_may_be_named() {
    let directory = Directory::new("single");
    directory.write("a.yml", &router("a", "A"));
    directory.write("b.yml", &router("b", "B"));
    let filename = directory.0.join("a.yml").display().to_string();
    let mut files = Files::new(&FileProvider { filename, ..FileProvider::default() });
    assert_eq!(said(files.read()).http.routers.len(), 1);
    fs::remove_file(directory.0.join("a.yml")).unwrap();
    let config = said(files.read());
    assert_eq!(rule(&config, "a"), "A");
    assert_eq!(
        directory.shown(&config),
        ["file a.yml: cannot be read: No such file or directory (os error 2) (a.yml)"]
    );
}
