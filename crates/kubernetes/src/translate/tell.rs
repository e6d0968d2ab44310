//! What is told of objects: in diagnostics, and for their status.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{Diagnostic, Problem};

use super::{Said, Translator, place, translator::Round};
use crate::{
    Index,
    api::{Group, Key, Object},
};

impl Translator {
    /// Says what became of the units that changed.
    pub(super) fn tell(&mut self, index: &Index, mut round: Round) {
        for id in round.told {
            let Some((key, unit)) = self.units.get_mut(id) else { continue };
            let is_diagnosed = unit.all_told().next().is_some();
            let was_diagnosed = std::mem::replace(&mut unit.is_diagnosed, is_diagnosed);
            if was_diagnosed || is_diagnosed {
                round.diagnosed.insert(key.to_string(), Key::clone(key));
            }
            if !key.kind.is_reported() {
                continue;
            }
            let parts = unit.parts.iter().cloned().chain(unit.whole_part()).collect();
            let said = Said { parts, told: unit.all_told().cloned().collect() };
            match said == Said::default() {
                true => drop(self.translated.objects.remove(key)),
                false => drop(self.translated.objects.insert(Arc::clone(key), said)),
            }
        }
        if !round.diagnosed.is_empty() {
            self.diagnose(index, round.diagnosed);
        }
    }

    /// Replaces the diagnostics of these objects, which are told by one name where they are of several groups.
    fn diagnose(&mut self, index: &Index, objects: BTreeMap<String, Key>) {
        let diagnostics = &mut self.translated.config.diagnostics;
        diagnostics.retain(|diagnostic| !objects.contains_key(&diagnostic.object));
        for (name, key) in objects {
            for group in [Group::Kubernetes, Group::TraefikIo, Group::TraefikContainous] {
                let key = Key { group, ..key.clone() };
                let unit = self.units.of_key(&key);
                let Some((unit, object)) = unit.zip(index.exactly(&key)) else { continue };
                let told = unit.all_told();
                diagnostics.extend(told.map(|problem| diagnostic(&name, object, problem)));
            }
        }
        // Those of one object stay in the order in which they were told.
        diagnostics.sort_by(|a, b| {
            (&a.object, &a.field, &a.message).cmp(&(&b.object, &b.field, &b.message))
        });
    }
}

fn diagnostic(name: &str, object: &Object, problem: &Problem) -> Diagnostic {
    Diagnostic {
        severity: problem.severity,
        object: name.to_owned(),
        field: problem.field.clone(),
        message: problem.message.clone(),
        place: place(object, problem.at),
    }
}
