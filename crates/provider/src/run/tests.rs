use std::{fs, time::Duration};

use portway_model::static_config::FileProvider;
use tokio::time::{Instant, timeout};

use super::*;
use crate::file::Files;

#[tokio::test]
async fn a_saved_file_is_sent_within_a_second() {
    let directory = std::env::temp_dir().join(format!("portway-run-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("a.yml");
    let save = |rule: &str| {
        let text = format!("http: {{routers: {{a: {{rule: {rule}, service: s}}}}}}\n");
        fs::write(&file, text).unwrap();
    };
    save("A");
    let provider =
        FileProvider { directory: directory.display().to_string(), ..FileProvider::default() };
    let (sender, mut receiver) = updates();
    let running = tokio::spawn(run(Files::new(&provider), true, sender));
    let rule = |update: &Update| update.configs["file"].http.routers["a"].spec.rule.clone();
    let mut next =
        async || timeout(Duration::from_secs(5), receiver.recv()).await.unwrap().unwrap();
    assert_eq!(rule(&next().await), "A");
    // The first state is read twice and sent once; what follows is seen by the watch.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let saved = Instant::now();
    save("B");
    assert_eq!(rule(&next().await), "B");
    assert!(saved.elapsed() < Duration::from_secs(1), "{:?}", saved.elapsed());
    drop(receiver);
    timeout(Duration::from_secs(1), running).await.unwrap().unwrap();
    fs::remove_dir_all(&directory).unwrap();
}
