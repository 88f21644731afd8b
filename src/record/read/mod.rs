//! Recordings that are opened again.
//!
//! In: MCAP files, of Pollux or of others, whole or damaged. Out: keyframes, messages and events by their time, and what
//! is missing. Never writes, except [`repair`](fn@repair); never maps a file, so that a cut one gives an error and no signal;
//! takes no more memory than what the file really holds of the stretch that is asked for, whatever its lengths say.
//!
//! ```text
//! file ─summary─► (else) ─walk─► scan ─► index ─► chunk (decompress, CRC) ─► message ─► recording ─► timeline
//! ```

mod chunk;
mod damage;
mod error;
mod file;
mod index;
mod message;
mod own;
mod rebuild;
mod recording;
mod repair;
mod scan;
mod summary;
mod tail;
mod timeline;
mod verify;
mod walk;
mod wire;

pub use damage::Damage;
pub use error::ReadError;
pub use message::RawMessage;
pub use recording::{AttachmentEntry, ChannelInfo, RecordingFile, check_begin};
pub use repair::{Repaired, repair};
pub use timeline::Timeline;
