//! The bounded way from a source's thread to the world.

use crate::twin::Sample;

/// Samples of one source, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Batch {
    /// The binding table that made these indices: rises by one with each scene reload.
    pub generation: u32,
    pub samples: Vec<Sample>,
}

/// The sending end, owned by the source's thread.
pub struct Mailbox {}
