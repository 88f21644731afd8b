//! A six-axis robot. Nested nodes `joint1` to `joint6` turn about y, z, z, x, z, x; `tool` hangs on the last.
//!
//! In its zero pose the upper arm stands upright and the forearm reaches along +x.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum, drum_x, drum_z, lathe, prism, slab},
    sweep::tube,
};
use super::parts::BELT_HEIGHT;

/// Joint 1 above the floor, joint 2 from joint 1, then along the arm: after the usual link lengths of a 2.2 m reach.
const WAIST: f64 = 0.42;
const SHOULDER: [f64; 3] = [0.22, 0.38, 0.0];
const UPPER_ARM: f64 = 0.95;
const ELBOW_RISE: f64 = 0.14;
const FOREARM: f64 = 0.42;
const WRIST: f64 = 0.62;
const FLANGE: f64 = 0.16;
/// Where bottles stand while they are capped, and where caps are fetched: degrees about the base. The arm reaches both
/// with its tool straight down.
const STATION: f64 = 40.0;
const MAGAZINE: f64 = -75.0;
const REACH: f64 = 0.67;

/// A place around the base, in the direction of joint 1 at `degrees`.
fn around(degrees: f64, height: f64) -> [f64; 3] {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [REACH * cos, height, -REACH * sin]
}

pub fn robot() -> Vec<Node> {
    let joint6 = wrist_flange().child(tool());
    let joint5 = wrist().child(joint6);
    let joint4 = forearm().child(joint5);
    let joint3 = elbow().child(joint4);
    let joint2 = upper_arm().child(joint3);
    let joint1 = waist().child(joint2);
    vec![
        base().child(joint1),
        Node::port("station", around(STATION, BELT_HEIGHT)),
        Node::port("air", [-0.46, 0.19, 0.07]),
    ]
}

fn base() -> Node {
    let mut base = Node::new("base").tinted();
    base.add(PAINT_DARK, block([0.86, 0.04, 0.86], 0.012).at([0.0, 0.02, 0.0]));
    let bolt = drum(0.028, 0.03, 0.0, 6).at([0.37, 0.04, 0.37]);
    base.add(STEEL, bolt.ring(4));
    let foot = lathe(
        &[
            (0.0, 0.04),
            (0.36, 0.04),
            (0.36, 0.09),
            (0.33, 0.12),
            (0.29, 0.17),
            (0.27, 0.25),
            (0.265, 0.37),
            (0.25, 0.4),
            (0.0, 0.4),
        ],
        40,
    );
    base.add(PAINT_LIGHT, foot);
    base.add(PAINT_DARK, drum(0.275, 0.03, 0.008, 40).at([0.0, 0.385, 0.0]));
    magazine(&mut base);
    // Connector panel behind.
    base.add(PAINT_DARK, slab([-0.42, 0.1, -0.14], [-0.24, 0.28, 0.14], 0.02));
    for z in [-0.07, 0.07] {
        base.add(STEEL_BRUSHED, drum_x(0.035, 0.05, 0.006, 14).at([-0.43, 0.19, z]));
    }
    base
}

/// A tray with caps on a stand beside the arm.
fn magazine(base: &mut Node) {
    let place = |mesh: Mesh| mesh.turn_y(MAGAZINE).at(around(MAGAZINE, 0.0));
    let mut stand = slab([-0.04, 0.03, -0.04], [0.04, 1.16, 0.04], 0.008);
    stand.append(&slab([-0.16, 0.0, -0.16], [0.16, 0.03, 0.16], 0.006));
    base.add(PAINT_MID, place(stand));
    base.add(STEEL_DARK, place(slab([-0.17, 1.16, -0.2], [0.17, 1.2, 0.2], 0.006)));
    let mut caps = Mesh::default();
    for step in 0..20 {
        let (x, z) = (f64::from(step % 4) - 1.5, f64::from(step / 4) - 2.0);
        caps.append(&drum(0.026, 0.034, 0.005, 12).at([x * 0.075, 1.2, z * 0.075]));
    }
    base.add(CAP, place(caps));
}

fn waist() -> Node {
    let mut waist = Node::new("joint1").at([0.0, WAIST, 0.0]).tinted();
    let table = lathe(&[(0.0, 0.0), (0.27, 0.0), (0.285, 0.02), (0.285, 0.1), (0.26, 0.14), (0.0, 0.16)], 40);
    waist.add(PAINT_LIGHT, table);
    let [x, y, _] = SHOULDER;
    // Two cheeks carry the shoulder.
    let cheek = [
        (-0.2, 0.06),
        (0.27, 0.06),
        (x + 0.2, y - 0.08),
        (x + 0.19, y + 0.1),
        (x + 0.08, y + 0.19),
        (x - 0.09, y + 0.18),
        (x - 0.2, y + 0.04),
    ];
    waist.add(PAINT_LIGHT, prism(&cheek, 0.26, 0.025));
    waist.add(PAINT_DARK, drum_z(0.175, 0.3, 0.02, 36).at([x, y, 0.0]));
    // Counterbalance and the motors of axes 1 and 2.
    waist.add(PAINT_DARK, drum(0.085, 0.24, 0.015, 20).at([-0.13, 0.14, 0.15]));
    waist.add(PAINT_DARK, drum_z(0.09, 0.24, 0.02, 24).at([x, y, -0.24]));
    waist
}

/// The upper arm, beside the cheeks at +z and back to the middle at the elbow.
fn upper_arm() -> Node {
    let mut arm = Node::new("joint2").at(SHOULDER).tinted();
    let z = 0.2;
    arm.add(PAINT_LIGHT, drum_z(0.17, 0.12, 0.02, 36).at([0.0, 0.0, z]));
    let outline = [
        (-0.165, 0.0),
        (-0.1, -0.12),
        (0.1, -0.12),
        (0.165, 0.0),
        (0.125, UPPER_ARM),
        (0.08, UPPER_ARM + 0.1),
        (-0.08, UPPER_ARM + 0.1),
        (-0.125, UPPER_ARM),
    ];
    arm.add(PAINT_LIGHT, prism(&outline, 0.12, 0.025).at([0.0, 0.0, z]));
    // A rib gives the arm depth.
    arm.add(PAINT_LIGHT, block([0.13, UPPER_ARM * 0.62, 0.05], 0.02).at([0.0, UPPER_ARM * 0.5, z + 0.07]));
    for (y, r) in [(0.0, 0.11), (UPPER_ARM, 0.085)] {
        arm.add(PAINT_DARK, drum_z(r, 0.03, 0.008, 30).at([0.0, y, z + 0.07]));
    }
    arm.add(PAINT_DARK, drum_z(0.125, 0.12, 0.015, 30).at([0.0, UPPER_ARM, 0.1]));
    arm
}

fn elbow() -> Node {
    let mut elbow = Node::new("joint3").at([0.0, UPPER_ARM, 0.0]).tinted();
    elbow.add(PAINT_LIGHT, drum_z(0.15, 0.24, 0.025, 36).at([0.0, 0.0, -0.05]));
    let body = [(-0.2, 0.0), (0.14, -0.02), (0.26, 0.06), (0.26, 0.22), (0.1, 0.25), (-0.24, 0.24), (-0.26, 0.08)];
    elbow.add(PAINT_LIGHT, prism(&body, 0.2, 0.025).at([0.0, 0.0, -0.06]));
    // Motors of axes 4 to 6 at the back.
    for (y, z) in [(0.1, -0.1), (0.1, 0.0), (0.19, -0.05)] {
        elbow.add(PAINT_DARK, drum_x(0.045, 0.16, 0.01, 16).at([-0.3, y, z]));
    }
    elbow.add(PAINT_DARK, drum_x(0.105, 0.05, 0.01, 28).at([0.275, ELBOW_RISE, -0.06]));
    elbow.add(PAINT_DARK, drum_z(0.1, 0.03, 0.008, 28).at([0.0, 0.0, -0.18]));
    // Dress pack from the waist side to the forearm.
    let hose = tube(&[[-0.2, 0.22, -0.1], [-0.1, 0.36, -0.14], [0.2, 0.36, -0.14], [0.3, 0.26, -0.1]], 0.022, 0.12, 10);
    elbow.add(RUBBER, hose);
    elbow
}

fn forearm() -> Node {
    let mut forearm = Node::new("joint4").at([0.3, ELBOW_RISE, -0.06]).tinted();
    let tube_end = FOREARM + 0.06;
    let barrel = lathe(&[(0.0, 0.0), (0.1, 0.0), (0.098, 0.1), (0.08, 0.3), (0.076, tube_end), (0.0, tube_end)], 32);
    forearm.add(PAINT_LIGHT, barrel.turn_z(-90.0));
    forearm.add(PAINT_DARK, drum_x(0.083, 0.03, 0.006, 28).at([tube_end, 0.0, 0.0]));
    // Fork around the wrist.
    for z in [-0.075, 0.075] {
        let cheek = prism(
            &[(tube_end - 0.02, -0.07), (WRIST, -0.062), (WRIST + 0.055, 0.0), (WRIST, 0.062), (tube_end - 0.02, 0.07)],
            0.035,
            0.006,
        );
        forearm.add(PAINT_LIGHT, cheek.at([0.0, 0.0, z]));
        forearm.add(PAINT_DARK, drum_z(0.045, 0.012, 0.004, 24).at([WRIST, 0.0, z * 1.28]));
    }
    forearm
}

fn wrist() -> Node {
    let mut wrist = Node::new("joint5").at([WRIST, 0.0, 0.0]).tinted();
    wrist.add(PAINT_DARK, drum_z(0.055, 0.115, 0.01, 26));
    wrist.add(PAINT_LIGHT, drum_x(0.052, 0.1, 0.008, 26).at([0.07, 0.0, 0.0]));
    wrist
}

fn wrist_flange() -> Node {
    let mut flange = Node::new("joint6").at([FLANGE - 0.03, 0.0, 0.0]).tinted();
    flange.add(STEEL_BRUSHED, drum_x(0.05, 0.03, 0.005, 26).at([0.01, 0.0, 0.0]));
    let mut bolts = Mesh::default();
    for step in 0..6 {
        bolts.append(&drum_x(0.006, 0.01, 0.0, 6).at([0.029, 0.036, 0.0]).turn_x(60.0 * f64::from(step)));
    }
    flange.add(STEEL_DARK, bolts);
    flange.add(MARK, block([0.024, 0.012, 0.02], 0.002).at([0.01, 0.05, 0.0]));
    flange
}

/// A capping gripper: chuck with three fingers, and a vacuum hose.
fn tool() -> Node {
    let mut tool = Node::new("tool").at([0.03, 0.0, 0.0]).tinted();
    tool.add(PAINT_DARK, drum_x(0.042, 0.06, 0.006, 24).at([0.025, 0.0, 0.0]));
    tool.add(STEEL_BRUSHED, drum_x(0.06, 0.035, 0.006, 26).at([0.07, 0.0, 0.0]));
    for step in 0..3 {
        let finger = slab([0.085, 0.034, -0.012], [0.16, 0.052, 0.012], 0.004).with(slab(
            [0.145, 0.02, -0.012],
            [0.165, 0.052, 0.012],
            0.004,
        ));
        tool.add(STEEL_DARK, finger.turn_x(120.0 * f64::from(step)));
    }
    let mut cap = Node::new("cap").at([0.15, 0.0, 0.0]).tinted();
    cap.add(CAP, drum_x(0.026, 0.034, 0.005, 16));
    tool.child(cap)
}
