//! A plate heat exchanger: two plate packs between heavy covers, tie bars, carrying bars, four ports.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{drum_x, slab},
    sweep::bar,
};
use super::parts::{foot, nozzle};

const AXIS: f64 = 1.05;
const PLATES: u32 = 22;
const PITCH: f64 = 0.024;

pub fn exchanger() -> Vec<Node> {
    vec![
        frame(),
        pack("hot", PLATE_HOT, -1.0),
        pack("cold", PLATE_COLD, 1.0),
        Node::port("inlet", [-1.1, 0.55, 0.16]),
        Node::port("outlet", [1.1, 1.5, 0.16]),
        Node::port("cold_inlet", [1.1, 0.55, -0.16]),
        Node::port("cold_outlet", [-1.1, 1.5, -0.16]),
    ]
}

/// The heating side's plates lie towards -x, the product's towards +x.
fn pack(name: &'static str, material: Material, side: f64) -> Node {
    let mut node = Node::new(name).at([side * 0.285, AXIS, 0.0]).tinted();
    let first = -PITCH * f64::from(PLATES - 1) / 2.0;
    // One dark core stands for all gaskets: only its rim is seen between the plates.
    node.add(RUBBER, slab([first, -0.69, -0.3], [-first, 0.69, 0.3], 0.0));
    for plate in 0..PLATES {
        let x = first + PITCH * f64::from(plate);
        // Every other plate stands out a little: the pack reads as plates and gaskets.
        let reach = if plate % 2 == 0 { 0.0 } else { 0.014 };
        let low = [x - 0.008, -0.72 + reach, -0.33 + reach];
        node.add(material, slab(low, [x + 0.008, 0.72 - reach, 0.33 - reach], 0.0));
    }
    node
}

fn frame() -> Node {
    let mut frame = Node::new("frame").tinted();
    for x in [-0.62, 0.62] {
        frame.add(PAINT_MID, slab([x - 0.05, 0.2, -0.42], [x + 0.05, 1.9, 0.42], 0.02));
    }
    // Middle connecting plate between the packs.
    frame.add(PAINT_DARK, slab([-0.02, 0.27, -0.38], [0.02, 1.83, 0.38], 0.01));
    // Carrying bar above, guide bar below, support column at +x.
    frame.add(STEEL_BRUSHED, bar([-0.66, 1.98, 0.0], [1.02, 1.98, 0.0], 0.04, 14));
    frame.add(STEEL_BRUSHED, bar([-0.66, 0.26, 0.0], [1.02, 0.26, 0.0], 0.025, 12));
    for x in [-0.62, 0.62] {
        frame.add(PAINT_MID, slab([x - 0.04, 1.86, -0.06], [x + 0.04, 2.03, 0.06], 0.01));
    }
    frame.add(PAINT_MID, slab([1.0, 0.06, -0.07], [1.09, 2.04, 0.07], 0.015));
    frame.add(PAINT_MID, slab([0.95, 0.0, -0.2], [1.14, 0.06, 0.2], 0.01));
    for x in [-0.62, 0.62] {
        for z in [-0.3, 0.3] {
            frame.add(STEEL_DARK, foot(0.22, 0.09).at([x, 0.0, z]));
        }
    }
    // Tie bars with nuts.
    let mut ties = Mesh::default();
    for y in [0.35, 0.72, 1.09, 1.46, 1.78] {
        for z in [-0.385, 0.385] {
            ties.append(&bar([-0.78, y, z], [0.74, y, z], 0.016, 8));
            for x in [-0.69, 0.69] {
                ties.append(&drum_x(0.036, 0.04, 0.0, 6).at([x, y, z]));
            }
        }
    }
    frame.add(STEEL, ties);
    for (y, z) in [(0.55, 0.16), (1.5, 0.16), (0.55, -0.16), (1.5, -0.16)] {
        frame.add(STEEL_BRUSHED, nozzle(0.07, 0.5).turn_y(180.0).at([-0.6, y, z]));
    }
    for (y, z) in [(1.5, 0.16), (0.55, -0.16)] {
        frame.add(STEEL_BRUSHED, nozzle(0.07, 0.5).at([0.6, y, z]));
    }
    // Maker's plate on the front cover.
    frame.add(MARK, slab([0.669, 1.05, -0.1], [0.672, 1.2, 0.1], 0.0));
    frame
}
