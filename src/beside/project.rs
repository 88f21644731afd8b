//! Writes the [`Counterpart`] components at the cursor, only where they change. In: the world's cursor and current values,
//! the other recording. Out: `Counterpart`, where the other stands, which events met. Never reads a clock.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::{Beside, Counterpart, Deviation, Pair, Pairs, Place, Spread};
use crate::analysis::{Analysis, Touched};
use crate::command::{Ghosts, OperatorCommand};
use crate::history::{Cursor, Extent, History, Moment};
use crate::scene::{LoadedScene, Scene};
use crate::stage::{Current, Entities, current_at};
use crate::value::{SignalIndex, Timestamp};

/// What an operator asks of the comparison.
pub(super) fn obey(
    mut commands: MessageReader<OperatorCommand>,
    mut beside: ResMut<Beside>,
    mut ghosts: ResMut<Ghosts>,
) {
    for command in commands.read() {
        match command {
            OperatorCommand::ShiftBeside(by) => beside.shift_by(*by),
            OperatorCommand::ShowGhosts(which) => drop(ghosts.set_if_neq(*which)),
            _ => {}
        }
    }
}

/// The world that the other lies beside.
#[derive(SystemParam)]
pub(super) struct Here<'w> {
    loaded: Res<'w, LoadedScene>,
    entities: Res<'w, Entities>,
    analysis: Res<'w, Analysis>,
    cursor: Res<'w, Cursor>,
    moment: Res<'w, Moment>,
    extent: Res<'w, Extent>,
    touched: Res<'w, Touched>,
}

/// What was written last, and memory for what is new in the other.
#[derive(Default)]
pub(super) struct Written {
    place: Option<Place>,
    touched: Vec<SignalIndex>,
}

pub(super) fn project(
    mut commands: Commands,
    here: Here,
    mut beside: ResMut<Beside>,
    mut signals: Query<(&Current, Option<&mut Counterpart>)>,
    mut written: Local<Written>,
) {
    let beside = &mut *beside;
    let scene = &*here.loaded.scene;
    let Written { place: before, touched } = &mut *written;
    if beside.generation != Some(here.loaded.generation) {
        beside.generation = Some(here.loaded.generation);
        beside.pairs = Pairs::of(scene, beside.scene());
        beside.spreads.clear();
        *before = None;
    }
    let speed = if let Cursor::Playing { speed, .. } = *here.cursor { speed } else { 0.0 };
    beside.look_for_alignment(&here.extent, &here.moment, here.analysis.lock().chronicle().journal());
    // Waits where it has to, while nothing is locked.
    let place = beside.go_to(here.moment.shown, speed);
    let ours = here.analysis.lock();
    beside.meet(&here.extent, &here.moment, ours.chronicle().journal());
    let other = beside.analysis();
    let mut theirs = other.lock();
    theirs.take_touched(touched);
    let mut spreads = std::mem::take(&mut beside.spreads);
    measure(&mut spreads, &beside.pairs, (&ours.history, &theirs.history), (&here.touched.0, touched));
    drop(ours);

    let at = match place {
        Place::At(at) => Some(at),
        Place::Loading(_) | Place::Waiting | Place::Before(_) | Place::After(_) => None,
    };
    let mut write = |pair: &Pair, spread: &Spread| {
        let Some(&entity) = here.entities.signals.get(pair.here.at()) else { return };
        let Ok((current, counterpart)) = signals.get_mut(entity) else { return };
        let there = at.map(|at| value_at(beside.scene(), pair, &theirs.history, at)).unwrap_or_default();
        let range = scene.signals.get(pair.here.at()).and_then(|signal| signal.range);
        let deviation = Deviation::between(current.value.as_ref(), there.value.as_ref(), spread.scale(range));
        let now = Counterpart { current: there, deviation };
        match counterpart {
            Some(mut known) => drop(known.set_if_neq(now)),
            None => drop(commands.entity(entity).insert(now)),
        }
    };
    let pairs = &beside.pairs;
    // While another moment of it is read, the picture before stays.
    let is_loading = matches!(place, Place::Loading(_)) && before.is_some();
    if !is_loading && (*before != Some(place) || !touched.is_empty()) {
        *before = Some(place);
        pairs.list.iter().zip(&spreads).for_each(|(pair, spread)| write(pair, spread));
    } else if !is_loading {
        let places = here.touched.0.iter().filter_map(|signal| pairs.place(*signal));
        places
            .filter_map(|place| pairs.list.get(place).zip(spreads.get(place)))
            .for_each(|(pair, spread)| write(pair, spread));
    }
    drop(theirs);
    beside.spreads = spreads;
}

/// The value of the other at a moment of it, in the unit here.
fn value_at(there: &Scene, pair: &Pair, history: &History, at: Timestamp) -> Current {
    let known = current_at(there, pair.there, history.latest_known(pair.there, at), at);
    Current { value: known.value.map(|value| pair.value(value)), ..known }
}

/// What the values of each pair cover, measured where samples have come.
fn measure(
    spreads: &mut Vec<Spread>,
    pairs: &Pairs,
    (ours, theirs): (&History, &History),
    (touched_here, touched_there): (&[SignalIndex], &[SignalIndex]),
) {
    let of = |pair: &Pair| {
        let mut spread = Spread::default();
        let all = |history: &History, signal| history.range(signal, Timestamp::MIN, Timestamp::MAX, 1);
        for bucket in all(ours, pair.here) {
            [bucket.min, bucket.max].into_iter().for_each(|x| spread.add(x));
        }
        for bucket in all(theirs, pair.there) {
            [bucket.min, bucket.max].into_iter().for_each(|x| spread.add(pair.number(x)));
        }
        spread
    };
    if spreads.len() != pairs.list.len() || !touched_there.is_empty() {
        *spreads = pairs.list.iter().map(of).collect();
        return;
    }
    for place in touched_here.iter().filter_map(|signal| pairs.place(*signal)) {
        if let (Some(pair), Some(spread)) = (pairs.list.get(place), spreads.get_mut(place)) {
            *spread = of(pair);
        }
    }
}
