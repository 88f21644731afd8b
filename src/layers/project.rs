//! Writes the [`Counterparts`] components at the cursor, only where they change. In: the world's cursor and current values,
//! the layers. Out: `Counterparts`, where each layer stands, which events met, the horizon. Never reads a clock.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::stack::Slot;
use super::{Counterpart, Counterparts, Deviation, Here, Layers, Spread};
use crate::analysis::{Analysis, Touched};
use crate::command::{Ghosts, LayerCommand};
use crate::history::{Cursor, Extent, History, Horizon, ViewTime};
use crate::scene::{LoadedScene, Scene};
use crate::stage::{Current, Entities};
use crate::value::{SignalIndex, Timestamp};

/// What an operator asks of the layers.
#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn obey(
    In(command): In<LayerCommand>,
    mut layers: ResMut<Layers>,
    mut ghosts: ResMut<Ghosts>,
    analysis: Res<Analysis>,
) {
    match command {
        LayerCommand::Shift { layer, by } => layers.shift_by(layer, by),
        LayerCommand::ShowGhosts(which) => drop(ghosts.set_if_neq(which)),
        LayerCommand::Close { layer } => {
            if layers.get(layer).is_some_and(|slot| slot.layer.is_over()) {
                layers.remove(layer);
                analysis.lock().forget_overlay();
            }
        }
    }
}

/// The world that the layers lie beside.
#[derive(SystemParam)]
pub(super) struct Shown<'w> {
    loaded: Res<'w, LoadedScene>,
    entities: Res<'w, Entities>,
    analysis: Res<'w, Analysis>,
    cursor: Res<'w, Cursor>,
    time: Res<'w, ViewTime>,
    extent: Res<'w, Extent>,
    touched: Res<'w, Touched>,
}

/// Memory that is used again.
#[derive(Default)]
pub(super) struct Written {
    /// Of the layers whose values stand in the components.
    version: u32,
    /// By signal: whether it is written in this frame.
    wanted: Vec<bool>,
}

pub(super) fn project(
    mut commands: Commands,
    shown: Shown,
    mut layers: ResMut<Layers>,
    mut horizon: ResMut<Horizon>,
    mut signals: Query<(&Current, Option<&mut Counterparts>)>,
    mut written: Local<Written>,
) {
    let layers = &mut *layers;
    let scene = &*shown.loaded.scene;
    let name = layers.here().to_owned();
    let here = Here { name: &name, extent: &shown.extent, time: &shown.time };
    layers.iter_mut().for_each(|slot| slot.pair_with(scene, shown.loaded.generation));
    {
        let known = shown.analysis.lock();
        for slot in layers.iter_mut() {
            slot.layer.prepare(&here, known.chronicle().journal());
            slot.layer.take_from(&here, &known);
        }
    }
    let speed = if let Cursor::Playing { speed, .. } = *shown.cursor { speed } else { 0.0 };
    // Waits where it has to, while nothing is locked.
    layers.iter_mut().for_each(|slot| slot.place = slot.layer.go_to(shown.time.shown, speed));
    horizon.set_if_neq(layers.horizon(shown.time.now));

    let Written { version, wanted } = &mut *written;
    let mut is_all = std::mem::replace(version, layers.version()) != layers.version();
    wanted.clear();
    wanted.resize(scene.signals.len(), is_all);
    let known = shown.analysis.lock();
    for slot in layers.iter_mut() {
        slot.layer.meet(&here, known.chronicle().journal());
        let has_news = slot.layer.take_news();
        slot.measure(&known.history, &shown.touched.0, has_news);
        if slot.keeps_its_picture() || (slot.written == Some(slot.place) && !has_news) {
            continue;
        }
        is_all = true;
        for pair in &slot.layer.pairs().list {
            wanted.get_mut(pair.here.at()).into_iter().for_each(|wanted| *wanted = true);
        }
    }
    drop(known);

    let mut write = |signal: SignalIndex| {
        let Some(&entity) = shown.entities.signals.get(signal.at()) else { return };
        let Ok((current, before)) = signals.get_mut(entity) else { return };
        let counterpart = |(place, slot): (usize, &Slot)| match slot.keeps_its_picture() {
            true => before.as_ref().and_then(|before| before.get(place)).cloned(),
            false => counterpart_of(slot, scene, signal, current),
        };
        let now = Counterparts(layers.iter().enumerate().map(counterpart).collect());
        match before {
            Some(mut before) => drop(before.set_if_neq(now)),
            None if now.iter().next().is_none() => {}
            None => drop(commands.entity(entity).insert(now)),
        }
    };
    match is_all {
        true => {
            let touched = shown.touched.0.iter().map(|signal| signal.at());
            touched.for_each(|at| wanted.get_mut(at).into_iter().for_each(|wanted| *wanted = true));
            let all = wanted.iter().zip(0..).filter(|(wanted, _)| **wanted);
            all.for_each(|(_, signal)| write(SignalIndex(signal)));
        }
        false => shown.touched.0.iter().copied().for_each(write),
    }
    for slot in layers.iter_mut().filter(|slot| !slot.keeps_its_picture()) {
        slot.written = Some(slot.place);
    }
}

/// What a layer has of a signal now; none if it does not have the signal.
fn counterpart_of(slot: &Slot, scene: &Scene, signal: SignalIndex, current: &Current) -> Option<Counterpart> {
    let (pair, spread) = slot.pair(signal)?;
    let there = slot.place.at().map(|at| slot.layer.value(pair, at)).unwrap_or_default();
    let range = scene.signals.get(signal.at()).and_then(|signal| signal.range);
    let deviation = Deviation::between(current.value.as_ref(), there.current.value.as_ref(), spread.scale(range));
    Some(Counterpart { current: there.current, band: there.band, deviation })
}

impl Slot {
    /// What the values of each pair cover in both, measured where samples have come.
    fn measure(&mut self, ours: &History, touched: &[SignalIndex], has_news: bool) {
        let pairs = self.layer.pairs();
        let of = |pair: &super::Pair| {
            let mut spread: Spread = self.layer.spread(pair);
            for bucket in ours.range(pair.here, Timestamp::MIN, Timestamp::MAX, 1) {
                [bucket.min, bucket.max].into_iter().for_each(|x| spread.add(x));
            }
            spread
        };
        if self.spreads.len() != pairs.list.len() || has_news {
            self.spreads = pairs.list.iter().map(of).collect();
            return;
        }
        for place in touched.iter().filter_map(|signal| pairs.place(*signal)) {
            if let (Some(pair), Some(spread)) = (pairs.list.get(place), self.spreads.get_mut(place)) {
                *spread = of(pair);
            }
        }
    }
}
