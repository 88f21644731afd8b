//! The hall: floor with joints and kerb, walkway markings, columns, low walls, open to the front.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{prism, slab},
};

/// Half of 44 m x 24 m.
const HALF: [f64; 2] = [22.0, 12.0];

pub fn hall() -> Vec<Node> {
    vec![floor(), walls(), markings()]
}

fn floor() -> Node {
    let mut floor = Node::new("floor");
    let [hx, hz] = HALF;
    floor.add(FLOOR, slab([-hx, -0.12, -hz], [hx, 0.0, hz], 0.0));
    // Kerb: the hall stands as a model on its plinth.
    floor.add(FLOOR_EDGE, slab([-hx - 0.35, -0.3, -hz - 0.35], [hx + 0.35, -0.12, hz + 0.35], 0.05));
    // Joints of the concrete slabs, every 4 m, and a drain channel along the line.
    let mut joints = Mesh::default();
    for step in 1..11 {
        let x = -hx + 4.0 * f64::from(step);
        joints.append(&slab([x - 0.012, -0.01, -hz], [x + 0.012, 0.001, hz], 0.0));
    }
    for step in 1..6 {
        let z = -hz + 4.0 * f64::from(step);
        joints.append(&slab([-hx, -0.01, z - 0.012], [hx, 0.0012, z + 0.012], 0.0));
    }
    floor.add(FLOOR_EDGE, joints);
    floor.add(STEEL_DARK, slab([-20.0, -0.01, -5.1], [20.0, 0.004, -4.9], 0.0));
    floor
}

/// Walls at the back and both sides: 1.1 m high, above them only columns, so that the eye looks in.
fn walls() -> Node {
    let mut walls = Node::new("walls");
    let [hx, hz] = HALF;
    let (height, thick) = (1.1, 0.22);
    walls.add(WALL, slab([-hx, 0.0, -hz], [hx, height, -hz + thick], 0.02));
    for side in [-1.0, 1.0] {
        let (low, high) = if side < 0.0 { (-hx, -hx + thick) } else { (hx - thick, hx) };
        // A gate in each side wall, where the walkway leaves.
        walls.add(WALL, slab([low, 0.0, -hz + thick], [high, height, 6.0], 0.02));
        walls.add(WALL, slab([low, 0.0, 10.0], [high, height, hz], 0.02));
        for z in [6.0, 10.0] {
            walls.add(PAINT_DARK, slab([low - 0.03, 0.0, z - 0.09], [high + 0.03, height + 0.25, z + 0.09], 0.02));
        }
        walls.add(PAINT_MID, slab([low - 0.02, height, -hz], [high + 0.02, height + 0.06, 6.0], 0.015));
        walls.add(PAINT_MID, slab([low - 0.02, height, 10.0], [high + 0.02, height + 0.06, hz], 0.015));
    }
    walls.add(PAINT_MID, slab([-hx, height, -hz - 0.02], [hx, height + 0.06, -hz + thick + 0.02], 0.015));
    walls.add(PAINT_DARK, slab([-hx + thick, 0.0, -hz + thick], [hx - thick, 0.14, -hz + thick + 0.015], 0.0));
    // Columns of rolled steel along the back wall: H sections on base plates, cut off at 4.2 m.
    let mut columns = Mesh::default();
    let mut plates = Mesh::default();
    for step in 0..6 {
        let x = -20.0 + 8.0 * f64::from(step);
        let z = -hz + 0.45;
        for dz in [-0.15, 0.15] {
            columns.append(&slab([x - 0.15, 0.03, z + dz - 0.014], [x + 0.15, 4.2, z + dz + 0.014], 0.004));
        }
        columns.append(&slab([x - 0.01, 0.03, z - 0.15], [x + 0.01, 4.2, z + 0.15], 0.0));
        plates.append(&slab([x - 0.25, 0.0, z - 0.25], [x + 0.25, 0.03, z + 0.25], 0.006));
        plates.append(&slab([x - 0.16, 0.03, z - 0.175], [x + 0.16, 0.9, z + 0.175], 0.02));
    }
    walls.add(PAINT_MID, columns);
    walls.add(PAINT_DARK, plates);
    // Cable tray and pipes between the columns.
    walls.add(STEEL_DARK, slab([-20.3, 3.3, -hz + 0.66], [20.3, 3.36, -hz + 0.96], 0.01));
    for (y, r) in [(3.7, 0.09), (3.95, 0.06)] {
        let pipe = super::super::sweep::bar([-20.5, y, -hz + 0.75], [20.5, y, -hz + 0.75], r, 14);
        walls.add(STEEL_BRUSHED, pipe);
    }
    walls
}

/// Walkway with border lines along the front, crossings, zebra stripes, boxes for the machines' feet.
fn markings() -> Node {
    let mut markings = Node::new("markings");
    let [hx, _] = HALF;
    let (low, high) = (6.6, 9.4);
    let mat = |x0: f64, z0: f64, x1: f64, z1: f64, y: f64| slab([x0, -0.005, z0], [x1, y, z1], 0.0);
    markings.add(WALKWAY, mat(-hx, low, hx, high, 0.003));
    for z in [low, high] {
        markings.add(LINE, mat(-hx, z - 0.05, hx, z + 0.05, 0.006));
    }
    for side in [-1.0, 1.0] {
        let (x0, x1) = if side < 0.0 { (-20.6, -18.6) } else { (18.6, 20.6) };
        markings.add(WALKWAY, mat(x0, -9.4, x1, low - 0.05, 0.003));
        for x in [x0, x1] {
            markings.add(LINE, mat(x - 0.05, -9.4, x + 0.05, low - 0.05, 0.006));
        }
    }
    markings.add(WALKWAY, mat(-18.55, -9.4, 18.55, -7.6, 0.003));
    for z in [-9.4, -7.6] {
        markings.add(LINE, mat(-18.55, z - 0.05, 18.55, z + 0.05, 0.006));
    }
    // Zebra crossings, and arrows for the vehicles' way.
    for x in [-10.0, 10.0] {
        for stripe in 0..6 {
            let z = low + 0.28 + 0.42 * f64::from(stripe);
            markings.add(LINE, mat(x - 0.9, z, x + 0.9, z + 0.2, 0.007));
        }
    }
    for x in [-15.0, -5.0, 5.0, 15.0] {
        let head = prism(&[(0.35, 0.0), (-0.15, 0.28), (-0.15, -0.28)], 0.008, 0.0).turn_x(-90.0);
        markings.add(LINE, head.at([x + 0.45, 0.004, 8.0]));
        markings.add(LINE, mat(x - 0.5, 7.93, x + 0.32, 8.07, 0.007));
    }
    markings
}
