//! HTTP vocabulary and the HTTP/1.1 codec: heads, headers, framing, canonical host and path; no IO.
