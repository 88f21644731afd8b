//! `pollux test --against`: a controller under test controls the plant of an experiment, over a broker. In: flags,
//! experiments, the [`Line`] that carries messages. Out: a [`Controller`] for each run. Here is the only place that makes a
//! line: no other test reaches a broker.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::cli::{Failure, live, time_limit};
use crate::plant;
use crate::run::EPOCH;
use crate::scenario::against::{Controller, Halt, Order, Topics};
use crate::scenario::{self, Experiment, Outcome, Place, RunError, SLICE};
use crate::scene::Broker;
use crate::session;
use crate::source::against::{Line, LineConfig, LineError};
use crate::value::Timestamp;

/// Simulated time from one tick to the next, unless somebody says.
const STEP: Duration = Duration::from_secs(1);
/// How long a controller may take to acknowledge a tick, unless somebody says.
const PATIENCE: Duration = Duration::from_secs(10);
/// In real time, no run may be later than this.
const LATEST: Duration = Duration::from_secs(1);
/// Simulated seconds per second at most.
const FASTEST: f64 = 1000.0;
/// Slower than that nobody waits.
const SLOWEST: f64 = 0.001;
/// The longest time that a controller may take for an answer.
const LONGEST_PATIENCE: Duration = Duration::from_secs(24 * 3600);

#[derive(clap::Args, Debug)]
pub(super) struct AgainstArgs {
    /// Let a controller under test control the simulated plant: the plant publishes its readings to this broker
    /// (mqtt://host:port or mqtts://host:port, with the credentials that the scene names), and takes what the controller
    /// publishes on its topics of commands.
    #[arg(long, value_name = "URL", conflicts_with_all = ["jobs", "mutate", "watch"])]
    pub against: Option<String>,
    /// Wait at each step until the controller acknowledges it: as fast as it can, and the same on every run. After the
    /// readings of a step {"n": …} comes on pollux/lockstep/tick; the controller sends {"n": …} to pollux/lockstep/ack.
    #[arg(long, requires = "against")]
    lockstep: bool,
    /// Simulated time of a step, in the place of what the scenario says, or 1s.
    #[arg(long, value_name = "DURATION", value_parser = time_limit::parse, requires = "lockstep")]
    step: Option<Duration>,
    /// How long the controller may take to acknowledge a step; without it: 10s.
    #[arg(long, value_name = "DURATION", value_parser = time_limit::parse, requires = "lockstep")]
    patience: Option<Duration>,
    /// Simulated seconds per second; without it: 1.
    #[arg(long, value_name = "X", requires = "against", conflicts_with = "lockstep")]
    speed: Option<f64>,
    /// Allow the simulated plant to publish to another machine.
    #[arg(long, requires = "against")]
    allow_remote: bool,
    /// Allow it to publish where others do, or where the broker keeps messages of others, on the same topics.
    #[arg(long, requires = "against")]
    allow_shared: bool,
}

/// The way to a controller, for one run after the other.
pub(super) struct Way {
    url: String,
    pace: Pace,
    allow_remote: bool,
    allow_shared: bool,
    stop: Arc<AtomicBool>,
    /// With the broker, and the announcement, that it was made for.
    line: Option<(Broker, String, Line)>,
    /// Why no other run is begun.
    broken: Option<String>,
}

#[derive(Clone, Copy)]
enum Pace {
    Lockstep { step: Option<Duration>, patience: Duration },
    RealTime { speed: f64 },
}

impl Way {
    /// None where no controller is wanted.
    pub fn of(args: &AgainstArgs) -> Result<Option<Self>, Failure> {
        let Some(url) = args.against.clone() else { return Ok(None) };
        let speed = args.speed.unwrap_or(1.0);
        if !(SLOWEST..=FASTEST).contains(&speed) {
            return Err(Failure::Usage(format!("--speed {speed}: it must be from {SLOWEST} to {FASTEST}")));
        }
        if args.step.is_some_and(|step| step < Duration::from_millis(1)) {
            return Err(Failure::Usage("--step: it must be at least 1ms".to_owned()));
        }
        let patience = args.patience.unwrap_or(PATIENCE);
        if patience > LONGEST_PATIENCE {
            let most = LONGEST_PATIENCE.as_secs();
            return Err(Failure::Usage(format!("--patience: at most {most} s, found {} s", patience.as_secs())));
        }
        let pace = match args.lockstep {
            true => Pace::Lockstep { step: args.step, patience },
            false => Pace::RealTime { speed },
        };
        let (allow_remote, allow_shared) = (args.allow_remote, args.allow_shared);
        let stop = live::interrupted(|| {})?;
        Ok(Some(Self { url, pace, allow_remote, allow_shared, stop, line: None, broken: None }))
    }

    /// Carries out one run; none after one that nothing is known of.
    pub fn run(&mut self, experiment: &Experiment, seed: u64, place: Option<Place>) -> Result<Outcome, RunError> {
        if let Some(why) = &self.broken {
            return Err(RunError::Controller(why.clone()));
        }
        let mut driver = Driver { way: self, experiment, ticks: 0, started: None };
        let outcome = scenario::run_against(experiment, Some(seed), &mut driver, place);
        if let Err(RunError::Controller(why)) = &outcome {
            self.broken = Some(why.clone());
        }
        outcome
    }

    /// To the broker of a scene: the one of the run before, if it is the same.
    fn line(&mut self, broker: &Broker, announcement: &str) -> Result<&mut Line, LineError> {
        let is_same = |(known, of, _): &(Broker, String, Line)| known == broker && of == announcement;
        if !self.line.as_ref().is_some_and(is_same) {
            // Two connections of one name would throw each other out.
            self.line = None;
            let config = LineConfig {
                broker: broker.clone(),
                announcement: announcement.to_owned(),
                allow_remote: self.allow_remote,
                allow_shared: self.allow_shared,
                stop: self.stop.clone(),
            };
            self.line = Some((broker.clone(), announcement.to_owned(), Line::open(config)?));
        }
        match &mut self.line {
            Some((.., line)) => Ok(line),
            None => Err(LineError::Interrupted),
        }
    }
}

/// Carries the messages of one run.
struct Driver<'a> {
    way: &'a mut Way,
    experiment: &'a Experiment,
    ticks: u64,
    /// In real time, by the wall clock.
    started: Option<Instant>,
}

impl Controller for Driver<'_> {
    fn begin(&mut self, topics: Topics) -> Result<Option<Timestamp>, Halt> {
        let mut brokers = session::brokers_at(&self.experiment.scene, &self.way.url);
        let broker = brokers.remove(&topics.broker).or_else(|| brokers.into_values().next());
        let broker = broker.unwrap_or_else(|| Broker::at(&self.way.url));
        let pace = self.way.pace;
        let line = self.way.line(&broker, &topics.announcement).map_err(halt)?;
        line.begin(topics.own, topics.commands).map_err(halt)?;
        match pace {
            Pace::Lockstep { patience, .. } => {
                line.greet(EPOCH, patience).map_err(halt)?;
                Ok(None)
            }
            Pace::RealTime { .. } => {
                let now = Timestamp::now();
                // Stamps in milliseconds stay whole numbers.
                Ok(Some(Timestamp(now.0 - now.0.rem_euclid(1_000_000))))
            }
        }
    }

    fn hear(&mut self, message: &plant::Message<'_>) {
        if let Some((.., line)) = &self.way.line {
            line.publish(message);
        }
    }

    fn command(&mut self, time: u64, moment: Timestamp) -> Result<Vec<Order>, Halt> {
        let pace = self.way.pace;
        let Some((.., line)) = &mut self.way.line else { return Ok(Vec::new()) };
        let orders = match pace {
            Pace::Lockstep { patience, .. } => {
                self.ticks += 1;
                line.tick(self.ticks, moment, time, patience)
            }
            Pace::RealTime { speed } => {
                let started = *self.started.get_or_insert_with(Instant::now);
                let due = started + Duration::from_secs_f64(time as f64 / 1e9 / speed);
                let late = due.elapsed();
                if late > LATEST {
                    let secs = late.as_secs_f64();
                    let why = format!(
                        "this machine is too slow: the plant is {secs:.1} s late at --speed {speed}; give a lower one, or \
                         --lockstep"
                    );
                    return Err(Halt::Environment(why));
                }
                line.until(due)
            }
        };
        let order = |order: crate::source::against::Order| Order { topic: order.topic, payload: order.payload };
        Ok(orders.map_err(halt)?.into_iter().map(order).collect())
    }

    fn step(&self) -> u64 {
        match self.way.pace {
            Pace::Lockstep { step, .. } => {
                let said = step.map(|step| u64::try_from(step.as_nanos()).unwrap_or(u64::MAX));
                said.or(self.experiment.against.step).unwrap_or(STEP.as_nanos() as u64)
            }
            Pace::RealTime { .. } => SLICE,
        }
    }
}

fn halt(error: LineError) -> Halt {
    match error {
        LineError::Controller(why) => Halt::Controller(why),
        error => Halt::Environment(error.to_string()),
    }
}
