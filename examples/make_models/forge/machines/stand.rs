//! What stands on a post beside the machines: the box of a controller, and the clock of a schedule.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{drum, drum_z, slab},
};
use super::parts::foot;

/// A post on a base plate, up to `top`.
fn post(top: f64) -> Mesh {
    let post = slab([-0.03, 0.02, -0.03], [0.03, top, 0.03], 0.006);
    post.with(slab([-0.16, 0.0, -0.14], [0.16, 0.025, 0.14], 0.006))
}

fn lamp(at: [f64; 3]) -> Node {
    Node::new("lamp").at(at).tinted().with(LENS, drum_z(0.032, 0.03, 0.008, 20))
}

/// Front of the controller's box, and where its display begins and ends.
const FRONT: f64 = 0.1;
const DISPLAY: [f64; 2] = [1.36, 1.6];

/// A box with a display, a bar that grows with the output, buttons and a lamp.
pub fn controller() -> Vec<Node> {
    let mut body = Node::new("body").tinted();
    body.add(STEEL_BRUSHED, post(1.1));
    body.add(PAINT_LIGHT, slab([-0.25, 1.08, -0.09], [0.25, 1.68, FRONT - 0.015], 0.014));
    body.add(PAINT_MID, slab([-0.225, 1.11, FRONT - 0.02], [0.225, 1.65, FRONT], 0.008));
    body.add(
        PAINT_DARK,
        slab([-0.2, DISPLAY[0] - 0.03, FRONT - 0.002], [0.2, DISPLAY[1] + 0.03, FRONT + 0.006], 0.003),
    );
    for step in 0..3 {
        let x = -0.15 + 0.09 * f64::from(step);
        body.add(STEEL_BRUSHED, drum_z(0.026, 0.02, 0.004, 18).at([x, 1.22, FRONT + 0.008]));
        body.add(PAINT_DARK, drum_z(0.017, 0.028, 0.0, 16).at([x, 1.22, FRONT + 0.008]));
    }
    // A scale beside the bar, and glands for the cables below.
    for step in 0..=4 {
        let y = DISPLAY[0] + (DISPLAY[1] - DISPLAY[0]) * f64::from(step) / 4.0;
        body.add(MARK, slab([0.098, y - 0.003, FRONT + 0.006], [0.115, y + 0.003, FRONT + 0.008], 0.0));
    }
    for x in [-0.12, 0.12] {
        body.add(PAINT_DARK, drum(0.022, 0.06, 0.004, 14).at([x, 1.03, 0.0]));
    }
    let mut screen = Node::new("screen").at([-0.06, (DISPLAY[0] + DISPLAY[1]) / 2.0, FRONT + 0.007]).tinted();
    let half = (DISPLAY[1] - DISPLAY[0]) / 2.0;
    screen.add(SCREEN, slab([-0.125, -half, 0.0], [0.125, half, 0.006], 0.0));
    // Sharp edges: a bevel would be stretched with the fill.
    let mut bar = Node::new("bar").at([0.15, DISPLAY[0], FRONT + 0.007]).tinted();
    bar.add(LIQUID, slab([-0.028, 0.0, 0.0], [0.028, 2.0 * half, 0.008], 0.0));
    vec![body, screen, bar, lamp([0.15, 1.22, FRONT + 0.012])]
}

/// Height of the middle of the dial, and its radius.
const DIAL: f64 = 2.0;
const RADIUS: f64 = 0.36;

/// A clock with hours from 1 to 12; both hands point to 12 as made. A lamp and a board for the speed below.
pub fn clock() -> Vec<Node> {
    let mut body = Node::new("body").tinted();
    body.add(STEEL_BRUSHED, post(1.7));
    body.add(STEEL_DARK, foot(0.05, 0.05).at([0.0, 0.02, 0.1]));
    body.add(PAINT_DARK, drum_z(RADIUS + 0.04, 0.12, 0.015, 40).at([0.0, DIAL, 0.0]));
    body.add(MARK, drum_z(RADIUS, 0.01, 0.0, 40).at([0.0, DIAL, 0.06]));
    for hour in 0..12 {
        let (long, wide) = if hour % 3 == 0 { (0.08, 0.018) } else { (0.045, 0.01) };
        let mark = slab([-wide / 2.0, RADIUS - 0.02 - long, 0.064], [wide / 2.0, RADIUS - 0.02, 0.068], 0.0);
        body.add(PAINT_DARK, mark.turn_z(30.0 * f64::from(hour)).at([0.0, DIAL, 0.0]));
    }
    body.add(PAINT_LIGHT, slab([-0.26, 1.2, -0.05], [0.26, 1.52, 0.05], 0.012));
    body.add(PAINT_DARK, slab([-0.22, 1.24, 0.05], [0.1, 1.48, 0.058], 0.003));
    let mut screen = Node::new("screen").at([-0.06, 1.36, 0.058]).tinted();
    screen.add(SCREEN, slab([-0.14, -0.1, 0.0], [0.14, 0.1, 0.006], 0.0));
    let hand = |name, long: f64, wide: f64, z: f64| {
        let mut hand = Node::new(name).at([0.0, DIAL, z]).tinted();
        hand.add(RUBBER, slab([-wide / 2.0, -0.06, 0.0], [wide / 2.0, long, 0.008], 0.0));
        hand.add(RUBBER, drum_z(wide, 0.012, 0.0, 18).at([0.0, 0.0, 0.004]));
        hand
    };
    vec![body, hand("hours", 0.2, 0.034, 0.07), hand("minutes", 0.3, 0.02, 0.082), screen, lamp([0.18, 1.36, 0.055])]
}
