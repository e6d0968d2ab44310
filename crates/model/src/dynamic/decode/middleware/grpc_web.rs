//! `grpcWeb` out of a tree.

use crate::{Fields, Node, Problem, dynamic::GrpcWeb};

/// Reads `grpcWeb`.
pub(super) fn grpc_web(node: &Node, path: &str, problems: &mut Vec<Problem>) -> GrpcWeb {
    let mut fields = Fields::open(node, path, problems);
    let grpc_web = GrpcWeb { allow_origins: fields.strings("allowOrigins") };
    fields.close();
    grpc_web
}
