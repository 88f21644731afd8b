//! Values that a subset of machines gets from outside. In: a state of the whole. Out: the number that the subset is told.
//! Changes neither.

use super::hydraulics::LEAST_SLOPE;
use super::whole::{Network, State};
use crate::model::Crossing;

/// A value that a subset gets from outside.
#[derive(Clone, PartialEq, Debug)]
pub struct Cut {
    /// A path: `T-200.level`.
    pub name: String,
    /// As models write units; none for a count.
    pub unit: &'static str,
    pub(super) from: Origin,
}

/// Where the whole has a value.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Origin {
    Output { machine: usize, output: usize },
    Pressure(Vec<Mouth>),
    Temperature(Vec<Mouth>),
    Items { island: usize, tie: usize },
}

/// An end of a passage at a node.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Mouth {
    pub machine: usize,
    pub passage: usize,
    /// Whether flow counts positive out of the node.
    pub leaves: bool,
    pub stays: bool,
}

impl Mouth {
    fn crossing(self, whole: &Network, now: &State) -> Crossing {
        now.crossings(whole, self.machine)[self.passage]
    }

    /// m³/s out of the node.
    fn flow(self, crossing: &Crossing) -> f64 {
        if self.leaves { crossing.flow } else { -crossing.flow }
    }
}

/// m³/s from a node into what stays.
pub(super) fn inflow(mouths: &[Mouth], whole: &Network, now: &State) -> f64 {
    mouths.iter().filter(|mouth| mouth.stays).map(|mouth| mouth.flow(&mouth.crossing(whole, now))).sum()
}

impl Cut {
    /// The value in a state of the whole. A pressure is that of the node with the little that the border itself takes of
    /// it, so that the subset meets the node's: 100 Pa for each m³/s. A temperature is that of what comes in from
    /// machines that were left out; that of the node where none does.
    pub fn value(&self, whole: &Network, now: &State) -> f64 {
        match &self.from {
            Origin::Output { machine, output } => now.output(whole, *machine, *output),
            Origin::Pressure(mouths) => {
                let node = mouths.first().map_or(0.0, |mouth| {
                    let crossing = mouth.crossing(whole, now);
                    if mouth.leaves { crossing.from_pressure } else { crossing.to_pressure }
                });
                node + LEAST_SLOPE * inflow(mouths, whole, now)
            }
            Origin::Temperature(mouths) => temperature(mouths, whole, now),
            Origin::Items { island, tie } => now.islands[*island].passed[*tie] as f64,
        }
    }
}

fn temperature(mouths: &[Mouth], whole: &Network, now: &State) -> f64 {
    let (mut flow, mut heat, mut node) = (0.0, 0.0, None);
    for mouth in mouths {
        let crossing = mouth.crossing(whole, now);
        let into_node = -mouth.flow(&crossing);
        if into_node > 0.0 && !mouth.stays {
            flow += into_node;
            heat += into_node * crossing.leaving;
        }
        // A still passage counts as one that flows forwards.
        if into_node < 0.0 || (into_node == 0.0 && mouth.leaves) {
            node = node.or(Some(crossing.entering));
        }
    }
    if flow > 0.0 { heat / flow } else { node.unwrap_or(20.0) }
}
