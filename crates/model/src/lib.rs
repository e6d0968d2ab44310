//! What the user wrote: static and dynamic configuration, names, units, diagnostics; no IO.
