use std::{collections::BTreeMap, sync::Arc};

use super::Names;

/// A small deterministic source of numbers.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn listed(names: &Names<u64>) -> Vec<(String, u64)> {
    names.iter().map(|(name, value)| (name.to_string(), **value)).collect()
}

#[test]
fn random_edits_do_what_they_do_to_a_map_and_leave_earlier_versions_alone() {
    let mut draw = Draw(7);
    let (mut names, mut map) = (Names::default(), BTreeMap::new());
    for round in 0..300 {
        let (before, map_before) = (names.clone(), map.clone());
        for _ in 0..draw.below(40) {
            let name = format!("n{}", draw.below(2000));
            if (round / 50) % 2 == 0 || draw.below(4) == 0 {
                assert_eq!(names.insert(name.as_str(), round).map(|v| *v), map.insert(name, round));
            } else {
                assert_eq!(names.remove(&name).map(|v| *v), map.remove(&name));
            }
        }
        let expected: Vec<_> = map.clone().into_iter().collect();
        assert_eq!((listed(&names), names.len()), (expected, map.len()));
        let kept: Vec<_> = map_before.clone().into_iter().collect();
        assert_eq!(listed(&before), kept);
        for number in 0..100 {
            let name = format!("n{number}");
            assert_eq!(names.get(&name).map(|v| **v), map.get(&name).copied());
        }
        let mut replayed = map_before;
        for change in names.changes(&before) {
            assert_eq!(change.before.map(|v| **v), replayed.get(&**change.name).copied());
            match change.now {
                Some(now) => replayed.insert(change.name.to_string(), **now),
                None => replayed.remove(&**change.name),
            };
        }
        assert_eq!(replayed, map);
    }
}

#[test]
fn a_change_among_many_is_found_without_a_look_at_the_rest() {
    let names: Names<u64> = (0..100_000).map(|n| (format!("n{n:06}"), n)).collect();
    let mut edited = names.clone();
    edited.insert("n050000x", 1);
    edited.remove("n070000");
    edited.insert("n000001", 2);
    let changed: Vec<_> = edited.changes(&names).map(|change| change.name.to_string()).collect();
    assert_eq!(changed, ["n000001", "n050000x", "n070000"]);
    let shared = |block: &Arc<_>| names.blocks.iter().any(|known| Arc::ptr_eq(known, block));
    let own = edited.blocks.iter().filter(|block| !shared(block)).count();
    assert!(own <= 4, "{own} blocks were copied");
}

#[test]
fn equal_objects_are_shared_with_the_version_before() {
    let before: Names<u64> = (0..1000).map(|n| (format!("n{n:04}"), n)).collect();
    let mut now: Names<u64> = (0..1000).map(|n| (format!("n{n:04}"), n)).collect();
    assert_eq!(now.changes(&before).count(), 1000);
    now.share(&before);
    assert_eq!(now.changes(&before).count(), 0);
    let mut now: Names<u64> = (0..1000).map(|n| (format!("n{n:04}"), n.max(1))).collect();
    now.share(&before);
    assert_eq!(now.changes(&before).count(), 1);
    assert!(now != before);
    let own = now.blocks.iter().zip(&before.blocks).filter(|(now, was)| !Arc::ptr_eq(now, was));
    assert_eq!(own.count(), 1);
    let mut fewer: Names<u64> = (1..1000).map(|n| (format!("n{n:04}"), n)).collect();
    fewer.share(&before);
    assert_eq!(fewer.changes(&before).count(), 1);
    assert_eq!(fewer.len(), 999);
}
