//! A small closed tank on a ring of feet, with a level glass from bottom to top: for glycol and the like.

use super::super::{
    material::*,
    node::Node,
    solids::{drum, lathe, slab, torus, vessel},
    sweep::bar,
};
use super::parts::{foot, nozzle};

const RADIUS: f64 = 0.5;
const BOTTOM: f64 = 0.3;
const TOP: f64 = 2.95;
/// Lower and upper end of the level glass.
const GLASS_ENDS: (f64, f64) = (0.45, 2.8);

pub fn vat() -> Vec<Node> {
    vec![
        body(),
        level(),
        Node::port("inlet", [-RADIUS - 0.3, 2.55, 0.0]),
        Node::port("outlet", [RADIUS + 0.3, 0.55, 0.0]),
    ]
}

fn body() -> Node {
    let mut body = Node::new("body").tinted();
    body.add(PAINT_LIGHT, vessel(RADIUS, TOP - BOTTOM, 0.14, 40).at([0.0, BOTTOM, 0.0]));
    for y in [0.5, 1.6, 2.75] {
        body.add(PAINT_MID, torus(RADIUS, 0.016, 40, 6).at([0.0, y, 0.0]));
    }
    let leg = slab([-0.045, 0.08, -0.045], [0.045, 0.62, 0.045], 0.01).with(foot(0.1, 0.08));
    body.add(STEEL_DARK, leg.at([RADIUS - 0.02, 0.0, 0.0]).turn_y(45.0).ring(4));
    body.add(STEEL_BRUSHED, nozzle(0.055, 0.34).turn_y(180.0).at([-RADIUS + 0.04, 2.55, 0.0]));
    body.add(STEEL_BRUSHED, nozzle(0.055, 0.34).at([RADIUS - 0.04, 0.55, 0.0]));
    // Filling neck, vent and lifting lugs on the crown.
    body.add(STEEL_BRUSHED, drum(0.11, 0.12, 0.01, 24).at([0.14, TOP - 0.04, 0.0]));
    let vent = lathe(&[(0.0, 0.0), (0.03, 0.0), (0.03, 0.16), (0.07, 0.16), (0.06, 0.2), (0.0, 0.22)], 16);
    body.add(STEEL_BRUSHED, vent.at([-0.2, TOP - 0.05, 0.05]));
    // The level glass between two cocks, with a scale behind it.
    let (low, high) = GLASS_ENDS;
    let z = RADIUS + 0.06;
    body.add(PAINT_DARK, slab([-0.07, low, RADIUS - 0.03], [0.07, high, RADIUS + 0.02], 0.004));
    for y in [low - 0.02, high + 0.02] {
        body.add(STEEL_DARK, bar([0.0, y, RADIUS - 0.06], [0.0, y, z + 0.03], 0.03, 14));
        body.add(STEEL_DARK, slab([-0.05, y - 0.035, z - 0.04], [0.05, y + 0.035, z + 0.05], 0.01));
    }
    for step in 0..=10 {
        let y = low + (high - low) * f64::from(step) / 10.0;
        let long = if step % 5 == 0 { 0.06 } else { 0.035 };
        body.add(MARK, slab([0.1 - long, y - 0.005, RADIUS + 0.02], [0.1, y + 0.005, RADIUS + 0.026], 0.0));
    }
    // The maker's plate.
    body.add(MARK, slab([-0.36, 1.9, 0.405], [-0.16, 2.1, 0.42], 0.0));
    body
}

fn level() -> Node {
    let (low, high) = GLASS_ENDS;
    let mut level = Node::new("level").at([0.0, low, RADIUS + 0.06]).tinted();
    // Sharp edges: a bevel would be stretched with the fill.
    level.add(LIQUID, slab([-0.032, 0.0, -0.03], [0.032, high - low, 0.04], 0.0));
    level
}
