//! Model to immutable, validated, runnable; state carried over; publication.
