//! Pollux

pub mod command;
pub mod history;
pub mod ingest;
pub mod model;
#[cfg(feature = "desktop")]
pub mod panel;
pub mod scene;
pub mod source;
pub mod twin;
#[cfg(feature = "desktop")]
pub mod view;
