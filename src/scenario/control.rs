//! Requests to a simulated plant that others may control. In: the text of a message, the scene of the plant. Out: what is asked
//! for; or what is wrong with it, in sentences. Sends nothing: the plant's thread hears and answers.
//!
//! A request is JSON, with a fault as a step of a scenario writes it:
//!
//! ```text
//! {"id": 7, "by": "ada", "reason": "drill", "inject": {"fault": "bias", "on": "P-101.flow", "with": {"by": "2 m3/h"},
//!  "at": "5s", "ramp": "10s", "lasts": "5min", "id": "F-7"}}
//! {"clear": "F-7"}
//! {"clear": "all"}
//! {"id": "who is there?"}
//! ```
//!
//! All fields may be left out; `at` counts from when the plant takes it. The answer repeats `id`:
//!
//! ```text
//! {"id": 7, "ok": true, "said": ["fault F-7 is set"], "time": "2026-05-01T10:00:00Z", "faults": ["F-7"]}
//! ```

use std::sync::Arc;

use serde::Deserialize;

use super::faults;
use super::format::StepDef;
use super::load::Said;
use crate::scene::document::Names;
use crate::scene::report::Report;
use crate::scene::{self, Scene, Spanned};
use crate::source::plant::{Asked, Control, Intervention, Request};

/// Who is named where a request names nobody.
const NOBODY: &str = "control";
/// The longest name, reason and id of a request that goes on record, in characters.
const LONGEST: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestDef {
    #[serde(default)]
    id: serde_json::Value,
    #[serde(default)]
    by: String,
    #[serde(default)]
    reason: String,
    inject: Option<Spanned<StepDef>>,
    clear: Option<String>,
}

/// Reads requests for a plant.
pub fn control() -> Control {
    Control(Arc::new(read))
}

fn read(scene: &Scene, payload: &[u8]) -> Request {
    let def: RequestDef = match serde_json::from_slice(payload) {
        Ok(def) => def,
        Err(error) => {
            // The sender can still tell the answer by its id.
            let whole: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
            let id = whole.and_then(|whole| whole.get("id").cloned()).unwrap_or_default();
            let rule = "a request is JSON such as {\"inject\": {\"fault\": \"bias\", …}} or {\"clear\": \"all\"}";
            return Request { id: short_id(id), asked: Err(vec![format!("{rule}: {error}")]) };
        }
    };
    let what = match (&def.inject, &def.clear) {
        (Some(_), Some(_)) => Err(vec!["a request sets a fault or clears one, not both: send two".to_owned()]),
        (Some(fault), None) => inject(fault, scene).map(Some),
        (None, Some(id)) if id.len() > LONGEST => Err(vec![format!("an id has at most {LONGEST} characters")]),
        (None, Some(id)) if id == "all" => Ok(Some((Intervention::ClearAll, String::new()))),
        (None, Some(id)) => Ok(Some((Intervention::Clear(id.clone()), String::new()))),
        (None, None) => Ok(None),
    };
    let by = if def.by.trim().is_empty() { NOBODY } else { def.by.trim() };
    let asked = what.map(|what| {
        what.map(|(what, note)| {
            let reason = if def.reason.trim().is_empty() { note.as_str() } else { def.reason.trim() };
            Asked { what, by: cut(by), reason: cut(reason) }
        })
    });
    Request { id: short_id(def.id), asked }
}

/// A fault, with the reason that is written beside it.
fn inject(def: &Spanned<StepDef>, scene: &Scene) -> Result<(Intervention, String), Vec<String>> {
    if def.id.as_ref().is_some_and(|id| id.len() > LONGEST) {
        return Err(vec![format!("an id has at most {LONGEST} characters")]);
    }
    let mut report = Report::default();
    report.add_file(Default::default(), "".into());
    let mut names = Names { scene, report: &mut report };
    let fault = faults::alone(1, def, "", &Said::of_plant(scene), &mut names);
    let (issues, _) = report.finish();
    match fault {
        Some(mut fault) => {
            // The plant names the one that has no name.
            if def.id.is_none() {
                fault.id = String::new();
            }
            let note = def.note.as_ref().map(|note| note.value.clone()).unwrap_or_default();
            Ok((Intervention::Inject(scene::faults::written(&fault, scene)), note))
        }
        None => Err(issues.iter().map(scene::faults::said).collect()),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// An id that is too long to repeat is none.
fn short_id(id: serde_json::Value) -> serde_json::Value {
    if id.to_string().len() <= LONGEST { id } else { serde_json::Value::Null }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scene::{SourceFile, load_texts};

    const SCENE: &str = r#"Scene(format: (1, 3), name: "Two tanks", types: {
        "Tank": (
            model: Tank(area: "2 m2"),
            signals: {"level": (unit: "m", topic: "two/{id}", json: "/level", measures: "level")},
        ),
        "Valve": (model: ControlValve(), inputs: {"command": (value: 0.5)}),
    }, twins: [(id: "T-1", type: "Tank"), (id: "T-2", type: "Tank"), (id: "V-1", type: "Valve")], links: [
        (from: "T-1.outlet", to: "V-1.inlet"), (from: "V-1.outlet", to: "T-2.inlet"),
    ])"#;

    fn asked(text: &str) -> Request {
        let source = SourceFile { path: "scene.ron".into(), text: SCENE.into() };
        let loaded = load_texts(Path::new("scene.ron"), &[source]);
        let scene = loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false)));
        read(&scene, text.as_bytes())
    }

    fn refused(text: &str) -> String {
        asked(text).asked.expect_err("it is wrong").join("; ")
    }

    #[test]
    fn a_fault_is_read_as_a_step_of_a_scenario() {
        let text = r#"{"id": 7, "by": "ada", "reason": "drill", "inject": {"fault": "bias", "on": "T-1.level",
            "with": {"by": "20 cm"}, "at": "5s", "ramp": "10s", "lasts": "5min", "id": "wet"}}"#;
        let request = asked(text);
        assert_eq!(request.id, 7);
        let Ok(Some(Asked { what: Intervention::Inject(fault), by, reason })) = request.asked else {
            panic!("{request:?}")
        };
        assert_eq!((by.as_str(), reason.as_str(), fault.id.as_str()), ("ada", "drill", "wet"));
        assert_eq!((fault.on(), fault.values()), ("T-1.level".into(), vec![0.2]));
        assert_eq!((fault.course.onset, fault.course.ramp), (5_000_000_000, 10_000_000_000));
    }

    #[test]
    fn faults_are_cleared_and_looked_at() {
        let what = |text: &str| asked(text).asked.expect("it is right").map(|asked| asked.what);
        assert_eq!(what(r#"{"clear": "all"}"#), Some(Intervention::ClearAll));
        assert_eq!(what(r#"{"clear": "F-7", "by": "bob"}"#), Some(Intervention::Clear("F-7".into())));
        assert_eq!(what(r#"{"id": "who"}"#), None);
    }

    #[test]
    fn what_is_wrong_is_told_with_the_id_of_the_request() {
        let wrong = r#"{"id": "x", "inject": {"fault": "bais", "on": "T-1.level"}}"#;
        assert_eq!(asked(wrong).id, "x");
        assert_eq!(refused(wrong), "there is no kind of fault `bais`: did you mean `bias`?");
        assert!(refused(r#"{"inject": {"fault": "bias", "on": "T-1.levl", "with": {"by": 1}}}"#).contains("T-1.level"));
        assert!(
            refused(r#"{"inject": {"fault": "bias", "on": "T-1.level", "when": "true"}}"#)
                .contains("waits for nothing")
        );
        assert!(refused(r#"{"inject": {}, "clear": "all"}"#).contains("not both"));
        assert!(refused(r#"{"inject": {}}"#).contains("names no kind of fault"));
        for text in ["", "[]", "{\"inject\": 3}", "{\"claer\": \"all\"}", "\u{0}"] {
            assert!(refused(text).contains("a request is JSON such as"), "{text}");
        }
        assert_eq!(asked(r#"{"id": 3, "claer": "all"}"#).id, 3);
    }
}
