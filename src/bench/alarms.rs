//! Samples per second through the alarms, against the same samples into history alone, in the same run.
//!
//! Each twin has ten signals and twenty rules: a limit on each signal, a second limit on seven, a rate of change on two,
//! and a formula over two signals. All have delays and deadbands, and all come and go.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::grouped;
use crate::alarm::Engine;
use crate::history::History;
use crate::scene::Scene;
use crate::scene::expression::Compiled;
use crate::scene::rule::{AlarmIndex, Condition, Direction, Formula, Level, Rule, Subject};
use crate::value::{Origin, Quality, Sample, SignalIndex, Timestamp, TwinIndex, Value};

/// Rules of one twin.
const RULES: u32 = 20;
const SIGNALS: u32 = 10;
/// Between two samples of a signal, and between receive time and source time.
const PERIOD: Duration = Duration::from_secs(1);
const LATENCY: Duration = Duration::from_millis(50);

/// A plant that sends one sample of each signal every second, and its alarms.
pub struct Load {
    pub engine: Engine,
    pub history: History,
    /// One sample of each signal, of the present second.
    batch: Vec<Sample>,
    /// One period of a wave between 0 and 100.
    wave: Vec<f64>,
    second: usize,
    /// Changes so far.
    pub changes: u64,
}

impl Load {
    /// With `rules` rules, rounded up to whole twins.
    pub fn new(rules: u32) -> Self {
        let twins = rules.div_ceil(RULES);
        let mut scene = super::scene(twins);
        for twin in 0..twins {
            add_rules(&mut scene, twin);
        }
        let mut history = History::new(512 << 20);
        history.resize(scene.signals.len());
        let start = Timestamp(1_700_000_000_000_000_000);
        let sample = |signal: u32| Sample {
            signal: SignalIndex(signal),
            source_time: start,
            receive_time: start + LATENCY,
            value: Value::Number(0.0),
            quality: Quality::GOOD,
            origin: Origin::Measured,
        };
        let wave = (0..97).map(|at| 50.0 - 50.0 * (f64::from(at) / 97.0 * std::f64::consts::TAU).cos());
        Self {
            batch: (0..twins * SIGNALS).map(sample).collect(),
            wave: wave.collect(),
            engine: Engine::new(Arc::new(scene), start),
            history,
            second: 0,
            changes: 0,
        }
    }

    /// Samples of one second.
    pub fn samples(&self) -> u64 {
        self.batch.len() as u64
    }

    /// Makes the samples of the next second.
    pub fn next(&mut self) {
        self.second += 1;
        for (phase, sample) in self.batch.iter_mut().enumerate() {
            sample.source_time = sample.source_time + PERIOD;
            sample.receive_time = sample.receive_time + PERIOD;
            let at = (self.second + phase * 31) % self.wave.len();
            sample.value = Value::Number(self.wave.get(at).copied().unwrap_or_default());
        }
    }

    pub fn append(&mut self) {
        for sample in &self.batch {
            self.history.append(sample);
        }
    }

    /// Judges the samples of this second, then what is due by the clock.
    pub fn judge(&mut self) {
        let mut out = Vec::new();
        for sample in &self.batch {
            self.engine.observe(sample, &self.history, &mut out);
        }
        if let Some(last) = self.batch.last() {
            self.engine.elapse(last.receive_time, &mut out);
        }
        self.changes += out.len() as u64;
    }
}

fn add_rules(scene: &mut Scene, twin: u32) {
    let first = twin * SIGNALS;
    for signal in first..first + SIGNALS {
        let limit = Condition::Limit { level: Level::High, limit: 80.0, deadband: 5.0 };
        add_rule(scene, Subject::Signal(SignalIndex(signal)), limit);
        let second = match signal - first {
            0..7 => Condition::Limit { level: Level::HighHigh, limit: 95.0, deadband: 2.0 },
            7 | 8 => Condition::Rate {
                direction: Direction::Rising,
                limit_per_sec: 2.5,
                over: Duration::from_secs(10),
                deadband_per_sec: 0.5,
                per: Duration::from_secs(1),
            },
            _ => match Compiled::parse("flow > 60 && pressure < 80") {
                Ok((compiled, names)) => {
                    let inputs = names.into_iter().zip([SignalIndex(first), SignalIndex(first + 1)]).collect();
                    Condition::Formula(Formula { source: "flow > 60 && pressure < 80".into(), inputs, compiled })
                }
                // Then there is one formula less to measure, which the test below notices.
                Err(_) => Condition::Bad,
            },
        };
        let subject = match second {
            Condition::Formula(_) => Subject::Twin(TwinIndex(twin)),
            _ => Subject::Signal(SignalIndex(signal)),
        };
        add_rule(scene, subject, second);
    }
}

fn add_rule(scene: &mut Scene, subject: Subject, condition: Condition) {
    let index = AlarmIndex(scene.alarms.len() as u32);
    scene.alarms.push(Rule {
        index,
        on_delay: Duration::from_secs(3),
        off_delay: Duration::from_secs(2),
        ..Rule::new(subject, format!("rule {}", index.0), condition)
    });
}

/// Samples per second on one core: into history alone, and through the alarms alone.
struct Rates {
    append: f64,
    judge: f64,
    changes: u64,
}

fn measure(load: &mut Load, length: Duration) -> Rates {
    let (mut append, mut judge, mut samples) = (Duration::ZERO, Duration::ZERO, 0);
    let before = load.changes;
    // In turns, so that a noisy minute hits both.
    while append + judge < length {
        load.next();
        let started = Instant::now();
        load.append();
        append += started.elapsed();
        let started = Instant::now();
        load.judge();
        judge += started.elapsed();
        samples += load.samples();
    }
    let rate = |time: Duration| samples as f64 / time.as_secs_f64();
    Rates { append: rate(append), judge: rate(judge), changes: load.changes - before }
}

/// The alarms of 100 to 100,000 rules, each for `length`, and how the speed holds over time.
pub fn run(length: Duration) -> String {
    let mut report =
        String::from("alarms: two rules and more for each sample; limits, a tenth rates, a twentieth formulas\n");
    for rules in [100, 1_000, 10_000, 100_000] {
        let mut load = Load::new(rules);
        let rates = measure(&mut load, length);
        let _ = writeln!(
            report,
            "  {:>7} rules: {} samples/s, {:.2} times the cost of history alone ({} samples/s); {} changes",
            grouped(load.engine.rules().len() as f64),
            grouped(rates.judge),
            rates.append / rates.judge,
            grouped(rates.append),
            grouped(rates.changes as f64),
        );
    }
    let mut load = Load::new(10_000);
    let early = measure(&mut load, length / 4);
    let _between = measure(&mut load, length);
    let late = measure(&mut load, length / 4);
    let _ = writeln!(
        report,
        "  10,000 rules, after {} samples: {:.2} times as fast as in the beginning",
        grouped(load.second as f64 * load.samples() as f64),
        late.judge / early.judge,
    );
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measured_rules_all_come_and_go() {
        let mut load = Load::new(100);
        assert_eq!(load.engine.rules().len(), 100);
        for _ in 0..300 {
            load.next();
            load.append();
            load.judge();
        }
        assert!(load.engine.failures().next().is_none());
        for (alarm, rule) in load.engine.alarms().iter().zip(load.engine.rules()) {
            assert!(alarm.activations >= 2, "{rule:?} {alarm:?}");
        }
    }
}
