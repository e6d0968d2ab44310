//! One file for each middleware, and the chain that runs them.
