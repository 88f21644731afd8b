//! What a run of samples looks like from afar: the summary of a chunk and of its parts. In: heights and grades, in order.
//! Out: min, max, first, last, worst, and where samples without a height stand. Never holds a sample.

use crate::value::Grade;

/// Where in a run samples without a height stand among those that have one: a line through the run is broken there.
/// Of a run in which none has a height, both before and behind.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Gaps {
    pub before: bool,
    pub within: bool,
    pub behind: bool,
}

impl Gaps {
    pub const NONE: Self = Self { before: false, within: false, behind: false };
}

/// Over the finite numbers and booleans of a run; `first` is NaN where there are none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub last: f64,
    /// Over all samples of the run.
    pub worst: Grade,
    pub gaps: Gaps,
}

impl Summary {
    pub const EMPTY: Summary = Summary {
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        first: f64::NAN,
        last: f64::NAN,
        worst: Grade::Good,
        gaps: Gaps::NONE,
    };

    pub fn add(&mut self, height: Option<f64>, grade: Grade) {
        self.worst = self.worst.max(grade);
        match height {
            Some(x) => {
                self.min = self.min.min(x);
                self.max = self.max.max(x);
                if self.first.is_nan() {
                    self.first = x;
                } else {
                    self.gaps.within |= self.gaps.behind;
                }
                self.gaps.behind = false;
                self.last = x;
            }
            None => self.add_gap(),
        }
    }

    fn add_gap(&mut self) {
        self.gaps.before |= self.first.is_nan();
        self.gaps.behind = true;
    }

    /// Joins the run that follows.
    pub fn join(&mut self, next: &Summary) {
        self.worst = self.worst.max(next.worst);
        if next.gaps.before {
            self.add_gap();
        }
        if !next.first.is_nan() {
            self.min = self.min.min(next.min);
            self.max = self.max.max(next.max);
            if self.first.is_nan() {
                self.first = next.first;
            } else {
                self.gaps.within |= self.gaps.behind;
            }
            self.gaps.within |= next.gaps.within;
            self.gaps.behind = next.gaps.behind;
            self.last = next.last;
        }
    }
}
