//! A palletiser: portal frame, lift with a fork head on two masts, roller bed, pallet and layers of cases.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum_x, drum_z, slab},
    sweep::bar,
};
use super::parts::foot;

const HALF: [f64; 2] = [1.6, 1.25];
const TOP: f64 = 3.5;
/// Upper side of the roller bed, where the pallet stands.
const BED: f64 = 0.32;
const PALLET: f64 = 0.144;
/// Case size (x, y, z); layers are 3 x 4 cases.
const CASE: [f64; 3] = [0.395, 0.3, 0.295];
const LAYERS: u32 = 5;

pub fn palletiser() -> Vec<Node> {
    vec![
        frame(),
        lift(),
        pallet(),
        layers(),
        waiting(),
        Node::port("infeed", [-2.0, 1.0, 0.0]),
        Node::port("outfeed", [2.0, BED, 0.0]),
        Node::port("air", [-HALF[0] - 0.35, 0.4, HALF[1] - 0.45]),
    ]
}

fn frame() -> Node {
    let mut frame = Node::new("frame").tinted();
    let [hx, hz] = HALF;
    for x in [-hx, hx] {
        for z in [-hz, hz] {
            frame.add(PAINT_LIGHT, slab([x - 0.09, 0.06, z - 0.09], [x + 0.09, TOP, z + 0.09], 0.02));
            frame.add(PAINT_DARK, slab([x - 0.16, 0.0, z - 0.16], [x + 0.16, 0.06, z + 0.16], 0.012));
        }
        // Mast rails and rack for the lift.
        frame.add(STEEL, slab([x * 0.93 - 0.03, 0.3, -0.06], [x * 0.93 + 0.03, TOP, 0.06], 0.006));
        frame.add(PAINT_LIGHT, slab([x - 0.08, TOP - 0.2, -hz], [x + 0.08, TOP, hz], 0.02));
        frame.add(PAINT_LIGHT, slab([x - 0.05, 0.1, -hz], [x + 0.05, 0.24, hz], 0.015));
    }
    for z in [-hz, hz] {
        frame.add(PAINT_LIGHT, slab([-hx - 0.09, TOP - 0.02, z - 0.09], [hx + 0.09, TOP + 0.18, z + 0.09], 0.02));
    }
    for x in [-0.5, 0.5] {
        frame.add(PAINT_MID, slab([x - 0.05, TOP + 0.02, -hz], [x + 0.05, TOP + 0.14, hz], 0.012));
    }
    // Lift drive on the top and its shaft.
    frame.add(PAINT_MID, slab([-0.2, TOP + 0.14, -0.16], [0.2, TOP + 0.42, 0.16], 0.025));
    frame.add(PAINT_DARK, drum_z(0.11, 0.34, 0.015, 22).at([0.0, TOP + 0.28, -0.3]));
    frame.add(STEEL, bar([-hx, TOP + 0.28, 0.0], [hx, TOP + 0.28, 0.0], 0.028, 12));
    for x in [-hx * 0.93, hx * 0.93] {
        frame.add(STEEL_DARK, drum_x(0.1, 0.08, 0.01, 22).at([x, TOP + 0.28, 0.0]));
        frame.add(PAINT_MID, slab([x - 0.08, TOP + 0.0, -0.1], [x + 0.08, TOP + 0.2, 0.1], 0.015));
    }
    // Roller bed: from the pallet place out to +x.
    for z in [-0.58, 0.58] {
        frame.add(STEEL_BRUSHED, slab([-0.75, BED - 0.16, z - 0.03], [2.0, BED + 0.01, z + 0.03], 0.01));
    }
    frame.add(STEEL, drum_z(0.04, 1.12, 0.0, 10).at([-0.68, BED - 0.04, 0.0]).row(20, [0.138, 0.0, 0.0]));
    for x in [-0.65, 0.6, 1.85] {
        for z in [-0.58, 0.58] {
            frame.add(STEEL_DARK, foot(0.18, 0.07).at([x, 0.0, z]));
        }
    }
    // Infeed table at belt height, from -x.
    frame.add(STEEL_BRUSHED, slab([-2.0, 0.86, -0.42], [-1.0, 0.95, 0.42], 0.012));
    frame.add(STEEL, drum_z(0.03, 0.76, 0.0, 10).at([-1.95, 0.97, 0.0]).row(13, [0.076, 0.0, 0.0]));
    for z in [-0.36, 0.36] {
        frame.add(STEEL_BRUSHED, slab([-1.94, 0.06, z - 0.03], [-1.88, 0.87, z + 0.03], 0.008));
        frame.add(STEEL_DARK, foot(0.08, 0.06).at([-1.91, 0.0, z]));
    }
    guard(&mut frame);
    frame
}

/// Guard fences on the back and the sides, low enough to look in.
fn guard(frame: &mut Node) {
    let [hx, hz] = HALF;
    frame.add(GLASS, slab([-hx + 0.1, 0.35, -hz - 0.006], [hx - 0.1, 1.9, -hz + 0.006], 0.0));
    for y in [0.35, 1.9] {
        frame.add(PAINT_DARK, slab([-hx + 0.09, y - 0.02, -hz - 0.02], [hx - 0.09, y + 0.02, -hz + 0.02], 0.004));
    }
    // Light curtain posts at the front.
    for x in [-hx, hx] {
        frame.add(PAINT_DARK, slab([x - 0.035, 0.25, hz + 0.1], [x + 0.035, 1.5, hz + 0.16], 0.012));
        frame.add(LENS, slab([x - 0.012, 0.35, hz + 0.159], [x + 0.012, 1.42, hz + 0.163], 0.0));
    }
    // Cabinet with a panel at the front left.
    frame.add(PAINT_MID, slab([-hx - 0.55, 0.08, hz - 0.42], [-hx - 0.14, 1.75, hz + 0.1], 0.02));
    frame.add(PAINT_DARK, slab([-hx - 0.54, 0.0, hz - 0.4], [-hx - 0.15, 0.09, hz + 0.08], 0.0));
    frame.add(SCREEN, slab([-hx - 0.47, 1.3, hz + 0.099], [-hx - 0.22, 1.48, hz + 0.106], 0.0));
}

/// Carriage with a clamping head. As made it holds the fifth layer; it slides from 0.85 m below to 0.8 m above that.
fn lift() -> Node {
    let mut lift = Node::new("lift").at([0.0, 1.0, 0.0]).tinted();
    let [hx, _] = HALF;
    for x in [-hx * 0.93, hx * 0.93] {
        let inward = -x.signum();
        lift.add(PAINT_DARK, slab([x - 0.09, 0.9, -0.16], [x + 0.09, 1.5, 0.16], 0.02));
        for y in [1.0, 1.4] {
            lift.add(STEEL, drum_z(0.045, 0.2, 0.006, 16).at([x + inward * 0.1, y, 0.0]));
        }
    }
    for z in [-0.12, 0.12] {
        lift.add(PAINT_MID, slab([-hx * 0.88, 1.12, z - 0.05], [hx * 0.88, 1.3, z + 0.05], 0.015));
    }
    // Head plate with clamping jaws around a layer.
    lift.add(PAINT_DARK, slab([-0.66, 1.02, -0.52], [0.66, 1.1, 0.52], 0.015));
    for x in [-0.64, 0.64] {
        lift.add(STEEL_BRUSHED, slab([x - 0.02, 0.76, -0.46], [x + 0.02, 1.06, 0.46], 0.008));
    }
    for z in [-0.5, 0.5] {
        lift.add(STEEL_BRUSHED, slab([-0.56, 0.76, z - 0.02], [0.56, 1.06, z + 0.02], 0.008));
    }
    let cup = super::super::solids::cone(0.05, 0.02, 0.1, 14);
    for x in [-0.39, 0.0, 0.39] {
        for z in [-0.3, 0.0, 0.3] {
            lift.add(RUBBER, cup.clone().at([x, 0.92, z]));
        }
    }
    lift
}

/// A Euro pallet, 1.2 m x 0.8 m, seen from outside: deck boards, blocks, runners; here widened to 1.0 m.
fn pallet() -> Node {
    let mut pallet = Node::new("pallet").at([0.0, BED, 0.0]).tinted();
    for step in 0..3 {
        let z = -0.45 + 0.45 * f64::from(step);
        pallet.add(WOOD, slab([-0.6, 0.0, z - 0.05], [0.6, 0.022, z + 0.05], 0.0));
        for x in [-0.5275, 0.0, 0.5275] {
            pallet.add(WOOD, slab([x - 0.0725, 0.022, z - 0.05], [x + 0.0725, 0.1, z + 0.05], 0.0));
        }
    }
    for x in [-0.5275, 0.0, 0.5275] {
        pallet.add(WOOD, slab([x - 0.0725, 0.1, -0.5], [x + 0.0725, 0.122, 0.5], 0.0));
    }
    for step in 0..7 {
        let z = -0.44 + 0.1467 * f64::from(step);
        pallet.add(WOOD, slab([-0.6, 0.122, z - 0.058], [0.6, PALLET, z + 0.058], 0.003));
    }
    pallet
}

/// A full pallet at the end of the roller bed, where it is fetched.
fn waiting() -> Node {
    let mut waiting = Node::new("waiting").at([1.4, BED, 0.0]).tinted();
    super::pallets::full_pallet(&mut waiting);
    waiting
}

/// Cases of shrink-wrapped cardboard with tape; scaled along y from nothing to a full load.
fn layers() -> Node {
    let mut layers = Node::new("layers").at([0.0, BED + PALLET, 0.0]).tinted();
    let [w, h, d] = CASE;
    let gap = 0.004;
    // Cases on the inside are never seen: only the ring and the top layer are made.
    for layer in 0..LAYERS {
        for ix in 0..3u32 {
            for iz in 0..3u32 {
                if (ix, iz) == (1, 1) && layer + 1 < LAYERS {
                    continue;
                }
                let centre = [
                    (f64::from(ix) - 1.0) * (w + gap),
                    h * (f64::from(layer) + 0.5),
                    (f64::from(iz) - 1.0) * (d + gap + 0.03),
                ];
                layers.add(CARDBOARD, block([w, h - gap, d + 0.03], 0.006).at(centre));
                let tape = block([w + 0.002, h - gap + 0.002, 0.05], 0.0).at(centre);
                layers.add(CARDBOARD_DARK, tape);
            }
        }
    }
    // Slip sheets between the layers.
    let mut sheets = Mesh::default();
    for layer in 1..LAYERS {
        let y = h * f64::from(layer);
        sheets.append(&slab([-0.605, y - 0.003, -0.5], [0.605, y + 0.003, 0.5], 0.0));
    }
    layers.add(LABEL, sheets);
    layers
}
