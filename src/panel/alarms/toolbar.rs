//! What stands above the alarm list: filters, and what can be done to the selected alarms.
//!
//! In: the view, the filter, what is offered. Out: the filter as it was changed, commands, dialogs to open.

use bevy_egui::egui::{self, Ui, WidgetInfo, WidgetType, vec2};

use super::dialog::Dialog;
use super::list::{Offers, States, offers};
use super::{AlarmsState, AlarmsView, NOT_LIVE, plain};
use crate::alarm::{Action, Aside, Priority};
use crate::command::OperatorCommand;
use crate::panel::{theme, widgets};

pub(super) fn filter_ui(ui: &mut Ui, view: &AlarmsView, state: &mut AlarmsState) {
    let AlarmsState { filter, choices: (areas, groups), .. } = state;
    ui.horizontal_wrapped(|ui| {
        let field = egui::TextEdit::singleline(&mut filter.search)
            .hint_text("Search tag, alarm")
            .desired_width(120.0)
            .margin(vec2(8.0, 4.0));
        let response = ui.add(field);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Search alarms"));
        for priority in Priority::ALL {
            let on = !filter.without.contains(&priority);
            if widgets::priority_toggle(ui, priority, on, &format!("Show {} alarms", priority.name()))
                && !filter.without.remove(&priority)
            {
                filter.without.insert(priority);
            }
        }
        egui::ComboBox::from_id_salt("states").width(110.0).selected_text(filter.states.title()).show_ui(ui, |ui| {
            for states in States::ALL {
                ui.selectable_value(&mut filter.states, states, states.title());
            }
        });
        choice(ui, "areas", "All areas", &mut filter.area, areas);
        if !groups.is_empty() {
            choice(ui, "groups", "All groups", &mut filter.group, groups);
        }
        let twin = view.selected_twin.and_then(|twin| view.scene.twins.get(twin.at()));
        if let Some(twin) = twin.filter(|_| filter.twin.is_none()) {
            let button = ui.selectable_label(false, format!("Only {}", twin.id));
            if button.clicked() {
                filter.twin = Some(twin.index);
            }
        }
        if let Some(twin) = filter.twin.and_then(|twin| view.scene.twins.get(twin.at()))
            && ui.selectable_label(true, format!("Only {}", twin.id)).clicked()
        {
            filter.twin = None;
        }
        for (aside, name) in
            [(Aside::Shelved, "Shelved"), (Aside::Suppressed, "Suppressed"), (Aside::OutOfService, "Out of service")]
        {
            let count = view.board.alarms().iter().filter(|alarm| Aside::of(&alarm.flags) == Some(aside)).count();
            let text = if count == 0 { name.to_owned() } else { format!("{name} ({count})") };
            let toggle = ui.selectable_label(filter.asides.contains(&aside), text);
            if toggle.on_hover_text("List these as well").clicked() && !filter.asides.remove(&aside) {
                filter.asides.insert(aside);
            }
        }
    });
}

fn choice(ui: &mut Ui, id: &str, all: &str, chosen: &mut Option<String>, choices: &[String]) {
    let text = chosen.as_deref().unwrap_or(all).to_owned();
    egui::ComboBox::from_id_salt(id).width(96.0).truncate().selected_text(text).show_ui(ui, |ui| {
        ui.selectable_value(chosen, None, all);
        for choice in choices {
            ui.selectable_value(chosen, Some(choice.clone()), choice);
        }
    });
}

/// Buttons for what can be done to the selected alarms; those that fit none of them are left out, but for the most
/// common ones, which keep their places.
pub(super) fn actions_ui(
    ui: &mut Ui,
    view: &AlarmsView,
    state: &mut AlarmsState,
    selected: &Offers,
    out: &mut Vec<OperatorCommand>,
) {
    let in_view = offers(view.board, state.order.iter().copied()).acknowledge;
    ui.horizontal_wrapped(|ui| {
        let button = |ui: &mut Ui, text: &str, enabled: bool, hint: &str| {
            let response = ui.add_enabled(enabled && view.live, egui::Button::new(text));
            response.on_hover_text(hint).on_disabled_hover_text(if view.live { hint } else { NOT_LIVE }).clicked()
        };
        let count = selected.acknowledge.len();
        let text = if count > 1 { format!("Acknowledge {count}") } else { "Acknowledge".to_owned() };
        if button(ui, &text, count > 0, "Acknowledge what is selected (A)") {
            out.push(plain(&selected.acknowledge, Action::Acknowledge));
        }
        let text = format!("Acknowledge all in view ({})", in_view.len());
        if button(ui, &text, !in_view.is_empty(), "Every unacknowledged alarm that the filter lets through") {
            out.push(plain(&in_view, Action::Acknowledge));
        }
        if !selected.reset.is_empty() && button(ui, "Reset", true, "End the latch: the condition has gone") {
            out.push(plain(&selected.reset, Action::Reset));
        }
        if (!selected.shelve.is_empty() || selected.unshelve.is_empty())
            && button(ui, "Shelve…", !selected.shelve.is_empty(), "Hide for a while, with a reason (S)")
        {
            state.dialog = Some(Dialog::shelve(selected.shelve.clone()));
        }
        if !selected.unshelve.is_empty() && button(ui, "Unshelve", true, "Annunciate again") {
            out.push(plain(&selected.unshelve, Action::Unshelve));
        }
        if (!selected.take_out.is_empty() || selected.put_back.is_empty())
            && button(ui, "Out of service…", !selected.take_out.is_empty(), "For maintenance, with a reason")
        {
            state.dialog = Some(Dialog::take_out(selected.take_out.clone()));
        }
        if !selected.put_back.is_empty() && button(ui, "Return to service", true, "Annunciate again") {
            out.push(plain(&selected.put_back, Action::ReturnToService));
        }
        if button(ui, "Comment…", !selected.all.is_empty(), "A remark on the selected alarms (C)") {
            state.dialog = Some(Dialog::comment(selected.all.clone()));
        }
        if !view.live {
            widgets::line(ui, NOT_LIVE, theme::small(), theme::NOT_LIVE);
        }
    });
}
