//! What a run of samples looks like from afar: the summary of a chunk and of its parts. In: heights and grades, in order.
//! Out: min, max, first, last, worst. Never holds a sample.

use crate::value::Grade;

/// Over the finite numbers and booleans of a run; `first` is NaN where there are none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub last: f64,
    /// Over all samples of the run.
    pub worst: Grade,
}

impl Summary {
    pub const EMPTY: Summary =
        Summary { min: f64::INFINITY, max: f64::NEG_INFINITY, first: f64::NAN, last: f64::NAN, worst: Grade::Good };

    pub fn add(&mut self, height: Option<f64>, grade: Grade) {
        self.worst = self.worst.max(grade);
        if let Some(x) = height {
            self.min = self.min.min(x);
            self.max = self.max.max(x);
            if self.first.is_nan() {
                self.first = x;
            }
            self.last = x;
        }
    }

    /// Joins the run that follows.
    pub fn join(&mut self, next: &Summary) {
        self.worst = self.worst.max(next.worst);
        if !next.first.is_nan() {
            self.min = self.min.min(next.min);
            self.max = self.max.max(next.max);
            if self.first.is_nan() {
                self.first = next.first;
            }
            self.last = next.last;
        }
    }
}
