//! Edits of a scene while it runs: a limit, a delay, a priority of one alarm. In: a loaded scene, an alarm, a new value.
//! Out: the new text of one file, which differs as little as possible: comments and layout stay. Pure, but for
//! [`apply()`], which writes the file.
//!
//! What the twin itself says is changed where it stands. What comes from its type gets an override in the twin's own
//! definition, so that other twins of the type stay as they are:
//!
//! ```text
//! (id: "P-101", type: "Pump"),
//! (id: "P-101", type: "Pump", signals: {"vibration": (limits: (high: 5.0))}),
//! ```
//! The new text is read and checked like any scene before it is offered.

mod apply;
mod patch;
mod place;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::issue::{Issue, Severity, SourceFile};
use super::nearest::nearest;
use super::resolved::Scene;
use super::rule::{self, AlarmPath, Condition, Priority, Rule};
use super::text::write_duration;
use super::{Loaded, load_texts};

pub use apply::apply;
use place::Step;

/// What becomes different.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Change {
    /// In the unit of the signal; of a rate per second, as in [`Condition::Rate`].
    Limit(f64),
    /// As the limit.
    Deadband(f64),
    OnDelay(Duration),
    OffDelay(Duration),
    Priority(Priority),
    Enabled(bool),
}

impl Change {
    /// The field, for people.
    pub fn field(&self) -> &'static str {
        match self {
            Change::Limit(_) => "limit",
            Change::Deadband(_) => "deadband",
            Change::OnDelay(_) => "on-delay",
            Change::OffDelay(_) => "off-delay",
            Change::Priority(_) => "priority",
            Change::Enabled(_) => "enabled",
        }
    }
}

/// A change of one file that is known to give a valid scene.
#[derive(Clone, PartialEq, Debug)]
pub struct Edit {
    pub path: PathBuf,
    /// The whole text of the file, before and after.
    pub before: Arc<str>,
    pub after: Arc<str>,
    /// `P-101/vibration.high: limit`
    pub what: String,
    /// The value before and after, with its unit.
    pub was: String,
    pub now: String,
    /// What the scene warns of now and did not before.
    pub warnings: Vec<Issue>,
}

impl Edit {
    /// The edit that takes this one back: the file is as it was, byte for byte.
    pub fn undo(&self) -> Edit {
        Edit {
            before: self.after.clone(),
            after: self.before.clone(),
            was: self.now.clone(),
            now: self.was.clone(),
            warnings: Vec::new(),
            ..self.clone()
        }
    }
}

impl fmt::Display for Edit {
    /// `P-101/vibration.high: limit from 4.5 mm/s to 5 mm/s`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.what, self.was, self.now)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("there is no alarm {target}{}", near.as_ref().map(|near| format!(": did you mean {near}?")).unwrap_or_default())]
    UnknownAlarm { target: String, near: Option<String> },
    #[error("{target} has no {field}: {condition}")]
    NoSuchField { target: String, field: &'static str, condition: String },
    #[error("{target}: {field} must be a finite number, found {value}")]
    NotFinite { target: String, field: &'static str, value: f64 },
    #[error("{what} is {value} already")]
    Unchanged { what: String, value: String },
    #[error("{target} is not defined in any file of the scene")]
    NotInFile { target: String },
    #[error("the scene would not be valid: {}", first_brief(issues))]
    Refused { issues: Vec<Issue> },
    #[error("{what} would not become {value}: the scene says it in a way that cannot be edited here, edit {}", path.display())]
    Ineffective { what: String, value: String, path: PathBuf },
    #[error("{} was changed by somebody else since it was read; read it again, then repeat the edit", path.display())]
    ChangedOnDisk { path: PathBuf },
    #[error("{} cannot be {doing}", path.display())]
    Io { path: PathBuf, doing: &'static str, source: std::io::Error },
}

fn first_brief(issues: &[Issue]) -> String {
    let mut errors = issues.iter().filter(|issue| issue.severity == Severity::Error);
    let first = errors.next().map(|issue| issue.brief.clone()).unwrap_or_default();
    match errors.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    }
}

/// Works out what file becomes what, from the texts that the scene was loaded from. Touches nothing.
pub fn plan(scene: &Scene, target: &AlarmPath, change: &Change) -> Result<Edit, EditError> {
    let what = format!("{target}: {}", change.field());
    if let Change::Limit(value) | Change::Deadband(value) = *change
        && !value.is_finite()
    {
        return Err(EditError::NotFinite { target: target.to_string(), field: change.field(), value });
    }
    let rule = target.rule(scene);
    if rule.is_none() && *change != Change::Enabled(true) {
        return Err(unknown(scene, target));
    }
    let now = shown(change, rule, scene);
    let was = match rule.map(|rule| current(rule, change)) {
        Some(Some(current)) => shown(&current, rule, scene),
        Some(None) => {
            let condition = rule.map(|rule| rule::message(rule, scene)).unwrap_or_default();
            return Err(EditError::NoSuchField { target: target.to_string(), field: change.field(), condition });
        }
        None => "no".to_owned(),
    };
    if was == now {
        return Err(EditError::Unchanged { what, value: now });
    }
    let steps = place::steps(scene, target, rule, change);
    let literal = literal(scene, target, rule, change);
    let (source, after) = patched(scene, target, &steps, &literal)?;
    let (path, before) = (source.path.clone(), source.text.clone());
    let after: Arc<str> = after.into();
    let texts: Vec<SourceFile> =
        scene
            .sources
            .iter()
            .map(|source| {
                if source.path == path { SourceFile { text: after.clone(), ..source.clone() } } else { source.clone() }
            })
            .collect();
    let Loaded { scene: edited, issues, .. } = load_texts(&scene.path, &texts);
    let Some(edited) = edited else { return Err(EditError::Refused { issues }) };
    if !is_so(&edited, target, change) {
        // A disabled alarm that never was: it is the name that is wrong.
        return Err(match rule {
            None => unknown(scene, target),
            Some(_) => EditError::Ineffective { what, value: now, path },
        });
    }
    let warnings = if issues.is_empty() { issues } else { new_among(issues, scene) };
    Ok(Edit { path, before, after, what, was, now, warnings })
}

/// Those of `issues` that the scene did not have before.
fn new_among(issues: Vec<Issue>, before: &Scene) -> Vec<Issue> {
    let known = load_texts(&before.path, &before.sources).issues;
    let is_new = |issue: &Issue| !known.iter().any(|old| old.rule == issue.rule && old.brief == issue.brief);
    issues.into_iter().filter(is_new).collect()
}

fn unknown(scene: &Scene, target: &AlarmPath) -> EditError {
    let twin = target.twin.as_ref().and_then(|id| scene.twin(id));
    let near = twin.and_then(|twin| {
        let names = scene.alarms_of(twin.index).iter().map(|rule| rule.name.as_str());
        nearest(&target.alarm, names).map(|near| AlarmPath::of_twin(&*twin.id, near).to_string())
    });
    EditError::UnknownAlarm { target: target.to_string(), near }
}

/// The value that the rule has now, as a change to it; none if a rule of this kind has no such field.
fn current(rule: &Rule, change: &Change) -> Option<Change> {
    Some(match change {
        Change::Limit(_) => Change::Limit(match rule.condition {
            Condition::Limit { limit, .. } | Condition::Deviation { limit, .. } => limit,
            Condition::Rate { limit_per_sec, .. } => limit_per_sec,
            _ => return None,
        }),
        Change::Deadband(_) => Change::Deadband(match rule.condition {
            Condition::Limit { deadband, .. } | Condition::Deviation { deadband, .. } => deadband,
            Condition::Rate { deadband_per_sec, .. } => deadband_per_sec,
            _ => return None,
        }),
        Change::OnDelay(_) => Change::OnDelay(rule.on_delay),
        Change::OffDelay(_) => Change::OffDelay(rule.off_delay),
        Change::Priority(_) => Change::Priority(rule.priority),
        Change::Enabled(_) => Change::Enabled(true),
    })
}

/// A value as people read it.
fn shown(change: &Change, rule: Option<&Rule>, scene: &Scene) -> String {
    match change {
        Change::Limit(x) | Change::Deadband(x) => rule.map(|rule| rule::quantity(*x, rule, scene)).unwrap_or_default(),
        Change::OnDelay(delay) | Change::OffDelay(delay) => rule::duration(*delay),
        Change::Priority(priority) => priority.name().to_owned(),
        Change::Enabled(true) => "yes".to_owned(),
        Change::Enabled(false) => "no".to_owned(),
    }
}

/// A value as it stands in a file.
fn literal(scene: &Scene, target: &AlarmPath, rule: Option<&Rule>, change: &Change) -> String {
    match change {
        Change::Limit(x) | Change::Deadband(x) => match rule.map(|rule| &rule.condition) {
            // In the file a rate is per some time of its own.
            Some(Condition::Rate { .. }) => {
                let written = x * place::per(scene, target).as_secs_f64();
                // Twelve digits take back what the way over seconds has added.
                let tidy = format!("{written:.11e}").parse().unwrap_or(written);
                format!("{tidy:?}")
            }
            _ => format!("{x:?}"),
        },
        Change::OnDelay(delay) | Change::OffDelay(delay) => format!("\"{}\"", write_duration(*delay)),
        Change::Priority(priority) => match priority {
            Priority::Critical => "Critical",
            Priority::High => "High",
            Priority::Medium => "Medium",
            Priority::Low => "Low",
        }
        .to_owned(),
        Change::Enabled(enabled) => enabled.to_string(),
    }
}

/// The file that defines the owner of the alarm, and its new text.
fn patched<'s>(
    scene: &'s Scene,
    target: &AlarmPath,
    steps: &[Step],
    literal: &str,
) -> Result<(&'s SourceFile, String), EditError> {
    scene
        .sources
        .iter()
        .find_map(|source| {
            let tree = super::ron_tree::parse(&source.text, super::FileId::default()).ok()?;
            let owner = place::owner(&tree, target)?;
            Some((source, patch::set(&source.text, owner, steps, literal)?))
        })
        .ok_or_else(|| EditError::NotInFile { target: target.to_string() })
}

/// Whether the edited scene says what was asked for.
fn is_so(scene: &Scene, target: &AlarmPath, wanted: &Change) -> bool {
    let rule = target.rule(scene);
    if let Change::Enabled(enabled) = wanted {
        return rule.is_some() == *enabled;
    }
    let Some(found) = rule.and_then(|rule| current(rule, wanted)) else { return false };
    match (found, wanted) {
        (Change::Limit(a), Change::Limit(b)) | (Change::Deadband(a), Change::Deadband(b)) => {
            a == *b || (a - b).abs() <= 1e-9 * b.abs()
        }
        (found, wanted) => found == *wanted,
    }
}
