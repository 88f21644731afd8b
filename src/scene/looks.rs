//! Checks looks against the signals that move them. In: parts, and the signals of a type. Out: motions.

use super::format::{Axis, PartDef};
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{Motion, ValueKind};
use super::signals::Prepared;
use super::span::{Span, Spanned};
use crate::value::Unit;

/// A part of a look, with the signal by its position in the twin.
#[derive(Clone, Debug)]
pub(super) struct PreparedPart {
    pub node: String,
    pub signal: usize,
    pub motion: Motion,
}

pub(super) fn prepare(
    item: &str,
    parts: &[Spanned<PartDef>],
    signals: &[Prepared],
    report: &mut Report,
) -> Vec<PreparedPart> {
    parts.iter().filter_map(|part| prepare_one(item, part, signals, report)).collect()
}

fn prepare_one(item: &str, part: &Spanned<PartDef>, signals: &[Prepared], report: &mut Report) -> Option<PreparedPart> {
    let (word, node, by) = match &part.value {
        PartDef::Spin { node, by, .. } => ("Spin", node, by),
        PartDef::Slide { node, by, .. } => ("Slide", node, by),
        PartDef::Rotate { node, by, .. } => ("Rotate", node, by),
        PartDef::Tint { node, by, .. } => ("Tint", node, by),
        PartDef::Fill { node, by, .. } => ("Fill", node, by),
        PartDef::Emit { node, by, .. } => ("Emit", node, by),
        PartDef::Show { node, by, .. } => ("Show", node, by),
        PartDef::Label { node, by, .. } => ("Label", node, by),
    };
    let Some(index) = signals.iter().position(|signal| signal.name == by.value) else {
        let brief = format!("look: {word} is moved by the unknown signal `{}`", by.value);
        let names = signals.iter().map(|signal| signal.name.as_str());
        let all = || format!("the signals are {}", names.clone().collect::<Vec<_>>().join(", "));
        report.error("unknown-signal", by.span, item, brief, Hint::meant_or(nearest(by, names.clone()), all));
        return None;
    };
    let signal = signals.get(index)?;
    let mut check = Check { item, word, span: part.span, by: by.span, signal, report };
    if signal.kind == ValueKind::Text && !matches!(part.value, PartDef::Label { .. }) {
        check.fail("bad-look", "is moved by a text", "only Label shows texts");
        return None;
    }
    let motion = match &part.value {
        PartDef::Spin { axis, ratio, .. } => {
            check.unit("rad/s", "an angular speed such as rpm, rad/s or Hz");
            let ratio = check.finite(ratio.unwrap_or(1.0));
            Motion::Spin { axis: check.axis(*axis, Axis::Y), ratio }
        }
        PartDef::Rotate { axis, .. } => {
            check.unit("rad", "an angle such as deg or rad");
            Motion::Rotate { axis: check.axis(*axis, Axis::Y) }
        }
        PartDef::Slide { axis, from, to, .. } => {
            let to = (check.finite(to.0), check.finite(to.1));
            Motion::Slide { axis: check.axis(*axis, Axis::X), from: check.from(*from), to }
        }
        PartDef::Tint { from, scale, .. } => Motion::Tint { from: check.from(*from), scale: *scale },
        PartDef::Fill { axis, from, .. } => Motion::Fill { axis: check.axis(*axis, Axis::Y), from: check.from(*from) },
        PartDef::Emit { colour, from, .. } => {
            let colour = [colour.0, colour.1, colour.2];
            if colour.iter().any(|part| *part < 0.0) {
                check.fail("bad-look", "has a colour below 0", "linear red, green and blue from 0 up");
            }
            Motion::Emit { colour, from: check.from(*from) }
        }
        PartDef::Show { above, .. } => Motion::Show { above: above.unwrap_or(0.5) },
        PartDef::Label { decimals, .. } => Motion::Label { decimals: decimals.unwrap_or(1).min(12) },
    };
    Some(PreparedPart { node: node.clone(), signal: index, motion })
}

struct Check<'c> {
    item: &'c str,
    word: &'static str,
    span: Span,
    by: Span,
    signal: &'c Prepared,
    report: &'c mut Report,
}

impl Check<'_> {
    fn fail(&mut self, rule: &'static str, what: &str, hint: &str) {
        let brief = format!("look: {} by `{}` {what}", self.word, self.signal.name);
        self.report.error(rule, self.span, self.item, brief, hint.into());
    }

    /// The unit of the signal must measure what the motion needs.
    fn unit(&mut self, wanted: &str, words: &str) {
        if !Unit::parse(wanted).is_ok_and(|unit| unit.fits(&self.signal.unit)) {
            let unit = match self.signal.unit.symbol() {
                "" => "no unit".to_owned(),
                symbol => format!("the unit `{symbol}`"),
            };
            let brief = format!("look: {} needs {words}, but `{}` has {unit}", self.word, self.signal.name);
            self.report.error("unit-mismatch", self.by, self.item, brief, Hint::NONE);
        }
    }

    fn finite(&self, x: f32) -> f32 {
        if x.is_finite() { x } else { 0.0 }
    }

    /// A unit vector.
    fn axis(&mut self, given: Option<Axis>, otherwise: Axis) -> [f32; 3] {
        let [x, y, z] = match given.unwrap_or(otherwise) {
            Axis::X => [1.0, 0.0, 0.0],
            Axis::Y => [0.0, 1.0, 0.0],
            Axis::Z => [0.0, 0.0, 1.0],
            Axis::Direction(x, y, z) => [x, y, z],
        };
        let length = [x, y, z].iter().map(|part| f64::from(*part) * f64::from(*part)).sum::<f64>().sqrt();
        if length < 1e-6 {
            self.fail("bad-look", "has an axis without a direction", "at least one of the three is not 0");
            return [0.0, 1.0, 0.0];
        }
        [x, y, z].map(|part| (f64::from(part) / length) as f32)
    }

    /// Signal values at both ends of the motion.
    fn from(&mut self, given: Option<(f64, f64)>) -> (f64, f64) {
        match (given, self.signal.kind, self.signal.range) {
            (Some((a, b)), ..) if a != b => (a, b),
            (Some(_), ..) => {
                self.fail("bad-look", "has a `from` whose ends are equal", "write from: (lowest, highest)");
                (0.0, 1.0)
            }
            (None, ValueKind::Bool, _) => (0.0, 1.0),
            (None, _, Some(range)) => range,
            (None, ..) => {
                self.fail("bad-look", "has no ends", "add from: (lowest, highest), or a range to the signal");
                (0.0, 1.0)
            }
        }
    }
}
