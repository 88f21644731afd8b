//! Faults of a plant as callers set them. In: faults, resolved for its scene. Out: a plant with them; what is wrong with
//! them, and how often they have acted.

use super::Plant;
use crate::fault::{self, Defect, Fault, Layer, Problem};
use crate::value::{SignalIndex, Timestamp};

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
