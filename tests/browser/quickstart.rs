//! The quickstart as a person meets it: the real binary, its own manifests, the dashboard behind basicAuth.

use std::{fs, path::Path};

use portway_testkit::process::{Process, Setup};
use serde_json::Value;

use super::{DESK, devtools::Browser, picture};

/// `admin:changed`
const CHANGED: &str = "admin:{SHA}N8bFe+30MF70EknBeUdgtcuPrRc=";

/// Starts Portway with a copy of the quickstart's manifests.
fn start(folder: &Path) -> Process {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/quickstart/manifests");
    for file in fs::read_dir(source).unwrap().flatten() {
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    let manifests = format!("--providers.kubernetesManifests.directory={}", folder.display());
    let setup = Setup { unmarked: true, ..Setup::default() }.entry_point("web").flag(&manifests);
    Process::start(&crate::portway(), &setup)
}

#[test]
fn the_quickstarts_dashboard_is_seen_with_its_password_only() {
    let Some(browser) = Browser::start() else { return };
    let folder = std::env::temp_dir().join(format!("portway-quickstart-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let process = start(&folder);
    let host = format!("traefik.example.com:{}", process.address("web").port());
    let mut page = browser.page();
    page.emulate(DESK);

    page.open(&format!("http://{host}/dashboard/"));
    page.wait_for("performance.getEntriesByType('navigation')[0].responseStatus === 401");
    page.take_errors();

    page.open(&format!("http://admin:admin@{host}/dashboard/"));
    page.wait_for_text("#content", "Everything works");
    page.wait_for_text("#content", "127.0.0.1");
    page.wait_for_text("#footer", "KubernetesManifests");
    picture(&mut page, "quickstart");
    page.evaluate("location.hash = '#/http/routers?search=traefik.example'");
    page.wait_for_text("tbody", "PathPrefix(`/dashboard`)");
    page.evaluate("document.querySelector('tbody a.name').click()");
    page.wait_for_text(".flow", "basicAuth");
    picture(&mut page, "quickstart-router");
    assert!(!page.text("body").contains("$apr1$"), "a hash is shown");
    assert_eq!(page.take_errors(), Vec::<String>::new());

    page.refuse_to_sign_in();
    let file = folder.join("dashboard.yaml");
    let manifest = fs::read_to_string(&file).unwrap();
    let (before, rest) = manifest.split_once("\ndata:\n").unwrap();
    let (_, after) = rest.split_once("---\n").unwrap();
    let secret = format!("\nstringData:\n  users: \"{CHANGED}\"\n---\n");
    fs::write(&file, format!("{before}{secret}{after}")).unwrap();
    page.wait_for_text("#banner", "not signed in any more");
    page.wait_for_text("#live", "Signed out");
    picture(&mut page, "quickstart-signed-out");

    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_insecure_entry_point_leads_to_the_dashboard() {
    let Some(browser) = Browser::start() else { return };
    let setup = Setup { unmarked: true, ..Setup::default() };
    let process = Process::start(&crate::portway(), &setup);
    let mut page = browser.page();
    page.open(&format!("http://{}/", process.address("traefik")));
    page.wait_for_text("#content", "Entry points");
    let path = page.evaluate("location.pathname");
    assert_eq!(path, Value::from("/dashboard/"));
    page.evaluate("location.hash = '#/http/routers/dashboard%40internal'");
    page.wait_for_text(".flow", "dashboard_stripprefix");
    assert_eq!(page.take_errors(), Vec::<String>::new());
}
