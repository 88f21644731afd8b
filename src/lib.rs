//! Pollux is a desktop program for digital twins. Operators and engineers who have MQTT data point it at a broker and a
//! scene file; it mirrors their plant live in 3D, raises alarms after ISA-18.2, remembers every message, and shows any
//! moment again, beside other recordings. The core is an ECS without a window ([`CorePlugins`]); the feature `desktop`
//! adds the 3D view and the panels.
//!
//! # The way of the data
//!
//! One direction:
//!
//! ```text
//! broker ─► source ─► mailbox ─► one order ─► moments ─► producers ─► alarms ─► journal ─► store, events file,
//!          (decodes, on         └──────── analysis: in a thread, or as a run ────────┘     recording
//!           its thread)                           │
//!                                              history ─► cursor ─► Current, AlarmBoard ─► 3D view, panels
//!                                                         layers ─► Counterparts ───────►
//! equipment ◄── publisher ◄── outbox ◄── instruction ◄── InstructionCommand, in a live session that allows it
//! operator ─► OperatorCommand ─► the one handler of its group ─► cursor, alarms, journal, scene, recording, camera
//! ```
//!
//! A source decodes each message on a thread of its own and leaves the samples in a bounded mailbox. The analysis takes
//! the messages of all sources in one order and cuts each into moments. Per moment it appends the samples to the
//! history, lets producers compute theirs, judges the alarms and writes the journal. None of this waits for a frame. A
//! frame reads the result at the [cursor](history::Cursor); live means that the cursor follows the newest data.
//!
//! A [`Run`](run::Run) does the same in simulated time, without thread, clock and window: import, `pollux rejudge` and
//! tests use it. A replay fills the same history from a recording and judges nothing. [Layers](layers) show other
//! worlds at the moment that belongs to the cursor; nothing of them enters the shown world.
//!
//! Faults that an operator lays over live data make a second [`Knowledge`](analysis::Knowledge), the [overlay](analysis::OverlayView):
//! it learns what the true one learns, message by message, after faults of links have acted on the bytes and faults of
//! sensors on the samples. A layer shows it; no horn, store, recording or broker hears of it.
//!
//! # Rooms
//!
//! Lowest first. A room imports only rooms that stand before it in this table; a test over the imports keeps it so.
//!
//! | room | in | out |
//! | --- | --- | --- |
//! | [`files`] | a path, content | a file that is whole, or what stood there before |
//! | [`schedule`] | | the names of a frame's steps |
//! | [`value`] | text, bytes | time, value, unit, quality, sample, indices, random numbers |
//! | [`model`] | parameters, inputs, steps of time | states and outputs of machines: the catalogue of equations |
//! | [`network`] | machines and how they are tied | states: flows and outputs as they follow from each other |
//! | [`fault`] | faults as data, samples, messages, time | the same with the faults; adjustments of a network |
//! | [`scene`] | RON files | a resolved [`Scene`](scene::Scene), or every issue at once |
//! | [`history`] | samples, forecasts, the cursor | the newest at a moment, min and max per pixel, staleness |
//! | [`ingest`] | topic and payload | samples, cut into moments; and back to payloads |
//! | [`plant`] | a scene with models, a seed, time | messages as the real plant would send them |
//! | [`instruction`] | commands to equipment, deeds, answers, time | their states, the one message that each may send |
//! | [`alarm`] | rules, moments, deeds, time | changes of state after ISA-18.2, floods, statistics |
//! | [`event`] | changes and other news | the journal, the store that survives a restart, the events file |
//! | [`recent`] | files that were opened | the last ten, in the user's state folder |
//! | [`produce`] | moments, deeds, connections, time | samples, forecasts and events of producers; their memory |
//! | [`source`] | brokers, the embedded broker, the plant | batches of messages as samples, counters |
//! | [`record`] | raw messages, events, keyframes | MCAP files, and their contents when opened again |
//! | [`analysis`] | batches, deeds, connections, time | [`Knowledge`](analysis::Knowledge): history, alarms, journal |
//! | [`run`] | messages, deeds, connections, time | the same knowledge, and a hash of it |
//! | [`command`] | requests of an operator | the cursor, the attention, deeds; each other group to its handler |
//! | [`stage`] | scene, history, cursor | entities with [`Current`](stage::Current) |
//! | [`import`] | CSV, foreign MCAP, a scene | recordings |
//! | [`replay`] | recordings | a world that shows any recorded moment |
//! | [`session`] | a scene and options | a running world with its sources |
//! | [`scenario`] | scenario files, seeds | verdicts: what was broken, and what came of it |
//! | [`layers`] | recordings, forecasts and other worlds, the cursor | [`Counterparts`](layers::Counterparts), differences, the horizon |
//! | [`export`] | recordings | CSV, Parquet, InfluxDB lines, trimmed recordings |
//! | [`state`] | the world | the JSON of `--state` |
//! | `view` | components | 3D (feature `desktop`) |
//! | `panel` | a snapshot of the world | egui, operator commands (feature `desktop`) |
//! | `bench` | | measurements of this machine |
//! | [`cli`] | arguments | an exit code |
//!
//! # Glossary
//!
//! | word | meaning |
//! | --- | --- |
//! | scene | RON files: twin types, twins, links, brokers. A resolved scene has every index dense |
//! | twin | one mirrored thing, such as pump P-101: an entity |
//! | signal | one quantity of a twin with a unit: measured, derived or simulated |
//! | model | equations of one kind of machine, as data and a pure step: [`Model`](model::Model) |
//! | machine | a model with its own parameters and inputs in a network: [`Machine`](network::Machine) |
//! | network | machines and how they are tied; its [`State`](network::State) is all that changes |
//! | plant | a scene whose machines are simulated and report as the real ones would: [`Plant`](plant::Plant) |
//! | instrument | how a signal sees an output of a model: noise, resolution, lag, range, period: [`Instrument`](scene::Instrument) |
//! | profile | what an input of a model follows of a file, over time: [`Profile`](plant::Profile) |
//! | fault | a deliberate defect of a process, a sensor or a link, which are the three layers of faults: [`Fault`](fault::Fault) |
//! | course | when a fault begins, grows, ends and comes again: [`Course`](fault::Course) |
//! | bout | one stretch of time in which a fault is active: [`Bout`](fault::Bout) |
//! | site | where a fault acts: over live data, in a plant, in a test rig: [`Site`](fault::Site) |
//! | intervention | what somebody does to the faults of a plant that runs: [`Intervention`](source::plant::Intervention) |
//! | span | a fault from when it was set until it is gone, as the journal tells: [`FaultSpan`](event::FaultSpan) |
//! | overlay | the shown world as it would be with faults on live data; the true one stays as it is: [`OverlayView`](analysis::OverlayView) |
//! | to lay, to lift | to set a fault over live data, to clear it: [`Knowledge::lay`](analysis::Knowledge::lay) |
//! | whole message | a message that travels with its bytes beside its samples, as a fault of a link is on its topic |
//! | scenario, experiment | a file that says what is broken when, and what must come of it; the same resolved: [`Experiment`](scenario::Experiment) |
//! | expectation | what must come of an experiment: [`Expectation`](scenario::Expectation) |
//! | controller under test | somebody else's program that controls the simulated plant of an experiment: [`Controller`](scenario::against::Controller) |
//! | tick | what tells it that all of a step is said: [`TICK`](source::against::TICK) |
//! | command | what the equipment of a twin can be told: [`Command`](scene::Command). A simulated plant hears it as a value of the signal that an input names with `command` |
//! | instruction | a command with its arguments, from being prepared to a verdict: [`Instruction`](instruction::Instruction) |
//! | leave | proof that scene and user both allow commands to a broker, at the address it has: [`Leave`](instruction::Leave) |
//! | reading | the newest sample of a signal, and why no command may rely on it: [`Reading`](instruction::Reading) |
//! | stand-in | values of a signal that no model measures, invented or as in a recording: [`StandIn`](plant::StandIn) |
//! | sample | signal, source time, receive time, value, quality, origin: [`Sample`](value::Sample) |
//! | source time | when a value was true, by the device's clock; orders the data of a signal |
//! | receive time | when a message reached this program; orders messages, judges staleness |
//! | quality | Good, Uncertain, Stale or Bad, with a reason: [`Quality`](value::Quality) |
//! | origin | measured, derived, simulated, estimated or forecast; results inherit the least certain: [`Origin`](value::Origin) |
//! | the one order | of messages, answers, deeds and deadlines: receive time, then broker by name, then arrival. At one time deadlines come first, then messages, then deeds and connection news |
//! | place | where something stands in the one order |
//! | position | the place up to which the analysis has learnt everything: [`Knowledge::position`](analysis::Knowledge::position) |
//! | moment | samples that are concluded together: neighbours of one message with one source time: [`moments`](ingest::moments()) |
//! | producer | turns samples into samples, such as derived signals: [`Producer`](produce::Producer) |
//! | derived signal | a signal that an expression computes from others |
//! | settle | how long a derived signal waits for all of its inputs, in receive time: [`Derivation`](scene::Derivation) |
//! | answer | samples of a costly computation; it takes a place in the one order and is recorded: [`Answer`](produce::Answer) |
//! | forecast | issue time, signal, times and quantiles, kept apart from the history: [`Forecast`](history::Forecast) |
//! | alarm | a rule of the scene and its state. Its path is spelled `P-101/vibration.high`: [`AlarmPath`](scene::rule::AlarmPath) |
//! | deed | who did something to an alarm, when and why: [`Deed`](alarm::Deed) |
//! | event, journal | anything worth a mark on the timeline; all of them in order: [`Journal`](event::Journal) |
//! | knowledge | history, alarms, journal and producers' memory of one world: [`Knowledge`](analysis::Knowledge) |
//! | short way | from what a message would carry to the samples that would come of it, without its bytes: [`ShortWay`](ingest::ShortWay) |
//! | run | a world in simulated time: [`Run`](run::Run) |
//! | recording | MCAP files of one series: messages, events, keyframes and the scene |
//! | keyframe | all that was known at one place in the one order: [`Keyframe`](record::format::Keyframe) |
//! | segment | the stretch of a recording from one keyframe to the next; a replay loads whole ones |
//! | cursor | the one moment that every view shows: [`Cursor`](history::Cursor) |
//! | layer | another world drawn beside the shown one: [`Layer`](layers::Layer) |
//! | counterpart | a layer's value of a signal that both worlds have |
//! | horizon | how far beyond now the cursor may stand, because a layer reaches there: [`Horizon`](history::Horizon) |
//!
//! # Commands
//!
//! Each command of an operator is passed, one frame later and in order, to the one handler of its group; a world
//! without one refuses in words. A new command without a handler does not compile (see [`command`]).
//!
//! | group | who carries it out | where |
//! | --- | --- | --- |
//! | attention: select, trends | every world | `command::attention` |
//! | time: cursor, marks, steps | every world | `command::transport` |
//! | alarm: deeds, the horn | every world; a recording refuses | `command::alarms` |
//! | instruction: prepare, arm, send, cancel | a live session; a replay refuses | `session::instruct`, `replay::commands` |
//! | journal: notes, bookmarks, files of events | a live session, or a replay | `session::journal`, `replay::commands` |
//! | scene: reload, edit, undo | a live session; a replay refuses | `session::edit`, `replay::commands` |
//! | recording: begin, stop, keep the past | a live session; a replay refuses | `session::record`, `replay::commands` |
//! | open: another recording or scene | the window | `cli::opener` |
//! | layer: shift, ghosts, close | a world with layers beside it | `layers::project` |
//! | fault: inject, clear | a live session; a replay refuses | `session::faults`, `replay::commands` |
//! | scenario: save what was done by hand | a live session with a plant of its own | `scenario::save` |
//! | camera: focus, viewpoints | the 3D view | `view::camera` |
//!
//! # Invariants
//!
//! - Core never names winit, egui or a GPU type. `view` and `panel` never write twin state: they read, and send
//!   commands.
//! - Rooms point one way: a test over the imports fails with file and line.
//! - What is concluded depends on messages, deeds and their times alone, never on how a socket was read or a batch was
//!   cut. Live, replay, import and export give the same bits, but for stretches in which an overload coalesced samples
//!   or the wall clock was set back.
//! - Alarms are judged on every sample, in source time, whatever frames do. Every operator action is an event: who,
//!   when, what, why.
//! - Analysis, producers, alarms and models read no clock and no global randomness: time comes with the message,
//!   randomness from a seed. `clippy.toml` forbids the wall clock and the inexact functions of the standard library;
//!   each exception carries its reason. `unsafe_code` is forbidden.
//! - A command stands on record before it leaves, and what was there before it left is no evidence that it was obeyed.
//! - A command leaves only by the [`Outbox`](command::Outbox) of a live session: it takes what an armed instruction gives
//!   out, and publishers that listeners have only with the leave of scene and user. No other world can make either.
//! - Only `source` touches the network, but for clients that `bench` measures with. `session` starts listeners, the
//!   embedded broker and the plant; `pollux plant`, `pollux play --to` and `pollux bench` start their own. A run, a
//!   replay in a window and a layer own none and cannot reach a broker. A scenario owns none: `pollux test --against`
//!   alone hands it a [`Controller`](scenario::against::Controller) that does, and publishes what the simulated plant says.
//! - `files`, `scene`, `event`, `recent`, `record`, `replay`, `session`, `scenario`, `import`, `export`, `bench` and `cli`
//!   touch the disk, and `source` reads credentials and certificates, `view` models. No other room does.
//! - No command that fails changes a file that existed before it: whatever is written at once is written by [`files`].
//! - No command of an operator is lost: each group has one exhaustive handler, and a world without it refuses in words.
//! - Nothing is dropped in silence: every drop, coalesced sample, decode error and unknown topic has a counter that
//!   shows in the window and in `--state`.
//! - An overlay changes nothing of the true world: the same hash with and without it, but for the events that say who laid
//!   what over it. Its faults take places in the one order, so that a run of a recording finds the same again.
//! - Nothing beyond now enters the history, the journal or a recording as measured: layers and forecasts stand apart.
//! - Source time never lies after receive time. Staleness is judged by receive time, against the cursor. One
//!   [`Clock`](source::Clock) a session gives receive times and the moment that live shows.
//!
//! # A frame
//!
//! All systems of core stand in `Update`, in the order of [`TwinSet`]: commands, news of the analysis, projection at
//! the cursor; the 3D view follows. After Bevy has propagated transforms and cameras, systems in `PostUpdate` place
//! labels, turn beacons, measure looks and decide whether the 3D world is drawn anew. Egui runs in
//! `EguiPrimaryContextPass`: panels read a snapshot and send commands, which [`TwinSet::Command`] carries out in the
//! next frame. Systems in `Last` pace the window and write `--state` at the end. Systems whose order is ambiguous are a
//! test failure.

pub mod alarm;
pub mod analysis;
#[expect(clippy::disallowed_methods, reason = "measures: it reads the clock and makes waves")]
pub mod bench;
#[expect(clippy::disallowed_methods, reason = "runs the program in real time")]
pub mod cli;
pub mod command;
pub mod event;
pub mod export;
pub mod fault;
pub mod files;
pub mod history;
pub mod import;
pub mod ingest;
pub mod instruction;
pub mod layers;
pub mod model;
pub mod network;
#[cfg(feature = "desktop")]
#[expect(clippy::disallowed_methods, reason = "draws: pictures need no bits that machines share")]
pub mod panel;
pub mod plant;
pub mod produce;
#[expect(clippy::disallowed_methods, reason = "writes down when something was opened")]
pub mod recent;
#[expect(clippy::disallowed_methods, reason = "writes down when messages came, and retries after a while")]
pub mod record;
pub mod replay;
pub mod run;
pub mod scenario;
pub mod scene;
pub mod schedule;
#[expect(clippy::disallowed_methods, reason = "gives a session its clock, and bounds how long its end takes")]
pub mod session;
#[expect(clippy::disallowed_methods, reason = "receives messages: the one place where samples get their receive time")]
pub mod source;
pub mod stage;
pub mod state;
pub mod value;
#[cfg(feature = "desktop")]
#[expect(clippy::disallowed_methods, reason = "draws: pictures need no bits that machines share")]
pub mod view;

#[cfg(feature = "desktop")]
pub use panel::DesktopPlugins;
pub use schedule::TwinSet;
pub use stage::CorePlugins;
