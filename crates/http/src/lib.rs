//! HTTP vocabulary, the HTTP/1.1 codec and the HTTP/2 engine: heads, headers, framing, canonical host
//! and path; no IO.
//!
//! Every other crate reads requests and responses through the types of this one, so that a
//! name, a path or a host is parsed and normalised once and means the same to the router, the
//! middlewares, the logs and the server that receives the request.
//!
//! # Invariants
//!
//! - A [`Headers`] holds only valid field names and only values without control characters
//!   (tab excepted): whatever is written from it cannot contain a line break.
//! - A parsed [`Request`] has exactly one framing ([`BodyFraming`]); where RFC 9112 lets two
//!   readers disagree the request was refused.
//! - The heads of messages own recycled buffers: after warm-up a plain request allocates nothing.

mod accept;
mod answer;
mod body;
mod chunked;
pub mod codec;
mod connection;
mod forwarded;
mod grpc;
pub mod h2;
mod headers;
mod hop;
mod host;
mod method;
mod refusal;
mod request;
mod response;
mod status;
mod target;
mod version;
mod words;

pub use accept::preferred_type;
pub use answer::Answer;
pub use body::{BodyError, BodyFraming, BodyReader, BodyStep};
pub use chunked::{ChunkedDecoder, TrailerLimits};
pub use connection::{is_websocket, upgrade_type, websocket_header_case};
pub use forwarded::{ForwardedRules, TrustedPeers, append_forwarded_for, is_managed};
pub use grpc::grpc_answer;
pub use headers::{
    Field, FieldName, HeaderName, HeaderValue, Headers, InvalidName, InvalidValue, Known,
    NameQuery, StaticName,
};
pub use hop::{remove_request_hop_by_hop, remove_response_hop_by_hop};
pub use host::{canonical_host, is_valid_host, split_host_port};
pub use method::{InvalidMethod, Method, OtherMethod};
pub use refusal::{Reason, Refusal};
pub use request::{AliasHeaders, CanonicalRules, Request};
pub use response::{Response, ResponseError};
pub use status::Status;
pub use target::{InvalidPath, Stripped, Target, TargetForm, deny_encoded, routing_path};
pub use version::Version;
