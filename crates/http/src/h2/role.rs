//! The two roles of an endpoint.

use super::connection::Connection;
use super::error::ConnectionError;
use super::event::Event;
use super::receive::Block;

/// What an endpoint is: [`Server`] or [`Client`].
pub trait Role: Sized + std::fmt::Debug {
    /// The heads that come.
    type Head;

    #[doc(hidden)]
    const IS_SERVER: bool;

    /// Gives back the memory of a head that has more than `most` bytes of it.
    #[doc(hidden)]
    fn forget_large(head: &mut Self::Head, most: usize);

    /// Takes a complete block of fields that came in HEADERS.
    #[doc(hidden)]
    fn take_head(
        connection: &mut Connection<Self>,
        block: Block,
        fields: &[u8],
        head: &mut Self::Head,
    ) -> Result<Option<Event>, ConnectionError>;
}

/// Takes requests.
#[derive(Debug)]
pub enum Server {}

/// Sends requests.
#[derive(Debug)]
pub enum Client {}
