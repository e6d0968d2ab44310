//! Certificates, SNI choice and TLS options.
