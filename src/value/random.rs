//! The one generator of random numbers. In: a seed, the names of a twin and of a variable, a step. Out: a number that
//! follows from these alone. Keeps no state, so that nothing depends on what was drawn before, in which order or by
//! which thread; never asks the system for randomness.
//!
//! Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011. The key is
//! the seed, the counter is 64 bits that stand for the two names and 64 bits of step. Functions that are not exact come
//! from the `libm` crate: the same bits on every machine.
//!
//! Two runs with one seed meet the same noise at the same step, also where one of them has more twins, starts later or
//! asks for other things: what differs between them comes from what was changed, not from chance (common random
//! numbers).
//!
//! ```
//! use pollux::value::Stream;
//!
//! // A branch asks for what the plant asked for, and for more.
//! let plant: Vec<f64> = (0..3).map(|step| Stream::new(7, "P-101", "flow noise").normal(step)).collect();
//! let branch: Vec<f64> = (0..3)
//!     .map(|step| {
//!         let _jam = Stream::new(7, "C-201", "jam").chance(step, 0.01);
//!         Stream::new(7, "P-101", "flow noise").normal(step)
//!     })
//!     .collect();
//! assert_eq!(plant, branch);
//! assert_ne!(plant[0], Stream::new(7, "P-102", "flow noise").normal(0));
//! assert_ne!(plant[0], Stream::new(8, "P-101", "flow noise").normal(0));
//! ```

const TWO_POW_MINUS_52: f64 = 1.0 / (1u64 << 52) as f64;
const TWO_POW_MINUS_53: f64 = 1.0 / (1u64 << 53) as f64;

/// The random numbers of one variable of one twin under one seed, one per step. Cheap to make and to copy.
///
/// All methods of one step look at the same random bits: a variable that needs two numbers a step is two variables,
/// each with a name of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stream {
    key: [u32; 2],
    names: u64,
}

impl Stream {
    pub fn new(seed: u64, twin: &str, variable: &str) -> Self {
        Self { key: halves(seed), names: absorb(absorb(0, twin), variable) }
    }

    /// The same names under another seed.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { key: halves(seed), ..self }
    }

    /// 64 bits; each is as often 0 as 1.
    pub fn bits(self, step: u64) -> u64 {
        let ([a, b], [c, d]) = (halves(self.names), halves(step));
        let [low, high, ..] = philox([a, b, c, d], self.key);
        u64::from(high) << 32 | u64::from(low)
    }

    /// Every number of [0, 1) alike, in steps of 2^-53.
    pub fn uniform(self, step: u64) -> f64 {
        (self.bits(step) >> 11) as f64 * TWO_POW_MINUS_53
    }

    /// Normally distributed: mean 0, standard deviation 1. One number of (0, 1) through the inverse of the
    /// distribution, so that a larger [`uniform`](Self::uniform) always is a larger normal.
    pub fn normal(self, step: u64) -> f64 {
        quantile(self.open(step))
    }

    /// Exponentially distributed with mean 1: times between events that happen once per unit of time. -ln(u).
    pub fn exponential(self, step: u64) -> f64 {
        -libm::log(self.open(step))
    }

    /// A whole number of 0..n; 0 where n is 0. Multiplied and cut off: no number is more likely than another by more
    /// than n / 2^64.
    pub fn below(self, step: u64, n: u64) -> u64 {
        let wide = u128::from(self.bits(step)) * u128::from(n);
        (wide >> 64) as u64
    }

    /// True with this probability: never at 0, always at 1.
    pub fn chance(self, step: u64, probability: f64) -> bool {
        self.uniform(step) < probability
    }

    /// Every number of (0, 1) alike, without both ends, for logarithms.
    fn open(self, step: u64) -> f64 {
        (self.bits(step) >> 12) as f64 * TWO_POW_MINUS_52 + TWO_POW_MINUS_53
    }
}

fn halves(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

/// Ten rounds of Philox4x32.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        }
        let [low0, high0] = halves(u64::from(counter[0]) * 0xD251_1F53);
        let [low1, high1] = halves(u64::from(counter[2]) * 0xCD9E_8D57);
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0];
    }
    counter
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// One output of SplitMix64, whose state is `x` before it: Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014.
fn split_mix(x: u64) -> u64 {
    let x = x.wrapping_add(GOLDEN);
    let x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

/// Takes a name into a hash, with its length: `ab`, `c` and `a`, `bc` differ.
fn absorb(hash: u64, name: &str) -> u64 {
    let chunks = name.as_bytes().chunks(8).map(|chunk| {
        let mut eight = [0; 8];
        eight.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        u64::from_le_bytes(eight)
    });
    let hash = chunks.fold(hash, |hash, chunk| split_mix(hash ^ chunk));
    split_mix(hash ^ name.len() as u64)
}

/// The value below which a standard normal lies with probability `p`, to about 16 digits: Wichura, "Algorithm AS 241:
/// the percentage points of the normal distribution", Applied Statistics 37, 1988 (PPND16).
fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * ratio(r, &CENTRE);
    }
    let r = libm::sqrt(-libm::log(if q < 0.0 { p } else { 1.0 - p }));
    let x = if r <= 5.0 { ratio(r - 1.6, &TAIL) } else { ratio(r - 5.0, &FAR_TAIL) };
    if q < 0.0 { -x } else { x }
}

/// Coefficients of a numerator and a denominator, the highest power first.
type Ratio = [[f64; 8]; 2];

fn ratio(r: f64, [above, below]: &Ratio) -> f64 {
    let polynomial = |coefficients: &[f64; 8]| coefficients.iter().fold(0.0, |sum, next| sum * r + next);
    polynomial(above) / polynomial(below)
}

const CENTRE: Ratio = [
    [
        2509.0809287301227,
        33430.57558358813,
        67265.7709270087,
        45921.95393154987,
        13731.69376550946,
        1971.5909503065513,
        133.14166789178438,
        3.3871328727963665,
    ],
    [
        5226.495278852854,
        28729.085735721943,
        39307.89580009271,
        21213.794301586597,
        5394.196021424751,
        687.1870074920579,
        42.31333070160091,
        1.0,
    ],
];

const TAIL: Ratio = [
    [
        0.0007745450142783414,
        0.022723844989269184,
        0.2417807251774506,
        1.2704582524523684,
        3.6478483247632045,
        5.769497221460691,
        4.630337846156546,
        1.4234371107496835,
    ],
    [
        1.0507500716444169e-09,
        0.0005475938084995345,
        0.015198666563616457,
        0.14810397642748008,
        0.6897673349851,
        1.6763848301838038,
        2.053191626637759,
        1.0,
    ],
];

const FAR_TAIL: Ratio = [
    [
        2.0103343992922881e-07,
        2.7115555687434876e-05,
        0.0012426609473880784,
        0.026532189526576124,
        0.29656057182850487,
        1.7848265399172913,
        5.463784911164114,
        6.657904643501103,
    ],
    [
        2.0442631033899397e-15,
        1.421511758316446e-07,
        1.8463183175100548e-05,
        0.0007868691311456133,
        0.014875361290850615,
        0.1369298809227358,
        0.599832206555888,
        1.0,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_answers() {
        let ones = u32::MAX;
        for (counter, key, answer) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([ones; 4], [ones; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            assert_eq!(philox(counter, key), answer);
        }
    }

    #[test]
    fn split_mix_gives_the_published_answers() {
        let outputs = [0, GOLDEN, GOLDEN.wrapping_mul(2)].map(split_mix);
        assert_eq!(outputs, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
    }

    #[test]
    fn names_are_told_apart_wherever_they_are_cut() {
        let stream = |twin, variable| Stream::new(1, twin, variable);
        assert_ne!(stream("ab", "c"), stream("a", "bc"));
        assert_ne!(stream("a", ""), stream("", "a"));
        assert_ne!(stream("a", "b"), stream("a\0", "b"));
        assert_ne!(stream("12345678", ""), stream("12345678\0", ""));
    }

    #[test]
    fn the_quantile_is_that_of_the_normal_distribution() {
        // From Python's statistics.NormalDist().inv_cdf, which is checked against 100 digits.
        for (p, x) in QUANTILES {
            let found = quantile(p);
            assert!((found - x).abs() <= 1e-14 * x.abs(), "{p}: {found} is not {x}");
        }
    }

    #[test]
    fn uniform_numbers_fill_64_bins_alike() {
        let n = 1_000_000;
        let stream = Stream::new(1, "P-101", "flow noise");
        let mut bins = [0u32; 64];
        for step in 0..n {
            bins[(stream.uniform(step) * 64.0) as usize] += 1;
        }
        let expected = n as f64 / 64.0;
        let chi_square: f64 =
            bins.iter().map(|count| (f64::from(*count) - expected) * (f64::from(*count) - expected) / expected).sum();
        // 63 degrees of freedom: 1 in 10,000 lies below 28.6, as many above 113.
        assert!((28.6..113.0).contains(&chi_square), "{chi_square}");
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let n = 1_000_000;
        let stream = Stream::new(2, "P-101", "flow noise");
        let (mut sum, mut squares) = (0.0, 0.0);
        for step in 0..n {
            let x = stream.normal(step);
            sum += x;
            squares += x * x;
        }
        let (mean, count) = (sum / n as f64, n as f64);
        let variance = squares / count - mean * mean;
        assert!(mean.abs() < 4.0 / count.sqrt(), "{mean}");
        assert!((variance - 1.0).abs() < 4.0 * (2.0 / count).sqrt(), "{variance}");
    }

    #[test]
    fn exponential_numbers_follow_their_distribution() {
        let n = 100_000;
        let stream = Stream::new(3, "P-101", "time to jam");
        let mut drawn: Vec<f64> = (0..n).map(|step| stream.exponential(step)).collect();
        drawn.sort_by(f64::total_cmp);
        let distance = drawn.iter().enumerate().fold(0f64, |worst, (at, x)| {
            let (expected, below, upto) = (1.0 - libm::exp(-x), at as f64 / n as f64, (at + 1) as f64 / n as f64);
            worst.max((expected - below).abs()).max((upto - expected).abs())
        });
        // Kolmogorov and Smirnov: 1 in 1,000 is farther away.
        assert!(distance < 1.95 / (n as f64).sqrt(), "{distance}");
    }

    #[test]
    fn neighbours_have_nothing_in_common() {
        let n = 100_000;
        let drawn = |stream: Stream, shift: u64| -> Vec<f64> { (0..n).map(|at| stream.normal(at + shift)).collect() };
        let one = drawn(Stream::new(7, "P-101", "flow noise"), 0);
        for (what, other) in [
            ("twin", drawn(Stream::new(7, "P-102", "flow noise"), 0)),
            ("variable", drawn(Stream::new(7, "P-101", "flow noise2"), 0)),
            ("seed", drawn(Stream::new(8, "P-101", "flow noise"), 0)),
            ("step", drawn(Stream::new(7, "P-101", "flow noise"), 1)),
            ("far step", drawn(Stream::new(7, "P-101", "flow noise"), 1 << 32)),
        ] {
            let correlation: f64 = one.iter().zip(&other).map(|(a, b)| a * b).sum::<f64>() / n as f64;
            assert!(correlation.abs() < 4.0 / (n as f64).sqrt(), "{what}: {correlation}");
        }
    }

    #[test]
    fn whole_numbers_and_chances_stay_in_their_bounds() {
        let stream = Stream::new(4, "S-1", "lane");
        let mut seen = [0u32; 6];
        for step in 0..60_000 {
            seen[stream.below(step, 6) as usize] += 1;
            assert!(!stream.chance(step, 0.0) && stream.chance(step, 1.0));
            assert_eq!((stream.below(step, 0), stream.below(step, 1)), (0, 0));
        }
        assert!(seen.iter().all(|count| count.abs_diff(10_000) < 400), "{seen:?}");
    }

    #[test]
    fn numbers_have_the_same_bits_on_every_machine() {
        let stream = Stream::new(42, "P-101", "flow noise");
        let fnv = |number: &dyn Fn(u64) -> u64| {
            (0..10_000).fold(0xcbf2_9ce4_8422_2325u64, |hash, step| {
                let byte = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                number(step).to_le_bytes().into_iter().fold(hash, byte)
            })
        };
        let all = format!(
            "bits {:016x}\nuniform {:016x}\nnormal {:016x}\nexponential {:016x}\nbelow {:016x}\n",
            fnv(&|step| stream.bits(step)),
            fnv(&|step| stream.uniform(step).to_bits()),
            fnv(&|step| stream.normal(step).to_bits()),
            fnv(&|step| stream.exponential(step).to_bits()),
            fnv(&|step| stream.below(step, 1_000)),
        );
        expect_test::expect![[r#"
            bits 051e323fcdb5d4fd
            uniform 236821e9240633bc
            normal 0785e107bbd6dacb
            exponential 952792333ae9f992
            below ca418c5129bc52f1
        "#]]
        .assert_eq(&all);
    }

    const QUANTILES: [(f64, f64); 8] = [
        (1e-300, -37.0470962993612),
        (1e-15, -7.941345326170995),
        (1e-07, -5.199337582192817),
        (0.001, -3.090232306167813),
        (0.075, -1.4395314709384557),
        (0.3, -0.5244005127080407),
        (0.6, 0.2533471031357998),
        (0.9999, 3.7190164854557084),
    ];
}
