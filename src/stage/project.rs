//! Writes the `Current` components at the cursor, only where they change.
//!
//! In: history, cursor, the signals touched in this frame. Out: `Current`. Never reads a clock: `Moment` says when it is.
//! Live, the work grows with the signals that got data or expired, not with all signals.

use bevy::prelude::*;

use super::{Current, Entities};
use crate::analysis::{Analysis, Touched};
use crate::history::{Cursor, ExpirySchedule, Moment, Point, quality_at};
use crate::scene::{LoadedScene, Scene};
use crate::value::{SignalIndex, Timestamp};

/// When signals will expire, and what was shown last.
#[derive(Resource, Debug, Default)]
pub struct Freshness {
    schedule: ExpirySchedule,
    shown: Option<(u32, Cursor, Timestamp)>,
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
    moment: Res<Moment>,
    touched: Res<Touched>,
    mut freshness: ResMut<Freshness>,
    mut currents: Query<&mut Current>,
) {
    let scene = &loaded.scene;
    let knowledge = analysis.lock();
    let history = &knowledge.history;
    let live = matches!(*cursor, Cursor::Live);
    let Freshness { schedule, shown } = &mut *freshness;
    if shown.is_none_or(|(generation, ..)| generation != loaded.generation) {
        *schedule = ExpirySchedule::default();
        schedule.resize(scene.signals.len());
    }

    // Deadlines are kept while the cursor is elsewhere too, so that going live needs no catching up.
    for &index in &touched.0 {
        if let (Some(expires), Some(point)) = (scene.signals[index.at()].expires, history.newest(index)) {
            schedule.touch(index, point.receive_time + expires);
        }
    }
    let expired: Vec<SignalIndex> = std::iter::from_fn(|| schedule.pop_expired(moment.now)).collect();

    let view = (loaded.generation, *cursor, if live { Timestamp::MIN } else { moment.shown });
    let all = *shown != Some(view);
    *shown = Some(view);

    let mut write = |index: SignalIndex| {
        let Some(&entity) = entities.signals.get(index.at()) else { return };
        let Ok(mut current) = currents.get_mut(entity) else { return };
        let point = if live { history.newest(index) } else { history.latest_known(index, moment.shown) };
        current.set_if_neq(current_at(scene, index, point, moment.shown));
    };
    if all {
        (0..scene.signals.len()).for_each(|i| write(SignalIndex(i as u32)));
    } else if live {
        touched.0.iter().copied().chain(expired).for_each(write);
    } else {
        // Samples that were known then may come in yet: from a recording, or on the way when the pause began.
        touched.0.iter().copied().for_each(write);
    }
}

/// What a signal shows at a moment, from the newest that was known of it then.
pub(crate) fn current_at(scene: &Scene, index: SignalIndex, point: Option<Point>, shown: Timestamp) -> Current {
    let quality = quality_at(point.as_ref(), scene.signals[index.at()].expires, shown);
    match point {
        None => Current { quality, ..default() },
        Some(Point { source_time, receive_time, value, quality: sampled }) => {
            Current { value: sampled.has_value().then_some(value), quality, source_time, receive_time }
        }
    }
}
