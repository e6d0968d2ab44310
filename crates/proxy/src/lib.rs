//! The data plane: accept, handshake, connection, exchange, forward, answer.
