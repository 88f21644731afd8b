//! An electrical cabinet with three doors, and a signal light on its front.

use super::super::{
    material::*,
    node::Node,
    solids::{drum, drum_z, slab},
};
use super::parts::foot;

const HALF_WIDTH: f64 = 0.9;
const FRONT: f64 = 0.25;
const TOP: f64 = 2.05;

pub fn cabinet() -> Vec<Node> {
    vec![body(), light()]
}

fn body() -> Node {
    let mut body = Node::new("body").tinted();
    body.add(PAINT_DARK, slab([-HALF_WIDTH, 0.03, -FRONT], [HALF_WIDTH, 0.15, FRONT - 0.02], 0.01));
    body.add(PAINT_LIGHT, slab([-HALF_WIDTH, 0.14, -FRONT], [HALF_WIDTH, TOP, FRONT - 0.02], 0.015));
    body.add(
        PAINT_MID,
        slab([-HALF_WIDTH - 0.02, TOP - 0.01, -FRONT - 0.02], [HALF_WIDTH + 0.02, TOP + 0.04, FRONT], 0.012),
    );
    for door in 0..3 {
        let x = -0.6 + 0.6 * f64::from(door);
        body.add(PAINT_LIGHT, slab([x - 0.288, 0.19, FRONT - 0.03], [x + 0.288, TOP - 0.04, FRONT], 0.012));
        body.add(PAINT_DARK, slab([x + 0.21, 1.0, FRONT], [x + 0.245, 1.18, FRONT + 0.025], 0.008));
        for y in [0.3, 1.9] {
            body.add(
                STEEL_DARK,
                slab([x - 0.287, y - 0.04, FRONT - 0.005], [x - 0.265, y + 0.04, FRONT + 0.012], 0.004),
            );
        }
        for step in 0..6 {
            let y = 0.3 + 0.04 * f64::from(step);
            body.add(PAINT_DARK, slab([x - 0.16, y, FRONT - 0.002], [x + 0.12, y + 0.016, FRONT + 0.006], 0.0));
        }
        for z in [-0.18, 0.16] {
            body.add(STEEL_DARK, foot(0.05, 0.05).at([x, 0.0, z]));
        }
    }
    // Fans with filters on the roof, panel, main switch, buttons.
    for x in [-0.6, 0.6] {
        body.add(PAINT_DARK, drum(0.16, 0.07, 0.015, 28).at([x, TOP + 0.03, 0.0]));
    }
    body.add(PAINT_DARK, slab([-0.18, 1.4, FRONT], [0.18, 1.68, FRONT + 0.012], 0.006));
    body.add(SCREEN, slab([-0.15, 1.44, FRONT + 0.012], [0.15, 1.64, FRONT + 0.015], 0.0));
    body.add(PAINT_DARK, drum_z(0.06, 0.03, 0.006, 24).at([0.6, 1.5, FRONT + 0.012]));
    body.add(STEEL, slab([0.587, 1.45, FRONT + 0.027], [0.613, 1.55, FRONT + 0.05], 0.006));
    for step in 0..4 {
        let x = -0.72 + 0.08 * f64::from(step);
        body.add(STEEL_BRUSHED, drum_z(0.022, 0.02, 0.004, 18).at([x, 1.5, FRONT + 0.008]));
        body.add(PAINT_DARK, drum_z(0.015, 0.026, 0.0, 16).at([x, 1.5, FRONT + 0.008]));
        body.add(MARK, slab([x - 0.025, 1.54, FRONT], [x + 0.025, 1.56, FRONT + 0.002], 0.0));
    }
    body.add(STEEL_DARK, drum(0.03, 0.12, 0.004, 16).at([0.0, TOP + 0.04, 0.12]));
    body
}

fn light() -> Node {
    let mut light = Node::new("light").at([0.0, TOP + 0.16, 0.12]).tinted();
    light.add(LENS, drum(0.05, 0.16, 0.014, 22));
    light
}
