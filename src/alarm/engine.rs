//! All alarms of a scene. In: samples, moments, connections, operators' actions. Out: [`Change`]s, and [`Alarm`]s to
//! show. A thin loop around [`Case`]: finds the alarms that something concerns, and remembers what is due when.
//!
//! Cost: a sample costs its own rules only, found by one index, and allocates nothing for rules on one signal; a call
//! of [`Engine::elapse`] with nothing due costs one comparison.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::case::{Case, Judgement, Silence, Times};
use super::detector;
use super::heard::Heard;
use super::plan::{Plan, Role, own_signal};
use super::{Action, Alarm, Change, Deed, Refusal, Values};
use crate::history::queue::MovingQueue;
use crate::scene::Scene;
use crate::scene::expression::ExpressionError;
use crate::scene::rule::{AlarmIndex, AlarmPath, Condition, Rule, Subject};
use crate::value::{Sample, SignalIndex, Timestamp, Value};

/// Judges every alarm of a scene by every sample. Owned by the analysis; frames only read.
#[derive(Debug)]
pub struct Engine {
    pub(super) scene: Arc<Scene>,
    pub(super) alarms: Vec<Alarm>,
    pub(super) judgements: Vec<Judgement>,
    plan: Plan,
    pub(super) heard: Heard,
    /// Per alarm the moment at which it asks to be looked at, never too late.
    deadlines: MovingQueue,
    pub(super) failures: BTreeMap<AlarmIndex, Failure>,
    /// Memory in which the inputs of formulas are gathered.
    inputs: Vec<Value>,
}

/// A formula of a rule that cannot be evaluated: while it fails, the last verdict holds.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// Evaluations that failed.
    pub count: u64,
    /// What was wrong the last time.
    pub message: String,
}

impl Engine {
    /// Begins to watch at `now` (receive time): from then on a signal that has not been heard is silent.
    pub fn new(scene: Arc<Scene>, now: Timestamp) -> Self {
        let alarms = vec![unraised(now); scene.alarms.len()];
        let judgements = scene.alarms.iter().map(|rule| fresh(rule, &scene, now)).collect();
        let heard = Heard::new(&scene);
        Self::assemble(scene, alarms, judgements, heard, BTreeMap::new())
    }

    pub(super) fn assemble(
        scene: Arc<Scene>,
        alarms: Vec<Alarm>,
        judgements: Vec<Judgement>,
        heard: Heard,
        failures: BTreeMap<AlarmIndex, Failure>,
    ) -> Self {
        let plan = Plan::new(&scene);
        let mut deadlines = MovingQueue::default();
        deadlines.resize(scene.alarms.len());
        let mut engine = Self { scene, alarms, judgements, plan, heard, deadlines, failures, inputs: Vec::new() };
        engine.schedule_all();
        engine
    }

    pub(super) fn schedule_all(&mut self) {
        for alarm in 0..self.alarms.len() as u32 {
            if let Some((due, _)) = self.case(alarm).and_then(|case| case.due()) {
                self.deadlines.set(alarm, due.0);
            }
        }
    }

    pub fn scene(&self) -> &Arc<Scene> {
        &self.scene
    }

    /// In the order of [`Engine::alarms`].
    pub fn rules(&self) -> &[Rule] {
        &self.scene.alarms
    }

    /// As they stand, in the order of [`Scene::alarms`].
    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// Rules whose formula, or whose `suppressed_when`, could not be evaluated. Each is logged when it fails first.
    pub fn failures(&self) -> impl Iterator<Item = (AlarmIndex, &Failure)> {
        self.failures.iter().map(|(alarm, failure)| (*alarm, failure))
    }

    /// Whether any alarm looks at a signal: samples of others need not be handed on.
    pub fn watches(&self, signal: SignalIndex) -> bool {
        !self.plan.of(signal).is_empty()
    }

    /// The moment up to which the samples of a signal were judged: the source time of the newest one.
    pub fn heard(&self, signal: SignalIndex) -> Option<Timestamp> {
        self.heard.newest(signal)
    }

    /// Judges a sample. Call it in order of arrival, when `values` knows the sample already.
    pub fn observe(&mut self, sample: &Sample, values: &impl Values, out: &mut Vec<Change>) {
        self.observe_as(|_| true, sample, values, out);
    }

    /// Judges samples that belong together, such as those of one message: what suppresses is looked at before what is
    /// suppressed, wherever it stands among them. All of them are of one source time, and `values` knows them already.
    pub fn observe_moment<'s>(
        &mut self,
        samples: impl Iterator<Item = &'s Sample> + Clone,
        values: &impl Values,
        out: &mut Vec<Change>,
    ) {
        for sample in samples.clone() {
            self.observe_as(|role| role == Role::Suppression, sample, values, out);
        }
        for sample in samples {
            self.observe_as(|role| role != Role::Suppression, sample, values, out);
        }
    }

    fn observe_as(
        &mut self,
        concerns: impl Fn(Role) -> bool,
        sample: &Sample,
        values: &impl Values,
        out: &mut Vec<Change>,
    ) {
        let at = Times { source: sample.source_time, received: sample.receive_time };
        let is_late = self.heard.is_late(sample);
        let values = &self.heard.among(values);
        for watcher in self.plan.of(sample.signal).iter().filter(|watcher| concerns(watcher.role)) {
            let index = watcher.alarm as usize;
            let parts = (self.scene.alarms.get(index), self.alarms.get_mut(index), self.judgements.get_mut(index));
            let (Some(rule), Some(alarm), Some(judgement)) = parts else { continue };
            let mut case = Case { rule, alarm, judgement };
            case.elapse(at.received, out);
            let failed = match watcher.role {
                Role::Suppression if is_late => None,
                Role::Single | Role::Joint if is_late => {
                    case.alarm.late += 1;
                    None
                }
                Role::Single => {
                    observe_single(&mut case, at, sample, out);
                    None
                }
                Role::Joint => observe_joint(&mut case, at, sample, values, &mut self.inputs, out).err(),
                Role::Suppression => suppress(&mut case, at, values, &mut self.inputs, out).err(),
            };
            if let Some((due, _)) = case.due() {
                self.deadlines.set(watcher.alarm, due.0);
            }
            if let Some(error) = failed {
                note_failure(&mut self.failures, &self.scene, rule, error);
            }
        }
    }

    /// Carries out what is due by the wall clock: delays without further samples, silences, the ends of shelves.
    /// Samples received before `now` must have been observed: take `now` before the last of them are fetched.
    pub fn elapse(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        // A queue in nanoseconds has no moment after the last one.
        while let Some((queued, alarm)) = self.deadlines.pop_before(now.0.saturating_add(1)) {
            let Some(mut case) = self.case(alarm) else { continue };
            // What was queued may have been put off since.
            if case.due().is_some_and(|(due, _)| due.0 == queued) {
                case.elapse_once(now, out);
            }
            if let Some((due, _)) = case.due() {
                self.deadlines.set(alarm, due.0);
            }
        }
    }

    /// Nothing is due before this moment; what is due may be later. Costs less than [`Engine::next_deadline`].
    pub fn soonest(&mut self) -> Option<Timestamp> {
        self.deadlines.first().map(|(time, _)| Timestamp(time))
    }

    /// When [`Engine::elapse`] has something to do next.
    pub fn next_deadline(&mut self) -> Option<Timestamp> {
        loop {
            let (queued, alarm) = self.deadlines.first()?;
            match self.case(alarm).and_then(|case| case.due()) {
                Some((due, _)) if due.0 == queued => return Some(due),
                Some((due, _)) => {
                    self.deadlines.clear(alarm);
                    self.deadlines.set(alarm, due.0);
                }
                None => self.deadlines.clear(alarm),
            }
        }
    }

    /// The connection to a broker was made, or it is not there. A broker that was never reported is not judged.
    pub fn connection(&mut self, broker: &str, connected: bool, at: Timestamp, out: &mut Vec<Change>) {
        for alarm in 0..self.alarms.len() as u32 {
            let Some(mut case) = self.case(alarm) else { continue };
            let concerned = matches!(case.rule.condition, Condition::Disconnected)
                && matches!(&case.rule.subject, Subject::Broker(name) if name == broker);
            if concerned {
                case.elapse(at, out);
                let moment = Times { source: at.max(case.judgement.judged), received: at };
                case.hold_until(moment, out);
                case.settle(moment, detector::Reading::new(!connected, None), out);
                if let Some((due, _)) = case.due() {
                    self.deadlines.set(alarm, due.0);
                }
            }
        }
    }

    /// Carries out what an operator asks for. What was due before `deed.at` comes first, even if the action is refused.
    pub fn act(
        &mut self,
        alarm: AlarmIndex,
        action: &Action,
        deed: &Deed,
        out: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        let mut case = self.case(alarm.0).ok_or(Refusal::Unknown(alarm))?;
        let result = case.act(action, deed, out);
        if let Some((due, _)) = case.due() {
            self.deadlines.set(alarm.0, due.0);
        }
        result
    }

    fn case(&mut self, alarm: u32) -> Option<Case<'_>> {
        let at = alarm as usize;
        let (alarm, judgement) = (self.alarms.get_mut(at)?, self.judgements.get_mut(at)?);
        Some(Case { rule: self.scene.alarms.get(at)?, alarm, judgement })
    }
}

/// An alarm that has been normal since it was first watched.
pub(super) fn unraised(now: Timestamp) -> Alarm {
    Alarm { since: now, ..Alarm::default() }
}

/// The judgement of a rule that has judged nothing yet.
pub(super) fn fresh(rule: &Rule, scene: &Scene, now: Timestamp) -> Judgement {
    let expires = match rule.condition {
        Condition::Stale => own_signal(rule).and_then(|signal| scene.signals.get(signal.at())?.expires),
        _ => None,
    };
    let last = Times { source: now, received: now };
    Judgement { silence: expires.map(|expires| Silence { expires, last, heard: false }), ..Judgement::default() }
}

fn observe_single(case: &mut Case, at: Times, sample: &Sample, out: &mut Vec<Change>) {
    if case.is_late(at) {
        return;
    }
    case.hear(at);
    let moment = Times { source: at.source.max(case.judgement.judged), ..at };
    case.hold_until(moment, out);
    let reading = case.judgement.detector.judge_sample(case.rule, case.alarm.state.is_active(), sample);
    case.settle(moment, reading, out);
}

fn observe_joint(
    case: &mut Case,
    at: Times,
    sample: &Sample,
    values: &impl Values,
    inputs: &mut Vec<Value>,
    out: &mut Vec<Change>,
) -> Result<(), ExpressionError> {
    let moment = Times { source: at.source.max(case.judgement.judged), ..at };
    if values.latest_at(sample.signal, moment.source).is_some_and(|newest| newest.source_time > at.source) {
        case.alarm.late += 1;
        return Ok(());
    }
    case.hold_until(moment, out);
    let (active, own) = (case.alarm.state.is_active(), own_signal(case.rule));
    let judged = case.judgement.detector.judge_values(case.rule, active, moment.source, own, values, inputs);
    let (reading, result) = match judged {
        Ok(reading) => (reading, Ok(())),
        Err(error) => (detector::Reading::UNKNOWN, Err(error)),
    };
    case.settle(moment, reading, out);
    result
}

fn suppress(
    case: &mut Case,
    at: Times,
    values: &impl Values,
    inputs: &mut Vec<Value>,
    out: &mut Vec<Change>,
) -> Result<(), ExpressionError> {
    let Some(formula) = &case.rule.suppressed_when else { return Ok(()) };
    let moment = Times { source: at.source.max(case.judgement.suppression_judged), ..at };
    let holds = detector::evaluate(formula, moment.source, values, inputs)?;
    case.suppress(moment, holds, out);
    Ok(())
}

fn note_failure(failures: &mut BTreeMap<AlarmIndex, Failure>, scene: &Scene, rule: &Rule, error: ExpressionError) {
    let message = error.message;
    match failures.get_mut(&rule.index) {
        Some(failure) => {
            failure.count += 1;
            failure.message = message;
        }
        None => {
            tracing::warn!(
                "{}: cannot be evaluated, the last verdict holds: {message}",
                AlarmPath::of_rule(rule, scene)
            );
            failures.insert(rule.index, Failure { count: 1, message });
        }
    }
}
