//! The shell: bars above and below, and between them panels that dock around the 3D view.
//!
//! In: a [`Snapshot`] of this frame, and the [`Shell`] with what the operator arranged. Out: [`Views`]; when they are drawn,
//! commands, and the rectangle that is left to the 3D view. Knows no panel but by the list [`PANELS`], apart from the
//! search that Ctrl + F opens and what Shift + R begins. Never reads the world: `super::gather` does.

use bevy::prelude::Resource;
use bevy_egui::egui::{self, Color32, Margin, Rect, Ui, WidgetText};
use egui_dock::{DockArea, DockState, NodeIndex, TabViewer};

use super::bars::{self, Asked, BarsView};
use super::class::{Dock, Panel, PanelClass as _, PanelId, PanelView, States};
use super::drop_hint::{self, Hovered};
use super::faults::{self, FaultsPanel, FaultsState};
use super::layer_key::{self, LayerKey};
use super::lines::Wishes;
use super::open::{self, Notice, OpenState, OpenView};
use super::recording::{self, RecordBox};
use super::shortcuts::{self, Wish};
use super::snapshot::{Known, Snapshot};
use super::timebar::{self, TimeState, TimeView};
use super::tree::{TreePanel, TreeState};
use super::{PANELS, banner, theme};
use crate::command::{AttentionCommand, CameraCommand, OperatorCommand};
use crate::history::Counts;
use crate::value::TwinIndex;
use crate::view::layer_mark;

/// The 3D view, which panels are docked around.
pub const WORLD: PanelId = PanelId("3d");
/// The list of keys, which lies over everything else.
pub const HELP: PanelId = PanelId("help");

impl PanelId {
    /// All that can be brought to the front, the 3D view first.
    pub fn all() -> impl Iterator<Item = PanelId> {
        [WORLD].into_iter().chain(PANELS.iter().map(|panel| panel.id())).chain([HELP])
    }

    /// By the name that is written on the command line, in any case.
    pub fn named(name: &str) -> Option<PanelId> {
        Self::all().find(|id| id.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// What the operator arranged, and what panels keep between frames.
#[derive(Resource)]
pub struct Shell {
    dock: DockState<PanelId>,
    states: States,
    pub time: TimeState,
    pub open: OpenState,
    /// What is said about what was opened last. Written by the opener.
    pub notice: Option<Notice>,
    /// What hovers over the window. Written by the opener.
    pub hovered: Option<Hovered>,
    pub help_open: bool,
    /// The twin whose menu is open, and where.
    pub menu: Option<(TwinIndex, egui::Pos2)>,
}

impl Default for Shell {
    fn default() -> Self {
        Self {
            dock: default_layout(),
            states: States::of(PANELS),
            time: TimeState::default(),
            open: OpenState::default(),
            notice: None,
            hovered: None,
            help_open: false,
            menu: None,
        }
    }
}

/// Each panel in its place around the 3D view.
fn default_layout() -> DockState<PanelId> {
    let at = |dock: Dock| PANELS.iter().filter(|panel| panel.dock() == dock).map(|panel| panel.id()).collect();
    let mut dock = DockState::new(vec![WORLD]);
    let surface = dock.main_surface_mut();
    let [rest, _] = surface.split_left(NodeIndex::root(), 0.18, at(Dock::Left));
    let [middle, _] = surface.split_right(rest, 0.66, at(Dock::Right));
    surface.split_below(middle, 0.6, at(Dock::Below));
    dock
}

impl Shell {
    /// Brings a panel to the front, adding it again if it was closed.
    pub fn open(&mut self, panel: PanelId) {
        if panel == HELP {
            self.help_open = true;
            return;
        }
        match self.dock.find_tab(&panel) {
            Some(path) => {
                // The path was found a line ago; if it were wrong nothing would come to the front, no more.
                let _ = self.dock.set_active_tab(path);
            }
            None => self.dock.push_to_first_leaf(panel),
        }
    }

    /// Panels whose contents are on screen, so that only their views are built.
    pub fn is_visible(&self, panel: PanelId) -> bool {
        self.dock.iter_leaves().any(|(_, leaf)| !leaf.collapsed && leaf.tabs.get(leaf.active.0) == Some(&panel))
    }

    /// Another recording is shown: what was kept of the time and the events of the one before means nothing any more.
    pub fn forget_the_past(&mut self) {
        let speed = self.time.speed;
        self.time = TimeState::default();
        self.time.speed = speed;
        PANELS.iter().for_each(|panel| panel.forget_the_past(&mut self.states));
    }

    pub fn reset_layout(&mut self) {
        self.dock = default_layout();
    }

    fn visible(&self) -> impl Iterator<Item = &'static dyn Panel> {
        PANELS.iter().copied().filter(|panel| self.is_visible(panel.id()))
    }

    /// Asks for all lines that the views of this frame will be built from.
    pub fn wishes(&self, read: &Snapshot) {
        self.visible().for_each(|panel| panel.wishes(read, &self.states));
    }

    /// The views of one frame. Those of panels out of sight are left out.
    pub fn views<'a>(&self, read: &'a Snapshot<'a>) -> Views<'a> {
        let bars = bars::bars_view(
            read.scene(),
            read.cursor,
            read.marks.counts(),
            banner::banner_view(read.board.scene(read.scene()), read.board),
            read.known.usage,
            read.report,
            read.issues.lines.len(),
        );
        let timed = timebar::TimeInput {
            cursor: read.cursor,
            moment: read.time,
            extent: read.extent,
            horizon: read.horizon,
            bounds: read.known.bounds,
            counts: Counts::of(read.extent, read.known.arrivals),
            marks: read.time_marks,
            skip: read.skip,
        };
        Views {
            bars: BarsView {
                recorded: read.is_recorded(),
                record: read.record.cloned(),
                ahead: read.time.is_ahead(),
                layers: layer_key::keys(read.layers),
                ..bars
            },
            time: TimeView {
                selected: read.attention.selected,
                operator: read.operator,
                ..timebar::time_view(&timed, &self.time, read.scene(), (read.events, read.faults))
            },
            // A comparison stays as it is.
            open: OpenView { recent: read.recent, takes_place: read.is_recorded() && read.layers.is_none() },
            panels: self.visible().filter_map(|panel| Some((panel.id(), panel.view(read, &self.states)?))).collect(),
            read,
        }
    }
}

/// What is drawn in one frame.
pub struct Views<'a> {
    pub bars: BarsView,
    pub time: TimeView<'a>,
    pub open: OpenView<'a>,
    pub panels: Vec<(PanelId, Box<dyn PanelView + 'a>)>,
    pub read: &'a Snapshot<'a>,
}

/// What is left to the 3D view, in points.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Room {
    /// None if its tab is hidden.
    pub world: Option<Rect>,
    /// Of it, what the caption covers that tells the past from the present.
    pub covered: Option<Rect>,
}

/// Draws everything; gives what is left to the 3D view.
/// `paint_world` paints the 3D view into its rectangle.
pub fn show(
    ui: &mut Ui,
    shell: &mut Shell,
    views: &Views,
    paint_world: &dyn Fn(&egui::Painter, Rect),
    out: &mut Vec<OperatorCommand>,
) -> Room {
    read_keys(ui, shell, views, out);
    let bar = |fill: Color32| egui::Frame::new().fill(fill).inner_margin(Margin::symmetric(12, 0));
    let mut asked = None;
    egui::Panel::top("top bar")
        .exact_size(40.0)
        .resizable(false)
        .show_separator_line(false)
        .frame(bar(theme::BAR))
        .show(ui, |ui| asked = bars::top_ui(ui, &views.bars));
    let status = egui::Panel::bottom("status strip").exact_size(26.0).resizable(false).show_separator_line(false);
    status.frame(bar(theme::BAR)).show(ui, |ui| asked = asked.or(bars::status_ui(ui, &views.bars)));
    let time = egui::Panel::bottom("time bar").exact_size(timebar::HEIGHT).resizable(false).show_separator_line(false);
    let live = views.time.is_live();
    time.frame(bar(if live { theme::PANEL } else { theme::PAUSED })).show(ui, |ui| {
        if !live {
            let edge = ui.max_rect().expand2(egui::vec2(12.0, 0.0));
            ui.painter().with_clip_rect(edge).hline(edge.x_range(), edge.top() + 1.0, (3.0, theme::NOT_LIVE));
        }
        timebar::time_ui(ui, &views.time, &mut shell.time, out);
    });
    match asked {
        Some(Asked::Panel(panel)) => shell.open(panel),
        Some(Asked::Open) => shell.open.open(),
        None => {}
    }
    if shell.notice.as_ref().is_some_and(|notice| open::notice_ui(ui, notice)) {
        shell.notice = None;
    }
    let mut viewer = Viewer { views, states: &mut shell.states, paint_world, room: Room::default(), out };
    let style = theme::dock(ui.style());
    DockArea::new(&mut shell.dock)
        .style(style)
        .show_leaf_collapse_buttons(false)
        .show_leaf_close_all_buttons(false)
        .show_inside(ui, &mut viewer);
    let room = viewer.room;
    let in_tree = shell.states.get_mut::<TreeState>().and_then(|tree| tree.asked_to_break.take());
    let asked_to_break = menu_ui(ui.ctx(), shell, views, out).or(in_tree);
    if let Some(twin) = asked_to_break {
        begin_to_break(shell, views, twin, out);
    }
    if let (Some(record), Some(state)) = (&views.bars.record, shell.states.get_mut::<RecordBox>()) {
        recording::stop_dialog_ui(ui.ctx(), record, state, out);
    }
    open::dialog_ui(ui.ctx(), &views.open, &mut shell.open, out);
    if shell.help_open && shortcuts::overlay(ui.ctx()) {
        shell.help_open = false;
    }
    if let Some(hovered) = &shell.hovered {
        drop_hint::hint_ui(ui.ctx(), &drop_hint::drop_view(hovered, views.open.takes_place));
    }
    room
}

/// The menu of a twin in the 3D view. Says which one is to be broken.
fn menu_ui(ctx: &egui::Context, shell: &mut Shell, views: &Views, out: &mut Vec<OperatorCommand>) -> Option<TwinIndex> {
    let (index, at) = shell.menu?;
    let Some(twin) = views.read.scene().twins.get(index.at()) else {
        shell.menu = None;
        return None;
    };
    let mut asked = None;
    let area = egui::Area::new(egui::Id::new("twin menu")).order(egui::Order::Foreground).fixed_pos(at);
    let shown = area.show(ctx, |ui| {
        egui::Frame::popup(ui.style()).show(ui, |ui| {
            let can_break = faults::form_view(views.read).is_some();
            let clicked = ui.add_enabled(can_break, egui::Button::new(format!("Break {}…", twin.id))).clicked();
            asked = clicked.then_some(index);
            let focus = ui.button("Focus").clicked();
            if focus {
                out.push(CameraCommand::Focus(Some(index)).into());
            }
            clicked || focus
        })
    });
    let is_left = shown.response.clicked_elsewhere() || ctx.input(|input| input.key_pressed(egui::Key::Escape));
    if shown.inner.inner || is_left {
        shell.menu = None;
    }
    asked
}

/// Opens the form that breaks a twin, in front of all else.
fn begin_to_break(shell: &mut Shell, views: &Views, twin: TwinIndex, out: &mut Vec<OperatorCommand>) {
    shell.open(FaultsPanel::ID);
    out.push(AttentionCommand::Select(Some(twin)).into());
    let form = faults::form_view(views.read);
    let twin = views.read.scene().twins.get(twin.at());
    if let (Some(state), Some(form), Some(twin)) = (shell.states.get_mut::<FaultsState>(), form, twin) {
        state.form = Some(faults::Form::of(&form, twin));
    }
}

fn read_keys(ui: &Ui, shell: &mut Shell, views: &Views, out: &mut Vec<OperatorCommand>) {
    let on = shortcuts::KeyContext {
        time: &views.time,
        speed: shell.time.speed,
        attention: views.read.attention,
        viewpoints: views.read.scene().views.len(),
        help_open: shell.help_open,
        form_open: shell.states.get::<FaultsState>().is_some_and(|state| state.form.is_some()),
    };
    match shortcuts::read(ui.ctx(), &on, out) {
        Some(Wish::Search) => {
            shell.open(TreePanel::ID);
            if let Some(tree) = shell.states.get_mut::<TreeState>() {
                tree.focus_search = true;
            }
        }
        Some(Wish::Panel(panel)) => shell.open(panel),
        Some(Wish::Break) => {
            if let Some(twin) = views.read.attention.selected {
                begin_to_break(shell, views, twin, out);
            }
        }
        Some(Wish::ToggleHelp) => shell.help_open = !shell.help_open,
        Some(Wish::CloseHelp) => shell.help_open = false,
        Some(Wish::TypeTime) => shell.time.type_time(),
        Some(Wish::ShowAllTime) => shell.time.zoom = None,
        Some(Wish::Open) => shell.open.open(),
        Some(Wish::Record) => {
            if let (Some(record), Some(state)) = (&views.bars.record, shell.states.get_mut::<RecordBox>()) {
                recording::toggle(record, state, out);
            }
        }
        Some(Wish::Write(kind)) => shell.time.write(&views.time, kind),
        Some(Wish::Speed(change)) => {
            let speed = change.of(shell.time.speed);
            timebar::set_speed(&views.time, &mut shell.time, speed, out);
        }
        None => {}
    }
}

/// A frame around the 3D view and a caption, so that nobody takes another time for the present. Gives what the caption
/// covers.
fn frame_another_time(painter: &egui::Painter, rect: Rect, time: &TimeView) -> Rect {
    painter.rect_stroke(rect, 0.0, (3.0, theme::NOT_LIVE), egui::StrokeKind::Inside);
    let text = format!("{}  {} UTC", time.badge(), super::format::clock(time.shown));
    let galley = painter.layout_no_wrap(text, theme::body(), theme::GROUND);
    let back = Rect::from_min_size(rect.left_top(), galley.size() + egui::vec2(24.0, 10.0));
    painter.rect_filled(back, 0.0, theme::NOT_LIVE);
    painter.galley(back.center() - galley.size() / 2.0, galley, theme::GROUND);
    // In steps, so that a clock that runs moves no label.
    const STEP: f32 = 24.0;
    Rect::from_min_size(back.min, egui::vec2((back.width() / STEP).ceil() * STEP, back.height()))
}

/// A caption in the lower left corner of the 3D view: whose values ghosts show, so that nobody takes them for twins. Where
/// there are several layers, each has a line with its shape.
fn name_the_ghosts(painter: &egui::Painter, rect: Rect, layers: &[LayerKey]) {
    let mark = if layers.len() > 1 { 2.0 * layer_mark::RADIUS + 7.0 } else { 0.0 };
    let text = |layer: &LayerKey| if mark > 0.0 { layer.name.clone() } else { format!("Ghosts: {}", layer.name) };
    let widest = rect.width() - 40.0 - mark;
    let line = |layer: &LayerKey| super::widgets::layout(painter, &text(layer), theme::small(), theme::TEXT, widest);
    let lines: Vec<_> = layers.iter().map(line).collect();
    let width = lines.iter().map(|line| line.size().x).fold(0.0, f32::max) + mark + 20.0;
    let height = lines.iter().map(|line| line.size().y + 2.0).sum::<f32>() + 6.0;
    let size = egui::vec2(width, height);
    let back = Rect::from_min_size(rect.left_bottom() - egui::vec2(0.0, size.y), size).translate(egui::vec2(3.0, -3.0));
    painter.rect_filled(back, 0.0, theme::PANEL.gamma_multiply(0.9));
    let mut top = back.top() + 4.0;
    for (line, layer) in lines.into_iter().zip(layers) {
        let (left, height) = (back.left() + 10.0, line.size().y);
        if mark > 0.0 {
            layer_mark::paint(painter, egui::pos2(left + layer_mark::RADIUS, top + height / 2.0), &layer.look);
        }
        painter.galley(egui::pos2(left + mark, top), line, theme::TEXT);
        top += height + 2.0;
    }
}

struct Viewer<'a, 'v> {
    views: &'a Views<'v>,
    states: &'a mut States,
    paint_world: &'a dyn Fn(&egui::Painter, Rect),
    room: Room,
    out: &'a mut Vec<OperatorCommand>,
}

impl Viewer<'_, '_> {
    fn world_ui(&mut self, ui: &Ui) {
        let rect = ui.max_rect().intersect(ui.clip_rect());
        self.room.world = Some(rect);
        let painter = ui.painter().with_clip_rect(rect);
        (self.paint_world)(&painter, rect);
        if !self.views.time.is_live() {
            self.room.covered = Some(frame_another_time(&painter, rect, &self.views.time));
        }
        if !self.views.bars.layers.is_empty() {
            name_the_ghosts(&painter, rect, &self.views.bars.layers);
        }
    }
}

impl Viewer<'_, '_> {
    /// A panel that came into sight in this frame, by a click or a key. If it draws lines, these are there in the next one.
    fn late_ui(&mut self, ui: &mut Ui, tab: PanelId) {
        let Some(panel) = PANELS.iter().find(|panel| panel.id() == tab) else { return };
        let read = self.views.read;
        let wishes = Wishes::default();
        let known = Known { lines: &wishes, ..read.known };
        panel.wishes(&Snapshot { known, ..*read }, self.states);
        if !wishes.is_empty() {
            return ui.ctx().request_repaint();
        }
        if let Some(view) = panel.view(read, self.states) {
            view.ui(ui, self.states, self.out);
        }
    }
}

impl TabViewer for Viewer<'_, '_> {
    type Tab = PanelId;

    fn id(&mut self, tab: &mut PanelId) -> egui::Id {
        egui::Id::new(("panel", *tab))
    }

    fn title(&mut self, tab: &mut PanelId) -> WidgetText {
        let panel = PANELS.iter().find(|panel| panel.id() == *tab);
        panel.map_or_else(|| "3D".to_owned(), |panel| panel.tab(self.views.read)).into()
    }

    fn ui(&mut self, ui: &mut Ui, tab: &mut PanelId) {
        if *tab == WORLD {
            return self.world_ui(ui);
        }
        match self.views.panels.iter().find(|(id, _)| id == tab) {
            Some((_, view)) => view.ui(ui, self.states, self.out),
            None => self.late_ui(ui, *tab),
        }
    }

    fn is_closeable(&self, _tab: &PanelId) -> bool {
        false
    }

    fn allowed_in_windows(&self, _tab: &mut PanelId) -> bool {
        false
    }

    fn clear_background(&self, tab: &PanelId) -> bool {
        *tab != WORLD
    }

    fn scroll_bars(&self, _tab: &PanelId) -> [bool; 2] {
        // Panels scroll by themselves, so that they can build only what is in sight.
        [false, false]
    }

    fn tab_style_override(&self, tab: &PanelId, style: &egui_dock::TabStyle) -> Option<egui_dock::TabStyle> {
        (*tab == WORLD).then(|| {
            let mut style = style.clone();
            style.tab_body.inner_margin = Margin::ZERO;
            style.tab_body.bg_fill = Color32::TRANSPARENT;
            style
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::TimeCommand;
    use crate::panel::issues::IssuesPanel;
    use crate::panel::testing;
    use crate::panel::trend::TrendPanel;
    use egui_kittest::kittest::Queryable as _;

    #[test]
    fn every_panel_is_found_by_its_name() {
        for panel in PanelId::all() {
            assert_eq!(PanelId::named(panel.name()), Some(panel));
        }
        assert_eq!(PanelId::named(" Trends "), Some(TrendPanel::ID));
        assert_eq!(PanelId::named("nonesuch"), None);
    }

    #[test]
    fn opening_a_panel_brings_it_to_the_front() {
        let mut shell = Shell::default();
        assert!(shell.is_visible(TrendPanel::ID) && !shell.is_visible(IssuesPanel::ID));
        shell.open(IssuesPanel::ID);
        assert!(shell.is_visible(IssuesPanel::ID) && !shell.is_visible(TrendPanel::ID));
    }

    #[test]
    fn the_whole_shell_leaves_a_rectangle_to_the_world_and_names_its_panels() {
        let plant = testing::plant();
        let mut harness = testing::harness((Shell::default(), None, Vec::new()), move |ui, (shell, world, out)| {
            let attention = plant.attention("P-101", &["P-101.vibration"]);
            let show = |read: &Snapshot| show(ui, shell, &shell.views(read), &|_, _| {}, out).world;
            *world = plant.with_snapshot(&attention, show);
        });
        harness.set_size(egui::vec2(1280.0, 720.0));
        harness.run();
        let world = harness.state().1.unwrap();
        assert!(world.width() > 500.0 && world.height() > 250.0, "{world}");
        for name in ["LIVE", "Time", "Search twins", "vibration", "Remove P-101.vibration from the trends"] {
            assert!(harness.query_by_label(name).is_some(), "{name}");
        }
        harness.key_press(egui::Key::Space);
        harness.run();
        assert_eq!(harness.state().2, [OperatorCommand::Time(TimeCommand::Pause)]);
    }
}
