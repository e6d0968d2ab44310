use std::{fs, path::PathBuf, time::Duration};

use portway_model::{
    Period,
    static_config::{AccessLog as Config, AccessLogFilters, AccessLogFormat, StatusRange},
};

use super::fixtures::*;
use crate::{AccessLog, Record};

/// A file of this test's own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("portway-observe-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("logs/access.log")
    }

    fn config(&self) -> Config {
        Config { file_path: self.file().display().to_string(), ..Config::default() }
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.file()).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn lines_reach_the_file_and_folders_are_made() {
    let scratch = Scratch::new("file");
    let log = AccessLog::open(&scratch.config()).unwrap();
    let (mut one, mut two) = (log.recorder(), log.recorder());
    for _ in 0..1000 {
        one.write(&example());
        two.write(&unrouted());
    }
    drop((one, two));
    log.close(LIMIT);
    let lines = scratch.lines();
    assert_eq!((lines.len(), log.lost()), (2000, 0));
    assert_eq!(lines.iter().filter(|line| line.contains(" 404 19 ")).count(), 1000);
    // Every request has a number of its own.
    let mut counts: Vec<u64> =
        lines.iter().map(|line| line.split(' ').nth(12).unwrap().parse().unwrap()).collect();
    counts.sort_unstable();
    counts.dedup();
    assert_eq!((counts.len(), counts[0]), (2000, 1));
}

#[test]
fn an_existing_file_is_appended_to() {
    let scratch = Scratch::new("append");
    for _ in 0..2 {
        let log = AccessLog::open(&scratch.config()).unwrap();
        log.recorder().write(&example());
        log.close(LIMIT);
    }
    assert_eq!(scratch.lines().len(), 2);
}

#[test]
fn a_file_that_was_moved_is_opened_anew() {
    let scratch = Scratch::new("reopen");
    let log = AccessLog::open(&scratch.config()).unwrap();
    let mut recorder = log.recorder();
    recorder.write(&example());
    recorder.flush();
    let moved = scratch.file().with_extension("1");
    // The line may still be under way: it is in the old file when the old file has it.
    while fs::metadata(scratch.file()).unwrap().len() == 0 {
        std::thread::yield_now();
    }
    fs::rename(scratch.file(), &moved).unwrap();
    log.reopen().unwrap();
    recorder.write(&unrouted());
    drop(recorder);
    log.close(LIMIT);
    assert!(fs::read_to_string(moved).unwrap().contains(" 200 5 "));
    assert_eq!(scratch.lines().len(), 1);
    assert!(scratch.lines()[0].contains(" 404 19 "));
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_and_the_old_one_stays() {
    let bad = Config { file_path: "/proc/nothing/access.log".to_owned(), ..Config::default() };
    let error = AccessLog::open(&bad).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot open the access log `/proc/nothing/access.log`: "),
        "{error}"
    );

    let scratch = Scratch::new("stays");
    let log = AccessLog::open(&scratch.config()).unwrap();
    fs::rename(scratch.file(), scratch.file().with_extension("1")).unwrap();
    fs::create_dir(scratch.file()).unwrap();
    log.reopen().unwrap_err();
    log.recorder().write(&example());
    log.close(LIMIT);
    let old = fs::read_to_string(scratch.file().with_extension("1")).unwrap();
    assert_eq!(old.lines().count(), 1);
}

#[test]
fn filters_are_joined_by_or() {
    let lines = |name: &str, filters: AccessLogFilters| {
        let scratch = Scratch::new(name);
        let config = Config { filters: Some(filters), ..scratch.config() };
        let log = AccessLog::open(&config).unwrap();
        let mut recorder = log.recorder();
        recorder.write(&example());
        recorder.write(&unrouted());
        recorder.write(&Record { retry_attempts: 1, status: 201, ..example() });
        recorder.write(&Record { duration: Duration::from_secs(2), status: 202, ..example() });
        drop(recorder);
        log.close(LIMIT);
        let status = |line: &String| line.split(' ').nth(8).unwrap().to_owned();
        scratch.lines().iter().map(status).collect::<Vec<_>>().join(" ")
    };
    let not_found = StatusRange { first: 400, last: 404 };
    let second = Period::seconds(1);
    let none = AccessLogFilters::default();
    assert_eq!(lines("none", none.clone()), "200 404 201 202");
    let by_status = AccessLogFilters { status_codes: vec![not_found], ..none.clone() };
    assert_eq!(lines("status", by_status.clone()), "404");
    let retried = AccessLogFilters { retry_attempts: true, ..by_status };
    assert_eq!(lines("retried", retried), "404 201");
    assert_eq!(lines("slow", AccessLogFilters { min_duration: second, ..none }), "202");
}

#[test]
fn a_writer_that_hangs_costs_lines_and_no_time() {
    // A FIFO that nobody reads takes some bytes and then blocks the writer.
    let scratch = Scratch::new("hangs");
    fs::create_dir_all(scratch.file().parent().unwrap()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(scratch.file()).status().unwrap();
    assert!(made.success());
    let reader = fs::OpenOptions::new().read(true).write(true).open(scratch.file()).unwrap();
    let log = AccessLog::open(&scratch.config()).unwrap();
    let mut recorder = log.recorder();
    let long = Record { path: vec![b'a'; 4000].leak(), ..example() };
    let begun = std::time::Instant::now();
    let written = 4000;
    for _ in 0..written {
        recorder.write(&long);
    }
    assert!(begun.elapsed() < LIMIT);
    drop(recorder);
    assert!(log.lost() > 0 && log.lost() < written, "{}", log.lost());
    // Closing waits no longer than asked.
    log.close(Duration::from_millis(20));
    drop(reader);
}

#[test]
fn flushing_after_each_line_loses_none() {
    let scratch = Scratch::new("each");
    let config = Config { format: AccessLogFormat::Json, ..scratch.config() };
    let log = AccessLog::open(&config).unwrap();
    let mut recorder = log.recorder();
    for _ in 0..200 {
        recorder.write(&example());
        recorder.flush();
    }
    drop(recorder);
    log.close(LIMIT);
    assert_eq!((scratch.lines().len(), log.lost()), (200, 0));
}

#[test]
fn a_log_says_which_headers_it_needs() {
    let scratch = Scratch::new("needs");
    let needs = |config: &Config| AccessLog::open(config).unwrap().needs();
    let default = scratch.config();
    assert_eq!(needs(&default), crate::Needs::default());
    let mut keeping = default;
    keeping
        .fields
        .headers
        .names
        .insert("X-A".into(), portway_model::static_config::FieldMode::Keep);
    let common = needs(&keeping);
    assert!(common.request_headers && !common.response_headers);
    let json = needs(&Config { format: AccessLogFormat::Json, ..keeping });
    assert!(json.request_headers && json.response_headers);
}

#[test]
fn writing_allocates_nothing_once_warm() {
    let list = [("User-Agent", "curl/8"), ("Accept", "*/*"), ("X-Multi", "a"), ("x-multi", "b")];
    for format in [AccessLogFormat::Common, AccessLogFormat::GenericClf, AccessLogFormat::Json] {
        let scratch = Scratch::new("warm");
        let mut config = Config { format, ..scratch.config() };
        config.fields.headers.default_mode = portway_model::static_config::FieldMode::Keep;
        let log = AccessLog::open(&config).unwrap();
        let mut recorder = log.recorder();
        let record = Record {
            username: Some("é\"\n"),
            request_headers: headers(&list),
            origin_headers: headers(&list),
            response_headers: headers(&list),
            ..example()
        };
        recorder.write(&record);
        let allocated = allocation_counter::measure(|| {
            for _ in 0..20 {
                recorder.write(&record);
            }
        });
        assert_eq!(allocated.count_total, 0, "{format:?}");
    }
}

#[test]
fn recorders_go_to_their_workers() {
    fn sent<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    sent::<crate::Recorder>();
    shared::<AccessLog>();
}
