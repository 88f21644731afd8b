//! The dialog that opens something else: what was opened last, and a path to type. And what is said about it afterwards.
//!
//! In: [`OpenView`], what is typed. Out: [`OpenCommand`]s. Never looks at a disk: their handler does.

use std::path::PathBuf;

use bevy::prelude::Resource;
use bevy_egui::egui::{
    self, Align, Button, Context, Frame, Key, Margin, Modal, Panel, Rect, RichText, ScrollArea, Ui, WidgetInfo,
    WidgetType, pos2, vec2,
};

use super::{format, theme, widgets};
use crate::command::{OpenCommand, OperatorCommand};
use crate::recent::{Listed, RecentKind};
use crate::value::Timestamp;

/// What was opened last. Written by who opens things, whenever the dialog is opened.
#[derive(Resource, Clone, PartialEq, Eq, Debug, Default)]
pub struct RecentFiles {
    /// None while it is being read.
    pub listed: Option<Vec<Listed>>,
    /// Why there is no list.
    pub problem: Option<String>,
    /// On the wall, when the list was made.
    pub at: Timestamp,
}

/// What the dialog keeps between frames.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OpenState {
    pub is_open: bool,
    text: String,
}

impl OpenState {
    pub fn open(&mut self) {
        *self = Self { is_open: true, text: String::new() };
    }
}

/// A word on what was opened, above all panels until it is taken away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// Goes by itself.
    Underway(String),
    Failed(String),
}

#[derive(Clone, Copy, Debug)]
pub struct OpenView<'a> {
    pub recent: &'a RecentFiles,
    /// A replay is shown, with nothing beside it: another recording takes its place. Else it gets a window of its own.
    pub takes_place: bool,
}

/// A path as people type or paste it.
pub fn typed_path(text: &str) -> PathBuf {
    let text = text.trim();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let home = bare.strip_prefix("~/").zip(std::env::var_os("HOME"));
    home.map_or_else(|| PathBuf::from(bare), |(rest, home)| PathBuf::from(home).join(rest))
}

/// Shows the dialog if it is open; closes it when something was chosen, or nothing is to be.
pub fn dialog_ui(ctx: &Context, view: &OpenView, state: &mut OpenState, out: &mut Vec<OperatorCommand>) {
    if !state.is_open {
        return;
    }
    let frame = Frame::popup(&ctx.global_style()).inner_margin(18);
    let shown = Modal::new(egui::Id::new("open")).frame(frame).show(ctx, |ui| {
        ui.set_width(620.0_f32.min(ctx.content_rect().width() - 80.0));
        chooser_ui(ui, view, &mut state.text)
    });
    if let Some(answer) = shown.inner {
        out.extend(answer.map(|files| OpenCommand(files).into()));
        state.is_open = false;
    } else if shown.should_close() {
        state.is_open = false;
    }
}

const BUTTON_WIDTH: f32 = 64.0;

/// None while the dialog goes on, else what is to be opened, if anything.
fn chooser_ui(ui: &mut Ui, view: &OpenView, text: &mut String) -> Option<Option<Vec<PathBuf>>> {
    ui.label(RichText::new("Open a recording or a scene").heading().color(theme::TEXT_STRONG));
    let what = match view.takes_place {
        true => "A recording takes the place of this one; a scene opens in a window of its own.",
        false => "It opens in a window of its own: what is shown here goes on.",
    };
    widgets::line(ui, what, theme::small(), theme::TEXT_WEAK);
    ui.add_space(6.0);
    let mut answer = None;
    ui.horizontal(|ui| {
        let field = egui::TextEdit::singleline(text).hint_text("Path of an .mcap or .ron file");
        let room = ui.available_width() - BUTTON_WIDTH - ui.spacing().item_spacing.x;
        let response = ui.add_sized(vec2(room, 0.0), field.margin(vec2(8.0, 5.0)));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Path to open"));
        if ui.memory(|memory| memory.focused().is_none()) {
            response.request_focus();
        }
        let is_typed = !text.trim().is_empty();
        let enter = ui.input(|input| input.key_pressed(Key::Enter));
        let button = Button::new("Open").min_size(vec2(BUTTON_WIDTH, 0.0));
        if ui.add_enabled(is_typed, button).clicked() || enter && is_typed {
            answer = Some(Some(vec![typed_path(text)]));
        }
    });
    widgets::section(ui, "Opened last");
    match (&view.recent.problem, &view.recent.listed) {
        (Some(problem), _) => {
            ui.add(egui::Label::new(RichText::new(problem).font(theme::small()).color(theme::TEXT_WEAK)).wrap());
        }
        (None, None) => drop(widgets::line(ui, "…", theme::small(), theme::TEXT_WEAK)),
        (None, Some(listed)) if listed.is_empty() => {
            widgets::line(
                ui,
                "Nothing yet. Files can also be dropped on the window.",
                theme::small(),
                theme::TEXT_WEAK,
            );
        }
        (None, Some(listed)) => {
            ui.spacing_mut().item_spacing.y = 0.0;
            ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
                for entry in listed {
                    if row_ui(ui, entry, view.recent.at) {
                        answer = Some(Some(entry.recent.files.clone()));
                    }
                }
            });
        }
    }
    ui.add_space(8.0);
    if ui.button("Cancel").clicked() {
        answer = Some(None);
    }
    answer
}

/// Says whether the entry was chosen: one that is missing cannot be.
fn row_ui(ui: &mut Ui, entry: &Listed, at: Timestamp) -> bool {
    let title = entry.recent.title();
    let name = match &entry.missing {
        Some(why) => format!("{title} {why}"),
        None => title.clone(),
    };
    let (rect, response) = widgets::row(ui, theme::ROW, false, &name);
    let kind = match entry.recent.kind {
        RecentKind::Recording => "recording",
        RecentKind::Scene => "scene",
    };
    let age = match format::age(at.secs_since(entry.recent.opened)).as_str() {
        "now" => "now".to_owned(),
        age => format!("{age} ago"),
    };
    let about = entry.missing.clone().unwrap_or_else(|| format!("{kind}, {age}"));
    let cell = |from: f32, to: f32| {
        let x = |part: f32| rect.left() + 8.0 + (rect.width() - 16.0) * part;
        Rect::from_min_max(pos2(x(from), rect.top()), pos2(x(to) - 8.0, rect.bottom()))
    };
    let ink = if entry.missing.is_some() { theme::TEXT_WEAK } else { theme::TEXT_STRONG };
    widgets::paint_text(ui.painter(), cell(0.0, 0.42), &title, theme::body(), ink, Align::Min);
    let folder = entry.recent.folder();
    widgets::paint_text(ui.painter(), cell(0.42, 0.74), &folder, theme::small(), theme::TEXT_WEAK, Align::Min);
    widgets::paint_text(ui.painter(), cell(0.74, 1.0), &about, theme::small(), theme::TEXT_WEAK, Align::Min);
    let files: Vec<String> = entry.recent.files.iter().map(|file| file.display().to_string()).collect();
    response.on_hover_text(files.join("\n")).clicked() && entry.missing.is_none()
}

/// Under the top bar. Says whether it is to be taken away.
pub fn notice_ui(ui: &mut Ui, notice: &Notice) -> bool {
    let (text, fill, ink, closes) = match notice {
        Notice::Underway(text) => (text, theme::RAISED, theme::TEXT, false),
        Notice::Failed(text) => (text, theme::SUNKEN, theme::CRITICAL, true),
    };
    let frame = Frame::new().fill(fill).inner_margin(Margin::symmetric(12, 6));
    Panel::top("notice")
        .resizable(false)
        .show_separator_line(false)
        .frame(frame)
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                let room = ui.available_width() - if closes { 70.0 } else { 0.0 };
                ui.allocate_ui(vec2(room, 0.0), |ui| {
                    ui.set_width(room);
                    ui.add(egui::Label::new(RichText::new(text).color(ink)).wrap());
                });
                closes && ui.button("Close").clicked()
            })
            .inner
        })
        .inner
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing::{self, second};
    use crate::recent::Recent;
    use egui_kittest::kittest::Queryable as _;

    fn entry(file: &str, missing: Option<&str>) -> Listed {
        let files = vec![PathBuf::from(file)];
        let recent = Recent { kind: RecentKind::Recording, files, opened: second(0) };
        Listed { recent, missing: missing.map(str::to_owned) }
    }

    fn chosen(
        act: impl FnOnce(&mut egui_kittest::Harness<'_, (OpenState, Vec<OperatorCommand>)>),
    ) -> Vec<OperatorCommand> {
        let listed = Some(vec![entry("/r/shift.mcap", None), entry("/r/away.mcap", Some("is not there any more"))]);
        let recent = RecentFiles { listed, problem: None, at: second(600) };
        let mut open = OpenState::default();
        open.open();
        let mut harness = testing::harness((open, Vec::new()), move |ui, (state, out)| {
            dialog_ui(ui.ctx(), &OpenView { recent: &recent, takes_place: true }, state, out);
        });
        harness.run();
        act(&mut harness);
        harness.run();
        harness.into_state().1
    }

    #[test]
    fn a_recent_file_opens_at_a_click_and_one_that_is_gone_does_not() {
        let open = |path: &str| vec![OperatorCommand::Open(OpenCommand(vec![path.into()]))];
        assert_eq!(chosen(|harness| harness.get_by_label("shift.mcap").click()), open("/r/shift.mcap"));
        assert_eq!(chosen(|harness| harness.get_by_label("away.mcap is not there any more").click()), []);
        let typed = chosen(|harness| {
            harness.event(egui::Event::Text("\"/tmp/a b.mcap\"".into()));
            harness.run();
            harness.key_press(Key::Enter);
        });
        assert_eq!(typed, open("/tmp/a b.mcap"));
    }

    #[test]
    fn what_went_wrong_stays_until_it_is_taken_away() {
        let notice = Notice::Failed("/r/a.mcap: is no recording".into());
        let mut harness = testing::harness(false, move |ui, closed| *closed |= notice_ui(ui, &notice));
        harness.run();
        harness.get_by_label("/r/a.mcap: is no recording");
        assert!(!*harness.state());
        harness.get_by_label("Close").click();
        harness.run();
        assert!(*harness.state());
    }
}
