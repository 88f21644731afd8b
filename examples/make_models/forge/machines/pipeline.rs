//! Pieces of piping that are machines of their own: a straight pipe whose stripe shows the flow, and the place where a
//! supply enters the hall.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{drum, drum_x, drum_z, prism, slab, torus},
    sweep::{bar, tube},
};
use super::parts::{flange, foot, nozzle};

/// Height of the pipe's axis, its radius, half its length, and metres of one turn of the stripe.
const AXIS: f64 = 1.5;
const BORE: f64 = 0.09;
const HALF: f64 = 1.0;
const PITCH: f64 = 0.5;

/// A stripe winds around the pipe: turned about x, it seems to move along with the liquid.
pub fn pipeline() -> Vec<Node> {
    let mut body = Node::new("body").tinted();
    for side in [0.0, 180.0] {
        body.add(STEEL, nozzle(BORE, HALF).turn_y(side).at([0.0, AXIS, 0.0]));
    }
    let mut frame = Node::new("frame").tinted();
    // Two supports with clamps.
    for x in [-0.72, 0.72] {
        frame.add(STEEL_DARK, slab([x - 0.03, 0.05, -0.03], [x + 0.03, AXIS - BORE, 0.03], 0.006));
        frame.add(STEEL_DARK, foot(0.08, 0.11).at([x, 0.0, 0.0]));
        frame.add(STEEL_DARK, drum_x(BORE + 0.018, 0.05, 0.004, 24).at([x, AXIS, 0.0]));
    }
    // The strainer hangs below the pipe in the direction of flow, with its lid and drain.
    let strainer = bar([0.12, AXIS - 0.04, 0.0], [0.36, AXIS - 0.36, 0.0], 0.085, 22);
    frame.add(STEEL_BRUSHED, strainer);
    frame.add(STEEL_DARK, flange(0.12, 0.03, 8).turn_z(-143.0).at([0.36, AXIS - 0.36, 0.0]));
    // A plate with an arrow on top says which way is forward.
    frame.add(PAINT_DARK, slab([-0.2, AXIS + BORE + 0.03, -0.09], [0.2, AXIS + BORE + 0.045, 0.09], 0.0));
    let head = prism(&[(0.16, 0.0), (0.02, 0.07), (0.02, -0.07)], 0.006, 0.0).turn_x(-90.0);
    let y = AXIS + BORE + 0.048;
    frame.add(MARK, head.at([0.0, y, 0.0]).with(slab([-0.15, y - 0.003, -0.022], [0.03, y + 0.003, 0.022], 0.0)));
    for x in [-0.17, 0.17] {
        frame.add(STEEL_DARK, slab([x - 0.01, AXIS + BORE - 0.01, -0.02], [x + 0.01, AXIS + BORE + 0.03, 0.02], 0.0));
    }
    vec![body, frame, stripe(), Node::port("inlet", [-HALF, AXIS, 0.0]), Node::port("outlet", [HALF, AXIS, 0.0])]
}

fn stripe() -> Node {
    const STEPS: u32 = 40;
    let half = HALF - 0.17;
    let helix: Vec<_> = (0..=STEPS)
        .map(|step| {
            let x = -half + 2.0 * half * f64::from(step) / f64::from(STEPS);
            let (sin, cos) = (-std::f64::consts::TAU * x / PITCH).sin_cos();
            [x, BORE * cos, BORE * sin]
        })
        .collect();
    let one = tube(&helix, 0.014, 0.0, 6);
    Node::new("stripe").at([0.0, AXIS, 0.0]).tinted().with(MARK, one.clone().with(one.turn_x(180.0)))
}

/// Height of the supply's pipe: that of the valves that follow it.
const SUPPLY_AXIS: f64 = 0.55;

/// A piece of wall, a flange in it, a valve with a hand wheel, a meter that turns with the flow, and a gauge.
pub fn supply() -> Vec<Node> {
    let mut body = Node::new("body").tinted();
    body.add(WALL, slab([-0.25, 0.0, -0.6], [0.0, 1.5, 0.6], 0.02));
    body.add(PAINT_MID, slab([-0.27, 1.5, -0.62], [0.02, 1.56, 0.62], 0.012));
    let plate = drum_x(0.24, 0.03, 0.004, 28).at([0.015, SUPPLY_AXIS, 0.0]);
    body.add(STEEL_DARK, plate.with(bolts()));
    body.add(STEEL, nozzle(0.08, 0.85).at([0.02, SUPPLY_AXIS, 0.0]));
    // Ball valve and its neck; meter housing with a window to the front.
    body.add(PAINT_MID, drum_x(0.12, 0.2, 0.03, 26).at([0.24, SUPPLY_AXIS, 0.0]));
    body.add(PAINT_MID, drum(0.05, 0.24, 0.006, 18).at([0.24, SUPPLY_AXIS + 0.06, 0.0]));
    body.add(PAINT_DARK, drum_z(0.15, 0.24, 0.012, 30).at([0.54, SUPPLY_AXIS, 0.0]));
    body.add(SCREEN, drum_z(0.125, 0.01, 0.0, 28).at([0.54, SUPPLY_AXIS, 0.121]));
    body.add(STEEL_BRUSHED, torus(0.138, 0.014, 30, 6).turn_x(90.0).at([0.54, SUPPLY_AXIS, 0.125]));
    // The gauge's stalk; a support under the end.
    body.add(STEEL_DARK, bar([0.72, SUPPLY_AXIS, 0.0], [0.72, SUPPLY_AXIS + 0.3, 0.0], 0.014, 10));
    body.add(STEEL_DARK, drum_z(0.085, 0.04, 0.006, 26).at([0.72, SUPPLY_AXIS + 0.38, 0.0]));
    body.add(STEEL_DARK, drum(0.035, SUPPLY_AXIS - 0.1, 0.0, 14).at([0.54, 0.0, 0.0]));
    body.add(STEEL_DARK, drum(0.12, 0.02, 0.004, 22).at([0.54, 0.0, 0.0]));
    let gauge = Node::new("gauge").at([0.72, SUPPLY_AXIS + 0.38, 0.022]).tinted();
    let gauge = gauge.with(MARK, drum_z(0.072, 0.008, 0.0, 26));
    let mut wheel = Node::new("wheel").at([0.24, SUPPLY_AXIS + 0.32, 0.0]).tinted();
    wheel.add(PAINT_DARK, torus(0.13, 0.015, 30, 8));
    wheel.add(PAINT_DARK, bar([-0.13, 0.0, 0.0], [0.13, 0.0, 0.0], 0.01, 8).ring(2));
    wheel.add(PAINT_DARK, drum(0.03, 0.05, 0.005, 14).at([0.0, -0.03, 0.0]));
    let mut meter = Node::new("meter").at([0.54, SUPPLY_AXIS, 0.13]).tinted();
    let mut vanes = Mesh::default();
    for step in 0..3 {
        vanes.append(&slab([-0.11, -0.014, -0.003], [0.11, 0.014, 0.003], 0.0).turn_z(60.0 * f64::from(step)));
    }
    meter.add(MARK, vanes);
    meter.add(STEEL_BRUSHED, drum_z(0.025, 0.016, 0.003, 16));
    vec![body, wheel, meter, gauge, Node::port("outlet", [0.87, SUPPLY_AXIS, 0.0])]
}

fn bolts() -> Mesh {
    let mut bolts = Mesh::default();
    for step in 0..8 {
        let bolt = drum_x(0.018, 0.03, 0.0, 6).at([0.04, SUPPLY_AXIS, 0.0]);
        let turn = 45.0 * f64::from(step);
        let (sin, cos) = turn.to_radians().sin_cos();
        bolts.append(&bolt.at([0.0, 0.19 * cos, 0.19 * sin]));
    }
    bolts
}
