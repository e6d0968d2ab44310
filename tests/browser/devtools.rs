//! A headless Chromium and one page in it, driven by the DevTools protocol over a plain socket.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// How long the browser may take to start, and the page to show what a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running browser; it ends when dropped.
pub(super) struct Browser {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl Browser {
    /// Starts Chromium; `None` where there is none, which is a failure in CI.
    pub(super) fn start() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("portway-browser-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let program = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let started = Command::new(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--host-resolver-rules=MAP *.example.com 127.0.0.1"])
            .args(["--remote-debugging-port=0", "about:blank"])
            .arg(format!("--user-data-dir={}", folder.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match started {
            Ok(process) => process,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "no Chromium: {error}");
                eprintln!("skipped: no Chromium ({error}); install `chromium` or set CHROMIUM");
                return None;
            }
        };
        let mut browser = Self { process, folder, port: 0 };
        browser.port = browser.wait_for_port();
        Some(browser)
    }

    fn wait_for_port(&mut self) -> u16 {
        let file = self.folder.join("DevToolsActivePort");
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let text = fs::read_to_string(&file).unwrap_or_default();
            if let Some(port) = text.lines().next().and_then(|line| line.parse().ok()) {
                return port;
            }
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("Chromium ended: {status}");
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("Chromium did not open its DevTools port");
    }

    /// The browser's first page.
    pub(super) fn page(&self) -> Page {
        let request = format!("GET /json/list HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port);
        let start = Instant::now();
        loop {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let answer = read_http(&mut stream);
            let targets: Vec<Value> = serde_json::from_str(&answer).unwrap_or_default();
            let target = targets.iter().find(|target| target["type"] == "page");
            if let Some(address) = target.and_then(|one| one["webSocketDebuggerUrl"].as_str()) {
                let path = address.split_once("/devtools/").unwrap().1;
                return Page::connect(self.port, &format!("/devtools/{path}"));
            }
            assert!(start.elapsed() < PATIENCE, "Chromium has no page: {answer}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Children of the browser may still be writing for a moment; the folder is a temporary one.
        for _ in 0..20 {
            if fs::remove_dir_all(&self.folder).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn read_http(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(0, |length| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

/// What a page is shown on.
#[derive(Clone, Copy)]
pub(super) struct Screen {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) is_phone: bool,
    pub(super) is_dark: bool,
}

/// A page of the browser.
pub(super) struct Page {
    socket: TcpStream,
    calls: u64,
    /// Errors of scripts, of the console and of loading.
    errors: Vec<String>,
}

impl Page {
    fn connect(port: u16, path: &str) -> Self {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let handshake = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        socket.write_all(handshake.as_bytes()).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        let mut page = Self { socket, calls: 0, errors: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page
    }

    /// Calls a method of the protocol.
    pub(super) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let message = json!({"id": id, "method": method, "params": parameters});
        self.send(message.to_string().as_bytes());
        loop {
            let message: Value = serde_json::from_slice(&self.receive()).unwrap();
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.note(&message);
        }
    }

    /// Keeps what an event says of errors.
    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => {
                self.errors.push(parameters["exceptionDetails"].to_string());
            }
            Some("Runtime.consoleAPICalled") if parameters["type"] == "error" => {
                self.errors.push(parameters["args"].to_string());
            }
            Some("Log.entryAdded") if parameters["entry"]["level"] == "error" => {
                let entry = &parameters["entry"];
                // An object that does not exist is an answer, which the page shows.
                let is_answer = entry["text"].as_str().is_some_and(|text| text.contains(" 404 "))
                    && entry["url"].as_str().is_some_and(|address| address.contains("/api/"));
                if !is_answer {
                    self.errors.push(entry.to_string());
                }
            }
            Some("Fetch.requestPaused") => {
                let parameters = json!({"requestId": parameters["requestId"]});
                self.notify("Fetch.continueRequest", &parameters);
            }
            Some("Fetch.authRequired") => {
                let response = json!({"response": "CancelAuth"});
                let id = &parameters["requestId"];
                let parameters = json!({"requestId": id, "authChallengeResponse": response});
                self.notify("Fetch.continueWithAuth", &parameters);
            }
            _ => {}
        }
    }

    /// Closes each sign-in dialogue from now on, as a person would who knows no better password.
    pub(super) fn refuse_to_sign_in(&mut self) {
        self.call("Fetch.enable", json!({"handleAuthRequests": true}));
    }

    /// Calls a method whose answer does not matter.
    fn notify(&mut self, method: &str, parameters: &Value) {
        self.calls += 1;
        let message = json!({"id": self.calls, "method": method, "params": parameters});
        self.send(message.to_string().as_bytes());
    }

    /// Errors so far; they are forgotten.
    pub(super) fn take_errors(&mut self) -> Vec<String> {
        // Events that came before this answer have been read then.
        self.evaluate("1");
        std::mem::take(&mut self.errors)
    }

    /// Shows the page on a screen.
    pub(super) fn emulate(&mut self, screen: Screen) {
        let Screen { width, height, is_phone, is_dark } = screen;
        let scale = if is_phone { 2 } else { 1 };
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone}),
        );
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// Goes to an address.
    pub(super) fn open(&mut self, address: &str) {
        self.call("Page.navigate", json!({"url": address}));
    }

    /// The value of an expression of the page.
    pub(super) fn evaluate(&mut self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", parameters);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression of the page is true.
    #[track_caller]
    pub(super) fn wait_for(&mut self, expression: &str) {
        let start = Instant::now();
        let guarded = format!(
            "(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()"
        );
        while start.elapsed() < PATIENCE {
            if self.evaluate(&guarded) == true {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let text = self.text("body");
        panic!("never true: {expression}\nerrors: {:?}\npage: {text}", self.errors);
    }

    /// The shown text of the first element of a selector; empty when there is none.
    pub(super) fn text(&mut self, selector: &str) -> String {
        let selector = Value::from(selector);
        let shown = self.evaluate(&format!("document.querySelector({selector})?.innerText ?? ''"));
        shown.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an element of a selector shows a text.
    #[track_caller]
    pub(super) fn wait_for_text(&mut self, selector: &str, text: &str) {
        let (selector, text) = (Value::from(selector), Value::from(text));
        self.wait_for(&format!("document.querySelector({selector}).innerText.includes({text})"));
    }

    /// Draws the page into a file.
    pub(super) fn picture(&mut self, file: &Path) {
        let drawn = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let picture = BASE64_STANDARD.decode(drawn["data"].as_str().unwrap()).unwrap();
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 10_000, "an empty picture");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, picture).unwrap();
    }

    /// Sends a text frame. RFC 6455 §5.3 wants a mask; zero is one.
    fn send(&mut self, text: &[u8]) {
        let mut frame = vec![0x81];
        match text.len() {
            0..126 => frame.push(0x80 | text.len() as u8),
            126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((text.len() as u16).to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend((text.len() as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text);
        self.socket.write_all(&frame).unwrap();
    }

    /// Reads a whole message.
    fn receive(&mut self) -> Vec<u8> {
        let mut message = Vec::new();
        loop {
            let mut head = [0; 2];
            self.socket.read_exact(&mut head).unwrap();
            let length = match head[1] & 0x7f {
                126 => u64::from(u16::from_be_bytes(self.read())),
                127 => u64::from_be_bytes(self.read()),
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.socket.read_exact(&mut payload).unwrap();
            match head[0] & 0x0f {
                0 | 1 => message.extend(payload),
                8 => panic!("the browser closed the page"),
                _ => continue,
            }
            if head[0] & 0x80 != 0 {
                return message;
            }
        }
    }

    fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.socket.read_exact(&mut bytes).unwrap();
        bytes
    }
}
