use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::*;
use crate::{
    api::{Group, Kind},
    cluster::resources::{Need, Resource},
};

mod server;

use server::{Answer, Asked, client, list, says, watch};

const MINUTE: Duration = Duration::from_secs(60);

const BOOKMARK: &str = r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"8"}}}"#;
const GONE: &str = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"#;

/// A follower of Middlewares whose changes are heard.
struct Followed {
    heard: mpsc::Receiver<Heard>,
    asked: Asked,
    _task: tokio::task::JoinSet<()>,
}

impl Followed {
    fn new(need: Need, (client, asked): (Client, Asked)) -> Self {
        let (kind, group) = (Kind::Middleware, Group::TraefikIo);
        let resource = Resource { kind, group, selector: String::new(), need };
        let (sender, heard) = mpsc::channel(64);
        let mut task = tokio::task::JoinSet::new();
        let target = Arc::new(Target::new(resource, None));
        task.spawn(follow(client, target, 0, Pace::default(), sender));
        Self { heard, asked, _task: task }
    }

    /// What is heard within a time.
    async fn within(&mut self, time: Duration) -> Vec<String> {
        let end = Instant::now() + time;
        let mut all = Vec::new();
        while let Ok(Some(heard)) = tokio::time::timeout_at(end, self.heard.recv()).await {
            all.push(match heard.change {
                Change::Listed(objects) => {
                    let names: Vec<_> = objects.into_iter().map(|object| object.key.name).collect();
                    format!("listed {}", names.join(","))
                }
                Change::Applied(object) => format!("applied {}", object.key.name),
                Change::Deleted(key) => format!("deleted {}", key.name),
                Change::Absent(why) => format!("absent {}", why.unwrap_or_default()),
                Change::Trouble(why) => format!("trouble {why}"),
                Change::Well => "well".to_owned(),
            });
        }
        all
    }

    fn requests(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn is_watch(path: &str) -> bool {
    path.contains("watch=true")
}

fn applied(name: &str, version: u32) -> String {
    format!(
        r#"{{"type":"ADDED","object":{{"metadata":{{"name":"{name}","resourceVersion":"{version}"}}}}}}"#
    )
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_each_watch_at_once_is_asked_less_and_less_often() {
    for name in ["refused", "forbidden", "too old", "too old by event", "cut off", "garbage"] {
        let failure = move || match name {
            "refused" => says(500, "no"),
            "forbidden" => says(403, "no"),
            "too old" => says(410, "no"),
            "too old by event" => watch(&[GONE], false),
            "cut off" => watch(&[BOOKMARK], false),
            _ => watch(&["garbage"], false),
        };
        let answer = move |path: &str| if is_watch(path) { failure() } else { list(7, &["a"]) };
        let mut followed = Followed::new(Need::Required, client(answer));
        let heard = followed.within(10 * MINUTE).await;
        let requests = followed.requests();
        let lists = heard.iter().filter(|heard| *heard == "listed a").count();
        assert!(requests.len() < 200, "{name}: {} requests in ten minutes", requests.len());
        assert!(lists > 40, "{name}: without a watch only lists tell; {lists} were made");
        assert!(heard.iter().any(|heard| heard.starts_with("trouble")), "{name}: nobody is told");
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_is_over_when_a_watch_stands() {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let answer = move |path: &str| match is_broken.load(Relaxed) {
        true => says(503, "later"),
        false if is_watch(path) => watch(&[BOOKMARK], true),
        false => list(7, &["a"]),
    };
    let mut followed = Followed::new(Need::Required, client(answer));
    let trouble = followed.within(MINUTE).await;
    assert!(trouble.iter().all(|heard| heard == "trouble the API server answered 503: later"));
    broken.store(false, Relaxed);
    assert_eq!(followed.within(MINUTE / 2).await, ["listed a", "well"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_just_started_is_not_believed_that_a_resource_is_not_there() {
    let ready = Arc::new(AtomicBool::new(false));
    let is_ready = Arc::clone(&ready);
    for (code, need) in [(404, Need::Required), (403, Need::Wished)] {
        ready.store(false, Relaxed);
        let is_ready = Arc::clone(&is_ready);
        let answer = move |path: &str| match path {
            "/readyz" if is_ready.load(Relaxed) => says(200, "ok"),
            "/readyz" => says(500, "[-]poststarthook/crd-informer-synced failed"),
            _ => says(code, "not yet"),
        };
        let mut followed = Followed::new(need, client(answer));
        let heard = followed.within(MINUTE).await;
        assert!(heard.iter().all(|heard| heard.starts_with("trouble")), "{heard:?}");
        ready.store(true, Relaxed);
        let heard = followed.within(MINUTE).await;
        assert!(heard.iter().any(|heard| heard.starts_with("absent")), "{heard:?}");
    }
}

/// Lists once, is then cut off, and answers as `then`.
fn once(then: impl Fn(&str) -> Answer + Send + 'static) -> (Client, Asked) {
    let watched = AtomicBool::new(false);
    client(move |path| match watched.load(Relaxed) {
        true => then(path),
        false if is_watch(path) => {
            watched.store(true, Relaxed);
            watch(&[BOOKMARK], false)
        }
        false => list(7, &["a"]),
    })
}

#[tokio::test(start_paused = true)]
async fn what_was_there_is_gone_only_when_that_is_said_twice() {
    let mut followed = Followed::new(Need::Required, once(|_| says(404, "no")));
    let absence = Pace::default().absence;
    assert_eq!(followed.within(absence).await[0], "listed a");
    let heard = followed.within(absence).await;
    assert!(heard[0].starts_with("absent"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_any_more_stays() {
    let mut followed = Followed::new(Need::Wished, once(|_| says(403, "no rights")));
    let heard = followed.within(10 * MINUTE).await;
    assert_eq!(heard[0], "listed a");
    assert!(heard[1..].iter().all(|heard| heard == "trouble no rights"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_list_empties_nothing() {
    for answer in [r#"{"metadata":{}}"#, "{}", r#"{"items":null}"#, "<html>", ""] {
        let mut followed = Followed::new(Need::Wished, once(move |_| says(200, answer)));
        let heard = followed.within(10 * MINUTE).await;
        assert_eq!(heard[0], "listed a");
        let told = |heard: &String| heard.starts_with("trouble the API server cannot be read");
        assert!(heard[1..].iter().all(told), "{answer}: {heard:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_what_cannot_be_read_is_shown() {
    let (list, event) = (r#"{"metadata": "hunter2"}"#, r#"{"type": {"hunter2": 1}}"#);
    let answer = move |path: &str| match is_watch(path) {
        true => watch(&[event], false),
        false => says(200, list),
    };
    let mut followed = Followed::new(Need::Required, client(answer));
    let heard = followed.within(10 * MINUTE).await;
    assert!(!heard.is_empty() && !heard.concat().contains("hunter2"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_gone_back_in_time_is_listed() {
    let mut followed = Followed::new(
        Need::Required,
        once(|path| match is_watch(path) {
            true => watch(&[], true),
            false => list(5, &["old"]),
        }),
    );
    assert_eq!(followed.within(MINUTE).await[..2], ["listed a", "listed old"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_too_much_to_do_for_lists_is_watched() {
    let event = applied("b", 9);
    let (client, asked) = once(move |path| match is_watch(path) {
        true => watch(&[&event], true),
        false => says(500, "etcd has no leader"),
    });
    let mut followed = Followed::new(Need::Required, (client, asked));
    let heard = followed.within(MINUTE / 2).await;
    assert!(heard.contains(&"applied b".to_owned()), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("well"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_hangs_is_found_out() {
    let answer = |path: &str| match is_watch(path) {
        true => watch(&[], true),
        false => list(7, &["a"]),
    };
    let mut followed = Followed::new(Need::Required, client(answer));
    let Pace { watch, slack, .. } = Pace::default();
    assert_eq!(followed.within(watch + slack).await, ["listed a", "well"]);
    assert_eq!(followed.within(Duration::from_secs(1)).await, ["listed a"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_twice_or_late_changes_nothing() {
    let lines = [applied("a", 8), applied("a", 8), applied("b", 7), applied("c", 9)];
    let answer = move |path: &str| match is_watch(path) {
        true => watch(&lines.each_ref().map(String::as_str), true),
        false => list(7, &[]),
    };
    let mut followed = Followed::new(Need::Required, client(answer));
    let heard = followed.within(Duration::from_secs(1)).await;
    assert_eq!(heard, ["listed ", "applied a", "applied c"]);
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_an_event_that_is_cut_off_is_no_event() {
    let watches = AtomicU32::new(0);
    let half = r#"{"type":"ADDED","object":{"metadata":{"name":"half""#;
    let answer = move |path: &str| match is_watch(path) {
        true if watches.fetch_add(1, Relaxed) == 0 => says(200, half),
        true => watch(&[&applied("whole", 8)], true),
        false => list(7, &[]),
    };
    let mut followed = Followed::new(Need::Required, client(answer));
    let heard = followed.within(Duration::from_secs(10)).await;
    assert_eq!(heard, ["listed ", "applied whole", "well"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_pages_always_expire_is_asked_for_in_one_piece() {
    let answer = |path: &str| match path {
        _ if is_watch(path) => watch(&[], true),
        _ if path.contains("continue=") => says(410, "expired"),
        _ if path.contains("limit=") => {
            says(200, r#"{"metadata":{"resourceVersion":"7","continue":"x"},"items":null}"#)
        }
        _ => list(9, &["all"]),
    };
    let mut followed = Followed::new(Need::Required, client(answer));
    assert_eq!(followed.within(Duration::from_secs(1)).await, ["listed all"]);
    assert_eq!(followed.requests().len(), 2 * 2 + 1 + 1, "{:?}", followed.requests());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_time_in_a_header_gets_it() {
    let answer = |_: &str| {
        let mut answer = says(429, "Too many requests, please try again later.");
        answer.headers_mut().insert("retry-after", 50.into());
        answer
    };
    let mut followed = Followed::new(Need::Required, client(answer));
    followed.within(2 * MINUTE).await;
    assert_eq!(followed.requests().len(), 3, "at 0, 50 and 100 seconds");
}

#[test]
fn versions_are_ordered_by_number() {
    assert_eq!(order("9", "10"), Some(Ordering::Less));
    assert_eq!(order("10", "10"), Some(Ordering::Equal));
    assert_eq!(order("", "10"), None);
}
