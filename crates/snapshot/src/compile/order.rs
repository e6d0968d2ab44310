//! The order in which services are built: parts before what holds them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use portway_model::{
    Entry,
    dynamic::Service,
    name::{provider, qualify},
};

/// Services as they are looked up.
type Services<'a> = BTreeMap<String, &'a Arc<Entry<Service>>>;

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
pub(crate) fn order<'a>(services: &'a Services<'_>) -> Order<'a> {
    let mut order = Order::default();
    let mut done = HashSet::new();
    for name in services.keys() {
        if !done.contains(name.as_str()) {
            walk(name, services, &mut done, &mut order);
        }
    }
    order
}

fn walk<'a>(
    start: &'a str,
    services: &'a Services<'_>,
    done: &mut HashSet<&'a str>,
    order: &mut Order<'a>,
) {
    let mut open = vec![(start, parts(start, services))];
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
                    open.push((part, parts(part, services)));
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

/// The known services inside `name`, the last first.
fn parts<'a>(name: &str, services: &'a Services<'_>) -> Vec<&'a str> {
    let children = services.get(name).map_or_else(Default::default, |entry| entry.spec.parts());
    let children = children.iter().rev();
    let known = children.filter_map(|child| {
        services.get_key_value(&qualify(&child.name, provider(name))).map(|(name, _)| name.as_str())
    });
    known.collect()
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
