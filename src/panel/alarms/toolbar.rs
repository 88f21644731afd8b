//! What stands above the alarm list: filters, and what can be done to the selected alarms.
//!
//! In: the view, the filter, what is offered. Out: the filter as it was changed, commands, dialogs to open.

use bevy_egui::egui::{self, Ui, WidgetInfo, WidgetType, vec2};

use super::dialog::Dialog;
use super::list::{AlarmFilter, Offers, States, members, offers};
use super::{AlarmsState, AlarmsView, NOT_LIVE, plain};
use crate::alarm::{Action, Aside};
use crate::command::{AlarmCommand, OperatorCommand};
use crate::panel::{theme, widgets};
use crate::scene::rule::Priority;

/// What is used most lies open; the rest is behind one button, so that the list keeps its room.
pub(super) fn filter_ui(ui: &mut Ui, view: &AlarmsView, state: &mut AlarmsState, out: &mut Vec<OperatorCommand>) {
    let AlarmsState { filter, choices: (areas, groups), .. } = state;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let field = egui::TextEdit::singleline(&mut filter.search)
            .hint_text("Search tag, alarm")
            .desired_width(120.0)
            .margin(vec2(8.0, 4.0));
        let response = ui.add(field);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Search alarms"));
        for priority in Priority::ALL {
            let on = !filter.without.contains(&priority);
            let name = format!("Show {} alarms", priority.name());
            if widgets::priority_toggle(ui, priority, on, &name) && !filter.without.remove(&priority) {
                filter.without.insert(priority);
            }
        }
        let narrowed = filter.states != States::All || filter.area.is_some() || filter.group.is_some();
        let text = egui::RichText::new(if narrowed { "Filter (on)" } else { "Filter" }).font(theme::small());
        egui::containers::menu::MenuButton::new(text)
            .config(
                egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside),
            )
            .ui(ui, |ui| more_ui(ui, filter, areas, groups));
        if let Some(from) = view.horn {
            horn_ui(ui, from, out);
        }
        let selected = view.selected_twin.filter(|_| filter.twin.is_none());
        if let Some(twin) = filter.twin.or(selected).and_then(|twin| view.scene.twins.get(twin.at()))
            && widgets::toggle(ui, filter.twin.is_some(), &format!("Only {}", twin.id), "Leave out other twins")
        {
            filter.twin = if filter.twin.is_some() { None } else { Some(twin.index) };
        }
        for (aside, name) in
            [(Aside::Shelved, "Shelved"), (Aside::Suppressed, "Suppressed"), (Aside::OutOfService, "Out of service")]
        {
            let count = view.board.alarms().iter().filter(|alarm| Aside::of(&alarm.flags) == Some(aside)).count();
            let on = filter.asides.contains(&aside);
            if (count > 0 || on)
                && widgets::toggle(ui, on, &format!("{name} ({count})"), "List these as well")
                && !filter.asides.remove(&aside)
            {
                filter.asides.insert(aside);
            }
        }
    });
}

/// The switch of the horn: it says how it stands.
fn horn_ui(ui: &mut Ui, from: Option<Priority>, out: &mut Vec<OperatorCommand>) {
    let text = format!("Sound: {}", from.map_or("off", Priority::name));
    ui.menu_button(egui::RichText::new(text).font(theme::small()), |ui| {
        let choices = std::iter::once(None).chain(Priority::ALL.map(Some));
        for choice in choices {
            let name = match choice {
                None => "No sound".to_owned(),
                Some(Priority::Critical) => "Sound for critical alarms".to_owned(),
                Some(priority) => format!("Sound for {} alarms and above", priority.name()),
            };
            if ui.selectable_label(from == choice, name).clicked() {
                out.push(AlarmCommand::Sound(choice).into());
                ui.close();
            }
        }
    })
    .response
    .on_hover_text("New alarms ring the terminal and ask for attention with the window");
}

fn more_ui(ui: &mut Ui, filter: &mut AlarmFilter, areas: &[String], groups: &[String]) {
    ui.set_min_width(180.0);
    egui::ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
        for states in States::ALL {
            ui.selectable_value(&mut filter.states, states, states.title());
        }
        for (all, chosen, choices) in
            [("All areas", &mut filter.area, areas), ("All groups", &mut filter.group, groups)]
        {
            if !choices.is_empty() {
                ui.separator();
                ui.selectable_value(chosen, None, all);
                for choice in choices {
                    ui.selectable_value(chosen, Some(choice.clone()), choice);
                }
            }
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
    // Of the alarm whose details are shown.
    let rule = state.focus.and_then(|index| view.scene.alarm(index)).filter(|rule| !rule.group.is_empty());
    let group = rule.map(|rule| offers(view.board, members(view.scene, &rule.group)));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().button_padding.x = 6.0;
        let button = |ui: &mut Ui, text: &str, enabled: bool, hint: &str| {
            let words = egui::RichText::new(text).font(theme::small());
            let response = ui.add_enabled(enabled && view.live, egui::Button::new(words));
            response.on_hover_text(hint).on_disabled_hover_text(if view.live { hint } else { NOT_LIVE }).clicked()
        };
        let count = selected.acknowledge.len();
        let text = if count > 1 { format!("Acknowledge {count}") } else { "Acknowledge".to_owned() };
        if button(ui, &text, count > 0, "Acknowledge what is selected (A)") {
            out.push(plain(view, &selected.acknowledge, Action::Acknowledge));
        }
        let text = format!("All in view ({})", in_view.len());
        if button(ui, &text, !in_view.is_empty(), "Acknowledge every alarm that the filter lets through") {
            out.push(plain(view, &in_view, Action::Acknowledge));
        }
        if let Some(group) = &group {
            let (count, all) = (group.acknowledge.len(), "Every alarm of the group, listed or not");
            if button(ui, &format!("Acknowledge group ({count})"), count > 0, all) {
                out.push(plain(view, &group.acknowledge, Action::Acknowledge));
            }
            if button(ui, &format!("Shelve group ({})…", group.shelve.len()), !group.shelve.is_empty(), all) {
                state.dialog = Some(Dialog::shelve(view.paths(&group.shelve)));
            }
        }
        if !selected.reset.is_empty() && button(ui, "Reset", true, "End the latch: the condition has gone") {
            out.push(plain(view, &selected.reset, Action::Reset));
        }
        if (!selected.shelve.is_empty() || selected.unshelve.is_empty())
            && button(ui, "Shelve…", !selected.shelve.is_empty(), "Hide for a while, with a reason (S)")
        {
            state.dialog = Some(Dialog::shelve(view.paths(&selected.shelve)));
        }
        if !selected.unshelve.is_empty() && button(ui, "Unshelve", true, "Annunciate again") {
            out.push(plain(view, &selected.unshelve, Action::Unshelve));
        }
        if (!selected.take_out.is_empty() || selected.put_back.is_empty())
            && button(ui, "Out of service…", !selected.take_out.is_empty(), "For maintenance, with a reason")
        {
            state.dialog = Some(Dialog::take_out(view.paths(&selected.take_out)));
        }
        if !selected.put_back.is_empty() && button(ui, "Return to service", true, "Annunciate again") {
            out.push(plain(view, &selected.put_back, Action::ReturnToService));
        }
        if button(ui, "Comment…", !selected.all.is_empty(), "A remark on the selected alarms (C)") {
            state.dialog = Some(Dialog::comment(view.paths(&selected.all)));
        }
        if !view.live {
            widgets::line(ui, NOT_LIVE, theme::small(), theme::NOT_LIVE);
        }
    });
}
