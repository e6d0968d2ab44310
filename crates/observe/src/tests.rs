//! Lines as Traefik 3.7 wrote them, and what happens to lines.

mod common;
mod fixtures;
mod json;
mod recorder;
