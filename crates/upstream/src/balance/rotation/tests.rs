use super::*;
use crate::Random;

fn always(_: usize) -> bool {
    true
}

/// The names of the next turns, which are letters.
fn turns(rotation: &Rotation, count: usize) -> String {
    let letter = |seat: &Seat| ('a'..='z').find(|one| hash(&one.to_string()) == seat.name);
    let next = |_| rotation.next(always).and_then(|member| letter(&rotation.members[member]));
    (0..count).filter_map(next).collect()
}

#[track_caller]
fn check(members: &[(&str, u64)], expected: &str) {
    assert_eq!(turns(&Rotation::new(members, None), expected.len()), expected);
}

#[test]
fn equal_weights_take_turns() {
    check(&[("a", 1), ("b", 1), ("c", 1)], "abcabca");
    check(&[("a", 7), ("b", 7)], "ababab");
}

#[test]
fn shares_follow_weights_and_are_spread() {
    check(&[("a", 3), ("b", 1)], "aaabaaab");
    check(&[("a", 4), ("b", 2)], "aabaab");
}

#[test]
fn huge_weights_keep_their_shares() {
    let most = u64::MAX / 2;
    let taken = turns(&Rotation::new(&[("a", most), ("b", most), ("c", 1)], None), 4096);
    let share = taken.matches('a').count();
    assert!((2040..=2050).contains(&share), "{share}");
}

#[test]
fn turns_of_what_is_not_usable_go_to_the_next() {
    let rotation = Rotation::new(&[("a", 1), ("b", 1), ("c", 1)], None);
    let without_b = |member: usize| member != 1;
    let taken: Vec<_> = (0..6).filter_map(|_| rotation.next(without_b)).collect();
    assert_eq!(taken, [0, 2, 0, 2, 0, 2]);
    assert_eq!(rotation.next(|_| false), None);
    assert_eq!(Rotation::new(&[], None).next(always), None);
}

#[test]
fn members_that_stay_go_on_and_new_ones_wait_for_their_turn() {
    let before = Rotation::new(&[("a", 1), ("b", 1), ("c", 1)], None);
    assert_eq!(turns(&before, 1), "a");
    let after = Rotation::new(&[("a", 1), ("b", 1), ("d", 1)], Some(&before));
    assert_eq!(turns(&after, 6), "badbad", "a had its turn, and b's was next");
    let grown = Rotation::new(&[("e", 1), ("a", 1), ("b", 1), ("d", 1)], Some(&after));
    assert_eq!(turns(&grown, 8), "beadbead");
}

#[test]
fn members_of_one_name_keep_a_turn_each() {
    let before = Rotation::new(&[("a", 1), ("a", 1), ("b", 1)], None);
    assert_eq!(turns(&before, 2), "aa");
    let after = Rotation::new(&[("a", 1), ("a", 1), ("c", 1), ("b", 1)], Some(&before));
    assert_eq!(turns(&after, 4), "baac");
}

/// However servers come and go, those that are there all the time get the same for their weight, those that come
/// get no burst, and all get what their weights are of the whole.
#[test]
fn shares_stay_fair_while_members_come_and_go() {
    let names: Vec<String> = (0..12).map(|number| format!("s{number}")).collect();
    for seed in 0..8 {
        let random = Random::seeded(seed);
        let weights: Vec<u64> = (0..12).map(|_| 1 + random.below(5) as u64).collect();
        // The first four stay.
        let mut present = [true; 12];
        let mut rotation = Rotation::new(&members(&names, &weights, &present), None);
        let mut taken = [0u64; 12];
        let mut due = [0.0f64; 12];
        let mut picks = 0;
        while picks < 100_000 {
            let one = 4 + random.below(8);
            present[one] = !present[one];
            let total: u64 = (0..12).filter(|n| present[*n]).map(|n| weights[n]).sum();
            rotation = Rotation::new(&members(&names, &weights, &present), Some(&rotation));
            let here: Vec<usize> = (0..12).filter(|n| present[*n]).collect();
            let mut burst = [0u64; 12];
            let rounds = 1 + random.below(40);
            for _ in 0..rounds {
                let member = here[rotation.next(always).unwrap()];
                taken[member] += 1;
                burst[member] += 1;
                for n in &here {
                    due[*n] += weights[*n] as f64 / total as f64;
                }
            }
            for n in here {
                let most = rounds as f64 * weights[n] as f64 / total as f64;
                assert!(burst[n] as f64 <= most + 3.0, "{n} got {} of {most}", burst[n]);
            }
            picks += rounds;
            let rate = |n: usize| taken[n] as f64 / weights[n] as f64;
            for n in 1..4 {
                let apart = (rate(0) - rate(n)).abs();
                assert!(apart <= 2.0, "{n}: {apart} rounds apart after {picks}");
            }
        }
        for n in 0..12 {
            let part = taken[n] as f64 / due[n];
            assert!((0.8..1.1).contains(&part), "{n} got {part} of its due, seed {seed}");
        }
    }
}

fn members<'a>(names: &'a [String], weights: &[u64], present: &[bool; 12]) -> Vec<(&'a str, u64)> {
    (0..12).filter(|n| present[*n]).map(|n| (names[n].as_str(), weights[n])).collect()
}

#[test]
fn many_threads_take_exact_shares() {
    let rotation = Rotation::new(&[("a", 5), ("b", 2), ("c", 1)], None);
    let counts: [AtomicUsize; 3] = Default::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    counts[rotation.next(always).unwrap()].fetch_add(1, Relaxed);
                }
            });
        }
    });
    assert_eq!(counts.map(AtomicUsize::into_inner), [50_000, 20_000, 10_000]);
}
