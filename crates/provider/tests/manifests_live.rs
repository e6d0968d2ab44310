//! A folder of manifests, followed: saving applies, deleting deletes, and what is broken stays as it was.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::{
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use portway_model::{
    dynamic::{Config, Middleware},
    static_config::KubernetesManifests,
};
use portway_provider::{FolderOfManifests, Update, run, updates};
use tokio::{sync::mpsc::Receiver, time::timeout};

/// A folder that is followed, removed with the test.
struct Followed {
    folder: PathBuf,
    updates: Receiver<Update>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Followed {
    /// Follows what `fill` puts into a folder; returns after its first state was read and watched.
    async fn new(name: &str, fill: impl FnOnce(&PathBuf)) -> (Self, Arc<Config>) {
        let folder = std::env::temp_dir().join(format!("portway-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fill(&folder);
        let directory = folder.display().to_string();
        let options = KubernetesManifests { directory, ..KubernetesManifests::default() };
        let (sender, updates) = updates();
        tokio::spawn(run(FolderOfManifests::new(&options).unwrap(), true, sender));
        let mut followed = Self { folder, updates };
        let first = followed.next().await;
        // The first state is read twice and sent once; what follows is seen by the watch.
        tokio::time::sleep(Duration::from_millis(200)).await;
        (followed, first)
    }

    async fn next(&mut self) -> Arc<Config> {
        self.update().await.configs.remove("kubernetescrd").unwrap()
    }

    async fn update(&mut self) -> Update {
        timeout(Duration::from_secs(5), self.updates.recv()).await.unwrap().unwrap()
    }

    /// What `change` leads to; it must be known within a second.
    async fn after(&mut self, change: impl FnOnce(&PathBuf)) -> Arc<Config> {
        let start = Instant::now();
        change(&self.folder);
        let config = self.next().await;
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        config
    }
}

fn middleware(name: &str, prefix: &str) -> String {
    format!(
        "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {{name: {name}}}\n\
         spec: {{addPrefix: {{prefix: {prefix}}}}}\n"
    )
}

fn prefixes(config: &Arc<Config>) -> Vec<&str> {
    let entries = config.http.middlewares.values();
    let prefixes = entries.map(|entry| match &*entry.spec {
        Middleware::AddPrefix(add) => add.prefix.as_str(),
        _ => "",
    });
    prefixes.collect()
}

#[tokio::test]
async fn saving_and_deleting_files_is_live_within_a_second() {
    let fill = |folder: &PathBuf| fs::write(folder.join("a.yaml"), middleware("a", "/1")).unwrap();
    let (mut followed, first) = Followed::new("live", fill).await;
    assert_eq!(prefixes(&first), ["/1"]);

    let saved =
        followed.after(|folder| fs::write(folder.join("a.yaml"), middleware("a", "/2")).unwrap());
    assert_eq!(prefixes(&saved.await), ["/2"]);

    let in_a_new_folder = followed.after(|folder| {
        fs::create_dir(folder.join("sub")).unwrap();
        fs::write(folder.join("sub/b.yml"), middleware("b", "/b")).unwrap();
    });
    assert_eq!(prefixes(&in_a_new_folder.await), ["/2", "/b"]);

    let broken = followed.after(|folder| fs::write(folder.join("a.yaml"), "a: [\n").unwrap()).await;
    assert_eq!(prefixes(&broken), ["/2", "/b"]);
    let place = broken.diagnostics[0].place.clone().unwrap();
    assert!(place.file.ends_with("a.yaml") && place.line > 0, "{:?}", broken.diagnostics);

    let replaced = followed.after(|folder| {
        fs::write(folder.join(".a.yaml.new"), middleware("a", "/3")).unwrap();
        fs::rename(folder.join(".a.yaml.new"), folder.join("a.yaml")).unwrap();
    });
    let replaced = replaced.await;
    assert_eq!(prefixes(&replaced), ["/3", "/b"]);
    assert!(replaced.diagnostics.is_empty());

    let deleted = followed.after(|folder| fs::remove_file(folder.join("a.yaml")).unwrap());
    assert_eq!(prefixes(&deleted.await), ["/b"]);
}

#[tokio::test]
async fn what_changes_together_is_sent_together() {
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  annotations: \
                   {traefik.ingress.kubernetes.io/router.middlewares: default-a@kubernetescrd}\nspec: \
                   {defaultBackend: {service: {name: s, port: {number: 80}}}}\n";
    let (mut followed, _) = Followed::new("together", |_| {}).await;
    let text = format!("{}---\n{ingress}", middleware("a", "/1"));
    fs::write(followed.folder.join("a.yaml"), text).unwrap();
    let update = followed.update().await;
    assert_eq!(prefixes(&update.configs["kubernetescrd"]), ["/1"]);
    let routers = &update.configs["kubernetes"].http.routers;
    assert_eq!(routers["default-router"].spec.middlewares, ["default-a@kubernetescrd"]);
    // What did not change is not sent again.
    fs::write(followed.folder.join("b.yaml"), middleware("b", "/2")).unwrap();
    let update = followed.update().await;
    assert_eq!(update.configs.keys().collect::<Vec<_>>(), ["kubernetescrd"]);
}

#[tokio::test]
async fn a_mounted_config_map_is_followed_through_its_swapped_link() {
    use std::os::unix::fs::symlink;
    let version = |folder: &PathBuf, name: &str, prefix: &str| {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("a.yaml"), middleware("a", prefix)).unwrap();
        symlink(name, folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    };
    let fill = |folder: &PathBuf| {
        version(folder, "..2026_1", "/1");
        symlink("..data/a.yaml", folder.join("a.yaml")).unwrap();
    };
    let (mut followed, first) = Followed::new("mounted", fill).await;
    assert_eq!(prefixes(&first), ["/1"]);
    let swapped = followed.after(|folder| version(folder, "..2026_2", "/2")).await;
    assert_eq!(prefixes(&swapped), ["/2"]);
    assert!(swapped.diagnostics.is_empty());
}
