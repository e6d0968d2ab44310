//! h2spec against our server, where it is installed (`go install
//! github.com/summerwind/h2spec/cmd/h2spec@latest`).

use std::process::Command;

use portway_http::h2::Limits;
use tokio::net::TcpListener;

#[test]
#[ignore = "needs h2spec: its path is in H2SPEC"]
fn h2spec_finds_nothing() {
    let tool = std::env::var("H2SPEC").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let checking = std::thread::spawn(move || {
        let output = Command::new(tool).args(["-S", "-h", "127.0.0.1", "-p", &port]).output();
        output.unwrap()
    });
    runtime.block_on(async {
        let tasks = tokio::task::LocalSet::new();
        tasks
            .run_until(async {
                while !checking.is_finished() {
                    let waiting = std::time::Duration::from_millis(100);
                    if let Ok(accepted) = tokio::time::timeout(waiting, listener.accept()).await {
                        let (socket, _) = accepted.unwrap();
                        tokio::task::spawn_local(async move {
                            let _ = super::server::serve(socket, &Limits::default()).await;
                        });
                    }
                }
            })
            .await;
    });
    let output = checking.join().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success());
}
