//! A rotary filler: carousel with bottles, filling valves and product bowl, star wheels, guard windows.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum, lathe, slab, torus},
    sweep::{bar, tube},
};
use super::parts::{BELT_HEIGHT, add_bottles, beacon, beacon_stalk, circle, foot, nozzle, star_wheel};

/// Positions on the carousel and the radius of their circle.
const STATIONS: u32 = 24;
const PITCH_RADIUS: f64 = 1.38;
const HALF: [f64; 2] = [2.0, 1.85];
const TOP: f64 = 2.75;
const STALK: f64 = 0.25;
/// Where the product pipe ends behind on the left.
const PRODUCT: [f64; 3] = [-HALF[0] - 0.15, 2.52, -HALF[1] + 0.15];

pub fn filler() -> Vec<Node> {
    let corner = [-HALF[0] + 0.05, TOP + 0.1, HALF[1] - 0.05];
    vec![
        base(corner),
        carousel(),
        level(),
        beacon("beacon", corner, STALK),
        Node::port("infeed", [-2.2, BELT_HEIGHT, 1.55]),
        Node::port("product", PRODUCT),
        Node::port("outfeed", [2.2, BELT_HEIGHT, 1.55]),
        Node::port("air", [1.4, 0.45, -HALF[1] - 0.1]),
    ]
}

fn carousel() -> Node {
    let mut node = Node::new("carousel").at([0.0, BELT_HEIGHT, 0.0]).tinted();
    // Bottle table, its skirt, and the drive column.
    node.add(STEEL_BRUSHED, lathe(&[(1.1, -0.06), (1.46, -0.06), (1.46, 0.0), (1.1, 0.0), (1.1, -0.06)], 56));
    node.add(STEEL_DARK, drum(1.12, 0.1, 0.02, 48).at([0.0, -0.1, 0.0]));
    let column = [(0.0, 0.0), (0.62, 0.0), (0.5, 0.12), (0.34, 0.3), (0.3, 0.5), (0.3, 0.72), (0.46, 0.86), (0.0, 0.9)];
    node.add(STEEL, lathe(&column, 40));
    // Product bowl: a ring tank over the bottles, fed by radial pipes.
    let bowl = [
        (1.08, 0.78),
        (1.5, 0.78),
        (1.52, 0.82),
        (1.52, 1.06),
        (1.44, 1.16),
        (1.3, 1.2),
        (1.14, 1.16),
        (1.08, 1.06),
        (1.08, 0.78),
    ];
    node.add(STEEL, lathe(&bowl, 64));
    node.add(STEEL_BRUSHED, torus(1.52, 0.016, 56, 5).at([0.0, 0.94, 0.0]));
    let arm = tube(&[[0.2, 0.86, 0.0], [0.2, 1.3, 0.0], [1.3, 1.3, 0.0], [1.3, 1.12, 0.0]], 0.035, 0.12, 10);
    node.add(STEEL, arm.ring(8));
    node.add(STEEL, drum(0.28, 0.55, 0.03, 32).at([0.0, 0.86, 0.0]));
    // A neck guide ring with a pocket per station.
    let fork = block([0.09, 0.014, 0.03], 0.0).at([PITCH_RADIUS - 0.06, 0.235, 0.028]);
    let fork = fork.with(block([0.09, 0.014, 0.03], 0.0).at([PITCH_RADIUS - 0.06, 0.235, -0.028]));
    node.add(STEEL_DARK, fork.ring(STATIONS));
    node.add(STEEL_DARK, lathe(&[(1.24, 0.225), (1.3, 0.225), (1.3, 0.245), (1.24, 0.245), (1.24, 0.225)], 56));

    // Filling valves: body, bell, actuator outside the bowl.
    let valve = lathe(&[(0.0, 0.33), (0.02, 0.33), (0.026, 0.4), (0.05, 0.46), (0.05, 0.78)], 8);
    let valve = valve.at([PITCH_RADIUS, 0.0, 0.0]);
    node.add(STEEL, valve.ring(STATIONS));
    let actuator = block([0.05, 0.16, 0.07], 0.0).at([PITCH_RADIUS + 0.075, 0.62, 0.0]);
    node.add(PAINT_DARK, actuator.ring(STATIONS));
    // Lifting plates; every tenth station bears a mark, so that the eye can follow the turning.
    node.add(STEEL, lathe(&[(0.05, 0.0), (0.05, 0.012), (0.0, 0.012)], 8).at([PITCH_RADIUS, 0.0, 0.0]).ring(STATIONS));
    node.add(MARK, block([0.01, 0.12, 0.09], 0.003).at([1.521, 1.0, 0.0]).ring(4));
    add_bottles(&mut node, &circle(STATIONS, PITCH_RADIUS, 0.012), 9);
    node
}

fn base(corner: [f64; 3]) -> Node {
    let mut base = Node::new("base").tinted();
    let [hx, hz] = HALF;
    // Machine bed with a sloped top and doors, on feet.
    base.add(PAINT_LIGHT, slab([-hx, 0.16, -hz], [hx, 0.7, hz], 0.03));
    base.add(STEEL_BRUSHED, slab([-hx - 0.02, 0.7, -hz - 0.02], [hx + 0.02, 0.76, hz + 0.02], 0.015));
    base.add(STEEL_DARK, drum(1.0, 0.15, 0.03, 40).at([0.0, 0.75, 0.0]));
    for x in [-1.75, -0.6, 0.6, 1.75] {
        for z in [-1.6, 1.6] {
            base.add(STEEL_DARK, foot(0.18, 0.1).at([x, 0.0, z]));
        }
    }
    for x in [-1.3, 0.0, 1.3] {
        base.add(PAINT_MID, slab([x - 0.52, 0.23, hz - 0.005], [x + 0.52, 0.63, hz + 0.012], 0.008));
        base.add(PAINT_DARK, slab([x + 0.38, 0.4, hz + 0.01], [x + 0.42, 0.5, hz + 0.03], 0.006));
    }
    guard(&mut base);
    transfer(&mut base);
    panel(&mut base);
    gauge(&mut base);
    base.add(STEEL_DARK, beacon_stalk(corner, STALK));
    base.add(STEEL_DARK, nozzle(0.035, 0.12).turn_y(90.0).at([1.4, 0.45, -hz + 0.02]));
    base.add(STEEL_BRUSHED, nozzle(0.06, 0.14).turn_y(180.0).at([PRODUCT[0] + 0.14, PRODUCT[1], PRODUCT[2]]));
    // Product pipe from above into the swivel on the axis.
    base.add(STEEL, tube(&[PRODUCT, [0.0, 2.52, -hz + 0.15], [0.0, 2.52, 0.0], [0.0, 2.3, 0.0]], 0.06, 0.15, 16));
    base
}

/// Posts, top frame and windows on three sides and a half: the front stays half open to the eye.
fn guard(base: &mut Node) {
    let [hx, hz] = HALF;
    let post = |x: f64, z: f64| slab([x - 0.04, 0.76, z - 0.04], [x + 0.04, TOP, z + 0.04], 0.012);
    for (x, z) in [(-hx, -hz), (hx, -hz), (-hx, hz), (hx, hz), (0.0, -hz), (0.0, hz)] {
        let inward = |v: f64| v - v.signum() * if v == 0.0 { 0.0 } else { 0.05 };
        base.add(STEEL_BRUSHED, post(inward(x), inward(z)));
    }
    let (x, z) = (hx - 0.05, hz - 0.05);
    for y in [TOP] {
        for side in [-1.0, 1.0] {
            base.add(STEEL_BRUSHED, slab([-x - 0.05, y, side * z - 0.05], [x + 0.05, y + 0.1, side * z + 0.05], 0.015));
            base.add(STEEL_BRUSHED, slab([side * x - 0.05, y, -z - 0.05], [side * x + 0.05, y + 0.1, z + 0.05], 0.015));
        }
    }
    // Windows; the lower edge leaves the way for bottles free.
    let (low, high) = (1.5, TOP - 0.06);
    for middle in [-x / 2.0, x / 2.0] {
        for side in [-1.0, 1.0] {
            let half = x / 2.0 - 0.07;
            base.add(GLASS, slab([middle - half, low, side * z - 0.005], [middle + half, high, side * z + 0.005], 0.0));
            for y in [low, high] {
                base.add(
                    PAINT_DARK,
                    slab(
                        [middle - half, y - 0.015, side * z - 0.012],
                        [middle + half, y + 0.015, side * z + 0.012],
                        0.0,
                    ),
                );
            }
        }
    }
    for side in [-1.0, 1.0] {
        let half = z - 0.07;
        base.add(GLASS, slab([side * x - 0.005, low, -half], [side * x + 0.005, high, half], 0.0));
        for y in [low, high] {
            base.add(PAINT_DARK, slab([side * x - 0.012, y - 0.015, -half], [side * x + 0.012, y + 0.015, half], 0.0));
        }
    }
    base.add(STEEL_BRUSHED, slab([-0.22, TOP + 0.03, -hz], [0.22, TOP + 0.09, hz], 0.012));
}

/// Infeed and outfeed: star wheels and short belts along the front.
fn transfer(base: &mut Node) {
    for side in [-1.0, 1.0] {
        let x = side * 1.15;
        base.add(PAINT_DARK, drum(0.05, 0.32, 0.0, 16).at([x, 0.76, 1.32]));
        base.add(STEEL_DARK, star_wheel(0.3, 10, 0.02).at([x, BELT_HEIGHT + 0.06, 1.32]));
        base.add(STEEL_DARK, star_wheel(0.3, 10, 0.02).at([x, BELT_HEIGHT + 0.16, 1.32]));
        let (from, to) = if side < 0.0 { (-2.2, -1.0) } else { (1.0, 2.2) };
        base.add(BELT, slab([from, BELT_HEIGHT - 0.03, 1.46], [to, BELT_HEIGHT, 1.64], 0.0));
        base.add(STEEL_BRUSHED, slab([from, BELT_HEIGHT - 0.12, 1.66], [to, BELT_HEIGHT + 0.02, 1.7], 0.006));
        base.add(STEEL_BRUSHED, slab([from, BELT_HEIGHT - 0.12, 1.4], [to, BELT_HEIGHT + 0.0, 1.44], 0.006));
        base.add(STEEL, bar([from, BELT_HEIGHT + 0.12, 1.64], [to, BELT_HEIGHT + 0.12, 1.64], 0.009, 8));
        let places: Vec<_> = (0..6).map(|step| [side * (1.1 + 0.18 * f64::from(step)), BELT_HEIGHT, 1.55]).collect();
        add_bottles(base, &places, 9);
    }
}

/// Foot of the level glass, its height, and how far it stands in front of the middle post.
const GLASS_FOOT: f64 = 1.62;
const GLASS_HEIGHT: f64 = 0.9;
const GLASS_FRONT: f64 = HALF[1] + 0.03;

/// What holds the glass that shows the level in the bowl.
fn gauge(base: &mut Node) {
    let (low, high, z) = (GLASS_FOOT, GLASS_FOOT + GLASS_HEIGHT, GLASS_FRONT);
    base.add(PAINT_DARK, slab([-0.07, low, z - 0.05], [0.07, high, z - 0.02], 0.004));
    for y in [low - 0.025, high + 0.025] {
        base.add(STEEL_DARK, slab([-0.085, y - 0.03, z - 0.06], [0.085, y + 0.03, z + 0.05], 0.01));
    }
    for step in 0..=8 {
        let y = low + (high - low) * f64::from(step) / 8.0;
        let long = if step % 4 == 0 { 0.03 } else { 0.016 };
        base.add(MARK, slab([0.082 - long, y - 0.004, z - 0.02], [0.082, y + 0.004, z - 0.014], 0.0));
    }
}

fn level() -> Node {
    // Sharp edges: a bevel would be stretched with the fill.
    let mut level = Node::new("level").at([0.0, GLASS_FOOT, GLASS_FRONT]).tinted();
    level.add(LIQUID, slab([-0.045, 0.0, -0.02], [0.045, GLASS_HEIGHT, 0.03], 0.0));
    level
}

/// Operator panel on an arm at the front right.
fn panel(base: &mut Node) {
    let [hx, hz] = HALF;
    let arm = tube(&[[hx - 0.05, 2.4, hz], [hx - 0.05, 2.4, hz + 0.3], [hx - 0.05, 1.75, hz + 0.3]], 0.025, 0.1, 10);
    base.add(STEEL_BRUSHED, arm);
    let mut screen = Mesh::default();
    screen.append(&block([0.46, 0.36, 0.07], 0.015));
    base.add(PAINT_DARK, screen.turn_x(-8.0).at([hx - 0.05, 1.6, hz + 0.32]));
    base.add(SCREEN, block([0.39, 0.27, 0.01], 0.0).turn_x(-8.0).at([hx - 0.05, 1.6, hz + 0.357]));
}
