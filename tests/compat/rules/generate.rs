//! Random routers and requests over one small vocabulary, so that they often meet and often just
//! miss.

use std::collections::BTreeSet;

use portway_testkit::random::Random;

/// A router of the random table.
#[derive(Clone, Debug)]
pub(super) struct Router {
    pub(super) name: String,
    pub(super) rule: String,
    second_syntax: bool,
    priority: Option<i64>,
}

impl Router {
    /// The router as an entry of the file provider's YAML.
    pub(super) fn yaml(&self) -> String {
        let Self { name, rule, .. } = self;
        // A YAML double-quoted scalar reads JSON's escapes.
        let rule = rule
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\t', "\\t")
            .replace('\n', "\\n");
        let syntax = if self.second_syntax { ", ruleSyntax: v2" } else { "" };
        let priority =
            self.priority.map(|value| format!(", priority: {value}")).unwrap_or_default();
        format!(
            "    {name}: {{rule: \"{rule}\", service: noop@internal, entryPoints: [web], middlewares: [{name}]{syntax}{priority}}}\n"
        )
    }
}

/// A request and where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) source: String,
    pub(super) bytes: Vec<u8>,
}

const HOSTS: &[&str] = &[
    "a.test",
    "b.test",
    "x.a.test",
    "y.a.test",
    "x.y.a.test",
    "a.test.",
    "A.Test",
    "xn--9ca.test",
    "under_score.test",
    "10.0.0.1",
    "localhost",
    "a-b.c.test",
];
const WILDCARDS: &[&str] =
    &["*.a.test", "*.test", "*.A.test", "*.y.a.test", "*.a.test.", "*", "x.*.test", "*a.test"];
const HOST_REGEXPS: &[&str] = &[
    "^[a-z]+\\.test$",
    "a\\.test",
    "^x\\.",
    "\\.test$",
    "^[A-Z]",
    "^(a|b)\\.test$",
    "^.+$",
    "^$",
    "[0-9]+",
    "(?i)^A\\.TEST$",
];
const PATHS: &[&str] = &[
    "/",
    "/api",
    "/api/",
    "/api/v1",
    "/api/v1/",
    "/API",
    "/foo",
    "/foo/bar",
    "/foo bar",
    "/foo%2Fbar",
    "/42",
    "/42/x",
    "/a.b",
    "/\u{e9}",
    "/~u",
    "/a+b",
    "/a;b",
];
const PATH_REGEXPS: &[&str] = &[
    "^/api",
    "v[0-9]+",
    "^/[0-9]+$",
    "/$",
    "^/(foo|api)(/|$)",
    "\\.b$",
    "^/\\d+/",
    "(?i)^/api",
    "%2F",
    "[^/]+$",
    "\u{e9}",
];
const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "get", "Post", "PATCH", "HEAD"];
const FIELDS: &[&str] = &["X-Kind", "x-kind", "X-Other", "Content-Type", "User-Agent", "X_Kind"];
const VALUES: &[&str] = &["one", "two", "ONE", "one two", "1", "text/plain"];
const VALUE_REGEXPS: &[&str] = &["^o", "t", "^(one|two)$", "[0-9]", "^one$", "(?i)one", "^.*$"];
const KEYS: &[&str] = &["k", "q", "K", "a b", "k[]"];
const CLIENTS: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.0.0.0/30",
    "127.0.0.0/8",
    "10.0.0.0/8",
    "::1",
    "::ffff:127.0.0.2",
    "127.0.0.3/32",
    "0.0.0.0/0",
];
/// Rules that neither program can build: their routers must be as if absent.
const BROKEN: &[&str] = &[
    "Host(`a.test`",
    "Host(`a.test`) &&",
    "Hosts(`a.test`)",
    "Path(`no-slash`)",
    "Host()",
    "Host(``)",
    "PathRegexp(`(`)",
    "Host('a.test')",
    "hOst(`a.test`)",
    "Host(`a.test`) Path(`/`)",
    "Host(`a.test`) AND Path(`/`)",
    "ClientIP(`300.0.0.1`)",
    "Host(`a.test`) == Path(`/`)",
    "Header(`X-Kind`)",
    "Host(\"a\\d.test\")",
    "`a.test`",
    "!",
    "(Host(`a.test`)",
];

/// A table in which router N asks for the field `X-Row: N` first, so that none hides another.
pub(super) fn guarded_routers(random: &mut Random, count: usize) -> Vec<Router> {
    let mut table = routers(random, count);
    for (row, router) in table.iter_mut().enumerate() {
        let matcher = if router.second_syntax { "Headers" } else { "Header" };
        let rule = match random.once_in(4) {
            true => router.rule.clone(),
            false => tree(random, router.second_syntax, 3),
        };
        router.rule = format!("{matcher}(`X-Row`, `{row}`) && ({rule})");
        router.priority = None;
    }
    table
}

/// A table of routers without ties in priority.
pub(super) fn routers(random: &mut Random, count: usize) -> Vec<Router> {
    let mut taken = BTreeSet::new();
    (0..count).map(|index| router(random, format!("r{index}"), &mut taken)).collect()
}

fn router(random: &mut Random, name: String, taken: &mut BTreeSet<i64>) -> Router {
    let second_syntax = random.once_in(3);
    let mut rule = match random.once_in(20) {
        true => (*random.pick(BROKEN)).to_owned(),
        false => selective(random, second_syntax),
    };
    // One broad rule in ten, tried late: earlier it would hide the rest of the table.
    let broad = random.once_in(10);
    if broad {
        rule = tree(random, second_syntax, 3);
    }
    if broad || random.once_in(2) {
        let mut priority = random.below(if broad { 30 } else { 400 }) as i64 - 20;
        while priority == 0 || !taken.insert(priority) {
            priority += 1;
        }
        return Router { name, rule, second_syntax, priority: Some(priority) };
    }
    // The length is the priority: spaces before the rule change nothing else.
    while !taken.insert(rule.len() as i64) {
        rule.insert(0, ' ');
    }
    Router { name, rule, second_syntax, priority: None }
}

/// A host and a path, and mostly something more.
fn selective(random: &mut Random, second: bool) -> String {
    let host = *random.pick(HOSTS);
    let host = call(random, "Host", &[host]);
    let path = *random.pick(if second { PATH_TEMPLATES } else { PATHS });
    let path = if random.once_in(2) {
        call(random, "Path", &[path])
    } else {
        call(random, "PathPrefix", &[path])
    };
    let rest = tree(random, second, 2);
    match random.below(8) {
        0 => format!("{host} && {path}"),
        1 | 2 => format!("{host} && ({rest}) && {path}"),
        3 => format!("{path} && {host} && !({rest})"),
        4 if !path.contains("/`)") => format!("{path} && ({rest})"),
        5 => format!("{host} && {path} && {rest}"),
        _ => format!("{host} && ({path} || {rest})"),
    }
}

fn tree(random: &mut Random, second: bool, depth: usize) -> String {
    if depth == 0 || random.once_in(3) {
        return leaf(random, second);
    }
    let space = random.pick(&["", " ", "  ", "\t", " \n "]).to_string();
    match random.below(8) {
        0 => format!("!{}", group(random, second, depth - 1)),
        1 => format!("({})", tree(random, second, depth - 1)),
        2..=4 => {
            format!(
                "{} &&{space}{}",
                tree(random, second, depth - 1),
                tree(random, second, depth - 1)
            )
        }
        _ => {
            format!(
                "{} ||{space}{}",
                tree(random, second, depth - 1),
                tree(random, second, depth - 1)
            )
        }
    }
}

/// What `!` may stand before.
fn group(random: &mut Random, second: bool, depth: usize) -> String {
    match random.below(3) {
        0 => leaf(random, second),
        1 => format!("!{}", leaf(random, second)),
        _ => format!("({})", tree(random, second, depth)),
    }
}

fn leaf(random: &mut Random, second: bool) -> String {
    match second {
        false => leaf_v3(random),
        true => leaf_v2(random),
    }
}

fn leaf_v3(random: &mut Random) -> String {
    let pick = |random: &mut Random, list: &[&str]| (*random.pick(list)).to_owned();
    match random.below(13) {
        0..=2 => {
            let argument = pick_host(random);
            call(random, "Host", &[&argument])
        }
        3 => {
            let argument = pick(random, HOST_REGEXPS);
            call(random, "HostRegexp", &[&argument])
        }
        4 => {
            let argument = pick(random, PATHS);
            call(random, "Path", &[&argument])
        }
        5 | 6 => {
            let argument = pick(random, PATHS);
            call(random, "PathPrefix", &[&argument])
        }
        7 => {
            let argument = pick(random, PATH_REGEXPS);
            call(random, "PathRegexp", &[&argument])
        }
        8 => {
            let argument = pick(random, METHODS);
            call(random, "Method", &[&argument])
        }
        9 => {
            let (name, value) = (pick(random, FIELDS), pick(random, VALUES));
            call(random, "Header", &[&name, &value])
        }
        10 => {
            let (name, value) = (pick(random, FIELDS), pick(random, VALUE_REGEXPS));
            call(random, "HeaderRegexp", &[&name, &value])
        }
        11 => query_v3(random),
        _ => {
            let argument = pick(random, CLIENTS);
            call(random, "ClientIP", &[&argument])
        }
    }
}

fn query_v3(random: &mut Random) -> String {
    let key = *random.pick(KEYS);
    let (value, regexp) = (*random.pick(VALUES), *random.pick(VALUE_REGEXPS));
    match random.below(4) {
        0 => call(random, "Query", &[key]),
        1 => call(random, "Query", &[key, value]),
        2 => call(random, "QueryRegexp", &[key]),
        _ => call(random, "QueryRegexp", &[key, regexp]),
    }
}

fn leaf_v2(random: &mut Random) -> String {
    let several = |random: &mut Random, list: &[&'static str]| {
        let count = 1 + random.below(3);
        (0..count).map(|_| *random.pick(list)).collect::<Vec<_>>()
    };
    let (name, arguments) = match random.below(11) {
        0 | 1 => ("Host", several(random, HOSTS)),
        2 => ("HostHeader", several(random, HOSTS)),
        3 => ("HostRegexp", several(random, HOST_TEMPLATES)),
        4 => ("Path", several(random, PATH_TEMPLATES)),
        5 | 6 => ("PathPrefix", several(random, PATH_TEMPLATES)),
        7 => ("Method", several(random, METHODS)),
        8 => ("Headers", vec![*random.pick(FIELDS), *random.pick(VALUES)]),
        9 => ("HeadersRegexp", vec![*random.pick(FIELDS), *random.pick(VALUE_REGEXPS)]),
        _ if random.once_in(2) => ("Query", several(random, QUERY_TEMPLATES)),
        _ => ("ClientIP", several(random, CLIENTS)),
    };
    call(random, name, &arguments)
}

const HOST_TEMPLATES: &[&str] = &[
    "{sub:[a-z]+}.a.test",
    "{any}.test",
    "a.test",
    "{a:(x|y)}.a.test",
    "A.test",
    "{any:.+}",
    "{sub}.{dom}.test",
    "x.{rest:.*}",
    "^a\\.test$",
];
const PATH_TEMPLATES: &[&str] = &[
    "/api",
    "/api/",
    "/{any}",
    "/{id:[0-9]+}",
    "/{id:[0-9]+}/x",
    "/foo/{rest:.*}",
    "/api/{v:v[0-9]}",
    "/foo%2Fbar",
    "/",
    "/a.b",
    "/{a}/{b}",
    "/foo bar",
];
const QUERY_TEMPLATES: &[&str] =
    &["k=one", "k", "k=", "q={v:[0-9]+}", "k={v}", "q=one two", "k=one=two", "{x}=one"];

fn pick_host(random: &mut Random) -> String {
    let list = if random.once_in(4) { WILDCARDS } else { HOSTS };
    (*random.pick(list)).to_owned()
}

/// A call in one of the spellings that Traefik registers, its arguments quoted in either way.
fn call(random: &mut Random, name: &str, arguments: &[&str]) -> String {
    let name = match random.below(12) {
        0 => name.to_lowercase(),
        1 => name.to_uppercase(),
        2 => format!("{}{}", &name[..1], name[1..].to_lowercase()),
        _ => name.to_owned(),
    };
    let quoted: Vec<String> = arguments
        .iter()
        .map(|argument| match random.once_in(5) {
            true => format!("\"{}\"", argument.replace('\\', "\\\\")),
            false => format!("`{argument}`"),
        })
        .collect();
    let separator = *random.pick(&[",", ", ", " , "]);
    let trailing = if random.once_in(30) { "," } else { "" };
    format!("{name}({}{trailing})", quoted.join(separator))
}

/// A request that uses the table's vocabulary, sometimes bent a little.
pub(super) fn request(random: &mut Random, table: &[Router]) -> Request {
    let method = match random.below(10) {
        0..=5 => "GET",
        _ => *random.pick(METHODS),
    };
    let host = host(random);
    let target = target(random);
    let mut fields = format!("X-Row: {}\r\n", random.below(table.len()));
    for _ in 0..random.below(3) {
        let (name, value) = (*random.pick(FIELDS), *random.pick(VALUES));
        fields.push_str(&format!("{name}: {value}\r\n"));
    }
    // Now and then the text of a rule itself names the host and path, to meet deep trees.
    let target = match random.once_in(10) {
        true => from_rule(random, table).unwrap_or(target),
        false => target,
    };
    let bytes = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").into_bytes();
    let source = random.pick(&[
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.2",
        "127.0.0.3",
        "127.0.0.4",
    ]);
    Request { source: (*source).to_owned(), bytes }
}

fn host(random: &mut Random) -> String {
    let host = *random.pick(HOSTS);
    match random.below(12) {
        0 => format!("{host}:8080"),
        1 => host.to_uppercase(),
        2 => format!("{host}."),
        3 => format!("z.{host}"),
        4 => host.trim_start_matches(|first: char| first != '.').trim_start_matches('.').to_owned(),
        5 => (*random.pick(&["", "[::1]", "[::1]:80", "unknown.example", ".test", "*.a.test"]))
            .to_owned(),
        _ => host.to_owned(),
    }
}

fn target(random: &mut Random) -> String {
    let mut path = random.pick(PATHS).replace(' ', "%20");
    match random.below(14) {
        0 => path.push('/'),
        1 => path.push_str("/more"),
        2 => path.insert(0, '/'),
        3 => path = path.replace('a', "%61"),
        4 => path = path.replace('a', "%41"),
        5 => path.push_str("/../foo"),
        6 => path.push_str("%2Fx"),
        7 => path = path.replace("%2F", "%2f"),
        8 => path = format!("/.{path}"),
        9 => path.push('x'),
        _ => {}
    }
    if random.once_in(3) {
        path.push('?');
        for _ in 0..=random.below(2) {
            path.push_str(random.pick::<&str>(QUERY_PAIRS));
            path.push_str(random.pick::<&str>(&["&", "&", ";", ""]));
        }
    }
    path
}

const QUERY_PAIRS: &[&str] = &[
    "k",
    "k=",
    "k=one",
    "k=two",
    "k=ONE",
    "k=%6Fne",
    "k=one+two",
    "q=one%20two",
    "q=1",
    "q",
    "K=one",
    "a+b=one",
    "a%20b",
    "k[]=1",
    "k%5B%5D",
    "%zz=1",
    "k=%zz",
    "k=one=two",
    "=one",
    "x=one",
];

/// A path or prefix that stands in some rule.
fn from_rule(random: &mut Random, table: &[Router]) -> Option<String> {
    let rule = &random.pick(table).rule;
    let start = rule.find("`/")?;
    let rest = &rule[start + 1..];
    let path = &rest[..rest.find('`')?];
    path.bytes().all(|byte| byte.is_ascii_graphic()).then(|| path.to_owned())
}
