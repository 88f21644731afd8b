//! Clicks and double clicks, from the events of the mouse in the order in which they came.
//!
//! In: movements, presses and releases, and when they may have come. Out: a [`Click`] for each press that was let go where
//! it began. Counts events rather than looking once a frame: both clicks of a double click may fall into one slow frame.
//! Never reads a clock.

use std::time::Duration;

use bevy::prelude::*;

use crate::value::TwinIndex;

/// A press that moves farther than this (logical pixels) is a drag of the camera, not a click.
const CLICK_SLACK: f32 = 4.0;
const DOUBLE_CLICK: Duration = Duration::from_millis(400);
/// The event loop had nothing to do for this long: what came then was read at once.
const IDLE: Duration = Duration::from_millis(15);

/// What the hand did with a button.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Hand {
    /// To this place, in logical pixels from the top left of the window.
    Moved(Vec2),
    Pressed,
    Released,
}

/// Between which two moments something came: events tell no time, and wait while a frame is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Came {
    earliest: Duration,
    latest: Duration,
}

impl Came {
    /// Of events read `now`: the frame before read its own at `before`, and the event loop was free again at `free`.
    pub fn within(before: Duration, free: Duration, now: Duration) -> Self {
        let waited = now.saturating_sub(free) < IDLE;
        Self { earliest: if waited { before.min(now) } else { now }, latest: now }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Click {
    pub twin: Option<TwinIndex>,
    pub double: bool,
}

/// A press that has not yet become a click or a drag.
#[derive(Clone, Copy)]
struct Press {
    at: Vec2,
    twin: Option<TwinIndex>,
}

#[derive(Default)]
pub(super) struct Clicks {
    at: Option<Vec2>,
    press: Option<Press>,
    /// When at the latest and on what the last click was.
    last: Option<(Duration, TwinIndex)>,
}

impl Clicks {
    /// Where the hand was last.
    pub fn at(&self) -> Option<Vec2> {
        self.at
    }

    /// `aim` tells what lies at a place; none if the place is no part of the world.
    pub fn feed(
        &mut self,
        hand: Hand,
        came: Came,
        aim: impl FnOnce(Vec2) -> Option<Option<TwinIndex>>,
    ) -> Option<Click> {
        match hand {
            Hand::Moved(at) => {
                self.at = Some(at);
                self.press = self.press.filter(|press| press.at.distance(at) <= CLICK_SLACK);
                None
            }
            Hand::Pressed => {
                self.press = self.at.and_then(|at| aim(at).map(|twin| Press { at, twin }));
                None
            }
            Hand::Released => {
                let Press { twin, .. } = self.press.take()?;
                let soon = |(last, on): (Duration, TwinIndex)| {
                    Some(on) == twin && came.earliest.saturating_sub(last) < DOUBLE_CLICK
                };
                let double = self.last.is_some_and(soon);
                self.last = twin.filter(|_| !double).map(|twin| (came.latest, twin));
                Some(Click { twin, double })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUMP: TwinIndex = TwinIndex(3);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Read at once.
    fn at(time: u64) -> Came {
        Came::within(ms(0), ms(0), ms(time + 1_000))
    }

    struct Mouse {
        clicks: Clicks,
        on: Option<Option<TwinIndex>>,
    }

    impl Mouse {
        fn on(on: Option<Option<TwinIndex>>) -> Self {
            let mut mouse = Self { clicks: Clicks::default(), on };
            mouse.does(Hand::Moved(Vec2::splat(10.0)), at(0));
            mouse
        }

        fn does(&mut self, hand: Hand, came: Came) -> Option<Click> {
            let on = self.on;
            self.clicks.feed(hand, came, |_| on)
        }

        fn clicks(&mut self, came: Came) -> Option<Click> {
            assert_eq!(self.does(Hand::Pressed, came), None);
            self.does(Hand::Released, came)
        }
    }

    fn once(twin: Option<TwinIndex>) -> Option<Click> {
        Some(Click { twin, double: false })
    }

    fn twice(twin: TwinIndex) -> Option<Click> {
        Some(Click { twin: Some(twin), double: true })
    }

    #[test]
    fn two_clicks_soon_after_each_other_are_a_double_click_and_a_third_is_not_another() {
        let mut mouse = Mouse::on(Some(Some(PUMP)));
        assert_eq!(mouse.clicks(at(0)), once(Some(PUMP)));
        assert_eq!(mouse.clicks(at(300)), twice(PUMP));
        assert_eq!(mouse.clicks(at(500)), once(Some(PUMP)));
        assert_eq!(mouse.clicks(at(950)), once(Some(PUMP)));
    }

    #[test]
    fn both_clicks_may_fall_into_one_frame() {
        let mut mouse = Mouse::on(Some(Some(PUMP)));
        let frame = Came::within(ms(0), ms(799), ms(800));
        assert_eq!(mouse.clicks(frame), once(Some(PUMP)));
        assert_eq!(mouse.clicks(frame), twice(PUMP));
    }

    #[test]
    fn the_time_that_a_click_waits_for_a_slow_frame_does_not_count() {
        let mut mouse = Mouse::on(Some(Some(PUMP)));
        assert_eq!(mouse.clicks(Came::within(ms(0), ms(10), ms(1_000))), once(Some(PUMP)));
        // The frame that shows the first click takes until 1,700 ms; then the second click is read.
        assert_eq!(mouse.clicks(Came::within(ms(1_000), ms(1_700), ms(1_701))), twice(PUMP));
    }

    #[test]
    fn a_late_second_click_in_a_window_that_slept_is_a_click_of_its_own() {
        let mut mouse = Mouse::on(Some(Some(PUMP)));
        assert_eq!(mouse.clicks(Came::within(ms(0), ms(10), ms(1_000))), once(Some(PUMP)));
        assert_eq!(mouse.clicks(Came::within(ms(1_030), ms(1_040), ms(1_900))), once(Some(PUMP)));
    }

    #[test]
    fn a_drag_and_a_press_outside_of_the_world_are_no_clicks() {
        let mut mouse = Mouse::on(Some(Some(PUMP)));
        mouse.does(Hand::Pressed, at(0));
        mouse.does(Hand::Moved(Vec2::splat(40.0)), at(5));
        mouse.does(Hand::Moved(Vec2::splat(10.0)), at(9));
        assert_eq!(mouse.does(Hand::Released, at(10)), None);
        assert_eq!(Mouse::on(None).clicks(at(0)), None);
    }

    #[test]
    fn a_click_on_nothing_is_one_and_never_half_of_a_double_click() {
        let mut mouse = Mouse::on(Some(None));
        assert_eq!(mouse.clicks(at(0)), once(None));
        assert_eq!(mouse.clicks(at(100)), once(None));
        mouse.on = Some(Some(PUMP));
        assert_eq!(mouse.clicks(at(200)), once(Some(PUMP)));
        mouse.on = Some(Some(TwinIndex(4)));
        assert_eq!(mouse.clicks(at(300)), once(Some(TwinIndex(4))), "another machine");
    }
}
