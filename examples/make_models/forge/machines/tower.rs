//! A cooling tower: basin, louvres, filling behind glass, and a fan in a stack on top under its motor.

use super::super::{
    material::*,
    node::Node,
    solids::{drum, lathe, slab},
    sweep::tube,
};
use super::compressor::{fan, fan_guard};
use super::parts::{foot, nozzle};

const HALF: f64 = 1.0;
const TOP: f64 = 2.5;

pub fn tower() -> Vec<Node> {
    vec![
        body(),
        fan("fan", [0.0, TOP + 0.25, 0.0], 0.68).into_top(),
        motor(),
        Node::port("inlet", [-HALF - 0.35, 1.95, 0.3]),
        Node::port("outlet", [HALF + 0.35, 0.45, 0.3]),
    ]
}

fn body() -> Node {
    let mut body = Node::new("body").tinted();
    for x in [-0.8, 0.8] {
        for z in [-0.8, 0.8] {
            body.add(STEEL_DARK, foot(0.24, 0.1).at([x, 0.0, z]));
        }
    }
    body.add(PAINT_MID, slab([-HALF - 0.04, 0.2, -HALF - 0.04], [HALF + 0.04, 0.62, HALF + 0.04], 0.03));
    body.add(PAINT_DARK, slab([-HALF + 0.04, 0.62, -HALF + 0.04], [HALF - 0.04, 1.3, HALF - 0.04], 0.0));
    body.add(PAINT_LIGHT, slab([-HALF, 1.3, -HALF], [HALF, TOP, HALF], 0.03));
    for x in [-HALF + 0.05, HALF - 0.05] {
        for z in [-HALF + 0.05, HALF - 0.05] {
            body.add(PAINT_LIGHT, slab([x - 0.05, 0.6, z - 0.05], [x + 0.05, 1.32, z + 0.05], 0.01));
        }
    }
    // Louvres on all four sides, leaning outwards.
    for side in 0..4 {
        for step in 0..5 {
            let louvre = slab([-HALF + 0.1, -0.008, -0.07], [HALF - 0.1, 0.008, 0.07], 0.0).turn_x(-35.0);
            let y = 0.7 + 0.13 * f64::from(step);
            body.add(PAINT_MID, louvre.at([0.0, y, HALF]).turn_y(90.0 * f64::from(side)));
        }
    }
    // Seams, an inspection door and a ladder rail at the front.
    for y in [1.34, 1.92, TOP - 0.04] {
        body.add(
            PAINT_MID,
            slab([-HALF - 0.012, y - 0.02, -HALF - 0.012], [HALF + 0.012, y + 0.02, HALF + 0.012], 0.0),
        );
    }
    body.add(PAINT_MID, slab([0.2, 1.42, HALF], [0.75, 1.86, HALF + 0.02], 0.008));
    body.add(PAINT_DARK, slab([0.64, 1.6, HALF + 0.02], [0.68, 1.7, HALF + 0.04], 0.006));
    let ring = lathe(
        &[(0.71, 0.0), (0.86, 0.0), (0.77, 0.14), (0.77, 0.4), (0.8, 0.44), (0.73, 0.44), (0.71, 0.4), (0.71, 0.0)],
        44,
    );
    body.add(PAINT_MID, ring.at([0.0, TOP, 0.0]));
    body.add(SCREEN, drum(0.72, 0.012, 0.0, 36).at([0.0, TOP + 0.005, 0.0]));
    body.add(STEEL_DARK, fan_guard(0.72).at([0.0, TOP + 0.42, 0.0]));
    // A bridge carries the motor over the fan.
    for z in [-0.1, 0.1] {
        body.add(STEEL_DARK, slab([-0.8, TOP + 0.44, z - 0.03], [0.8, TOP + 0.5, z + 0.03], 0.006));
    }
    body.add(STEEL_BRUSHED, nozzle(0.075, 0.37).turn_y(180.0).at([-HALF + 0.02, 1.95, 0.3]));
    body.add(STEEL_BRUSHED, nozzle(0.075, 0.37).at([HALF - 0.02, 0.45, 0.3]));
    let overflow = [[-0.6, 0.5, HALF], [-0.6, 0.5, HALF + 0.14], [-0.6, 0.05, HALF + 0.14]];
    body.add(STEEL, tube(&overflow, 0.03, 0.08, 12));
    body
}

fn motor() -> Node {
    let mut node = Node::new("motor").at([0.0, TOP + 0.5, 0.0]).tinted();
    let (fins, cowl) = super::parts::motor(0.15, 0.42);
    node.add(PAINT_MID, fins.turn_z(90.0));
    node.add(PAINT_DARK, cowl.turn_z(90.0));
    node
}
