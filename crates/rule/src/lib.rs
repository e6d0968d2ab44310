//! The rule language: text to tree to matcher to index.
