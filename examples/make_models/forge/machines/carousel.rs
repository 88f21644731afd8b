//! The smaller rotary machines: a labeller with its drum, and a rinser that turns bottles over.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum, drum_z, lathe, slab, torus},
    sweep::{bar, tube},
};
use super::parts::{BELT_HEIGHT, add_bottles, beacon, beacon_stalk, circle, foot, star_wheel};

/// Half sizes of both machines' beds along x and z.
const HALF: [f64; 2] = [1.3, 1.1];
/// The belt along the front of both machines.
const BELT_Z: f64 = 0.82;
const LABELLER_BEACON: [f64; 3] = [-0.8, 1.88, -0.93];
const RINSER_BEACON: [f64; 3] = [1.19, 2.12, -1.06];
const STALK: f64 = 0.15;

/// Bed with doors and feet, belt along the front, a panel: common to both machines.
fn bed(name: &'static str) -> Node {
    let mut base = Node::new(name).tinted();
    let [hx, hz] = HALF;
    base.add(PAINT_LIGHT, slab([-hx, 0.16, -hz], [hx, 0.78, hz - 0.12], 0.03));
    base.add(STEEL_BRUSHED, slab([-hx - 0.02, 0.78, -hz - 0.02], [hx + 0.02, 0.84, hz - 0.1], 0.015));
    for x in [-0.64, 0.64] {
        base.add(PAINT_MID, slab([x - 0.58, 0.23, hz - 0.125], [x + 0.58, 0.71, hz - 0.108], 0.008));
        base.add(PAINT_DARK, slab([x + 0.44, 0.42, hz - 0.11], [x + 0.48, 0.54, hz - 0.09], 0.006));
        for z in [-0.9, 0.8] {
            base.add(STEEL_DARK, foot(0.18, 0.09).at([x * 1.7, 0.0, z]));
        }
    }
    let (low, high) = (BELT_Z - 0.1, BELT_Z + 0.1);
    base.add(BELT, slab([-1.5, BELT_HEIGHT - 0.02, low], [1.5, BELT_HEIGHT, high], 0.0));
    for z in [low - 0.02, high + 0.02] {
        base.add(
            STEEL_BRUSHED,
            slab([-1.5, BELT_HEIGHT - 0.15, z - 0.018], [1.5, BELT_HEIGHT + 0.012, z + 0.018], 0.006),
        );
    }
    base.add(STEEL, bar([-1.5, BELT_HEIGHT + 0.12, high - 0.02], [1.5, BELT_HEIGHT + 0.12, high - 0.02], 0.009, 8));
    let places: Vec<_> = (0..14).map(|step| [-1.43 + 0.22 * f64::from(step), BELT_HEIGHT, BELT_Z]).collect();
    add_bottles(&mut base, &places, 8);
    for x in [-0.52, 0.52] {
        base.add(PAINT_DARK, drum(0.045, 0.25, 0.0, 14).at([x, 0.82, 0.62]));
        base.add(STEEL_DARK, star_wheel(0.19, 8, 0.018).at([x, BELT_HEIGHT + 0.06, 0.62]));
    }
    // Post with panel and stack light at the back corner.
    base.add(STEEL_BRUSHED, slab([hx - 0.12, 0.84, -hz + 0.02], [hx - 0.02, 2.15, -hz + 0.12], 0.012));
    base.add(PAINT_DARK, block([0.4, 0.3, 0.06], 0.012).at([hx - 0.2, 1.75, -hz + 0.16]));
    base.add(SCREEN, slab([hx - 0.37, 1.64, -hz + 0.19], [hx - 0.03, 1.86, -hz + 0.194], 0.0));
    base
}

fn ports() -> [Node; 2] {
    [Node::port("infeed", [-1.5, BELT_HEIGHT, BELT_Z]), Node::port("outfeed", [1.5, BELT_HEIGHT, BELT_Z])]
}

pub fn labeller() -> Vec<Node> {
    let mut body = bed("body");
    // Label station behind the drum: two reels, rollers between them, gluing head.
    body.add(PAINT_LIGHT, slab([-0.95, 0.84, -1.0], [0.75, 1.9, -0.86], 0.03));
    for (x, y, r) in [(-0.55, 1.5, 0.3), (0.35, 1.5, 0.22)] {
        body.add(PAINT_DARK, drum_z(0.08, 0.16, 0.01, 24).at([x, y, -0.76]));
        body.add(STEEL_BRUSHED, drum_z(r + 0.03, 0.012, 0.0, 36).at([x, y, -0.85]));
    }
    for (x, y) in [(-0.15, 1.22), (0.1, 1.1), (-0.3, 1.05)] {
        body.add(STEEL, drum_z(0.035, 0.2, 0.004, 16).at([x, y, -0.76]));
    }
    body.add(LABEL, slab([-0.27, 1.15, -0.82], [-0.265, 1.5, -0.72], 0.0));
    body.add(STEEL_DARK, beacon_stalk(LABELLER_BEACON, STALK));

    let mut reel = Node::new("drum").at([0.0, BELT_HEIGHT, 0.05]).tinted();
    reel.add(STEEL_DARK, drum(0.5, 0.05, 0.01, 48).at([0.0, -0.16, 0.0]));
    reel.add(STEEL, lathe(&[(0.0, -0.1), (0.4, -0.1), (0.4, 0.28), (0.37, 0.31), (0.0, 0.33)], 48));
    reel.add(PAINT_DARK, drum(0.14, 0.2, 0.02, 28).at([0.0, 0.31, 0.0]));
    reel.add(LABEL, block([0.006, 0.12, 0.13], 0.0).at([0.401, 0.1, 0.0]).ring(8));
    reel.add(RUBBER, block([0.012, 0.2, 0.014], 0.0).at([0.402, 0.1, 0.0]).turn_y(22.5).ring(8));
    reel.add(MARK, block([0.22, 0.006, 0.03], 0.0).at([0.25, 0.325, 0.0]));
    add_bottles(&mut reel, &circle(8, 0.46, -0.11), 8);

    // The labels on both reels: the first shrinks to its core, the second waits.
    let mut labels = Node::new("labels").at([-0.55, 1.5, -0.77]).tinted();
    labels.add(LABEL, drum_z(0.3, 0.12, 0.0, 36));
    body.add(LABEL, drum_z(0.22, 0.12, 0.0, 36).at([0.35, 1.5, -0.77]));

    let [infeed, outfeed] = ports();
    vec![body, reel, labels, beacon("beacon", LABELLER_BEACON, STALK), infeed, outfeed]
}

pub fn rinser() -> Vec<Node> {
    const GRIPPERS: u32 = 16;
    let mut base = bed("base");
    base.add(STEEL_DARK, drum(0.6, 0.08, 0.02, 40).at([0.0, 0.83, -0.15]));
    // Splash trough with a window at the back, water pipe with a hand valve.
    base.add(
        STEEL_BRUSHED,
        lathe(&[(0.72, 0.0), (0.95, 0.0), (0.97, 0.06), (0.93, 0.06), (0.72, 0.02), (0.72, 0.0)], 48)
            .at([0.0, 0.86, -0.15]),
    );
    base.add(GLASS, slab([-1.2, 0.95, -1.06], [1.1, 2.05, -1.05], 0.0));
    for x in [-1.22, 0.0] {
        base.add(STEEL_BRUSHED, slab([x - 0.03, 0.84, -1.09], [x + 0.03, 2.1, -1.03], 0.01));
    }
    base.add(STEEL_BRUSHED, slab([-1.25, 2.06, -1.1], [1.22, 2.13, -1.02], 0.012));
    base.add(
        STEEL,
        tube(
            &[[-1.1, 0.84, -0.9], [-1.1, 2.3, -0.9], [0.0, 2.3, -0.9], [0.0, 2.3, -0.15], [0.0, 2.05, -0.15]],
            0.04,
            0.12,
            14,
        ),
    );
    base.add(STEEL_DARK, beacon_stalk(RINSER_BEACON, STALK));

    let mut wheel = Node::new("carousel").at([0.0, BELT_HEIGHT, -0.15]).tinted();
    wheel.add(STEEL, lathe(&[(0.0, -0.08), (0.34, -0.08), (0.28, 0.04), (0.2, 0.12), (0.2, 0.8), (0.0, 0.82)], 36));
    wheel.add(STEEL_BRUSHED, drum(0.62, 0.07, 0.015, 48).at([0.0, 0.36, 0.0]));
    wheel.add(STEEL, drum(0.3, 0.2, 0.03, 36).at([0.0, 0.82, 0.0]));
    wheel.add(STEEL, torus(0.5, 0.03, 40, 8).at([0.0, 0.86, 0.0]));
    wheel.add(STEEL, bar([0.28, 0.9, 0.0], [0.5, 0.86, 0.0], 0.02, 8).ring(4));
    wheel.add(STEEL, tube(&[[0.5, 0.86, 0.0], [0.66, 0.86, 0.0], [0.66, 0.44, 0.0]], 0.009, 0.05, 5).ring(GRIPPERS));
    let arm = block([0.16, 0.05, 0.06], 0.0).at([0.66, 0.4, 0.0]);
    wheel.add(PAINT_DARK, arm.ring(GRIPPERS));
    let jaw = block([0.07, 0.02, 0.016], 0.0).at([0.76, 0.4, 0.026]);
    wheel.add(STEEL_DARK, jaw.clone().with(jaw.at([0.0, 0.0, -0.052])).ring(GRIPPERS));
    wheel.add(MARK, block([0.2, 0.004, 0.05], 0.0).at([0.45, 0.432, 0.0]).ring(2));
    // Bottles hang upside down: made upright, then turned over about their necks.
    let (glass, label, cap) = super::parts::bottle(8);
    let hung = |mesh: Mesh| mesh.turn_z(180.0).at([0.76, 0.66, 0.0]).ring(GRIPPERS);
    wheel.add(BOTTLE, hung(glass));
    wheel.add(LABEL, hung(label));
    wheel.add(STEEL_DARK, hung(cap));

    // Jets from the trough into the mouths of the bottles.
    let mut jets = Node::new("jets").at([0.0, 0.88, -0.15]).tinted();
    jets.add(LIQUID, drum(0.012, 0.6, 0.0, 6).at([0.76, 0.0, 0.0]).ring(GRIPPERS));
    base.add(STEEL_BRUSHED, super::parts::nozzle(0.04, 0.24).turn_y(90.0).at([-1.1, 0.5, -1.08]));

    let [infeed, outfeed] = ports();
    let water = Node::port("inlet", [-1.1, 0.5, -1.32]);
    vec![base, wheel, jets, beacon("beacon", RINSER_BEACON, STALK), infeed, outfeed, water]
}
