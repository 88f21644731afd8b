//! Who follows whom. In: numbers of signals of one twin. Out: pairs of a leader and a follower, with the delay and the
//! gain. Pure.
//!
//! The cross-correlation over all delays is computed by Fourier transforms (Oppenheim and Schafer, "Discrete-time signal
//! processing"). A pair counts where it reaches 0.7, and four times what two signals reach by chance that have as few
//! independent values as these (Bartlett, "On the theoretical specification and sampling properties of autocorrelated
//! time-series", Supplement to the JRSS 8, 1946). A leader follows nobody: all followers of one source follow it alone.

use super::series::Series;
use super::spectrum::{Parts, transform};

/// The least correlation.
const LEAST: f64 = 0.7;
/// How far above chance it is.
const ABOVE: f64 = 4.0;
/// Points of the common grid at most.
const LONGEST: i64 = 1 << 14;
/// The longest delay, in nanoseconds, and as a share of the recording.
const SLOWEST: i64 = 600_000_000_000;
const PART: i64 = 8;
/// A delay of 0 is as good as one that fits better by so little.
const NONE: f64 = 0.01;

/// One signal's numbers, and the step of their grid in nanoseconds.
pub(super) struct Known<'a> {
    pub series: &'a Series,
    pub step: u64,
    pub parts: &'a Parts,
}

/// That one follows another, by their places.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Follows {
    pub leader: usize,
    pub follower: usize,
    /// Nanoseconds.
    pub delay: u64,
    pub gain: f64,
}

/// Who follows whom, each at most one.
pub(super) fn follows(known: &[Known]) -> Vec<Follows> {
    let mut pairs: Vec<(f64, Follows)> = Vec::new();
    for a in 0..known.len() {
        for b in a + 1..known.len() {
            pairs.extend(pair(known, a, b));
        }
    }
    pairs.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut chosen: Vec<Follows> = Vec::new();
    for (_, pair) in pairs {
        let is_free = |other: &Follows| {
            other.follower != pair.follower && other.leader != pair.follower && other.follower != pair.leader
        };
        if chosen.iter().all(is_free) {
            chosen.push(pair);
        }
    }
    chosen
}

/// How strongly two signals go together, and who leads.
fn pair(known: &[Known], a: usize, b: usize) -> Option<(f64, Follows)> {
    let (here, there) = (&known[a], &known[b]);
    let begin = *here.series.times.first()?.max(there.series.times.first()?);
    let end = *here.series.times.last()?.min(there.series.times.last()?);
    let step = i64::try_from(here.step.max(there.step)).ok()?.max((end - begin) / LONGEST).max(1);
    let count = usize::try_from((end - begin) / step).ok()?;
    let values = |series: &Series| {
        let values: Option<Vec<f64>> = (0..count as i64).map(|at| series.held(begin + at * step)).collect();
        let mut values = values?;
        let mean = values.iter().sum::<f64>() / count as f64;
        values.iter_mut().for_each(|x| *x -= mean);
        Some(values)
    };
    let (x, y) = (values(here.series)?, values(there.series)?);
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / count as f64;
    let (of_x, of_y) = (product(&x, &x), product(&y, &y));
    if count < 32 || of_x <= 0.0 || of_y <= 0.0 {
        return None;
    }
    let reach = (count as i64 / PART).min(SLOWEST / step) as usize;
    let (covariances, scale) = (together(&x, &y, reach), (of_x * of_y).sqrt());
    let best = covariances.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    let at_once = covariances.iter().find(|(delay, _)| *delay == 0)?;
    let is_at_once = at_once.1.abs() >= best.1.abs() - NONE * scale;
    let (delay, covariance) = *if is_at_once { at_once } else { best };
    let again = product(&x, &x[1..]) / of_x * (product(&y, &y[1..]) / of_y);
    let independent = count as f64 * (1.0 - again).max(0.0) / (1.0 + again);
    let strength = covariance.abs() / scale;
    if strength < LEAST || strength * independent.sqrt() < ABOVE {
        return None;
    }
    let (leader, follower) = if delay >= 0 { (a, b) } else { (b, a) };
    // The leader's own noise does not travel.
    let leading = &known[leader].parts;
    let travels = leading.variance - leading.noise;
    let share = travels / leading.variance;
    let of_leader = if leader == a { of_x } else { of_y };
    (share > 0.2).then(|| {
        let gain = covariance / (of_leader * share);
        (strength, Follows { leader, follower, delay: delay.unsigned_abs() * step as u64, gain })
    })
}

/// The mean of x(t) · y(t + delay), by the delay in steps, up to so many both ways.
fn together(x: &[f64], y: &[f64], reach: usize) -> Vec<(i64, f64)> {
    let size = (2 * x.len()).next_power_of_two();
    let transformed = |values: &[f64]| {
        let mut values: Vec<[f64; 2]> = values.iter().map(|x| [*x, 0.0]).collect();
        values.resize(size, [0.0; 2]);
        transform(&mut values, false);
        values
    };
    let mut both: Vec<[f64; 2]> = transformed(x)
        .into_iter()
        .zip(transformed(y))
        .map(|(a, b)| [a[0] * b[0] + a[1] * b[1], a[0] * b[1] - a[1] * b[0]])
        .collect();
    transform(&mut both, true);
    let reach = reach as i64;
    let mean = |delay: i64| {
        let at = delay.rem_euclid(size as i64) as usize;
        both[at][0] / size as f64 / (x.len() as i64 - delay.abs()) as f64
    };
    (-reach..=reach).map(|delay| (delay, mean(delay))).collect()
}
