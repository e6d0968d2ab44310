//! Which units a change touches, and what they make.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use portway_model::{
    Entry,
    dynamic::Certificate,
    static_config::{KubernetesIngress, KubernetesObjects},
};

use super::{
    Lookups, Mark, Order, Translated, Translation, Unit,
    ingress::DEFAULT_BACKEND,
    lookups::{Firsts, Known},
    marks::Marked,
    unit::{Category, Id, Name},
};
use crate::{
    Changes, Extent, Index, ServiceName,
    api::{Body, Group, Key, Kind, Object},
    class::Classes,
};

/// What one of Traefik's providers says of an index, kept up to date at the cost of what changes.
#[derive(Debug)]
pub struct Translator {
    pub(super) view: Arc<View>,
    pub(super) units: Units,
    /// Who looks up what.
    uses: Marked,
    pub(super) certificates: BTreeMap<Arc<str>, Entry<Certificate>>,
    /// Names of which a merge has said something.
    pub(super) judged: HashSet<Name>,
    /// Whether it has seen an index.
    begun: bool,
    pub(super) translated: Translated,
}

/// What a provider makes of objects.
#[derive(Debug)]
pub(super) enum View {
    Traefik(KubernetesObjects),
    Ingresses(KubernetesIngress),
}

impl View {
    pub(super) fn objects(&self) -> &KubernetesObjects {
        match self {
            Self::Traefik(objects) => objects,
            Self::Ingresses(options) => &options.objects,
        }
    }

    fn ingress(&self) -> Option<&KubernetesIngress> {
        match self {
            Self::Traefik(_) => None,
            Self::Ingresses(options) => Some(options),
        }
    }

    /// Whether Nodes must not be looked up.
    pub(super) fn hides_nodes(&self) -> bool {
        self.ingress().is_some_and(|options| options.disable_cluster_scope_resources)
    }

    /// Whether anything is made of an object or told of it; of many objects nothing ever is.
    fn wants(&self, object: &Object) -> bool {
        match self {
            Self::Ingresses(_) => matches!(object.body, Body::Ingress(_)),
            Self::Traefik(_) => match object.key.group {
                Group::Kubernetes => {
                    !object.problems.is_empty() && !matches!(object.body, Body::Ingress(_))
                }
                Group::TraefikIo | Group::TraefikContainous => true,
            },
        }
    }
}

/// All units, by number and by key.
#[derive(Debug, Default)]
pub(super) struct Units {
    list: Vec<Option<(Arc<Key>, Unit)>>,
    free: Vec<Id>,
    ids: HashMap<Arc<Key>, Id>,
    /// Who contributes to what.
    names: Marked,
}

/// What an update has to do yet, and has done.
#[derive(Default)]
pub(super) struct Round {
    /// Units that have to be made again.
    units: BTreeSet<Id>,
    /// Names whose contributions have changed.
    pub(super) names: BTreeMap<Category, Vec<Arc<str>>>,
    /// Whether a certificate is another.
    pub(super) certificates: bool,
    /// Units that are as the index says now.
    pub(super) fresh: HashSet<Id>,
    /// Units of which something else is to be told.
    pub(super) told: BTreeSet<Id>,
    /// Objects, as diagnostics name them, of which these may say something else.
    pub(super) diagnosed: BTreeMap<String, Key>,
}

/// A unit that has to be made again.
struct Due<'i> {
    /// As far as the object alone says it.
    order: Option<Order<'i>>,
    id: Id,
    /// `None` where nothing is made of it any more.
    object: Option<&'i Object>,
}

impl Round {
    fn add_name(&mut self, (category, name): Name) {
        self.names.entry(category).or_default().push(name);
    }
}

impl Translator {
    /// One of Traefik's own objects: see [`super::translate`].
    pub fn of_traefik(options: KubernetesObjects) -> Self {
        Self::new(View::Traefik(options))
    }

    /// One of Ingresses: see [`super::translate_ingresses`].
    pub fn of_ingresses(options: KubernetesIngress) -> Self {
        Self::new(View::Ingresses(options))
    }

    fn new(view: View) -> Self {
        Self {
            view: Arc::new(view),
            units: Units::default(),
            uses: Marked::default(),
            certificates: BTreeMap::new(),
            judged: HashSet::new(),
            begun: false,
            translated: Translated::default(),
        }
    }

    /// What it says.
    pub fn translated(&self) -> &Translated {
        &self.translated
    }

    /// What it says of an index that it sees once.
    pub(super) fn into_translated(mut self, index: &Index) -> Translated {
        self.update(index, &Changes::default());
        self.translated
    }

    /// Becomes what it would be if it had never seen another index than this one, where `changes` is all that has
    /// changed since the last update. The first update looks at everything.
    pub fn update(&mut self, index: &Index, changes: &Changes) {
        let mut round = Round::default();
        let due = match self.begun {
            true => {
                self.touch(index, changes, &mut round);
                self.due(&mut round, index)
            }
            false => {
                let wanted = index.all().filter(|object| self.view.wants(object));
                wanted.map(|object| Due::of(self.units.id(&object.key), Some(object))).collect()
            }
        };
        self.begun = true;
        self.make(due, index, &mut round);
        self.merge(index, &mut round);
        self.tell(index, round);
        self.follow(index, changes);
    }

    /// Finds the units that changes touch.
    fn touch(&mut self, index: &Index, changes: &Changes, round: &mut Round) {
        for (key, extent) in &changes.objects {
            let Key { kind, namespace, name, .. } = key;
            let mut touch = |mark| round.units.extend(self.uses.of(mark));
            touch(Mark::object(*kind, namespace, name));
            touch(Mark::kind(*kind));
            if *extent == Extent::Existence {
                touch(Mark::names(*kind, namespace));
                touch(Mark::namespaces(*kind, name));
            }
            if *kind == Kind::Secret {
                // Who asks for a certificate says the same as before.
                round.add_name((Category::Certificate, format!("{namespace}/{name}").into()));
            }
            // One of another group may be hidden by it.
            for group in [Group::Kubernetes, Group::TraefikIo, Group::TraefikContainous] {
                let key = Key { group, ..key.clone() };
                let known = self.units.ids.get(&key).copied();
                let wanted = || index.exactly(&key).is_some_and(|object| self.view.wants(object));
                if let Some(id) = known {
                    round.units.insert(id);
                } else if wanted() {
                    round.units.insert(self.units.id(&key));
                }
            }
        }
    }

    /// Makes units again, until none sees another owner of a name than it would in a translation of everything.
    ///
    /// Only those who come before an object decide what it sees, so that this ends: each pass settles at least the
    /// first of those that are left.
    fn make<'i>(&mut self, mut due: Vec<Due<'i>>, index: &'i Index, round: &mut Round) {
        let view = Arc::clone(&self.view);
        let classes = view.ingress().map(|options| Classes::new(index, options));
        let firsts = Firsts::new(index);
        let first = |kind, name: &str| firsts.find(kind, name).map(ToString::to_string);
        let known = Known { index, classes: classes.as_ref(), first: &first };
        while !due.is_empty() {
            // They mostly are in order already.
            due.sort_by(|a, b| (a.order, a.id).cmp(&(b.order, b.id)));
            for Due { id, object, .. } in due {
                self.make_one(id, object, known, round);
            }
            due = self.due(round, index);
        }
    }

    /// The units that have to be made again.
    fn due<'i>(&self, round: &mut Round, index: &'i Index) -> Vec<Due<'i>> {
        let units = std::mem::take(&mut round.units).into_iter();
        let object = |id| {
            let (key, _) = self.units.get(id)?;
            index.exactly(key).filter(|object| self.view.wants(object))
        };
        units.map(|id| Due::of(id, object(id))).collect()
    }

    /// Makes a unit anew, and notes what is different.
    fn make_one(&mut self, id: Id, object: Option<&Object>, known: Known<'_>, round: &mut Round) {
        let Some((key, mut before)) = self.units.take(id) else { return };
        let mut now = object.map_or_else(Unit::default, |object| {
            Translation::new(&self.units, &self.view, Lookups::new(known), object).run(object)
        });
        self.uses.exchange(&before.uses, &now.uses, id);
        self.units.names.exchange(&before.marks(), &now.marks(), id);
        let moved = !now.is_in_place_of(&before);
        for (category, name) in names_of(&before, &now) {
            let agree = now.agrees(&before, category, &name);
            let name = (category, name);
            if agree && !moved {
                now.verdicts.extend(before.verdicts.remove_entry(&name));
                continue;
            }
            if let Some(mark) = mark_of_owner(&name) {
                round.units.extend(self.uses.of(mark).filter(|other| *other != id));
            }
            round.add_name(name);
        }
        if before.is_diagnosed {
            round.diagnosed.insert(key.to_string(), Key::clone(&key));
        }
        if object.is_some() {
            round.fresh.insert(id);
            round.told.insert(id);
            self.units.put(id, key, now);
        } else {
            self.translated.objects.remove(&key);
            self.units.forget(id, &key);
        }
    }

    /// Follows endpoints, also where those are kept in an older way.
    fn follow(&mut self, index: &Index, changes: &Changes) {
        let older = changes.objects.keys().filter(|key| key.kind == Kind::Endpoints);
        let mut services: BTreeSet<_> = older
            .map(|key| ServiceName { namespace: key.namespace.clone(), name: key.name.clone() })
            .collect();
        services.extend(changes.endpoints.iter().cloned());
        self.translated.follow_endpoints(index, &services);
    }
}

impl<'i> Due<'i> {
    fn of(id: Id, object: Option<&'i Object>) -> Self {
        let order = object.map(|o| Order::of(&o.key, o.meta.created.as_deref(), false));
        Self { order, id, object }
    }
}

/// All names that a unit contributed or contributes to, each once.
fn names_of(before: &Unit, now: &Unit) -> Vec<Name> {
    let names = before.names().chain(now.names());
    let mut names: Vec<Name> = names.map(|(category, name)| (category, Arc::clone(name))).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What is noted by those who ask for the owner of a name.
fn mark_of_owner((category, name): &Name) -> Option<Mark> {
    match category {
        Category::Router => Some(Mark::router(name)),
        Category::Service if **name == *DEFAULT_BACKEND => Some(Mark::default_backend()),
        _ => None,
    }
}

impl Units {
    /// The number of a key's unit, which is there then.
    fn id(&mut self, key: &Key) -> Id {
        if let Some(id) = self.ids.get(key) {
            return *id;
        }
        let key = Arc::new(key.clone());
        let id = self.free.pop().unwrap_or_else(|| {
            self.list.push(None);
            Id(self.list.len() - 1)
        });
        self.ids.insert(Arc::clone(&key), id);
        self.put(id, key, Unit::default());
        id
    }

    fn put(&mut self, id: Id, key: Arc<Key>, unit: Unit) {
        if let Some(place) = self.list.get_mut(id.0) {
            *place = Some((key, unit));
        }
    }

    fn take(&mut self, id: Id) -> Option<(Arc<Key>, Unit)> {
        self.list.get_mut(id.0)?.take()
    }

    fn forget(&mut self, id: Id, key: &Key) {
        self.ids.remove(key);
        self.free.push(id);
    }

    pub(super) fn get(&self, id: Id) -> Option<(&Arc<Key>, &Unit)> {
        self.list.get(id.0)?.as_ref().map(|(key, unit)| (key, unit))
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<(&Arc<Key>, &mut Unit)> {
        self.list.get_mut(id.0)?.as_mut().map(|(key, unit)| (&*key, unit))
    }

    pub(super) fn of_key(&self, key: &Key) -> Option<&Unit> {
        self.get(*self.ids.get(key)?).map(|(_, unit)| unit)
    }

    /// The units that contribute to a name, in their order.
    pub(super) fn of_name(&self, category: Category, name: &str) -> Vec<(Id, &Key, &Unit)> {
        let known = self.names.of(Mark::name(category, name));
        let mut units: Vec<_> = known
            .filter_map(|id| self.get(id).map(|(key, unit)| (id, &**key, unit)))
            .filter(|(_, _, unit)| unit.contributes(category, name))
            .collect();
        if units.len() > 1 {
            units.sort_by_key(|(_, key, unit)| unit.order(key));
        }
        units
    }

    /// The object that has the name of a router, if it is before a place in the order.
    pub(super) fn owner(&self, router: &str, before: &Order<'_>) -> Option<&Key> {
        self.first(Category::Router, router, before)
    }

    /// The first object that contributes to a name, if it is before a place in the order.
    pub(super) fn first(&self, category: Category, name: &str, before: &Order<'_>) -> Option<&Key> {
        let known = self.names.of(Mark::name(category, name));
        known
            .filter_map(|id| self.get(id))
            .filter(|(_, unit)| unit.contributes(category, name))
            .map(|(key, unit)| (unit.order(key), key))
            .filter(|(order, _)| order < before)
            .min_by_key(|(order, _)| *order)
            .map(|(_, key)| &**key)
    }
}
