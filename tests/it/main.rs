//! Integration tests: one crate, so that Bevy is linked once.

mod core;
mod models;
