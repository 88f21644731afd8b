//! A running plant as others keep it. In: a plant now and then, from the thread that runs it. Out: the newest one as
//! bytes, and a plant again. A recording keeps it in its keyframes, so that an experiment can begin where the plant was.

use std::sync::{Arc, Mutex, PoisonError};

use super::{MakeError, Options, Plant, Profile, RestoreError, StandIn};
use crate::scene::Scene;
use crate::value::Timestamp;

/// Of the layout of [`Portrait::latest`].
pub const VERSION: u16 = 3;
/// Start, seed, share of the hidden truth, story, whether somebody else commands.
const HEAD: usize = 8 + 8 + 8 + 1 + 1;

/// The newest state of a plant that runs; clones show the same.
#[derive(Clone, Debug, Default)]
pub struct Portrait(Arc<Mutex<Option<Vec<u8>>>>);

/// Bytes that no plant can be made of.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum TakeError {
    #[error(transparent)]
    Make(#[from] MakeError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
}

impl Portrait {
    /// Shows a plant that began at `epoch`.
    pub fn show(&self, plant: &Plant, epoch: Timestamp) {
        let options = &plant.options;
        let mut bytes = Vec::with_capacity(HEAD + 4096);
        bytes.extend(epoch.0.to_le_bytes());
        bytes.extend(options.seed.to_le_bytes());
        bytes.extend(options.truth.to_bits().to_le_bytes());
        bytes.extend([u8::from(options.story), u8::from(options.commanded) + 2 * u8::from(options.operated)]);
        bytes.extend(plant.to_bytes());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
    }

    /// The newest one, as [`Plant::taken_up`] reads it.
    pub fn latest(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Plant {
    /// The plant of a scene as a portrait showed it, and the source time of its start. A portrait does not hold what
    /// stand-ins were made of, nor what files hold that inputs follow: those come with the caller.
    pub fn taken_up(
        scene: Arc<Scene>,
        portrait: &[u8],
        stand_in: Option<StandIn>,
        profiles: Vec<Profile>,
    ) -> Result<(Self, Timestamp), TakeError> {
        let (head, state) = portrait.split_at_checked(HEAD).ok_or(RestoreError::Damaged)?;
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&head[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        let (seed, truth, story, commanded) = (number(8), f64::from_bits(number(16)), head[24] != 0, head[25] & 1 != 0);
        let operated = head[25] & 2 != 0;
        let (driven, controlled) = (Vec::new(), false);
        let options = Options { seed, truth, story, stand_in, commanded, operated, controlled, driven, profiles };
        let mut plant = Self::new(scene, options)?;
        plant.restore(state)?;
        Ok((plant, Timestamp(number(0) as i64)))
    }
}
