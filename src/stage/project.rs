//! Writes the `Current` components at the cursor, only where they change.
//!
//! In: history, cursor, the signals touched in this frame. Out: `Current`. Never reads a clock: `ViewTime` says when it is.
//! Live, the work grows with the signals that got data or expired, not with all signals. Points are copied out of the
//! history while it is locked, and written when it is not.

use std::time::Duration;

use bevy::prelude::*;

use super::{Current, Entities};
use crate::analysis::{Analysis, Touched};
use crate::history::{Cursor, ExpirySchedule, History, Point, ViewTime, quality_at};
use crate::scene::LoadedScene;
use crate::value::{Grade, Quality, Reason, SignalIndex, Timestamp};

/// When signals will expire, and what was shown last.
#[derive(Resource, Debug, Default)]
pub struct Freshness {
    schedule: ExpirySchedule,
    shown: Option<(u32, Cursor, Timestamp)>,
    /// By [`SignalIndex`], close together: a signal's description is large, and a frame would fetch each for this alone.
    expires: Vec<Option<Duration>>,
    /// Memory for what a frame copies.
    points: Vec<(SignalIndex, Option<Point>)>,
}

impl Freshness {
    /// The next moment at which a signal may go stale: when a sleeping window has to look again.
    pub fn next_deadline(&mut self) -> Option<Timestamp> {
        self.schedule.next_deadline()
    }
}

#[expect(clippy::too_many_arguments, reason = "each is a resource of its own")]
pub(crate) fn project(
    loaded: Res<LoadedScene>,
    entities: Res<Entities>,
    analysis: Res<Analysis>,
    cursor: Res<Cursor>,
    moment: Res<ViewTime>,
    touched: Res<Touched>,
    mut freshness: ResMut<Freshness>,
    mut currents: Query<&mut Current>,
) {
    let scene = &loaded.scene;
    let live = matches!(*cursor, Cursor::Live);
    let Freshness { schedule, shown, expires, points } = &mut *freshness;
    if shown.is_none_or(|(generation, ..)| generation != loaded.generation) {
        *schedule = ExpirySchedule::default();
        schedule.resize(scene.signals.len());
        *expires = scene.signals.iter().map(|signal| signal.expires).collect();
    }
    let is_ahead = moment.is_ahead();
    let view = (loaded.generation, *cursor, if live { Timestamp::MIN } else { moment.shown });
    let all = *shown != Some(view);
    *shown = Some(view);

    let expires = |index: SignalIndex| expires.get(index.at()).copied().flatten();
    let mut write = |index: SignalIndex, point: Option<Point>| {
        let Some(&entity) = entities.signals.get(index.at()) else { return };
        let Ok(mut current) = currents.get_mut(entity) else { return };
        let known = current_at(point, expires(index), moment.shown);
        current.set_if_neq(if is_ahead { beyond_now(known) } else { known });
    };
    let newest = |history: &History, index| history.newest(index);
    let touched = touched.0.iter().copied();

    // Deadlines are kept while the cursor is elsewhere too, so that going live needs no catching up.
    let mut keep_deadline = |index: SignalIndex, point: &Option<Point>| {
        if let (Some(expires), Some(point)) = (expires(index), point) {
            schedule.touch(index, point.receive_time + expires);
        }
    };
    if live && !all {
        // One look at each point serves both.
        read(&analysis, points, touched.clone(), newest, |index, point| {
            keep_deadline(index, &point);
            write(index, point);
        });
    } else {
        let with_deadline = touched.clone().filter(|index| expires(*index).is_some());
        read(&analysis, points, with_deadline, newest, |index, point| keep_deadline(index, &point));
    }
    let expired: Vec<SignalIndex> = std::iter::from_fn(|| schedule.pop_expired(moment.now)).collect();

    let at_cursor = |history: &History, index| match live {
        true => history.newest(index),
        false => history.latest_known(index, moment.shown),
    };
    match (all, live) {
        (true, _) => read(&analysis, points, (0..scene.signals.len() as u32).map(SignalIndex), at_cursor, write),
        (false, true) => read(&analysis, points, expired.into_iter(), at_cursor, write),
        // Samples that were known then may come in yet: from a recording, or on the way when the pause began.
        (false, false) => read(&analysis, points, touched, at_cursor, write),
    }
}

/// So many points are copied under one lock: they stay in the cache of the processor until they are written.
const COPIED: usize = 4096;

/// Copies the points of some signals out of the history, and gives them on while it is not locked.
fn read(
    analysis: &Analysis,
    points: &mut Vec<(SignalIndex, Option<Point>)>,
    signals: impl Iterator<Item = SignalIndex>,
    point: impl Fn(&History, SignalIndex) -> Option<Point>,
    mut give: impl FnMut(SignalIndex, Option<Point>),
) {
    let mut signals = signals.peekable();
    while signals.peek().is_some() {
        {
            let knowledge = analysis.lock();
            points.extend(signals.by_ref().take(COPIED).map(|index| (index, point(&knowledge.history, index))));
        }
        points.drain(..).for_each(|(index, point)| give(index, point));
    }
}

/// Beyond now nothing is measured: what was known last has expired, whenever it came.
fn beyond_now(known: Current) -> Current {
    let expired = known.quality.grade < Grade::Stale;
    let quality = if expired { Quality::stale(Reason::Expired) } else { known.quality };
    Current { value: None, quality, ..known }
}

/// What a signal shows at a moment, from the newest that was known of it then.
pub(crate) fn current_at(point: Option<Point>, expires: Option<Duration>, shown: Timestamp) -> Current {
    let quality = quality_at(point.as_ref(), expires, shown);
    match point {
        None => Current { quality, ..default() },
        Some(Point { source_time, receive_time, value, quality: sampled, origin }) => {
            Current { value: sampled.has_value().then_some(value), quality, source_time, receive_time, origin }
        }
    }
}
