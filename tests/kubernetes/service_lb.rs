//! The ways from a client to Portway on k3s, and whose address the servers are told of.
//!
//! ```text
//! client ── node 1 ─┬─ ServiceLB's pod        Portway's pod is on node 1; the file for k3s runs it
//!    └───── node 2 ─┼─ ServiceLB's pod
//!                   └─ Portway's pod
//! ```
//!
//! Each is a network namespace; kube-proxy, the CNI's port mapping and klipper-lb are packet filter rules that do what
//! theirs do. What is asserted here is what `docs/client-address.md` says.

use std::net::{Ipv4Addr, SocketAddr};

use portway_testkit::client::Client;
use portway_testkit::namespace::{Namespace, can_filter};
use serde_json::json;

use super::installed::{BACKEND, Installed};
use super::until;

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
const NODES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 51), Ipv4Addr::new(10, 0, 0, 52)];
const PORTWAY: Ipv4Addr = Ipv4Addr::new(10, 42, 0, 20);

/// The address of Portway's Service inside the cluster.
const SERVICE: Ipv4Addr = Ipv4Addr::new(10, 43, 0, 10);

/// How a packet to port 80 of a node comes to Portway.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// By kube-proxy, because the node's address is in the Service's status; `externalTrafficPolicy: Cluster`.
    Cluster,
    /// The same with `externalTrafficPolicy: Local`.
    Local,
    /// By ServiceLB's pod, because the address is not in the status; `externalTrafficPolicy: Cluster`.
    PodOfCluster,
    /// The same with `externalTrafficPolicy: Local`.
    PodOfLocal,
    /// By the CNI's port mapping to Portway's own pod, on its node.
    HostPort,
}

/// A node's own address in the network of pods.
fn gateway(node: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 42, node as u8, 1)
}

/// A node's end of the tunnel to the other nodes' pods (flannel's VXLAN).
fn tunnel(node: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 42, node as u8, 0)
}

/// ServiceLB's pod of a node.
fn balancer(node: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 42, node as u8, 9)
}

/// The rules of a node.
fn node_rules(way: Way, node: usize) -> String {
    let (own, to_portway) = (NODES[node], format!("dnat to {PORTWAY}:8000"));
    let here = format!("ip daddr {own} tcp dport 80");
    let rule = match way {
        Way::Cluster => format!("{here} meta mark set 0x4000 {to_portway}"),
        // Only the node of Portway's pod leads to it.
        Way::Local | Way::HostPort if node != 0 => String::new(),
        Way::Local | Way::HostPort => format!("{here} {to_portway}"),
        Way::PodOfCluster => format!("{here} dnat to {}:80", balancer(node)),
        Way::PodOfLocal if node != 0 => format!("{here} dnat to {}:80", balancer(node)),
        Way::PodOfLocal => format!(
            "{here} dnat to {}:80\nip daddr {own} tcp dport 30080 {to_portway}",
            balancer(node)
        ),
    };
    // A pod that asks its own node's port must not get an answer from itself.
    let hairpin = match way {
        Way::HostPort => format!("ip saddr {PORTWAY} ip daddr {PORTWAY} masquerade"),
        _ => String::new(),
    };
    format!(
        "table ip nat {{
           chain in {{ type nat hook prerouting priority dstnat;
             {rule}
             ip daddr {SERVICE} tcp dport 80 {to_portway}
           }}
           chain out {{ type nat hook postrouting priority srcnat;
             meta mark 0x4000 masquerade
             {hairpin}
           }}
         }}"
    )
}

/// The rules of ServiceLB's pod on a node, as klipper-lb's entry script makes them.
fn balancer_rules(way: Way, node: usize) -> String {
    let (to, port) = match way {
        Way::PodOfLocal => (NODES[node], 30080),
        _ => (SERVICE, 80),
    };
    format!(
        "table ip filter {{
           chain forward {{ type filter hook forward priority filter;
             ip saddr 0.0.0.0/0 tcp dport {port} accept
             ip daddr {to} tcp dport {port} drop
           }}
         }}
         table ip nat {{
           chain in {{ type nat hook prerouting priority dstnat;
             tcp dport 80 dnat to {to}:{port}
           }}
           chain out {{ type nat hook postrouting priority srcnat;
             ip daddr {to} ip protocol tcp masquerade
           }}
         }}"
    )
}

/// Client, two nodes with ServiceLB's pods, and the pod of Portway, in which the calling thread stays.
struct Network {
    client: Namespace,
    nodes: [Namespace; 2],
    balancers: [Namespace; 2],
    _portway: Namespace,
}

impl Network {
    fn new() -> Option<Self> {
        let node = |number| -> Option<(Namespace, Namespace)> {
            let (node, pod) = (Namespace::new("node")?, Namespace::new("svclb")?);
            node.link(gateway(number), &pod, balancer(number));
            pod.ip(&format!("route add default via {}", gateway(number)));
            node.forward();
            pod.forward();
            Some((node, pod))
        };
        let client = Namespace::new("client")?;
        let ((first, first_pod), (second, second_pod)) = (node(0)?, node(1)?);
        client.link(CLIENT, &first, NODES[0]);
        client.link(CLIENT, &second, NODES[1]);
        first.link(tunnel(0), &second, tunnel(1));
        first.ip(&format!("route add 10.42.1.0/24 via {}", tunnel(1)));
        second.ip(&format!("route add 10.42.0.0/24 via {}", tunnel(0)));
        let portway = Namespace::enter("portway", &[BACKEND])?;
        first.link(gateway(0), &portway, PORTWAY);
        portway.ip(&format!("route add default via {}", gateway(0)));
        Some(Self {
            client,
            nodes: [first, second],
            balancers: [first_pod, second_pod],
            _portway: portway,
        })
    }

    fn go(&self, way: Way) {
        for number in 0..2 {
            self.nodes[number].filter(&node_rules(way, number));
            self.balancers[number].filter(&balancer_rules(way, number));
        }
    }

    /// Asks for port 80 of a node, and returns the address that the server was told of.
    #[track_caller]
    fn seen(&self, node: usize) -> String {
        let request = "GET /echo HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\n\r\n";
        let connected = self.client.visit(|| Client::connect(SocketAddr::from((NODES[node], 80))));
        let answer = connected.and_then(|mut client| client.ask(request)).expect("an answer");
        let text = answer.text();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        assert_eq!(field("x-real-ip: "), field("x-forwarded-for: "), "{text}");
        field("x-forwarded-for: ").unwrap_or_else(|| panic!("no address: {text}")).to_owned()
    }
}

#[test]
fn each_way_leads_to_portway_and_shows_the_address_that_is_documented() {
    if !can_filter() {
        return;
    }
    let Some(network) = Network::new() else { return };
    let Some(installed) = Installed::start() else { return };
    // Where a way does not lead to other nodes, nothing answers on the second one, which has no Portway.
    let ways: [(Way, &[Ipv4Addr]); 5] = [
        (Way::Cluster, &[gateway(0), tunnel(1)]),
        (Way::Local, &[CLIENT]),
        (Way::PodOfCluster, &[balancer(0), balancer(1)]),
        (Way::PodOfLocal, &[balancer(0)]),
        (Way::HostPort, &[CLIENT]),
    ];
    for (way, expected) in ways {
        network.go(way);
        for (node, address) in expected.iter().enumerate() {
            assert_eq!(network.seen(node), address.to_string(), "{way:?}, node {}", node + 1);
        }
    }

    // The addresses that ServiceLB publishes become those of Ingresses.
    let addresses = NODES.map(|node| json!({"ip": node.to_string()}));
    let status = json!({"status": {"loadBalancer": {"ingress": addresses}}}).to_string();
    let service = ["-n", "portway", "patch", "service", "portway", "--subresource=status", "-p"];
    installed.plane.run(&[&service[..], &[&status]].concat(), "");
    until(
        || installed.plane.run(&["get", "ingress", "web"], ""),
        |shown| NODES.iter().all(|node| shown.contains(&node.to_string())),
    );
}
