//! The messages that stages work on.

use std::net::{IpAddr, Ipv4Addr};

use portway_http::{
    CanonicalRules, ForwardedRules, HeaderValue, Request, Response,
    codec::{HeadLimits, Progress, RequestParser, ResponseParser},
};

/// What `curl` sends.
pub const PLAIN: &[u8] = b"GET /api/users?id=7 HTTP/1.1\r\n\
    Host: app-0.example.com\r\n\
    User-Agent: curl/8.5.0\r\n\
    Accept: */*\r\n\r\n";

/// What a browser sends to a page's API.
pub const BROWSER: &[u8] =
    b"GET /api/articles/2026/11/edge-routers?page=2&sort=newest&utm_source=start HTTP/1.1\r\n\
    Host: app-0.example.com\r\n\
    Connection: keep-alive\r\n\
    sec-ch-ua: \"Chromium\";v=\"142\", \"Not.A/Brand\";v=\"24\", \"Google Chrome\";v=\"142\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/142.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Referer: https://app-0.example.com/api/articles?page=1&sort=newest\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Cookie: session=6f1ed002ab5595859014ebf0951522d9; theme=dark; \
    consent=eyJhbmFseXRpY3MiOnRydWUsImFkcyI6ZmFsc2V9; _visit=1763882655.42\r\n\
    If-None-Match: W/\"5d8c72a5edda8d6a\"\r\n\r\n";

/// The head of a server's response, with the 1 KiB of [`RESPONSE_BODY`].
pub const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Server: nginx/1.27.3\r\n\
    Date: Mon, 23 Nov 2026 06:44:15 GMT\r\n\
    Content-Type: application/json; charset=utf-8\r\n\
    Content-Length: 1024\r\n\
    Connection: keep-alive\r\n\
    Cache-Control: no-cache\r\n\
    ETag: W/\"5d8c72a5edda8d6a\"\r\n\
    Vary: Accept-Encoding\r\n\r\n";

/// The body of that response.
pub const RESPONSE_BODY: [u8; 1024] = [b'x'; 1024];

/// Where requests come from.
pub const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// Reads `head` into a request that is used again and again.
pub fn read_request(head: &[u8], request: &mut Request) {
    let read = RequestParser::new().parse(head, &HeadLimits::default(), request);
    assert_eq!(read, Ok(Progress::Complete(head.len())));
}

/// Reads the response's head likewise.
pub fn read_response(request: &Request, response: &mut Response) {
    let limits = HeadLimits::default();
    let read = ResponseParser::new().parse(RESPONSE, &limits, &request.method, response);
    assert_eq!(read, Ok(Progress::Complete(RESPONSE.len())));
}

/// An entry point's usual rules for `X-Forwarded-*`.
pub fn forwarded_rules() -> ForwardedRules {
    ForwardedRules { server: HeaderValue::parse("edge-1").ok(), ..ForwardedRules::default() }
}

/// What an entry point does with each request before it looks for a router.
pub fn canonicalise(request: &mut Request, forwarded: &ForwardedRules) {
    assert!(request.canonicalize(&CanonicalRules::default()).is_ok());
    request.apply_forwarded(forwarded, CLIENT, false);
}
