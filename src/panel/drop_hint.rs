//! The hint over the whole window while files hover above it: what it would mean to drop them.
//!
//! In: [`Hovered`]. Out: nothing. Never looks at a disk: who opens things does.

use bevy_egui::egui::{
    self, Align, Color32, Context, Id, LayerId, Layout, Order, Rect, RichText, Ui, UiBuilder, Vec2, vec2,
};

use super::{theme, widgets};

/// Files above the window, in the order in which they came; at least one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hovered {
    pub files: Vec<HoveredFile>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoveredFile {
    pub name: String,
    /// None while it is looked at.
    pub kind: Option<FileKind>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileKind {
    Recording,
    Scene,
    /// Why it cannot be opened: `is no recording: …`.
    Neither(String),
}

/// What the hint says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DropView {
    pub title: String,
    pub detail: String,
    /// A drop would open something.
    pub opens: bool,
}

/// `takes_place`: a recording would take the place of the one that is shown.
pub fn drop_view(hovered: &Hovered, takes_place: bool) -> DropView {
    let files = &hovered.files;
    let refused = files.iter().find_map(|file| match &file.kind {
        Some(FileKind::Neither(why)) => Some((&file.name, why)),
        _ => None,
    });
    if let Some((name, why)) = refused {
        let detail = format!("It {why}.\nRecordings (.mcap) and scenes (.ron) can be opened.");
        return DropView { title: format!("{name} cannot be opened"), detail, opens: false };
    }
    let has_scene = files.iter().any(|file| file.kind == Some(FileKind::Scene));
    if has_scene && files.len() > 1 {
        return DropView {
            title: format!("These {} files cannot be opened together", files.len()),
            detail: "Several files at once must all be recordings.\nDrop a scene by itself.".to_owned(),
            opens: false,
        };
    }
    let title = match &files[..] {
        [file] => format!("Drop to open {}", file.name),
        files => format!("Drop to open {} recordings as one timeline", files.len()),
    };
    let here = takes_place && !has_scene;
    let detail = match (here, files.len()) {
        _ if files.iter().any(|file| file.kind.is_none()) => "…",
        (true, 1) => "It takes the place of the recording that is shown.",
        (true, _) => "They take the place of the recording that is shown.",
        (false, 1) => "It opens in a window of its own.\nWhat is shown here goes on.",
        (false, _) => "They open in a window of their own.\nWhat is shown here goes on.",
    };
    DropView { title, detail: detail.to_owned(), opens: true }
}

const MARGIN: Vec2 = vec2(24.0, 20.0);
const TITLE_HEIGHT: f32 = 26.0;
const GAP: f32 = 8.0;

/// Above everything, dialogs included. Takes no clicks: there are none while something is dragged.
pub fn hint_ui(ctx: &Context, view: &DropView) {
    let window = ctx.content_rect();
    let ink = if view.opens { theme::ACCENT } else { theme::WARNING };
    let id = Id::new("drop hint");
    let layer = LayerId::new(Order::Tooltip, id);
    let painter = ctx.layer_painter(layer);
    painter.rect_filled(window, 0.0, Color32::from_black_alpha(150));
    painter.rect_stroke(window.shrink(6.0), 6.0, (3.0, ink), egui::StrokeKind::Inside);

    let inner_width = 620.0_f32.min(window.width() - 40.0) - 2.0 * MARGIN.x;
    let font = egui::FontId::proportional(15.0);
    let detail_height = painter.layout(view.detail.clone(), font.clone(), theme::TEXT, inner_width).size().y;
    let inner = vec2(inner_width, TITLE_HEIGHT + GAP + detail_height);
    let card = Rect::from_center_size(window.center(), inner + 2.0 * MARGIN);
    painter.rect(card, 8.0, theme::PANEL, (1.0, ink), egui::StrokeKind::Inside);
    let inside = UiBuilder::new().layer_id(layer).max_rect(card.shrink2(MARGIN));
    let mut ui = Ui::new(ctx.clone(), id, inside.layout(Layout::top_down(Align::Center)));
    ui.spacing_mut().item_spacing.y = GAP;
    widgets::line(&mut ui, &view.title, egui::FontId::proportional(20.0), theme::TEXT_STRONG);
    ui.add(egui::Label::new(RichText::new(&view.detail).font(font).color(theme::TEXT)).wrap());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use egui_kittest::kittest::Queryable as _;

    fn hovered(files: &[(&str, Option<FileKind>)]) -> Hovered {
        let file = |(name, kind): &(&str, Option<FileKind>)| HoveredFile { name: (*name).into(), kind: kind.clone() };
        Hovered { files: files.iter().map(file).collect() }
    }

    fn said(files: &[(&str, Option<FileKind>)], takes_place: bool) -> (bool, String) {
        let view = drop_view(&hovered(files), takes_place);
        (view.opens, format!("{}: {}", view.title, view.detail.replace('\n', " ")))
    }

    #[test]
    fn what_a_drop_would_do_is_said_before_it() {
        let (recording, scene) = (Some(FileKind::Recording), Some(FileKind::Scene));
        let neither = Some(FileKind::Neither("is no recording: it does not begin as an MCAP file does".into()));
        let (a, b) = (("a.mcap", recording.clone()), ("b.mcap", recording));
        let (one, two) = (std::slice::from_ref(&a), &[a.clone(), b]);
        let cases: [(&[_], bool, bool, &str); 8] = [
            (one, true, true, "Drop to open a.mcap: It takes the place of the recording that is shown."),
            (one, false, true, "Drop to open a.mcap: It opens in a window of its own. What is shown here goes on."),
            (
                two,
                true,
                true,
                "Drop to open 2 recordings as one timeline: They take the place of the recording that is shown.",
            ),
            (
                two,
                false,
                true,
                "Drop to open 2 recordings as one timeline: They open in a window of their own. What is shown here goes \
                 on.",
            ),
            (
                &[("s.ron", scene.clone())],
                true,
                true,
                "Drop to open s.ron: It opens in a window of its own. What is shown here goes on.",
            ),
            (&[("a.mcap", None)], true, true, "Drop to open a.mcap: …"),
            (
                &[a.clone(), ("s.ron", scene)],
                true,
                false,
                "These 2 files cannot be opened together: Several files at once must all be recordings. Drop a scene by \
                 itself.",
            ),
            (
                &[a.clone(), ("c.txt", neither)],
                true,
                false,
                "c.txt cannot be opened: It is no recording: it does not begin as an MCAP file does. Recordings (.mcap) \
                 and scenes (.ron) can be opened.",
            ),
        ];
        for (files, takes_place, opens, text) in cases {
            assert_eq!(said(files, takes_place), (opens, text.to_owned()));
        }
    }

    #[test]
    fn the_hint_fits_into_a_small_window_at_once() {
        let view = drop_view(&hovered(&[("a-very-long-name-of-a-recording-of-a-day.mcap", None)]), true);
        let title = view.title.clone();
        let mut harness = testing::harness((), move |ui, ()| hint_ui(ui.ctx(), &view));
        harness.set_size(vec2(360.0, 240.0));
        harness.step();
        let rect = harness.get_by_label(&title).rect();
        assert!(rect.left() >= 20.0 && rect.right() <= 340.0, "{rect}");
    }
}
