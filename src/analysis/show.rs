//! Copies alarms and events at the cursor out of the analysis.
//!
//! In: [`Analysis`], the cursor. Out: [`AlarmBoard`], [`EventLog`]. Transitions show in the next frame; the latest
//! values of alarms a few times a second, since every sample changes some. Never changes an alarm.

use std::sync::Arc;

use bevy::prelude::*;

use super::{Analysis, Knowledge, Touched};
use crate::alarm::{Alarm, AlarmBoard, Flood};
use crate::event::{EventLog, Kind, RecordTroubles};
use crate::history::{Cursor, ViewTime};
use crate::scene::LoadedScene;
use crate::value::Timestamp;

/// Seconds between two looks at the latest values, at troubles, and between two measurements of the alarm system.
const VALUES_SECS: f64 = 0.25;
const TROUBLES_SECS: f64 = 1.0;
const PERFORMANCE_SECS: f64 = 5.0;

/// What was shown last.
#[derive(Default)]
pub(super) struct Shown {
    /// Of the scene and of the alarms, and whether the cursor was live.
    made_of: Option<(u32, u64, bool)>,
    at: Timestamp,
    alarms: Arc<[Alarm]>,
    measured: Option<Timestamp>,
    asked: Option<Timestamp>,
}

#[expect(clippy::too_many_arguments, reason = "each is a resource of its own")]
pub(super) fn show(
    analysis: Res<Analysis>,
    loaded: Res<LoadedScene>,
    cursor: Res<Cursor>,
    moment: Res<ViewTime>,
    touched: Res<Touched>,
    mut board: ResMut<AlarmBoard>,
    mut log: ResMut<EventLog>,
    mut troubles: ResMut<RecordTroubles>,
    mut shown: Local<Shown>,
) {
    let knowledge = analysis.lock();
    let chronicle = knowledge.chronicle();
    if log.events.last().map_or(0, |event| event.id) != chronicle.journal().last_id() {
        log.follow(chronicle.journal());
    }
    let live = cursor.is_live();
    let made_of = Some((loaded.generation, chronicle.version(), live));
    let moved = if live {
        !touched.0.is_empty() && moment.shown.secs_since(shown.at).abs() >= VALUES_SECS
    } else {
        shown.at != moment.shown
    };
    if shown.made_of != made_of || moved {
        (shown.made_of, shown.at) = (made_of, moment.shown);
        shown.alarms = match live {
            true => knowledge.alarms().into(),
            false => chronicle.alarms_at(&loaded.scene, moment.shown).into(),
        };
        let said = if live { Vec::new() } else { chronicle.said_at(&loaded.scene, moment.shown) };
        board.tell(&loaded, said);
        let past = (!live).then(|| flood_at(&knowledge, &loaded, moment.shown)).flatten();
        let monitor = chronicle.monitor();
        board.flood = if live { monitor.flood().flood().copied() } else { past };
        board.first_up = match live {
            true => {
                loaded.scene.alarms.iter().filter(|rule| monitor.is_first_up(rule)).map(|rule| rule.index).collect()
            }
            false => past.and_then(|flood| flood.first).into_iter().collect(),
        };
        board.chattering = if live { monitor.chattering().chattering().collect() } else { Vec::new() };
    }
    if shown.asked.is_none_or(|last| moment.now.secs_since(last).abs() >= TROUBLES_SECS) {
        shown.asked = Some(moment.now);
        troubles.set_if_neq(RecordTroubles(knowledge.troubles()));
    }
    let measured_at = if live { moment.now } else { moment.shown };
    let apart = |last: Timestamp| measured_at.secs_since(last).abs();
    let at_rest = matches!(*cursor, Cursor::Paused(_));
    if shown.measured.is_none_or(|last| apart(last) >= PERFORMANCE_SECS || (at_rest && last != measured_at)) {
        shown.measured = Some(measured_at);
        board.performance = Some(Arc::new(match live {
            true => chronicle.monitor().performance(measured_at, knowledge.alarms()),
            false => chronicle.performance_at(&loaded.scene, measured_at, &shown.alarms),
        }));
    }
    drop(knowledge);
    board.show(&loaded, shown.alarms.clone(), moment.shown);
}

/// The flood that went on at a past moment, after the journal.
fn flood_at(knowledge: &Knowledge, loaded: &LoadedScene, moment: Timestamp) -> Option<Flood> {
    let journal = knowledge.chronicle().journal();
    let last = journal.until(moment).find(|event| matches!(event.kind, Kind::Flood { .. }))?;
    let Kind::Flood { began: true, alarms, first } = &last.kind else { return None };
    let scene = &loaded.scene;
    let path =
        |rule: &&crate::scene::rule::Rule| crate::scene::rule::AlarmPath::of_rule(rule, scene).to_string() == *first;
    Some(Flood { since: last.time, alarms: *alarms, first: scene.alarms.iter().find(path).map(|rule| rule.index) })
}
