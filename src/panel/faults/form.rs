//! Sets a fault: prepare, see, confirm. In: what the selected twin offers, a [`Form`] that a button opened. Out: one
//! [`FaultCommand`], once it is confirmed. Where the session runs the plant, the fault is run ahead on a copy first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bevy_egui::egui::{self, ComboBox, Context, DragValue, RichText, Slider, Ui};
use crossbeam_channel::{Receiver, TryRecvError};
use egui_plot::{Line, Plot};

use super::offer::{Offer, offers};
use super::{site_text, size_text};
use crate::command::{Attention, FaultCommand, OperatorCommand};
use crate::fault::{Course, Kind, Layer, Measure, Recurrence, Site, WrittenFault};
use crate::panel::{format, theme, widgets};
use crate::scenario::{Preview, preview};
use crate::scene::{Scene, Twin, faults};
use crate::session::OwnPlant;

/// How far ahead the effect is shown.
const AHEAD: Duration = Duration::from_secs(180);

/// What the form is made from.
#[derive(Clone, Copy)]
pub struct FormView<'a> {
    pub scene: &'a Arc<Scene>,
    pub attention: &'a Attention,
    /// None where this session runs no plant.
    pub plant: Option<&'a OwnPlant>,
}

impl<'a> FormView<'a> {
    /// The one that is selected.
    pub fn twin(&self) -> Option<&'a Twin> {
        self.scene.twins.get(self.attention.selected?.at())
    }
}

/// A fault that is being set. It names what it is on as the scene does, so that it may stay open over a reload.
#[derive(Debug)]
pub struct Form {
    twin: String,
    site: Site,
    layer: Layer,
    /// Of the offer.
    path: String,
    kind: &'static str,
    /// In the order of the kind's parameters.
    values: Vec<f64>,
    /// Seconds.
    delay: f64,
    ramp: f64,
    /// None: until it is cleared.
    lasts: Option<f64>,
    /// It comes again after so long; none: it does not.
    every: Option<f64>,
    reason: String,
    seen: Option<Seen>,
}

/// What is confirmed or not.
#[derive(Debug)]
struct Seen {
    fault: WrittenFault,
    /// What it is on, for people.
    about: String,
    ahead: Option<Ahead>,
    preview: Option<Result<Preview, String>>,
}

impl Form {
    pub fn of(view: &FormView, twin: &Twin) -> Self {
        let site = if view.plant.is_some() { Site::Plant } else { Site::Overlay };
        let mut form = Self {
            twin: twin.id.clone(),
            site,
            layer: Layer::Sensor,
            path: String::new(),
            kind: "",
            values: Vec::new(),
            delay: 0.0,
            ramp: 0.0,
            lasts: Some(120.0),
            every: None,
            reason: String::new(),
            seen: None,
        };
        if let Some(first) = offers(view.scene, twin, site == Site::Plant).first() {
            form.take(first);
        }
        form
    }

    fn take(&mut self, offer: &Offer) {
        (self.layer, self.path) = (offer.layer, offer.path.clone());
        if let Some(first) = offer.kinds.first() {
            self.take_kind(offer, first);
        }
    }

    fn take_kind(&mut self, offer: &Offer, kind: &'static Kind) {
        self.kind = kind.name;
        self.values = kind.parameters.iter().map(|one| offer.slider(kind, one).1).collect();
        if !kind.ramps {
            self.ramp = 0.0;
        }
    }

    fn fault(&self, offer: &Offer, kind: &Kind) -> Option<WrittenFault> {
        let nanos = |secs: f64| (secs.clamp(0.0, 1e8) * 1e9).round();
        let course = Course {
            onset: nanos(self.delay) as i64,
            ramp: nanos(self.ramp) as u64,
            duration: self.lasts.map(|secs| nanos(secs) as u64),
            recurrence: self.every.map(|secs| Recurrence { every: nanos(secs) as u64, times: None }),
        };
        // It gets its id where it is set.
        Some(WrittenFault { id: String::new(), defect: offer.defect(kind, &self.values)?, course })
    }
}

/// Shows the open form; closes it when it is done or given up.
pub(super) fn form_ui(ctx: &Context, view: &FormView, form: &mut Option<Form>, out: &mut Vec<OperatorCommand>) {
    let Some(open) = form.as_mut() else { return };
    // The scene was reloaded without it.
    let Some(twin) = view.scene.twin(&open.twin) else {
        *form = None;
        return;
    };
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(18);
    let shown = egui::Modal::new(egui::Id::new("fault form")).frame(frame).show(ctx, |ui| {
        ui.set_width(560.0);
        ui.label(RichText::new(format!("Break {}", open.twin)).heading().color(theme::TEXT_STRONG));
        ui.add_space(6.0);
        match open.seen.is_some() {
            true => see_ui(ui, view, open, out),
            false => fill_ui(ui, view, twin, open),
        }
    });
    if shown.inner || shown.should_close() {
        *form = None;
    }
}

/// The name of a line, as wide as all of them.
fn label(ui: &mut Ui, text: &str) {
    let size = egui::vec2(84.0, theme::ROW);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, text));
    widgets::paint_text(ui.painter(), rect, text, theme::small(), theme::TEXT_WEAK, egui::Align::Min);
}

/// Whether Enter was pressed while nothing else has the keyboard: it goes on to the next step. Holding it does not.
fn goes_on(ctx: &Context) -> bool {
    let is_enter = |event: &egui::Event| {
        matches!(event, egui::Event::Key { key: egui::Key::Enter, pressed: true, repeat: false, .. })
    };
    ctx.memory(|memory| memory.focused().is_none()) && ctx.input(|input| input.events.iter().any(is_enter))
}

/// The first step: what, how much, when. Says whether it is given up.
fn fill_ui(ui: &mut Ui, view: &FormView, twin: &Twin, form: &mut Form) -> bool {
    ui.horizontal(|ui| {
        label(ui, "Where");
        for site in [Site::Plant, Site::Overlay] {
            let hint = match site {
                Site::Plant => "The simulated plant behaves and reports so: what it sends is other than it was",
                _ => "What the plant sends stays as it is; a second picture shows what it would be with the fault",
            };
            let is_possible = site != Site::Plant || view.plant.is_some();
            let choice = egui::Button::selectable(form.site == site, site_text(site));
            if ui.add_enabled(is_possible, choice).on_hover_text(hint).clicked() {
                form.site = site;
            }
        }
    });
    let all = offers(view.scene, twin, form.site == Site::Plant);
    if !all.iter().any(|offer| offer.path == form.path && offer.layer == form.layer)
        && let Some(first) = all.first()
    {
        form.take(first);
    }
    ui.horizontal(|ui| {
        label(ui, "What");
        for (layer, text) in [(Layer::Process, "Machine"), (Layer::Sensor, "Sensor"), (Layer::Link, "Messages")] {
            let first = all.iter().find(|offer| offer.layer == layer);
            let choice = egui::Button::selectable(form.layer == layer, text);
            if let (true, Some(first)) = (ui.add_enabled(first.is_some(), choice).clicked(), first) {
                form.take(first);
            }
        }
    });
    let Some(offer) = all.iter().find(|offer| offer.path == form.path && offer.layer == form.layer) else {
        ui.label("Nothing of this twin can be broken.");
        return ui.button("Close").clicked();
    };
    ui.horizontal(|ui| {
        label(ui, "On");
        let text = |offer: &Offer| match offer.about.is_empty() {
            true => offer.name.clone(),
            false => format!("{}: {}", offer.name, offer.about),
        };
        let combo = ComboBox::from_id_salt("on").width(430.0).height(320.0).truncate();
        combo.selected_text(text(offer)).show_ui(ui, |ui| {
            let layer = form.layer;
            for other in all.iter().filter(|other| other.layer == layer) {
                if ui.selectable_label(other.path == form.path, text(other)).clicked() {
                    form.take(other);
                }
            }
        });
    });
    ui.horizontal(|ui| {
        label(ui, "Fault");
        let combo = ComboBox::from_id_salt("kind").width(180.0).height(320.0);
        combo.selected_text(form.kind).show_ui(ui, |ui| {
            for kind in &offer.kinds {
                let choice = ui.selectable_label(kind.name == form.kind, kind.name).on_hover_text(kind.about());
                if choice.clicked() {
                    form.take_kind(offer, kind);
                }
            }
        });
    });
    let Some(kind) = offer.kinds.iter().copied().find(|kind| kind.name == form.kind) else {
        // Another offer was chosen in this frame.
        ui.ctx().request_repaint();
        return false;
    };
    ui.horizontal(|ui| {
        label(ui, "");
        ui.add(egui::Label::new(RichText::new(kind.about()).font(theme::small()).color(theme::TEXT)).wrap());
    });
    sizes_ui(ui, offer, kind, form);
    course_ui(ui, kind, form);
    ui.horizontal(|ui| {
        label(ui, "Reason");
        let field = egui::TextEdit::singleline(&mut form.reason).desired_width(430.0).margin(egui::vec2(8.0, 5.0));
        let response = ui.add(field);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::TextEdit, true, "Reason"));
    });
    ui.add_space(8.0);
    let fault = form.fault(offer, kind);
    let problems = fault.as_ref().map_or_else(Vec::new, |fault| {
        // The id comes later.
        let named = WrittenFault { id: "fault".into(), ..fault.clone() };
        faults::resolve(&named, view.scene).err().unwrap_or_default()
    });
    let mut gives_up = false;
    ui.horizontal(|ui| {
        let prepare = ui.add_enabled(fault.is_some() && problems.is_empty(), egui::Button::new("Prepare"));
        let is_asked = prepare.clicked() || prepare.enabled() && goes_on(ui.ctx());
        if let (true, Some(fault)) = (is_asked, fault) {
            let ahead = (form.site == Site::Plant).then(|| begin_preview(view, &fault)).flatten();
            form.seen = Some(Seen { fault, about: offer.about.clone(), ahead, preview: None });
        }
        gives_up = ui.button("Cancel").clicked();
        if let Some(problem) = problems.first() {
            ui.add(egui::Label::new(RichText::new(problem).font(theme::small()).color(theme::TEXT_WEAK)).wrap());
        }
    });
    gives_up
}

fn sizes_ui(ui: &mut Ui, offer: &Offer, kind: &Kind, form: &mut Form) {
    for (parameter, value) in kind.parameters.iter().zip(&mut form.values) {
        ui.horizontal(|ui| {
            label(ui, parameter.name);
            if parameter.measure == Measure::Flag {
                let mut is_set = *value != 0.0;
                if ui.checkbox(&mut is_set, parameter.about.trim()).changed() {
                    *value = f64::from(u8::from(is_set));
                }
                return;
            }
            let ((low, high), _) = offer.slider(kind, parameter);
            let unit = parameter.unit(&offer.unit);
            ui.spacing_mut().slider_width = 230.0;
            // Other numbers can be typed; what is not possible is told below.
            // What wears from nothing on matters long before it reaches its bound.
            let is_fine = kind.name == "set" && offer.is_condition && low == 0.0;
            let slider = Slider::new(value, low..=high)
                .logarithmic(is_fine)
                .smallest_positive(high / 1e6)
                .suffix(if unit.is_empty() { String::new() } else { format!(" {unit}") })
                .clamping(egui::SliderClamping::Never)
                .custom_formatter(|x, _| format::number(x));
            ui.add(slider).on_hover_text(parameter.about.trim());
            let is_fixed = offer.usual.filter(|_| kind.layer == Layer::Process && kind.name == "set");
            if let Some(usual) = is_fixed {
                let now = format!("is {} {unit}", format::number(usual));
                ui.label(RichText::new(now).font(theme::small()).color(theme::TEXT_WEAK));
            }
        });
    }
}

fn course_ui(ui: &mut Ui, kind: &Kind, form: &mut Form) {
    let small = |text: &str| RichText::new(text).font(theme::small()).color(theme::TEXT_WEAK);
    ui.horizontal(|ui| {
        label(ui, "When");
        ui.label(small("begins after"));
        ui.add(secs(&mut form.delay));
        if kind.ramps {
            ui.label(small("grows over"));
            ui.add(secs(&mut form.ramp));
        }
        let mut ends = form.lasts.is_some();
        ui.checkbox(&mut ends, "lasts");
        match (&mut form.lasts, ends) {
            (Some(lasts), true) => drop(ui.add(secs(lasts))),
            (lasts, true) => *lasts = Some(120.0),
            (lasts, false) => {
                *lasts = None;
                ui.label(small("until it is cleared"));
            }
        }
        let Some(lasts) = form.lasts else {
            form.every = None;
            return;
        };
        let mut comes_again = form.every.is_some();
        ui.checkbox(&mut comes_again, "again every");
        match (&mut form.every, comes_again) {
            (Some(every), true) => drop(ui.add(secs(every))),
            (every, true) => *every = Some(2.0 * lasts),
            (every, false) => *every = None,
        }
    });
}

/// A field for seconds.
fn secs(value: &mut f64) -> DragValue<'_> {
    DragValue::new(value).range(0.0..=1e7).speed(1.0).suffix(" s").max_decimals(1)
}

/// A copy of the plant that is run ahead in a thread of its own. Dropping it waits for nothing: the thread ends soon.
#[derive(Debug)]
struct Ahead {
    result: Receiver<Result<Preview, String>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn begin_preview(view: &FormView, fault: &WrittenFault) -> Option<Ahead> {
    let plant = view.plant?;
    let portrait = plant.portrait.latest()?;
    let (scene, waker) = (view.scene.clone(), plant.waker.clone());
    let fault = WrittenFault { id: "preview".into(), ..fault.clone() };
    let (done, result) = crossbeam_channel::bounded(1);
    let stop = Arc::new(AtomicBool::new(false));
    let is_over = stop.clone();
    let work = move || {
        let profiles = crate::session::profile::read(&scene);
        let profiles = profiles.map_err(|errors| crate::session::profile::told(&errors));
        let found = profiles.and_then(|profiles| preview(&scene, &portrait, &profiles, &fault, AHEAD, &is_over));
        // Nobody may wait for it any more.
        let _ = done.send(found);
        waker();
    };
    std::thread::Builder::new().name("preview".to_owned()).spawn(work).ok()?;
    Some(Ahead { result, stop })
}

/// The second step: what would come of it. Says whether it is closed.
fn see_ui(ui: &mut Ui, view: &FormView, form: &mut Form, out: &mut Vec<OperatorCommand>) -> bool {
    let Some(seen) = &mut form.seen else { return false };
    if let Some(ahead) = &seen.ahead {
        match ahead.result.try_recv() {
            Ok(preview) => (seen.preview, seen.ahead) = (Some(preview), None),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                seen.preview = Some(Err("the plant cannot be run ahead".to_owned()));
                seen.ahead = None;
            }
        }
    }
    let fault = &seen.fault;
    let line = |ui: &mut Ui, name: &str, text: &str| {
        ui.horizontal(|ui| {
            label(ui, name);
            ui.add(egui::Label::new(RichText::new(text).color(theme::TEXT)).wrap());
        });
    };
    let about = if seen.about.is_empty() { String::new() } else { format!(": {}", seen.about) };
    line(ui, "Fault", &format!("{} on {}{about}", fault.kind().name, fault.on()));
    line(ui, "Size", &size_text(&WrittenFault { id: "fault".into(), ..fault.clone() }, view.scene));
    line(ui, "Effect", fault.kind().about());
    line(ui, "Where", site_text(form.site));
    line(ui, "When", &when_text(&fault.course));
    if !form.reason.trim().is_empty() {
        line(ui, "Reason", form.reason.trim());
    }
    ui.add_space(4.0);
    match (&seen.preview, &seen.ahead) {
        (Some(Ok(preview)), _) => preview_ui(ui, preview),
        (Some(Err(why)), _) => line(ui, "Ahead", why),
        (None, Some(_)) => {
            line(ui, "Ahead", "the plant is run ahead on a copy …");
            ui.ctx().request_repaint_after(Duration::from_millis(100));
        }
        (None, None) if form.site == Site::Plant => line(ui, "Ahead", "the plant cannot be run ahead now"),
        (None, None) => line(ui, "Ahead", "true alarms and history stay as they are"),
    }
    ui.add_space(8.0);
    let (mut is_closed, mut goes_back) = (false, false);
    ui.horizontal(|ui| {
        if ui.button("Inject").clicked() || goes_on(ui.ctx()) {
            let (site, fault, reason) = (form.site, fault.clone(), form.reason.trim().to_owned());
            out.push(FaultCommand::Inject { site, fault, reason }.into());
            is_closed = true;
        }
        goes_back = ui.button("Back").clicked();
        is_closed |= ui.button("Cancel").clicked();
    });
    if goes_back {
        form.seen = None;
    }
    is_closed
}

fn when_text(course: &Course) -> String {
    let secs = |nanos: u64| format::span(nanos as f64 / 1e9);
    let begin = match course.onset {
        0 => "at once".to_owned(),
        onset => format!("in {}", format::span(onset as f64 / 1e9)),
    };
    let ramp = if course.ramp > 0 { format!(", grows over {}", secs(course.ramp)) } else { String::new() };
    let again = course.recurrence.map_or_else(String::new, |again| format!(", again every {}", secs(again.every)));
    let end =
        course.duration.map_or_else(|| ", until it is cleared".to_owned(), |lasts| format!(", for {}", secs(lasts)));
    format!("{begin}{ramp}{end}{again}")
}

fn preview_ui(ui: &mut Ui, preview: &Preview) {
    let title = format!("The next {} on a copy of the plant", format::span(preview.length.as_secs_f64()));
    ui.label(RichText::new(title).font(theme::small()).color(theme::TEXT_WEAK));
    if preview.curves.is_empty() {
        ui.label(RichText::new("No signal differs from what it would be anyway.").color(theme::TEXT));
    }
    for curve in &preview.curves {
        let name = format!(
            "{} {}",
            curve.signal,
            if curve.unit.is_empty() { String::new() } else { format!("in {}", curve.unit) }
        );
        ui.label(RichText::new(name).font(theme::small()).color(theme::TEXT_STRONG));
        Plot::new(&curve.signal)
            .height(60.0)
            .allow_drag(false)
            .allow_zoom(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .show_axes([false, true])
            .show_grid([false, true])
            .y_axis_min_width(56.0)
            .show_x(false)
            .show_y(false)
            .show(ui, |plot| {
                plot.line(Line::new("without", curve.without.clone()).color(theme::TEXT_WEAK).width(1.5));
                plot.line(Line::new("with the fault", curve.with.clone()).color(theme::LINES[0]).width(2.0));
            });
    }
    let more = preview.differing.saturating_sub(preview.curves.len());
    if more > 0 {
        ui.label(
            RichText::new(format!("and {}", format::plural(more, "more signal")))
                .font(theme::small())
                .color(theme::TEXT_WEAK),
        );
    }
    let raised = match preview.raised.is_empty() {
        true => "No alarm would be raised.".to_owned(),
        false => {
            let each = preview
                .raised
                .iter()
                .take(5)
                .map(|(secs, alarm)| format!("{alarm} after {}", format::span(secs.round())));
            let more = preview.raised.len().saturating_sub(5);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("Would raise {}{more}.", each.collect::<Vec<_>>().join(", "))
        }
    };
    ui.add(egui::Label::new(RichText::new(raised).color(theme::TEXT)).wrap());
}
