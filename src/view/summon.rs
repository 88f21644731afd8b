//! The window asks for attention when the horn sounds while somebody works in another window: the taskbar shows it in the
//! way of the desktop at hand. In: the horn, the window's focus. Out: a request to the window system, taken back when the
//! window has the focus. Does nothing without a window.

use bevy::ecs::system::NonSendMarker;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy::winit::WINIT_WINDOWS;
use winit::window::UserAttentionType;

use crate::alarm::Horn;

/// What to tell the window system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wish {
    Ask,
    TakeBack,
}

/// What has been heard and asked for so far.
#[derive(Default, Debug)]
pub(super) struct Asked {
    heard: u64,
    asks: bool,
}

impl Asked {
    fn wish(&mut self, sounded: u64, focused: bool) -> Option<Wish> {
        let new = std::mem::replace(&mut self.heard, sounded) < sounded;
        let asks = !focused && (new || self.asks);
        let wish = match (self.asks, asks) {
            (false, true) => Some(Wish::Ask),
            (true, true) if new => Some(Wish::Ask),
            (true, false) => Some(Wish::TakeBack),
            _ => None,
        };
        self.asks = asks;
        wish
    }
}

pub(super) fn summon(
    horn: Option<Res<Horn>>,
    window: Query<(Entity, &Window), With<PrimaryWindow>>,
    mut asked: Local<Asked>,
    _main_thread: NonSendMarker,
) {
    let (Some(horn), Ok((entity, window))) = (horn, window.single()) else { return };
    let Some(wish) = asked.wish(horn.sounded(), window.focused) else { return };
    WINIT_WINDOWS.with_borrow(|windows| {
        if let Some(window) = windows.get_window(entity) {
            window.request_user_attention((wish == Wish::Ask).then_some(UserAttentionType::Informational));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_for_each_new_alarm_while_nobody_looks_and_takes_it_back_when_somebody_does() {
        let mut asked = Asked::default();
        assert_eq!(asked.wish(0, false), None);
        assert_eq!(asked.wish(1, true), None, "who looks is not disturbed");
        assert_eq!(asked.wish(1, false), None, "and has heard it");
        assert_eq!(asked.wish(2, false), Some(Wish::Ask));
        assert_eq!(asked.wish(2, false), None);
        assert_eq!(asked.wish(4, false), Some(Wish::Ask));
        assert_eq!(asked.wish(4, true), Some(Wish::TakeBack));
        assert_eq!(asked.wish(4, true), None);
    }
}
