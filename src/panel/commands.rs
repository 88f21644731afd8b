//! Commands to the equipment of a twin: prepare, see, confirm.
//!
//! In: [`CommandsView`], built from the scene, the desk and current values; a [`Form`] that a button opened. Out:
//! [`InstructionCommand`]s, one a click. Never sends: what is asked for is judged again where it is carried out.

use bevy_egui::egui::{self, Context, Ui};

use super::{format, theme};
use crate::command::{InstructionCommand, OperatorCommand};
use crate::instruction::{Desk, Instruction, State, arguments, read, shown};
use crate::scene::commands::{Evidence, ParameterKind};
use crate::scene::{Command, Scene, Twin};
use crate::value::Value;

/// What the equipment of a twin can be told, and what was told it of late.
#[derive(Clone, PartialEq, Debug)]
pub struct CommandsView {
    pub twin: String,
    pub commands: Vec<Command>,
    /// Oldest first.
    pub instructions: Vec<InstructionView>,
    /// The number of the newest instruction of the session.
    pub last_id: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct InstructionView {
    pub id: u64,
    pub command: String,
    /// `opening = 80 %`
    pub arguments: Vec<String>,
    /// `plant at mqtt://host:1883`
    pub broker: String,
    pub topic: String,
    pub payload: String,
    /// Whether each holds, none if that is not known; in words.
    pub constraints: Vec<(Option<bool>, String)>,
    /// How it is seen that it was obeyed.
    pub evidence: String,
    pub state: State,
    /// `armed for 12 s`; empty where nothing runs out.
    pub left: String,
    pub result: String,
    pub needs_reason: bool,
}

/// None where the world commands nothing, or the equipment of the twin can be told nothing.
pub fn commands_view(scene: &Scene, twin: &Twin, desk: &Desk) -> Option<CommandsView> {
    let commands = scene.commands_of(twin.index);
    if commands.is_empty() {
        return None;
    }
    let view = |one: &Instruction| {
        let unit = |name: &str| {
            let parameter = one.command.parameters.iter().find(|parameter| parameter.name == name);
            parameter.map(|parameter| parameter.kind.unit().suffix()).unwrap_or_default()
        };
        let evidence = one.command.verify.as_ref().map(|verify| match &verify.by {
            Evidence::That(that) => format!("{} within {:?}", that.source, verify.within),
            Evidence::Answer(answer) => format!("{} on {} within {:?}", answer.equals, answer.topic, verify.within),
        });
        let waits = matches!(one.state(), State::Prepared | State::Armed);
        let judged = if waits { one.constraints() } else { &[] };
        InstructionView {
            id: one.id,
            command: one.command.name.clone(),
            arguments: one.named_arguments().map(|(name, value)| format!("{name} = {value}{}", unit(name))).collect(),
            broker: format!("{} at {}", one.destination.broker, one.destination.address),
            topic: format!("{} at QoS {}", one.command.topic, one.command.qos),
            payload: shown(&one.payload),
            constraints: judged.iter().map(|judgement| (judgement.holds, judgement.text())).collect(),
            evidence: evidence.unwrap_or_else(|| "nothing: delivery is all that can be known".into()),
            state: one.state(),
            left: match one.arming_left() {
                Some(left) => format!("for {}", format::span(left.as_secs_f64().ceil())),
                None => String::new(),
            },
            result: one.result().to_owned(),
            needs_reason: one.command.significance.needs_reason(),
        }
    };
    Some(CommandsView {
        twin: twin.id.clone(),
        commands: commands.to_vec(),
        instructions: desk.iter().filter(|one| one.twin == twin.id).map(view).collect(),
        last_id: desk.iter().map(|one| one.id).max().unwrap_or(0),
    })
}

/// A command that is being given. It names the command as the scene does, so that it may stay open over a reload.
#[derive(Clone, PartialEq, Debug)]
pub struct Form {
    twin: String,
    command: String,
    /// As they are typed, in the order of the parameters.
    texts: Vec<String>,
    reason: String,
    /// Set when it was asked to be prepared: the instruction is a later one.
    after: Option<u64>,
}

impl Form {
    pub fn of(twin: &str, command: &Command) -> Self {
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
        Self {
            twin: twin.to_owned(),
            command: command.name.clone(),
            texts: command.parameters.iter().map(|parameter| text(&parameter.default)).collect(),
            reason: String::new(),
            after: None,
        }
    }

    /// The values, or what is wrong with them.
    fn values(&self, command: &Command) -> Result<Vec<(String, Value)>, String> {
        let typed = command.parameters.iter().zip(&self.texts).filter(|(_, text)| !text.trim().is_empty());
        let values: Vec<_> = typed
            .map(|(parameter, text)| Ok((parameter.name.clone(), read(parameter, text)?)))
            .collect::<Result<_, String>>()?;
        arguments(command, &values).map_err(|faults| faults.join("; "))?;
        Ok(values)
    }

    fn prepare(&self, arguments: Vec<(String, Value)>) -> OperatorCommand {
        InstructionCommand::Prepare { twin: self.twin.clone(), command: self.command.clone(), arguments }.into()
    }
}

/// A button for each command; a click on one opens its form.
pub fn commands_ui(ui: &mut Ui, view: &CommandsView, form: &mut Option<Form>, out: &mut Vec<OperatorCommand>) {
    ui.horizontal_wrapped(|ui| {
        ui.label(egui::RichText::new("Commands").font(theme::small()).color(theme::TEXT_WEAK));
        for command in &view.commands {
            let hint = format!("{} ({})", command.about, command.significance.name());
            if ui.button(format!("{}…", command.name)).on_hover_text(hint).clicked() {
                *form = Some(Form::of(&view.twin, command));
            }
        }
    });
    form_ui(ui.ctx(), view, form, out);
}

/// Shows the open form; closes it when it is done or given up.
fn form_ui(ctx: &Context, view: &CommandsView, form: &mut Option<Form>, out: &mut Vec<OperatorCommand>) {
    let Some(open) = form.as_mut().filter(|form| form.twin == view.twin) else { return };
    // The scene was reloaded without it.
    let Some(command) = view.commands.iter().find(|command| command.name == open.command) else {
        *form = None;
        return;
    };
    let made =
        open.after.and_then(|after| view.instructions.iter().find(|one| one.id > after && one.command == open.command));
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(18);
    let shown = egui::Modal::new(egui::Id::new("command form")).frame(frame).show(ctx, |ui| {
        ui.set_width(460.0);
        let title = format!("{}.{}", view.twin, command.name);
        ui.label(egui::RichText::new(title).heading().color(theme::TEXT_STRONG));
        if !command.about.is_empty() {
            ui.label(egui::RichText::new(&command.about).font(theme::small()).color(theme::TEXT));
        }
        ui.add_space(6.0);
        match made {
            Some(one) => see_ui(ui, one, open, out),
            None => fill_ui(ui, command, open, view.last_id, out),
        }
    });
    if shown.inner || shown.should_close() {
        // What is looked at no longer is not sent by mistake.
        if let Some(one) = made.filter(|one| matches!(one.state, State::Prepared | State::Armed)) {
            out.push(InstructionCommand::Cancel { id: one.id, reason: String::new() }.into());
        }
        *form = None;
    }
}

/// The first step: values. Says whether it is given up.
fn fill_ui(ui: &mut Ui, command: &Command, form: &mut Form, last_id: u64, out: &mut Vec<OperatorCommand>) -> bool {
    for (parameter, text) in command.parameters.iter().zip(&mut form.texts) {
        ui.horizontal(|ui| {
            ui.label(egui::RichText::new(&parameter.name).color(theme::TEXT)).on_hover_text(&parameter.about);
            let choices: Vec<String> = match &parameter.kind {
                ParameterKind::Number { .. } => Vec::new(),
                ParameterKind::Bool => vec!["true".into(), "false".into()],
                ParameterKind::OneOf(texts) => texts.clone(),
            };
            for choice in &choices {
                ui.selectable_value(text, choice.clone(), choice);
            }
            if choices.is_empty() {
                let field = egui::TextEdit::singleline(text).desired_width(110.0).margin(egui::vec2(8.0, 5.0));
                let response = ui.add(field);
                response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::TextEdit, true, &parameter.name));
                let range = parameter.kind.text();
                ui.label(egui::RichText::new(range).font(theme::small()).color(theme::TEXT_WEAK));
            }
        });
    }
    ui.add_space(8.0);
    let values = form.values(command);
    let mut gives_up = false;
    ui.horizontal(|ui| {
        let prepare = ui.add_enabled(values.is_ok() && form.after.is_none(), egui::Button::new("Prepare"));
        if let (true, Ok(values)) = (prepare.clicked(), &values) {
            out.push(form.prepare(values.clone()));
            form.after = Some(last_id);
        }
        gives_up = ui.button("Cancel").clicked();
        if let Err(why) = &values {
            ui.label(egui::RichText::new(why).font(theme::small()).color(theme::TEXT_WEAK));
        }
    });
    gives_up
}

/// The second and third step: what would be sent, then arming and sending. Says whether it is closed.
fn see_ui(ui: &mut Ui, one: &InstructionView, form: &mut Form, out: &mut Vec<OperatorCommand>) -> bool {
    let line = |ui: &mut Ui, name: &str, text: &str, ink: egui::Color32| {
        ui.horizontal_wrapped(|ui| {
            ui.label(egui::RichText::new(name).font(theme::small()).color(theme::TEXT_WEAK));
            ui.label(egui::RichText::new(text).font(theme::mono()).color(ink));
        });
    };
    one.arguments.iter().for_each(|text| line(ui, "Value", text, theme::TEXT_STRONG));
    line(ui, "Broker", &one.broker, theme::TEXT_STRONG);
    line(ui, "Topic", &one.topic, theme::TEXT);
    line(ui, "Payload", &one.payload, theme::TEXT);
    for (holds, text) in &one.constraints {
        let (name, ink) = match holds {
            Some(true) => ("Holds", theme::TEXT),
            Some(false) => ("Does not hold", theme::TEXT_STRONG),
            None => ("Not known", theme::TEXT_STRONG),
        };
        line(ui, name, text, ink);
    }
    line(ui, "Verified by", &one.evidence, theme::TEXT);
    line(ui, "State", &format!("{} {}", one.state.text(), one.left), theme::TEXT_STRONG);
    if !one.result.is_empty() {
        line(ui, "Result", &one.result, theme::TEXT_STRONG);
    }
    ui.add_space(4.0);
    if one.state == State::Armed {
        let field = egui::TextEdit::singleline(&mut form.reason).hint_text("Reason").desired_width(f32::INFINITY);
        let response = ui.add(field.margin(egui::vec2(8.0, 5.0)));
        response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::TextEdit, true, "Reason"));
    }
    ui.add_space(8.0);
    let broken = one.constraints.iter().any(|(holds, _)| *holds != Some(true));
    let mut is_closed = false;
    ui.horizontal(|ui| {
        let missing = match one.state {
            State::Prepared | State::Armed if broken => Some("A constraint does not hold."),
            State::Armed if one.needs_reason && form.reason.trim().is_empty() => Some("A reason is required."),
            _ => None,
        };
        let step = match one.state {
            State::Prepared => Some(("Arm", InstructionCommand::Arm(one.id))),
            State::Armed => {
                let reason = form.reason.trim().to_owned();
                Some(("Send", InstructionCommand::Send { id: one.id, reason }))
            }
            _ => None,
        };
        if let Some((verb, step)) = step
            && ui.add_enabled(missing.is_none(), egui::Button::new(verb)).clicked()
        {
            out.push(step.into());
        }
        let verb = if matches!(one.state, State::Prepared | State::Armed) { "Cancel" } else { "Close" };
        is_closed = ui.button(verb).clicked();
        if let Some(missing) = missing {
            ui.label(egui::RichText::new(missing).font(theme::small()).color(theme::TEXT_WEAK));
        }
    });
    if matches!(one.state, State::Armed | State::Queued | State::Sent) {
        // Time passes for it.
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(500));
    }
    is_closed
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use std::time::Duration;

    use super::*;
    use crate::history::Point;
    use crate::instruction::{Destination, Now, Reading};
    use crate::panel::testing;
    use crate::value::{Origin, Quality, SignalIndex};

    const SCENE: &str = r#"Scene(format: (1, 4), commands: true, types: {"Drive": (
        signals: {"mode": (kind: Text, topic: "d/{id}", json: "/mode")},
        commands: {"set_speed": (
            about: "Sets the speed", significance: Warning, topic: "d/{id}/cmd", constraints: ["mode == \"AUTO\""],
            parameters: {"speed": (unit: "Hz", low: 0, high: 50, default: 30), "ramp": (one_of: ["soft", "hard"])},
            json: {"/speed": (parameter: "speed"), "/ramp": (parameter: "ramp")},
        )},
    )}, twins: [(id: "D-1", type: "Drive")])"#;

    struct Bench {
        scene: Scene,
        desk: Desk,
        mode: &'static str,
        form: Option<Form>,
        out: Vec<OperatorCommand>,
    }

    impl Bench {
        fn view(&mut self) -> CommandsView {
            let (value, time) = (Value::Text(self.mode.into()), testing::now());
            let (quality, origin) = (Quality::GOOD, Origin::Measured);
            let point = Point { source_time: time, receive_time: time, value, quality, origin };
            let newest = |_: SignalIndex| Reading { point: Some(point.clone()), doubt: None };
            self.desk.look(&self.scene, &newest, now());
            commands_view(&self.scene, &self.scene.twins[0], &self.desk).unwrap()
        }

        /// As the handler of a session does.
        fn carry_out(&mut self, command: &OperatorCommand) {
            match command {
                OperatorCommand::Instruction(InstructionCommand::Prepare { command, arguments: given, .. }) => {
                    let command = self.scene.command("D-1", command).unwrap().clone();
                    let values = arguments(&command, given).unwrap();
                    let destination = Destination { broker: "plant".into(), address: "mqtt://plc:1883".into() };
                    self.desk.prepare(command, &self.scene, values, destination, "ada", testing::now()).unwrap();
                }
                OperatorCommand::Instruction(InstructionCommand::Arm(id)) => {
                    self.desk.get_mut(*id).unwrap().arm("ada", now()).unwrap();
                }
                _ => {}
            }
        }
    }

    fn now() -> Now {
        Now { time: testing::now(), uptime: Duration::ZERO }
    }

    fn harness(mode: &'static str) -> egui_kittest::Harness<'static, Bench> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scene.ron");
        std::fs::write(&file, SCENE).unwrap();
        let scene = crate::scene::load(&file).scene.unwrap();
        let bench = Bench { scene, desk: Desk::default(), mode, form: None, out: Vec::new() };
        testing::harness(bench, |ui, bench: &mut Bench| {
            let view = bench.view();
            let before = bench.out.len();
            commands_ui(ui, &view, &mut bench.form, &mut bench.out);
            let new = bench.out[before..].to_vec();
            for command in new {
                bench.carry_out(&command);
            }
        })
    }

    #[test]
    fn a_command_is_prepared_seen_and_confirmed() {
        let mut harness = harness("AUTO");
        harness.get_by_label("set_speed…").click();
        harness.run();
        assert!(harness.query_by_label("ramp: soft or hard is needed").is_some(), "what is missing is said");
        harness.get_by_label("hard").click();
        harness.run();
        harness.get_by_label("Prepare").click();
        harness.run();
        assert!(harness.query_by_label(r#"{"ramp":"hard","speed":30}"#).is_some(), "the payload is seen");
        assert!(harness.query_by_label("d/D-1/cmd at QoS 1").is_some());
        assert!(harness.query_by_label("plant at mqtt://plc:1883").is_some(), "where it goes is seen");
        harness.get_by_label("Arm").click();
        harness.run();
        assert!(harness.query_by_label("A reason is required.").is_some());
        harness.get_by_label("Send").click();
        harness.run();
        assert_eq!(harness.state().out.len(), 2, "without a reason nothing is sent");
        harness.get_by_label("Reason").focus();
        harness.run();
        harness.get_by_label("Reason").type_text("warm up");
        harness.run();
        harness.get_by_label("Send").click();
        harness.run();
        let sent = InstructionCommand::Send { id: 1, reason: "warm up".into() };
        assert_eq!(harness.state().out.last(), Some(&OperatorCommand::Instruction(sent)));
    }

    #[test]
    fn what_does_not_hold_cannot_be_armed_and_is_cancelled_when_it_is_closed() {
        let mut harness = harness("MANUAL");
        harness.get_by_label("set_speed…").click();
        harness.run();
        harness.get_by_label("soft").click();
        harness.run();
        harness.get_by_label("Prepare").click();
        harness.run();
        assert!(harness.query_by_label("mode == \"AUTO\" does not hold: mode is MANUAL").is_some());
        harness.get_by_label("Arm").click();
        harness.run();
        assert_eq!(harness.state().out.len(), 1, "the button is off");
        harness.get_by_label("Cancel").click();
        harness.run();
        let cancelled = InstructionCommand::Cancel { id: 1, reason: String::new() };
        assert_eq!(harness.state().out.last(), Some(&OperatorCommand::Instruction(cancelled)));
        assert_eq!(harness.state().form, None);
    }
}
