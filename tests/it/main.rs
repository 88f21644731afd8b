//! Integration tests: one crate, so that the library is linked once.

mod scene;
