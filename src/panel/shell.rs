//! The shell: bars above and below, and between them panels that dock around the 3D view.
//!
//! In: the [`Views`] of this frame, and the [`Shell`] with what the operator arranged. Out: commands, and the
//! rectangle that is left to the 3D view. Never reads the world: `super::gather` does.

use bevy::prelude::Resource;
use bevy_egui::egui::{self, Color32, Margin, Panel, Rect, Ui, WidgetText};
use egui_dock::{DockArea, DockState, NodeIndex, TabViewer};

use super::alarms::{self, AlarmsState, AlarmsView};
use super::bars::{self, Asked, BarsView};
use super::compare::{self, CompareView};
use super::connections::{self, ConnectionsView};
use super::drop_hint::{self, Hovered};
use super::events::{self, EventsState, EventsView};
use super::inspector::{self, InspectorState, InspectorView};
use super::issues::{self, IssuesView};
use super::open::{self, Notice, OpenState, OpenView};
use super::recording::{self, RecordBox};
use super::shortcuts::{self, Wish};
use super::statistics::{self, StatisticsView};
use super::theme;
use super::timebar::{self, TimeState, TimeView};
use super::tree::{self, TreeState, TreeView};
use super::trend::{self, TrendState, TrendView};
use crate::command::OperatorCommand;

/// What can be docked; `Help` is the overlay of shortcuts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PanelKind {
    World,
    Tree,
    Inspector,
    Trends,
    Alarms,
    Events,
    Statistics,
    Compare,
    Connections,
    Issues,
    Help,
}

impl PanelKind {
    pub const ALL: [PanelKind; 11] = [
        PanelKind::World,
        PanelKind::Tree,
        PanelKind::Inspector,
        PanelKind::Trends,
        PanelKind::Alarms,
        PanelKind::Events,
        PanelKind::Statistics,
        PanelKind::Compare,
        PanelKind::Connections,
        PanelKind::Issues,
        PanelKind::Help,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            PanelKind::World => "3D",
            PanelKind::Tree => "Scene",
            PanelKind::Inspector => "Inspector",
            PanelKind::Trends => "Trends",
            PanelKind::Alarms => "Alarms",
            PanelKind::Events => "Events",
            PanelKind::Statistics => "Statistics",
            PanelKind::Compare => "Compare",
            PanelKind::Connections => "Connections",
            PanelKind::Issues => "Issues",
            PanelKind::Help => "Help",
        }
    }

    /// As it is written on the command line: `trends`.
    pub const fn name(self) -> &'static str {
        match self {
            PanelKind::World => "3d",
            PanelKind::Tree => "scene",
            PanelKind::Inspector => "inspector",
            PanelKind::Trends => "trends",
            PanelKind::Alarms => "alarms",
            PanelKind::Events => "events",
            PanelKind::Statistics => "statistics",
            PanelKind::Compare => "compare",
            PanelKind::Connections => "connections",
            PanelKind::Issues => "issues",
            PanelKind::Help => "help",
        }
    }

    pub fn from_name(name: &str) -> Option<PanelKind> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// What the operator arranged, and what panels keep between frames.
#[derive(Resource)]
pub struct Shell {
    dock: DockState<PanelKind>,
    pub tree: TreeState,
    pub inspector: InspectorState,
    pub trend: TrendState,
    pub alarms: AlarmsState,
    pub events: EventsState,
    pub time: TimeState,
    pub record: RecordBox,
    pub open: OpenState,
    /// What is said about what was opened last. Written by who opens things.
    pub notice: Option<Notice>,
    /// What hovers over the window. Written by who opens things.
    pub hovered: Option<Hovered>,
    pub help_open: bool,
}

impl Default for Shell {
    fn default() -> Self {
        Self {
            dock: default_layout(),
            tree: TreeState::default(),
            inspector: InspectorState::default(),
            trend: TrendState::default(),
            alarms: AlarmsState::default(),
            events: EventsState::default(),
            time: TimeState::default(),
            record: RecordBox::default(),
            open: OpenState::default(),
            notice: None,
            hovered: None,
            help_open: false,
        }
    }
}

/// Tree on the left, inspector on the right, trends and the rest below the 3D view.
fn default_layout() -> DockState<PanelKind> {
    let mut dock = DockState::new(vec![PanelKind::World]);
    let surface = dock.main_surface_mut();
    let [rest, _] = surface.split_left(NodeIndex::root(), 0.18, vec![PanelKind::Tree]);
    let [middle, _] = surface.split_right(rest, 0.66, vec![PanelKind::Inspector]);
    let below = vec![
        PanelKind::Trends,
        PanelKind::Alarms,
        PanelKind::Events,
        PanelKind::Statistics,
        PanelKind::Compare,
        PanelKind::Connections,
        PanelKind::Issues,
    ];
    surface.split_below(middle, 0.6, below);
    dock
}

impl Shell {
    /// Brings a panel to the front, adding it again if it was closed.
    pub fn open(&mut self, kind: PanelKind) {
        if kind == PanelKind::Help {
            self.help_open = true;
            return;
        }
        match self.dock.find_tab(&kind) {
            Some(path) => {
                // The path was found a line ago; if it were wrong nothing would come to the front, no more.
                let _ = self.dock.set_active_tab(path);
            }
            None => self.dock.push_to_first_leaf(kind),
        }
    }

    /// Panels whose contents are on screen, so that only their views are built.
    pub fn is_visible(&self, kind: PanelKind) -> bool {
        self.dock.iter_leaves().any(|(_, leaf)| !leaf.collapsed && leaf.tabs.get(leaf.active.0) == Some(&kind))
    }

    /// Another recording is shown: what was kept of the time and the events of the one before means nothing any more.
    pub fn forget_the_past(&mut self) {
        let speed = self.time.speed;
        self.time = TimeState::default();
        self.time.speed = speed;
        self.trend = TrendState::default();
        self.alarms = AlarmsState::default();
        self.events = EventsState::default();
    }

    pub fn reset_layout(&mut self) {
        self.dock = default_layout();
    }
}

/// The views of one frame. Those of hidden panels are left empty.
pub struct Views<'a> {
    pub bars: BarsView,
    pub time: TimeView<'a>,
    pub tree: TreeView<'a>,
    pub inspector: Option<InspectorView>,
    pub trend: TrendView,
    pub alarms: AlarmsView<'a>,
    pub events: EventsView<'a>,
    pub statistics: StatisticsView,
    pub compare: CompareView,
    pub connections: ConnectionsView,
    pub issues: IssuesView,
    pub open: OpenView<'a>,
    pub attention: &'a crate::command::Attention,
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
    Panel::top("top bar")
        .exact_size(40.0)
        .resizable(false)
        .show_separator_line(false)
        .frame(bar(theme::BAR))
        .show(ui, |ui| asked = bars::top_ui(ui, &views.bars));
    let status = Panel::bottom("status strip").exact_size(26.0).resizable(false).show_separator_line(false);
    status.frame(bar(theme::BAR)).show(ui, |ui| asked = asked.or(bars::status_ui(ui, &views.bars)));
    let time = Panel::bottom("time bar").exact_size(timebar::HEIGHT).resizable(false).show_separator_line(false);
    let live = views.time.is_live();
    time.frame(bar(if live { theme::PANEL } else { theme::PAUSED })).show(ui, |ui| {
        if !live {
            let edge = ui.max_rect().expand2(egui::vec2(12.0, 0.0));
            ui.painter().with_clip_rect(edge).hline(edge.x_range(), edge.top() + 1.0, (3.0, theme::NOT_LIVE));
        }
        timebar::time_ui(ui, &views.time, &mut shell.time, out);
    });
    match asked {
        Some(Asked::Panel(kind)) => shell.open(kind),
        Some(Asked::Open) => shell.open.open(),
        None => {}
    }
    if shell.notice.as_ref().is_some_and(|notice| open::notice_ui(ui, notice)) {
        shell.notice = None;
    }
    let mut viewer = Viewer {
        views,
        tree: &mut shell.tree,
        inspector: &mut shell.inspector,
        trend: &mut shell.trend,
        alarms: &mut shell.alarms,
        events: &mut shell.events,
        record: &mut shell.record,
        paint_world,
        room: Room::default(),
        out,
    };
    let style = theme::dock(ui.style());
    DockArea::new(&mut shell.dock)
        .style(style)
        .show_leaf_collapse_buttons(false)
        .show_leaf_close_all_buttons(false)
        .show_inside(ui, &mut viewer);
    let room = viewer.room;
    if let Some(record) = &views.bars.record {
        recording::stop_dialog_ui(ui.ctx(), record, &mut shell.record, out);
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

fn read_keys(ui: &Ui, shell: &mut Shell, views: &Views, out: &mut Vec<OperatorCommand>) {
    let on = shortcuts::KeyContext {
        time: &views.time,
        speed: shell.time.speed,
        attention: views.attention,
        viewpoints: views.tree.scene.views.len(),
        help_open: shell.help_open,
    };
    match shortcuts::read(ui.ctx(), &on, out) {
        Some(Wish::Search) => {
            shell.open(PanelKind::Tree);
            shell.tree.focus_search = true;
        }
        Some(Wish::Alarms) => shell.open(PanelKind::Alarms),
        Some(Wish::ToggleHelp) => shell.help_open = !shell.help_open,
        Some(Wish::CloseHelp) => shell.help_open = false,
        Some(Wish::TypeTime) => shell.time.type_time(),
        Some(Wish::ShowAllTime) => shell.time.zoom = None,
        Some(Wish::Open) => shell.open.open(),
        Some(Wish::Record) => {
            if let Some(record) = &views.bars.record {
                recording::toggle(record, &mut shell.record, out);
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

/// A frame around the 3D view and a caption, so that nobody takes the past for the present. Gives what the caption covers.
fn frame_the_past(painter: &egui::Painter, rect: Rect, time: &TimeView) -> Rect {
    painter.rect_stroke(rect, 0.0, (3.0, theme::NOT_LIVE), egui::StrokeKind::Inside);
    let text = format!("{}  {} UTC", timebar::badge(&time.cursor, time.recorded), super::format::clock(time.shown));
    let galley = painter.layout_no_wrap(text, theme::body(), theme::GROUND);
    let back = Rect::from_min_size(rect.left_top(), galley.size() + egui::vec2(24.0, 10.0));
    painter.rect_filled(back, 0.0, theme::NOT_LIVE);
    painter.galley(back.center() - galley.size() / 2.0, galley, theme::GROUND);
    // In steps, so that a clock that runs moves no label.
    const STEP: f32 = 24.0;
    Rect::from_min_size(back.min, egui::vec2((back.width() / STEP).ceil() * STEP, back.height()))
}

/// A caption in the lower left corner of the 3D view: whose values ghosts show, so that nobody takes them for twins.
fn name_the_ghosts(painter: &egui::Painter, rect: Rect, beside: &str) {
    let text = format!("Ghosts: {beside}");
    let galley = super::widgets::layout(painter, &text, theme::small(), theme::TEXT, rect.width() - 40.0);
    let size = galley.size() + egui::vec2(20.0, 8.0);
    let back = Rect::from_min_size(rect.left_bottom() - egui::vec2(0.0, size.y), size).translate(egui::vec2(3.0, -3.0));
    painter.rect_filled(back, 0.0, theme::PANEL.gamma_multiply(0.9));
    painter.galley(back.center() - galley.size() / 2.0, galley, theme::TEXT);
}

struct Viewer<'a, 'v> {
    views: &'a Views<'v>,
    tree: &'a mut TreeState,
    inspector: &'a mut InspectorState,
    trend: &'a mut TrendState,
    alarms: &'a mut AlarmsState,
    events: &'a mut EventsState,
    record: &'a mut RecordBox,
    paint_world: &'a dyn Fn(&egui::Painter, Rect),
    room: Room,
    out: &'a mut Vec<OperatorCommand>,
}

impl TabViewer for Viewer<'_, '_> {
    type Tab = PanelKind;

    fn id(&mut self, tab: &mut PanelKind) -> egui::Id {
        egui::Id::new(("panel", *tab))
    }

    fn title(&mut self, tab: &mut PanelKind) -> WidgetText {
        match *tab {
            PanelKind::Alarms => alarms::title(&self.views.alarms).into(),
            PanelKind::Issues if !self.views.issues.lines.is_empty() => {
                format!("Issues ({})", self.views.issues.lines.len()).into()
            }
            tab => tab.title().into(),
        }
    }

    fn ui(&mut self, ui: &mut Ui, tab: &mut PanelKind) {
        match tab {
            PanelKind::World => {
                let rect = ui.max_rect().intersect(ui.clip_rect());
                self.room.world = Some(rect);
                let painter = ui.painter().with_clip_rect(rect);
                (self.paint_world)(&painter, rect);
                if !self.views.time.is_live() {
                    self.room.covered = Some(frame_the_past(&painter, rect, &self.views.time));
                }
                if let Some(beside) = &self.views.bars.beside {
                    name_the_ghosts(&painter, rect, beside);
                }
            }
            PanelKind::Tree => tree::tree_ui(ui, &self.views.tree, self.tree, self.out),
            PanelKind::Inspector => {
                let scene = self.views.alarms.scene;
                inspector::inspector_ui(ui, scene, self.views.inspector.as_ref(), self.inspector, self.out);
            }
            PanelKind::Trends => trend::trend_ui(ui, &self.views.trend, self.trend, self.out),
            PanelKind::Alarms => alarms::alarms_ui(ui, &self.views.alarms, self.alarms, self.out),
            PanelKind::Events => events::events_ui(ui, &self.views.events, self.events, self.out),
            PanelKind::Statistics => statistics::statistics_ui(ui, &self.views.statistics),
            PanelKind::Compare => compare::compare_ui(ui, &self.views.compare, self.out),
            PanelKind::Connections => {
                connections::connections_ui(ui, &self.views.connections, self.record, self.out);
            }
            PanelKind::Issues => issues::issues_ui(ui, &self.views.issues, self.out),
            PanelKind::Help => {}
        }
    }

    fn is_closeable(&self, _tab: &PanelKind) -> bool {
        false
    }

    fn allowed_in_windows(&self, _tab: &mut PanelKind) -> bool {
        false
    }

    fn clear_background(&self, tab: &PanelKind) -> bool {
        *tab != PanelKind::World
    }

    fn scroll_bars(&self, _tab: &PanelKind) -> [bool; 2] {
        // Panels scroll by themselves, so that they can build only what is in sight.
        [false, false]
    }

    fn tab_style_override(&self, tab: &PanelKind, style: &egui_dock::TabStyle) -> Option<egui_dock::TabStyle> {
        (*tab == PanelKind::World).then(|| {
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
    use crate::panel::testing;
    use egui_kittest::kittest::Queryable as _;

    #[test]
    fn every_panel_is_found_by_its_name() {
        for kind in PanelKind::ALL {
            assert_eq!(PanelKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(PanelKind::from_name(" Trends "), Some(PanelKind::Trends));
        assert_eq!(PanelKind::from_name("nonesuch"), None);
    }

    #[test]
    fn opening_a_panel_brings_it_to_the_front() {
        let mut shell = Shell::default();
        assert!(shell.is_visible(PanelKind::Trends) && !shell.is_visible(PanelKind::Issues));
        shell.open(PanelKind::Issues);
        assert!(shell.is_visible(PanelKind::Issues) && !shell.is_visible(PanelKind::Trends));
    }

    #[test]
    fn the_whole_shell_leaves_a_rectangle_to_the_world_and_names_its_panels() {
        let plant = testing::plant();
        let mut harness = testing::harness((Shell::default(), None, Vec::new()), move |ui, (shell, world, out)| {
            let attention = plant.attention("P-101", &["P-101.vibration"]);
            let views = plant.views(&attention, shell);
            *world = show(ui, shell, &views, &|_, _| {}, out).world;
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
        assert_eq!(harness.state().2, [OperatorCommand::Pause]);
    }
}
