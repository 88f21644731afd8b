//! What is asked before something happens to alarms: for how long, why, and which new limit.
//!
//! In: a [`Dialog`] that a button opened; it names alarms as the scene does, so that it may stay open over a reload. Out:
//! one command, once everything that is asked for is there. Never lets an alarm be shelved, taken out of service or
//! changed without a reason.

use std::time::Duration;

use bevy_egui::egui::text::{CCursor, CCursorRange};
use bevy_egui::egui::text_edit::TextEditState;
use bevy_egui::egui::{self, Context, Ui};

use super::words;
use crate::alarm::Action;
use crate::command::{AlarmCommand, LimitField, OperatorCommand, SceneCommand};
use crate::panel::{format, theme, widgets};
use crate::scene::Scene;
use crate::scene::rule::{AlarmIndex, AlarmPath, Condition, Rule};

#[derive(Clone, PartialEq, Debug)]
pub enum Dialog {
    Shelve { alarms: Vec<AlarmPath>, lasting: Option<Duration>, reason: String },
    TakeOut { alarms: Vec<AlarmPath>, reason: String },
    Comment { alarms: Vec<AlarmPath>, comment: String },
    Edit(EditDraft),
}

impl Dialog {
    pub fn shelve(alarms: Vec<AlarmPath>) -> Self {
        Dialog::Shelve { alarms, lasting: LASTING[0].1, reason: String::new() }
    }

    pub fn take_out(alarms: Vec<AlarmPath>) -> Self {
        Dialog::TakeOut { alarms, reason: String::new() }
    }

    pub fn comment(alarms: Vec<AlarmPath>) -> Self {
        Dialog::Comment { alarms, comment: String::new() }
    }
}

const fn hours(hours: u64) -> Option<Duration> {
    Some(Duration::from_secs(hours * 3_600))
}

/// All well below [`LONGEST_SHELVING`](crate::alarm::LONGEST_SHELVING).
const LASTING: [(&str, Option<Duration>); 4] =
    [("15 min", Some(Duration::from_secs(900))), ("1 h", hours(1)), ("8 h", hours(8)), ("Until it returns", None)];

/// A new number for one alarm.
#[derive(Clone, PartialEq, Debug)]
pub struct EditDraft {
    pub alarm: AlarmPath,
    pub field: LimitField,
    /// As it is typed; in the unit that is shown.
    pub text: String,
    pub reason: String,
}

impl EditDraft {
    /// None for alarms without a limit, and for an index beyond the scene.
    pub fn of(scene: &Scene, alarm: AlarmIndex) -> Option<Self> {
        let rule = scene.alarms.get(alarm.at())?;
        let (value, _) = present(rule, LimitField::Limit)?;
        let alarm = AlarmPath::of_rule(rule, scene);
        Some(Self { alarm, field: LimitField::Limit, text: plain(value), reason: String::new() })
    }

    /// The command, or what is still missing.
    fn command(&self, rule: &Rule) -> Result<OperatorCommand, &'static str> {
        let value: f64 = self.text.trim().parse().map_err(|_| "This is not a number.")?;
        if !value.is_finite() {
            return Err("This is not a number.");
        }
        if self.field != LimitField::Limit && value < 0.0 {
            return Err("This cannot be below zero.");
        }
        let (old, to_rule) = present(rule, self.field).ok_or("This alarm has no such number.")?;
        if value == old {
            return Err("This is the value that it has.");
        }
        if self.reason.trim().is_empty() {
            return Err(NO_REASON);
        }
        let reason = self.reason.trim().to_owned();
        let alarm = self.alarm.clone();
        Ok(OperatorCommand::Scene(SceneCommand::EditLimit { alarm, field: self.field, value: value * to_rule, reason }))
    }
}

/// The number as it is shown, and the factor to what the rule holds: rates are shown per minute.
fn present(rule: &Rule, field: LimitField) -> Option<(f64, f64)> {
    let per_minute = |x: f64| (x * 60.0, 1.0 / 60.0);
    match (field, &rule.condition) {
        (LimitField::OnDelay, _) => Some((rule.on_delay.as_secs_f64(), 1.0)),
        (LimitField::OffDelay, _) => Some((rule.off_delay.as_secs_f64(), 1.0)),
        (LimitField::Limit, Condition::Limit { limit, .. } | Condition::Deviation { limit, .. }) => Some((*limit, 1.0)),
        (LimitField::Deadband, Condition::Limit { deadband, .. } | Condition::Deviation { deadband, .. }) => {
            Some((*deadband, 1.0))
        }
        (LimitField::Limit, Condition::Rate { limit_per_sec, .. }) => Some(per_minute(*limit_per_sec)),
        (LimitField::Deadband, Condition::Rate { deadband_per_sec, .. }) => Some(per_minute(*deadband_per_sec)),
        _ => None,
    }
}

/// A number to start typing from: no grouping.
fn plain(x: f64) -> String {
    let rounded = (x * 1e9).round() / 1e9;
    format!("{rounded}")
}

const NO_REASON: &str = "A reason is required.";

const FIELDS: [(&str, LimitField); 4] = [
    ("Limit", LimitField::Limit),
    ("Deadband", LimitField::Deadband),
    ("On-delay", LimitField::OnDelay),
    ("Off-delay", LimitField::OffDelay),
];

/// Shows the open dialog, if there is one; closes it when it is done or given up.
pub fn dialog_ui(ctx: &Context, scene: &Scene, dialog: &mut Option<Dialog>, out: &mut Vec<OperatorCommand>) {
    let Some(open) = dialog else { return };
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(18);
    let shown = egui::Modal::new(egui::Id::new("alarm dialog")).frame(frame).show(ctx, |ui| {
        ui.set_width(420.0);
        match open {
            Dialog::Shelve { alarms, lasting, reason } => shelve_ui(ui, scene, alarms, lasting, reason),
            Dialog::TakeOut { alarms, reason } => {
                title(ui, "Out of service", alarms, scene);
                reason_field(ui, "Reason", reason);
                ask(ui, "Take out of service", given(reason))
                    .map(|confirmed| confirmed.then(|| alarm_command(alarms, Action::TakeOutOfService, reason)))
            }
            Dialog::Comment { alarms, comment } => {
                title(ui, "Comment", alarms, scene);
                reason_field(ui, "Comment text", comment);
                let missing = if comment.trim().is_empty() { Err("Write a comment.") } else { Ok(()) };
                ask(ui, "Add comment", missing)
                    .map(|confirmed| confirmed.then(|| alarm_command(alarms, Action::Comment, comment)))
            }
            Dialog::Edit(draft) => edit_ui(ui, scene, draft),
        }
    });
    // The inner answer is none while the dialog goes on, else what is to be done, if anything.
    if let Some(command) = shown.inner.clone() {
        out.extend(command);
        *dialog = None;
    } else if shown.should_close() {
        *dialog = None;
    }
}

fn alarm_command(alarms: &[AlarmPath], action: Action, comment: &str) -> OperatorCommand {
    OperatorCommand::Alarm(AlarmCommand::Act { alarms: alarms.to_vec(), action, comment: comment.trim().to_owned() })
}

fn given(reason: &str) -> Result<(), &'static str> {
    if reason.trim().is_empty() { Err(NO_REASON) } else { Ok(()) }
}

fn title(ui: &mut Ui, what: &str, alarms: &[AlarmPath], scene: &Scene) {
    ui.label(egui::RichText::new(what).heading().color(theme::TEXT_STRONG));
    const NAMED: usize = 4;
    for rule in alarms.iter().take(NAMED).filter_map(|path| path.rule(scene)) {
        let text = format!("{} {}", words::whose(rule, scene), words::message(rule, scene));
        widgets::line(ui, &text, theme::small(), theme::TEXT);
    }
    if alarms.len() > NAMED {
        let more = format!("and {} more", alarms.len() - NAMED);
        ui.label(egui::RichText::new(more).font(theme::small()).color(theme::TEXT_WEAK));
    }
    ui.add_space(6.0);
}

fn reason_field(ui: &mut Ui, name: &str, text: &mut String) {
    let field =
        egui::TextEdit::singleline(text).hint_text(name).desired_width(f32::INFINITY).margin(egui::vec2(8.0, 5.0));
    let response = ui.add(field);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::TextEdit, true, name));
    // The dialog was opened to be written in.
    if ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
}

/// The buttons below a dialog: none while it goes on, then whether it was confirmed.
fn ask(ui: &mut Ui, verb: &str, ready: Result<(), &'static str>) -> Option<bool> {
    ui.add_space(8.0);
    let mut answer = None;
    ui.horizontal(|ui| {
        let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
        let confirm = ui.add_enabled(ready.is_ok(), egui::Button::new(verb));
        if confirm.clicked() || (enter && ready.is_ok()) {
            answer = Some(true);
        }
        if ui.button("Cancel").clicked() {
            answer = Some(false);
        }
        if let Err(missing) = ready {
            ui.label(egui::RichText::new(missing).font(theme::small()).color(theme::TEXT_WEAK));
        }
    });
    answer
}

type Answer = Option<Option<OperatorCommand>>;

fn shelve_ui(
    ui: &mut Ui,
    scene: &Scene,
    alarms: &[AlarmPath],
    lasting: &mut Option<Duration>,
    reason: &mut String,
) -> Answer {
    title(ui, "Shelve for a while", alarms, scene);
    ui.horizontal(|ui| {
        for (name, choice) in LASTING {
            ui.selectable_value(lasting, choice, name);
        }
    });
    ui.add_space(4.0);
    reason_field(ui, "Reason", reason);
    ask(ui, "Shelve", given(reason))
        .map(|confirmed| confirmed.then(|| alarm_command(alarms, Action::Shelve { lasting: *lasting }, reason)))
}

fn edit_ui(ui: &mut Ui, scene: &Scene, draft: &mut EditDraft) -> Answer {
    // The scene was reloaded without it.
    let Some(rule) = draft.alarm.rule(scene) else { return Some(None) };
    title(ui, "Edit alarm", std::slice::from_ref(&draft.alarm), scene);
    ui.horizontal(|ui| {
        for (name, field) in FIELDS {
            if let Some((value, _)) = present(rule, field)
                && ui.selectable_value(&mut draft.field, field, name).clicked()
            {
                draft.text = plain(value);
            }
        }
    });
    ui.add_space(4.0);
    let unit = words::signal_unit(rule, scene);
    let unit = match (draft.field, &rule.condition) {
        (LimitField::OnDelay | LimitField::OffDelay, _) => "s".to_owned(),
        (_, Condition::Rate { .. }) => format!("{} per minute", unit.trim()),
        _ => unit.trim().to_owned(),
    };
    ui.horizontal(|ui| {
        let field = egui::TextEdit::singleline(&mut draft.text).desired_width(110.0).margin(egui::vec2(8.0, 5.0));
        let response = ui.add(field);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::TextEdit, true, "New value"));
        // The number is what the dialog was opened for: what is typed first replaces it.
        if ui.memory(|memory| memory.focused().is_none()) {
            response.request_focus();
            let all = CCursorRange::two(CCursor::new(0), CCursor::new(draft.text.chars().count()));
            let mut cursor = TextEditState::load(ui.ctx(), response.id).unwrap_or_default();
            cursor.cursor.set_char_range(Some(all));
            cursor.store(ui.ctx(), response.id);
        }
        let was = present(rule, draft.field).map(|(old, _)| format::number(old)).unwrap_or_default();
        ui.label(egui::RichText::new(format!("{unit}   (now {was})")).font(theme::small()).color(theme::TEXT_WEAK));
    });
    ui.add_space(4.0);
    reason_field(ui, "Reason", &mut draft.reason);
    let command = draft.command(rule);
    let ready = command.as_ref().map(|_| ()).map_err(|missing| *missing);
    ask(ui, "Change", ready).map(|confirmed| command.ok().filter(|_| confirmed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;

    #[test]
    fn an_edit_needs_a_new_number_and_a_reason() {
        let scene = testing::scene();
        let rule = testing::alarms::rule(&scene, "P-101", "vibration.high");
        let draft = EditDraft::of(&scene, rule.index).unwrap();
        assert_eq!(draft.text, "4.5");
        let with = |text: &str, reason: &str| EditDraft { text: text.into(), reason: reason.into(), ..draft.clone() };
        assert_eq!(with("4.5", "why").command(rule), Err("This is the value that it has."));
        assert_eq!(with("4,5", "why").command(rule), Err("This is not a number."));
        assert_eq!(with("inf", "why").command(rule), Err("This is not a number."));
        assert_eq!(with("5", "  ").command(rule), Err(NO_REASON));
        let edit = OperatorCommand::Scene(SceneCommand::EditLimit {
            alarm: AlarmPath::of_twin("P-101", "vibration.high"),
            field: LimitField::Limit,
            value: 5.0,
            reason: "after the overhaul".into(),
        });
        assert_eq!(with(" 5.0", "after the overhaul ").command(rule), Ok(edit));
        let delay = EditDraft { field: LimitField::OnDelay, ..with("-1", "why") };
        assert_eq!(delay.command(rule), Err("This cannot be below zero."));
    }

    #[test]
    fn a_rate_is_edited_per_minute_and_kept_per_second() {
        let scene = testing::scene();
        let mut rule = testing::alarms::rule(&scene, "P-101", "vibration.high").clone();
        rule.condition = Condition::Rate {
            direction: crate::scene::rule::Direction::Rising,
            limit_per_sec: 0.5 / 60.0,
            over: Duration::from_secs(30),
            deadband_per_sec: 0.0,
            per: Duration::from_secs(60),
        };
        let alarm = AlarmPath::of_rule(&rule, &scene);
        let draft = EditDraft { alarm, field: LimitField::Limit, text: "1.2".into(), reason: "why".into() };
        match draft.command(&rule) {
            Ok(OperatorCommand::Scene(SceneCommand::EditLimit { value, .. })) => {
                assert!((value - 0.02).abs() < 1e-12, "{value}")
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(present(&rule, LimitField::Limit).map(|(shown, _)| plain(shown)).as_deref(), Some("0.5"));
    }
}
