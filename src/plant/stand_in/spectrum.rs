//! What even samples are made of: a rhythm, a walk, noise. In: values on a grid. Out: amplitudes, times, variances. Pure.
//!
//! - The strongest rhythm is the largest value of the periodogram (Schuster, "On the investigation of hidden
//!   periodicities", Terrestrial Magnetism 3, 1898), refined between its bins, then fitted by least squares. It counts if it
//!   explains a tenth of the variance, comes three times in the data, and stands ten times above the spectrum of walk and
//!   noise there (the test against red noise: Torrence and Compo, "A practical guide to wavelet analysis", Bulletin of the
//!   American Meteorological Society 79, 1998): the slow part of a walk alone looks like a rhythm.
//! - The walk's covariance falls as exp(-lag / time). The time follows from the covariances at one step and where it has
//!   fallen to 0.6 of that; carried back to lag 0 it gives the walk's variance. What is missing there is white noise: the
//!   nugget of the variogram (Matheron, "Principles of geostatistics", Economic Geology 58, 1963).

use std::f64::consts::{PI, TAU};

use super::course::{Rhythm, Swing, Walk};
use super::series::Grid;

/// The share of the variance that a rhythm explains at least.
const EXPLAINED: f64 = 0.1;
/// How often it comes at least.
const TIMES: f64 = 3.0;
/// How far it stands above the rest.
const ABOVE: f64 = 10.0;
/// Fewer values tell nothing of time.
const FEWEST: usize = 24;

/// What a signal is made of.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Parts {
    pub mean: f64,
    pub variance: f64,
    pub swing: Swing,
    /// Variance of the white noise.
    pub noise: f64,
}

pub(super) fn parts(grid: &Grid) -> Parts {
    let present = || grid.values.iter().filter(|x| x.is_finite());
    let count = present().count();
    if count == 0 {
        return Parts::default();
    }
    let mean = present().sum::<f64>() / count as f64;
    let rest: Vec<f64> = grid.values.iter().map(|x| x - mean).collect();
    let variance = covariance(&rest, 0);
    let whole = Parts { mean, variance, swing: Swing::default(), noise: variance };
    if count < FEWEST || variance <= 0.0 {
        return whole;
    }
    let step = grid.step_secs();
    if let Some((rhythm, offset, left)) = rhythm(&rest, step) {
        let (walk, noise) = walk(&left, grid.step);
        let explained = 1.0 - covariance(&left, 0) / variance;
        let background = spectrum(walk.as_ref(), noise, step, TAU * step / rhythm.period_secs) / variance;
        if explained >= EXPLAINED && count as f64 * explained / 2.0 >= ABOVE * background {
            let turns = grid.begin / rhythm.period_secs;
            let phase = rhythm.phase - TAU * (turns - turns.floor());
            let rhythm = Some(Rhythm { phase, ..rhythm });
            return Parts { mean: mean + offset, variance, swing: Swing { rhythm, walk }, noise };
        }
    }
    let (walk, noise) = walk(&rest, grid.step);
    Parts { swing: Swing { rhythm: None, walk }, noise, ..whole }
}

/// The mean product of deviations that lie so many steps apart.
fn covariance(rest: &[f64], lag: usize) -> f64 {
    let pairs = rest.iter().zip(rest.iter().skip(lag)).map(|(a, b)| a * b).filter(|product| product.is_finite());
    let (sum, count) = pairs.fold((0.0, 0_u32), |(sum, count), product| (sum + product, count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

/// The spectrum of walk and noise at an angle per step, such that its mean over all angles is the variance.
fn spectrum(walk: Option<&Walk>, noise: f64, step: f64, angle: f64) -> f64 {
    let of_walk = walk.map_or(0.0, |walk| {
        let kept = libm::exp(-step / walk.correlation_secs);
        let near = (1.0 - kept) * (1.0 - kept) + 2.0 * kept * (1.0 - libm::cos(angle));
        walk.deviation * walk.deviation * (1.0 - kept * kept) / near
    });
    of_walk + noise
}

/// The walk in deviations from a mean, and the variance of the noise on top.
fn walk(rest: &[f64], step: u64) -> (Option<Walk>, f64) {
    let (all, one) = (covariance(rest, 0), covariance(rest, 1));
    let count = rest.iter().filter(|x| x.is_finite()).count() as f64;
    if all <= 0.0 || one <= all * (2.0 / count.sqrt()).max(0.1) {
        return (None, all.max(0.0));
    }
    let secs = step as f64 / 1e9;
    let lags = (0..).map(|power| 2_usize << power).flat_map(|lag| [lag, lag + lag / 2]);
    let lags = lags.take_while(|lag| *lag <= rest.len() / 4);
    let fallen = lags.map(|lag| (lag, covariance(rest, lag))).find(|(_, at)| *at < 0.6 * one);
    let time = match fallen {
        Some((lag, at)) if at > 0.02 * all => (lag - 1) as f64 * secs / libm::log(one / at),
        // It falls too fast to be seen twice: all of it is the walk.
        Some((lag, _)) if lag <= 3 => secs / libm::log((all / one).max(1.01)),
        Some((lag, _)) => lag as f64 * secs / 2.0,
        None => rest.len() as f64 * secs / 4.0,
    };
    let time = time.clamp(secs / 5.0, rest.len() as f64 * secs / 2.0);
    let variance = (one * libm::exp(secs / time)).min(all);
    (Some(Walk { deviation: variance.sqrt(), correlation_secs: time, step }), all - variance)
}

/// The strongest rhythm, its phase at the first value; the mean of the rest; and the rest itself.
fn rhythm(rest: &[f64], step: f64) -> Option<(Rhythm, f64, Vec<f64>)> {
    let count = rest.len();
    let size = (2 * count).next_power_of_two();
    let mut spectrum: Vec<[f64; 2]> = rest.iter().map(|x| [if x.is_finite() { *x } else { 0.0 }, 0.0]).collect();
    spectrum.resize(size, [0.0; 2]);
    transform(&mut spectrum, false);
    let first = (TIMES * size as f64 / count as f64).ceil() as usize;
    let power = |at: usize| spectrum[at][0] * spectrum[at][0] + spectrum[at][1] * spectrum[at][1];
    let best = (first..size / 3).max_by(|a, b| power(*a).total_cmp(&power(*b)))?;
    let frequency = highest(rest, (best as f64 - 1.0) / size as f64, (best as f64 + 1.0) / size as f64);
    let (cosine, sine, offset) = fitted(rest, frequency)?;
    let mut turn = Turn::new(frequency);
    let left = rest.iter().map(|x| {
        let [c, s] = turn.next();
        x - offset - cosine * c - sine * s
    });
    let left = left.collect();
    let phase = libm::atan2(-sine, cosine);
    let rhythm = Rhythm { amplitude: libm::hypot(cosine, sine), period_secs: step / frequency, phase };
    Some((rhythm, offset, left))
}

/// Cosine and sine of a turning angle, one step after the other.
struct Turn {
    now: [f64; 2],
    by: [f64; 2],
}

impl Turn {
    /// `frequency` in turns per step.
    fn new(frequency: f64) -> Self {
        let (sine, cosine) = libm::sincos(TAU * frequency);
        Self { now: [1.0, 0.0], by: [cosine, sine] }
    }

    fn next(&mut self) -> [f64; 2] {
        let now = self.now;
        self.now = product(now, self.by);
        now
    }
}

fn product(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

/// Where the periodogram is highest between two frequencies: golden section (Kiefer, "Sequential minimax search for a
/// maximum", Proceedings of the AMS 4, 1953).
fn highest(rest: &[f64], low: f64, high: f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let power = |frequency: f64| {
        let mut turn = Turn::new(frequency);
        let sum = rest.iter().fold([0.0, 0.0], |sum: [f64; 2], x| {
            let [c, s] = turn.next();
            if x.is_finite() { [sum[0] + x * c, sum[1] + x * s] } else { sum }
        });
        sum[0] * sum[0] + sum[1] * sum[1]
    };
    let (mut low, mut high) = (low, high);
    let mut inner = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
    let mut found = inner.map(power);
    for _ in 0..32 {
        if found[0] > found[1] {
            high = inner[1];
            inner = [high - GOLDEN * (high - low), inner[0]];
            found = [power(inner[0]), found[0]];
        } else {
            low = inner[0];
            inner = [inner[1], low + GOLDEN * (high - low)];
            found = [found[1], power(inner[1])];
        }
    }
    (low + high) / 2.0
}

/// Cosine, sine and constant of one frequency, by least squares.
fn fitted(rest: &[f64], frequency: f64) -> Option<(f64, f64, f64)> {
    let mut turn = Turn::new(frequency);
    let (mut matrix, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
    for x in rest {
        let [c, s] = turn.next();
        if x.is_finite() {
            let row = [c, s, 1.0];
            for (at, a) in row.iter().enumerate() {
                right[at] += a * x;
                row.iter().zip(&mut matrix[at]).for_each(|(b, sum)| *sum += a * b);
            }
        }
    }
    let determinant = |m: &[[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = determinant(&matrix);
    let solved = [0, 1, 2].map(|column| {
        let mut changed = matrix;
        changed.iter_mut().zip(right).for_each(|(row, x)| row[column] = x);
        determinant(&changed) / whole
    });
    solved.iter().all(|x| x.is_finite()).then_some((solved[0], solved[1], solved[2]))
}

/// The discrete Fourier transform in place, or its inverse without the division: Cooley and Tukey, "An algorithm for the
/// machine calculation of complex Fourier series", Mathematics of Computation 19, 1965. The length is a power of two.
pub(super) fn transform(values: &mut [[f64; 2]], inverse: bool) {
    let size = values.len();
    let mut to = 0;
    for from in 1..size {
        let mut bit = size >> 1;
        while to & bit != 0 {
            to ^= bit;
            bit >>= 1;
        }
        to |= bit;
        if from < to {
            values.swap(from, to);
        }
    }
    let mut length = 2;
    while length <= size {
        let half = length / 2;
        let angle = if inverse { PI } else { -PI } / half as f64;
        let turns: Vec<[f64; 2]> = (0..half)
            .map(|at| {
                let (sine, cosine) = libm::sincos(angle * at as f64);
                [cosine, sine]
            })
            .collect();
        for part in values.chunks_mut(length) {
            let (front, back) = part.split_at_mut(half);
            for ((a, b), turn) in front.iter_mut().zip(back).zip(&turns) {
                let turned = product(*b, *turn);
                (*a, *b) = ([a[0] + turned[0], a[1] + turned[1]], [a[0] - turned[0], a[1] - turned[1]]);
            }
        }
        length *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transform_finds_the_frequency_and_goes_back() {
        let wave: Vec<[f64; 2]> = (0..64).map(|at| [libm::cos(TAU * 5.0 * f64::from(at) / 64.0), 0.0]).collect();
        let mut spectrum = wave.clone();
        transform(&mut spectrum, false);
        let sizes: Vec<f64> = spectrum.iter().map(|[re, im]| libm::hypot(*re, *im)).collect();
        let others = sizes.iter().enumerate().filter(|(at, _)| ![5, 59].contains(at));
        assert!((sizes[5] - 32.0).abs() < 1e-9 && (sizes[59] - 32.0).abs() < 1e-9, "{sizes:?}");
        assert!(others.map(|(_, size)| *size).fold(0.0, f64::max) < 1e-9);
        transform(&mut spectrum, true);
        assert!(spectrum.iter().zip(&wave).all(|(back, there)| (back[0] / 64.0 - there[0]).abs() < 1e-12));
    }
}
