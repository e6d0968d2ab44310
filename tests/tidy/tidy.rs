//! What must not drift in silence: the crate graph, the map of crates, module docs. Sizes are reported.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Who may know whom. `model` and `rule` know nobody of ours; `proxy` knows no provider; `kubernetes` and
/// `provider` know nothing of the data plane; only the binary sees both sides.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("rule", &[]),
    ("http", &[]),
    ("observe", &["http", "model"]),
    ("tls", &["model"]),
    ("upstream", &["http", "model", "tls"]),
    ("middleware", &["http", "model", "rule", "tls"]),
    ("snapshot", &["http", "middleware", "model", "rule", "tls", "upstream"]),
    ("proxy", &["http", "middleware", "model", "observe", "rule", "snapshot", "tls", "upstream"]),
    ("api", &["http", "model", "snapshot"]),
    ("kubernetes", &["model", "rule"]),
    ("provider", &["kubernetes", "model", "rule"]),
    ("testkit", &[]),
    ("xtask", &[]),
];

/// Files and functions of more lines are worth another look.
const LARGE_FILE: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The crates of ours that a manifest names outside its development dependencies.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let normal = manifest.split("[dev-dependencies]").next().unwrap();
    normal
        .lines()
        .filter_map(|line| line.strip_prefix("portway-"))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn arrows_between_crates_go_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "app" || !path.is_dir() {
            continue;
        }
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap();
        let may = allowed.get(name).unwrap_or_else(|| panic!("crate `{name}` is not in the graph"));
        for dependency in dependencies(&manifest) {
            let fits = may.contains(&dependency.as_str());
            assert!(fits, "crate `{name}` must not know `{dependency}`");
        }
    }
}

#[test]
fn the_map_in_the_readme_names_every_crate() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let listed = readme.lines().any(|line| line.trim_start().starts_with(&format!("{name}/")));
        assert!(listed, "README's map does not name crates/{name}/");
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for folder in ["benches", "crates", "tests"] {
        for file in sources(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            let name = file.strip_prefix(root()).unwrap().display().to_string();
            if name.contains("/target/") {
                continue;
            }
            let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
            let documented = text.lines().next().is_some_and(|line| line.starts_with("//!"));
            assert!(documented || is_test, "{name} does not open with what it is for");
        }
    }
}

#[test]
fn every_source_belongs_to_a_module() {
    for file in sources(&root().join("crates")) {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        let (folder, stem) = (file.parent().unwrap(), file.file_stem().unwrap().to_str().unwrap());
        let is_root = ["lib", "main", "build"].contains(&stem);
        if is_root || !(name.contains("/src/") || name.starts_with("crates/app/")) {
            continue;
        }
        let parents = [folder.join("lib.rs"), folder.join("main.rs"), folder.with_extension("rs")];
        let declares = |parent: &PathBuf| {
            let text = fs::read_to_string(parent).unwrap_or_default();
            text.lines().any(|line| line.trim_end_matches(';').ends_with(&format!("mod {stem}")))
        };
        assert!(parents.iter().any(declares), "{name} belongs to no module");
    }
}

#[test]
fn texts_of_the_repository_speak_of_the_project_alone() {
    let ignored = ["target", ".git", "Cargo.lock", "tidy.rs"];
    let mut open = vec![root().to_owned()];
    // Written apart, so that this file does not name them either.
    let foreign = [concat!("/work", "/"), concat!("/root", "/"), concat!("crates.io", "-19")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if ignored.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                for word in foreign {
                    assert!(!text.contains(word), "{} names `{word}`", path.display());
                }
            }
        }
    }
}

#[test]
fn sizes_are_reported() {
    let mut large = Vec::new();
    for file in sources(&root().join("crates")) {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        if lines > LARGE_FILE && !name.ends_with("tests.rs") {
            large.push(format!("{lines} {name}"));
        }
    }
    large.sort();
    println!("files over {LARGE_FILE} lines: {large:?}");
    assert!(large.len() < 10, "many files have grown large: {large:?}");
}
