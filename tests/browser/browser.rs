//! The dashboard in a headless Chromium: what a person sees, in light, in dark and on a phone.
//!
//! Pictures of every page that a test looks at are written to `PORTWAY_PICTURES` or to the target folder.

mod devtools;
mod quickstart;
mod scenes;
mod stage;

use std::path::PathBuf;

use portway_model::runtime::Runtime;
use serde_json::{Value, json};

use devtools::{Browser, Page, Screen};
use stage::{Scene, Stage};

const DESK: Screen = Screen { width: 1280, height: 900, is_phone: false, is_dark: false };
const NIGHT: Screen = Screen { is_dark: true, ..DESK };
const PHONE: Screen = Screen { width: 390, height: 844, is_phone: true, is_dark: false };

/// `admin:admin`
const ADMIN: &str = "Basic YWRtaW46YWRtaW4=";

fn picture(page: &mut Page, name: &str) {
    let folder = std::env::var_os("PORTWAY_PICTURES")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser"), PathBuf::from);
    page.picture(&folder.join(format!("{name}.png")));
}

/// Waits until the page shows what it was asked for.
#[track_caller]
fn settle(page: &mut Page) {
    page.wait_for("document.querySelector('#footer').innerText.includes('Portway 0.1.0')");
    page.wait_for("!document.querySelector('#content').innerText.includes('Loading')");
}

/// Opens a part of the page that a person gets to by links; looks at it in light, in dark and on a phone.
#[track_caller]
fn look(page: &mut Page, address: &str, part: &str, name: &str) {
    page.open("about:blank");
    page.emulate(DESK);
    page.open(&format!("{address}{part}"));
    settle(page);
    picture(page, &format!("{name}-light"));
    page.emulate(NIGHT);
    picture(page, &format!("{name}-dark"));
    page.emulate(PHONE);
    let overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    picture(page, &format!("{name}-phone"));
    assert!(page.evaluate(overflow).as_f64() <= Some(0.0), "{name} is wider than a phone");
    assert_eq!(page.take_errors(), Vec::<String>::new(), "{name}");
}

fn start(runtime: Runtime) -> Option<(Browser, Page, Stage, String)> {
    let browser = Browser::start()?;
    let stage = Stage::start(Scene::new(runtime), "", "");
    let page = browser.page();
    let address = format!("http://{}/dashboard/", stage.host());
    Some((browser, page, stage, address))
}

#[test]
fn a_person_sees_that_everything_works() {
    let Some((_browser, mut page, _stage, address)) = start(scenes::working()) else { return };
    look(&mut page, &address, "", "working");
    let text = page.text("#content");
    for expected in ["Everything works", "Routers", "websecure", ":8443", "redirects to websecure"]
    {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert_eq!(page.evaluate("document.title"), "Portway");
}

#[test]
fn a_routers_whole_way_is_shown() {
    let Some((_browser, mut page, _stage, address)) = start(scenes::working()) else { return };
    look(&mut page, &address, "#/http/routers/shop%40file", "way");
    let way = page.text(".flow");
    for expected in [
        ":8443",
        "PathPrefix(`/shop`, `/store`)",
        "1 user",
        "secure-headers",
        "api-prefix",
        "weighted",
        "shop-blue",
        "90 %",
        "http://10.0.0.13:8080",
    ] {
        assert!(way.contains(expected), "{expected} is not in {way}");
    }
    let whole = page.text("body");
    assert!(!whole.contains("$apr1$"), "a hash is shown");
    look(&mut page, &address, "#/http/services/shop%40file", "service");
    look(&mut page, &address, "#/http/middlewares/auth%40file", "middleware");
    assert!(page.text("#content").contains("admin:<redacted>"));
    look(&mut page, &address, "#/entrypoints/websecure", "entry-point");
}

#[test]
fn faults_are_shown_with_their_reasons() {
    let Some((_browser, mut page, _stage, address)) = start(scenes::faulty()) else { return };
    look(&mut page, &address, "", "faults");
    let text = page.text("#content");
    for expected in [
        "Some things need attention",
        "middleware \"two-factor@file\" does not exist",
        "manifests/shop.yaml:14",
        "did not find expected key",
        "no EndpointSlice names this Service yet",
        "rateLimit is not served yet",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    look(&mut page, &address, "#/http/routers", "faults-routers");
    let rows = page.text("tbody");
    assert!(rows.contains("unknown matcher `Pathprefix`"), "{rows}");
    look(&mut page, &address, "#/http/routers/admin%40file", "fault");
    assert!(page.text(".flow").contains("does not exist"));
    assert!(page.text(".reasons").contains("answered with 500"));
    look(&mut page, &address, "#/http/services", "faults-services");
    assert!(page.text("tbody").contains("1 of 2 up"));
    look(&mut page, &address, "#/http/middlewares", "faults-middlewares");
    look(&mut page, &address, "#/problems", "problems");
    assert!(page.text("#content").contains("spec.ports[0].targetPort"));
}

#[test]
fn names_and_rules_are_never_markup() {
    let Some((_browser, mut page, _stage, address)) = start(scenes::faulty()) else { return };
    let name = "<img src=x onerror=\"document.title='broken in'\">@file";
    for part in ["#/http/routers", "#/http/routers?search=onerror"] {
        page.open("about:blank");
        page.open(&format!("{address}{part}"));
        settle(&mut page);
        assert!(page.text("#content").contains("onerror="), "{part}");
        assert_eq!(
            page.evaluate("document.querySelectorAll('#content img, #content script').length"),
            0
        );
    }
    // The link of the row leads to the object whatever its name is.
    page.evaluate("document.querySelector('tbody a.name').click()");
    page.wait_for_text("h1.object", "onerror=");
    assert!(page.text("h1.object").replace('\n', "").contains(name));
    let title = page.evaluate("document.title");
    assert!(title.as_str().unwrap().contains("onerror="), "{title}");
    assert_eq!(page.take_errors(), Vec::<String>::new());
}

fn search(page: &mut Page, text: &str) {
    let text = Value::from(text);
    page.evaluate(&format!(
        "(() => {{ const box = document.querySelector('#search'); box.value = {text}; \
         box.dispatchEvent(new Event('input')) }})()"
    ));
}

#[test]
fn thousands_of_routers_are_searched_filtered_and_paged() {
    let Some((_browser, mut page, _stage, address)) = start(scenes::large(5000)) else { return };
    look(&mut page, &address, "", "large");
    assert!(page.text(".headline").contains("100 errors"));
    look(&mut page, &address, "#/http/routers", "large-routers");
    page.emulate(DESK);
    assert_eq!(page.evaluate("document.querySelectorAll('tbody tr').length"), 50);
    page.wait_for_text(".pages", "1–50 of 5,004");
    page.evaluate("document.querySelector('[data-key=next]').click()");
    page.wait_for_text(".pages", "51–100 of 5,004");
    page.evaluate("document.querySelector('[data-status=disabled]').click()");
    page.wait_for_text(".pages", "1–50 of 100");
    assert_eq!(page.evaluate("document.querySelectorAll('tbody tr:not(.disabled)').length"), 0);
    page.evaluate("document.querySelector('[data-key=sort-name]').click()");
    page.wait_for_text("tbody tr", "tenant-04957");
    search(&mut page, "TENANT-49");
    page.wait_for_text(".pages", "2 results");
    search(&mut page, "nobody");
    page.wait_for_text(".empty", "No routers with an error named like “nobody”");
    page.evaluate("history.back()");
    page.wait_for_text(".pages", "of 5,004");
    assert_eq!(page.take_errors(), Vec::<String>::new());
}

#[test]
fn empty_lists_and_failures_say_what_to_do() {
    let Some((_browser, mut page, stage, address)) = start(Runtime::default()) else { return };
    look(&mut page, &address, "#/http/routers", "empty");
    assert!(page.text("#content").contains("No routers yet"));
    page.open("about:blank");
    page.open(&format!("{address}#/http/routers/gone%40file"));
    page.wait_for_text("#content", "There is no router gone@file");
    page.take_errors();
    look(&mut page, &address, "", "empty-overview");
    stage.change(|scene| scene.failure = Some(500));
    page.wait_for_text("#banner", "The API answered 500");
    picture(&mut page, "failing");
    stage.change(|scene| {
        scene.failure = None;
        scene.runtime = scenes::working();
    });
    page.wait_for("document.querySelector('#banner').innerText === ''");
    page.wait_for_text(".cards", "4");
    stage.change(|scene| scene.failure = Some(401));
    page.open("about:blank");
    page.open(&address);
    page.wait_for_text("#content", "Please sign in");
    picture(&mut page, "signed-out");
}

#[test]
fn the_page_refreshes_itself_and_can_be_paused() {
    let Some((_browser, mut page, stage, address)) = start(scenes::working()) else { return };
    page.open(&address);
    settle(&mut page);
    stage.change(|scene| scene.runtime = scenes::faulty());
    page.wait_for_text("#content", "Some things need attention");
    page.evaluate("document.querySelector('#live').click()");
    page.wait_for_text("#live", "Paused");
    stage.change(|scene| scene.runtime = scenes::working());
    let still = "new Promise((resolve) => setTimeout(() => \
                 resolve(document.querySelector('#content').innerText), 6000))";
    let text = page.evaluate(still);
    assert!(text.as_str().unwrap().contains("Some things need attention"), "{text}");
    page.evaluate("document.querySelector('#live').click()");
    page.wait_for_text("#content", "Everything works");
}

#[test]
fn the_page_works_behind_a_prefix_and_a_password() {
    let Some(browser) = Browser::start() else { return };
    let mut scene = Scene::new(scenes::working());
    scene.facts.dashboard_name = "Home".to_owned();
    let stage = Stage::start(scene, "/admin/edge", ADMIN);
    let mut page = browser.page();
    let path = "/admin/edge/dashboard/#/http/routers";

    page.open(&format!("http://admin:admin@{}{path}", stage.host()));
    page.wait_for_text("tbody", "shop@file");
    page.wait_for_text("#brand", "Home");
    assert_eq!(page.take_errors(), Vec::<String>::new(), "with credentials in the address");

    page.open("about:blank");
    page.call("Network.setExtraHTTPHeaders", json!({"headers": {"Authorization": ADMIN}}));
    page.open(&format!("http://{}{path}", stage.host()));
    page.wait_for_text("tbody", "shop@file");
    let foreign = "performance.getEntriesByType('resource').map((one) => one.name)\
                   .filter((name) => !name.startsWith(location.origin + '/admin/edge/'))";
    assert_eq!(page.evaluate(foreign), Value::Array(Vec::new()));
    assert_eq!(page.take_errors(), Vec::<String>::new());
}
