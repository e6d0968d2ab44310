//! What is a rule, and how it says so when a text is none.

#![cfg(test)]

use portway_rule::{MAX_DEPTH, MAX_LENGTH, Syntax, default_priority, parse, parse_tree};

#[track_caller]
fn accepted(syntax: Syntax, rules: &[&str]) {
    for rule in rules {
        if let Err(error) = parse(rule, syntax) {
            panic!("{rule} was refused: {error}");
        }
    }
}

#[track_caller]
fn refused(syntax: Syntax, rules: &[&str]) {
    for rule in rules {
        assert!(parse(rule, syntax).is_err(), "{rule} was accepted");
    }
}

#[track_caller]
fn prints(rule: &str, expected: &str) {
    assert_eq!(parse_tree(rule, Syntax::V3).unwrap().to_string(), expected);
    assert_eq!(parse_tree(expected, Syntax::V3).unwrap().to_string(), expected);
}

#[track_caller]
fn says(rule: &str, expected: &str) {
    assert_eq!(parse(rule, Syntax::V3).unwrap_err().to_string(), expected);
}

#[test]
fn expressions_are_accepted() {
    accepted(
        Syntax::V3,
        &[
            "Host(`a`)",
            "Host(`a`) && (Path(`/x`) || !Method(`POST`))",
            "!!Host(`a`)",
            "! ( Host(`a`) )",
            "((Host(`a`)))",
            "Host(`a`,)",
            "Host(`a`...)",
            "Host(`a`...,)",
            "Host(\n`a`,\n)",
            "Host(`a`) &&\n\tPath(`/`)",
            "Host(`a`)\n",
            "Host(`a`) // comment\n\n",
            "/* comment */ Host(/* here */`a`)",
            "// comment\nHost(`a`)",
            "Host(`a`) /* two\nlines */",
            "\u{feff}Host(`a`)",
        ],
    );
}

#[test]
fn what_go_does_not_parse_is_refused() {
    refused(
        Syntax::V3,
        &[
            "",
            " ",
            "Host(`a`) &&",
            "&& Host(`a`)",
            "(Host(`a`)",
            "Host(`a`))",
            "Host(`a`",
            "Host(`a`) Path(`/`)",
            "Host(`a`) AND Path(`/`)",
            "Host(`a`) & Path(`/`)",
            "Host(`a`) == Path(`/`)",
            "Host(`a`);",
            "Host",
            "Host.Name(`a`)",
            "(Host)(`a`)",
            "Host(`a`)(`b`)",
            "`a`",
            "!`a`",
            "Host((`a`))",
            "Host(`a` + `b`)",
            "Host(Host(`a`))",
            "Host(a)",
            "Host(1)",
            "Host('a')",
            "Host(,)",
            "Host(`a`,,)",
            "Host(`a`... `b`)",
            "Host(... `a`)",
            "Host(`a`\n)",
            "Host\n(`a`)",
            "Host(`a`)\n&& Path(`/`)",
            "Host(`a`) /* two\nlines */ && Path(`/`)",
            "(Host(`a`)\n)",
            "Host(`a`) /* open",
            "Host(`a",
            "Host(\"a)",
            "Host(\"a\nb\")",
            "Host(`a\0`)",
            "Host(`a`) // \u{feff}",
            "Host(“a”)",
            "()",
            "!",
        ],
    );
}

#[test]
fn names_have_four_spellings() {
    for name in ["PathPrefix", "pathprefix", "PATHPREFIX", "Pathprefix"] {
        prints(&format!("{name}(`/`)"), "PathPrefix(`/`)");
    }
    accepted(Syntax::V3, &["clientip(`::1`)", "Clientip(`::1`)", "HOST(`a`)", "host(\"a\")"]);
    refused(Syntax::V3, &["pathPrefix(`/`)", "hOst(`a`)", "HOSTregexp(`a`)", "ClientIp(`::1`)"]);
}

#[test]
fn literals_mean_what_they_mean_in_go() {
    prints(r#"Path("/\x41\u00e9\101\"\\\t")"#, "Path(`/AéA\"\\\t`)");
    prints("Path(`/a\\d\r\n`)", "Path(`/a\\d\n`)");
    prints("Path(\"/\\xff`\")", "Path(\"/\\xff`\")");
    refused(
        Syntax::V3,
        &[
            r#"Path("/\d")"#,
            r#"Path("/\'")"#,
            r#"Path("/\x4")"#,
            r#"Path("/\400")"#,
            r#"Path("/\ud800")"#,
            r#"Path("/\U00110000")"#,
            r#"Path("/\u+123")"#,
            r#"Path("/\"#,
        ],
    );
}

#[test]
fn operators_bind_as_in_go() {
    prints("Host(`a`)||Host(`b`)&&Host(`c`)", "Host(`a`) || Host(`b`) && Host(`c`)");
    prints("(Host(`a`)||Host(`b`))&&Host(`c`)", "(Host(`a`) || Host(`b`)) && Host(`c`)");
    prints("!Host(`a`)&&Host(`b`)", "!Host(`a`) && Host(`b`)");
    prints("!(Host(`a`)&&Host(`b`))", "!(Host(`a`) && Host(`b`))");
    prints("!!!Host(`a`)", "!Host(`a`)");
    prints("!(!Host(`a`))", "Host(`a`)");
    prints("((Host(`a`)&&Host(`b`)))&&Host(`c`)", "Host(`a`) && Host(`b`) && Host(`c`)");
}

#[test]
fn v3_arguments_are_checked() {
    accepted(
        Syntax::V3,
        &[
            "Query(`k`)",
            "Query(`k`, `v`)",
            "QueryRegexp(`k`)",
            "Header(`k`, `v`)",
            "Host(`*`)",
            "Host(`*.a`)",
            "ClientIP(`10.0.0.0/8`)",
            "Method(`get`)",
            "Header(`not a name`, `v`)",
            "Path(\"/\\xff\")",
        ],
    );
    refused(
        Syntax::V3,
        &[
            "Host()",
            "Host(``)",
            "Host(`a`, `b`)",
            "Host(`a`, ``)",
            "Host(`é.fr`)",
            "HostRegexp(`é`)",
            "HostRegexp(`(`)",
            "Path(`x`)",
            "PathPrefix(`x`)",
            "PathRegexp(`(`)",
            "PathRegexp(\"\\xff\")",
            "Method(`GET`, `PUT`)",
            "Header(`k`)",
            "HeaderRegexp(`k`, `(`)",
            "Query(`k`, ``)",
            "Query(`a`, `b`, `c`)",
            "QueryRegexp(`k`, `*`)",
            "ClientIP(`300.0.0.1`)",
            "ClientIP(`::1/129`)",
            "HostHeader(`a`)",
            "Headers(`k`, `v`)",
            "Foo(`x`)",
        ],
    );
}

#[test]
fn v2_arguments_are_checked() {
    accepted(
        Syntax::V2,
        &[
            "Host(`a`, `b`)",
            "HostHeader(`a`)",
            "HostRegexp(`{name:[a-z]+}.a`, `b`)",
            "HostRegexp(`(example.com`)",
            "Path(`/{a}/{b:x{2}}`)",
            "Method(`GET`, `PUT`)",
            "Headers(`k`, `v`, `l`, `w`)",
            "HeadersRegexp(`k`, `v`)",
            "Query(`k=v`, `l=`)",
            "Query(`k`, `v`)",
            "ClientIP(`10.0.0.1`, `::1`)",
        ],
    );
    refused(
        Syntax::V2,
        &[
            "Host()",
            "Host(`a`, ``)",
            "Host(`é`)",
            "HostRegexp(`{a`)",
            "HostRegexp(`a}{`)",
            "HostRegexp(`{:x}`)",
            "HostRegexp(`{a:}`)",
            "HostRegexp(`{a:(}`)",
            "HostRegexp(`{a:*}`)",
            "HostRegexp(`{a:?}`)",
            "HostRegexp(`{a:)(}`)",
            "Path(`x`)",
            "Headers(`k`)",
            "HeadersRegexp(`k`, `(`)",
            "HeadersRegexp(`k`, `(`, `k`, `a`)",
            "Query(`k`)",
            "Query(`{x}=1`, `{x}=2`)",
            "ClientIP(`a`)",
            "PathRegexp(`a`)",
            "Header(`k`, `v`)",
            "QueryRegexp(`k`, `v`)",
        ],
    );
}

#[test]
fn errors_point_at_the_place() {
    says("Hots(`a`)", "unknown matcher `Hots`; did you mean `Host`?\n    Hots(`a`)\n    ^^^^");
    says(
        "Host(`a`) && pathPrefix(`/`)",
        "unknown matcher `pathPrefix`; did you mean `PathPrefix`?\n    \
         Host(`a`) && pathPrefix(`/`)\n                 ^^^^^^^^^^",
    );
    says(
        "Host(`a`) AND Path(`/`)",
        "there is no `AND` here; use `&&`\n    Host(`a`) AND Path(`/`)\n              ^^^",
    );
    says("Host(`a`) &&", "a matcher is missing here\n    Host(`a`) &&\n                ^");
    says("Path(`é`)", "`Path`: a path must start with `/`\n    Path(`é`)\n         ^^^");
    says(
        "Host(`a`, `b`)",
        "`Host`: it takes one argument; join several matchers with `||`\n    \
         Host(`a`, `b`)\n              ^^^",
    );
    says(
        "Host(`a`) ||\n\tHost('b')",
        "single quotes do not make a text; use back-quotes: `…`\n     Host('b')\n          ^",
    );
    says(
        "Host(`a`)\n|| Host(`b`)",
        "a line break after a complete condition ends the rule; put the operator before the break\n    \
         || Host(`b`)\n    ^^",
    );
    says(
        "PathRegexp(`(`)",
        "`PathRegexp`: the regular expression is invalid: a `(` is not closed\n    \
         PathRegexp(`(`)\n               ^^^",
    );
    says("", "the rule is empty\n    \n    ^");
    says(
        "HostHeader(`a`)",
        "`HostHeader` is a matcher of the v2 syntax; v3 has `Host`\n    HostHeader(`a`)\n    ^^^^^^^^^^",
    );
}

#[test]
fn long_rules_are_shown_in_part() {
    let rule = format!("{}Hots(`a`) && {}", "Host(`a`) || ".repeat(50), "Host(`b`)".repeat(50));
    let shown = parse(&rule, Syntax::V3).unwrap_err().to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[1].starts_with("    …") && lines[1].ends_with('…'), "{shown}");
    let caret = lines[2].find('^').unwrap();
    let under: String = lines[1].chars().skip(caret).take(4).collect();
    assert_eq!(under, "Hots");
}

#[test]
fn length_and_depth_are_bounded() {
    let nested = |depth: usize| format!("{}Host(`a`){}", "(".repeat(depth), ")".repeat(depth));
    accepted(Syntax::V3, &[&nested(MAX_DEPTH)]);
    refused(Syntax::V3, &[&nested(MAX_DEPTH + 1), &nested(MAX_LENGTH / 4)]);
    refused(Syntax::V3, &[&format!("Path(`/{}`)", "a".repeat(MAX_LENGTH))]);
    accepted(Syntax::V3, &[&format!("{}Host(`a`)", "!".repeat(100_000))]);
    accepted(Syntax::V3, &[&format!("{}Host(`a`)", "Host(`a`) || ".repeat(50_000))]);
}

#[test]
fn priority_is_the_length_in_bytes() {
    assert_eq!(default_priority("Host(`é`)"), 10);
    assert_eq!(
        default_priority("Host(`a.example.com`)"),
        default_priority("Host(`*.example.com`)")
    );
}

#[test]
fn hosts_are_all_arguments_of_host_that_are_not_negated() {
    let hosts = |rule: &str, syntax| {
        parse(rule, syntax).unwrap().hosts().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        hosts("Host(`A.b`) && !(Path(`/`) || !Host(`*.c`)) || HostRegexp(`d`)", Syntax::V3),
        ["a.b", "*.c"]
    );
    assert_eq!(hosts("Host(`a`, `B`) || HostHeader(`c`)", Syntax::V2), ["a", "b"]);
    assert!(hosts("Path(`/`)", Syntax::V3).is_empty());
    assert_eq!(hosts("Host(`a`) && !Host(`b`) || !(Host(`c`) && Host(`d`))", Syntax::V3), ["a"]);
}
