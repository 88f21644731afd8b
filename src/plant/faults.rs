//! Faults of a plant as callers set them. In: faults, resolved for its scene. Out: a plant with them; what is wrong with
//! them, and how often they have acted.

use super::Plant;
use crate::fault::{self, Defect, Fault, Layer, Problem, WrittenFault};
use crate::model::Role;
use crate::network::Target;
use crate::scene::faults;
use crate::scene::nearest::nearest;
use crate::value::{Shift, SignalIndex, Timestamp, topic};

/// Faults that are in a plant at once at most.
const MOST: usize = 200;

impl Plant {
    /// The faults that act, in their order.
    pub fn faults(&self) -> &[Fault] {
        self.defects.list()
    }

    /// All that is wrong with faults for this plant: sizes, courses, ids, targets that it does not have.
    pub fn check_faults(&self, faults: &[Fault]) -> Vec<Problem> {
        let mut problems = fault::check(faults);
        for fault in faults {
            let knows = |signal: SignalIndex| signal.at() < self.scene.signals.len();
            let is_there = match &fault.defect {
                Defect::Process { target, .. } if target.machine() < self.network.blueprint().machines.len() => {
                    problems.extend(fault.check_against(self.network.description(target.machine())));
                    true
                }
                Defect::Process { .. } => false,
                Defect::Sensor { signal, .. } => knows(*signal),
                Defect::Swapped { signals: (one, other) } => knows(*one) && knows(*other),
                Defect::Link { .. } => true,
            };
            if !is_there {
                let (rule, way_out) = ("is on something that the scene does not have", "resolve it for this scene");
                problems.push(Problem { fault: fault.id.clone(), rule: rule.to_owned(), way_out: way_out.to_owned() });
            }
        }
        problems
    }

    /// Sets all faults, in the order in which they act, from now on. Those that are gone have no effect any more; damage that
    /// they have done stays until it is repaired. What they held back comes at once, and an instrument that no other fault
    /// is on shows what it read last, as it read it.
    ///
    /// Behind [`run_before`](Self::run_before) they act on what is due now, behind [`run`](Self::run) on what comes after it.
    /// They must be [possible](Self::check_faults): one on a machine that the scene does not have panics, and a plant with
    /// wrong sizes runs, but cannot be restored.
    pub fn set_faults(&mut self, faults: Vec<Fault>) {
        let concerns_machines = changes_machines(self.faults(), &faults, self.time());
        let freed = self.defects.set(faults, self.time());
        self.show(freed);
        self.settle();
        match concerns_machines {
            true if self.is_open => self.is_changed = true,
            true => self.adjust(self.time(), true),
            // Machines are left alone: even to look at them anew moves their last bits.
            false => {}
        }
    }

    /// Sets one more fault from now on; its onset counts from now. The one of the same id gives way to it. Gives it as it was
    /// set, in the time of the plant. Every reason for a refusal is a sentence; a fault that can change nothing is refused too.
    pub fn inject(&mut self, fault: &WrittenFault) -> Result<WrittenFault, Vec<String>> {
        if fault.id == "all" {
            return Err(vec!["a fault cannot be called `all`, which means all of them: choose another id".to_owned()]);
        }
        let mut resolved = faults::resolve(fault, &self.scene)?;
        resolved.course = resolved.course.shifted(Shift(i64::try_from(self.time()).unwrap_or(i64::MAX)));
        let written = faults::written(&resolved, &self.scene);
        let mut list = self.faults().to_vec();
        list.retain(|other| other.id != resolved.id);
        if list.len() >= MOST {
            return Err(vec![format!(
                "fault `{}`: {MOST} faults are in the plant already: clear some first",
                resolved.id
            )]);
        }
        list.push(resolved.clone());
        let mut problems: Vec<String> = self.check_faults(&list).iter().map(ToString::to_string).collect();
        problems.extend(self.idle(&resolved));
        if !problems.is_empty() {
            return Err(problems);
        }
        self.set_faults(list);
        Ok(written)
    }

    /// Takes back a fault, or all; gives those that are gone, in their order. The error says that there is none of this id.
    pub fn clear_faults(&mut self, id: Option<&str>) -> Result<Vec<WrittenFault>, String> {
        if let Some(id) = id
            && !self.faults().iter().any(|fault| fault.id == id)
        {
            let meant = nearest(id, self.faults().iter().map(|fault| fault.id.as_str()));
            let meant = meant.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
            return Err(format!("no fault `{id}` is in the plant{meant}"));
        }
        Ok(self.drop_faults(|fault| id.is_none_or(|id| fault.id == id)))
    }

    /// Faults whose course is over leave the list; gives them, in their order. Nothing else changes.
    pub fn end_faults(&mut self) -> Vec<WrittenFault> {
        let now = Timestamp(i64::try_from(self.time()).unwrap_or(i64::MAX));
        // What is due now, and may be held back until now, comes first.
        self.drop_faults(|fault| fault.course.end().is_some_and(|end| end < now))
    }

    fn drop_faults(&mut self, goes: impl Fn(&Fault) -> bool) -> Vec<WrittenFault> {
        let (gone, stay): (Vec<Fault>, Vec<Fault>) = self.faults().iter().cloned().partition(goes);
        if !gone.is_empty() {
            self.set_faults(stay);
        }
        gone.iter().map(|fault| faults::written(fault, &self.scene)).collect()
    }

    /// Why a fault would change nothing here.
    fn idle(&self, fault: &Fault) -> Option<String> {
        let comes = |signal: &SignalIndex| self.readers.iter().any(|(read, _)| read == signal);
        let why = match &fault.defect {
            Defect::Process { target: Target::Parameter { machine, parameter }, .. } => {
                let parameter = self.network.description(*machine).parameters.get(*parameter)?;
                let is_of_start = parameter.role == Role::Start;
                is_of_start.then(|| {
                    format!("{} says how the machine stands at time 0: later it has no effect", parameter.name)
                })
            }
            Defect::Process { target: Target::Input { .. }, .. } => None,
            Defect::Sensor { .. } | Defect::Swapped { .. } => {
                let silent = fault.signals().find(|signal| !comes(signal))?;
                Some(format!("the plant does not measure {}", self.scene.signal_path(*silent)))
            }
            Defect::Link { broker, topics, .. } => {
                let own = self.reports.iter().filter_map(|report| self.encoder.topics().get(report.topic));
                let own: Vec<&str> = own
                    .filter(|topic| broker.as_ref().is_none_or(|broker| topic.broker == *broker))
                    .map(|topic| topic.name.as_str())
                    .collect();
                let silent = topics.iter().find(|filter| !own.iter().any(|name| topic::matches(filter, name)))?;
                Some(format!("the plant sends nothing on {silent}"))
            }
        }?;
        Some(format!("fault `{}` would change nothing: {why}", fault.id))
    }

    /// How often each fault has acted since it was set, in their order: readings and messages that it has changed, held
    /// back, lost or added; bouts in which it made a part of a machine other than it was. 0 says that nothing would be other
    /// without it. What is taken off the list is not counted any more: ask before that.
    pub fn acted(&self) -> impl Iterator<Item = (&Fault, u64)> {
        self.defects.acted()
    }

    /// Instruments that no fault is on any more show what they have read last.
    pub(super) fn settle(&mut self) {
        let shown = self.defects.settle(self.time());
        self.show(shown);
    }
}

/// Whether machines are other at a time with one list of faults than with another, or are about to become so.
fn changes_machines(old: &[Fault], new: &[Fault], time: u64) -> bool {
    let of_machines = |list: &[Fault]| list.iter().filter(|fault| fault.layer() == Layer::Process).cloned().collect();
    let (old, new): (Vec<Fault>, Vec<Fault>) = (of_machines(old), of_machines(new));
    let now = Timestamp(i64::try_from(time).unwrap_or(i64::MAX));
    let acts = |fault: &&Fault| fault.course.is_active(now) || fault.course.is_active(Timestamp(now.0 - 1));
    let stay = |list: &[Fault], other: &[Fault]| list.iter().filter(|fault| other.contains(fault)).cloned().collect();
    let (stay_old, stay_new): (Vec<Fault>, Vec<Fault>) = (stay(&old, &new), stay(&new, &old));
    let mut differ =
        old.iter().filter(|fault| !new.contains(fault)).chain(new.iter().filter(|fault| !old.contains(fault)));
    differ.any(|fault| acts(&fault)) || stay_old != stay_new
}
