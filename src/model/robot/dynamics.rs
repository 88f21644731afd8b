//! What the motion of an arm takes. In: its links and their masses, angles, speeds and accelerations of its joints,
//! gravity. Out: the torque of each joint. Knows no friction and no motors. Pure.
//!
//! Recursive equations of Newton and Euler (Luh, Walker and Paul, "On-line computational scheme for mechanical
//! manipulators", ASME J. Dyn. Sys. 102, 1980), forwards for motions, backwards for forces; gravity is an acceleration
//! of the base, upwards.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | Puma 560 nominal: gravity, N m | sheet 1.10 | 0, 31.6399, 6.0351, 0, 0.0283, 0 | the same | < 1e-4 |
//! | Puma 560 at 0, 0, -90: joints 2, 3 | sheet 1.10 | 46.0069, 8.7722 | the same | < 1e-4 |
//! | Puma 560 at 0: joint 2 | sheet 1.10 | 37.4837 | the same | < 1e-4 |
//! | Puma 560 nominal: inertia with motors, kg m² | sheet 1.10 | 3.6594, 4.4137, 0.9378, 0.1925, 0.1713, 0.1941 | the same | < 1e-4 |
//! | the same beside the diagonal: 12, 13, 23 | sheet 1.10 | -0.4044, 0.1006, 0.3509 | the same | < 1e-4 |
//! | UR5e stretched under 9.81 m/s²: joints 2, 3, N m | sheet 1.10 | -59.756, -18.439 | the same | < 1e-3 |
//! | the same with 5 kg at the flange | sheet 1.10 | -99.840, -37.677 | the same | < 1e-3 |

use super::kinematics::{Link, Pose, Vector, turned, turned_back};

/// The mass of a link: kg, centre in m in the frame at its end, moments of inertia in kg m² about axes of that frame
/// through the centre.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Body {
    pub mass: f64,
    pub centre: Vector,
    pub inertia: Vector,
}

const fn body(mass: f64, centre: Vector, inertia: Vector) -> Body {
    Body { mass, centre, inertia }
}

/// Masses and centres of the UR5e: its maker's description. Moments of inertia: assumed, as rods of the links' lengths.
pub const UR5E: [Body; 6] = [
    body(3.761, [0.0, -0.025_61, 0.001_93], [0.01, 0.01, 0.007]),
    body(8.058, [0.2125, 0.0, 0.113_36], [0.02, 0.121, 0.121]),
    body(2.846, [0.15, 0.0, 0.0265], [0.004, 0.0365, 0.0365]),
    body(1.37, [0.0, -0.0018, 0.016_34], [0.002, 0.002, 0.002]),
    body(1.3, [0.0, 0.0018, 0.016_34], [0.002, 0.002, 0.002]),
    body(0.365, [0.0, 0.0, -0.001_159], [0.0003, 0.0003, 0.0003]),
];

/// Of the Puma 560: Corke and Armstrong-Hélouvry, 1994.
pub const PUMA_560: [Body; 6] = [
    body(0.0, [0.0, 0.0, 0.0], [0.0, 0.35, 0.0]),
    body(17.4, [-0.3638, 0.006, 0.2275], [0.13, 0.524, 0.539]),
    body(4.8, [-0.0203, -0.0141, 0.070], [0.066, 0.086, 0.0125]),
    body(0.82, [0.0, 0.019, 0.0], [1.8e-3, 1.3e-3, 1.8e-3]),
    body(0.34, [0.0, 0.0, 0.0], [0.3e-3, 0.4e-3, 0.3e-3]),
    body(0.09, [0.0, 0.0, 0.032], [0.15e-3, 0.15e-3, 0.04e-3]),
];

/// Motion of joints: rad, rad/s, rad/s².
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Motion {
    pub angle: [f64; 6],
    pub speed: [f64; 6],
    pub acceleration: [f64; 6],
}

impl Body {
    /// With a mass in kg at a place of the same frame.
    #[must_use]
    pub fn with_mass_at(self, mass: f64, place: Vector) -> Self {
        let whole = self.mass + mass;
        if whole <= 0.0 {
            return self;
        }
        let centre: Vector = std::array::from_fn(|k| (self.mass * self.centre[k] + mass * place[k]) / whole);
        // Steiner, for both masses; products of inertia are left out.
        let shift = |from: Vector, axis: usize| {
            let square = |k: usize| (from[k] - centre[k]) * (from[k] - centre[k]);
            square((axis + 1) % 3) + square((axis + 2) % 3)
        };
        let inertia =
            std::array::from_fn(|k| self.inertia[k] + self.mass * shift(self.centre, k) + mass * shift(place, k));
        Self { mass: whole, centre, inertia }
    }
}

/// N m of each joint, under a gravity in m/s² along the axis of the first joint, downwards.
pub fn torques(links: &[Link; 6], bodies: &[Body; 6], motion: &Motion, gravity: f64) -> [f64; 6] {
    let (mut w, mut wd, mut vd) = ([0.0; 3], [0.0; 3], [0.0, 0.0, gravity]);
    let mut poses = [Pose::HERE; 6];
    let (mut forces, mut moments, mut arms) = ([[0.0; 3]; 6], [[0.0; 3]; 6], [[0.0; 3]; 6]);
    for j in 0..6 {
        let (link, body) = (&links[j], &bodies[j]);
        poses[j] = link.pose(motion.angle[j]);
        let turn = &poses[j].turn;
        let spin = [0.0, 0.0, motion.speed[j]];
        let whirl = cross(w, spin);
        wd = turned_back(turn, [wd[0] + whirl[0], wd[1] + whirl[1], wd[2] + whirl[2] + motion.acceleration[j]]);
        w = turned_back(turn, [w[0], w[1], w[2] + motion.speed[j]]);
        // From the frame before to this one, said in this one.
        let (s, c) = libm::sincos(link.alpha);
        let arm = [link.a, link.d * s, link.d * c];
        vd = plus(swung(w, wd, arm), turned_back(turn, vd));
        let centre = plus(swung(w, wd, body.centre), vd);
        forces[j] = centre.map(|x| body.mass * x);
        let momentum = std::array::from_fn(|k| body.inertia[k] * w[k]);
        let kept = cross(w, momentum);
        moments[j] = std::array::from_fn(|k| body.inertia[k] * wd[k] + kept[k]);
        arms[j] = arm;
    }
    let (mut force, mut moment) = ([0.0; 3], [0.0; 3]);
    let mut found = [0.0; 6];
    for j in (0..6).rev() {
        if let Some(next) = poses.get(j + 1) {
            (force, moment) = (turned(&next.turn, force), turned(&next.turn, moment));
        }
        moment = plus(moment, cross(arms[j], force));
        moment = plus(moment, plus(cross(plus(arms[j], bodies[j].centre), forces[j]), moments[j]));
        force = plus(force, forces[j]);
        // About the axis of the frame before.
        found[j] = turned(&poses[j].turn, moment)[2];
    }
    found
}

fn plus(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|k| a[k] + b[k])
}

fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Acceleration of a point of a body that turns.
fn swung(w: Vector, wd: Vector, at: Vector) -> Vector {
    plus(cross(wd, at), cross(w, cross(w, at)))
}

#[cfg(test)]
mod tests {
    use super::super::kinematics;
    use super::*;

    fn degrees(joints: [f64; 6]) -> [f64; 6] {
        joints.map(f64::to_radians)
    }

    fn near(found: &[f64], wanted: &[f64], tolerance: f64) {
        let far = found.iter().zip(wanted).any(|(a, b)| (a - b).abs() > tolerance);
        assert!(!far, "{found:?}, not {wanted:?}");
    }

    fn puma(motion: Motion, gravity: f64) -> [f64; 6] {
        torques(&kinematics::PUMA_560, &PUMA_560, &motion, gravity)
    }

    const NOMINAL: [f64; 6] = [0.0, 45.0, 180.0, 0.0, 45.0, 0.0];

    #[test]
    fn the_puma_holds_itself_with_the_torques_of_its_textbook() {
        let held = |joints: [f64; 6]| puma(Motion { angle: degrees(joints), ..Motion::default() }, 9.81);
        near(&held(NOMINAL), &[0.0, 31.6399, 6.0351, 0.0, 0.0283, 0.0], 1e-4);
        near(&held([0.0, 0.0, -90.0, 0.0, 0.0, 0.0])[1..3], &[46.0069, 8.7722], 1e-4);
        near(&held([0.0; 6])[1..2], &[37.4837], 1e-4);
    }

    #[test]
    fn the_puma_has_the_inertia_of_its_textbook() {
        let gears: [f64; 6] = [-62.6111, 107.815, -53.7063, 76.0364, 71.923, 76.686];
        let motors = [200e-6, 200e-6, 200e-6, 33e-6, 33e-6, 33e-6];
        let column = |j: usize| {
            let mut acceleration = [0.0; 6];
            acceleration[j] = 1.0;
            let mut torque = puma(Motion { angle: degrees(NOMINAL), acceleration, ..Motion::default() }, 0.0);
            torque[j] += gears[j] * gears[j] * motors[j];
            torque
        };
        let inertia: Vec<[f64; 6]> = (0..6).map(column).collect();
        let diagonal: Vec<f64> = (0..6).map(|j| inertia[j][j]).collect();
        near(&diagonal, &[3.6594, 4.4137, 0.9378, 0.1925, 0.1713, 0.1941], 1e-4);
        near(&[inertia[0][1], inertia[0][2], inertia[1][2]], &[-0.4044, 0.1006, 0.3509], 1e-4);
    }

    #[test]
    fn the_ur5e_holds_itself_and_5_kg() {
        let motion = Motion::default();
        // The sheet's figures are those of 9.81 m/s².
        let held = |bodies: &[Body; 6]| torques(&kinematics::UR5E, bodies, &motion, 9.81);
        near(&held(&UR5E)[1..3], &[-59.756, -18.439], 1e-3);
        let mut loaded = UR5E;
        loaded[5] = loaded[5].with_mass_at(5.0, [0.0; 3]);
        near(&held(&loaded)[1..3], &[-99.840, -37.677], 1e-3);
    }

    #[test]
    fn power_of_the_joints_becomes_energy_of_motion_and_of_height() {
        // Along a motion the torques do the work that a body falling by itself would lose: joints in free swing keep
        // their energy. Here: torque times speed against the change of kinetic energy, without gravity.
        let motion = |t: f64| {
            let wave = |k: f64| (libm::sin(t + k), libm::cos(t + k));
            let waves: [(f64, f64); 6] = std::array::from_fn(|k| wave(k as f64));
            Motion { angle: waves.map(|(s, _)| s), speed: waves.map(|(_, c)| c), acceleration: waves.map(|(s, _)| -s) }
        };
        let kinetic = |t: f64| {
            let now = motion(t);
            let column = |j: usize| {
                let mut acceleration = [0.0; 6];
                acceleration[j] = now.speed[j];
                puma(Motion { angle: now.angle, acceleration, ..Motion::default() }, 0.0)
            };
            let momentum: [f64; 6] =
                (0..6).map(column).fold([0.0; 6], |sum, one| std::array::from_fn(|k| sum[k] + one[k]));
            0.5 * momentum.iter().zip(now.speed).map(|(p, w)| p * w).sum::<f64>()
        };
        let power = |t: f64| puma(motion(t), 0.0).iter().zip(motion(t).speed).map(|(a, b)| a * b).sum::<f64>();
        let steps = 200;
        let dt = 1.0 / f64::from(steps);
        let work: f64 = (0..steps)
            .map(|k| {
                let t = f64::from(k) * dt;
                dt / 6.0 * (power(t) + 4.0 * power(t + 0.5 * dt) + power(t + dt))
            })
            .sum();
        assert!((work - (kinetic(1.0) - kinetic(0.0))).abs() < 1e-6, "{work}");
    }
}
