//! The scene tree: areas and twins with their marks, a search, and "only what needs a look".
//!
//! In: the scene, marks, what is selected. Out: `Select` and `Focus` commands. Only visible rows are laid out, and
//! the list of rows is kept until scene, search or a twin's mark changes: 10,000 twins cost what 20 cost.

use std::collections::{BTreeMap, BTreeSet};

use bevy_egui::egui::{self, Align, Key, Rect, ScrollArea, Sense, Stroke, Ui, WidgetInfo, WidgetType, pos2, vec2};

use super::class::{Dock, PanelClass};
use super::mark::{Mark, TwinMarks};
use super::snapshot::Snapshot;
use super::{theme, widgets};
use crate::command::{AttentionCommand, CameraCommand, OperatorCommand};
use crate::scene::Scene;
use crate::value::TwinIndex;

/// One line of the tree.
#[derive(Clone, PartialEq, Debug)]
pub struct TreeRow {
    pub depth: usize,
    pub mark: Mark,
    pub what: RowKind,
}

#[derive(Clone, PartialEq, Debug)]
pub enum RowKind {
    /// `Hall 1/Filling`, with how many twins lie below.
    Area {
        path: String,
        open: bool,
        twins: usize,
    },
    Twin(TwinIndex),
}

/// What decides which rows there are.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TreeFilter {
    pub search: String,
    /// Only twins with a mark that needs a person.
    pub only_marked: bool,
    /// Paths of closed areas.
    pub closed: BTreeSet<String>,
}

impl TreeFilter {
    fn admits(&self, twin: &crate::scene::Twin, mark: Mark) -> bool {
        if self.only_marked && !mark.needs_a_look() {
            return false;
        }
        self.search.split_whitespace().all(|word| {
            let word = word.to_lowercase();
            [&twin.id, &twin.name, &twin.type_name, &twin.area].iter().any(|text| text.to_lowercase().contains(&word))
        })
    }

    fn narrows(&self) -> bool {
        self.only_marked || !self.search.trim().is_empty()
    }
}

#[derive(Default)]
struct Area {
    areas: BTreeMap<String, Area>,
    twins: Vec<(TwinIndex, Mark)>,
}

/// The rows of a scene: areas by name, then twins in file order. A search opens all areas that hold a match.
pub fn tree_rows(scene: &Scene, marks: &TwinMarks, filter: &TreeFilter) -> Vec<TreeRow> {
    let mut root = Area::default();
    for twin in &scene.twins {
        let mark = marks.twin(twin.index);
        if filter.admits(twin, mark) {
            let mut area = &mut root;
            for name in twin.area.split('/').map(str::trim).filter(|name| !name.is_empty()) {
                area = area.areas.entry(name.to_owned()).or_default();
            }
            area.twins.push((twin.index, mark));
        }
    }
    let mut rows = Vec::new();
    flatten(&root, "", 0, filter, true, &mut rows);
    rows
}

/// Appends the rows of an area; gives the number of twins below and their worst mark.
fn flatten(
    area: &Area,
    path: &str,
    depth: usize,
    filter: &TreeFilter,
    shown: bool,
    rows: &mut Vec<TreeRow>,
) -> (usize, Mark) {
    let (mut twins, mut worst) = (0, Mark::None);
    for (name, child) in &area.areas {
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let open = filter.narrows() || !filter.closed.contains(&path);
        let place = rows.len();
        if shown {
            let what = RowKind::Area { path: path.clone(), open, twins: 0 };
            rows.push(TreeRow { depth, mark: Mark::None, what });
        }
        let (below, mark) = flatten(child, &path, depth + 1, filter, shown && open, rows);
        if shown && let Some(row) = rows.get_mut(place) {
            row.mark = mark;
            row.what = RowKind::Area { path, open, twins: below };
        }
        twins += below;
        worst = worst.max(mark);
    }
    for &(twin, mark) in &area.twins {
        if shown {
            rows.push(TreeRow { depth, mark, what: RowKind::Twin(twin) });
        }
        twins += 1;
        worst = worst.max(mark);
    }
    (twins, worst)
}

/// What the operator did to the tree, and the rows that follow from it.
#[derive(Default)]
pub struct TreeState {
    pub filter: TreeFilter,
    /// Set by Ctrl+F: the search field takes the keyboard in the next frame.
    pub focus_search: bool,
    rows: Vec<TreeRow>,
    /// What `rows` were made from.
    made_from: Option<(u32, u64, TreeFilter)>,
    last_selected: Option<TwinIndex>,
    /// The twin that is to be broken, as its menu was asked; the shell takes it.
    pub asked_to_break: Option<TwinIndex>,
}

impl TreeState {
    /// The rows, made anew only if something changed that they depend on.
    pub fn rows(&mut self, scene: &Scene, generation: u32, marks: &TwinMarks) -> &[TreeRow] {
        let current = matches!(&self.made_from, Some((g, v, filter))
            if *g == generation && *v == marks.version() && *filter == self.filter);
        if !current {
            self.rows = tree_rows(scene, marks, &self.filter);
            self.made_from = Some((generation, marks.version(), self.filter.clone()));
        }
        &self.rows
    }
}

/// Everything the tree shows.
pub struct TreeView<'a> {
    pub scene: &'a Scene,
    pub generation: u32,
    pub marks: &'a TwinMarks,
    pub selected: Option<TwinIndex>,
    pub broken: &'a BTreeSet<TwinIndex>,
    /// Whether anything can be broken from here.
    pub can_break: bool,
}

/// The tree among the panels.
pub struct TreePanel;

impl PanelClass for TreePanel {
    const NAME: &'static str = "scene";
    const TITLE: &'static str = "Scene";
    const DOCK: Dock = Dock::Left;
    type State = TreeState;
    type View<'a> = TreeView<'a>;

    fn view<'a>(read: &'a Snapshot<'a>, _: &TreeState) -> TreeView<'a> {
        TreeView {
            scene: read.scene(),
            generation: read.loaded.generation,
            marks: read.marks,
            selected: read.attention.selected,
            broken: &read.broken.twins,
            can_break: !read.is_recorded(),
        }
    }

    fn ui(ui: &mut Ui, view: &TreeView, state: &mut TreeState, out: &mut Vec<OperatorCommand>) {
        tree_ui(ui, view, state, out);
    }
}

pub fn tree_ui(ui: &mut Ui, view: &TreeView, state: &mut TreeState, out: &mut Vec<OperatorCommand>) {
    search_ui(ui, view, state);
    ui.add_space(2.0);
    let (mut toggled, mut asked_to_break) = (None, None);
    let selection_changed = view.selected != state.last_selected;
    state.last_selected = view.selected;
    let filter_narrows = state.filter.narrows();
    let total = view.scene.twins.len();
    let rows = state.rows(view.scene, view.generation, view.marks);
    if rows.is_empty() {
        match total {
            0 => widgets::empty(ui, "No twins", "The scene has no `twins` yet. Issues lists what is wrong with it."),
            _ => widgets::empty(ui, "Nothing found", "Clear the search, or show all twins again."),
        }
        return;
    }
    let mut area = ScrollArea::vertical().auto_shrink(false);
    if selection_changed && let Some(place) = selected_row(rows, view.selected) {
        let height = ui.available_height();
        area = area.vertical_scroll_offset((place as f32 * theme::ROW - height / 2.0).max(0.0));
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    area.show_rows(ui, theme::ROW, rows.len(), |ui, visible| {
        for row in rows.get(visible).unwrap_or_default() {
            match &row.what {
                RowKind::Area { path, open, twins } => {
                    if area_row(ui, row, path, *open, *twins) && !filter_narrows {
                        toggled = Some(path.clone());
                    }
                }
                RowKind::Twin(index) => {
                    if twin_row(ui, row, *index, view, out) {
                        asked_to_break = Some(*index);
                    }
                }
            }
        }
    });
    state.asked_to_break = state.asked_to_break.or(asked_to_break);
    if let Some(path) = toggled
        && !state.filter.closed.remove(&path)
    {
        state.filter.closed.insert(path);
    }
}

/// Where to scroll to; none if the selected twin is filtered away.
fn selected_row(rows: &[TreeRow], selected: Option<TwinIndex>) -> Option<usize> {
    let selected = selected?;
    rows.iter().position(|row| row.what == RowKind::Twin(selected))
}

fn search_ui(ui: &mut Ui, view: &TreeView, state: &mut TreeState) {
    ui.horizontal(|ui| {
        let marked = view.scene.twins.iter().filter(|twin| view.marks.twin(twin.index).needs_a_look()).count();
        let room = (ui.available_width() - 46.0).max(60.0);
        let field = egui::TextEdit::singleline(&mut state.filter.search)
            .hint_text("Search tag, name, type")
            .desired_width(room)
            .margin(vec2(8.0, 4.0));
        let response = ui.add(field);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Search twins"));
        if std::mem::take(&mut state.focus_search) {
            response.request_focus();
        }
        if response.has_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
            state.filter.search.clear();
        }
        let (rect, toggle) = ui.allocate_exact_size(vec2(34.0, 26.0), Sense::click());
        toggle.widget_info(|| {
            WidgetInfo::selected(WidgetType::Checkbox, true, state.filter.only_marked, "Only what needs a look")
        });
        if toggle.clicked() {
            state.filter.only_marked = !state.filter.only_marked;
        }
        let fill = match (state.filter.only_marked, toggle.hovered()) {
            (true, _) => theme::SELECTED,
            (false, true) => ui.visuals().widgets.hovered.bg_fill,
            (false, false) => theme::RAISED,
        };
        ui.painter().rect_filled(rect, 4.0, fill);
        let ink = if state.filter.only_marked { theme::TEXT_STRONG } else { theme::TEXT_WEAK };
        for (i, half) in [7.0, 4.5, 2.0].into_iter().enumerate() {
            let y = rect.center().y - 4.0 + 4.0 * i as f32;
            ui.painter().hline(rect.center().x - half..=rect.center().x + half, y, Stroke::new(1.5, ink));
        }
        toggle.on_hover_text(format!("Only twins that need a look ({marked})"));
    });
}

/// Says whether the row was clicked.
fn area_row(ui: &mut Ui, row: &TreeRow, path: &str, open: bool, twins: usize) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (rect, response) = widgets::row(ui, theme::ROW, false, name);
    let painter = ui.painter();
    let left = rect.left() + 4.0 + 14.0 * row.depth as f32;
    let centre = pos2(left + 5.0, rect.center().y);
    let stroke = Stroke::new(1.5, theme::TEXT_WEAK);
    let arrow = match open {
        true => [vec2(-3.5, -2.0), vec2(0.0, 2.0), vec2(3.5, -2.0)],
        false => [vec2(-2.0, -3.5), vec2(2.0, 0.0), vec2(-2.0, 3.5)],
    };
    painter.line(arrow.map(|d| centre + d).to_vec(), stroke);
    // An open area's twins speak for themselves.
    let marked = row.mark.needs_a_look() && !open;
    if marked {
        widgets::paint_mark(painter, pos2(rect.right() - 12.0, rect.center().y), row.mark);
    }
    let right = rect.right() - 24.0;
    let count = widgets::layout(painter, &twins.to_string(), theme::small(), theme::TEXT_WEAK, 60.0);
    let count_left = right - count.size().x;
    painter.galley(pos2(count_left, rect.center().y - count.size().y / 2.0), count, theme::TEXT_WEAK);
    let cell = Rect::from_min_max(pos2(left + 16.0, rect.top()), pos2(count_left - 8.0, rect.bottom()));
    let cut = widgets::paint_text(painter, cell, name, theme::body(), theme::TEXT, Align::Min);
    let clicked = response.clicked();
    if cut {
        response.on_hover_text(path);
    }
    clicked
}

/// Says whether the twin is to be broken.
fn twin_row(ui: &mut Ui, row: &TreeRow, index: TwinIndex, view: &TreeView, out: &mut Vec<OperatorCommand>) -> bool {
    let Some(twin) = view.scene.twins.get(index.at()) else { return false };
    let selected = view.selected == Some(index);
    let (rect, response) = widgets::row(ui, theme::ROW, selected, &twin.id);
    let painter = ui.painter();
    let left = rect.left() + 4.0 + 14.0 * row.depth as f32 + 16.0;
    let middle = rect.center().y;
    widgets::paint_mark(painter, pos2(rect.right() - 12.0, middle), row.mark);
    let is_broken = view.broken.contains(&index);
    if is_broken {
        widgets::paint_fault(painter, pos2(rect.right() - 28.0, middle));
    }
    let right = rect.right() - if is_broken { 38.0 } else { 24.0 };
    let id = widgets::layout(painter, &twin.id, theme::mono(), theme::TEXT_STRONG, right - left);
    let id_right = left + id.size().x;
    let mut cut = id.elided;
    painter.galley(pos2(left, middle - id.size().y / 2.0), id, theme::TEXT_STRONG);
    let name = if twin.name.is_empty() { &twin.type_name } else { &twin.name };
    let cell = Rect::from_min_max(pos2(id_right + 10.0, rect.top()), pos2(right, rect.bottom()));
    let ink = if selected { theme::TEXT } else { theme::TEXT_WEAK };
    cut |= widgets::paint_text(painter, cell, name, theme::small(), ink, Align::Min);
    if response.double_clicked() {
        out.push(CameraCommand::Focus(Some(index)).into());
    } else if response.clicked() {
        out.push(AttentionCommand::Select(Some(index)).into());
    }
    let mut is_asked = false;
    if view.can_break {
        response.context_menu(|ui| {
            if ui.button(format!("Break {}…", twin.id)).clicked() {
                is_asked = true;
                ui.close();
            }
        });
    }
    if cut || is_broken || row.mark.needs_a_look() {
        let broken = if is_broken { ", broken on purpose" } else { "" };
        let text = format!("{} {} ({}): {}{broken}", twin.id, twin.name, twin.type_name, row.mark.text());
        response.on_hover_text(text);
    }
    is_asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Urgency;
    use crate::panel::testing;
    use crate::scene::rule::Priority;
    use egui_kittest::{Harness, kittest::Queryable as _};

    fn outline(rows: &[TreeRow], scene: &Scene) -> Vec<String> {
        rows.iter()
            .map(|row| {
                let text = match &row.what {
                    RowKind::Area { path, twins, .. } => format!("{path} [{twins}]"),
                    RowKind::Twin(index) => scene.twins[index.at()].id.clone(),
                };
                format!("{}{text}", "  ".repeat(row.depth))
            })
            .collect()
    }

    fn search(text: &str) -> TreeFilter {
        TreeFilter { search: text.into(), ..Default::default() }
    }

    #[test]
    fn areas_hold_their_twins_in_file_order() {
        let scene = testing::scene();
        let rows = tree_rows(&scene, &testing::marks(&scene), &TreeFilter::default());
        assert_eq!(outline(&rows, &scene)[..4], ["Filling [5]", "  P-101", "  E-101", "  F-101"]);
        assert_eq!(rows.iter().filter(|row| matches!(row.what, RowKind::Twin(_))).count(), scene.twins.len());
    }

    #[test]
    fn a_search_matches_every_word_in_id_name_or_type() {
        let scene = testing::scene();
        let marks = testing::marks(&scene);
        assert_eq!(outline(&tree_rows(&scene, &marks, &search("p-101")), &scene), ["Filling [1]", "  P-101"]);
        assert_eq!(outline(&tree_rows(&scene, &marks, &search("FEED pump")), &scene), ["Filling [1]", "  P-101"]);
        assert!(tree_rows(&scene, &marks, &search("nonesuch")).is_empty());
    }

    #[test]
    fn a_closed_area_keeps_its_count_and_its_worst_mark() {
        let scene = testing::scene();
        let filter = TreeFilter { closed: ["Filling".to_owned()].into(), ..Default::default() };
        let rows = tree_rows(&scene, &testing::marks(&scene), &filter);
        let urgent = Urgency { priority: Priority::Critical, unacknowledged: true };
        assert_eq!(rows[0].mark, Mark::Alarm(urgent));
        assert_eq!(outline(&rows, &scene)[0], "Filling [5]");
        assert!(rows.iter().all(|row| row.what != RowKind::Twin(scene.twin("P-101").unwrap().index)));
    }

    #[test]
    fn only_marked_twins_are_left_when_asked_for() {
        let scene = testing::scene();
        let marks = testing::marks(&scene);
        let filter = TreeFilter { only_marked: true, ..Default::default() };
        let rows = tree_rows(&scene, &marks, &filter);
        assert!(rows.iter().all(|row| row.mark.needs_a_look()));
        assert!(!rows.is_empty());
    }

    struct Desk {
        scene: Scene,
        marks: TwinMarks,
        state: TreeState,
        out: Vec<OperatorCommand>,
    }

    fn desk() -> Harness<'static, Desk> {
        let scene = testing::scene();
        let marks = testing::marks(&scene);
        let desk = Desk { scene, marks, state: TreeState::default(), out: Vec::new() };
        testing::harness(desk, |ui, desk| {
            let (broken, can_break) = (&BTreeSet::from([TwinIndex(0)]), true);
            let view =
                TreeView { scene: &desk.scene, generation: 0, marks: &desk.marks, selected: None, broken, can_break };
            tree_ui(ui, &view, &mut desk.state, &mut desk.out);
        })
    }

    #[test]
    fn the_menu_of_a_twin_offers_to_break_it() {
        let mut desk = desk();
        desk.get_by_label("P-101").click_secondary();
        desk.run();
        desk.get_by_label("Break P-101…").click();
        desk.run();
        let asked = desk.state().state.asked_to_break;
        let twin = asked.and_then(|twin| desk.state().scene.twins.get(twin.at()));
        assert_eq!(twin.map(|twin| twin.id.as_str()), Some("P-101"));
    }

    #[test]
    fn a_click_on_a_twin_selects_it() {
        let mut harness = desk();
        harness.get_by_label("P-101").click();
        harness.run();
        let pump = harness.state().scene.twin("P-101").unwrap().index;
        assert_eq!(harness.state().out, [OperatorCommand::Attention(AttentionCommand::Select(Some(pump)))]);
    }

    #[test]
    fn typing_in_the_search_hides_what_does_not_match() {
        let mut harness = desk();
        harness.get_by_label("Search twins").focus();
        harness.run();
        harness.get_by_label("Search twins").type_text("palletiser");
        harness.run();
        assert!(harness.query_by_label("P-101").is_none());
        assert!(harness.query_by_label("R-301").is_some());
    }

    #[test]
    fn a_click_on_an_area_closes_it() {
        let mut harness = desk();
        harness.get_by_label("Filling").click();
        harness.run();
        assert!(harness.query_by_label("P-101").is_none());
        harness.get_by_label("Filling").click();
        harness.run();
        assert!(harness.query_by_label("P-101").is_some());
    }

    #[test]
    fn of_ten_thousand_twins_only_visible_rows_are_built() {
        let mut harness = desk();
        harness.state_mut().scene = testing::many_twins(10_000);
        harness.state_mut().marks.reset(&testing::many_twins(10_000));
        harness.run();
        assert!(harness.query_by_label("T-00003").is_some());
        assert!(harness.query_by_label("T-09000").is_none());
    }
}
