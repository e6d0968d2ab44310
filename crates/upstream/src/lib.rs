//! Services, balancing, connection pools and transports.
