use std::{os::unix::fs::symlink, process};

use tokio::time::Instant;

use super::*;

/// A directory of its own for one test; removed when it ends.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("portway-watch-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A watch that has settled on these paths.
fn watch(paths: &[PathBuf]) -> Watch {
    let mut watch = Watch::new();
    settle(&mut watch, paths);
    watch
}

fn settle(watch: &mut Watch, paths: &[PathBuf]) {
    let paths = paths.iter().cloned().collect();
    while watch.follow(&paths) {}
}

/// Fails when the watch does not notice within a second, well before it would look by itself.
async fn notices(watch: &mut Watch) {
    let noticed = time::timeout(Duration::from_secs(1), watch.changed()).await;
    assert!(noticed.is_ok(), "nothing noticed");
}

async fn stays_quiet(watch: &mut Watch) {
    let noticed = time::timeout(Duration::from_millis(300), watch.changed()).await;
    assert!(noticed.is_err(), "noticed what does not concern it");
}

#[tokio::test]
async fn a_save_in_place_and_by_rename_is_noticed() {
    let directory = Directory::new("save");
    let file = directory.0.join("a.yml");
    fs::write(&file, "1").unwrap();
    let mut watch = watch(std::slice::from_ref(&file));
    fs::write(&file, "2").unwrap();
    notices(&mut watch).await;
    fs::write(directory.0.join("a.tmp"), "3").unwrap();
    fs::rename(directory.0.join("a.tmp"), &file).unwrap();
    notices(&mut watch).await;
}

#[tokio::test]
async fn reading_and_neighbours_are_not_noticed() {
    let directory = Directory::new("quiet");
    let file = directory.0.join("a.yml");
    fs::write(&file, "1").unwrap();
    let mut watch = watch(std::slice::from_ref(&file));
    fs::read(&file).unwrap();
    fs::write(directory.0.join("b.yml"), "1").unwrap();
    stays_quiet(&mut watch).await;
}

#[tokio::test]
async fn a_burst_is_noticed_once() {
    let directory = Directory::new("burst");
    let mut watch = watch(std::slice::from_ref(&directory.0));
    for i in 0..20 {
        fs::write(directory.0.join(format!("{i}.yml")), "1").unwrap();
    }
    let start = Instant::now();
    notices(&mut watch).await;
    assert!(start.elapsed() < Duration::from_millis(500));
    stays_quiet(&mut watch).await;
}

#[tokio::test]
async fn a_new_file_in_a_new_directory_is_noticed() {
    let directory = Directory::new("new");
    let mut watch = watch(std::slice::from_ref(&directory.0));
    fs::create_dir(directory.0.join("deep")).unwrap();
    notices(&mut watch).await;
    let paths: Vec<_> = tree(&directory.0).into_iter().collect();
    settle(&mut watch, &paths);
    fs::write(directory.0.join("deep/a.yml"), "1").unwrap();
    notices(&mut watch).await;
}

#[tokio::test]
async fn a_config_map_whose_link_is_swapped_is_noticed() {
    let directory = Directory::new("configmap");
    let at = |name: &str| directory.0.join(name);
    for version in ["..1", "..2"] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("a.yml"), version).unwrap();
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/a.yml", at("a.yml")).unwrap();
    let mut watch = watch(&[at("a.yml")]);
    symlink("..2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    notices(&mut watch).await;
    assert_eq!(fs::read_to_string(at("a.yml")).unwrap(), "..2");
}

#[tokio::test]
async fn a_directory_that_is_deleted_and_made_again_is_noticed() {
    let directory = Directory::new("again");
    let deep = directory.0.join("routes/deep");
    fs::create_dir_all(&deep).unwrap();
    let paths = [deep.clone()];
    let mut watch = watch(&paths);
    fs::remove_dir_all(directory.0.join("routes")).unwrap();
    notices(&mut watch).await;
    settle(&mut watch, &paths);
    fs::create_dir_all(&deep).unwrap();
    notices(&mut watch).await;
    settle(&mut watch, &paths);
    fs::write(deep.join("a.yml"), "1").unwrap();
    notices(&mut watch).await;
}

#[tokio::test]
async fn what_the_system_says_nothing_of_is_seen_by_looking() {
    let directory = Directory::new("look");
    let file = directory.0.join("a.yml");
    let mut watch = watch(std::slice::from_ref(&file));
    watch.watcher = None;
    watch.look = Duration::from_millis(50);
    fs::write(&file, "1").unwrap();
    notices(&mut watch).await;
}
