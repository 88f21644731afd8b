//! The time bar: which moment all views show, and the ways to move it. For live sessions and recordings alike.
//!
//! In: [`TimeView`], built from cursor, moment, extent, horizon, marks, journal and what came when. Out: commands: seek, play,
//! step, marks, notes. Never moves the cursor itself; data keep arriving while it stands elsewhere. Where a layer reaches
//! beyond now, the axis does too: that stretch is hatched, and a line marks now.
//!
//! Two rows: [`controls`] with the clock that can be typed into, and the overview [`strip`]: [`flags`] for what happened,
//! below them how much came when, on an [`axis`] that can be zoomed. [`remarks`] are notes and bookmarks.

pub mod axis;
mod clock;
pub mod controls;
pub mod flags;
mod icons;
pub mod remarks;
pub mod strip;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bevy_egui::egui::Ui;

use super::format;
use crate::command::{MarkEnd, OperatorCommand, StepBy, TimeCommand};
use crate::event::{Event, FaultSpans};
use crate::history::typed::Reference;
use crate::history::{Counts, Cursor, Extent, Horizon, Marks, SkipGaps, ViewTime, transport};
use crate::scene::Scene;
use crate::value::{Timestamp, TwinIndex};

pub use axis::{Window, tick_step, tick_text, ticks};

/// What the arrow keys step by, with Alt, alone and with Shift.
pub const SHORT_STEP: Duration = Duration::from_millis(100);
pub const STEP: Duration = Duration::from_secs(1);
pub const LONG_STEP: Duration = Duration::from_secs(10);

/// Room above the buttons: the edge that tells the past from the present runs there.
const TOP: f32 = 4.0;
/// Of the whole bar, in points.
pub const HEIGHT: f32 = TOP + controls::HEIGHT + strip::HEIGHT;

/// What the time bar reads.
pub struct TimeInput<'a> {
    pub cursor: Cursor,
    pub moment: ViewTime,
    pub extent: &'a Extent,
    pub horizon: Horizon,
    /// Of the history.
    pub bounds: Option<(Timestamp, Timestamp)>,
    pub counts: Counts<'a>,
    pub marks: Marks,
    pub skip: SkipGaps,
}

#[derive(Clone)]
pub struct TimeView<'a> {
    pub cursor: Cursor,
    /// A recording: nothing is live.
    pub recorded: bool,
    /// All there is to go to.
    pub whole: Window,
    /// What the axis shows of it.
    pub window: Window,
    /// The end of what is measured: now, or where a recording ends.
    pub now: Timestamp,
    pub shown: Timestamp,
    /// Nothing arrives: the clock tells minutes, so that a window without news can rest.
    pub dormant: bool,
    pub marks: Marks,
    pub skip: Option<Duration>,
    /// Samples, or messages, a second, in equal stretches of the window.
    pub rates: Vec<f32>,
    pub scene: &'a Scene,
    pub events: &'a [Arc<Event>],
    pub selected: Option<TwinIndex>,
    pub faults: &'a FaultSpans,
    /// Who writes.
    pub operator: &'a str,
}

impl TimeView<'_> {
    pub fn is_live(&self) -> bool {
        self.cursor.is_live() && !self.recorded
    }

    /// Whether the shown moment lies beyond all that can have been measured.
    pub fn is_ahead(&self) -> bool {
        self.shown > self.now
    }

    /// Whether there is anything to show beyond now.
    pub fn reaches_ahead(&self) -> bool {
        self.whole.to > self.now
    }

    /// What the badge of this moment says.
    pub fn badge(&self) -> String {
        if self.is_ahead() { ahead_badge(&self.cursor) } else { badge(&self.cursor, self.recorded) }
    }

    pub fn is_playing(&self) -> bool {
        matches!(self.cursor, Cursor::Playing { .. })
    }

    /// What a typed time refers to.
    pub fn reference(&self) -> Reference {
        Reference { start: self.whole.from, end: self.now, horizon: self.whole.to, shown: self.shown }
    }
}

/// The axis reaches from the session's start, or the oldest data if they are older by less than a day, until now; in a
/// recording from end to end. What lies beyond now comes in addition.
pub fn whole(extent: &Extent, moment: &ViewTime, bounds: Option<(Timestamp, Timestamp)>) -> Window {
    if let Some((start, end)) = extent.bounds() {
        return Window::new(start, end);
    }
    let start = moment.session_start.min(moment.now);
    // One stray stamp from 1970 must not squeeze the session into a pixel.
    let earliest = start - Duration::from_secs(86_400);
    let from = bounds.map_or(start, |(oldest, _)| if oldest >= earliest { oldest.min(start) } else { start });
    Window { from, to: moment.now.max(from + Duration::from_secs(1)) }
}

pub fn time_view<'a>(
    input: &TimeInput,
    state: &TimeState,
    scene: &'a Scene,
    (events, faults): (&'a [Arc<Event>], &'a FaultSpans),
) -> TimeView<'a> {
    let whole = whole(input.extent, &input.moment, input.bounds);
    let now = match input.extent.is_recorded() {
        true => whole.to,
        false => input.moment.now,
    };
    let whole = Window { to: input.horizon.0.map_or(whole.to, |horizon| horizon.max(whole.to)), ..whole };
    let shown = input.moment.shown;
    let recorded = input.extent.is_recorded();
    let live = input.cursor.is_live() && !recorded;
    let followed = state.zoom.and_then(|zoom| zoom.following(state.shown.unwrap_or(shown), shown, live, whole));
    let window = followed.unwrap_or(whole);
    TimeView {
        cursor: input.cursor,
        recorded,
        whole,
        window,
        now,
        shown,
        dormant: !recorded && input.moment.is_dormant(input.bounds.map(|(_, newest)| newest)),
        marks: input.marks,
        skip: input.skip.0,
        rates: input.counts.rates(window.from, window.to, state.columns.clamp(1, 4_096)),
        scene,
        events,
        faults,
        selected: None,
        operator: "",
    }
}

/// The mode in one word. A recording is never live, whatever the cursor does.
pub fn mode(cursor: &Cursor, recorded: bool) -> &'static str {
    match cursor {
        _ if recorded => "REPLAY",
        Cursor::Live => "LIVE",
        Cursor::Paused(_) => "PAUSED",
        Cursor::Playing { .. } => "REPLAY",
    }
}

/// The mode, and what it does: `LIVE`, `PAUSED`, `REPLAY ×2`, `REPLAY paused`.
pub fn badge(cursor: &Cursor, recorded: bool) -> String {
    match cursor {
        Cursor::Playing { speed, .. } => format!("{} {}", mode(cursor, recorded), speed_text(*speed)),
        Cursor::Paused(_) if recorded => format!("{} paused", mode(cursor, recorded)),
        _ => mode(cursor, recorded).to_owned(),
    }
}

/// The mode where the cursor stands beyond now: nothing of what is shown has been measured.
pub fn ahead_badge(cursor: &Cursor) -> String {
    match cursor {
        Cursor::Playing { speed, .. } => format!("AHEAD {}", speed_text(*speed)),
        Cursor::Live | Cursor::Paused(_) => "AHEAD".to_owned(),
    }
}

/// Space: whatever moves stands still; what stands still plays.
pub fn pause_or_play(view: &TimeView, speed: f64) -> OperatorCommand {
    match view.cursor {
        Cursor::Live if !view.recorded => OperatorCommand::Time(TimeCommand::Pause),
        Cursor::Playing { .. } => OperatorCommand::Time(TimeCommand::Pause),
        Cursor::Live | Cursor::Paused(_) => OperatorCommand::Time(TimeCommand::Play { speed }),
    }
}

/// The in or the out mark at the shown moment; taken away if it stands there already.
pub fn toggle_mark(view: &TimeView, end: MarkEnd) -> OperatorCommand {
    let standing = match end {
        MarkEnd::In => view.marks.start,
        MarkEnd::Out => view.marks.end,
    };
    OperatorCommand::Time(TimeCommand::Mark { end, at: Some(view.shown).filter(|shown| standing != Some(*shown)) })
}

/// On with what most people mean by a gap, or off.
pub fn toggle_skip(view: &TimeView) -> OperatorCommand {
    const GAP: Duration = Duration::from_secs(10);
    OperatorCommand::Time(TimeCommand::SkipGaps(if view.skip.is_some() { None } else { Some(GAP) }))
}

/// A step as long as the axis.
pub fn page(view: &TimeView, forward: bool) -> OperatorCommand {
    OperatorCommand::Time(TimeCommand::Step { by: StepBy::Time(view.window.span()), forward })
}

/// `×1`, `×−10`.
pub fn speed_text(speed: f64) -> String {
    format!("×{}", format::number(speed))
}

/// Another speed to play at: what plays takes it up at once.
pub fn set_speed(view: &TimeView, state: &mut TimeState, speed: f64, out: &mut Vec<OperatorCommand>) {
    state.speed = speed;
    if view.is_playing() {
        out.push(TimeCommand::Play { speed }.into());
    }
}

/// How a key changes the speed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpeedChange {
    Faster,
    Slower,
    Reverse,
}

impl SpeedChange {
    pub fn of(self, speed: f64) -> f64 {
        match self {
            SpeedChange::Faster => transport::faster(speed),
            SpeedChange::Slower => transport::slower(speed),
            SpeedChange::Reverse => -speed,
        }
    }
}

/// What the time bar keeps between frames.
#[derive(Clone, Debug)]
pub struct TimeState {
    /// The speed that the play button starts.
    pub speed: f64,
    /// What the axis shows; none is all of it.
    pub zoom: Option<Window>,
    /// The shown moment of the last frame.
    shown: Option<Timestamp>,
    /// Of the strip in the last frame: stretches to tell rates of.
    pub columns: usize,
    flags: flags::Flags,
    /// What is being typed into the clock.
    typing: Option<clock::Typing>,
    remark: Option<remarks::Draft>,
}

impl Default for TimeState {
    fn default() -> Self {
        Self {
            speed: 1.0,
            zoom: None,
            shown: None,
            columns: 400,
            flags: flags::Flags::default(),
            typing: None,
            remark: None,
        }
    }
}

impl TimeState {
    /// Opens the clock for typing.
    pub fn type_time(&mut self) {
        self.typing = Some(clock::Typing::default());
    }

    /// Opens the dialog for a note or a bookmark on what is shown.
    pub fn write(&mut self, view: &TimeView, kind: remarks::RemarkKind) {
        self.remark = Some(remarks::Draft::new(kind, view.shown.min(view.now), view.selected));
    }
}

pub fn time_ui(ui: &mut Ui, view: &TimeView, state: &mut TimeState, out: &mut Vec<OperatorCommand>) {
    state.flags.follow(view.events);
    state.zoom = state.zoom.map(|_| view.window).filter(|window| *window != view.whole);
    state.shown = Some(view.shown);
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.add_space(TOP);
    controls::controls_ui(ui, view, state, out);
    strip::strip_ui(ui, view, state, out);
    remarks::dialog_ui(ui.ctx(), view, &mut state.remark, out);
}
