//! Integration tests: one crate, so that it links once.

mod models;
#[cfg(feature = "desktop")]
mod picture;
