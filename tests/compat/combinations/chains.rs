//! Middlewares of all kinds that are served, made at random, and chains of them.
//!
//! What depends on the moment of a request is kept out, or hidden by `quiet`: how long a client has to wait, and the
//! nonce of a challenge.

use std::fmt::Write as _;

use portway_testkit::random::Random;

/// Chains by name: of middlewares in the order in which a router runs them.
#[derive(Debug, Default)]
pub(super) struct Chains {
    /// The middlewares of the configuration, a line each.
    pub(super) lines: String,
}

/// A chain for a router.
#[derive(Debug, Default)]
pub(in crate::compat) struct Chain {
    /// The names that the router lists.
    pub(super) names: Vec<String>,
    /// The middlewares behind the names.
    pub(super) members: Vec<String>,
}

/// Middlewares of one router at most.
const LONGEST: usize = 7;

impl Chain {
    /// Whether the settings of one of its middlewares have this text.
    pub(super) fn has(&self, text: &str) -> bool {
        self.members.iter().any(|member| member.contains(text))
    }
}

impl Chains {
    /// A chain for the router of this number.
    pub(super) fn make(&mut self, random: &mut Random, router: usize) -> Chain {
        let mut chain = Chain::default();
        let length = random.below(LONGEST);
        for place in 0..length {
            let name = format!("m{router}-{place}");
            let one = if random.once_in(3) { wrapping(random) } else { filter(random) };
            if one.starts_with("{rateLimit: {average: 1,") || one.starts_with("{digestAuth") {
                // In a chain of their own, behind what hides what is left to chance.
                let _ = writeln!(self.lines, "    {name}-inner: {one}");
                let chained = format!("{{chain: {{middlewares: [quiet, {name}-inner]}}}}");
                let _ = writeln!(self.lines, "    {name}: {chained}");
            } else {
                let _ = writeln!(self.lines, "    {name}: {one}");
            }
            chain.names.push(name);
            chain.members.push(one);
        }
        if length > 2 && random.once_in(4) {
            // The first two in a chain of their own, which may be named twice.
            let members: Vec<_> = chain.names.drain(..2).collect();
            let name = format!("c{router}");
            let _ = writeln!(
                self.lines,
                "    {name}: {{chain: {{middlewares: [{}]}}}}",
                members.join(", ")
            );
            chain.names.insert(0, name.clone());
            if random.once_in(3) {
                chain.names.push(name);
            }
        }
        chain
    }

    /// All middlewares, with those that chains share.
    pub(super) fn finish(&self) -> String {
        format!(
            "    quiet: {{headers: {{customResponseHeaders: {{X-Retry-In: \"\", Retry-After: \"\", WWW-Authenticate: \"\"}}}}}}\n{}",
            self.lines
        )
    }
}

const PREFIXES: &[&str] =
    &["/a", "/a/", "/a/b", "/", "/foo", "/a%2Fb", "/pre", "/b", "x", "/é", "/a b", "/A"];
const NAMES: &[&str] = &[
    "X-One",
    "x-two",
    "Host",
    "Accept",
    "X-Forwarded-For",
    "X-Real-Ip",
    "Cookie",
    "Server",
    "X-Backend",
    "Content-Type",
    "X-Router",
    "Authorization",
    "User-Agent",
    "Vary",
];
const VALUES: &[&str] = &["", "1", "two words", "a=b; c", "text/x", "é"];
const RANGES: &[&str] = &["127.0.0.0/8", "10.0.0.0/8", "0.0.0.0/0", "1.1.1.1"];
const STATUSES: &[&str] = &["404", "500-599", "401-403", "300-499"];

/// A middleware that sees requests pass, as a flow mapping.
fn filter(random: &mut Random) -> String {
    match random.below(18) {
        0 => strip_prefix(random),
        1 => format!("{{addPrefix: {{prefix: \"{}\"}}}}", random.pick(PREFIXES)),
        2 | 3 => format!(
            "{{headers: {{customRequestHeaders: {}, customResponseHeaders: {}}}}}",
            headers(random, true),
            headers(random, false)
        ),
        4 => auth(random, "basicAuth", "test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="),
        5 => redirect_scheme(random),
        6 => redirect_regex(random),
        7 => format!(
            "{{replacePath: {{path: \"{}\"}}}}",
            random.pick(&["/r", "/r%2Fx", "/é", "/r/../s"])
        ),
        8 => replace_path_regex(random),
        9 => {
            let regex = random.pick(&["^/a", "/[a-f]+", "^/(a|foo)/?", "/status-[0-9]", "^/$"]);
            format!("{{stripPrefixRegex: {{regex: [\"{regex}\"]}}}}")
        }
        10 => address_list(random),
        11 => format!("{{inFlightReq: {{amount: {}}}}}", random.pick(&["0", "1", "10", "10"])),
        12 => rate_limit(random),
        13 => encoded_characters(random),
        14 => format!("{{contentType: {}}}", random.pick(&["true", "{autoDetect: false}"])),
        15 => auth(random, "digestAuth", "test:traefik:a2688e031edb4be6a3797f3882655c05"),
        16 => certificate(random),
        _ => pages_of_others(random),
    }
}

/// A middleware that calls what follows it by itself.
fn wrapping(random: &mut Random) -> String {
    match random.below(7) {
        // It never trips: when it would is a matter of time.
        4 => "{circuitBreaker: {expression: \"NetworkErrorRatio() > 2.0\"}}".to_owned(),
        5 => "{grpcWeb: {allowOrigins: [\"*\"]}}".to_owned(),
        6 => forward_auth(random),
        0 => {
            let attempts = random.pick(&["1", "2", "3"]);
            let all = random.pick(&["", ", retryNonIdempotentMethod: true"]);
            format!(
                "{{retry: {{attempts: {attempts}{}{all}}}}}",
                match random.below(3) {
                    0 => String::new(),
                    _ => format!(", status: [\"{}\"]", random.pick(STATUSES)),
                }
            )
        }
        1 => errors(random),
        2 => {
            let most = random.pick(&["0", "3", "6", "100"]);
            let answer =
                random.pick(&["", ", maxResponseBodyBytes: 3", ", maxResponseBodyBytes: 50"]);
            let again = random.pick(&[
                "",
                "",
                ", retryExpression: \"Attempts() < 3 && ResponseCode() >= 500\"",
            ]);
            format!("{{buffering: {{maxRequestBodyBytes: {most}{answer}{again}}}}}")
        }
        _ => {
            let least =
                random.pick(&["", ", minResponseBodyBytes: 1", ", minResponseBodyBytes: 4"]);
            let only = random.pick(&[
                "",
                ", excludedContentTypes: [text/plain]",
                ", includedContentTypes: [text/plain]",
            ]);
            let encodings = random.pick(&["gzip", "gzip", "br", "zstd, br, gzip"]);
            format!("{{compress: {{encodings: [{encodings}]{least}{only}}}}}")
        }
    }
}

/// What `headers` says of pages of other origins, and of how pages are to be treated.
fn pages_of_others(random: &mut Random) -> String {
    let origins = random.pick(&["*", "http://a.test", "http://b.test"]);
    let more = random.pick(&[
        "",
        ", addVaryHeader: true",
        ", addVaryHeader: true, accessControlAllowCredentials: true",
        ", accessControlExposeHeaders: [X-One, X-Two], frameDeny: true",
        ", stsSeconds: 60, forceSTSHeader: true, contentTypeNosniff: true",
    ]);
    format!(
        "{{headers: {{accessControlAllowOriginList: [\"{origins}\"], accessControlAllowMethods: [GET, PUT], accessControlMaxAge: 5{more}}}}}"
    )
}

fn strip_prefix(random: &mut Random) -> String {
    let prefixes: Vec<String> =
        (0..=random.below(2)).map(|_| format!("\"{}\"", random.pick(PREFIXES))).collect();
    format!("{{stripPrefix: {{prefixes: [{}]}}}}", prefixes.join(", "))
}

fn auth(random: &mut Random, kind: &str, user: &str) -> String {
    let field = random.pick(&["", ", headerField: X-User", ", headerField: X-One"]);
    let removed = random.pick(&["", ", removeHeader: true"]);
    format!("{{{kind}: {{users: [\"{user}\"]{field}{removed}}}}}")
}

fn redirect_scheme(random: &mut Random) -> String {
    let scheme = random.pick(&["https", "http", "HTTPS"]);
    let port = random.pick(&["", ", port: \"8443\"", ", port: \"80\"", ", port: \"443\""]);
    let permanent = random.pick(&["", ", permanent: true"]);
    format!("{{redirectScheme: {{scheme: {scheme}{port}{permanent}}}}}")
}

fn redirect_regex(random: &mut Random) -> String {
    let (regex, replacement) = random.pick(&[
        ("^http://([^/]+)/a(.*)", "https://${1}/b${2}"),
        ("^http://[^/]+/foo$", "/bar"),
        ("nowhere", "http://x.test/"),
        ("(.*)", "${1}"),
        ("^http://(?P<host>[^/:]+).*$", "http://${host}/moved"),
    ]);
    let permanent = random.pick(&["", ", permanent: true"]);
    format!("{{redirectRegex: {{regex: '{regex}', replacement: '{replacement}'{permanent}}}}}")
}

fn replace_path_regex(random: &mut Random) -> String {
    let (regex, replacement) = random.pick(&[
        ("^/a/(.*)", "/x/$1"),
        ("^/([^/]+)/([^/]+)$", "/$2/$1"),
        ("nowhere", "/y"),
        ("%2[fF]", "/"),
        ("^(.*)$", "/all$1"),
    ]);
    format!("{{replacePathRegex: {{regex: '{regex}', replacement: '{replacement}'}}}}")
}

fn address_list(random: &mut Random) -> String {
    let kind = random.pick(&["ipAllowList", "ipWhiteList"]);
    let strategy = random.pick(&[
        "",
        "",
        ", ipStrategy: {depth: 1}",
        ", ipStrategy: {excludedIPs: [10.0.0.1]}",
    ]);
    let status = match *kind {
        "ipAllowList" => *random.pick(&["", ", rejectStatusCode: 404"]),
        _ => "",
    };
    let (one, other) = (random.pick(RANGES), random.pick(RANGES));
    format!("{{{kind}: {{sourceRange: [{one}, {other}]{strategy}{status}}}}}")
}

fn rate_limit(random: &mut Random) -> String {
    let by = random.pick(&[
        "",
        ", sourceCriterion: {requestHost: true}",
        ", sourceCriterion: {requestHeaderName: X-One}",
    ]);
    match random.below(3) {
        // So slow that it does not matter when a request comes.
        0 => format!(
            "{{rateLimit: {{average: 1, period: 10h, burst: {}{by}}}}}",
            random.pick(&["1", "5", "20"])
        ),
        1 => format!("{{rateLimit: {{average: 0{by}}}}}"),
        _ => format!("{{rateLimit: {{average: 1000000, burst: 1000000{by}}}}}"),
    }
}

fn encoded_characters(random: &mut Random) -> String {
    let mut allowed = String::new();
    for name in
        ["Slash", "BackSlash", "NullCharacter", "Semicolon", "Percent", "QuestionMark", "Hash"]
    {
        let _ = write!(allowed, "allowEncoded{name}: {}, ", !random.once_in(4));
    }
    format!("{{encodedCharacters: {{{}}}}}", allowed.trim_end_matches(", "))
}

fn certificate(random: &mut Random) -> String {
    let info = random.pick(&["", ", info: {sans: true}", ", info: {subject: {commonName: true}}"]);
    format!("{{passTLSClientCert: {{pem: true{info}}}}}")
}

fn forward_auth(random: &mut Random) -> String {
    let copied = random.pick(&[
        "",
        ", authResponseHeaders: [X-User, X-One]",
        ", authResponseHeadersRegex: '^X-U'",
    ]);
    let cookies = random.pick(&["", ", addAuthCookiesToResponse: [one]"]);
    let body = random.pick(&["", ", forwardBody: true", ", forwardBody: true, maxBodySize: 3"]);
    let trust = random.pick(&["", ", trustForwardHeader: true", ", trustForwardHeader: false"]);
    let limit = random.pick(&["", "", ", maxResponseBodySize: 3"]);
    let more = random.pick(&[
        "",
        "",
        ", authRequestHeaders: [X-One, Authorization, Accept-Encoding]",
        ", preserveRequestMethod: true",
        ", authSigninURL: \"/sign-in\"",
        ", preserveLocationHeader: true",
    ]);
    format!(
        "{{forwardAuth: {{address: \"http://@@backend2@@/auth\"{copied}{cookies}{body}{trust}{limit}{more}}}}}"
    )
}

fn errors(random: &mut Random) -> String {
    let query = random.pick(&["", ", query: \"/{status}.html\"", ", query: \"/p?u={url}\""]);
    let rewrites = random.pick(&["", "", ", statusRewrites: {\"500-599\": 418}"]);
    let status = random.pick(&["404", "500-599", "400-499", "200-202", "301-303"]);
    let service = random.pick(&["pages", "pages", "pages", "dead"]);
    let passed = random.pick(&["", "", ", errorRequestHeaders: [X-One, Accept-Encoding]"]);
    format!("{{errors: {{status: [\"{status}\"], service: {service}{passed}{query}{rewrites}}}}}")
}

/// A flow mapping of up to three header names.
fn headers(random: &mut Random, request: bool) -> String {
    let mut names: Vec<&str> = (0..=random.below(3)).map(|_| *random.pick(NAMES)).collect();
    names.sort_by_key(|name| name.to_ascii_lowercase());
    names.dedup_by_key(|name| name.to_ascii_lowercase());
    // A Host in an answer is no header of anything; a type that was taken away is guessed by Go.
    names.retain(|name| request || !["Host", "Content-Type"].contains(name));
    let mut fields = Vec::new();
    for name in names {
        // Go's list for a server that is asked would begin with nothing.
        let hides_client = request && name == "X-Forwarded-For";
        // A Host that is none keeps its router from being built.
        let value = if name == "Host" { "other.test:81" } else { *random.pick(VALUES) };
        let value = if hides_client && value.is_empty() { "1.2.3.4" } else { value };
        fields.push(format!("{name}: \"{value}\""));
    }
    // The file provider of Traefik refuses an empty mapping.
    format!("{{X-Always: always, {}}}", fields.join(", "))
}
