//! Machines that are tied to each other and to no others: places in flat lists, liquid networks, the order in which
//! outputs follow each other. Made by [`build`](Island::build) once; holds nothing that changes.

use std::ops::Range;

use super::blueprint::Function;
use super::hydraulics::{Hydraulics, NodeEnd};
use super::warmth::Warmth;
use crate::model::{Description, Fluid, Gate, Model};
use crate::value::Stream;

/// How the machines of an island are tied.
#[derive(Clone, Debug)]
pub(super) struct Island {
    /// Values from outside that a state has.
    pub outside: usize,
    pub slots: Vec<Slot>,
    pub sources: Vec<Source>,
    /// Machines whose outputs are computed in this order, each after those that it follows.
    pub order: Vec<usize>,
    /// The machines that look at an output of each machine.
    pub followers: Vec<Vec<usize>>,
    pub groups: Vec<Group>,
    pub heat: Vec<HeatTie>,
    pub items: Vec<ItemTie>,
    /// The different steps, in nanoseconds, ascending.
    pub steps: Vec<u64>,
    pub size: Size,
}

/// The lengths of the flat lists.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Size {
    pub parameters: usize,
    pub numbers: usize,
    pub counts: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub crossings: usize,
    pub nodes: usize,
}

/// Where a machine's values lie in the flat lists.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub id: String,
    pub model: &'static dyn Model,
    pub description: &'static Description,
    /// Nanoseconds; 0 for events alone.
    pub step: u64,
    /// As it was built.
    pub built: Vec<f64>,
    pub parameters: Range<usize>,
    pub numbers: Range<usize>,
    pub counts: Range<usize>,
    pub inputs: Range<usize>,
    pub outputs: Range<usize>,
    pub crossings: Range<usize>,
    pub tables: Vec<Vec<f64>>,
    pub streams: Vec<Stream>,
    /// The liquid networks it stands in.
    pub groups: Vec<usize>,
    /// Whether an input follows a value from outside, and whether one follows an output with a delay.
    pub outside: bool,
    pub delayed: bool,
    /// Whether an output follows inputs or flows without a step between.
    pub direct: bool,
}

/// What an input follows; numbers are places in the flat lists.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Constant(f64),
    Output {
        at: usize,
        scale: f64,
        offset: f64,
        delayed: bool,
    },
    Formula {
        of: Vec<usize>,
        function: Function,
        delayed: bool,
    },
    Outside(usize),
    /// What all takers of a giver take.
    Sum(Vec<usize>),
    /// Set by heat ties.
    Heat,
}

impl Source {
    /// Whether it follows an output of the instant before.
    pub(super) fn is_delayed(&self) -> bool {
        matches!(self, Source::Output { delayed: true, .. } | Source::Formula { delayed: true, .. })
    }
}

/// One liquid network.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub fluid: Fluid,
    /// Machine and number of each passage, and where its crossing lies.
    pub passages: Vec<(usize, usize, usize)>,
    pub ends: Vec<(NodeEnd, NodeEnd)>,
    /// Whether each passage has an end at the border of the world.
    pub border: Vec<bool>,
    /// Its nodes in the flat list of node temperatures.
    pub nodes: Range<usize>,
    pub machines: Vec<usize>,
    /// Nanoseconds.
    pub step: u64,
    pub hydraulics: Hydraulics,
    pub warmth: Warmth,
}

/// Places of two temperatures among outputs and of two inputs, in W/K.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeatTie {
    pub from: (usize, usize),
    pub to: (usize, usize),
    pub machines: (usize, usize),
    pub conductance: f64,
}

/// Machine and gate on both sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct ItemTie {
    pub from: (usize, Gate),
    pub to: (usize, Gate),
}

impl Island {
    pub fn len(&self) -> usize {
        self.slots.len()
    }
}
