//! A packaged screw compressor and a water chiller: housings with fans that show their running.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum, drum_z, lathe, slab, vessel},
    sweep::{bar, tube},
    vector::Vec3,
};
use super::parts::{beacon, beacon_stalk, foot, nozzle};

const BEACON: Vec3 = [-0.75, 1.72, 0.3];
const STALK: f64 = 0.2;

pub fn compressor() -> Vec<Node> {
    vec![
        compressor_body(),
        fan("fan", [-0.45, 1.02, 0.53], 0.33).into_front(),
        beacon("beacon", BEACON, STALK),
        Node::port("inlet", [-1.0, 1.3, -0.3]),
        Node::port("outlet", [1.55, 0.35, 0.0]),
    ]
}

/// A fan and the axis about which it was made.
pub struct Fan(Node);

impl Fan {
    /// Turned so that it spins about z and blows to the front.
    fn into_front(self) -> Node {
        let mut node = self.0;
        for (_, mesh) in &mut node.meshes {
            *mesh = std::mem::take(mesh).turn_x(90.0);
        }
        node
    }

    pub fn into_top(self) -> Node {
        self.0
    }
}

/// Six pitched blades about y, one of them marked, so that the spin is seen.
pub fn fan(name: &'static str, at: Vec3, radius: f64) -> Fan {
    let mut node = Node::new(name).at(at).tinted();
    node.add(PAINT_DARK, lathe(&[(0.0, -0.05), (0.09, -0.05), (0.09, 0.03), (0.05, 0.06), (0.0, 0.065)], 22));
    let blade = block([radius - 0.08, 0.008, radius * 0.48], 0.0).turn_x(28.0).at([(radius + 0.08) / 2.0, 0.0, 0.0]);
    node.add(STEEL_BRUSHED, blade.ring(6));
    node.add(MARK, block([radius * 0.2, 0.0095, radius * 0.482], 0.0).turn_x(28.0).at([radius * 0.88, 0.0, 0.0]));
    Fan(node)
}

/// Guard of rings and spokes about y, lying on the origin.
pub fn fan_guard(radius: f64) -> Mesh {
    let mut guard = Mesh::default();
    for step in 1..=4 {
        let r = radius * f64::from(step) / 4.0;
        guard.append(&super::super::solids::torus(r, 0.006, 30, 4));
    }
    guard.append(&bar([0.05, 0.0, 0.0], [radius, 0.0, 0.0], 0.006, 4).ring(8));
    guard
}

fn compressor_body() -> Node {
    let mut body = Node::new("body").tinted();
    // Frame and housing: a front with a well for the fan, doors, louvres.
    body.add(PAINT_DARK, slab([-1.0, 0.0, -0.6], [1.0, 0.14, 0.6], 0.02));
    body.add(PAINT_LIGHT, slab([-0.98, 0.14, -0.58], [0.98, 1.62, 0.5], 0.035));
    body.add(PAINT_MID, slab([-1.0, 1.6, -0.6], [1.0, 1.7, 0.58], 0.03));
    // The fan's well stands in front of the housing.
    let well =
        lathe(&[(0.36, 0.0), (0.43, 0.0), (0.43, 0.1), (0.41, 0.12), (0.37, 0.12), (0.36, 0.1), (0.36, 0.0)], 40);
    body.add(PAINT_MID, well.turn_x(90.0).at([-0.45, 1.02, 0.48]));
    body.add(SCREEN, drum_z(0.365, 0.01, 0.0, 36).at([-0.45, 1.02, 0.498]));
    body.add(STEEL_DARK, fan_guard(0.38).turn_x(90.0).at([-0.45, 1.02, 0.6]));
    for (low, high) in [(0.12, 0.92), (-0.92, 0.04)] {
        let top = if low > 0.0 { 1.54 } else { 0.5 };
        body.add(PAINT_MID, slab([low, 0.2, 0.495], [high, top, 0.515], 0.01));
        body.add(PAINT_DARK, slab([low + 0.05, top * 0.6, 0.51], [low + 0.08, top * 0.6 + 0.16, 0.54], 0.008));
    }
    for step in 0..7 {
        let y = 0.26 + 0.05 * f64::from(step);
        body.add(PAINT_DARK, slab([0.24, y, 0.51], [0.84, y + 0.022, 0.53], 0.004));
    }
    // Controller.
    body.add(PAINT_DARK, slab([0.34, 1.06, 0.51], [0.74, 1.38, 0.535], 0.012));
    body.add(SCREEN, slab([0.38, 1.16, 0.535], [0.7, 1.34, 0.538], 0.0));
    // Roof: intake filter and outlet duct.
    body.add(PAINT_DARK, slab([0.1, 1.69, -0.4], [0.8, 1.9, 0.2], 0.03));
    for step in 0..5 {
        let x = 0.17 + 0.12 * f64::from(step);
        body.add(STEEL_DARK, slab([x, 1.9, -0.34], [x + 0.06, 1.915, 0.14], 0.0));
    }
    body.add(STEEL_DARK, beacon_stalk(BEACON, STALK));
    // Receiver beside the housing.
    let receiver = vessel(0.26, 1.45, 0.13, 32).at([1.32, 0.12, -0.2]);
    body.add(PAINT_MID, receiver);
    let leg = slab([0.19, 0.0, -0.02], [0.25, 0.3, 0.02], 0.006).ring(3).at([1.32, 0.0, -0.2]);
    body.add(PAINT_DARK, leg);
    body.add(STEEL, tube(&[[0.9, 0.8, -0.45], [1.32, 0.8, -0.55], [1.32, 0.8, -0.3]], 0.035, 0.1, 12));
    body.add(
        STEEL,
        nozzle(0.05, 0.22).at([1.33, 0.35, 0.0]).with(bar([1.32, 0.35, -0.2], [1.36, 0.35, 0.0], 0.05, 14)),
    );
    let gauge = drum_z(0.06, 0.03, 0.005, 22).at([1.32, 1.25, 0.09]);
    body.add(STEEL_DARK, gauge.with(bar([1.32, 1.25, 0.0], [1.32, 1.25, 0.09], 0.012, 8)));
    body.add(MARK, drum_z(0.05, 0.004, 0.0, 22).at([1.32, 1.25, 0.107]));
    body
}

pub fn chiller() -> Vec<Node> {
    let centre = [0.0, 2.08, 0.0];
    vec![
        chiller_body(centre),
        coils(),
        fan("fan", centre, 0.56).into_top(),
        Node::port("inlet", [-1.35, 0.45, 0.2]),
        Node::port("outlet", [1.35, 0.8, 0.2]),
    ]
}

fn chiller_body([_, top, _]: Vec3) -> Node {
    let mut body = Node::new("body").tinted();
    let (hx, hz) = (1.1, 0.75);
    body.add(PAINT_DARK, slab([-hx, 0.1, -hz], [hx, 0.24, hz], 0.02));
    for x in [-0.95, 0.95] {
        for z in [-0.62, 0.62] {
            body.add(STEEL_DARK, foot(0.12, 0.09).at([x, 0.0, z]));
            body.add(PAINT_LIGHT, slab([x - 0.1, 0.24, z - 0.08], [x + 0.1, 1.85, z + 0.08], 0.02));
        }
    }
    // Room for the condenser's coils at the front and the back, panels at the ends.
    for side in [-1.0, 1.0] {
        let z = side * 0.64;
        body.add(PAINT_DARK, slab([-0.86, 0.75, z - 0.05], [0.86, 1.8, z + 0.04], 0.0));
        for y in [0.95, 1.27, 1.6] {
            body.add(STEEL_DARK, slab([-0.86, y - 0.012, z + side * 0.055], [0.86, y + 0.012, z + side * 0.068], 0.0));
        }
        body.add(PAINT_LIGHT, slab([-0.86, 0.24, z - 0.07], [0.86, 0.75, z + 0.07], 0.015));
        body.add(PAINT_LIGHT, slab([side * 1.02 - 0.05, 0.26, -0.56], [side * 1.02 + 0.05, 1.84, 0.56], 0.02));
    }
    body.add(PAINT_MID, slab([-0.75, 0.32, 0.7], [-0.05, 0.68, 0.72], 0.008));
    body.add(PAINT_DARK, slab([0.15, 0.32, 0.7], [0.7, 0.68, 0.72], 0.008));
    body.add(SCREEN, slab([0.25, 0.44, 0.72], [0.6, 0.62, 0.723], 0.0));
    // Roof with the fan's ring: a square deck around a round bell mouth.
    body.add(PAINT_MID, slab([-hx, 1.83, -hz], [hx, 1.93, hz], 0.025));
    let ring = lathe(
        &[(0.59, 0.0), (0.68, 0.0), (0.64, 0.08), (0.64, 0.26), (0.66, 0.28), (0.61, 0.28), (0.59, 0.26), (0.59, 0.0)],
        48,
    );
    body.add(PAINT_MID, ring.at([0.0, 1.92, 0.0]));
    body.add(SCREEN, drum(0.6, 0.012, 0.0, 40).at([0.0, 1.925, 0.0]));
    body.add(STEEL_DARK, fan_guard(0.61).at([0.0, top + 0.12, 0.0]));
    body.add(STEEL_BRUSHED, nozzle(0.065, 0.33).turn_y(180.0).at([-1.02, 0.45, 0.2]));
    body.add(STEEL_BRUSHED, nozzle(0.065, 0.33).at([1.02, 0.8, 0.2]));
    body
}

/// Fins of the condenser at the front and the back.
fn coils() -> Node {
    let mut coils = Node::new("coils").at([0.0, 1.275, 0.0]).tinted();
    for z in [-0.64, 0.64] {
        let fin = slab([-0.85, -0.505, z - 0.06], [-0.838, 0.505, z + 0.06], 0.0);
        coils.add(STEEL_BRUSHED, fin.row(44, [0.0392, 0.0, 0.0]));
    }
    coils
}
