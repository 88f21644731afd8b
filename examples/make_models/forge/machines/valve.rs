//! A control valve: globe body with flanges, yoke, diaphragm actuator, rising stem, handwheel.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{ball, block, drum, lathe, slab, torus},
    sweep::{bar, tube},
};
use super::parts::nozzle;

/// Height of the pipe axis.
const AXIS: f64 = 0.55;

pub fn valve() -> Vec<Node> {
    vec![
        body(),
        stem(),
        wheel(),
        position(),
        Node::port("inlet", [-0.4, AXIS, 0.0]),
        Node::port("outlet", [0.4, AXIS, 0.0]),
    ]
}

fn body() -> Node {
    let mut body = Node::new("body").tinted();
    body.add(PAINT_MID, ball(0.16, 28).stretch([1.1, 1.0, 0.95]).at([0.0, AXIS, 0.0]));
    for side in [0.0, 180.0] {
        body.add(PAINT_MID, nozzle(0.085, 0.4).turn_y(side).at([0.0, AXIS, 0.0]));
    }
    let bonnet =
        [(0.0, 0.0), (0.12, 0.0), (0.12, 0.13), (0.16, 0.14), (0.16, 0.175), (0.09, 0.18), (0.06, 0.24), (0.0, 0.24)];
    body.add(PAINT_MID, lathe(&bonnet, 28).at([0.0, AXIS, 0.0]));
    let bolt = drum(0.014, 0.03, 0.0, 6).at([0.138, AXIS + 0.175, 0.0]);
    body.add(STEEL_BRUSHED, bolt.ring(8));
    // Yoke: two pillars up to the actuator, with room for the stem to be seen.
    for x in [-0.1, 0.1] {
        body.add(STEEL_BRUSHED, bar([x, AXIS + 0.17, 0.0], [x, AXIS + 0.56, 0.0], 0.016, 12));
    }
    body.add(PAINT_DARK, drum(0.13, 0.04, 0.008, 28).at([0.0, AXIS + 0.55, 0.0]));
    // Diaphragm actuator: two dished halves bolted together.
    let actuator = lathe(
        &[
            (0.0, 0.0),
            (0.1, 0.0),
            (0.2, 0.05),
            (0.235, 0.09),
            (0.255, 0.09),
            (0.255, 0.125),
            (0.235, 0.125),
            (0.2, 0.17),
            (0.12, 0.21),
            (0.07, 0.22),
            (0.0, 0.22),
        ],
        36,
    );
    body.add(PAINT_LIGHT, actuator.at([0.0, AXIS + 0.58, 0.0]));
    let bolt = drum(0.01, 0.055, 0.0, 6).at([0.246, AXIS + 0.66, 0.0]);
    body.add(STEEL_DARK, bolt.ring(16));
    body.add(PAINT_MID, drum(0.04, 0.16, 0.006, 18).at([0.0, AXIS + 0.79, 0.0]));
    // Positioner with air tube, travel scale beside the stem.
    body.add(PAINT_DARK, block([0.12, 0.15, 0.12], 0.015).at([0.19, AXIS + 0.38, 0.0]));
    body.add(SCREEN, slab([0.15, AXIS + 0.36, 0.06], [0.23, AXIS + 0.42, 0.063], 0.0));
    let air = [[0.23, AXIS + 0.45, 0.0], [0.3, AXIS + 0.45, 0.0], [0.3, AXIS + 0.63, 0.0], [0.2, AXIS + 0.65, 0.0]];
    body.add(STEEL, tube(&air, 0.008, 0.04, 8));
    body.add(MARK, slab([-0.084, AXIS + 0.27, 0.02], [-0.05, AXIS + 0.5, 0.024], 0.0));
    for step in 0..=10 {
        let y = AXIS + 0.28 + 0.021 * f64::from(step);
        body.add(PAINT_DARK, slab([-0.07, y - 0.002, 0.024], [-0.05, y + 0.002, 0.0255], 0.0));
    }
    // Pipe support.
    body.add(STEEL_DARK, drum(0.04, AXIS - 0.14, 0.0, 14));
    body.add(STEEL_DARK, drum(0.13, 0.02, 0.004, 24));
    body
}

/// Closed at its origin; slides up to 0.1 m when it opens.
fn stem() -> Node {
    let mut stem = Node::new("stem").at([0.0, AXIS + 0.24, 0.0]);
    stem.add(STEEL, drum(0.016, 0.33, 0.0, 14));
    stem.add(STEEL_DARK, drum(0.036, 0.05, 0.006, 20).at([0.0, 0.06, 0.0]));
    stem.add(PAINT_DARK, slab([-0.075, 0.076, 0.018], [0.01, 0.086, 0.03], 0.0));
    stem
}

fn wheel() -> Node {
    let mut wheel = Node::new("wheel").at([0.0, AXIS + 0.98, 0.0]).tinted();
    let mut spokes = Mesh::default();
    spokes.append(&bar([0.03, 0.0, 0.0], [0.16, 0.02, 0.0], 0.011, 10).ring(4));
    wheel.add(PAINT_DARK, torus(0.165, 0.016, 36, 10).at([0.0, 0.02, 0.0]));
    wheel.add(PAINT_DARK, spokes);
    wheel.add(PAINT_DARK, drum(0.036, 0.06, 0.006, 18).at([0.0, -0.03, 0.0]));
    let knob = lathe(&[(0.0, 0.0), (0.012, 0.0), (0.016, 0.03), (0.016, 0.06), (0.0, 0.07)], 12);
    wheel.add(MARK, knob.at([0.165, 0.03, 0.0]));
    wheel
}

/// An indicator plate in front of the actuator, for a tint or a label.
fn position() -> Node {
    let mut position = Node::new("position").at([0.0, AXIS + 0.42, 0.13]).tinted();
    position.add(LENS, drum(0.05, 0.018, 0.005, 24).turn_x(90.0));
    position
}
