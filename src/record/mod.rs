//! Recordings: every minute that Pollux watches, in files that explain themselves, here and in other people's tools.
//!
//! In: raw messages, events, keyframes, the files of the scene. Out: MCAP files (<https://mcap.dev/spec>), and what they
//! hold when they are opened again. [`format`](mod@format) says what stands where in such a file. Never touches the
//! network, knows no window.

pub mod format;
pub mod notes;
