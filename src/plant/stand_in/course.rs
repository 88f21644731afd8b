//! How a value goes on in time. In: a course, a seed, the signal's path, times that never go back. Out: values. What it
//! remembers is small: it can be stored and taken up. Reads no clock.
//!
//! Numbers sway: a level, a rhythm (a cosine) and a walk that returns to its mean. The walk is an Ornstein-Uhlenbeck
//! process on an even grid of steps, by its exact discretisation: z' = a z + sqrt(1 - a²) n with a = exp(-step / time) and
//! n of a standard normal (Gillespie, "Exact numerical simulation of the Ornstein-Uhlenbeck process and its integral",
//! Physical Review E 54, 1996). Between two steps it stands. A follower sees the swing of its leader some time later: it
//! takes the same walk, with the same random numbers, behind by the delay.
//!
//! Values that stay are a semi-Markov chain: how long each one stays is drawn from what was seen (the bootstrap: Efron,
//! "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979), what comes next by its share.

use std::f64::consts::TAU;

use crate::value::{Conversion, Stream, Value};

/// What a signal does.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Course {
    /// A number about a level.
    Sway(Sway),
    /// A number that rises.
    Rise(Rise),
    /// Values that stay for a while. Never empty.
    Stay(Vec<Stay>),
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Sway {
    pub level: f64,
    pub swing: Swing,
    pub leader: Option<Leader>,
    /// It goes no further.
    pub bounds: Option<(f64, f64)>,
}

/// What comes on top of a level.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Swing {
    pub rhythm: Option<Rhythm>,
    pub walk: Option<Walk>,
}

/// amplitude · cos(2π t / period + phase)
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Rhythm {
    pub amplitude: f64,
    pub period_secs: f64,
    pub phase: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Walk {
    /// Standard deviation.
    pub deviation: f64,
    /// After this time, 1/e of a deviation is left.
    pub correlation_secs: f64,
    /// Nanoseconds.
    pub step: u64,
}

/// Whom a signal follows.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Leader {
    /// `P-101.flow`
    pub path: String,
    pub swing: Swing,
    pub gain: f64,
    /// Nanoseconds.
    pub delay: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Rise {
    pub start: f64,
    pub per_sec: f64,
    /// The rate goes up and down by this share of it, below 1, in this time.
    pub share: f64,
    pub period_secs: f64,
    /// Behind the second it begins again at the first.
    pub wraps: Option<(f64, f64)>,
}

/// A value that stays for a while.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Stay {
    pub value: Value,
    /// The share of the time that it takes.
    pub share: f64,
    /// Seconds that it stays, ascending, each as likely as all between two of them; empty for ever.
    pub dwells: Vec<f64>,
    /// What comes next, by its place, and how often.
    pub next: Vec<(usize, f64)>,
}

/// A value stays no shorter than this, in seconds.
const SHORTEST: f64 = 0.01;

/// A course and what it remembers.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Actor {
    course: Course,
    own: Chance,
    led: Option<Chance>,
    dwell: Stream,
    next: Stream,
    pub(in crate::plant) memory: Memory,
}

/// The random numbers of one walk.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Chance {
    begin: Stream,
    walk: Stream,
}

/// All that changes.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Memory {
    pub own: Position,
    pub led: Position,
    /// The value that stays, until when in nanoseconds, and how many there were before it.
    pub stays: u64,
    pub until: u64,
    pub count: u64,
    pub has_begun: bool,
}

/// Where a walk is, in standard deviations.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Position {
    pub time: u64,
    pub z: f64,
    pub has_begun: bool,
}

impl Chance {
    fn new(seed: u64, path: &str) -> Self {
        Self { begin: Stream::new(seed, path, "stand-in begin"), walk: Stream::new(seed, path, "stand-in walk") }
    }
}

impl Actor {
    /// `path` names the signal: `P-101.flow`.
    pub(super) fn new(course: Course, seed: u64, path: &str) -> Self {
        let leader = match &course {
            Course::Sway(sway) => sway.leader.as_ref(),
            _ => None,
        };
        Self {
            led: leader.map(|leader| Chance::new(seed, &leader.path)),
            own: Chance::new(seed, path),
            dwell: Stream::new(seed, path, "stand-in dwell"),
            next: Stream::new(seed, path, "stand-in next"),
            course,
            memory: Memory::default(),
        }
    }

    /// How many values it knows, if it is one that stays.
    pub(in crate::plant) fn values(&self) -> u64 {
        match &self.course {
            Course::Stay(stays) => stays.len() as u64,
            _ => 1,
        }
    }

    /// Goes on where another one was, as far as that makes sense.
    pub(in crate::plant) fn take_up(&mut self, other: &Actor) {
        match (&self.course, &other.course) {
            (Course::Sway(_), Course::Sway(_)) => self.memory = other.memory,
            (ours, theirs) if ours == theirs => self.memory = other.memory,
            _ => {}
        }
    }

    /// The value at a time in nanoseconds since the start, not before the one that was asked for last.
    pub(in crate::plant) fn at(&mut self, time: u64) -> Option<Value> {
        match &self.course {
            Course::Sway(sway) => {
                let mut x = sway.level + self.memory.own.swing(&sway.swing, self.own, time);
                if let (Some(leader), Some(chance)) = (&sway.leader, self.led) {
                    let then = time.saturating_sub(leader.delay);
                    x += leader.gain * self.memory.led.swing(&leader.swing, chance, then);
                }
                Some(Value::Number(sway.bounds.map_or(x, |(low, high)| x.max(low).min(high))))
            }
            Course::Rise(rise) => Some(Value::Number(rise.at(time as f64 / 1e9))),
            Course::Stay(stays) => {
                let at = self.memory.stay(stays, time, self.dwell, self.next);
                stays.get(at).map(|stay| stay.value.clone())
            }
        }
    }
}

impl Position {
    fn swing(&mut self, swing: &Swing, chance: Chance, time: u64) -> f64 {
        let walk = swing.walk.map_or(0.0, |walk| walk.deviation * self.advance(&walk, chance, time));
        walk + swing.rhythm.map_or(0.0, |rhythm| rhythm.at(time as f64 / 1e9))
    }

    fn advance(&mut self, walk: &Walk, chance: Chance, time: u64) -> f64 {
        let step = walk.step.max(1);
        let until = time - time % step;
        if !self.has_begun {
            *self = Self { time: until, z: chance.begin.normal(0), has_begun: true };
        }
        while self.time < until {
            let number = self.time / step + 1;
            let next = number * step;
            let kept = libm::exp(-((next - self.time) as f64 / 1e9) / walk.correlation_secs);
            self.z = self.z * kept + (1.0 - kept * kept).sqrt() * chance.walk.normal(number);
            self.time = next;
        }
        self.z
    }
}

impl Rhythm {
    pub fn at(&self, secs: f64) -> f64 {
        let turns = secs / self.period_secs;
        self.amplitude * libm::cos(TAU * (turns - turns.floor()) + self.phase)
    }
}

impl Rise {
    /// The rate `per_sec` · (1 + share · sin(2π t / period)), integrated.
    fn at(&self, secs: f64) -> f64 {
        let turns = secs / self.period_secs;
        let extra = self.share * self.period_secs / TAU * (1.0 - libm::cos(TAU * (turns - turns.floor())));
        let x = self.start + self.per_sec * (secs + extra);
        match self.wraps {
            Some((low, high)) if x > high && high > low => low + (x - low) % (high - low),
            _ => x,
        }
    }
}

impl Memory {
    /// The place of the value that stays at a time.
    fn stay(&mut self, stays: &[Stay], time: u64, dwell: Stream, next: Stream) -> usize {
        if !self.has_begun {
            let shares = stays.iter().map(|stay| stay.share).enumerate();
            self.has_begun = true;
            self.count = 1;
            self.stays = drawn(shares, next.uniform(0)).unwrap_or(0) as u64;
            // The start falls somewhere into its stay.
            let whole = stays.get(self.stays as usize).and_then(|stay| stay.dwell(dwell.uniform(0)));
            let left = next.uniform(u64::MAX);
            self.until = whole.map_or(u64::MAX, |whole| time.saturating_add((whole as f64 * left) as u64));
        }
        while self.until <= time {
            let Some(stay) = stays.get(self.stays as usize) else { break };
            let step = self.count;
            self.count += 1;
            self.stays = drawn(stay.next.iter().copied(), next.uniform(step)).map_or(self.stays, |at| at as u64);
            let whole = stays.get(self.stays as usize).and_then(|stay| stay.dwell(dwell.uniform(step)));
            self.until = whole.map_or(u64::MAX, |whole| self.until.saturating_add(whole));
        }
        self.stays as usize
    }
}

impl Stay {
    /// A value that never changes.
    pub fn ever(value: Value) -> Self {
        Self { value, share: 1.0, dwells: Vec::new(), next: Vec::new() }
    }

    /// Nanoseconds for a number of 0 to 1; none for ever.
    fn dwell(&self, uniform: f64) -> Option<u64> {
        let last = self.dwells.len().checked_sub(1)?;
        let place = uniform * last as f64;
        let (below, above) = (self.dwells[place as usize], self.dwells[(place as usize + 1).min(last)]);
        let secs = (below + (above - below) * place.fract()).max(SHORTEST);
        Some((secs * 1e9) as u64)
    }
}

/// One of some, by how much of the whole each has.
fn drawn(shares: impl Iterator<Item = (usize, f64)> + Clone, uniform: f64) -> Option<usize> {
    let mut left = uniform * shares.clone().map(|(_, share)| share).sum::<f64>();
    let mut last = None;
    for (at, share) in shares {
        last = Some(at);
        left -= share;
        if left < 0.0 {
            break;
        }
    }
    last
}

impl Course {
    pub fn converted(self, to: &Conversion) -> Self {
        let scale = to.scale();
        match self {
            Course::Sway(sway) => {
                let Swing { rhythm, walk } = sway.swing;
                let rhythm = rhythm.map(|rhythm| Rhythm { amplitude: rhythm.amplitude * scale, ..rhythm });
                let walk = walk.map(|walk| Walk { deviation: walk.deviation * scale, ..walk });
                let leader = sway.leader.map(|leader| Leader { gain: leader.gain * scale, ..leader });
                let bounds = sway.bounds.map(|(low, high)| {
                    let (a, b) = (to.apply(low), to.apply(high));
                    (a.min(b), a.max(b))
                });
                Course::Sway(Sway { level: to.apply(sway.level), swing: Swing { rhythm, walk }, leader, bounds })
            }
            Course::Rise(rise) => {
                let wraps = rise.wraps.map(|(low, high)| (to.apply(low), to.apply(high)));
                Course::Rise(Rise { start: to.apply(rise.start), per_sec: rise.per_sec * scale, wraps, ..rise })
            }
            Course::Stay(mut stays) => {
                for stay in &mut stays {
                    if let Value::Number(x) = &mut stay.value {
                        *x = to.apply(*x);
                    }
                }
                Course::Stay(stays)
            }
        }
    }
}
