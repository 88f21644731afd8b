//! Keys: which key asks for what, and the overlay that lists them.
//!
//! In: egui's input, the keys that panels name. Out: commands and wishes to the shell. Never takes a key from a text field.

use bevy_egui::egui::{self, Context, Event, Key, Modifiers};

use super::class::{PanelId, Shortcut};
use super::faults::CLEAR_ALL_KEYS;
use super::timebar::remarks::RemarkKind;
use super::timebar::{self, SpeedChange, TimeView};
use super::{PANELS, theme, widgets};
use crate::command::{
    Attention, AttentionCommand, CameraCommand, FaultCommand, MarkEnd, OperatorCommand, SceneCommand, StepBy,
    TimeCommand,
};

/// What a key asks of the shell itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    Search,
    /// Brings a panel to the front.
    Panel(PanelId),
    /// Begins to break the selected twin on purpose.
    Break,
    ToggleHelp,
    CloseHelp,
    /// Opens the clock for typing.
    TypeTime,
    ShowAllTime,
    Write(RemarkKind),
    Speed(SpeedChange),
    /// Opens the dialog that opens something else.
    Open,
    /// Begins to record, keeps the past, or asks whether to stop.
    Record,
}

/// Every shortcut as the overlay lists it, those of time first; [`read`] is held to it by a test.
pub const TIME: [(&str, &str); 18] = [
    ("Space", "Pause, or play"),
    ("P", "Play from the shown moment"),
    ("Left, Right", "Step one second"),
    ("Shift + Left, Right", "Step ten seconds"),
    ("Alt + Left, Right", "Step a tenth of a second"),
    (", .", "Step by sample: trends, selected twin"),
    ("[ ]", "Step by event"),
    ("Page Up, Page Down", "Step by what the time axis shows"),
    ("Home", "To the start"),
    ("End", "Go live; in a recording to the end"),
    ("Shift + End", "Catch up: play fast until live"),
    ("+ -", "Play faster, slower"),
    ("R", "Turn the direction of play"),
    ("I, O", "In mark, out mark: set or take away"),
    ("Shift + L", "Loop between the marks, or not"),
    ("Shift + G", "Jump over gaps without data, or not"),
    ("G", "Type a time to go to"),
    ("0", "Show all of the time axis"),
];
pub const VIEW: [(&str, &str); 4] = [
    ("N", "Write a note on the shown moment"),
    ("B", "Set a bookmark"),
    ("F", "Focus the selected twin, or all"),
    ("1 to 9", "Go to a viewpoint of the scene"),
];
/// Those of panels come before these.
pub const REST: [(&str, &str); 9] = [
    ("X", "Break the selected twin on purpose"),
    (CLEAR_ALL_KEYS, "Clear all faults, at any time"),
    ("A, S, C, T", "Over the alarm list: acknowledge, shelve, comment, go to the twin"),
    ("Ctrl + F", "Search the scene tree"),
    ("Ctrl + R", "Reload the scene"),
    ("Ctrl + O", "Open a recording or a scene"),
    ("Shift + R", "Record; keep the past; stop, which is asked"),
    ("Escape", "Close what is open, or select nothing"),
    ("? or F1", "Show or hide this list"),
];

/// Keys that bring panels to the front, in the order of the panels.
fn of_panels() -> impl Iterator<Item = (Shortcut, PanelId)> {
    PANELS.iter().filter_map(|panel| Some((panel.shortcut()?, panel.id())))
}

/// What keys act on.
pub struct KeyContext<'a> {
    pub time: &'a TimeView<'a>,
    /// That the play key starts.
    pub speed: f64,
    pub attention: &'a Attention,
    /// How many viewpoints the scene has.
    pub viewpoints: usize,
    pub help_open: bool,
    /// A form is open in front of all else: it has the keys.
    pub form_open: bool,
}

const DIGITS: [Key; 9] =
    [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9];

/// Reads the keys of this frame: the only place that does. While a text field has the keyboard only
/// Ctrl + F and the keys that clear all faults are heard.
pub fn read(ctx: &Context, on: &KeyContext, out: &mut Vec<OperatorCommand>) -> Option<Wish> {
    let KeyContext { time, speed, attention, viewpoints, help_open, form_open } = *on;
    // Nothing comes before it: no dialog, no text field.
    let clear_all = egui::KeyboardShortcut::new(Modifiers::COMMAND | Modifiers::SHIFT, Key::X);
    if ctx.input_mut(|input| input.consume_shortcut(&clear_all)) {
        out.push(FaultCommand::ClearAll.into());
    }
    let find = egui::KeyboardShortcut::new(Modifiers::COMMAND, Key::F);
    if ctx.input_mut(|input| input.consume_shortcut(&find)) {
        return Some(Wish::Search);
    }
    if ctx.text_edit_focused() || form_open {
        return None;
    }
    let reload = egui::KeyboardShortcut::new(Modifiers::COMMAND, Key::R);
    if ctx.input_mut(|input| input.consume_shortcut(&reload)) {
        out.push(SceneCommand::Reload.into());
    }
    let open = egui::KeyboardShortcut::new(Modifiers::COMMAND, Key::O);
    if ctx.input_mut(|input| input.consume_shortcut(&open)) {
        return Some(Wish::Open);
    }
    // A focused button takes Space for itself.
    let free = ctx.memory(|memory| memory.focused().is_none());
    let modifiers = ctx.input(|input| input.modifiers);
    if modifiers.command {
        return None;
    }
    let hit = |key: Key| ctx.input(|input| input.key_pressed(key));
    step_keys(ctx, time, modifiers, out);
    if modifiers.alt {
        return None;
    }
    if hit(Key::Space) && free {
        out.push(timebar::pause_or_play(time, speed));
    }
    if hit(Key::P) {
        out.push(TimeCommand::Play { speed }.into());
    }
    if hit(Key::Home) {
        out.push(TimeCommand::Seek(time.whole.from).into());
    }
    if hit(Key::End) {
        out.push(if modifiers.shift {
            OperatorCommand::Time(TimeCommand::CatchUp)
        } else {
            OperatorCommand::Time(TimeCommand::GoLive)
        });
    }
    for (key, end) in [(Key::I, MarkEnd::In), (Key::O, MarkEnd::Out)] {
        if hit(key) {
            out.push(timebar::toggle_mark(time, end));
        }
    }
    if modifiers.shift && hit(Key::L) {
        out.push(TimeCommand::Loop(!time.marks.looping).into());
    }
    if modifiers.shift && hit(Key::G) {
        out.push(timebar::toggle_skip(time));
    }
    if modifiers.shift && hit(Key::R) {
        return Some(Wish::Record);
    }
    if hit(Key::F) {
        out.push(CameraCommand::Focus(attention.selected).into());
    }
    for (index, digit) in DIGITS.into_iter().enumerate().take(viewpoints) {
        if hit(digit) {
            out.push(CameraCommand::Look(index).into());
        }
    }
    for (shortcut, panel) in of_panels() {
        if !modifiers.shift && hit(shortcut.key) {
            return Some(Wish::Panel(panel));
        }
    }
    for (key, wish) in [
        (Key::G, Wish::TypeTime),
        (Key::Num0, Wish::ShowAllTime),
        (Key::X, Wish::Break),
        (Key::N, Wish::Write(RemarkKind::Note)),
        (Key::B, Wish::Write(RemarkKind::Bookmark)),
        (Key::R, Wish::Speed(SpeedChange::Reverse)),
    ] {
        if !modifiers.shift && hit(key) {
            return Some(wish);
        }
    }
    for (text, change) in [("+", SpeedChange::Faster), ("-", SpeedChange::Slower)] {
        if typed(ctx, text) {
            return Some(Wish::Speed(change));
        }
    }
    if typed(ctx, "?") || hit(Key::F1) {
        return Some(Wish::ToggleHelp);
    }
    if hit(Key::Escape) {
        if help_open {
            return Some(Wish::CloseHelp);
        }
        if attention.selected.is_some() {
            out.push(AttentionCommand::Select(None).into());
        }
    }
    None
}

/// Whether a sign was typed: as text, since where it lies differs between keyboards.
fn typed(ctx: &Context, sign: &str) -> bool {
    let is_sign = |event: &Event| matches!(event, Event::Text(text) if text == sign);
    ctx.input(|input| input.events.iter().any(is_sign))
}

fn step_keys(ctx: &Context, time: &TimeView, modifiers: Modifiers, out: &mut Vec<OperatorCommand>) {
    let hit = |key: Key| ctx.input(|input| input.key_pressed(key));
    let by = match modifiers {
        Modifiers { alt: true, .. } => timebar::SHORT_STEP,
        Modifiers { shift: true, .. } => timebar::LONG_STEP,
        _ => timebar::STEP,
    };
    for (key, forward) in [(Key::ArrowLeft, false), (Key::ArrowRight, true)] {
        if hit(key) {
            out.push(TimeCommand::Step { by: StepBy::Time(by), forward }.into());
        }
    }
    for (key, forward) in [(Key::PageUp, false), (Key::PageDown, true)] {
        if hit(key) {
            out.push(timebar::page(time, forward));
        }
    }
    // On some keyboards brackets need a modifier of their own.
    for (sign, by, forward) in [
        (",", StepBy::Sample, false),
        (".", StepBy::Sample, true),
        ("[", StepBy::Event, false),
        ("]", StepBy::Event, true),
    ] {
        if typed(ctx, sign) {
            out.push(TimeCommand::Step { by, forward }.into());
        }
    }
}

/// The list of keys over everything else. Says whether it is to be closed.
pub fn overlay(ctx: &Context) -> bool {
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(20);
    let response = egui::Modal::new(egui::Id::new("shortcuts")).frame(frame).show(ctx, |ui| {
        ui.set_width(800.0_f32.min(ctx.content_rect().width() - 60.0));
        ui.label(egui::RichText::new("Keyboard").heading().color(theme::TEXT_STRONG));
        ui.add_space(6.0);
        ui.columns(2, |columns| {
            let panels = of_panels().map(|(shortcut, _)| (shortcut.name, shortcut.what));
            let rest: Vec<_> = VIEW.into_iter().chain(panels).chain(REST).collect();
            for (ui, (title, keys)) in columns.iter_mut().zip([("Time", &TIME[..]), ("All else", &rest[..])]) {
                ui.label(egui::RichText::new(title).color(theme::TEXT_STRONG));
                for (keys, what) in keys {
                    key_line(ui, keys, what);
                }
            }
        });
        ui.add_space(6.0);
        let mouse = "3D: drag to orbit, with the right button or Shift to pan, wheel to zoom, click to select, \
                     double-click to focus. Trends: click or drag to move the cursor, Ctrl + wheel changes the span. \
                     Time bar: click or drag to move the cursor, wheel to zoom, Shift + wheel or right button to move \
                     along, click a flag to go there.";
        ui.label(egui::RichText::new(mouse).font(theme::small()).color(theme::TEXT_WEAK));
        ui.add_space(8.0);
        ui.button("Close").clicked()
    });
    response.inner || response.should_close()
}

/// A key and what it does, which goes on in a second line if it must.
fn key_line(ui: &mut egui::Ui, keys: &str, what: &str) {
    ui.horizontal_top(|ui| {
        let (rect, response) = ui.allocate_exact_size(egui::vec2(158.0, 16.0), egui::Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, keys));
        widgets::paint_text(ui.painter(), rect, keys, theme::mono(), theme::TEXT_STRONG, egui::Align::Min);
        ui.add(egui::Label::new(egui::RichText::new(what).font(theme::small())).wrap());
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::history::Cursor;
    use crate::panel::alarms::AlarmsPanel;
    use crate::panel::class::PanelClass as _;
    use crate::panel::testing::{self, second as at};
    use crate::panel::timebar::TimeState;
    use crate::value::TwinIndex;
    use egui_kittest::Harness;

    struct Keys {
        out: Vec<OperatorCommand>,
        wishes: Vec<Wish>,
        text: String,
    }

    fn keyboard(cursor: Cursor) -> Harness<'static, Keys> {
        let plant = testing::plant();
        let keys = Keys { out: Vec::new(), wishes: Vec::new(), text: String::new() };
        testing::harness(keys, move |ui, keys| {
            let view = plant.time(cursor, &TimeState::default());
            let attention = Attention { selected: Some(TwinIndex(3)), trends: Vec::new() };
            let on = KeyContext {
                time: &view,
                speed: 2.0,
                attention: &attention,
                viewpoints: 4,
                help_open: false,
                form_open: false,
            };
            keys.wishes.extend(read(ui.ctx(), &on, &mut keys.out));
            ui.text_edit_singleline(&mut keys.text);
        })
    }

    /// A key, or a sign that is typed.
    #[derive(Clone, Copy, Debug)]
    enum Press {
        Key(Modifiers, Key),
        Sign(&'static str),
    }

    fn press(on: Press) -> Keys {
        let mut harness = keyboard(Cursor::Paused(at(50)));
        match on {
            Press::Key(modifiers, key) => harness.key_press_modifiers(modifiers, key),
            Press::Sign(sign) => harness.event(Event::Text(sign.into())),
        }
        harness.run();
        harness.into_state()
    }

    #[test]
    fn each_key_asks_for_what_the_list_says() {
        let (none, shift, alt) = (Modifiers::NONE, Modifiers::SHIFT, Modifiers::ALT);
        let step = |by, forward| OperatorCommand::Time(TimeCommand::Step { by, forward });
        let millis = |millis| StepBy::Time(Duration::from_millis(millis));
        let mark = |end| OperatorCommand::Time(TimeCommand::Mark { end, at: Some(at(50)) });
        for (on, command) in [
            (Press::Key(Modifiers::COMMAND | shift, Key::X), OperatorCommand::Fault(FaultCommand::ClearAll)),
            (Press::Key(none, Key::Space), OperatorCommand::Time(TimeCommand::Play { speed: 2.0 })),
            (Press::Key(none, Key::P), OperatorCommand::Time(TimeCommand::Play { speed: 2.0 })),
            (Press::Key(none, Key::ArrowLeft), step(millis(1_000), false)),
            (Press::Key(none, Key::ArrowRight), step(millis(1_000), true)),
            (Press::Key(shift, Key::ArrowLeft), step(millis(10_000), false)),
            (Press::Key(alt, Key::ArrowRight), step(millis(100), true)),
            (Press::Key(none, Key::PageUp), step(millis(600_000), false)),
            (Press::Key(none, Key::PageDown), step(millis(600_000), true)),
            (Press::Sign(","), step(StepBy::Sample, false)),
            (Press::Sign("."), step(StepBy::Sample, true)),
            (Press::Sign("["), step(StepBy::Event, false)),
            (Press::Sign("]"), step(StepBy::Event, true)),
            (Press::Key(none, Key::Home), OperatorCommand::Time(TimeCommand::Seek(at(0)))),
            (Press::Key(none, Key::End), OperatorCommand::Time(TimeCommand::GoLive)),
            (Press::Key(shift, Key::End), OperatorCommand::Time(TimeCommand::CatchUp)),
            (Press::Key(none, Key::I), mark(MarkEnd::In)),
            (Press::Key(none, Key::O), mark(MarkEnd::Out)),
            (Press::Key(shift, Key::L), OperatorCommand::Time(TimeCommand::Loop(true))),
            (Press::Key(shift, Key::G), OperatorCommand::Time(TimeCommand::SkipGaps(Some(Duration::from_secs(10))))),
            (Press::Key(none, Key::F), OperatorCommand::Camera(CameraCommand::Focus(Some(TwinIndex(3))))),
            (Press::Key(none, Key::Num4), OperatorCommand::Camera(CameraCommand::Look(3))),
            (Press::Key(Modifiers::COMMAND, Key::R), OperatorCommand::Scene(SceneCommand::Reload)),
            (Press::Key(none, Key::Escape), OperatorCommand::Attention(AttentionCommand::Select(None))),
        ] {
            let keys = press(on);
            assert_eq!((keys.out, keys.wishes), (vec![command], vec![]), "{on:?}");
        }
        for (on, wish) in [
            (Press::Key(Modifiers::COMMAND, Key::F), Wish::Search),
            (Press::Key(Modifiers::COMMAND, Key::O), Wish::Open),
            (Press::Key(shift, Key::R), Wish::Record),
            (Press::Key(none, Key::L), Wish::Panel(AlarmsPanel::ID)),
            (Press::Key(none, Key::G), Wish::TypeTime),
            (Press::Key(none, Key::Num0), Wish::ShowAllTime),
            (Press::Key(none, Key::X), Wish::Break),
            (Press::Key(none, Key::N), Wish::Write(RemarkKind::Note)),
            (Press::Key(none, Key::B), Wish::Write(RemarkKind::Bookmark)),
            (Press::Key(none, Key::R), Wish::Speed(SpeedChange::Reverse)),
            (Press::Sign("+"), Wish::Speed(SpeedChange::Faster)),
            (Press::Sign("-"), Wish::Speed(SpeedChange::Slower)),
            (Press::Sign("?"), Wish::ToggleHelp),
            (Press::Key(none, Key::F1), Wish::ToggleHelp),
        ] {
            let keys = press(on);
            assert_eq!((keys.out, keys.wishes), (vec![], vec![wish]), "{on:?}");
        }
        let keys = press(Press::Key(none, Key::Num5));
        assert_eq!((keys.out, keys.wishes), (vec![], vec![]), "there is no fifth viewpoint");
    }

    #[test]
    fn the_list_of_keys_fits_into_a_small_window() {
        use egui_kittest::kittest::Queryable as _;
        let mut harness = testing::harness((), |ui, ()| {
            overlay(ui.ctx());
        });
        harness.set_size(egui::vec2(1024.0, 640.0));
        harness.run();
        let close = harness.get_by_label("Close").rect();
        assert!(close.bottom() < 640.0 && close.left() > 0.0, "{close}");
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
        harness.event(Event::Text(".".into()));
        harness.run();
        assert_eq!(harness.state().out, []);
    }

    #[test]
    fn all_faults_are_cleared_by_a_key_even_while_a_text_field_has_the_keyboard_and_a_dialog_lies_over_it() {
        use egui_kittest::kittest::Queryable as _;
        let plant = testing::plant();
        let keys = Keys { out: Vec::new(), wishes: Vec::new(), text: String::new() };
        let mut harness = testing::harness(keys, move |ui, keys| {
            let view = plant.time(Cursor::Live, &TimeState::default());
            let attention = Attention::default();
            let on = KeyContext {
                time: &view,
                speed: 1.0,
                attention: &attention,
                viewpoints: 0,
                help_open: false,
                form_open: true,
            };
            keys.wishes.extend(read(ui.ctx(), &on, &mut keys.out));
            egui::Modal::new(egui::Id::new("any")).show(ui.ctx(), |ui| ui.text_edit_singleline(&mut keys.text));
        });
        harness.get_by_role(egui::accesskit::Role::TextInput).focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::X);
        harness.run();
        assert_eq!(harness.state().out, [OperatorCommand::Fault(FaultCommand::ClearAll)]);
    }
}
