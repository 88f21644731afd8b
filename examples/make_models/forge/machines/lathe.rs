//! A turning centre: slant bed in a housing with an open front, a spindle with a chuck, a carriage with a turret and
//! tool, a sliding door, and a signal light.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum, drum_x, lathe as turned, slab},
    sweep::bar,
};
use super::parts::{beacon_stalk, foot};

const HALF: [f64; 2] = [1.4, 0.75];
const TOP: f64 = 1.95;
/// Height of the spindle's axis, and the face of its nose.
const AXIS: f64 = 1.2;
const NOSE: f64 = -0.62;
const LIGHT: [f64; 3] = [-1.2, TOP, -0.4];
const STALK: f64 = 0.18;
/// The opening in the front.
const OPENING: [f64; 2] = [-0.85, 0.55];

pub fn lathe() -> Vec<Node> {
    vec![body(), spindle(), carriage(), door(), light()]
}

fn body() -> Node {
    let mut body = Node::new("body").tinted();
    let [hx, hz] = HALF;
    body.add(PAINT_DARK, slab([-hx, 0.1, -hz], [hx, 0.32, hz - 0.05], 0.02));
    for x in [-1.2, 0.0, 1.2] {
        for z in [-0.6, 0.55] {
            body.add(STEEL_DARK, foot(0.12, 0.09).at([x, 0.0, z]));
        }
    }
    // Housing around the working room: back, ends, a lower and an upper front, and the control on the right.
    body.add(PAINT_LIGHT, slab([-hx, 0.32, -hz], [hx, TOP, -hz + 0.08], 0.02));
    body.add(PAINT_LIGHT, slab([-hx, 0.32, -hz], [OPENING[0], TOP, hz], 0.03));
    body.add(PAINT_LIGHT, slab([OPENING[1], 0.32, -hz], [hx, TOP, hz], 0.03));
    body.add(PAINT_LIGHT, slab([OPENING[0] - 0.02, 0.32, 0.0], [OPENING[1] + 0.02, 0.72, hz], 0.02));
    body.add(PAINT_LIGHT, slab([OPENING[0] - 0.02, TOP - 0.16, -hz], [OPENING[1] + 0.02, TOP, hz], 0.02));
    body.add(PAINT_MID, slab([-hx - 0.01, 0.62, hz - 0.005], [hx + 0.01, 0.68, hz + 0.012], 0.004));
    // The bed leans towards the back, so that chips fall; guide rails on it.
    body.add(STEEL_DARK, slab([OPENING[0], 0.6, -0.64], [OPENING[1], 0.86, 0.02], 0.0));
    for z in [-0.44, -0.1] {
        body.add(STEEL, slab([OPENING[0], 0.86, z - 0.03], [OPENING[1], 0.9, z + 0.03], 0.004));
    }
    body.add(PAINT_MID, drum_x(0.24, 0.16, 0.02, 32).at([OPENING[0] + 0.06, AXIS, -0.2]));
    // Tailstock behind the opening's right end.
    body.add(PAINT_MID, slab([0.3, 0.9, -0.34], [OPENING[1], AXIS + 0.12, -0.06], 0.02));
    let centre = turned(&[(0.0, 0.0), (0.05, 0.0), (0.05, 0.1), (0.012, 0.19), (0.0, 0.2)], 20);
    body.add(STEEL, centre.turn_z(90.0).at([0.3, AXIS, -0.2]));
    // Control panel, window rails, chip conveyor at the left end.
    body.add(PAINT_DARK, slab([0.75, 1.05, hz], [1.25, 1.72, hz + 0.05], 0.015));
    body.add(SCREEN, slab([0.8, 1.38, hz + 0.05], [1.2, 1.67, hz + 0.054], 0.0));
    for step in 0..8 {
        let (x, y) = (0.83 + 0.11 * f64::from(step % 4), 1.28 - 0.1 * f64::from(step / 4));
        body.add(STEEL_BRUSHED, slab([x - 0.03, y - 0.03, hz + 0.05], [x + 0.03, y + 0.03, hz + 0.06], 0.004));
    }
    for y in [0.76, TOP - 0.18] {
        body.add(STEEL, bar([-hx + 0.05, y, hz + 0.03], [OPENING[1] + 0.12, y, hz + 0.03], 0.014, 8));
    }
    body.add(PAINT_MID, slab([-hx - 0.5, 0.12, -0.3], [-hx, 0.42, 0.3], 0.02));
    body.add(PAINT_MID, slab([-hx - 0.5, 0.4, -0.24], [-hx - 0.2, 1.0, 0.24], 0.02));
    body.add(STEEL_DARK, beacon_stalk(LIGHT, STALK));
    body
}

/// Chuck with three jaws and the bar that is turned; its origin lies on the axis.
fn spindle() -> Node {
    let mut node = Node::new("spindle").at([NOSE, AXIS, -0.2]).tinted();
    node.add(STEEL_BRUSHED, drum_x(0.17, 0.16, 0.012, 36));
    let mut jaws = Mesh::default();
    for step in 0..3 {
        jaws.append(&block([0.09, 0.1, 0.06], 0.006).at([0.11, 0.1, 0.0]).turn_x(120.0 * f64::from(step)));
    }
    node.add(STEEL_DARK, jaws);
    node.add(STEEL, drum_x(0.06, 0.5, 0.006, 26).at([0.32, 0.0, 0.0]));
    // A mark on the chuck shows the turning.
    node.add(MARK, block([0.162, 0.012, 0.05], 0.002).at([0.0, 0.166, 0.0]));
    node
}

/// Slides to -x along the bar; as made it stands back at the tailstock.
fn carriage() -> Node {
    let mut node = Node::new("carriage").at([0.12, 0.9, -0.2]).tinted();
    node.add(PAINT_MID, slab([-0.14, 0.0, -0.34], [0.14, 0.1, 0.3], 0.012));
    node.add(PAINT_DARK, slab([-0.1, 0.1, 0.05], [0.1, 0.26, 0.28], 0.012));
    node.add(STEEL_BRUSHED, drum_x(0.13, 0.1, 0.01, 8).at([0.0, 0.32, 0.2]));
    let mut tool = Node::new("tool").at([-0.05, 0.3, 0.07]).tinted();
    tool.add(STEEL_DARK, slab([-0.025, -0.02, -0.04], [0.025, 0.02, 0.1], 0.002));
    tool.add(CAP, slab([-0.032, -0.024, -0.075], [0.02, 0.024, -0.035], 0.003));
    node.child(tool)
}

/// As made it covers the opening; it slides to -x.
fn door() -> Node {
    let mut door = Node::new("door").at([(OPENING[0] + OPENING[1]) / 2.0, 0.0, HALF[1] + 0.03]).tinted();
    let half = (OPENING[1] - OPENING[0]) / 2.0 + 0.04;
    let (low, high) = (0.74, TOP - 0.14);
    for (a, b) in [
        ([-half, low], [half, low + 0.1]),
        ([-half, high - 0.1], [half, high]),
        ([-half, low], [-half + 0.12, high]),
        ([half - 0.12, low], [half, high]),
    ] {
        door.add(PAINT_MID, slab([a[0], a[1], -0.015], [b[0], b[1], 0.02], 0.006));
    }
    door.add(GLASS, slab([-half + 0.1, low + 0.08, -0.004], [half - 0.1, high - 0.08, 0.004], 0.0));
    door.add(STEEL, bar([half - 0.06, 1.1, 0.05], [half - 0.06, 1.45, 0.05], 0.014, 10));
    door
}

fn light() -> Node {
    let [x, y, z] = LIGHT;
    let mut light = Node::new("light").at([x, y + STALK + 0.03, z]).tinted();
    light.add(LENS, drum(0.05, 0.16, 0.014, 22));
    light
}
