//! Finds the signals that an expression or an alarm names. In: names as written, the twin that asks. Out: indices, or
//! what is wrong with a name, at its place.

use std::collections::HashMap;

use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{Scene, Signal, Twin};
use super::signals::Expression;
use super::text::Template;
use crate::value::SignalIndex;

/// Who names a signal: for whom names are looked up, and what messages say.
pub(super) struct Asker<'a> {
    pub scene: &'a Scene,
    /// Names without a twin are signals of this one; none for a broker.
    pub twin: Option<&'a Twin>,
    pub params: &'a HashMap<String, String>,
    /// `P-101.vibration.high`: where it stands in the scene file, not the path of an alarm
    pub item: &'a str,
    /// The field that names it: `derived`, `when`.
    pub field: &'static str,
}

/// Why a name is no signal, and what was probably meant.
type Miss = (String, Option<String>);

impl Asker<'_> {
    /// The inputs of an expression by name, in its order; none if one of them is not known, which is reported.
    pub fn inputs(&self, expression: &Expression, report: &mut Report) -> Option<Vec<(String, SignalIndex)>> {
        let source = &expression.source;
        let mut inputs = Vec::with_capacity(expression.references.len());
        let mut whole = true;
        for reference in expression.references.iter() {
            let Some(name) = self.filled(&reference.text) else {
                let brief = format!("{}: {:?} has a placeholder that has no value", self.field, reference.text);
                let span = report.inside(source.span, source, reference.at.clone());
                report.error("unknown-placeholder", span, self.item, brief, "add params to the twin".into());
                whole = false;
                continue;
            };
            if reference.is_output {
                let brief = format!("{}: outputs of models are for `measures`: signals follow signals", self.field);
                let span = report.inside(source.span, source, reference.at.clone());
                report.error("bad-expression", span, self.item, brief, "write signal(\"P-101.flow\")".into());
                whole = false;
                continue;
            }
            let found = match name.rsplit_once('.').filter(|_| reference.quoted) {
                Some((id, signal)) => self.foreign(id, signal),
                None => self.own(&name),
            };
            match found {
                Ok(signal) => inputs.push((name, signal.index)),
                Err((brief, near)) => {
                    let span = report.inside(source.span, source, reference.at.clone());
                    let hint = Hint::meant_or(near.as_deref(), || {
                        "signals of this twin stand by name, others as signal(\"P-101.flow\")".to_owned()
                    });
                    report.error("unknown-signal", span, self.item, format!("{}: {brief}", self.field), hint);
                    whole = false;
                }
            }
        }
        whole.then_some(inputs)
    }

    /// A signal by a bare name: `flow` of the asking twin or `P-101.flow` (names of signals hold no dots).
    pub fn signal(&self, written: &str) -> Result<&Signal, Miss> {
        let name = self.filled(written).ok_or_else(|| {
            let brief = format!("{written:?} has a placeholder that has no value");
            (brief, None)
        })?;
        match name.rsplit_once('.') {
            Some((id, signal)) => self.foreign(id, signal),
            None => self.own(&name),
        }
    }

    fn filled(&self, written: &str) -> Option<String> {
        let value = |name: &str| match name {
            "id" => self.twin.map(|twin| twin.id.as_str()),
            other => self.params.get(other).map(String::as_str),
        };
        Template::parse(written).ok()?.fill(value).ok()
    }

    fn foreign(&self, id: &str, signal: &str) -> Result<&Signal, Miss> {
        let scene = self.scene;
        match scene.twin(id) {
            Some(twin) => scene.signal(id, signal).ok_or_else(|| {
                let near = nearest(signal, scene.signals_of(twin).iter().map(|signal| signal.name.as_str()));
                (format!("the twin {id} has no signal `{signal}`"), near.map(|near| format!("{id}.{near}")))
            }),
            None => {
                let near = nearest(id, scene.twins.iter().map(|twin| twin.id.as_str()));
                Err((format!("there is no twin `{id}`"), near.map(|near| format!("{near}.{signal}"))))
            }
        }
    }

    fn own(&self, name: &str) -> Result<&Signal, Miss> {
        let Some(twin) = self.twin else {
            return Err((format!("a broker has no signal `{name}`: name the twin as well"), None));
        };
        let own = self.scene.signals_of(twin);
        own.iter().find(|signal| signal.name == name).ok_or_else(|| {
            let near = nearest(name, own.iter().map(|signal| signal.name.as_str()));
            (format!("there is no signal `{name}` in this twin"), near.map(str::to_owned))
        })
    }
}
