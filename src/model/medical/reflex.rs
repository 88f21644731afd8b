//! The arterial baroreflex. In: arterial pressures of the last minute, sixteen a second. Out: how far four limbs of the
//! nervous system are pulled, in mmHg of error. Pure; the pressures are kept by the caller.
//!
//! Heldt, "Computational models of cardiovascular response to orthostatic stress", PhD thesis, MIT, 2004, ch. 3: the
//! error against the set point saturates as an arcus tangent, and reaches each limb through a triangle of delays.

use std::collections::VecDeque;
use std::sync::LazyLock;

/// Seconds between two pressures.
pub(super) const BIN: f64 = 0.0625;
/// Pressures that are kept: one minute.
pub(super) const KEPT: usize = 960;
/// Pressures that are averaged before they are compared with the set point.
pub(super) const AVERAGED: usize = 4;

/// Delay, peak and end in seconds: the vagus on the heart's rate, sympathetic nerves on rate and strength of the heart, on
/// the resistance of arteries, and on the tone of veins.
const LIMBS: [(f64, f64, f64); 4] = [(0.59, 0.70, 1.0), (2.5, 3.5, 15.0), (2.5, 3.5, 30.0), (5.0, 10.0, 42.0)];

/// The sum of each is 1; they stand three bins earlier, as averaging and interpolation delay as much.
static KERNELS: LazyLock<[Vec<f64>; 4]> = LazyLock::new(|| {
    LIMBS.map(|(delay, peak, end)| {
        let bin = |secs: f64| ((secs - 3.0 * BIN) / BIN).round();
        let (from, top, until) = (bin(delay), bin(peak), bin(end));
        let height = |i: usize| match i as f64 {
            x if x <= from || x >= until => 0.0,
            x if x <= top => (x - from) / (top - from),
            x => (until - x) / (until - top),
        };
        let mut kernel: Vec<f64> = (0..=until as usize).map(height).collect();
        let sum: f64 = kernel.iter().sum();
        kernel.iter_mut().for_each(|x| *x /= sum);
        kernel
    })
});

/// mmHg: the error of a mean pressure against the set point, saturated at 18 pi / 2.
pub(super) fn error(pressure: f64, set_point: f64) -> f64 {
    const SCALE: f64 = 18.0;
    SCALE * libm::atan((pressure - set_point) / SCALE)
}

/// The pull of each limb, from errors with the newest first; those before the beginning count as 0.
pub(super) fn pulls(errors: &VecDeque<u64>) -> [f64; 4] {
    std::array::from_fn(|limb| {
        KERNELS[limb].iter().zip(errors).map(|(weight, error)| weight * f64::from_bits(*error)).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_error_pulls_every_limb_by_as_much_after_its_delay() {
        let mut errors: VecDeque<u64> = VecDeque::new();
        for second in 0..60 {
            for _ in 0..16 {
                errors.push_front(10f64.to_bits());
            }
            let pulled = pulls(&errors);
            for ((delay, _, end), pull) in LIMBS.iter().zip(pulled) {
                let now = f64::from(second + 1);
                if now < delay - 0.3 {
                    assert_eq!(pull, 0.0, "after {now} s");
                }
                if now > *end {
                    assert!((pull - 10.0).abs() < 1e-9, "after {now} s: {pull}");
                }
            }
        }
    }
}
