//! A plant goes on with another scene. In: a running plant, a scene that was saved meanwhile. Out: the same machines,
//! instruments and faults as far as the scene still has them; and which faults it has not. What does not fit as a whole
//! changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{MakeError, Options, Plant, Profile};
use crate::fault::{Defect, Fault};
use crate::network::Target;
use crate::scene::Scene;
use crate::value::SignalIndex;

/// A fault that could not go on in another scene. What it held back came at once, as when it is cleared.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the fault `{id}` ({kind}) has ended: {why}; set it anew if it is still wanted")]
pub struct EndedFault {
    pub id: String,
    pub kind: &'static str,
    pub why: String,
}

impl Plant {
    /// Goes on with another scene, and what its files hold: machines that are the same keep their states, faults on what
    /// is the same go on with all that they remember. The others end; each is told.
    pub fn adopt(&mut self, scene: Arc<Scene>, profiles: Vec<Profile>) -> Result<Vec<EndedFault>, MakeError> {
        let mut other = Self::new(scene, Options { profiles, ..self.options.clone() })?;
        let signals = self.same_signals(&other);
        let (mut stay, mut moved, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for fault in self.faults() {
            match self.moved_fault(fault, &other, &signals) {
                Ok(there) => {
                    stay.push(fault.clone());
                    moved.push(there);
                }
                Err(why) => ended.push(EndedFault { id: fault.id.clone(), kind: fault.kind().name, why }),
            }
        }
        if !ended.is_empty() {
            let freed = self.defects.set(stay, self.time());
            self.show(freed);
            self.settle();
        }
        other.defects = self.defects.moved(moved, &|signal| signals.get(&signal).copied());
        let outside: Vec<f64> =
            (0..other.network.blueprint().outside.len()).map(|at| other.state.outside(at)).collect();
        other.state = other.network.adopt(&self.network, &self.state, &outside, &mut other.work);
        let there: BTreeMap<SignalIndex, SignalIndex> = signals.iter().map(|(here, there)| (*there, *here)).collect();
        for (signal, reader) in &mut other.readers {
            let old = there.get(signal).and_then(|here| self.readers.iter().find(|(old, _)| old == here));
            if let Some((_, old)) = old {
                reader.memory = old.memory.clone();
            }
        }
        for (signal, actor) in &mut other.stand_ins {
            let path = other.scene.signal_path(*signal);
            let old = self.stand_ins.iter().find(|(old, _)| self.scene.signal_path(**old) == path);
            if let Some((_, old)) = old {
                actor.take_up(old);
            }
        }
        for report in &mut other.reports {
            let name = other.encoder.topics().get(report.topic);
            let old = self.reports.iter().find(|old| self.encoder.topics().get(old.topic) == name);
            if let Some(old) = old {
                report.memory.sequence = old.memory.sequence;
            }
        }
        (other.has_begun, other.is_open) = (self.has_begun, self.is_open);
        other.follow_profiles();
        other.adjust(other.time(), true);
        *self = other;
        Ok(ended)
    }

    /// Signals that another plant has too, of the same kind and unit: what is known of their values counts there as well.
    fn same_signals(&self, other: &Self) -> BTreeMap<SignalIndex, SignalIndex> {
        let there = other.scene.signals.iter().map(|signal| (other.scene.signal_path(signal.index), signal));
        let there: BTreeMap<_, _> = there.collect();
        let each = self.scene.signals.iter().filter_map(|here| {
            let there = there.get(&self.scene.signal_path(here.index))?;
            let is_same = here.kind == there.kind && here.unit == there.unit;
            is_same.then_some((here.index, there.index))
        });
        each.collect()
    }

    /// A fault for another plant, by the names of what it is on; or why it cannot be there.
    fn moved_fault(
        &self,
        fault: &Fault,
        other: &Self,
        signals: &BTreeMap<SignalIndex, SignalIndex>,
    ) -> Result<Fault, String> {
        let target = |target: &Target| {
            let (id, from) =
                (&self.network.blueprint().machines[target.machine()].id, self.network.description(target.machine()));
            let machine = other.network.machine(id).ok_or_else(|| format!("the scene has no {id} any more"))?;
            let to = other.network.description(machine);
            let (name, unit, found) = match *target {
                Target::Parameter { parameter, .. } => {
                    let said = &from.parameters[parameter];
                    let found = to
                        .parameter(said.name)
                        .map(|at| (Target::Parameter { machine, parameter: at }, to.parameters[at].unit));
                    (said.name, said.unit, found)
                }
                Target::Input { input, .. } => {
                    let said = &from.inputs[input];
                    let found =
                        to.input(said.name).map(|at| (Target::Input { machine, input: at }, to.inputs[at].unit));
                    (said.name, said.unit, found)
                }
            };
            match found {
                Some((target, now)) if now == unit => Ok(target),
                Some((_, now)) => Err(in_another_unit(&format!("{id}.{name}"), unit, now)),
                None => Err(format!("{id} is of the model {} now, which has no {name}", to.name)),
            }
        };
        let signal = |here: &SignalIndex| {
            let path = self.scene.signal_path(*here);
            let unit = |plant: &Self, signal: SignalIndex| plant.scene.signals[signal.at()].unit.symbol().to_owned();
            let there = other.scene.signals.iter().find(|one| other.scene.signal_path(one.index) == path);
            match (signals.get(here), there) {
                (Some(there), _) => Ok(*there),
                (None, None) => Err(format!("the scene has no {path} any more")),
                (None, Some(there)) if there.kind != self.scene.signals[here.at()].kind => {
                    Err(format!("{path} has values of another kind now"))
                }
                (None, Some(there)) => Err(in_another_unit(&path, &unit(self, *here), &unit(other, there.index))),
            }
        };
        let there = fault.resolve(target, signal)?;
        let problem = match &there.defect {
            Defect::Process { target, .. } => there.check_against(other.network.description(target.machine())).pop(),
            _ => None,
        };
        problem.map_or(Ok(there), |problem| Err(problem.rule))
    }
}

fn in_another_unit(what: &str, before: &str, now: &str) -> String {
    let said = |unit: &str| if unit.is_empty() { "no unit".to_owned() } else { unit.to_owned() };
    format!("{what} is in {} now, and was in {}", said(now), said(before))
}
