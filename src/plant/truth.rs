//! A hidden truth: machines that are a little other than the scene says, so that what is learned from their data is not
//! tested on the model that it was learned with. In: a blueprint, a share, a seed. Out: the same with other parameters.

use crate::network::Blueprint;
use crate::value::Stream;

/// The largest share by which parameters may differ.
pub const MOST: f64 = 0.5;

/// Draws each parameter evenly from the scene's value less to the scene's value plus `share` of it, within its bounds.
///
/// Controllers and generators stay: they are what the scene says. So do zeros, and whole numbers without a unit, which
/// count or switch something.
pub(super) fn draw(blueprint: &mut Blueprint, share: f64, seed: u64) {
    for machine in &mut blueprint.machines {
        let description = machine.model.description();
        if description.is_program {
            continue;
        }
        for (value, said) in machine.parameters.iter_mut().zip(description.parameters) {
            if said.unit.is_empty() && value.fract() == 0.0 {
                continue;
            }
            let drawn = Stream::new(seed, &machine.id, said.name).uniform(0);
            let (low, high) = said.bounds;
            *value = (*value * (1.0 + share * (2.0 * drawn - 1.0))).clamp(low, high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;
    use crate::network::Machine;

    #[test]
    fn parameters_differ_by_the_share_at_most_and_follow_from_the_seed() {
        let machine = |id: &str, name: &str| Machine::new(id, model::model(name).expect("a model"));
        let told = Blueprint {
            machines: vec![machine("P-1", "CentrifugalPump"), machine("B-1", "RollingBearing"), machine("C-1", "Pid")],
            ..Blueprint::default()
        };
        let drawn = |seed| {
            let mut blueprint = told.clone();
            draw(&mut blueprint, 0.1, seed);
            blueprint.machines.into_iter().map(|machine| machine.parameters).collect::<Vec<_>>()
        };
        let (first, told) =
            (drawn(1), told.machines.iter().map(|machine| machine.parameters.clone()).collect::<Vec<_>>());
        assert!(first == drawn(1) && first != drawn(2));
        assert_eq!(first[2], told[2], "a controller is what the scene says");
        let pairs: Vec<(f64, f64)> = first.concat().into_iter().zip(told.concat()).collect();
        assert!(pairs.iter().all(|(ours, told)| (ours - told).abs() <= 0.1 * told.abs() + 1e-12));
        assert!(pairs.iter().filter(|(ours, told)| ours != told).count() > 20);
    }
}
