//! Experiments on a simulated plant: what is broken, when, and what must come of it.
//!
//! In: scenario files. Out: verdicts, with what happened. Never touches a plant that is not simulated here, reads no clock:
//! the same file and seed give the same verdict, journal and hash, on any number of threads. With a controller under test
//! they depend on what it says: see [`against`].
//!
//! ```text
//! file ─load─► Experiment ─run─► plant with faults ─► samples or messages ─► Run (alarms, derived signals) ─► watches ─► Outcome
//!                                  ▲ commands of steps      └────► controller under test, over what carries it
//!                                  └───────── orders, at ticks ─────────────┘
//! ```
//!
//! A reading of the plant is a sample of the twin at once, without a message that is encoded and decoded, wherever that gives
//! the same bits: see [`Plant::speak_directly`](crate::plant::Plant::speak_directly). The topics of a file's link faults keep
//! their messages, and a run that is recorded or has `wire: true` keeps all. The hash covers samples, events, alarms and the
//! memory of derived signals; how many bytes came is no part of it. So it is the same for all of these.
//!
//! ```ron
//! Scenario(
//!     format: (1, 0),
//!     title: "A gauge that drifts hides an empty tank",
//!     scene: "../scene.ron",
//!     duration: "10min",
//!     steady: (by: "1min", holds: ["signal(\"T-100.level\") > 1"]),
//!     steps: [(at: "1min", fault: "bias", on: "T-100.level", with: {"by": "0.3 m"}, ramp: "2min")],
//!     expect: [
//!         Raised(alarm: "T-100/level.low", after: "1min", within: "6min"),
//!         Within(signal: "P-101.flow", low: "5 m3/h"),
//!         NothingElse(),
//!     ],
//! )
//! ```

pub mod against;
mod breaking;
mod by_hand;
pub mod campaign;
mod commands;
mod control;
mod coverage;
mod curve;
mod expectations;
mod experiment;
mod faults;
mod find;
mod format;
mod given;
mod load;
mod mutate;
mod overlay;
mod preview;
pub mod report;
mod run;
mod save;
mod start;
mod steps;
mod watch;
mod workers;

pub use by_hand::{ByHandError, by_hand};
pub use campaign::Campaign;
pub use control::control;
pub use coverage::Coverage;
pub use experiment::{
    Against, Bounds, Expect, Expectation, Experiment, Ordered, Reference, Start, Steady, Step, StepKind, Stretch,
};
pub use find::{find, is_scenario};
pub use format::{AgainstDef, ExpectDef, FigureKind, OnDef, ScenarioFile, StartDef, SteadyDef, StepDef};
pub use load::{Loaded, load};
pub use mutate::{Change, changes};
pub use overlay::{LoadedOverlay, load_overlay};
pub use preview::{Preview, PreviewCurve, preview};
pub use run::{Checked, Curve, Entry, Outcome, Place, RunError, SLICE, Verdict, record, run, run_against};
pub use save::plugin;
pub use watch::{Finding, Given};
pub use workers::each;
