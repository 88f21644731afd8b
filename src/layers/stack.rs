//! The layers of a world, in the order in which they were laid. In: layers, the memory that they have together. Out:
//! each with a name and a look of its own, its share of the memory, how far beyond now they reach. Never reads the
//! values of a layer.

use bevy::prelude::*;

use super::look::{Look, free_look};
use super::{Layer, LayerPosition, Pair, Spread};
use crate::history::{Horizon, Usage};
use crate::scene::Scene;
use crate::value::{LayerId, Shift, SignalIndex, Timestamp};

/// Of the memory for history, this share belongs to all layers together that need memory; the shown world keeps the rest.
pub const SHARE: f64 = 0.5;

/// The memory of all layers, of so much for history.
pub fn share_of(history_budget_bytes: u64) -> u64 {
    (history_budget_bytes as f64 * SHARE) as u64
}

/// One of the layers, and how it is drawn.
pub struct Slot {
    pub id: LayerId,
    /// No other layer has it, and the shown world has another one.
    pub name: String,
    pub look: Look,
    pub layer: Box<dyn Layer>,
    pub(super) place: LayerPosition,
    /// Of the world's scene when its signals were paired.
    pub(super) generation: Option<u32>,
    /// By pair, over the loaded spans of both.
    pub(super) spreads: Vec<Spread>,
    /// The place whose values stand in the components.
    pub(super) written: Option<LayerPosition>,
}

impl Slot {
    pub fn place(&self) -> LayerPosition {
        self.place
    }

    /// While another moment of it is read, the picture before stays.
    pub(super) fn keeps_its_picture(&self) -> bool {
        matches!(self.place, LayerPosition::Loading(_)) && self.written.is_some()
    }

    pub(super) fn pair_with(&mut self, scene: &Scene, generation: u32) {
        if self.generation != Some(generation) {
            self.generation = Some(generation);
            self.layer.pair_with(scene);
            self.spreads.clear();
            self.written = None;
        }
    }

    /// The pair of a signal here, and what its values cover.
    pub(super) fn pair(&self, here: SignalIndex) -> Option<(&Pair, Spread)> {
        let pairs = self.layer.pairs();
        let place = pairs.place(here)?;
        Some((pairs.list.get(place)?, self.spreads.get(place).copied().unwrap_or_default()))
    }
}

/// All layers of a world.
#[derive(Resource)]
pub struct Layers {
    here: String,
    slots: Vec<Slot>,
    budget_bytes: u64,
    next_id: u32,
    version: u32,
}

impl Layers {
    /// None yet, beside a world that people call `here`.
    pub fn new(here: impl Into<String>, budget_bytes: u64) -> Self {
        Self { here: here.into(), slots: Vec::new(), budget_bytes, next_id: 0, version: 0 }
    }

    /// The name of the world that they lie beside: of its file, or `live`.
    pub fn here(&self) -> &str {
        &self.here
    }

    /// From now on people call the world so.
    pub(super) fn rename_here(&mut self, here: String) {
        self.here = here;
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Slot> {
        self.slots.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.slots.iter_mut()
    }

    /// Changes when a layer comes or goes, and with it the places of the others.
    pub fn version(&self) -> u32 {
        self.version
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn get(&self, id: LayerId) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.id == id)
    }

    /// Lays one more beside the world: the others give way in memory.
    pub fn add(&mut self, layer: Box<dyn Layer>) -> LayerId {
        let taken = |name: &str| name == self.here || self.slots.iter().any(|slot| slot.name == name);
        let numbered = (2..).map(|number| format!("{} ({number})", layer.name()));
        let mut names = std::iter::once(layer.name().to_owned()).chain(numbered);
        let name = names.find(|name| !taken(name)).unwrap_or_default();
        let looks: Vec<Look> = self.slots.iter().map(|slot| slot.look).collect();
        let id = LayerId(self.next_id);
        self.next_id += 1;
        self.slots.push(Slot {
            id,
            name,
            look: free_look(&looks),
            layer,
            place: LayerPosition::Waiting,
            generation: None,
            spreads: Vec::new(),
            written: None,
        });
        self.change();
        id
    }

    /// Takes one away: its memory goes to the others.
    pub fn remove(&mut self, id: LayerId) -> Option<Box<dyn Layer>> {
        let at = self.slots.iter().position(|slot| slot.id == id)?;
        let slot = self.slots.remove(at);
        // Components hold values by place, and places have changed.
        self.slots.iter_mut().for_each(|slot| slot.written = None);
        self.change();
        Some(slot.layer)
    }

    fn change(&mut self) {
        self.version += 1;
        let count = self.slots.iter().filter(|slot| slot.layer.needs_memory()).count();
        let each = self.budget_bytes / count.max(1) as u64;
        let needy = self.slots.iter_mut().filter(|slot| slot.layer.needs_memory());
        needy.for_each(|slot| slot.layer.set_budget(each));
    }

    /// Shows moments of a layer that are so much later.
    pub fn shift_by(&mut self, id: LayerId, more: Shift) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.id == id) {
            slot.layer.shift_by(more);
        }
    }

    /// As far beyond `now` as the layer reaches that reaches farthest.
    pub fn horizon(&self, now: Timestamp) -> Horizon {
        Horizon(self.slots.iter().filter_map(|slot| slot.layer.horizon(now)).max())
    }

    /// What all of them may take together.
    pub fn budget_bytes(&self) -> u64 {
        self.budget_bytes
    }

    /// What all of them take together.
    pub fn usage(&self) -> Usage {
        let sum = |sum: Usage, slot: &Slot| {
            let own = slot.layer.usage();
            Usage {
                samples: sum.samples + own.samples,
                bytes: sum.bytes + own.bytes,
                budget_bytes: sum.budget_bytes + own.budget_bytes,
                evicted: sum.evicted + own.evicted,
                out_of_order: sum.out_of_order + own.out_of_order,
                forgotten: sum.forgotten + own.forgotten,
                rejected: sum.rejected + own.rejected,
            }
        };
        self.slots.iter().fold(Usage::default(), sum)
    }

    /// Whether as much of all is at hand as there is room for.
    pub fn is_idle(&self) -> bool {
        self.slots.iter().all(|slot| slot.layer.is_idle())
    }
}
