//! Where pallets stand: the stack of empty bottles in front of the rinser, and the store behind the vehicle.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum, drum_z, lathe, slab},
    sweep::bar,
};
use super::parts::{BELT_HEIGHT, foot};

const PALLET: f64 = 0.144;
/// Length of a pallet along x, and its depth.
const DECK: [f64; 2] = [1.2, 1.0];

/// A pallet with five layers of wrapped cases, standing on the origin: coarser than the palletiser's own.
pub fn full_pallet(node: &mut Node) {
    let [hx, hz] = DECK.map(|side| side / 2.0);
    for z in [-0.45, 0.0, 0.45] {
        node.add(WOOD, slab([-hx, 0.0, z - 0.05], [hx, 0.1, z + 0.05], 0.0));
    }
    node.add(WOOD, slab([-hx, 0.1, -hz], [hx, PALLET, hz], 0.0));
    for layer in 0..5 {
        let y = PALLET + 0.3 * f64::from(layer);
        node.add(CARDBOARD, slab([-hx + 0.006, y, -hz + 0.02], [hx - 0.006, y + 0.294, hz - 0.02], 0.006));
        for x in [-0.4, 0.0, 0.4] {
            node.add(CARDBOARD_DARK, slab([x - 0.02, y, -hz + 0.018], [x + 0.02, y + 0.295, hz - 0.018], 0.0));
        }
    }
    for layer in 1..5 {
        let y = PALLET + 0.3 * f64::from(layer);
        node.add(LABEL, slab([-hx, y - 0.005, -hz + 0.01], [hx, y + 0.002, hz - 0.01], 0.0));
    }
}

const PLACES: [&str; 10] =
    ["pallet1", "pallet2", "pallet3", "pallet4", "pallet5", "pallet6", "pallet7", "pallet8", "pallet9", "pallet10"];
/// Two lanes of five places each; pallets come in at the front (+z) and roll to the back.
const LANE: f64 = 1.15;
const STEP: f64 = 1.28;
const LANE_HEIGHT: f64 = 0.18;

/// A store of two roller lanes, ten places deep in all: `pallet1` to `pallet10` fill it from the back.
pub fn store() -> Vec<Node> {
    let mut frame = Node::new("frame").tinted();
    let back = -4.0 * STEP - 0.65;
    let mut rollers = Mesh::default();
    for lane in [-LANE / 2.0, LANE / 2.0] {
        for x in [lane - 0.47, lane + 0.47] {
            frame.add(STEEL_BRUSHED, slab([x - 0.03, 0.05, back], [x + 0.03, LANE_HEIGHT + 0.005, 0.65], 0.006));
        }
        rollers.append(
            &super::super::solids::drum_x(0.03, 0.88, 0.0, 8)
                .at([lane, LANE_HEIGHT - 0.03, back + 0.1])
                .row(30, [0.0, 0.0, 0.18]),
        );
    }
    frame.add(STEEL, rollers);
    // Uprights with arms, a stop at the back, a board over the front.
    for x in [-LANE, 0.0, LANE] {
        for z in [back + 0.06, -1.92, 0.59] {
            let top = if z > 0.0 { 2.35 } else { 1.5 };
            frame.add(PAINT_MID, slab([x - 0.04, 0.0, z - 0.04], [x + 0.04, top, z + 0.04], 0.008));
            frame.add(PAINT_DARK, slab([x - 0.1, 0.0, z - 0.1], [x + 0.1, 0.015, z + 0.1], 0.0));
        }
        frame.add(PAINT_MID, slab([x - 0.025, 0.42, back + 0.06], [x + 0.025, 0.5, 0.59], 0.006));
    }
    frame.add(PAINT_MID, slab([-LANE, 0.3, back - 0.02], [LANE, 0.5, back + 0.04], 0.008));
    frame.add(PAINT_MID, slab([-LANE - 0.04, 2.2, 0.55], [LANE + 0.04, 2.35, 0.63], 0.01));
    frame.add(MARK, slab([-0.5, 1.98, 0.58], [0.5, 2.2, 0.6], 0.006));
    let mut nodes = vec![frame];
    for (place, name) in PLACES.into_iter().enumerate() {
        let lane = if place % 2 == 0 { -LANE / 2.0 } else { LANE / 2.0 };
        let depth = f64::from(place as u32 / 2);
        let mut pallet = Node::new(name).at([lane, LANE_HEIGHT, -4.0 * STEP + STEP * depth]).tinted();
        full_pallet(&mut pallet);
        for (_, mesh) in &mut pallet.meshes {
            *mesh = std::mem::take(mesh).turn_y(90.0);
        }
        nodes.push(pallet);
    }
    nodes.push(Node::port("infeed", [LANE / 2.0, LANE_HEIGHT + 0.3, 0.65]));
    nodes
}

const LAYERS: [&str; 5] = ["layer1", "layer2", "layer3", "layer4", "layer5"];
/// Where the pallet stands, and how far bottles of a layer and layers are apart.
const STACK: [f64; 3] = [-0.75, 0.3, 0.0];
const PITCH: f64 = 0.135;
const LAYER: f64 = 0.32;

/// A stack of empty bottles under a sweeper, and a table from which they go on in one row.
pub fn depalletiser() -> Vec<Node> {
    let mut frame = Node::new("frame").tinted();
    for x in [-1.5, 0.0] {
        for z in [-0.72, 0.72] {
            frame.add(PAINT_LIGHT, slab([x - 0.06, 0.0, z - 0.06], [x + 0.06, 2.75, z + 0.06], 0.012));
            frame.add(PAINT_DARK, slab([x - 0.11, 0.0, z - 0.11], [x + 0.11, 0.03, z + 0.11], 0.006));
        }
        frame.add(PAINT_LIGHT, slab([x - 0.05, 2.62, -0.72], [x + 0.05, 2.75, 0.72], 0.012));
    }
    for z in [-0.72, 0.72] {
        frame.add(PAINT_LIGHT, slab([-1.5, 2.64, z - 0.05], [0.0, 2.76, z + 0.05], 0.012));
    }
    frame.add(GLASS, slab([-1.44, 0.5, -0.725], [-0.06, 2.5, -0.715], 0.0));
    // Sweeper head above the stack, with its drive.
    frame.add(PAINT_MID, slab([-0.95, 2.5, -0.66], [-0.55, 2.6, 0.66], 0.012));
    frame.add(PAINT_DARK, drum(0.1, 0.26, 0.012, 22).at([-0.75, 2.72, 0.0]));
    for z in [-0.5, 0.5] {
        frame.add(STEEL, bar([-1.46, 2.55, z], [-0.04, 2.55, z], 0.02, 10));
    }
    // Roller bed and pallet.
    for z in [-0.56, 0.56] {
        frame.add(STEEL_BRUSHED, slab([-1.4, 0.04, z - 0.03], [-0.1, STACK[1] - PALLET + 0.005, z + 0.03], 0.006));
    }
    frame.add(STEEL, drum_z(0.03, 1.08, 0.0, 8).at([-1.34, STACK[1] - PALLET - 0.03, 0.0]).row(10, [0.13, 0.0, 0.0]));
    frame.add(WOOD, slab([-1.3, STACK[1] - PALLET, -0.5], [-0.2, STACK[1], 0.5], 0.004));
    // Table at belt height, narrowing towards the row.
    frame.add(STEEL_BRUSHED, slab([0.1, BELT_HEIGHT - 0.1, -0.6], [1.0, BELT_HEIGHT - 0.02, 0.75], 0.01));
    frame.add(BELT, slab([0.12, BELT_HEIGHT - 0.02, -0.58], [0.98, BELT_HEIGHT, 0.73], 0.0));
    frame.add(BELT, slab([0.98, BELT_HEIGHT - 0.03, 0.55], [1.6, BELT_HEIGHT, 0.75], 0.0));
    for z in [0.52, 0.78] {
        frame.add(
            STEEL_BRUSHED,
            slab([0.95, BELT_HEIGHT - 0.13, z - 0.02], [1.6, BELT_HEIGHT + 0.012, z + 0.02], 0.006),
        );
    }
    frame.add(STEEL, bar([0.15, BELT_HEIGHT + 0.12, -0.55], [1.05, BELT_HEIGHT + 0.12, 0.5], 0.012, 8));
    for (x, z) in [(0.18, -0.5), (0.9, -0.5), (0.18, 0.66), (0.9, 0.66), (1.5, 0.65)] {
        frame.add(STEEL_BRUSHED, slab([x - 0.03, 0.08, z - 0.03], [x + 0.03, BELT_HEIGHT - 0.1, z + 0.03], 0.006));
        frame.add(STEEL_DARK, foot(0.1, 0.06).at([x, 0.0, z]));
    }
    let row = [0.14, 0.28, 0.42, 0.56, 0.7].map(|along| [0.2 + along, BELT_HEIGHT, -0.35 + along * 1.25]);
    frame.add(BOTTLE, empty().each(&row));
    frame.add(BOTTLE, empty().each(&[1.1, 1.25, 1.4, 1.55].map(|x| [x, BELT_HEIGHT, 0.65])));
    let mut nodes = vec![frame];
    for (number, name) in LAYERS.into_iter().enumerate() {
        let at = [STACK[0], STACK[1] + LAYER * number as f64, STACK[2]];
        let mut layer = Node::new(name).at(at).tinted();
        let row = empty().at([-3.5 * PITCH, 0.0, -3.0 * PITCH]).row(8, [PITCH, 0.0, 0.0]);
        layer.add(BOTTLE, row.row(7, [0.0, 0.0, PITCH]));
        layer.add(CARDBOARD, block([1.1, 0.006, 1.0], 0.0).at([0.0, 0.304, 0.0]));
        nodes.push(layer);
    }
    nodes.push(Node::port("outfeed", [1.6, BELT_HEIGHT, 0.65]));
    nodes
}

/// A bottle without label and cap, coarse: there are hundreds.
fn empty() -> Mesh {
    lathe(&[(0.045, 0.0), (0.045, 0.18), (0.018, 0.24), (0.018, 0.3), (0.0, 0.3)], 6)
}
