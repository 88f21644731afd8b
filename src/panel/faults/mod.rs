//! Faults that were set on purpose: which stand, and a form that sets another.
//!
//! In: [`FaultsView`], built from the journal's faults at the cursor and what the selected twin offers. Out:
//! [`FaultCommand`]s and [`ScenarioCommand`]s. Never sets anything itself.

mod form;
mod offer;

use bevy_egui::egui::{self, Align, Layout, RichText, ScrollArea, Ui};

use super::class::{Dock, PanelClass};
use super::snapshot::Snapshot;
use super::{format, theme, widgets};
use crate::command::{AttentionCommand, FaultCommand, OperatorCommand, ScenarioCommand};
use crate::event::FaultSpan;
use crate::fault::{Site, WrittenFault};
use crate::scene::{Scene, faults};
use crate::value::{Timestamp, TwinIndex};

pub use form::{Form, FormView};
pub use offer::{Offer, offers};

/// How long an answer is shown.
const ANSWER_SECS: f64 = 60.0;

/// What a person presses to clear all faults at any time.
pub const CLEAR_ALL_KEYS: &str = "Ctrl + Shift + X";

pub struct FaultsView<'a> {
    /// Those that stand at the cursor, oldest first.
    pub rows: Vec<FaultRow>,
    /// The form for the selected twin; none where nothing can be broken from here.
    pub form: Option<FormView<'a>>,
    /// Whether there is a plant of this session's own, and something was done to it.
    pub can_save: bool,
    /// How many stand now, wherever the cursor is.
    pub now: usize,
    /// What came of the last thing that was asked; empty after a while.
    pub answer: &'a str,
    pub is_recorded: bool,
}

/// One fault that stands.
#[derive(Clone, PartialEq, Debug)]
pub struct FaultRow {
    pub site: Site,
    pub id: String,
    pub twin: Option<TwinIndex>,
    pub kind: String,
    pub on: String,
    /// `by 2 m3/h`
    pub size: String,
    pub by: String,
    pub reason: String,
    /// `acts`, `begins in 5 s`, `rests`
    pub state: String,
    /// `4 min left`, `until cleared`
    pub left: String,
    /// Whether it stands now too, and not only at the cursor.
    pub can_clear: bool,
}

/// Where a fault acts, in words.
pub fn site_text(site: Site) -> &'static str {
    match site {
        Site::Overlay => "over live data",
        Site::Plant => "in the plant",
        Site::Rig => "in the rig",
    }
}

/// Its sizes with their units: `by 2 m3/h, period 10 s`.
pub fn size_text(fault: &WrittenFault, scene: &Scene) -> String {
    let of_target = faults::resolve(fault, scene).map(|resolved| faults::unit(&resolved, scene)).unwrap_or_default();
    let kind = fault.kind();
    let size = |(parameter, x): (&crate::fault::Parameter, f64)| {
        let unit = parameter.unit(&of_target);
        let value = match parameter.measure {
            crate::fault::Measure::Flag => (if x == 0.0 { "no" } else { "yes" }).to_owned(),
            _ => format::number(x),
        };
        format!("{} {value} {unit}", parameter.name).trim_end().to_owned()
    };
    kind.parameters.iter().zip(fault.values()).map(size).collect::<Vec<_>>().join(", ")
}

fn row(span: &FaultSpan, scene: &Scene, at: Timestamp) -> FaultRow {
    let course = &span.fault.course;
    let state = match (course.is_active(at), course.next_onset(at)) {
        (true, _) => "acts".to_owned(),
        (false, Some(onset)) => format!("begins in {}", format::span(onset.secs_since(at).ceil())),
        (false, None) => "rests".to_owned(),
    };
    let left = match course.end() {
        Some(end) => format!("{} left", format::span(end.secs_since(at).max(0.0).ceil())),
        None => "until it is cleared".to_owned(),
    };
    FaultRow {
        site: span.site,
        id: span.fault.id.clone(),
        twin: span.twin.as_ref().and_then(|id| scene.twin(id)).map(|twin| twin.index),
        kind: span.fault.kind().name.to_owned(),
        on: span.fault.on(),
        size: size_text(&span.fault, scene),
        by: span.by.clone().unwrap_or_default(),
        reason: span.reason.clone(),
        state,
        left,
        can_clear: span.gone.is_none(),
    }
}

/// The faults among the panels.
pub struct FaultsPanel;

#[derive(Default)]
pub struct FaultsState {
    pub form: Option<Form>,
}

impl PanelClass for FaultsPanel {
    const NAME: &'static str = "faults";
    const TITLE: &'static str = "Faults";
    const DOCK: Dock = Dock::Below;
    type State = FaultsState;
    type View<'a> = FaultsView<'a>;

    fn view<'a>(read: &'a Snapshot<'a>, _: &FaultsState) -> FaultsView<'a> {
        faults_view(read)
    }

    fn ui(ui: &mut Ui, view: &FaultsView, state: &mut FaultsState, out: &mut Vec<OperatorCommand>) {
        faults_ui(ui, view, state, out);
    }

    fn tab(read: &Snapshot) -> String {
        match read.faults.standing(read.time.shown).count() {
            0 => Self::TITLE.to_owned(),
            count => format!("{} ({count})", Self::TITLE),
        }
    }

    fn forget_the_past(state: &mut FaultsState) {
        *state = FaultsState::default();
    }
}

/// What the form is made from; none where nothing can be broken from here.
pub fn form_view<'a>(read: &Snapshot<'a>) -> Option<FormView<'a>> {
    let view = FormView { scene: &read.loaded.scene, attention: read.attention, plant: read.plant };
    (!read.is_recorded()).then_some(view)
}

pub fn faults_view<'a>(read: &'a Snapshot<'a>) -> FaultsView<'a> {
    let (scene, shown) = (read.scene(), read.time.shown);
    FaultsView {
        rows: read.faults.standing(shown).map(|span| row(span, scene, shown)).collect(),
        form: form_view(read),
        now: read.faults.standing(read.time.now).count(),
        can_save: read.plant.is_some() && read.faults.iter().any(|span| span.site == Site::Plant),
        answer: if read.time.now.secs_since(read.fault_answer.at) < ANSWER_SECS { &read.fault_answer.text } else { "" },
        is_recorded: read.is_recorded(),
    }
}

pub fn faults_ui(ui: &mut Ui, view: &FaultsView, state: &mut FaultsState, out: &mut Vec<OperatorCommand>) {
    toolbar(ui, view, state, out);
    if !view.answer.is_empty() {
        ui.add(egui::Label::new(RichText::new(view.answer).font(theme::small()).color(theme::TEXT_STRONG)).wrap());
    }
    if let Some(form) = &view.form {
        form::form_ui(ui.ctx(), form, &mut state.form, out);
    }
    if view.now > view.rows.len() {
        let text = format!("{} now; at the cursor:", format::plural(view.now, "fault"));
        ui.label(RichText::new(text).font(theme::small()).color(theme::TEXT_WEAK));
    }
    if view.rows.is_empty() {
        let hint = match (view.is_recorded, &view.form) {
            (true, _) => "No fault was set on purpose at this moment.",
            (false, Some(form)) if form.plant.is_some() => {
                "Select a twin and break it: in the simulated plant, or over live data alone. Nothing real is touched."
            }
            _ => {
                "Select a twin and lay a fault over its live data. Nothing real is touched, and true alarms stay true."
            }
        };
        widgets::empty(ui, "Nothing is broken on purpose", hint);
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for row in &view.rows {
            row_ui(ui, row, view.is_recorded, out);
        }
    });
}

fn toolbar(ui: &mut Ui, view: &FaultsView, state: &mut FaultsState, out: &mut Vec<OperatorCommand>) {
    if view.is_recorded {
        return;
    }
    ui.horizontal(|ui| {
        let twin = view.form.as_ref().and_then(FormView::twin);
        let text = twin.map_or_else(|| "Break…".to_owned(), |twin| format!("Break {}…", twin.id));
        let hint = "Set a fault on the selected twin: its machine, its sensors, its messages";
        let open = ui.add_enabled(twin.is_some(), egui::Button::new(text));
        if let (true, Some(form), Some(twin)) = (open.on_hover_text(hint).clicked(), &view.form, twin) {
            state.form = Some(Form::of(form, twin));
        }
        let clear = ui.add_enabled(view.now > 0, egui::Button::new("Clear all"));
        if clear.on_hover_text(format!("Clears all faults, wherever they act: {CLEAR_ALL_KEYS}")).clicked() {
            out.push(FaultCommand::ClearAll.into());
        }
        let save = ui.add_enabled(view.can_save, egui::Button::new("Save as scenario"));
        let hint =
            "Writes what was done to the plant into a file in the working directory; `pollux test FILE` does it again";
        if save.on_hover_text(hint).clicked() {
            out.push(ScenarioCommand::Save { path: None }.into());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(CLEAR_ALL_KEYS).font(theme::small()).color(theme::TEXT_WEAK));
        });
    });
    ui.add_space(4.0);
}

fn row_ui(ui: &mut Ui, row: &FaultRow, is_recorded: bool, out: &mut Vec<OperatorCommand>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        let (rect, _) = ui.allocate_exact_size(egui::vec2(16.0, theme::ROW), egui::Sense::hover());
        widgets::paint_fault(ui.painter(), rect.center());
        widgets::badge(ui, site_text(row.site), theme::TEXT_STRONG, theme::RAISED);
        let what = format!("{} on {}", row.kind, row.on);
        let name = ui.add(egui::Label::new(RichText::new(what).color(theme::TEXT_STRONG)).sense(egui::Sense::click()));
        if name.on_hover_text(format!("{}\nset by {} {}", row.id, row.by, row.reason)).clicked()
            && let Some(twin) = row.twin
        {
            out.push(AttentionCommand::Select(Some(twin)).into());
        }
        let weak = |text: &str| RichText::new(text).font(theme::small()).color(theme::TEXT_WEAK);
        ui.label(RichText::new(&row.size).font(theme::small()).color(theme::TEXT));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if !is_recorded && row.can_clear && ui.button("Clear").clicked() {
                out.push(FaultCommand::Clear { site: row.site, id: row.id.clone() }.into());
            }
            ui.label(weak(&row.left));
            ui.label(RichText::new(&row.state).font(theme::small()).color(theme::TEXT));
            ui.label(weak(&row.id));
        });
    });
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::command::Attention;
    use crate::fault::{Course, Defect, SensorEffect};
    use crate::panel::testing;
    use crate::plant::Portrait;
    use crate::session::OwnPlant;

    struct Bench {
        scene: Arc<Scene>,
        attention: Attention,
        plant: Option<OwnPlant>,
        rows: Vec<FaultRow>,
        state: FaultsState,
        out: Vec<OperatorCommand>,
    }

    fn harness(twin: &str, has_plant: bool, rows: Vec<FaultRow>) -> egui_kittest::Harness<'static, Bench> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scene.ron");
        let scene = Arc::new(crate::scene::load(&file).scene.expect("the demo's scene"));
        let attention = Attention { selected: scene.twin(twin).map(|twin| twin.index), trends: Vec::new() };
        let plant = has_plant.then(|| OwnPlant {
            portrait: Portrait::default(),
            waker: Arc::new(|| {}),
            status: Arc::default(),
        });
        let bench = Bench { scene, attention, plant, rows, state: FaultsState::default(), out: Vec::new() };
        testing::harness(bench, |ui, bench: &mut Bench| {
            let form = FormView { scene: &bench.scene, attention: &bench.attention, plant: bench.plant.as_ref() };
            let can_save = bench.plant.is_some() && !bench.rows.is_empty();
            let (rows, answer) = (bench.rows.clone(), "saved");
            let now = rows.len();
            let view = FaultsView { rows, form: Some(form), can_save, now, answer, is_recorded: false };
            faults_ui(ui, &view, &mut bench.state, &mut bench.out);
        })
    }

    fn injected(bench: &Bench) -> (Site, WrittenFault, String) {
        match bench.out.last() {
            Some(OperatorCommand::Fault(FaultCommand::Inject { site, fault, reason })) => {
                (*site, fault.clone(), reason.clone())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_fault_is_prepared_seen_and_confirmed() {
        let mut harness = harness("T-100", true, Vec::new());
        harness.get_by_label("Break T-100…").click();
        harness.run();
        harness.get_by_label("Sensor").click();
        harness.run();
        let field = egui::accesskit::Role::TextInput;
        harness.get_by_role_and_label(field, "Reason").focus();
        harness.run();
        harness.get_by_role_and_label(field, "Reason").type_text("drill");
        harness.run();
        harness.get_by_label("Prepare").click();
        harness.run();
        assert_eq!(harness.state().out, [], "nothing is set before it was seen");
        harness.get_by_label("Inject").click();
        harness.run();
        let (site, fault, reason) = injected(harness.state());
        assert_eq!((site, fault.layer(), reason.as_str()), (Site::Plant, crate::fault::Layer::Sensor, "drill"));
        assert!(fault.on().starts_with("T-100."), "{}", fault.on());
        assert!(harness.state().state.form.is_none(), "the form is closed");
    }

    #[test]
    fn a_slider_sets_how_much() {
        let mut harness = harness("T-100", true, Vec::new());
        harness.get_by_label("Break T-100…").click();
        harness.run();
        let rail = harness.get_by_role(egui::accesskit::Role::Slider).rect();
        harness.drag_at(rail.left_center() + egui::vec2(10.0, 0.0));
        harness.run();
        harness.drop_at(rail.center());
        harness.run();
        harness.get_by_label("Prepare").click();
        harness.run();
        harness.get_by_label("Inject").click();
        harness.run();
        let (_, fault, _) = injected(harness.state());
        assert!(fault.on() == "T-100.tank.leak" && fault.values()[0] > 1e-6, "{fault:?}");
    }

    #[test]
    fn enter_goes_on_step_by_step() {
        let mut harness = harness("T-100", true, Vec::new());
        harness.get_by_label("Break T-100…").click();
        harness.run();
        // A button that was clicked keeps the keyboard.
        harness.get_by_label("Sensor").click();
        harness.run();
        harness.ctx.memory_mut(|memory| memory.stop_text_input());
        harness.run();
        harness.key_press(egui::Key::Enter);
        harness.run();
        assert_eq!(harness.state().out, [], "it is seen first");
        harness.key_press(egui::Key::Enter);
        harness.run();
        assert_eq!(injected(harness.state()).0, Site::Plant);
    }

    #[test]
    fn without_a_plant_faults_lie_over_live_data_and_no_machine_is_offered() {
        let mut harness = harness("T-100", false, Vec::new());
        harness.get_by_label("Break T-100…").click();
        harness.run();
        harness.get_by_label("Machine").click();
        harness.run();
        harness.get_by_label("Prepare").click();
        harness.run();
        assert!(harness.query_by_label("over live data").is_some());
        harness.get_by_label("Inject").click();
        harness.run();
        let (site, fault, _) = injected(harness.state());
        assert_eq!((site, fault.layer()), (Site::Overlay, crate::fault::Layer::Sensor));
    }

    #[test]
    fn going_back_and_cancelling_set_nothing() {
        let mut harness = harness("P-101", true, Vec::new());
        harness.get_by_label("Break P-101…").click();
        harness.run();
        harness.get_by_label("Prepare").click();
        harness.run();
        harness.get_by_label("Back").click();
        harness.run();
        harness.get_by_label("Cancel").click();
        harness.run();
        assert_eq!(harness.state().out, []);
        assert!(harness.state().state.form.is_none());
    }

    #[test]
    fn a_fault_that_stands_says_where_what_how_much_and_how_long_and_can_be_cleared() {
        let scene = testing::scene();
        let defect = Defect::Sensor { signal: "P-101.flow".into(), effect: SensorEffect::Bias { by: 2.0 } };
        let course = Course { onset: 0, ramp: 0, duration: Some(90_000_000_000), recurrence: None };
        let span = FaultSpan {
            site: Site::Plant,
            fault: WrittenFault { id: "F-1".into(), defect, course },
            twin: Some("P-101".into()),
            by: Some("ada".into()),
            reason: "drill".into(),
            set: Timestamp(0),
            gone: None,
        };
        let row = row(&span, &scene, Timestamp(30_000_000_000));
        assert_eq!((row.state.as_str(), row.left.as_str()), ("acts", "1:00 left"));
        assert_eq!(row.size, "by 2 m3/h");
        let mut harness = harness("P-101", true, vec![row]);
        assert!(harness.query_by_label("bias on P-101.flow").is_some());
        assert!(harness.query_by_label("saved").is_some(), "what came of the last thing is said");
        harness.get_by_label("Clear").click();
        harness.run();
        harness.get_by_label("Clear all").click();
        harness.run();
        harness.get_by_label("Save as scenario").click();
        harness.run();
        let wanted: [OperatorCommand; 3] = [
            FaultCommand::Clear { site: Site::Plant, id: "F-1".into() }.into(),
            FaultCommand::ClearAll.into(),
            ScenarioCommand::Save { path: None }.into(),
        ];
        assert_eq!(harness.state().out, wanted);
    }
}
