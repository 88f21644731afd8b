//! Keys: which key asks for what, and the overlay that lists them.
//!
//! In: egui's input. Out: commands and wishes to the shell. Never takes a key from a text field.

use bevy_egui::egui::{self, Context, Key, Modifiers};

use super::theme;
use super::timebar::{self, TimeView};
use crate::command::{Attention, OperatorCommand};

/// What a key asks of the shell itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    Search,
    /// Brings the alarm list to the front.
    Alarms,
    ToggleHelp,
    CloseHelp,
}

/// Every shortcut as the overlay lists it; [`read`] is held to it by a test.
pub const SHORTCUTS: [(&str, &str); 14] = [
    ("Space", "Pause, or go live again"),
    ("P", "Play from the shown moment"),
    ("Left, Right", "Step one second"),
    ("Shift + Left, Right", "Step ten seconds"),
    ("Home", "To the start of the session"),
    ("End", "Go live"),
    ("F", "Focus the camera on the selected twin, or on all"),
    ("1 to 9", "Go to a viewpoint of the scene"),
    ("L", "Open the alarm list"),
    ("A, S, C, T", "Over the alarm list: acknowledge, shelve, comment, go to the twin"),
    ("Ctrl + F", "Search the scene tree"),
    ("Ctrl + R", "Reload the scene"),
    ("Escape", "Close this list, or select nothing"),
    ("?", "Show or hide this list"),
];

/// What keys act on.
pub struct KeyContext<'a> {
    pub time: &'a TimeView,
    /// That the play key starts.
    pub speed: f64,
    pub attention: &'a Attention,
    /// How many viewpoints the scene has.
    pub viewpoints: usize,
    pub help_open: bool,
}

const DIGITS: [Key; 9] =
    [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9];

/// Reads the keys of this frame: the only place that does. While a text field has the keyboard only Ctrl + F is heard.
pub fn read(ctx: &Context, on: &KeyContext, out: &mut Vec<OperatorCommand>) -> Option<Wish> {
    let KeyContext { time, speed, attention, viewpoints, help_open } = *on;
    let find = egui::KeyboardShortcut::new(Modifiers::COMMAND, Key::F);
    if ctx.input_mut(|input| input.consume_shortcut(&find)) {
        return Some(Wish::Search);
    }
    if ctx.text_edit_focused() {
        return None;
    }
    let reload = egui::KeyboardShortcut::new(Modifiers::COMMAND, Key::R);
    if ctx.input_mut(|input| input.consume_shortcut(&reload)) {
        out.push(OperatorCommand::ReloadScene);
    }
    // A focused button takes Space for itself.
    let free = ctx.memory(|memory| memory.focused().is_none());
    let modifiers = ctx.input(|input| input.modifiers);
    if modifiers.command || modifiers.alt {
        return None;
    }
    let hit = |key: Key| ctx.input(|input| input.key_pressed(key));
    let step = if modifiers.shift { timebar::LONG_STEP } else { timebar::STEP };
    if hit(Key::Space) && free {
        out.push(timebar::pause_or_live(time));
    }
    if hit(Key::P) {
        out.push(OperatorCommand::Play { speed });
    }
    if hit(Key::ArrowLeft) {
        out.push(timebar::step(time, step, false));
    }
    if hit(Key::ArrowRight) {
        out.push(timebar::step(time, step, true));
    }
    if hit(Key::Home) {
        out.push(OperatorCommand::PauseAt(time.from));
    }
    if hit(Key::End) {
        out.push(OperatorCommand::GoLive);
    }
    if hit(Key::F) {
        out.push(OperatorCommand::Focus(attention.selected));
    }
    for (index, digit) in DIGITS.into_iter().enumerate().take(viewpoints) {
        if hit(digit) {
            out.push(OperatorCommand::Look(index));
        }
    }
    if hit(Key::L) {
        return Some(Wish::Alarms);
    }
    // `?` is a text event: where it lies differs between keyboards.
    let is_question = |event: &egui::Event| matches!(event, egui::Event::Text(text) if text == "?");
    let question = ctx.input(|input| input.events.iter().any(is_question));
    if question || hit(Key::F1) {
        return Some(Wish::ToggleHelp);
    }
    if hit(Key::Escape) {
        if help_open {
            return Some(Wish::CloseHelp);
        }
        if attention.selected.is_some() {
            out.push(OperatorCommand::Select(None));
        }
    }
    None
}

/// The list of keys over everything else. Says whether it is to be closed.
pub fn overlay(ctx: &Context) -> bool {
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(20);
    let response = egui::Modal::new(egui::Id::new("shortcuts")).frame(frame).show(ctx, |ui| {
        ui.set_width(500.0);
        ui.label(egui::RichText::new("Keyboard").heading().color(theme::TEXT_STRONG));
        ui.add_space(6.0);
        egui::Grid::new("shortcut list").num_columns(2).spacing([24.0, 3.0]).show(ui, |ui| {
            for (keys, what) in SHORTCUTS {
                ui.label(egui::RichText::new(keys).font(theme::mono()).color(theme::TEXT_STRONG));
                ui.label(what);
                ui.end_row();
            }
        });
        ui.add_space(6.0);
        let mouse = "3D: drag to orbit, with the right button or Shift to pan, wheel to zoom, click to select, \
                     double-click to focus. Trends: click or drag to move the cursor, Ctrl + wheel changes the span.";
        ui.label(egui::RichText::new(mouse).font(theme::small()).color(theme::TEXT_WEAK));
        ui.add_space(8.0);
        ui.button("Close").clicked()
    });
    response.inner || response.should_close()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Cursor, Moment};
    use crate::panel::testing::{self, second as at};
    use crate::twin::TwinIndex;
    use egui_kittest::Harness;

    struct Keys {
        out: Vec<OperatorCommand>,
        wishes: Vec<Wish>,
        text: String,
    }

    fn keyboard(cursor: Cursor) -> Harness<'static, Keys> {
        let shown = if let Cursor::Paused(t) = cursor { t } else { at(100) };
        let moment = Moment { now: at(100), shown, session_start: at(0) };
        let view = timebar::time_view(cursor, &moment, None);
        let keys = Keys { out: Vec::new(), wishes: Vec::new(), text: String::new() };
        testing::harness(keys, move |ui, keys| {
            let attention = Attention { selected: Some(TwinIndex(3)), trends: Vec::new() };
            let on = KeyContext { time: &view, speed: 2.0, attention: &attention, viewpoints: 4, help_open: false };
            keys.wishes.extend(read(ui.ctx(), &on, &mut keys.out));
            ui.text_edit_singleline(&mut keys.text);
        })
    }

    #[test]
    fn each_key_asks_for_what_the_list_says() {
        let paused = Cursor::Paused(at(50));
        let none = Modifiers::NONE;
        for (key, modifiers, command) in [
            (Key::Space, none, OperatorCommand::GoLive),
            (Key::P, none, OperatorCommand::Play { speed: 2.0 }),
            (Key::ArrowLeft, none, OperatorCommand::PauseAt(at(49))),
            (Key::ArrowRight, none, OperatorCommand::PauseAt(at(51))),
            (Key::ArrowLeft, Modifiers::SHIFT, OperatorCommand::PauseAt(at(40))),
            (Key::Home, none, OperatorCommand::PauseAt(at(0))),
            (Key::End, none, OperatorCommand::GoLive),
            (Key::F, none, OperatorCommand::Focus(Some(TwinIndex(3)))),
            (Key::Num4, none, OperatorCommand::Look(3)),
            (Key::R, Modifiers::COMMAND, OperatorCommand::ReloadScene),
            (Key::Escape, none, OperatorCommand::Select(None)),
        ] {
            let mut harness = keyboard(paused);
            harness.key_press_modifiers(modifiers, key);
            harness.run();
            assert_eq!(harness.state().out, [command], "{key:?}");
        }
        let mut harness = keyboard(paused);
        harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
        harness.key_press(Key::F1);
        harness.run();
        harness.key_press(Key::L);
        harness.run();
        harness.key_press(Key::Num5);
        harness.run();
        assert_eq!(harness.state().wishes, [Wish::Search, Wish::ToggleHelp, Wish::Alarms]);
        assert_eq!(harness.state().out, [], "there is no fifth viewpoint");
    }

    #[test]
    fn a_text_field_keeps_its_keys() {
        use egui_kittest::kittest::Queryable as _;
        let mut harness = keyboard(Cursor::Live);
        harness.get_by_role(egui::accesskit::Role::TextInput).focus();
        harness.run();
        harness.key_press(Key::Space);
        harness.key_press(Key::F);
        harness.key_press(Key::Home);
        harness.run();
        assert_eq!(harness.state().out, []);
    }
}
