//! Passes each command to the one handler of its group.
//!
//! In: the [`OperatorCommand`]s of the last frame, in their order. Out: for each a run of a handler, or a refusal that
//! is counted, logged and noted in the journal. Carries out nothing itself.

use bevy::ecs::system::{IntoSystem, SystemId, SystemState};
use bevy::prelude::*;

use super::groups::{
    AlarmCommand, AttentionCommand, CameraCommand, FaultCommand, InstructionCommand, JournalCommand, LayerCommand,
    OpenCommand, OperatorCommand, RecordingCommand, ScenarioCommand, SceneCommand, TimeCommand,
};
use super::remarks::Remarks;
use crate::schedule::TwinSet;

/// Commands that one handler of a world carries out.
pub trait Group: Sized + Send + 'static {
    /// The refusal in a world without a handler: what cannot be done, and why.
    const NOBODY: &'static str;

    #[doc(hidden)]
    fn handler(handlers: &mut Handlers) -> &mut Option<SystemId<In<Self>>>;
}

macro_rules! groups {
    ($($field:ident, $variant:ident($group:ident), $nobody:literal;)*) => {
        /// The handlers of a world: one for each group, where there is one.
        #[derive(Resource, Default)]
        #[doc(hidden)]
        pub struct Handlers {
            $($field: Option<SystemId<In<$group>>>,)*
        }

        $(
            impl Group for $group {
                const NOBODY: &'static str = $nobody;

                fn handler(handlers: &mut Handlers) -> &mut Option<SystemId<In<Self>>> {
                    &mut handlers.$field
                }
            }

            impl From<$group> for OperatorCommand {
                fn from(command: $group) -> Self {
                    OperatorCommand::$variant(command)
                }
            }
        )*
    };
}

groups! {
    attention, Attention(AttentionCommand), "nothing can be selected: this world has no operator";
    time, Time(TimeCommand), "the cursor cannot be moved: this world has none";
    alarm, Alarm(AlarmCommand), "nothing can be done to alarms: this world has none";
    instruction, Instruction(InstructionCommand), "nothing can be commanded: no session is connected to equipment";
    journal, Journal(JournalCommand), "the journal takes no remarks: this world is neither a session nor a replay";
    scene, Scene(SceneCommand), "the scene cannot be changed: no session has opened its files";
    recording, Recording(RecordingCommand), "nothing can be recorded: no session is running";
    open, Open(OpenCommand), "nothing else can be opened: a world without a window shows what it was started with";
    layer, Layer(LayerCommand), "nothing lies beside what is shown: start with --beside to compare";
    fault, Fault(FaultCommand), "nothing can be broken on purpose: no session is running";
    scenario, Scenario(ScenarioCommand), "no scenario can be made here: no session with a simulated plant is running";
    camera, Camera(CameraCommand), "the camera cannot be moved: a world without a window has none";
}

/// Commands that this world refused, by way of `carry_out` or of a handler.
#[derive(Resource, Clone, PartialEq, Eq, Debug, Default)]
pub struct Refusals {
    pub count: u64,
    /// Why the last one was refused.
    pub last: Option<String>,
}

impl Refusals {
    pub(crate) fn add(&mut self, why: String) {
        tracing::warn!("{why}");
        self.count += 1;
        self.last = Some(why);
    }
}

/// Gives a world its handlers, and with the first one what passes commands on.
pub trait HandleCommands {
    /// From now on `system` carries out the commands of its group. A group that has a handler keeps it: to give it
    /// another is a mistake of this program.
    fn handle_commands<G: Group, M>(&mut self, system: impl IntoSystem<In<G>, (), M> + 'static) -> &mut Self;
}

impl HandleCommands for App {
    fn handle_commands<G: Group, M>(&mut self, system: impl IntoSystem<In<G>, (), M> + 'static) -> &mut Self {
        if !self.world().contains_resource::<Handlers>() {
            self.add_message::<OperatorCommand>()
                .init_resource::<Refusals>()
                .init_resource::<Handlers>()
                .add_systems(Update, carry_out.in_set(TwinSet::Command));
        }
        self.world_mut().handle_commands(system);
        self
    }
}

impl HandleCommands for World {
    fn handle_commands<G: Group, M>(&mut self, system: impl IntoSystem<In<G>, (), M> + 'static) -> &mut Self {
        let known = *G::handler(&mut self.get_resource_or_init::<Handlers>());
        debug_assert!(known.is_none(), "{} has two handlers", std::any::type_name::<G>());
        if known.is_none() {
            let handler = self.register_system(system);
            *G::handler(&mut self.get_resource_or_init::<Handlers>()) = Some(handler);
        }
        self
    }
}

/// Carries out what was asked for in the last frame.
#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(crate) fn carry_out(world: &mut World, reader: &mut SystemState<MessageReader<OperatorCommand>>) {
    let Ok(commands) = reader.get_mut(world).map(|mut reader| reader.read().cloned().collect::<Vec<_>>()) else {
        return;
    };
    for command in commands {
        match command {
            OperatorCommand::Attention(command) => pass(world, command),
            OperatorCommand::Time(command) => pass(world, command),
            OperatorCommand::Alarm(command) => pass(world, command),
            OperatorCommand::Instruction(command) => pass(world, command),
            OperatorCommand::Journal(command) => pass(world, command),
            OperatorCommand::Scene(command) => pass(world, command),
            OperatorCommand::Recording(command) => pass(world, command),
            OperatorCommand::Open(command) => pass(world, command),
            OperatorCommand::Layer(command) => pass(world, command),
            OperatorCommand::Fault(command) => pass(world, command),
            OperatorCommand::Scenario(command) => pass(world, command),
            OperatorCommand::Camera(command) => pass(world, command),
        }
    }
}

fn pass<G: Group>(world: &mut World, command: G) {
    let handler = *G::handler(&mut world.get_resource_or_init::<Handlers>());
    let why = match handler {
        Some(handler) => match world.run_system_with(handler, command) {
            Ok(()) => return,
            Err(error) => format!("{} ({error})", G::NOBODY),
        },
        None => G::NOBODY.to_owned(),
    };
    world.resource_mut::<Refusals>().add(why.clone());
    // A world without a journal is told by its log alone.
    let _ = world.run_system_cached_with(note, why);
}

fn note(In(why): In<String>, remarks: Remarks) {
    remarks.answer(why);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Resource, Default, Debug, PartialEq)]
    struct Seen(Vec<String>);

    fn app() -> App {
        let mut app = App::new();
        app.init_resource::<Seen>()
            .handle_commands(|In(command): In<CameraCommand>, mut seen: ResMut<Seen>| {
                seen.0.push(format!("{command:?}"))
            })
            .handle_commands(|In(command): In<OpenCommand>, mut seen: ResMut<Seen>| {
                seen.0.push(format!("{command:?}"))
            });
        app
    }

    #[test]
    fn commands_reach_their_handlers_once_and_in_the_order_in_which_they_were_given() {
        let mut app = app();
        app.world_mut().write_message(OperatorCommand::Camera(CameraCommand::Look(2)));
        app.world_mut().write_message(OperatorCommand::Open(OpenCommand(Vec::new())));
        app.world_mut().write_message(OperatorCommand::Camera(CameraCommand::Focus(None)));
        (0..3).for_each(|_| app.update());
        assert_eq!(app.world().resource::<Seen>().0, ["Look(2)", "OpenCommand([])", "Focus(None)"]);
        assert_eq!(*app.world().resource::<Refusals>(), Refusals::default());
    }

    #[test]
    fn a_command_that_nobody_carries_out_is_refused_in_words() {
        let mut app = app();
        app.world_mut().write_message(OperatorCommand::Recording(RecordingCommand::Stop));
        app.update();
        let last = Some("nothing can be recorded: no session is running".to_owned());
        assert_eq!(*app.world().resource::<Refusals>(), Refusals { count: 1, last });
    }

    #[test]
    fn a_handler_that_cannot_run_is_a_refusal_too() {
        #[derive(Resource)]
        struct Missing;
        let mut app = app();
        app.handle_commands(|In(_): In<SceneCommand>, _: Res<Missing>| ());
        app.world_mut().write_message(OperatorCommand::Scene(SceneCommand::Reload));
        app.update();
        let refusals = app.world().resource::<Refusals>();
        assert_eq!(refusals.count, 1);
        assert!(refusals.last.as_ref().unwrap().starts_with("the scene cannot be changed"), "{refusals:?}");
    }
}
