//! What a panel is: a name, a place, a state of its own, a view that is built from a [`Snapshot`], and how it is drawn.
//!
//! In: [`PanelClass`], which each panel implements once. Out: [`Panel`], the same behind one type, so that the shell can
//! hold all of them in a list without knowing any. Never reads the world.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use bevy_egui::egui::{Key, Ui};

use super::snapshot::Snapshot;
use crate::command::OperatorCommand;

/// A panel by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PanelId(pub(super) &'static str);

impl PanelId {
    /// As it is written on the command line: `trends`.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// Where a panel is docked until the operator moves it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dock {
    /// On the left of the 3D view.
    Left,
    /// On the right of it.
    Right,
    /// Below it, beside others, in the order of the list.
    Below,
}

/// A key that brings a panel to the front.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shortcut {
    pub key: Key,
    /// As the list of keys writes it.
    pub name: &'static str,
    pub what: &'static str,
}

/// A kind of panel. A panel is a function of its view, which is a function of a snapshot: neither reaches into the world.
pub trait PanelClass: Sync + 'static {
    /// As on the command line; no two are alike.
    const NAME: &'static str;
    const TITLE: &'static str;
    const DOCK: Dock;
    const SHORTCUT: Option<Shortcut> = None;
    const ID: PanelId = PanelId(Self::NAME);

    /// What the panel keeps between frames. No two panels share a type, but for those that keep nothing.
    type State: Default + Send + Sync + 'static;
    type View<'a>: 'a;

    /// Built in frames in which the panel is in sight.
    fn view<'a>(read: &'a Snapshot<'a>, state: &Self::State) -> Self::View<'a>;

    fn ui(ui: &mut Ui, view: &Self::View<'_>, state: &mut Self::State, out: &mut Vec<OperatorCommand>);

    /// A panel that draws lines builds its view here once, without lines, so that these are known before the history is
    /// locked: `Self::view(read, state);`.
    fn wishes(_read: &Snapshot, _state: &Self::State) {}

    /// What is written on its tab, in sight or not.
    fn tab(_read: &Snapshot) -> String {
        Self::TITLE.to_owned()
    }

    /// Another recording is shown: what was kept about the past of the one before means nothing any more.
    fn forget_the_past(_state: &mut Self::State) {}
}

/// A panel of any class.
pub trait Panel: Sync {
    fn id(&self) -> PanelId;
    fn dock(&self) -> Dock;
    fn shortcut(&self) -> Option<Shortcut>;
    fn tab(&self, read: &Snapshot) -> String;
    fn add_state(&self, states: &mut States);
    fn forget_the_past(&self, states: &mut States);
    fn wishes(&self, read: &Snapshot, states: &States);
    fn view<'a>(&self, read: &'a Snapshot<'a>, states: &States) -> Option<Box<dyn PanelView + 'a>>;
}

/// The view of a panel of any class in one frame.
pub trait PanelView {
    fn ui(&self, ui: &mut Ui, states: &mut States, out: &mut Vec<OperatorCommand>);
}

impl<P: PanelClass> Panel for P {
    fn id(&self) -> PanelId {
        P::ID
    }

    fn dock(&self) -> Dock {
        P::DOCK
    }

    fn shortcut(&self) -> Option<Shortcut> {
        P::SHORTCUT
    }

    fn tab(&self, read: &Snapshot) -> String {
        P::tab(read)
    }

    fn add_state(&self, states: &mut States) {
        states.0.insert(TypeId::of::<P::State>(), Box::new(P::State::default()));
    }

    fn forget_the_past(&self, states: &mut States) {
        if let Some(state) = states.get_mut::<P::State>() {
            P::forget_the_past(state);
        }
    }

    fn wishes(&self, read: &Snapshot, states: &States) {
        if let Some(state) = states.get::<P::State>() {
            P::wishes(read, state);
        }
    }

    fn view<'a>(&self, read: &'a Snapshot<'a>, states: &States) -> Option<Box<dyn PanelView + 'a>> {
        Some(Box::new(Viewed::<P>(P::view(read, states.get()?))))
    }
}

struct Viewed<'a, P: PanelClass>(P::View<'a>);

impl<P: PanelClass> PanelView for Viewed<'_, P> {
    fn ui(&self, ui: &mut Ui, states: &mut States, out: &mut Vec<OperatorCommand>) {
        if let Some(state) = states.get_mut() {
            P::ui(ui, &self.0, state, out);
        }
    }
}

/// What panels keep between frames, by its type.
#[derive(Default)]
pub struct States(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl States {
    /// Of all panels of a list.
    pub fn of(panels: &[&dyn Panel]) -> Self {
        let mut states = Self::default();
        panels.iter().for_each(|panel| panel.add_state(&mut states));
        states
    }

    /// None if no panel keeps such a thing.
    pub fn get<S: 'static>(&self) -> Option<&S> {
        self.0.get(&TypeId::of::<S>())?.downcast_ref()
    }

    pub fn get_mut<S: 'static>(&mut self) -> Option<&mut S> {
        self.0.get_mut(&TypeId::of::<S>())?.downcast_mut()
    }
}
