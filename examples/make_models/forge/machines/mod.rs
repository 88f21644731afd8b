//! One file per family of machines. Each function returns the root nodes of one model.

mod conveyor;
mod exchanger;
mod filler;

mod palletiser;
mod parts;
mod pump;
mod robot;
mod tank;

use super::node::Node;

pub fn all() -> Vec<(&'static str, Vec<Node>)> {
    vec![
        ("conveyor.glb", conveyor::conveyor()),
        ("exchanger.glb", exchanger::exchanger()),
        ("filler.glb", filler::filler()),
        ("palletiser.glb", palletiser::palletiser()),
        ("pump.glb", pump::pump()),
        ("robot.glb", robot::robot()),
        ("tank.glb", tank::tank()),
    ]
}
