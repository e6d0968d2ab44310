//! Bytes in, bytes out through the real binary.
