//! Recordings: every minute that Pollux watches, in files that explain themselves, here and in other people's tools.
//!
//! In: raw messages, events, keyframes, the files of the scene. Out: MCAP files (<https://mcap.dev/spec>), and what they
//! hold when they are opened again. [`format`](mod@format) says what stands where in such a file, [`read`] opens them,
//! [`unpack`](fn@unpack) takes the scene out of one. Never touches the network, knows no window.
//!
//! [`Recorder`] writes on a thread of its own. Listeners hand over what they hear through a [`RawTap`](crate::source::mqtt::RawTap),
//! the analysis hands over its conclusions and [`KeyframeBuilder`]s through a [`RecordSink`]; both leave it in a bounded box and go on. What does
//! not fit is dropped and counted: a slow, full or vanished disk delays nobody, and says so.
//!
//! What is lost, and when: if this program dies, what came in the last half second and the time of a write; if the power
//! fails, what came in the last five seconds and the time of a sync, as the disk is asked so often (`fdatasync`) to make
//! durable what it was given, and once more at the end of a file. Only the recorder's thread ever waits for that. A file
//! that breaks off for lack of room gets its index when there is room again. The file that is being written is locked where
//! the system knows advisory locks: repair refuses it, replay shows what it holds.

pub mod attach;
mod batch;
mod conclusion;
mod disk;
mod forecast;
pub mod format;
mod inbox;
mod keyframe;
mod machine;
pub mod notes;
mod options;
mod produced;
pub mod read;
mod recorder;
mod ring;
mod series;
mod states;
mod status;
mod switch;
mod unpack;
mod writer;

pub use attach::SceneFiles;
pub(crate) use batch::Raw;
pub use conclusion::Conclusion;
pub use forecast::RecordedForecast;
pub use keyframe::KeyframeBuilder;
pub use options::{Keep, RecordOptions, Roll};
pub use produced::{NamedSample, ProducedSamples};
pub use recorder::{RecordError, RecordSink, Recorder};
pub use states::LARGE_STATE;
pub use status::{RecordState, RecordStatus, Recording};
pub use switch::TapSwitch;
pub use unpack::{UnpackError, unpack};
pub use writer::write_options;
pub(crate) use writer::{Framed, RecordFile, WriteError, message_metadata, partial};

pub(super) fn plugin(app: &mut bevy::app::App) {
    app.init_resource::<Recording>();
}
