//! What panels read in one frame. In: references to resources and copies from the history, which `gather` collects. Out:
//! the same, as one plain struct that a test can build as well. Decides nothing, locks nothing.

use std::sync::Arc;

use super::issues::IssuesView;
use super::lines::Lines;
use super::mark::TwinMarks;
use super::open::RecentFiles;
use super::recording::RecordView;
use crate::alarm::AlarmBoard;
use crate::command::{Attention, FaultAnswer, Ghosts};
use crate::event::{Event, FaultSpans};
use crate::history::{Cursor, Density, Extent, Horizon, Marks, SkipGaps, Usage, ViewTime};
use crate::instruction::Desk;
use crate::layers::{Counterparts, Layers};
use crate::scene::rule::Priority;
use crate::scene::{LoadedScene, Scene};
use crate::session::OwnPlant;
use crate::source::SourceReport;
use crate::stage::{Broken, Current};
use crate::value::{SignalIndex, Timestamp};

/// All that a view may be built from.
#[derive(Clone, Copy)]
pub struct Snapshot<'a> {
    pub loaded: &'a LoadedScene,
    pub attention: &'a Attention,
    pub cursor: Cursor,
    pub time: ViewTime,
    pub extent: &'a Extent,
    pub horizon: Horizon,
    pub time_marks: Marks,
    pub skip: SkipGaps,
    /// Who gives commands.
    pub operator: &'a str,
    pub report: &'a SourceReport,
    pub marks: &'a TwinMarks,
    /// Of the same generation as the scene; empty otherwise.
    pub board: &'a AlarmBoard,
    /// From which priority on new alarms are heard, if at all; none where there is no horn.
    pub horn: Option<Option<Priority>>,
    /// The journal, oldest first.
    pub events: &'a [Arc<Event>],
    pub recent: &'a RecentFiles,
    /// What lies beside. A layer keeps its own lock, for as long as it copies a line.
    pub layers: Option<&'a Layers>,
    pub ghosts: Ghosts,
    /// What a signal has at the cursor.
    pub current: &'a dyn Fn(SignalIndex) -> Current,
    /// What it has there in the layers.
    pub counterparts: &'a dyn Fn(SignalIndex) -> Option<Counterparts>,
    /// Few, and always counted in sight.
    pub issues: &'a IssuesView,
    /// None where nothing can be recorded.
    pub record: Option<&'a RecordView>,
    /// Commands to equipment; none where nothing is commanded.
    pub desk: Option<&'a Desk>,
    /// Faults that the journal tells of.
    pub faults: &'a FaultSpans,
    /// What they are on.
    pub broken: &'a Broken,
    /// What came of the last thing that was asked about them.
    pub fault_answer: &'a FaultAnswer,
    /// None where this session runs no plant.
    pub plant: Option<&'a OwnPlant>,
    pub known: Known<'a>,
}

/// What was copied from the history and its like while these were locked.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub lines: &'a dyn Lines,
    pub bounds: Option<(Timestamp, Timestamp)>,
    pub usage: Usage,
    pub arrivals: &'a Density,
}

impl<'a> Snapshot<'a> {
    pub fn scene(&self) -> &'a Scene {
        &self.loaded.scene
    }

    pub fn is_recorded(&self) -> bool {
        self.extent.is_recorded()
    }
}
