//! A feed tank: stainless vessel on legs with manway, ladder, level window and agitator drive.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum, drum_z, lathe, slab, torus, vessel},
    sweep::{bar, tube},
};
use super::parts::{beacon, beacon_stalk, flange, foot, nozzle};

const RADIUS: f64 = 1.0;
/// Height of the vessel's lowest and highest point.
const BOTTOM: f64 = 0.65;
const TOP: f64 = 3.75;
/// Lower and upper end of the level window.
const WINDOW: (f64, f64) = (1.15, 3.2);
const BEACON: [f64; 3] = [0.45, TOP - 0.14, 0.45];
const STALK: f64 = 0.25;
const WINDOW_HALF_WIDTH: f64 = 0.13;

pub fn tank() -> Vec<Node> {
    vec![
        body(),
        level(),
        agitator(),
        drive(),
        beacon("beacon", BEACON, STALK),
        Node::port("inlet", [-1.45, 3.05, 0.0]),
        Node::port("outlet", [1.35, 0.35, 0.0]),
    ]
}

fn body() -> Node {
    let mut body = Node::new("body").tinted();
    body.add(STEEL, vessel(RADIUS, TOP - BOTTOM, 0.34, 48).at([0.0, BOTTOM, 0.0]));
    // Weld seams and stiffening bands.
    for y in [1.02, 3.38] {
        body.add(STEEL_BRUSHED, torus(RADIUS, 0.022, 48, 6).at([0.0, y, 0.0]));
    }
    body.add(STEEL_BRUSHED, torus(RADIUS + 0.002, 0.01, 48, 6).at([0.0, 2.2, 0.0]));

    // Legs with gussets, braced by a ring.
    let leg = drum(0.06, 1.1, 0.0, 16).at([0.0, 0.06, 0.0]).with(foot(0.1, 0.11));
    let pad = block([0.05, 0.34, 0.2], 0.012).at([-0.07, 1.12, 0.0]);
    let leg = leg.with(pad).at([RADIUS + 0.04, 0.0, 0.0]).turn_y(45.0);
    body.add(STEEL_BRUSHED, leg.ring(4));
    body.add(STEEL_BRUSHED, torus(RADIUS + 0.04, 0.02, 36, 6).at([0.0, 0.42, 0.0]));

    // Outlet: from the lowest point down, then to +x. Inlet: from -x into the shoulder.
    body.add(STEEL, tube(&[[0.0, 0.75, 0.0], [0.0, 0.35, 0.0], [1.1, 0.35, 0.0]], 0.065, 0.16, 18));
    body.add(STEEL_BRUSHED, nozzle(0.065, 0.25).at([1.1, 0.35, 0.0]));
    body.add(STEEL, nozzle(0.065, 0.5).turn_y(180.0).at([-0.95, 3.05, 0.0]));

    manway(&mut body);
    window(&mut body);
    ladder(&mut body);
    top(&mut body);
    body
}

/// A hinged manway low on the front right.
fn manway(body: &mut Node) {
    let mut hatch = drum_z(0.27, 0.2, 0.0, 28).with(torus(0.27, 0.03, 28, 8).turn_x(90.0).at([0.0, 0.0, 0.1]));
    let lid = lathe(&[(0.0, 0.0), (0.25, 0.0), (0.25, 0.02), (0.18, 0.05), (0.1, 0.066), (0.0, 0.072)], 28);
    hatch.append(&lid.turn_x(90.0).at([0.0, 0.0, 0.1]));
    let mut dark = Mesh::default();
    for step in 0..6 {
        let clamp = block([0.035, 0.13, 0.05], 0.01).at([0.0, 0.27, 0.13]).turn_z(60.0 * f64::from(step));
        dark.append(&clamp);
    }
    dark.append(&bar([-0.09, 0.0, 0.2], [0.09, 0.0, 0.2], 0.014, 8));
    for x in [-0.09, 0.09] {
        dark.append(&bar([x, 0.0, 0.13], [x, 0.0, 0.2], 0.012, 8));
    }
    let place = |mesh: Mesh| mesh.at([0.0, 1.55, RADIUS - 0.01]).turn_y(48.0);
    body.add(STEEL_BRUSHED, place(hatch));
    body.add(STEEL_DARK, place(dark));
}

/// The frame of the level window on the front, with a scale; the liquid itself is the node `level`.
fn window(body: &mut Node) {
    let (low, high) = WINDOW;
    let (w, z) = (WINDOW_HALF_WIDTH, RADIUS - 0.04);
    body.add(PAINT_DARK, slab([-w, low - 0.02, z], [w, high + 0.02, z + 0.06], 0.0));
    for x in [-w - 0.025, w + 0.025] {
        body.add(STEEL_DARK, slab([x - 0.03, low - 0.08, z - 0.06], [x + 0.03, high + 0.08, z + 0.13], 0.014));
    }
    for y in [low - 0.05, high + 0.05] {
        body.add(STEEL_DARK, slab([-w - 0.05, y - 0.035, z - 0.06], [w + 0.05, y + 0.035, z + 0.135], 0.014));
    }
    for step in 0..=20 {
        let y = low + (high - low) * f64::from(step) / 20.0;
        let long = if step % 5 == 0 { 0.055 } else { 0.03 };
        body.add(MARK, slab([w + 0.05 - long, y - 0.004, z + 0.125], [w + 0.05, y + 0.004, z + 0.134], 0.0));
    }
}

fn level() -> Node {
    let (low, high) = WINDOW;
    let w = WINDOW_HALF_WIDTH - 0.006;
    // Sharp edges: a bevel would be stretched with the fill.
    let column = slab([-w, 0.0, -0.02], [w, high - low, 0.045], 0.0);
    Node::new("level").at([0.0, low, RADIUS + 0.02]).tinted().with(LIQUID, column)
}

/// A ladder on the right side with stringers, rungs and safety hoops.
fn ladder(body: &mut Node) {
    let mut rails = Mesh::default();
    let x = RADIUS + 0.24;
    for z in [-0.2, 0.2] {
        rails.append(&tube(&[[x, 0.05, z], [x, 4.35, z], [x - 0.45, 4.35, z], [x - 0.45, 3.66, z]], 0.02, 0.2, 10));
        for y in [1.3, 3.2] {
            rails.append(&bar([x, y, z], [RADIUS - 0.05, y, z], 0.014, 8));
        }
    }
    for step in 0..13 {
        let y = 0.3 + 0.28 * f64::from(step);
        rails.append(&bar([x, y, -0.2], [x, y, 0.2], 0.013, 6));
    }
    body.add(STEEL_DARK, rails.turn_y(28.0));
}

/// Seat of the agitator's drive on the crown, vent, safety valve and a lifting lug.
fn top(body: &mut Node) {
    body.add(STEEL_BRUSHED, drum(0.24, 0.12, 0.0, 28).at([0.0, TOP - 0.06, 0.0]));
    body.add(STEEL_BRUSHED, flange(0.27, 0.04, 12).at([0.0, TOP + 0.06, 0.0]));
    // Lantern: four posts, so that the coupling can be seen turning.
    let post = bar([0.17, TOP + 0.1, 0.0], [0.17, TOP + 0.42, 0.0], 0.022, 10).turn_y(45.0);
    body.add(STEEL_DARK, post.ring(4));
    // Vent with a mushroom cap.
    let vent = lathe(&[(0.0, 0.0), (0.05, 0.0), (0.05, 0.3), (0.11, 0.3), (0.1, 0.35), (0.05, 0.385), (0.0, 0.39)], 18);
    body.add(STEEL_BRUSHED, vent.at([-0.55, TOP - 0.17, -0.25]));
    body.add(STEEL_BRUSHED, drum(0.12, 0.18, 0.01, 20).at([-0.3, TOP - 0.12, 0.5]));
    body.add(STEEL_DARK, beacon_stalk(BEACON, STALK));
}

/// Gears and motor of the agitator.
fn drive() -> Node {
    let mut drive = Node::new("drive").at([0.0, TOP + 0.42, 0.0]).tinted();
    drive.add(PAINT_MID, drum(0.22, 0.05, 0.01, 28));
    drive.add(PAINT_MID, drum(0.17, 0.18, 0.015, 24).at([0.0, 0.05, 0.0]));
    let (fins, cowl) = super::parts::motor(0.155, 0.46);
    let up = |mesh: Mesh| mesh.turn_z(90.0).at([0.0, 0.23, 0.0]);
    drive.add(PAINT_MID, up(fins));
    drive.add(PAINT_DARK, up(cowl));
    drive
}

fn agitator() -> Node {
    let y0 = TOP + 0.26;
    let mut agitator = Node::new("agitator").at([0.0, y0, 0.0]);
    agitator.add(STEEL_BRUSHED, drum(0.035, 2.9, 0.0, 14).at([0.0, -2.75, 0.0]));
    // Coupling halves with a light key that shows the spin.
    for y in [-0.1, 0.01] {
        agitator.add(STEEL_DARK, drum(0.11, 0.085, 0.01, 20).at([0.0, y, 0.0]));
    }
    agitator.add(MARK, block([0.02, 0.19, 0.07], 0.004).at([0.108, 0.0, 0.0]).ring(2));
    // Two stages of pitched blades.
    let blade = block([0.5, 0.1, 0.014], 0.0).turn_x(45.0).at([0.27, 0.0, 0.0]);
    for y in [-2.6, -1.4] {
        agitator.add(STEEL_BRUSHED, blade.ring(3).at([0.0, y, 0.0]));
    }
    agitator
}
