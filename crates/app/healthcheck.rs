//! `portway healthcheck`: asks a running Portway whether it is well.

use std::{
    fmt::Display,
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};

use portway_model::static_config::{Address, StaticConfig};

/// How long the whole check may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read at most: its first line is enough.
const ANSWER: usize = 1024;

/// Sends `HEAD /ping` to the entry point of `ping`, in plain HTTP as Traefik does. Both outcomes are lines to
/// print; the exit status is 0 or 1.
///
/// # Errors
/// When `ping` is off, its entry point cannot be asked, or the answer is not 200.
pub(crate) fn check(config: &StaticConfig) -> Result<String, String> {
    let fail = |reason: &dyn Display| format!("Error calling healthcheck: {reason}");
    let ping = config
        .ping
        .as_ref()
        .ok_or_else(|| fail(&"please enable `ping` to use the health check"))?;
    let entry_point = config
        .entry_points
        .get(&ping.entry_point)
        .ok_or_else(|| fail(&format!("ping: there is no entry point `{}`", ping.entry_point)))?;
    let host = authority(&entry_point.address);
    let url = format!("http://{host}/ping");
    match ask(&entry_point.address, &host) {
        Ok(200) => Ok(format!("OK: {url}")),
        Ok(status) => Err(format!("Bad healthcheck status: {status} from {url}")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let advice = "is Portway running, with these options?";
            Err(fail(&format!("HEAD {url}: nobody listens there ({error}); {advice}")))
        }
        Err(error) => Err(fail(&format!("HEAD {url}: {error}"))),
    }
}

/// The status that the entry point answers with.
fn ask(address: &Address, host: &str) -> io::Result<u16> {
    let deadline = Instant::now() + LIMIT;
    let left = || {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(left) }
    };
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for target in targets(address)? {
        let mut stream = match TcpStream::connect_timeout(&target, left()?) {
            Ok(stream) => stream,
            Err(error) => {
                failure = error;
                continue;
            }
        };
        stream.set_write_timeout(Some(left()?))?;
        // In one piece: `write!` to a socket would send each part of the text by itself.
        let request = format!(
            "HEAD /ping HTTP/1.1\r\nHost: {host}\r\nUser-Agent: portway-healthcheck\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        while !answer.contains(&b'\n') && answer.len() < ANSWER {
            stream.set_read_timeout(Some(left()?))?;
            let mut piece = [0; 256];
            let count = stream.read(&mut piece)?;
            if count == 0 {
                break;
            }
            answer.extend_from_slice(piece.get(..count).unwrap_or_default());
        }
        return status(&answer).ok_or_else(|| io::Error::other("the answer is no HTTP"));
    }
    Err(failure)
}

/// The status in `HTTP/1.1 200 OK`.
fn status(answer: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(answer.split(|byte| *byte == b'\r').next()?).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

/// Whom to ask. An entry point that listens on all addresses is asked on loopback.
fn targets(address: &Address) -> io::Result<Vec<SocketAddr>> {
    let port = address.port;
    match address.ip() {
        Some(ip) if !ip.is_unspecified() => Ok(vec![SocketAddr::new(ip, port)]),
        None if !address.host.is_empty() => {
            Ok((address.host.as_str(), port).to_socket_addrs()?.collect())
        }
        _ => Ok([IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]
            .map(|ip| SocketAddr::new(ip, port))
            .to_vec()),
    }
}

/// The address as a URL has it.
fn authority(address: &Address) -> String {
    let port = address.port;
    match address.host.as_str() {
        "" => format!("localhost:{port}"),
        host if host.contains(':') => format!("[{host}]:{port}"),
        host => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use portway_model::static_config::{EntryPoint, Ping};

    use super::*;

    /// A server that answers one connection with `answer`, and a configuration that points to it.
    fn server(answer: &'static str) -> (thread::JoinHandle<String>, StaticConfig) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut config = StaticConfig { ping: Some(Ping::default()), ..StaticConfig::default() };
        let entry_point = EntryPoint::new(Address::parse(&address).unwrap());
        config.entry_points.insert("traefik".to_owned(), entry_point);
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (served, config)
    }

    #[test]
    fn two_hundred_is_well() {
        let (served, config) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        let said = check(&config).unwrap();
        assert!(said.starts_with("OK: http://127.0.0.1:"), "{said}");
        assert!(served.join().unwrap().starts_with("HEAD /ping HTTP/1.1\r\nHost: 127.0.0.1:"));
    }

    #[test]
    fn every_other_status_is_not() {
        let (served, config) = server("HTTP/1.1 503 Service Unavailable\r\n\r\n");
        assert!(check(&config).unwrap_err().starts_with("Bad healthcheck status: 503"));
        served.join().unwrap();
    }

    #[test]
    fn an_answer_that_is_no_http_is_not_well() {
        let (served, config) = server("hello\r\n");
        assert!(check(&config).unwrap_err().ends_with("the answer is no HTTP"));
        served.join().unwrap();
    }

    #[test]
    fn ping_must_be_on_and_its_entry_point_exist() {
        let config = StaticConfig::default();
        assert!(check(&config).unwrap_err().contains("enable `ping`"));
        let config = StaticConfig { ping: Some(Ping::default()), ..config };
        assert!(check(&config).unwrap_err().contains("no entry point `traefik`"));
    }
}
