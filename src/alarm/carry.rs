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
//! alarm that was active stays active until the first sample judges it. Delays that were running begin anew with the first sample that shows
//! the condition; so do rates, counts and silences. A shelf whose time is over ends at the next [`Engine::elapse`].

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::case::Judgement;
use super::engine::{fresh, unraised};
use super::{Alarm, Cause, Change, Engine, State};
use crate::scene::Scene;
use crate::scene::rule::{AlarmIndex, AlarmPath, Condition, Formula, Reference, Rule};
use crate::value::Timestamp;

/// What must survive a restart: alarms that have something to tell. Others begin as new.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct KeptAlarms {
    /// In the order of the scene's alarms.
    pub alarms: Vec<Kept>,
}

/// One alarm as a store keeps it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Kept {
    #[serde(serialize_with = "as_text")]
    pub path: AlarmPath,
    /// Source time up to which the condition was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Timestamp>,
    pub alarm: Alarm,
}

fn as_text<S: Serializer>(path: &AlarmPath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(path)
}

/// [`Kept`] as it is read: with the path as one text or, in older files, as a subject and a name.
#[derive(Deserialize)]
struct Stored {
    path: Option<String>,
    subject: Option<StoredSubject>,
    name: Option<String>,
    judged: Option<Timestamp>,
    alarm: Alarm,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredSubject {
    /// `P-101.vibration`
    Signal(String),
    Twin(String),
    Broker(String),
}

impl TryFrom<Stored> for Kept {
    type Error = String;

    fn try_from(Stored { path, subject, name, judged, alarm }: Stored) -> Result<Self, Self::Error> {
        let path = match (path, subject, name) {
            (Some(path), ..) => path.parse::<AlarmPath>().map_err(|error| error.to_string())?,
            (None, Some(StoredSubject::Broker(broker)), Some(name)) => AlarmPath::of_broker(broker, name),
            (None, Some(StoredSubject::Twin(twin)), Some(name)) => AlarmPath::of_twin(twin, name),
            // The name begins with the signal's, which may hold dots as the twin's id may.
            (None, Some(StoredSubject::Signal(signal)), Some(name)) => {
                AlarmPath::of_twin(twin_of(&signal, &name), name)
            }
            _ => return Err("an alarm without `path`".to_owned()),
        };
        Ok(Self { path, judged, alarm })
    }
}

/// The twin of an alarm `vibration.high` of the signal `P-101.vibration`.
fn twin_of<'s>(signal: &'s str, name: &str) -> &'s str {
    let own = signal.match_indices('.').find(|(dot, _)| {
        let rest = &signal[dot + 1..];
        name == rest || name.strip_prefix(rest).is_some_and(|more| more.starts_with('.'))
    });
    match own.map(|(dot, _)| dot).or_else(|| signal.rfind('.')) {
        Some(dot) => &signal[..dot],
        None => signal,
    }
}

impl Engine {
    /// Goes on with another scene, at `now` (receive time).
    pub fn adopt(&mut self, scene: Arc<Scene>, now: Timestamp, out: &mut Vec<Change>) {
        let old_scene = Arc::clone(&self.scene);
        let old_alarms = std::mem::take(&mut self.alarms);
        let old_judgements = std::mem::take(&mut self.judgements);
        let old = old_scene.alarms.iter().zip(old_alarms.into_iter().zip(old_judgements));
        let mut known: HashMap<AlarmPath, (&Rule, (Alarm, Judgement))> =
            old.map(|(rule, case)| (AlarmPath::of_rule(rule, &old_scene), (rule, case))).collect();
        let mut alarms = Vec::with_capacity(scene.alarms.len());
        let mut judgements = Vec::with_capacity(scene.alarms.len());
        let mut failures = std::collections::BTreeMap::new();
        for rule in &scene.alarms {
            let begun = fresh(rule, &scene, now);
            match known.remove(&AlarmPath::of_rule(rule, &scene)) {
                Some((old_rule, (alarm, carried))) => {
                    let same = same_condition(old_rule, &old_scene, rule, &scene);
                    if same && let Some(failure) = self.failures.remove(&old_rule.index) {
                        failures.insert(rule.index, failure);
                    }
                    alarms.push(alarm);
                    judgements.push(if same { go_on(carried, begun) } else { begin_anew(carried, begun) });
                }
                None => {
                    alarms.push(unraised(now));
                    judgements.push(begun);
                }
            }
        }
        // In the order of the old scene, whatever the order of the map.
        let mut gone: Vec<_> = known.into_values().collect();
        gone.sort_by_key(|(rule, _)| rule.index);
        out.extend(gone.into_iter().filter_map(|(rule, (alarm, _))| removed(rule, &alarm, now)));
        let heard = self.heard.adopt(&old_scene, &scene);
        *self = Self::assemble(scene, alarms, judgements, heard, failures);
        self.drop_orphaned_suppressions(now, out);
    }

    /// What must survive a restart.
    pub fn snapshot(&self) -> KeptAlarms {
        KeptAlarms { alarms: self.scene.alarms.iter().filter_map(|rule| self.kept(rule.index)).collect() }
    }

    /// What must survive of one alarm; none if it has nothing to tell.
    pub fn kept(&self, index: AlarmIndex) -> Option<Kept> {
        let (rule, alarm) = (self.scene.alarms.get(index.at())?, self.alarms.get(index.at())?);
        let judged = self.judgements.get(index.at())?.judged;
        let telling = alarm.state != State::Normal || !alarm.flags.is_clear() || alarm.activations > 0;
        telling.then(|| Kept {
            path: AlarmPath::of_rule(rule, &self.scene),
            judged: Some(judged).filter(|judged| *judged > Timestamp::MIN),
            alarm: alarm.clone(),
        })
    }

    /// Takes up what was kept, before the first sample. Returns what belongs to rules that no longer exist, so that the
    /// caller can put on record which standing alarms ended unseen.
    pub fn restore(&mut self, snapshot: KeptAlarms, now: Timestamp, out: &mut Vec<Change>) -> Vec<Kept> {
        let scene = Arc::clone(&self.scene);
        let places: HashMap<AlarmPath, usize> =
            scene.alarms.iter().enumerate().map(|(at, rule)| (AlarmPath::of_rule(rule, &scene), at)).collect();
        let mut unknown = Vec::new();
        for kept in snapshot.alarms {
            let at = places.get(&kept.path).copied();
            match at.and_then(|at| Some((self.alarms.get_mut(at)?, self.judgements.get_mut(at)?))) {
                Some((alarm, judgement)) => {
                    *alarm = kept.alarm;
                    judgement.judged = kept.judged.unwrap_or(Timestamp::MIN);
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
fn go_on(carried: Judgement, begun: Judgement) -> Judgement {
    let silence = match (carried.silence, begun.silence) {
        (Some(old), Some(new)) => Some(super::case::Silence { expires: new.expires, ..old }),
        (_, new) => new,
    };
    Judgement { silence, ..carried }
}

/// Another condition: only the order of time stays.
fn begin_anew(carried: Judgement, begun: Judgement) -> Judgement {
    Judgement { judged: carried.judged, suppression_judged: carried.suppression_judged, ..begun }
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
        origin: alarm.origin.unwrap_or_default(),
    }
}

/// Whether two rules judge samples alike, signals being the same if their paths are.
fn same_condition(a: &Rule, a_scene: &Scene, b: &Rule, b_scene: &Scene) -> bool {
    let path = |signal| a_scene.signal_path(signal);
    let alike = match (&a.condition, &b.condition) {
        (
            Condition::Limit { level: a, limit: a_limit, deadband: a_deadband },
            Condition::Limit { level: b, limit: b_limit, deadband: b_deadband },
        ) => (a, a_limit, a_deadband) == (b, b_limit, b_deadband),
        (
            Condition::Rate {
                direction: a, limit_per_sec: a_limit, over: a_over, deadband_per_sec: a_deadband, ..
            },
            Condition::Rate {
                direction: b, limit_per_sec: b_limit, over: b_over, deadband_per_sec: b_deadband, ..
            },
        ) => (a, a_limit, a_over, a_deadband) == (b, b_limit, b_over, b_deadband),
        (
            Condition::Deviation { from: a, limit: a_limit, deadband: a_deadband },
            Condition::Deviation { from: b, limit: b_limit, deadband: b_deadband },
        ) => {
            let from = match (a, b) {
                (Reference::Value(a), Reference::Value(b)) => a == b,
                (Reference::Signal(a), Reference::Signal(b)) => path(*a) == b_scene.signal_path(*b),
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
        formula.inputs.iter().map(|(_, signal)| scene.signal_path(*signal)).collect()
    };
    a.source == b.source && inputs(a, a_scene) == inputs(b, b_scene)
}
