//! What is amended equals what is compiled anew.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::dynamic::{Config, RouterTls};
use portway_testkit::random::Random;

use super::{Get, config, determinism::shown, file, run, settings};
use crate::{
    EntryPointSettings, Settings, Snapshot,
    compile::{Configs, amend::amend},
};

/// The names of objects and what each may be. Most edits are of a kind that is amended.
const CHOICES: [(&str, &[&str], &[&str]); 3] = [
    (
        "routers",
        &["a", "b", "c", "d", "e", "f", "web-a"],
        &[
            "{rule: 'Host(`a`)', service: s}",
            "{rule: 'Host(`a`) && PathPrefix(`/x`)', service: t}",
            "{rule: 'Host(`b`) || Path(`/x/y`)', service: s, middlewares: [m, m]}",
            "{rule: 'Host(`*.b`)', service: u@file, middlewares: [n], priority: 40}",
            "{rule: 'PathPrefix(`/x`)', service: w, middlewares: [ch]}",
            "{rule: 'Host(`a`)', service: whoami@internal, entryPoints: [web]}",
            "{rule: 'Host(`c`)', service: s, tls: {}, middlewares: [o]}",
            "{rule: 'Host(`c`)', service: noop@internal, tls: {options: o}}",
            "{rule: 'Host(`c`', service: s}",
            "{rule: 'HostRegexp(`^a`)', service: nope, entryPoints: [web, wep]}",
            "{rule: 'Host(`d`)', service: s, tsl: {}}",
        ],
    ),
    (
        "services",
        &["s", "t", "u", "w", "x"],
        &[
            "{loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}",
            "{loadBalancer: {servers: [{url: 'http://127.0.0.1:2'}, {url: 'http://127.0.0.1:1'}]}}",
            "{loadBalancer: {servers: [{url: 'http://127.0.0.1:3'}]}}",
            "{loadBalancer: {servers: [{url: '127.0.0.1:3'}]}}",
            "{loadBalancer: {serversTransport: nope}}",
            "{mirroring: {service: s}}",
            "{loadBalancer: {strategy: leasttime, sticky: {cookie: {}}, servers: [{url: 'http://127.0.0.1:2'}]}}",
            "{loadBalancer: {strategy: p2c, sticky: {cookie: {name: c}}, servers: [{url: 'http://127.0.0.1:2'}]}}",
            "{weighted: {services: [{name: s}, {name: x}]}}",
            "{weighted: {services: [{name: s}, {name: x}], sticky: {cookie: {name: w}}}}",
            "{highestRandomWeight: {services: [{name: s}, {name: x, weight: 2}]}}",
        ],
    ),
    (
        "middlewares",
        &["m", "n", "o", "ch"],
        &[
            "{addPrefix: {prefix: /m}}",
            "{addPrefix: {prefix: /n}}",
            "{basicAuth: {users: ['u:h']}}",
            "{redirectRegex: {regex: '(', replacement: x}}",
            "{headers: {customRequestHeaders: {'': x}}}",
            "{chain: {middlewares: [m, n]}}",
        ],
    ),
];

/// Objects by provider, section and name.
type Written = BTreeMap<(&'static str, &'static str, &'static str), &'static str>;

fn edit(written: &mut Written, random: &mut Random) {
    // A chain or a weighted service turns up seldom, and seldom stays.
    let (section, names, choices) = CHOICES[[0, 0, 0, 1, 1, 2][random.below(6)]];
    let provider = ["file", "file", "other"][random.below(3)];
    let key = (provider, section, names[random.below(names.len())]);
    let rare = usize::from(random.below(8) > 0);
    match random.below(4) {
        0 => drop(written.remove(&key)),
        _ => drop(written.insert(key, choices[random.below(choices.len() - rare)])),
    }
}

fn configs(written: &Written, before: &Configs) -> Configs {
    let one = |provider: &str| {
        let mut text = "http:\n".to_owned();
        for (section, _, _) in CHOICES {
            let objects = written.iter().filter(|((p, s, _), _)| *p == provider && *s == section);
            let lines = objects.map(|((_, _, name), object)| format!("    {name}: {object}\n"));
            let lines: String = lines.collect();
            if !lines.is_empty() {
                text.push_str(&format!("  {section}:\n{lines}"));
            }
        }
        let mut config: Config = config(&text);
        if let Some(before) = before.get(provider) {
            config.http.share(&before.http);
        }
        (provider.to_owned(), Arc::new(config))
    };
    ["file", "other"].map(one).into()
}

/// A text without the numbers of transports and servers, which are new in each process and snapshot.
fn unnumbered(text: &str) -> String {
    ["Transport { number: ", "ServerId { number: "].into_iter().fold(
        text.to_owned(),
        |text, before| {
            let mut parts = text.split(before);
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |text, part| {
                text + before + part.trim_start_matches(|c: char| c.is_ascii_digit())
            })
        },
    )
}

fn answers(snapshot: &Snapshot) -> Vec<Option<String>> {
    let mut answers = Vec::new();
    for entry_point in &snapshot.entry_points {
        for table in [&entry_point.plain, &entry_point.secure] {
            for target in ["a/", "a/x", "b/", "x.b/x/y", "c/", "d/x", "aa/"] {
                let found = table.find(&Get(target));
                answers.push(found.map(|route| {
                    let steps = unnumbered(&format!("{:?}", route.steps));
                    format!("{} {steps} {}", route.name, super::is_closed(route))
                }));
            }
        }
    }
    answers
}

/// How many of the edits were amended.
fn check(settings: &Settings, seed: u64, edits: u32) -> u32 {
    let mut random = Random::new(seed);
    let mut written = Written::new();
    let mut all = configs(&written, &Configs::new());
    let mut snapshot = run(&all, settings, None);
    let mut amended = 0;
    for number in 0..edits {
        for _ in 0..=random.below(2) {
            edit(&mut written, &mut random);
        }
        all = configs(&written, &all);
        let (environment, now) = (super::environment(), super::now());
        amended += u32::from(amend(&all, settings, environment, now, &snapshot).is_some());
        let next = run(&all, settings, Some(&snapshot));
        let anew = run(&all, settings, None);
        assert_eq!(shown(&next), shown(&anew), "seed {seed}, edit {number}: {written:#?}");
        assert_eq!(answers(&next), answers(&anew), "seed {seed}, edit {number}: {written:#?}");
        snapshot = next;
    }
    amended
}

#[test]
fn amended_snapshots_equal_new_ones() {
    let amended: u32 = (0..12).map(|seed| check(&settings(), seed, 60)).sum();
    assert!(amended > 100, "of 720 edits {amended} were amended");
}

#[test]
fn amended_snapshots_equal_new_ones_where_entry_points_add_something() {
    let mut settings = settings();
    let adds = ["m@file".to_owned()].to_vec();
    settings.entry_points[0].middlewares = adds;
    settings.entry_points[1].tls = Some(RouterTls::default());
    settings.entry_points.push(EntryPointSettings {
        name: "web-web".into(),
        is_default: true,
        ..EntryPointSettings::default()
    });
    let amended: u32 = (100..112).map(|seed| check(&settings, seed, 60)).sum();
    assert!(amended > 100, "of 720 edits {amended} were amended");
}

#[test]
fn plain_edits_are_amended() {
    const SITE: &str = "http:
  routers:
    a: {rule: 'Host(`a`)', service: s, middlewares: [m]}
    b: {rule: 'Host(`b`)', service: t, tls: {}}
    c: {rule: 'Host(`c`)', service: nope}
  services:
    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}
    t: {loadBalancer: {servers: [{url: 'http://127.0.0.1:2'}]}}
  middlewares: {m: {addPrefix: {prefix: /m}}}
";
    let edits = [
        ("127.0.0.1:1", "127.0.0.1:3"),
        ("Host(`a`)", "Host(`aa`)"),
        ("    c:", "    d: {rule: 'Host(`d`)', service: s}\n    c:"),
        ("    b: {rule: 'Host(`b`)', service: t, tls: {}}\n", ""),
        ("    t:", "    nope:"),
        ("prefix: /m", "prefix: /n"),
        ("{rule: 'Host(`c`)'", "{rule: 'Host(`c'"),
    ];
    let first = file(SITE);
    let before = run(&first, &settings(), None);
    for (old, new) in edits {
        let mut now = config(&SITE.replace(old, new));
        now.http.share(&first["file"].http);
        let now = BTreeMap::from([("file".to_owned(), Arc::new(now))]);
        let amended = amend(&now, &settings(), super::environment(), super::now(), &before);
        let anew = run(&now, &settings(), None);
        assert_eq!(amended.as_ref().map(shown), Some(shown(&anew)), "{new}");
    }
}
