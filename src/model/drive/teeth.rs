//! Frequencies of a pair of gears. In: numbers of teeth, speed. Out: where lines stand in a spectrum. Pure.
//!
//! Randall, "Vibration-based Condition Monitoring", ch. 2.

/// A pair of gears: teeth of pinion and wheel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    pub pinion: u32,
    pub wheel: u32,
}

impl Pair {
    /// Teeth that meet in a second at `turns` of the pinion in a second.
    pub fn mesh(self, turns: f64) -> f64 {
        f64::from(self.pinion) * turns
    }

    /// Turns of the wheel for each of the pinion.
    pub fn ratio(self) -> f64 {
        f64::from(self.pinion) / f64::from(self.wheel)
    }

    /// How often the same two teeth meet in a second; with a common factor there is no such line.
    pub fn hunting(self, turns: f64) -> f64 {
        let common = u64::from(self.assembly_phases());
        let multiple = u64::from(self.pinion) / common.max(1) * u64::from(self.wheel);
        self.mesh(turns) / multiple.max(1) as f64
    }

    /// Ways in which the pair can be put together.
    pub fn assembly_phases(self) -> u32 {
        let (mut a, mut b) = (self.pinion, self.wheel);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_the_lines_of_its_teeth() {
        let (pair, turns) = (Pair { pinion: 23, wheel: 67 }, 1480.0 / 60.0);
        let near = |found: f64, wanted: f64| assert!((found / wanted - 1.0).abs() < 1e-6, "{found}, not {wanted}");
        near(pair.mesh(turns), 567.333_333);
        near(pair.mesh(turns) - turns, 542.666_667);
        near(pair.hunting(turns), 0.368_159);
        near(pair.ratio() * 1480.0, 508.060);
        assert_eq!((pair.assembly_phases(), Pair { pinion: 24, wheel: 66 }.assembly_phases()), (1, 6));
    }
}
