//! Files of faults that lie over live data. In: a path, the scene of the data. Out: the faults by paths, each with its reason;
//! or every issue at once.
//!
//! ```text
//! Overlay(format: (1, 0), faults: [
//!     (at: "5s", fault: "bias", on: "P-101.flow", with: {"by": "2 m3/h"}, lasts: "1min", note: "as after the last repair"),
//!     (fault: "latency", on: "hall/#", with: {"by": "3 s"}),
//! ])
//! ```
//!
//! A fault is written as in a step of a scenario; `at` counts from when the file is laid over the data, and `note` is the
//! reason that goes on record.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::faults;
use super::format::StepDef;
use super::load::Said;
use crate::fault::{Layer, WrittenFault};
use crate::scene::document::{self, Names};
use crate::scene::report::{Hint, Report};
use crate::scene::{self, Issue, Scene, SourceFile, Spanned};

/// The newest format version that this program reads.
const VERSION: (u32, u32) = (1, 0);

#[derive(Debug, Deserialize)]
#[serde(rename = "Overlay", deny_unknown_fields)]
struct OverlayFile {
    #[serde(rename = "format")]
    _format: Spanned<(u32, u32)>,
    faults: Vec<Spanned<StepDef>>,
}

/// What came of loading.
#[derive(Debug, Default)]
pub struct LoadedOverlay {
    /// With their reasons, onsets from the moment at which they are laid; none where there are errors.
    pub faults: Option<Vec<(WrittenFault, String)>>,
    pub issues: Vec<Issue>,
    /// The texts that issues point into.
    pub sources: Vec<SourceFile>,
}

impl LoadedOverlay {
    /// All issues as text, with the lines they point at.
    pub fn render(&self, colour: bool) -> String {
        scene::render(&self.issues, &self.sources, colour)
    }
}

/// Reads the faults of a file, for data of a scene.
pub fn load_overlay(path: &Path, scene: &Scene) -> LoadedOverlay {
    let mut report = Report::default();
    let text = std::fs::read_to_string(path);
    let id = report.add_file(path.to_owned(), Arc::from(text.as_deref().unwrap_or_default()));
    let faults = match text {
        Ok(text) => document::read::<OverlayFile>(&text, id, VERSION, &[], &mut report)
            .map(|file| resolve(&file, &mut Names { scene, report: &mut report })),
        Err(error) => {
            let brief = format!("{} cannot be read: {error}", path.display());
            report.error("unreadable-file", scene::Span::new(id, 0..0), "", brief, Hint::NONE);
            None
        }
    };
    let failed = report.errors > 0;
    let (issues, sources) = report.finish();
    LoadedOverlay { faults: faults.filter(|_| !failed), issues, sources }
}

fn resolve(file: &OverlayFile, names: &mut Names<'_>) -> Vec<(WrittenFault, String)> {
    let mut found: Vec<(WrittenFault, String)> = Vec::new();
    let said = Said::of_live(names.scene);
    for (number, def) in (1..).zip(&file.faults) {
        let item = format!("fault {number}");
        let Some(mut fault) = faults::alone(number, def, &item, &said, names) else { continue };
        if fault.layer() == Layer::Process {
            let brief = format!("{} acts on a machine, and live data have none", fault.kind().name);
            let hint = "choose a fault of a sensor or a link, or write a scenario";
            names.error("bad-fault", def.span, &item, brief, hint.into());
            continue;
        }
        if def.id.is_none() {
            fault.id = item.clone();
        }
        if found.iter().any(|(other, _)| other.id == fault.id) {
            let brief = format!("there are two faults `{}`", fault.id);
            names.error("bad-fault", def.span, &item, brief, "give each an `id` of its own".into());
            continue;
        }
        let reason = def.note.as_ref().map(|note| note.value.clone()).unwrap_or_default();
        found.push((scene::faults::written(&fault, names.scene), reason));
    }
    found
}
