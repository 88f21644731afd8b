//! The log of issues: what is wrong in the scene file, and what sources complain about.
//!
//! In: [`IssuesView`], built from the loaded scene and the source report. Out: the command to reload the scene. Never
//! shortens the list: every issue is a line.

use bevy_egui::egui::{self, Frame, Margin, ScrollArea, Sense, Ui, pos2, vec2};

use super::class::{Dock, PanelClass};
use super::mark::Mark;
use super::snapshot::Snapshot;
use super::{theme, widgets};
use crate::command::{OperatorCommand, SceneCommand};
use crate::scene::{Issue, LoadedScene, Severity};
use crate::source::{ConnectionState, SourceReport};

#[derive(Clone, PartialEq, Debug, Default)]
pub struct IssuesView {
    pub scene_file: String,
    /// The scene on screen is older than the file, as the file has errors.
    pub last_good: bool,
    pub lines: Vec<IssueView>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct IssueView {
    pub mark: Mark,
    /// `scene.ron:12:5`, or the name of a source.
    pub place: String,
    pub brief: String,
    pub hint: Option<String>,
    pub rule: String,
}

impl IssuesView {
    pub fn errors(&self) -> usize {
        self.lines.iter().filter(|line| line.mark == Mark::Error).count()
    }

    pub fn warnings(&self) -> usize {
        self.lines.iter().filter(|line| line.mark == Mark::Warning).count()
    }
}

/// Errors first, then by file and place; then sources that are not connected, by name; then what is wrong with the record.
pub fn issues_view(loaded: &LoadedScene, report: &SourceReport, troubles: &[String]) -> IssuesView {
    let dir = &loaded.scene.dir;
    let mut issues: Vec<&Issue> = loaded.issues.iter().collect();
    issues.sort_by_key(|issue| (issue.severity, &issue.file, issue.line, issue.column));
    let mut lines: Vec<IssueView> = issues
        .into_iter()
        .map(|issue| {
            let file = issue.file.strip_prefix(dir).unwrap_or(&issue.file);
            IssueView {
                mark: match issue.severity {
                    Severity::Error => Mark::Error,
                    Severity::Warning => Mark::Warning,
                },
                place: format!("{}:{}:{}", file.display(), issue.line, issue.column),
                brief: issue.brief.clone(),
                hint: issue.hint.clone(),
                rule: issue.rule.to_owned(),
            }
        })
        .collect();
    let last_good = lines.iter().any(|line| line.mark == Mark::Error);
    for source in &report.sources {
        // Connected and an error all the same: the broker refuses a subscription.
        if let Some(error) = &source.error {
            lines.push(IssueView {
                mark: Mark::Warning,
                place: source.name.clone(),
                brief: error.clone(),
                hint: (source.state == ConnectionState::Stopped).then(|| "It will not try again.".to_owned()),
                rule: "source".into(),
            });
        }
    }
    lines.extend(troubles.iter().map(|trouble| IssueView {
        mark: Mark::Warning,
        place: "record".to_owned(),
        brief: trouble.clone(),
        hint: None,
        rule: "record".into(),
    }));
    IssuesView { scene_file: loaded.scene.path.display().to_string(), last_good, lines }
}

/// The issues among the panels.
pub struct IssuesPanel;

impl PanelClass for IssuesPanel {
    const NAME: &'static str = "issues";
    const TITLE: &'static str = "Issues";
    const DOCK: Dock = Dock::Below;
    type State = ();
    type View<'a> = &'a IssuesView;

    fn view<'a>(read: &'a Snapshot<'a>, (): &()) -> &'a IssuesView {
        read.issues
    }

    fn ui(ui: &mut Ui, view: &&IssuesView, (): &mut (), out: &mut Vec<OperatorCommand>) {
        issues_ui(ui, view, out);
    }

    fn tab(read: &Snapshot) -> String {
        match read.issues.lines.len() {
            0 => Self::TITLE.to_owned(),
            count => format!("{} ({count})", Self::TITLE),
        }
    }
}

pub fn issues_ui(ui: &mut Ui, view: &IssuesView, out: &mut Vec<OperatorCommand>) {
    ui.horizontal(|ui| {
        if ui.button("Reload scene").clicked() {
            out.push(SceneCommand::Reload.into());
        }
        if view.last_good {
            widgets::line(ui, "The last good scene is shown until the file is mended.", theme::small(), theme::WARNING);
        } else {
            widgets::line(ui, &view.scene_file, theme::small(), theme::TEXT_WEAK).on_hover_text(&view.scene_file);
        }
    });
    ui.add_space(2.0);
    if view.lines.is_empty() {
        widgets::empty(ui, "No issues", "The scene and all sources are well.");
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        for line in &view.lines {
            Frame::new().fill(theme::SUNKEN).corner_radius(4.0).inner_margin(Margin::symmetric(10, 6)).show(ui, |ui| {
                ui.set_width(ui.available_width());
                issue_ui(ui, line);
            });
        }
    });
}

fn issue_ui(ui: &mut Ui, line: &IssueView) {
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(16.0, 18.0), Sense::hover());
        widgets::paint_mark(ui.painter(), pos2(rect.left() + 7.0, rect.center().y), line.mark);
        ui.vertical(|ui| {
            ui.label(egui::RichText::new(&line.brief).color(theme::TEXT_STRONG));
            if let Some(hint) = &line.hint {
                ui.label(egui::RichText::new(hint).font(theme::small()).color(theme::TEXT));
            }
            let place = format!("{}  ·  {}", line.place, line.rule);
            widgets::line(ui, &place, theme::mono(), theme::TEXT_WEAK).on_hover_text(&place);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use egui_kittest::kittest::Queryable as _;

    #[test]
    fn errors_come_first_with_file_line_and_column() {
        let view = issues_view(&testing::loaded(), &testing::report(), &[]);
        let places: Vec<_> = view.lines.iter().map(|line| line.place.as_str()).collect();
        assert_eq!(places, ["scene.ron:41:13", "types/pump.ron:12:9", "lab", "plant"]);
        assert!(view.last_good);
        assert_eq!((view.errors(), view.warnings()), (1, 3));
    }

    #[test]
    fn an_issue_shows_its_brief_its_hint_and_reloads_on_request() {
        let view = issues_view(&testing::loaded(), &testing::report(), &[]);
        let mut harness = testing::harness(Vec::new(), move |ui, out| issues_ui(ui, &view, out));
        harness.get_by_label_contains("unknown field `expire`");
        harness.get_by_label_contains("Did you mean `expires`?");
        harness.get_by_label("Reload scene").click();
        harness.run();
        assert_eq!(*harness.state(), [OperatorCommand::Scene(SceneCommand::Reload)]);
    }
}
