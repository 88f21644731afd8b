//! Alarms outlive the scene and the program. In: a new scene, or what a store has kept. Out: alarms that stand where they
//! stood, and a [`Change`] for each that had to end.
//!
//! **Reload** ([`Engine::adopt`]): an alarm whose rule still exists (same subject, same name) keeps its state, flags and
//! counts. If its condition or count is unchanged, a running delay goes on, with the new length if that has changed; else
//! what was running or remembered for rates and counts begins anew, and the state stays until the next sample is judged
//! by the new condition. A rule that is gone ends its alarm with [`Cause::Removed`], unless it was normal and unflagged.
//!
//! **Restart** ([`Engine::snapshot`], [`Engine::restore`]): state, flags, counts and the moment up to which an alarm was
//! judged survive, and, for every signal that an alarm looks at, how far it was heard ([`Engine::restore_heard`]). What is
//! older is late, as if there had been no restart: it changes no alarm, is counted, and rules over several signals do not
//! see it. What a broker delivers once more is of the same moment as before: it is judged again, to the same effect. An
//! alarm that was active stays active until the first sample judges it, and has no present value until then. Delays that
//! were running begin anew with the first sample that shows the condition; so do rates, counts and silences. A shelf
//! whose time is over ends at the next [`Engine::elapse`].

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::case::Progress;
use super::engine::{fresh, unraised};
use super::key::{Key, signal_path};
use super::{Alarm, AlarmIndex, Cause, Change, Condition, Engine, Formula, Reference, Rule, State};
use crate::scene::Scene;
use crate::twin::Timestamp;

/// What must survive a restart: alarms that have something to tell. Others begin as new.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// In the order of the scene's alarms.
    pub alarms: Vec<Kept>,
}

/// One alarm as a store keeps it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Kept {
    #[serde(flatten)]
    pub key: Key,
    /// Source time up to which the condition was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Timestamp>,
    pub alarm: Alarm,
}

impl Engine {
    /// Goes on with another scene, at `now` (receive time).
    pub fn adopt(&mut self, scene: Arc<Scene>, now: Timestamp, out: &mut Vec<Change>) {
        let old_scene = Arc::clone(&self.scene);
        let old_alarms = std::mem::take(&mut self.alarms);
        let old_progress = std::mem::take(&mut self.progress);
        let old = old_scene.alarms.iter().zip(old_alarms.into_iter().zip(old_progress));
        let mut known: HashMap<Key, (&Rule, (Alarm, Progress))> =
            old.map(|(rule, case)| (Key::of(rule, &old_scene), (rule, case))).collect();
        let mut alarms = Vec::with_capacity(scene.alarms.len());
        let mut progress = Vec::with_capacity(scene.alarms.len());
        let mut failures = std::collections::BTreeMap::new();
        for rule in &scene.alarms {
            let begun = fresh(rule, &scene, now);
            match known.remove(&Key::of(rule, &scene)) {
                Some((old_rule, (alarm, carried))) => {
                    let same = same_condition(old_rule, &old_scene, rule, &scene);
                    if same && let Some(failure) = self.failures.remove(&old_rule.index) {
                        failures.insert(rule.index, failure);
                    }
                    alarms.push(alarm);
                    progress.push(if same { go_on(carried, begun) } else { begin_anew(carried, begun) });
                }
                None => {
                    alarms.push(unraised(now));
                    progress.push(begun);
                }
            }
        }
        // In the order of the old scene, whatever the order of the map.
        let mut gone: Vec<_> = known.into_values().collect();
        gone.sort_by_key(|(rule, _)| rule.index);
        out.extend(gone.into_iter().filter_map(|(rule, (alarm, _))| removed(rule, &alarm, now)));
        let heard = self.heard.adopt(&old_scene, &scene);
        *self = Self::assemble(scene, alarms, progress, heard, failures);
        self.drop_orphaned_suppressions(now, out);
    }

    /// What must survive a restart.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { alarms: self.scene.alarms.iter().filter_map(|rule| self.kept(rule.index)).collect() }
    }

    /// What must survive of one alarm; none if it has nothing to tell.
    pub fn kept(&self, index: AlarmIndex) -> Option<Kept> {
        let (rule, alarm) = (self.scene.alarms.get(index.at())?, self.alarms.get(index.at())?);
        let judged = self.progress.get(index.at())?.judged;
        let telling = alarm.state != State::Normal || !alarm.flags.is_clear() || alarm.activations > 0;
        telling.then(|| Kept {
            key: Key::of(rule, &self.scene),
            judged: Some(judged).filter(|judged| *judged > Timestamp::MIN),
            alarm: alarm.clone(),
        })
    }

    /// Takes up what was kept, before the first sample. Returns what belongs to rules that no longer exist, so that the
    /// caller can put on record which standing alarms ended unseen.
    pub fn restore(&mut self, snapshot: Snapshot, now: Timestamp, out: &mut Vec<Change>) -> Vec<Kept> {
        let scene = Arc::clone(&self.scene);
        let places: HashMap<Key, usize> =
            scene.alarms.iter().enumerate().map(|(at, rule)| (Key::of(rule, &scene), at)).collect();
        let mut unknown = Vec::new();
        for kept in snapshot.alarms {
            let at = places.get(&kept.key).copied();
            match at.and_then(|at| Some((self.alarms.get_mut(at)?, self.progress.get_mut(at)?))) {
                Some((alarm, progress)) => {
                    *alarm = Alarm { current: None, ..kept.alarm };
                    progress.judged = kept.judged.unwrap_or(Timestamp::MIN);
                }
                None => unknown.push(kept),
            }
        }
        self.schedule_all();
        self.drop_orphaned_suppressions(now, out);
        unknown
    }

    /// Takes up how far an earlier run had heard each signal, by `P-101.flow`: what is older was judged then. Before the
    /// first sample. Returns the signals that no longer exist.
    pub fn restore_heard(&mut self, heard: impl IntoIterator<Item = (String, Timestamp)>) -> Vec<String> {
        self.heard.restore(&self.scene, heard)
    }

    /// An alarm whose rule has lost its `suppressed_when` would stay suppressed for ever.
    fn drop_orphaned_suppressions(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        for (rule, alarm) in self.scene.alarms.iter().zip(&mut self.alarms) {
            if rule.suppressed_when.is_none() && std::mem::take(&mut alarm.flags.suppressed) {
                out.push(ended(rule, alarm, Cause::Unsuppressed, alarm.state, now));
            }
        }
    }
}

/// The same condition: delays go on. A silence takes the signal's `expires` of today.
fn go_on(carried: Progress, begun: Progress) -> Progress {
    let silence = match (carried.silence, begun.silence) {
        (Some(old), Some(new)) => Some(super::case::Silence { expires: new.expires, ..old }),
        (_, new) => new,
    };
    Progress { silence, ..carried }
}

/// Another condition: only the order of time stays.
fn begin_anew(carried: Progress, begun: Progress) -> Progress {
    Progress { judged: carried.judged, suppression_judged: carried.suppression_judged, ..begun }
}

fn removed(rule: &Rule, alarm: &Alarm, now: Timestamp) -> Option<Change> {
    let stands = alarm.state != State::Normal || !alarm.flags.is_clear();
    stands.then(|| ended(rule, alarm, Cause::Removed, State::Normal, now))
}

fn ended(rule: &Rule, alarm: &Alarm, cause: Cause, to: State, now: Timestamp) -> Change {
    Change {
        alarm: rule.index,
        cause,
        from: alarm.state,
        to,
        source_time: now,
        receive_time: now,
        value: alarm.current,
        worst: alarm.worst.filter(|_| alarm.state.is_active()),
        deed: None,
    }
}

/// Whether two rules judge samples alike, signals being the same if their paths are.
fn same_condition(a: &Rule, a_scene: &Scene, b: &Rule, b_scene: &Scene) -> bool {
    let path = |signal| signal_path(a_scene, signal);
    let alike = match (&a.condition, &b.condition) {
        (
            Condition::Limit { level: a, limit: a_limit, deadband: a_deadband },
            Condition::Limit { level: b, limit: b_limit, deadband: b_deadband },
        ) => (a, a_limit, a_deadband) == (b, b_limit, b_deadband),
        (
            Condition::Rate { direction: a, limit_per_sec: a_limit, over: a_over, deadband_per_sec: a_deadband },
            Condition::Rate { direction: b, limit_per_sec: b_limit, over: b_over, deadband_per_sec: b_deadband },
        ) => (a, a_limit, a_over, a_deadband) == (b, b_limit, b_over, b_deadband),
        (
            Condition::Deviation { from: a, limit: a_limit, deadband: a_deadband },
            Condition::Deviation { from: b, limit: b_limit, deadband: b_deadband },
        ) => {
            let from = match (a, b) {
                (Reference::Value(a), Reference::Value(b)) => a == b,
                (Reference::Signal(a), Reference::Signal(b)) => path(*a) == signal_path(b_scene, *b),
                _ => false,
            };
            from && (a_limit, a_deadband) == (b_limit, b_deadband)
        }
        (
            Condition::State { values: a, inverted: a_inverted },
            Condition::State { values: b, inverted: b_inverted },
        ) => (a, a_inverted) == (b, b_inverted),
        (Condition::Formula(a), Condition::Formula(b)) => same_formula(a, a_scene, b, b_scene),
        (Condition::Stale, Condition::Stale)
        | (Condition::Bad, Condition::Bad)
        | (Condition::Disconnected, Condition::Disconnected) => true,
        _ => false,
    };
    alike && a.count == b.count
}

fn same_formula(a: &Formula, a_scene: &Scene, b: &Formula, b_scene: &Scene) -> bool {
    let inputs = |formula: &Formula, scene: &Scene| -> Vec<String> {
        formula.inputs.iter().map(|(_, signal)| signal_path(scene, *signal)).collect()
    };
    a.source == b.source && inputs(a, a_scene) == inputs(b, b_scene)
}
