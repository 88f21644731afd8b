//! Pollux is a desktop program for digital twins: it mirrors a plant live in 3D, remembers what it did, and lets an
//! operator break it on purpose without harm.
//!
//! # The way of the data
//!
//! One direction, no back and forth:
//!
//! ```text
//! sources ──► decode + bind ──► mailbox ──► analysis ──► cursor ──► Current components ──► views
//! (threads: broker,  (topic → signal,  (bounded   (a thread:      (live, paused    (ECS state at   (3D, panels)
//!  simulated plant)   bytes → value)    batches)   history,        or playing)      the cursor,
//!                                                  derived,                         AlarmBoard)
//!                                                  alarms,  ──► journal ──► store, events file
//!                                                  events)
//! operator ──► OperatorCommand ──► one applier ──► cursor, attention, camera, alarms, edits of the scene
//! ```
//!
//! Everything up to the analysis goes on without frames, so that nothing is missed while a window is hidden; a frame only
//! reads what is known, at the cursor. Live and paused are the same picture: views show the world at the
//! [cursor](history::Cursor), and live only means that the cursor follows the newest data. Nothing after the mailbox knows
//! where samples come from.
//!
//! # Rooms
//!
//! | room | in | out |
//! | --- | --- | --- |
//! | [`scene`] | RON files | a resolved [`Scene`](scene::Scene), or every issue at once |
//! | [`source`] | brokers, the embedded broker, the plant | batches of samples, counters |
//! | [`ingest`] | topic and payload | samples |
//! | [`analysis`] | batches, operators' deeds | history and what follows from samples, in a thread of its own |
//! | [`alarm`] | rules, samples in order of arrival | states and transitions after ISA-18.2, floods, statistics |
//! | [`event`] | transitions and other news | the journal, the store that survives a restart, exports |
//! | [`record`] | raw messages, events, keyframes | MCAP files, and what they hold when opened again |
//! | [`recent`] | what was opened | the last ten, in the user's state folder |
//! | [`export`] | recordings | CSV, Parquet, InfluxDB lines, trimmed recordings |
//! | [`history`] | samples | the newest at a moment, min and max per pixel |
//! | [`value`] | text, bytes | time, value, quality, unit, sample |
//! | [`stage`] | scene, history, cursor | entities with [`Current`](stage::Current) |
//! | [`model`] | inputs, parameters, a seed | what a simulated machine does |
//! | [`command`] | what an operator asks for | cursor, attention, alarms |
//! | [`session`] | what to open | a running world |
//! | [`replay`] | recordings | a world of the past: the same picture at any moment of it |
//! | [`beside`] | a second recording, the cursor | [`Counterpart`](beside::Counterpart) values, differences, which events met |
//! | [`state`] | the world | the JSON of `--state` |
//! | `view` | components | 3D (feature `desktop`) |
//! | `panel` | plain view structs | egui, operator commands (feature `desktop`) |
//! | [`cli`] | arguments | an exit code |
//!
//! # Invariants
//!
//! - Core never names winit, egui or a GPU type. `view` and `panel` never write twin state: they read, and send commands.
//! - Only `source` touches the network while running; only `session` starts sources. A world made without it, such as a
//!   replay, cannot reach a broker. Only the store, the events file, `session`, `record`, `replay` and `recent`
//!   touch the disk.
//! - Alarms are judged on every sample, in source time, whatever frames do: never missed, never invented. Whatever an
//!   operator does is an event: who, when, what, why.
//! - Analysis and models read no clock and no global randomness: time comes with the sample, randomness from a seed.
//! - Nothing is dropped in silence: every drop, coalesced sample, decode error and unknown topic has a counter that shows
//!   in the window and in `--state`.
//! - Source time orders data and never lies after receive time; receive time judges staleness, against the cursor. One
//!   [`Clock`](source::Clock) a session gives receive times and the moment that live shows.
//!
//! # A frame
//!
//! All systems stand in `Update`, in the order of [`TwinSet`]. Egui runs after, in its own schedule, and sends commands
//! that the next frame's [`TwinSet::Command`] carries out. Systems whose order is ambiguous are a test failure.

pub mod alarm;
pub mod analysis;
pub mod bench;
pub mod beside;
pub mod cli;
pub mod command;
pub mod event;
pub mod export;
pub mod history;
pub mod import;
pub mod ingest;
pub mod model;
#[cfg(feature = "desktop")]
pub mod panel;
pub mod recent;
pub mod record;
pub mod replay;
pub mod scene;
pub mod schedule;
pub mod session;
pub mod source;
pub mod stage;
pub mod state;
pub mod value;
#[cfg(feature = "desktop")]
pub mod view;

#[cfg(feature = "desktop")]
pub use panel::DesktopPlugins;
pub use schedule::TwinSet;
pub use stage::CorePlugins;
