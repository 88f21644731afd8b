//! Notes and bookmarks: the dialog that writes one, and the list of all.
//!
//! In: [`TimeView`], what is typed. Out: `Note`, `Bookmark`, `Seek` and `Select` commands. A remark is about the moment at
//! which the dialog was opened, however long the typing takes.

use bevy_egui::egui::{self, Align, Context, Key, Modal, RichText, ScrollArea, Ui, WidgetInfo, WidgetType, vec2};

use super::TimeView;
use super::flags::{Flag, Flags, Sort, event_of};
use super::strip::paint_sort;
use crate::command::{AttentionCommand, CameraCommand, JournalCommand, OperatorCommand, TimeCommand};
use crate::event::{Event, Kind};
use crate::panel::{format, theme, widgets};
use crate::value::{Timestamp, TwinIndex};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RemarkKind {
    Note,
    Bookmark,
}

/// A remark that is being written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    kind: RemarkKind,
    at: Timestamp,
    twin: Option<TwinIndex>,
    about_twin: bool,
    text: String,
}

impl Draft {
    pub fn new(kind: RemarkKind, at: Timestamp, twin: Option<TwinIndex>) -> Self {
        Self { kind, at, twin, about_twin: twin.is_some(), text: String::new() }
    }

    /// The command, or what is still missing. A moment can be marked without a word.
    fn command(&self) -> Result<OperatorCommand, &'static str> {
        let text = self.text.trim().to_owned();
        let (twin, at) = (self.twin.filter(|_| self.about_twin), Some(self.at));
        match self.kind {
            RemarkKind::Note if text.is_empty() => Err("Write something."),
            RemarkKind::Note => Ok(OperatorCommand::Journal(JournalCommand::Note { text, twin, at })),
            RemarkKind::Bookmark => Ok(OperatorCommand::Journal(JournalCommand::Bookmark { text, twin, at })),
        }
    }
}

/// Shows the open dialog, if there is one; closes it when it is done or given up.
pub fn dialog_ui(ctx: &Context, view: &TimeView, draft: &mut Option<Draft>, out: &mut Vec<OperatorCommand>) {
    let Some(open) = draft else { return };
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(18);
    let shown = Modal::new(egui::Id::new("remark")).frame(frame).show(ctx, |ui| {
        ui.set_width(420.0);
        draft_ui(ui, view, open)
    });
    if let Some(answer) = shown.inner {
        out.extend(answer);
        *draft = None;
    } else if shown.should_close() {
        *draft = None;
    }
}

/// None while the dialog goes on, else what is to be done, if anything.
fn draft_ui(ui: &mut Ui, view: &TimeView, draft: &mut Draft) -> Option<Option<OperatorCommand>> {
    let (title, name, verb) = match draft.kind {
        RemarkKind::Note => ("Note", "Note text", "Add note"),
        RemarkKind::Bookmark => ("Bookmark", "Name of the bookmark", "Add bookmark"),
    };
    ui.label(RichText::new(title).heading().color(theme::TEXT_STRONG));
    let mut about = format!("at {}", format::date_and_clock(draft.at));
    if !view.operator.is_empty() {
        about.push_str(&format!(", by {}", view.operator));
    }
    widgets::line(ui, &about, theme::small(), theme::TEXT);
    ui.add_space(6.0);
    let field = egui::TextEdit::singleline(&mut draft.text).hint_text(name);
    let response = ui.add(field.desired_width(f32::INFINITY).margin(vec2(8.0, 5.0)));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, name));
    // The dialog was opened to be written in.
    if ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    if let Some(twin) = draft.twin.and_then(|twin| view.scene.twins.get(twin.at())) {
        ui.add_space(4.0);
        ui.checkbox(&mut draft.about_twin, format!("About {}", twin.id));
    }
    ui.add_space(8.0);
    let command = draft.command();
    ui.horizontal(|ui| {
        let enter = ui.input(|input| input.key_pressed(Key::Enter));
        let add = ui.add_enabled(command.is_ok(), egui::Button::new(verb)).clicked();
        let cancel = ui.button("Cancel").clicked();
        match command {
            Ok(command) if add || enter => Some(Some(command)),
            _ if cancel => Some(None),
            Ok(_) => None,
            Err(missing) => {
                ui.label(RichText::new(missing).font(theme::small()).color(theme::TEXT_WEAK));
                None
            }
        }
    })
    .inner
}

/// Notes and bookmarks, the latest first.
pub fn remarks(flags: &Flags) -> impl Iterator<Item = &Flag> {
    flags.iter().rev().filter(|flag| matches!(flag.sort, Sort::Note | Sort::Bookmark))
}

pub fn list_ui(ui: &mut Ui, view: &TimeView, flags: &Flags, out: &mut Vec<OperatorCommand>) {
    ui.set_width(360.0);
    let all: Vec<&Flag> = remarks(flags).collect();
    if all.is_empty() {
        widgets::empty(ui, "No notes yet", "N writes a note on the shown moment, B marks it.");
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().max_height(300.0).show_rows(ui, theme::ROW, all.len(), |ui, visible| {
        for flag in all.get(visible).unwrap_or_default() {
            if let Some(event) = event_of(view.events, flag.id) {
                row_ui(ui, view, flag.sort, event, out);
            }
        }
    });
}

fn row_ui(ui: &mut Ui, view: &TimeView, sort: Sort, event: &Event, out: &mut Vec<OperatorCommand>) {
    let (time, words) = (format::clock(event.time), words(event));
    let (rect, response) = widgets::row(ui, theme::ROW, false, &format!("{time} {words}"));
    paint_sort(ui.painter(), rect.left_center() + vec2(12.0, 0.0), sort);
    let cell = |left: f32, right: f32| {
        egui::Rect::from_min_max(egui::pos2(left, rect.top()), egui::pos2(right.max(left), rect.bottom()))
    };
    let time_cell = cell(rect.left() + 26.0, rect.left() + 88.0);
    widgets::paint_text(ui.painter(), time_cell, &time, theme::mono(), theme::TEXT_WEAK, Align::Min);
    let rest = cell(rect.left() + 94.0, rect.right() - 6.0);
    widgets::paint_text(ui.painter(), rest, &words, theme::body(), theme::TEXT, Align::Min);
    let by = event.by.as_deref().unwrap_or("nobody");
    let about = format!("{}\n{words}\nby {by}", format::date_and_clock(event.time));
    if response.on_hover_text(about).clicked() {
        go_to(view, event, out);
    }
}

/// What is written, and about what.
fn words(event: &Event) -> String {
    let text = match &event.kind {
        Kind::Bookmark { text } if text.is_empty() => "Bookmark",
        Kind::Bookmark { text } | Kind::Note { text } => text,
        _ => "",
    };
    match &event.twin {
        Some(twin) => format!("{twin}  {text}"),
        None => text.to_owned(),
    }
}

/// To the moment of an event, with its twin selected and in the picture.
pub fn go_to(view: &TimeView, event: &Event, out: &mut Vec<OperatorCommand>) {
    out.push(TimeCommand::Seek(event.seen_at()).into());
    if let Some(twin) = event.twin.as_deref().and_then(|id| view.scene.twin(id)) {
        out.push(AttentionCommand::Select(Some(twin.index)).into());
        out.push(CameraCommand::Focus(Some(twin.index)).into());
    }
}
