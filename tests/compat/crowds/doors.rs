//! Options of entry points at random that say who a client is, and how long its connection goes on.

use portway_testkit::random::Random;

/// Names of entry points.
pub(super) const NAMES: [&str; 3] = ["left", "middle", "right"];

const TRUST: &[&str] = &[
    "forwardedHeaders.insecure=true",
    "forwardedHeaders.insecure=true",
    "forwardedHeaders.trustedIPs=127.0.0.1,192.0.2.0/24",
    "forwardedHeaders.trustedIPs=127.0.0.2",
    "forwardedHeaders.trustedIPs=::/0",
    "forwardedHeaders.trustedIPs=0.0.0.0/0",
    "forwardedHeaders.connection=X-Forwarded-For",
];

const PROXIES: &[&str] = &[
    "proxyProtocol.insecure=true",
    "proxyProtocol.trustedIPs=127.0.0.1/32",
    "proxyProtocol.trustedIPs=127.0.0.2",
];

const LIVES: &[&str] = &[
    "transport.keepAliveMaxRequests=1",
    "transport.keepAliveMaxRequests=2",
    "transport.keepAliveMaxRequests=3",
    "transport.keepAliveMaxTime=1ns",
    "transport.keepAliveMaxTime=1h",
];

const SIZES: &[&str] = &[
    "http.maxHeaderBytes=0",
    "http.maxHeaderBytes=1",
    "http.maxHeaderBytes=1000",
    "http.maxHeaderBytes=4096",
    "http.maxHeaderBytes=100000",
];

/// A table that is smaller than clients may expect before they hear of it.
pub(super) const SMALL_TABLE: &str = "http2.maxDecoderHeaderTableSize=100";

const TABLES: &[&str] = &[
    SMALL_TABLE,
    "http2.maxDecoderHeaderTableSize=4097",
    "http2.maxDecoderHeaderTableSize=65536",
    "http2.maxEncoderHeaderTableSize=1",
    "http2.maxEncoderHeaderTableSize=65536",
];

const STREAMS: &[&str] = &[
    "http2.maxConcurrentStreams=0",
    "http2.maxConcurrentStreams=1",
    "http2.maxConcurrentStreams=2",
    "http2.maxConcurrentStreams=2147483647",
];

fn one(random: &mut Random, options: &mut Vec<String>, times: usize, all: &[&str]) {
    if random.once_in(times) {
        options.push((*random.pick(all)).to_owned());
    }
}

/// Entry points that know clients by what proxies say.
pub(super) fn of_proxies(random: &mut Random) -> Vec<(&'static str, Vec<String>)> {
    let mut door = |name| {
        let mut options = Vec::new();
        if !random.once_in(4) {
            one(random, &mut options, 1, TRUST);
        }
        one(random, &mut options, 2, PROXIES);
        one(random, &mut options, 5, LIVES);
        (name, options)
    };
    NAMES.map(&mut door).to_vec()
}

/// Entry points with limits of connections.
pub(super) fn of_limits(random: &mut Random) -> Vec<(&'static str, Vec<String>)> {
    let mut door = |name| {
        let mut options = Vec::new();
        one(random, &mut options, 2, LIVES);
        one(random, &mut options, 3, SIZES);
        one(random, &mut options, 2, TABLES);
        one(random, &mut options, 2, STREAMS);
        one(random, &mut options, 3, TRUST);
        (name, options)
    };
    NAMES.map(&mut door).to_vec()
}
