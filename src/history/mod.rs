//! Every sample of every signal, and the one moment that all views show.

mod cursor;
mod store;

pub use cursor::{Cursor, Moment};
pub use store::{Bucket, History, Point, Usage};
