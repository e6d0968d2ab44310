//! The order in which services are built: parts before what holds them.

use std::collections::{BTreeSet, HashMap, HashSet};

use portway_model::{
    dynamic::Middleware,
    name::{provider, qualify},
};

use crate::compile::names::Objects;

/// Parts before what holds them, and the references that close a circle.
#[derive(Debug, Default)]
pub(crate) struct Order<'a> {
    /// Every service once.
    pub(crate) names: Vec<&'a str>,
    /// By service and part: what is wrong with the reference.
    circles: HashMap<&'a str, HashMap<&'a str, String>>,
    /// By the service that a circle was entered at.
    entered: HashMap<&'a str, String>,
}

impl Order<'_> {
    /// What is wrong with the reference from `of` to its part; `None` where it closes no circle.
    pub(crate) fn circle(&self, of: &str, part: &str) -> Option<&str> {
        self.circles.get(of)?.get(part).map(String::as_str)
    }

    /// The circle that goes through a service and was found there.
    pub(crate) fn circle_at(&self, name: &str) -> Option<&str> {
        self.entered.get(name).map(String::as_str)
    }
}

/// Walks the references with a stack of its own, so that no configuration makes the program's overflow.
pub(crate) fn order<'a>(objects: &'a Objects<'_>) -> Order<'a> {
    let mut order = Order::default();
    let mut done = HashSet::new();
    for name in objects.services.keys() {
        if !done.contains(name.as_str()) {
            walk(name, objects, &mut done, &mut order);
        }
    }
    order
}

fn walk<'a>(
    start: &'a str,
    objects: &'a Objects<'_>,
    done: &mut HashSet<&'a str>,
    order: &mut Order<'a>,
) {
    let mut open = vec![(start, parts(start, objects))];
    let mut depths = HashMap::from([(start, 0)]);
    while let Some((name, left)) = open.last_mut() {
        let name = *name;
        match left.pop() {
            None => {
                open.pop();
                depths.remove(name);
                done.insert(name);
                order.names.push(name);
            }
            Some(part) if done.contains(part) => {}
            Some(part) => match depths.get(part) {
                None => {
                    depths.insert(part, open.len());
                    open.push((part, parts(part, objects)));
                }
                Some(depth) => {
                    let circle = open.iter().skip(*depth).map(|(name, _)| *name).chain([part]);
                    let text = format!(
                        "could not instantiate service {part}: recursion detected in {}",
                        arrows(circle.collect())
                    );
                    order.entered.entry(part).or_insert_with(|| text.clone());
                    order.circles.entry(name).or_default().insert(part, text);
                }
            },
        }
    }
}

/// The known services inside `name`, the last first: its parts, and those that its middlewares ask.
fn parts<'a>(name: &str, objects: &'a Objects<'_>) -> Vec<&'a str> {
    let entry = objects.services.get(name).filter(|entry| entry.spec.is_compound());
    let Some(entry) = entry else { return Vec::new() };
    let parts = entry.spec.parts().into_iter().map(|part| qualify(part, provider(name)));
    let asked = asked(entry.spec.middlewares(), name, objects);
    let known = parts.chain(asked).filter_map(|part| objects.services.get_key_value(&part));
    let mut known: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
    known.reverse();
    known
}

/// The services that middlewares ask, those in chains too.
fn asked(middlewares: &[String], of: &str, objects: &Objects<'_>) -> Vec<String> {
    let mut open: Vec<String> =
        middlewares.iter().rev().map(|name| qualify(name, provider(of))).collect();
    let (mut seen, mut asked) = (BTreeSet::new(), Vec::new());
    while let Some(name) = open.pop() {
        if let Some(entry) = objects.middlewares.get(&name)
            && seen.insert(name.clone())
        {
            let qualified = |other: &String| qualify(other, provider(&name));
            match &*entry.spec {
                Middleware::Chain(chain) => {
                    open.extend(chain.middlewares.iter().rev().map(qualified));
                }
                Middleware::Errors(errors) => asked.push(qualified(&errors.service)),
                _ => {}
            }
        }
    }
    asked
}

/// `service:a->service:b->service:a`; the middle of a long circle is left out.
fn arrows(names: Vec<&str>) -> String {
    const SHOWN: usize = 8;
    let hidden = names.len().saturating_sub(2 * SHOWN);
    let shown = names.iter().enumerate().filter_map(|(place, name)| match place {
        SHOWN if hidden > 0 => Some("…".to_owned()),
        _ if place > SHOWN && place < SHOWN + hidden => None,
        _ => Some(format!("service:{name}")),
    });
    shown.collect::<Vec<_>>().join("->")
}
