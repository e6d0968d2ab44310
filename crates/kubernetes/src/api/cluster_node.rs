//! Nodes of a cluster, as far as their addresses go.

use portway_model::{Fields, Node, Problem};

/// A `v1` Node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterNode {
    /// `status.addresses`, in the order written.
    pub addresses: Vec<NodeAddress>,
}

/// An address of a Node.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NodeAddress {
    /// `InternalIP`, `ExternalIP`, `Hostname` and the like.
    pub address_type: String,
    /// The address.
    pub address: String,
}

impl ClusterNode {
    pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        let empty = Node::empty_map();
        let status = node.get("status").unwrap_or(&empty);
        let mut fields = Fields::open(status, "status", problems);
        let addresses = fields.list("addresses", |node, path, problems| {
            let mut fields = Fields::open(node, path, problems);
            NodeAddress { address_type: fields.string("type"), address: fields.string("address") }
        });
        Self { addresses }
    }

    /// Its addresses of one type, such as `InternalIP`.
    pub fn addresses_of<'a>(&'a self, address_type: &'a str) -> impl Iterator<Item = &'a str> {
        let of_type = self.addresses.iter().filter(move |known| known.address_type == address_type);
        of_type.map(|known| known.address.as_str())
    }
}
