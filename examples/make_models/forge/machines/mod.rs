//! One file per family of machines. Each function returns the root nodes of one model.

mod cabinet;
mod carousel;
mod compressor;
mod conveyor;
mod exchanger;
mod filler;
mod hall;
mod lathe;
mod palletiser;
mod pallets;
mod parts;
mod pipeline;
mod pump;
mod robot;
mod stand;
mod tank;
mod tower;
mod valve;
mod vat;
mod vehicle;

use super::node::Node;

pub fn all() -> Vec<(&'static str, Vec<Node>)> {
    vec![
        ("agv.glb", vehicle::agv()),
        ("cabinet.glb", cabinet::cabinet()),
        ("chiller.glb", compressor::chiller()),
        ("clock.glb", stand::clock()),
        ("compressor.glb", compressor::compressor()),
        ("controller.glb", stand::controller()),
        ("conveyor.glb", conveyor::conveyor()),
        ("depalletiser.glb", pallets::depalletiser()),
        ("exchanger.glb", exchanger::exchanger()),
        ("filler.glb", filler::filler()),
        ("hall.glb", hall::hall()),
        ("labeller.glb", carousel::labeller()),
        ("lathe.glb", lathe::lathe()),
        ("palletiser.glb", palletiser::palletiser()),
        ("pipeline.glb", pipeline::pipeline()),
        ("pump.glb", pump::pump()),
        ("rinser.glb", carousel::rinser()),
        ("robot.glb", robot::robot()),
        ("store.glb", pallets::store()),
        ("supply.glb", pipeline::supply()),
        ("tank.glb", tank::tank()),
        ("tower.glb", tower::tower()),
        ("valve.glb", valve::valve()),
        ("vat.glb", vat::vat()),
    ]
}
