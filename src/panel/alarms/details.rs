//! Everything about one alarm: what to do, by when, how it came to be, who did what.
//!
//! In: one alarm with its rule, and the journal. Out: [`Details`], plain text, and its picture; wishes by its buttons.

use std::sync::Arc;

use bevy_egui::egui::{self, Response, ScrollArea, Ui, pos2, vec2};

use super::dialog::{Dialog, EditDraft};
use super::{AlarmsView, words};
use crate::alarm::{State, Urgency};
use crate::command::{AttentionCommand, CameraCommand, OperatorCommand, SceneCommand, TimeCommand};
use crate::event::{Event, Kind};
use crate::panel::{format, theme, widgets};
use crate::scene::Scene;
use crate::scene::rule::{AlarmIndex, Rule, Subject};
use crate::value::{SignalIndex, Timestamp, TwinIndex};

/// What stands before the settings of a rule that was another one when the alarm was judged.
const RETOLD: (&str, &str) = ("Since then", "the scene says otherwise; it says now:");

/// Transitions listed at most.
const HISTORY: usize = 40;

#[derive(Clone, PartialEq, Debug)]
pub struct Details {
    pub index: AlarmIndex,
    pub alarm: Urgency,
    pub whose: String,
    pub twin: Option<TwinIndex>,
    pub message: String,
    pub state: &'static str,
    /// (name, text) in the order to read them: what to do comes first.
    pub guidance: Vec<(&'static str, String)>,
    pub response: Option<(String, bool)>,
    /// Shelved until when, by whom and why; and the like.
    pub aside: Vec<String>,
    /// (name, value)
    pub facts: Vec<(&'static str, String)>,
    pub settings: Vec<(&'static str, String)>,
    pub raised_at: Option<Timestamp>,
    pub signals: Vec<SignalIndex>,
}

pub fn details(view: &AlarmsView, index: AlarmIndex) -> Option<Details> {
    let rule = view.scene.alarms.get(index.at())?;
    let alarm = view.board.alarm(index)?;
    let guidance = &rule.guidance;
    let texts = [("Action", &guidance.action), ("Cause", &guidance.cause), ("Consequence", &guidance.consequence)];
    let mut aside = Vec::new();
    if let Some(shelved) = &alarm.flags.shelved {
        let until = match shelved.until {
            Some(until) => format!("until {}", format::clock_minutes(until)),
            None => "until it returns to normal".into(),
        };
        aside.push(format!("Shelved {until} by {}: {}", shelved.deed.by, shelved.deed.comment));
    }
    if let Some(deed) = &alarm.flags.out_of_service {
        aside.push(format!(
            "Out of service since {}, by {}: {}",
            format::clock_minutes(deed.at),
            deed.by,
            deed.comment
        ));
    }
    if alarm.flags.suppressed {
        let by = rule.suppressed_when.as_ref().map(|formula| format!(" while {}", formula.source)).unwrap_or_default();
        aside.push(format!("Suppressed{by}"));
    }
    let quantity =
        |x: f64| format!("{}{}", format::steady_number(words::in_unit(x, rule)), words::unit_of(rule, view.scene));
    let mut facts = Vec::new();
    if let Some(raised) = alarm.raised_at {
        let name = if alarm.state == State::Normal { "Last raised" } else { "Raised" };
        let ago = view.shown.secs_since(raised);
        let ago = if ago < 1.0 { "just now".to_owned() } else { format!("{} ago", format::age(ago)) };
        facts.push((name, format!("{}, {ago}", format::clock(raised))));
    }
    for (name, value) in [("Trigger", alarm.trigger), ("Now", alarm.current), ("Worst", alarm.worst)] {
        if let Some(x) = value {
            facts.push((name, quantity(x)));
        }
    }
    if let Some(deed) = &alarm.acknowledged {
        facts.push(("Acknowledged", format!("{} by {}", format::clock(deed.at), deed.by)));
    }
    facts.push(("Raised in all", format::count(alarm.activations)));
    if alarm.late > 0 {
        facts.push(("Late samples", format::count(alarm.late)));
    }
    Some(Details {
        index,
        alarm: Urgency::of(rule.priority, alarm.state),
        whose: words::whose(rule, view.scene).to_owned(),
        twin: words::twin_of(rule, view.scene),
        message: words::message(rule, view.scene),
        state: words::state_text(alarm.state),
        guidance: texts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name, text.clone()))
            .collect(),
        response: words::response(rule, alarm, view.shown),
        aside,
        facts,
        settings: settings_of(view, index, rule),
        raised_at: alarm.raised_at,
        signals: words::signals_of(rule),
    })
}

/// As the scene has them now: of the time when an alarm was judged only its message tells.
fn settings_of(view: &AlarmsView, index: AlarmIndex, rule: &Rule) -> Vec<(&'static str, String)> {
    let (name, text) = RETOLD;
    let before = view.board.is_retold(index).then(|| (name, text.to_owned()));
    before.into_iter().chain(words::settings(rule, view.scene)).collect()
}

/// One line of an alarm's past.
#[derive(Clone, PartialEq, Debug)]
pub struct Transition {
    pub time: Timestamp,
    /// Where to go to see it.
    pub seen_at: Timestamp,
    /// `acknowledged by ada: jam cleared`.
    pub text: String,
}

/// The past of one alarm, newest first, the latest only.
pub fn transitions(view: &AlarmsView, index: AlarmIndex) -> Vec<Transition> {
    let Some(rule) = view.scene.alarms.get(index.at()) else { return Vec::new() };
    let whose = words::whose(rule, view.scene);
    let of_broker = matches!(rule.subject, Subject::Broker(_));
    let is_ours = |event: &&Arc<Event>| match &event.kind {
        Kind::Alarm { alarm, broker, .. } if *alarm == rule.name => {
            (if of_broker { broker.as_deref() } else { event.twin.as_deref() }) == Some(whose)
        }
        _ => false,
    };
    view.events.iter().rev().filter(is_ours).take(HISTORY).map(|event| transition(event, rule, view.scene)).collect()
}

fn transition(event: &Event, rule: &Rule, scene: &Scene) -> Transition {
    let mut text = match &event.kind {
        Kind::Alarm { value, .. } => {
            let quantity =
                |x| format!(" at {}{}", format::number(words::in_unit(x, rule)), words::unit_of(rule, scene));
            format!("{}{}", event.action(), value.map(quantity).unwrap_or_default())
        }
        _ => event.summary(),
    };
    if let Some(by) = &event.by {
        text.push_str(&format!(" by {by}"));
    }
    if !event.comment.is_empty() {
        text.push_str(&format!(": {}", event.comment));
    }
    Transition { time: event.time, seen_at: event.seen_at(), text }
}

/// Gives the dialog that a button asked for.
pub(super) fn details_ui(
    ui: &mut Ui,
    view: &AlarmsView,
    details: &Details,
    past: &[Transition],
    out: &mut Vec<OperatorCommand>,
) -> Option<Dialog> {
    let mut wish = None;
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(20.0, 24.0), egui::Sense::hover());
        widgets::paint_alarm(ui.painter(), pos2(rect.left() + 9.0, rect.center().y), details.alarm);
        let priority = format!("{} {}", details.alarm.priority.number(), details.alarm.priority.name());
        ui.label(egui::RichText::new(&details.whose).heading().color(theme::TEXT_STRONG));
        ui.label(egui::RichText::new(priority).font(theme::small()).color(theme::TEXT_WEAK));
    });
    ui.label(egui::RichText::new(&details.message).color(theme::TEXT_STRONG));
    ui.horizontal_wrapped(|ui| {
        buttons(ui, view, details, &mut wish, out);
    });
    ScrollArea::vertical().id_salt("alarm details").auto_shrink(false).show(ui, |ui| {
        small(ui, details.state, theme::TEXT);
        for line in &details.aside {
            small(ui, line, theme::TEXT_STRONG);
        }
        if let Some((text, over)) = &details.response {
            let ink = if *over { theme::TEXT_STRONG } else { theme::TEXT };
            fact(ui, "Respond within", text, ink);
        }
        for (name, text) in &details.guidance {
            ui.add_space(2.0);
            small(ui, name, theme::TEXT_WEAK);
            ui.label(egui::RichText::new(text).color(theme::TEXT));
        }
        ui.add_space(4.0);
        for (name, text) in &details.facts {
            fact(ui, name, text, theme::TEXT);
        }
        widgets::section(ui, "Rule");
        for (name, text) in &details.settings {
            fact(ui, name, text, theme::TEXT);
        }
        widgets::section(ui, "History");
        if past.is_empty() {
            small(ui, "Nothing in the journal.", theme::TEXT_WEAK);
        }
        for line in past {
            past_line(ui, line, out);
        }
    });
    wish
}

fn buttons(
    ui: &mut Ui,
    view: &AlarmsView,
    details: &Details,
    wish: &mut Option<Dialog>,
    out: &mut Vec<OperatorCommand>,
) {
    if let Some(twin) = details.twin
        && ui.button("Go to twin").on_hover_text("Select the twin and move the camera to it (T)").clicked()
    {
        jump_to_twin(twin, out);
    }
    if let Some(raised) = details.raised_at
        && ui.button("Go to time").on_hover_text("Show everything at the moment it was raised").clicked()
    {
        out.push(TimeCommand::Seek(raised).into());
    }
    let missing: Vec<_> = details.signals.iter().filter(|signal| !view.trends.contains(signal)).collect();
    if !details.signals.is_empty() {
        let trend = ui.add_enabled(!missing.is_empty(), egui::Button::new("Add trend"));
        if trend.on_disabled_hover_text("It is in the trends already").clicked() {
            out.extend(
                missing.into_iter().map(|signal| OperatorCommand::Attention(AttentionCommand::ToggleTrend(*signal))),
            );
        }
    }
    if let Some(draft) = EditDraft::of(view.scene, details.index) {
        let edit = ui.add_enabled(view.live, egui::Button::new("Edit limit…"));
        if edit.on_disabled_hover_text(super::NOT_LIVE).clicked() {
            *wish = Some(Dialog::Edit(draft));
        }
    }
    if let Some(what) = &view.board.undo {
        let undo = ui.add_enabled(view.live, egui::Button::new("Undo edit")).on_hover_text(what);
        if undo.on_disabled_hover_text(super::NOT_LIVE).clicked() {
            out.push(SceneCommand::UndoEdit.into());
        }
    }
}

pub(super) fn jump_to_twin(twin: TwinIndex, out: &mut Vec<OperatorCommand>) {
    out.push(AttentionCommand::Select(Some(twin)).into());
    out.push(CameraCommand::Focus(Some(twin)).into());
}

fn small(ui: &mut Ui, text: &str, ink: egui::Color32) -> Response {
    ui.label(egui::RichText::new(text).font(theme::small()).color(ink))
}

fn fact(ui: &mut Ui, name: &str, text: &str, ink: egui::Color32) {
    ui.horizontal_top(|ui| {
        ui.add_sized(vec2(104.0, 16.0), |ui: &mut Ui| {
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Min), |ui| small(ui, name, theme::TEXT_WEAK)).inner
        });
        ui.add(egui::Label::new(egui::RichText::new(text).font(theme::small()).color(ink)).wrap());
    });
}

fn past_line(ui: &mut Ui, line: &Transition, out: &mut Vec<OperatorCommand>) {
    ui.horizontal_top(|ui| {
        let time = egui::RichText::new(format::clock(line.time)).font(theme::mono()).color(theme::TEXT_WEAK);
        if ui.add(egui::Label::new(time).sense(egui::Sense::click())).on_hover_text("Go to this moment").clicked() {
            out.push(TimeCommand::Seek(line.seen_at).into());
        }
        ui.add(egui::Label::new(egui::RichText::new(&line.text).font(theme::small()).color(theme::TEXT)).wrap());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Said;
    use crate::panel::testing;
    use crate::scene::LoadedScene;
    use crate::scene::rule::Priority;

    #[test]
    fn details_say_what_to_do_by_when_and_what_the_rule_is() {
        let plant = testing::plant();
        let index = testing::alarms::rule(&plant.scene, "P-101", "vibration.high_high").index;
        let details = plant.alarms(|view| details(view, index)).unwrap();
        let names: Vec<_> = details.guidance.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["Action", "Cause", "Consequence"]);
        assert_eq!(details.response, Some(("8 h, 7 h 59 min left".into(), false)));
        let settings: Vec<_> = details.settings.iter().map(|(name, text)| format!("{name}: {text}")).collect();
        assert_eq!(settings, ["Limit: 7.1 mm/s", "Deadband: 0.3 mm/s", "On-delay: 2 s", "Group: bearings"]);
        let facts: Vec<_> = details.facts.iter().map(|(name, text)| format!("{name}: {text}")).collect();
        assert_eq!(facts[..2], ["Raised: 14:09:45, 15 s ago", "Trigger: 7.14 mm/s"]);
    }

    #[test]
    fn an_alarm_that_was_judged_by_another_scene_bears_the_words_of_that_time() {
        let mut plant = testing::plant();
        let index = testing::alarms::rule(&plant.scene, "P-101", "vibration.high_high").index;
        let loaded = LoadedScene { scene: Arc::new(plant.scene.clone()), generation: 1, issues: Vec::new() };
        let (alarms, at) = (plant.board.alarms().to_vec(), plant.board.at());
        let message = "vibration above 6.5 mm/s (high high)".to_owned();
        plant.board.tell(&loaded, vec![Said { alarm: index, message: message.clone(), priority: Priority::Low }]);
        plant.board.show(&loaded, alarms.into(), at);
        let scene = plant.board.scene(&plant.scene);
        let (row, details) = plant.alarms(|view| {
            let view = AlarmsView { scene, ..*view };
            (super::super::row::alarm_row(&view, index).unwrap(), details(&view, index).unwrap())
        });
        assert_eq!((row.message, row.alarm.priority), (message.clone(), Priority::Low));
        assert_eq!((details.message, details.alarm.priority), (message, Priority::Low));
        let settings: Vec<_> = details.settings.iter().map(|(name, text)| format!("{name}: {text}")).collect();
        assert_eq!(settings[..2], ["Since then: the scene says otherwise; it says now:", "Limit: 7.1 mm/s"]);
    }

    #[test]
    fn a_shelved_alarm_says_until_when_by_whom_and_why() {
        let plant = testing::plant();
        let index = testing::alarms::rule(&plant.scene, "K-401", "load.high").index;
        let details = plant.alarms(|view| details(view, index)).unwrap();
        assert_eq!(details.aside, ["Shelved until 15:10 by grace: filter is being changed"]);
    }

    #[test]
    fn the_past_of_an_alarm_is_its_own_newest_first_with_who_and_why() {
        let plant = testing::plant();
        let index = testing::alarms::rule(&plant.scene, "C-202", "load.high_high").index;
        let past = plant.alarms(|view| transitions(view, index));
        let lines: Vec<_> = past.iter().map(|line| format!("{} {}", format::clock(line.time), line.text)).collect();
        assert_eq!(
            lines,
            ["14:08:00 cleared at 96.9 %", "14:07:50 acknowledged by ada: jam cleared", "14:06:40 raised at 98.4 %",]
        );
    }
}
