//! Integration tests: one crate, so that the library is linked once.

mod models;
mod plant;
mod plant_thread;
mod scene;
