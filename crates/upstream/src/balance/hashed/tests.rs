use std::net::Ipv4Addr;

use super::*;

fn named(members: &[(&str, f64)]) -> Vec<Named> {
    members.iter().map(|(name, weight)| Named { name: (*name).into(), weight: *weight }).collect()
}

fn always(_: usize) -> bool {
    true
}

#[test]
fn the_hash_is_fnv_1a() {
    let hash = |text: &str| {
        let mut hash = Fnv1a::default();
        hash.add(text.as_bytes());
        hash.0
    };
    // Noll's test vectors.
    assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
}

#[test]
fn an_address_is_the_same_client_through_sockets_of_either_family() {
    let members = named(&[("a", 1.0), ("b", 1.0), ("c", 1.0), ("d", 1.0)]);
    for client in (0..500).map(Ipv4Addr::from_bits) {
        let mapped = client.to_ipv6_mapped();
        assert_eq!(pick(&members, client.into(), always), pick(&members, mapped.into(), always));
    }
}

#[test]
fn shares_follow_weights() {
    let members = named(&[("http://10.0.0.1:80", 3.0), ("http://10.0.0.2:80", 1.0)]);
    let clients = (0..40_000u32).map(|n| Ipv4Addr::from_bits(n.wrapping_mul(2_654_435_761)));
    let first = clients.filter(|client| pick(&members, (*client).into(), always) == Some(0));
    let share = first.count();
    assert!((28_500..31_500).contains(&share), "{share}");
}

#[test]
fn a_member_that_goes_moves_its_own_clients_only() {
    let names: Vec<String> = (0..10).map(|n| format!("http://10.0.0.{n}:80")).collect();
    let weights = [1.0, 2.0, 5.0, 1.0, 1.0, 3.0, 1.0, 1.0, 2.0, 1.0];
    let members: Vec<_> = names.iter().map(String::as_str).zip(weights).collect();
    let all = named(&members);
    for (gone, name) in names.iter().enumerate() {
        let left: Vec<_> = members.iter().copied().filter(|one| one.0 != name).collect();
        let left = named(&left);
        for client in (0..2_000u32).map(|n| Ipv4Addr::from_bits(n.wrapping_mul(2_654_435_761))) {
            let client = client.into();
            let before = pick(&all, client, always).unwrap();
            let after = pick(&left, client, always).unwrap();
            if before != gone {
                assert_eq!(all[before].name, left[after].name, "{client}");
            }
            // Down is as good as gone.
            let without = pick(&all, client, |member| member != gone).unwrap();
            assert_eq!(all[without].name, left[after].name);
        }
    }
}
