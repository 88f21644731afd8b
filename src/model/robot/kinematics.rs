//! Where the links of an arm are. In: lengths and angles of its links, angles of its joints. Out: position and turn of
//! its flange. Pure.
//!
//! Standard parameters of Denavit and Hartenberg: each joint turns about z, then shifts by d along z and by a along x,
//! then turns by alpha about x.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | UR5e, all joints at 0 | sheet 1.10 | (-0.8172, -0.2329, 0.0628) m | the same | < 1e-9 |
//! | UR5e, upright: 0, -90, 0, -90, 0, 0 | sheet 1.10 | (0, -0.2329, 1.0794) m | the same | < 1e-9 |
//! | UR5e, bent: 0, -90, 90, -90, -90, 0 | sheet 1.10 | (-0.4919, -0.1333, 0.4879) m | the same | < 1e-9 |
//! | Puma 560, nominal pose and 0 | sheet 1.10 | (0.5963, -0.15005, -0.01435), (0.4521, -0.15005, 0.4318) m | the same | < 1e-4 |

use std::f64::consts::FRAC_PI_2;

/// A vector, and a turn by its rows.
pub type Vector = [f64; 3];
pub type Turn = [[f64; 3]; 3];

/// A link by its parameters, in m and rad.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Link {
    pub a: f64,
    pub d: f64,
    pub alpha: f64,
}

const fn link(a: f64, d: f64, alpha: f64) -> Link {
    Link { a, d, alpha }
}

/// Universal Robots UR5e, as its maker publishes it.
pub const UR5E: [Link; 6] = [
    link(0.0, 0.1625, FRAC_PI_2),
    link(-0.425, 0.0, 0.0),
    link(-0.3922, 0.0, 0.0),
    link(0.0, 0.1333, FRAC_PI_2),
    link(0.0, 0.0997, -FRAC_PI_2),
    link(0.0, 0.0996, 0.0),
];

/// Unimation Puma 560: Corke and Armstrong-Hélouvry, "A search for consensus among model parameters reported for the PUMA
/// 560 robot", ICRA 1994.
pub const PUMA_560: [Link; 6] = [
    link(0.0, 0.0, FRAC_PI_2),
    link(0.4318, 0.0, 0.0),
    link(0.0203, 0.150_05, -FRAC_PI_2),
    link(0.0, 0.4318, FRAC_PI_2),
    link(0.0, 0.0, -FRAC_PI_2),
    link(0.0, 0.0, 0.0),
];

/// Where a frame stands in another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pose {
    pub position: Vector,
    pub turn: Turn,
}

impl Pose {
    pub const HERE: Self = Self { position: [0.0; 3], turn: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] };

    /// A pose that is said in this frame.
    #[must_use]
    pub fn then(&self, other: &Self) -> Self {
        let moved = turned(&self.turn, other.position);
        let turn =
            std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| self.turn[i][k] * other.turn[k][j]).sum()));
        Self { position: std::array::from_fn(|i| self.position[i] + moved[i]), turn }
    }
}

impl Link {
    /// Where the next frame stands when its joint is turned by `angle` rad.
    pub fn pose(&self, angle: f64) -> Pose {
        let ((s, c), (t, k)) = (libm::sincos(angle), libm::sincos(self.alpha));
        Pose { position: [self.a * c, self.a * s, self.d], turn: [[c, -s * k, s * t], [s, c * k, -c * t], [0.0, t, k]] }
    }
}

/// The flange of an arm whose joints stand at these angles in rad.
pub fn flange(links: &[Link; 6], joints: &[f64; 6]) -> Pose {
    links.iter().zip(joints).fold(Pose::HERE, |pose, (link, angle)| pose.then(&link.pose(*angle)))
}

/// A vector of a frame as one of the frame in which that stands.
pub fn turned(turn: &Turn, v: Vector) -> Vector {
    std::array::from_fn(|i| turn[i][0] * v[0] + turn[i][1] * v[1] + turn[i][2] * v[2])
}

/// The other way round.
pub fn turned_back(turn: &Turn, v: Vector) -> Vector {
    std::array::from_fn(|i| turn[0][i] * v[0] + turn[1][i] * v[1] + turn[2][i] * v[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Vector, wanted: Vector, tolerance: f64) {
        let far = (0..3).any(|k| (found[k] - wanted[k]).abs() > tolerance);
        assert!(!far, "{found:?}, not {wanted:?}");
    }

    fn degrees(joints: [f64; 6]) -> [f64; 6] {
        joints.map(f64::to_radians)
    }

    #[test]
    fn the_ur5e_reaches_where_its_maker_says() {
        let stretched = flange(&UR5E, &[0.0; 6]);
        near(stretched.position, [-0.8172, -0.2329, 0.0628], 1e-9);
        for (row, wanted) in stretched.turn.iter().zip([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]) {
            near(*row, wanted, 1e-9);
        }
        let upright = flange(&UR5E, &degrees([0.0, -90.0, 0.0, -90.0, 0.0, 0.0]));
        near(upright.position, [0.0, -0.2329, 1.0794], 1e-9);
        let bent = flange(&UR5E, &degrees([0.0, -90.0, 90.0, -90.0, -90.0, 0.0]));
        near(bent.position, [-0.4919, -0.1333, 0.4879], 1e-9);
    }

    #[test]
    fn the_puma_reaches_where_its_textbook_says() {
        let nominal = flange(&PUMA_560, &degrees([0.0, 45.0, 180.0, 0.0, 45.0, 0.0]));
        near(nominal.position, [0.5963, -0.150_05, -0.014_35], 1e-4);
        near(flange(&PUMA_560, &[0.0; 6]).position, [0.4521, -0.150_05, 0.4318], 1e-9);
    }
}
