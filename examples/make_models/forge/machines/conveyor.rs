//! A conveyor of 4 m: side profiles, guide rails, rollers, belt, and a row of bottles that slides along x.

use super::super::{
    material::*,
    node::Node,
    solids::{drum_x, drum_z, slab},
    sweep::{bar, tube},
};
use super::parts::{BELT_HEIGHT, add_bottles, foot};

const HALF_LENGTH: f64 = 2.0;
const HALF_WIDTH: f64 = 0.2;
/// Radius of the rollers, whose tops carry the belt.
const ROLLER: f64 = 0.045;
const BELT_THICKNESS: f64 = 0.012;
/// Distance of bottles in the row. The view may slide the row by one pitch and start again unseen.
const BOTTLE_PITCH: f64 = 0.3;
/// Distance of the joints of the slat chain: bottles stand on every third.
const SLAT: f64 = 0.1;

pub fn conveyor() -> Vec<Node> {
    vec![
        frame(),
        motor(),
        rollers(),
        belt(),
        slats(),
        pulley(),
        bottles(),
        Node::port("infeed", [-HALF_LENGTH, BELT_HEIGHT, 0.0]),
        Node::port("outfeed", [HALF_LENGTH, BELT_HEIGHT, 0.0]),
    ]
}

fn frame() -> Node {
    let mut frame = Node::new("frame").tinted();
    let deck = BELT_HEIGHT;
    for side in [-1.0, 1.0] {
        let z = side * (HALF_WIDTH + 0.025);
        frame.add(
            STEEL_BRUSHED,
            slab([-HALF_LENGTH, deck - 0.17, z - 0.02], [HALF_LENGTH, deck + 0.015, z + 0.02], 0.007),
        );
        // T-slot line along the profile.
        let slot = z + side * 0.0205;
        frame.add(
            STEEL_DARK,
            slab(
                [-HALF_LENGTH + 0.03, deck - 0.09, slot - 0.001],
                [HALF_LENGTH - 0.03, deck - 0.07, slot + 0.001],
                0.0,
            ),
        );
        // Guide rails on brackets.
        let rail_z = side * 0.085;
        for y in [deck + 0.07, deck + 0.15] {
            frame.add(STEEL, bar([-HALF_LENGTH, y, rail_z], [HALF_LENGTH, y, rail_z], 0.009, 8));
        }
        for step in 0..5 {
            let x = -1.7 + 0.85 * f64::from(step);
            let bracket = tube(
                &[[x, deck - 0.02, z], [x, deck + 0.11, z], [x, deck + 0.11, rail_z + side * 0.012]],
                0.009,
                0.04,
                8,
            );
            frame.add(STEEL_DARK, bracket);
            frame.add(
                STEEL_DARK,
                slab(
                    [x - 0.012, deck + 0.055, rail_z + side * 0.016 - 0.006],
                    [x + 0.012, deck + 0.165, rail_z + side * 0.016 + 0.006],
                    0.0,
                ),
            );
        }
    }
    for x in [-1.55, 0.0, 1.55] {
        for z in [-0.21, 0.21] {
            frame.add(STEEL_BRUSHED, slab([x - 0.03, 0.08, z - 0.03], [x + 0.03, deck - 0.15, z + 0.03], 0.008));
            frame.add(STEEL_DARK, foot(0.1, 0.06).at([x, 0.0, z]));
        }
        frame.add(STEEL_BRUSHED, slab([x - 0.025, 0.25, -0.2], [x + 0.025, 0.3, 0.2], 0.006));
    }
    frame.add(STEEL_DARK, slab([-1.55, 0.262, -0.02], [1.55, 0.29, 0.02], 0.005));
    // Gears of the drive below the outfeed end, drip tray below the belt.
    frame.add(PAINT_MID, slab([1.68, deck - 0.4, 0.24], [1.88, deck - 0.14, 0.44], 0.02));
    frame.add(STEEL_DARK, slab([-1.9, deck - 0.2, -0.19], [1.9, deck - 0.185, 0.19], 0.0));
    frame
}

fn motor() -> Node {
    let mut motor = Node::new("motor").at([1.55, BELT_HEIGHT - 0.28, 0.34]).tinted();
    motor.add(PAINT_MID, drum_x(0.085, 0.3, 0.012, 20));
    motor.add(PAINT_DARK, drum_x(0.088, 0.07, 0.012, 20).at([-0.15, 0.0, 0.0]));
    motor
}

/// All rollers are one node: at their pitch nobody sees whether each turns.
fn rollers() -> Node {
    let y = BELT_HEIGHT - BELT_THICKNESS - ROLLER;
    let mut rollers = Node::new("rollers").at([0.0, y, 0.0]);
    let roller = drum_z(ROLLER, 2.0 * HALF_WIDTH - 0.01, 0.0, 10).at([-1.95, 0.0, 0.0]);
    rollers.add(STEEL, roller.row(27, [0.15, 0.0, 0.0]));
    rollers
}

fn belt() -> Node {
    let mut belt = Node::new("belt").at([0.0, BELT_HEIGHT, 0.0]).tinted();
    let half = 0.17;
    belt.add(BELT, slab([-1.96, -BELT_THICKNESS, -half], [1.96, 0.0, half], 0.0));
    // Return strand and the turns around the end rollers.
    let below = -BELT_THICKNESS * 2.0 - 2.0 * ROLLER;
    belt.add(BELT, slab([-1.96, below, -half], [1.96, below + BELT_THICKNESS, half], 0.0));
    for x in [-1.95, 1.95] {
        let turn = drum_z(ROLLER + BELT_THICKNESS, 2.0 * half, 0.0, 20).at([x, -ROLLER - BELT_THICKNESS, 0.0]);
        belt.add(BELT, turn);
    }
    belt
}

/// Joints of the slat chain; they slide along with the bottles.
fn slats() -> Node {
    let mut slats = Node::new("slats").at([0.0, BELT_HEIGHT, 0.0]).tinted();
    let joint = slab([-1.94, 0.0, -0.17], [-1.932, 0.0012, 0.17], 0.0);
    slats.add(PAINT_DARK, joint.row(37, [SLAT, 0.0, 0.0]));
    slats
}

/// A disc on the shaft of the driven roller, outside of the frame: shows that the drive turns.
fn pulley() -> Node {
    let mut pulley = Node::new("pulley").at([1.95, BELT_HEIGHT - BELT_THICKNESS - ROLLER, 0.27]).tinted();
    pulley.add(STEEL_DARK, drum_z(0.06, 0.03, 0.005, 24));
    pulley.add(MARK, slab([-0.05, -0.009, 0.014], [0.05, 0.009, 0.0165], 0.0));
    pulley
}

fn bottles() -> Node {
    let mut node = Node::new("bottles").at([0.0, BELT_HEIGHT, 0.0]).tinted();
    let places: Vec<_> = (0..13).map(|step| [-1.9 + BOTTLE_PITCH * f64::from(step), 0.0, 0.0]).collect();
    add_bottles(&mut node, &places, 10);
    node
}
