//! A small server that answers as `api@internal` does, behind a prefix and a password, with objects
//! that a test chooses: so that the page is seen with thousands of routers and with every kind of fault.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use portway_api::{Facts, Features, RequestView, View, answer};
use portway_model::InternalService;
use portway_model::runtime::Runtime;
use serde_json::{Value, json};

/// What the server shows.
pub(super) struct Scene {
    pub(super) runtime: Runtime,
    pub(super) entry_points: BTreeMap<String, Value>,
    pub(super) facts: Facts,
    /// Answers this to everything under `/api/` instead.
    pub(super) failure: Option<u16>,
}

impl Scene {
    pub(super) fn new(runtime: Runtime) -> Self {
        let entry = |address: &str| json!({"address": address, "transport": {"lifeCycle": {"graceTimeOut": "10s"}}, "http": {}});
        let mut web = entry(":8000");
        web["http"]["redirections"] = json!({"entryPoint": {"to": "websecure", "scheme": "https"}});
        let mut websecure = entry(":8443");
        websecure["http"]["tls"] = json!({});
        websecure["asDefault"] = json!(true);
        let entries =
            [("web", web), ("websecure", websecure), ("traefik", entry("127.0.0.1:8080"))];
        Self {
            runtime,
            entry_points: entries.map(|(name, entry)| (name.to_owned(), entry)).into(),
            facts: Facts {
                version: "0.1.0".to_owned(),
                codename: "portway".to_owned(),
                start_date: "2026-01-02T03:04:05Z".to_owned(),
                dashboard: true,
                providers: vec!["File".to_owned(), "KubernetesManifests".to_owned()],
                features: Features { access_log: true, ..Features::default() },
                ..Facts::default()
            },
            failure: None,
        }
    }
}

/// The server; it serves until the test process ends.
#[derive(Clone)]
pub(super) struct Stage {
    address: SocketAddr,
    scene: Arc<Mutex<Scene>>,
}

impl Stage {
    /// Serves a scene under a prefix such as `/admin`, to whom `authorization` fits (empty: to all).
    pub(super) fn start(scene: Scene, prefix: &'static str, authorization: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stage =
            Self { address: listener.local_addr().unwrap(), scene: Arc::new(Mutex::new(scene)) };
        let serving = stage.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let stage = serving.clone();
                thread::spawn(move || stage.serve(stream, prefix, authorization));
            }
        });
        stage
    }

    /// `host:port`.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Changes the scene.
    pub(super) fn change(&self, change: impl FnOnce(&mut Scene)) {
        change(&mut self.scene.lock().unwrap());
    }

    fn serve(&self, mut stream: TcpStream, prefix: &str, authorization: &str) {
        let mut lines = Vec::new();
        // A request of this page has no body and a short head.
        for line in BufReader::new(Read::by_ref(&mut stream).take(65_536)).lines() {
            match line {
                Ok(line) if !line.is_empty() => lines.push(line),
                _ => break,
            }
        }
        let mut words = lines.first().map_or("", String::as_str).split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
        let headers: Vec<(&str, &str)> =
            lines.iter().skip(1).filter_map(|line| line.split_once(": ")).collect();
        let given = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let signed_in =
            authorization.is_empty() || given.is_some_and(|(_, it)| *it == authorization);
        let response = if !signed_in {
            "HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Basic realm=\"traefik\"\r\n\
             Content-Length: 17\r\nConnection: close\r\n\r\n401 Unauthorized\n"
                .as_bytes()
                .to_vec()
        } else {
            self.answer(method, target, prefix, &headers)
        };
        let _ = stream.write_all(&response);
    }

    fn answer(
        &self,
        method: &str,
        target: &str,
        prefix: &str,
        headers: &[(&str, &str)],
    ) -> Vec<u8> {
        let scene = self.scene.lock().unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix(prefix).unwrap_or("/outside");
        if let Some(status) = scene.failure.filter(|_| path.starts_with("/api/")) {
            return format!(
                "HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .into();
        }
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let request = RequestView {
            method,
            path,
            query,
            host: "stage",
            remote_address: "127.0.0.1:1",
            protocol: "HTTP/1.1",
            tls: false,
            headers: &headers,
        };
        let view = View {
            runtime: &scene.runtime,
            entry_points: &scene.entry_points,
            certificates: None,
            ping_status: 200,
            facts: &scene.facts,
        };
        let answer = answer(InternalService::Api, &request, &view);
        let mut response = format!("HTTP/1.1 {} x\r\n", answer.status);
        for (name, value) in &answer.headers {
            response += &format!("{name}: {value}\r\n");
        }
        response += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n", answer.body.len());
        [response.as_bytes(), &answer.body].concat()
    }
}
