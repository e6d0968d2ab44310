use std::{
    cell::Cell,
    sync::atomic::{AtomicU16, AtomicUsize, Ordering::Relaxed},
};

use portway_model::dynamic::{self, LoadBalancer, ServersTransport};
use portway_tls::{ClientTls, NativeRoots};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::LocalSet,
    time::sleep,
};

use super::*;
use crate::{Carried, Servers, Transport};

/// A server that answers with the status that it is told, and counts.
struct Backend {
    url: String,
    status: Rc<AtomicU16>,
    asked: Rc<AtomicUsize>,
}

impl Backend {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (status, asked) = (Rc::new(AtomicU16::new(200)), Rc::<AtomicUsize>::default());
        let (told, count) = (Rc::clone(&status), Rc::clone(&asked));
        tokio::task::spawn_local(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 1024];
                let _ = stream.read(&mut head).await;
                count.fetch_add(1, Relaxed);
                let answer =
                    format!("HTTP/1.1 {} x\r\nContent-Length: 0\r\n\r\n", told.load(Relaxed));
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, status, asked }
    }
}

fn service(url: &str, interval: i64, carried: &Carried) -> Servers {
    let settings = ServersTransport::default();
    let (tls, _) = ClientTls::compile(&settings, &NativeRoots::new(Vec::new()));
    let transport = Arc::new(Transport::compile(&settings, tls.unwrap()));
    let check = HealthCheck { interval: Period::milliseconds(interval), ..HealthCheck::default() };
    let config = LoadBalancer {
        servers: vec![dynamic::Server { url: url.to_owned(), ..Default::default() }],
        health_check: Some(Box::new(check)),
        ..LoadBalancer::default()
    };
    Servers::compile("s", &config, &transport, carried).unwrap()
}

fn checkups() -> Checkups {
    Checkups { running: HashMap::new(), room: Arc::new(Semaphore::new(AT_ONCE)) }
}

#[tokio::test]
async fn servers_go_down_and_come_back_with_their_answers() {
    LocalSet::new()
        .run_until(async {
            let backend = Backend::start().await;
            let service = service(&backend.url, 20, &Carried::default());
            let mut checkups = checkups();
            checkups.put("s".into(), service.check().cloned());
            assert!(service.is_up());
            for (status, up) in [(500, false), (399, true), (404, false), (200, true)] {
                backend.status.store(status, Relaxed);
                let turned = async {
                    while service.is_up() != up {
                        sleep(Duration::from_millis(2)).await;
                    }
                };
                timeout(Duration::from_secs(5), turned).await.unwrap();
            }
        })
        .await;
}

#[tokio::test]
async fn edits_neither_restart_the_clock_nor_forget_what_is_known() {
    LocalSet::new()
        .run_until(async {
            let backend = Backend::start().await;
            backend.status.store(500, Relaxed);
            let carried = Carried::default();
            let mut now = service(&backend.url, 100, &carried);
            let mut checkups = checkups();
            let start = Instant::now();
            let went_down = Cell::new(false);
            // A clock that began anew with each edit would never come to ask.
            for _ in 0..100 {
                checkups.put("s".into(), now.check().cloned());
                sleep(Duration::from_millis(10)).await;
                let next = service(&backend.url, 100, &carried);
                assert!(!went_down.get() || !next.is_up(), "it was forgotten");
                went_down.set(!next.is_up());
                now = next;
            }
            let asked = backend.asked.load(Relaxed);
            let ticks = usize::try_from(start.elapsed().as_millis() / 100).unwrap();
            assert!(went_down.get());
            assert!((ticks / 2..=ticks).contains(&asked), "{asked} questions in {ticks} ticks");
            checkups.put("s".into(), None);
            assert!(checkups.running.is_empty());
            sleep(Duration::from_millis(300)).await;
            assert!(backend.asked.load(Relaxed) <= asked + 1, "nobody wants to know any more");
        })
        .await;
}

#[tokio::test]
async fn other_settings_begin_anew() {
    LocalSet::new()
        .run_until(async {
            let carried = Carried::default();
            let (one, other) = (
                service("http://127.0.0.1:1", 1000, &carried),
                service("http://127.0.0.1:1", 2000, &carried),
            );
            let mut checkups = checkups();
            let mut put = |service: &Servers| {
                checkups.put("s".into(), service.check().cloned());
                checkups.running["s"].rounds.id()
            };
            let first = put(&one);
            assert_eq!(put(&one), first);
            assert_ne!(put(&other), first);
            let down = &one.check().unwrap().targets[0].standing;
            down.set_up(false);
            assert!(!one.is_up() && other.is_up());
        })
        .await;
}

#[test]
fn defaults_stand_in_for_what_is_not_positive() {
    let mut config = HealthCheck::default();
    let seconds = Duration::from_secs;
    let periods = |interval, unhealthy, timeout| Periods { interval, unhealthy, timeout };
    assert_eq!(Periods::of(&config), periods(seconds(30), seconds(30), seconds(5)));
    config.interval = Period::seconds(2);
    assert_eq!(Periods::of(&config), periods(seconds(2), seconds(2), seconds(5)));
    config.unhealthy_interval = Some(Period::seconds(-1));
    config.timeout = Period::seconds(0);
    assert_eq!(Periods::of(&config), periods(seconds(2), seconds(30), seconds(5)));
    config.interval = Period::seconds(0);
    assert_eq!(Periods::of(&config), periods(seconds(30), seconds(30), seconds(5)));
}
