//! One file per family of machines. Each function returns the root nodes of one model.

mod cabinet;
mod carousel;
mod compressor;
mod conveyor;
mod exchanger;
mod filler;
mod hall;
mod palletiser;
mod parts;
mod pump;
mod robot;
mod tank;
mod valve;
mod vehicle;

use super::node::Node;

pub fn all() -> Vec<(&'static str, Vec<Node>)> {
    vec![
        ("agv.glb", vehicle::agv()),
        ("cabinet.glb", cabinet::cabinet()),
        ("chiller.glb", compressor::chiller()),
        ("compressor.glb", compressor::compressor()),
        ("conveyor.glb", conveyor::conveyor()),
        ("exchanger.glb", exchanger::exchanger()),
        ("filler.glb", filler::filler()),
        ("hall.glb", hall::hall()),
        ("labeller.glb", carousel::labeller()),
        ("palletiser.glb", palletiser::palletiser()),
        ("pump.glb", pump::pump()),
        ("rinser.glb", carousel::rinser()),
        ("robot.glb", robot::robot()),
        ("tank.glb", tank::tank()),
        ("valve.glb", valve::valve()),
    ]
}
