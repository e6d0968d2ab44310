//! Test servers, raw clients, certificates and the golden runner; development only.
